/* SPDX-License-Identifier: MIT */
/*
 * Every valid frame there is, cut at every length, with every byte changed, and with random
 * ones: whatever comes, each frame ends in exactly one outcome (rx sees to that), nothing is
 * read that is not there (the sanitizers do), and memory stays within its limits.
 */
#include "base/rng.h"
#include "base/time.h"
#include "stack/group.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "world.h"

#include <weft/tcp.h>

#include <string.h>

#define FRAME_MAX  600u
#define FRAMES_MAX 40u

struct frames {
	uint8_t bytes[FRAMES_MAX][FRAME_MAX];
	size_t len[FRAMES_MAX];
	size_t n;
	uint32_t ping; /* Identifier and number of a request that is under way. */
};

/* Makes the checksums of what lies there right again, if one can be found. */
static void fix_sums(uint8_t *frame, size_t len)
{
	struct layout at;
	if (len > ETHER_LEN + IP4_LEN && (frame[ETHER_LEN] & 0x0f) >= 5) {
		size_t n = (size_t)(frame[ETHER_LEN] & 0x0f) * 4;
		uint8_t *ip4 = frame + ETHER_LEN;
		if (load_be16(frame + 12) == ETHER_TYPE_IP4 && n <= len - ETHER_LEN) {
			store_be16(ip4 + IP4_OFF_CSUM, 0);
			store_be16(ip4 + IP4_OFF_CSUM, checksum(ip4, n));
		}
	}
	if (layout_find(frame, len, false, &at) < 0 || at.version == 0 || at.is_fragment)
		return;
	uint8_t *p = frame + at.transport_off;
	size_t n = at.end - at.transport_off;
	const uint8_t *ipp = frame + at.ip_off;
	uint32_t sum =
		at.version == 4
			? checksum_pseudo4(ipp + 12, ipp + 16, at.proto, (uint16_t)n)
			: checksum_pseudo6(ipp + 8, ipp + 24, at.proto, (uint32_t)n);
	size_t off = at.proto == IPPROTO_UDP ? 6 : at.proto == IPPROTO_TCP ? 16 : 2;
	if (at.proto == IPPROTO_ICMP || at.proto == IPPROTO_IGMP)
		sum = 0;
	if (n < off + 2)
		return;
	store_be16(p + off, 0);
	store_be16(p + off, checksum_finish_udp(checksum_add(sum, p, n)));
}

static void add(struct frames *f, const struct world *w, const struct packet *p,
		const void *payload, size_t len)
{
	assert_true(f->n < FRAMES_MAX);
	f->len[f->n] = make(w, p, payload, len, f->bytes[f->n], FRAME_MAX);
	f->n++;
}

static void add_icmp(struct frames *f, const struct world *w, const char *src,
		     const char *dst, uint8_t type, uint32_t rest, const void *body,
		     size_t len)
{
	uint8_t message[400] = { type };
	bool is_ip4 = ip(dst).family == AF_INET;
	const struct packet p = { .src = src,
				  .dst = dst,
				  .proto = is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				  .csum_offset = 2,
				  .ttl = 255 };
	store_be32(message + 4, rest);
	memcpy(message + 8, body, len);
	add(f, w, &p, message, 8 + len);
}

static void add_nd(struct frames *f, const struct world *w, const char *src,
		   const char *dst, const struct nd_msg *msg)
{
	uint8_t message[400];
	int len = nd_msg_emit(message, sizeof(message), msg);
	const struct packet p = { .src = src,
				  .dst = dst,
				  .proto = IPPROTO_ICMPV6,
				  .csum_offset = 2,
				  .ttl = 255 };
	assert_true(len > 0);
	add(f, w, &p, message, (size_t)len);
}

static void add_arp(struct frames *f, const struct world *w, uint16_t op)
{
	const struct ether_hdr eth = { .dst = w->iface->mac,
				       .src = mac(TEST_MAC),
				       .type = ETHER_TYPE_ARP };
	const struct arp_hdr arp = { .op = op,
				     .sender_mac = mac(TEST_MAC),
				     .sender_ip = 0x0a010001,
				     .target_mac = w->iface->mac,
				     .target_ip = 0x0a010002 };
	uint8_t *frame = f->bytes[f->n];
	assert_int_equal(ether_hdr_emit(frame, FRAME_MAX, &eth), ETHER_LEN);
	assert_int_equal(arp_hdr_emit(frame + ETHER_LEN, ARP_LEN, &arp), ARP_LEN);
	f->len[f->n++] = ETHER_LEN + ARP_LEN;
}

