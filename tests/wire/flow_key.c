/* SPDX-License-Identifier: MIT */
/*
 * What tells one flow from another, and what does not.
 */
#include "wire/flow_key.h"

#include "../unit.h"
#include "traffic.h"
#include "wire/cursor.h"

#include <string.h>

static uint8_t buf[TRAFFIC_BUF_LEN];
static struct weft_frame frame; /* in buf */

struct key {
	uint8_t bytes[FLOW_KEY_MAX];
	size_t len;
};

static struct key key_of(const uint8_t *data, size_t len, bool is_ip)
{
	struct key key = { .len = 0 };
	key.len = flow_key(data, len, is_ip, key.bytes);
	assert_true(key.len <= FLOW_KEY_MAX);
	return key;
}

static struct key key_of_frame(bool is_ip6, uint32_t payload_len)
{
	const struct traffic t = { .is_ip = true,
				   .is_ip6 = is_ip6,
				   .payload_len = payload_len };
	frame = traffic_frame(&t, buf);
	return key_of(frame.data, frame.len, true);
}

static bool is_same(const struct key *a, const struct key *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Addresses, protocol and ports each make a difference; length and number do not. */
static void each_part_of_ip4_counts(void **state)
{
	(void)state;
	static const size_t parts[] = { 12, 15, 16, 19, 20, 21, 22, 23 };
	struct key key = key_of_frame(false, 100), longer = key_of_frame(false, 900);
	assert_int_equal(key.len, 8 + 1 + 4);
	assert_true(is_same(&key, &longer));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)key_of_frame(false, 100);
		frame.data[parts[i]] ^= 1;
		struct key other = key_of(frame.data, frame.len, true);
		assert_false(is_same(&key, &other));
	}
	(void)key_of_frame(false, 100);
	frame.data[24] ^= 1; /* of the sequence number */
	struct key other = key_of(frame.data, frame.len, true);
	assert_true(is_same(&key, &other));
}

/* Of what has no ports no bytes are taken for some. */
static void only_tcp_and_udp_have_ports(void **state)
{
	(void)state;
	static const struct {
		uint8_t proto;
		size_t len;
	} rows[] = { { 6, 8 + 1 + 4 }, { 17, 8 + 1 + 4 }, { 1, 8 + 1 }, { 47, 8 + 1 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)key_of_frame(false, 100);
		frame.data[9] = rows[i].proto;
		if (rows[i].proto == 17)
			store_be16(frame.data + 24, (uint16_t)(frame.len - 20));
		const struct key key = key_of(frame.data, frame.len, true);
		assert_int_equal(key.len, rows[i].len);
		assert_int_equal(key.bytes[8], rows[i].proto);
	}
}

static void ip6_has_longer_addresses(void **state)
{
	(void)state;
	struct key key = key_of_frame(true, 100);
	assert_int_equal(key.len, 32 + 1 + 4);
}

/* Of the fragments of one packet only the first has ports: none are looked at. */
static void fragments_stay_together(void **state)
{
	(void)state;
	(void)key_of_frame(false, 100);
	frame.data[6] = 0x20; /* more fragments */
	struct key first = key_of(frame.data, frame.len, true);
	frame.data[7] = 0x10; /* an offset */
	frame.data[20] ^= 0xff;
	struct key second = key_of(frame.data, frame.len, true);
	assert_true(is_same(&first, &second));
	assert_int_equal(first.len, 9);
}

static void other_frames_have_their_header(void **state)
{
	(void)state;
	static const uint8_t arp[60] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 6, 99
	};
	struct key key = key_of(arp, sizeof(arp), false);
	assert_int_equal(key.len, 14);
	assert_memory_equal(key.bytes, arp, 14);
}

static void any_bytes_have_a_key(void **state)
{
	(void)state;
	for (size_t len = 0; len < 64; len++) {
		for (unsigned first = 0; first < 256; first++) {
			uint8_t *bytes = malloc(len + !len);
			assert_non_null(bytes);
			memset(bytes, 0x11, len);
			if (len > 0)
				bytes[0] = (uint8_t)first;
			(void)key_of(bytes, len, true);
			(void)key_of(bytes, len, false);
			free(bytes);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_ip4_counts),
		cmocka_unit_test(only_tcp_and_udp_have_ports),
		cmocka_unit_test(ip6_has_longer_addresses),
		cmocka_unit_test(fragments_stay_together),
		cmocka_unit_test(other_frames_have_their_header),
		cmocka_unit_test(any_bytes_have_a_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
