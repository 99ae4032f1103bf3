/* SPDX-License-Identifier: MIT */
/*
 * Which small frames stay behind the large ones of their flow, and all those that need not.
 */
#include "lan/burst.h"

#include "../unit.h"
#include "quic/quic.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LARGE 1000u
#define NOW   UINT64_C(5000000000)

/* What a frame is; the rest of it is always the same. */
struct kind {
	const char *src;
	uint8_t proto, flags;
	uint16_t sport;
	size_t len; /* of data */
};

static const struct kind rest = { "10.0.0.1", IPPROTO_TCP, TCP_ACK, 80, 100 };

struct scene {
	struct burst burst;
	uint8_t buf[1600];
	struct weft_frame frame;
};

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static void make(struct scene *s, const struct kind *kind)
{
	uint8_t segment[TCP_LEN + LARGE] = { [TCP_OFF_FLAGS] = 0x50 };
	const struct weft_ip src = ip_of(kind->src);
	const struct compose c = {
		.is_ether = true,
		.dst_mac = { { 2, 0, 0, 0, 0, 2 } },
		.src_mac = { { 2, 0, 0, 0, 0, 1 } },
		.src = src,
		.dst = ip_of(src.family == AF_INET ? "10.0.0.2" : "fd00::2"),
		.proto = kind->proto,
		.ttl = 64,
		.csum_offset = kind->proto == IPPROTO_TCP ? TCP_OFF_CSUM : 6,
	};
	store_be16(segment + TCP_OFF_SPORT, kind->sport);
	store_be16(segment + TCP_OFF_DPORT, 4000);
	segment[TCP_OFF_FLAGS + 1] = kind->flags;
	if (kind->proto == IPPROTO_UDP)
		store_be16(segment + 4, (uint16_t)(TCP_LEN + kind->len));
	int len = compose_ip(&c, segment, TCP_LEN + kind->len, s->buf, sizeof(s->buf));
	assert_true(len > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

/* A large one has just been sent. */
static void begin(struct scene *s, const char *src)
{
	struct kind large = rest;
	large.src = src;
	large.len = LARGE;
	*s = (struct scene){ .burst.at = 0 };
	make(s, &large);
	assert_false(burst_note(&s->burst, &s->frame, NOW));
}

static bool stays(struct scene *s, const struct kind *kind)
{
	make(s, kind);
	return burst_note(&s->burst, &s->frame, NOW);
}

static void the_end_stays_behind(void **state)
{
	(void)state;
	struct scene s;
	struct kind end = rest;
	begin(&s, end.src);
	assert_true(stays(&s, &end));
	end.len = 1;
	assert_true(stays(&s, &end)); /* the next one, too */
	end.len = 0;
	end.flags = TCP_ACK | TCP_FIN;
	assert_true(stays(&s, &end));
	end = rest;
	end.src = "fd00::1";
	assert_false(stays(&s, &end));
	begin(&s, end.src);
	assert_true(stays(&s, &end));
}

static void others_go_first(void **state)
{
	(void)state;
	const struct kind others[] = {
		{ "10.0.0.1", IPPROTO_TCP, TCP_ACK, 80, 0 }, /* acknowledges */
		{ "10.0.0.1", IPPROTO_TCP, TCP_ACK, 81, 100 },
		{ "10.0.0.3", IPPROTO_TCP, TCP_ACK, 80, 100 },
		{ "10.0.0.1", IPPROTO_UDP, TCP_ACK, 80, 100 },
	};
	struct scene s;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		begin(&s, rest.src);
		if (stays(&s, &others[i]))
			fail_msg("kind %zu stays", i);
		assert_true(stays(&s, &rest));
	}
	make(&s, &rest);
	s.buf[ETHER_OFF_SRC + 5] = 9; /* of another station */
	assert_false(burst_note(&s.burst, &s.frame, NOW));
	make(&s, &rest);
	s.buf[ETHER_LEN + IP4_OFF_FRAG] = 0x20; /* more fragments */
	assert_false(burst_note(&s.burst, &s.frame, NOW));
}

/* In which flow nothing large is sent, small ones stay what they are. */
static void small_ones_go_before_each_other(void **state)
{
	(void)state;
	struct scene s = { .burst.at = 0 };
	assert_false(stays(&s, &rest));
	assert_false(stays(&s, &rest));
}

/* By then what was before it is on its way, or was dropped. */
static void nothing_waits_for_long(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, rest.src);
	make(&s, &rest);
	assert_true(burst_note(&s.burst, &s.frame, NOW + QUIC_QUEUE_NS));
	assert_false(burst_note(&s.burst, &s.frame, NOW + QUIC_QUEUE_NS + 1));
}

static void every_length(void **state)
{
	(void)state;
	static const char *const sources[] = { "10.0.0.1", "fd00::1" };
	struct scene s;
	for (unsigned i = 0; i < 2; i++) {
		struct kind kind = rest;
		kind.src = sources[i];
		begin(&s, kind.src);
		make(&s, &kind);
		for (uint32_t len = 0; len <= s.frame.len; len++) {
			uint8_t *copy = malloc(len ? len : 1);
			assert_non_null(copy);
			memcpy(copy, s.buf, len);
			const struct weft_frame frame = { .data = copy, .len = len };
			assert_int_equal(burst_note(&s.burst, &frame, NOW),
					 len == s.frame.len);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_stays_behind),
		cmocka_unit_test(others_go_first),
		cmocka_unit_test(small_ones_go_before_each_other),
		cmocka_unit_test(nothing_waits_for_long),
		cmocka_unit_test(every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
