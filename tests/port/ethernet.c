/* SPDX-License-Identifier: MIT */
/*
 * Ethernet frames and who gets them.
 */
#include "../unit.h"
#include "recorder.h"

#include <weft/protocol.h>

#include <errno.h>
#include <string.h>

static struct weft_protocol *ethernet;
static struct recorder a, b;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(weft_protocol_new_ethernet(&ethernet), 0);
	recorder_init(&a, WEFT_LAYER_PACKET, "a");
	recorder_init(&b, WEFT_LAYER_PACKET, "b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_protocol_free(ethernet);
	recorder_clear(&a);
	recorder_clear(&b);
	return 0;
}

/* From 98:76:54:32:10:ff to 12:34:56:78:9a:bc. */
static size_t put_frame(uint8_t *buf, uint16_t type, const void *payload, size_t len)
{
	const uint8_t addresses[] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
				      0x98, 0x76, 0x54, 0x32, 0x10, 0xff };
	memcpy(buf, addresses, 12);
	buf[12] = (uint8_t)(type >> 8);
	buf[13] = (uint8_t)type;
	memcpy(buf + 14, payload, len);
	return 14 + len;
}

static void feed_frame(uint16_t type, const char *payload)
{
	uint8_t frame[2000];
	feed(ethernet, frame, put_frame(frame, type, payload, strlen(payload)));
}

static void a_header_is_parsed(void **state)
{
	const struct weft_mac dst = { { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc } };
	const struct weft_mac src = { { 0x98, 0x76, 0x54, 0x32, 0x10, 0xff } };
	(void)state;
	add(ethernet, 0x0800, &a);
	feed_frame(0x0800, "foobar");
	assert_int_equal(a.n, 1);
	assert_record(&a, 0, "foobar");
	const struct record *r = &a.records[0];
	assert_true(r->has_ethernet);
	assert_memory_equal(&r->ethernet.dst, &dst, sizeof(dst));
	assert_memory_equal(&r->ethernet.src, &src, sizeof(src));
	assert_int_equal(r->ethernet.type, 0x0800);
	assert_false(r->partial);
	assert_false(r->has_ip);
	assert_outcome(ethernet, WEFT_OUTCOME_DELIVERED, 1);
}

static void several_frames_keep_order_and_partial(void **state)
{
	uint8_t frame[100];
	(void)state;
	add(ethernet, 0x0800, &a);
	feed_frame(0x0800, "foobar");
	feed_partial(ethernet, frame, put_frame(frame, 0x0800, "quux", 4));
	assert_int_equal(a.n, 2);
	assert_record(&a, 0, "foobar");
	assert_false(a.records[0].partial);
	assert_record(&a, 1, "quux");
	assert_true(a.records[1].partial);
}

static void several_protocols_of_a_type_get_it_in_order(void **state)
{
	(void)state;
	add(ethernet, 0x0800, &b);
	add(ethernet, 0x0800, &a);
	add(ethernet, 0x0800, &b);
	feed_frame(0x0800, "foobar");
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 2);
	assert_record(&a, 0, "foobar");
	assert_record(&b, 1, "foobar");
	assert_int_equal(b.records[0].order + 1, a.records[0].order);
	assert_int_equal(a.records[0].order + 1, b.records[1].order);
}

static void another_type_is_not_seen(void **state)
{
	(void)state;
	add(ethernet, 0x0801, &a);
	feed_frame(0x0800, "foobar");
	assert_int_equal(a.n, 0);
	assert_outcome(ethernet, WEFT_OUTCOME_DROP_UNKNOWN, 1);
}

static void types_are_told_apart(void **state)
{
	(void)state;
	add(ethernet, 0x0800, &a);
	add(ethernet, 0x0806, &b);
	feed_frame(0x0806, "one");
	feed_frame(0x0800, "two");
	feed_frame(0x0800, "three");
	feed_frame(0x0806, "four");
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
		if (layer == WEFT_LAYER_PACKET)
			continue;
		assert_add_refused(ethernet, 42, &a.protocol, -EINVAL,
				   "cannot be added to Ethernet, which gives packets");
	}
}

