/* SPDX-License-Identifier: MIT */
/*
 * A chunk is as long as what there is to send: its head says so before the socket says how much
 * of it it takes.
 */
#include "http/direct.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A socket that takes what it is given gets so much at once; another gets one record. */
#define ROOM_WIDE  262144u
#define ROOM_TIGHT 66560u

/*
 * Of what stands in segments nothing can be taken back or passed by, and the kernel keeps two or
 * three of them in its device's queue: a slow stream's shall be no longer than its chunks. Small
 * chunks may share theirs, or each would be a packet; those above cost as little as can be.
 */
#define APART_MIN 8000u
#define APART_MAX 61440u

/* Sixteen digits and an end of line. */
#define CHUNK_HEAD_MAX 18u

void direct_open(struct direct *d, int fd, gnutls_session_t session)
{
	*d = (struct direct){ .is_open = true };
	conduit_open(&d->conduit, fd, session, CONDUIT_OUT);
	socket_push(fd);
}

void direct_close(struct direct *d)
{
	free(d->rest);
	conduit_close(&d->conduit);
	*d = (struct direct){ .conduit.fd = -1 };
}

bool direct_is_blocked(const struct direct *d)
{
	return d->rest || conduit_is_pending(&d->conduit);
}

static void look(struct direct *d, uint64_t now)
{
	struct socket_path path;
	if (socket_path(d->conduit.fd, &path) < 0)
		return;
	const struct window_path facts = {
		.acked = path.acked,
		.under_way = socket_under_way(d->conduit.fd),
		.rtt_ns = path.rtt_ns,
		.is_losing = path.is_losing,
	};
	window_look(&d->window, &facts, now);
}

bool direct_is_full(struct direct *d, uint64_t now)
{
	if (window_is_due(&d->window, now))
		look(d, now);
	const size_t len = window_len(&d->window);
	if (len == WINDOW_NONE || socket_under_way(d->conduit.fd) < len)
		return false;
	window_is_short(&d->window);
	return true;
}

size_t direct_room(const struct direct *d)
{
	return d->is_tight ? ROOM_TIGHT : ROOM_WIDE;
}

/* A chunk in its pieces: head, what is borrowed, end of line. */
struct chunk {
	struct socket_piece pieces[SOCKET_PIECES_MAX];
	size_t n;
	size_t len;
	char head[CHUNK_HEAD_MAX];
};

/* By hand: printf took an eighth of a sender's time in user space. Returns its length. */
static size_t chunk_head(char head[CHUNK_HEAD_MAX], size_t len)
{
	size_t digits = 1, n = 0;
	while (digits < 2 * sizeof(len) && len >> 4 * digits)
		digits++;
	while (digits-- > 0)
		head[n++] = "0123456789abcdef"[len >> 4 * digits & 15u];
	head[n++] = '\r';
	head[n++] = '\n';
	return n;
}

static void chunk_make(struct chunk *c, const struct socket_piece *pieces, size_t n)
{
	static const uint8_t tail[] = { '\r', '\n' };
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		len += pieces[i].len;
	assert(n <= DIRECT_PIECES_MAX && len > 0);
	const size_t head_len = chunk_head(c->head, len);
	c->pieces[0] = (struct socket_piece){ (const uint8_t *)c->head, head_len };
	memcpy(&c->pieces[1], pieces, n * sizeof(*pieces));
	c->pieces[n + 1] = (struct socket_piece){ tail, sizeof(tail) };
	c->n = n + 2;
	c->len = head_len + len + sizeof(tail);
}

/* Keeps what stands behind the first `sent` bytes. */
static int keep(struct direct *d, const struct chunk *c, size_t sent)
{
	if (sent == c->len)
		return 0;
	d->rest = malloc(c->len - sent);
	if (!d->rest)
		return -ENOMEM;
	d->rest_off = 0;
	d->rest_len = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct socket_piece *piece = &c->pieces[i];
		size_t skip = sent < piece->len ? sent : piece->len;
		memcpy(d->rest + d->rest_len, piece->data + skip, piece->len - skip);
		d->rest_len += piece->len - skip;
		sent -= skip;
	}
	return 0;
}

static int send_chunk(struct direct *d, const struct chunk *c)
{
	assert(!direct_is_blocked(d));
	d->conduit.is_apart = c->len >= APART_MIN && c->len <= APART_MAX;
	int sent = conduit_send(&d->conduit, c->pieces, c->n);
	d->is_tight = sent < (int)c->len || conduit_is_pending(&d->conduit);
	d->sent += sent > 0 ? (uint64_t)sent : 0;
	return sent;
}

int direct_try(struct direct *d, const struct socket_piece *pieces, size_t n)
{
	struct chunk chunk;
	chunk_make(&chunk, pieces, n);
	int sent = send_chunk(d, &chunk);
	return sent < 0 ? sent : keep(d, &chunk, (size_t)sent);
}

int direct_send(struct direct *d, const struct socket_piece *pieces, size_t n)
{
	struct chunk chunk;
	chunk_make(&chunk, pieces, n);
	int sent = send_chunk(d, &chunk);
	if (sent < 0 && sent != -EAGAIN)
		return sent;
	return keep(d, &chunk, sent < 0 ? 0 : (size_t)sent);
}

int direct_flush(struct direct *d)
{
	if (!d->rest)
		return conduit_flush(&d->conduit);
	const struct socket_piece rest = { d->rest + d->rest_off,
					   d->rest_len - d->rest_off };
	int sent = conduit_send(&d->conduit, &rest, 1);
	if (sent < 0)
		return sent;
	d->rest_off += (size_t)sent;
	d->sent += (uint64_t)sent;
	if (d->rest_off < d->rest_len)
		return -EAGAIN;
	free(d->rest);
	d->rest = NULL;
	return conduit_is_pending(&d->conduit) ? -EAGAIN : 0;
}