/* A SYN as Linux sends it, and SACKs of a segment that is not under way. */
static void add_tcp(struct frames *f, const struct world *w, const char *src,
		    const char *dst)
{
	static const uint8_t syn[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
					 0, 1, 0, 0,    0, 0, 1, 3,  3, 7 };
	static const uint8_t sack[12] = { 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9 };
	const struct packet p = { src, dst, .proto = IPPROTO_TCP,
				  .csum_offset = TCP_OFF_CSUM };
	struct tcp_hdr hdr = { .sport = 1,
			       .dport = 2,
			       .flags = TCP_SYN,
			       .options = syn,
			       .options_len = sizeof(syn) };
	uint8_t bytes[TCP_LEN + TCP_OPTIONS_MAX];
	int n = tcp_hdr_emit(bytes, sizeof(bytes), &hdr);
	assert_true(n > 0);
	add(f, w, &p, bytes, (size_t)n);
	hdr.flags = TCP_ACK;
	hdr.options = sack;
	hdr.options_len = sizeof(sack);
	n = tcp_hdr_emit(bytes, sizeof(bytes), &hdr);
	assert_true(n > 0);
	add(f, w, &p, bytes, (size_t)n);
}

/* The beginning of a datagram whose rest never comes. */
static void add_fragment4(struct frames *f, const struct world *w)
{
	const struct packet udp = { "10.1.0.1", "10.1.0.2", .sport = 9, .dport = 7 };
	add(f, w, &udp, "the beginning...", 16);
	uint8_t *ip4 = f->bytes[f->n - 1] + ETHER_LEN;
	store_be16(ip4 + IP4_OFF_FRAG, IP4_FRAG_MF);
	store_be16(ip4 + IP4_OFF_CSUM, 0);
	store_be16(ip4 + IP4_OFF_CSUM, checksum(ip4, IP4_LEN));
}

static void add_ip4(struct frames *f, const struct world *w)
{
	uint8_t quote[64], tcp[40] = { 0 };
	const struct compose c = {
		.src = ip("10.1.0.2"), .dst = ip("10.1.0.1"), .sport = 7, .dport = 9
	};
	const struct compose far = {
		.src = ip("10.1.0.2"), .dst = ip("8.8.8.8"), .sport = 7, .dport = 9
	};
	const struct tcp_hdr hdr = { .sport = 1, .dport = 2, .flags = TCP_SYN };
	const struct packet udp = { "10.1.0.1", "10.1.0.2", .sport = 9, .dport = 7 };
	const struct packet syn = { "10.1.0.1", "10.1.0.2", .proto = IPPROTO_TCP,
				    .csum_offset = TCP_OFF_CSUM };
	const struct packet igmp = { "10.1.0.1", "224.0.0.1", .proto = IPPROTO_IGMP,
				     .ttl = 1, .csum_offset = 2 };
	const uint8_t query[12] = { 0x11, 100 };
	int n = compose_udp(&c, "x", 1, quote, sizeof(quote));
	assert_true(n > 0);
	add(f, w, &udp, "datagram", 8);
	assert_int_equal(tcp_hdr_emit(tcp, sizeof(tcp), &hdr), TCP_LEN);
	add(f, w, &syn, tcp, TCP_LEN);
	add(f, w, &igmp, query, sizeof(query));
	add_icmp(f, w, "10.1.0.1", "10.1.0.2", ICMP4_ECHO, 0, "ping", 4);
	add_icmp(f, w, "10.1.0.1", "10.1.0.2", ICMP4_ECHO_REPLY, f->ping, "ping", 4);
	add_icmp(f, w, "10.1.0.1", "10.1.0.2", ICMP4_UNREACHABLE, 0, quote, (size_t)n);
	add_icmp(f, w, "10.1.0.1", "10.1.0.2", ICMP4_TIME_EXCEEDED, 0, quote, (size_t)n);
	n = compose_udp(&far, "x", 1, quote, sizeof(quote));
	add_icmp(f, w, "10.1.0.1", "10.1.0.2", ICMP4_REDIRECT, 0x0a010009, quote,
		 (size_t)n);
	add_tcp(f, w, "10.1.0.1", "10.1.0.2");
	add_fragment4(f, w);
	add_arp(f, w, ARP_OP_REQUEST);
	add_arp(f, w, ARP_OP_REPLY);
}

/* A query about all groups, behind the router alert. */
static void add_mld_query(struct frames *f, const struct world *w)
{
	const struct packet p = { "fe80::1", "ff02::1", .proto = IPPROTO_HOPOPTS,
				  .ttl = 1 };
	const uint8_t query[8 + 28] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0,
					ICMP6_MLD_QUERY };
	add(f, w, &p, query, sizeof(query));
	fix_sums(f->bytes[f->n - 1], f->len[f->n - 1]);
}

