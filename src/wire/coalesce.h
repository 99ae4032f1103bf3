/* SPDX-License-Identifier: MIT */
/*
 * Generic receive offload in software: merges consecutive segments of one flow back into a
 * super-frame, so that a TAP takes one write instead of forty.
 *
 *   segments      | eth | ip | tcp | 1448 |  | eth | ip | tcp | 1448 |  | eth | ip | tcp | 90 |
 *   super-frame   | eth | ip | tcp | 1448 + 1448 + 90 |   gso_size 1448
 *
 * One rule decides what is merged: segment_cut, given the super-frame, makes exactly the
 * frames again that went in. That asks for a little more than the rules of Linux
 * (inet_gro_receive, tcp_gro_receive, udp_gro_receive_segment):
 *
 *   link    same addresses and tags; no padding behind the packet
 *   IP      same addresses, TTL, TOS with ECN, DF, flow label; no options, extension headers
 *           or fragments; IPv4 header checksum right, and identification one more each time
 *   TCP     same ports, ACK number, window, urgent pointer, options and flags; sequence
 *           number without a gap; ACK set, and none of SYN, RST, URG, CWR; PSH or FIN, or a
 *           shorter payload, is the last of a super-frame
 *   UDP     same ports; a checksum; equal payloads, of which the last may be shorter
 *   both    a payload, and a checksum that is right
 *
 * An identification that stays the same (as from hosts that send 0 with DF) is not merged:
 * no offload fact says so, and who cuts would count it up.
 *
 * Everything else passes through untouched, and never overtakes what is held of its own
 * flow (addresses, protocol and ports). A super-frame that would hold one frame only leaves
 * as that frame, byte for byte.
 */
#ifndef WIRE_COALESCE_H
#define WIRE_COALESCE_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Super-frames held at a time unless the options say otherwise (MAX_GRO_SKBS of Linux). */
#define COALESCE_FLOWS 8u

struct coalesce;

struct coalesce_opts {
	unsigned link_flags; /**< What the output takes: WEFT_LINK_TSO4 and the like. */
	bool is_ip;          /**< Bare IP packets. */
	unsigned flows_max;  /**< Super-frames held at a time; 0 for COALESCE_FLOWS. */
	/**
	 * Takes frames; called from push and flush, frames borrowed for the call. Must not
	 * call back into the coalescer.
	 */
	void (*emit)(void *user, const struct weft_frame *frames, size_t n);
	void *user;
};

/** Makes one. Returns 0 or -ENOMEM. Memory for frames (64 KiB each) comes with the flows. */
int coalesce_new(const struct coalesce_opts *opts,
		 struct coalesce **ret_coalesce) WEFT_MUST_CHECK;

/** Frees it; what is held is lost. NULL is allowed. */
void coalesce_free(struct coalesce *c);

/** Takes one frame: absorbs a copy of its payload, or emits it (after what it must follow). */
void coalesce_push(struct coalesce *c, const struct weft_frame *frame);

/** Emits everything that is held, the flow that has been quiet for longest first. */
void coalesce_flush(struct coalesce *c);

/** True while something is held. */
bool coalesce_is_pending(const struct coalesce *c);

/** Frames so far that became part of the frame before them. */
uint64_t coalesce_merged(const struct coalesce *c);

#endif
