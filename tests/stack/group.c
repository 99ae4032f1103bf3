/* SPDX-License-Identifier: MIT */
/*
 * Groups as routers hear of them: reports of IGMPv3 and MLDv2, and of the versions before for
 * who still asks in those.
 */
#include "stack/group.h"

#include "base/time.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define GROUP4 "239.1.2.3"
#define GROUP6 "ff05::1234"

#define ALERT_LEN 8u

static void join(struct world *w, const char *name)
{
	struct ip_addr group = addr(name);
	assert_int_equal(group_join(w->iface, &group, w->now), 0);
}

static void leave(struct world *w, const char *name)
{
	struct ip_addr group = addr(name);
	group_leave(w->iface, &group, w->now);
}

/* A query for a group, or all; of version 3 with 12 bytes, else 8. */
static enum weft_stack_outcome query4(struct world *w, const char *dst, const char *group,
				      uint8_t code, size_t len, uint8_t ttl)
{
	uint8_t message[12] = { 0x11, code };
	struct ip_addr asked = addr(group);
	const struct packet p = {
		.src = "10.1.0.1", .dst = dst, .proto = IPPROTO_IGMP, .ttl = ttl
	};
	store_be32(message + 4, addr_to_ip4(&asked));
	store_be16(message + 2, checksum(message, len));
	return rx_packet(w, &p, message, len);
}

/* The option is one byte: the router alert, or something else in its place. */
static enum weft_stack_outcome query6_with(struct world *w, uint8_t option,
					   const char *src, const char *dst,
					   const char *group, uint16_t code, size_t len)
{
	uint8_t packet[ALERT_LEN + 28] = { IPPROTO_ICMPV6, 0, option, 2, 0, 0, 1, 0 };
	uint8_t *message = packet + ALERT_LEN;
	struct ip_addr asked = addr(group);
	struct weft_ip from = ip(src), to = ip(dst);
	const struct packet p = {
		.src = src, .dst = dst, .proto = IPPROTO_HOPOPTS, .ttl = 1
	};
	message[0] = ICMP6_MLD_QUERY;
	store_be16(message + 4, code);
	memcpy(message + 8, asked.octet, 16);
	uint32_t sum = compose_pseudo(&from, &to, IPPROTO_ICMPV6, (uint32_t)len);
	store_be16(message + 2, checksum_finish(checksum_add(sum, message, len)));
	return rx_packet(w, &p, packet, ALERT_LEN + len);
}

static enum weft_stack_outcome query6(struct world *w, const char *src, const char *dst,
				      const char *group, uint16_t code, size_t len)
{
	return query6_with(w, 5, src, dst, group, code, len);
}

/* The next frame is a report of one record about the group. */
static void reports(struct world *w, const char *group, uint8_t record)
{
	struct seen s = see(tx(w));
	struct ip_addr said;
	bool is_ip4 = ip(group).family == AF_INET;
	struct ip_addr want = addr(group);
	assert_int_equal(s.ttl, 1);
	assert_string_equal(text(&s.dst), is_ip4 ? "224.0.0.22" : "ff02::16");
	assert_int_equal(s.payload[0], is_ip4 ? 0x22 : ICMP6_MLD2_REPORT);
	assert_int_equal(s.payload[8], record);
	if (is_ip4) {
		assert_int_equal(s.packet[0], 0x46); /* With the router alert. */
		assert_int_equal(s.packet[IP4_LEN], 148);
		assert_true(checksum_is_right(0, s.payload, s.len));
		said = addr_of_ip4(load_be32(s.payload + 12));
	} else {
		assert_int_equal(s.packet[IP6_OFF_NEXT], IPPROTO_HOPOPTS);
		assert_int_equal(s.packet[IP6_LEN + 2], 5);
		memcpy(said.octet, s.payload + 12, 16);
	}
	assert_true(addr_equal(&said, &want));
}

static void joining_is_told_twice_and_leaving_once(void **state)
{
	static const char *const groups[] = { GROUP4, GROUP6 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct world w;
		world_init(&w, NULL);
		join(&w, groups[i]);
		join(&w, groups[i]); /* By a second: not told again. */
		world_pass(&w, 5 * NS_PER_S);
		reports(&w, groups[i], 4);
		reports(&w, groups[i], 4);
		leave(&w, groups[i]);
		world_run(&w);
		tx_none(&w);
		leave(&w, groups[i]);
		reports(&w, groups[i], 3);
		tx_none(&w);
		world_fini(&w);
	}
}

