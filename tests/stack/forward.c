/* SPDX-License-Identifier: MIT */
/*
 * A stack between two wires.
 *
 *     the test 10.1.0.1 --- wire --- [ stack .2 ] --- second --- the test 10.2.0.1
 */
#include "base/time.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/tcp.h"
#include "world.h"

#include <string.h>

struct second {
	struct weft_link link;
	struct sent sent[16];
	size_t n;
};

static size_t second_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct second *s = container_of(link, struct second, link);
	(void)now;
	for (size_t i = 0; i < n && s->n < ARRAY_LEN(s->sent); i++) {
		struct sent *sent = &s->sent[s->n++];
		sent->len = frames[i].len;
		sent->offload = frames[i].offload;
		memcpy(sent->bytes, frames[i].data,
		       frames[i].len < sizeof(sent->bytes) ? frames[i].len
							   : sizeof(sent->bytes));
	}
	return n;
}

static void second_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops second_ops = { .send = second_send, .free = second_free };

static void begin(struct world *w, struct second *s, bool forwarding)
{
	const struct world_opts opts = { .stack = { .forwarding = forwarding } };
	const struct weft_link_caps caps = {
		.flags = WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6,
		.frame_len_max = 1294, /* Packets of 1280 bytes. */
	};
	struct weft_ip a4 = ip("10.2.0.2/24"), a6 = ip("2001:db8:2::2/64");
	struct weft_ip peer4 = ip("10.2.0.1"), peer6 = ip("2001:db8:2::1");
	struct weft_iface *iface;
	world_init(w, &opts);
	memset(s, 0, sizeof(*s));
	link_init(&s->link, &second_ops, "second", -1, caps);
	assert_int_equal(
		weft_stack_add_interface(w->stack, &s->link, NULL, w->now, &iface), 0);
	assert_int_equal(weft_iface_add_address(iface, &a4, 0, w->now), 0);
	assert_int_equal(weft_iface_add_address(iface, &a6, WEFT_ADDRESS_NO_DAD, w->now),
			 0);
	assert_int_equal(weft_iface_add_neighbour(iface, &peer4, mac(TEST_MAC), w->now),
			 0);
	assert_int_equal(weft_iface_add_neighbour(iface, &peer6, mac(TEST_MAC), w->now),
			 0);
	world_pass(w, 20 * NS_PER_S);
	tx_forget(w);
	s->n = 0;
}

static void end(struct world *w, struct second *s)
{
	world_fini(w);
	weft_link_free(&s->link);
}

static enum weft_stack_outcome rx_udp(struct world *w, const char *src, const char *dst,
				      uint8_t ttl, size_t len)
{
	static const uint8_t data[2000] = { 1, 2, 3 };
	const struct packet p = { .src = src,
				  .dst = dst,
				  .ttl = ttl,
				  .df = true,
				  .sport = 1000,
				  .dport = 2000 };
	uint8_t frame[2048];
	size_t n = make(w, &p, data, len, frame, sizeof(frame));
	memcpy(frame, w->iface->mac.octet, 6);
	return rx(w, frame, n);
}

static void passes_packets_on(void **state)
{
	static const char *const pairs[][2] = { { "10.1.0.1", "10.2.0.1" },
						{ "2001:db8::1", "2001:db8:2::1" } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct world w;
		struct second s;
		begin(&w, &s, true);
		assert_outcome(rx_udp(&w, pairs[i][0], pairs[i][1], 17, 100), FORWARDED);
		assert_int_equal(s.n, 1);
		struct seen seen = see(&s.sent[0]);
		assert_string_equal(text(&seen.src), pairs[i][0]);
		assert_string_equal(text(&seen.dst), pairs[i][1]);
		assert_int_equal(seen.ttl, 16);
		if (i == 0)
			assert_true(checksum_is_right(0, seen.packet, IP4_LEN));
		tx_none(&w);
		end(&w, &s);
		/* But not without being asked to. */
		begin(&w, &s, false);
		assert_outcome(rx_udp(&w, pairs[i][0], pairs[i][1], 17, 100),
			       DROP_NO_HOST);
		assert_int_equal(s.n, 0);
		end(&w, &s);
	}
}

