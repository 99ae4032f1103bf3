/* SPDX-License-Identifier: MIT */
/*
 * A record is as long as can be, for each costs a call and a tag: where a piece ends within one,
 * what is left of it is copied together with the beginning of the next piece. All that lies in
 * whole records is encrypted from where it lies.
 */
#include "http/conduit.h"

#include <errno.h>
#include <string.h>

/* ---- What GnuTLS calls ---- */

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

static ssize_t pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	return result_of(socket_recv(fd_of(ptr), buf, len));
}

void conduit_open(struct conduit *c, int fd, gnutls_session_t session,
		  enum conduit_ways ways)
{
	gnutls_transport_ptr_t in, out;
	*c = (struct conduit){ .fd = fd, .session = session };
	if (!session)
		return;
	gnutls_transport_get_ptr2(session, &in, &out);
	gnutls_transport_set_ptr2(session, ways == CONDUIT_BOTH ? ptr_of(fd) : in,
				  ptr_of(fd));
	gnutls_transport_set_vec_push_function(session, push);
	if (ways == CONDUIT_BOTH)
		gnutls_transport_set_pull_function(session, pull);
}

/* ---- Out ---- */

/* Zero or more is how GnuTLS says that it went well. */
static int error_of(ssize_t r)
{
	if (r >= 0)
		return 0;
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED ? -EAGAIN : -ECONNRESET;
}

int conduit_flush(struct conduit *c)
{
	if (!c->is_pending)
		return 0;
	int r = error_of(gnutls_record_send(c->session, NULL, 0));
	c->is_pending = r == -EAGAIN;
	return r;
}

/* What has yet to become a record. */
struct stage {
	uint8_t bytes[CONDUIT_RECORD];
	size_t len;
};

/* GnuTLS has the record from here on, although the socket may not. */
static int seal(struct conduit *c, const uint8_t *data, size_t len)
{
	int r = error_of(gnutls_record_send(c->session, data, len));
	c->is_pending = r == -EAGAIN;
	return c->is_pending ? 0 : r;
}

/* The next bytes of a piece. Returns how many of them have been taken, or -Exxx. */
static int seal_some(struct conduit *c, struct stage *stage, const uint8_t *data,
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

/* Returns how much of a piece has been taken, all of it unless a record is pending; or -Exxx. */
static int seal_piece(struct conduit *c, struct stage *stage,
		      const struct socket_piece *piece)
{
	size_t off = 0;
	while (off < piece->len && !c->is_pending) {
		int r = seal_some(c, stage, piece->data + off, piece->len - off);
		if (r < 0)
			return r;
		off += (size_t)r;
	}
	return (int)off;
}

static int send_sealed(struct conduit *c, const struct socket_piece *pieces, size_t n)
{
	struct stage stage;
	int taken = 0;
	stage.len = 0;
	for (size_t i = 0; i < n && !c->is_pending; i++) {
		int r = seal_piece(c, &stage, &pieces[i]);
		if (r < 0)
			return r;
		taken += r;
	}
	int r = stage.len > 0 ? seal(c, stage.bytes, stage.len) : 0;
	return r < 0 ? r : taken;
}

int conduit_send(struct conduit *c, const struct socket_piece *pieces, size_t n)
{
	if (!c->session)
		return socket_send(c->fd, pieces, n);
	int r = conduit_flush(c);
	if (r < 0)
		return r;
	/* One record at a time would make one segment of each. */
	socket_hold(c->fd);
	r = send_sealed(c, pieces, n);
	socket_push(c->fd);
	return r;
}

/* ---- In ---- */

/* What comes may be no bytes at all, but a key or a ticket; then there may be more. */
static int open_record(const struct conduit *c, uint8_t *buf, size_t len)
{
	ssize_t r;
	do {
		r = gnutls_record_recv(c->session, buf, len);
	} while (r == GNUTLS_E_INTERRUPTED);
	/* Who cuts the connection rather than end it may as well have been cut off. */
	return r >= 0 ? (int)r : error_of(r);
}

int conduit_recv(const struct conduit *c, uint8_t *buf, size_t len)
{
	size_t off = 0;
	int r = 0;
	if (!c->session)
		return socket_recv(c->fd, buf, len);
	do {
		r = open_record(c, buf + off, len - off);
		off += r > 0 ? (size_t)r : 0;
	} while (r > 0 && len - off >= CONDUIT_RECORD);
	/* An end, or an error, comes again with the next call. */
	return off > 0 ? (int)off : r;
}
