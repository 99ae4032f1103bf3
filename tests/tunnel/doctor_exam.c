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
#define START_MS  1000u
#define END_MS    400000u

struct http_stream {
	struct wire *wire;
	bool is_server, is_aborted;
};

struct wire {
	bool is_used, is_answered;
	unsigned number;
	struct http_client_request request;
	char *headers[HEADERS];
	struct http_answer answer;
	struct http_stream client, server;
	uint8_t held[ROOM]; /* by a path that buffers */
	size_t held_n;
	uint64_t began_at, moved_at;
};

/* What becomes of the server while small pieces are sent. */
struct fate {
	unsigned at_ms; /* 0: nothing becomes of it. */
	bool is_back;   /* At once, as a new one, */
	bool has_proxy; /* or what is before it says that it is not there. */
	bool is_full;   /* Others examine it from then on, as many as it lets. */
};

/* Stalls while small pieces are sent: so long in each period, but for further rounds. */
struct stalls {
	unsigned for_ms, each_ms;
	bool is_always; /* in further rounds as well */
};

/* Which requests hang for ever; zero: none. */
struct tarpit {
	unsigned after_n;  /* All after so many, */
	unsigned after_ms; /* all so long after small pieces have begun, */
	const char *test;  /* and those for this. */
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
	unsigned rate;     /* Most bytes that pass in a millisecond; 0: what is there. */
	struct tarpit tarpit;
	const char *name;   /* What is before the server says that it is, */
	const char *coding; /* and what it does to responses. */
	const char *notes;  /* Told in place of those that the server has taken. */
	struct stalls here, there;
	struct fate fate;
	bool is_fulfilled;
	uint64_t now, pieces_at;
	bool has_pieces, is_done, is_fit;
	uint64_t silent_ns, long_ns; /* What was tried. */
	unsigned rounds;             /* of small pieces */
	unsigned requests;
	char server[64];
	char found[FOUND_MAX][32], text[480]; /* of the first */
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
	if (strcmp(name, "server") == 0)
		return world.name;
	if (strcmp(name, "content-encoding") == 0)
		return world.coding;
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
			       .number = ++world.requests,
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

static void wire_close(struct wire *wire, enum http_end end, const char *why)
{
	struct weft_error err;
	const struct http_client_request *request = &wire->request;
	(void)weft_error_set(&err, 0, "%s", why);
	if (wire->answer.events)
		wire->answer.events->closed(wire->answer.user, &wire->server, end, &err,
					    world.now);
	request->events->closed(request->user, &wire->client, end, &err, world.now);
	for (size_t i = 0; i < HEADERS; i++)
		free(wire->headers[i]);
	wire->is_used = false;
}

static void wire_respond(struct wire *wire, unsigned status)
{
	wire->request.events->response(wire->request.user, &wire->client, status,
				       world.now);
}

static void wire_answer(struct wire *wire)
{
	const struct http_request request = { .method = wire->request.is_put ? "PUT"
									     : "GET",
					      .path = "/" };
	wire->is_answered = true;
	doctor_request(world.doctor, &wire->server, &request, &wire->answer, world.now);
	if (wire->answer.status) {
		wire_respond(wire, wire->answer.status);
		wire_close(wire, HTTP_FAILED, "it is full");
	} else if (!wire->request.is_put)
		wire_respond(wire, 200);
}

/* There is no server. */
static void wire_refuse(struct wire *wire)
{
	if (world.fate.has_proxy)
		wire_respond(wire, 502);
	wire_close(wire, HTTP_FAILED,
		   world.fate.has_proxy ? "it answers 502" : "nobody is there");
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
		wire_respond(wire, 200);
	wire_close(wire, HTTP_ENDED, "");
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
	const size_t room = world.rate > 0 ? world.rate : ROOM;
	int n = wire->request.is_put
			? wire->request.events->output(wire->request.user, &wire->client,
						       bytes, room, world.now)
			: wire->answer.events->output(wire->answer.user, &wire->server,
						      bytes, room, world.now);
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

static bool is_test(const struct wire *wire, const char *test)
{
	return strstr(request_header(wire, "x-weft"), test) != NULL;
}

static bool hangs(const struct wire *wire, const struct tarpit *tarpit)
{
	const uint64_t end = world.pieces_at + tarpit->after_ms * MS;
	return (tarpit->after_n > 0 && wire->number > tarpit->after_n) ||
	       (tarpit->after_ms > 0 && world.rounds > 0 && wire->began_at >= end) ||
	       (tarpit->test && is_test(wire, tarpit->test));
}

/* The server's word, but for what has been noted. */
static void wire_lie(struct wire *wire)
{
	char text[500];
	wire_answer(wire);
	(void)snprintf(text, sizeof(text), "{\"since\": %u000000, \"puts\": %s}",
		       START_MS, world.notes);
	wire_give(wire, (uint8_t *)text, strlen(text));
	wire_close(wire, HTTP_ENDED, "");
}

static void wire_step(struct wire *wire)
{
	if (!wire->is_used)
		return;
	if (wire->client.is_aborted || wire->server.is_aborted || is_cut(wire))
		wire_close(wire, HTTP_ABORTED, "it is cut");
	else if (!world.doctor)
		wire_refuse(wire);
	else if (hangs(wire, &world.tarpit))
		return;
	else if (is_test(wire, "test=report") && world.notes)
		wire_lie(wire);
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

static bool is_visited_by_another(void)
{
	static char asked[] = "x-weft: doctor; test=sip; run=ff";
	static const struct http_request put = { .method = "PUT", .path = "/" };
	static struct wire wire = { .headers = { asked } };
	wire.server = (struct http_stream){ .wire = &wire, .is_server = true };
	doctor_request(world.doctor, &wire.server, &put, &wire.answer, world.now);
	return wire.answer.status == 0;
}

static void end_server(void)
{
	for (size_t i = 0; i < WIRES; i++)
		if (world.wires[i].is_used)
			wire_close(&world.wires[i], HTTP_ABORTED, "it is cut");
	doctor_free(world.doctor);
	world.doctor = NULL;
	if (world.fate.is_back)
		assert_int_equal(doctor_new(world.now, &world.doctor), 0);
}

static void fulfil(const struct fate *fate)
{
	const bool is_due =
		world.has_pieces && world.now >= world.pieces_at + fate->at_ms * MS;
	if (fate->at_ms == 0 || world.is_fulfilled || !is_due)
		return;
	world.is_fulfilled = true;
	while (fate->is_full && is_visited_by_another())
		;
	if (!fate->is_full)
		end_server();
}

static void run_task(struct weft_task *task)
{
	if (task->deadline(task) <= world.now)
		task->run(task, world.now);
}

static void step_ms(void)
{
	const bool is_here = !is_stalled(&world.here),
		   is_there = !is_stalled(&world.there);
	world.now += MS;
	fulfil(&world.fate);
	if (is_here)
		run_task(world.task);
	if (is_there && world.doctor)
		run_task(doctor_task(world.doctor));
	for (size_t i = 0; i < WIRES && is_here && is_there; i++)
		wire_step(&world.wires[i]);
}

static void on_step(void *user, const char *text, unsigned seconds)
{
	(void)user;
	(void)seconds;
	world.has_pieces = strstr(text, "small pieces") != NULL;
	world.rounds += world.has_pieces;
	world.pieces_at = world.has_pieces ? world.now : world.pieces_at;
}

static void on_finding(void *user, const struct weft_doctor_finding *finding)
{
	(void)user;
	assert_true(world.found_n < FOUND_MAX);
	if (world.found_n == 0)
		(void)snprintf(world.text, sizeof(world.text), "%s", finding->text);
	(void)snprintf(world.found[world.found_n++], sizeof(world.found[0]), "%s",
		       finding->id);
}

static void on_done(void *user, const struct weft_doctor_summary *summary)
{
	(void)user;
	world.is_done = true;
	world.is_fit = summary->is_fit;
	(void)snprintf(world.server, sizeof(world.server), "%s", summary->server);
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
	world.now = START_MS * MS;
	assert_int_equal(doctor_new(world.now, &world.doctor), 0);
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

/* All its streams are cut, and none by a proxy: as early as it can end, and late in a silence. */
static void a_server_that_ends_blames_no_proxy(void **state)
{
	static const unsigned at_ms[] = { 1, 1000, 3100, 6900 };
	(void)state;
	for (size_t i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++) {
		examine(&(const struct world){ .fate = { .at_ms = at_ms[i] } });
		expect(1, "gone");
		assert_non_null(strstr(world.text, "nobody is there"));
		examine(&(const struct world){
			.fate = { .at_ms = at_ms[i], .has_proxy = true } });
		expect(1, "gone");
		assert_non_null(strstr(world.text, "it answers 502"));
		examine(&(const struct world){
			.fate = { .at_ms = at_ms[i], .is_back = true } });
		expect(1, "restarted");
	}
	assert_false(world.is_fit);
	examine(&(const struct world){ .fate = { .at_ms = 1000, .has_proxy = true },
				       .coding = "gzip" }); /* a page of the proxy's */
	expect(1, "gone");
}

/* What was under way goes on, and what comes after it finds no room. */
static void a_server_that_is_full_blames_no_proxy(void **state)
{
	(void)state;
	examine(&(const struct world){ .fate = { .at_ms = 2000, .is_full = true } });
	expect(1, "full");
}

/* Whichever request hangs, the examination ends: each stage takes 16 s then, or 22 s. */
static void a_server_that_hangs_is_given_up(void **state)
{
	(void)state;
	examine(&(const struct world){ .tarpit = { .test = "test=look" } });
	expect(0, "unreachable");
	assert_string_equal(world.text, "No whole answer came in time");
	assert_true(world.now < 20 * S);
	for (unsigned n = 1; n < 12; n++) {
		examine(&(const struct world){ .tarpit = { .after_n = n } });
		expect(1, "gone");
		assert_non_null(strstr(world.text, "No whole answer came in time"));
		assert_true(world.now < 80 * S);
	}
}

/* We come late to the end of the small pieces' time, when another small request is due as well. */
static void nothing_more_begins_when_the_time_is_over(void **state)
{
	(void)state;
	examine(&(const struct world){
		.here = { 200, 21900, true },
		.tarpit = { .after_ms = 22000, .test = "test=drip" } });
	expect(1, "gone");
}

/* Our time for an upload is over before its size has come that limits are looked for with. */
static void a_slow_way_is_no_limit_of_sizes(void **state)
{
	(void)state;
	examine(&(const struct world){ .rate = 500 });
	expect(1, NULL);
	assert_true(world.is_fit);
}

static void what_a_server_calls_itself_is_shown_in_plain_letters(void **state)
{
	(void)state;
	examine(&(const struct world){ .name = "nginx\033[2J\t\177\303\244 ~" });
	assert_string_equal(world.server, "nginx?[2J???? ~");
}

/* Numbers beyond all examinations: they are a lie, and no overflow. */
static void notes_may_be_a_lie(void **state)
{
	char notes[200];
	(void)state;
	(void)snprintf(notes, sizeof(notes),
		       "[{\"part\": %d, \"notes\": [[-1, 2], [9223372036854775807, 4],"
		       " [0, 9223372036854775807], \"\", [], {}]}, 0]",
		       EXAM_SIP);
	examine(&(const struct world){ .notes = notes });
	assert_string_equal(world.found[0], "request-buffered");
	assert_non_null(strstr(world.text, "4294970.0 s"));
}

static void a_report_that_cannot_be_read_blames_no_proxy(void **state)
{
	(void)state;
	examine(&(const struct world){ .notes = "7" });
	expect(1, "gone");
	assert_non_null(strstr(world.text, "The last answer cannot be read"));
	examine(&(const struct world){ .notes = "", .coding = "gzip" });
	assert_string_equal(world.found[0], "compressed");
	assert_int_equal(world.found_n, 1);
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
		cmocka_unit_test(a_server_that_ends_blames_no_proxy),
		cmocka_unit_test(a_server_that_is_full_blames_no_proxy),
		cmocka_unit_test(a_server_that_hangs_is_given_up),
		cmocka_unit_test(nothing_more_begins_when_the_time_is_over),
		cmocka_unit_test(a_slow_way_is_no_limit_of_sizes),
		cmocka_unit_test(what_a_server_calls_itself_is_shown_in_plain_letters),
		cmocka_unit_test(notes_may_be_a_lie),
		cmocka_unit_test(a_report_that_cannot_be_read_blames_no_proxy),
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
