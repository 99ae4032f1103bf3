/* SPDX-License-Identifier: MIT */
/*
 * Ways not to get in: each ends in a sentence that tells the user what is wrong, and, where
 * that can pass, in the room as soon as it has passed.
 */
#include "base/refusals.h"

#include "../unit.h"
#include "base/array.h"
#include "party.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void assert_reason(const struct guest *guest, const char *words)
{
	if (!strstr(guest->reason, words))
		fail_msg("\"%s\" does not speak of \"%s\"", guest->reason, words);
}

/* Alice is in the room; bob is prepared and not started. */
struct scene {
	struct party party;
	struct guest alice, bob;
};

static void scene_begin(struct scene *scene)
{
	party_init(&scene->party, test_seed());
	party_open_relay(&scene->party);
	guest_join(&scene->alice, &scene->party, "alice", 1);
	guest_init(&scene->bob, &scene->party, "bob", 2);
}

static void scene_end(struct scene *scene)
{
	if (scene->alice.member)
		guest_leave(&scene->alice);
	if (scene->bob.member)
		guest_leave(&scene->bob);
	party_fini(&scene->party);
}

static void test_wrong_room_key(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	scene.bob.opts.invite.secret[3] ^= 1;
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_REFUSED, 3000));
	assert_reason(&scene.bob, "another key");
	assert_int_equal(weft_relay_stats(scene.party.relay).rejected, 1);
	/* It asks again, seldom. */
	party_run(&scene.party, 65000);
	assert_int_equal(scene.bob.refusals_n, 3);
	assert_int_equal(scene.alice.came_n, 0);
	guest_leave(&scene.alice);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 31000));
	scene_end(&scene);
}

static void test_wrong_relay_key(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	scene.bob.opts.invite.pin[0] ^= 1;
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_REFUSED, 3000));
	assert_reason(&scene.bob, "another key than the invitation says");
	assert_reason(&scene.bob, "10.0.0.1");
	assert_reason(&scene.bob, "ask for a new invitation");
	party_run(&scene.party, 31000);
	assert_int_equal(scene.bob.refusals_n, 2);
	scene_end(&scene);
}

/* A self-signed certificate is good for those only who know its key. */
static void test_no_pin(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	scene.bob.opts.invite.has_pin = false;
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_REFUSED, 3000));
	assert_reason(&scene.bob,
		      "the certificate of 10.0.0.1 is signed by no authority");
	assert_reason(&scene.bob, "(weft relay, valid from ");
	assert_reason(&scene.bob, "signed by itself)");
	assert_reason(&scene.bob, "--ca FILE");
	scene_end(&scene);
}

static void test_two_gateways(void **state)
{
	(void)state;
	struct scene scene;
	struct guest lan;
	scene_begin(&scene);
	guest_join(&lan, &scene.party, "lan", 0);
	scene.bob.opts.role = WEFT_ROLE_GATEWAY;
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 3000));
	assert_reason(&scene.bob, "has a gateway already");
	assert_int_equal(lan.waits_n, 0);
	guest_leave(&lan);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 20000));
	assert_true(weft_member_stats(scene.alice.member).has_gateway);
	scene_end(&scene);
}

static void test_duplicate_mac(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	scene.bob.opts.mac = guest_mac(1);
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 3000));
	assert_reason(&scene.bob, "02:00:00:00:00:01");
	guest_leave(&scene.alice);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 20000));
	scene_end(&scene);
}

static void test_room_full(void **state)
{
	(void)state;
	struct scene scene;
	struct guest lan;
	party_init(&scene.party, test_seed());
	scene.party.relay_opts.room_members_max = 1;
	party_open_relay(&scene.party);
	guest_join(&scene.alice, &scene.party, "alice", 1);
	guest_init(&scene.bob, &scene.party, "bob", 2);
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 3000));
	assert_reason(&scene.bob, "full: it takes 1 at a time");
	/* A gateway takes no client's place. */
	guest_join(&lan, &scene.party, "lan", 0);
	guest_leave(&scene.alice);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 20000));
	guest_leave(&lan);
	scene_end(&scene);
}

static void test_relay_full_of_rooms(void **state)
{
	(void)state;
	struct scene scene;
	party_init(&scene.party, test_seed());
	scene.party.relay_opts.rooms_max = 1;
	party_open_relay(&scene.party);
	guest_join(&scene.alice, &scene.party, "alice", 1);
	guest_init(&scene.bob, &scene.party, "bob", 2);
	(void)strcpy(scene.bob.opts.invite.room, "SATURDAY");
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 3000));
	assert_reason(&scene.bob, "no more rooms: its limit is 1");
	guest_leave(&scene.alice);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 20000));
	scene_end(&scene);
}

