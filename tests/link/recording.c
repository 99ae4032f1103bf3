/* SPDX-License-Identifier: MIT */
/*
 * Capture files of both forms as libpcap reads them: the same frames, times to the nanosecond,
 * and link type. Which way a frame went libpcap does not tell, so that is read from the bytes.
 */
#include "link/recording.h"

#include "../unit.h"
#include "wire/cursor.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOCH        INT64_C(1700000000123456789)
#define FRAMES       67u
#define FILE_LEN_MAX 200000u

static char path[80];

static const char *name_file(const char *suffix)
{
	(void)snprintf(path, sizeof(path), "/tmp/weft-recording-%ld%s", (long)getpid(),
		       suffix);
	return path;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static uint8_t byte_of(uint32_t number, uint32_t at)
{
	return (uint8_t)(number * 31 + at * 7);
}

/* Frame i has 14 + i bytes, so that each rest of a word occurs; it is sent if i is even. */
static struct weft_frame frame_of(uint32_t i, uint8_t buf[14 + FRAMES])
{
	for (uint32_t k = 0; k < 14 + i; k++)
		buf[k] = byte_of(i, k);
	return (struct weft_frame){ .data = buf, .len = 14 + i };
}

static int64_t time_of(uint32_t i)
{
	return EPOCH + (int64_t)i * INT64_C(4300000001);
}

static struct recording *begin(const char *suffix, unsigned flags, uint32_t snap_len)
{
	const struct recording_opts opts = { .path = name_file(suffix),
					     .name = "tap:weft0",
					     .flags = flags,
					     .snap_len = snap_len };
	struct recording *r;
	struct weft_error err;
	assert_int_equal(recording_new(&opts, &err, &r), 0);
	return r;
}

static void record(const char *suffix, unsigned flags, uint32_t snap_len)
{
	uint8_t buf[14 + FRAMES];
	struct recording *r = begin(suffix, flags, snap_len);
	for (uint32_t i = 0; i < FRAMES; i++) {
		const struct weft_frame frame = frame_of(i, buf);
		recording_add(r, &frame, time_of(i), i % 2 == 0);
	}
	assert_true(recording_flush(r));
	recording_free(r);
}

static pcap_t *open_file(int link_type, int snap_len)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *file = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!file)
		fail_msg("%s", why);
	assert_int_equal(pcap_datalink(file), link_type);
	assert_int_equal(pcap_snapshot(file), snap_len);
	return file;
}

static void expect_frame(pcap_t *file, uint32_t i, uint32_t snap_len)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	assert_int_equal(pcap_next_ex(file, &hdr, &data), 1);
	assert_int_equal(hdr->len, 14 + i);
	assert_int_equal(hdr->caplen, 14 + i < snap_len ? 14 + i : snap_len);
	assert_true((int64_t)hdr->ts.tv_sec * 1000000000 + hdr->ts.tv_usec == time_of(i));
	for (uint32_t k = 0; k < hdr->caplen; k++)
		assert_int_equal(data[k], byte_of(i, k));
}

static void expect_file(int link_type, uint32_t snap_len)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	pcap_t *file = open_file(link_type, (int)snap_len);
	for (uint32_t i = 0; i < FRAMES; i++)
		expect_frame(file, i, snap_len);
	assert_int_equal(pcap_next_ex(file, &hdr, &data), PCAP_ERROR_BREAK);
	pcap_close(file);
}

static void both_forms_say_the_same(void **state)
{
	static const char *const suffixes[] = { ".pcap", ".pcapng" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		record(suffixes[i], 0, 262144);
		expect_file(DLT_EN10MB, 262144);
		(void)unlink(path);
		record(suffixes[i], WEFT_LINK_IP, 262144);
		expect_file(DLT_RAW, 262144);
		(void)unlink(path);
		record(suffixes[i], WEFT_LINK_PPP, 262144);
		expect_file(DLT_PPP, 262144);
		(void)unlink(path);
		record(suffixes[i], 0, 64);
		expect_file(DLT_EN10MB, 64);
		if (i == 0)
			(void)unlink(path);
	}
}

/* ---- what pcapng says beyond that -------------------------------------------------------- */

static struct reader read_file(uint8_t bytes[FILE_LEN_MAX])
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	const size_t len = fread(bytes, 1, FILE_LEN_MAX, file);
	assert_int_equal(fclose(file), 0);
	return reader_of(bytes, len);
}

