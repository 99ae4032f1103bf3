/* SPDX-License-Identifier: MIT */
/*
 * Fragments in every order and with every lie, in both families. A test sends pieces of one
 * UDP datagram and looks at what the socket gets.
 *
 *     whole   | UDP header | 0 1 2 3 ... |        pieces in units of 8 bytes: [from, to)
 */
#include "base/rng.h"
#include "base/time.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/udp.h"
#include "world.h"

#include <string.h>

#define DATAGRAM_MAX 65536u

struct hole_world {
	struct world w;
	struct weft_udp *udp;
	unsigned got;
	size_t len;
	bool is_intact;
	uint8_t tos;
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void got_datagram(void *user, struct weft_udp *udp,
			 const struct weft_udp_message *msg, uint64_t now)
{
	struct hole_world *h = user;
	(void)udp;
	(void)now;
	h->got++;
	h->len = msg->len;
	h->tos = msg->tos;
	h->is_intact = true;
	for (size_t i = 0; i < msg->len; i++)
		h->is_intact &= ((const uint8_t *)msg->data)[i] == byte_at(i);
}

static void begin(struct hole_world *h, const struct weft_stack_opts *limits, bool is_ip4)
{
	const struct weft_udp_opts opts = { .on_receive = got_datagram, .user = h };
	struct world_opts world = { 0 };
	if (limits)
		world.stack = *limits;
	memset(h, 0, sizeof(*h));
	world_init(&h->w, &world);
	const union weft_sockaddr local = at(is_ip4 ? "10.1.0.2" : "2001:db8::2", 7);
	assert_int_equal(weft_udp_new(h->w.stack, &opts, &h->udp), 0);
	assert_int_equal(weft_udp_bind(h->udp, &local), 0);
}

static void end(struct hole_world *h)
{
	world_fini(&h->w);
}

/* A datagram with len bytes of data, from its UDP header on. */
static size_t datagram(bool is_ip4, size_t len, uint8_t *buf)
{
	struct weft_ip src = ip(is_ip4 ? "10.1.0.1" : "2001:db8::1");
	struct weft_ip dst = ip(is_ip4 ? "10.1.0.2" : "2001:db8::2");
	const struct udp_hdr hdr = { 9, 7, (uint16_t)(UDP_LEN + len), 0 };
	assert_int_equal(udp_hdr_emit(buf, UDP_LEN, &hdr), UDP_LEN);
	for (size_t i = 0; i < len; i++)
		buf[UDP_LEN + i] = byte_at(i);
	uint32_t sum = compose_pseudo(&src, &dst, IPPROTO_UDP, (uint32_t)(UDP_LEN + len));
	store_be16(buf + UDP_OFF_CSUM,
		   checksum_finish_udp(checksum_add(sum, buf, UDP_LEN + len)));
	return UDP_LEN + len;
}

struct part {
	uint32_t id;
	size_t off, len;
	bool more;
	uint8_t tos;
};

/* Puts bytes on the wire as a fragment. */
static enum weft_stack_outcome rx_part(struct hole_world *h, bool is_ip4,
				       const uint8_t *data, const struct part *part)
{
	static uint8_t frame[WEFT_FRAME_LEN_MAX];
	const struct ether_hdr eth = {
		.dst = h->w.iface->mac,
		.src = mac(TEST_MAC),
		.type = is_ip4 ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6,
	};
	struct ip_addr src = addr(is_ip4 ? "10.1.0.1" : "2001:db8::1");
	struct ip_addr dst = addr(is_ip4 ? "10.1.0.2" : "2001:db8::2");
	const struct ip4_hdr ip4 = {
		.tos = part->tos,
		.total_len = (uint16_t)(IP4_LEN + part->len),
		.id = (uint16_t)part->id,
		.mf = part->more,
		.frag_off = (uint16_t)part->off,
		.ttl = 64,
		.proto = IPPROTO_UDP,
		.src = addr_to_ip4(&src),
		.dst = addr_to_ip4(&dst),
	};
	const struct ip6_hdr ip6 = {
		.tclass = part->tos,
		.payload_len = (uint16_t)(IP6_FRAG_LEN + part->len),
		.next = IPPROTO_FRAGMENT,
		.hop_limit = 64,
		.src = addr_to_ip6(&src),
		.dst = addr_to_ip6(&dst),
	};
	const struct ip6_frag frag = { IPPROTO_UDP, (uint16_t)part->off, part->more,
				       part->id };
	size_t at = ETHER_LEN;
	assert_int_equal(ether_hdr_emit(frame, ETHER_LEN, &eth), ETHER_LEN);
	if (is_ip4) {
		assert_int_equal(ip4_hdr_emit(frame + at, IP4_LEN, &ip4), IP4_LEN);
		at += IP4_LEN;
	} else {
		assert_int_equal(ip6_hdr_emit(frame + at, IP6_LEN, &ip6), IP6_LEN);
		at += IP6_LEN;
		assert_int_equal(ip6_frag_emit(frame + at, IP6_FRAG_LEN, &frag),
				 IP6_FRAG_LEN);
		at += IP6_FRAG_LEN;
	}
	memcpy(frame + at, data, part->len);
	return rx(&h->w, frame, at + part->len);
}

/* The bytes [from, to) of a whole datagram. */
static enum weft_stack_outcome rx_slice(struct hole_world *h, bool is_ip4,
					const uint8_t *whole, size_t len, uint32_t id,
					size_t from, size_t to)
{
	const struct part part = { id, from, to - from, to < len, 0 };
	return rx_part(h, is_ip4, whole + from, &part);
}

static void assembles_in_any_order(void **state)
{
	static const uint8_t orders[][4] = { { 0, 1, 2, 3 },
					     { 3, 2, 1, 0 },
					     { 1, 3, 0, 2 },
					     { 2, 0, 3, 1 },
					     { 3, 0, 1, 2 } };
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct hole_world h;
		bool is_ip4 = family == 0;
		begin(&h, NULL, is_ip4);
		size_t len = datagram(is_ip4, 5000, whole);
		for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
			for (unsigned j = 0; j < 4; j++) {
				size_t from = orders[i][j] * 1400u;
				size_t to = from + 1400 < len ? from + 1400 : len;
				enum weft_stack_outcome o = rx_slice(
					&h, is_ip4, whole, len, (uint32_t)i, from, to);
				if (j < 3)
					assert_outcome(o, HELD);
				else
					assert_outcome(o, DELIVERED);
			}
			assert_int_equal(h.got, i + 1);
			assert_int_equal(h.len, 5000);
			assert_true(h.is_intact);
		}
		assert_int_equal(h.w.stack->fragments.bytes, 0);
		assert_int_equal(table_count(h.w.stack->fragments.table), 0);
		end(&h);
	}
}

