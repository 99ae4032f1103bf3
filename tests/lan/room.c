/* SPDX-License-Identifier: MIT */
/*
 * Rooms without a network: who may come in, and where frames go. The members' links are
 * probes that remember the last frame that was sent into them.
 */
#include "lan/room.h"

#include "../unit.h"
#include "base/array.h"
#include "link/link.h"
#include "wire/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FRAME_LEN 60u

struct probe {
	struct weft_link link;
	unsigned received; /* Frames that the room has sent to this member. */
	struct room_member *member;
};

static size_t probe_send(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	(void)frames, (void)now;
	((struct probe *)(void *)link)->received += (unsigned)n;
	return n;
}

static struct room *open_room(uint32_t clients_max)
{
	struct room_opts opts = { .name = "FRIDAY",
				  .id = 3,
				  .key = { 1, 2, 3 },
				  .mtu = 1386,
				  .clients_max = clients_max };
	struct room *room;
	assert_int_equal(room_new(&opts, &room), 0);
	return room;
}

static struct hello hello_of(enum weft_role role, uint8_t mac)
{
	struct hello hello = { .has_version = true,
			       .role = role,
			       .room = "FRIDAY",
			       .budget = 1412,
			       .key = { 1, 2, 3 } };
	if (role == WEFT_ROLE_CLIENT)
		hello.mac = (struct weft_mac){ { 2, 0, 0, 0, 0, mac } };
	return hello;
}

static struct room_member *admit(struct room *room, const struct hello *hello)
{
	static int user;
	struct reject reject;
	struct room_member *member;
	assert_false(room_refuses(room, hello, &reject));
	const struct weft_peer peer = { .role = hello->role, .mac = hello->mac };
	assert_int_equal(room_add(room, &peer, &user, &member), 0);
	return member;
}

static void join(struct room *room, struct probe *probe, enum weft_role role, uint8_t mac)
{
	static const struct link_ops ops = { .send = probe_send };
	const struct weft_link_caps caps = { .frame_len_max = 1518 };
	const struct hello hello = hello_of(role, mac);
	*probe = (struct probe){ .received = 0 };
	link_init(&probe->link, &ops, "probe", -1, caps);
	probe->member = admit(room, &hello);
	assert_int_equal(room_attach(probe->member, &probe->link), 0);
}

static void assert_refused(const struct room *room, const struct hello *hello,
			   enum reject_code code)
{
	struct reject reject = { .code = REJECT_OTHER };
	assert_true(room_refuses(room, hello, &reject));
	assert_int_equal(reject.code, code);
	assert_true(reject.retry);
	assert_true(strlen(reject.text) > 20);
}

/* ---- the forwarding table ---------------------------------------------------------------- */

enum { ALICE, BOB, CAROL, GATEWAY, PROBES };
enum { TO_LAN = 100, TO_ALL, TO_GROUP, TO_BRIDGES };

struct party {
	struct room *room;
	struct probe probes[PROBES];
};

static void party_begin(struct party *party)
{
	party->room = open_room(16);
	for (unsigned i = ALICE; i <= CAROL; i++)
		join(party->room, &party->probes[i], WEFT_ROLE_CLIENT, (uint8_t)(1 + i));
	join(party->room, &party->probes[GATEWAY], WEFT_ROLE_GATEWAY, 0);
}

static struct weft_mac mac_of(unsigned who)
{
	switch (who) {
	case TO_ALL:
		return (struct weft_mac){ { 255, 255, 255, 255, 255, 255 } };
	case TO_GROUP:
		return (struct weft_mac){ { 1, 0, 0x5e, 0, 0, 251 } };
	case TO_BRIDGES:
		return (struct weft_mac){ { 1, 0x80, 0xc2, 0, 0, 0 } };
	case TO_LAN:
	case GATEWAY:
		return (struct weft_mac){ { 0, 0x16, 0x3e, 0, 0, 9 } };
	default:
		return (struct weft_mac){ { 2, 0, 0, 0, 0, (uint8_t)(1 + who) } };
	}
}

