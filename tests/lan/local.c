/* SPDX-License-Identifier: MIT */
/*
 * The relay's own link in a room, as `weft host` has it: the rules of the room hold for it as
 * for members who come from afar.
 */
#include "../unit.h"
#include "party.h"
#include "wire/compose.h"
#include "wire/ether.h"

#include <weft/log.h>

#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#define HOST 9u

struct scene {
	struct party party;
	struct probe tap;
	struct guest alice, bob;
	struct weft_log log;
	unsigned warnings;
	char warning[400];
};

static void note(void *user, enum weft_log_level level, const char *text)
{
	struct scene *s = user;
	if (level != WEFT_LOG_WARNING)
		return;
	s->warnings++;
	(void)snprintf(s->warning, sizeof(s->warning), "%s", text);
}

static void begin_with(struct scene *s, const char *const *rules, size_t n)
{
	struct weft_error err = { "" };
	s->warnings = 0;
	s->log = (struct weft_log){ .write = note, .user = s, .level = WEFT_LOG_WARNING };
	party_init(&s->party, test_seed());
	s->party.relay_opts.log = &s->log;
	party_open_relay(&s->party);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(weft_relay_rule(s->party.relay, rules[i], false, &err),
				 0);
	probe_init(&s->tap);
	guest_init(&s->alice, &s->party, "alice", 1);
	guest_init(&s->bob, &s->party, "bob", 2);
	assert_int_equal(weft_relay_open_room(s->party.relay, "FRIDAY",
					      s->alice.opts.invite.secret, &s->tap.link,
					      guest_mac(HOST), &err),
			 1500);
	guest_start(&s->alice);
	guest_start(&s->bob);
	assert_true(guest_reaches(&s->alice, WEFT_MEMBER_JOINED, 5000));
	assert_true(guest_reaches(&s->bob, WEFT_MEMBER_JOINED, 5000));
}

static void begin(struct scene *s)
{
	begin_with(s, NULL, 0);
}

static void end(struct scene *s)
{
	guest_leave(&s->alice);
	guest_leave(&s->bob);
	party_fini(&s->party);
}

/* What the relay has counted of the host by that name. */
static json_int_t counted(const struct scene *s, const char *outcome)
{
	char *text = weft_relay_json(s->party.relay, sim_now(s->party.sim));
	json_t *facts = json_loads(text, 0, NULL);
	json_t *room = json_array_get(json_object_get(facts, "rooms"), 0);
	json_t *members = json_object_get(room, "members"), *member;
	json_int_t n = -1;
	size_t i;
	json_array_foreach(
		members, i,
		member) if (!strcmp(json_string_value(json_object_get(member, "name")),
				    "host")) n =
		json_integer_value(
			json_object_get(json_object_get(member, "filter"), outcome));
	json_decref(facts);
	free(text);
	return n;
}

static void from_tap(struct scene *s, const struct weft_frame *frames, size_t n)
{
	link_deliver(&s->tap.link, frames, n, sim_now(s->party.sim));
	party_run(&s->party, 50);
}

static uint32_t ip_of(uint8_t host)
{
	return 0x0a000000u | host;
}

/* Who has the target's address? to all. */
static struct weft_frame arp_question(uint8_t asker, uint8_t target,
				      uint8_t buf[COMPOSE_ARP_LEN])
{
	const struct arp_hdr arp = { .op = ARP_OP_REQUEST,
				     .sender_mac = guest_mac(asker),
				     .sender_ip = ip_of(asker),
				     .target_ip = ip_of(target) };
	compose_arp(NULL, &arp, buf);
	return (struct weft_frame){ .data = buf, .len = COMPOSE_ARP_LEN };
}

static void a_server_for_addresses_is_kept_out(void **state)
{
	(void)state;
	struct scene s;
	uint8_t buf[400], lease[250] = { 2 };
	const struct compose c = { .is_ether = true,
				   .dst_mac = party_broadcast,
				   .src_mac = guest_mac(HOST),
				   .src = { .family = AF_INET, .octet = { 10, 0, 0, 9 } },
				   .dst = { .family = AF_INET,
					    .octet = { 255, 255, 255, 255 } },
				   .sport = 67,
				   .dport = 68,
				   .ttl = 64 };
	int len = compose_udp(&c, lease, sizeof(lease), buf, sizeof(buf));
	const struct weft_frame offer = { .data = buf, .len = (uint32_t)len };
	begin(&s);
	assert_true(len > 0);
	from_tap(&s, &offer, 1);
	assert_int_equal(guest_got(&s.alice), 0);
	assert_int_equal(counted(&s, "drop-dhcp-server"), 1);
	end(&s);
}

