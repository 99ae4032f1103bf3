/* SPDX-License-Identifier: MIT */
/*
 * Ethernet headers without a tag, with one and with two; LLC and SNAP.
 */
#include "wire/ether.h"

#include "base/mac.h"
#include "bytes.h"

#include <errno.h>

#define ADDRS "ffffffffffff 020000000001 "

static int parse(const uint8_t *data, size_t len)
{
	struct ether_hdr hdr;
	return ether_hdr_parse(data, len, &hdr);
}

static int parse_llc(const uint8_t *data, size_t len)
{
	struct llc_hdr hdr;
	return llc_hdr_parse(data, len, &hdr);
}

/* The header must come out again byte for byte, and fit in no less. */
static void assert_emits(const struct ether_hdr *hdr, const struct bytes *want)
{
	uint8_t out[ETHER_LEN + ETHER_TAGS_MAX * ETHER_TAG_LEN];
	assert_int_equal(ether_hdr_emit(out, want->len, hdr), want->len);
	assert_memory_equal(out, want->data, want->len);
	for (size_t n = 0; n < want->len; n++)
		assert_int_equal(ether_hdr_emit(out, n, hdr), -ENOBUFS);
}

static void plain(void **state)
{
	(void)state;
	struct bytes b = bytes_of(ADDRS "0800");
	struct ether_hdr hdr;
	assert_int_equal(ether_hdr_parse(b.data, b.len, &hdr), 14);
	assert_true(mac_is_broadcast(hdr.dst));
	assert_true(mac_to_u64(hdr.src) == 0x020000000001);
	assert_int_equal(hdr.type, ETHER_TYPE_IP4);
	assert_int_equal(hdr.tags_n, 0);
	assert_emits(&hdr, &b);
	assert_needs_all(b.data, b.len, parse);
}

static void one_tag(void **state)
{
	(void)state;
	struct bytes b = bytes_of(ADDRS "8100 6007 86dd");
	struct ether_hdr hdr;
	assert_int_equal(ether_hdr_parse(b.data, b.len, &hdr), 18);
	assert_int_equal(hdr.tags_n, 1);
	assert_int_equal(hdr.tags[0].tpid, ETHER_TYPE_VLAN);
	assert_int_equal(hdr.tags[0].tci & ETHER_VID_MASK, 7);
	assert_int_equal(hdr.tags[0].tci >> 13, 3);
	assert_int_equal(hdr.type, ETHER_TYPE_IP6);
	assert_emits(&hdr, &b);
	assert_needs_all(b.data, b.len, parse);
}

static void two_tags(void **state)
{
	(void)state;
	struct bytes b = bytes_of(ADDRS "88a8 0064 8100 0007 0806");
	struct ether_hdr hdr;
	assert_int_equal(ether_hdr_parse(b.data, b.len, &hdr), 22);
	assert_int_equal(hdr.tags_n, 2);
	assert_int_equal(hdr.tags[0].tpid, ETHER_TYPE_QINQ);
	assert_int_equal(hdr.tags[0].tci, 100);
	assert_int_equal(hdr.tags[1].tpid, ETHER_TYPE_VLAN);
	assert_int_equal(hdr.tags[1].tci, 7);
	assert_int_equal(hdr.type, ETHER_TYPE_ARP);
	assert_emits(&hdr, &b);
	assert_needs_all(b.data, b.len, parse);
}

static void third_tag_is_payload(void **state)
{
	(void)state;
	struct bytes b = bytes_of(ADDRS "8100 0001 8100 0002 8100 0003 0800");
	struct ether_hdr hdr;
	assert_int_equal(ether_hdr_parse(b.data, b.len, &hdr), 22);
	assert_int_equal(hdr.tags_n, 2);
	assert_int_equal(hdr.type, ETHER_TYPE_VLAN);
}

static void error_leaves_the_header_alone(void **state)
{
	(void)state;
	struct bytes b = bytes_of(ADDRS "8100 00");
	struct ether_hdr hdr = { .type = 0x1234 };
	assert_int_equal(ether_hdr_parse(b.data, b.len, &hdr), -EBADMSG);
	assert_int_equal(hdr.type, 0x1234);
	assert_int_equal(hdr.tags_n, 0);
}

static void llc(void **state)
{
	(void)state;
	struct bytes b = bytes_of("42 42 03");
	struct llc_hdr hdr;
	assert_int_equal(llc_hdr_parse(b.data, b.len, &hdr), LLC_LEN);
	assert_int_equal(hdr.dsap, LLC_SAP_STP);
	assert_false(hdr.is_snap);
	uint8_t out[LLC_LEN];
	assert_int_equal(llc_hdr_emit(out, sizeof(out), &hdr), LLC_LEN);
	assert_memory_equal(out, b.data, LLC_LEN);
	assert_needs_all(b.data, b.len, parse_llc);
}

static void snap(void **state)
{
	(void)state;
	struct bytes b = bytes_of("aa aa 03 00000c 2000");
	struct llc_hdr hdr;
	assert_int_equal(llc_hdr_parse(b.data, b.len, &hdr), LLC_SNAP_LEN);
	assert_true(hdr.is_snap);
	assert_int_equal(hdr.oui, 0x00000c);
	assert_int_equal(hdr.type, 0x2000);
	uint8_t out[LLC_SNAP_LEN];
	assert_int_equal(llc_hdr_emit(out, sizeof(out), &hdr), LLC_SNAP_LEN);
	assert_memory_equal(out, b.data, LLC_SNAP_LEN);
	assert_int_equal(llc_hdr_emit(out, LLC_SNAP_LEN - 1, &hdr), -ENOBUFS);
	assert_needs_all(b.data, b.len, parse_llc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(one_tag),
		cmocka_unit_test(two_tags),
		cmocka_unit_test(third_tag_is_payload),
		cmocka_unit_test(error_leaves_the_header_alone),
		cmocka_unit_test(llc),
		cmocka_unit_test(snap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