/* Random cuts, orders and doubles, against the datagram itself. */
static void assembles_whatever_is_cut(void **state)
{
	static uint8_t whole[DATAGRAM_MAX];
	struct rng rng;
	(void)state;
	rng_init(&rng, test_seed());
	for (unsigned run = 0; run < 300; run++) {
		struct hole_world h;
		bool is_ip4 = rng_below(&rng, 2);
		size_t cuts[64], n = 1;
		begin(&h, NULL, is_ip4);
		size_t len = datagram(is_ip4, 100 + rng_below(&rng, 20000), whole);
		cuts[0] = 0;
		while (n < 40 && cuts[n - 1] + 8 < len) {
			size_t step = 8 + 8 * rng_below(&rng, 1 + len / 64);
			if (cuts[n - 1] + step >= len)
				break;
			cuts[n] = cuts[n - 1] + step;
			n++;
		}
		uint64_t missing = UINT64_MAX >> (64 - n);
		while (missing) {
			size_t i = rng_below(&rng, n);
			size_t to = i + 1 < n ? cuts[i + 1] : len;
			bool is_new = missing & UINT64_C(1) << i;
			enum weft_stack_outcome o =
				rx_slice(&h, is_ip4, whole, len, run, cuts[i], to);
			missing &= ~(UINT64_C(1) << i);
			if (!is_new)
				assert_outcome(o, IGNORED);
			else if (missing)
				assert_outcome(o, HELD);
		}
		assert_int_equal(h.got, 1);
		assert_int_equal(h.len, len - UDP_LEN);
		assert_true(h.is_intact);
		end(&h);
	}
}

