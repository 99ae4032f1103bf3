/* SPDX-License-Identifier: MIT */
/*
 * Lines of frames for people.
 */
#include "cli/hexdump.h"

#include "../unit.h"

static void test_lines_have_one_length(void **state)
{
	static const uint8_t data[] = "Hello, frame!\0\x7f\xff~ end";
	char line[HEXDUMP_TEXT];
	(void)state;
	assert_string_equal(hexdump_line(data, 20, 0, line),
			    "0000000000000000 | 48 65 6C 6C 6F 2C 20 66 72 61 6D 65 21 "
			    "00 7F FF | Hello, frame!   ");
	assert_string_equal(hexdump_line(data, 20, 16, line),
			    "0000000000000010 | 7E 20 65 6E                            "
			    "         | ~ en            ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_have_one_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
