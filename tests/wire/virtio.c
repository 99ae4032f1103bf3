/* SPDX-License-Identifier: MIT */
/*
 * The virtio-net header: its bytes, what is taken over from it, and what cannot be true of any
 * frame. That it is the kernel's is seen by tests/link/vnet.c.
 */
#include "wire/virtio.h"

#include "bytes.h"

#include <errno.h>
#include <stdbool.h>

#define FRAME_LEN 100u

static void bytes_and_back(void **state)
{
	(void)state;
	/* NEEDS_CSUM; TCPv4 with ECN; 66, 1448, 34 and 16. */
	const struct bytes b = bytes_of("01 81 4200 a805 2200 1000 0000");
	struct virtio_hdr hdr = virtio_hdr_load(b.data);
	assert_int_equal(hdr.flags, VIRTIO_NEEDS_CSUM);
	assert_int_equal(hdr.gso_type, WEFT_GSO_TCP4 | VIRTIO_GSO_ECN);
	assert_int_equal(hdr.hdr_len, 66);
	assert_int_equal(hdr.gso_size, 1448);
	assert_int_equal(hdr.csum_start, 34);
	assert_int_equal(hdr.csum_offset, 16);

	struct weft_offload facts;
	uint8_t out[VIRTIO_LEN];
	memset(out, 0xff, sizeof(out));
	assert_int_equal(virtio_hdr_read(&hdr, FRAME_LEN, &facts), 0);
	assert_int_equal(facts.flags, WEFT_OFFLOAD_NEEDS_CSUM | WEFT_OFFLOAD_ECN);
	hdr = virtio_hdr_of(&facts);
	virtio_hdr_store(out, &hdr);
	assert_memory_equal(out, b.data, VIRTIO_LEN);
}

static void what_does_not_count_is_not_taken_over(void **state)
{
	(void)state;
	const struct weft_offload none = { 0 };
	const struct virtio_hdr plain = { .flags = 0xfc,
					  .hdr_len = 9,
					  .gso_size = 9,
					  .csum_start = 9,
					  .csum_offset = 9 };
	struct weft_offload facts;
	assert_int_equal(virtio_hdr_read(&plain, FRAME_LEN, &facts), 0);
	assert_memory_equal(&facts, &none, sizeof(facts));
}

static void a_verified_checksum_is_read_and_not_written(void **state)
{
	(void)state;
	const struct virtio_hdr valid = { .flags = VIRTIO_DATA_VALID };
	struct weft_offload facts;
	assert_int_equal(virtio_hdr_read(&valid, FRAME_LEN, &facts), 0);
	assert_int_equal(facts.flags, WEFT_OFFLOAD_CSUM_VALID);
	assert_int_equal(virtio_hdr_of(&facts).flags, 0);
}

/* Of all types those are known that frame.h names; ECN stands only beside TCP's. */
static void every_type(void **state)
{
	(void)state;
	static const uint8_t known[] = { 0, 1, 4, 5, 0x81, 0x84 };
	for (unsigned type = 0; type < 256; type++) {
		const struct virtio_hdr hdr = { .gso_type = (uint8_t)type,
						.gso_size = 1 };
		struct weft_offload facts;
		bool is_known = memchr(known, (int)type, sizeof(known));
		assert_int_equal(virtio_hdr_read(&hdr, FRAME_LEN, &facts),
				 is_known ? 0 : -EBADMSG);
	}
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	static const struct virtio_hdr bad[] = {
		{ .gso_type = WEFT_GSO_TCP4, .gso_size = 0 },
		{ .gso_type = WEFT_GSO_TCP4, .gso_size = 1, .hdr_len = FRAME_LEN + 1 },
		{ .flags = VIRTIO_NEEDS_CSUM, .csum_start = FRAME_LEN - 1 },
		{ .flags = VIRTIO_NEEDS_CSUM, .csum_offset = FRAME_LEN - 1 },
		{ .flags = VIRTIO_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535 },
	};
	static const struct virtio_hdr last[] = {
		{ .gso_type = WEFT_GSO_TCP4, .gso_size = 1, .hdr_len = FRAME_LEN },
		{ .flags = VIRTIO_NEEDS_CSUM, .csum_start = FRAME_LEN - 2 },
		{ .flags = VIRTIO_NEEDS_CSUM, .csum_offset = FRAME_LEN - 2 },
	};
	struct weft_offload facts = { .gso_size = 7 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(virtio_hdr_read(&bad[i], FRAME_LEN, &facts), -EBADMSG);
	assert_int_equal(facts.gso_size, 7);
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		assert_int_equal(virtio_hdr_read(&last[i], FRAME_LEN, &facts), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_back),
		cmocka_unit_test(what_does_not_count_is_not_taken_over),
		cmocka_unit_test(a_verified_checksum_is_read_and_not_written),
		cmocka_unit_test(every_type),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
