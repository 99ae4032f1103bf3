/* SPDX-License-Identifier: MIT */
/*
 * Both directions are tried whenever anything has happened: it costs one call that finds
 * nothing, and there is no state to be wrong about. A run moves a bounded amount, and then
 * lets the others run; what is left makes the socket ready again.
 *
 * Chunks are lent to the stack only where they are at least half full, so that little data
 * cannot hold much memory.
 */
#include "service/pump.h"

#include "base/time.h"
#include "io/hostsock.h"
#include "io/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_LEN   65536u
#define LEND_MIN    (CHUNK_LEN / 2)
#define ROUNDS_MAX  16u        /* chunks per run and direction */
#define SEND_MAX    (1u << 20) /* bytes that the room has not acknowledged */
#define RETRY_NS    (10 * NS_PER_MS)
#define KEEP_IDLE_S 60u

static void end(struct pump *p, int error, uint64_t now);

static void chunk_clear(struct pump_chunk *chunk)
{
	free(chunk->data);
	*chunk = (struct pump_chunk){ .data = NULL };
}

/* ---- to the room ------------------------------------------------------------------------- */

static void free_lent(void *user, const void *data, size_t len)
{
	union {
		const void *lent;
		void *ours;
	} chunk = { .lent = data };
	(void)user;
	(void)len;
	free(chunk.ours);
}

/* Hands the chunk to the stack. Returns 0 when it is gone, -EAGAIN, or -Exxx. */
static int push_chunk(struct pump *p, uint64_t now)
{
	struct pump_chunk *c = &p->to_room;
	size_t left = c->len - c->off;
	bool lends = c->off == 0 && left >= LEND_MIN;
	int n = lends ? weft_tcp_lend(p->tcp, c->data, left, free_lent, NULL, now)
		      : weft_tcp_send(p->tcp, c->data + c->off, left, now);
	if (n < 0)
		return n;
	if (lends && n > 0) {
		*c = (struct pump_chunk){ .data = NULL };
		return 0;
	}
	c->off += (size_t)n;
	if (c->off < c->len)
		return -EAGAIN;
	chunk_clear(c);
	return 0;
}

/* Reads from the socket. Returns how much, 0 at the end, or -Exxx. */
static int fill_chunk(struct pump *p)
{
	uint8_t *data = malloc(CHUNK_LEN);
	int n = data ? socket_recv(p->task.fd, data, CHUNK_LEN) : -ENOMEM;
	if (n <= 0) {
		free(data);
		return n;
	}
	p->to_room = (struct pump_chunk){ .data = data, .len = (size_t)n };
	return n;
}

/* What the stack says of a chunk that it has not taken. */
static int wait_for_room(struct pump *p, int r, uint64_t now)
{
	if (r == -ENOBUFS)
		p->retry_at = now + RETRY_NS;
	else if (r == -EAGAIN || r == -EPIPE) /* EPIPE: on_closed is to come */
		p->room_blocked = true;
	else
		return r;
	return 0;
}

static int move_to_room(struct pump *p, uint64_t now)
{
	for (unsigned i = 0; i < ROUNDS_MAX && !p->host_ended && !p->room_over; i++) {
		int r = p->to_room.data ? 1 : fill_chunk(p);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			return r;
		if (r == 0) {
			p->host_ended = true;
			(void)weft_tcp_shutdown(p->tcp, SHUT_WR, now);
			return 0;
		}
		r = push_chunk(p, now);
		if (r < 0)
			return wait_for_room(p, r, now);
	}
	return 0;
}

/* ---- to the host ------------------------------------------------------------------------- */

/* Writes into the socket. Returns 0 when the chunk is gone, -EAGAIN, or -Exxx. */
static int flush_chunk(struct pump *p)
{
	struct pump_chunk *c = &p->to_host;
	while (c->off < c->len) {
		const struct socket_piece piece = { c->data + c->off, c->len - c->off };
		int n = socket_send(p->task.fd, &piece, 1);
		if (n < 0)
			return n;
		c->off += (size_t)n;
	}
	return 0;
}

/* Takes a chunk from the stack. Returns how much, 0 at the end, or -Exxx. */
static int take_chunk(struct pump *p, uint64_t now)
{
	struct pump_chunk *c = &p->to_host;
	if (!c->data)
		c->data = malloc(CHUNK_LEN);
	if (!c->data)
		return -ENOMEM;
	int n = weft_tcp_receive(p->tcp, c->data, CHUNK_LEN, now);
	c->off = 0;
	c->len = n > 0 ? (size_t)n : 0;
	return n;
}

static int move_to_host(struct pump *p, uint64_t now)
{
	int r = 0;
	while (!p->is_quiet) {
		r = flush_chunk(p);
		if (r < 0)
			return r == -EAGAIN ? 0 : r;
		if (p->room_ended)
			break;
		r = take_chunk(p, now);
		if (r < 0)
			break;
		p->room_ended = r == 0;
	}
	chunk_clear(&p->to_host);
	if (p->room_ended && !p->is_quiet) {
		p->is_quiet = true;
		hostsock_shutdown(p->task.fd);
	}
	return r == -EAGAIN ? 0 : r;
}

