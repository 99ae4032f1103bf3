/* SPDX-License-Identifier: MIT */
/*
 * IPv4 and IPv6 packets and who gets them; fragments that are put together have a test of
 * their own.
 */
#include "../unit.h"
#include "recorder.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ip6.h"

#include <weft/protocol.h>

#include <errno.h>
#include <string.h>

static struct weft_protocol *ip;
static struct recorder a, b;

static int setup(void **state)
{
	const struct weft_ip_opts *opts = *state;
	assert_int_equal(weft_protocol_new_ip(opts, &ip), 0);
	recorder_init(&a, WEFT_LAYER_TRANSPORT, "a");
	recorder_init(&b, WEFT_LAYER_TRANSPORT, "b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_protocol_free(ip);
	recorder_clear(&a);
	recorder_clear(&b);
	return 0;
}

static void feed_ip4(uint8_t proto, const char *payload)
{
	const struct ip4_fields fields = { .proto = proto };
	uint8_t packet[2000];
	feed(ip, packet, put_ip4(packet, &fields, payload, strlen(payload)));
}

/* Behind ext, which begins with a header of type next. Returns the length. */
static size_t put_ip6(uint8_t *buf, uint8_t next, const uint8_t *ext, size_t ext_len,
		      const char *payload)
{
	const struct compose c = { .src = test_ip("2001:db8::1"),
				   .dst = test_ip("2001:db8::2"),
				   .proto = next,
				   .ttl = 7,
				   .tos = 0xb8 };
	uint8_t body[1000];
	size_t len = strlen(payload);
	if (ext_len > 0)
		memcpy(body, ext, ext_len);
	memcpy(body + ext_len, payload, len);
	int n = compose_ip(&c, body, ext_len + len, buf, 1500);
	assert_true(n > 0);
	return (size_t)n;
}

static void a_header_is_parsed(void **state)
{
	const struct ip4_fields fields = { .tos = 0x07,
					   .ttl = 0xc0,
					   .proto = 0x0f,
					   .id = 0xdead,
					   .frag = 0xbeef,
					   .src = "1.2.3.4",
					   .dst = "5.6.7.8" };
	uint8_t packet[100];
	char text[WEFT_IP_TEXT];
	(void)state;
	add(ip, 0x0f, &a);
	feed(ip, packet, put_ip4(packet, &fields, "foobar", 6));
	assert_int_equal(a.n, 1);
	assert_record(&a, 0, "foobar");
	const struct record *r = &a.records[0];
	assert_true(r->has_ip);
	assert_string_equal(weft_ip_print(&r->ip.src, text), "1.2.3.4");
	assert_string_equal(weft_ip_print(&r->ip.dst, text), "5.6.7.8");
	assert_int_equal(r->ip.version, 4);
	assert_int_equal(r->ip.hdr_len, 20);
	assert_int_equal(r->ip.tos, 0x07);
	assert_int_equal(r->ip.total_len, 26);
	assert_int_equal(r->ip.id, 0xdead);
	assert_int_equal(r->ip.fragment_offset, 0x1eef * 8);
	assert_false(r->ip.dont_fragment);
	assert_true(r->ip.more_fragments);
	assert_int_equal(r->ip.ttl, 0xc0);
	assert_int_equal(r->ip.proto, 0x0f);
	assert_false(r->ip.reassembled);
	assert_false(r->partial);
	assert_outcome(ip, WEFT_OUTCOME_DELIVERED, 1);
}

/* The other flag: a real packet has it most of the time. */
static void dont_fragment_is_parsed(void **state)
{
	const struct ip4_fields fields = { .frag = 0x4000 };
	uint8_t packet[100];
	(void)state;
	add(ip, 17, &a);
	feed(ip, packet, put_ip4(packet, &fields, "x", 1));
	assert_true(a.records[0].ip.dont_fragment);
	assert_false(a.records[0].ip.more_fragments);
	assert_int_equal(a.records[0].ip.fragment_offset, 0);
}

/* Partial is what is cut; a packet that ends before the cut is whole. */
static void several_packets_keep_order_and_partial(void **state)
{
	const struct ip4_fields fields = { .proto = 0x0f };
	uint8_t packet[100];
	(void)state;
	add(ip, 0x0f, &a);
	feed_ip4(0x0f, "foobar");
	size_t len = put_ip4(packet, &fields, "quuxandmore", 11);
	feed_partial(ip, packet, len - 7);
	feed_partial(ip, packet, len);
	assert_int_equal(a.n, 3);
	assert_record(&a, 0, "foobar");
	assert_false(a.records[0].partial);
	assert_record(&a, 1, "quux");
	assert_true(a.records[1].partial);
	assert_int_equal(a.records[1].ip.total_len, 31);
	assert_record(&a, 2, "quuxandmore");
	assert_false(a.records[2].partial);
}

static void several_protocols_of_a_number_get_it_in_order(void **state)
{
	(void)state;
	add(ip, 0x0f, &a);
	add(ip, 0x0f, &b);
	feed_ip4(0x0f, "foobar");
	assert_record(&a, 0, "foobar");
	assert_record(&b, 0, "foobar");
	assert_true(a.records[0].order < b.records[0].order);
}

static void another_number_is_not_seen(void **state)
{
	(void)state;
	add(ip, 1, &a);
	feed_ip4(0x0f, "foobar");
	assert_int_equal(a.n, 0);
	assert_outcome(ip, WEFT_OUTCOME_DROP_UNKNOWN, 1);
}

static void numbers_are_told_apart(void **state)
{
	(void)state;
	add(ip, 0x0f, &a);
	add(ip, 0x0e, &b);
	feed_ip4(0x0e, "one");
	feed_ip4(0x0f, "two");
	feed_ip4(0x0f, "three");
	feed_ip4(0x0e, "four");
	assert_int_equal(a.n, 2);
	assert_record(&a, 0, "two");
	assert_record(&a, 1, "three");
	assert_int_equal(b.n, 2);
	assert_record(&b, 0, "one");
	assert_record(&b, 1, "four");
}

static void what_takes_other_layers_is_refused(void **state)
{
	(void)state;
	for (unsigned layer = WEFT_LAYER_ETHERNET; layer <= WEFT_LAYER_DATAGRAM;
	     layer++) {
		a.protocol.layer = layer;
		if (layer == WEFT_LAYER_TRANSPORT)
			continue;
		assert_add_refused(ip, 42, &a.protocol, -EINVAL,
				   "added to IP, which gives what IP carries");
	}
}

static void a_negative_number_is_refused(void **state)
{
	(void)state;
	assert_add_refused(ip, -1, &a.protocol, -EINVAL,
			   "-1: the protocol number must be positive or zero");
}

/* A header has 8 bits for it: 2^32 is too large, and 256 is. */
static void a_number_that_no_header_holds_is_refused(void **state)
{
	(void)state;
	assert_add_refused(ip, INT64_C(1) << 32, &a.protocol, -ERANGE,
			   "4294967296: the protocol number must be at most 255");
	assert_add_refused(ip, 256, &a.protocol, -ERANGE, "at most 255");
	add(ip, 255, &a);
	feed_ip4(255, "last");
	assert_record(&a, 0, "last");
}

static void a_number_of_one_more_is_refused_too(void **state)
{
	(void)state;
	assert_add_refused(ip, (INT64_C(1) << 32) + 1, &a.protocol, -ERANGE,
			   "at most 255");
	assert_add_refused(ip, 257, &a.protocol, -ERANGE, "at most 255");
}

/* ---- where the original is wrong, or silent ---------------------------------------------- */

static void options_are_no_payload(void **state)
{
	const uint8_t options[] = { 7, 7, 4, 0, 0, 0, 0, 1 };
	const struct ip4_fields fields = { .options = options, .options_len = 8 };
	uint8_t packet[100];
	(void)state;
	add(ip, 17, &a);
	feed(ip, packet, put_ip4(packet, &fields, "hello", 5));
	assert_record(&a, 0, "hello");
	assert_int_equal(a.records[0].ip.hdr_len, 28);
}

static void padding_is_no_payload(void **state)
{
	uint8_t packet[100];
	(void)state;
	add(ip, 17, &a);
	size_t len = put_ip4(packet, &(struct ip4_fields){ .ttl = 0 }, "hi", 2);
	memcpy(packet + len, "PADDING", 7);
	feed(ip, packet, len + 7);
	assert_record(&a, 0, "hi");
	len = put_ip6(packet, 17, NULL, 0, "six");
	memcpy(packet + len, "PADDING", 7);
	feed(ip, packet, len + 7);
	assert_record(&a, 1, "six");
}

static void a_wrong_header_sum_is_counted(void **state)
{
	uint8_t packet[100];
	(void)state;
	add(ip, 17, &a);
	size_t len = put_ip4(packet, &(struct ip4_fields){ .ttl = 0 }, "hello", 5);
	for (size_t bit = 0; bit < 160; bit++) {
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		feed(ip, packet, len);
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(a.n, 0);
	/* Those of version and IHL contradict something else first. */
	assert_true(weft_protocol_count(ip, WEFT_OUTCOME_DROP_CHECKSUM) >= 160 - 16);
}

static void lengths_that_lie_are_counted(void **state)
{
	uint8_t packet[100];
	uint8_t lie[100];
	(void)state;
	add(ip, 17, &a);
	size_t len = put_ip4(packet, &(struct ip4_fields){ .ttl = 0 }, "hello", 5);
	feed(ip, packet, len - 1); /* shorter than it says */
	memcpy(lie, packet, len);
	lie[0] = 0x44; /* a header of 16 bytes */
	feed(ip, lie, len);
	lie[0] = 0x4f; /* one of 60 */
	feed(ip, lie, len);
	lie[0] = 0x54; /* the nibbles the other way round */
	feed(ip, lie, len);
	len = put_ip6(packet, 17, NULL, 0, "hello");
	feed(ip, packet, len - 1);
	assert_int_equal(a.n, 0);
	assert_outcome(ip, WEFT_OUTCOME_DROP_MALFORMED, 5);
}

static void short_packets_are_counted(void **state)
{
	uint8_t packet[100];
	(void)state;
	add(ip, 17, &a);
	(void)put_ip4(packet, &(struct ip4_fields){ .ttl = 0 }, "", 0);
	for (size_t n = 0; n < 20; n++)
		feed(ip, packet, n);
	assert_outcome(ip, WEFT_OUTCOME_DROP_SHORT, 20);
	(void)put_ip6(packet, 17, NULL, 0, "");
	for (size_t n = 1; n < 40; n++)
		feed(ip, packet, n);
	assert_outcome(ip, WEFT_OUTCOME_DROP_SHORT, 59);
	feed_partial(ip, packet, 39);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DROP_CUT), 1);
}

