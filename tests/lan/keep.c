/* SPDX-License-Identifier: MIT */
/*
 * Places that are kept: for who was lost, for how long, against whom; and over a restart.
 */
#include "../unit.h"
#include "party.h"

#include <errno.h>
#include <string.h>

#define GRACE_MS 120000u
#define LOST_MS  20000u /* Until the relay has noticed. */

struct scene {
	struct party party;
	struct guest alice, bob, carol;
};

/* Alice has id 1 and address 2, bob 2 and 3. */
static void begin(struct scene *s)
{
	party_init(&s->party, test_seed());
	party_open_relay(&s->party);
	guest_join(&s->alice, &s->party, "alice", 1);
	guest_join(&s->bob, &s->party, "bob", 2);
	party_run(&s->party, 1000);
	guest_init(&s->carol, &s->party, "carol", 3);
}

static void end(struct scene *s)
{
	struct guest *guests[] = { &s->alice, &s->bob, &s->carol };
	for (unsigned i = 0; i < 3; i++)
		if (guests[i]->member)
			guest_leave(guests[i]);
	party_fini(&s->party);
}

static void assert_is(const struct guest *guest, unsigned id, unsigned host)
{
	assert_int_equal(guest->joined.peer, id);
	assert_int_equal(guest->joined.address.octet[3], host);
}

static uint32_t rooms(const struct scene *s)
{
	return weft_relay_stats(s->party.relay).rooms;
}

static void who_was_lost_is_the_same_again(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	guest_crash(&s.alice);
	party_run(&s.party, LOST_MS);
	guest_join(&s.carol, &s.party, "carol", 3);
	assert_is(&s.carol, 3, 4);
	guest_join(&s.alice, &s.party, "alice", 1);
	assert_is(&s.alice, 1, 2);
	end(&s);
}

static void who_says_goodbye_wants_no_place(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	guest_leave(&s.alice);
	party_run(&s.party, 100);
	guest_join(&s.carol, &s.party, "carol", 3);
	assert_is(&s.carol, 3, 2);
	end(&s);
}

/* A room that only waits for its members stays theirs, and is gone after the grace. */
static void the_room_waits_for_its_last(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	guest_crash(&s.alice);
	guest_crash(&s.bob);
	party_run(&s.party, LOST_MS);
	assert_int_equal(weft_relay_stats(s.party.relay).members, 0);
	assert_int_equal(rooms(&s), 1);
	s.carol.opts.invite.secret[0] ^= 1;
	guest_start(&s.carol);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_REFUSED, 3000));
	assert_non_null(strstr(s.carol.reason, "another key"));
	guest_leave(&s.carol);
	party_run(&s.party, GRACE_MS);
	assert_int_equal(rooms(&s), 0);
	end(&s);
}

/* A gateway is any machine of the LAN's: nobody is missed. */
static void no_place_is_kept_for_a_gateway(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	guest_leave(&s.alice);
	guest_leave(&s.bob);
	guest_join(&s.carol, &s.party, "lan", 0);
	guest_crash(&s.carol);
	assert_int_equal(rooms(&s), 1);
	party_run(&s.party, LOST_MS);
	assert_int_equal(rooms(&s), 0);
	end(&s);
}

/* A place is not taken with the MAC alone from one who had a pass. */
static void a_place_is_its_passes(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	const struct weft_invite whole = s.carol.opts.invite;
	assert_int_equal(
		weft_invite_restrict(&whole, WEFT_PASS_NEVER, &s.carol.opts.invite), 0);
	const struct weft_invite pass = s.carol.opts.invite;
	guest_start(&s.carol);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_JOINED, 5000));
	guest_crash(&s.carol);
	party_run(&s.party, LOST_MS);
	guest_init(&s.carol, &s.party, "mallory", 3);
	guest_start(&s.carol);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_WAITING, 5000));
	assert_non_null(strstr(s.carol.reason, "02:00:00:00:00:03"));
	guest_leave(&s.carol);
	guest_init(&s.carol, &s.party, "carol", 3);
	s.carol.opts.invite = pass;
	guest_start(&s.carol);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_JOINED, 5000));
	assert_is(&s.carol, 3, 4);
	guest_leave(&s.carol);
	/* Nor with a pass from one who had none. */
	guest_crash(&s.alice);
	party_run(&s.party, LOST_MS);
	guest_init(&s.carol, &s.party, "mallory", 1);
	s.carol.opts.invite = pass;
	guest_start(&s.carol);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_WAITING, 5000));
	assert_non_null(strstr(s.carol.reason, "02:00:00:00:00:01"));
	end(&s);
}

