/* SPDX-License-Identifier: MIT */
/*
 * Numbers as users type them: what is taken, at the limits, and what is refused how.
 */
#include "base/parse.h"

#include "../unit.h"
#include "base/array.h"

#include <errno.h>

struct row {
	const char *text;
	int r;
	uint64_t value;
};

/* Outputs are written only on success. */
#define UNTOUCHED 0xdeadbeefu

static void check_rows(const struct row *rows, size_t n,
		       int (*parse)(const char *, uint64_t *))
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = UNTOUCHED;
		int r = parse(rows[i].text, &value);
		uint64_t want = rows[i].r == 0 ? rows[i].value : UNTOUCHED;
		if (r != rows[i].r || value != want)
			fail_msg("\"%s\": %d, %llu", rows[i].text, r,
				 (unsigned long long)value);
	}
}

static int parse_5_to_100(const char *text, uint64_t *ret_value)
{
	return parse_u64(text, 5, 100, ret_value);
}

static int parse_any(const char *text, uint64_t *ret_value)
{
	return parse_u64(text, 0, UINT64_MAX, ret_value);
}

static void integers(void **state)
{
	(void)state;
	static const struct row limited[] = {
		{ "5", 0, 5 },        { "100", 0, 100 },      { "007", 0, 7 },
		{ "4", -ERANGE, 0 },  { "101", -ERANGE, 0 },  { "", -EINVAL, 0 },
		{ "-5", -EINVAL, 0 }, { "+5", -EINVAL, 0 },   { " 5", -EINVAL, 0 },
		{ "5 ", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "5.0", -EINVAL, 0 },
	};
	static const struct row any[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "99999999999999999999999x", -EINVAL, 0 },
	};
	check_rows(limited, ARRAY_LEN(limited), parse_5_to_100);
	check_rows(any, ARRAY_LEN(any), parse_any);
}

static void durations(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "20ms", 0, 20000000 },
		{ "150us", 0, 150000 },
		{ "1.5s", 0, 1500000000 },
		{ "0.1s", 0, 100000000 },
		{ "1NS", 0, 1 },
		{ "0.000001s", 0, 1000 },
		{ "5min", 0, 300000000000 },
		{ "2h", 0, 7200000000000 },
		{ "0", 0, 0 },
		{ "5000000h", 0, 18000000000000000000u },
		{ "6000000h", -ERANGE, 0 },
		{ "1", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 },
		{ ".5s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1sec", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1.1234567s", -EINVAL, 0 },
		{ "ms", -EINVAL, 0 },
	};
	check_rows(rows, ARRAY_LEN(rows), parse_duration_ns);
}

static void rates(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "200mbit", 0, 200000000 },
		{ "1.5Gbit", 0, 1500000000 },
		{ "64kbit", 0, 64000 },
		{ "8bit", 0, 8 },
		{ "0", 0, 0 },
		{ "200", -EINVAL, 0 },
		{ "200mb", -EINVAL, 0 },
		{ "99999999tbit", -ERANGE, 0 },
	};
	check_rows(rows, ARRAY_LEN(rows), parse_rate_bps);
}

static void sizes(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "1500", 0, 1500 },         { "64k", 0, 65536 }, { "1.5m", 0, 1572864 },
		{ "1G", 0, 1073741824 },     { "0", 0, 0 },       { "1.5", -EINVAL, 0 },
		{ "64kb", -EINVAL, 0 },      { "k", -EINVAL, 0 }, { "", -EINVAL, 0 },
		{ "16777216t", -ERANGE, 0 },
	};
	check_rows(rows, ARRAY_LEN(rows), parse_size);
}

static void percents(void **state)
{
	(void)state;
	double fraction = -1;
	assert_int_equal(parse_percent("1%", &fraction), 0);
	assert_float_equal(fraction, 0.01, 1e-12);
	assert_int_equal(parse_percent("0.1%", &fraction), 0);
	assert_float_equal(fraction, 0.001, 1e-12);
	assert_int_equal(parse_percent("100%", &fraction), 0);
	assert_float_equal(fraction, 1, 0);
	assert_int_equal(parse_percent("0", &fraction), 0);
	assert_float_equal(fraction, 0, 0);
	assert_int_equal(parse_percent("100.000001%", &fraction), -ERANGE);
	assert_int_equal(parse_percent("0.5", &fraction), -EINVAL);
	assert_int_equal(parse_percent("1%%", &fraction), -EINVAL);
	assert_float_equal(fraction, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers), cmocka_unit_test(durations),
		cmocka_unit_test(rates),    cmocka_unit_test(sizes),
		cmocka_unit_test(percents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
