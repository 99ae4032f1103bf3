/* SPDX-License-Identifier: MIT */
/*
 * What a gateway sends of its own on its LAN, and when it cuts the LAN off.
 *
 *     alice ---.
 *     bob   ----+--- relay --- lan (the gateway) ===== the test plays the LAN
 */
#include "../unit.h"
#include "party.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <jansson.h>
#include <string.h>

#define TYPE_RARP 0x8035u

/* A link that keeps the frames of one type that come out of it. */
struct listener {
	struct weft_link link;
	unsigned rarps, probes, others;
	uint8_t rarp[128], probe[128];
};

struct lan {
	struct party party;
	struct guest alice, gateway;
	struct listener wire, tap; /* the gateway's and alice's */
	unsigned blocked_n, opened_n;
	char reason[400];
};

static size_t listener_send(struct weft_link *link, const struct weft_frame *frames,
			    size_t n, uint64_t now)
{
	struct listener *l = container_of(link, struct listener, link);
	(void)now;
	for (size_t i = 0; i < n; i++) {
		const unsigned type = load_be16(frames[i].data + ETHER_OFF_TYPE);
		uint8_t *kept = type == TYPE_RARP                     ? l->rarp
				: type == ETHER_TYPE_LOCAL_EXPERIMENT ? l->probe
								      : NULL;
		l->rarps += type == TYPE_RARP;
		l->probes += type == ETHER_TYPE_LOCAL_EXPERIMENT;
		l->others += !kept;
		if (kept)
			memcpy(kept, frames[i].data, frames[i].len);
	}
	return n;
}

static void listener_init(struct listener *l)
{
	static const struct link_ops ops = { .send = listener_send };
	const struct weft_link_caps caps = { .frame_len_max = 1600 };
	*l = (struct listener){ .rarps = 0 };
	link_init(&l->link, &ops, "listener", -1, caps);
}

static void hears(struct lan *lan, const uint8_t *bytes, uint32_t len)
{
	uint8_t copy[128];
	const struct weft_frame frame = { .data = copy, .len = len };
	memcpy(copy, bytes, len);
	link_deliver(&lan->wire.link, &frame, 1, sim_now(lan->party.sim));
}

static void on_loop(void *user, bool is_blocked, const char *reason, uint64_t now)
{
	struct lan *lan = container_of((struct guest *)user, struct lan, gateway);
	(void)now;
	lan->blocked_n += is_blocked;
	lan->opened_n += !is_blocked;
	if (is_blocked)
		(void)snprintf(lan->reason, sizeof(lan->reason), "%s", reason);
}

/* The gateway is in the room before alice is. */
static void lan_begin(struct lan *lan)
{
	static const struct weft_member_events events = { .loop = on_loop };
	memset(lan, 0, sizeof(*lan));
	listener_init(&lan->wire);
	listener_init(&lan->tap);
	party_init(&lan->party, test_seed());
	party_open_relay(&lan->party);
	guest_init(&lan->gateway, &lan->party, "lan", 0);
	lan->gateway.opts.no_upkeep = false;
	lan->gateway.opts.link = &lan->wire.link;
	lan->gateway.opts.events = &events;
	guest_start(&lan->gateway);
	assert_true(guest_reaches(&lan->gateway, WEFT_MEMBER_JOINED, 5000));
	guest_init(&lan->alice, &lan->party, "alice", 1);
	lan->alice.opts.link = &lan->tap.link;
	guest_start(&lan->alice);
	assert_true(guest_reaches(&lan->alice, WEFT_MEMBER_JOINED, 5000));
	party_run(&lan->party, 100);
}

static void lan_end(struct lan *lan)
{
	if (lan->alice.member)
		guest_leave(&lan->alice);
	guest_leave(&lan->gateway);
	party_fini(&lan->party);
}

static void alice_sends(struct lan *lan)
{
	uint8_t bytes[60] = {
		255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x12, 0x34
	};
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	link_deliver(&lan->tap.link, &frame, 1, sim_now(lan->party.sim));
	party_run(&lan->party, 50);
}

static json_int_t upkeep_fact(const struct lan *lan, const char *key)
{
	char *text = weft_member_json(lan->gateway.member, sim_now(lan->party.sim));
	json_t *facts = json_loads(text, 0, NULL);
	json_int_t value = 0;
	assert_int_equal(json_unpack(facts, "{s:{s?I}}", "upkeep", key, &value), 0);
	json_decref(facts);
	free(text);
	return value;
}

