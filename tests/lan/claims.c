/* SPDX-License-Identifier: MIT */
/*
 * Stations behind members: the table of claims by itself, and a party whose guests have
 * emulators plugged in.
 */
#include "lan/claims.h"

#include "../unit.h"
#include "party.h"

#include <weft/loop.h>

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

static const struct weft_mac own = { { 2, 0, 0, 0, 0, 1 } };

/* Dolphin's broadband adapter, for one: not locally administered. */
static struct weft_mac station(uint8_t number)
{
	return (struct weft_mac){ { 0x00, 0x09, 0xbf, 0, 0, number } };
}

/* ---- the table --------------------------------------------------------------------------- */

static enum claims_verdict judge(struct claims *claims, struct weft_mac source,
				 uint64_t now)
{
	uint8_t bytes[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct weft_frame frame = { .data = bytes,
					  .len = sizeof(bytes),
					  .headroom = 7 };
	memcpy(bytes + 6, source.octet, sizeof(source.octet));
	return claims_judge(claims, &frame, now);
}

static void answer(struct claims *claims, enum message_type type, struct weft_mac mac,
		   uint64_t now)
{
	const struct message message = { .type = type,
					 .claim = { .n = 1, .macs = { mac } } };
	claims_answer(claims, &message, now);
}

static unsigned unhold_all(struct claims *claims, enum claims_verdict expected)
{
	struct weft_frame frame;
	enum claims_verdict verdict;
	unsigned n = 0;
	for (; claims_unhold(claims, &frame, &verdict); n++) {
		assert_int_equal(verdict, expected);
		assert_int_equal(frame.headroom, 0); /* A copy has none. */
		free(frame.data);
	}
	return n;
}

static void test_ask_hold_pass(void **state)
{
	(void)state;
	struct claims claims;
	struct message message;
	claims_init(&claims, own);
	assert_int_equal(judge(&claims, own, 0), CLAIMS_PASS);
	assert_true(claims_deadline(&claims) == WEFT_NEVER);

	assert_int_equal(judge(&claims, station(7), 0), CLAIMS_HELD);
	assert_int_equal(judge(&claims, station(8), 0), CLAIMS_HELD);
	assert_true(claims_deadline(&claims) == 0);
	assert_true(claims_next(&claims, &message, 0));
	assert_int_equal(message.type, MESSAGE_CLAIM);
	assert_int_equal(message.claim.n, 2);
	assert_int_equal(message.claim.macs[1].octet[5], 8);
	assert_false(claims_next(&claims, &message, 0));
	assert_int_equal(unhold_all(&claims, CLAIMS_PASS), 0);

	answer(&claims, MESSAGE_CLAIMED, station(7), MS);
	assert_int_equal(unhold_all(&claims, CLAIMS_PASS), 1);
	assert_int_equal(judge(&claims, station(7), MS), CLAIMS_PASS);
	answer(&claims, MESSAGE_DENIED, station(8), MS);
	assert_int_equal(unhold_all(&claims, CLAIMS_DROP), 1);
	assert_int_equal(judge(&claims, station(8), 2 * MS), CLAIMS_DROP);
	/* After a while somebody may have made room. */
	assert_int_equal(judge(&claims, station(8), MS + CLAIMS_DENIED_NS), CLAIMS_HELD);
	assert_true(claims_next(&claims, &message, MS + CLAIMS_DENIED_NS));
	claims_fini(&claims);
}

static void test_wrong_sources(void **state)
{
	(void)state;
	struct claims claims;
	uint8_t runt[13] = { 0 };
	const struct weft_frame frame = { .data = runt, .len = sizeof(runt) };
	claims_init(&claims, own);
	assert_int_equal(claims_judge(&claims, &frame, 0), CLAIMS_DROP);
	assert_int_equal(judge(&claims, (struct weft_mac){ { 0 } }, 0), CLAIMS_DROP);
	assert_int_equal(judge(&claims, party_broadcast, 0), CLAIMS_DROP);
	assert_int_equal(claims.n, 0);
	claims_fini(&claims);
}

/* The relay counts messages: a station more each millisecond is no message more. */
static void test_asks_seldom(void **state)
{
	(void)state;
	struct claims claims;
	struct message message;
	unsigned asked = 0;
	claims_init(&claims, own);
	for (uint8_t i = 0; i < 10; i++) {
		(void)judge(&claims, station(i), i * MS);
		asked += claims_next(&claims, &message, i * MS);
	}
	assert_int_equal(asked, 1);
	assert_true(claims_deadline(&claims) == CLAIMS_ASK_NS);
	assert_true(claims_next(&claims, &message, CLAIMS_ASK_NS));
	assert_int_equal(message.claim.n, 9);
	claims_fini(&claims);
}

static void test_table_is_bounded(void **state)
{
	(void)state;
	struct claims claims;
	struct message message;
	claims_init(&claims, own);
	for (uint8_t i = 0; i < LAN_CLAIMS_MAX; i++) {
		(void)judge(&claims, station(i), i * MS);
		answer(&claims, MESSAGE_CLAIMED, station(i), i * MS);
		assert_int_equal(unhold_all(&claims, CLAIMS_PASS), 1);
	}
	assert_int_equal(judge(&claims, station(0), 100 * MS), CLAIMS_PASS);
	assert_int_equal(judge(&claims, station(200), CLAIMS_SILENT_NS), CLAIMS_DROP);
	/* The one that was silent longest makes room, and is released. */
	const uint64_t then = CLAIMS_SILENT_NS + MS;
	assert_int_equal(judge(&claims, station(200), then), CLAIMS_HELD);
	assert_true(claims_next(&claims, &message, then));
	assert_int_equal(message.type, MESSAGE_RELEASE);
	assert_int_equal(message.claim.n, 1);
	assert_int_equal(message.claim.macs[0].octet[5], 1);
	assert_true(claims_next(&claims, &message, then));
	assert_int_equal(message.type, MESSAGE_CLAIM);
	for (unsigned i = 0; i < 2 * CLAIMS_HELD_MAX; i++)
		(void)judge(&claims, station(200), then);
	assert_int_equal(claims.held_n, CLAIMS_HELD_MAX);
	claims_fini(&claims);
}

/* ---- in a room --------------------------------------------------------------------------- */

struct arcade {
	struct party party;
	struct guest alice, bob, lan;
};

static void arcade_begin(struct arcade *arcade)
{
	party_init(&arcade->party, test_seed());
	party_open_relay(&arcade->party);
	guest_init(&arcade->alice, &arcade->party, "alice", 1);
	arcade->alice.opts.claims = true;
	guest_start(&arcade->alice);
	assert_true(guest_reaches(&arcade->alice, WEFT_MEMBER_JOINED, 5000));
	guest_join(&arcade->bob, &arcade->party, "bob", 2);
	guest_join(&arcade->lan, &arcade->party, "lan", 0);
	party_run(&arcade->party, 100);
}

static void arcade_end(struct arcade *arcade)
{
	guest_leave(&arcade->alice);
	guest_leave(&arcade->bob);
	guest_leave(&arcade->lan);
	party_fini(&arcade->party);
}

static void sends_as(struct guest *guest, struct weft_mac src, struct weft_mac dst)
{
	probe_sends(&guest->probe, src, dst, 60, sim_now(guest->party->sim));
	party_run(guest->party, 100);
}

static void assert_reachable(struct arcade *arcade, struct weft_mac mac)
{
	(void)guest_got(&arcade->alice);
	guest_sends(&arcade->bob, mac);
	assert_int_equal(guest_got(&arcade->alice), 1);
	sends_as(&arcade->lan, party_lan_host, mac);
	assert_int_equal(guest_got(&arcade->alice), 1);
}

/* A machine of the LAN with that MAC is heard in the room. */
static void assert_lan_may_be(struct arcade *arcade, struct weft_mac mac)
{
	(void)guest_got(&arcade->bob);
	sends_as(&arcade->lan, mac, party_broadcast);
	assert_int_equal(guest_got(&arcade->bob), 1);
}

static void test_station_takes_part(void **state)
{
	(void)state;
	struct arcade arcade;
	arcade_begin(&arcade);
	/* Its first frame is not lost. */
	sends_as(&arcade.alice, station(7), party_broadcast);
	assert_int_equal(guest_got(&arcade.bob), 1);
	sends_as(&arcade.alice, station(7), guest_mac(2));
	assert_int_equal(guest_got(&arcade.bob), 1);
	(void)guest_got(&arcade.lan);
	sends_as(&arcade.alice, station(7), party_lan_host);
	assert_int_equal(guest_got(&arcade.lan), 1);
	assert_reachable(&arcade, station(7));
	/* And the member itself still does. */
	guest_sends(&arcade.alice, guest_mac(2));
	assert_int_equal(guest_got(&arcade.bob), 1);
	arcade_end(&arcade);
}

static void test_not_without_the_option(void **state)
{
	(void)state;
	struct arcade arcade;
	arcade_begin(&arcade);
	sends_as(&arcade.bob, station(9), party_broadcast);
	assert_int_equal(guest_got(&arcade.alice), 0);
	arcade_end(&arcade);
}

/* A MAC that somebody has cannot be claimed: a member's, a claimed one, one of the LAN. */
static void test_taken(void **state)
{
	(void)state;
	struct arcade arcade;
	struct guest carol;
	arcade_begin(&arcade);
	sends_as(&arcade.alice, station(7), party_broadcast);
	sends_as(&arcade.lan, party_lan_host, party_broadcast);
	guest_init(&carol, &arcade.party, "carol", 3);
	carol.opts.claims = true;
	guest_start(&carol);
	assert_true(guest_reaches(&carol, WEFT_MEMBER_JOINED, 5000));
	const struct weft_mac taken[] = { guest_mac(2), station(7), party_lan_host };
	for (unsigned i = 0; i < 3; i++) {
		(void)guest_got(&arcade.bob);
		sends_as(&carol, taken[i], party_broadcast);
		party_run(&arcade.party, 1100);
		assert_int_equal(guest_got(&arcade.bob), 0);
	}
	assert_reachable(&arcade, station(7));
	guest_leave(&carol);
	arcade_end(&arcade);
}

/* Who comes later learns of it, and leaving frees it. */
static void test_newcomers_and_leavers(void **state)
{
	(void)state;
	struct arcade arcade;
	arcade_begin(&arcade);
	sends_as(&arcade.alice, station(7), party_broadcast);
	guest_leave(&arcade.lan);
	guest_join(&arcade.lan, &arcade.party, "lan", 0);
	party_run(&arcade.party, 100);
	assert_reachable(&arcade, station(7));
	sends_as(&arcade.alice, station(8), party_broadcast);
	party_run(&arcade.party, 1000);
	assert_reachable(&arcade, station(8));

	/* One emulator moves to the LAN, the other to bob's machine. */
	guest_leave(&arcade.alice);
	party_run(&arcade.party, 100);
	assert_lan_may_be(&arcade, station(8));
	guest_leave(&arcade.bob);
	guest_init(&arcade.bob, &arcade.party, "bob", 2);
	arcade.bob.opts.claims = true;
	guest_start(&arcade.bob);
	guest_join(&arcade.alice, &arcade.party, "alice", 1);
	assert_true(guest_reaches(&arcade.bob, WEFT_MEMBER_JOINED, 5000));
	sends_as(&arcade.bob, station(7), party_broadcast);
	(void)guest_got(&arcade.bob);
	guest_sends(&arcade.alice, station(7));
	assert_int_equal(guest_got(&arcade.bob), 1);
	arcade_end(&arcade);
}

/* A seventeenth station takes the place of who has been silent, whom the LAN may then have. */
static void test_who_is_silent_makes_room(void **state)
{
	(void)state;
	struct arcade arcade;
	arcade_begin(&arcade);
	for (uint8_t i = 0; i < LAN_CLAIMS_MAX; i++)
		sends_as(&arcade.alice, station(i), party_broadcast);
	party_run(&arcade.party, CLAIMS_SILENT_NS / MS);
	sends_as(&arcade.alice, station(LAN_CLAIMS_MAX), party_broadcast);
	party_run(&arcade.party, 3000);
	assert_reachable(&arcade, station(LAN_CLAIMS_MAX));
	assert_lan_may_be(&arcade, station(0));
	assert_int_equal(arcade.bob.joined_n + arcade.lan.joined_n, 2);
	arcade_end(&arcade);
}

/* After the relay has lost its memory everything is claimed anew. */
static void test_survives_the_relay(void **state)
{
	(void)state;
	struct arcade arcade;
	arcade_begin(&arcade);
	sends_as(&arcade.alice, station(7), party_broadcast);
	party_close_relay(&arcade.party);
	party_open_relay(&arcade.party);
	assert_true(guest_reaches(&arcade.alice, WEFT_MEMBER_JOINED, 20000));
	assert_true(guest_reaches(&arcade.bob, WEFT_MEMBER_JOINED, 20000));
	assert_true(guest_reaches(&arcade.lan, WEFT_MEMBER_JOINED, 20000));
	party_run(&arcade.party, 1000);
	assert_reachable(&arcade, station(7));
	arcade_end(&arcade);
}

/* A crowd of stations behind one member gets what there is, and disturbs nobody. */
static void test_too_many(void **state)
{
	(void)state;
	struct arcade arcade;
	arcade_begin(&arcade);
	for (uint8_t i = 0; i < 40; i++)
		sends_as(&arcade.alice, station(i), party_broadcast);
	party_run(&arcade.party, 3000);
	assert_int_equal(weft_member_stats(arcade.alice.member).state,
			 WEFT_MEMBER_JOINED);
	assert_reachable(&arcade, station(3));
	(void)guest_got(&arcade.alice);
	guest_sends(&arcade.bob, station(39));
	assert_int_equal(guest_got(&arcade.alice), 0);
	arcade_end(&arcade);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask_hold_pass),
		cmocka_unit_test(test_wrong_sources),
		cmocka_unit_test(test_asks_seldom),
		cmocka_unit_test(test_table_is_bounded),
		cmocka_unit_test(test_station_takes_part),
		cmocka_unit_test(test_not_without_the_option),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_newcomers_and_leavers),
		cmocka_unit_test(test_who_is_silent_makes_room),
		cmocka_unit_test(test_survives_the_relay),
		cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