static void tells_why_it_does_not(void **state)
{
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, true);
	assert_outcome(rx_udp(&w, "10.1.0.1", "10.2.0.1", 1, 100), DROP_TTL);
	struct seen seen = see(tx(&w));
	assert_int_equal(seen.payload[0], ICMP4_TIME_EXCEEDED);
	assert_string_equal(text(&seen.src), "10.1.0.2");
	assert_outcome(rx_udp(&w, "2001:db8::1", "2001:db8:2::1", 1, 100), DROP_TTL);
	assert_int_equal(see(tx(&w)).payload[0], ICMP6_TIME_EXCEEDED);
	assert_outcome(rx_udp(&w, "10.1.0.1", "10.3.0.1", 9, 100), DROP_NO_ROUTE);
	seen = see(tx(&w));
	assert_int_equal(seen.payload[0], ICMP4_UNREACHABLE);
	assert_int_equal(seen.payload[1], 0); /* RFC 1812, 4.3.3.1: the network. */
	assert_outcome(rx_udp(&w, "2001:db8::1", "2001:db8:3::1", 9, 100), DROP_NO_ROUTE);
	seen = see(tx(&w));
	assert_int_equal(seen.payload[0], ICMP6_UNREACHABLE);
	assert_int_equal(seen.payload[1], 0);
	assert_outcome(rx_udp(&w, "10.1.0.1", "10.2.0.1", 9, 1300), DROP_TOO_BIG);
	seen = see(tx(&w));
	assert_int_equal(seen.payload[0], ICMP4_UNREACHABLE);
	assert_int_equal(seen.payload[1], ICMP4_CODE_FRAG_NEEDED);
	assert_int_equal(load_be16(seen.payload + 6), 1280);
	assert_outcome(rx_udp(&w, "2001:db8::1", "2001:db8:2::1", 9, 1300), DROP_TOO_BIG);
	seen = see(tx(&w));
	assert_int_equal(seen.payload[0], ICMP6_PACKET_TOO_BIG);
	assert_int_equal(load_be32(seen.payload + 4), 1280);
	assert_int_equal(s.n, 0);
	end(&w, &s);
}

/* RFC 1122, 3.2.2: of a packet in pieces, only the first is told about. */
static void says_nothing_about_later_fragments(void **state)
{
	struct world w;
	struct second s;
	uint8_t frame[128];
	const struct packet p = {
		.src = "10.1.0.1", .dst = "10.2.0.1", .proto = 17, .ttl = 1
	};
	(void)state;
	begin(&w, &s, true);
	size_t len = make(&w, &p, "a piece of it", 13, frame, sizeof(frame));
	memcpy(frame, w.iface->mac.octet, 6);
	uint8_t *ip4 = frame + ETHER_LEN;
	for (unsigned off = 0; off < 2; off++) {
		store_be16(ip4 + IP4_OFF_FRAG, (uint16_t)(IP4_FRAG_MF | off));
		store_be16(ip4 + IP4_OFF_CSUM, 0);
		store_be16(ip4 + IP4_OFF_CSUM, checksum(ip4, IP4_LEN));
		assert_outcome(rx(&w, frame, len), DROP_TTL);
		if (off == 0)
			assert_int_equal(see(tx(&w)).payload[0], ICMP4_TIME_EXCEEDED);
		tx_none(&w);
	}
	end(&w, &s);
}

static void what_is_the_link_s_stays_there(void **state)
{
	static const char *const pairs[][2] = {
		{ "169.254.1.1", "10.2.0.1" },  { "10.1.0.1", "169.254.2.2" },
		{ "fe80::1", "2001:db8:2::1" }, { "2001:db8::1", "fe80::99" },
		{ "10.1.0.1", "224.1.2.3" },    { "2001:db8::1", "ff05::99" },
		{ "10.1.0.1", "240.0.0.1" },
	};
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, true);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_outcome(rx_udp(&w, pairs[i][0], pairs[i][1], 9, 10), DROP_NO_HOST);
	assert_int_equal(s.n, 0);
	tx_none(&w);
	end(&w, &s);
}

