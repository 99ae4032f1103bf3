/* SPDX-License-Identifier: MIT */
/*
 * The life of a room: joining, frames both ways, leaving, and coming back after everything
 * that can happen to a relay, a member or the way between them.
 */
#include "../unit.h"
#include "party.h"
#include "service/dhcp_frame.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct weft_relay_stats relay_stats(const struct party *party)
{
	return weft_relay_stats(party->relay);
}

/* A relay with two clients and the gateway of the LAN. */
struct full {
	struct party party;
	struct guest alice, bob, lan;
};

static void full_begin(struct full *full)
{
	party_init(&full->party, test_seed());
	party_open_relay(&full->party);
	guest_join(&full->alice, &full->party, "alice", 1);
	guest_join(&full->bob, &full->party, "bob", 2);
	guest_join(&full->lan, &full->party, "lan", 0);
	party_run(&full->party, 100);
}

static void full_end(struct full *full)
{
	guest_leave(&full->alice);
	guest_leave(&full->bob);
	guest_leave(&full->lan);
	party_fini(&full->party);
}

/* Frames pass between the two clients, both ways. */
static void assert_talking(struct guest *a, struct guest *b)
{
	(void)guest_got(a), (void)guest_got(b);
	guest_sends(a, b->opts.mac);
	assert_int_equal(guest_got(b), 1);
	guest_sends(b, a->opts.mac);
	assert_int_equal(guest_got(a), 1);
}

static void test_join_and_talk(void **state)
{
	(void)state;
	struct party party;
	struct guest alice, bob;
	party_init(&party, test_seed());
	party_open_relay(&party);
	guest_join(&alice, &party, "alice", 1);
	guest_join(&bob, &party, "bob", 2);
	party_run(&party, 50);
	assert_int_equal(alice.came_n, 1);
	assert_string_equal(alice.peer.name, "bob");
	assert_memory_equal(alice.peer.mac.octet, guest_mac(2).octet, 6);
	assert_int_equal(bob.came_n, 1);
	assert_string_equal(bob.peer.name, "alice");

	assert_talking(&alice, &bob);
	guest_sends(&bob, party_broadcast);
	assert_int_equal(guest_got(&alice), 1);
	assert_int_equal(guest_got(&bob), 0);
	guest_leave(&alice);
	guest_leave(&bob);
	party_fini(&party);
}

/* A gateway lets nobody out whom it does not know; so it hears of a client before that does. */
static void test_first_frame_finds_the_gateway_ready(void **state)
{
	(void)state;
	struct party party;
	struct guest alice, lan;
	party_init(&party, test_seed());
	party_open_relay(&party);
	guest_join(&lan, &party, "lan", 0);
	guest_join(&alice, &party, "alice", 1);
	guest_sends(&alice, party_lan_host); /* in the moment of its welcome */
	assert_int_equal(guest_got(&lan), 1);
	guest_leave(&alice);
	guest_leave(&lan);
	party_fini(&party);
}

static void test_what_the_welcome_says(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	struct guest *guests[] = { &full.alice, &full.bob, &full.lan };
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(guests[i]->joined_n, 1);
		assert_int_equal(guests[i]->joined.peer, i + 1);
		assert_int_equal(guests[i]->joined.room, 1);
		assert_int_equal(guests[i]->joined.mtu, full.alice.joined.mtu);
		assert_true(weft_member_stats(guests[i]->member).rtt_ns >= sim_ms(10));
	}
	assert_int_equal(full.alice.joined.mtu, 1500);
	assert_int_equal(full.alice.joined.address.octet[3], 2);
	assert_int_equal(full.bob.joined.address.octet[3], 3);
	assert_int_equal(full.lan.joined.address.family, 0);
	assert_false(full.bob.joined.has_gateway);
	assert_true(weft_member_stats(full.bob.member).has_gateway);
	assert_int_equal(weft_member_stats(full.lan.member).peers, 2);

	assert_int_equal(relay_stats(&full.party).rooms, 1);
	assert_int_equal(relay_stats(&full.party).members, 3);
	assert_int_equal(relay_stats(&full.party).gateways, 1);
	assert_int_equal(full.party.joins, 3);
	full_end(&full);
}

