/* SPDX-License-Identifier: MIT */
/*
 * When a client tries again. Seeds are printed: what is between two bounds is by chance.
 */
#include "tunnel/request.h"

#include "../unit.h"
#include "packets.h"

#include <string.h>

#define START (100 * S)
#define TIMES 1000u

static uint64_t wait_of(struct retry *retry, enum http_end end, uint64_t age,
			uint64_t now)
{
	const struct request request = { .since = now - age };
	return request_retry(&request, retry, end, now) - now;
}

static void after_a_failure_by_chance(void **state)
{
	struct retry retry = { .goodbye = 0 };
	uint64_t least = UINT64_MAX, most = 0;
	(void)state;
	rng_init(&retry.rng, test_seed());
	for (unsigned i = 0; i < TIMES; i++) {
		const enum http_end end = i % 2 ? HTTP_FAILED : HTTP_ABORTED;
		const uint64_t wait = wait_of(&retry, end, 60 * S, START);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_true(least >= 3 * S && least < 4 * S);
	assert_true(most < 10 * S && most > 9 * S);
}

static void at_once_after_a_regular_end(void **state)
{
	struct retry retry = { .goodbye = 0 };
	(void)state;
	rng_init(&retry.rng, test_seed());
	assert_true(wait_of(&retry, HTTP_ENDED, S, START) == 0);
	assert_true(retry.goodbye == START);
}

static void not_at_once_where_it_ends_at_once(void **state)
{
	struct retry retry = { .goodbye = 0 };
	(void)state;
	rng_init(&retry.rng, test_seed());
	for (unsigned i = 0; i < TIMES; i++)
		assert_true(wait_of(&retry, HTTP_ENDED, S - 1, START) >= 3 * S);
}

static void more_often_after_a_goodbye(void **state)
{
	struct retry retry = { .goodbye = START };
	(void)state;
	rng_init(&retry.rng, test_seed());
	for (unsigned i = 0; i < TIMES; i++) {
		const uint64_t wait = wait_of(&retry, HTTP_FAILED, 0, START + 10 * S - 1);
		assert_true(wait >= S / 2 && wait < S);
		assert_true(wait_of(&retry, HTTP_FAILED, 0, START + 10 * S) >= 3 * S);
	}
}

static void reasons_are_said_in_words(void **state)
{
	struct weft_error empty = { .text = "" }, cause = { .text = "no route" };
	(void)state;
	const struct request unknown = { .status = 403 }, other = { .status = 409 };
	const struct request lost = { .status = 0 };
	assert_non_null(strstr(request_reason(&unknown, HTTP_FAILED, &cause), "token"));
	assert_non_null(strstr(request_reason(&other, HTTP_FAILED, &cause), "\"mode\""));
	assert_string_equal(request_reason(&lost, HTTP_FAILED, &cause), "no route");
	assert_string_equal(request_reason(&lost, HTTP_ABORTED, &empty),
			    "the connection was lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_failure_by_chance),
		cmocka_unit_test(at_once_after_a_regular_end),
		cmocka_unit_test(not_at_once_where_it_ends_at_once),
		cmocka_unit_test(more_often_after_a_goodbye),
		cmocka_unit_test(reasons_are_said_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