/* A frame from one member under the MAC of src; ret_to says who got it, as bits. */
static unsigned send_as(struct party *party, unsigned from, unsigned src, unsigned dst)
{
	uint8_t bytes[FRAME_LEN] = { 0 };
	struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	struct weft_mac src_mac = mac_of(src), dst_mac = mac_of(dst);
	unsigned got = 0;
	memcpy(bytes, dst_mac.octet, 6);
	memcpy(bytes + 6, src_mac.octet, 6);
	link_deliver(&party->probes[from].link, &frame, 1, 1);
	for (unsigned i = 0; i < PROBES; i++) {
		assert_in_range(party->probes[i].received, 0, 1);
		got |= party->probes[i].received << i;
		party->probes[i].received = 0;
	}
	return got;
}

#define BIT(who) (1u << (who))

static void test_forwarding_table(void **state)
{
	(void)state;
	static const struct {
		unsigned from, src, dst, got;
	} rows[] = {
		{ ALICE, ALICE, BOB, BIT(BOB) },
		{ BOB, BOB, ALICE, BIT(ALICE) },
		{ ALICE, ALICE, TO_LAN, BIT(GATEWAY) },
		{ ALICE, ALICE, TO_ALL, BIT(BOB) | BIT(CAROL) | BIT(GATEWAY) },
		{ ALICE, ALICE, TO_GROUP, BIT(BOB) | BIT(CAROL) | BIT(GATEWAY) },
		{ ALICE, ALICE, ALICE, 0 },
		{ ALICE, ALICE, TO_BRIDGES, 0 },
		{ GATEWAY, TO_LAN, ALICE, BIT(ALICE) },
		{ GATEWAY, TO_LAN, TO_ALL, BIT(ALICE) | BIT(BOB) | BIT(CAROL) },
		{ GATEWAY, TO_LAN, TO_GROUP, BIT(ALICE) | BIT(BOB) | BIT(CAROL) },
		{ GATEWAY, TO_LAN, TO_LAN, 0 },
		{ GATEWAY, TO_LAN, TO_BRIDGES, 0 },
		/* Names that are not theirs. */
		{ ALICE, BOB, CAROL, 0 },
		{ ALICE, TO_LAN, BOB, 0 },
		{ ALICE, TO_ALL, BOB, 0 },
		{ ALICE, TO_GROUP, TO_ALL, 0 },
		{ GATEWAY, ALICE, BOB, 0 },
		{ GATEWAY, ALICE, TO_ALL, 0 },
	};
	struct party party;
	party_begin(&party);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned got = send_as(&party, rows[i].from, rows[i].src, rows[i].dst);
		if (got != rows[i].got)
			fail_msg("row %zu: %#x instead of %#x", i, got, rows[i].got);
	}
	/* Nobody has learned anything from these frames. */
	assert_int_equal(send_as(&party, BOB, BOB, TO_LAN), BIT(GATEWAY));
	room_free(party.room);
}

static void test_without_gateway(void **state)
{
	(void)state;
	struct party party;
	party_begin(&party);
	room_remove(party.probes[GATEWAY].member);
	assert_int_equal(send_as(&party, ALICE, ALICE, TO_LAN), 0);
	assert_int_equal(
		weft_bridge_count(party.room->bridge, NULL, WEFT_BRIDGE_DROP_NO_TARGET),
		1);
	assert_int_equal(send_as(&party, ALICE, ALICE, TO_ALL), BIT(BOB) | BIT(CAROL));
	join(party.room, &party.probes[GATEWAY], WEFT_ROLE_GATEWAY, 0);
	assert_int_equal(send_as(&party, ALICE, ALICE, TO_LAN), BIT(GATEWAY));
	room_free(party.room);
}

static void test_who_left_is_gone(void **state)
{
	(void)state;
	struct party party;
	party_begin(&party);
	room_remove(party.probes[BOB].member);
	assert_int_equal(send_as(&party, ALICE, ALICE, BOB), BIT(GATEWAY));
	assert_int_equal(send_as(&party, BOB, BOB, ALICE), 0);
	join(party.room, &party.probes[BOB], WEFT_ROLE_CLIENT, 1 + BOB);
	assert_int_equal(send_as(&party, ALICE, ALICE, BOB), BIT(BOB));
	room_free(party.room);
}

