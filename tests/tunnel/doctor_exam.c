/* SPDX-License-Identifier: MIT */
/*
 * Whole examinations in virtual time, of a server behind paths that hold bytes back and of one
 * that is busy: both come late, and only the former is a proxy's fault.
 *
 *     exam --- wires: each a request, until its end --- doctor of the server
 *
 * A millisecond lets every wire carry once. Each side can be stalled: then it neither sends nor
 * takes anything, and neither do its timers run.
 */
#include "tunnel/doctor_exam.h"

#include "../unit.h"
#include "tunnel/doctor.h"

#include <weft/doctor.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS        1000000ull
#define S         (1000 * MS)
#define WIRES     16u
#define ROOM      16384u
#define HEADERS   3u
#define FOUND_MAX 8u
#define END_MS    400000u

struct http_stream {
	struct wire *wire;
	bool is_server, is_aborted;
};

struct wire {
	bool is_used, is_answered;
	struct http_client_request request;
	char *headers[HEADERS];
	struct http_answer answer;
	struct http_stream client, server;
	uint8_t held[ROOM]; /* by a path that buffers */
	size_t held_n;
	uint64_t began_at, moved_at;
};

/* Stalls while small pieces are sent: so long in each period, but for further rounds. */
struct stalls {
	unsigned for_ms, each_ms;
	bool is_always; /* in further rounds as well */
};

static struct world {
	struct wire wires[WIRES];
	struct weft_task *task;
	struct doctor *doctor;
	bool holds_requests, holds_responses;
	/* A request that brings nothing for so long is cut; 0: none is. */
	unsigned cuts_ms;
	unsigned lives_ms; /* Nothing lives for longer; 0: it may. */
	bool is_long;      /* The examination. */
	struct stalls here, there;
	uint64_t now, pieces_at;
	bool has_pieces, is_done, is_fit;
	uint64_t silent_ns, long_ns; /* What was tried. */
	unsigned rounds;             /* of small pieces */
	char found[FOUND_MAX][32];
	size_t found_n;
} world;

/* ---- what both sides call ---------------------------------------------------------------- */

