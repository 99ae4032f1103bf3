/* SPDX-License-Identifier: MIT */
/*
 * A request by way of MHD, whose callbacks all come from within MHD_run; the bodies that it
 * leaves to us are in http/served_direct.c.
 */
#include "http/served.h"

#include "base/container.h"
#include "io/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Only HTTP/1.0 clients get blocks; all others get chunks, straight from CONN_MEMORY. */
#define BLOCK_LEN 16384u

static struct served *served_of(struct http_stream *stream)
{
	return container_of(stream, struct served, stream);
}

/* ---- suspended and resumed --------------------------------------------------------------- */

void served_suspend(struct served *c)
{
	MHD_suspend_connection(c->mhd);
	c->is_suspended = true;
}

void served_resume(struct served *c)
{
	if (!c->is_suspended)
		return;
	MHD_resume_connection(c->mhd);
	c->is_suspended = false;
	c->server->is_due = true;
}

/* ---- what happens to it ------------------------------------------------------------------ */

/* Something moved: the connection is the youngest of its list. */
void served_touch(struct served *c)
{
	struct http_server *s = c->server;
	list_remove(&c->node);
	bool is_stream = c->stream.events && !c->waiting.method;
	list_push_back(is_stream ? &s->streams : &s->heads, &c->node);
	c->since = s->now;
}

