/* SPDX-License-Identifier: MIT */
/*
 * A record is as long as can be, for each costs a call and a tag: where a piece ends within one,
 * what is left of it is copied together with the beginning of the next piece. All that lies in
 * whole records is encrypted from where it lies.
 *
 * All records of a call go to the socket with one call: sent one by one they would be segments of
 * 16 KiB in place of 64, which cost the kernel about as much each (TCP_CORK and MSG_MORE hold back
 * what is less than a packet, no more).
 */
#include "http/conduit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is read at once, and stays in the processor's cache until it is decrypted. */
#define AHEAD_LEN 131072u

/* ---- what GnuTLS calls ------------------------------------------------------------------- */

/* errno is where GnuTLS looks for the reason. */
static ssize_t result_of(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

/* A descriptor, carried as a pointer by GnuTLS's own convention (gnutls_transport_set_int). */
static gnutls_transport_ptr_t ptr_of(int fd)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the convention. */
	return (gnutls_transport_ptr_t)(intptr_t)fd;
}

static int fd_of(gnutls_transport_ptr_t ptr)
{
	return (int)(intptr_t)ptr;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int n)
{
	struct socket_piece pieces[SOCKET_PIECES_MAX];
	size_t pieces_n = (size_t)n < SOCKET_PIECES_MAX ? (size_t)n : SOCKET_PIECES_MAX;
	for (size_t i = 0; i < pieces_n; i++)
		pieces[i] = (struct socket_piece){ iov[i].iov_base, iov[i].iov_len };
	return result_of(socket_send(fd_of(ptr), pieces, pieces_n));
}

/* While something is pending: nothing may go before it. */
static ssize_t refuse(gnutls_transport_ptr_t ptr, const giovec_t *iov, int n)
{
	(void)ptr;
	(void)iov;
	(void)n;
	return result_of(-EAGAIN);
}

static int make_room(struct conduit *c, size_t len)
{
	if (len <= c->room - c->len)
		return 0;
	size_t room = c->room + len > 2 * c->room ? c->room + len : 2 * c->room;
	uint8_t *longer = realloc(c->sealed, room);
	if (!longer)
		return -ENOMEM;
	c->sealed = longer;
	c->room = room;
	return 0;
}

/* While pieces are sealed: what goes to the socket goes there at once. */
static ssize_t collect(gnutls_transport_ptr_t ptr, const giovec_t *iov, int n)
{
	struct conduit *c = ptr;
	const size_t before = c->len;
	for (int i = 0; i < n; i++) {
		if (make_room(c, iov[i].iov_len) < 0)
			return result_of(-ENOMEM);
		memcpy(c->sealed + c->len, iov[i].iov_base, iov[i].iov_len);
		c->len += iov[i].iov_len;
	}
	return (ssize_t)(c->len - before);
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	return result_of(socket_recv(fd_of(ptr), buf, len));
}

/* While records are opened: a record has a head, and would be two calls to read. */
static ssize_t take_ahead(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	struct conduit *c = ptr;
	if (c->ahead_off == c->ahead_len) {
		int r = socket_recv(c->fd, c->ahead, AHEAD_LEN);
		if (r <= 0)
			return result_of(r);
		c->ahead_off = 0;
		c->ahead_len = (size_t)r;
	}
	size_t there = c->ahead_len - c->ahead_off;
	size_t n = len < there ? len : there;
	memcpy(buf, c->ahead + c->ahead_off, n);
	c->ahead_off += n;
	return (ssize_t)n;
}

/* ---- whose functions a session has ------------------------------------------------------- */

static void set_out(const struct conduit *c, gnutls_vec_push_func fn,
		    gnutls_transport_ptr_t ptr)
{
	gnutls_transport_ptr_t in, out;
	gnutls_transport_get_ptr2(c->session, &in, &out);
	gnutls_transport_set_ptr2(c->session, in, ptr);
	gnutls_transport_set_vec_push_function(c->session, fn);
}

static void set_in(const struct conduit *c, gnutls_pull_func fn,
		   gnutls_transport_ptr_t ptr)
{
	gnutls_transport_ptr_t in, out;
	gnutls_transport_get_ptr2(c->session, &in, &out);
	gnutls_transport_set_ptr2(c->session, ptr, out);
	gnutls_transport_set_pull_function(c->session, fn);
}

void conduit_open(struct conduit *c, int fd, gnutls_session_t session,
		  enum conduit_ways ways)
{
	*c = (struct conduit){ .fd = fd, .session = session };
	if (!session)
		return;
	set_out(c, push, ptr_of(fd));
	if (ways == CONDUIT_BOTH)
		set_in(c, pull, ptr_of(fd));
}

void conduit_close(struct conduit *c)
{
	free(c->sealed);
	free(c->ahead);
	*c = (struct conduit){ .fd = -1 };
}

/* ---- out --------------------------------------------------------------------------------- */