/* RFC 1122, 3.2.1.3: what could be answered to all on another link (smurf) is not taken. */
static void nobody_is_a_broadcast_of_any_link(void **state)
{
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, false);
	assert_outcome(rx_echo(&w, "10.2.0.255", "10.1.0.2"), DROP_MARTIAN);
	assert_outcome(rx_echo(&w, "10.2.0.254", "10.1.0.2"), ANSWERED);
	world_run(&w);
	assert_int_equal(s.n, 1); /* It asks for that one. */
	end(&w, &s);
}

/* RFC 2644: nor is it forwarded to one. */
static void broadcasts_of_other_links_are_not_passed_on(void **state)
{
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, true);
	assert_outcome(rx_udp(&w, "10.1.0.1", "10.2.0.255", 9, 10), DROP_NO_HOST);
	world_run(&w);
	assert_int_equal(s.n, 0);
	tx_none(&w);
	end(&w, &s);
}

/* RFC 4443, 2.4 (e): also where another header is in front of it. */
static void says_nothing_about_errors(void **state)
{
	struct world w;
	struct second s;
	/* Destination options with PadN, then an error. */
	uint8_t message[8 + 48] = { IPPROTO_ICMPV6, 0, 1, 4, [8] = ICMP6_UNREACHABLE };
	uint8_t frame[256];
	const struct packet p = { .src = "2001:db8::1",
				  .dst = "2001:db8:2::1",
				  .proto = IPPROTO_DSTOPTS,
				  .ttl = 1 };
	(void)state;
	begin(&w, &s, true);
	size_t len = make(&w, &p, message, sizeof(message), frame, sizeof(frame));
	memcpy(frame, w.iface->mac.octet, 6);
	assert_outcome(rx(&w, frame, len), DROP_TTL);
	tx_none(&w);
	frame[ETHER_LEN + IP6_LEN + 8] = ICMP6_ECHO;
	assert_outcome(rx(&w, frame, len), DROP_TTL);
	assert_int_equal(see(tx(&w)).payload[0], ICMP6_TIME_EXCEEDED);
	end(&w, &s);
}

/* RFC 4861, 7.2.2: each that waited is told about, and then each that comes. */
static void tells_that_the_host_is_not_there(void **state)
{
	static const char *const pairs[][2] = { { "10.1.0.1", "10.2.0.77" },
						{ "2001:db8::1", "2001:db8:2::77" } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct world w;
		struct second s;
		begin(&w, &s, true);
		for (unsigned n = 0; n < 3; n++)
			assert_outcome(rx_udp(&w, pairs[i][0], pairs[i][1], 9, 100),
				       FORWARDED);
		world_pass(&w, 3 * NS_PER_S - NS_PER_MS);
		tx_none(&w);
		world_pass(&w, NS_PER_MS);
		assert_int_equal(w.stack->neighbours.bytes, 0);
		assert_outcome(rx_udp(&w, pairs[i][0], pairs[i][1], 9, 100),
			       DROP_NO_ROUTE);
		for (unsigned n = 0; n < 4; n++) {
			struct seen seen = see(tx(&w));
			assert_string_equal(text(&seen.dst), pairs[i][0]);
			assert_int_equal(seen.payload[0],
					 i == 0 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE);
			assert_int_equal(seen.payload[1], i == 0 ? 1 : 3);
		}
		tx_none(&w);
		end(&w, &s);
	}
}

/* To tell it, somebody has to be asked for: in place of who did not answer. */
static void telling_it_takes_the_room_of_who_is_not_there(void **state)
{
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, true);
	for (unsigned n = 0; n < 3; n++)
		assert_outcome(rx_udp(&w, "10.1.0.88", "10.2.0.77", 9, 100), FORWARDED);
	w.stack->opts.neighbours_max = (uint32_t)table_count(w.stack->neighbours.table);
	world_pass(&w, 3 * NS_PER_S);
	assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_NEIGH_EVICTED), 1);
	assert_int_equal(see(tx(&w)).type, ETHER_TYPE_ARP);
	tx_none(&w);
	end(&w, &s);
}