/* ---- who may come in --------------------------------------------------------------------- */

static void test_admission(void **state)
{
	(void)state;
	struct room *room = open_room(2);
	struct hello alice = hello_of(WEFT_ROLE_CLIENT, 1), bob = hello_of(0, 2);
	struct hello gateway = hello_of(WEFT_ROLE_GATEWAY, 0), carol = hello_of(0, 3);
	struct room_member *first = admit(room, &alice);
	assert_refused(room, &alice, REJECT_MAC_TAKEN);
	admit(room, &bob);
	assert_refused(room, &carol, REJECT_ROOM_FULL);
	struct room_member *lan = admit(room, &gateway);
	assert_refused(room, &gateway, REJECT_GATEWAY_TAKEN);

	room_remove(first);
	admit(room, &carol);
	room_remove(lan);
	admit(room, &gateway);
	room_free(room);
}

/* To be in is no way to its frames either: a VM has a MAC that could be a member's. */
static void test_a_mac_of_the_lan_is_taken(void **state)
{
	(void)state;
	struct party party;
	struct hello hello = hello_of(WEFT_ROLE_CLIENT, 9);
	struct reject reject;
	hello.mac = mac_of(TO_LAN);
	party_begin(&party);
	assert_false(room_refuses(party.room, &hello, &reject));
	assert_int_equal(send_as(&party, GATEWAY, TO_LAN, ALICE), BIT(ALICE));
	assert_refused(party.room, &hello, REJECT_MAC_TAKEN);
	assert_int_equal(send_as(&party, ALICE, ALICE, TO_LAN), BIT(GATEWAY));
	/* It is the LAN's as long as there is one. */
	room_remove(party.probes[GATEWAY].member);
	assert_false(room_refuses(party.room, &hello, &reject));
	room_free(party.room);
}

static void test_wrong_key(void **state)
{
	(void)state;
	struct room *room = open_room(2);
	struct hello hello = hello_of(WEFT_ROLE_CLIENT, 1);
	hello.key[31] = 1;
	assert_refused(room, &hello, REJECT_WRONG_KEY);
	hello.role = WEFT_ROLE_GATEWAY;
	assert_refused(room, &hello, REJECT_WRONG_KEY);
	room_free(room);
}

static void test_small_path_hears_both_numbers(void **state)
{
	(void)state;
	struct room *room = open_room(2);
	struct hello hello = hello_of(WEFT_ROLE_CLIENT, 1);
	struct reject reject;
	hello.budget = 709;
	assert_true(room_refuses(room, &hello, &reject));
	assert_int_equal(reject.code, REJECT_PATH_TOO_SMALL);
	assert_non_null(strstr(reject.text, "710"));
	assert_non_null(strstr(reject.text, "709"));
	hello.budget = 710; /* twice what is left of the overlay's header is 1,404 */
	assert_false(room_refuses(room, &hello, &reject));
	room_free(room);
}

static void test_mtu_of_budget(void **state)
{
	(void)state;
	assert_int_equal(room_mtu_of_budget(0), 1000);
	assert_int_equal(room_mtu_of_budget(1026), 1000);
	assert_int_equal(room_mtu_of_budget(1027), 1001);
	assert_int_equal(room_mtu_of_budget(1412), 1386);
	assert_int_equal(room_mtu_of_budget(1526), 1500);
	assert_int_equal(room_mtu_of_budget(65535), 1500);
	assert_int_equal(room_budget_of_mtu(1500), 767);
	assert_int_equal(room_budget_of_mtu(1001), 518);
}

static void test_ids_come_back_late(void **state)
{
	(void)state;
	struct room *room = open_room(2);
	struct hello alice = hello_of(0, 1), bob = hello_of(0, 2);
	struct room_member *member = admit(room, &alice);
	assert_int_equal(member->peer.id, 1);
	for (unsigned id = 2; id <= LAN_ID_MAX; id++) {
		member = admit(room, &bob);
		assert_int_equal(member->peer.id, id);
		room_remove(member);
	}
	member = admit(room, &bob);
	assert_int_equal(member->peer.id, 2);
	room_free(room);
}

/* ---- stations behind a client ------------------------------------------------------------ */