static void test_leaving_is_known_at_once(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	guest_leave(&full.alice);
	party_run(&full.party, 15);
	assert_int_equal(full.bob.left_n, 1);
	assert_string_equal(full.bob.peer.name, "alice");
	assert_string_equal(full.bob.peer_reason, "goodbye");
	assert_int_equal(full.lan.left_n, 1);
	assert_string_equal(full.party.reason, "goodbye");
	assert_int_equal(relay_stats(&full.party).members, 2);

	guest_join(&full.alice, &full.party, "alice", 1);
	party_run(&full.party, 50);
	assert_int_equal(full.bob.came_n, 3);
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

static void test_room_ends_with_its_last_member(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	guest_leave(&full.lan);
	guest_leave(&full.bob);
	guest_leave(&full.alice);
	party_run(&full.party, 50);
	assert_int_equal(relay_stats(&full.party).rooms, 0);
	assert_int_equal(full.party.leaves, 3);

	/* Another secret makes another room of that name. */
	guest_init(&full.alice, &full.party, "alice", 1);
	full.alice.opts.invite.secret[0] ^= 1;
	guest_start(&full.alice);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 5000));
	guest_leave(&full.alice);
	party_fini(&full.party);
}

/* The old session of a member that crashed holds its MAC until the relay misses it. */
static void test_member_crashes_and_returns(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	guest_crash(&full.alice);
	guest_init(&full.alice, &full.party, "alice", 1);
	(void)strcpy(full.alice.address, "10.0.1.77:1000");
	guest_start(&full.alice);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_WAITING, 5000));
	assert_non_null(strstr(full.alice.reason, "02:00:00:00:00:01"));
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 40000));
	party_run(&full.party, 50);
	assert_int_equal(full.bob.left_n, 1);
	assert_string_equal(full.lan.peer_reason, "");
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

static void test_who_is_lost_is_told_of(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	guest_crash(&full.alice);
	party_run(&full.party, 40000);
	assert_int_equal(full.bob.left_n, 1);
	assert_string_equal(full.bob.peer_reason, "nothing was heard of it any more");
	guest_leave(&full.bob);
	guest_leave(&full.lan);
	party_fini(&full.party);
}

static void test_relay_shuts_down_and_returns(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	party_close_relay(&full.party);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_WAITING, 100));
	assert_non_null(strstr(full.alice.reason, "shut down"));
	party_open_relay(&full.party);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 10000));
	assert_true(guest_reaches(&full.bob, WEFT_MEMBER_JOINED, 10000));
	assert_true(guest_reaches(&full.lan, WEFT_MEMBER_JOINED, 10000));
	party_run(&full.party, 50);
	assert_talking(&full.alice, &full.bob);
	guest_sends(&full.alice, party_lan_host);
	assert_int_equal(guest_got(&full.lan), 1);
	full_end(&full);
}

/* It has forgotten its connections, and says so with a stateless reset. */
static void test_relay_is_killed_and_restarted(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	party_kill_relay(&full.party);
	party_open_relay(&full.party);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_WAITING, 6000));
	assert_non_null(strstr(full.alice.reason, "restarted"));
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 5000));
	assert_true(guest_reaches(&full.bob, WEFT_MEMBER_JOINED, 15000));
	party_run(&full.party, 50);
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

static void test_relay_is_gone_for_an_hour(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	party_kill_relay(&full.party);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_WAITING, 16000));
	assert_non_null(strstr(full.alice.reason, "nothing has been heard"));
	party_run(&full.party, 3600 * 1000);
	assert_non_null(strstr(full.alice.reason, "no answer from 10.0.0.1"));
	/* 5 s of handshake and 0.5 to 15 s of waiting, each time. */
	assert_in_range(full.alice.waits_n, 3600 / 20, 3600 / 8);
	party_open_relay(&full.party);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 21000));
	assert_true(guest_reaches(&full.bob, WEFT_MEMBER_JOINED, 21000));
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

