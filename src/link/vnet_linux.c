/* SPDX-License-Identifier: MIT */
/*
 * The kernel's structure, field by field, to and from what wire/virtio.h reads.
 */
#include "link/vnet_linux.h"

#include "wire/virtio.h"

#include <assert.h>
#include <string.h>

int vnet_load(const uint8_t hdr[VNET_HDR_LEN], uint32_t frame_len,
	      struct weft_offload *ret_offload)
{
	static_assert(VIRTIO_NET_HDR_GSO_TCPV4 == WEFT_GSO_TCP4,
		      "the values are virtio's");
	static_assert(VIRTIO_NET_HDR_GSO_TCPV6 == WEFT_GSO_TCP6,
		      "the values are virtio's");
	struct virtio_net_hdr h;

	memcpy(&h, hdr, sizeof(h));
	const struct virtio_hdr said = {
		.flags = h.flags,
		.gso_type = h.gso_type,
		.hdr_len = h.hdr_len,
		.gso_size = h.gso_size,
		.csum_start = h.csum_start,
		.csum_offset = h.csum_offset,
	};
	return virtio_hdr_read(&said, frame_len, ret_offload);
}

struct virtio_net_hdr vnet_hdr(const struct weft_offload *offload)
{
	const struct virtio_hdr h = virtio_hdr_of(offload);

	return (struct virtio_net_hdr){
		.flags = h.flags,
		.gso_type = h.gso_type,
		.hdr_len = h.hdr_len,
		.gso_size = h.gso_size,
		.csum_start = h.csum_start,
		.csum_offset = h.csum_offset,
	};
}
