/* SPDX-License-Identifier: MIT */
/*
 * What a server answers to those who examine the path to it: each test is one request, with
 * the HTTP face played here.
 */
#include "tunnel/doctor.h"

#include "../unit.h"
#include "http/http.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define MS    1000000ull
#define RUN   "run=0123456789abcdef"
#define START 5000000000ull

struct http_stream {
	const char *asked; /* x-weft */
	bool is_woken;
};

static struct doctor *doctor;
static struct http_answer answer;

/* ---- the face ---------------------------------------------------------------------------- */

const char *http_stream_header(const struct http_stream *stream, const char *name)
{
	if (strcmp(name, "x-weft") == 0)
		return stream->asked;
	if (strcmp(name, "x-pad") == 0)
		return "12345";
	return strcmp(name, "via") == 0 ? "1.1 gate" : NULL;
}

unsigned http_stream_version(const struct http_stream *stream)
{
	(void)stream;
	return 11;
}

void http_stream_wake(struct http_stream *stream)
{
	stream->is_woken = true;
}

/* ---- helpers ----------------------------------------------------------------------------- */

static int set_up(void **state)
{
	(void)state;
	return doctor_new(START, &doctor);
}

static int tear_down(void **state)
{
	(void)state;
	doctor_free(doctor);
	return 0;
}

static void ask(struct http_stream *stream, const char *method, uint64_t now)
{
	const struct http_request request = { .method = method, .path = "/tunnel/" };
	memset(&answer, 0, sizeof(answer));
	stream->is_woken = false;
	doctor_request(doctor, stream, &request, &answer, now);
}

static int take(struct http_stream *stream, char *buf, size_t len, uint64_t now)
{
	return answer.events->output(answer.user, stream, (uint8_t *)buf, len, now);
}

static void end(struct http_stream *stream, enum http_end how, uint64_t now)
{
	const struct weft_error none = { .text = "" };
	answer.events->closed(answer.user, stream, how, &none, now);
}

static uint64_t due(void)
{
	return doctor_task(doctor)->deadline(doctor_task(doctor));
}

static void run_at(uint64_t now)
{
	doctor_task(doctor)->run(doctor_task(doctor), now);
}

/* The whole of an answer that is text. */
static json_t *read_json(struct http_stream *stream, uint64_t now)
{
	char text[4096];
	size_t len = 0;
	int r;
	while ((r = take(stream, text + len, 10, now)) > 0)
		len += (size_t)r;
	assert_int_equal(r, -EPIPE);
	json_t *object = json_loadb(text, len, 0, NULL);
	assert_non_null(object);
	end(stream, HTTP_ENDED, now);
	return object;
}

/* ---- the tests --------------------------------------------------------------------------- */

static void only_its_own_requests_are_for_it(void **state)
{
	(void)state;
	assert_true(
		doctor_is_asked(&(struct http_stream){ .asked = "doctor; test=look" }));
	assert_false(doctor_is_asked(&(struct http_stream){ .asked = "v=1; mode=ip" }));
	assert_false(doctor_is_asked(&(struct http_stream){ .asked = NULL }));
}

static void look_tells_what_has_come(void **state)
{
	(void)state;
	struct http_stream stream = { .asked = "doctor; test=look; pad=3000" };
	ask(&stream, "GET", START);
	assert_int_equal(answer.status, 0);
	assert_string_equal(answer.headers[0].name, "x-weft-doctor");
	assert_string_equal(answer.headers[1].name, "x-pad");
	assert_int_equal(strlen(answer.headers[1].value), 3000);
	json_t *object = read_json(&stream, START);
	const json_t *headers = json_object_get(object, "headers");
	assert_int_equal(json_integer_value(json_object_get(object, "version")), 11);
	assert_int_equal(json_integer_value(json_object_get(object, "since")), START);
	assert_string_equal(json_string_value(json_object_get(headers, "via")),
			    "1.1 gate");
	assert_int_equal(json_integer_value(json_object_get(headers, "x-pad")), 5);
	assert_null(json_object_get(headers, "x-api-key"));
	json_decref(object);
}