/* The next block, whose length stands at both of its ends. */
static struct reader next_block(struct reader *file, uint32_t type)
{
	assert_int_equal(reader_u32_le(file), type);
	const uint32_t len = reader_u32_le(file);
	assert_int_equal(len % 4, 0);
	const struct reader block = reader_sub(file, len - 12);
	assert_int_equal(reader_u32_le(file), len);
	assert_false(file->bad);
	return block;
}

/* The next option of a block, which is behind its fixed fields; 0 at the end. */
static struct reader next_option(struct reader *block, uint16_t code)
{
	assert_int_equal(reader_u16_le(block), code);
	const uint16_t len = reader_u16_le(block);
	const struct reader value = reader_sub(block, len);
	reader_skip(block, (4u - len % 4u) % 4u);
	assert_false(block->bad);
	return value;
}

static void expect_text(struct reader value, const char *text)
{
	assert_int_equal(reader_left(&value), strlen(text));
	assert_memory_equal(value.data, text, strlen(text));
}

static void pcapng_names_its_link_and_the_ways(void **state)
{
	static uint8_t bytes[FILE_LEN_MAX];
	(void)state;
	record(".pcapng", 0, 262144);
	struct reader file = read_file(bytes);
	struct reader block = next_block(&file, 0x0a0d0d0a);
	reader_skip(&block, 16);
	expect_text(next_option(&block, 4), "weft");
	(void)next_option(&block, 0);
	assert_int_equal(reader_left(&block), 0);
	block = next_block(&file, 1);
	reader_skip(&block, 8);
	expect_text(next_option(&block, 2), "tap:weft0");
	expect_text(next_option(&block, 9), "\t"); /* 10^-9 s */
	(void)next_option(&block, 0);
	for (uint32_t i = 0; i < FRAMES; i++) {
		block = next_block(&file, 6);
		reader_skip(&block, 20 + (14 + i + 3) / 4 * 4);
		struct reader flags = next_option(&block, 2);
		assert_int_equal(reader_u32_le(&flags), i % 2 == 0 ? 2 : 1);
		(void)next_option(&block, 0);
		assert_int_equal(reader_left(&block), 0);
	}
	assert_int_equal(reader_left(&file), 0);
}

static void a_long_name_is_cut(void **state)
{
	static uint8_t bytes[FILE_LEN_MAX];
	char name[300] = "";
	const struct recording_opts opts = { .path = name_file(".pcapng"),
					     .name = name,
					     .snap_len = 64 };
	struct recording *r;
	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	assert_int_equal(recording_new(&opts, NULL, &r), 0);
	recording_free(r);
	struct reader file = read_file(bytes);
	(void)next_block(&file, 0x0a0d0d0a);
	struct reader block = next_block(&file, 1);
	reader_skip(&block, 8);
	assert_int_equal(next_option(&block, 2).len, 64);
	pcap_close(open_file(DLT_EN10MB, 64));
}

static void what_cannot_be_written_is_told(void **state)
{
	static const char *const names[] = { "/nonexistent/x.pcap",
					     "/nonexistent/x.pcapng" };
	struct weft_error err;
	struct recording *r;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct recording_opts opts = { .path = names[i], .name = "x" };
		assert_int_equal(recording_new(&opts, &err, &r), -EIO);
		assert_non_null(strstr(err.text, names[i]));
		assert_non_null(strstr(err.text, "No such file"));
	}
	recording_free(NULL);
}

/* /dev/full takes nothing. */
static void a_full_disk_is_noticed(void **state)
{
	uint8_t buf[14 + FRAMES];
	const struct weft_frame frame = frame_of(1, buf);
	struct recording *r;
	(void)state;
	(void)name_file(".pcapng");
	assert_int_equal(symlink("/dev/full", path), 0);
	r = begin(".pcapng", 0, 64);
	recording_add(r, &frame, EPOCH, true);
	assert_false(recording_flush(r));
	recording_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(both_forms_say_the_same, teardown),
		cmocka_unit_test_teardown(pcapng_names_its_link_and_the_ways, teardown),
		cmocka_unit_test_teardown(a_long_name_is_cut, teardown),
		cmocka_unit_test(what_cannot_be_written_is_told),
		cmocka_unit_test_teardown(a_full_disk_is_noticed, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
