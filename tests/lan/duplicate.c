/* SPDX-License-Identifier: MIT */
/*
 * Two machines with one IPv6 address, overheard.
 */
#include "lan/duplicate.h"

#include "../unit.h"
#include "base/rng.h"
#include "wire/compose.h"
#include "wire/icmp.h"
#include "wire/nd.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define S UINT64_C(1000000000)

static const struct weft_mac ours = { { 2, 0, 0, 0, 0, 1 } },
			     theirs = { { 2, 0, 0, 0, 0, 2 } };

/* fd00::number; 0 is none at all. */
static struct weft_ip ip_of(uint8_t number)
{
	struct weft_ip ip = { .family = AF_INET6, .prefix = 128 };
	ip.octet[0] = number ? 0xfd : 0;
	ip.octet[15] = number;
	return ip;
}

struct scene {
	struct duplicate d;
	uint64_t now;
	uint8_t buf[128];
	struct weft_frame frame;
	struct duplicate_found found;
};

static struct scene scene(void)
{
	return (struct scene){ .now = 100 * S };
}

/* A message from a MAC and an address about a target. */
static void make(struct scene *s, struct weft_mac mac, uint8_t type, uint8_t src,
		 uint8_t target)
{
	uint8_t icmp[64];
	const struct weft_ip subject = ip_of(target);
	const struct nd_msg nd = { .type = type, .target = ip6_addr_load(subject.octet) };
	const struct compose c = { .is_ether = true,
				   .dst_mac = { { 0x33, 0x33, 0, 0, 0, 1 } },
				   .src_mac = mac,
				   .src = ip_of(src),
				   .dst = ip_of(99),
				   .proto = IPPROTO_ICMPV6,
				   .ttl = ND_HOP_LIMIT,
				   .csum_offset = ICMP_OFF_CSUM };
	int len = nd_msg_emit(icmp, sizeof(icmp), &nd);
	assert_true(len > 0);
	len = compose_ip(&c, icmp, (size_t)len, s->buf, sizeof(s->buf));
	assert_true(len > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

static void we_probe(struct scene *s, uint8_t address)
{
	make(s, ours, ICMP6_NEIGHBOR_SOLICIT, 0, address);
	duplicate_sent(&s->d, &s->frame, s->now);
}

static void we_ask_from(struct scene *s, uint8_t address)
{
	make(s, ours, ICMP6_NEIGHBOR_SOLICIT, address, 50);
	duplicate_sent(&s->d, &s->frame, s->now);
}

static bool told(struct scene *s)
{
	return duplicate_received(&s->d, &s->frame, s->now, &s->found);
}

static bool they_advertise(struct scene *s, uint8_t address)
{
	make(s, theirs, ICMP6_NEIGHBOR_ADVERT, address, address);
	return told(s);
}

static bool they_ask_from(struct scene *s, uint8_t address)
{
	make(s, theirs, ICMP6_NEIGHBOR_SOLICIT, address, 50);
	return told(s);
}

static bool they_probe(struct scene *s, uint8_t address)
{
	make(s, theirs, ICMP6_NEIGHBOR_SOLICIT, 0, address);
	return told(s);
}

static void who_was_first_objects(void **state)
{
	(void)state;
	struct scene s = scene();
	we_probe(&s, 7);
	assert_false(they_advertise(&s, 8));
	assert_true(they_advertise(&s, 7));
	const struct weft_ip address = ip_of(7);
	assert_memory_equal(&s.found.address, &address, sizeof(address));
	assert_memory_equal(&s.found.mac, &theirs, sizeof(theirs));
	assert_true(s.found.is_first);
}

static void both_ask_at_once(void **state)
{
	(void)state;
	struct scene s = scene();
	we_probe(&s, 7);
	assert_true(they_probe(&s, 7));
	assert_true(s.found.is_first);
}

/* Our machine answers a probe, and whoever sent it gives way. */
static void who_comes_later_gives_way(void **state)
{
	(void)state;
	struct scene s = scene();
	we_probe(&s, 7);
	we_ask_from(&s, 7);
	assert_false(they_probe(&s, 7));
	assert_true(they_ask_from(&s, 7)); /* or not */
	assert_false(s.found.is_first);
}

static void an_advertisement_makes_it_ours(void **state)
{
	(void)state;
	struct scene s = scene();
	make(&s, ours, ICMP6_NEIGHBOR_ADVERT, 3, 4);
	duplicate_sent(&s.d, &s.frame, s.now);
	assert_false(they_advertise(&s, 3));
	assert_true(they_advertise(&s, 4));
	assert_false(s.found.is_first);
}

static void once_a_minute(void **state)
{
	(void)state;
	struct scene s = scene();
	we_ask_from(&s, 7);
	assert_true(they_advertise(&s, 7));
	s.now += DUPLICATE_TOLD_NS - 1;
	assert_false(they_advertise(&s, 7));
	s.now += 1;
	assert_true(they_advertise(&s, 7));
}

static void what_was_ours_is_so_for_a_while(void **state)
{
	(void)state;
	struct scene s = scene();
	we_ask_from(&s, 7);
	s.now += DUPLICATE_OWN_NS - 1;
	assert_true(they_advertise(&s, 7));
	s.now += 61 * S;
	assert_false(they_advertise(&s, 7));
}

static void what_we_hear_of_ourselves_is_nothing(void **state)
{
	(void)state;
	struct scene s = scene();
	we_probe(&s, 7);
	assert_false(told(&s));
	we_ask_from(&s, 7);
	assert_false(told(&s));
}

static void the_most_silent_one_is_forgotten(void **state)
{
	(void)state;
	struct scene s = scene();
	for (uint8_t i = 1; i <= DUPLICATE_OWN_MAX; i++, s.now++)
		we_ask_from(&s, i);
	we_ask_from(&s, 1);
	s.now++;
	we_ask_from(&s, 77);
	assert_int_equal(s.d.n, DUPLICATE_OWN_MAX);
	assert_false(they_advertise(&s, 2));
	assert_true(they_advertise(&s, 1));
	assert_true(they_advertise(&s, 77));
}

/* A hop limit of 255 is what nobody from elsewhere can have (RFC 4861, 7.1). */
static void others_than_neighbours_are_not_heard(void **state)
{
	(void)state;
	struct scene s = scene();
	we_ask_from(&s, 7);
	make(&s, theirs, ICMP6_NEIGHBOR_ADVERT, 7, 7);
	s.buf[14 + 7] = 254;
	assert_false(told(&s));
	make(&s, theirs, ICMP6_ROUTER_SOLICIT, 7, 7);
	assert_false(told(&s));
}

static void noise_is_survived(void **state)
{
	(void)state;
	struct scene s = scene();
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t *exact;
		make(&s, i % 2 ? ours : theirs,
		     i % 3 ? ICMP6_NEIGHBOR_ADVERT : ICMP6_NEIGHBOR_SOLICIT,
		     (uint8_t)rng_below(&rng, 3), 7);
		s.frame.len = (uint32_t)rng_below(&rng, s.frame.len + 1);
		s.buf[rng_below(&rng, sizeof(s.buf))] ^= (uint8_t)rng_below(&rng, 256);
		exact = malloc(s.frame.len + 1u); /* So that a byte too far is seen. */
		assert_non_null(exact);
		memcpy(exact + 1, s.buf, s.frame.len);
		s.frame.data = exact + 1;
		(void)told(&s);
		duplicate_sent(&s.d, &s.frame, s.now++);
		free(exact);
	}
	assert_in_range(s.d.n, 1, DUPLICATE_OWN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_first_objects),
		cmocka_unit_test(both_ask_at_once),
		cmocka_unit_test(who_comes_later_gives_way),
		cmocka_unit_test(an_advertisement_makes_it_ours),
		cmocka_unit_test(once_a_minute),
		cmocka_unit_test(what_was_ours_is_so_for_a_while),
		cmocka_unit_test(what_we_hear_of_ourselves_is_nothing),
		cmocka_unit_test(the_most_silent_one_is_forgotten),
		cmocka_unit_test(others_than_neighbours_are_not_heard),
		cmocka_unit_test(noise_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