static void a_flood_has_its_rate(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	for (unsigned i = 0; i < 1000; i++)
		probe_sends(&s.tap, guest_mac(HOST), party_broadcast, 60,
			    sim_now(s.party.sim));
	party_run(&s.party, 1000);
	assert_in_range(guest_got(&s.alice), 1, 400);
	assert_int_equal(counted(&s, "drop-group-rate"), 600);
	end(&s);
}

static void from_bob(struct scene *s, uint8_t type_low)
{
	uint8_t data[60] = { 255, 255, 255, 255, 255, 255, [12] = 0x88, [13] = type_low };
	const struct weft_mac bob = guest_mac(2);
	const struct weft_frame frame = { .data = data, .len = sizeof(data) };
	memcpy(data + 6, bob.octet, 6);
	link_deliver(&s->bob.probe.link, &frame, 1, sim_now(s->party.sim));
}

/* EAPOL passes, and of frames to everybody two seconds' worth at once, from members too. */
static void the_relay_says_what_the_rules_are(void **state)
{
	(void)state;
	static const char *const rules[] = { "eapol=off", "group=7", "bytes=off" };
	struct scene s;
	begin_with(&s, rules, 3);
	from_bob(&s, 0x8e);
	party_run(&s.party, 100);
	assert_int_equal(guest_got(&s.alice), 1);
	party_run(&s.party, 5000); /* all is saved up again */
	for (unsigned i = 0; i < 100; i++)
		from_bob(&s, 0xb5);
	party_run(&s.party, 100);
	assert_int_equal(guest_got(&s.alice), 14);
	from_bob(&s, 0xcc); /* LLDP is as it was */
	party_run(&s.party, 1000);
	assert_int_equal(guest_got(&s.alice), 0);
	for (unsigned i = 0; i < 100; i++)
		probe_sends(&s.tap, guest_mac(HOST), party_broadcast, 60,
			    sim_now(s.party.sim));
	party_run(&s.party, 100);
	assert_int_equal(counted(&s, "drop-group-rate"), 100 - 14);
	assert_int_equal(counted(&s, "drop-eapol"), 0);
	end(&s);
}

static void what_passes_of_a_batch_goes_on(void **state)
{
	(void)state;
	struct scene s;
	uint8_t good[2][60] = { { 0 } }, bad[60] = { 0 };
	uint8_t *const all[] = { good[0], bad, bad, good[1], bad };
	struct weft_frame batch[5];
	const struct weft_mac from = guest_mac(HOST);
	for (unsigned i = 0; i < 5; i++) {
		memset(all[i], 0xff, 6);
		memcpy(all[i] + 6, from.octet, 6);
		all[i][12] = 0x88;
		all[i][13] = all[i] == bad ? 0x8e : 0xb5; /* EAPOL, or nobody's */
		batch[i] = (struct weft_frame){ .data = all[i], .len = 60 };
	}
	good[0][14] = 1;
	good[1][14] = 2;
	begin(&s);
	from_tap(&s, batch, 5);
	assert_int_equal(guest_got(&s.alice), 2);
	assert_int_equal(s.alice.probe.last[14], 2);
	assert_int_equal(counted(&s, "drop-eapol"), 3);
	end(&s);
}

