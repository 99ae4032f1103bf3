/* SPDX-License-Identifier: MIT */
/*
 * Reports and queries as real hosts send them, byte by byte; our own queries, read back; and
 * what must not be believed.
 */
#include "wire/igmp.h"

#include "base/array.h"
#include "bytes.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip6.h"

#include <errno.h>
#include <netinet/in.h>

/* Linux: IGMPv3, 239.255.255.250 TO_EX {}. */
#define REPORT3                                            \
	"01005e000016 020000000001 0800"                   \
	"46c0 0028 0000 4000 01 02 4203 0a000001 e0000016" \
	"94040000 2200 0000 0000 0001 0400 0000 effffffa"
/* The same host leaves it: TO_IN {}. */
#define LEAVE3                                             \
	"01005e000016 020000000001 0800"                   \
	"46c0 0028 0000 4000 01 02 4203 0a000001 e0000016" \
	"94040000 2200 0000 0000 0001 0300 0000 effffffa"
/* IGMPv2, padded to 60 bytes as Ethernet has it. */
#define REPORT2                                            \
	"01005e7ffffa 020000000001 0800"                   \
	"4600 0020 0000 0000 01 02 41ee 0a000001 effffffa" \
	"94040000 1600 0000 effffffa 0000 0000 0000 0000 0000 0000 0000"
/* MLDv2 of fe80::1: ff05::fb TO_EX {}. */
#define MLD2                                                   \
	"333300000016 020000000001 86dd"                       \
	"60000000 0024 00 01 fe800000000000000000000000000001" \
	"ff020000000000000000000000000016 3a00050200000100"    \
	"8f00 0000 0000 0001 0400 0000 ff0500000000000000000000000000fb"

/* MLDv1 of fe80::1: ff05::fb, 131 for a report. */
#define MLD1                                                   \
	"3333000000fb 020000000001 86dd"                       \
	"60000000 0020 00 01 fe800000000000000000000000000001" \
	"ff0500000000000000000000000000fb 3a00050200000100"    \
	"8300 0000 0000 0000 ff0500000000000000000000000000fb"

static struct weft_frame frame_of(struct bytes *b)
{
	return (struct weft_frame){ .data = b->data, .len = (uint32_t)b->len };
}

static void assert_group(const struct igmp_record *record, const char *text)
{
	char buf[WEFT_IP_TEXT];
	assert_string_equal(weft_ip_print(&record->group, buf), text);
}

/* Fills in the checksum of the message, which the texts leave to us. */
static void mend(struct bytes *b)
{
	const bool is_6 = b->data[13] == 0xdd;
	const size_t off = ETHER_LEN + (is_6 ? IP6_LEN + 8 : 24);
	const size_t len = is_6 ? b->len - off : b->data[17] - 24u;
	const uint8_t *addresses = b->data + ETHER_LEN + IP6_OFF_SRC;
	uint32_t sum = 0;
	store_be16(b->data + off + 2, 0);
	if (is_6)
		sum = checksum_pseudo6(addresses, addresses + 16, IPPROTO_ICMPV6,
				       (uint32_t)len);
	store_be16(b->data + off + 2,
		   checksum_finish(checksum_add(sum, b->data + off, len)));
}

static void one_record(const char *text, enum igmp_kind kind, const char *group,
		       bool is_member)
{
	struct bytes b = bytes_of(text);
	struct igmp_msg msg;
	struct igmp_record record;
	mend(&b);
	const struct weft_frame frame = frame_of(&b);
	assert_int_equal(igmp_find(&frame, &msg), 0);
	assert_int_equal(msg.kind, kind);
	assert_true(igmp_next(&msg, &record));
	assert_group(&record, group);
	assert_int_equal(record.is_member, is_member);
	assert_false(igmp_next(&msg, &record));
}

static void reports(void **state)
{
	(void)state;
	one_record(REPORT3, IGMP_REPORT, "239.255.255.250", true);
	one_record(LEAVE3, IGMP_REPORT, "239.255.255.250", false);
	one_record(REPORT2, IGMP_REPORT, "239.255.255.250", true);
	one_record(MLD2, IGMP_REPORT, "ff05::fb", true);
}

