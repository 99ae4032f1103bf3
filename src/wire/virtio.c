/* SPDX-License-Identifier: MIT */
/*
 * What is read is checked, even from the kernel: it may repeat what a guest or another
 * process has written into a device of its own.
 */
#include "wire/virtio.h"

#include "wire/cursor.h"

#include <errno.h>
#include <stdbool.h>

struct virtio_hdr virtio_hdr_load(const uint8_t buf[VIRTIO_LEN])
{
	return (struct virtio_hdr){
		.flags = buf[VIRTIO_OFF_FLAGS],
		.gso_type = buf[VIRTIO_OFF_GSO_TYPE],
		.hdr_len = load_le16(buf + VIRTIO_OFF_HDR_LEN),
		.gso_size = load_le16(buf + VIRTIO_OFF_GSO_SIZE),
		.csum_start = load_le16(buf + VIRTIO_OFF_CSUM_START),
		.csum_offset = load_le16(buf + VIRTIO_OFF_CSUM_OFFSET),
	};
}

void virtio_hdr_store(uint8_t buf[VIRTIO_LEN], const struct virtio_hdr *hdr)
{
	buf[VIRTIO_OFF_FLAGS] = hdr->flags;
	buf[VIRTIO_OFF_GSO_TYPE] = hdr->gso_type;
	store_le16(buf + VIRTIO_OFF_HDR_LEN, hdr->hdr_len);
	store_le16(buf + VIRTIO_OFF_GSO_SIZE, hdr->gso_size);
	store_le16(buf + VIRTIO_OFF_CSUM_START, hdr->csum_start);
	store_le16(buf + VIRTIO_OFF_CSUM_OFFSET, hdr->csum_offset);
	store_le16(buf + VIRTIO_OFF_NUM_BUFFERS, 0);
}

static bool gso_is_known(uint8_t gso)
{
	return gso == WEFT_GSO_NONE || gso == WEFT_GSO_TCP4 || gso == WEFT_GSO_TCP6 ||
	       gso == WEFT_GSO_UDP;
}

/* ECN is a bit of TCP's: without segments of TCP it is a type that nobody knows. */
static bool ecn_fits(const struct weft_offload *o)
{
	return !(o->flags & WEFT_OFFLOAD_ECN) || o->gso == WEFT_GSO_TCP4 ||
	       o->gso == WEFT_GSO_TCP6;
}

static bool facts_fit(const struct weft_offload *o, uint32_t frame_len)
{
	uint32_t csum_end = (uint32_t)o->csum_start + o->csum_offset + 2u;
	if ((o->flags & WEFT_OFFLOAD_NEEDS_CSUM) && csum_end > frame_len)
		return false;
	if (!gso_is_known(o->gso) || !ecn_fits(o) || o->hdr_len > frame_len)
		return false;
	return o->gso == WEFT_GSO_NONE || o->gso_size > 0;
}

int virtio_hdr_read(const struct virtio_hdr *hdr, uint32_t frame_len,
		    struct weft_offload *ret_offload)
{
	struct weft_offload o = { .gso = (uint8_t)(hdr->gso_type & ~VIRTIO_GSO_ECN) };

	if (hdr->gso_type & VIRTIO_GSO_ECN)
		o.flags |= WEFT_OFFLOAD_ECN;
	if (o.gso != WEFT_GSO_NONE) {
		o.gso_size = hdr->gso_size;
		o.hdr_len = hdr->hdr_len;
	}
	if (hdr->flags & VIRTIO_NEEDS_CSUM) {
		o.flags |= WEFT_OFFLOAD_NEEDS_CSUM;
		o.csum_start = hdr->csum_start;
		o.csum_offset = hdr->csum_offset;
	} else if (hdr->flags & VIRTIO_DATA_VALID) {
		o.flags |= WEFT_OFFLOAD_CSUM_VALID;
	}
	if (!facts_fit(&o, frame_len))
		return -EBADMSG;
	*ret_offload = o;
	return 0;
}

struct virtio_hdr virtio_hdr_of(const struct weft_offload *offload)
{
	struct virtio_hdr hdr = {
		.gso_type = offload->gso,
		.gso_size = offload->gso_size,
		.hdr_len = offload->hdr_len,
	};
	if (offload->gso != WEFT_GSO_NONE && (offload->flags & WEFT_OFFLOAD_ECN))
		hdr.gso_type |= VIRTIO_GSO_ECN;
	if (offload->flags & WEFT_OFFLOAD_NEEDS_CSUM) {
		hdr.flags = VIRTIO_NEEDS_CSUM;
		hdr.csum_start = offload->csum_start;
		hdr.csum_offset = offload->csum_offset;
	}
	return hdr;
}