static void test_claims(void **state)
{
	(void)state;
	struct party party;
	const struct weft_mac lan = mac_of(TO_LAN);
	party_begin(&party);
	struct room_member *alice = party.probes[ALICE].member;
	struct room_member *bob = party.probes[BOB].member;
	/* What the gateway has not shown yet can be claimed, and is then kept from the LAN. */
	assert_int_equal(room_claim(alice, lan), 0);
	assert_int_equal(room_claim(alice, lan), 0);
	assert_int_equal(party.room->claims_n, 1);
	assert_int_equal(send_as(&party, ALICE, TO_LAN, BOB), BIT(BOB));
	assert_int_equal(send_as(&party, BOB, BOB, TO_LAN), BIT(ALICE));
	assert_int_equal(send_as(&party, GATEWAY, TO_LAN, TO_ALL), 0);
	assert_int_equal(room_claim(bob, lan), -EEXIST);
	assert_int_equal(room_claim(bob, mac_of(ALICE)), -EEXIST);
	assert_int_equal(room_claim(party.probes[GATEWAY].member, lan), -EINVAL);

	assert_false(room_release(bob, lan));
	assert_true(room_release(alice, lan));
	assert_false(room_release(alice, lan));
	assert_int_equal(party.room->claims_n, 0);
	assert_int_equal(send_as(&party, ALICE, TO_LAN, BOB), 0);
	/* And now it has been seen behind the gateway. */
	assert_int_equal(send_as(&party, GATEWAY, TO_LAN, ALICE), BIT(ALICE));
	assert_int_equal(room_claim(alice, lan), -EEXIST);
	room_free(party.room);
}

static void test_claims_are_limited_and_end(void **state)
{
	(void)state;
	struct party party;
	struct weft_mac mac = { { 0x52, 0x54, 0, 0, 0, 0 } };
	party_begin(&party);
	for (; mac.octet[5] < LAN_CLAIMS_MAX; mac.octet[5]++)
		assert_int_equal(room_claim(party.probes[ALICE].member, mac), 0);
	assert_int_equal(room_claim(party.probes[ALICE].member, mac), -ENOSPC);
	assert_int_equal(room_claim(party.probes[BOB].member, mac), 0);
	assert_int_equal(party.room->claims_n, LAN_CLAIMS_MAX + 1);
	room_remove(party.probes[ALICE].member);
	assert_int_equal(party.room->claims_n, 1);
	mac.octet[5] = 0;
	assert_int_equal(room_claim(party.probes[CAROL].member, mac), 0);
	room_free(party.room);
}

/* However many members there are. */
static void test_claims_of_a_room_are_limited(void **state)
{
	(void)state;
	static struct probe probes[ROOM_CLAIMS_MAX / LAN_CLAIMS_MAX + 1];
	struct room *room = open_room(ARRAY_LEN(probes));
	struct weft_mac mac = { { 0x52, 0x54, 0, 0, 0, 0 } };
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		join(room, &probes[i], WEFT_ROLE_CLIENT, (uint8_t)(1 + i));
	for (size_t i = 0; i < ROOM_CLAIMS_MAX; i++) {
		store_be32(mac.octet + 2, (uint32_t)i);
		assert_int_equal(room_claim(probes[i / LAN_CLAIMS_MAX].member, mac), 0);
	}
	struct room_member *last = probes[ARRAY_LEN(probes) - 1].member;
	const struct weft_mac another = { { 0x52, 0x54, 0xff } };
	assert_int_equal(room_claim(last, another), -ENOSPC);
	assert_true(room_release(probes[ARRAY_LEN(probes) - 2].member, mac));
	assert_int_equal(room_claim(last, another), 0);
	room_free(room);
}

/* ---- places that are kept ---------------------------------------------------------------- */

static struct kept place_of(uint8_t mac, uint16_t id)
{
	return (struct kept){ .mac = { { 2, 0, 0, 0, 0, mac } }, .id = id };
}

