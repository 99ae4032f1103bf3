/* SPDX-License-Identifier: MIT */
/*
 * IPv6 headers and the walk over extension headers: chains that are right, chains that are
 * too long, too deep or out of order, and fragments.
 */
#include "wire/ip6.h"

#include "base/array.h"
#include "bytes.h"
#include "wire/cursor.h"

#include <errno.h>
#include <netinet/in.h>

#define ADDRS "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define UDP5  "6b812345 000d 11 40 " ADDRS "13880007000d4cfe68656c6c6f"
/* Hop-by-hop, destination options, routing (type 0), fragment (first), UDP with 3 bytes. */
#define CHAIN                                                             \
	"6b812345 003b 00 40 " ADDRS "3c00050200000100 2b00010400000000 " \
	"2c02000100000000 20010db8000000000000000000000009 "              \
	"1100000100 00004d 00050006000bdfee 616263"
#define LATER_FRAGMENT "6b812345 0010 2c 40 " ADDRS "110004d00000004d 6162636465666768"

static int parse(const uint8_t *data, size_t len)
{
	struct ip6_hdr ip;
	return ip6_hdr_parse(data, len, &ip);
}

static int peek(const uint8_t *data, size_t len)
{
	struct ip6_hdr ip;
	return ip6_hdr_peek(data, len, &ip);
}

/* Walks whatever the header of a packet says, cut or not. */
static int walk(const uint8_t *data, size_t len)
{
	struct ip6_ext ext;
	if (len < IP6_LEN)
		return -EBADMSG;
	return ip6_ext_walk(data, len, data[IP6_OFF_NEXT], &ext);
}

static void datagram(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	struct ip6_hdr ip;
	assert_int_equal(ip6_hdr_parse(b.data, b.len, &ip), IP6_LEN);
	assert_int_equal(ip.tclass, 0xb8);
	assert_int_equal(ip.flow, 0x12345);
	assert_int_equal(ip.payload_len, 13);
	assert_int_equal(ip.next, IPPROTO_UDP);
	assert_int_equal(ip.hop_limit, 64);
	assert_int_equal(ip.src.octet[15], 1);
	assert_int_equal(ip.dst.octet[15], 2);
	assert_false(ip6_addr_equal(&ip.src, &ip.dst));
	assert_false(ip6_addr_is_multicast(&ip.dst));

	uint8_t out[IP6_LEN];
	assert_int_equal(ip6_hdr_emit(out, sizeof(out), &ip), IP6_LEN);
	assert_memory_equal(out, b.data, IP6_LEN);
	assert_int_equal(ip6_hdr_emit(out, sizeof(out) - 1, &ip), -ENOBUFS);
	assert_needs_all(b.data, b.len, parse);
}

static void other_versions_are_refused(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	for (unsigned version = 0; version < 16; version++) {
		b.data[0] = (uint8_t)(version << 4);
		assert_int_equal(parse(b.data, b.len), version == 6 ? 40 : -EBADMSG);
	}
}

static void peek_takes_a_cut_packet(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(bytes_parse(b.data, n, peek),
				 n < IP6_LEN ? -EBADMSG : 40);
}

static void walk_without_extensions(void **state)
{
	(void)state;
	struct bytes b = bytes_of(UDP5);
	struct ip6_ext ext;
	assert_int_equal(ip6_ext_walk(b.data, b.len, IPPROTO_UDP, &ext), IP6_LEN);
	assert_int_equal(ext.proto, IPPROTO_UDP);
	assert_int_equal(ext.count, 0);
	assert_false(ext.is_fragment || ext.has_routing);
}

static void walk_along_a_chain(void **state)
{
	(void)state;
	struct bytes b = bytes_of(CHAIN);
	struct ip6_ext ext;
	assert_int_equal(ip6_ext_walk(b.data, b.len, IPPROTO_HOPOPTS, &ext),
			 40 + 8 + 8 + 24 + 8);
	assert_int_equal(ext.proto, IPPROTO_UDP);
	assert_int_equal(ext.count, 4);
	assert_true(ext.has_routing);
	assert_int_equal(ext.routing_type, 0);
	assert_int_equal(ext.segments_left, 1);
	assert_true(ext.is_fragment);
	assert_true(ext.frag.more);
	assert_int_equal(ext.frag.off, 0);
	assert_int_equal(ext.frag.id, 77);
	assert_int_equal(ext.frag_hdr_off, 80);
	/* The upper layer begins where the walk says, be it there or not. */
	assert_needs_all(b.data, 88, walk);
}

static void walk_stops_at_a_later_fragment(void **state)
{
	(void)state;
	struct bytes b = bytes_of(LATER_FRAGMENT);
	/* Its bytes would be read as a destination options header if the walk went on. */
	b.data[40] = IPPROTO_DSTOPTS;
	struct ip6_ext ext;
	assert_int_equal(ip6_ext_walk(b.data, b.len, IPPROTO_FRAGMENT, &ext), 48);
	assert_int_equal(ext.proto, IPPROTO_DSTOPTS);
	assert_int_equal(ext.frag.off, 1232);
	assert_false(ext.frag.more);
}

