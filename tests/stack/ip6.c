/* SPDX-License-Identifier: MIT */
/*
 * What an IPv6 packet has to be to be taken: lengths, addresses, and the chain of extension
 * headers, which is a sender's to make as long and as strange as it likes.
 */
#include "wire/checksum.h"
#include "wire/ether.h"
#include "world.h"

#include <string.h>

#define OWN  "2001:db8::2"
#define PEER "2001:db8::1"

/* An echo request behind a chain of extension headers; first: the number of the first. */
static enum weft_stack_outcome rx_chain(struct world *w, const char *dst, uint8_t first,
					const uint8_t *chain, size_t n)
{
	uint8_t frame[2048], message[16] = { ICMP6_ECHO, [5] = 1 };
	struct weft_ip to = ip(dst), from = ip(PEER);
	const struct packet p = { .src = PEER, .dst = dst, .proto = first };
	uint8_t payload[1500];
	uint32_t sum = compose_pseudo(&from, &to, IPPROTO_ICMPV6, sizeof(message));
	store_be16(message + 2,
		   checksum_finish(checksum_add(sum, message, sizeof(message))));
	memcpy(payload, chain, n);
	memcpy(payload + n, message, sizeof(message));
	return rx(w, frame,
		  make(w, &p, payload, n + sizeof(message), frame, sizeof(frame)));
}

static void answers_an_echo(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_echo(&w, PEER, OWN), ANSWERED);
	struct seen s = see(tx(&w));
	assert_string_equal(text(&s.src), OWN);
	assert_string_equal(text(&s.dst), PEER);
	assert_int_equal(s.payload[0], ICMP6_ECHO_REPLY);
	assert_memory_equal(s.payload + ICMP_LEN, "0123456789", 10);
	assert_true(checksum_is_right(
		compose_pseudo(&s.src, &s.dst, IPPROTO_ICMPV6, (uint32_t)s.len),
		s.payload, s.len));
	world_fini(&w);
}

static void drops_headers_that_lie(void **state)
{
	struct world w;
	uint8_t frame[256];
	const uint8_t message[16] = { ICMP6_ECHO };
	const struct packet p = {
		.src = PEER, .dst = OWN, .proto = IPPROTO_ICMPV6, .csum_offset = 2
	};
	(void)state;
	world_init(&w, NULL);
	size_t len = make(&w, &p, message, sizeof(message), frame, sizeof(frame));
	frame[ETHER_LEN] = 0x45;
	assert_outcome(rx(&w, frame, len), DROP_IP_HEADER);
	frame[ETHER_LEN] = 0x60;
	store_be16(frame + ETHER_LEN + 4, 17); /* One byte more than there is. */
	assert_outcome(rx(&w, frame, len), DROP_IP_HEADER);
	store_be16(frame + ETHER_LEN + 4, 65535);
	assert_outcome(rx(&w, frame, len), DROP_IP_HEADER);
	store_be16(frame + ETHER_LEN + 4, 0);
	assert_outcome(rx(&w, frame, len), DROP_ICMP);
	frame[ETHER_LEN + 6] = 0; /* Hop-by-hop, and nothing of it there: no jumbogram. */
	assert_outcome(rx(&w, frame, len), DROP_IP_HEADER);
	tx_none(&w);
	world_fini(&w);
}