static const char *request_header(const struct wire *wire, const char *name)
{
	const size_t len = strlen(name);
	for (size_t i = 0; i < HEADERS; i++) {
		const char *line = wire->headers[i];
		if (line && strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 2;
	}
	return NULL;
}

const char *http_stream_header(const struct http_stream *stream, const char *name)
{
	const struct wire *wire = stream->wire;
	if (stream->is_server)
		return request_header(wire, name);
	for (size_t i = 0; i < HTTP_ANSWER_HEADERS; i++)
		if (wire->answer.headers[i].name &&
		    strcmp(wire->answer.headers[i].name, name) == 0)
			return wire->answer.headers[i].value;
	return NULL;
}

unsigned http_stream_version(const struct http_stream *stream)
{
	(void)stream;
	return 11;
}

void http_stream_wake(struct http_stream *stream)
{
	(void)stream;
}

void http_stream_abort(struct http_stream *stream)
{
	stream->is_aborted = true;
}

int http_client_new(const struct http_client_opts *opts, struct weft_error *err,
		    struct http_client **ret_client)
{
	(void)opts;
	(void)err;
	*ret_client = NULL;
	return 0;
}

void http_client_free(struct http_client *client)
{
	(void)client;
}

struct weft_task *http_client_task(struct http_client *client)
{
	(void)client;
	return NULL;
}

int http_client_open(struct http_client *client,
		     const struct http_client_request *request,
		     struct http_stream **ret_stream)
{
	struct wire *wire = world.wires;
	(void)client;
	while (wire->is_used)
		wire++;
	assert_true(wire < world.wires + WIRES);
	*wire = (struct wire){ .is_used = true,
			       .request = *request,
			       .began_at = world.now,
			       .moved_at = world.now };
	wire->client = (struct http_stream){ .wire = wire };
	wire->server = (struct http_stream){ .wire = wire, .is_server = true };
	for (size_t i = 0; i < HEADERS && request->headers[i]; i++)
		wire->headers[i] = strdup(request->headers[i]);
	*ret_stream = &wire->client;
	return 0;
}

int weft_loop_add(struct weft_loop *loop, struct weft_task *task)
{
	(void)loop;
	if (task)
		world.task = task;
	return 0;
}

void weft_loop_remove(struct weft_loop *loop, struct weft_task *task)
{
	(void)loop;
	(void)task;
}

/* ---- wires ------------------------------------------------------------------------------- */

static void wire_close(struct wire *wire, enum http_end end)
{
	const struct weft_error err = { .text = "" };
	const struct http_client_request *request = &wire->request;
	if (wire->answer.events)
		wire->answer.events->closed(wire->answer.user, &wire->server, end, &err,
					    world.now);
	request->events->closed(request->user, &wire->client, end, &err, world.now);
	for (size_t i = 0; i < HEADERS; i++)
		free(wire->headers[i]);
	wire->is_used = false;
}

static void wire_answer(struct wire *wire)
{
	const struct http_request request = { .method = wire->request.is_put ? "PUT"
									     : "GET",
					      .path = "/" };
	wire->is_answered = true;
	doctor_request(world.doctor, &wire->server, &request, &wire->answer, world.now);
	assert_int_equal(wire->answer.status, 0);
	if (!wire->request.is_put)
		wire->request.events->response(wire->request.user, &wire->client, 200,
					       world.now);
}

static void wire_give(struct wire *wire, uint8_t *data, size_t len)
{
	if (len > 0 && wire->request.is_put)
		wire->answer.events->input(wire->answer.user, &wire->server, data, len,
					   world.now);
	else if (len > 0)
		wire->request.events->input(wire->request.user, &wire->client, data, len,
					    world.now);
}

static void wire_end(struct wire *wire)
{
	wire_give(wire, wire->held, wire->held_n);
	if (wire->request.is_put)
		wire->request.events->response(wire->request.user, &wire->client, 200,
					       world.now);
	wire_close(wire, HTTP_ENDED);
}

/* What is more than fits goes on: so do proxies that buffer. */
static bool is_held(const struct wire *wire, size_t len)
{
	const bool holds =
		wire->request.is_put ? world.holds_requests : world.holds_responses;
	return holds && wire->held_n + len <= ROOM;
}

static void wire_carry(struct wire *wire)
{
	static uint8_t bytes[ROOM];
	int n = wire->request.is_put
			? wire->request.events->output(wire->request.user, &wire->client,
						       bytes, ROOM, world.now)
			: wire->answer.events->output(wire->answer.user, &wire->server,
						      bytes, ROOM, world.now);
	if (n == -EPIPE) {
		wire_end(wire);
		return;
	}
	assert_true(n >= 0);
	wire->moved_at = n > 0 ? world.now : wire->moved_at;
	if (is_held(wire, (size_t)n)) {
		memcpy(wire->held + wire->held_n, bytes, (size_t)n);
		wire->held_n += (size_t)n;
		return;
	}
	wire_give(wire, wire->held, wire->held_n);
	wire->held_n = 0;
	wire_give(wire, bytes, (size_t)n);
}

static bool is_cut(const struct wire *wire)
{
	const bool is_old =
		world.lives_ms > 0 && world.now - wire->began_at >= world.lives_ms * MS;
	return is_old || (world.cuts_ms > 0 && wire->request.is_put &&
			  world.now - wire->moved_at >= world.cuts_ms * MS);
}

static void wire_step(struct wire *wire)
{
	if (!wire->is_used)
		return;
	if (wire->client.is_aborted || wire->server.is_aborted || is_cut(wire))
		wire_close(wire, HTTP_ABORTED);
	else if (!wire->is_answered)
		wire_answer(wire);
	else
		wire_carry(wire);
}

/* ---- an examination ---------------------------------------------------------------------- */

static bool is_stalled(const struct stalls *stalls)
{
	const uint64_t ms = (world.now - world.pieces_at) / MS;
	if (!world.has_pieces || stalls->each_ms == 0 ||
	    (world.rounds > 1 && !stalls->is_always))
		return false;
	return ms % stalls->each_ms < stalls->for_ms;
}

static void step_ms(void)
{
	struct weft_task *there = doctor_task(world.doctor);
	const bool is_here = !is_stalled(&world.here),
		   is_there = !is_stalled(&world.there);
	world.now += MS;
	if (is_here && world.task->deadline(world.task) <= world.now)
		world.task->run(world.task, world.now);
	if (is_there && there->deadline(there) <= world.now)
		there->run(there, world.now);
	for (size_t i = 0; i < WIRES && is_here && is_there; i++)
		wire_step(&world.wires[i]);
}

static void on_step(void *user, const char *text, unsigned seconds)
{
	(void)user;
	(void)seconds;
	world.has_pieces = strstr(text, "small pieces") != NULL;
	world.rounds += world.has_pieces;
	world.pieces_at = world.now;
}

static void on_finding(void *user, const struct weft_doctor_finding *finding)
{
	(void)user;
	assert_true(world.found_n < FOUND_MAX);
	(void)snprintf(world.found[world.found_n++], sizeof(world.found[0]), "%s",
		       finding->id);
}

static void on_done(void *user, const struct weft_doctor_summary *summary)
{
	(void)user;
	world.is_done = true;
	world.is_fit = summary->is_fit;
	world.silent_ns = summary->silent_ns;
	world.long_ns = summary->long_ns;
}

/* Examines the world that w describes. */
static void examine(const struct world *w)
{
	static const struct weft_doctor_events events = { .step = on_step,
							  .finding = on_finding,
							  .done = on_done };
	const struct weft_doctor_opts opts = { .url = "http://server/",
					       .token = "test",
					       .is_long = w->is_long };
	struct weft_doctor *exam;
	struct weft_error err;
	world = *w;
	world.now = 1000 * MS;
	assert_int_equal(doctor_new(&world.doctor), 0);
	assert_int_equal(weft_doctor_new(NULL, &opts, &events, NULL, &err, &exam), 0);
	for (unsigned ms = 0; ms < END_MS && !world.is_done; ms++)
		step_ms();
	assert_true(world.is_done);
	weft_doctor_free(exam);
	doctor_free(world.doctor);
}

static void expect(unsigned rounds, const char *id)
{
	assert_int_equal(world.rounds, rounds);
	for (size_t i = 0; i < world.found_n && !id; i++)
		fail_msg("%s", world.found[i]);
	assert_int_equal(world.found_n, id ? 1 : 0);
	if (id)
		assert_string_equal(world.found[0], id);
}

static void nothing_is_wrong(void **state)
{
	(void)state;
	examine(&(const struct world){ .has_pieces = false });
	expect(1, NULL);
	assert_true(world.is_fit);
}

static void requests_are_held(void **state)
{
	(void)state;
	examine(&(const struct world){ .holds_requests = true });
	expect(1, "request-buffered");
	assert_false(world.is_fit);
}

static void responses_are_held(void **state)
{
	(void)state;
	examine(&(const struct world){ .holds_responses = true });
	expect(1, "response-buffered");
}

/* Two seconds at the beginning, and not again: pieces are sent once more, and arrive in time. */
static void the_server_is_busy_for_a_moment(void **state)
{
	(void)state;
	examine(&(const struct world){ .there = { 2000, 20000, false } });
	expect(2, NULL);
	assert_true(world.is_fit);
}

static void we_are_busy_for_a_moment(void **state)
{
	(void)state;
	examine(&(const struct world){ .here = { 2000, 20000, false } });
	expect(2, NULL);
}

/* Then nobody can tell, and nobody is accused. */
static void the_server_is_busy_all_the_time(void **state)
{
	(void)state;
	examine(&(const struct world){ .there = { 1900, 2300, true } });
	expect(3, "busy");
	assert_true(world.is_fit);
}

static void a_proxy_that_holds_is_found_beside_a_busy_server(void **state)
{
	(void)state;
	examine(&(const struct world){ .holds_requests = true,
				       .there = { 2000, 20000, false } });
	expect(2, "request-buffered");
	examine(&(const struct world){ .holds_responses = true,
				       .there = { 400, 500, true } });
	expect(1, "response-buffered");
}

/* Who was busy has kept the silence short, in the first round. */
static void a_time_out_is_found_beside_a_busy_server(void **state)
{
	(void)state;
	examine(&(const struct world){ .cuts_ms = 3000 });
	expect(1, "request-timeout");
	examine(&(const struct world){ .cuts_ms = 3000,
				       .there = { 5000, 60000, false } });
	expect(2, "request-timeout");
}

/* A minute of silence and five of small pieces, side by side. */
static void a_long_examination_takes_five_minutes(void **state)
{
	(void)state;
	examine(&(const struct world){ .has_pieces = false });
	assert_true(world.now < 30 * S);
	assert_true(world.silent_ns < 10 * S && world.long_ns == 0);
	examine(&(const struct world){ .is_long = true });
	expect(1, NULL);
	assert_true(world.is_fit);
	assert_true(world.now > 300 * S && world.now < 320 * S);
	assert_true(world.silent_ns >= 65 * S && world.long_ns >= 300 * S);
}

/* What proxies are like whose time-out is the usual minute: a tunnel is silent for 55 s. */
static void a_time_out_of_a_minute_is_found_by_a_long_one(void **state)
{
	(void)state;
	examine(&(const struct world){ .cuts_ms = 60000 });
	expect(1, NULL);
	examine(&(const struct world){ .cuts_ms = 60000, .is_long = true });
	expect(1, "request-timeout");
	assert_false(world.is_fit);
}

static void a_limit_of_a_requests_life_is_found_by_a_long_one(void **state)
{
	(void)state;
	examine(&(const struct world){ .lives_ms = 240000 });
	expect(1, NULL);
	examine(&(const struct world){ .lives_ms = 240000, .is_long = true });
	assert_int_equal(world.found_n, 2);
	assert_string_equal(world.found[0], "response-length");
	assert_string_equal(world.found[1], "request-length");
	assert_true(world.is_fit); /* A tunnel makes its requests anew. */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong),
		cmocka_unit_test(requests_are_held),
		cmocka_unit_test(responses_are_held),
		cmocka_unit_test(the_server_is_busy_for_a_moment),
		cmocka_unit_test(we_are_busy_for_a_moment),
		cmocka_unit_test(the_server_is_busy_all_the_time),
		cmocka_unit_test(a_proxy_that_holds_is_found_beside_a_busy_server),
		cmocka_unit_test(a_time_out_is_found_beside_a_busy_server),
		cmocka_unit_test(a_long_examination_takes_five_minutes),
		cmocka_unit_test(a_time_out_of_a_minute_is_found_by_a_long_one),
		cmocka_unit_test(a_limit_of_a_requests_life_is_found_by_a_long_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