/* One piece that does not fit ends the packet, and what comes later begins no new one. */
static void assert_ends(const size_t lies[2], bool lie_more, bool is_ip4)
{
	static uint8_t whole[DATAGRAM_MAX];
	struct hole_world h;
	begin(&h, NULL, is_ip4);
	size_t len = datagram(is_ip4, 5000, whole);
	uint8_t lie[DATAGRAM_MAX / 8] = { 0x55 };
	const struct part part = { 1, lies[0], lies[1] - lies[0], lie_more, 0 };
	assert_outcome(rx_slice(&h, is_ip4, whole, len, 1, 0, 1400), HELD);
	assert_outcome(rx_slice(&h, is_ip4, whole, len, 1, 2800, 4200), HELD);
	assert_outcome(rx_part(&h, is_ip4, lie, &part), DROP_FRAGMENT);
	assert_int_equal(h.w.stack->fragments.bytes, 0);
	assert_outcome(rx_slice(&h, is_ip4, whole, len, 1, 1400, 2800), DROP_FRAGMENT);
	assert_outcome(rx_slice(&h, is_ip4, whole, len, 1, 4200, len), DROP_FRAGMENT);
	assert_int_equal(h.got, 0);
	/* Its time over, the identification may be used anew. */
	world_pass(&h.w, 61 * NS_PER_S);
	for (size_t from = 0; from < len; from += 1400)
		(void)rx_slice(&h, is_ip4, whole, len, 1, from,
			       from + 1400 < len ? from + 1400 : len);
	assert_int_equal(h.got, 1);
	end(&h);
}

static void an_overlap_ends_the_packet(void **state)
{
	static const size_t lies[][2] = {
		{ 0, 1400 },    /* The same place, other bytes. */
		{ 0, 8 },       /* Inside at the front: a new header. */
		{ 1392, 1400 }, /* Inside at the end: teardrop. */
		{ 696, 704 },   /* In the middle. */
		{ 1392, 2000 }, /* Over an end. */
		{ 2000, 2808 }, /* Over a beginning. */
		{ 8, 4200 },    /* Over everything. */
		{ 1400, 2808 }, /* A hole, and too much. */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		assert_ends(lies[i], true, true);
		assert_ends(lies[i], true, false);
	}
}

static void an_end_before_the_end_ends_the_packet(void **state)
{
	static const size_t lies[][2] = { { 1400, 2000 }, { 2000, 2800 } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		assert_ends(lies[i], false, true);
		assert_ends(lies[i], false, false);
	}
}

static void there_is_one_end(void **state)
{
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct hole_world h;
		bool is_ip4 = family == 0;
		begin(&h, NULL, is_ip4);
		(void)datagram(is_ip4, 5000, whole);
		const struct part last = { 1, 4000, 800, false, 0 };
		const struct part behind = { 1, 4800, 8, true, 0 };
		const struct part other = { 2, 4000, 800, false, 0 };
		const struct part later = { 2, 4800, 8, false, 0 };
		assert_outcome(rx_part(&h, is_ip4, whole, &last), HELD);
		assert_outcome(rx_part(&h, is_ip4, whole, &behind), DROP_FRAGMENT);
		assert_outcome(rx_part(&h, is_ip4, whole, &other), HELD);
		assert_outcome(rx_part(&h, is_ip4, whole, &later), DROP_FRAGMENT);
		end(&h);
	}
}

static void impossible_pieces_are_dropped(void **state)
{
	static uint8_t bytes[DATAGRAM_MAX];
	static const struct part ip4[] = {
		{ 1, 0, 0, true, 0 },      /* Nothing in it. */
		{ 1, 0, 13, true, 0 },     /* Not a multiple of 8, and not the last. */
		{ 1, 65528, 8, false, 0 }, /* Ping of death: with the header past 65,535. */
		{ 1, 65528, 1400, true, 0 }, { 1, 65000, 1400, false, 0 },
	};
	static const struct part ip6[] = {
		{ 1, 8, 0, false, 0 },
		{ 1, 65528, 8, false, 0 },
		{ 1, 65000, 1400, false, 0 },
	};
	struct hole_world h;
	(void)state;
	begin(&h, NULL, true);
	for (size_t i = 0; i < ARRAY_LEN(ip4); i++)
		assert_outcome(rx_part(&h, true, bytes, &ip4[i]), DROP_FRAGMENT);
	for (size_t i = 0; i < ARRAY_LEN(ip6); i++)
		assert_outcome(rx_part(&h, false, bytes, &ip6[i]), DROP_FRAGMENT);
	assert_int_equal(table_count(h.w.stack->fragments.table), 0);
	tx_none(&h.w);
	end(&h);
}

