/* SPDX-License-Identifier: MIT */
/*
 * Snooping, in virtual time: who gets a group's frames, and every doubt in which a port gets
 * them although it has not asked.
 */
#include "bridge/snoop.h"

#include "../unit.h"
#include "bridge/bridge.h"
#include "fake.h"
#include "groups.h"

#include <weft/loop.h>

#include <stdio.h>
#include <string.h>

#define S      UINT64_C(1000000000)
#define MS     UINT64_C(1000000)
#define STREAM "239.1.2.3"

enum { SENDER, WATCHER, OTHER, ROUTER, PORTS };

struct scene {
	struct snoop snoop;
	struct snoop_port ports[PORTS];
	uint64_t events[WEFT_BRIDGE_EVENTS];
	uint8_t buf[GROUP_FRAME_MAX];
	unsigned asked[PORTS]; /* Queries sent by us, of both families. */
	uint64_t now;
};

static void begin_quiet(struct scene *s)
{
	static const uint8_t secret[HASH_SECRET_LEN] = { 7 };
	*s = (struct scene){ .now = 1000 * S };
	assert_int_equal(snoop_init(&s->snoop, PORTS, secret, s->events), 0);
	for (unsigned i = 0; i < PORTS; i++)
		assert_int_equal(snoop_port_init(&s->snoop, &s->ports[i], i == ROUTER),
				 0);
}

static void end(struct scene *s)
{
	for (unsigned i = 0; i < PORTS; i++)
		snoop_port_fini(&s->snoop, &s->ports[i]);
	snoop_fini(&s->snoop);
}

static struct snoop_way input(struct scene *s, unsigned from,
			      const struct weft_frame *frame)
{
	return snoop_decide(&s->snoop, &s->ports[from], frame, s->now);
}

static void report(struct scene *s, unsigned from, const char *group, bool is_member)
{
	const struct weft_frame frame = group_report(s->buf, from, group, is_member);
	assert_int_equal(input(s, from, &frame).reach, SNOOP_TO_ROUTERS);
}

/* Lets the time come, and sends the queries that are due on the way. */
static void until(struct scene *s, uint64_t at)
{
	struct snoop_port *port;
	unsigned families;
	while (snoop_deadline(&s->snoop) <= at) {
		if (snoop_deadline(&s->snoop) > s->now)
			s->now = snoop_deadline(&s->snoop);
		while ((port = snoop_due(&s->snoop, s->now, &families)))
			s->asked[port - s->ports] += (families & 1) + (families >> 1);
	}
	s->now = at;
}

static void after(struct scene *s, uint64_t ns)
{
	until(s, s->now + ns);
}

/* More of it in one instant than is free. The way of the last frame. */
static struct snoop_way flood(struct scene *s, unsigned from, const char *group)
{
	struct snoop_way way = { .reach = SNOOP_TO_ALL };
	for (unsigned i = 0; i <= SNOOP_FREE_BURST; i++) {
		const struct weft_frame frame = group_data(s->buf, from, group);
		way = input(s, from, &frame);
	}
	return way;
}

/* There is a stream, so that hosts are asked. */
static void begin(struct scene *s)
{
	begin_quiet(s);
	assert_int_equal(snoop_deadline(&s->snoop), WEFT_NEVER);
	(void)flood(s, SENDER, STREAM);
	assert_int_equal(snoop_deadline(&s->snoop), s->now);
}

static bool gets(struct scene *s, unsigned port, const char *group)
{
	const struct snoop_way way = flood(s, SENDER, group);
	return snoop_reaches(&s->snoop, &way, &s->ports[port], s->now);
}

/* All hosts have been asked, and have said that they are in something. */
static void settle(struct scene *s)
{
	after(s, 3 * S);
	for (unsigned i = 0; i < ROUTER; i++) {
		report(s, i, "239.9.9.9", true);
		report(s, i, "ff05::9", true);
	}
	report(s, WATCHER, STREAM, true);
	report(s, WATCHER, "ff05::1:3", true);
	after(s, 20 * S);
}

