/* SPDX-License-Identifier: MIT */
/*
 * Times in, times, rates and sizes out.
 */
#include "cli/units.h"

#include "../unit.h"

#include <errno.h>

static void parses_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "1ns", 1 },
		{ "150us", 150000 },
		{ "20ms", 20000000 },
		{ "1.5s", 1500000000 },
		{ "5min", 300 * NS_PER_S },
		{ "2H", 7200 * NS_PER_S },
		{ "3d", 259200 * NS_PER_S },
		{ "876000h", UINT64_C(876000) * 3600 * NS_PER_S },
	};
	uint64_t ns;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(units_parse_duration(good[i].text, &ns), 0);
		assert_int_equal(ns, good[i].ns);
	}
}

static void refuses_what_is_no_duration(void **state)
{
	static const char *const bad[] = { "",     "20",   "s",   "-1s",  "1.2.3s",
					   "1e3s", "0x1s", "1 s", "nan",  "inf",
					   "5m",   "1s2s", "1s ", "1,5s", "+1s" };
	uint64_t ns = 7;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(units_parse_duration(bad[i], &ns), -EINVAL);
	assert_int_equal(units_parse_duration("876001h", &ns), -ERANGE);
	assert_int_equal(units_parse_duration("99999999999999999999h", &ns), -ERANGE);
	assert_int_equal(ns, 7);
}

static void prints_for_people(void **state)
{
	char buf[UNITS_TEXT];
	(void)state;
	assert_string_equal(units_print_rate(0, buf), "0 bit/s");
	assert_string_equal(units_print_rate(850, buf), "850 bit/s");
	assert_string_equal(units_print_rate(1000, buf), "1.0 kbit/s");
	assert_string_equal(units_print_rate(9940, buf), "9.9 kbit/s");
	assert_string_equal(units_print_rate(9960, buf), "10 kbit/s");
	assert_string_equal(units_print_rate(999700, buf), "1.0 Mbit/s");
	assert_string_equal(units_print_rate(3400000000u, buf), "3.4 Gbit/s");
	assert_string_equal(units_print_rate(UINT64_MAX, buf), "18446744 Tbit/s");
	assert_string_equal(units_print_bytes(512, buf), "512 B");
	assert_string_equal(units_print_bytes(1536, buf), "1.5 KiB");
	assert_string_equal(units_print_bytes(64 << 20, buf), "64 MiB");
	assert_string_equal(units_print_duration(153000, buf), "153 us");
	assert_string_equal(units_print_duration(2100000, buf), "2.1 ms");
	assert_string_equal(units_print_duration(119 * NS_PER_S, buf), "119 s");
	assert_string_equal(units_print_duration(200 * NS_PER_S, buf), "3 min 20 s");
	assert_string_equal(units_print_duration(7500 * NS_PER_S, buf), "2 h 5 min");
}

static void shares_are_printed(void **state)
{
	char buf[UNITS_TEXT];
	(void)state;
	assert_string_equal(units_print_share(0, buf), "0 %");
	assert_string_equal(units_print_share(99, buf), "< 0.01 %");
	assert_string_equal(units_print_share(200, buf), "0.02 %");
	assert_string_equal(units_print_share(35000, buf), "3.5 %");
	assert_string_equal(units_print_share(120000, buf), "12 %");
	assert_string_equal(units_print_share(1000000, buf), "100 %");
}

static void counts_in_english(void **state)
{
	char buf[UNITS_COUNT_TEXT];
	(void)state;
	assert_string_equal(units_print_count(0, "frame", "frames", buf), "0 frames");
	assert_string_equal(units_print_count(1, "frame", "frames", buf), "1 frame");
	assert_string_equal(units_print_count(2, "address", "addresses", buf),
			    "2 addresses");
	assert_string_equal(units_print_count(UINT64_MAX, "member", "members", buf),
			    "18446744073709551615 members");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_durations),
		cmocka_unit_test(refuses_what_is_no_duration),
		cmocka_unit_test(prints_for_people),
		cmocka_unit_test(counts_in_english),
		cmocka_unit_test(shares_are_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