/* RFC 3810, 6: what leaves no interface. */
static void groups_of_the_host_itself_are_not_told(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	join(&w, "ff01::1234");
	world_pass(&w, 5 * NS_PER_S);
	leave(&w, "ff01::1234");
	world_run(&w);
	tx_none(&w);
	world_fini(&w);
}

static void a_query_is_answered_within_its_time(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, NULL);
	join(&w, GROUP4);
	join(&w, "239.9.9.9");
	join(&w, GROUP6);
	world_pass(&w, 5 * NS_PER_S);
	tx_forget(&w);
	assert_outcome(query4(&w, "224.0.0.1", "0.0.0.0", 100, 12, 1), NOTED);
	world_pass(&w, 10 * NS_PER_S);
	assert_int_equal(w.sent_n, 2);
	tx_forget(&w);
	assert_outcome(query4(&w, GROUP4, GROUP4, 10, 12, 1), NOTED);
	world_pass(&w, NS_PER_S);
	reports(&w, GROUP4, 2);
	tx_none(&w);
	assert_outcome(query6(&w, "fe80::1", GROUP6, GROUP6, 1000, 28), NOTED);
	world_pass(&w, NS_PER_S);
	reports(&w, GROUP6, 2);
	tx_none(&w);
	/* All of MLD: the group, and one for each address (solicited-node). */
	assert_outcome(query6(&w, "fe80::1", "ff02::1", "::", 1000, 28), NOTED);
	world_pass(&w, NS_PER_S);
	assert_int_equal(w.sent_n - w.taken, 3);
	world_fini(&w);
}

/* The longest time until the group is reported, of many draws. */
static uint64_t longest_wait(struct world *w, const char *group, uint16_t code)
{
	uint64_t longest = 0;
	for (unsigned i = 0; i < 200; i++) {
		list_for_each (node, &w->iface->groups)
			wheel_cancel(&w->stack->wheel,
				     &container_of(node, struct group, of_iface)->timer);
		if (ip(group).family == AF_INET)
			assert_outcome(query4(w, group, group, (uint8_t)code, 12, 1),
				       NOTED);
		else
			assert_outcome(query6(w, "fe80::1", group, group, code, 28),
				       NOTED);
		list_for_each (node, &w->iface->groups) {
			const struct timer *timer =
				&container_of(node, struct group, of_iface)->timer;
			if (timer_is_armed(timer) && timer->at - w->now > longest)
				longest = timer->at - w->now;
		}
	}
	return longest;
}

/* RFC 3376, 4.1.1 and RFC 3810, 5.1.3: linear, then a floating point number. */
static void times_of_queries_are_read(void **state)
{
	static const struct {
		const char *group;
		uint16_t code;
		uint64_t tenths;
	} cases[] = {
		{ GROUP4, 1, 1 },          { GROUP4, 127, 127 },
		{ GROUP4, 0x80, 128 },     { GROUP4, 0x95, 336 },
		{ GROUP4, 0xff, 31744 },   { GROUP6, 32700, 327 },
		{ GROUP6, 0x8000, 328 },   { GROUP6, 0x9800, 984 },
		{ GROUP6, 0xffff, 83876 },
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	join(&w, GROUP4);
	join(&w, GROUP6);
	world_pass(&w, 5 * NS_PER_S);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t most = cases[i].tenths * (NS_PER_S / 10);
		uint64_t longest = longest_wait(&w, cases[i].group, cases[i].code);
		assert_in_range(longest, most - most / 10, most);
	}
	world_fini(&w);
}