static void a_stream_goes_to_its_members(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	assert_true(gets(&s, WATCHER, STREAM));
	assert_true(gets(&s, ROUTER, STREAM));
	assert_false(gets(&s, OTHER, STREAM));
	assert_true(gets(&s, WATCHER, "ff05::1:3"));
	assert_false(gets(&s, OTHER, "ff05::1:3"));
	assert_true(s.events[WEFT_BRIDGE_GROUP_PRUNED] > 0);
	/* Also a group that nobody is in (RFC 4541, 2.1.2 (1)). */
	assert_false(gets(&s, WATCHER, "239.7.7.7"));
	end(&s);
}

/* What goes the same way is sent together. */
static void each_group_goes_its_own_way(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	const struct snoop_way way = flood(&s, SENDER, STREAM);
	const struct snoop_way again = flood(&s, SENDER, STREAM);
	const struct snoop_way other = flood(&s, SENDER, "239.1.2.4");
	const struct snoop_way other6 = flood(&s, SENDER, "ff05::1:3");
	const struct snoop_way all = { .reach = SNOOP_TO_ALL };
	assert_true(snoop_way_is_same(&way, &again));
	assert_false(snoop_way_is_same(&way, &other));
	assert_false(snoop_way_is_same(&way, &other6));
	assert_false(snoop_way_is_same(&way, &all));
	end(&s);
}

static void what_looks_for_others_goes_to_all(void **state)
{
	struct scene s;
	(void)state;
	begin_quiet(&s);
	for (unsigned i = 0; i < 10 * SNOOP_FREE_RATE; i++) {
		const struct weft_frame frame = group_data(s.buf, SENDER, STREAM);
		assert_int_equal(input(&s, SENDER, &frame).reach, SNOOP_TO_ALL);
		after(&s, S / SNOOP_FREE_RATE + 1);
	}
	assert_int_equal(s.events[WEFT_BRIDGE_GROUP_PRUNED], 0);
	assert_int_equal(snoop_deadline(&s.snoop), WEFT_NEVER);
	/* What one sender has used up is not another's. */
	assert_int_equal(flood(&s, SENDER, STREAM).reach, SNOOP_TO_MEMBERS);
	const struct weft_frame frame = group_data(s.buf, OTHER, STREAM);
	assert_int_equal(input(&s, OTHER, &frame).reach, SNOOP_TO_ALL);
	end(&s);
}

/* A stream is one also where its sender leaves it to others to cut it: here ten in each. */
static void super_frames_count_as_their_segments(void **state)
{
	struct scene s;
	(void)state;
	begin_quiet(&s);
	struct weft_frame frame = group_data(s.buf, SENDER, STREAM);
	frame.offload = (struct weft_offload){ .gso = WEFT_GSO_UDP,
					       .hdr_len = (uint16_t)(frame.len - 10),
					       .gso_size = 1 };
	for (unsigned i = 0; i < SNOOP_FREE_BURST / 10; i++)
		assert_int_equal(input(&s, SENDER, &frame).reach, SNOOP_TO_ALL);
	assert_int_equal(input(&s, SENDER, &frame).reach, SNOOP_TO_MEMBERS);
	end(&s);
}

/* Another rate holds for flows that are there, and for new ones. */
static void what_is_free_can_be_set(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	assert_false(gets(&s, OTHER, STREAM));
	snoop_set_free(&s.snoop, (struct snoop_rate){ 1000, 2000 });
	assert_true(gets(&s, OTHER, STREAM));
	assert_true(gets(&s, OTHER, "239.1.2.4"));
	snoop_set_free(&s.snoop, (struct snoop_rate){ 1, 2 });
	assert_false(gets(&s, OTHER, STREAM));
	snoop_set_free(&s.snoop, (struct snoop_rate){ 0, 0 }); /* no limit */
	for (unsigned i = 0; i < 100; i++)
		assert_true(gets(&s, OTHER, STREAM));
	end(&s);
}

