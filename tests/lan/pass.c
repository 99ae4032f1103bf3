/* SPDX-License-Identifier: MIT */
/*
 * A pass holds for the room, the key and the time that were signed and for no other; and
 * invitations that have one, as text.
 */
#include "lan/pass.h"

#include "../unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = { 1, 2, 3 };
static const uint8_t seed[WEFT_PASS_SEED_LEN] = { 4, 5, 6 };

static void everything_is_signed(void **state)
{
	(void)state;
	uint8_t room_key[PROOF_KEY_LEN];
	struct pass pass, other;
	proof_key(secret, room_key);
	pass_make(secret, "FRIDAY", 1000, seed, &pass);
	assert_int_equal(pass_check(&pass, room_key, "FRIDAY"), 0);
	assert_int_equal(pass_check(&pass, room_key, "FRIDAX"), -EACCES);
	assert_int_equal(pass_check(&pass, room_key, "FRIDA"), -EACCES);
	other = pass;
	other.expires_s++;
	assert_int_equal(pass_check(&other, room_key, "FRIDAY"), -EACCES);
	other = pass;
	other.key[31] ^= 1;
	assert_int_equal(pass_check(&other, room_key, "FRIDAY"), -EACCES);
	other = pass;
	other.signature[0] ^= 1;
	assert_int_equal(pass_check(&other, room_key, "FRIDAY"), -EACCES);
	room_key[0] ^= 1;
	assert_int_equal(pass_check(&pass, room_key, "FRIDAY"), -EACCES);
}

/* One vector, made with Python's cryptography module, keeps the format as it is. */
static void as_bytes(void **state)
{
	(void)state;
	uint8_t bytes[PASS_LEN];
	char text[2 * PASS_LEN + 1];
	struct pass pass, back;
	pass_make(secret, "FRIDAY", 0x01020304, seed, &pass);
	pass_emit(&pass, bytes);
	pass_load(bytes, &back);
	assert_memory_equal(&back, &pass, sizeof(pass));
	assert_string_equal(
		sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes)),
		"e4e57bc4fc4bca2ddc8b1f2f96fdfc9ce166e7cd639c10b811df7b512781b341"
		"01020304"
		"8efb41216a6fbb1a05c3e260dee025c05fcccb96efbd3e67906643279da5ad73"
		"fa4162f2d205d3c474c6ed1dae9064f94afcd78f98b4c5507021bcb2a6761102");
}

/* A proof by the room's key is no pass, and a pass's proof none by the room's key. */
static void proofs_are_apart(void **state)
{
	(void)state;
	uint8_t key[PROOF_KEY_LEN], room_key[PROOF_KEY_LEN], proof[PROOF_LEN];
	const struct proof_claim claim = { .room = "FRIDAY" };
	pass_key(seed, key);
	proof_key(secret, room_key);
	proof_sign_by_pass(seed, &claim, proof);
	assert_int_equal(proof_check(key, &claim, proof), 0);
	assert_int_equal(proof_check(room_key, &claim, proof), -EACCES);
}

static struct weft_invite whole_invite(bool has_pin)
{
	struct weft_invite invite = { .host = "relay.example.net",
				      .port = 443,
				      .room = "FRIDAY",
				      .has_pin = has_pin };
	memset(invite.pin, 0x5a, has_pin ? sizeof(invite.pin) : 0);
	memcpy(invite.secret, secret, sizeof(secret));
	return invite;
}

static void an_invitation_for_one(void **state)
{
	(void)state;
	static const uint8_t nothing[WEFT_ROOM_SECRET_LEN];
	for (int has_pin = 0; has_pin < 2; has_pin++) {
		const struct weft_invite whole = whole_invite(has_pin);
		struct weft_invite one, two, back;
		struct weft_error err = { "" };
		char text[WEFT_INVITE_TEXT];
		assert_int_equal(weft_invite_restrict(&whole, 1000, &one), 0);
		assert_int_equal(weft_invite_restrict(&whole, 1000, &two), 0);
		assert_memory_not_equal(one.pass.seed, two.pass.seed,
					sizeof(one.pass.seed));
		assert_memory_equal(one.secret, nothing, sizeof(nothing));
		assert_int_equal(weft_invite_restrict(&one, 1000, &two), -EINVAL);
		assert_int_equal(
			weft_invite_parse(weft_invite_print(&one, text), &err, &back), 0);
		assert_true(back.has_pass);
		assert_int_equal(back.has_pin, has_pin);
		assert_int_equal(back.pass.expires_s, 1000);
		assert_memory_equal(back.pass.seed, one.pass.seed, sizeof(one.pass.seed));
		assert_memory_equal(back.pin, whole.pin, has_pin ? sizeof(whole.pin) : 0);
		/* Each letter counts, the last bits of the last one apart. */
		for (char *at = strchr(text, '#') + 1; at[1]; at++) {
			const char before = *at;
			*at = before == 'A' ? 'B' : 'A';
			struct weft_invite wrong;
			int r = weft_invite_parse(text, &err, &wrong);
			assert_true(r == -EINVAL || wrong.has_pin);
			*at = before;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_signed),
		cmocka_unit_test(as_bytes),
		cmocka_unit_test(proofs_are_apart),
		cmocka_unit_test(an_invitation_for_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