static void an_old_querier_is_answered_in_its_version(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	join(&w, GROUP4);
	join(&w, GROUP6);
	world_pass(&w, 5 * NS_PER_S);
	tx_forget(&w);
	assert_outcome(query4(&w, "224.0.0.1", "0.0.0.0", 10, 8, 1), NOTED);
	world_pass(&w, 2 * NS_PER_S);
	struct seen s = see(tx(&w));
	assert_int_equal(s.payload[0], 0x16);
	assert_string_equal(text(&s.dst), GROUP4);
	assert_int_equal(s.len, 8);
	leave(&w, GROUP4);
	s = see(tx(&w));
	assert_int_equal(s.payload[0], 0x17);
	assert_string_equal(text(&s.dst), "224.0.0.2");
	assert_outcome(query6(&w, "fe80::1", GROUP6, GROUP6, 100, 24), NOTED);
	world_pass(&w, NS_PER_S);
	s = see(tx(&w));
	assert_int_equal(s.payload[0], ICMP6_MLD_REPORT);
	assert_string_equal(text(&s.dst), GROUP6);
	leave(&w, GROUP6);
	s = see(tx(&w));
	assert_int_equal(s.payload[0], ICMP6_MLD_DONE);
	tx_none(&w);
	/* Once it is gone, the new version is spoken again. */
	world_pass(&w, 300 * NS_PER_S);
	join(&w, GROUP4);
	reports(&w, GROUP4, 4);
	world_fini(&w);
}

/* Where one report is enough, somebody else's will do. */
static void an_old_version_is_silent_where_another_has_spoken(void **state)
{
	struct world w;
	uint8_t report[8] = { 0x16 };
	struct ip_addr group = addr(GROUP4);
	const struct packet p = {
		.src = "10.1.0.9", .dst = GROUP4, .proto = IPPROTO_IGMP, .ttl = 1
	};
	(void)state;
	store_be32(report + 4, addr_to_ip4(&group));
	store_be16(report + 2, checksum(report, sizeof(report)));
	world_init(&w, NULL);
	join(&w, GROUP4);
	world_pass(&w, 5 * NS_PER_S);
	tx_forget(&w);
	assert_outcome(query4(&w, "224.0.0.1", "0.0.0.0", 100, 8, 1), NOTED);
	assert_outcome(rx_packet(&w, &p, report, sizeof(report)), NOTED);
	world_pass(&w, 20 * NS_PER_S);
	tx_none(&w);
	world_fini(&w);
}

static void drops_what_no_querier_sends(void **state)
{
	struct world w;
	uint8_t message[12] = { 0x11 };
	const struct packet p = {
		.src = "10.1.0.1", .dst = "224.0.0.1", .proto = IPPROTO_IGMP, .ttl = 1
	};
	(void)state;
	world_init(&w, NULL);
	assert_outcome(query4(&w, "224.0.0.1", "0.0.0.0", 10, 12, 2), DROP_GROUP);
	assert_outcome(query4(&w, "224.0.0.1", "10.1.0.2", 10, 12, 1), DROP_GROUP);
	assert_outcome(query4(&w, "224.0.0.1", "0.0.0.0", 10, 7, 1), DROP_GROUP);
	assert_outcome(rx_packet(&w, &p, message, 12), DROP_GROUP); /* No checksum. */
	assert_outcome(query6(&w, "2001:db8::1", "ff02::1", "::", 10, 28), DROP_GROUP);
	assert_outcome(query6(&w, "fe80::1", "ff02::1", "2001:db8::2", 10, 28),
		       DROP_GROUP);
	assert_outcome(query6(&w, "fe80::1", "ff02::1", "::", 10, 23), DROP_GROUP);
	/* Without the router alert (RFC 3810, 6.2): another option, or none. */
	const struct packet bare = { .src = "fe80::1",
				     .dst = "ff02::1",
				     .proto = IPPROTO_ICMPV6,
				     .csum_offset = 2,
				     .ttl = 1 };
	const uint8_t query[28] = { ICMP6_MLD_QUERY };
	assert_outcome(query6_with(&w, 1, "fe80::1", "ff02::1", "::", 10, 28),
		       DROP_GROUP);
	assert_outcome(rx_packet(&w, &bare, query, sizeof(query)), DROP_GROUP);
	world_pass(&w, 10 * NS_PER_S);
	tx_none(&w);
	world_fini(&w);
}

/* RFC 3376, 4.1.12: to whichever address of ours; but to all, only where all are (9.1). */
static void a_query_may_be_for_one_host(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	join(&w, GROUP4);
	world_pass(&w, 5 * NS_PER_S);
	tx_forget(&w);
	assert_outcome(query4(&w, "10.1.0.2", "0.0.0.0", 10, 12, 1), NOTED);
	world_pass(&w, NS_PER_S);
	reports(&w, GROUP4, 2);
	assert_outcome(query4(&w, GROUP4, "0.0.0.0", 10, 12, 1), DROP_GROUP);
	world_pass(&w, NS_PER_S);
	tx_none(&w);
	world_fini(&w);
}