/* Who joined a group while nobody listened may not be left out of it afterwards. */
static void after_a_pause_all_are_asked_again(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	assert_false(gets(&s, OTHER, STREAM));
	snoop_doubt(&s.snoop);
	assert_true(gets(&s, OTHER, STREAM));
	for (const unsigned asked = s.asked[OTHER]; s.asked[OTHER] == asked;)
		after(&s, S);
	report(&s, OTHER, "239.9.9.9", true);
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, 21 * S);
	assert_false(gets(&s, OTHER, STREAM));
	end(&s);
}

/* A report is for routers only, and without snooping for everyone. */
static void a_bridge_can_pause(void **state)
{
	const struct weft_bridge_opts opts = { .snooping = true };
	const struct bridge_help none = { .snooping = false }, all = { .snooping = true };
	struct fake_link links[2];
	struct weft_bridge *bridge;
	struct weft_bridge_port *port;
	uint8_t buf[GROUP_FRAME_MAX];
	(void)state;
	assert_int_equal(weft_bridge_new(&opts, &bridge), 0);
	for (unsigned i = 0; i < 2; i++) {
		fake_init(&links[i], 0);
		assert_int_equal(weft_bridge_add(bridge, &links[i].link, NULL, &port), 0);
	}
	const struct weft_frame frame = group_report(buf, 1, STREAM, true);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent_n, 0);
	bridge_set_help(bridge, &none);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent_n, 1);
	bridge_set_help(bridge, &all);
	link_deliver(&links[0].link, &frame, 1, S);
	assert_int_equal(links[1].sent_n, 1);
	weft_bridge_free(bridge);
	fake_fini(&links[0]);
	fake_fini(&links[1]);
}

/* Of two stations behind a port one may want what the other has not asked for. */
static void only_one_station_can_speak_for_a_port(void **state)
{
	enum { FROM, ALONE, PAIR, LINKS };
	const struct weft_bridge_opts opts = { .snooping = true };
	struct fake_link links[LINKS];
	struct weft_bridge *bridge;
	struct weft_bridge_port *port;
	uint8_t buf[GROUP_FRAME_MAX];
	struct weft_frame frame;
	(void)state;
	assert_int_equal(weft_bridge_new(&opts, &bridge), 0);
	for (unsigned i = 0; i < LINKS; i++) {
		fake_init(&links[i], 0);
		assert_int_equal(weft_bridge_add(bridge, &links[i].link, NULL, &port), 0);
	}
	fake_receive(&links[PAIR], MAC_BROADCAST, 7, 999 * S);
	for (uint64_t now = 1000 * S; now < 1200 * S; now += 100 * S) {
		frame = group_query(buf, 9, false);
		link_deliver(&links[FROM].link, &frame, 1, now);
		for (unsigned i = ALONE; i < LINKS; i++) {
			frame = group_report(buf, i, "239.9.9.9", true);
			link_deliver(&links[i].link, &frame, 1, now + S);
		}
	}
	for (unsigned i = 0; i < LINKS; i++)
		fake_clear(&links[i]);
	frame = group_data(buf, 8, STREAM);
	for (unsigned i = 0; i < 2 * SNOOP_FREE_BURST; i++)
		link_deliver(&links[FROM].link, &frame, 1, 1200 * S);
	assert_int_equal(links[ALONE].sent_n, SNOOP_FREE_BURST);
	assert_int_equal(links[PAIR].sent_n, 2 * SNOOP_FREE_BURST);
	weft_bridge_free(bridge);
	for (unsigned i = 0; i < LINKS; i++)
		fake_fini(&links[i]);
}

static void groups_of_the_link_go_to_all(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	assert_int_equal(flood(&s, SENDER, "224.0.0.251").reach, SNOOP_TO_ALL);
	assert_int_equal(flood(&s, SENDER, "ff02::1").reach, SNOOP_TO_ALL);
	assert_int_equal(flood(&s, SENDER, "ff02::1:ff00:1").reach, SNOOP_TO_ALL);
	end(&s);
}

static void one_that_says_nothing_gets_all(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	after(&s, 3 * S);
	report(&s, WATCHER, STREAM, true);
	after(&s, 1000 * S);
	assert_true(gets(&s, OTHER, STREAM));
	end(&s);
}