/* RFC 8200, 4.5: told about, with a pointer at the payload length. */
static void an_odd_fragment_of_ip6_is_told_about(void **state)
{
	static uint8_t bytes[64];
	const struct part odd = { 1, 8, 13, true, 0 };
	struct hole_world h;
	(void)state;
	begin(&h, NULL, false);
	assert_outcome(rx_part(&h, false, bytes, &odd), DROP_FRAGMENT);
	struct seen s = see(tx(&h.w));
	assert_int_equal(s.payload[0], ICMP6_PARAM_PROBLEM);
	assert_int_equal(load_be32(s.payload + 4), 4);
	/* RFC 7112: the first without its upper header. */
	const struct part tiny = { 2, 0, 0, true, 0 };
	assert_outcome(rx_part(&h, false, bytes, &tiny), DROP_FRAGMENT);
	s = see(tx(&h.w));
	assert_int_equal(s.payload[0], ICMP6_PARAM_PROBLEM);
	assert_int_equal(s.payload[1], 3);
	end(&h);
}

/* RFC 6946: a fragment header with nothing more to come is passed over. */
static void an_atomic_fragment_is_a_packet(void **state)
{
	static uint8_t whole[DATAGRAM_MAX];
	struct hole_world h;
	(void)state;
	begin(&h, NULL, false);
	size_t len = datagram(false, 100, whole);
	const struct part held = { 5, 0, 64, true, 0 };
	const struct part atomic = { 5, 0, len, false, 0 };
	assert_outcome(rx_part(&h, false, whole, &held), HELD);
	assert_outcome(rx_part(&h, false, whole, &atomic), DELIVERED);
	assert_int_equal(h.got, 1);
	end(&h);
}

static void what_is_missing_is_not_waited_for_for_ever(void **state)
{
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct hole_world h;
		bool is_ip4 = family == 0;
		begin(&h, NULL, is_ip4);
		size_t len = datagram(is_ip4, 5000, whole);
		assert_outcome(rx_slice(&h, is_ip4, whole, len, 1, 0, 1400), HELD);
		assert_outcome(rx_slice(&h, is_ip4, whole, len, 2, 1400, 2800), HELD);
		world_pass(&h.w, 61 * NS_PER_S);
		assert_int_equal(
			weft_stack_event_count(h.w.stack, WEFT_STACK_FRAGMENT_TIMEOUT),
			2);
		/* Told about is only that of which the first fragment has come. */
		struct seen s = see(tx(&h.w));
		assert_int_equal(s.payload[0], is_ip4 ? (int)ICMP4_TIME_EXCEEDED
						      : (int)ICMP6_TIME_EXCEEDED);
		assert_int_equal(s.payload[1], 1);
		tx_none(&h.w);
		assert_int_equal(h.w.stack->fragments.bytes, 0);
		assert_int_equal(table_count(h.w.stack->fragments.table), 0);
		end(&h);
	}
}

/* As the program says; or half a minute in IPv4, a whole one in IPv6. */
static void what_is_missing_has_its_time(void **state)
{
	static const struct {
		uint32_t given;
		bool is_ip4;
		uint32_t seconds;
	} cases[] = {
		{ 0, true, 30 }, { 0, false, 60 }, { 7, true, 7 }, { 7, false, 7 }
	};
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct weft_stack_opts opts = { .fragment_time_s = cases[i].given };
		struct hole_world h;
		begin(&h, &opts, cases[i].is_ip4);
		size_t len = datagram(cases[i].is_ip4, 5000, whole);
		assert_outcome(rx_slice(&h, cases[i].is_ip4, whole, len, 1, 0, 1400),
			       HELD);
		world_pass(&h.w, cases[i].seconds * NS_PER_S - 1);
		assert_int_equal(table_count(h.w.stack->fragments.table), 1);
		world_pass(&h.w, 1);
		assert_int_equal(table_count(h.w.stack->fragments.table), 0);
		end(&h);
	}
}