static void drip_gives_a_piece_now_and_then(void **state)
{
	(void)state;
	struct http_stream stream = {
		.asked = "doctor; test=drip; count=3; gap=250; size=4"
	};
	char buf[16];
	ask(&stream, "GET", START);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 4);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 0);
	assert_int_equal(due(), START + 250 * MS);
	run_at(START + 250 * MS);
	assert_true(stream.is_woken);
	assert_int_equal(take(&stream, buf, 3, START), 3);
	assert_int_equal(take(&stream, buf, 3, START), 1);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 0);
	run_at(START + 500 * MS);
	assert_int_equal(due(), WEFT_NEVER);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 4);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), -EPIPE);
	end(&stream, HTTP_ENDED, START);
}

static void who_does_not_read_costs_no_time(void **state)
{
	(void)state;
	struct http_stream stream = {
		.asked = "doctor; test=drip; count=2; gap=100; size=4"
	};
	ask(&stream, "GET", START);
	run_at(START + 5000 * MS);
	assert_int_equal(due(), WEFT_NEVER);
	end(&stream, HTTP_ABORTED, START);
}

static void flood_ends_by_time_or_size(void **state)
{
	(void)state;
	struct http_stream stream = { .asked = "doctor; test=flood; ms=100; size=100" };
	char buf[64];
	ask(&stream, "GET", START);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 64);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 36);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), -EPIPE);
	end(&stream, HTTP_ENDED, START);
	ask(&stream, "GET", START);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 64);
	assert_int_equal(take(&stream, buf, sizeof(buf), START + 100 * MS), -EPIPE);
	end(&stream, HTTP_ENDED, START);
}

static void sip(struct http_stream *stream, size_t len, uint64_t now)
{
	uint8_t bytes[64] = { 0 };
	answer.events->input(answer.user, stream, bytes, len, now);
}

static void a_report_says_when_what_came(void **state)
{
	(void)state;
	struct http_stream put = { .asked = "doctor; test=sip; " RUN "; part=3" };
	struct http_stream get = { .asked = "doctor; test=report; " RUN };
	ask(&put, "PUT", START);
	sip(&put, 10, START + 5 * MS);
	sip(&put, 20, START + 5 * MS);
	sip(&put, 1, START + 300 * MS);
	end(&put, HTTP_ENDED, START + 301 * MS);

	ask(&get, "GET", START + 400 * MS);
	json_t *object = read_json(&get, START);
	char *text = json_dumps(object, JSON_COMPACT);
	assert_string_equal(text, "{\"since\":5000000000,\"puts\":["
				  "{\"part\":3,\"version\":11,\"coding\":\"\","
				  "\"bytes\":31,\"open\":false,\"whole\":true,"
				  "\"notes\":[[5,30],[300,31]]}]}");
	free(text);
	json_decref(object);
}

static void a_report_is_for_its_own_run(void **state)
{
	(void)state;
	struct http_stream put = { .asked = "doctor; test=sip; " RUN };
	struct http_stream get = { .asked = "doctor; test=report; run=ffffffffffffffff" };
	ask(&put, "PUT", START);
	end(&put, HTTP_ABORTED, START);
	ask(&get, "GET", START);
	json_t *object = read_json(&get, START);
	assert_int_equal(json_array_size(json_object_get(object, "puts")), 0);
	json_decref(object);
}

static void notes_are_bounded_and_their_sum_is_right(void **state)
{
	(void)state;
	struct http_stream put = { .asked = "doctor; test=sip; " RUN };
	struct http_stream get = { .asked = "doctor; test=report; " RUN };
	ask(&put, "PUT", START);
	for (unsigned i = 0; i < 1000; i++)
		sip(&put, 7, START + i * MS);
	end(&put, HTTP_ENDED, START);
	ask(&get, "GET", START);
	json_t *object = read_json(&get, START);
	json_t *one = json_array_get(json_object_get(object, "puts"), 0);
	json_t *notes = json_object_get(one, "notes");
	assert_int_equal(json_integer_value(json_object_get(one, "bytes")), 7000);
	assert_int_equal(json_array_size(notes), DOCTOR_NOTES_MAX);
	json_decref(object);
}