static void test_rooms_do_not_hear_each_other(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	(void)strcpy(scene.bob.opts.invite.room, "SATURDAY");
	scene.bob.opts.mac = guest_mac(1);
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 3000));
	assert_int_equal(weft_relay_stats(scene.party.relay).rooms, 2);
	assert_int_not_equal(scene.bob.joined.room, scene.alice.joined.room);
	guest_sends(&scene.alice, party_broadcast);
	assert_int_equal(guest_got(&scene.bob), 0);
	scene_end(&scene);
}

/* ---- paths ------------------------------------------------------------------------------- */

static void set_path(struct guest *guest, size_t payload_max)
{
	const struct sim_link link = { .delay_ns = sim_ms(5),
				       .payload_max = payload_max };
	sim_set_link(guest->socket, &link);
}

static void assert_frame_passes(struct guest *from, struct guest *to, uint8_t number,
				size_t len)
{
	probe_sends(&from->probe, guest_mac(number == 1 ? 2 : 1), guest_mac(number), len,
		    sim_now(from->party->sim));
	party_run(from->party, 100);
	assert_int_equal(guest_got(to), 1);
	assert_int_equal(to->probe.last_len, len);
	for (size_t i = 14; i < len; i++)
		assert_int_equal(to->probe.last[i], (uint8_t)i);
}

/* A datagram of this path holds 1,192 bytes of a frame; the longer ones go in two. */
static const size_t split_lens[] = { 60, 1191, 1192, 1193, 1194, 1400, 1517, 1518 };

static void test_small_path_carries_whole_frames(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	guest_start(&scene.bob);
	set_path(&scene.bob, 1300);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 10000));
	assert_int_equal(scene.bob.joined.mtu, 1500);
	for (size_t i = 0; i < ARRAY_LEN(split_lens); i++) {
		assert_frame_passes(&scene.bob, &scene.alice, 1, split_lens[i]);
		assert_frame_passes(&scene.alice, &scene.bob, 2, split_lens[i]);
	}
	scene_end(&scene);
}

/* The way back counts too, though the member cannot measure it. */
static void test_small_way_back_carries_whole_frames(void **state)
{
	(void)state;
	struct scene scene;
	const struct sim_link narrow = { .delay_ns = sim_ms(5), .payload_max = 1300 };
	scene_begin(&scene);
	sim_set_link(scene.party.relay_socket, &narrow);
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 10000));
	for (size_t i = 0; i < ARRAY_LEN(split_lens); i++)
		assert_frame_passes(&scene.alice, &scene.bob, 2, split_lens[i]);
	scene_end(&scene);
}

static void test_first_path_sets_the_mtu(void **state)
{
	(void)state;
	struct scene scene;
	party_init(&scene.party, test_seed());
	scene.party.relay_opts.mtu_auto = true;
	party_open_relay(&scene.party);
	guest_init(&scene.bob, &scene.party, "bob", 2);
	guest_start(&scene.bob);
	set_path(&scene.bob, 1410);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 10000));
	assert_int_equal(scene.bob.joined.mtu, 1348);
	guest_join(&scene.alice, &scene.party, "alice", 1);
	assert_int_equal(scene.alice.joined.mtu, 1348);
	scene_end(&scene);
}

/* ---- relays that are not there ----------------------------------------------------------- */

static void test_no_relay_yet(void **state)
{
	(void)state;
	struct scene scene;
	party_init(&scene.party, test_seed());
	party_open_relay(&scene.party);
	party_close_relay(&scene.party);
	guest_init(&scene.alice, &scene.party, "alice", 1);
	guest_init(&scene.bob, &scene.party, "bob", 2);
	guest_start(&scene.bob);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_CONNECTING, 100));
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 6000));
	assert_reason(&scene.bob, "no answer from 10.0.0.1, UDP port 443");
	party_open_relay(&scene.party);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 20000));
	scene_end(&scene);
}

/* A name server of the test's own. */
struct names {
	unsigned asked;
	int status;
	union weft_sockaddr addrs[3];
	size_t n;
	bool answers_later;
	member_resolved *fn;
	void *fn_user;
};

static int resolve(void *user, const char *host, uint16_t port, member_resolved *fn,
		   void *fn_user, struct weft_job **ret_job)
{
	struct names *names = user;
	assert_string_equal(host, "relay.example.net");
	assert_int_equal(port, 443);
	*ret_job = NULL;
	names->asked++;
	names->fn = fn;
	names->fn_user = fn_user;
	if (!names->answers_later)
		fn(fn_user, names->status, names->addrs, names->n);
	return 0;
}

