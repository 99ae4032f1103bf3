/* SPDX-License-Identifier: MIT */
/*
 * What all plugs have in common: the links that come and go.
 *
 * A link may go down at any time, in the middle of its own run or of somebody's send. It is
 * only marked then, and freed in the plug's own run, which its deadline of 0 brings about in
 * the same turn of the loop: there nobody is inside of it.
 */
#include "link/plug.h"

#include "base/container.h"
#include "link/drivers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plug_peer {
	struct list node;
	struct weft_link *link; /* The outermost, where there are wrappers. */
};

/* ---- peers ------------------------------------------------------------------------------- */

static void peer_on_down(void *user, struct weft_link *link)
{
	struct weft_plug *plug = user;
	(void)link;
	plug->has_gone = true;
}

/* A wrapper is down when what it wraps is, and is not told of it. */
static void peer_watch_down(struct weft_plug *plug, struct weft_link *link)
{
	for (; link; link = link->inner) {
		link->on_down = peer_on_down;
		link->on_down_user = plug;
	}
}

static void peer_name(struct weft_plug *plug, struct weft_link *link)
{
	plug->links_total++;
	for (; link; link = link->inner)
		(void)snprintf(link->name, sizeof(link->name), "%s-%u", plug->kind,
			       plug->links_total);
}

static void peer_unplug(struct weft_plug *plug, struct plug_peer *peer, uint64_t now)
{
	plug->runner.remove(plug->runner.user, &peer->link->task);
	list_remove(&peer->node);
	plug->links_n--;
	if (plug->ops->left)
		plug->ops->left(plug, peer->link, now);
	if (plug->events && plug->events->unplugged)
		plug->events->unplugged(plug->user, peer->link, now);
	weft_link_free(peer->link);
	free(peer);
}

static void plug_sweep(struct weft_plug *plug, uint64_t now)
{
	if (!plug->has_gone)
		return;
	plug->has_gone = false;
	list_for_each (node, &plug->links) {
		struct plug_peer *peer = container_of(node, struct plug_peer, node);
		if (weft_link_is_down(peer->link))
			peer_unplug(plug, peer, now);
	}
}

bool plug_is_full(const struct weft_plug *plug)
{
	return plug->links_n >= plug->links_max;
}

static int plug_refuse(struct weft_plug *plug, struct weft_link *link, int error,
		       uint64_t now)
{
	if (error == -ENOSPC)
		plug_trouble(plug, now, "%s: refused a peer, as %u are plugged in",
			     plug->name, plug->links_n);
	else
		plug_trouble(plug, now, "%s: cannot take a peer: %s", plug->name,
			     strerror(-error));
	weft_link_free(link);
	return error;
}

int plug_add(struct weft_plug *plug, struct weft_link *link, const char *peer_text,
	     uint64_t now)
{
	struct weft_error err = { "" };

	if (plug_is_full(plug))
		return plug_refuse(plug, link, -ENOSPC, now);
	struct plug_peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return plug_refuse(plug, link, -ENOMEM, now);
	if (plug->spec) {
		int r = drivers_wrap(plug->spec, plug->links_total + 1, &err, &link);
		if (r < 0) {
			plug_trouble(plug, now, "%s", err.text);
			weft_link_free(link);
			free(peer);
			return r;
		}
	}
	int r = plug->runner.add(plug->runner.user, &link->task);
	if (r < 0) {
		free(peer);
		return plug_refuse(plug, link, r, now);
	}
	peer->link = link;
	list_push_back(&plug->links, &peer->node);
	plug->links_n++;
	plug->trouble[0] = '\0';
	peer_name(plug, link);
	peer_watch_down(plug, link);
	if (plug->events && plug->events->plugged)
		plug->events->plugged(plug->user, link, peer_text, now);
	return 0;
}

/* ---- the common part --------------------------------------------------------------------- */

static void plug_task_run(struct weft_task *task, uint64_t now)
{
	struct weft_plug *plug = container_of(task, struct weft_plug, task);

	plug_sweep(plug, now);
	if (!plug->is_closed && plug->ops->run)
		plug->ops->run(plug, now);
}

static uint64_t plug_task_deadline(const struct weft_task *task)
{
	const struct weft_plug *plug = container_of_const(task, struct weft_plug, task);

	if (plug->has_gone)
		return 0;
	if (plug->is_closed || !plug->ops->deadline)
		return WEFT_NEVER;
	return plug->ops->deadline(plug);
}