/* ---- both -------------------------------------------------------------------------------- */

/* Whom the socket is to be watched for. */
static unsigned wanted_events(const struct pump *p)
{
	unsigned events = 0;
	if (p->is_connecting)
		return WEFT_WRITABLE;
	if (!p->host_ended && !p->room_over && !p->to_room.data)
		events |= WEFT_READABLE;
	if (p->to_host.data)
		events |= WEFT_WRITABLE;
	return events;
}

/* Returns 0 when the program can be written to, -EINPROGRESS, or why it cannot. */
static int finish_connecting(struct pump *p)
{
	int r = p->is_connecting ? hostsock_status(p->task.fd) : 0;
	if (r == 0)
		p->is_connecting = false;
	return r;
}

static void move(struct pump *p, uint64_t now)
{
	int r = finish_connecting(p);
	if (r == 0)
		r = move_to_host(p, now);
	if (r == 0 && !p->room_blocked)
		r = move_to_room(p, now);
	bool is_done = p->is_quiet && (p->host_ended || p->room_over);
	if ((r < 0 && r != -EINPROGRESS) || is_done)
		end(p, r, now);
	else
		p->task.events = wanted_events(p);
}

static void pump_run(struct weft_task *task, uint64_t now)
{
	struct pump *p = (struct pump *)(void *)task;
	if (p->retry_at <= now)
		p->retry_at = WEFT_NEVER;
	move(p, now);
}

static uint64_t pump_deadline(const struct weft_task *task)
{
	return ((const struct pump *)(const void *)task)->retry_at;
}

static void release_all(struct pump *p, bool in_order, uint64_t now)
{
	weft_loop_remove(p->loop, &p->task);
	chunk_clear(&p->to_room);
	chunk_clear(&p->to_host);
	if (p->tcp && in_order)
		weft_tcp_close(p->tcp, now);
	else if (p->tcp)
		weft_tcp_abort(p->tcp, now);
	p->tcp = NULL;
}

static void end(struct pump *p, int error, uint64_t now)
{
	release_all(p, error == 0, now);
	if (p->is_started && error == 0)
		hostsock_close(p->task.fd);
	else if (p->is_started)
		hostsock_reset(p->task.fd);
	p->events->on_end(p->user, error, now);
}

/* ---- what the stack tells ---------------------------------------------------------------- */

static void on_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct pump *p = user;
	(void)tcp;
	if (p->events->on_connected)
		p->events->on_connected(p->user, now);
}

static void on_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct pump *p = user;
	(void)tcp;
	if (p->is_started)
		move(p, now);
}

static void on_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct pump *p = user;
	(void)tcp;
	p->room_blocked = false;
	if (p->is_started)
		move(p, now);
}

static void on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct pump *p = user;
	(void)tcp;
	p->room_over = true;
	if (p->is_started && !p->is_connecting)
		move(p, now);
	else
		end(p, error ? error : -ECONNRESET, now);
}

static const struct weft_tcp_events tcp_events = {
	.on_connected = on_connected,
	.on_readable = on_readable,
	.on_writable = on_writable,
	.on_closed = on_closed,
};

/* ---- the owner's ------------------------------------------------------------------------- */

void pump_init(struct pump *pump, struct weft_loop *loop, int fd, bool is_connecting,
	       const struct pump_events *events, void *user)
{
	*pump = (struct pump){
		.task = { .fd = fd, .run = pump_run, .deadline = pump_deadline },
		.loop = loop,
		.events = events,
		.user = user,
		.retry_at = WEFT_NEVER,
		.is_connecting = is_connecting,
	};
}

struct weft_tcp_opts pump_tcp_opts(struct pump *pump)
{
	return (struct weft_tcp_opts){
		.events = &tcp_events,
		.user = pump,
		.nodelay = true,
		.keepalive = true,
		.keep_idle_s = KEEP_IDLE_S,
		.send_max = SEND_MAX,
	};
}

int pump_attach(struct pump *pump, struct weft_tcp *tcp, uint64_t now)
{
	pump->tcp = tcp;
	int r = pump->events->on_connected ? 0 : pump_start(pump, NULL, 0, now);
	if (r < 0)
		pump->tcp = NULL;
	return r;
}

int pump_start(struct pump *pump, const void *data, size_t len, uint64_t now)
{
	struct pump_chunk first = { .data = len ? malloc(len) : NULL, .len = len };
	int r = len && !first.data ? -ENOMEM : weft_loop_add(pump->loop, &pump->task);
	if (r < 0) {
		free(first.data);
		return r;
	}
	if (len)
		memcpy(first.data, data, len);
	pump->to_room = first;
	pump->is_started = true;
	/* The first move is the loop's: its owner is not yet ready to see the end of it. */
	pump->retry_at = now;
	pump->task.events = wanted_events(pump);
	return 0;
}

void pump_abort(struct pump *pump, uint64_t now)
{
	release_all(pump, false, now);
	hostsock_reset(pump->task.fd);
}
