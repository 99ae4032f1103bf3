/* SPDX-License-Identifier: MIT */
/*
 * MSS clamping: which frames it is for, and that their checksums are right afterwards.
 */
#include "wire/mss.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/layout.h"
#include "wire/tcp.h"

#include <netinet/in.h>
#include <string.h>

#define MTU 1386u

struct syn {
	struct traffic traffic;
	uint8_t buf[TRAFFIC_BUF_LEN];
	struct weft_frame frame;
	struct layout at;
};

static uint32_t pseudo(const struct syn *s)
{
	const uint8_t *ip = s->frame.data + s->at.ip_off;
	uint16_t len = (uint16_t)(s->at.end - s->at.transport_off);
	return s->at.version == 4 ? checksum_pseudo4(ip + 12, ip + 16, IPPROTO_TCP, len)
				  : checksum_pseudo6(ip + 8, ip + 24, IPPROTO_TCP, len);
}

/* A SYN of eight bytes of options, NOPs but for an MSS at option_off. */
static void make(struct syn *s, unsigned option_off, uint16_t mss)
{
	s->traffic.flags |= TCP_SYN;
	s->traffic.options_len = 8;
	s->traffic.options_fill = TCP_OPT_NOP;
	s->frame = traffic_frame(&s->traffic, s->buf);
	assert_int_equal(layout_find(s->frame.data, s->frame.len, false, &s->at), 0);
	uint8_t *tcp = s->frame.data + s->at.transport_off;
	tcp[TCP_LEN + option_off] = TCP_OPT_MSS;
	tcp[TCP_LEN + option_off + 1] = 4;
	store_be16(tcp + TCP_LEN + option_off + 2, mss);
	store_be16(tcp + TCP_OFF_CSUM, 0);
	store_be16(tcp + TCP_OFF_CSUM,
		   checksum_finish(checksum_add(pseudo(s), tcp,
						s->at.end - s->at.transport_off)));
}

static void assert_clamped(struct syn *s, unsigned option_off, uint16_t expected)
{
	size_t off = mss_find(&s->frame, MTU);
	assert_int_equal(off, s->at.transport_off + TCP_LEN + option_off + 2);
	mss_clamp(&s->frame, off, MTU);
	assert_int_equal(load_be16(s->frame.data + off), expected);
	assert_true(checksum_is_right(pseudo(s), s->frame.data + s->at.transport_off,
				      s->at.end - s->at.transport_off));
	assert_int_equal(mss_find(&s->frame, MTU), 0);
}

static void test_clamp(void **state)
{
	(void)state;
	for (unsigned option_off = 0; option_off <= 4; option_off++) {
		struct syn s4 = { .traffic = { .flags = 0 } };
		struct syn s6 = { .traffic = { .is_ip6 = true, .flags = TCP_ACK } };
		struct syn tagged = { .traffic = { .tags_n = 1 } };
		make(&s4, option_off, 1460);
		assert_clamped(&s4, option_off, MTU - 40);
		make(&s6, option_off, 65535);
		assert_clamped(&s6, option_off, MTU - 60);
		make(&tagged, option_off, 1347);
		assert_clamped(&tagged, option_off, MTU - 40);
	}
}

/* It is not the first option everywhere; those in front of it have lengths of their own. */
static void test_behind_others(void **state)
{
	(void)state;
	static const uint8_t others[] = { 3, 3, 2, 1 }; /* window scale of 2, NOP */
	struct syn s = { .traffic = { .flags = 0 } };
	make(&s, 4, 1460);
	const size_t options = s.at.transport_off + TCP_LEN;
	memcpy(s.frame.data + options, others, sizeof(others));
	assert_int_equal(mss_find(&s.frame, MTU), options + 4 + 2);
}

static void test_what_fits_stays(void **state)
{
	(void)state;
	struct syn s = { .traffic = { .flags = 0 } };
	make(&s, 0, MTU - 40);
	assert_int_equal(mss_find(&s.frame, MTU), 0);
	make(&s, 0, 536);
	assert_int_equal(mss_find(&s.frame, MTU), 0);
}

static void test_other_frames(void **state)
{
	(void)state;
	static uint8_t buf[TRAFFIC_BUF_LEN];
	uint64_t seed = test_seed();
	for (unsigned i = 0; i < 2000; i++) {
		struct traffic t = traffic_random(&seed);
		t.flags &= (uint16_t)~TCP_SYN;
		t.is_ip = false;
		struct weft_frame frame = traffic_frame(&t, buf);
		assert_int_equal(mss_find(&frame, 100), 0);
	}
	struct weft_frame empty = { .data = buf, .len = 0 };
	assert_int_equal(mss_find(&empty, MTU), 0);
	/* Where it says nothing, for a connection that has begun (RFC 9293, 3.7.1). */
	struct syn s = { .traffic = { .flags = 0 } };
	make(&s, 0, 1460);
	assert_true(mss_find(&s.frame, MTU) > 0);
	s.frame.data[s.at.transport_off + 13] = TCP_ACK;
	assert_int_equal(mss_find(&s.frame, MTU), 0);
}

/* Options that lie about their length, and frames that end in the middle of one. */
static void test_broken_options(void **state)
{
	(void)state;
	struct syn s = { .traffic = { .flags = 0 } };
	static const uint8_t broken[][8] = {
		{ 2, 3, 255, 255, 2, 4, 255,
		  255 },                         /* a wrong length shifts what follows */
		{ 8, 0, 2, 4, 255, 255, 1, 1 },  /* none at all */
		{ 8, 40, 2, 4, 255, 255, 1, 1 }, /* past the end */
		{ 0, 2, 4, 255, 255, 1, 1, 1 },  /* behind the end of options */
		{ 0, 2, 2, 4, 255, 255, 1, 1 },  /* the end has no length */
		{ 1, 1, 1, 1, 1, 1, 1, 2 },
	};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		make(&s, 0, 1460);
		memcpy(s.frame.data + s.at.transport_off + TCP_LEN, broken[i], 8);
		assert_int_equal(mss_find(&s.frame, MTU), 0);
	}
}

/* Its checksum is made later; what stands there has no part of the MSS in it. */
static void test_checksum_to_be_made(void **state)
{
	(void)state;
	struct syn s = { .traffic = { .flags = 0 } };
	make(&s, 0, 1460);
	uint8_t *csum = s.frame.data + s.at.transport_off + TCP_OFF_CSUM;
	uint16_t before = load_be16(csum);
	s.frame.offload.flags = WEFT_OFFLOAD_NEEDS_CSUM;
	mss_clamp(&s.frame, mss_find(&s.frame, MTU), MTU);
	assert_int_equal(load_be16(csum), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_behind_others),
		cmocka_unit_test(test_what_fits_stays),
		cmocka_unit_test(test_other_frames),
		cmocka_unit_test(test_broken_options),
		cmocka_unit_test(test_checksum_to_be_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
