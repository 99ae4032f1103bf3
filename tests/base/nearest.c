/* SPDX-License-Identifier: MIT */
/*
 * Which word is meant: what people really mistype, and what is too far off to guess.
 */

#include "../unit.h"

#include <weft/nearest.h>

static const char *const words[] = { "host",   "join", "relay", "gateway",
				     "bridge", "dump", "help",  "version" };

static const char *meant_by(const char *typed)
{
	struct weft_nearest nearest = { 0 };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		weft_nearest_offer(&nearest, typed, words[i]);
	return nearest.word;
}

static void finds_what_was_meant(void **state)
{
	static const char *const pairs[][2] = {
		{ "jion", "join" },      /* swapped */
		{ "brdge", "bridge" },   /* left out */
		{ "bridgee", "bridge" }, /* put in */
		{ "ralay", "relay" },    /* mistaken */
		{ "gate", "gateway" },   /* begun */
		{ "ver", "version" },     { "dupm", "dump" },
		{ "gatweay", "gateway" }, { "host", "host" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_string_equal(meant_by(pairs[i][0]), pairs[i][1]);
}

static void does_not_guess_wildly(void **state)
{
	static const char *const strange[] = {
		"", "xyzzy", "serve", "tunnel",
		"joinbridgehostrelaygatewaydumphelpversion"
	};
	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_null(meant_by(strange[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_meant),
		cmocka_unit_test(does_not_guess_wildly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
