/* SPDX-License-Identifier: MIT */
/*
 * What a relay tells of its members: how far away each of them is, and how good the way.
 *
 *     near --- 5 ms ---- relay ---- 40 ms --- far      one way; back it is 5 ms for both
 */
#include "../unit.h"
#include "party.h"
#include "wire/compose.h"

#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

/* A number of the relay's facts about a member: part "path" or "up", and the key in it. */
static json_int_t fact_of(const struct party *party, const char *name, const char *part,
			  const char *key)
{
	char *text = weft_relay_json(party->relay, sim_now(party->sim));
	json_t *facts = json_loads(text, 0, NULL), *rooms, *members = NULL, *member;
	json_int_t fact = -1;
	size_t i;
	assert_int_equal(json_unpack(facts, "{s:o}", "rooms", &rooms), 0);
	assert_int_equal(
		json_unpack(json_array_get(rooms, 0), "{s:o}", "members", &members), 0);
	json_array_foreach(members, i, member)
	{
		const char *own = json_string_value(json_object_get(member, "name"));
		if (strcmp(own, name) == 0)
			assert_int_equal(
				json_unpack(member, "{s:{s:I}}", part, key, &fact), 0);
	}
	json_decref(facts);
	free(text);
	return fact;
}

/* The member's own counter of packets that it has answered as too big. */
static json_int_t too_big_of(const struct guest *guest)
{
	char *text = weft_member_json(guest->member, sim_now(guest->party->sim));
	json_t *facts = json_loads(text, 0, NULL);
	const json_t *helped = json_object_get(facts, "helped");
	const json_int_t n = json_integer_value(json_object_get(helped, "too-big"));
	assert_true(json_is_object(helped));
	json_decref(facts);
	free(text);
	return n;
}

static json_int_t rtt_of(const struct party *party, const char *name)
{
	return fact_of(party, name, "path", "rtt_us");
}

static void each_member_has_its_round_trip(void **state)
{
	(void)state;
	const struct sim_link slow = { .delay_ns = sim_ms(40) };
	struct party party;
	struct guest near, far;
	party_init(&party, test_seed());
	party_open_relay(&party);
	assert_int_equal(weft_relay_stats(party.relay).rtt_max_ns, 0);
	guest_join(&near, &party, "near", 1);
	guest_init(&far, &party, "far", 2);
	guest_start(&far);
	sim_set_link(far.socket, &slow);
	assert_true(guest_reaches(&far, WEFT_MEMBER_JOINED, 5000));
	party_run(&party, 60000);

	const struct weft_relay_stats stats = weft_relay_stats(party.relay);
	assert_in_range(stats.rtt_min_ns, sim_ms(10), sim_ms(36));
	assert_in_range(stats.rtt_max_ns, sim_ms(45), sim_ms(75));
	assert_int_equal(rtt_of(&party, "near"), stats.rtt_min_ns / 1000);
	assert_int_equal(rtt_of(&party, "far"), stats.rtt_max_ns / 1000);
	guest_leave(&far);
	party_run(&party, 1000);
	assert_int_equal(weft_relay_stats(party.relay).rtt_max_ns,
			 weft_relay_stats(party.relay).rtt_min_ns);
	guest_leave(&near);
	party_fini(&party);
}

/* Loses one in five of what it sends, and sends unevenly; the way to it is a good one. */
static void a_bad_path_shows_on_both_ends(void **state)
{
	(void)state;
	const struct sim_link bad = { .delay_ns = sim_ms(5),
				      .jitter_ns = sim_ms(8),
				      .loss = 0.2 };
	struct party party;
	struct guest good, poor;
	party_init(&party, test_seed());
	party_open_relay(&party);
	guest_join(&good, &party, "good", 1);
	guest_join(&poor, &party, "poor", 2);
	sim_set_link(poor.socket, &bad);
	for (unsigned i = 0; i < 3000; i++) {
		guest_sends(&poor, guest_mac(1));
		guest_sends(&good, guest_mac(2));
	}
	const struct weft_member_stats stats = weft_member_stats(poor.member);
	assert_in_range(stats.loss_ppm, 100000, 300000);
	assert_true(stats.sent >= 3000 && stats.lost >= stats.sent / 10);
	assert_in_range(stats.jitter_ns, sim_ms(1), sim_ms(8));
	assert_int_equal(weft_member_stats(good.member).loss_ppm, 0);
	assert_in_range(weft_member_stats(good.member).jitter_ns, 0, sim_ms(1));
	/* The relay knows the way to a member, and is told of the way back. */
	assert_in_range(fact_of(&party, "poor", "path", "loss_ppm"), 0, 50000);
	assert_true(fact_of(&party, "poor", "path", "jitter_us") > 1000);
	assert_true(fact_of(&party, "poor", "up", "lost") >= 100);
	assert_int_equal(fact_of(&party, "good", "up", "lost"), 0);
	guest_leave(&poor);
	guest_leave(&good);
	party_fini(&party);
}

/* What a member has told senders on its own machine; the room's MTU is smaller than theirs. */
static void packets_that_were_too_big_are_counted(void **state)
{
	(void)state;
	static const uint8_t payload[1400];
	const struct compose packet = {
		.is_ether = true,
		.dst_mac = guest_mac(2),
		.src_mac = guest_mac(1),
		.src = { .family = AF_INET, .octet = { 10, 0, 0, 1 } },
		.dst = { .family = AF_INET, .octet = { 10, 0, 0, 2 } },
		.df = true,
	};
	struct party party;
	struct guest alice, bob;
	uint8_t buf[1500];
	party_init(&party, test_seed());
	party.relay_opts.mtu = 1000;
	party_open_relay(&party);
	guest_join(&alice, &party, "alice", 1);
	guest_join(&bob, &party, "bob", 2);
	assert_int_equal(too_big_of(&alice), 0);
	int len = compose_udp(&packet, payload, sizeof(payload), buf, sizeof(buf));
	assert_true(len > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	(void)guest_got(&alice);
	link_deliver(&alice.probe.link, &frame, 1, sim_now(party.sim));
	party_run(&party, 50);
	assert_int_equal(too_big_of(&alice), 1);
	assert_int_equal(guest_got(&alice), 1); /* is told */
	assert_int_equal(guest_got(&bob), 0);
	assert_int_equal(alice.probe.last[23], IPPROTO_ICMP);
	assert_int_equal(too_big_of(&bob), 0);
	guest_leave(&alice);
	guest_leave(&bob);
	party_fini(&party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_has_its_round_trip),
		cmocka_unit_test(a_bad_path_shows_on_both_ends),
		cmocka_unit_test(packets_that_were_too_big_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
