/* SPDX-License-Identifier: MIT */
/*
 * First bytes of peers, and what they are taken for: in whatever pieces they come, the
 * answer is one answer.
 */
#include "wire/detect.h"

#include "../unit.h"
#include "wire/cursor.h"

#include <string.h>

static uint8_t bytes[2048];
static size_t bytes_len;

static const uint8_t arp[42] = "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\x08\x06"
			       "\0\1\x08\0\x06\x04\0\1";
static const uint8_t dhcp[342] = "\xff\xff\xff\xff\xff\xff\x52\x54\0\x12\x34\x56\x08\0"
				 "\x45\0\1\x48";
static const uint8_t nd[86] = "\x33\x33\xff\x12\x34\x56\x52\x54\0\x12\x34\x56\x86\xdd"
			      "\x60\0\0\0\0\x20\x3a";
static const uint8_t stp[60] = "\1\x80\xc2\0\0\0\2\0\0\0\0\1\0\x26\x42\x42\3";
static const uint8_t lldp[100] = "\1\x80\xc2\0\0\x0e\2\0\0\0\0\1\x88\xcc\2\7\4";
static const uint8_t to_xerox[60] = "\0\0\0\1\2\3\2\0\0\0\0\1\x08\0\x45\0\0\x2e";

static void say(const char *head, size_t head_len, const uint8_t *frame, size_t len)
{
	memcpy(bytes, head, head_len);
	if (len > 0)
		memcpy(bytes + head_len, frame, len);
	bytes_len = head_len + len;
}

/* What is found at the end, and never anything else on the way. */
static void assert_found(enum detect_result expected)
{
	enum detect_result result = DETECT_MORE;
	for (size_t len = 1; len <= bytes_len && result == DETECT_MORE; len++)
		result = detect(bytes, len, false);
	assert_int_equal(result, expected);
	assert_int_equal(detect(bytes, bytes_len, false), expected);
	assert_int_equal(detect(bytes, bytes_len, true), expected);
}

static void say_framed(enum detect_result as, const uint8_t *frame, size_t len)
{
	char head[4];
	uint8_t *h = (uint8_t *)head;
	size_t head_len = as == DETECT_U32_BE ? 4 : as == DETECT_BARE ? 0 : 2;
	if (as == DETECT_U32_BE)
		store_be32(h, (uint32_t)len);
	if (as == DETECT_U16_BE)
		store_be16(h, (uint16_t)len);
	if (as == DETECT_U16_LE)
		store_le16(h, (uint16_t)len);
	say(head, head_len, frame, len);
}

static void frames_in_every_framing(void **state)
{
	static const struct {
		const uint8_t *frame;
		size_t len;
	} frames[] = { { arp, sizeof(arp) },
		       { dhcp, sizeof(dhcp) },
		       { nd, sizeof(nd) },
		       { stp, sizeof(stp) },
		       { to_xerox, sizeof(to_xerox) } };
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		for (int as = DETECT_U32_BE; as <= DETECT_BARE; as++) {
			say_framed((enum detect_result)as, frames[i].frame,
				   frames[i].len);
			assert_found((enum detect_result)as);
		}
	}
}

static void padded_frames(void **state)
{
	uint8_t padded[60] = { 0 };
	(void)state;
	memcpy(padded, arp, sizeof(arp));
	say_framed(DETECT_U16_LE, padded, sizeof(padded));
	assert_found(DETECT_U16_LE);
	say_framed(DETECT_U32_BE, padded, sizeof(padded));
	assert_found(DETECT_U32_BE);
}

/* A type that cannot be sized makes it likely, which is enough where a length is in front. */
static void unknown_types(void **state)
{
	(void)state;
	say_framed(DETECT_U32_BE, lldp, sizeof(lldp));
	assert_found(DETECT_U32_BE);
	say_framed(DETECT_U16_LE, lldp, sizeof(lldp));
	assert_found(DETECT_U16_LE);
	say_framed(DETECT_BARE, lldp, sizeof(lldp));
	assert_found(DETECT_UNKNOWN);
}

static void magic_words(void **state)
{
	(void)state;
	say("VMN3T\x16\0\0\0", 9, NULL, 0);
	assert_found(DETECT_VPNKIT);
	assert_int_equal(detect(bytes, 4, false), DETECT_MORE);
	assert_int_equal(detect(bytes, 4, true), DETECT_UNKNOWN);
	say("\xce\xfa\xed\xfe\3\0\0\0", 8, NULL, 0);
	assert_found(DETECT_VDE_CTL);
	say("\xfe\xed\xfa\xce\0\0\0\3", 8, NULL, 0);
	assert_found(DETECT_VDE_CTL);
	say("\x7e\xff\x7d\x23\xc0\x21", 6, NULL, 0);
	assert_found(DETECT_PPP);
	say("\x2e\0\x7e\xff\x7d\x23\xc0\x21", 8, NULL, 0);
	assert_found(DETECT_PPP);
}

static void what_nobody_speaks(void **state)
{
	uint8_t noise[DETECT_LEN] = { 0 };
	(void)state;
	assert_int_equal(detect(noise, 0, false), DETECT_MORE);
	assert_int_equal(detect(noise, 0, true), DETECT_UNKNOWN);
	say("GET / HTTP/1.1\r\nHost: localhost:5059\r\nUser-Agent: curl\r\n\r\n", 57,
	    NULL, 0);
	assert_int_equal(detect(bytes, bytes_len, true), DETECT_UNKNOWN);
	memset(noise, 0, sizeof(noise));
	assert_int_equal(detect(noise, sizeof(noise), false), DETECT_UNKNOWN);
	memset(noise, 0xff, sizeof(noise));
	assert_int_equal(detect(noise, sizeof(noise), false), DETECT_UNKNOWN);
}

/* DETECT_LEN bytes are enough, whatever they are. */
static void the_answer_comes_in_time(void **state)
{
	uint64_t seed = test_seed();
	uint8_t noise[DETECT_LEN];
	static const uint8_t ethertypes[][2] = {
		{ 0x08, 0x00 }, { 0x90, 0x00 }, { 0x86, 0xdd }, { 0x81, 0x00 }
	};
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(noise); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			noise[i] = (uint8_t)(seed >> 56);
		}
		/* Mostly something like a frame, so that the looks go deep. */
		memcpy(noise + seed % 5, "\0\x2a", seed >> 20 & 2);
		memcpy(noise + 12 + seed % 5, ethertypes[seed >> 11 & 3], 2);
		assert_int_not_equal(detect(noise, sizeof(noise), false), DETECT_MORE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_in_every_framing),
		cmocka_unit_test(padded_frames),
		cmocka_unit_test(unknown_types),
		cmocka_unit_test(magic_words),
		cmocka_unit_test(what_nobody_speaks),
		cmocka_unit_test(the_answer_comes_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