/* FragmentSmack: memory and the work for each fragment are bounded. */
static void a_flood_has_limits(void **state)
{
	const struct weft_stack_opts limits = { .fragments_max = 8,
						.fragment_bytes_max = 20000 };
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct hole_world h;
		bool is_ip4 = family == 0;
		begin(&h, &limits, is_ip4);
		(void)datagram(is_ip4, 60000, whole);
		for (uint32_t id = 0; id < 5000; id++) {
			const struct part part = { id, 8 * (id % 100), 1400, true, 0 };
			assert_outcome(rx_part(&h, is_ip4, whole, &part), HELD);
			assert_true(h.w.stack->fragments.bytes <= 20000);
			assert_true(table_count(h.w.stack->fragments.table) <= 8);
		}
		assert_true(weft_stack_event_count(h.w.stack,
						   WEFT_STACK_FRAGMENT_EVICTED) > 4000);
		/* One packet in many small pieces. */
		enum weft_stack_outcome o = WEFT_STACK_HELD;
		unsigned n = 0;
		for (; n < 2000 && o == WEFT_STACK_HELD; n++) {
			const struct part part = { 9999, 16 * n, 8, true, 0 };
			o = rx_part(&h, is_ip4, whole, &part);
		}
		assert_outcome(o, DROP_FRAGMENT_LIMIT);
		assert_int_equal(n, 128 + 1);
		/* One packet that is larger than all may have. */
		o = WEFT_STACK_HELD;
		for (n = 0; n < 40 && o == WEFT_STACK_HELD; n++) {
			const struct part part = { 8888, 1400 * n, 1400, true, 0 };
			o = rx_part(&h, is_ip4, whole, &part);
		}
		assert_outcome(o, DROP_FRAGMENT_LIMIT);
		end(&h);
	}
}

static void pieces_have_a_limit(void **state)
{
	static const struct weft_stack_opts opts[] = { { 0 },
						       { .fragment_pieces_max = 3 } };
	static const unsigned limits[] = { 128, 3 };
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(opts); i++) {
		struct hole_world h;
		begin(&h, &opts[i], true);
		(void)datagram(true, 60000, whole);
		for (uint32_t n = 0; n <= limits[i]; n++) {
			const struct part part = { 7, 16 * n, 8, true, 0 };
			assert_int_equal(rx_part(&h, true, whole, &part),
					 n < limits[i] ? WEFT_STACK_HELD
						       : WEFT_STACK_DROP_FRAGMENT_LIMIT);
		}
		end(&h);
	}
}

static void congestion_of_one_is_of_all(void **state)
{
	static uint8_t whole[DATAGRAM_MAX];
	static const struct {
		uint8_t a, b, both;
	} marks[] = { { 2, 3, 3 }, { 2, 2, 2 }, { 0, 3, 0 }, { 1, 1, 1 }, { 3, 3, 3 } };
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct hole_world h;
		bool is_ip4 = family == 0;
		begin(&h, NULL, is_ip4);
		size_t len = datagram(is_ip4, 1000, whole);
		for (uint32_t i = 0; i < ARRAY_LEN(marks); i++) {
			const struct part a = { i, 0, 512, true, marks[i].a };
			const struct part b = { i, 512, len - 512, false, marks[i].b };
			assert_outcome(rx_part(&h, is_ip4, whole, &a), HELD);
			assert_outcome(rx_part(&h, is_ip4, whole + 512, &b), DELIVERED);
			assert_int_equal(h.tos, marks[i].both);
		}
		end(&h);
	}
}

