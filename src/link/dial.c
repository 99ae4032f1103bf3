/* SPDX-License-Identifier: MIT */
/*
 * One step per run. Whatever fails ends in the same place: closed, told once, and tried again
 * after a pause.
 */
#include "link/dial.h"

#include "base/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dial *dial(struct weft_plug *plug)
{
	return container_of(plug, struct dial, plug);
}

static void dial_close_fd(struct dial *d)
{
	/* Watching nothing cannot fail. */
	(void)!plug_watch(&d->plug, -1, 0);
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

static void dial_begin_anew(struct dial *d, uint64_t now)
{
	dial_close_fd(d);
	if (d->state != DIAL_WAITING && d->ops->undo)
		d->ops->undo(d);
	d->state = DIAL_WAITING;
	d->link = NULL;
	d->asks = 0;
	d->again_at = d->plug.is_single ? WEFT_NEVER : now + PLUG_RETRY_NS;
}

static int dial_link(struct dial *d, uint64_t now)
{
	struct weft_link *link = NULL;

	/* A link that takes the descriptor over watches it itself. */
	if (!d->ops->keeps_fd)
		(void)!plug_watch(&d->plug, -1, 0);
	int r = d->ops->link_new(d, &link);
	if (r < 0)
		return r;
	d->state = DIAL_UP;
	d->link = link;
	d->again_at = WEFT_NEVER;
	if (!d->ops->keeps_fd)
		d->fd = -1;
	return plug_add(&d->plug, link, d->plug.address, now);
}

static int dial_open(struct dial *d, struct weft_error *err)
{
	int fd = d->ops->open(d, err);
	if (fd < 0)
		return fd;
	d->fd = fd;
	d->state = DIAL_ASKING;
	d->asks = 0;
	return plug_watch(&d->plug, fd, WEFT_READABLE);
}

static int dial_ask(struct dial *d, struct weft_error *err, uint64_t now)
{
	if (d->ops->asks_max > 0 && d->asks >= d->ops->asks_max)
		return weft_error_set(err, -ETIMEDOUT, "%s does not answer",
				      d->plug.address);
	d->asks++;
	d->again_at = now + PLUG_RETRY_NS;
	return d->ops->ask ? d->ops->ask(d, err) : 1;
}

/* Returns 1 when the link can be made, 0 to wait on, or -Exxx with err. */
static int dial_step(struct dial *d, struct weft_error *err, uint64_t now)
{
	int r = 0;

	if (d->state == DIAL_WAITING) {
		if (now < d->again_at)
			return 0;
		r = dial_open(d, err);
		if (r < 0)
			return r;
	} else if (d->ops->answer) {
		r = d->ops->answer(d, err);
	}
	if (r == 0 && now >= d->again_at)
		r = dial_ask(d, err, now);
	return r;
}

static void dial_run(struct weft_plug *plug, uint64_t now)
{
	struct dial *d = dial(plug);
	struct weft_error err = { "" };

	if (d->state == DIAL_UP) {
		if (d->ops->talk && d->fd >= 0)
			d->ops->talk(d);
		return;
	}
	int r = dial_step(d, &err, now);
	if (r > 0)
		r = dial_link(d, now);
	if (r >= 0)
		return;
	plug_trouble(plug, now, "%s", err.text[0] ? err.text : strerror(-r));
	dial_begin_anew(d, now);
}

static uint64_t dial_deadline(const struct weft_plug *plug)
{
	return container_of_const(plug, struct dial, plug)->again_at;
}

static void dial_left(struct weft_plug *plug, struct weft_link *link, uint64_t now)
{
	(void)link;
	dial_begin_anew(dial(plug), now);
}

static void dial_close(struct weft_plug *plug)
{
	struct dial *d = dial(plug);

	/* A link that is up stays; its end then shows where its frames go. */
	if (d->state == DIAL_UP)
		(void)!plug_watch(plug, -1, 0);
	else
		dial_close_fd(d);
}

static int dial_now(struct weft_plug *plug, struct weft_error *err)
{
	struct dial *d = dial(plug);
	return d->state == DIAL_WAITING ? dial_open(d, err) : 0;
}

static void dial_free(struct weft_plug *plug)
{
	struct dial *d = dial(plug);

	plug_fini(plug);
	if (d->fd >= 0)
		(void)close(d->fd);
	if (d->state != DIAL_WAITING && d->ops->undo)
		d->ops->undo(d);
	free(d);
}

static const struct plug_ops dial_plug_ops = {
	.run = dial_run,
	.deadline = dial_deadline,
	.dial = dial_now,
	.close = dial_close,
	.left = dial_left,
	.free = dial_free,
};

struct weft_plug *dial_new(struct dial *d, const struct dial_ops *ops, const char *kind)
{
	char text[LOCAL_TEXT];

	d->ops = ops;
	d->state = DIAL_WAITING;
	d->fd = -1;
	d->again_at = 0;
	plug_init(&d->plug, &dial_plug_ops, kind, local_print(&d->opts.address, text),
		  -1);
	d->plug.is_single =
		d->opts.address.kind == LOCAL_FD || d->opts.address.kind == LOCAL_STDIO;
	d->plug.frame_len_max =
		ops->frame_len_max ? ops->frame_len_max : WEFT_FRAME_LEN_MAX;
	return &d->plug;
}
