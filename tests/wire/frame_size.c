/* SPDX-License-Identifier: MIT */
/*
 * The length of a frame from its headers, and what of tapserver's sizing must not come back:
 * numbers are those of its list of mistakes.
 */
#include "wire/frame_size.h"

#include "../unit.h"
#include "base/array.h"
#include "wire/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t frame[128];

/* A frame of this type with a payload of zeros but for these bytes. */
static void make(uint16_t type, const char *payload, size_t len)
{
	memset(frame, 0, sizeof(frame));
	memset(frame, 0xff, 6);
	frame[6] = 0x02;
	store_be16(frame + 12, type);
	memcpy(frame + 14, payload, len);
}

/* Of the first len bytes alone: nothing of what comes later stands behind them. */
static int size_of(size_t len)
{
	uint16_t type = 0;
	uint8_t *alone = malloc(len + 8);
	assert_non_null(alone);
	memset(alone, 0xa5, len + 8);
	memcpy(alone, frame, len);
	int size = frame_size(alone, len, &type);
	free(alone);
	return size;
}

/* The result with all bytes there, and never another with fewer: 0 up to a point. */
static void assert_size(int expected)
{
	size_t len = 0;
	while (len < sizeof(frame) && size_of(len) == 0)
		len++;
	assert_true(len >= 14);
	assert_true(len <= FRAME_SIZE_MIN + 8);
	for (; len <= sizeof(frame); len++)
		assert_int_equal(size_of(len), expected);
}

#define ASSERT_SIZE(type, payload, expected)               \
	do {                                               \
		make(type, payload, sizeof(payload) - 1u); \
		assert_size(expected);                     \
	} while (0)

static void ip(void **state)
{
	(void)state;
	ASSERT_SIZE(0x0800, "\x45\0\0\x24", 14 + 36);
	ASSERT_SIZE(0x0800, "\x45\0\x05\xdc", 1514);
	ASSERT_SIZE(0x0800, "\x46\0\0\x18", 14 + 24);
	ASSERT_SIZE(0x0800, "\x45\0\xff\xff", 14 + 65535);
	ASSERT_SIZE(0x86dd, "\x60\0\0\0\x05\x78\x06", 14 + 40 + 1400);
	ASSERT_SIZE(0x86dd, "\x60\0\0\0\0\0\x3b", 14 + 40);
}

/* 1: tapserver forgot the 40 bytes of the header itself. */
static void ip6_counts_its_header(void **state)
{
	(void)state;
	ASSERT_SIZE(0x86dd, "\x60\0\0\0\0\x08\x11", 62);
}

/* 2: tapserver compared the type behind a tag without swapping its bytes. */
static void tags(void **state)
{
	(void)state;
	ASSERT_SIZE(0x8100, "\0\x0c\x08\0\x45\0\0\x24", 18 + 36);
	ASSERT_SIZE(0x8100, "\0\x0c\0\x08\x45\0\0\x24", 18 + 8); /* 802.3, of 8 bytes. */
	ASSERT_SIZE(0x88a8, "\0\1\x81\0\0\2\x86\xdd\x60\0\0\0\0\x08\x11", 22 + 48);
	ASSERT_SIZE(0x8100, "\0\1\x81\0\0\2\x08\x06\0\1\x08\0\x06\x04", 22 + 28);
	ASSERT_SIZE(0x8100, "\0\1\0\x26", 18 + 38);
	/* A third tag is not looked behind. */
	ASSERT_SIZE(0x88a8, "\0\1\x81\0\0\2\x81\0\0\3\x08\0", -EPROTONOSUPPORT);
}

/* 3: tapserver waited for ever at 0 and went on in the middle of a frame below 20. */
static void ip_lengths_that_cannot_be(void **state)
{
	(void)state;
	ASSERT_SIZE(0x0800, "\x45\0\0\0", -EBADMSG);
	ASSERT_SIZE(0x0800, "\x45\0\0\x05", -EBADMSG);
	ASSERT_SIZE(0x0800, "\x45\0\0\x13", -EBADMSG);
	ASSERT_SIZE(0x0800, "\x46\0\0\x17", -EBADMSG);
	ASSERT_SIZE(0x0800, "\x44\0\0\x40", -EBADMSG);
	ASSERT_SIZE(0x0800, "\x65\0\0\x40", -EBADMSG);
	ASSERT_SIZE(0x86dd, "\x45\0\0\x24\0\x08\x11", -EBADMSG);
	ASSERT_SIZE(0x86dd, "\x60\0\0\0\0\0\0", -EBADMSG); /* A jumbogram. */
}