static void version_6_is_handed_on_alike(void **state)
{
	uint8_t packet[200];
	char text[WEFT_IP_TEXT];
	(void)state;
	add(ip, 17, &a);
	size_t len = put_ip6(packet, 17, NULL, 0, "hello");
	store_be32(packet, load_be32(packet) | 0xabcde);
	feed(ip, packet, len);
	assert_record(&a, 0, "hello");
	const struct weft_ip_header *h = &a.records[0].ip;
	assert_string_equal(weft_ip_print(&h->src, text), "2001:db8::1");
	assert_string_equal(weft_ip_print(&h->dst, text), "2001:db8::2");
	assert_int_equal(h->version, 6);
	assert_int_equal(h->hdr_len, 40);
	assert_int_equal(h->total_len, 45);
	assert_int_equal(h->ttl, 7);
	assert_int_equal(h->tos, 0xb8);
	assert_int_equal(h->flow_label, 0xabcde);
	assert_int_equal(h->proto, 17);
}

static void extension_headers_are_no_payload(void **state)
{
	/* Hop-by-hop options of 8 bytes, then destination options of 16. */
	const uint8_t ext[24] = { 60, 0, 1, 4, 0, 0, 0, 0, 17, 1, 1, 12 };
	uint8_t packet[200];
	(void)state;
	add(ip, 17, &a);
	feed(ip, packet, put_ip6(packet, 0, ext, sizeof(ext), "hello"));
	assert_record(&a, 0, "hello");
	assert_int_equal(a.records[0].ip.hdr_len, 64);
	assert_int_equal(a.records[0].ip.proto, 17);
	/* The second one says that it is longer than the packet. */
	uint8_t lie[24];
	memcpy(lie, ext, sizeof(lie));
	lie[9] = 9;
	feed(ip, packet, put_ip6(packet, 0, lie, sizeof(lie), "hello"));
	assert_int_equal(a.n, 1);
	assert_int_equal(weft_protocol_count(ip, WEFT_OUTCOME_DROP_MALFORMED), 1);
}