static void drops_addresses_that_cannot_be(void **state)
{
	static const struct {
		const char *src, *dst, *outcome;
	} pairs[] = {
		{ "ff02::1", OWN, "drop-martian" },
		{ "::1", OWN, "drop-martian" },
		{ PEER, "::1", "drop-martian" },
		{ PEER, "::", "drop-martian" },
		{ OWN, OWN, "drop-martian" },
		{ PEER, "ff01::1", "drop-martian" },
		{ PEER, "ff00::1", "drop-martian" },
		{ PEER, "2001:db8::3", "drop-no-host" },
		{ PEER, "ff02::99", "drop-no-host" },
		{ PEER, "ff02::1", "ignored" },
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_string_equal(
			weft_stack_outcome_name(rx_echo(&w, pairs[i].src, pairs[i].dst)),
			pairs[i].outcome);
	tx_none(&w);
	world_fini(&w);
}

/* An IPv4-mapped address on the wire must not become IPv4 inside. */
static void drops_mapped_addresses(void **state)
{
	struct world w;
	uint8_t frame[256];
	const uint8_t message[16] = { ICMP6_ECHO };
	const struct packet p = {
		.src = PEER, .dst = OWN, .proto = IPPROTO_ICMPV6, .csum_offset = 2
	};
	const struct ip_addr own4 = addr("10.1.0.2"), peer4 = addr("10.1.0.1");
	(void)state;
	world_init(&w, NULL);
	size_t len = make(&w, &p, message, sizeof(message), frame, sizeof(frame));
	memcpy(frame + ETHER_LEN + IP6_OFF_SRC, peer4.octet, 16);
	assert_outcome(rx(&w, frame, len), DROP_MARTIAN);
	memcpy(frame + ETHER_LEN + IP6_OFF_DST, own4.octet, 16);
	assert_outcome(rx(&w, frame, len), DROP_MARTIAN);
	world_fini(&w);
}

static void options_are_judged_by_their_first_bits(void **state)
{
	static const struct {
		uint8_t first;
		uint8_t bytes[8];
		const char *dst, *outcome;
		bool is_told;
	} chains[] = {
		{ 0, { 58, 0, 1, 4, 0, 0, 0, 0 }, OWN, "answered", false },
		{ 60, { 58, 0, 0, 0, 0, 0, 0, 0 }, OWN, "answered", false },
		{ 60, { 58, 0, 0x1e, 4, 0, 0, 0, 0 }, OWN, "answered", false },
		{ 0, { 58, 0, 5, 2, 0, 0, 1, 0 }, OWN, "answered", false },
		{ 60, { 58, 0, 0x5e, 4, 0, 0, 0, 0 }, OWN, "drop-option", false },
		{ 60, { 58, 0, 0x9e, 4, 0, 0, 0, 0 }, OWN, "drop-option", true },
		{ 60, { 58, 0, 0x9e, 4, 0, 0, 0, 0 }, "ff02::1", "drop-option", true },
		{ 60, { 58, 0, 0xde, 4, 0, 0, 0, 0 }, OWN, "drop-option", true },
		{ 60, { 58, 0, 0xde, 4, 0, 0, 0, 0 }, "ff02::1", "drop-option", false },
		{ 60, { 58, 0, 1, 5, 0, 0, 0, 0 }, OWN, "drop-option", false },
		{ 60, { 58, 0, 1, 1, 0, 0, 0, 1 }, OWN, "drop-option", false },
		{ 60, { 58, 9, 1, 4, 0, 0, 0, 0 }, OWN, "drop-ip-header", false },
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
		enum weft_stack_outcome o =
			rx_chain(&w, chains[i].dst, chains[i].first, chains[i].bytes, 8);
		assert_string_equal(weft_stack_outcome_name(o), chains[i].outcome);
		if (o == WEFT_STACK_ANSWERED)
			assert_int_equal(see(tx(&w)).payload[0], ICMP6_ECHO_REPLY);
		if (chains[i].is_told) {
			struct seen s = see(tx(&w));
			assert_int_equal(s.payload[0], ICMP6_PARAM_PROBLEM);
			assert_int_equal(s.payload[1], 2);
			assert_int_equal(load_be32(s.payload + 4), IP6_LEN + 2);
		}
		tx_none(&w);
	}
	world_fini(&w);
}

static void routing_headers_are_not_obeyed(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (unsigned type = 0; type < 5; type++) {
		const uint8_t done[8] = { 58, 0, (uint8_t)type, 0 };
		uint8_t next[24] = { 58, 2, (uint8_t)type, 1 };
		assert_outcome(rx_chain(&w, OWN, IPPROTO_ROUTING, done, 8), ANSWERED);
		tx_forget(&w);
		assert_outcome(rx_chain(&w, OWN, IPPROTO_ROUTING, next, 24), DROP_OPTION);
		struct seen s = see(tx(&w));
		assert_int_equal(s.payload[0], ICMP6_PARAM_PROBLEM);
		assert_int_equal(s.payload[1], 0);
		tx_none(&w);
	}
	world_fini(&w);
}

static void chains_have_limits(void **state)
{
	struct world w;
	uint8_t chain[1400];
	(void)state;
	world_init(&w, NULL);
	/* As many headers as are walked over, and one more. */
	for (size_t i = 0; i < 9; i++)
		memcpy(chain + 8 * i, (uint8_t[]){ 60, 0, 1, 4, 0, 0, 0, 0 }, 8);
	chain[8 * 7] = 58;
	assert_outcome(rx_chain(&w, OWN, 60, chain, 64), ANSWERED);
	chain[8 * 7] = 60;
	chain[8 * 8] = 58;
	assert_outcome(rx_chain(&w, OWN, 60, chain, 72), DROP_IP_HEADER);
	/* Hop-by-hop that is not the first. */
	memcpy(chain, (uint8_t[]){ 0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0 }, 16);
	assert_outcome(rx_chain(&w, OWN, 60, chain, 16), DROP_IP_HEADER);
	/* PadN for ever: more bytes than all headers may have together. */
	memset(chain, 0, sizeof(chain));
	chain[0] = 58;
	chain[1] = 127;
	assert_outcome(rx_chain(&w, OWN, 60, chain, 1024), DROP_IP_HEADER);
	world_fini(&w);
}

/* A chain of two headers with 24 bytes, of which the second is a fragment's: whole in itself. */
static void chains_have_limits_of_the_program_s(void **state)
{
	static const struct {
		uint32_t headers, bytes;
		enum weft_stack_outcome outcome;
	} cases[] = {
		{ 0, 0, WEFT_STACK_ANSWERED },
		{ 2, 24, WEFT_STACK_ANSWERED },
		{ 1, 0, WEFT_STACK_DROP_IP_HEADER },
		{ 0, 23, WEFT_STACK_DROP_IP_HEADER },
	};
	static const uint8_t chain[24] = { 44, 1, 1, 12, [16] = 58 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct world_opts opts = {
			.stack = { .extension_headers_max = cases[i].headers,
				   .extension_bytes_max = cases[i].bytes },
		};
		struct world w;
		world_init(&w, &opts);
		assert_int_equal(rx_chain(&w, OWN, 60, chain, sizeof(chain)),
				 cases[i].outcome);
		world_fini(&w);
	}
}

/* What says that it is authentic is not taken unasked (RFC 4302), nor are its like. */
static void headers_that_are_not_spoken_are_protocols(void **state)
{
	static const struct {
		uint8_t header, bytes[16];
		size_t len;
	} cases[] = {
		{ IPPROTO_AH, { 58, 2, [7] = 1 }, 16 },
		{ IPPROTO_MH, { 58, 0 }, 8 },
		{ 139, { 58, 0 }, 8 }, /* HIP. */
		{ 140, { 58, 0 }, 8 }, /* Shim6. */
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_outcome(
			rx_chain(&w, OWN, cases[i].header, cases[i].bytes, cases[i].len),
			DROP_NO_PROTOCOL);
		struct seen s = see(tx(&w));
		assert_int_equal(s.payload[0], ICMP6_PARAM_PROBLEM);
		assert_int_equal(s.payload[1], 1);
		assert_int_equal(load_be32(s.payload + 4), IP6_OFF_NEXT);
	}
	tx_none(&w);
	world_fini(&w);
}

static void says_which_protocol_is_not_spoken(void **state)
{
	const struct packet p = { .src = PEER, .dst = OWN, .proto = 254 };
	const uint8_t chain[8] = { 254, 0, 1, 4, 0, 0, 0, 0 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_packet(&w, &p, "what", 4), DROP_NO_PROTOCOL);
	struct seen s = see(tx(&w));
	assert_int_equal(s.payload[0], ICMP6_PARAM_PROBLEM);
	assert_int_equal(s.payload[1], 1);
	assert_int_equal(load_be32(s.payload + 4), IP6_OFF_NEXT);
	/* The pointer is at what names it, behind the headers. */
	assert_outcome(rx_chain(&w, OWN, 60, chain, 8), DROP_NO_PROTOCOL);
	assert_int_equal(load_be32(see(tx(&w)).payload + 4), IP6_LEN);
	/* Nothing follows, and nothing is said. */
	const struct packet none = { .src = PEER, .dst = OWN, .proto = IPPROTO_NONE };
	assert_outcome(rx_packet(&w, &none, "what", 4), IGNORED);
	/* ICMP of the other family. */
	const struct packet icmp = { .src = PEER, .dst = OWN, .proto = IPPROTO_ICMP };
	assert_outcome(rx_packet(&w, &icmp, "\x08\0\0\0\0\0\0\0", 8), DROP_ICMP);
	tx_none(&w);
	world_fini(&w);
}

static void an_interface_may_do_without(void **state)
{
	const struct world_opts opts = { .iface = { .no_ip6 = true } };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	assert_outcome(rx_echo(&w, PEER, "ff02::1"), DROP_ETHERTYPE);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), ANSWERED);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_an_echo),
		cmocka_unit_test(drops_headers_that_lie),
		cmocka_unit_test(drops_addresses_that_cannot_be),
		cmocka_unit_test(drops_mapped_addresses),
		cmocka_unit_test(options_are_judged_by_their_first_bits),
		cmocka_unit_test(routing_headers_are_not_obeyed),
		cmocka_unit_test(chains_have_limits),
		cmocka_unit_test(chains_have_limits_of_the_program_s),
		cmocka_unit_test(headers_that_are_not_spoken_are_protocols),
		cmocka_unit_test(says_which_protocol_is_not_spoken),
		cmocka_unit_test(an_interface_may_do_without),
	};
	return cmocka_run_group_tests_name("ip6", tests, NULL, NULL);
}
