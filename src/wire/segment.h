/* SPDX-License-Identifier: MIT */
/*
 * Segmentation and checksum offload in software: what a NIC does for a host, done at the
 * edge whose other side cannot take super-frames.
 *
 *   super-frame   | eth | ip | tcp |        payload of 64 KiB            |
 *   segments      | eth | ip | tcp | gso_size |  | eth | ip | tcp | gso_size | ...
 *
 * TCP: sequence number advances per segment, IPv4 identification counts up, CWR stays on
 * the first and FIN and PSH on the last segment (as Linux tcp_gso_segment does). UDP
 * (USO): each segment is a datagram of its own, with its own lengths. Lengths and
 * checksums are made anew in each. Ethernet tags and IPv6 extension headers are kept.
 *
 * The transport checksum of the super-frame holds the pseudo header's sum over the length of
 * the whole (VIRTIO 1.2, 5.1.6.2); each segment's is derived from it. So a sum that was
 * wrong in the super-frame is wrong in each segment, and the host at the far end finds out.
 */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>

/**
 * True if a link with these capabilities cannot take the frame as it is, so that it has to
 * go through segment_cut (super-frame) or checksum completion.
 */
bool segment_is_needed(const struct weft_frame *frame, unsigned link_flags);

/**
 * Checks the offload facts against the bytes, for frames of a peer that go on without being
 * cut here: by the same rules as segment_cut, without doing anything. Returns how many bytes
 * the headers of a super-frame take, 0 for a frame that is not one, or -EBADMSG.
 */
int segment_check(const struct weft_frame *frame, bool is_ip) WEFT_MUST_CHECK;

/**
 * How many frames it is on the wire, where rates do not know of super-frames. Facts that make
 * no sense count as one frame: who cuts it finds out.
 */
uint32_t segment_count(const struct weft_frame *frame);

/** Most segments one super-frame can become: callers size their arrays by it. */
#define SEGMENTS_MAX 1024u

/**
 * Bytes of an arena that is large enough for any frame: SEGMENTS_MAX slots of headroom and
 * the longest headers, and one payload. Only what is used is touched: 72 KiB for 64 KiB of
 * TCP in segments of 1448 bytes.
 */
#define SEGMENT_ARENA_LEN (1u << 20)

/**
 * Cuts a super-frame into complete frames with all checksums filled in. A frame without gso
 * but with WEFT_OFFLOAD_NEEDS_CSUM becomes one complete frame, and one without either a
 * copy. The result is written into arena, which is aligned as malloc does: each frame begins
 * on 16 bytes and has WEFT_HEADROOM bytes before it. is_ip: bare IP packets.
 *
 * Returns the number of frames, -EBADMSG when the offload facts and the bytes do not agree
 * (nothing that a peer claims is believed: every offset is checked against the frame) or
 * when there would be more than SEGMENTS_MAX, or -ENOBUFS when arena or ret_frames is too
 * small. After an error the contents of arena are undefined and ret_frames is untouched.
 */
int segment_cut(const struct weft_frame *frame, bool is_ip, uint8_t *arena,
		size_t arena_len, struct weft_frame *ret_frames,
		size_t frames_max) WEFT_MUST_CHECK;

#endif
