/* SPDX-License-Identifier: MIT */
/*
 * Where headers lie, for each kind of frame; that offsets stay inside of frames that are cut
 * short at every place; and what counts as no IP.
 */
#include "wire/layout.h"

#include "../unit.h"
#include "traffic.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static uint8_t buf[TRAFFIC_BUF_LEN];

static const struct traffic base = { .ttl = 1, .options_len = 8, .payload_len = 100 };

static void assert_layout(const struct traffic *t, uint16_t ip, uint16_t transport,
			  uint16_t payload)
{
	struct weft_frame frame = traffic_frame(t, buf);
	struct layout at;

	assert_int_equal(layout_find(frame.data, frame.len, t->is_ip, &at), 0);
	assert_int_equal(at.version, t->is_ip6 ? 6 : 4);
	assert_int_equal(at.proto, t->is_udp ? IPPROTO_UDP : IPPROTO_TCP);
	assert_false(at.is_fragment);
	assert_int_equal(at.ip_off, ip);
	assert_int_equal(at.transport_off, transport);
	assert_int_equal(at.payload_off, payload);
	assert_int_equal(at.end, frame.len);

	/* Padding is behind the end. */
	memset(frame.data + frame.len, 0, 10);
	assert_int_equal(layout_find(frame.data, frame.len + 10, t->is_ip, &at), 0);
	assert_int_equal(at.end, frame.len);
}

static void test_every_kind(void **state)
{
	(void)state;
	struct traffic t = base;

	assert_layout(&t, 14, 34, 62);
	t.tags_n = 1;
	assert_layout(&t, 18, 38, 66);
	t.tags_n = 2;
	assert_layout(&t, 22, 42, 70);
	t.is_udp = true;
	assert_layout(&t, 22, 42, 50);
	t.is_ip6 = true;
	assert_layout(&t, 22, 62, 70);
	t.ext_len = 16;
	assert_layout(&t, 22, 78, 86);
	t.is_ip = true;
	assert_layout(&t, 0, 56, 64);
}

/* A copy of exactly that length, for the sanitizer to see a byte too many. */
static void test_cut_short_anywhere(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct traffic t = base;
		t.is_udp = kind & 1;
		t.is_ip6 = kind & 2;
		t.tags_n = kind & 4 ? 2 : 0;
		t.ext_len = t.is_ip6 ? 8 : 0;
		struct weft_frame frame = traffic_frame(&t, buf);

		for (size_t len = 0; len < frame.len; len++) {
			uint8_t *copy = malloc(len + !len);
			struct layout at = { .version = 99 };
			assert_non_null(copy);
			memcpy(copy, frame.data, len);
			assert_int_equal(layout_find(copy, len, false, &at), -EBADMSG);
			assert_int_equal(at.version, 99);
			free(copy);
		}
	}
}

static void test_no_ip(void **state)
{
	(void)state;
	uint8_t arp[42] = { [12] = 0x81, [16] = 0x08, [17] = 0x06 };
	struct layout at;

	assert_int_equal(layout_find(arp, sizeof(arp), false, &at), 0);
	assert_int_equal(at.version, 0);
	assert_int_equal(at.ip_off, 18);
	assert_int_equal(at.transport_off, 18);
	assert_int_equal(at.payload_off, 18);
	assert_int_equal(at.end, sizeof(arp));
	assert_int_equal(layout_find(arp, sizeof(arp), true, &at), -EBADMSG);
}

static void test_fragments_and_other_protocols(void **state)
{
	(void)state;
	struct traffic t = base;
	struct layout at;
	struct weft_frame frame = traffic_frame(&t, buf);

	frame.data[20] = 0x20; /* More fragments. */
	assert_int_equal(layout_find(frame.data, frame.len, false, &at), 0);
	assert_true(at.is_fragment);
	assert_int_equal(at.payload_off, at.transport_off);

	frame = traffic_frame(&t, buf);
	frame.data[23] = IPPROTO_ICMP;
	assert_int_equal(layout_find(frame.data, frame.len, false, &at), 0);
	assert_int_equal(at.proto, IPPROTO_ICMP);
	assert_int_equal(at.payload_off, 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_cut_short_anywhere),
		cmocka_unit_test(test_no_ip),
		cmocka_unit_test(test_fragments_and_other_protocols),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
