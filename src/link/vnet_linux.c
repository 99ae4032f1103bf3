/* SPDX-License-Identifier: MIT */
/*
 * What is read is checked, although it comes from the kernel: it may repeat what a guest or
 * another process has written into a device of its own.
 */
#include "link/vnet_linux.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The names of these are missing from the headers of Linux before 6.2. */
#define VNET_GSO_UDP_L4 5u
#define VNET_GSO_ECN    0x80u

static bool gso_is_known(uint8_t gso)
{
	return gso == WEFT_GSO_NONE || gso == WEFT_GSO_TCP4 || gso == WEFT_GSO_TCP6 ||
	       gso == WEFT_GSO_UDP;
}

static bool facts_fit(const struct weft_offload *o, uint32_t frame_len)
{
	uint32_t csum_end = (uint32_t)o->csum_start + o->csum_offset + 2u;
	if ((o->flags & WEFT_OFFLOAD_NEEDS_CSUM) && csum_end > frame_len)
		return false;
	if (!gso_is_known(o->gso) || o->hdr_len > frame_len)
		return false;
	return o->gso == WEFT_GSO_NONE || o->gso_size > 0;
}

int vnet_load(const uint8_t hdr[VNET_HDR_LEN], uint32_t frame_len,
	      struct weft_offload *ret_offload)
{
	static_assert(VNET_GSO_UDP_L4 == WEFT_GSO_UDP, "the values are virtio's");
	static_assert(VIRTIO_NET_HDR_GSO_TCPV4 == WEFT_GSO_TCP4,
		      "the values are virtio's");
	static_assert(VIRTIO_NET_HDR_GSO_TCPV6 == WEFT_GSO_TCP6,
		      "the values are virtio's");
	struct virtio_net_hdr h;
	struct weft_offload o = { 0 };

	memcpy(&h, hdr, sizeof(h));
	o.gso = (uint8_t)(h.gso_type & ~VNET_GSO_ECN);
	if (h.gso_type & VNET_GSO_ECN)
		o.flags |= WEFT_OFFLOAD_ECN;
	if (o.gso != WEFT_GSO_NONE) {
		o.gso_size = h.gso_size;
		o.hdr_len = h.hdr_len;
	}
	if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		o.flags |= WEFT_OFFLOAD_NEEDS_CSUM;
		o.csum_start = h.csum_start;
		o.csum_offset = h.csum_offset;
	} else if (h.flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		o.flags |= WEFT_OFFLOAD_CSUM_VALID;
	}
	if (!facts_fit(&o, frame_len))
		return -EBADMSG;
	*ret_offload = o;
	return 0;
}

struct virtio_net_hdr vnet_hdr(const struct weft_offload *offload)
{
	struct virtio_net_hdr h = {
		.gso_type = offload->gso,
		.gso_size = offload->gso_size,
		.hdr_len = offload->hdr_len,
	};
	if (offload->gso != WEFT_GSO_NONE && (offload->flags & WEFT_OFFLOAD_ECN))
		h.gso_type |= VNET_GSO_ECN;
	if (offload->flags & WEFT_OFFLOAD_NEEDS_CSUM) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = offload->csum_start;
		h.csum_offset = offload->csum_offset;
	}
	return h;
}