/* As many as there can be clients: who comes and is lost under ever new MACs takes no memory. */
static void test_places_are_limited(void **state)
{
	(void)state;
	struct room *room = open_room(2);
	const struct kept alice = place_of(1, 11), bob = place_of(2, 12),
			  carol = place_of(3, 13), bob_again = place_of(2, 14);
	keep_place(room, &alice);
	keep_place(room, &bob);
	keep_place(room, &carol);
	assert_int_equal(room->kept_n, 2);
	assert_null(keep_find(room, alice.mac));
	assert_false(keep_has_id(room, alice.id));
	keep_place(room, &bob_again);
	assert_int_equal(room->kept_n, 2);
	assert_int_equal(keep_find(room, bob.mac)->id, bob_again.id);
	assert_non_null(keep_find(room, carol.mac));
	room_free(room);
}

/* ---- addresses --------------------------------------------------------------------------- */

static const char *address_text(const struct room_member *member)
{
	static char text[WEFT_IP_TEXT];
	struct weft_ip address = room_address(member);
	return weft_ip_print(&address, text);
}

static void test_addresses(void **state)
{
	(void)state;
	struct room *room = open_room(300);
	struct hello hello = hello_of(WEFT_ROLE_CLIENT, 1);
	struct room_member *first = admit(room, &hello), *second, *local;
	unsigned second_octet, third_octet, host, prefix;
	assert_int_equal(sscanf(address_text(first), "100.%u.%u.%u/%u", &second_octet,
				&third_octet, &host, &prefix),
			 4);
	assert_in_range(second_octet, 64, 127);
	assert_int_equal(host, 2);
	assert_int_equal(prefix, 24);

	hello.mac.octet[4] = 1;
	second = admit(room, &hello);
	assert_int_equal(room_address(second).octet[3], 3);
	room_remove(first);
	hello.mac.octet[4] = 2;
	assert_int_equal(room_address(admit(room, &hello)).octet[3], 2);

	const struct weft_peer peer = { .mac = { { 2, 0, 0, 0, 9, 9 } } };
	assert_int_equal(room_add(room, &peer, NULL, &local), 0);
	assert_int_equal(room_address(local).octet[3], 1);
	struct hello gateway = hello_of(WEFT_ROLE_GATEWAY, 0);
	assert_int_equal(room_address(admit(room, &gateway)).family, 0);
	room_free(room);
}