/* A report in the middle of the time does not say that queries arrive. */
static void one_that_does_not_answer_gets_all(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	after(&s, 20 * S);
	report(&s, OTHER, "239.9.9.9", true);
	after(&s, 5 * S);
	assert_true(gets(&s, OTHER, STREAM));
	end(&s);
}

static void a_newcomer_gets_all_until_it_has_answered(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, 3 * S);
	report(&s, OTHER, "239.9.9.9", true);
	after(&s, 15 * S);
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, 6 * S);
	assert_false(gets(&s, OTHER, STREAM));
	end(&s);
}

static void who_falls_silent_gets_all_again(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	assert_false(gets(&s, OTHER, STREAM));
	after(&s, SNOOP_MEMBER_NS);
	assert_true(gets(&s, OTHER, STREAM));
	end(&s);
}

static void who_leaves_is_left_out_at_once(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	report(&s, WATCHER, STREAM, false);
	assert_false(gets(&s, WATCHER, STREAM));
	report(&s, WATCHER, STREAM, true);
	assert_true(gets(&s, WATCHER, STREAM));
	end(&s);
}

static void ports_are_asked_while_there_is_a_stream(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	after(&s, S);
	assert_int_equal(s.asked[OTHER], 2);
	after(&s, SNOOP_STARTUP_NS);
	assert_int_equal(s.asked[OTHER], 4);
	after(&s, SNOOP_INTERVAL_NS);
	assert_int_equal(s.asked[OTHER], 6);
	assert_int_equal(s.asked[ROUTER], 0);
	after(&s, SNOOP_QUERIER_NS);
	const unsigned asked = s.asked[OTHER];
	assert_int_equal(snoop_deadline(&s.snoop), WEFT_NEVER);
	(void)flood(&s, SENDER, STREAM);
	after(&s, S);
	assert_int_equal(s.asked[OTHER], asked + 2);
	end(&s);
}

static void a_newcomer_is_asked_too(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	after(&s, 50 * S);
	snoop_port_fini(&s.snoop, &s.ports[OTHER]);
	assert_int_equal(snoop_port_init(&s.snoop, &s.ports[OTHER], false), 0);
	s.asked[OTHER] = 0;
	after(&s, S);
	assert_int_equal(s.asked[OTHER], 0);
	after(&s, 2 * S);
	assert_int_equal(s.asked[OTHER], 2);
	end(&s);
}

/* The LAN's router asks about IPv4; IPv6 stays ours. */
static void nobody_asks_beside_a_router(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	after(&s, 50 * S);
	(void)flood(&s, SENDER, STREAM);
	const unsigned asked = s.asked[OTHER];
	const struct weft_frame query = group_query(s.buf, 9, false);
	assert_int_equal(input(&s, ROUTER, &query).reach, SNOOP_TO_ALL);
	after(&s, SNOOP_INTERVAL_NS);
	assert_int_equal(s.asked[OTHER], asked + 1);
	(void)flood(&s, SENDER, STREAM);
	after(&s, SNOOP_QUERIER_NS - S); /* It is gone: both again. */
	assert_true(s.asked[OTHER] >= asked + 4);
	end(&s);
}

/* A query makes its port a router's, and the others are still asked once. */
static void another_querier(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	assert_false(gets(&s, OTHER, STREAM));
	struct weft_frame query = group_query(s.buf, 9, false);
	assert_int_equal(input(&s, OTHER, &query).reach, SNOOP_TO_ALL);
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, SNOOP_QUERIER_NS);
	report(&s, OTHER, "239.9.9.9", true);
	end(&s);
}