static void test_gateway_leaves_and_returns(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	guest_leave(&full.lan);
	party_run(&full.party, 50);
	assert_false(weft_member_stats(full.alice.member).has_gateway);
	guest_sends(&full.alice, party_lan_host);

	guest_join(&full.lan, &full.party, "lan2", 0);
	party_run(&full.party, 50);
	assert_true(weft_member_stats(full.alice.member).has_gateway);
	assert_string_equal(full.alice.peer.name, "lan2");
	assert_int_equal(guest_got(&full.lan), 0);
	guest_sends(&full.alice, party_lan_host);
	assert_int_equal(guest_got(&full.lan), 1);
	probe_sends(&full.lan.probe, party_lan_host, guest_mac(1), 60,
		    sim_now(full.party.sim));
	party_run(&full.party, 50);
	assert_int_equal(guest_got(&full.alice), 1);
	full_end(&full);
}

/* ---- what a gateway lets through --------------------------------------------------------- */

static uint64_t lan_sends(struct full *full, struct weft_mac src, struct weft_mac dst)
{
	uint64_t before = relay_stats(&full->party).rx_frames;
	probe_sends(&full->lan.probe, src, dst, 60, sim_now(full->party.sim));
	party_run(&full->party, 50);
	return relay_stats(&full->party).rx_frames - before;
}

static void test_gateway_keeps_the_lan_at_home(void **state)
{
	(void)state;
	static const struct weft_mac other = { { 0x00, 0x16, 0x3e, 0, 0, 8 } };
	static const struct weft_mac group = { { 1, 0, 0x5e, 0, 0, 251 } };
	struct full full;
	full_begin(&full);
	assert_int_equal(lan_sends(&full, party_lan_host, other), 0);
	assert_int_equal(lan_sends(&full, party_lan_host, guest_mac(2)), 1);
	assert_int_equal(guest_got(&full.bob), 1);
	assert_int_equal(lan_sends(&full, party_lan_host, party_broadcast), 1);
	assert_int_equal(lan_sends(&full, party_lan_host, group), 1);
	assert_int_equal(guest_got(&full.alice), 2);
	/* What the gateway itself has put on the wire comes back through a hub. */
	assert_int_equal(lan_sends(&full, guest_mac(1), party_broadcast), 0);

	guest_leave(&full.bob);
	party_run(&full.party, 50);
	assert_int_equal(lan_sends(&full, party_lan_host, guest_mac(2)), 0);
	guest_join(&full.bob, &full.party, "bob", 2);
	party_run(&full.party, 50);
	assert_int_equal(lan_sends(&full, party_lan_host, guest_mac(2)), 1);
	full_end(&full);
}

static void test_lan_frames_of_strange_lengths(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	const size_t longest = full.alice.joined.mtu + 18;
	const size_t lens[] = { 14, 15, 60, 300, 301, longest - 1, longest };
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		probe_sends(&full.alice.probe, guest_mac(1), guest_mac(2), lens[i],
			    sim_now(full.party.sim));
		party_run(&full.party, 50);
		assert_int_equal(guest_got(&full.bob), 1);
		assert_int_equal(full.bob.probe.last_len, lens[i]);
		for (size_t j = 12; j < lens[i]; j++)
			assert_int_equal(full.bob.probe.last[j], (uint8_t)j);
	}
	uint64_t drops = weft_member_stats(full.alice.member).drops;
	probe_sends(&full.alice.probe, guest_mac(1), guest_mac(2), longest + 1,
		    sim_now(full.party.sim));
	party_run(&full.party, 50);
	assert_int_equal(guest_got(&full.bob), 0);
	assert_int_equal(weft_member_stats(full.alice.member).drops, drops + 1);
	full_end(&full);
}