int served_fd(const struct served *c)
{
	return MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

void served_break(struct served *c)
{
	c->stream.is_aborted = true;
	socket_break(served_fd(c));
	served_resume(c);
}

/* A PUT that is not read from may have bytes before its end. */
bool served_is_lost(const struct served *c)
{
	return !(c->response && c->is_suspended) && socket_has_ended(served_fd(c));
}

/* ---- what the user of a stream wants ----------------------------------------------------- */

static void served_on_wake(struct http_stream *stream)
{
	struct served *c = served_of(stream);
	c->is_woken = true;
	if (c->direct.is_open)
		served_mark(c);
	else if (!c->response)
		served_resume(c);
}

static bool served_on_send(struct http_stream *stream, const struct socket_piece *pieces,
			   size_t n)
{
	struct served *c = served_of(stream);
	if (!c->direct.is_open || c->out_end != 0 || direct_is_blocked(&c->direct) ||
	    direct_is_full(&c->direct, c->server->now))
		return false;
	int r = direct_try(&c->direct, pieces, n);
	if (r == -EAGAIN)
		return false;
	if (r < 0)
		served_break(c);
	served_touch(c);
	served_watch_output(c);
	return true;
}

static void served_on_read(struct http_stream *stream)
{
	struct served *c = served_of(stream);
	if (c->in_task.run) {
		c->in_task.events = stream->is_reading ? WEFT_READABLE : 0;
		return;
	}
	if (c->response && stream->is_reading)
		served_resume(c);
}

static void served_on_abort(struct http_stream *stream)
{
	served_break(served_of(stream));
}

static void served_on_ask(struct http_stream *stream)
{
	struct served *c = served_of(stream);
	if (c->waiting.method)
		served_resume(c);
}

/* A header that is looked for among all that MHD tells of. */
struct search {
	const char *name, *value; /* value NULL: none so far */
};

static enum MHD_Result served_on_header(void *user, enum MHD_ValueKind kind,
					const char *name, const char *value)
{
	struct search *search = user;
	(void)kind;
	if (strcasecmp(name, search->name) == 0)
		search->value = value;
	return MHD_YES;
}

static const char *served_header(const struct http_stream *stream, const char *name)
{
	const struct served *c = container_of_const(stream, struct served, stream);
	struct search search = { .name = name };
	(void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, served_on_header,
					&search);
	return search.value;
}

static const struct stream_ops served_ops = {
	.wake = served_on_wake,
	.send = served_on_send,
	.read = served_on_read,
	.abort = served_on_abort,
	.ask = served_on_ask,
	.header = served_header,
};

/* ---- what a request is answered with ----------------------------------------------------- */

/* Frees the response where it cannot have them. */
static struct MHD_Response *with_headers(struct MHD_Response *response,
					 const struct http_answer *answer)
{
	for (unsigned i = 0; response && i < HTTP_ANSWER_HEADERS; i++) {
		const struct http_header *h = &answer->headers[i];
		if (h->name &&
		    MHD_add_response_header(response, h->name, h->value) == MHD_NO) {
			MHD_destroy_response(response);
			return NULL;
		}
	}
	return response;
}

static enum MHD_Result served_refuse(struct served *c, const struct http_answer *answer)
{
	const char *text = answer->text ? answer->text : "";
	/* Persistent means that nothing writes there: MHD's pointer is not const. */
	union {
		const char *text;
		void *buffer;
	} body = { .text = text };
	struct MHD_Response *response =
		with_headers(MHD_create_response_from_buffer(strlen(text), body.buffer,
							     MHD_RESPMEM_PERSISTENT),
			     answer);
	if (!response)
		return MHD_NO;
	enum MHD_Result r = MHD_queue_response(c->mhd, answer->status, response);
	MHD_destroy_response(response);
	return r;
}

static ssize_t reader_end(int why)
{
	return why == -EPIPE ? MHD_CONTENT_READER_END_OF_STREAM
			     : MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t served_on_room(void *user, uint64_t pos, char *buf, size_t len)
{
	struct served *c = user;
	(void)pos;
	if (c->stream.is_aborted)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (c->out_end != 0)
		return reader_end(c->out_end);
	if (served_has_chunks(c)) {
		if (!c->direct.is_open)
			served_take_output(c);
		served_suspend(c);
		return 0;
	}
	c->is_woken = false;
	int r = stream_output(&c->stream, (uint8_t *)buf, len, c->server->now);
	if (c->stream.is_aborted)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (r < 0)
		return reader_end(r);
	if (r > 0) {
		served_touch(c);
		return r;
	}
	served_suspend(c);
	if (c->is_woken)
		served_resume(c);
	return 0;
}

static struct MHD_Response *response_new(struct served *c, bool is_put,
					 const struct http_answer *answer)
{
	static char ok[] = "OK";
	struct MHD_Response *response =
		is_put ? MHD_create_response_from_buffer(strlen(ok), ok,
							 MHD_RESPMEM_PERSISTENT)
		       : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_LEN,
							   served_on_room, c, NULL);
	return with_headers(response, answer);
}

/* ---- a request: its head ----------------------------------------------------------------- */

/* The request is a stream from here on. */
static enum MHD_Result served_accept(struct served *c, bool is_put,
				     const struct http_answer *answer)
{
	assert(answer->events);
	c->stream.events = answer->events;
	c->stream.user = answer->user;
	served_touch(c);
	if (c->stream.is_aborted)
		return MHD_NO;
	struct MHD_Response *response = response_new(c, is_put, answer);
	if (!response)
		return MHD_NO;
	if (is_put) {
		c->response = response;
		if (served_can_take_input(c) && !answer->headers[0].name)
			served_take_input(c);
		return MHD_YES;
	}
	enum MHD_Result r = MHD_queue_response(c->mhd, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

/* Once resumed, MHD calls as if the head had come just now. */
static enum MHD_Result served_wait(struct served *c, const struct http_request *request,
				   const struct http_answer *answer)
{
	assert(answer->events);
	c->waiting = *request;
	c->stream.events = answer->events;
	c->stream.user = answer->user;
	served_suspend(c);
	return MHD_YES;
}

static enum MHD_Result served_ask(struct served *c, const struct http_request *request)
{
	const struct http_server *s = c->server;
	struct http_answer answer = { .status = 0 };
	if (c->stream.is_aborted)
		return MHD_NO;
	s->opts.request(s->opts.user, &c->stream, request, &answer, s->now);
	if (answer.is_later)
		return served_wait(c, request, &answer);
	if (answer.status)
		return served_refuse(c, &answer);
	return served_accept(c, strcmp(request->method, MHD_HTTP_METHOD_PUT) == 0,
			     &answer);
}

/* The request that has waited so far, of which nobody is told any more. */
static struct http_request served_end_wait(struct served *c)
{
	const struct http_request request = c->waiting;
	c->waiting = (struct http_request){ .method = NULL };
	c->stream.events = NULL;
	c->stream.user = NULL;
	return request;
}

/* What MHD points to it uses again in its next answer. */
size_t served_head_len(const struct served *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info ? info->header_size : 0;
}

static enum MHD_Result served_begin(struct served *c, const struct http_request *request)
{
	c->stream.is_reading = true;
	served_touch(c);
	if (c->server->is_ending)
		return served_refuse(
			c, &(struct http_answer){ .status = MHD_HTTP_SERVICE_UNAVAILABLE,
						  .text = "The server ends" });
	if (served_head_len(c) > HTTP_HEAD_MAX)
		return served_refuse(
			c, &(struct http_answer){
				   .status = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
				   .text = "The head is too long" });
	return served_ask(c, request);
}

/* ---- a request: its body, and its end ---------------------------------------------------- */

/* What MHD has read stays MHD's: who takes it in may write over it, and gets a copy. */
static enum MHD_Result served_input(struct served *c, const char *data, size_t *data_len)
{
	uint8_t *scratch = server_scratch(c->server);
	assert(*data_len <= HTTP_OUTPUT_MAX);
	if (!scratch)
		return MHD_NO;
	if (c->stream.is_aborted)
		return MHD_NO;
	if (!c->stream.is_reading) {
		served_suspend(c);
		return MHD_YES;
	}
	served_touch(c);
	memcpy(scratch, data, *data_len);
	stream_input(&c->stream, scratch, *data_len, c->server->now);
	*data_len = 0;
	return c->stream.is_aborted ? MHD_NO : MHD_YES;
}

/* At the end of a PUT, with what its user makes of it. */
static enum MHD_Result served_answer(struct served *c)
{
	char text[HTTP_ANSWER_TEXT];
	size_t len = stream_finish(&c->stream, text, sizeof(text), c->server->now);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	enum MHD_Result r = MHD_queue_response(c->mhd, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

struct served *served_of_mhd(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* Called once for the head, then for each piece of the body, and once more at its end. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's. */
enum MHD_Result served_on_request(void *user, struct MHD_Connection *mhd,
				  const char *path, const char *method,
				  const char *version, const char *data, size_t *data_len,
				  void **context)
{
	struct served *c = served_of_mhd(mhd);
	(void)user;
	if (!c)
		return MHD_NO;
	if (!*context) {
		*context = c;
		c->stream.version = strcmp(version, MHD_HTTP_VERSION_1_0) == 0 ? 10 : 11;
		return served_begin(
			c, &(struct http_request){ .method = method, .path = path });
	}
	if (c->waiting.method && c->stream.is_aborted)
		return MHD_NO;
	if (c->waiting.method) {
		const struct http_request request = served_end_wait(c);
		return served_ask(c, &request);
	}
	if (*data_len > 0)
		return served_input(c, data, data_len);
	if (c->stream.events && c->stream.events->finish)
		return served_answer(c);
	return MHD_queue_response(mhd, MHD_HTTP_OK, c->response);
}

void served_on_completed(void *user, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode why)
{
	struct served *c = *context;
	(void)user;
	(void)mhd;
	if (!c)
		return;
	bool is_whole =
		why == MHD_REQUEST_TERMINATED_COMPLETED_OK && !c->stream.is_aborted;
	stream_closed(&c->stream, is_whole ? HTTP_ENDED : HTTP_ABORTED, NULL,
		      c->server->now);
	served_drop_output(c);
	served_drop_input(c);
	if (c->response)
		MHD_destroy_response(c->response);
	c->response = NULL;
	c->waiting = (struct http_request){ .method = NULL };
	c->stream.is_aborted = false;
	served_touch(c);
}

/* ---- made and freed ---------------------------------------------------------------------- */

static union weft_sockaddr peer_of(struct MHD_Connection *mhd)
{
	const struct sockaddr *sa =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	union weft_sockaddr peer = { .in6 = { .sin6_family = AF_UNSPEC } };
	if (sa && sa->sa_family == AF_INET)
		memcpy(&peer.in, sa, sizeof(peer.in));
	else if (sa && sa->sa_family == AF_INET6)
		memcpy(&peer.in6, sa, sizeof(peer.in6));
	return peer;
}

struct served *served_new(struct http_server *s, struct MHD_Connection *mhd)
{
	struct served *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->stream.ops = &served_ops;
	c->stream.peer = peer_of(mhd);
	c->server = s;
	c->mhd = mhd;
	c->out_task.fd = -1;
	list_init(&c->node);
	list_init(&c->mark);
	due_init(&c->pause);
	served_touch(c);
	return c;
}

void served_free(struct served *c)
{
	if (!c)
		return;
	served_drop_output(c);
	served_drop_input(c);
	list_remove(&c->node);
	credentials_drop(c->credentials);
	free(c);
}
