/* SPDX-License-Identifier: MIT */
/*
 * Some wrong tokens are free, more cost time, and only the address they come from.
 */
#include "tunnel/backoff.h"

#include "../unit.h"
#include "packets.h"

#include <stdio.h>

#define START (100 * S)

static const uint8_t secret[16] = { 1 };

static int setup(void **state)
{
	return backoff_new(secret, (struct backoff **)state);
}

static int teardown(void **state)
{
	backoff_free(*state);
	return 0;
}

static struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static void wrong(struct backoff *b, const struct weft_ip *from, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		backoff_wrong(b, from, START);
}

static void the_first_are_free_and_then_it_doubles(void **state)
{
	const struct weft_ip bad = ip("192.0.2.1"), good = ip("192.0.2.2");
	static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	wrong(*state, &bad, BACKOFF_FREE);
	assert_false(backoff_is_silent(*state, &bad, START));
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		backoff_wrong(*state, &bad, START);
		assert_true(backoff_is_silent(*state, &bad, START + seconds[i] * S - 1));
		assert_false(backoff_is_silent(*state, &bad, START + seconds[i] * S));
		assert_false(backoff_is_silent(*state, &good, START));
	}
}

static void the_right_token_ends_it(void **state)
{
	const struct weft_ip from = ip("192.0.2.1");
	wrong(*state, &from, 20);
	backoff_right(*state, &from);
	assert_false(backoff_is_silent(*state, &from, START));
	wrong(*state, &from, BACKOFF_FREE);
	assert_false(backoff_is_silent(*state, &from, START));
}

static void a_host_of_ipv6_has_a_whole_network(void **state)
{
	const struct weft_ip one = ip("2001:db8::1"), same = ip("2001:db8::2:1"),
			     other = ip("2001:db8:0:1::1");
	wrong(*state, &one, 20);
	assert_true(backoff_is_silent(*state, &same, START));
	assert_false(backoff_is_silent(*state, &other, START));
}

static void no_more_than_so_many_places_are_remembered(void **state)
{
	const struct weft_ip first = ip("192.0.2.1");
	char text[WEFT_IP_TEXT];
	wrong(*state, &first, 20);
	for (unsigned i = 0; i < BACKOFF_PLACES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		const struct weft_ip next = ip(text);
		assert_true(i == BACKOFF_PLACES_MAX - 1 ||
			    backoff_is_silent(*state, &first, START));
		wrong(*state, &next, 1);
	}
	assert_false(backoff_is_silent(*state, &first, START));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_are_free_and_then_it_doubles),
		TEST(the_right_token_ends_it),
		TEST(a_host_of_ipv6_has_a_whole_network),
		TEST(no_more_than_so_many_places_are_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