/* Lengths that are no version's (RFC 3376, 7.1; RFC 3810, 8.1). */
static void a_query_has_the_length_of_a_version(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t len = 9; len < 12; len++)
		assert_outcome(query4(&w, "224.0.0.1", "0.0.0.0", 10, len, 1),
			       DROP_GROUP);
	for (size_t len = 25; len < 28; len++)
		assert_outcome(query6(&w, "fe80::1", "ff02::1", "::", 10, len),
			       DROP_GROUP);
	assert_int_equal(w.iface->old_igmp_until, 0);
	assert_int_equal(w.iface->old_mld_until, 0);
	world_fini(&w);
}

/* What was told from no address, routers have not heard (RFC 3590, 4). */
static void groups_are_told_again_from_an_address(void **state)
{
	const struct world_opts opts = { .is_bare = true };
	struct world w;
	unsigned told = 0, told4 = 0;
	struct ip_addr group = addr(GROUP6), said;
	(void)state;
	world_init(&w, &opts);
	join(&w, GROUP6);
	join(&w, GROUP4);
	world_pass(&w, 10 * NS_PER_S);
	while (w.taken < w.sent_n) {
		struct seen s = see(tx(&w));
		told4 += s.proto == IPPROTO_IGMP;
		if (s.payload[0] != ICMP6_MLD2_REPORT)
			continue;
		memcpy(said.octet, s.payload + 12, 16);
		struct ip_addr src = addr(text(&s.src));
		told += addr_equal(&said, &group) && addr_is_link_local(&src);
	}
	assert_true(told > 0);
	assert_int_equal(told4, 2); /* Nothing has changed for IPv4. */
	world_fini(&w);
}

/* Where all the groups that there may be are joined, our own addresses are still found. */
static void an_address_is_found_however_many_groups_there_are(void **state)
{
	const struct world_opts opts = { .stack = { .groups_max = 4 } };
	struct world w;
	struct weft_ip added = ip("2001:db8::50/64");
	struct ip_addr addr6 = addr("2001:db8::50");
	(void)state;
	world_init(&w, &opts);
	while (w.iface->groups_n < 4) {
		struct ip_addr group = addr_of_ip4(0xef000000 + w.iface->groups_n);
		assert_int_equal(group_join(w.iface, &group, w.now), 0);
	}
	assert_int_equal(
		weft_iface_add_address(w.iface, &added, WEFT_ADDRESS_NO_DAD, w.now), 0);
	struct ip_addr node = addr_solicited_node(&addr6);
	assert_true(group_is_joined(w.iface, &node));
	world_fini(&w);
}

static void groups_have_a_limit(void **state)
{
	const struct world_opts opts = { .stack = { .groups_max = 4 } };
	struct world w;
	struct ip_addr no_group = addr("10.1.0.9");
	(void)state;
	world_init(&w, &opts);
	uint32_t before = w.iface->groups_n;
	for (uint32_t i = 0; i < 10; i++) {
		struct ip_addr group = addr_of_ip4(0xef000000 + i);
		assert_int_equal(group_join(w.iface, &group, w.now),
				 i + before < 4 ? 0 : -ENOSPC);
	}
	assert_int_equal(group_join(w.iface, &no_group, w.now), -EINVAL);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining_is_told_twice_and_leaving_once),
		cmocka_unit_test(groups_of_the_host_itself_are_not_told),
		cmocka_unit_test(a_query_is_answered_within_its_time),
		cmocka_unit_test(times_of_queries_are_read),
		cmocka_unit_test(an_old_querier_is_answered_in_its_version),
		cmocka_unit_test(an_old_version_is_silent_where_another_has_spoken),
		cmocka_unit_test(drops_what_no_querier_sends),
		cmocka_unit_test(a_query_may_be_for_one_host),
		cmocka_unit_test(a_query_has_the_length_of_a_version),
		cmocka_unit_test(groups_are_told_again_from_an_address),
		cmocka_unit_test(an_address_is_found_however_many_groups_there_are),
		cmocka_unit_test(groups_have_a_limit),
	};
	return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
