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
 */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include <stddef.h>

#include <weft/frame.h>
#include <stdbool.h>

/**
 * True if a link with these capabilities cannot take the frame as it is, so that it has to
 * go through segment_cut (super-frame) or checksum completion.
 */
bool segment_is_needed(const struct weft_frame *frame, unsigned link_flags);

/** Most segments one super-frame can become: callers size their arrays by it. */
#define SEGMENTS_MAX 1024u

/**
 * Cuts a super-frame into complete frames with all checksums filled in. A frame without gso
 * but with WEFT_OFFLOAD_NEEDS_CSUM becomes one complete frame. The result is written into
 * arena, each frame with WEFT_HEADROOM bytes before it. is_ip: bare IP packets.
 *
 * Returns the number of frames, -EBADMSG when the offload facts and the bytes do not agree
 * (nothing that a peer claims is believed: every offset is checked against the frame), or
 * -ENOBUFS when arena or ret_frames is too small.
 */
int segment_cut(const struct weft_frame *frame, bool is_ip, uint8_t *arena, size_t arena_len,
		struct weft_frame *ret_frames, size_t frames_max) WEFT_MUST_CHECK;

#endif
