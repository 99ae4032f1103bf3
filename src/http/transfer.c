/* SPDX-License-Identifier: MIT */
/*
 * A request by way of curl; bodies that it leaves to us are in http/transfer_direct.c.
 */
#include "http/transfer.h"

#include "base/container.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* After a preferred family was in vain, the other one is good for so long (RFC 6555, 4.2). */
#define PREFERENCE_NS (600 * NS_PER_S)

static struct transfer *transfer_of(struct http_stream *stream)
{
	return container_of(stream, struct transfer, stream);
}

/* ---- what the user of a stream wants ----------------------------------------------------- */

void transfer_mark(struct transfer *t)
{
	list_remove(&t->mark);
	list_push_back(&t->client->marked, &t->mark);
}

static void transfer_on_wake(struct http_stream *stream)
{
	struct transfer *t = transfer_of(stream);
	t->is_woken = true;
	if (t->is_out_paused)
		transfer_mark(t);
}

static bool transfer_on_send(struct http_stream *stream,
			     const struct socket_piece *pieces, size_t n)
{
	return transfer_send_direct(transfer_of(stream), pieces, n);
}

static void transfer_on_read(struct http_stream *stream)
{
	struct transfer *t = transfer_of(stream);
	if (t->in_task.run)
		t->in_task.events = stream->is_reading ? WEFT_READABLE : 0;
	if (t->is_in_paused || t->in_task.run || transfer_can_take_input(t))
		transfer_mark(t);
}

static void transfer_on_abort(struct http_stream *stream)
{
	transfer_mark(transfer_of(stream));
}

