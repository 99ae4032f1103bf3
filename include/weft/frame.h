/* SPDX-License-Identifier: MIT */
/*
 * A frame in memory: what every link takes and gives.
 *
 *      headroom          data                                   data + len
 *      |<------ writable ----->|<------------- frame ------------->|
 *
 * Frames travel as arrays ("batches") that belong to the caller and are borrowed for the
 * length of one call: who wants to keep bytes copies them. A receiver may write into the
 * headroom of a frame that it was given (to push a tag), and may not change the bytes of
 * the frame itself, because another receiver of the same batch may still have to see them.
 *
 * Each frame carries what virtio-net calls its header (VIRTIO 1.2, 5.1.6): which checksum
 * is still to be filled in, and into what segments a super-frame is to be cut. A TCP
 * super-frame of 64 KiB travels whole as long as every hop can take it.
 *
 *     uint8_t bytes[WEFT_HEADROOM + 1514];
 *     struct weft_frame frame = {
 *             .data = bytes + WEFT_HEADROOM, .len = 60, .headroom = WEFT_HEADROOM,
 *     };
 *     ... write the 60 bytes ...
 *     weft_link_send(link, &frame, 1, now);
 */
#ifndef WEFT_FRAME_H
#define WEFT_FRAME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEFT_API               __attribute__((visibility("default")))
#define WEFT_MUST_CHECK        __attribute__((warn_unused_result))
#define WEFT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define WEFT_API
#define WEFT_MUST_CHECK
#define WEFT_PRINTF(fmt, args)
#endif

/** Longest frame that any link carries, in bytes: 65,535 of IP, Ethernet and two tags. */
#define WEFT_FRAME_LEN_MAX 65557u

/** Headroom in bytes that every frame made by weft has: room for a tag and a header. */
#define WEFT_HEADROOM 64u

/** How a super-frame is to be cut (the values of struct virtio_net_hdr's gso_type). */
enum weft_gso {
	WEFT_GSO_NONE = 0,
	WEFT_GSO_TCP4 = 1,
	WEFT_GSO_TCP6 = 4,
	WEFT_GSO_UDP = 5, /**< UDP_L4: equal datagrams, over IPv4 or IPv6. */
};

/** The checksum at csum_start + csum_offset holds the pseudo header's sum only. */
#define WEFT_OFFLOAD_NEEDS_CSUM 0x01u
/** The sender has verified the transport checksum. */
#define WEFT_OFFLOAD_CSUM_VALID 0x02u
/** The TCP super-frame carries CWR, which belongs on its first segment only. */
#define WEFT_OFFLOAD_ECN        0x04u

/* What a link (or any other hop) takes as it is. */
#define WEFT_LINK_CSUM 0x01u /**< Takes WEFT_OFFLOAD_NEEDS_CSUM. */
#define WEFT_LINK_TSO4 0x02u /**< Takes WEFT_GSO_TCP4. Implies CSUM, as do the others. */
#define WEFT_LINK_TSO6 0x04u /**< Takes WEFT_GSO_TCP6. */
#define WEFT_LINK_USO  0x08u /**< Takes WEFT_GSO_UDP. */
#define WEFT_LINK_IP   0x10u /**< Carries bare IP packets instead of Ethernet frames. */
#define WEFT_LINK_PPP  0x20u /**< Carries PPP: protocol and information (RFC 1661, 2). */

/** The offload facts of one frame. All zero: an ordinary, complete frame. */
struct weft_offload {
	uint8_t flags;        /**< WEFT_OFFLOAD_* bits. */
	uint8_t gso;          /**< enum weft_gso. */
	uint16_t hdr_len;     /**< Ethernet + IP + transport header in bytes; a hint. */
	uint16_t gso_size;    /**< Payload bytes of each segment; 0 without gso. */
	uint16_t csum_start;  /**< Offset in bytes from data where the sum begins. */
	uint16_t csum_offset; /**< Offset in bytes from csum_start of the 16-bit sum. */
};

/** One frame: Ethernet without FCS, a bare IP packet on an IP link, or PPP on a PPP link. */
struct weft_frame {
	uint8_t *data;
	uint32_t len;      /**< In bytes. */
	uint32_t headroom; /**< Writable bytes in front of data. */
	struct weft_offload offload;
};

#ifdef __cplusplus
}
#endif
#endif
