/* SPDX-License-Identifier: MIT */
/*
 * Three ways to come by a connection, and one to go on with it. A listening plug that runs
 * out of descriptors or memory pauses: the connection stays in the backlog, and trying again
 * at once would only spin.
 */
#include "link/listen.h"

#include "base/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct listen_plug *listen_of(struct weft_plug *plug)
{
	return container_of(plug, struct listen_plug, plug);
}

static bool is_listening(const struct listen_plug *l)
{
	return !l->plug.is_single && !l->opts.connect;
}

/* ---- a connection becomes a link --------------------------------------------------------- */

void listen_plug_in(struct listen_plug *listen, const struct local_ends *ends,
		    const char *peer, uint64_t now)
{
	struct weft_plug *plug = &listen->plug;
	struct weft_link *link = NULL;
	char text[LOCAL_TEXT];

	if (plug->is_closed) {
		local_ends_close(ends);
		return;
	}
	if (!peer)
		peer = local_peer_print(ends->in, text);
	int r = listen->ops->link_new(listen, ends, &link);
	if (r < 0) {
		local_ends_close(ends);
		plug_trouble(plug, now, "%s: cannot take a peer: %s", plug->name,
			     strerror(-r));
	} else {
		(void)plug_add(plug, link, peer, now);
	}
	listen_settle(listen, now);
}

static void listen_came(struct listen_plug *l, const struct local_ends *ends,
			uint64_t now)
{
	if (l->ops->came)
		l->ops->came(l, ends, now);
	else
		listen_plug_in(l, ends, NULL, now);
}

/* ---- listening --------------------------------------------------------------------------- */

/* A single link leaves the next peer in the backlog until the present one has gone. */
static bool listen_holds_back(const struct listen_plug *l)
{
	return l->plug.is_solo && l->plug.links_n + l->pending_n >= l->plug.links_max;
}

static void listen_accept(struct listen_plug *l, uint64_t now)
{
	if (now < l->resume_at)
		return;
	l->plug.task.events = WEFT_READABLE;
	/* Who is told of a peer may close the plug. */
	for (unsigned i = 0; i < LISTEN_ACCEPT_MAX && !l->plug.is_closed; i++) {
		if (listen_holds_back(l)) {
			l->plug.task.events = 0;
			return;
		}
		int fd = local_accept(l->plug.task.fd);
		if (plug_is_passing(fd))
			continue;
		if (fd < 0 && fd != -EAGAIN)
			l->resume_at = plug_pause(&l->plug, fd, now);
		if (fd < 0)
			return;
		listen_came(l, &(struct local_ends){ fd, fd }, now);
	}
}

/* ---- connecting -------------------------------------------------------------------------- */

static void listen_retry(struct listen_plug *l, const char *why, uint64_t now)
{
	l->state = LISTEN_WAITING;
	l->resume_at = now + PLUG_RETRY_NS;
	plug_trouble(&l->plug, now, "%s", why);
}

static int listen_dial(struct weft_plug *plug, struct weft_error *err)
{
	struct listen_plug *l = listen_of(plug);
	if (l->state != LISTEN_WAITING)
		return 0;
	int fd = local_connect(&l->opts, l->ops->socket_type, err);
	if (fd < 0)
		return fd;
	l->ends = (struct local_ends){ fd, fd };
	int r = local_connect_result(fd);
	if (r == -EAGAIN)
		r = plug_watch(plug, fd, WEFT_WRITABLE);
	else if (r == 0)
		l->state = LISTEN_CONNECTED;
	if (r < 0) {
		(void)close(fd);
		return local_fail_connect(&l->opts.address, r, err);
	}
	if (l->state == LISTEN_WAITING)
		l->state = LISTEN_CONNECTING;
	return 0;
}

/* The connection that was under way has come about, or not. */
static void listen_finish(struct listen_plug *l, uint64_t now)
{
	struct weft_error err;
	int fd = l->ends.in;
	int r = local_connect_result(fd);

	if (r == -EAGAIN)
		return;
	int unwatched = plug_watch(&l->plug, -1, 0);
	if (r == 0)
		r = unwatched;
	if (r == 0) {
		l->state = LISTEN_CONNECTED;
		return;
	}
	(void)close(fd);
	(void)local_fail_connect(&l->opts.address, r, &err);
	listen_retry(l, err.text, now);
}

void listen_settle(struct listen_plug *listen, uint64_t now)
{
	if (listen->state != LISTEN_PLUGGED ||
	    listen->plug.links_n + listen->pending_n > 0)
		return;
	listen->state = LISTEN_WAITING;
	listen->resume_at = now + PLUG_RETRY_NS;
	if (listen->plug.is_single)
		weft_plug_close(&listen->plug);
}