static int send_out(const struct conduit *c, const struct socket_piece *pieces, size_t n)
{
	return c->is_apart ? socket_send_apart(c->fd, pieces, n)
			   : socket_send(c->fd, pieces, n);
}

bool conduit_is_pending(const struct conduit *c)
{
	return c->off < c->len;
}

int conduit_flush(struct conduit *c)
{
	if (!conduit_is_pending(c))
		return 0;
	const struct socket_piece rest = { c->sealed + c->off, c->len - c->off };
	int sent = send_out(c, &rest, 1);
	c->off += sent > 0 ? (size_t)sent : 0;
	const bool is_pending = conduit_is_pending(c);
	set_out(c, is_pending ? refuse : push, ptr_of(c->fd));
	if (!is_pending)
		c->off = c->len = 0;
	else if (sent >= 0)
		return -EAGAIN;
	return sent < 0 ? sent : 0;
}

/* What has yet to become a record. */
struct stage {
	uint8_t bytes[CONDUIT_RECORD];
	size_t len;
};

/* In one record, or in several where the peer takes shorter ones only (RFC 8449). */
static int seal(const struct conduit *c, const uint8_t *data, size_t len)
{
	for (size_t off = 0; off < len;) {
		ssize_t r = gnutls_record_send(c->session, data + off, len - off);
		if (r <= 0)
			return -ECONNRESET;
		off += (size_t)r;
	}
	return 0;
}

/* The next bytes of a piece. Returns how many of them have been taken, or -Exxx. */
static int seal_some(const struct conduit *c, struct stage *stage, const uint8_t *data,
		     size_t len)
{
	if (stage->len == 0 && len >= CONDUIT_RECORD) {
		int r = seal(c, data, CONDUIT_RECORD);
		return r < 0 ? r : (int)CONDUIT_RECORD;
	}
	size_t room = CONDUIT_RECORD - stage->len;
	size_t n = len < room ? len : room;
	memcpy(stage->bytes + stage->len, data, n);
	stage->len += n;
	if (stage->len < CONDUIT_RECORD)
		return (int)n;
	stage->len = 0;
	int r = seal(c, stage->bytes, CONDUIT_RECORD);
	return r < 0 ? r : (int)n;
}

/* Returns how many bytes that were, or -Exxx. */
static int seal_all(const struct conduit *c, const struct socket_piece *pieces, size_t n)
{
	struct stage stage;
	size_t sum = 0;
	stage.len = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t off = 0; off < pieces[i].len;) {
			int r = seal_some(c, &stage, pieces[i].data + off,
					  pieces[i].len - off);
			if (r < 0)
				return r;
			off += (size_t)r;
		}
		sum += pieces[i].len;
	}
	int r = stage.len > 0 ? seal(c, stage.bytes, stage.len) : 0;
	return r < 0 ? r : (int)sum;
}

int conduit_send(struct conduit *c, const struct socket_piece *pieces, size_t n)
{
	if (!c->session)
		return send_out(c, pieces, n);
	int r = conduit_flush(c);
	if (r < 0)
		return r;
	/* What is sealed cannot be taken back: it has to go, in this order. */
	if (!socket_has_room(c->fd))
		return -EAGAIN;
	set_out(c, collect, c);
	int taken = seal_all(c, pieces, n);
	set_out(c, push, ptr_of(c->fd));
	r = taken < 0 ? taken : conduit_flush(c);
	return r < 0 && r != -EAGAIN ? r : taken;
}

/* ---- in ---------------------------------------------------------------------------------- */

/* What comes may be no bytes at all, but a key or a ticket; then there may be more. */
static int open_record(const struct conduit *c, uint8_t *buf, size_t len)
{
	ssize_t r;
	do {
		r = gnutls_record_recv(c->session, buf, len);
	} while (r == GNUTLS_E_INTERRUPTED);
	/* Who cuts the connection rather than end it may as well have been cut off. */
	return r >= 0 ? (int)r : r == GNUTLS_E_AGAIN ? -EAGAIN : -ECONNRESET;
}

/* As many as there is room for, and no part of one. Returns as conduit_recv. */
static int open_records(const struct conduit *c, uint8_t *buf, size_t len)
{
	size_t off = 0;
	int r;
	do {
		r = open_record(c, buf + off, len - off);
		off += r > 0 ? (size_t)r : 0;
	} while (r > 0 && len - off >= CONDUIT_RECORD);
	/* An end, or an error, comes again with the next call. */
	return off > 0 ? (int)off : r;
}

bool conduit_has_ahead(const struct conduit *c)
{
	return c->ahead_off < c->ahead_len;
}

int conduit_recv(struct conduit *c, uint8_t *buf, size_t len)
{
	if (!c->session)
		return socket_recv(c->fd, buf, len);
	if (!c->ahead)
		c->ahead = malloc(AHEAD_LEN);
	if (!c->ahead)
		return -ENOMEM;
	set_in(c, take_ahead, c);
	int r = open_records(c, buf, len);
	set_in(c, pull, ptr_of(c->fd));
	return r;
}