/* RFC 1812, 5.2.7.2: a router knows its ways better. */
static void a_router_is_not_redirected(void **state)
{
	struct world w;
	struct second s;
	struct weft_ip all = ip("0.0.0.0/0"), gateway = ip("10.1.0.1");
	uint8_t quoted[64];
	const struct compose c = {
		.src = ip("10.1.0.2"), .dst = ip("8.8.8.8"), .sport = 1, .dport = 2
	};
	(void)state;
	int len = compose_udp(&c, "x", 1, quoted, sizeof(quoted));
	assert_true(len > 0);
	for (unsigned i = 0; i < 2; i++) {
		begin(&w, &s, i == 1);
		assert_int_equal(weft_stack_add_route(w.stack, &all, &gateway, w.iface),
				 0);
		assert_int_equal(rx_icmp(&w, "10.1.0.1", "10.1.0.2", ICMP4_REDIRECT, 1,
					 0x0a010042, quoted, (size_t)len),
				 i == 1 ? WEFT_STACK_IGNORED : WEFT_STACK_NOTED);
		end(&w, &s);
	}
}

static void super_frames_pass_whole(void **state)
{
	struct world w;
	struct second s;
	static uint8_t frame[40000], segment[30000];
	const struct tcp_hdr hdr = { .sport = 1, .dport = 2, .flags = TCP_ACK };
	const struct packet p = { .src = "10.1.0.1",
				  .dst = "10.2.0.1",
				  .proto = IPPROTO_TCP,
				  .df = true,
				  .csum_offset = TCP_OFF_CSUM };
	(void)state;
	begin(&w, &s, true);
	assert_int_equal(tcp_hdr_emit(segment, TCP_LEN, &hdr), TCP_LEN);
	size_t len = make(&w, &p, segment, sizeof(segment), frame, sizeof(frame));
	memcpy(frame, w.iface->mac.octet, 6);
	struct weft_frame f = {
		.data = frame,
		.len = (uint32_t)len,
		.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM,
			     .gso = WEFT_GSO_TCP4,
			     .gso_size = 1200,
			     .hdr_len = 54,
			     .csum_start = 34,
			     .csum_offset = TCP_OFF_CSUM },
	};
	assert_outcome(rx_frame(&w, &f), FORWARDED);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.sent[0].len, len);
	assert_memory_equal(&s.sent[0].offload, &f.offload, sizeof(f.offload));
	/* Not if its segments would be too long. */
	f.offload.gso_size = 1400;
	assert_outcome(rx_frame(&w, &f), DROP_TOO_BIG);
	end(&w, &s);
}

/* ---- fragments --------------------------------------------------------------------------- */

/* Puts n pieces that were sent together again, from the first on, and checks each. */
static size_t rejoin(const struct second *s, size_t first, size_t n, size_t hdr_len,
		     uint8_t *whole)
{
	size_t total = 0;
	for (size_t i = first; i < first + n; i++) {
		struct seen piece = see(&s->sent[i]);
		size_t len = (size_t)(piece.payload - piece.packet);
		if (i == first)
			assert_int_equal(len, hdr_len);
		assert_true(len + piece.len <= 1280);
		assert_true(checksum_is_right(0, piece.packet, len));
		assert_int_equal(piece.frag_off, total);
		assert_int_equal(piece.more, i + 1 < first + n);
		assert_int_equal(piece.ttl, 8);
		memcpy(whole + total, piece.payload, piece.len);
		total += piece.len;
	}
	return total;
}

/* RFC 791, 3.2: what has no DF goes on in pieces, which are as long as can be. */
static void cuts_what_allows_it(void **state)
{
	static uint8_t payload[3000], whole[4000];
	struct world w;
	struct second s;
	uint8_t frame[4000];
	const struct packet p = {
		.src = "10.1.0.1", .dst = "10.2.0.1", .ttl = 9, .id = 77, .proto = 200
	};
	(void)state;
	begin(&w, &s, true);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	size_t len = make(&w, &p, payload, sizeof(payload), frame, sizeof(frame));
	memcpy(frame, w.iface->mac.octet, 6);
	assert_outcome(rx(&w, frame, len), FORWARDED);
	assert_int_equal(s.n, 3);
	assert_int_equal(see(&s.sent[0]).len, 1256);
	assert_int_equal(see(&s.sent[1]).id, 77);
	assert_int_equal(rejoin(&s, 0, 3, IP4_LEN, whole), sizeof(payload));
	assert_memory_equal(whole, payload, sizeof(payload));
	tx_none(&w);
	end(&w, &s);
}