/* A storm of reports fills its own port's places, which then gets everything. */
static void a_storm_of_reports(void **state)
{
	struct scene s;
	char group[32];
	(void)state;
	begin(&s);
	settle(&s);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(group, sizeof(group), "239.2.%u.%u", i / 200, i % 200);
		report(&s, OTHER, group, true);
	}
	assert_int_equal(s.ports[OTHER].memberships_n, SNOOP_PORT_GROUPS_MAX);
	assert_true(s.events[WEFT_BRIDGE_GROUP_FULL] > 0);
	assert_true(gets(&s, OTHER, STREAM));
	assert_false(gets(&s, SENDER, STREAM));
	assert_true(gets(&s, WATCHER, STREAM));
	/* They expire, and there is place again. */
	after(&s, SNOOP_MEMBER_NS + S);
	report(&s, OTHER, STREAM, true);
	assert_int_equal(s.ports[OTHER].memberships_n, 1);
	end(&s);
}

/* Frames to more groups than are looked at go to everyone, as without snooping. */
static void a_storm_of_groups(void **state)
{
	struct scene s;
	char group[32];
	(void)state;
	begin(&s);
	settle(&s);
	for (unsigned i = 0; i < 2 * SNOOP_FLOWS_MAX; i++) {
		(void)snprintf(group, sizeof(group), "239.3.%u.%u", i / 200, i % 200);
		const struct weft_frame frame = group_data(s.buf, OTHER, group);
		assert_int_equal(input(&s, OTHER, &frame).reach, SNOOP_TO_ALL);
	}
	assert_int_equal(s.events[WEFT_BRIDGE_GROUP_FULL], SNOOP_FLOWS_MAX);
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, 11 * S);
	assert_false(gets(&s, OTHER, STREAM));
	end(&s);
}

/* Nor is a full table gone through for each of their frames. */
static void a_storm_of_groups_is_swept_once_a_second(void **state)
{
	struct scene s;
	char group[32];
	(void)state;
	begin(&s);
	settle(&s);
	for (unsigned i = 0; i <= SNOOP_FLOWS_MAX; i++) {
		(void)snprintf(group, sizeof(group), "239.3.%u.%u", i / 200, i % 200);
		const struct weft_frame frame = group_data(s.buf, OTHER, group);
		(void)input(&s, OTHER, &frame);
	}
	after(&s, 10 * S - MS); /* All of them are silent in a moment. */
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, S - MS);
	assert_true(gets(&s, OTHER, STREAM));
	after(&s, MS);
	assert_false(gets(&s, OTHER, STREAM));
	end(&s);
}

static void garbage_goes_to_all(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	settle(&s);
	struct weft_frame frame = group_report(s.buf, OTHER, STREAM, true);
	s.buf[frame.len - 1] ^= 1; /* its checksum is wrong now */
	assert_int_equal(input(&s, OTHER, &frame).reach, SNOOP_TO_ALL);
	assert_false(gets(&s, OTHER, STREAM));
	frame.len = 20;
	assert_int_equal(input(&s, OTHER, &frame).reach, SNOOP_TO_ALL);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_goes_to_its_members),
		cmocka_unit_test(each_group_goes_its_own_way),
		cmocka_unit_test(a_bridge_can_pause),
		cmocka_unit_test(what_is_free_can_be_set),
		cmocka_unit_test(after_a_pause_all_are_asked_again),
		cmocka_unit_test(what_looks_for_others_goes_to_all),
		cmocka_unit_test(super_frames_count_as_their_segments),
		cmocka_unit_test(only_one_station_can_speak_for_a_port),
		cmocka_unit_test(groups_of_the_link_go_to_all),
		cmocka_unit_test(one_that_says_nothing_gets_all),
		cmocka_unit_test(one_that_does_not_answer_gets_all),
		cmocka_unit_test(a_newcomer_gets_all_until_it_has_answered),
		cmocka_unit_test(who_falls_silent_gets_all_again),
		cmocka_unit_test(who_leaves_is_left_out_at_once),
		cmocka_unit_test(ports_are_asked_while_there_is_a_stream),
		cmocka_unit_test(a_newcomer_is_asked_too),
		cmocka_unit_test(nobody_asks_beside_a_router),
		cmocka_unit_test(another_querier),
		cmocka_unit_test(a_storm_of_reports),
		cmocka_unit_test(a_storm_of_groups),
		cmocka_unit_test(a_storm_of_groups_is_swept_once_a_second),
		cmocka_unit_test(garbage_goes_to_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