static void start_with_names(struct guest *guest, struct names *names)
{
	static const uint8_t secret[32] = { 9 };
	struct sim *sim = guest->party->sim;
	(void)strcpy(guest->opts.invite.host, "relay.example.net");
	guest->socket = sim_socket(sim, guest->address);
	const struct member_env env = { .dgram = guest->socket,
					.secret = secret,
					.now = sim_now(sim),
					.resolve = resolve,
					.resolve_user = names };
	assert_int_equal(member_new_on(&guest->opts, &env, NULL, &guest->member), 0);
	sim_add(sim, member_task(guest->member));
}

static void test_name_that_does_not_resolve(void **state)
{
	(void)state;
	struct scene scene;
	struct names names = { .status = -ENOENT };
	scene_begin(&scene);
	start_with_names(&scene.bob, &names);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 100));
	assert_reason(&scene.bob, "relay.example.net could not be resolved");
	names.status = 0;
	names.n = 1;
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &names.addrs[0]), 0);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 20000));
	assert_true(names.asked >= 2);
	scene_end(&scene);
}

static void test_second_address_answers(void **state)
{
	(void)state;
	struct scene scene;
	struct names names = { .n = 3 };
	scene_begin(&scene);
	assert_int_equal(weft_listen_parse("10.9.9.9:443", &names.addrs[0]), 0);
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &names.addrs[1]), 0);
	assert_int_equal(weft_listen_parse("10.9.9.8:443", &names.addrs[2]), 0);
	start_with_names(&scene.bob, &names);
	/* It is tried before the first has had its five seconds. */
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 1500));
	assert_int_equal(scene.bob.waits_n, 0);
	assert_int_equal(names.asked, 1);
	scene_end(&scene);
}

/* Two that both answer are one member, and the relay keeps nothing of the other. */
static void test_both_addresses_answer(void **state)
{
	(void)state;
	struct scene scene;
	struct names names = { .n = 2 };
	const struct sim_link slow = { .delay_ns = sim_ms(400), .payload_max = 1500 };
	scene_begin(&scene);
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &names.addrs[0]), 0);
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &names.addrs[1]), 0);
	start_with_names(&scene.bob, &names);
	sim_set_link(scene.bob.socket, &slow);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 8000));
	assert_int_equal(scene.bob.waits_n, 0);
	party_run(&scene.party, 40000);
	assert_int_equal(weft_relay_stats(scene.party.relay).members, 2);
	assert_int_equal(scene.party.joins, 2);
	scene_end(&scene);
}

static void test_no_address_answers(void **state)
{
	(void)state;
	struct scene scene;
	struct names names = { .n = 2 };
	scene_begin(&scene);
	assert_int_equal(weft_listen_parse("10.9.9.9:443", &names.addrs[0]), 0);
	assert_int_equal(weft_listen_parse("10.9.9.8:443", &names.addrs[1]), 0);
	start_with_names(&scene.bob, &names);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_WAITING, 6000));
	assert_reason(&scene.bob, "no answer");
	scene_end(&scene);
}

static void test_slow_names(void **state)
{
	(void)state;
	struct scene scene;
	struct names names = { .n = 1, .answers_later = true };
	scene_begin(&scene);
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &names.addrs[0]), 0);
	start_with_names(&scene.bob, &names);
	party_run(&scene.party, 3000);
	assert_int_equal(weft_member_stats(scene.bob.member).state,
			 WEFT_MEMBER_RESOLVING);
	names.fn(names.fn_user, 0, names.addrs, names.n);
	assert_true(guest_reaches(&scene.bob, WEFT_MEMBER_JOINED, 3000));
	scene_end(&scene);
}

/* ---- options that cannot work ------------------------------------------------------------ */

static void assert_not_made(const struct guest *guest, const char *words)
{
	struct weft_error err = { "" };
	struct weft_member *member;
	const struct member_env env = { .now = 1 };
	assert_int_equal(member_new_on(&guest->opts, &env, &err, &member), -EINVAL);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not speak of \"%s\"", err.text, words);
}

static void test_bad_member_options(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	struct guest bad = scene.bob;
	bad.opts.mac = (struct weft_mac){ { 0, 0x16, 0x3e, 0, 0, 1 } };
	assert_not_made(&bad, "00:16:3e:00:00:01");
	bad = scene.bob;
	bad.opts.mac = (struct weft_mac){ { 3, 0, 0, 0, 0, 1 } };
	assert_not_made(&bad, "unicast");
	bad = scene.bob;
	bad.opts.name = "two words";
	assert_not_made(&bad, "two words");
	bad = scene.bob;
	bad.opts.link = NULL;
	assert_not_made(&bad, "link");
	bad = scene.bob;
	bad.opts.invite.room[0] = '\0';
	assert_not_made(&bad, "room");
	bad = scene.bob;
	bad.probe.link.caps.flags = WEFT_LINK_IP;
	bad.opts.link = &bad.probe.link;
	assert_not_made(&bad, "Ethernet");
	scene_end(&scene);
}