#define FRAGMENT_LEN 1304u

/* A fragment to be forwarded: flags and offset as on the wire. Returns the frame's length. */
static size_t make_fragment(struct world *w, uint16_t frag, uint8_t *frame, size_t size)
{
	static const uint8_t payload[FRAGMENT_LEN];
	const struct packet p = {
		.src = "10.1.0.1", .dst = "10.2.0.1", .ttl = 9, .proto = 200
	};
	size_t len = make(w, &p, payload, sizeof(payload), frame, size);
	uint8_t *ip4 = frame + ETHER_LEN;
	memcpy(frame, w->iface->mac.octet, 6);
	store_be16(ip4 + IP4_OFF_FRAG, frag);
	store_be16(ip4 + IP4_OFF_CSUM, 0);
	store_be16(ip4 + IP4_OFF_CSUM, checksum(ip4, IP4_LEN));
	return len;
}

/* What is a fragment already: offsets go on, and only the last of all is the last. */
static void cuts_fragments_again(void **state)
{
	struct world w;
	struct second s;
	uint8_t frame[2000];
	(void)state;
	begin(&w, &s, true);
	for (unsigned more = 0; more < 2; more++) {
		const uint16_t frag = (uint16_t)((more ? IP4_FRAG_MF : 0) | 1600 / 8);
		size_t len = make_fragment(&w, frag, frame, sizeof(frame));
		s.n = 0;
		assert_outcome(rx(&w, frame, len), FORWARDED);
		assert_int_equal(s.n, 2);
		struct seen first = see(&s.sent[0]), last = see(&s.sent[1]);
		assert_int_equal(first.frag_off, 1600);
		assert_true(first.more);
		assert_int_equal(last.frag_off, 1600 + first.len);
		assert_int_equal(last.more, more);
		assert_int_equal(first.len + last.len, FRAGMENT_LEN);
	}
	end(&w, &s);
}

/* Pieces of a fragment beyond the end of a packet would take the place of its beginning. */
static void cuts_nothing_beyond_a_packet(void **state)
{
	struct world w;
	struct second s;
	uint8_t frame[2000];
	(void)state;
	begin(&w, &s, true);
	size_t len = make_fragment(&w, 65528 / 8, frame, sizeof(frame));
	assert_outcome(rx(&w, frame, len), DROP_FRAGMENT);
	assert_int_equal(s.n, 0);
	end(&w, &s);
}

/* RFC 791, 3.1: the copied flag decides which options later pieces have. */
static void copies_the_options_that_say_so(void **state)
{
	/* NOP, record route (not copied), stream ID (copied), router alert (copied). */
	static const uint8_t options[16] = { 1, 7, 4, 4, 0, 136, 4, 1, 2, 148, 4 };
	static const uint8_t copied[8] = { 136, 4, 1, 2, 148, 4 };
	static uint8_t frame[2000], whole[2000];
	const struct ether_hdr eth = { .src = mac(TEST_MAC), .type = ETHER_TYPE_IP4 };
	const struct ip4_hdr hdr = {
		.total_len = IP4_LEN + sizeof(options) + 1400,
		.ttl = 9,
		.proto = 200,
		.src = 0x0a010001,
		.dst = 0x0a020001,
		.options = options,
		.options_len = sizeof(options),
	};
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, true);
	assert_int_equal(ether_hdr_emit(frame, ETHER_LEN, &eth), ETHER_LEN);
	memcpy(frame, w.iface->mac.octet, 6);
	assert_int_equal(ip4_hdr_emit(frame + ETHER_LEN, IP4_LEN + sizeof(options), &hdr),
			 IP4_LEN + sizeof(options));
	assert_outcome(rx(&w, frame, ETHER_LEN + hdr.total_len), FORWARDED);
	assert_int_equal(s.n, 2);
	assert_int_equal(rejoin(&s, 0, 2, IP4_LEN + sizeof(options), whole), 1400);
	assert_memory_equal(see(&s.sent[0]).packet + IP4_LEN, options, sizeof(options));
	struct seen last = see(&s.sent[1]);
	assert_int_equal(last.payload - last.packet, IP4_LEN + sizeof(copied));
	assert_memory_equal(last.packet + IP4_LEN, copied, sizeof(copied));
	end(&w, &s);
}

