/* SPDX-License-Identifier: MIT */
/*
 * The relay's own host in a room: addresses for those who know nothing but DHCP, also beside a
 * gateway, and the members' names.
 */
#include "lan/room_host.h"

#include "../unit.h"
#include "party.h"
#include "service/dhcp_frame.h"
#include "service/dhcpd.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/dns.h"

#include <weft/log.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_LEN 200u

/* A relay with two clients and the gateway of a LAN. */
struct full {
	struct party party;
	struct guest alice, bob, lan;
	struct weft_mac servers_mac; /* of the room's own host, once it is known */
};

static void begin_with(struct full *full, const struct weft_log *log)
{
	party_init(&full->party, test_seed());
	full->party.relay_opts.log = log;
	party_open_relay(&full->party);
	guest_join(&full->alice, &full->party, "alice", 1);
	guest_join(&full->bob, &full->party, "bob", 2);
	guest_join(&full->lan, &full->party, "lan", 0);
	party_run(&full->party, 100);
}

static void full_begin(struct full *full)
{
	begin_with(full, NULL);
}

static void full_end(struct full *full)
{
	guest_leave(&full->alice);
	guest_leave(&full->bob);
	guest_leave(&full->lan);
	party_fini(&full->party);
}

/* A station of alice's asks on a link; returns what it is offered, 0 for nothing. */
static uint32_t discover_as(struct full *full, struct weft_link *link,
			    struct weft_mac mac)
{
	static const struct weft_mac everybody = { { 255, 255, 255, 255, 255, 255 } };
	const struct dhcp_msg discover = { .op = DHCP_OP_REQUEST,
					   .type = DHCP_DISCOVER,
					   .chaddr = mac };
	struct udp_path path = { .src_mac = mac,
				 .dst_mac = everybody,
				 .dst = UINT32_MAX,
				 .sport = DHCP_CLIENT_PORT,
				 .dport = DHCP_SERVER_PORT };
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	struct dhcp_msg offer = { .type = 0 };
	int len = dhcp_frame_emit(buf, sizeof(buf), &path, &discover);
	assert_true(len > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	(void)guest_got(&full->alice);
	link_deliver(link, &frame, 1, sim_now(full->party.sim));
	party_run(&full->party, 50);
	if (guest_got(&full->alice) == 0)
		return 0;
	const struct weft_frame back = { .data = full->alice.probe.last,
					 .len = (uint32_t)full->alice.probe.last_len };
	assert_int_equal(dhcp_frame_parse(&back, DHCP_CLIENT_PORT, &path, &offer), 0);
	assert_int_equal(offer.type, DHCP_OFFER);
	return offer.yiaddr;
}

static uint32_t discover(struct full *full)
{
	return discover_as(full, &full->alice.probe.link, guest_mac(1));
}

static struct room_member *member_of(const struct full *full, uint8_t number)
{
	const struct room *room = relay_find_room(full->party.relay, "FRIDAY");
	const struct weft_mac mac = guest_mac(number);
	list_for_each (node, &room->members) {
		struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (memcmp(&member->peer.mac, &mac, sizeof(mac)) == 0)
			return member;
	}
	fail_msg("%u is not here", number);
	abort();
}

/* "The address is mine", in ARP; whether the room believes it. */
static bool may_have(struct full *full, uint8_t number, uint32_t address)
{
	const struct arp_hdr arp = { .op = ARP_OP_REPLY,
				     .sender_mac = guest_mac(number),
				     .sender_ip = address };
	uint8_t buf[COMPOSE_ARP_LEN];
	compose_arp(&party_broadcast, &arp, buf);
	const struct weft_frame frame = { .data = buf, .len = sizeof(buf) };
	const enum filter_outcome outcome =
		room_filter(member_of(full, number), &frame, sim_now(full->party.sim));
	assert_true(outcome == FILTER_PASS || outcome == FILTER_DROP_ADDRESS);
	return outcome == FILTER_PASS;
}

/* How often the room's server has offered an address. */
static uint64_t offers(const struct full *full)
{
	const struct room *room = relay_find_room(full->party.relay, "FRIDAY");
	json_t *facts = room_host_json(room->host);
	const json_int_t n = json_integer_value(json_object_get(facts, "offered"));
	json_decref(facts);
	return (uint64_t)n;
}

/* A LAN may have its own server, which has the first word. */
static void test_dhcp_where_there_is_no_lan(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	assert_int_equal(discover(&full), 0);
	guest_leave(&full.lan);
	party_run(&full.party, 50);
	assert_int_equal(discover(&full), load_be32(full.alice.joined.address.octet));
	guest_leave(&full.alice);
	guest_leave(&full.bob);
	party_fini(&full.party);
}

static void note(void *user, enum weft_log_level level, const char *text)
{
	char *told = user;
	(void)level;
	if (strstr(text, "DHCP"))
		(void)snprintf(told, TOLD_LEN, "%s", text);
}

/* A message of a station or server on the LAN, to all or to alice. */
static void lan_says(struct full *full, const struct dhcp_msg *msg)
{
	const bool is_reply = msg->op == DHCP_OP_REPLY;
	struct udp_path path = { .src_mac = party_lan_host,
				 .dst_mac = is_reply ? guest_mac(1) : party_broadcast,
				 .src = msg->server_id,
				 .dst = UINT32_MAX,
				 .sport = is_reply ? DHCP_SERVER_PORT : DHCP_CLIENT_PORT,
				 .dport =
					 is_reply ? DHCP_CLIENT_PORT : DHCP_SERVER_PORT };
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	int len = dhcp_frame_emit(buf, sizeof(buf), &path, msg);
	assert_true(len > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	link_deliver(&full->lan.probe.link, &frame, 1, sim_now(full->party.sim));
	party_run(&full->party, 50);
}

/*
 * Beside a LAN that has no server: who asks again is answered, and nobody on the LAN itself. Once
 * there is one the room's is silent, until another gateway has another LAN.
 */
static void test_dhcp_beside_a_lan(void **state)
{
	(void)state;
	char told[TOLD_LEN] = "";
	const struct weft_log log = { .write = note,
				      .user = told,
				      .level = WEFT_LOG_INFO };
	const struct dhcp_msg ask = { .op = DHCP_OP_REQUEST,
				      .type = DHCP_DISCOVER,
				      .chaddr = party_lan_host };
	const struct dhcp_msg offer = { .op = DHCP_OP_REPLY,
					.type = DHCP_OFFER,
					.chaddr = guest_mac(1),
					.yiaddr = 0xc0a84d64,
					.server_id = 0xc0a84d01 };
	struct full full;
	begin_with(&full, &log);
	for (unsigned i = 0; i < 3; i++) {
		(void)guest_got(&full.lan); /* alice's questions among them */
		lan_says(&full, &ask);
		assert_int_equal(guest_got(&full.lan), 0);
		assert_int_equal(discover(&full), 0);
		party_run(&full.party, 1200);
	}
	assert_string_equal(told, "");
	party_run(&full.party, 400);
	assert_int_equal(discover(&full), load_be32(full.alice.joined.address.octet));
	assert_non_null(strstr(told, "no DHCP server of the gateway's LAN has answered"));
	const uint32_t alices = load_be32(full.alice.joined.address.octet);
	assert_false(may_have(&full, 2, alices));
	const uint64_t before = offers(&full);
	lan_says(&full, &ask); /* has waited for as long, but is not ours to serve */
	assert_int_equal(offers(&full), before);

	lan_says(&full, &offer);
	assert_non_null(strstr(told, "has a DHCP server, 192.168.77.1; the room's own"));
	assert_true(may_have(&full, 2, alices));
	assert_int_equal(discover(&full), 0);
	party_run(&full.party, 5000);
	assert_int_equal(discover(&full), 0);

	guest_leave(&full.lan);
	party_run(&full.party, 50);
	assert_int_equal(discover(&full), load_be32(full.alice.joined.address.octet));
	guest_join(&full.lan, &full.party, "lan", 0);
	assert_int_equal(discover(&full), 0);
	party_run(&full.party, 4100);
	assert_int_equal(discover(&full), load_be32(full.alice.joined.address.octet));
	full_end(&full);
}

/* However silent its owner is, and as long as it is in the room. */
static void test_an_offer_is_nobody_elses(void **state)
{
	(void)state;
	struct full full;
	full_begin(&full);
	const uint32_t bobs = load_be32(full.bob.joined.address.octet);
	const uint32_t hosts = (bobs & ~0xffu) | DHCPD_HOST_SERVER;
	assert_true(may_have(&full, 1, bobs)); /* the LAN's server gives its own */
	assert_true(may_have(&full, 1, hosts));
	guest_leave(&full.lan);
	party_run(&full.party, 50);
	assert_false(may_have(&full, 1, bobs));
	assert_false(may_have(&full, 1, hosts));
	assert_true(may_have(&full, 2, bobs)); /* for all that alice has said */
	assert_true(may_have(&full, 1, load_be32(full.alice.joined.address.octet)));
	assert_true(may_have(&full, 1, (bobs & ~0xffu) | 77));
	assert_true(may_have(&full, 1, bobs + 256)); /* of another network */
	party_run(&full.party, 3600 * 1000);
	assert_false(may_have(&full, 1, bobs));
	assert_false(may_have(&full, 1, hosts));
	guest_leave(&full.bob);
	party_run(&full.party, 50);
	assert_true(may_have(&full, 1, bobs));
	guest_leave(&full.alice);
	party_fini(&full.party);
}

/* As long as the station that has it is behind a member. */
static void test_a_lease_is_nobody_elses(void **state)
{
	(void)state;
	const struct weft_mac console = { { 2, 0, 0, 0, 0, 77 } };
	struct full full;
	full_begin(&full);
	guest_leave(&full.lan);
	party_run(&full.party, 50);
	struct room_member *alice = member_of(&full, 1);
	assert_int_equal(room_claim(alice, console), 0);
	const uint32_t leased =
		discover_as(&full, weft_bridge_port_link(alice->port), console);
	assert_int_not_equal(leased, 0);
	assert_false(may_have(&full, 2, leased));
	assert_true(room_release(alice, console));
	assert_true(may_have(&full, 2, leased));
	assert_int_equal(room_claim(alice, console), 0);
	assert_false(may_have(&full, 2, leased));
	assert_true(may_have(&full, 1, leased));
	party_run(&full.party, 61 * 1000); /* it was only offered */
	assert_true(may_have(&full, 2, leased));
	guest_leave(&full.alice);
	guest_leave(&full.bob);
	party_fini(&full.party);
}

/* Alice's station asks the room for the address of a name; returns it, 0 for none. */
static uint32_t resolve(struct full *full, const char *name)
{
	const struct weft_ip *own = &full->alice.joined.address;
	struct dns_question question = { .type = DNS_A, .class = DNS_CLASS_IN };
	struct compose c = { .is_ether = true,
			     .dst_mac = { { 2, 0, 0, 0, 0, 99 } },
			     .src_mac = guest_mac(1),
			     .src = *own,
			     .dst = full->alice.joined.name_server,
			     .sport = 4053,
			     .dport = DNS_PORT };
	uint8_t query[DNS_QUERY_LEN_MAX], buf[600];
	struct dns_answer answer;
	struct reader payload;
	struct udp_path path;
	assert_int_equal(dns_name_of_text(name, &question.name), 0);
	int n = dns_query_emit(query, sizeof(query), 5, &question, false);
	assert_true(n > 0);
	n = compose_udp(&c, query, (size_t)n, buf, sizeof(buf));
	assert_true(n > 0);
	memcpy(buf, full->servers_mac.octet, sizeof(full->servers_mac.octet));
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)n };
	(void)guest_got(&full->alice);
	link_deliver(&full->alice.probe.link, &frame, 1, sim_now(full->party.sim));
	party_run(&full->party, 50);
	if (guest_got(&full->alice) == 0)
		return 0;
	const struct weft_frame back = { .data = full->alice.probe.last,
					 .len = (uint32_t)full->alice.probe.last_len };
	assert_int_equal(udp_frame_parse(&back, 4053, &path, &payload), 0);
	assert_int_equal(
		dns_answer_parse(payload.data, payload.len, 5, &question, &answer), 0);
	return answer.addresses_n ? load_be32(answer.addresses[0].octet) : 0;
}

