/* SPDX-License-Identifier: MIT */
/*
 * UDP datagrams and who gets them. Most are fed without an IP header, and so without a sum;
 * those with one come through an IP protocol.
 */
#include "../unit.h"
#include "recorder.h"
#include "wire/compose.h"

#include <weft/protocol.h>

#include <errno.h>
#include <string.h>

static struct weft_protocol *udp, *ip;
static struct recorder a, b;

static int setup(void **state)
{
	struct weft_error err;
	(void)state;
	assert_int_equal(weft_protocol_new_udp(&udp), 0);
	assert_int_equal(weft_protocol_new_ip(NULL, &ip), 0);
	assert_int_equal(weft_protocol_add(ip, 17, udp, &err), 0);
	recorder_init(&a, WEFT_LAYER_DATAGRAM, "a");
	recorder_init(&b, WEFT_LAYER_DATAGRAM, "b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_protocol_free(ip);
	weft_protocol_free(udp);
	recorder_clear(&a);
	recorder_clear(&b);
	return 0;
}

static void feed_udp(uint16_t dport, const char *payload)
{
	uint8_t datagram[2000];
	feed(udp, datagram, put_udp(datagram, 0x43a2, dport, payload));
}

/* The datagram as IP brings it; csum is put in place of its sum unless it is -1. */
static void feed_over_ip(const char *src, const char *dst, const char *payload, int csum)
{
	const struct compose c = {
		.src = test_ip(src), .dst = test_ip(dst), .sport = 53, .dport = 80
	};
	uint8_t packet[2000];
	int len = compose_udp(&c, payload, strlen(payload), packet, sizeof(packet));
	assert_true(len > 0);
	if (csum >= 0) {
		uint8_t *field = packet + (size_t)len - strlen(payload) - 2;
		field[0] = (uint8_t)(csum >> 8);
		field[1] = (uint8_t)csum;
	}
	feed(ip, packet, (size_t)len);
}

static void a_header_is_parsed(void **state)
{
	(void)state;
	add(udp, 0x1234, &a);
	feed_udp(0x1234, "foobar");
	assert_int_equal(a.n, 1);
	assert_record(&a, 0, "foobar");
	const struct record *r = &a.records[0];
	assert_true(r->has_udp);
	assert_int_equal(r->udp.src_port, 0x43a2);
	assert_int_equal(r->udp.dst_port, 0x1234);
	assert_int_equal(r->udp.len, 14);
	assert_false(r->udp.has_checksum);
	assert_outcome(udp, WEFT_OUTCOME_DELIVERED, 1);
}

static void several_datagrams_keep_order(void **state)
{
	(void)state;
	add(udp, 0x1234, &a);
	feed_udp(0x1234, "foobar");
	feed_udp(0x1234, "quux");
	assert_int_equal(a.n, 2);
	assert_record(&a, 0, "foobar");
	assert_record(&a, 1, "quux");
}

static void several_protocols_of_a_port_get_it_in_order(void **state)
{
	(void)state;
	add(udp, 0x1234, &a);
	add(udp, 0x1234, &b);
	feed_udp(0x1234, "foobar");
	assert_record(&a, 0, "foobar");
	assert_record(&b, 0, "foobar");
	assert_true(a.records[0].order < b.records[0].order);
}

static void another_port_is_not_seen(void **state)
{
	(void)state;
	add(udp, 1, &a);
	feed_udp(0x1234, "foobar");
	assert_int_equal(a.n, 0);
	assert_outcome(udp, WEFT_OUTCOME_DROP_UNKNOWN, 1);
}

static void ports_are_told_apart(void **state)
{
	(void)state;
	add(udp, 0x8001, &a);
	add(udp, 0x8000, &b);
	feed_udp(0x8000, "one");
	feed_udp(0x8001, "two");
	feed_udp(0x8001, "three");
	feed_udp(0x8000, "four");
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
	for (unsigned layer = WEFT_LAYER_ETHERNET; layer < WEFT_LAYER_DATAGRAM; layer++) {
		a.protocol.layer = layer;
		assert_add_refused(udp, 42, &a.protocol, -EINVAL,
				   "added to UDP, which gives what UDP carries");
	}
}

static void a_negative_port_is_refused(void **state)
{
	(void)state;
	assert_add_refused(udp, -1, &a.protocol, -EINVAL,
			   "-1: the port must be positive or zero");
}

static void a_port_of_more_than_16_bits_is_refused(void **state)
{
	(void)state;
	assert_add_refused(udp, 65536, &a.protocol, -ERANGE,
			   "65536: the port must be at most 65535");
	add(udp, 65535, &a);
	add(udp, 0, &b);
	feed_udp(65535, "last");
	feed_udp(0, "first");
	assert_record(&a, 0, "last");
	assert_record(&b, 0, "first");
}

static void a_port_of_one_more_is_refused_too(void **state)
{
	(void)state;
	assert_add_refused(udp, 65537, &a.protocol, -ERANGE, "at most 65535");
}

/* ---- where the original is wrong, or silent ---------------------------------------------- */

static void the_length_is_honoured(void **state)
{
	uint8_t datagram[100];
	(void)state;
	add(udp, 80, &a);
	size_t len = put_udp(datagram, 53, 80, "hello");
	memcpy(datagram + len, "SURPLUS", 7);
	feed(udp, datagram, len + 7);
	assert_record(&a, 0, "hello");
	datagram[5] = (uint8_t)(len + 8); /* more than is there */
	feed(udp, datagram, len + 7);
	datagram[5] = 7; /* less than the header */
	feed(udp, datagram, len);
	assert_int_equal(a.n, 1);
	assert_int_equal(weft_protocol_count(udp, WEFT_OUTCOME_DROP_MALFORMED), 2);
}

static void short_datagrams_are_counted(void **state)
{
	uint8_t datagram[100];
	(void)state;
	add(udp, 80, &a);
	size_t len = put_udp(datagram, 53, 80, "");
	for (size_t n = 0; n < len; n++)
		feed(udp, datagram, n);
	assert_outcome(udp, WEFT_OUTCOME_DROP_SHORT, 8);
	feed(udp, datagram, len);
	assert_int_equal(a.records[0].len, 0);
}

/* What is cut cannot be summed. */
static void partial_datagrams_are_dropped(void **state)
{
	uint8_t datagram[100];
	(void)state;
	add(udp, 80, &a);
	feed_partial(udp, datagram, put_udp(datagram, 53, 80, "hello"));
	assert_int_equal(a.n, 0);
	assert_outcome(udp, WEFT_OUTCOME_DROP_CUT, 1);
}

static void the_sum_has_to_be_right(void **state)
{
	(void)state;
	add(udp, 80, &a);
	feed_over_ip("192.0.2.1", "192.0.2.2", "right", -1);
	feed_over_ip("2001:db8::1", "2001:db8::2", "right", -1);
	assert_int_equal(a.n, 2);
	assert_true(a.records[0].udp.has_checksum);
	assert_true(a.records[1].udp.has_checksum);
	feed_over_ip("192.0.2.1", "192.0.2.2", "wrong", 0x1234);
	feed_over_ip("2001:db8::1", "2001:db8::2", "wrong", 0x1234);
	assert_int_equal(a.n, 2);
	assert_int_equal(weft_protocol_count(udp, WEFT_OUTCOME_DROP_CHECKSUM), 2);
}

/* RFC 768 allows none, RFC 8200 8.1 does not. */
static void there_may_be_no_sum_over_ip4_only(void **state)
{
	(void)state;
	add(udp, 80, &a);
	feed_over_ip("192.0.2.1", "192.0.2.2", "none", 0);
	assert_int_equal(a.n, 1);
	assert_false(a.records[0].udp.has_checksum);
	feed_over_ip("2001:db8::1", "2001:db8::2", "none", 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(weft_protocol_count(udp, WEFT_OUTCOME_DROP_CHECKSUM), 1);
}

/* An IP protocol that was told to hands fragments on; they are no datagrams. */
static void fragments_are_no_datagrams(void **state)
{
	const struct weft_ip_opts opts = { .deliver_fragments = true };
	const struct ip4_fields fields = { .frag = 0x2000 };
	struct weft_protocol *as_they_are;
	uint8_t datagram[100], packet[200];
	(void)state;
	assert_int_equal(weft_protocol_new_ip(&opts, &as_they_are), 0);
	assert_int_equal(weft_protocol_add(as_they_are, 17, udp, NULL), 0);
	add(udp, 80, &a);
	size_t len = put_udp(datagram, 53, 80, "12345678");
	feed(as_they_are, packet, put_ip4(packet, &fields, datagram, len));
	assert_int_equal(a.n, 0);
	assert_outcome(udp, WEFT_OUTCOME_DROP_FRAGMENT, 1);
	weft_protocol_free(as_they_are);
}

/* All that an answer needs is there: the source of each layer. */
static void the_source_is_given(void **state)
{
	char text[WEFT_IP_TEXT];
	(void)state;
	add(udp, 80, &a);
	feed_over_ip("192.0.2.1", "192.0.2.2", "hello", -1);
	assert_string_equal(weft_ip_print(&a.records[0].ip.src, text), "192.0.2.1");
	assert_string_equal(weft_ip_print(&a.records[0].ip.dst, text), "192.0.2.2");
	assert_int_equal(a.records[0].udp.src_port, 53);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_header_is_parsed),
		TEST(several_datagrams_keep_order),
		TEST(several_protocols_of_a_port_get_it_in_order),
		TEST(another_port_is_not_seen),
		TEST(ports_are_told_apart),
		TEST(what_takes_other_layers_is_refused),
		TEST(a_negative_port_is_refused),
		TEST(a_port_of_more_than_16_bits_is_refused),
		TEST(a_port_of_one_more_is_refused_too),
		TEST(the_length_is_honoured),
		TEST(short_datagrams_are_counted),
		TEST(partial_datagrams_are_dropped),
		TEST(the_sum_has_to_be_right),
		TEST(there_may_be_no_sum_over_ip4_only),
		TEST(fragments_are_no_datagrams),
		TEST(the_source_is_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
