/* SPDX-License-Identifier: MIT */
/*
 * Generic receive offload in software: merges consecutive segments of one flow back into a
 * super-frame, so that a TAP takes one write instead of forty.
 *
 * Only what the standard allows is merged (the rules of Linux tcp4_gro_receive): same
 * addresses, ports, tags, TTL, TOS/ECN, DF, flow label and TCP options; sequence numbers in
 * order without a gap; flags ACK and PSH only (PSH, or a short segment, ends the merge);
 * same ACK number and window or a fresh start; a checksum that is right. UDP (USO): equal
 * datagrams of one flow, the last may be shorter. Everything else passes through untouched,
 * and never overtakes what was held of its own flow.
 */
#ifndef WIRE_COALESCE_H
#define WIRE_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/frame.h>

struct coalesce;

struct coalesce_opts {
	unsigned link_flags; /**< What the output takes: WEFT_LINK_TSO4 and the like. */
	bool is_ip;          /**< Bare IP packets. */
	unsigned flows_max;  /**< Super-frames held at a time; 0 for 8. */
	/** Takes frames; called from push and flush, frames borrowed for the call. */
	void (*emit)(void *user, const struct weft_frame *frames, size_t n);
	void *user;
};

/** Makes one. Returns 0 or -ENOMEM. */
int coalesce_new(const struct coalesce_opts *opts, struct coalesce **ret_coalesce)
	WEFT_MUST_CHECK;

/** Frees it; what is held is lost. NULL is allowed. */
void coalesce_free(struct coalesce *c);

/** Takes one frame: absorbs a copy of its payload, or emits it (after what it must follow). */
void coalesce_push(struct coalesce *c, const struct weft_frame *frame);

/** Emits everything that is held. */
void coalesce_flush(struct coalesce *c);

/** True while something is held. */
bool coalesce_is_pending(const struct coalesce *c);

/** Frames absorbed so far. */
uint64_t coalesce_merged(const struct coalesce *c);

#endif
