/* SPDX-License-Identifier: MIT */
/*
 * Two TCPs with each other, over networks that are good, bad and impossible. Whatever the
 * network does, what is read is what was written, and in the end nothing is left.
 */
#include "../unit.h"
#include "tcp_world.h"

static void a_handshake_data_both_ways_and_an_end(void **state)
{
	(void)state;
	struct world w;
	struct net net = { .delay_ns = MS(10) };
	world_init(&w, 1, &net, NULL, NULL);
	w.host[0].to_write = 100000;
	w.host[1].to_write = 50000;
	w.host[0].closes = w.host[1].closes = true;
	world_connect(&w);
	assert_int_equal(w.host[0].conn->state, TCP_SYN_SENT);
	world_finish(&w, S(5));
	assert_int_equal(w.host[0].error, 0);
	assert_int_equal(w.host[1].error, 0);
	assert_true(w.now < S(1000) + MS(500));
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_data_both_ways_and_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