static void fragment_header_comes_out_again(void **state)
{
	(void)state;
	struct bytes b = bytes_of("110004d10000004d");
	struct ip6_frag frag;
	assert_int_equal(ip6_frag_parse(b.data, b.len, &frag), IP6_FRAG_LEN);
	assert_true(frag.more);
	uint8_t out[IP6_FRAG_LEN];
	assert_int_equal(ip6_frag_emit(out, sizeof(out), &frag), IP6_FRAG_LEN);
	assert_memory_equal(out, b.data, IP6_FRAG_LEN);
	assert_int_equal(ip6_frag_emit(out, sizeof(out) - 1, &frag), -ENOBUFS);
	assert_int_equal(ip6_frag_parse(b.data, b.len - 1, &frag), -EBADMSG);
	frag.off = 4;
	assert_int_equal(ip6_frag_emit(out, sizeof(out), &frag), -EINVAL);
}

/* Appends an extension header of len bytes whose next header is next. */
static void put_ext(struct writer *w, uint8_t next, size_t len)
{
	writer_u8(w, next);
	writer_u8(w, (uint8_t)(len / 8 - 1));
	writer_fill(w, 0, len - 2);
}

/* A packet with n destination options headers of len bytes each, and then nothing. */
static struct bytes chain_of(size_t n, size_t len)
{
	struct bytes b = bytes_of(UDP5);
	struct writer w = writer_of(b.data, sizeof(b.data));
	w.off = IP6_LEN;
	b.data[IP6_OFF_NEXT] = n > 0 ? IPPROTO_DSTOPTS : IPPROTO_NONE;
	for (size_t i = 0; i < n; i++)
		put_ext(&w, i + 1 < n ? IPPROTO_DSTOPTS : IPPROTO_NONE, len);
	assert_false(w.bad);
	b.len = w.off;
	return b;
}

static void walk_has_limits(void **state)
{
	(void)state;
	struct bytes b = chain_of(IP6_EXT_COUNT_MAX, 8);
	assert_int_equal(bytes_parse(b.data, b.len, walk), b.len);
	b = chain_of(IP6_EXT_COUNT_MAX + 1, 8);
	assert_int_equal(bytes_parse(b.data, b.len, walk), -E2BIG);
	b = chain_of(1, IP6_EXT_LEN_MAX);
	assert_int_equal(bytes_parse(b.data, b.len, walk), b.len);
	b = chain_of(1, IP6_EXT_LEN_MAX + 8);
	assert_int_equal(bytes_parse(b.data, b.len, walk), -E2BIG);
	b = chain_of(2, IP6_EXT_LEN_MAX / 2 + 8);
	assert_int_equal(bytes_parse(b.data, b.len, walk), -E2BIG);
}

static void authentication_header_counts_in_fours(void **state)
{
	(void)state;
	/* Length 4: (4 + 2) * 4 = 24 bytes. */
	struct bytes b =
		bytes_of("60000000 0018 33 40 " ADDRS "3b040000 00000001 00000002 "
			 "000000000000000000000000");
	assert_needs_all(b.data, b.len, walk);
	assert_int_equal(walk(b.data, b.len), 64);
}

static void esp_is_the_upper_layer(void **state)
{
	(void)state;
	struct bytes b = bytes_of("60000000 0008 32 40 " ADDRS "0000000100000002");
	struct ip6_ext ext;
	assert_int_equal(ip6_ext_walk(b.data, b.len, IPPROTO_ESP, &ext), IP6_LEN);
	assert_int_equal(ext.proto, IPPROTO_ESP);
}

static void disorder_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *hex;
	} cases[] = {
		{ "hop-by-hop second",
		  "60000000 0010 3c 40 " ADDRS "0000010400000000 3b00010400000000" },
		{ "hop-by-hop twice",
		  "60000000 0010 00 40 " ADDRS "0000010400000000 3b00010400000000" },
		{ "two fragment headers",
		  "60000000 0010 2c 40 " ADDRS "2c00000000000001 3b00000000000001" },
		{ "header past the end",
		  "60000000 0008 3c 40 " ADDRS "3b01010400000000" },
		{ "header of 4 bytes", "60000000 0004 3c 40 " ADDRS "3b000102" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = bytes_of(cases[i].hex);
		if (bytes_parse(b.data, b.len, walk) != -EBADMSG)
			fail_msg("walked over %s", cases[i].what);
	}
}

static void flipped_bits_stay_inside(void **state)
{
	(void)state;
	try_each_bit_flipped(bytes_of(CHAIN), walk);
	try_each_bit_flipped(bytes_of(LATER_FRAGMENT), walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagram),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(peek_takes_a_cut_packet),
		cmocka_unit_test(walk_without_extensions),
		cmocka_unit_test(walk_along_a_chain),
		cmocka_unit_test(walk_stops_at_a_later_fragment),
		cmocka_unit_test(fragment_header_comes_out_again),
		cmocka_unit_test(walk_has_limits),
		cmocka_unit_test(authentication_header_counts_in_fours),
		cmocka_unit_test(esp_is_the_upper_layer),
		cmocka_unit_test(disorder_is_refused),
		cmocka_unit_test(flipped_bits_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