static void a_negative_type_is_refused(void **state)
{
	(void)state;
	assert_add_refused(ethernet, -1, &a.protocol, -EINVAL,
			   "-1: the EtherType must be positive or zero");
	assert_add_refused(ethernet, INT64_MIN, &a.protocol, -EINVAL, "positive or zero");
}

static void a_type_of_more_than_16_bits_is_refused(void **state)
{
	(void)state;
	assert_add_refused(ethernet, 65536, &a.protocol, -ERANGE,
			   "65536: the EtherType must be at most 65535");
	add(ethernet, 65535, &a);
	feed_frame(65535, "last");
	assert_record(&a, 0, "last");
}

static void a_type_of_one_more_is_refused_too(void **state)
{
	(void)state;
	assert_add_refused(ethernet, 65537, &a.protocol, -ERANGE, "at most 65535");
	assert_add_refused(ethernet, INT64_MAX, &a.protocol, -ERANGE, "at most 65535");
}

/* ---- where the original is wrong, or silent ---------------------------------------------- */

static void short_frames_are_counted(void **state)
{
	uint8_t frame[20];
	(void)state;
	add(ethernet, 0x0800, &a);
	size_t len = put_frame(frame, 0x0800, "", 0);
	for (size_t n = 0; n < len; n++)
		feed(ethernet, frame, n);
	assert_int_equal(a.n, 0);
	assert_outcome(ethernet, WEFT_OUTCOME_DROP_SHORT, 14);
	feed(ethernet, frame, len);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.records[0].len, 0);
	feed_partial(ethernet, frame, 13);
	assert_int_equal(weft_protocol_count(ethernet, WEFT_OUTCOME_DROP_CUT), 1);
}

/* A length in place of a type: LLC, of which the padding is no part. */
static void lengths_are_no_types(void **state)
{
	uint8_t frame[100];
	(void)state;
	add(ethernet, 0, &a);
	feed_frame(5, "helloPADDING");
	assert_record(&a, 0, "hello");
	assert_int_equal(a.records[0].ethernet.type, 5);
	feed_frame(6, "hello");
	assert_int_equal(a.n, 1);
	assert_int_equal(weft_protocol_count(ethernet, WEFT_OUTCOME_DROP_MALFORMED), 1);
	feed_partial(ethernet, frame, put_frame(frame, 6, "hello", 5));
	assert_record(&a, 1, "hello");
	assert_true(a.records[1].partial);
	feed_partial(ethernet, frame, put_frame(frame, 4, "hello", 5));
	assert_record(&a, 2, "hell");
	assert_false(a.records[2].partial);
	assert_add_refused(ethernet, 1, &b.protocol, -EINVAL,
			   "is a length and no EtherType");
	assert_add_refused(ethernet, 0x05ff, &b.protocol, -EINVAL, "0 stands for all");
	add(ethernet, 0x0600, &b);
	feed_frame(0x0600, "xns");
	assert_record(&b, 0, "xns");
}

/* A frame of a VLAN is not taken for one of none. */
static void tagged_frames_belong_to_their_tag(void **state)
{
	const char tagged[] = "\x00\x07\x08\x00payload";
	uint8_t frame[100];
	(void)state;
	add(ethernet, 0x0800, &a);
	add(ethernet, 0x8100, &b);
	size_t len = put_frame(frame, 0x8100, tagged, sizeof(tagged) - 1);
	feed(ethernet, frame, len);
	assert_int_equal(a.n, 0);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.records[0].len, sizeof(tagged) - 1);
	assert_memory_equal(b.records[0].data, tagged, sizeof(tagged) - 1);
	assert_int_equal(b.records[0].ethernet.type, 0x8100);
	feed(ethernet, frame, 14 + 3);
	assert_int_equal(weft_protocol_count(ethernet, WEFT_OUTCOME_DROP_SHORT), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_header_is_parsed),
		TEST(several_frames_keep_order_and_partial),
		TEST(several_protocols_of_a_type_get_it_in_order),
		TEST(another_type_is_not_seen),
		TEST(types_are_told_apart),
		TEST(what_takes_other_layers_is_refused),
		TEST(a_negative_type_is_refused),
		TEST(a_type_of_more_than_16_bits_is_refused),
		TEST(a_type_of_one_more_is_refused_too),
		TEST(short_frames_are_counted),
		TEST(lengths_are_no_types),
		TEST(tagged_frames_belong_to_their_tag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