static const char *transfer_header(const struct http_stream *stream, const char *name)
{
	const struct transfer *t = container_of_const(stream, struct transfer, stream);
	struct curl_header *header;
	if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	size_t last = header->amount - 1;
	if (curl_easy_header(t->easy, name, last, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

static const struct stream_ops transfer_ops = {
	.wake = transfer_on_wake,
	.send = transfer_on_send,
	.read = transfer_on_read,
	.abort = transfer_on_abort,
	.header = transfer_header,
};

/* ---- what curl tells of a request -------------------------------------------------------- */

static void set_peer(struct transfer *t)
{
	char *ip = NULL;
	long port = 0;
	char text[WEFT_SOCKADDR_TEXT];
	(void)curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
	(void)curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_PORT, &port);
	if (!ip)
		return;
	bool is_ip6 = strchr(ip, ':') != NULL;
	(void)snprintf(text, sizeof(text), "%s%s%s:%ld", is_ip6 ? "[" : "", ip,
		       is_ip6 ? "]" : "", port);
	if (weft_listen_parse(text, &t->stream.peer) < 0)
		t->stream.peer.sa.sa_family = AF_UNSPEC;
}

static void set_version(struct transfer *t)
{
	long version = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	t->stream.version = version == CURL_HTTP_VERSION_1_0   ? 10
			    : version == CURL_HTTP_VERSION_1_1 ? 11
			    : version == CURL_HTTP_VERSION_2_0 ? 20
							       : 0;
}

bool transfer_is_accepted(const struct transfer *t)
{
	return t->status >= 200 && t->status < 300;
}

static bool has_chunks(const struct transfer *t)
{
	const char *coding = transfer_header(&t->stream, "transfer-encoding");
	return !t->is_put && t->stream.version == 11 && coding &&
	       strcasecmp(coding, "chunked") == 0;
}

/* The empty line after a head: of the response itself, or of one before it (100 to 199). */
static void transfer_on_head(struct transfer *t)
{
	long status = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || t->status)
		return;
	t->status = (unsigned)status;
	set_peer(t);
	set_version(t);
	t->is_chunked = has_chunks(t);
	/* The other family leads there, so it is the preferred one that does not. */
	if (t->has_fallen_back)
		t->client->prefers_at = t->client->now + PREFERENCE_NS;
	if (t->stream.events->response)
		t->stream.events->response(t->stream.user, &t->stream, t->status,
					   t->client->now);
	/* A server that has refused does not read: nothing goes there any more. */
	if (!transfer_is_accepted(t))
		t->is_out_over = true;
	if ((t->is_out_over && t->is_out_paused) || transfer_can_take_input(t))
		transfer_mark(t);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's. */
static size_t on_header(char *line, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	size_t len = size * n;
	t->head_len += len;
	if (t->head_len > HTTP_HEAD_MAX || t->stream.is_aborted)
		return 0;
	if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
		transfer_on_head(t);
	return len;
}

static size_t on_input(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	size_t len = size * n;
	if (t->stream.is_aborted)
		return 0;
	if (!transfer_is_accepted(t))
		return len;
	if (!t->stream.is_reading) {
		t->is_in_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	return transfer_take_apart(t, (uint8_t *)data, len) < 0 ? 0 : len;
}

static size_t on_room(char *buf, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	t->has_begun = true;
	if (t->is_out_over)
		return 0;
	/* The sockets of attempts that are given up are gone when curl has come to its end. */
	if (!t->is_asked) {
		t->is_out_paused = true;
		t->is_woken = true;
		transfer_mark(t);
		return CURL_READFUNC_PAUSE;
	}
	t->is_woken = false;
	int r = t->stream.is_aborted || t->is_lost
			? -ECANCELED
			: stream_output(&t->stream, (uint8_t *)buf, size * n,
					t->client->now);
	if (r > 0)
		return (size_t)r;
	if (r == -EPIPE) {
		t->is_out_over = true;
		return 0;
	}
	if (r < 0)
		return CURL_READFUNC_ABORT;
	t->is_out_paused = true;
	if (t->is_woken)
		transfer_mark(t);
	return CURL_READFUNC_PAUSE;
}

/*
 * While a request's body is paused, curl waits for its response. When it does so no longer it
 * has come to the connection's end, but it would say so only after the pause.
 */
void transfer_on_wait(CURL *easy, int what)
{
	struct transfer *t = NULL;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	if (!t || !t->is_out_paused || t->is_in_paused || (what & CURL_POLL_IN))
		return;
	t->is_lost = true;
	transfer_mark(t);
}

/* ---- the end of a request ---------------------------------------------------------------- */

static void transfer_free(struct transfer *t)
{
	transfer_drop_direct(t);
	if (t->is_open)
		multi_remove(t->client->multi, t->easy);
	list_remove(&t->node);
	due_cancel(&t->hold);
	due_cancel(&t->pause);
	list_remove(&t->mark);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	free(t);
}

static void transfer_close(struct transfer *t, enum http_end end,
			   const struct weft_error *err)
{
	list_remove(&t->mark);
	stream_closed(&t->stream, end, err, t->client->now);
	transfer_free(t);
}

/* Whether something of the body can have been on its way. */
static bool was_under_way(const struct transfer *t)
{
	return transfer_is_accepted(t) || (t->is_put && t->has_begun && !t->status);
}

static void transfer_end(struct transfer *t, CURLcode result)
{
	struct weft_error err = { .text = "" };
	const char *url = NULL;
	(void)curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
	struct setup_end what = { .url = url ? url : "",
				  .result = result,
				  .text = t->error,
				  .status = t->status,
				  .location = transfer_header(&t->stream, "location"),
				  .is_head_too_long = t->head_len > HTTP_HEAD_MAX };

	if (result == CURLE_OK && transfer_is_accepted(t) && !t->stream.is_aborted) {
		transfer_close(t, HTTP_ENDED, NULL);
		return;
	}
	setup_explain(t->client->setup, &what, &err);
	bool is_lost =
		t->stream.is_aborted || (was_under_way(t) && !what.is_head_too_long);
	transfer_close(t, is_lost ? HTTP_ABORTED : HTTP_FAILED, &err);
}

/* Nothing has come or gone: it begins once more, with all addresses. */
static void transfer_fall_back(struct transfer *t)
{
	multi_remove(t->client->multi, t->easy);
	t->is_open = false;
	t->is_preferring = false;
	t->has_fallen_back = true;
	t->error[0] = '\0';
	setup_set_preference(t->client->setup, t->easy, false);
	transfer_mark(t);
}

void transfer_done(struct transfer *t, CURLcode result)
{
	if (t->is_preferring && !t->has_begun && t->head_len == 0 &&
	    !t->stream.is_aborted && setup_may_fall_back(result)) {
		transfer_fall_back(t);
		return;
	}
	transfer_end(t, result);
}

/* ---- what is done about it --------------------------------------------------------------- */

/* A pause that has no reason any more; curl may call back from within. */
static void transfer_go_on(struct transfer *t)
{
	int paused = CURLPAUSE_CONT;
	if (t->is_out_paused && !t->is_asked)
		transfer_take_output(t);
	if (transfer_is_direct(t)) {
		transfer_put_out(t);
		return;
	}
	if (transfer_can_take_input(t)) {
		transfer_take_input(t);
		return;
	}
	if (t->stream.is_reading)
		t->is_in_paused = false;
	if ((t->is_woken && !t->direct.is_open) || t->is_out_over || t->is_lost)
		t->is_out_paused = false;
	if (t->is_in_paused)
		paused |= CURLPAUSE_RECV;
	if (t->is_out_paused)
		paused |= CURLPAUSE_SEND;
	(void)curl_easy_pause(t->easy, paused);
	/* Not before curl has done what the end of a pause makes it do. */
	if (transfer_can_take_input(t))
		transfer_mark(t);
}

/* Of a first attempt. */
static void transfer_prefer(struct transfer *t)
{
	if (t->has_fallen_back || !setup_has_preference(t->client->setup))
		return;
	t->is_preferring = t->client->now >= t->client->prefers_at;
	setup_set_preference(t->client->setup, t->easy, t->is_preferring);
}

static void transfer_begin(struct transfer *t)
{
	transfer_prefer(t);
	if (multi_add(t->client->multi, t->easy) == 0) {
		t->is_open = true;
		return;
	}
	struct weft_error err;
	(void)weft_error_set(&err, -ENOMEM, "%s", strerror(ENOMEM));
	transfer_close(t, HTTP_FAILED, &err);
}

void transfer_act(struct transfer *t)
{
	if (t->stream.is_aborted)
		transfer_close(t, HTTP_ABORTED, NULL);
	else if (!t->is_open)
		transfer_begin(t);
	else if (t->is_whole)
		transfer_close(t, HTTP_ENDED, NULL);
	else if (t->is_cut)
		transfer_done(t, CURLE_RECV_ERROR);
	else if (t->in_task.run)
		transfer_read(t);
	else
		transfer_go_on(t);
}

/* ---- made -------------------------------------------------------------------------------- */

static int transfer_copy_headers(struct transfer *t, const char *const *headers)
{
	/* No "100 Continue" is waited for. */
	t->headers = curl_slist_append(NULL, "Expect:");
	for (; t->headers && headers && *headers; headers++) {
		struct curl_slist *longer = curl_slist_append(t->headers, *headers);
		if (!longer)
			return -ENOMEM;
		t->headers = longer;
	}
	return t->headers ? 0 : -ENOMEM;
}

static int transfer_set(struct transfer *t, const struct http_client_request *request)
{
	CURL *easy = t->easy;
	int r = setup_apply(t->client->setup, request, easy);
	if (r == 0)
		r = transfer_copy_headers(t, request->headers);
	if (r < 0)
		return r;
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_input);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_room);
	(void)curl_easy_setopt(easy, CURLOPT_READDATA, t);
	return 0;
}

int transfer_new(struct http_client *client, const struct http_client_request *request,
		 struct transfer **ret_transfer)
{
	struct transfer *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->stream = (struct http_stream){ .ops = &transfer_ops,
					  .events = request->events,
					  .user = request->user,
					  .is_reading = true };
	t->client = client;
	t->is_put = request->is_put;
	list_init(&t->mark);
	due_init(&t->hold);
	due_init(&t->pause);
	list_push_back(&client->streams, &t->node);
	t->easy = curl_easy_init();
	int r = t->easy ? transfer_set(t, request) : -ENOMEM;
	if (r < 0) {
		transfer_free(t);
		return r;
	}
	transfer_mark(t);
	*ret_transfer = t;
	return 0;
}