/* Their frames of 1,500 need two datagrams each, so TCP is asked for smaller ones. */
static void test_tcp_is_asked_for_segments_of_one_datagram(void **state)
{
	(void)state;
	struct full full;
	uint8_t
		syn[14 + 20 + 24] = {
			2,    0,  0, 0,  0, 2, 2,    0,    0,  0, 0, 1, 0x08, 0x00, /* */
			0x45, 0,  0, 44, 0, 0, 0,    0,    64, 6, 0, 0, 10,   0,    0,
			1,    10, 0, 0,  2, /* */
			0x10, 0,  0, 80, 0, 0, 0,    1,    0,  0, 0, 0, 0x60, 0x02, 0xff,
			0xff,                              /* */
			0,    0,  0, 0,  2, 4, 0x05, 0xb4, /* MSS 1460 */
		};
	full_begin(&full);
	struct weft_mac alice = guest_mac(1), bob = guest_mac(2);
	memcpy(syn, bob.octet, 6);
	memcpy(syn + 6, alice.octet, 6);
	const struct weft_frame frame = { .data = syn, .len = sizeof(syn) };
	link_deliver(&full.alice.probe.link, &frame, 1, sim_now(full.party.sim));
	party_run(&full.party, 50);
	assert_int_equal(guest_got(&full.bob), 1);
	/* The simulated path carries the largest probe: datagrams of 1,412 bytes. */
	const unsigned mss = 1412 - 8 - 14 - 4 - 40;
	assert_int_equal(full.bob.probe.last[56] << 8 | full.bob.probe.last[57], mss);
	full_end(&full);
}

/* A segment of TCP with so much data, of the flow of that port. */
static struct weft_frame segment(uint8_t buf[1100], uint16_t port, size_t len)
{
	static const uint8_t data[1000];
	uint8_t bytes[20 + sizeof(data)] = { [12] = 0x50, [13] = 0x10 };
	const struct compose c = { .is_ether = true,
				   .dst_mac = guest_mac(2),
				   .src_mac = guest_mac(1),
				   .src = { .family = AF_INET, .octet = { 10, 0, 0, 1 } },
				   .dst = { .family = AF_INET, .octet = { 10, 0, 0, 2 } },
				   .proto = IPPROTO_TCP,
				   .csum_offset = 16,
				   .ttl = 64 };
	store_be16(bytes, port);
	int n = compose_ip(&c, bytes, 20 + len, buf, 1100);
	assert_true(n > 0);
	return (struct weft_frame){ .data = buf, .len = (uint32_t)n };
}

/* Small frames go before large ones, at the member and at the relay; ends of TCP do not. */
static void test_the_end_of_an_answer_comes_last(void **state)
{
	(void)state;
	struct full full;
	uint8_t bytes[4][1100];
	full_begin(&full);
	for (unsigned is_other = 0; is_other < 2; is_other++) {
		const struct weft_frame batch[] = {
			segment(bytes[0], 80, 1000),
			segment(bytes[1], 80, 1000),
			segment(bytes[2], 80, 1000),
			segment(bytes[3], is_other ? 81 : 80, 100),
		};
		(void)guest_got(&full.bob);
		link_deliver(&full.alice.probe.link, batch, 4, sim_now(full.party.sim));
		party_run(&full.party, 50);
		assert_int_equal(guest_got(&full.bob), 4);
		assert_int_equal(full.bob.probe.last_len,
				 14 + 40 + (is_other ? 1000 : 100));
	}
	full_end(&full);
}

/* ---- the way between --------------------------------------------------------------------- */

static void test_loss_jitter_and_duplicates(void **state)
{
	(void)state;
	const struct sim_link bad = { .delay_ns = sim_ms(20),
				      .jitter_ns = sim_ms(10),
				      .loss = 0.1,
				      .duplication = 0.05 };
	struct party party;
	struct guest guests[8];
	party_init(&party, test_seed());
	sim_set_default_link(party.sim, &bad);
	party_open_relay(&party);
	for (uint8_t i = 0; i < 8; i++) {
		guest_init(&guests[i], &party, "guest", i);
		guest_start(&guests[i]);
	}
	party_run(&party, 30000);
	for (uint8_t i = 0; i < 8; i++) {
		struct weft_member_stats stats = weft_member_stats(guests[i].member);
		assert_int_equal(stats.state, WEFT_MEMBER_JOINED);
		assert_int_equal(stats.peers, 7);
		assert_int_equal(stats.has_gateway, i != 0);
	}
	/* News overtake each other; what everyone knows in the end is right all the same. */
	for (uint8_t i = 4; i < 8; i++)
		guest_leave(&guests[i]);
	party_run(&party, 30000);
	for (uint8_t i = 0; i < 4; i++) {
		assert_int_equal(weft_member_stats(guests[i].member).peers, 3);
		guest_leave(&guests[i]);
	}
	party_fini(&party);
}