static void notes_are_forgotten(void **state)
{
	(void)state;
	struct http_stream put = { .asked = "doctor; test=sip; " RUN };
	ask(&put, "PUT", START);
	assert_int_equal(due(), WEFT_NEVER);
	end(&put, HTTP_ENDED, START);
	assert_int_equal(due(), START + DOCTOR_KEPT_NS);
	run_at(START + DOCTOR_KEPT_NS);
	assert_int_equal(due(), WEFT_NEVER);
}

/* A long examination asks for them when it has been there for five minutes. */
static void notes_are_kept_while_their_run_goes_on(void **state)
{
	const uint64_t kept = START + DOCTOR_KEPT_NS;
	struct http_stream put = { .asked = "doctor; test=sip; " RUN };
	struct http_stream lasting = { .asked = "doctor; test=sip; " RUN };
	struct http_stream other = { .asked = "doctor; test=sip; run=0123456789abcdee" };
	(void)state;
	ask(&put, "PUT", START);
	end(&put, HTTP_ENDED, START);
	ask(&other, "PUT", START);
	ask(&lasting, "PUT", START);
	run_at(kept);
	assert_int_equal(due(), kept + DOCTOR_KEPT_NS);
	end(&lasting, HTTP_ENDED, kept);
	run_at(kept + DOCTOR_KEPT_NS);
	assert_int_equal(due(), WEFT_NEVER);
}

static void there_are_only_so_many_visits(void **state)
{
	(void)state;
	struct http_stream put = { .asked = "doctor; test=sip; " RUN };
	for (unsigned i = 0; i < DOCTOR_VISITS_MAX; i++) {
		ask(&put, "PUT", START);
		assert_int_equal(answer.status, 0);
		end(&put, HTTP_ENDED, START);
	}
	ask(&put, "PUT", START);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.headers[0].name, "x-weft-doctor");
	run_at(START + DOCTOR_KEPT_NS);
	ask(&put, "PUT", START + DOCTOR_KEPT_NS);
	assert_int_equal(answer.status, 0);
	end(&put, HTTP_ENDED, START);
}

static void what_is_no_test_is_refused(void **state)
{
	static const char *const asked[] = {
		"doctor",
		"doctor; test=",
		"doctor; test=looks",
		"doctor; test=sip",
		"doctor; test=drip",
		"doctor; test=drip; count=0; size=3",
		"doctor; test=drip; count=x; size=3",
		"doctor; ;;;===; test",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct http_stream stream = { .asked = asked[i] };
		ask(&stream, "GET", START);
		assert_int_equal(answer.status, 400);
	}
	struct http_stream put = { .asked = "doctor; test=look" };
	ask(&put, "PUT", START);
	assert_int_equal(answer.status, 400);
}

static void numbers_have_limits(void **state)
{
	(void)state;
	char buf[16];
	struct http_stream stream = {
		.asked = "doctor; test=drip; count=99999999999999999999999; "
			 "gap=99999999999999999999999; size=1; pad=99999999999"
	};
	ask(&stream, "GET", START);
	assert_int_equal(strlen(answer.headers[1].value), DOCTOR_PAD_MAX);
	assert_int_equal(take(&stream, buf, sizeof(buf), START), 1);
	assert_int_equal(due(), START + 180000 * MS);
	end(&stream, HTTP_ABORTED, START);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_its_own_requests_are_for_it),
		TEST(look_tells_what_has_come),
		TEST(drip_gives_a_piece_now_and_then),
		TEST(who_does_not_read_costs_no_time),
		TEST(flood_ends_by_time_or_size),
		TEST(a_report_says_when_what_came),
		TEST(a_report_is_for_its_own_run),
		TEST(notes_are_bounded_and_their_sum_is_right),
		TEST(notes_are_forgotten),
		TEST(notes_are_kept_while_their_run_goes_on),
		TEST(there_are_only_so_many_visits),
		TEST(what_is_no_test_is_refused),
		TEST(numbers_have_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
