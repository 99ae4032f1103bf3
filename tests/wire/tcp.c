/* SPDX-License-Identifier: MIT */
/*
 * TCP headers, and options as systems send them and as attackers do.
 */
#include "wire/tcp.h"

#include "base/array.h"
#include "bytes.h"

#include <errno.h>

/* A Linux SYN: MSS 1460, SACK permitted, timestamps 11 and 22, NOP, window scale 7. */
#define SYN                                                \
	"9c40 0050 00000001 00000000 a002 faf0 2c59 0000 " \
	"020405b4 0402 080a0000000b00000016 01 030307"
/* An ACK with timestamps and three SACK blocks: 40 bytes of options. */
#define SACK                                                                   \
	"9c40 0050 00000001 00000002 f010 2000 6dc5 0000 "                     \
	"0101080a0000000b00000016 0101051a 000003e8000007d0 00000bb800000fa0 " \
	"0000138800001770"

static int parse(const uint8_t *data, size_t len)
{
	struct tcp_hdr tcp;
	return tcp_hdr_parse(data, len, &tcp);
}

static int parse_options(const uint8_t *data, size_t len)
{
	struct tcp_opts opts;
	return tcp_opts_parse(data, len, &opts);
}

static void assert_emits(const struct tcp_hdr *tcp, const struct bytes *want)
{
	uint8_t out[TCP_LEN + TCP_OPTIONS_MAX];
	assert_int_equal(tcp_hdr_emit(out, want->len, tcp), want->len);
	assert_memory_equal(out, want->data, want->len);
	assert_int_equal(tcp_hdr_emit(out, want->len - 1, tcp), -ENOBUFS);
}

static void syn(void **state)
{
	(void)state;
	struct bytes b = bytes_of(SYN);
	struct tcp_hdr tcp;
	assert_int_equal(tcp_hdr_parse(b.data, b.len, &tcp), 40);
	assert_int_equal(tcp.sport, 40000);
	assert_int_equal(tcp.dport, 80);
	assert_int_equal(tcp.seq, 1);
	assert_int_equal(tcp.ack, 0);
	assert_int_equal(tcp.flags, TCP_SYN);
	assert_int_equal(tcp.window, 64240);
	assert_int_equal(tcp.csum, 0x2c59);
	assert_int_equal(tcp.urgent, 0);
	assert_emits(&tcp, &b);
	assert_needs_all(b.data, b.len, parse);

	struct tcp_opts opts;
	assert_int_equal(tcp_opts_parse(tcp.options, tcp.options_len, &opts), 4);
	assert_true(opts.has_mss && opts.sack_permitted && opts.has_timestamps &&
		    opts.has_wscale);
	assert_int_equal(opts.mss, 1460);
	assert_int_equal(opts.ts_val, 11);
	assert_int_equal(opts.ts_ecr, 22);
	assert_int_equal(opts.wscale, 7);
	assert_int_equal(opts.sacks_n, 0);

	/* They come out as Linux packs them. */
	uint8_t out[TCP_OPTIONS_MAX];
	assert_int_equal(tcp_opts_emit(out, &opts), 20);
	assert_memory_equal(out, b.data + TCP_LEN, 20);
}

static void sack(void **state)
{
	(void)state;
	struct bytes b = bytes_of(SACK);
	struct tcp_hdr tcp;
	struct tcp_opts opts;
	assert_int_equal(tcp_hdr_parse(b.data, b.len, &tcp), 60);
	assert_emits(&tcp, &b);
	assert_int_equal(tcp_opts_parse(tcp.options, tcp.options_len, &opts), 2);
	assert_int_equal(opts.sacks_n, 3);
	assert_int_equal(opts.sacks[0].left, 1000);
	assert_int_equal(opts.sacks[2].left, 5000);
	assert_int_equal(opts.sacks[2].right, 6000);

	/* These options are padded as emit pads them, so they come out byte for byte. */
	uint8_t out[TCP_OPTIONS_MAX];
	assert_int_equal(tcp_opts_emit(out, &opts), 40);
	assert_memory_equal(out, b.data + TCP_LEN, 40);
}

