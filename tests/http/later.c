/* SPDX-License-Identifier: MIT */
/*
 * Requests that wait for their answer: the world keeps those to /later until a test lets it
 * answer, and says then whether they are refused.
 */
#include "http/world.h"

#define MB (1024ull * 1024)

static struct world w;

static void answer_now(bool refuses)
{
	w.may_answer = true;
	w.refuses_late = refuses;
	http_stream_ask(w.waiting);
}

/* Others have theirs meanwhile, and to be asked too early does no harm. */
static void a_get_may_wait_for_its_answer(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = MB, .out_ready = MB });
	struct end *get = world_get(&w, "/later");
	world_until(&w, w.later_n == 1);
	struct end *other = world_get(&w, "/");
	world_until(&w, other->closings);
	assert_int_equal(other->in_len, MB);
	http_stream_ask(w.waiting);
	world_until(&w, w.later_n == 2);
	world_settle(&w);
	assert_int_equal(get->responses, 0);
	answer_now(false);
	world_until(&w, get->closings);
	assert_int_equal(get->status, 200);
	assert_int_equal(get->in_len, MB);
	assert_false(get->is_wrong);
	assert_int_equal(w.given_up_n, 0);
	world_stop(&w);
}

static void a_put_may_wait_for_its_answer(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *put = world_put(&w, "/later", 5 * MB);
	world_until(&w, w.later_n == 1);
	world_settle(&w);
	http_stream_ask(w.waiting);
	world_until(&w, w.later_n == 2);
	assert_int_equal(put->closings, 0);
	answer_now(false);
	world_until(&w, put->closings && w.served[0].closings);
	assert_int_equal(put->status, 200);
	assert_int_equal(w.served[0].in_len, 5 * MB);
	assert_false(w.served[0].is_wrong);
	assert_int_equal(w.served[0].end, HTTP_ENDED);
	world_stop(&w);
}

static void who_has_waited_may_be_refused(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *get = world_get(&w, "/later");
	world_until(&w, w.later_n == 1);
	answer_now(true);
	world_until(&w, get->closings);
	assert_int_equal(get->status, 403);
	assert_int_equal(get->end, HTTP_FAILED);

	w.may_answer = false;
	struct end *put = world_put(&w, "/later", MB);
	world_until(&w, w.later_n == 2);
	answer_now(true);
	world_until(&w, put->closings);
	assert_int_not_equal(put->end, HTTP_ENDED);
	assert_int_equal(w.served_n, 0);
	world_stop(&w);
}

/* The connection is let go of when the time for heads is over, and its user hears of it. */
static void nobody_waits_for_ever(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	(void)world_get(&w, "/later");
	world_until(&w, w.later_n == 1);
	world_skip(&w, 31000000000ull);
	world_until(&w, w.given_up_n == 1);
	world_stop(&w);

	world_start(&w, &(struct world_opts){ 0 });
	(void)world_put(&w, "/later", MB);
	world_until(&w, w.later_n == 1);
	world_stop(&w);
	assert_int_equal(w.given_up_n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_may_wait_for_its_answer),
		cmocka_unit_test(a_put_may_wait_for_its_answer),
		cmocka_unit_test(who_has_waited_may_be_refused),
		cmocka_unit_test(nobody_waits_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