/* A keep-alive that was lost is repeated in time. */
static void test_an_hour_of_loss(void **state)
{
	(void)state;
	const struct sim_link bad = { .delay_ns = sim_ms(20), .loss = 0.05 };
	struct full full;
	full_begin(&full);
	sim_set_link(full.party.relay_socket, &bad);
	sim_set_link(full.alice.socket, &bad);
	sim_set_link(full.bob.socket, &bad);
	sim_set_link(full.lan.socket, &bad);
	party_run(&full.party, 3600 * 1000);
	assert_int_equal(full.alice.waits_n + full.bob.waits_n + full.lan.waits_n, 0);
	assert_int_equal(weft_relay_stats(full.party.relay).members, 3);
	full_end(&full);
}

static void test_nat_changes_its_mind(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	sim_set_public(full.alice.socket, "192.0.2.99:4711");
	guest_sends(&full.alice, guest_mac(2));
	party_run(&full.party, 1000);
	assert_talking(&full.alice, &full.bob);
	assert_int_equal(full.alice.joined_n, 1);
	full_end(&full);
}

static void test_guest_moves_to_another_network(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	struct weft_task *task = member_task(full.alice.member);
	sim_remove(full.party.sim, task);
	full.alice.socket = sim_socket(full.party.sim, "10.7.7.7:1000");
	assert_int_equal(member_rebind_on(full.alice.member, full.alice.socket,
					  sim_now(full.party.sim)),
			 0);
	sim_add(full.party.sim, task);
	party_run(&full.party, 1000);
	assert_talking(&full.alice, &full.bob);
	assert_int_equal(full.alice.joined_n, 1);
	char *json = weft_relay_json(full.party.relay, 0);
	assert_non_null(strstr(json, "10.7.7.7:1000"));
	free(json);
	full_end(&full);
}

/* A machine sleeps: nothing of it runs, and then all of it at once. */
static void sleep_for(struct guest *guest, uint64_t ms)
{
	struct sim *sim = guest->party->sim;
	sim_remove(sim, member_task(guest->member));
	party_run(guest->party, ms);
	sim_add(sim, member_task(guest->member));
}

static void test_a_nap_ends_nothing(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	sleep_for(&full.alice, 8000);
	party_run(&full.party, 5000);
	assert_int_equal(full.alice.waits_n, 0);
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

static void test_sleep_and_wake(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	sleep_for(&full.alice, 8 * 3600 * 1000);
	assert_int_equal(weft_relay_stats(full.party.relay).members, 2);
	party_run(&full.party, 100);
	assert_non_null(strstr(full.alice.reason, "the relay does not know us any more"));
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 3000));
	assert_int_equal(full.alice.waits_n, 1);
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

/* The way back to a relay that was away is open again, and somebody says so. */
static void test_a_network_that_comes_back_is_not_waited_for(void **state)
{
	(void)state;
	const struct sim_link dead = { .is_down = true }, good = { .delay_ns = 5000000 };
	struct full full;
	full_begin(&full);
	sim_set_link(full.alice.socket, &dead);
	party_run(&full.party, 600 * 1000);
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_WAITING, 20000));
	sim_set_link(full.alice.socket, &good);
	weft_member_hurry(full.alice.member, sim_now(full.party.sim));
	assert_true(guest_reaches(&full.alice, WEFT_MEMBER_JOINED, 1000));
	weft_member_hurry(full.alice.member, sim_now(full.party.sim));
	assert_int_equal(weft_member_stats(full.alice.member).state, WEFT_MEMBER_JOINED);
	full_end(&full);
}