/* Also the three reserved ones are kept, so that what is forwarded is not changed. */
static void every_flag_survives(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= TCP_FLAGS_MASK; flags++) {
		uint8_t out[TCP_LEN];
		struct tcp_hdr tcp = { .flags = (uint16_t)flags };
		assert_int_equal(tcp_hdr_emit(out, sizeof(out), &tcp), TCP_LEN);
		tcp.flags = 0;
		assert_int_equal(tcp_hdr_parse(out, sizeof(out), &tcp), TCP_LEN);
		assert_int_equal(tcp.flags, flags);
	}
}

static void data_offset_lies(void **state)
{
	(void)state;
	for (unsigned words = 0; words < 16; words++) {
		struct bytes b = bytes_of(SYN);
		b.data[TCP_OFF_FLAGS] = (uint8_t)(words << 4);
		int want = words >= 5 && words <= 10 ? (int)words * 4 : -EBADMSG;
		assert_int_equal(bytes_parse(b.data, b.len, parse), want);
	}
}

static void options_round_trip(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 16; bits++) {
		struct tcp_opts opts = {
			.has_mss = bits & 1,
			.mss = bits & 1 ? 1400 : 0,
			.has_wscale = bits & 2,
			.wscale = bits & 2 ? 14 : 0,
			.has_timestamps = bits & 4,
			.ts_val = bits & 4 ? 0xfffffffe : 0,
			.ts_ecr = bits & 4 ? 3 : 0,
			.sack_permitted = bits & 8,
		};
		uint8_t buf[TCP_OPTIONS_MAX];
		int len = tcp_opts_emit(buf, &opts);
		assert_true(len >= 0 && len % 4 == 0);
		struct tcp_opts back;
		assert_true(tcp_opts_parse(buf, (size_t)len, &back) >= 0);
		assert_int_equal(back.has_mss, opts.has_mss);
		assert_int_equal(back.mss, opts.mss);
		assert_int_equal(back.has_wscale, opts.has_wscale);
		assert_int_equal(back.wscale, opts.wscale);
		assert_int_equal(back.has_timestamps, opts.has_timestamps);
		assert_int_equal(back.ts_val, opts.ts_val);
		assert_int_equal(back.ts_ecr, opts.ts_ecr);
		assert_int_equal(back.sack_permitted, opts.sack_permitted);
	}
}

/* Timestamps alone are read and written at a glance; with NOPs or a block behind, they are not. */
static void timestamps_alone_are_like_others(void **state)
{
	(void)state;
	for (unsigned at = 4 * 256; at < 12 * 256; at++) {
		uint8_t data[16] = {
			1, 1, 8, 10, 0xff, 1, 2, 3, 0x80, 5, 6, 7, 1, 1, 1, 1
		};
		struct tcp_opts alone = { 0 }, followed = { 0 };
		data[at / 256] = (uint8_t)at;
		assert_int_equal(tcp_opts_parse(data, 12, &alone), 1);
		assert_int_equal(tcp_opts_parse(data, 16, &followed), 1);
		assert_memory_equal(&alone, &followed, sizeof(alone));
	}
	struct tcp_opts opts = { .has_timestamps = true,
				 .ts_val = 0xfedcba98,
				 .ts_ecr = 7 };
	uint8_t alone[TCP_OPTIONS_MAX], followed[TCP_OPTIONS_MAX];
	assert_int_equal(tcp_opts_emit(alone, &opts), 12);
	opts.sacks_n = 1;
	assert_int_equal(tcp_opts_emit(followed, &opts), 24);
	assert_memory_equal(alone, followed, 12);
}