/* Each one byte wrong is none, or another one; a message cut short anywhere is refused. */
static void wrong_checksums(void **state)
{
	static const char *const texts[] = { REPORT3, LEAVE3, REPORT2, MLD2 };
	static const size_t begins[] = { 38, 38, 38, 62 };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct bytes b = bytes_of(texts[i]);
		struct igmp_msg msg;
		mend(&b);
		struct weft_frame frame = frame_of(&b);
		b.data[begins[i] + 4] ^= 0x10;
		assert_int_equal(igmp_find(&frame, &msg), -EBADMSG);
		b.data[begins[i] + 4] ^= 0x10;
		assert_int_equal(igmp_find(&frame, &msg), 0);
		for (frame.len = 0; frame.len < begins[i] + 8; frame.len++)
			assert_true(igmp_find(&frame, &msg) < 0);
	}
}

/* Versions 1 and 2 of IGMP, and 1 of MLD: one group, and what the type says of it. */
static void messages_of_one_group(void **state)
{
	static const struct {
		uint8_t type;
		enum igmp_kind kind;
		int found;
	} rows[] = { { IGMP_TYPE_REPORT1, IGMP_REPORT, 0 },
		     { IGMP_TYPE_REPORT2, IGMP_REPORT, 0 },
		     { IGMP_TYPE_LEAVE, IGMP_LEAVE, 0 },
		     { 0x13, IGMP_REPORT, -ENOMSG }, /* DVMRP */
		     { ICMP6_MLD_REPORT, IGMP_REPORT, 0 },
		     { ICMP6_MLD_DONE, IGMP_LEAVE, 0 },
		     { ICMP6_NEIGHBOR_SOLICIT, IGMP_REPORT, -ENOMSG } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const bool is_6 = rows[i].type >= ICMP6_MLD_QUERY;
		struct bytes b = bytes_of(is_6 ? MLD1 : REPORT2);
		struct igmp_msg msg;
		struct igmp_record record;
		b.data[is_6 ? 62 : 38] = rows[i].type;
		mend(&b);
		const struct weft_frame frame = frame_of(&b);
		assert_int_equal(igmp_find(&frame, &msg), rows[i].found);
		if (rows[i].found < 0)
			continue;
		assert_int_equal(msg.kind, rows[i].kind);
		assert_true(igmp_next(&msg, &record));
		assert_group(&record, is_6 ? "ff05::fb" : "239.255.255.250");
		assert_int_equal(record.is_member, rows[i].kind == IGMP_REPORT);
		assert_false(igmp_next(&msg, &record));
	}
}

/* However long the frame is: what IPv6 says of the length counts. */
static void mld_that_is_too_short(void **state)
{
	struct bytes b = bytes_of(MLD1);
	struct igmp_msg msg;
	(void)state;
	b.data[ETHER_LEN + 5] -= 1;
	const struct weft_frame frame = frame_of(&b);
	assert_int_equal(igmp_find(&frame, &msg), -EBADMSG);
	b = bytes_of(MLD2);
	b.data[ETHER_LEN + 5] = 8 + 7;
	assert_int_equal(igmp_find(&frame, &msg), -EBADMSG);
}

/* ALLOW without sources and BLOCK change nothing; EXCLUDE is to hear whoever is not named. */
static void types_of_records(void **state)
{
	static const struct {
		const char *record;
		bool is_useful, is_member;
	} rows[] = {
		{ "0100 0000 effffffa", true, false },
		{ "0100 0001 effffffa 0a000001", true, true },
		{ "0200 0000 effffffa", true, true },
		{ "0500 0000 effffffa", false, false },
		{ "0500 0001 effffffa 0a000001", true, true },
		{ "0600 0001 effffffa 0a000001", false, false },
		{ "0000 0001 effffffa 0a000001", false, false },
		{ "0700 0001 effffffa 0a000001", false, false },
		{ "0200 0000 0a000001", false, false }, /* no group */
		{ "0201 0000 effffffa", false, false }, /* what follows it is not there */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes b = bytes_of(REPORT3), r = bytes_of(rows[i].record);
		struct igmp_msg msg;
		struct igmp_record record;
		memcpy(b.data + 38 + 8, r.data, r.len);
		b.len = 38 + 8 + r.len;
		b.data[ETHER_LEN + 3] = (uint8_t)(b.len - ETHER_LEN);
		mend(&b);
		const struct weft_frame frame = frame_of(&b);
		assert_int_equal(igmp_find(&frame, &msg), 0);
		assert_int_equal(igmp_next(&msg, &record), rows[i].is_useful);
		if (rows[i].is_useful)
			assert_int_equal(record.is_member, rows[i].is_member);
	}
}

