/* SPDX-License-Identifier: MIT */
/*
 * The hashes of the original's examples, and one in argon2id.
 */
#include "config/token.h"

#include "../unit.h"

#include <sodium.h>

static void hashes_are_those_of_the_original(void **state)
{
	char sha1[TOKEN_SHA1_TEXT];
	(void)state;
	assert_int_equal(token_sha1("test", sha1), 0);
	assert_string_equal(sha1, "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3");
	assert_int_equal(token_sha1("foo", sha1), 0);
	assert_string_equal(sha1, "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33");
}

static void only_the_right_token_matches(void **state)
{
	static const char *const wrong[] = {
		"", "test", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd2",
		"a94a8fe5ccb19ba61c4c0873d391e987982fbbd3a"
	};
	char sha1[TOKEN_SHA1_TEXT];
	(void)state;
	assert_int_equal(token_sha1("test", sha1), 0);
	assert_true(
		token_matches("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "test", sha1));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(token_matches(wrong[i], "test", sha1));
}

static void a_slow_hash_matches_as_well(void **state)
{
	char hash[crypto_pwhash_STRBYTES], sha1[TOKEN_SHA1_TEXT];
	(void)state;
	assert_int_equal(sodium_init() < 0, 0);
	assert_int_equal(crypto_pwhash_str(hash, "test", 4, crypto_pwhash_OPSLIMIT_MIN,
					   crypto_pwhash_MEMLIMIT_MIN),
			 0);
	assert_int_equal(token_sha1("test", sha1), 0);
	assert_true(token_matches(hash, "test", sha1));
	assert_int_equal(token_sha1("Test", sha1), 0);
	assert_false(token_matches(hash, "Test", sha1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_the_original),
		cmocka_unit_test(only_the_right_token_matches),
		cmocka_unit_test(a_slow_hash_matches_as_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