static void options_that_do_not_fit(void **state)
{
	(void)state;
	uint8_t buf[TCP_OPTIONS_MAX];
	struct tcp_opts opts = { .sacks_n = 4 };
	assert_int_equal(tcp_opts_emit(buf, &opts), 36);
	opts.has_timestamps = true;
	assert_int_equal(tcp_opts_emit(buf, &opts), -ENOBUFS);

	uint8_t out[100];
	struct tcp_hdr tcp = { .options_len = 44 };
	assert_int_equal(tcp_hdr_emit(out, sizeof(out), &tcp), -EINVAL);
	tcp.options_len = 2;
	assert_int_equal(tcp_hdr_emit(out, sizeof(out), &tcp), -EINVAL);
}

/* How many options are understood in what peers may send; -1 where all of it is refused. */
static void strange_options(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *hex;
		int known;
	} cases[] = {
		{ "nothing", "", 0 },
		{ "end before all else", "00 020405b4", 0 },
		{ "only NOPs", "01010101", 0 },
		{ "length 0", "0200", -1 },
		{ "length 1", "0201", -1 },
		{ "unknown kind of length 0", "fd00", -1 },
		{ "kind without a length", "0101 02", -1 },
		{ "past the end", "020405", -1 },
		{ "last is past the end", "020405b4 080a00000001", -1 },
		{ "unknown kind", "fd04abcd 020405b4", 1 },
		{ "MSS of length 3", "020305 01", 0 },
		{ "window scale of length 4", "03040700", 0 },
		{ "SACK permitted of length 3", "040300 01", 0 },
		{ "timestamps of length 6", "080600000001 0101", 0 },
		{ "SACK without a block", "0502", 0 },
		{ "SACK with half a block", "0506000003e8", 0 },
		{ "MSS twice", "020405b4 02040064", 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = bytes_of(cases[i].hex);
		int want = cases[i].known < 0 ? -EBADMSG : cases[i].known;
		int r = bytes_parse(b.data, b.len, parse_options);
		if (r != want)
			fail_msg("%s: %d, not %d", cases[i].what, r, want);
	}
}

static void last_of_two_counts(void **state)
{
	(void)state;
	struct bytes b =
		bytes_of("020405b4 02040064 050a000000010000000205 0a0000000300000004");
	struct tcp_opts opts;
	assert_int_equal(tcp_opts_parse(b.data, b.len, &opts), 4);
	assert_int_equal(opts.mss, 100);
	assert_int_equal(opts.sacks_n, 1);
	assert_int_equal(opts.sacks[0].left, 3);
}

static void window_scale_is_clamped(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 256; shift++) {
		uint8_t data[] = { TCP_OPT_WSCALE, 3, (uint8_t)shift };
		struct tcp_opts opts;
		assert_int_equal(tcp_opts_parse(data, sizeof(data), &opts), 1);
		assert_int_equal(opts.wscale, shift < 14 ? shift : 14);
	}
}

/* Longer than any header can carry: the array of blocks must not overflow. */
static void endless_sack_stays_inside(void **state)
{
	(void)state;
	uint8_t data[250] = { TCP_OPT_SACK, 250 };
	struct tcp_opts opts;
	assert_int_equal(tcp_opts_parse(data, sizeof(data), &opts), 1);
	assert_int_equal(opts.sacks_n, TCP_SACKS_MAX);
}

static void flipped_bits_stay_inside(void **state)
{
	(void)state;
	try_each_bit_flipped(bytes_of("020405b4 0402 080a0000000b00000016 01 030307"),
			     parse_options);
	try_each_bit_flipped(bytes_of(SACK), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn),
		cmocka_unit_test(sack),
		cmocka_unit_test(every_flag_survives),
		cmocka_unit_test(data_offset_lies),
		cmocka_unit_test(options_round_trip),
		cmocka_unit_test(timestamps_alone_are_like_others),
		cmocka_unit_test(options_that_do_not_fit),
		cmocka_unit_test(strange_options),
		cmocka_unit_test(last_of_two_counts),
		cmocka_unit_test(window_scale_is_clamped),
		cmocka_unit_test(endless_sack_stays_inside),
		cmocka_unit_test(flipped_bits_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