/* Silence is not absence: keep-alives hold an idle room together. */
static void test_idle_for_a_day(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	party_run(&full.party, 24 * 3600 * 1000);
	assert_int_equal(full.alice.waits_n + full.bob.waits_n + full.lan.waits_n, 0);
	assert_talking(&full.alice, &full.bob);
	full_end(&full);
}

/* ---- the relay's own room ---------------------------------------------------------------- */

static void test_host_and_guest(void **state)
{
	(void)state;
	struct party party;
	struct probe tap;
	struct guest alice;
	struct weft_error err = { "" };
	party_init(&party, test_seed());
	party.relay_opts.mtu_auto = true;
	party_open_relay(&party);
	probe_init(&tap);
	guest_init(&alice, &party, "alice", 1);
	const uint8_t *secret = alice.opts.invite.secret;
	int mtu = weft_relay_open_room(party.relay, "FRIDAY", secret, &tap.link,
				       guest_mac(9), &err);
	assert_int_equal(mtu, RELAY_AUTO_MTU);
	struct weft_ip address = weft_relay_room_address(party.relay, "FRIDAY");
	assert_int_equal(address.octet[3], 1);
	assert_int_equal(weft_relay_room_address(party.relay, "OTHER").family, 0);

	guest_start(&alice);
	assert_true(guest_reaches(&alice, WEFT_MEMBER_JOINED, 5000));
	assert_int_equal(alice.joined.mtu, RELAY_AUTO_MTU);
	assert_memory_equal(alice.joined.address.octet, address.octet, 3);
	assert_int_equal(alice.joined.address.octet[3], 2);
	assert_string_equal(alice.peer.name, "host");
	guest_sends(&alice, guest_mac(9));
	assert_int_equal(tap.frames, 1);
	probe_sends(&tap, guest_mac(9), party_broadcast, 60, sim_now(party.sim));
	party_run(&party, 50);
	assert_int_equal(guest_got(&alice), 1);

	guest_leave(&alice);
	party_run(&party, 50);
	assert_int_equal(weft_relay_stats(party.relay).rooms, 1);
	party_fini(&party);
}

static void test_rooms_that_cannot_be_opened(void **state)
{
	(void)state;
	struct full full;
	struct probe tap;
	struct weft_error err = { "" };
	full_begin(&full);
	probe_init(&tap);
	struct weft_relay *relay = full.party.relay;
	uint8_t *secret = full.alice.opts.invite.secret;
	assert_int_equal(
		weft_relay_open_room(relay, "a b", secret, NULL, guest_mac(9), &err),
		-EINVAL);
	assert_int_equal(weft_relay_open_room(relay, "FRIDAY", secret, &tap.link,
					      guest_mac(1), &err),
			 -EEXIST);
	assert_int_equal(weft_relay_open_room(relay, "FRIDAY", secret, &tap.link,
					      guest_mac(9), &err),
			 1500);
	party_run(&full.party, 50);
	assert_string_equal(full.alice.peer.name, "host");
	secret[0] ^= 1;
	assert_int_equal(
		weft_relay_open_room(relay, "FRIDAY", secret, NULL, guest_mac(8), &err),
		-EEXIST);
	assert_non_null(strstr(err.text, "another key"));
	/* What cannot be joined is not left behind. */
	assert_int_equal(weft_relay_open_room(relay, "NEW", secret, &tap.link,
					      party_broadcast, &err),
			 -EINVAL);
	assert_int_equal(relay_stats(&full.party).rooms, 1);
	full_end(&full);
}

/* ---- the local side ---------------------------------------------------------------------- */

static void test_who_sees_frames_first_may_keep_them(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	full.bob.takes_frames = true;
	guest_sends(&full.alice, guest_mac(2));
	assert_int_equal(full.bob.seen, 1);
	assert_int_equal(guest_got(&full.bob), 0);
	full.bob.takes_frames = false;
	guest_sends(&full.alice, guest_mac(2));
	assert_int_equal(full.bob.seen, 2);
	assert_int_equal(guest_got(&full.bob), 1);
	full_end(&full);
}