/* Each segment of a super-frame is a packet, and has its checksum before it is cut. */
static void cuts_the_segments_of_super_frames(void **state)
{
	static uint8_t frame[6000], segment[TCP_LEN + 2 * 1400], whole[2000];
	const struct tcp_hdr hdr = { .sport = 1, .dport = 2, .seq = 9, .flags = TCP_ACK };
	const struct packet p = { .src = "10.1.0.1",
				  .dst = "10.2.0.1",
				  .ttl = 9,
				  .proto = IPPROTO_TCP,
				  .csum_offset = TCP_OFF_CSUM };
	struct world w;
	struct second s;
	(void)state;
	begin(&w, &s, true);
	memset(segment, 'x', sizeof(segment));
	assert_int_equal(tcp_hdr_emit(segment, TCP_LEN, &hdr), TCP_LEN);
	size_t len = make(&w, &p, segment, sizeof(segment), frame, sizeof(frame));
	memcpy(frame, w.iface->mac.octet, 6);
	uint8_t *ip4 = frame + ETHER_LEN;
	store_be16(ip4 + IP4_LEN + TCP_OFF_CSUM,
		   (uint16_t)~checksum_finish(
			   checksum_pseudo4(ip4 + IP4_OFF_SRC, ip4 + IP4_OFF_DST,
					    IPPROTO_TCP, (uint16_t)sizeof(segment))));
	const struct weft_frame f = {
		.data = frame,
		.len = (uint32_t)len,
		.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM,
			     .gso = WEFT_GSO_TCP4,
			     .gso_size = 1400,
			     .hdr_len = 54,
			     .csum_start = 34,
			     .csum_offset = TCP_OFF_CSUM },
	};
	assert_outcome(rx_frame(&w, &f), FORWARDED);
	assert_int_equal(s.n, 4);
	for (size_t i = 0; i < 2; i++) {
		struct tcp_hdr got;
		size_t n = rejoin(&s, 2 * i, 2, IP4_LEN, whole);
		assert_int_equal(n, TCP_LEN + 1400);
		assert_int_equal(tcp_hdr_parse(whole, n, &got), TCP_LEN);
		assert_int_equal(got.seq, 9 + 1400 * i);
		assert_true(checksum_is_right(checksum_pseudo4(ip4 + IP4_OFF_SRC,
							       ip4 + IP4_OFF_DST,
							       IPPROTO_TCP, (uint16_t)n),
					      whole, n));
	}
	assert_int_not_equal(see(&s.sent[0]).id, see(&s.sent[2]).id);
	end(&w, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_packets_on),
		cmocka_unit_test(tells_why_it_does_not),
		cmocka_unit_test(says_nothing_about_later_fragments),
		cmocka_unit_test(what_is_the_link_s_stays_there),
		cmocka_unit_test(nobody_is_a_broadcast_of_any_link),
		cmocka_unit_test(broadcasts_of_other_links_are_not_passed_on),
		cmocka_unit_test(says_nothing_about_errors),
		cmocka_unit_test(tells_that_the_host_is_not_there),
		cmocka_unit_test(telling_it_takes_the_room_of_who_is_not_there),
		cmocka_unit_test(a_router_is_not_redirected),
		cmocka_unit_test(super_frames_pass_whole),
		cmocka_unit_test(cuts_what_allows_it),
		cmocka_unit_test(cuts_fragments_again),
		cmocka_unit_test(cuts_nothing_beyond_a_packet),
		cmocka_unit_test(copies_the_options_that_say_so),
		cmocka_unit_test(cuts_the_segments_of_super_frames),
	};
	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
