/* SPDX-License-Identifier: MIT */
/*
 * The client, on libcurl's multi interface. curl says which sockets it waits for, and each
 * becomes a task in the client's poller; when it is ready, curl is told.
 *
 *     task of the client: fd = poller_fd --- poller ---+--- watch, fd 7 --> curl --> stream
 *                                                      '--- watch, fd 9 --> curl --> stream
 *
 * curl must not be called from within its own callbacks, and that is where most events come
 * from. So what a user wants of a stream (begin, go on, break off) is a mark on it, and the
 * stream is on the list of those that have one; the next run, which is due at once, does it.
 *
 * What a PUT puts out goes past curl where it goes in plain chunks: curl is paused for as long as
 * the stream lasts, waits for the response alone, and the socket is written to (http/direct.h).
 *
 * curl pauses a direction from within its callback only, by the callback's return value. What
 * it has read by then it keeps: one buffer with HTTP/1.1, up to its window with HTTP/2.
 */
#include "base/container.h"
#include "base/list.h"
#include "http/setup.h"
#include "http/stream.h"
#include "io/poller.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS 1000000ull

/*
 * So long a body waits behind its head: a server that finds the head alone can read the body in the
 * way that it likes best.
 */
#define HOLD_NS (10 * MS_NS)

struct http_client {
	struct weft_task task;
	struct poller *poller;
	struct setup *setup;
	CURLM *multi;
	struct list streams;
	struct list marked; /* Streams that want something of the next run; */
	struct list held;   /* those whose body waits behind its head, oldest first. */
	struct list watches;
	uint8_t *scratch; /* What streams put out; NULL until it is needed. */
	uint64_t now;
	uint64_t deadline; /* curl's own: of connecting, of resolving. */
	bool is_ending;    /* Nothing is opened any more. */
};

/* A socket of curl's. */
struct watch {
	struct weft_task task;
	struct list node;
	struct http_client *client;
	CURL *easy;             /* Whose request it is of. */
	struct request *writer; /* Whose output curl has left to us, or NULL. */
	unsigned events;        /* Those that curl waits for. */
};

struct request {
	struct http_stream stream; /* First. */
	struct list node;
	struct list mark, hold;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct direct direct; /* Of a PUT that curl has left to us, */
	uint64_t direct_at;   /* from then on. */
	struct watch *watch;  /* Of direct's socket. */
	char error[CURL_ERROR_SIZE];
	size_t head_len;
	unsigned status; /* 0 before the response's head. */
	bool is_put;
	bool is_open;       /* curl has it. */
	bool is_in_paused;  /* curl waits for is_reading; */
	bool is_out_paused; /* for a wake. */
	bool is_woken;      /* Since output was asked last. */
	bool is_out_over;   /* output is not asked again. */
	bool is_lost;       /* The server has gone while curl was paused. */
	bool is_asked;  /* What is put out has found its way: direct, or through curl. */
	bool has_begun; /* output has been asked: a connection has been there. */
};

static struct request *request_of(struct http_stream *stream)
{
	return container_of(stream, struct request, stream);
}

/* ---- What the user of a stream wants ---- */

static void request_mark(struct request *q)
{
	list_remove(&q->mark);
	list_push_back(&q->client->marked, &q->mark);
}

static void request_on_wake(struct http_stream *stream)
{
	struct request *q = request_of(stream);
	q->is_woken = true;
	if (q->is_out_paused)
		request_mark(q);
}

/* The watch waits for what curl wants, and for room where a rest is kept. */
static void watch_update(struct watch *w)
{
	bool is_blocked = w->writer && direct_is_blocked(&w->writer->direct);
	w->task.events = w->events | (is_blocked ? WEFT_WRITABLE : 0u);
}

static bool request_is_direct(const struct request *q)
{
	return q->watch && q->is_out_paused && !q->is_out_over && !q->is_lost &&
	       q->client->now >= q->direct_at;
}

static void request_on_broken(struct request *q)
{
	q->is_lost = true;
	request_mark(q);
}