static void test_frames_of_its_own(void **state)
{
	(void)state;
	struct full full;
	uint8_t bytes[60] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1 };
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	full_begin(&full);
	weft_member_send(full.alice.member, &frame, 1, sim_now(full.party.sim));
	party_run(&full.party, 50);
	assert_int_equal(guest_got(&full.bob), 1);
	party_close_relay(&full.party);
	party_run(&full.party, 50);
	weft_member_send(full.alice.member, &frame, 1, sim_now(full.party.sim));
	full_end(&full);
}

/* What is sent last arrives before the goodbye: a DHCP client returns its lease so. */
static void test_last_frames_before_the_goodbye(void **state)
{
	(void)state;
	struct full full;
	uint8_t bytes[300] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1 };
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	full_begin(&full);
	for (unsigned i = 0; i < 3; i++)
		weft_member_send(full.alice.member, &frame, 1, sim_now(full.party.sim));
	guest_leave(&full.alice);
	party_run(&full.party, 50);
	assert_int_equal(guest_got(&full.bob), 3);
	assert_int_equal(full.bob.left_n, 1);
	guest_leave(&full.bob);
	guest_leave(&full.lan);
	party_fini(&full.party);
}

static void test_facts(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	assert_talking(&full.alice, &full.bob);
	char *json = weft_relay_json(full.party.relay, 5);
	const char *const words[] = { "\"FRIDAY\"", "\"alice\"",       "\"gateway\"",
				      "rtt_us",     "\"forwarded\":2", "10.0.1.2:1000" };
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(json, words[i]))
			fail_msg("no %s in %s", words[i], json);
	free(json);
	json = weft_member_json(full.alice.member, 5);
	const char *const others[] = { "\"joined\"", "\"bob\"",    "\"mtu\":1500",
				       "rtt_us",     "\"sent\":1", "\"received\":1" };
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strstr(json, others[i]))
			fail_msg("no %s in %s", others[i], json);
	free(json);
	full_end(&full);
}

static void test_stats_reach_the_relay(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	probe_sends(&full.alice.probe, guest_mac(1), guest_mac(2), 2000,
		    sim_now(full.party.sim));
	party_run(&full.party, 61000);
	char *json = weft_relay_json(full.party.relay, 5);
	assert_non_null(strstr(json, "\"drops_at_member\":1"));
	free(json);
	full_end(&full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join_and_talk),
		cmocka_unit_test(test_first_frame_finds_the_gateway_ready),
		cmocka_unit_test(test_what_the_welcome_says),
		cmocka_unit_test(test_leaving_is_known_at_once),
		cmocka_unit_test(test_room_ends_with_its_last_member),
		cmocka_unit_test(test_member_crashes_and_returns),
		cmocka_unit_test(test_who_is_lost_is_told_of),
		cmocka_unit_test(test_relay_shuts_down_and_returns),
		cmocka_unit_test(test_relay_is_killed_and_restarted),
		cmocka_unit_test(test_relay_is_gone_for_an_hour),
		cmocka_unit_test(test_gateway_leaves_and_returns),
		cmocka_unit_test(test_gateway_keeps_the_lan_at_home),
		cmocka_unit_test(test_lan_frames_of_strange_lengths),
		cmocka_unit_test(test_tcp_is_asked_for_segments_of_one_datagram),
		cmocka_unit_test(test_the_end_of_an_answer_comes_last),
		cmocka_unit_test(test_loss_jitter_and_duplicates),
		cmocka_unit_test(test_an_hour_of_loss),
		cmocka_unit_test(test_nat_changes_its_mind),
		cmocka_unit_test(test_guest_moves_to_another_network),
		cmocka_unit_test(test_a_nap_ends_nothing),
		cmocka_unit_test(test_sleep_and_wake),
		cmocka_unit_test(test_a_network_that_comes_back_is_not_waited_for),
		cmocka_unit_test(test_idle_for_a_day),
		cmocka_unit_test(test_host_and_guest),
		cmocka_unit_test(test_rooms_that_cannot_be_opened),
		cmocka_unit_test(test_who_sees_frames_first_may_keep_them),
		cmocka_unit_test(test_frames_of_its_own),
		cmocka_unit_test(test_last_frames_before_the_goodbye),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_stats_reach_the_relay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
