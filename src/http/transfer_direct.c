/* SPDX-License-Identifier: MIT */
/*
 * Bodies that curl leaves to us: it has made the connection, sent the request's head or read the
 * response's, and is paused for as long as the stream lasts.
 *
 * - What a PUT puts out goes past curl in chunks (http/direct.h), while curl waits for the
 *   response.
 * - What a GET brings is read past curl, as much as fits at once, and handed on where it lies. curl
 *   hands out 16 KiB at a time, and reads no more than one record of TLS. It never has the body
 *   back, only the connection, to find the end of it.
 *
 * What curl has read before is handed on by curl, chunks and all, so it is known where in its
 * chunks the body stands (http/chunks.h).
 */
#include "base/container.h"
#include "base/time.h"
#include "http/transfer.h"
#include "io/socket.h"

#include <errno.h>
#include <stdlib.h>

/*
 * So long a body waits behind its head: a server that finds the head alone can read the body in the
 * way that it likes best.
 */
#define HOLD_NS (10 * NS_PER_MS)

static uint8_t *client_scratch(struct http_client *c)
{
	if (!c->scratch)
		c->scratch = malloc(HTTP_OUTPUT_MAX);
	return c->scratch;
}

/* ---- output that curl has left to us ----------------------------------------------------- */

bool transfer_is_direct(const struct transfer *t)
{
	return t->watch && t->is_out_paused && !t->is_out_over && !t->is_lost &&
	       t->client->now >= t->hold.at;
}

/* Where a rest is kept, the socket is to tell of room for it. */
static void transfer_watch_room(struct transfer *t)
{
	if (t->watch)
		watch_for_room(t->watch, direct_is_blocked(&t->direct));
}

bool transfer_send_direct(struct transfer *t, const struct socket_piece *pieces, size_t n)
{
	if (!transfer_is_direct(t) || direct_is_blocked(&t->direct) ||
	    direct_is_full(&t->direct, t->client->now))
		return false;
	int r = direct_try(&t->direct, pieces, n);
	if (r == -EAGAIN)
		return false;
	if (r < 0) {
		t->is_lost = true;
		transfer_mark(t);
	}
	transfer_watch_room(t);
	return true;
}

static void transfer_pause(struct transfer *t)
{
	struct http_client *c = t->client;
	if (!due_is_waiting(&t->pause))
		due_wait(&t->pause, &c->paused, c->now + DIRECT_PAUSE_NS);
}

void transfer_put_out(struct transfer *t)
{
	struct http_client *c = t->client;
	uint8_t *scratch = client_scratch(c);
	int r = scratch ? stream_put_out(&t->stream, &t->direct, scratch, c->now)
			: -ENOMEM;
	transfer_watch_room(t);
	if (r == STREAM_FULL)
		transfer_pause(t);
	else if (r == STREAM_AGAIN)
		transfer_mark(t);
	if (r == -EPIPE)
		t->is_out_over = true;
	else if (r < 0)
		t->is_lost = true;
	if (r < 0)
		transfer_mark(t);
}

static void transfer_on_ready(void *user)
{
	struct transfer *t = user;
	if (transfer_is_direct(t) && direct_is_blocked(&t->direct))
		transfer_put_out(t);
}

static void transfer_on_gone(void *user)
{
	((struct transfer *)user)->watch = NULL;
}

void transfer_take_output(struct transfer *t)
{
	struct http_client *c = t->client;
	gnutls_session_t session;
	t->is_asked = true;
	t->watch = setup_way_past(c->setup, t->easy, &session)
			   ? multi_socket(c->multi, t->easy)
			   : NULL;
	if (!t->watch)
		return;
	watch_share(t->watch,
		    &(const struct sharer){ transfer_on_ready, transfer_on_gone, t });
	direct_open(&t->direct, t->watch->task.fd, session);
	due_wait(&t->hold, &c->held, c->now + HOLD_NS);
}

/* ---- input that curl has left to us ------------------------------------------------------ */

