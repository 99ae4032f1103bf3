/* SPDX-License-Identifier: MIT */
/*
 * The proof holds for the claim that was signed and for no other. One vector, made with
 * Python's hashlib and cryptography modules, keeps the format from changing unseen.
 */
#include "lan/proof.h"

#include "../unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = { 0, 1, 2,  3,  4,  5,  6,  7,
						      8, 9, 10, 11, 12, 13, 14, 15 };

static struct proof_claim make_claim(void)
{
	struct proof_claim claim = { .role = WEFT_ROLE_GATEWAY, .room = "FRIDAY" };
	memset(claim.binding, 0x5a, sizeof(claim.binding));
	return claim;
}

static void assert_hex(const uint8_t *data, size_t len, const char *hex)
{
	char text[2 * PROOF_LEN + 1];
	assert_string_equal(sodium_bin2hex(text, sizeof(text), data, len), hex);
}

static void test_vector(void **state)
{
	(void)state;
	uint8_t key[PROOF_KEY_LEN], proof[PROOF_LEN];
	struct proof_claim claim = make_claim();
	proof_key(secret, key);
	assert_hex(key, sizeof(key),
		   "d032559547709741368ffa159c23630a27bb72df16db7f4714766843e0fee744");
	proof_sign(secret, &claim, proof);
	assert_hex(proof, sizeof(proof),
		   "20c2b120a3fae356fd7d5458d3dc1cff3a5872777e407d811ca1f4fa7b09f8b9"
		   "fe4b357413a2cb0a817cc538bc7d8133a5e071d78ff1b03b20263cd5142cde0c");
}

static void test_proof_holds(void **state)
{
	(void)state;
	uint8_t key[PROOF_KEY_LEN], proof[PROOF_LEN];
	struct proof_claim claim = make_claim();
	proof_key(secret, key);
	proof_sign(secret, &claim, proof);
	assert_int_equal(proof_check(key, &claim, proof), 0);
}

static void test_everything_is_bound(void **state)
{
	(void)state;
	uint8_t key[PROOF_KEY_LEN], proof[PROOF_LEN];
	struct proof_claim claim = make_claim(), other;
	proof_key(secret, key);
	proof_sign(secret, &claim, proof);

	other = claim;
	other.role = WEFT_ROLE_CLIENT;
	assert_int_equal(proof_check(key, &other, proof), -EACCES);
	other = claim;
	other.room = "FRIDAX";
	assert_int_equal(proof_check(key, &other, proof), -EACCES);
	other = claim;
	other.binding[31] ^= 1;
	assert_int_equal(proof_check(key, &other, proof), -EACCES);
	proof[0] ^= 1;
	assert_int_equal(proof_check(key, &claim, proof), -EACCES);
	proof[0] ^= 1;
	key[5] ^= 1;
	assert_int_equal(proof_check(key, &claim, proof), -EACCES);
}

/* A name cannot borrow letters from the binding. */
static void test_name_has_its_length(void **state)
{
	(void)state;
	uint8_t key[PROOF_KEY_LEN], proof[PROOF_LEN];
	struct proof_claim claim = { .room = "AB" };
	proof_key(secret, key);
	memset(claim.binding, 'C', sizeof(claim.binding));
	proof_sign(secret, &claim, proof);
	claim.room = "ABC";
	assert_int_equal(proof_check(key, &claim, proof), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_proof_holds),
		cmocka_unit_test(test_everything_is_bound),
		cmocka_unit_test(test_name_has_its_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
