/* SPDX-License-Identifier: MIT */
/*
 * The hand that turns is the one that weft/loop.h describes: due tasks first, then poll(2).
 */
#include "http/world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t world_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint8_t pattern(uint64_t i)
{
	return (uint8_t)((i * 0x9e3779b97f4a7c15ull) >> 41);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void end_check_abort(struct end *e)
{
	if (e->abort_at && e->in_len + e->out_len >= e->abort_at)
		http_stream_abort(e->stream);
}

static void end_response(void *user, struct http_stream *stream, unsigned status,
			 uint64_t now)
{
	struct end *e = user;
	(void)now;
	assert_ptr_equal(stream, e->stream);
	const char *why = http_stream_header(stream, "x-why");
	e->status = status;
	e->responses++;
	(void)snprintf(e->why, sizeof(e->why), "%s", why ? why : "");
}

static void end_input(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		      uint64_t now)
{
	struct end *e = user;
	(void)now;
	assert_ptr_equal(stream, e->stream);
	assert_int_equal(e->closings, 0);
	for (size_t i = 0; i < len; i++)
		e->is_wrong |= data[i] != pattern(e->in_len + i);
	e->in_len += len;
	e->in_pieces++;
	end_check_abort(e);
}

static int end_output(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		      uint64_t now)
{
	struct end *e = user;
	(void)now;
	assert_ptr_equal(stream, e->stream);
	assert_int_equal(e->closings, 0);
	assert_true(len > 0 && len <= HTTP_OUTPUT_MAX);
	e->asked++;
	if (!e->is_wild && e->out_len == e->out_total)
		return -EPIPE;
	uint64_t there = e->is_wild ? len : e->out_ready - e->out_len;
	size_t n = there < len ? (size_t)there : len;
	if (e->out_max && n > e->out_max)
		n = e->out_max;
	for (size_t i = 0; i < n; i++)
		buf[i] = pattern(e->out_len + i);
	e->out_len += n;
	end_check_abort(e);
	return (int)n;
}

/* What a PUT is answered with. */
static void end_answer(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		       uint64_t now)
{
	struct end *e = user;
	(void)now;
	assert_ptr_equal(stream, e->stream);
	assert_true(e->answer_len + len < sizeof(e->answer));
	memcpy(e->answer + e->answer_len, data, len);
	e->answer_len += len;
}

static size_t end_finish(void *user, struct http_stream *stream, char *buf, size_t len,
			 uint64_t now)
{
	struct end *e = user;
	(void)now;
	assert_ptr_equal(stream, e->stream);
	return (size_t)snprintf(buf, len, "%llu bytes", (unsigned long long)e->in_len);
}

static void end_closed(void *user, struct http_stream *stream, enum http_end end,
		       const struct weft_error *err, uint64_t now)
{
	struct end *e = user;
	(void)now;
	assert_ptr_equal(stream, e->stream);
	e->closings++;
	e->stream = NULL;
	e->end = (int)end;
	e->err = *err;
}

static const struct http_stream_events end_events = {
	.response = end_response,
	.input = end_input,
	.output = end_output,
	.closed = end_closed,
};

static const struct http_stream_events put_events = {
	.response = end_response,
	.input = end_answer,
	.output = end_output,
	.closed = end_closed,
};

static const struct http_stream_events counting_events = {
	.input = end_input,
	.output = end_output,
	.finish = end_finish,
	.closed = end_closed,
};

void end_more(struct end *end, uint64_t len)
{
	end->out_ready += len;
	http_stream_wake(end->stream);
}

/* ---- the server's side ------------------------------------------------------------------- */

static void waiting_closed(void *user, struct http_stream *stream, enum http_end end,
			   const struct weft_error *err, uint64_t now)
{
	struct world *w = user;
	(void)err;
	(void)now;
	assert_ptr_equal(stream, w->waiting);
	assert_int_equal(end, HTTP_ABORTED);
	w->given_up_n++;
}

static const struct http_stream_events waiting_events = { .closed = waiting_closed };

/* Returns whether the request is answered here. */
static bool world_keeps_waiting(struct world *w, struct http_stream *stream,
				const char *path, struct http_answer *answer)
{
	if (strcmp(path, "/later") != 0 || (w->may_answer && !w->refuses_late))
		return false;
	if (w->may_answer) {
		answer->status = 403;
		answer->text = "Forbidden";
		return true;
	}
	w->later_n++;
	w->waiting = stream;
	answer->is_later = true;
	answer->events = &waiting_events;
	answer->user = w;
	return true;
}

static void world_request(void *user, struct http_stream *stream,
			  const struct http_request *request,
			  struct http_answer *ret_answer, uint64_t now)
{
	struct world *w = user;
	const char *token = http_stream_header(stream, "X-API-Key");
	(void)now;
	(void)snprintf(w->last_token, sizeof(w->last_token), "%s", token ? token : "");
	(void)snprintf(w->last_method, sizeof(w->last_method), "%s", request->method);
	(void)snprintf(w->last_path, sizeof(w->last_path), "%.255s", request->path);
	w->peer_port = weft_sockaddr_port(http_stream_peer(stream));
	if (strcmp(request->path, "/refuse") == 0) {
		w->refused_n++;
		ret_answer->status = 403;
		ret_answer->text = "Forbidden";
		ret_answer->headers[0] = (struct http_header){ "X-Why", "a whim" };
		return;
	}
	if (world_keeps_waiting(w, stream, request->path, ret_answer))
		return;
	assert_true(w->served_n < WORLD_ENDS_MAX);
	struct end *e = &w->served[w->served_n++];
	*e = (struct end){ .world = w,
			   .stream = stream,
			   .out_total = w->opts.out_total,
			   .out_ready = w->opts.out_ready,
			   .out_max = w->opts.out_max,
			   .abort_at = w->opts.served_abort_at,
			   .is_wild = w->opts.is_wild,
			   .end = END_OPEN };
	/* MHD itself answers a PUT that gets a header, and reads its body. */
	if (strcmp(request->path, "/plain") != 0)
		ret_answer->headers[0] =
			(struct http_header){ "X-Tun-Conf", "eAUYCjIAAg==" };
	ret_answer->events =
		strcmp(request->path, "/count") == 0 ? &counting_events : &end_events;
	ret_answer->user = e;
	if (w->opts.abort_in_request)
		http_stream_abort(stream);
}

/* ---- the client's side ------------------------------------------------------------------- */

const char *world_url(const struct world *w, const char *path)
{
	static char url[300];
	union weft_sockaddr addr = http_server_addr(w->server);
	(void)snprintf(url, sizeof(url), "http%s://127.0.0.1:%u%s",
		       w->opts.server.terms.cert_file ? "s" : "",
		       weft_sockaddr_port(&addr), path);
	return url;
}

struct end *world_open(struct world *w, const char *url, bool is_put, uint64_t out_total)
{
	static const char *const headers[] = { "x-api-key: foo", NULL };
	assert_true(w->opened_n < WORLD_ENDS_MAX);
	struct end *e = &w->opened[w->opened_n++];
	*e = (struct end){ .world = w,
			   .out_total = out_total,
			   .out_ready = out_total,
			   .end = END_OPEN };
	const struct http_client_request request = { .url = url,
						     .is_put = is_put,
						     .headers = headers,
						     .events = is_put ? &put_events
								      : &end_events,
						     .user = e };
	assert_int_equal(http_client_open(w->client, &request, &e->stream), 0);
	return e;
}

struct end *world_get(struct world *w, const char *path)
{
	return world_open(w, world_url(w, path), false, 0);
}

struct end *world_put(struct world *w, const char *path, uint64_t out_total)
{
	return world_open(w, world_url(w, path), true, out_total);
}

/* ---- start, turn, stop ------------------------------------------------------------------- */

void world_start(struct world *w, const struct world_opts *opts)
{
	struct weft_error err;
	*w = (struct world){ .opts = *opts };
	struct http_server_opts server = opts->server;
	if (server.listen.sa.sa_family == AF_UNSPEC) {
		server.listen.in.sin_family = AF_INET;
		server.listen.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	server.request = world_request;
	server.user = w;
	if (http_server_new(&server, &err, &w->server) < 0)
		fail_msg("%s", err.text);
	if (!opts->no_client && http_client_new(&opts->client, &err, &w->client) < 0)
		fail_msg("%s", err.text);
}

void world_stop(struct world *w)
{
	http_client_free(w->client);
	http_server_free(w->server);
	w->client = NULL;
	w->server = NULL;
	for (unsigned i = 0; i < w->served_n; i++) {
		assert_int_equal(w->served[i].closings, 1);
		assert_false(w->served[i].is_wrong);
	}
	for (unsigned i = 0; i < w->opened_n; i++) {
		assert_int_equal(w->opened[i].closings, 1);
		assert_false(w->opened[i].is_wrong);
	}
}

static size_t world_tasks(const struct world *w, struct weft_task *tasks[2])
{
	size_t n = 0;
	if (w->server)
		tasks[n++] = http_server_task(w->server);
	if (w->client)
		tasks[n++] = http_client_task(w->client);
	return n;
}

static uint64_t world_now(const struct world *w)
{
	return world_clock() + w->skew;
}

void world_turn(struct world *w)
{
	struct weft_task *tasks[2];
	struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
	size_t n = world_tasks(w, tasks);
	uint64_t now = world_now(w);
	int wait_ms = 20;

	for (size_t i = 0; i < n; i++) {
		if (tasks[i]->deadline(tasks[i]) <= now)
			tasks[i]->run(tasks[i], now);
		if (tasks[i]->deadline(tasks[i]) <= now)
			wait_ms = 0;
		fds[i] = (struct pollfd){ .fd = tasks[i]->fd, .events = POLLIN };
	}
	(void)poll(fds, n, wait_ms);
	now = world_now(w);
	for (size_t i = 0; i < n; i++) {
		if (fds[i].revents)
			tasks[i]->run(tasks[i], now);
	}
}

void world_turn_before(struct world *w, uint64_t until, const char *condition)
{
	if (world_clock() > until)
		fail_msg("not in a minute: %s", condition);
	world_turn(w);
}

void world_settle(struct world *w)
{
	uint64_t until = world_clock() + 100000000u;
	while (world_clock() < until)
		world_turn(w);
}

/* Only grows, with all that happens. */
static uint64_t world_moves(const struct world *w)
{
	uint64_t moves = 0;
	for (unsigned i = 0; i < w->served_n; i++)
		moves += w->served[i].asked + w->served[i].in_len;
	for (unsigned i = 0; i < w->opened_n; i++)
		moves += w->opened[i].asked + w->opened[i].in_len;
	return moves;
}

void world_until_still(struct world *w)
{
	const uint64_t still = 500000000u;
	uint64_t until = world_clock() + 60000000000ull;
	uint64_t moves = world_moves(w), since = world_clock();
	while (world_clock() < since + still) {
		world_turn_before(w, until, "nothing moves");
		if (world_moves(w) == moves)
			continue;
		moves = world_moves(w);
		since = world_clock();
	}
}

void world_skip(struct world *w, uint64_t ns)
{
	w->skew += ns;
}