void plug_init(struct weft_plug *plug, const struct plug_ops *ops, const char *kind,
	       const char *address, int fd)
{
	*plug = (struct weft_plug){
		.ops = ops,
		.task = { .fd = fd,
			  .events = fd >= 0 ? WEFT_READABLE : 0,
			  .run = plug_task_run,
			  .deadline = plug_task_deadline },
		.links_max = PLUG_LINKS_MAX,
		.frame_len_max = PLUG_FRAME_LEN_MAX,
	};
	list_init(&plug->links);
	(void)snprintf(plug->kind, sizeof(plug->kind), "%s", kind);
	(void)snprintf(plug->name, sizeof(plug->name), "%s on %s", kind, address);
	(void)snprintf(plug->address, sizeof(plug->address), "%s", address);
}

void plug_fini(struct weft_plug *plug)
{
	list_for_each (node, &plug->links) {
		struct plug_peer *peer = container_of(node, struct plug_peer, node);
		plug->runner.remove(plug->runner.user, &peer->link->task);
		weft_link_free(peer->link);
		free(peer);
	}
	if (plug->task.loop_state)
		plug->runner.remove(plug->runner.user, &plug->task);
	free(plug->spec);
}

int plug_watch(struct weft_plug *plug, int fd, unsigned events)
{
	bool is_running = plug->task.loop_state != NULL;

	if (is_running && plug->task.fd != fd)
		plug->runner.remove(plug->runner.user, &plug->task);
	plug->task.fd = fd;
	plug->task.events = events;
	if (!is_running || plug->task.loop_state)
		return 0;
	int r = plug->runner.add(plug->runner.user, &plug->task);
	if (r < 0)
		plug->task.fd = -1;
	return r;
}

bool plug_is_passing(int error)
{
	return error == -ECONNABORTED || error == -EINTR || error == -EPROTO;
}

uint64_t plug_pause(struct weft_plug *plug, int error, uint64_t now)
{
	plug_trouble(plug, now, "%s: cannot accept a peer: %s", plug->name,
		     strerror(-error));
	plug->task.events = 0;
	return now + PLUG_RETRY_NS;
}

void plug_trouble(struct weft_plug *plug, uint64_t now, const char *fmt, ...)
{
	char text[sizeof(plug->trouble)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (strcmp(text, plug->trouble) == 0)
		return;
	memcpy(plug->trouble, text, sizeof(text));
	if (plug->events && plug->events->trouble)
		plug->events->trouble(plug->user, text, now);
}

/* ---- for everybody ----------------------------------------------------------------------- */

static int loop_runner_add(void *user, struct weft_task *task)
{
	return weft_loop_add(user, task);
}

static void loop_runner_remove(void *user, struct weft_task *task)
{
	weft_loop_remove(user, task);
}

int weft_plug_new(const struct weft_plug_opts *opts, struct weft_loop *loop,
		  struct weft_error *err, struct weft_plug **ret_plug)
{
	struct weft_plug *plug = NULL;
	int r = drivers_open_plug(opts->spec, err, &plug);
	if (r < 0)
		return r;
	plug->runner = (struct plug_runner){ .add = loop_runner_add,
					     .remove = loop_runner_remove,
					     .user = loop };
	plug->events = opts->events;
	plug->user = opts->user;
	if (opts->links_max > 0)
		plug->links_max = opts->links_max;
	plug->spec = strdup(opts->spec);
	r = plug->spec ? weft_loop_add(loop, &plug->task) : -ENOMEM;
	if (r < 0) {
		weft_plug_free(plug);
		return weft_error_set(err, r, "%s: %s", opts->spec, strerror(-r));
	}
	/* Later the caller may have fewer rights; what fails is tried again in the loop. */
	if (plug->ops->dial)
		(void)plug->ops->dial(plug, NULL);
	*ret_plug = plug;
	return 0;
}

void weft_plug_free(struct weft_plug *plug)
{
	if (!plug)
		return;
	weft_plug_close(plug);
	plug->ops->free(plug);
}

void weft_plug_close(struct weft_plug *plug)
{
	if (plug->is_closed)
		return;
	if (plug->ops->close)
		plug->ops->close(plug);
	plug->is_closed = true;
}

void weft_plug_drop(struct weft_plug *plug, struct weft_link *link, const char *reason)
{
	(void)plug;
	while (link->inner)
		link = link->inner;
	link_end(link, "%s", reason);
}

const char *weft_plug_name(const struct weft_plug *plug)
{
	return plug->name;
}

const char *weft_plug_address(const struct weft_plug *plug)
{
	return plug->address;
}

uint32_t weft_plug_links(const struct weft_plug *plug)
{
	return plug->links_n;
}

bool weft_plug_is_over(const struct weft_plug *plug)
{
	bool can_come = !plug->is_closed && !(plug->is_single && plug->links_total > 0);
	return !can_come && plug->links_n == 0;
}

bool weft_plug_is_spec(const char *spec)
{
	return drivers_is_plug(spec);
}