static bool request_on_send(struct http_stream *stream, const struct socket_piece *pieces,
			    size_t n)
{
	struct request *q = request_of(stream);
	if (!request_is_direct(q) || direct_is_blocked(&q->direct))
		return false;
	int r = direct_try(&q->direct, pieces, n);
	if (r == -EAGAIN)
		return false;
	if (r < 0)
		request_on_broken(q);
	watch_update(q->watch);
	return true;
}

static void request_on_read(struct http_stream *stream)
{
	struct request *q = request_of(stream);
	if (q->is_in_paused)
		request_mark(q);
}

static void request_on_abort(struct http_stream *stream)
{
	request_mark(request_of(stream));
}

static const char *request_header(const struct http_stream *stream, const char *name)
{
	const struct request *q = container_of_const(stream, struct request, stream);
	struct curl_header *header;
	if (curl_easy_header(q->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	size_t last = header->amount - 1;
	if (curl_easy_header(q->easy, name, last, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

static const struct stream_ops request_ops = {
	.wake = request_on_wake,
	.send = request_on_send,
	.read = request_on_read,
	.abort = request_on_abort,
	.header = request_header,
};

/* ---- What curl tells of a request ---- */

static void set_peer(struct request *q)
{
	char *ip = NULL;
	long port = 0;
	char text[WEFT_SOCKADDR_TEXT];
	(void)curl_easy_getinfo(q->easy, CURLINFO_PRIMARY_IP, &ip);
	(void)curl_easy_getinfo(q->easy, CURLINFO_PRIMARY_PORT, &port);
	if (!ip)
		return;
	bool is_ip6 = strchr(ip, ':') != NULL;
	(void)snprintf(text, sizeof(text), "%s%s%s:%ld", is_ip6 ? "[" : "", ip,
		       is_ip6 ? "]" : "", port);
	if (weft_listen_parse(text, &q->stream.peer) < 0)
		q->stream.peer.sa.sa_family = AF_UNSPEC;
}

static void set_version(struct request *q)
{
	long version = 0;
	(void)curl_easy_getinfo(q->easy, CURLINFO_HTTP_VERSION, &version);
	q->stream.version = version == CURL_HTTP_VERSION_1_0   ? 10
			    : version == CURL_HTTP_VERSION_1_1 ? 11
			    : version == CURL_HTTP_VERSION_2_0 ? 20
							       : 0;
}

static bool is_success(unsigned status)
{
	return status >= 200 && status < 300;
}

/* The empty line after a head: of the response itself, or of one before it (100 to 199). */
static void request_on_head(struct request *q)
{
	long status = 0;
	(void)curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || q->status)
		return;
	q->status = (unsigned)status;
	set_peer(q);
	set_version(q);
	if (q->stream.events->response)
		q->stream.events->response(q->stream.user, &q->stream, q->status,
					   q->client->now);
	/* A server that has refused does not read: nothing goes there any more. */
	if (!is_success(q->status))
		q->is_out_over = true;
	if (q->is_out_over && q->is_out_paused)
		request_mark(q);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's. */
static size_t on_header(char *line, size_t size, size_t n, void *user)
{
	struct request *q = user;
	size_t len = size * n;
	q->head_len += len;
	if (q->head_len > HTTP_HEAD_MAX || q->stream.is_aborted)
		return 0;
	if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
		request_on_head(q);
	return len;
}

static size_t on_input(char *data, size_t size, size_t n, void *user)
{
	struct request *q = user;
	size_t len = size * n;
	if (q->stream.is_aborted)
		return 0;
	if (!is_success(q->status))
		return len;
	if (!q->stream.is_reading) {
		q->is_in_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	stream_input(&q->stream, (const uint8_t *)data, len, q->client->now);
	return len;
}

/* The only socket that curl has for a request, or NULL. */
static struct watch *request_socket(const struct request *q)
{
	struct watch *found = NULL;
	list_for_each (node, &q->client->watches) {
		struct watch *w = container_of(node, struct watch, node);
		if (w->easy != q->easy)
			continue;
		if (found)
			return NULL;
		found = w;
	}
	return found;
}

/* The body goes in chunks that nothing encrypts: it can be left to us. */
static void request_take_output(struct request *q)
{
	q->is_asked = true;
	q->watch = setup_is_plain(q->client->setup, q->easy) ? request_socket(q) : NULL;
	if (!q->watch)
		return;
	q->watch->writer = q;
	direct_open(&q->direct, q->watch->task.fd);
	q->direct_at = q->client->now + HOLD_NS;
	list_push_back(&q->client->held, &q->hold);
}

static size_t on_room(char *buf, size_t size, size_t n, void *user)
{
	struct request *q = user;
	q->has_begun = true;
	if (q->is_out_over)
		return 0;
	/* The sockets of attempts that are given up are gone when curl has come to its end. */
	if (!q->is_asked) {
		q->is_out_paused = true;
		q->is_woken = true;
		request_mark(q);
		return CURL_READFUNC_PAUSE;
	}
	q->is_woken = false;
	int r = q->stream.is_aborted || q->is_lost
			? -ECANCELED
			: stream_output(&q->stream, (uint8_t *)buf, size * n,
					q->client->now);
	if (r > 0)
		return (size_t)r;
	if (r == -EPIPE) {
		q->is_out_over = true;
		return 0;
	}
	if (r < 0)
		return CURL_READFUNC_ABORT;
	q->is_out_paused = true;
	if (q->is_woken)
		request_mark(q);
	return CURL_READFUNC_PAUSE;
}

/* ---- The end of a request ---- */

static void request_free(struct request *q)
{
	if (q->is_open)
		(void)curl_multi_remove_handle(q->client->multi, q->easy);
	if (q->watch)
		q->watch->writer = NULL;
	direct_close(&q->direct);
	list_remove(&q->node);
	list_remove(&q->hold);
	list_remove(&q->mark);
	curl_easy_cleanup(q->easy);
	curl_slist_free_all(q->headers);
	free(q);
}

static void request_close(struct request *q, enum http_end end,
			  const struct weft_error *err)
{
	list_remove(&q->mark);
	stream_closed(&q->stream, end, err, q->client->now);
	request_free(q);
}

/* Whether something of the body can have been on its way. */
static bool was_under_way(const struct request *q)
{
	return is_success(q->status) || (q->is_put && q->has_begun && !q->status);
}

static void request_done(struct request *q, CURLcode result)
{
	struct weft_error err = { .text = "" };
	const char *url = NULL;
	(void)curl_easy_getinfo(q->easy, CURLINFO_EFFECTIVE_URL, &url);
	struct setup_end what = { .url = url ? url : "",
				  .result = result,
				  .text = q->error,
				  .status = q->status,
				  .location = request_header(&q->stream, "location"),
				  .is_head_too_long = q->head_len > HTTP_HEAD_MAX };

	if (result == CURLE_OK && is_success(q->status) && !q->stream.is_aborted) {
		request_close(q, HTTP_ENDED, NULL);
		return;
	}
	setup_explain(q->client->setup, &what, &err);
	bool is_lost =
		q->stream.is_aborted || (was_under_way(q) && !what.is_head_too_long);
	request_close(q, is_lost ? HTTP_ABORTED : HTTP_FAILED, &err);
}

static void client_reap(struct http_client *c)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(c->multi, &left))) {
		struct request *q = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		/* The message is gone once the handle is removed. */
		CURLcode result = message->data.result;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &q);
		request_done(q, result);
	}
}

/* ---- Marks ---- */

static void request_put_out(struct request *q)
{
	struct http_client *c = q->client;
	if (!c->scratch)
		c->scratch = malloc(HTTP_OUTPUT_MAX);
	int r = c->scratch ? stream_put_out(&q->stream, &q->direct, c->scratch, c->now)
			   : -ENOMEM;
	watch_update(q->watch);
	if (r > 0)
		request_mark(q);
	if (r == -EPIPE)
		q->is_out_over = true;
	else if (r < 0)
		q->is_lost = true;
	if (r < 0)
		request_mark(q);
}

/* A pause that has no reason any more; curl may call back from within. */
static void request_go_on(struct request *q)
{
	int paused = CURLPAUSE_CONT;
	if (q->is_out_paused && !q->is_asked)
		request_take_output(q);
	if (request_is_direct(q)) {
		request_put_out(q);
		return;
	}
	if (q->stream.is_reading)
		q->is_in_paused = false;
	if ((q->is_woken && !q->direct.is_open) || q->is_out_over || q->is_lost)
		q->is_out_paused = false;
	if (q->is_in_paused)
		paused |= CURLPAUSE_RECV;
	if (q->is_out_paused)
		paused |= CURLPAUSE_SEND;
	(void)curl_easy_pause(q->easy, paused);
}

static void request_begin(struct request *q)
{
	if (curl_multi_add_handle(q->client->multi, q->easy) == CURLM_OK) {
		q->is_open = true;
		return;
	}
	struct weft_error err;
	(void)weft_error_set(&err, -ENOMEM, "%s", strerror(ENOMEM));
	request_close(q, HTTP_FAILED, &err);
}

static struct request *client_first_held(const struct http_client *c)
{
	struct list *node = list_first(&c->held);
	return node ? container_of(node, struct request, hold) : NULL;
}

static void client_let_go(struct http_client *c)
{
	struct request *q;
	while ((q = client_first_held(c)) && q->direct_at <= c->now) {
		list_remove(&q->hold);
		request_mark(q);
	}
}

/* What is marked while this runs is for the next run. */
static void client_do_marked(struct http_client *c)
{
	struct list now;
	struct list *node;
	list_init(&now);
	while ((node = list_pop_front(&c->marked)))
		list_push_back(&now, node);
	while ((node = list_pop_front(&now))) {
		struct request *q = container_of(node, struct request, mark);
		if (q->stream.is_aborted)
			request_close(q, HTTP_ABORTED, NULL);
		else if (!q->is_open)
			request_begin(q);
		else
			request_go_on(q);
	}
}

/* ---- curl's sockets and its clock ---- */

static void watch_run(struct weft_task *task, uint64_t now)
{
	struct watch *w = container_of(task, struct watch, task);
	int running;
	(void)now;
	if (w->writer && request_is_direct(w->writer) &&
	    direct_is_blocked(&w->writer->direct))
		request_put_out(w->writer);
	/* 0: curl finds out itself what the socket is ready for. */
	(void)curl_multi_socket_action(w->client->multi, task->fd, 0, &running);
}

static void watch_free(struct watch *w)
{
	if (w->writer)
		w->writer->watch = NULL;
	poller_remove(w->client->poller, &w->task);
	list_remove(&w->node);
	free(w);
}

static struct watch *watch_new(struct http_client *c, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->task = (struct weft_task){ .fd = fd, .run = watch_run };
	w->client = c;
	list_push_back(&c->watches, &w->node);
	if (poller_add(c->poller, &w->task) < 0) {
		watch_free(w);
		return NULL;
	}
	return w;
}

/*
 * While a request's body is paused, curl waits for its response. When it does so no longer it
 * has come to the connection's end, but it would say so only after the pause.
 */
static void find_lost(CURL *easy, int what)
{
	struct request *q = NULL;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &q);
	if (!q || !q->is_out_paused || q->is_in_paused || (what & CURL_POLL_IN))
		return;
	q->is_lost = true;
	request_mark(q);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket)
{
	struct http_client *c = user;
	struct watch *w = of_socket;
	find_lost(easy, what);
	if (what == CURL_POLL_REMOVE) {
		if (w)
			watch_free(w);
		return 0;
	}
	if (!w)
		w = watch_new(c, fd);
	if (!w)
		return -1;
	w->easy = easy;
	w->events = (what & CURL_POLL_IN ? WEFT_READABLE : 0u) |
		    (what & CURL_POLL_OUT ? WEFT_WRITABLE : 0u);
	watch_update(w);
	(void)curl_multi_assign(c->multi, fd, w);
	return 0;
}

/*
 * Asked rather than told (CURLMOPT_TIMERFUNCTION): curl tells a time-out once only, and not
 * again to one who comes too early by its own clock.
 */
static uint64_t client_wait(const struct http_client *c)
{
	long wait_ms = -1;
	(void)curl_multi_timeout(c->multi, &wait_ms);
	if (wait_ms < 0)
		return WEFT_NEVER;
	return wait_ms == 0 ? 0 : c->now + (uint64_t)wait_ms * MS_NS;
}

/* ---- The task ---- */

static void client_run(struct weft_task *task, uint64_t now)
{
	struct http_client *c = container_of(task, struct http_client, task);
	int running;
	c->now = now;
	client_let_go(c);
	client_do_marked(c);
	poller_run(c->poller, now);
	if (client_wait(c) <= now)
		(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0,
					       &running);
	client_reap(c);
	c->deadline = client_wait(c);
	poller_watch(c->poller);
}

static uint64_t client_deadline(const struct weft_task *task)
{
	const struct http_client *c = container_of_const(task, struct http_client, task);
	const struct request *held = client_first_held(c);
	if (!list_is_empty(&c->marked))
		return 0;
	return held && held->direct_at < c->deadline ? held->direct_at : c->deadline;
}

struct weft_task *http_client_task(struct http_client *client)
{
	return &client->task;
}

/* ---- Made and freed ---- */

/* All but the streams. */
static void client_dispose(struct http_client *c)
{
	if (c->multi)
		(void)curl_multi_cleanup(c->multi);
	list_for_each (watch, &c->watches)
		watch_free(container_of(watch, struct watch, node));
	poller_free(c->poller);
	free(c->scratch);
	setup_free(c->setup);
	free(c);
}

int http_client_new(const struct http_client_opts *opts, struct weft_error *err,
		    struct http_client **ret_client)
{
	struct http_client *c = calloc(1, sizeof(*c));
	if (!c)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	list_init(&c->streams);
	list_init(&c->marked);
	list_init(&c->held);
	list_init(&c->watches);
	c->deadline = WEFT_NEVER;
	int r = setup_new(opts, err, &c->setup);
	if (r < 0)
		goto fail;
	r = poller_new(&c->poller);
	c->multi = r < 0 ? NULL : curl_multi_init();
	if (!c->multi) {
		r = weft_error_set(err, r < 0 ? r : -ENOMEM, "HTTP cannot be set up: %s",
				   strerror(r < 0 ? -r : ENOMEM));
		goto fail;
	}
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	c->task = (struct weft_task){ .fd = poller_fd(c->poller),
				      .events = WEFT_READABLE,
				      .run = client_run,
				      .deadline = client_deadline };
	*ret_client = c;
	return 0;
fail:
	client_dispose(c);
	return r;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	client->is_ending = true;
	list_for_each (node, &client->streams)
		http_stream_abort(&container_of(node, struct request, node)->stream);
	client_do_marked(client);
	client_dispose(client);
}

/* ---- Opening ---- */

static int request_copy_headers(struct request *q, const char *const *headers)
{
	/* No "100 Continue" is waited for. */
	q->headers = curl_slist_append(NULL, "Expect:");
	for (; q->headers && headers && *headers; headers++) {
		struct curl_slist *longer = curl_slist_append(q->headers, *headers);
		if (!longer)
			return -ENOMEM;
		q->headers = longer;
	}
	return q->headers ? 0 : -ENOMEM;
}

static int request_set(struct request *q, const struct http_client_request *request)
{
	CURL *easy = q->easy;
	int r = setup_apply(q->client->setup, request, easy);
	if (r == 0)
		r = request_copy_headers(q, request->headers);
	if (r < 0)
		return r;
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, q);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, q->error);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, q->headers);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, q);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_input);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, q);
	(void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_room);
	(void)curl_easy_setopt(easy, CURLOPT_READDATA, q);
	return 0;
}

int http_client_open(struct http_client *client,
		     const struct http_client_request *request,
		     struct http_stream **ret_stream)
{
	struct request *q = client->is_ending ? NULL : calloc(1, sizeof(*q));
	if (!q)
		return client->is_ending ? -ESHUTDOWN : -ENOMEM;
	q->stream = (struct http_stream){ .ops = &request_ops,
					  .events = request->events,
					  .user = request->user,
					  .is_reading = true };
	q->client = client;
	q->is_put = request->is_put;
	list_init(&q->mark);
	list_init(&q->hold);
	list_push_back(&client->streams, &q->node);
	q->easy = curl_easy_init();
	int r = q->easy ? request_set(q, request) : -ENOMEM;
	if (r < 0) {
		request_free(q);
		return r;
	}
	request_mark(q);
	*ret_stream = &q->stream;
	return 0;
}