static void silent_members_are_shown_to_the_switches(void **state)
{
	struct lan lan;
	(void)state;
	lan_begin(&lan);
	assert_int_equal(lan.wire.rarps, 1);
	assert_memory_equal(lan.wire.rarp + ETHER_OFF_SRC, guest_mac(1).octet, 6);
	party_run(&lan.party, 59000);
	assert_int_equal(lan.wire.rarps, 1);
	party_run(&lan.party, 1500);
	assert_int_equal(lan.wire.rarps, 2);
	for (unsigned i = 0; i < 10; i++) {
		party_run(&lan.party, 30000);
		alice_sends(&lan);
	}
	assert_int_equal(lan.wire.rarps, 2);
	assert_int_equal(upkeep_fact(&lan, "refreshed"), 2);
	guest_leave(&lan.alice);
	lan.alice.member = NULL;
	party_run(&lan.party, 300000);
	assert_int_equal(lan.wire.rarps, 2);
	lan_end(&lan);
}

static void a_ring_in_the_lan_cuts_it_off_until_it_is_open(void **state)
{
	struct lan lan;
	(void)state;
	lan_begin(&lan);
	assert_int_equal(lan.wire.probes, 1);
	hears(&lan, lan.wire.probe, 78);
	assert_int_equal(lan.blocked_n, 1);
	assert_non_null(strstr(lan.reason, "a cable"));
	const unsigned others = lan.wire.others;
	alice_sends(&lan);
	assert_int_equal(lan.wire.others, others);
	for (unsigned i = 0; i < 6; i++) {
		party_run(&lan.party, 10000);
		hears(&lan, lan.wire.probe, 78);
	}
	assert_int_equal(lan.opened_n, 0);
	assert_int_equal(lan.wire.rarps, 1); /* nor of alice, who was silent */
	assert_int_equal(upkeep_fact(&lan, "loop-cable"), 7);
	party_run(&lan.party, 45000);
	assert_int_equal(lan.opened_n, 1);
	alice_sends(&lan);
	assert_int_equal(lan.wire.others, others + 1);
	lan_end(&lan);
}

static void a_member_that_bridges_both_is_found(void **state)
{
	struct lan lan;
	(void)state;
	lan_begin(&lan);
	party_run(&lan.party, 10000);
	assert_int_equal(lan.tap.probes, 1);
	hears(&lan, lan.tap.probe, 78);
	assert_int_equal(lan.blocked_n, 1);
	assert_non_null(strstr(lan.reason, "a member of the room"));
	lan_end(&lan);
}

/* Two relays have a room of one name and secret, each its gateway, on one LAN. */
static void of_two_gateways_the_later_gives_way(void **state)
{
	struct lan first, second;
	(void)state;
	lan_begin(&first);
	party_run(&first.party, 60000);
	lan_begin(&second);
	hears(&second, first.wire.probe, 78);
	hears(&first, second.wire.probe, 78);
	assert_int_equal(first.blocked_n, 0);
	assert_int_equal(second.blocked_n, 1);
	assert_non_null(strstr(second.reason, "another gateway"));
	assert_int_equal(upkeep_fact(&first, "later"), 1);
	lan_end(&second);
	lan_end(&first);
}

/* What comes by the room is neither believed nor put on the LAN. */
static void nobody_in_the_room_can_cut_the_lan_off(void **state)
{
	struct lan lan;
	(void)state;
	lan_begin(&lan);
	party_run(&lan.party, 10000);
	const unsigned probes = lan.wire.probes;
	memcpy(lan.tap.probe + ETHER_OFF_SRC, guest_mac(1).octet, 6);
	const struct weft_frame frame = { .data = lan.tap.probe, .len = 78 };
	link_deliver(&lan.tap.link, &frame, 1, sim_now(lan.party.sim));
	party_run(&lan.party, 100);
	assert_int_equal(lan.blocked_n, 0);
	assert_int_equal(lan.wire.probes, probes);
	lan_end(&lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_members_are_shown_to_the_switches),
		cmocka_unit_test(a_ring_in_the_lan_cuts_it_off_until_it_is_open),
		cmocka_unit_test(a_member_that_bridges_both_is_found),
		cmocka_unit_test(of_two_gateways_the_later_gives_way),
		cmocka_unit_test(nobody_in_the_room_can_cut_the_lan_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
