/* SPDX-License-Identifier: MIT */
/*
 * When facts are printed in between.
 */
#include "cli/output.h"

#include "../unit.h"
#include "cli/units.h"

static void facts_are_due_each_minute(void **state)
{
	const struct output_opts opts = { .json = true };
	const uint64_t start = 7 * NS_PER_S;
	struct output out;

	(void)state;
	output_init(&out, &opts);
	for (unsigned second = 0; second <= 200; second++)
		assert_int_equal(output_facts_are_due(&out, start + second * NS_PER_S),
				 second == 60 || second == 120 || second == 180);
}

static void without_json_there_are_none(void **state)
{
	const struct output_opts opts = { .quiet = true };
	struct output out;

	(void)state;
	output_init(&out, &opts);
	assert_false(output_facts_are_due(&out, NS_PER_S));
	assert_false(output_facts_are_due(&out, 100 * NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_are_due_each_minute),
		cmocka_unit_test(without_json_there_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