static void listen_connect(struct listen_plug *l, uint64_t now)
{
	struct weft_error err = { "" };

	if (l->state == LISTEN_WAITING && now >= l->resume_at &&
	    listen_dial(&l->plug, &err) < 0)
		listen_retry(l, err.text, now);
	if (l->state == LISTEN_CONNECTING)
		listen_finish(l, now);
	if (l->state != LISTEN_CONNECTED)
		return;
	l->state = LISTEN_PLUGGED;
	listen_came(l, &l->ends, now);
	listen_settle(l, now);
}

/* ---- the plug ---------------------------------------------------------------------------- */

static void listen_run(struct weft_plug *plug, uint64_t now)
{
	struct listen_plug *l = listen_of(plug);
	if (is_listening(l))
		listen_accept(l, now);
	else
		listen_connect(l, now);
}

static uint64_t listen_deadline(const struct weft_plug *plug)
{
	const struct listen_plug *l = container_of_const(plug, struct listen_plug, plug);

	if (l->state == LISTEN_CONNECTED)
		return 0;
	if (!is_listening(l))
		return l->state == LISTEN_WAITING ? l->resume_at : WEFT_NEVER;
	if (plug->task.events)
		return WEFT_NEVER;
	return listen_holds_back(l) ? WEFT_NEVER : l->resume_at;
}

/* A peer that was connected to has gone: after a pause comes the next attempt. */
static void listen_left(struct weft_plug *plug, struct weft_link *link, uint64_t now)
{
	struct listen_plug *l = listen_of(plug);
	(void)link;
	if (l->state != LISTEN_PLUGGED || plug->is_single || l->pending_n > 0)
		return;
	l->state = LISTEN_WAITING;
	l->resume_at = now + PLUG_RETRY_NS;
}

static void listen_close(struct weft_plug *plug)
{
	struct listen_plug *l = listen_of(plug);
	int fd = plug->task.fd;

	if (l->state == LISTEN_CONNECTED)
		local_ends_close(&l->ends);
	l->state = LISTEN_WAITING;
	/* For want of memory the task may be out for good: there is nobody to wait for. */
	(void)!plug_watch(plug, -1, 0);
	local_unlink(&l->bound);
	if (fd >= 0)
		(void)close(fd);
}

static void listen_free(struct weft_plug *plug)
{
	struct listen_plug *l = listen_of(plug);
	plug_fini(plug);
	if (l->ops->fini)
		l->ops->fini(l);
	free(l);
}

static const struct plug_ops listening_ops = {
	.run = listen_run,
	.deadline = listen_deadline,
	.close = listen_close,
	.left = listen_left,
	.free = listen_free,
};

static const struct plug_ops connecting_ops = {
	.run = listen_run,
	.deadline = listen_deadline,
	.dial = listen_dial,
	.close = listen_close,
	.left = listen_left,
	.free = listen_free,
};

/* ---- opening ----------------------------------------------------------------------------- */

static bool address_is_one_peer(const struct local_address *address)
{
	return address->kind == LOCAL_STDIO ||
	       (address->kind == LOCAL_FD && !local_fd_listens(address->fd));
}

/* The descriptors of an address that is one peer already. */
static int ends_take(const struct listen_plug *l, struct weft_error *err,
		     struct local_ends *ret_ends)
{
	if (l->opts.address.kind == LOCAL_STDIO && l->ops->socket_type == SOCK_STREAM)
		return local_stdio(err, ret_ends);
	int fd = local_connect(&l->opts, l->ops->socket_type, err);
	if (fd < 0)
		return fd;
	*ret_ends = (struct local_ends){ fd, fd };
	return 0;
}

static int listen_setup(struct listen_plug *l, const char *kind, struct weft_error *err)
{
	char text[LOCAL_TEXT];
	bool is_single = address_is_one_peer(&l->opts.address);
	bool is_one_way = is_single || l->opts.connect;
	int fd = -1;

	if (is_single) {
		int r = ends_take(l, err, &l->ends);
		if (r < 0)
			return r;
		l->state = LISTEN_CONNECTED;
	} else if (!l->opts.connect) {
		fd = local_listen(&l->opts, l->ops->socket_type, err, &l->bound);
		if (fd < 0)
			return fd;
	}
	plug_init(&l->plug, is_one_way ? &connecting_ops : &listening_ops, kind,
		  local_print(is_one_way ? &l->opts.address : &l->bound, text), fd);
	l->plug.is_single = is_single;
	if (l->opts.connect && !is_single)
		(void)snprintf(l->plug.name, sizeof(l->plug.name), "%s to %s", kind,
			       l->plug.address);
	if (l->frame_len_max)
		l->plug.frame_len_max = l->frame_len_max;
	return 0;
}

int listen_open(struct listen_plug *listen, const struct listen_ops *ops,
		const struct spec *spec, struct weft_error *err,
		struct weft_plug **ret_plug)
{
	listen->ops = ops;
	int r = local_opts_of(spec, err, &listen->opts);
	if (r == 0)
		r = listen_setup(listen, spec->driver->kind, err);
	if (r < 0) {
		if (ops->fini)
			ops->fini(listen);
		free(listen);
		return r;
	}
	*ret_plug = &listen->plug;
	return 0;
}