/* A relay that is full of rooms keeps none for who is gone. */
static void others_go_before_who_is_gone(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err;
	static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = { 1 };
	const struct weft_mac none = { { 0 } };
	party_init(&s.party, test_seed());
	s.party.relay_opts.rooms_max = 1;
	party_open_relay(&s.party);
	guest_join(&s.alice, &s.party, "alice", 1);
	assert_int_equal(
		weft_relay_open_room(s.party.relay, "OTHER", secret, NULL, none, &err),
		-ENOSPC);
	guest_crash(&s.alice);
	party_run(&s.party, LOST_MS);
	assert_true(weft_relay_open_room(s.party.relay, "OTHER", secret, NULL, none,
					 &err) > 0);
	assert_int_equal(rooms(&s), 1);
	party_fini(&s.party);
}

/* The relay's own rooms stay, though nobody is in them. */
static void a_room_of_the_relays_own_goes_for_nobody(void **state)
{
	(void)state;
	static const char *const names[] = { "A", "B", "C", "D", "E", "F", "G", "LAST" };
	struct scene s;
	struct weft_error err;
	static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = { 1 };
	const struct weft_mac none = { { 0 } };
	party_init(&s.party, test_seed());
	s.party.relay_opts.rooms_max = 8;
	party_open_relay(&s.party);
	guest_join(&s.alice, &s.party, "alice", 1);
	guest_crash(&s.alice);
	party_run(&s.party, LOST_MS);
	for (unsigned i = 0; i < 8; i++)
		assert_true(weft_relay_open_room(s.party.relay, names[i], secret, NULL,
						 none, &err) > 0);
	assert_int_equal(
		weft_relay_open_room(s.party.relay, "MORE", secret, NULL, none, &err),
		-ENOSPC);
	assert_int_equal(rooms(&s), 8);
	party_fini(&s.party);
}

/* The relay's own user has made its room anew: the old one is nobody's any more. */
static void the_relays_own_room_does_not_wait(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err;
	static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = { 1 };
	const struct weft_mac none = { { 0 } };
	begin(&s);
	assert_int_equal(
		weft_relay_open_room(s.party.relay, "FRIDAY", secret, NULL, none, &err),
		-EEXIST);
	guest_crash(&s.alice);
	guest_crash(&s.bob);
	party_run(&s.party, LOST_MS);
	assert_int_equal(rooms(&s), 1);
	assert_true(weft_relay_open_room(s.party.relay, "FRIDAY", secret, NULL, none,
					 &err) > 0);
	assert_int_equal(rooms(&s), 1);
	end(&s);
}

/* ---- over a restart ---------------------------------------------------------------------- */

static void restart(struct scene *s, const char *text)
{
	struct weft_error err = { "" };
	party_kill_relay(&s->party);
	party_open_relay(&s->party);
	if (weft_relay_restore(s->party.relay, text, sim_now(s->party.sim), &err) != 1)
		fail_msg("%s in %s", err.text, text);
}

/* Bob comes first, and has his own all the same; the MTU is the one that they know. */
static void a_restart_changes_nobody(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	char *text = weft_relay_save(s.party.relay, sim_now(s.party.sim));
	guest_crash(&s.alice);
	restart(&s, text);
	free(text);
	assert_int_equal(rooms(&s), 1);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_WAITING, 20000));
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 20000));
	assert_is(&s.bob, 2, 3);
	guest_join(&s.carol, &s.party, "carol", 3);
	assert_is(&s.carol, 3, 4);
	guest_join(&s.alice, &s.party, "alice", 1);
	assert_is(&s.alice, 1, 2);
	end(&s);
}