static void fragments_can_be_had_as_they_are(void **state)
{
	const uint8_t ext[8] = { 17, 0, 0x12, 0x39, 1, 2, 3, 4 };
	uint8_t packet[200];
	(void)state;
	add(ip, 17, &a);
	feed(ip, packet, put_ip6(packet, 44, ext, sizeof(ext), "middle"));
	const struct weft_ip_header *h = &a.records[0].ip;
	assert_record(&a, 0, "middle");
	assert_int_equal(h->fragment_offset, 0x1238);
	assert_true(h->more_fragments);
	assert_int_equal(h->id, 0x01020304);
	assert_int_equal(h->hdr_len, 48);
	const struct ip4_fields first = { .frag = 0x2000, .id = 9 };
	feed(ip, packet, put_ip4(packet, &first, "12345678", 8));
	assert_true(a.records[1].ip.more_fragments);
	assert_int_equal(a.records[1].ip.fragment_offset, 0);
}

static struct weft_ip_opts as_they_are = { .deliver_fragments = true };

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_AS_THEY_ARE(f) \
	cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, &as_they_are)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_AS_THEY_ARE(a_header_is_parsed),
		TEST(dont_fragment_is_parsed),
		TEST(several_packets_keep_order_and_partial),
		TEST(several_protocols_of_a_number_get_it_in_order),
		TEST(another_number_is_not_seen),
		TEST(numbers_are_told_apart),
		TEST(what_takes_other_layers_is_refused),
		TEST(a_negative_number_is_refused),
		TEST(a_number_that_no_header_holds_is_refused),
		TEST(a_number_of_one_more_is_refused_too),
		TEST(options_are_no_payload),
		TEST(padding_is_no_payload),
		TEST(a_wrong_header_sum_is_counted),
		TEST(lengths_that_lie_are_counted),
		TEST(short_packets_are_counted),
		TEST(version_6_is_handed_on_alike),
		TEST(extension_headers_are_no_payload),
		TEST_AS_THEY_ARE(fragments_can_be_had_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
