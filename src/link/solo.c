/* SPDX-License-Identifier: MIT */
/*
 * What is sent passes this link's adapter and goes to the peer's driver directly: frames are
 * cut and counted once, here, and the counts outlive the peers.
 */
#include "link/solo.h"

#include "io/poller.h"
#include "link/plug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct solo {
	struct weft_link link;
	struct weft_plug *plug;
	struct poller *poller;
	struct weft_link *peer;  /* NULL while nobody is plugged in. */
	uint64_t peer_rx_errors; /* Of the peer's, those that are counted here. */
	bool is_connecting;      /* By the spec: there is no next peer. */
};

static struct solo *solo_of(struct weft_link *link)
{
	return (struct solo *)(void *)link;
}

static void solo_count_errors(struct solo *s)
{
	if (!s->peer)
		return;
	s->link.stats.rx_errors += s->peer->stats.rx_errors - s->peer_rx_errors;
	s->peer_rx_errors = s->peer->stats.rx_errors;
}

/* ---- the plug's events ------------------------------------------------------------------- */

static void solo_received(void *user, struct weft_link *peer,
			  const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct solo *s = user;
	(void)peer;
	link_deliver(&s->link, frames, n, now);
}

static void solo_plugged(void *user, struct weft_link *peer, const char *who,
			 uint64_t now)
{
	struct solo *s = user;
	(void)who;
	(void)now;
	s->peer = peer;
	s->peer_rx_errors = 0;
	s->link.mac = peer->mac;
	s->link.has_mac = peer->has_mac;
	weft_link_on_receive(peer, solo_received, s);
}

static void solo_unplugged(void *user, struct weft_link *peer, uint64_t now)
{
	struct solo *s = user;
	(void)now;
	solo_count_errors(s);
	s->peer = NULL;
	s->link.has_mac = false;
	if (s->is_connecting || weft_plug_is_over(s->plug))
		link_end(&s->link, "%s", weft_link_down_reason(peer));
}

static void solo_trouble(void *user, const char *text, uint64_t now)
{
	struct solo *s = user;
	(void)now;
	if (s->is_connecting && !s->peer)
		link_end(&s->link, "%s", text);
}

static const struct weft_plug_events solo_events = {
	.plugged = solo_plugged,
	.unplugged = solo_unplugged,
	.trouble = solo_trouble,
};

/* ---- the link ---------------------------------------------------------------------------- */

static void solo_run(struct weft_link *link, uint64_t now)
{
	struct solo *s = solo_of(link);
	if (link->is_down)
		return;
	poller_run(s->poller, now);
	solo_count_errors(s);
}

static uint64_t solo_deadline(const struct weft_link *link)
{
	const struct solo *s = (const struct solo *)(const void *)link;
	return link->is_down ? WEFT_NEVER : poller_deadline(s->poller);
}

static size_t solo_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct solo *s = solo_of(link);
	if (!s->peer || s->peer->is_down)
		return 0;
	size_t sent = s->peer->ops->send(s->peer, frames, n, now);
	poller_watch(s->poller);
	return sent;
}

static void solo_free(struct weft_link *link)
{
	struct solo *s = solo_of(link);
	link_fini(link);
	weft_plug_free(s->plug);
	poller_free(s->poller);
	free(s);
}

static const struct link_ops solo_ops = {
	.run = solo_run,
	.deadline = solo_deadline,
	.send = solo_send,
	.free = solo_free,
};

static int runner_add(void *user, struct weft_task *task)
{
	return poller_add(user, task);
}

static void runner_remove(void *user, struct weft_task *task)
{
	poller_remove(user, task);
}

static int solo_take_plug(struct solo *s, struct weft_plug *plug, struct weft_error *err)
{
	s->plug = plug;
	plug->runner = (struct plug_runner){ .add = runner_add,
					     .remove = runner_remove,
					     .user = s->poller };
	plug->events = &solo_events;
	plug->user = s;
	plug->links_max = 1;
	plug->is_solo = true;
	s->link.caps = (struct weft_link_caps){ .flags = plug->link_flags,
						.frame_len_max = plug->frame_len_max };
	if (plug->ops->dial) {
		int r = plug->ops->dial(plug, err);
		if (r < 0)
			return r;
		s->is_connecting = true;
	}
	return runner_add(s->poller, &plug->task);
}

int solo_open(const struct spec *spec, struct weft_error *err,
	      struct weft_link **ret_link)
{
	struct weft_plug *plug = NULL;
	struct solo *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int r = poller_new(&s->poller);
	if (r < 0) {
		free(s);
		return weft_error_set(err, r, "%s: %s", spec->driver->kind, strerror(-r));
	}
	link_init(&s->link, &solo_ops, spec->driver->kind, poller_fd(s->poller),
		  (struct weft_link_caps){ 0 });
	r = spec->driver->plug(spec, err, &plug);
	if (r == 0)
		r = solo_take_plug(s, plug, err);
	if (r < 0) {
		solo_free(&s->link);
		return r;
	}
	*ret_link = &s->link;
	return 0;
}
