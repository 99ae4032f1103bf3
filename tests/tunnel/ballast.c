/* SPDX-License-Identifier: MIT */
/*
 * What is added to an upload is nothing but whole pings, and only behind whole records.
 */
#include "tunnel/ballast.h"

#include "../unit.h"
#include "wire/tunnel.h"

#include <string.h>

static void only_apache_needs_it(void **state)
{
	(void)state;
	assert_int_equal(ballast_least("Apache/2.4.71 (Debian)"), 4096);
	assert_int_equal(ballast_least("Apache"), 4096);
	assert_int_equal(ballast_least("nginx/1.22.1"), 0);
	assert_int_equal(ballast_least(""), 0);
	assert_int_equal(ballast_least(NULL), 0);
}

static size_t count_pings(uint8_t *buf, size_t len)
{
	struct tunnel_unit unit;
	size_t pings = 0;
	while (len > 0) {
		assert_int_equal(tunnel_decode(buf, len, true, &unit), TUNNEL_PING);
		buf += unit.len;
		len -= unit.len;
		pings++;
	}
	return pings;
}

static void it_is_read_as_pings(void **state)
{
	uint8_t buf[8192];
	(void)state;
	for (size_t n = 1; n < 4096; n += 13) {
		memset(buf, 0xff, sizeof(buf));
		size_t end = ballast_add(buf, sizeof(buf), n, 4096);
		assert_in_range(end, 4096, 4097);
		assert_int_equal(buf[n - 1], 0xff);
		assert_int_equal(buf[end], 0xff);
		assert_int_equal(count_pings(buf + n, end - n), (end - n) / 2);
	}
}

static void nothing_is_added_where_nothing_is_needed(void **state)
{
	(void)state;
	uint8_t buf[8192];
	assert_int_equal(ballast_add(buf, sizeof(buf), 0, 4096), 0);
	assert_int_equal(ballast_add(buf, sizeof(buf), 100, 0), 100);
	assert_int_equal(ballast_add(buf, sizeof(buf), 4096, 4096), 4096);
	assert_int_equal(ballast_add(buf, sizeof(buf), 8192, 4096), 8192);
}

static void where_there_is_no_room_it_stays_as_it_is(void **state)
{
	(void)state;
	uint8_t buf[4096];
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(ballast_add(buf, 1000, 100, 4096), 100);
	assert_int_equal(ballast_add(buf, 4096, 101, 4096), 101);
	assert_int_equal(buf[101], 0xff);
	assert_int_equal(ballast_add(buf, 4096, 100, 4096), 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_apache_needs_it),
		cmocka_unit_test(it_is_read_as_pings),
		cmocka_unit_test(nothing_is_added_where_nothing_is_needed),
		cmocka_unit_test(where_there_is_no_room_it_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
