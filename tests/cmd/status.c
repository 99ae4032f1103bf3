/* SPDX-License-Identifier: MIT */
/*
 * Status lines: what they say, and that they fit.
 */
#include "cmd/status.h"

#include "../unit.h"
#include "cli/units.h"

#include <string.h>

static void a_member_that_has_not_joined_has_no_rates(void **state)
{
	const struct weft_member_stats stats = { .state = WEFT_MEMBER_CONNECTING };
	const struct rates rates = { .in_bps = 5 };
	char text[200];

	(void)state;
	assert_string_equal(
		status_member("weft0", "", &stats, &rates, text, sizeof(text)),
		"weft0 connecting");
}

static void a_member_shows_address_others_rates_and_round_trip(void **state)
{
	struct weft_member_stats stats = { .state = WEFT_MEMBER_JOINED,
					   .peers = 2,
					   .rtt_ns = 1300000 };
	const struct rates rates = { .in_bps = 1100, .out_bps = 1700 };
	char text[200];

	(void)state;
	assert_string_equal(status_member("weft0", "192.0.2.7/24", &stats, &rates, text,
					  sizeof(text)),
			    "weft0 192.0.2.7 | 2 others | in 1.1 kbit/s, out 1.7 kbit/s "
			    "| RTT 1.3 ms");
	stats.peers = 1;
	status_member("lan0", "", &stats, &rates, text, sizeof(text));
	assert_memory_equal(text, "lan0 joined | 1 other | in", 26);
}

static void a_member_shows_what_is_wrong_with_its_path(void **state)
{
	struct weft_member_stats stats = { .state = WEFT_MEMBER_JOINED,
					   .peers = 2,
					   .rtt_ns = 1300000,
					   .jitter_ns = 200000 };
	const struct rates rates = { .in_bps = 500, .out_bps = 500 };
	char text[200];

	(void)state;
	status_member("tap", "", &stats, &rates, text, sizeof(text));
	assert_string_equal(text, "tap joined | 2 others | in 500 bit/s, out 500 bit/s "
				  "| RTT 1.3 ms, jitter 200 us");
	stats.loss_ppm = 5000;
	status_member("tap0", "", &stats, &rates, text, sizeof(text));
	assert_string_equal(text, "tap0 joined | 2 others | in 500 bit/s, out 500 bit/s "
				  "| RTT 1.3 ms, loss 0.5 %");
	status_member("weft0", "192.168.77.162/24", &stats, &rates, text, sizeof(text));
	assert_string_equal(text,
			    "weft0 192.168.77.162 | 2 others | RTT 1.3 ms, loss 0.5 "
			    "%, jitter 200 us");
}

static void the_longest_lines_fit_80_columns(void **state)
{
	const struct weft_member_stats member = { .state = WEFT_MEMBER_JOINED,
						  .peers = 511,
						  .rtt_ns = 999000,
						  .jitter_ns = 999000 };
	const struct weft_relay_stats relay = { .rooms = 65534,
						.members = 9999,
						.gateways = 9999 };
	const struct rates rates = { .in_bps = 999000000, .out_bps = 999000000 };
	char text[200];

	(void)state;
	status_member("weft0", "192.168.177.162/24", &member, &rates, text, sizeof(text));
	assert_in_range(strlen(text), 70, 79);
	status_relay(&relay, &rates, text, sizeof(text));
	assert_in_range(strlen(text), 70, 79);
}

static void a_relay_counts_in_english(void **state)
{
	const struct weft_relay_stats stats = { .rooms = 1, .members = 2 };
	const struct rates rates = { .in_bps = 0 };
	char text[200];

	(void)state;
	assert_string_equal(status_relay(&stats, &rates, text, sizeof(text)),
			    "1 room, 2 members, 0 gateways | in 0 bit/s, out 0 bit/s");
}

static void a_relay_shows_the_longest_round_trip_where_it_fits(void **state)
{
	const struct weft_relay_stats small = {
		.rooms = 1, .members = 2, .rtt_min_ns = 1000000, .rtt_max_ns = 25000000
	};
	const struct weft_relay_stats large = {
		.rooms = 65534, .members = 9999, .gateways = 9999, .rtt_max_ns = 25000000
	};
	const struct rates rates = { .in_bps = 999000000, .out_bps = 999000000 };
	const char whole[] =
		"1 room, 2 members, 0 gateways | in 999 Mbit/s, out 999 Mbit/s "
		"| RTT <= 25 ms";
	char text[200];

	(void)state;
	status_relay(&small, &rates, text, sizeof(text));
	assert_string_equal(text, whole);
	status_relay(&small, &rates, text, sizeof(whole));
	assert_string_equal(text, whole);
	status_relay(&small, &rates, text, sizeof(whole) - 1);
	assert_null(strstr(text, "RTT"));
	status_relay(&large, &rates, text, sizeof(text));
	assert_null(strstr(text, "RTT"));
}

static void rates_are_over_the_time_that_passed(void **state)
{
	struct rates rates = { 0 };

	(void)state;
	rates_update(&rates, NS_PER_S, 5000, 7000);
	assert_int_equal(rates.in_bps, 0);
	rates_update(&rates, 3 * NS_PER_S, 5000 + 1000, 7000 + 500);
	assert_int_equal(rates.in_bps, 4000);
	assert_int_equal(rates.out_bps, 2000);
}

static void an_early_look_changes_no_rate(void **state)
{
	struct rates rates = { 0 };

	(void)state;
	rates_update(&rates, NS_PER_S, 0, 0);
	rates_update(&rates, 2 * NS_PER_S, 1000, 0);
	rates_update(&rates, 2 * NS_PER_S + 1, 2000, 0);
	assert_int_equal(rates.in_bps, 8000);
	rates_update(&rates, 3 * NS_PER_S, 2000, 0);
	assert_int_equal(rates.in_bps, 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_that_has_not_joined_has_no_rates),
		cmocka_unit_test(a_member_shows_address_others_rates_and_round_trip),
		cmocka_unit_test(a_member_shows_what_is_wrong_with_its_path),
		cmocka_unit_test(the_longest_lines_fit_80_columns),
		cmocka_unit_test(a_relay_counts_in_english),
		cmocka_unit_test(a_relay_shows_the_longest_round_trip_where_it_fits),
		cmocka_unit_test(rates_are_over_the_time_that_passed),
		cmocka_unit_test(an_early_look_changes_no_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