static void the_longest_packet_arrives(void **state)
{
	static uint8_t whole[DATAGRAM_MAX];
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct hole_world h;
		bool is_ip4 = family == 0;
		size_t data = is_ip4 ? 65535 - IP4_LEN - UDP_LEN : 65535 - UDP_LEN;
		begin(&h, NULL, is_ip4);
		size_t len = datagram(is_ip4, data, whole);
		for (size_t from = 0; from < len; from += 1400)
			(void)rx_slice(&h, is_ip4, whole, len, 1, from,
				       from + 1400 < len ? from + 1400 : len);
		assert_int_equal(h.got, 1);
		assert_int_equal(h.len, data);
		assert_true(h.is_intact);
		end(&h);
	}
}

/* A packet of IPv4 that is too long only with the options that its first fragment has. */
static void a_longer_header_makes_no_longer_packet(void **state)
{
	static uint8_t frame[WEFT_FRAME_LEN_MAX];
	static const uint8_t options[IP4_OPTIONS_MAX] = { 1 };
	const size_t payload = 65535 - IP4_LEN, first = 65000;
	struct hole_world h;
	(void)state;
	begin(&h, NULL, true);
	const struct part last = { 1, first, payload - first, false, 0 };
	assert_outcome(rx_part(&h, true, frame, &last), HELD);
	const struct ether_hdr eth = { .dst = h.w.iface->mac,
				       .src = mac(TEST_MAC),
				       .type = ETHER_TYPE_IP4 };
	const struct ip4_hdr ip4 = { .total_len = (uint16_t)(60 + first),
				     .id = 1,
				     .mf = true,
				     .ttl = 64,
				     .proto = IPPROTO_UDP,
				     .src = 0x0a010001,
				     .dst = 0x0a010002,
				     .options = options,
				     .options_len = IP4_OPTIONS_MAX };
	assert_int_equal(ether_hdr_emit(frame, ETHER_LEN, &eth), ETHER_LEN);
	assert_int_equal(ip4_hdr_emit(frame + ETHER_LEN, 60, &ip4), 60);
	assert_outcome(rx(&h.w, frame, ETHER_LEN + 60 + first), DROP_FRAGMENT);
	end(&h);
}

/* The error about fragments that never came goes in fragments itself. */
static void a_timeout_is_told_over_a_narrow_path(void **state)
{
	static uint8_t whole[DATAGRAM_MAX], error[2000];
	struct hole_world h;
	struct ip_addr peer = addr("10.1.0.1");
	size_t got = 0;
	(void)state;
	begin(&h, NULL, true);
	size_t len = datagram(true, 5000, whole);
	dest_set_mtu(h.w.stack, &peer, 68, h.w.now);
	assert_outcome(rx_slice(&h, true, whole, len, 1, 0, 1400), HELD);
	world_pass(&h.w, 31 * NS_PER_S);
	while (h.w.taken < h.w.sent_n) {
		struct seen s = see(tx(&h.w));
		assert_int_equal(s.frag_off, got);
		memcpy(error + got, s.payload, s.len);
		got += s.len;
	}
	assert_int_equal(got, 576 - IP4_LEN);
	assert_int_equal(error[0], ICMP4_TIME_EXCEEDED);
	assert_true(checksum_is_right(0, error, got));
	assert_memory_equal(error + ICMP_LEN + IP4_LEN, whole, got - ICMP_LEN - IP4_LEN);
	end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assembles_in_any_order),
		cmocka_unit_test(assembles_whatever_is_cut),
		cmocka_unit_test(an_overlap_ends_the_packet),
		cmocka_unit_test(an_end_before_the_end_ends_the_packet),
		cmocka_unit_test(there_is_one_end),
		cmocka_unit_test(impossible_pieces_are_dropped),
		cmocka_unit_test(an_odd_fragment_of_ip6_is_told_about),
		cmocka_unit_test(an_atomic_fragment_is_a_packet),
		cmocka_unit_test(what_is_missing_is_not_waited_for_for_ever),
		cmocka_unit_test(what_is_missing_has_its_time),
		cmocka_unit_test(a_flood_has_limits),
		cmocka_unit_test(pieces_have_a_limit),
		cmocka_unit_test(congestion_of_one_is_of_all),
		cmocka_unit_test(the_longest_packet_arrives),
		cmocka_unit_test(a_longer_header_makes_no_longer_packet),
		cmocka_unit_test(a_timeout_is_told_over_a_narrow_path),
	};
	return cmocka_run_group_tests_name("frag", tests, NULL, NULL);
}