int transfer_take_apart(struct transfer *t, uint8_t *data, size_t len)
{
	if (!t->is_chunked) {
		stream_input(&t->stream, data, len, t->client->now);
		return 0;
	}
	return stream_input_chunks(&t->stream, &t->chunks, data, len, t->client->now);
}

/* curl finds out itself how the connection has ended, and tells. */
static void transfer_give_back(struct transfer *t)
{
	multi_remove_task(t->client->multi, &t->in_task);
	t->in_task.run = NULL;
	(void)curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

void transfer_read(struct transfer *t)
{
	uint8_t *scratch = client_scratch(t->client);
	if (t->stream.is_aborted || !t->stream.is_reading || t->is_whole)
		return;
	int r = scratch ? conduit_recv(&t->in, scratch, HTTP_OUTPUT_MAX) : -ENOMEM;
	if (r == -EAGAIN)
		return;
	/*
	 * curl 8.14 would be woken for ever: what an error is, it asks of its own function that
	 * reads the socket (gtls_recv), which saw "nothing yet" before conduit_open replaced it.
	 */
	if (r == -ECONNRESET && t->in.session) {
		t->is_cut = true;
		transfer_mark(t);
		return;
	}
	if (r <= 0) {
		transfer_give_back(t);
		return;
	}
	r = transfer_take_apart(t, scratch, (size_t)r);
	if (r > 0) {
		t->is_whole = true;
		transfer_mark(t);
	} else if (r < 0) {
		http_stream_abort(&t->stream);
	} else if (conduit_has_ahead(&t->in)) {
		transfer_mark(t);
	}
}

static void transfer_on_readable(struct weft_task *task, uint64_t now)
{
	(void)now;
	transfer_read(container_of(task, struct transfer, in_task));
}

bool transfer_can_take_input(const struct transfer *t)
{
	return t->is_chunked && !t->is_in_asked && !t->is_in_paused &&
	       t->stream.is_reading && transfer_is_accepted(t);
}

/* A socket is in a poller once only: curl has to be out of it before. */
static void transfer_take_socket(struct transfer *t, int fd, gnutls_session_t session)
{
	/* With one way open, curl would try the other at once. */
	(void)curl_easy_pause(t->easy, CURLPAUSE_ALL);
	t->in_task = (struct weft_task){ .fd = fd,
					 .events = WEFT_READABLE,
					 .run = transfer_on_readable };
	if (multi_add_task(t->client->multi, &t->in_task) < 0) {
		transfer_give_back(t);
		return;
	}
	conduit_open(&t->in, fd, session, CONDUIT_BOTH);
	/* What GnuTLS has read already, the socket does not tell of. */
	transfer_mark(t);
}

void transfer_take_input(struct transfer *t)
{
	struct http_client *c = t->client;
	gnutls_session_t session;
	/* What curl is about to do might be to read: that first. */
	if (multi_deadline(c->multi, c->now) <= c->now) {
		transfer_mark(t);
		return;
	}
	t->is_in_asked = true;
	const struct watch *watch = setup_way_past(c->setup, t->easy, &session)
					    ? multi_socket(c->multi, t->easy)
					    : NULL;
	if (watch)
		transfer_take_socket(t, watch->task.fd, session);
}

/* ---- the socket itself ------------------------------------------------------------------- */

/* Whoever has it now; none has one that is still connecting by several. */
void transfer_change_congestion(const struct transfer *t)
{
	const struct http_client *c = t->client;
	const struct watch *watch = t->watch ? t->watch : multi_socket(c->multi, t->easy);
	const char *congestion = setup_congestion(c->setup);
	if (t->in_task.run)
		socket_change_congestion(t->in_task.fd, congestion);
	else if (watch)
		socket_change_congestion(watch->task.fd, congestion);
}

/* ---- the end of both --------------------------------------------------------------------- */

void transfer_drop_direct(struct transfer *t)
{
	multi_remove_task(t->client->multi, &t->in_task);
	t->in_task.run = NULL;
	if (t->watch)
		watch_leave(t->watch);
	direct_close(&t->direct);
	conduit_close(&t->in);
}
