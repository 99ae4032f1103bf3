/* SPDX-License-Identifier: MIT */
/*
 * segment_cut with the memory that it needs: an arena that is allocated when the first
 * frame is cut, and used again for each.
 */
#ifndef LINK_CUTTER_H
#define LINK_CUTTER_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zero is an empty one, ready for use. */
struct cutter {
	uint8_t *arena;
	struct weft_frame *frames;
};

void cutter_fini(struct cutter *c);

/**
 * Cuts a super-frame, or fills in the checksum of a plain frame. The result belongs to c
 * and is valid until its next cut.
 * Returns the number of frames (>= 1), -EBADMSG for a frame whose offload facts are wrong,
 * -ENOBUFS, -ENOMEM.
 */
int cutter_cut(struct cutter *c, const struct weft_frame *frame, bool is_ip,
	       const struct weft_frame **ret_frames) WEFT_MUST_CHECK;

#endif