static void test_bad_relay_options(void **state)
{
	(void)state;
	struct party party;
	struct weft_relay *relay;
	struct weft_error err = { "" };
	party_init(&party, test_seed());
	struct weft_relay_opts opts = party.relay_opts;
	opts.room_members_max = 512;
	assert_int_equal(relay_new_on(&opts, NULL, &err, &relay), -EINVAL);
	opts = party.relay_opts;
	opts.rooms_max = 65535;
	assert_int_equal(relay_new_on(&opts, NULL, &err, &relay), -EINVAL);
	opts = party.relay_opts;
	opts.mtu = 999;
	assert_int_equal(relay_new_on(&opts, NULL, &err, &relay), -EINVAL);
	opts.mtu = 1501;
	assert_int_equal(relay_new_on(&opts, NULL, &err, &relay), -EINVAL);
	opts = party.relay_opts;
	assert_int_equal(weft_ip_parse("10.77.0.0/23", &opts.network), 0);
	assert_int_equal(relay_new_on(&opts, NULL, &err, &relay), -EINVAL);
	assert_int_equal(weft_ip_parse("fd00:77::/24", &opts.network), 0);
	assert_int_equal(relay_new_on(&opts, NULL, &err, &relay), -EINVAL);
	opts = party.relay_opts;
	opts.cert_pem = "nonsense";
	assert_true(relay_new_on(&opts, NULL, &err, &relay) < 0);
	assert_true(err.text[0] != '\0');
	party_fini(&party);
}

struct told {
	unsigned one_by_one, others;
};

static void count_refusals(void *user, enum weft_log_level level, const char *text)
{
	struct told *told = user;
	(void)level;
	if (strncmp(text, "refused 10.", 11) == 0)
		told->one_by_one++;
	else if (strncmp(text, "refused ", 8) == 0)
		told->others += (unsigned)strtoul(text + 8, NULL, 10);
}

/* Who is not let in asks again and again: the log is not filled with it. */
static void test_many_are_told_by_their_number(void **state)
{
	(void)state;
	struct scene scene;
	struct told told = { 0 };
	const struct weft_log log = { count_refusals, &told, WEFT_LOG_INFO };
	struct guest guests[REFUSALS_TOLD + 3];
	party_init(&scene.party, test_seed());
	scene.party.relay_opts.log = &log;
	party_open_relay(&scene.party);
	guest_join(&scene.alice, &scene.party, "alice", 1);
	for (unsigned i = 0; i < ARRAY_LEN(guests); i++) {
		guest_init(&guests[i], &scene.party, "guest", (uint8_t)(10 + i));
		guests[i].opts.invite.secret[3] ^= 1;
		guest_start(&guests[i]);
		assert_true(guest_reaches(&guests[i], WEFT_MEMBER_REFUSED, 3000));
	}
	for (unsigned i = 0; i < ARRAY_LEN(guests); i++)
		guest_leave(&guests[i]);
	assert_int_equal(told.one_by_one, REFUSALS_TOLD);
	assert_int_equal(told.others, 0);
	party_run(&scene.party, 70000);
	assert_int_equal(told.one_by_one + told.others,
			 weft_relay_stats(scene.party.relay).rejected);
	guest_leave(&scene.alice);
	party_fini(&scene.party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_room_key),
		cmocka_unit_test(test_many_are_told_by_their_number),
		cmocka_unit_test(test_wrong_relay_key),
		cmocka_unit_test(test_no_pin),
		cmocka_unit_test(test_two_gateways),
		cmocka_unit_test(test_duplicate_mac),
		cmocka_unit_test(test_room_full),
		cmocka_unit_test(test_relay_full_of_rooms),
		cmocka_unit_test(test_rooms_do_not_hear_each_other),
		cmocka_unit_test(test_small_path_carries_whole_frames),
		cmocka_unit_test(test_small_way_back_carries_whole_frames),
		cmocka_unit_test(test_first_path_sets_the_mtu),
		cmocka_unit_test(test_no_relay_yet),
		cmocka_unit_test(test_name_that_does_not_resolve),
		cmocka_unit_test(test_second_address_answers),
		cmocka_unit_test(test_both_addresses_answer),
		cmocka_unit_test(test_no_address_answers),
		cmocka_unit_test(test_slow_names),
		cmocka_unit_test(test_bad_member_options),
		cmocka_unit_test(test_bad_relay_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