static void address_resolution(void **state)
{
	(void)state;
	ASSERT_SIZE(0x0806, "\0\1\x08\0\x06\x04\0\1", 42);
	ASSERT_SIZE(0x8035, "\0\1\x08\0\x06\x04\0\3", 42);
	ASSERT_SIZE(0x80f3, "\0\1\x80\x9b\x06\x04\0\1", 42);
	ASSERT_SIZE(0x0806, "\0\x20\x08\0\x14\x04\0\1", 14 + 8 + 48);
	ASSERT_SIZE(0x0806, "\0\1\x08\0\0\x04\0\1", -EBADMSG);
}

static void novell_in_all_framings(void **state)
{
	(void)state;
	ASSERT_SIZE(0x8137, "\xff\xff\0\x22", 14 + 34);
	ASSERT_SIZE(0x8137, "\xff\xff\0\x1d", -EBADMSG);
	ASSERT_SIZE(34, "\xff\xff\0\x22", 14 + 34);                           /* Raw. */
	ASSERT_SIZE(37, "\xe0\xe0\x03\xff\xff\0\x22", 14 + 37);               /* 802.2. */
	ASSERT_SIZE(42, "\xaa\xaa\x03\0\0\0\x81\x37\xff\xff\0\x22", 14 + 42); /* SNAP. */
}

static void apple_talk(void **state)
{
	(void)state;
	ASSERT_SIZE(0x809b, "\1\2\2\0\x1a", 14 + 3 + 26); /* Phase 1, long. */
	ASSERT_SIZE(0x809b, "\1\2\1\0\x09", 14 + 3 + 9);  /* And short. */
	ASSERT_SIZE(0x809b, "\0\x1a\0\0\0", 14 + 26);     /* Without LAP. */
	ASSERT_SIZE(0x809b, "\0\x05\0\0\0", -EBADMSG);
	/* Too short for a long header behind LAP, and so a long one without. */
	ASSERT_SIZE(0x809b, "\0\x1a\2\0\x0c", 14 + 26);
	ASSERT_SIZE(34, "\xaa\xaa\x03\x08\0\x07\x80\x9b", 14 + 34); /* Phase 2. */
}

static void lengths_of_802_3(void **state)
{
	(void)state;
	ASSERT_SIZE(38, "\x42\x42\x03", 52);
	ASSERT_SIZE(3, "\x42\x42\x03", 17);
	ASSERT_SIZE(1500, "\x42\x42\x03", 1514);
	ASSERT_SIZE(0, "", -EBADMSG); /* What zeros look like. */
	ASSERT_SIZE(2, "\x42\x42", -EBADMSG);
	ASSERT_SIZE(1501, "\x42\x42\x03", -EBADMSG);
	ASSERT_SIZE(0x05ff, "\x42\x42\x03", -EBADMSG);
}

static void pppoe(void **state)
{
	(void)state;
	ASSERT_SIZE(0x8863, "\x11\x09\0\0\0\x0c", 14 + 6 + 12);
	ASSERT_SIZE(0x8864, "\x11\0\0\1\0\x2a", 14 + 6 + 42);
	ASSERT_SIZE(0x8864, "\x21\0\0\1\0\x2a", -EBADMSG);
}

static void loopback(void **state)
{
	(void)state;
	ASSERT_SIZE(0x9000, "\0\0\1\0\0\0", 60);
	ASSERT_SIZE(0x9000, "\0\0\2\0\1\2\3\4\5\6\1\0\x07\0", 60);
	ASSERT_SIZE(0x9000, "\0\0\1\0\0\0data", -EPROTONOSUPPORT);
	ASSERT_SIZE(0x9000, "\xff\xff\1\0\0\0", -EPROTONOSUPPORT);
	ASSERT_SIZE(0x9000, "\0\0\x09\0\0\0", -EPROTONOSUPPORT);
}

static void other_types_are_named(void **state)
{
	static const uint16_t types[] = {
		0x88cc, 0x888e, 0x88e1, 0x0600, 0xffff, 0x88b5
	};
	uint16_t type = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		make(types[i], "", 0);
		assert_int_equal(frame_size(frame, 14, &type), -EPROTONOSUPPORT);
		assert_int_equal(type, types[i]);
	}
	make(0x8100, "\0\1\x88\xcc", 4);
	assert_int_equal(frame_size(frame, 18, &type), -EPROTONOSUPPORT);
	assert_int_equal(type, 0x88cc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip),
		cmocka_unit_test(ip6_counts_its_header),
		cmocka_unit_test(tags),
		cmocka_unit_test(ip_lengths_that_cannot_be),
		cmocka_unit_test(address_resolution),
		cmocka_unit_test(novell_in_all_framings),
		cmocka_unit_test(apple_talk),
		cmocka_unit_test(lengths_of_802_3),
		cmocka_unit_test(pppoe),
		cmocka_unit_test(loopback),
		cmocka_unit_test(other_types_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