static void a_room_is_not_kept_for_ever(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	char *text = weft_relay_save(s.party.relay, sim_now(s.party.sim));
	guest_leave(&s.alice);
	guest_leave(&s.bob);
	restart(&s, text);
	free(text);
	party_run(&s.party, GRACE_MS - 100);
	assert_int_equal(rooms(&s), 1);
	party_run(&s.party, 200);
	assert_int_equal(rooms(&s), 0);
	end(&s);
}

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ROOM(places, leases)                                                          \
	"{\"rooms\":[{\"name\":\"R\",\"key\":\"" KEY "\",\"mtu\":1400,\"last_id\":9," \
	"\"places\":[" places "],\"leases\":[" leases "]}]}"
#define PLACE(id, host) \
	"{\"mac\":\"02:00:00:00:00:0" #id "\",\"id\":" #id ",\"host\":" #host "}"

static void what_is_wrong_is_not_taken(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"rooms\":[1]}",
		"{\"rooms\":[{\"name\":\"no room\",\"key\":\"" KEY
		"\",\"mtu\":1400,\"last_id\":9}]}",
		"{\"rooms\":[{\"name\":\"R\",\"key\":\"0011\",\"mtu\":1400,\"last_id\":9}"
		"]}",
		ROOM(PLACE(1, 2) "," PLACE(1, 3), ""),
		ROOM(PLACE(1, 2) "," PLACE(2, 2), ""),
		ROOM("{\"mac\":\"03:00:00:00:00:01\",\"id\":1,\"host\":2}", ""),
		ROOM("{\"mac\":\"02:00:00:00:00:01\",\"id\":65535,\"host\":2}", ""),
		ROOM("{\"mac\":\"02:00:00:00:00:01\",\"id\":1,\"host\":254}", ""),
		ROOM("", "{\"mac\":\"02:00:00:00:00:01\",\"host\":1,\"left_s\":1e9}"),
		"{\"rules\":[\"R:eapol=never\"],\"rooms\":[]}",
		"{\"rules\":[7],\"rooms\":[]}",
	};
	struct party party;
	struct weft_error err;
	party_init(&party, test_seed());
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		party_open_relay(&party);
		if (weft_relay_restore(party.relay, texts[i], 0, &err) != -EBADMSG)
			fail_msg("taken: %s", texts[i]);
		party_close_relay(&party);
	}
	party_fini(&party);
}

/* The relay says what it was told, but for the times. */
static void what_is_restored_can_be_saved(void **state)
{
	(void)state;
	static const char text[] =
		ROOM(PLACE(1, 2) "," PLACE(4, 0),
		     "{\"mac\":\"00:16:3e:00:00:07\",\"host\":253,\"left_s\":1000}");
	struct party party;
	struct weft_error err;
	party_init(&party, test_seed());
	party.relay_opts.mtu_auto = true;
	party_open_relay(&party);
	assert_int_equal(weft_relay_restore(party.relay, text, sim_now(party.sim), &err),
			 1);
	char *again = weft_relay_save(party.relay, sim_now(party.sim));
	assert_string_equal(again, text);
	free(again);
	party_fini(&party);
}

/* Its restart would open it and close it at once, and tell of both. */
static void a_room_that_nobody_is_missed_in_is_not_saved(void **state)
{
	(void)state;
	static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = { 1 };
	const struct weft_mac none = { { 0 } };
	struct party party;
	struct weft_error err;
	party_init(&party, test_seed());
	party_open_relay(&party);
	assert_true(weft_relay_open_room(party.relay, "OWN", secret, NULL, none, &err) >
		    0);
	char *text = weft_relay_save(party.relay, sim_now(party.sim));
	assert_string_equal(text, "{\"rooms\":[]}");
	free(text);
	party_fini(&party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_lost_is_the_same_again),
		cmocka_unit_test(who_says_goodbye_wants_no_place),
		cmocka_unit_test(the_room_waits_for_its_last),
		cmocka_unit_test(no_place_is_kept_for_a_gateway),
		cmocka_unit_test(a_place_is_its_passes),
		cmocka_unit_test(others_go_before_who_is_gone),
		cmocka_unit_test(a_room_of_the_relays_own_goes_for_nobody),
		cmocka_unit_test(the_relays_own_room_does_not_wait),
		cmocka_unit_test(a_restart_changes_nobody),
		cmocka_unit_test(a_room_is_not_kept_for_ever),
		cmocka_unit_test(what_is_wrong_is_not_taken),
		cmocka_unit_test(what_is_restored_can_be_saved),
		cmocka_unit_test(a_room_that_nobody_is_missed_in_is_not_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
