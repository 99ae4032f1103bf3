/* SPDX-License-Identifier: MIT */
/*
 * One connection of a rule, in either direction: a pump and who owns it.
 *
 * Members of the room come by exposed ports uninvited: together they have half of all streams, so
 * that programs here keep theirs, and an address has an eighth, so that other members do.
 */
#include "base/container.h"
#include "io/hostsock.h"
#include "service/forward.h"
#include "stack/addr.h"

#include <errno.h>
#include <stdlib.h>

struct stream {
	struct pump pump;
	struct target target; /* of one that is forwarded */
	struct weft_forwarder *forwarder;
	struct list node; /* of forwarder->streams */
	bool is_exposed;  /* it comes from the room */
};

static void stream_free(struct stream *s)
{
	target_end(&s->target, weft_loop_now(s->forwarder->opts.loop));
	list_remove(&s->node);
	forward_leave(s->forwarder);
	free(s);
}

static void on_end(void *user, int error, uint64_t now)
{
	(void)error;
	(void)now;
	stream_free(user);
}

static const struct pump_events events = { .on_end = on_end };

static struct stream *stream_new(struct weft_forwarder *f, int fd, bool is_connecting)
{
	if (!forward_enter(f))
		return NULL;
	struct stream *s = malloc(sizeof(*s));
	if (!s) {
		forward_leave(f);
		forward_count(f, WEFT_FORWARD_DROP_FULL);
		return NULL;
	}
	*s = (struct stream){ .forwarder = f, .is_exposed = is_connecting };
	pump_init(&s->pump, f->opts.loop, fd, is_connecting, &events, s);
	list_push_back(&f->streams, &s->node);
	return s;
}

static int connect_to_room(struct stream *s, uint64_t now)
{
	const struct weft_tcp_opts opts = pump_tcp_opts(&s->pump);
	union weft_sockaddr peer;
	struct weft_tcp *tcp;
	if (!target_next(&s->target, &peer))
		return -ENOENT;
	int r = weft_tcp_connect(s->forwarder->opts.stack, &peer, &opts, now, &tcp);
	if (r < 0)
		return r;
	r = pump_attach(&s->pump, tcp, now);
	if (r < 0)
		weft_tcp_abort(tcp, now);
	return r;
}

static void on_found(void *user, int error, uint64_t now)
{
	struct stream *s = user;
	struct weft_forwarder *f = s->forwarder;
	int r = error < 0 ? error : connect_to_room(s, now);
	if (r == 0) {
		forward_count(f, WEFT_FORWARD_STREAM);
		return;
	}
	forward_count(f, error < 0 ? WEFT_FORWARD_DROP_NAME : WEFT_FORWARD_DROP_TARGET);
	hostsock_reset(s->pump.task.fd);
	stream_free(s);
}

void stream_admit(struct door *door, int fd, uint64_t now)
{
	struct stream *s = stream_new(door->forwarder, fd, false);
	if (!s) {
		hostsock_reset(fd);
		return;
	}
	s->target = (struct target){ .forwarder = door->forwarder,
				     .found = on_found,
				     .user = s };
	int r = target_find(&s->target, door->host, door->port, now);
	if (r != -EINPROGRESS)
		on_found(s, r, now);
}

/* A program that cannot be reached shows as a reset to whoever is connected by now. */
static void refuse(struct stream *s, int fd)
{
	if (s)
		stream_free(s);
	if (fd >= 0)
		hostsock_close(fd);
}

static bool is_from(const struct stream *s, const struct ip_addr *addr)
{
	const union weft_sockaddr peer = weft_tcp_peer(s->pump.tcp);
	struct ip_addr its;
	uint16_t port;
	return addr_of_sockaddr(&peer, &its, &port) && addr_equal(&its, addr);
}

static bool has_room_for(const struct weft_forwarder *f, const struct weft_tcp *tcp)
{
	const union weft_sockaddr peer = weft_tcp_peer(tcp);
	uint32_t all = 0, same = 0;
	struct ip_addr addr;
	uint16_t port;
	(void)addr_of_sockaddr(&peer, &addr, &port);
	list_for_each (node, &f->streams) {
		const struct stream *s = container_of(node, struct stream, node);
		if (!s->is_exposed || !s->pump.tcp)
			continue;
		all++;
		same += is_from(s, &addr);
	}
	return all < (f->opts.streams_max + 1) / 2 &&
	       same < (f->opts.streams_max + 7) / 8;
}

void stream_accept(struct door *door, uint64_t now)
{
	struct weft_forwarder *f = door->forwarder;
	int fd = hostsock_connect(&door->target);
	struct stream *s = fd >= 0 ? stream_new(f, fd, true) : NULL;
	struct weft_tcp_opts opts = { 0 };
	struct weft_tcp *tcp;
	if (s)
		opts = pump_tcp_opts(&s->pump);
	if (fd < 0)
		forward_count(f, WEFT_FORWARD_DROP_TARGET);
	if (weft_tcp_accept(door->listener, &opts, now, &tcp) < 0) {
		refuse(s, fd);
		return;
	}
	bool has_room = has_room_for(f, tcp);
	if (!has_room && s)
		forward_count(f, WEFT_FORWARD_DROP_FULL);
	if (has_room && s && pump_attach(&s->pump, tcp, now) == 0) {
		forward_count(f, WEFT_FORWARD_STREAM);
		return;
	}
	weft_tcp_abort(tcp, now);
	refuse(s, fd);
}

void stream_abort_all(struct weft_forwarder *f, uint64_t now)
{
	list_for_each (node, &f->streams) {
		struct stream *s = container_of(node, struct stream, node);
		pump_abort(&s->pump, now);
		stream_free(s);
	}
}