/* The way to alice holds less than hers to us, which only the relay can know. */
static void tcp_is_asked_for_what_the_way_back_holds(void **state)
{
	(void)state;
	static const struct sim_link narrow = { .delay_ns = 5000000,
						.payload_max = 1300 };
	static const uint8_t syn[24] = { [0] = 0x10, [3] = 80, [12] = 0x60, [13] = 0x02,
					 [20] = 2,   [21] = 4, [22] = 0x05, [23] = 0xb4 };
	const struct compose c = { .is_ether = true,
				   .dst_mac = guest_mac(HOST),
				   .src_mac = guest_mac(1),
				   .src = { .family = AF_INET, .octet = { 10, 0, 0, 1 } },
				   .dst = { .family = AF_INET, .octet = { 10, 0, 0, 9 } },
				   .proto = IPPROTO_TCP,
				   .csum_offset = 16,
				   .ttl = 64 };
	struct scene s;
	uint8_t buf[100];
	begin(&s);
	sim_set_link(s.party.relay_socket, &narrow);
	guest_leave(&s.alice);
	guest_start(&s.alice);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_JOINED, 10000));
	int len = compose_ip(&c, syn, sizeof(syn), buf, sizeof(buf));
	assert_true(len > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	link_deliver(&s.alice.probe.link, &frame, 1, sim_now(s.party.sim));
	party_run(&s.party, 50);
	assert_int_equal(s.tap.last_len, len);
	const unsigned mss = (unsigned)s.tap.last[len - 2] << 8 | s.tap.last[len - 1];
	assert_in_range(mss, 1100, 1300 - 8 - 14 - 4 - 40);
	end(&s);
}

static void runts_and_strangers_go_nowhere(void **state)
{
	(void)state;
	struct scene s;
	uint8_t buf[13] = { 0xff };
	const struct weft_frame runt = { .data = buf, .len = sizeof(buf) };
	begin(&s);
	from_tap(&s, &runt, 1);
	probe_sends(&s.tap, guest_mac(5), party_broadcast, 60, sim_now(s.party.sim));
	party_run(&s.party, 50);
	assert_int_equal(guest_got(&s.alice), 0);
	end(&s);
}

/* Bob has nothing to do with what the host asks of Alice; nor need Alice be asked. */
static void its_questions_are_answered_for_others(void **state)
{
	(void)state;
	struct scene s;
	uint8_t buf[COMPOSE_ARP_LEN];
	begin(&s);
	const struct weft_frame hers = arp_question(1, 77, buf);
	link_deliver(&s.alice.probe.link, &hers, 1, sim_now(s.party.sim));
	party_run(&s.party, 50);
	assert_int_equal(guest_got(&s.bob), 1);
	s.tap.frames = 0;

	const struct weft_frame ours = arp_question(HOST, 1, buf);
	from_tap(&s, &ours, 1);
	assert_int_equal(s.tap.frames, 1);
	assert_int_equal(s.tap.last[ETHER_LEN + 7], ARP_OP_REPLY);
	assert_memory_equal(s.tap.last + ETHER_OFF_SRC, guest_mac(1).octet, 6);
	assert_int_equal(guest_got(&s.alice) + guest_got(&s.bob), 0);
	end(&s);
}

static void who_takes_anothers_address_is_told_of(void **state)
{
	(void)state;
	struct scene s;
	uint8_t buf[COMPOSE_ARP_LEN];
	begin(&s);
	const struct weft_frame hers = arp_question(1, 77, buf);
	link_deliver(&s.alice.probe.link, &hers, 1, sim_now(s.party.sim));
	party_run(&s.party, 50);
	(void)guest_got(&s.bob);

	const struct arp_hdr forged = { .op = ARP_OP_REQUEST,
					.sender_mac = guest_mac(HOST),
					.sender_ip = ip_of(1),
					.target_ip = ip_of(77) };
	compose_arp(NULL, &forged, buf);
	const struct weft_frame claim = { .data = buf, .len = sizeof(buf) };
	from_tap(&s, &claim, 1);
	from_tap(&s, &claim, 1);
	assert_int_equal(guest_got(&s.bob), 0);
	assert_int_equal(counted(&s, "drop-address"), 2);
	assert_int_equal(s.warnings, 1);
	assert_non_null(strstr(s.warning, "host uses an address that is another's"));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_for_addresses_is_kept_out),
		cmocka_unit_test(a_flood_has_its_rate),
		cmocka_unit_test(the_relay_says_what_the_rules_are),
		cmocka_unit_test(what_passes_of_a_batch_goes_on),
		cmocka_unit_test(tcp_is_asked_for_what_the_way_back_holds),
		cmocka_unit_test(runts_and_strangers_go_nowhere),
		cmocka_unit_test(its_questions_are_answered_for_others),
		cmocka_unit_test(who_takes_anothers_address_is_told_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