static void add_ip6(struct frames *f, const struct world *w)
{
	const char *own = "2001:db8::2", *peer = "2001:db8::1";
	uint8_t quote[80], redirect[40] = { 0 }, chain[40] = { 58, 0, 1, 4 };
	struct ip_addr target = addr(own), far = addr("2001:db8:9::9"),
		       farther = addr("2001:db8:8::8");
	const struct compose c = {
		.src = ip(own), .dst = ip(peer), .sport = 7, .dport = 9
	};
	const struct packet udp = { peer, own, .sport = 9, .dport = 7 };
	const struct packet options = { peer, own, .proto = IPPROTO_DSTOPTS };
	const struct packet fragment = { peer, own, .proto = IPPROTO_FRAGMENT };
	const uint8_t piece[24] = { IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1 };
	struct nd_msg msg = { .type = ICMP6_NEIGHBOR_SOLICIT,
			      .target = addr_to_ip6(&target),
			      .has_source_mac = true,
			      .source_mac = mac(TEST_MAC) };
	int n = compose_udp(&c, "x", 1, quote, sizeof(quote));
	assert_true(n > 0);
	chain[8] = ICMP6_ECHO;
	add(f, w, &udp, "datagram", 8);
	add_tcp(f, w, peer, own);
	add(f, w, &options, chain, 24);
	fix_sums(f->bytes[f->n - 1], f->len[f->n - 1]);
	add(f, w, &fragment, piece, sizeof(piece));
	add_icmp(f, w, peer, own, ICMP6_ECHO, 0, "ping", 4);
	add_icmp(f, w, peer, own, ICMP6_ECHO_REPLY, f->ping, "ping", 4);
	for (uint8_t type = 1; type <= 4; type++)
		add_icmp(f, w, peer, own, type, 1300, quote, (size_t)n);
	add_nd(f, w, peer, own, &msg);
	msg.type = ICMP6_NEIGHBOR_ADVERT;
	add_nd(f, w, peer, own, &msg);
	msg.type = ICMP6_ROUTER_ADVERT;
	msg.lifetime_s = 100;
	msg.mtu = 1400;
	msg.prefixes_n = 2;
	msg.prefixes[0] = (struct nd_prefix){ addr_to_ip6(&far), 64, true, true, 60, 30 };
	msg.prefixes[1] = msg.prefixes[0];
	msg.prefixes[1].prefix.octet[5] = 7;
	add_nd(f, w, "fe80::1", "ff02::1", &msg);
	memcpy(redirect, farther.octet, 16);
	memcpy(redirect + 16, farther.octet, 16);
	redirect[32] = 2;
	redirect[33] = 1;
	add_icmp(f, w, "fe80::1", own, ICMP6_REDIRECT, 0, redirect, sizeof(redirect));
	add_mld_query(f, w);
}

static void on_reply(void *user, const struct weft_ping_reply *reply, uint64_t now)
{
	(void)user;
	(void)reply;
	(void)now;
}

/* Something of everything that a frame can be about. */
static void begin(struct world *w, struct frames *f)
{
	struct weft_udp *udp;
	struct weft_tcp_listener *listener;
	struct weft_ping *ping;
	const struct weft_ping_request request = { .to = ip("10.1.0.1") };
	const union weft_sockaddr any4 = at("0.0.0.0", 7), any6 = at("::", 7),
				  tcp = at("::", 2);
	const struct weft_ip all = ip("0.0.0.0/0"), gateway = ip("10.1.0.1");
	world_init(w, NULL);
	assert_int_equal(weft_stack_add_route(w->stack, &all, &gateway, w->iface), 0);
	assert_int_equal(weft_tcp_listen(w->stack, &tcp, NULL, &listener), 0);
	assert_int_equal(weft_ping_new(w->stack, on_reply, NULL, &ping), 0);
	assert_int_equal(weft_ping_send(ping, &request, w->now), 0);
	f->ping = load_be32(see(tx(w)).payload + 4);
	assert_int_equal(weft_udp_new(w->stack, NULL, &udp), 0);
	assert_int_equal(weft_udp_bind(udp, &any4), 0);
	assert_int_equal(weft_udp_new(w->stack, NULL, &udp), 0);
	assert_int_equal(weft_udp_bind(udp, &any6), 0);
	f->n = 0;
	add_ip4(f, w);
	add_ip6(f, w);
}

static void settle(struct world *w)
{
	world_run(w);
	w->sent_n = w->taken = 0;
	assert_true(w->stack->fragments.bytes <= w->stack->opts.fragment_bytes_max);
	assert_true(table_count(w->stack->neighbours.table) <=
		    w->stack->opts.neighbours_max);
	assert_true(w->stack->routes.n <= w->stack->opts.routes_max);
	assert_true(w->iface->addrs_n <= w->stack->opts.addresses_max);
}

