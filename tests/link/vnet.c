/* SPDX-License-Identifier: MIT */
/*
 * The virtio-net header: facts survive a round trip, and false ones do not get in.
 */
#include "../unit.h"
#include "link/vnet_linux.h"

#include <errno.h>
#include <string.h>

/* What comes out of a header as the kernel writes it, in front of len bytes. */
static int load(struct virtio_net_hdr hdr, uint32_t len, struct weft_offload *ret_offload)
{
	uint8_t bytes[VNET_HDR_LEN];
	memcpy(bytes, &hdr, sizeof(bytes));
	return vnet_load(bytes, len, ret_offload);
}

static void assert_round_trip(struct weft_offload offload)
{
	struct weft_offload got;
	assert_int_equal(load(vnet_hdr(&offload), 3000, &got), 0);
	assert_memory_equal(&got, &offload, sizeof(got));
}

static void facts_survive(void **state)
{
	(void)state;
	assert_round_trip((struct weft_offload){ 0 });
	assert_round_trip((struct weft_offload){
		.flags = WEFT_OFFLOAD_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6 });
	const uint8_t kinds[] = { WEFT_GSO_TCP4, WEFT_GSO_TCP6, WEFT_GSO_UDP };
	for (size_t i = 0; i < sizeof(kinds); i++)
		assert_round_trip((struct weft_offload){ .flags = WEFT_OFFLOAD_NEEDS_CSUM,
							 .gso = kinds[i],
							 .gso_size = 1448,
							 .hdr_len = 66,
							 .csum_start = 34,
							 .csum_offset = 16 });
	assert_round_trip((struct weft_offload){ .flags = WEFT_OFFLOAD_NEEDS_CSUM |
							  WEFT_OFFLOAD_ECN,
						 .gso = WEFT_GSO_TCP4,
						 .gso_size = 1448,
						 .csum_start = 34,
						 .csum_offset = 16 });
}

static void a_verified_checksum_is_told(void **state)
{
	struct weft_offload got;
	(void)state;
	assert_int_equal(
		load((struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_DATA_VALID }, 60,
		     &got),
		0);
	assert_int_equal(got.flags, WEFT_OFFLOAD_CSUM_VALID);
}

/* The kernel leaves the fields that do not count as they are. */
static void what_does_not_count_is_not_taken_over(void **state)
{
	struct weft_offload got;
	const struct weft_offload none = { 0 };
	(void)state;
	assert_int_equal(load((struct virtio_net_hdr){ .hdr_len = 9,
						       .gso_size = 9,
						       .csum_start = 9,
						       .csum_offset = 9 },
			      60, &got),
			 0);
	assert_memory_equal(&got, &none, sizeof(got));
}

static void false_facts_are_refused(void **state)
{
	const struct virtio_net_hdr bad[] = {
		{ .gso_type = 2, .gso_size = 100 }, /* Unknown. */
		{ .gso_type = VIRTIO_NET_HDR_GSO_UDP,
		  .gso_size = 100 }, /* UFO: not carried. */
		{ .gso_type = WEFT_GSO_TCP4, .gso_size = 0 },
		{ .gso_type = WEFT_GSO_TCP4, .gso_size = 1, .hdr_len = 61 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 59 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		  .csum_start = 65535,
		  .csum_offset = 65535 },
	};
	struct weft_offload got;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(load(bad[i], 60, &got), -EBADMSG);
	/* The last place where a checksum fits. */
	assert_int_equal(
		load((struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					      .csum_start = 50,
					      .csum_offset = 8 },
		     60, &got),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_survive),
		cmocka_unit_test(a_verified_checksum_is_told),
		cmocka_unit_test(what_does_not_count_is_not_taken_over),
		cmocka_unit_test(false_facts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