static void mld_from_afar(void **state)
{
	struct bytes b = bytes_of(MLD2);
	struct igmp_msg msg;
	(void)state;
	b.data[ETHER_LEN + IP6_OFF_HOP_LIMIT] = 2;
	mend(&b);
	const struct weft_frame frame = frame_of(&b);
	assert_int_equal(igmp_find(&frame, &msg), -EBADMSG);
	b.data[ETHER_LEN + IP6_OFF_HOP_LIMIT] = 1;
	b.data[ETHER_LEN + IP6_OFF_SRC] = 0x20; /* a global address */
	mend(&b);
	assert_int_equal(igmp_find(&frame, &msg), -EBADMSG);
}

/* A report that promises more records than it has: the first is read, and no more. */
static void too_few_records(void **state)
{
	struct bytes b = bytes_of(REPORT3);
	struct igmp_msg msg;
	struct igmp_record record;
	(void)state;
	store_be16(b.data + 38 + 6, 0xffff);
	store_be16(b.data + 38 + 2, 0);
	store_be16(b.data + 38 + 2, checksum(b.data + 38, 16));
	const struct weft_frame frame = frame_of(&b);
	assert_int_equal(igmp_find(&frame, &msg), 0);
	assert_true(igmp_next(&msg, &record));
	assert_false(igmp_next(&msg, &record));
}

static void our_queries(void **state)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static const char *const heads[] = {
		"01005e000001 020000000009 0800",
		"333300000001 020000000009 86dd 60000000 0024 00 01"
		"fe80000000000000000000fffe000009" /* of its MAC */
		"ff020000000000000000000000000001",
	};
	const struct igmp_querier querier = { .mac = { { 2, 0, 0, 0, 0, 9 } },
					      .interval_s = 125,
					      .answer_ms = 10000 };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t buf[IGMP_QUERY_FRAME_MAX];
		struct igmp_msg msg;
		struct igmp_record record;
		struct weft_frame frame = { .data = buf };
		frame.len = (uint32_t)igmp_query_emit(buf, families[i], &querier);
		assert_in_range(frame.len, 40, sizeof(buf));
		assert_int_equal(igmp_find(&frame, &msg), 0);
		assert_int_equal(msg.kind, IGMP_QUERY);
		assert_int_equal(msg.family, families[i]);
		assert_true(msg.is_general);
		assert_false(igmp_next(&msg, &record));
		const struct bytes head = bytes_of(heads[i]);
		assert_memory_equal(buf, head.data, head.len);
	}
}

static void the_group_of_a_frame(void **state)
{
	struct bytes four = bytes_of(REPORT2), six = bytes_of(MLD2);
	struct weft_frame frame = frame_of(&four);
	struct weft_ip group;
	char text[WEFT_IP_TEXT];
	(void)state;
	assert_true(igmp_group_of(&frame, &group));
	assert_string_equal(weft_ip_print(&group, text), "239.255.255.250");
	four.data[ETHER_LEN + 16] = 10; /* to a host */
	assert_false(igmp_group_of(&frame, &group));
	four.data[12] = 0x81; /* tagged */
	assert_false(igmp_group_of(&frame, &group));
	frame = frame_of(&six);
	assert_true(igmp_group_of(&frame, &group));
	assert_string_equal(weft_ip_print(&group, text), "ff02::16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports),
		cmocka_unit_test(wrong_checksums),
		cmocka_unit_test(mld_from_afar),
		cmocka_unit_test(too_few_records),
		cmocka_unit_test(our_queries),
		cmocka_unit_test(the_group_of_a_frame),
		cmocka_unit_test(messages_of_one_group),
		cmocka_unit_test(mld_that_is_too_short),
		cmocka_unit_test(types_of_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
