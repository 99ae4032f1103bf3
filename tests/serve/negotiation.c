/* SPDX-License-Identifier: MIT */
/*
 * The option negotiation automaton.
 */
#include "serve/negotiation.h"

#include "../unit.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(negotiation_state_name(NEGOTIATION_STARTING), "starting");
	assert_string_equal(negotiation_state_name(NEGOTIATION_OPENED), "opened");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
