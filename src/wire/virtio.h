/* SPDX-License-Identifier: MIT */
/*
 * The virtio-net header (VIRTIO 1.2, 5.1.6) and what it says, to and from struct
 * weft_offload. The kernel puts it before each frame of a TAP, a TUN and an AF_PACKET socket
 * which ask for it, in the order of the machine; tunnels put it on the wire, little-endian.
 *
 *   0        1          2         4          6            8             10            12
 *   | flags  | gso_type | hdr_len | gso_size | csum_start | csum_offset | num_buffers |
 *
 * The last field belongs to the longer form only. It is of use between a guest and its host
 * and to nobody else: ignored when read, written as zero.
 */
#ifndef WIRE_VIRTIO_H
#define WIRE_VIRTIO_H

#include <weft/frame.h>

#include <stdint.h>

#define VIRTIO_LEN 12u /**< With num_buffers, in bytes. */

/* Offsets in bytes. */
#define VIRTIO_OFF_FLAGS       0u
#define VIRTIO_OFF_GSO_TYPE    1u
#define VIRTIO_OFF_HDR_LEN     2u
#define VIRTIO_OFF_GSO_SIZE    4u
#define VIRTIO_OFF_CSUM_START  6u
#define VIRTIO_OFF_CSUM_OFFSET 8u
#define VIRTIO_OFF_NUM_BUFFERS 10u

/* Bits of flags, and the one of gso_type that stands beside the type. */
#define VIRTIO_NEEDS_CSUM 0x01u
#define VIRTIO_DATA_VALID 0x02u
#define VIRTIO_GSO_ECN    0x80u

struct virtio_hdr {
	uint8_t flags;    /**< VIRTIO_* bits; others are ignored. */
	uint8_t gso_type; /**< enum weft_gso and VIRTIO_GSO_ECN. */
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

/** Reads a little-endian header. */
struct virtio_hdr virtio_hdr_load(const uint8_t buf[VIRTIO_LEN]);

/** Writes a little-endian header. */
void virtio_hdr_store(uint8_t buf[VIRTIO_LEN], const struct virtio_hdr *hdr);

/**
 * What a header says of a frame of frame_len bytes; what does not count (a segment size
 * without segments) is not taken over. Returns 0, or -EBADMSG for facts that can be true of
 * no such frame: an unknown type, segments of no length, a place outside the frame. Whether
 * they are true of the bytes is segment_check's to say.
 */
int virtio_hdr_read(const struct virtio_hdr *hdr, uint32_t frame_len,
		    struct weft_offload *ret_offload) WEFT_MUST_CHECK;

/** The header for these facts; that a checksum was verified is not passed on. */
struct virtio_hdr virtio_hdr_of(const struct weft_offload *offload);

#endif
