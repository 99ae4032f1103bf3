/* SPDX-License-Identifier: MIT */
/*
 * ARP: a request of 192.0.2.2 for 192.0.2.1, and what is no ARP for IPv4 on Ethernet.
 */
#include "wire/arp.h"

#include "base/array.h"
#include "base/mac.h"
#include "bytes.h"

#include <errno.h>

#define REQUEST                 \
	"0001 0800 06 04 0001 " \
	"020000000001 c0000202 000000000000 c0000201"

static int parse(const uint8_t *data, size_t len)
{
	struct arp_hdr arp;
	return arp_hdr_parse(data, len, &arp);
}

static void request(void **state)
{
	(void)state;
	struct bytes b = bytes_of(REQUEST);
	struct arp_hdr arp;
	assert_int_equal(arp_hdr_parse(b.data, b.len, &arp), ARP_LEN);
	assert_int_equal(arp.op, ARP_OP_REQUEST);
	assert_true(mac_to_u64(arp.sender_mac) == 0x020000000001);
	assert_int_equal(arp.sender_ip, 0xc0000202);
	assert_true(mac_is_zero(arp.target_mac));
	assert_int_equal(arp.target_ip, 0xc0000201);

	uint8_t out[ARP_LEN];
	assert_int_equal(arp_hdr_emit(out, sizeof(out), &arp), ARP_LEN);
	assert_memory_equal(out, b.data, ARP_LEN);
	assert_int_equal(arp_hdr_emit(out, sizeof(out) - 1, &arp), -ENOBUFS);
}

/* RFC 1042; Linux and BSD take it for the same on Ethernet. */
static void ieee_802_is_as_ethernet(void **state)
{
	(void)state;
	struct bytes b = bytes_of(REQUEST);
	b.data[ARP_OFF_HTYPE + 1] = 6;
	assert_int_equal(parse(b.data, b.len), ARP_LEN);
}

static void padding_is_ignored(void **state)
{
	(void)state;
	struct bytes b = bytes_of(REQUEST "000000000000000000000000000000000000");
	assert_int_equal(parse(b.data, b.len), ARP_LEN);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct bytes b = bytes_of(REQUEST);
	assert_needs_all(b.data, b.len, parse);
}

static void other_kinds_of_address_are_refused(void **state)
{
	(void)state;
	/* Offset of a byte, and the value that makes the packet speak of something else. */
	static const struct {
		size_t off;
		uint8_t value;
	} cases[] = {
		{ ARP_OFF_HTYPE + 1, 24 }, /* IEEE 1394 */
		{ ARP_OFF_HTYPE, 6 },
		{ ARP_OFF_PTYPE + 1, 0x35 }, /* RARP's number */
		{ ARP_OFF_HLEN, 8 },
		{ ARP_OFF_HLEN, 0 },
		{ ARP_OFF_PLEN, 16 },
		{ ARP_OFF_PLEN, 255 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = bytes_of(REQUEST);
		b.data[cases[i].off] = cases[i].value;
		assert_int_equal(parse(b.data, b.len), -EPROTONOSUPPORT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request),
		cmocka_unit_test(ieee_802_is_as_ethernet),
		cmocka_unit_test(padding_is_ignored),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(other_kinds_of_address_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