/* Or what is done to them would be done to what nobody looks at; but ACKs of nothing are no use. */
static void every_frame_is_taken(void **state)
{
	static struct frames f;
	struct world w;
	(void)state;
	begin(&w, &f);
	for (size_t i = 0; i < f.n; i++) {
		enum weft_stack_outcome o = rx(&w, f.bytes[i], f.len[i]);
		if (o >= WEFT_STACK_DROP_RUNT && o != WEFT_STACK_DROP_TCP_UNACCEPTED)
			fail_msg("frame %zu: %s", i, weft_stack_outcome_name(o));
		settle(&w);
	}
	world_fini(&w);
}

/* The beginning of a frame as a frame of its own, whose lengths and sums are right. */
static void rx_cut(struct world *w, const uint8_t *frame, size_t len)
{
	uint8_t cut[FRAME_MAX];
	uint16_t type = len >= ETHER_LEN ? load_be16(frame + 12) : 0;
	memcpy(cut, frame, len);
	if (type == ETHER_TYPE_IP4 && len >= ETHER_LEN + IP4_LEN)
		store_be16(cut + ETHER_LEN + IP4_OFF_TOTAL_LEN,
			   (uint16_t)(len - ETHER_LEN));
	if (type == ETHER_TYPE_IP6 && len >= ETHER_LEN + IP6_LEN)
		store_be16(cut + ETHER_LEN + IP6_OFF_PAYLOAD_LEN,
			   (uint16_t)(len - ETHER_LEN - IP6_LEN));
	fix_sums(cut, len);
	(void)rx(w, cut, len);
}

/* No part of a frame is taken for the whole; what IP's own length allows to be cut is padding. */
static void every_length_of_every_frame(void **state)
{
	static struct frames f;
	struct world w;
	(void)state;
	begin(&w, &f);
	for (size_t i = 0; i < f.n; i++) {
		for (size_t len = 0; len < f.len[i]; len++) {
			enum weft_stack_outcome o = rx(&w, f.bytes[i], len);
			if (o < WEFT_STACK_DROP_RUNT)
				fail_msg("frame %zu cut to %zu: %s", i, len,
					 weft_stack_outcome_name(o));
			rx_cut(&w, f.bytes[i], len);
			settle(&w);
		}
	}
	world_fini(&w);
}

static void every_byte_of_every_frame(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	static struct frames f;
	struct world w;
	(void)state;
	begin(&w, &f);
	for (size_t i = 0; i < f.n; i++) {
		for (size_t at = 12; at < f.len[i]; at++) {
			for (size_t v = 0; v < ARRAY_LEN(values); v++) {
				uint8_t frame[FRAME_MAX];
				memcpy(frame, f.bytes[i], f.len[i]);
				frame[at] = values[v];
				(void)rx(&w, frame, f.len[i]);
				fix_sums(frame, f.len[i]);
				(void)rx(&w, frame, f.len[i]);
				settle(&w);
			}
		}
	}
	/* What all this has begun comes to an end, and never to a storm. */
	for (unsigned second = 0; second < 200; second++) {
		world_pass(&w, NS_PER_S);
		settle(&w);
	}
	world_fini(&w);
}

static void random_changes_and_offload_facts(void **state)
{
	static struct frames f;
	struct world w;
	struct rng rng;
	(void)state;
	rng_init(&rng, test_seed());
	begin(&w, &f);
	for (unsigned run = 0; run < 60000; run++) {
		size_t i = rng_below(&rng, f.n);
		uint8_t bytes[FRAME_MAX];
		size_t len = f.len[i];
		memcpy(bytes, f.bytes[i], len);
		for (uint64_t n = rng_below(&rng, 6); n > 0; n--)
			bytes[12 + rng_below(&rng, len - 12)] = (uint8_t)rng_u64(&rng);
		if (rng_below(&rng, 4) == 0)
			len = rng_below(&rng, len + 1);
		if (rng_below(&rng, 4) != 0)
			fix_sums(bytes, len);
		struct weft_frame frame = { .data = bytes, .len = (uint32_t)len };
		if (rng_below(&rng, 4) == 0)
			frame.offload = (struct weft_offload){
				.flags = (uint8_t)rng_below(&rng, 8),
				.gso = (uint8_t)rng_below(&rng, 7),
				.hdr_len = (uint16_t)rng_below(&rng, 100),
				.gso_size = (uint16_t)rng_below(&rng, 100),
				.csum_start = (uint16_t)rng_below(&rng, 100),
				.csum_offset = (uint16_t)rng_below(&rng, 20),
			};
		(void)rx_frame(&w, &frame);
		if (rng_below(&rng, 50) == 0)
			world_pass(&w, rng_below(&rng, 10 * NS_PER_S));
		settle(&w);
	}
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_is_taken),
		cmocka_unit_test(every_length_of_every_frame),
		cmocka_unit_test(every_byte_of_every_frame),
		cmocka_unit_test(random_changes_and_offload_facts),
	};
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