/* What a member has had before, it gets where nobody else has it. */
static void test_preferred_addresses(void **state)
{
	(void)state;
	struct room *room = open_room(300);
	struct room_member *first, *second, *lan;
	struct hello hello = hello_of(WEFT_ROLE_CLIENT, 1);
	first = admit(room, &hello);
	hello.mac.octet[4] = 1;
	second = admit(room, &hello);
	hello = hello_of(WEFT_ROLE_GATEWAY, 0);
	lan = admit(room, &hello);
	struct weft_ip wish = room->network;
	static const struct {
		uint8_t wish, has;
	} cases[] = { { 77, 77 },   { 3, 77 },    { 0, 77 },    { 1, 77 },
		      { 253, 253 }, { 254, 253 }, { 255, 253 }, { 253, 253 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		wish.octet[3] = cases[i].wish;
		room_prefer(first, &wish);
		assert_int_equal(room_address(first).octet[3], cases[i].has);
	}
	assert_int_equal(room_address(second).octet[3], 3);
	wish.octet[3] = 9;
	wish.octet[2] ^= 1;
	room_prefer(first, &wish);
	wish.octet[2] ^= 1;
	wish.prefix = 16;
	room_prefer(first, &wish);
	wish.family = 0;
	room_prefer(first, &wish);
	assert_int_equal(room_address(first).octet[3], 253);
	wish = room->network;
	wish.octet[3] = 9;
	room_prefer(lan, &wish);
	assert_int_equal(room_address(lan).family, 0);
	room_free(room);
}

static void test_more_clients_than_addresses(void **state)
{
	(void)state;
	struct room *room = open_room(300);
	struct room_member *member = NULL;
	for (unsigned i = 0; i < 253; i++) {
		struct hello hello = hello_of(WEFT_ROLE_CLIENT, (uint8_t)i);
		member = admit(room, &hello);
		if (i < 252)
			assert_int_equal(room_address(member).octet[3], 2 + i);
	}
	assert_int_equal(room_address(member).family, 0);
	room_free(room);
}

/* Another name or another key is another network, nearly always. */
static void test_networks_differ(void **state)
{
	(void)state;
	struct room_opts opts = { .name = "A", .id = 1, .mtu = 1400, .clients_max = 1 };
	struct room *rooms[3];
	for (unsigned i = 0; i < ARRAY_LEN(rooms); i++) {
		opts.name = i == 1 ? "B" : "A";
		opts.key[0] = i == 2;
		assert_int_equal(room_new(&opts, &rooms[i]), 0);
	}
	for (unsigned i = 1; i < ARRAY_LEN(rooms); i++)
		assert_memory_not_equal(rooms[0]->network.octet, rooms[i]->network.octet,
					4);
	for (unsigned i = 0; i < ARRAY_LEN(rooms); i++)
		room_free(rooms[i]);
}

/* ---- networks ---------------------------------------------------------------------------- */

static bool is_one_of_first(void *user, const struct weft_ip *network)
{
	struct weft_ip *refused = user;
	unsigned n = 0;
	while (n < 3 && refused[n].family)
		n++;
	if (n < 3)
		refused[n] = *network;
	return n < 3;
}

static bool is_always(void *user, const struct weft_ip *network)
{
	(void)network;
	(*(unsigned *)user)++;
	return true;
}

static struct weft_ip network_with(const struct room_opts *opts)
{
	struct room *room;
	assert_int_equal(room_new(opts, &room), 0);
	const struct weft_ip network = room->network;
	room_free(room);
	return network;
}

static void test_a_network_that_is_free(void **state)
{
	(void)state;
	struct room_opts opts = {
		.name = "FRIDAY", .id = 3, .mtu = 1400, .clients_max = 4
	};
	struct weft_ip refused[3] = { { 0 } };
	unsigned asked = 0;
	const struct weft_ip first = network_with(&opts);
	opts.is_taken = is_one_of_first;
	opts.user = refused;
	const struct weft_ip fourth = network_with(&opts);
	assert_memory_equal(&refused[0], &first, sizeof(first));
	for (unsigned i = 0; i < 3; i++)
		assert_memory_not_equal(&refused[i], &fourth, sizeof(fourth));
	assert_int_equal(fourth.octet[0], 100);
	assert_in_range(fourth.octet[1], 64, 127);
	/* It is the same on the next day. */
	memset(refused, 0, sizeof(refused));
	const struct weft_ip again = network_with(&opts);
	assert_memory_equal(&again, &fourth, sizeof(fourth));
	/* Where nothing is free it is the first, after an end of trying. */
	opts.is_taken = is_always;
	opts.user = &asked;
	const struct weft_ip last = network_with(&opts);
	assert_memory_equal(&last, &first, sizeof(first));
	assert_in_range(asked, 8, 100);
}

static void test_a_network_that_was_given(void **state)
{
	(void)state;
	unsigned asked = 0;
	const struct room_opts opts = {
		.name = "FRIDAY",
		.id = 3,
		.mtu = 1400,
		.clients_max = 4,
		.network = { .family = AF_INET, .prefix = 24, .octet = { 10, 77, 3, 9 } },
		.is_taken = is_always,
		.user = &asked
	};
	const struct weft_ip network = network_with(&opts);
	assert_memory_equal(network.octet, "\x0a\x4d\x03\x00", 4);
	assert_int_equal(asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarding_table),
		cmocka_unit_test(test_without_gateway),
		cmocka_unit_test(test_who_left_is_gone),
		cmocka_unit_test(test_admission),
		cmocka_unit_test(test_a_mac_of_the_lan_is_taken),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_small_path_hears_both_numbers),
		cmocka_unit_test(test_mtu_of_budget),
		cmocka_unit_test(test_ids_come_back_late),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_claims_are_limited_and_end),
		cmocka_unit_test(test_claims_of_a_room_are_limited),
		cmocka_unit_test(test_places_are_limited),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_preferred_addresses),
		cmocka_unit_test(test_more_clients_than_addresses),
		cmocka_unit_test(test_networks_differ),
		cmocka_unit_test(test_a_network_that_is_free),
		cmocka_unit_test(test_a_network_that_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