/* By the same host that hands out addresses, and so not while there is a LAN. */
/* Asks who has the address; the answer, or false. */
static bool ask_who_has(struct full *full, uint32_t address, struct arp_hdr *ret_answer)
{
	const struct arp_hdr arp = { .op = ARP_OP_REQUEST,
				     .sender_mac = guest_mac(1),
				     .sender_ip =
					     load_be32(full->alice.joined.address.octet),
				     .target_ip = address };
	uint8_t buf[COMPOSE_ARP_LEN];
	const struct weft_frame frame = { .data = buf, .len = sizeof(buf) };
	compose_arp(&party_broadcast, &arp, buf);
	(void)guest_got(&full->alice);
	link_deliver(&full->alice.probe.link, &frame, 1, sim_now(full->party.sim));
	party_run(&full->party, 50);
	return guest_got(&full->alice) == 1 &&
	       arp_hdr_parse(full->alice.probe.last + 14, full->alice.probe.last_len - 14,
			     ret_answer) > 0;
}

static void test_it_answers_for_its_own_address(void **state)
{
	(void)state;
	struct full full;
	struct arp_hdr answer = { .op = 0 };
	full_begin(&full);
	const uint32_t own = load_be32(full.alice.joined.address.octet);
	const uint32_t host = (own & 0xffffff00u) | DHCPD_HOST_SERVER;
	guest_leave(&full.lan);
	party_run(&full.party, 50);
	const struct room *room = relay_find_room(full.party.relay, "FRIDAY");
	const struct weft_mac mac = room_host_mac(room->host);
	assert_true(ask_who_has(&full, host, &answer));
	assert_int_equal(answer.op, ARP_OP_REPLY);
	assert_int_equal(answer.sender_ip, host);
	assert_memory_equal(&answer.sender_mac, &mac, sizeof(mac));
	assert_int_equal(answer.target_ip, own);
	assert_false(ask_who_has(&full, host - 1, &answer));
	guest_leave(&full.alice);
	guest_leave(&full.bob);
	party_fini(&full.party);
}

static void test_members_have_names(void **state)
{
	(void)state;
	char domain[WEFT_ROOM_DOMAIN_TEXT], name[64];
	struct full full;
	full_begin(&full);
	snprintf(name, sizeof(name), "BOB.%s", weft_room_domain("FRIDAY", domain));
	guest_leave(&full.lan);
	party_run(&full.party, 50);
	(void)discover(&full); /* which tells the server's MAC */
	memcpy(full.servers_mac.octet, full.alice.probe.last + 6, 6);
	assert_int_equal(resolve(&full, name), load_be32(full.bob.joined.address.octet));
	assert_int_equal(resolve(&full, "bob.example"), 0);
	guest_leave(&full.bob);
	party_run(&full.party, 50);
	assert_int_equal(resolve(&full, name), 0);
	guest_leave(&full.alice);
	party_fini(&full.party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_where_there_is_no_lan),
		cmocka_unit_test(test_dhcp_beside_a_lan),
		cmocka_unit_test(test_an_offer_is_nobody_elses),
		cmocka_unit_test(test_a_lease_is_nobody_elses),
		cmocka_unit_test(test_it_answers_for_its_own_address),
		cmocka_unit_test(test_members_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
