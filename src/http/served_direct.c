/* SPDX-License-Identifier: MIT */
/*
 * Bodies that MHD leaves to us: it has read a request's head or sent a response's, keeps the
 * connection suspended, and the socket is ours until the body's end. So nothing copies what goes
 * through: what is read is handed on where it lies, and what is put out goes past MHD's buffers
 * (http/direct.h), encrypted as MHD would have done it. What comes encrypted MHD reads itself: how
 * much of it GnuTLS has taken from the socket with the head, nobody can tell.
 */
#include "base/container.h"
#include "http/served.h"
#include "io/poller.h"
#include "io/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * What is read at once. Much, for each read has its price, and a record that is cut by its end has
 * to be put together. Who is not alone gets less, or one client's turn fills the queues of others,
 * and who is next gets less.
 */
#define READ_LEN_ALONE  HTTP_OUTPUT_MAX
#define READ_LEN_BESIDE (HTTP_OUTPUT_MAX / 2)

/* NULL: nothing encrypts what goes through. */
static gnutls_session_t session_of(const struct served *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info ? info->tls_session : NULL;
}

bool served_has_chunks(const struct served *c)
{
	return c->stream.version == 11;
}

/* ---- output that MHD has left to us ------------------------------------------------------ */

uint8_t *server_scratch(struct http_server *s)
{
	if (!s->scratch)
		s->scratch = malloc(HTTP_OUTPUT_MAX);
	return s->scratch;
}

void served_mark(struct served *c)
{
	list_remove(&c->mark);
	list_push_back(&c->server->marked, &c->mark);
}

/* MHD says the end: it is asked to go on, and asks its reader. */
static void served_end_output(struct served *c, int why)
{
	c->out_end = why;
	served_resume(c);
}

void served_watch_output(struct served *c)
{
	bool is_blocked = direct_is_blocked(&c->direct);
	c->out_task.events = is_blocked ? WEFT_WRITABLE : 0;
	if (is_blocked && !c->out_task.loop_state &&
	    poller_add(c->server->poller, &c->out_task) < 0)
		served_break(c);
}

static void served_pause(struct served *c)
{
	struct http_server *s = c->server;
	if (!due_is_waiting(&c->pause))
		due_wait(&c->pause, &s->paused, s->now + DIRECT_PAUSE_NS);
}

void served_put_out(struct served *c)
{
	struct http_server *s = c->server;
	if (!c->direct.is_open || c->out_end != 0)
		return;
	uint64_t sent = c->direct.sent;
	uint8_t *scratch = server_scratch(s);
	int r = scratch ? stream_put_out(&c->stream, &c->direct, scratch, s->now)
			: -ENOMEM;
	if (c->direct.sent != sent)
		served_touch(c);
	if (r < 0)
		served_end_output(c, r);
	else if (r == STREAM_FULL)
		served_pause(c);
	else if (r == STREAM_AGAIN)
		served_mark(c);
	served_watch_output(c);
}

static void served_on_writable(struct weft_task *task, uint64_t now)
{
	(void)now;
	served_put_out(container_of(task, struct served, out_task));
}

/* What is left to us from here on until the stream's end. */
void served_take_output(struct served *c)
{
	direct_open(&c->direct, served_fd(c), session_of(c));
	c->out_task = (struct weft_task){ .fd = c->direct.conduit.fd,
					  .run = served_on_writable };
	served_mark(c);
}

void served_drop_output(struct served *c)
{
	poller_remove(c->server->poller, &c->out_task);
	list_remove(&c->mark);
	due_cancel(&c->pause);
	direct_close(&c->direct);
	c->out_end = 0;
}

void served_finish(struct served *c)
{
	if (c->response || direct_flush(&c->direct) < 0)
		return;
	if (c->out_end == 0)
		served_end_output(c, -EPIPE);
}

/* ---- input that MHD has left to us ------------------------------------------------------- */

/* A body in chunks, as MHD sees it, of which MHD has read nothing, and nothing encrypts it. */
bool served_can_take_input(const struct served *c)
{
	const char *coding = MHD_lookup_connection_value(
		c->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	const size_t head_len = served_head_len(c);
	uint64_t taken;
	return served_has_chunks(c) && !session_of(c) && coding &&
	       strcasecmp(coding, "chunked") == 0 && head_len > 0 &&
	       socket_taken(served_fd(c), &taken) == 0 && taken == head_len;
}

/* MHD does not see that the body has ended: it is answered here, and the connection ended. */
static void served_answer_plainly(struct served *c)
{
	char text[HTTP_ANSWER_TEXT] = "OK", head[96];
	size_t len = strlen(text);
	if (c->stream.events && c->stream.events->finish)
		len = stream_finish(&c->stream, text, sizeof(text), c->server->now);
	int head_len = snprintf(head, sizeof(head),
				"HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
				"Connection: close\r\n\r\n",
				len);
	const struct socket_piece answer[] = {
		{ (const uint8_t *)head, (size_t)head_len },
		{ (const uint8_t *)text, len },
	};
	int sent = socket_send(served_fd(c), answer, 2);
	bool is_whole = sent == head_len + (int)len && !c->stream.is_aborted;
	stream_closed(&c->stream, is_whole ? HTTP_ENDED : HTTP_ABORTED, NULL,
		      c->server->now);
	served_break(c);
}

/* Alone is whom nobody else has been read after. */
static size_t served_read_len(struct served *c)
{
	struct http_server *s = c->server;
	const bool is_alone = s->last_read == c;
	s->last_read = c;
	return is_alone ? READ_LEN_ALONE : READ_LEN_BESIDE;
}

static void served_on_readable(struct weft_task *task, uint64_t now)
{
	struct served *c = container_of(task, struct served, in_task);
	uint8_t *scratch = server_scratch(c->server);
	(void)now;
	if (c->stream.is_aborted || !c->stream.is_reading)
		return;
	int r = scratch ? socket_recv(task->fd, scratch, served_read_len(c)) : -ENOMEM;
	if (r == -EAGAIN)
		return;
	served_touch(c);
	r = r > 0 ? stream_input_chunks(&c->stream, &c->chunks, scratch, (size_t)r,
					c->server->now)
		  : -ECONNRESET;
	if (r > 0)
		served_answer_plainly(c);
	else if (r < 0)
		served_break(c);
}

/* MHD looks at the connection again only once it is broken. */
void served_take_input(struct served *c)
{
	c->chunks = (struct chunks){ .left = 0 };
	c->in_task = (struct weft_task){ .fd = served_fd(c),
					 .events = WEFT_READABLE,
					 .run = served_on_readable };
	if (poller_add(c->server->poller, &c->in_task) < 0)
		c->in_task.run = NULL;
	else
		served_suspend(c);
}

void served_drop_input(struct served *c)
{
	poller_remove(c->server->poller, &c->in_task);
	c->in_task.run = NULL;
	if (c->server->last_read == c)
		c->server->last_read = NULL;
}
