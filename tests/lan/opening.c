/* SPDX-License-Identifier: MIT */
/*
 * Who may open rooms: the proof by itself, and members at a relay that asks for a token.
 */
#include "lan/opening.h"

#include "../unit.h"
#include "party.h"

#include <errno.h>
#include <string.h>

#define TOKEN "correct horse"

/* ---- the proof --------------------------------------------------------------------------- */

static void everything_is_bound(void **state)
{
	(void)state;
	struct proof_claim claim = { .room = "FRIDAY", .binding = { 1, 2, 3 } };
	uint8_t key[OPENING_KEY_LEN], other[OPENING_KEY_LEN], proof[OPENING_LEN];
	opening_key(TOKEN, key);
	opening_key("correct horsf", other);
	opening_prove(key, &claim, proof);
	assert_int_equal(opening_check(key, &claim, proof), 0);
	assert_int_equal(opening_check(other, &claim, proof), -EACCES);
	claim.room = "FRIDAZ";
	assert_int_equal(opening_check(key, &claim, proof), -EACCES);
	claim.room = "FRIDAY";
	claim.binding[31] = 1;
	assert_int_equal(opening_check(key, &claim, proof), -EACCES);
	claim.binding[31] = 0;
	for (unsigned i = 0; i < OPENING_LEN; i++) {
		proof[i] ^= 0x80;
		assert_int_equal(opening_check(key, &claim, proof), -EACCES);
		proof[i] ^= 0x80;
	}
}

/* What others have to compute as well; by another implementation of BLAKE2b. */
static void vector_of_the_protocol(void **state)
{
	(void)state;
	static const uint8_t expected[OPENING_LEN] = {
		0xf1, 0xb1, 0xcd, 0x1e, 0x0c, 0xab, 0x69, 0x8c, 0x20, 0x9b, 0x46,
		0xd7, 0x34, 0xd1, 0xbe, 0x95, 0xf0, 0xac, 0x39, 0xa1, 0xd4, 0xbb,
		0xd0, 0xe1, 0x2e, 0x6d, 0xeb, 0xe4, 0xac, 0xca, 0x0e, 0x63
	};
	const struct proof_claim claim = { .room = "FRIDAY" };
	uint8_t key[OPENING_KEY_LEN], proof[OPENING_LEN];
	opening_key(TOKEN, key);
	opening_prove(key, &claim, proof);
	assert_memory_equal(proof, expected, sizeof(expected));
}

/* ---- at a relay -------------------------------------------------------------------------- */

struct scene {
	struct party party;
	struct guest alice, bob;
};

static void begin(struct scene *s)
{
	party_init(&s->party, test_seed());
	s->party.relay_opts.open_token = TOKEN;
	party_open_relay(&s->party);
	guest_init(&s->alice, &s->party, "alice", 1);
	guest_init(&s->bob, &s->party, "bob", 2);
	guest_start(&s->bob);
	assert_true(guest_reaches(&s->bob, WEFT_MEMBER_WAITING, 5000));
}

static void end(struct scene *s)
{
	if (s->alice.member)
		guest_leave(&s->alice);
	guest_leave(&s->bob);
	party_fini(&s->party);
}

static void assert_speaks_of(const struct guest *guest, const char *words)
{
	if (!strstr(guest->reason, words))
		fail_msg("\"%s\" does not speak of \"%s\"", guest->reason, words);
}

static void who_has_it_opens_for_the_others(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_speaks_of(&s.bob, "room FRIDAY is not open");
	assert_speaks_of(&s.bob, "--open-token FILE");
	assert_int_equal(weft_relay_stats(s.party.relay).rooms, 0);
	s.alice.opts.open_token = TOKEN;
	guest_start(&s.alice);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_JOINED, 5000));
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 16000));
	end(&s);
}

static void another_token_is_of_no_use(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	s.alice.opts.open_token = "correct horses";
	guest_start(&s.alice);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_WAITING, 5000));
	assert_speaks_of(&s.alice, "not this relay's");
	end(&s);
}

/* A wrong one does no harm where none is asked for: the room is open. */
static void members_of_an_open_room_need_none(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	struct weft_error err;
	assert_true(weft_relay_open_room(s.party.relay, "FRIDAY",
					 s.bob.opts.invite.secret, NULL,
					 (struct weft_mac){ { 0 } }, &err) > 0);
	s.alice.opts.open_token = "correct horses";
	guest_start(&s.alice);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_JOINED, 5000));
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 16000));
	end(&s);
}

static void one_that_can_be_guessed_is_none(void **state)
{
	(void)state;
	struct party party;
	struct weft_error err = { "" };
	party_init(&party, test_seed());
	party.relay_opts.open_token = "letmein";
	struct dgram *socket = sim_socket(party.sim, PARTY_RELAY);
	assert_int_equal(relay_new_on(&party.relay_opts, socket, &err, &party.relay),
			 -ERANGE);
	assert_non_null(strstr(err.text, "12 characters"));
	dgram_free(socket);
	party_fini(&party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_bound),
		cmocka_unit_test(vector_of_the_protocol),
		cmocka_unit_test(who_has_it_opens_for_the_others),
		cmocka_unit_test(another_token_is_of_no_use),
		cmocka_unit_test(members_of_an_open_room_need_none),
		cmocka_unit_test(one_that_can_be_guessed_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
