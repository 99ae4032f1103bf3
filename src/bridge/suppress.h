/* SPDX-License-Identifier: MIT */
/*
 * "Who has 10.0.0.7?" is asked of everyone and concerns one. Who has watched answers can spare
 * the others the question (as RFC 9161 has it for overlays):
 *
 *     a member's address, seen of late        answered in its name     SUPPRESS_ANSWER
 *     a member's, not so lately; the LAN's    sent to that one alone   SUPPRESS_DIRECT
 *     behind who asks                         goes nowhere             SUPPRESS_LOCAL
 *     anything else                           asked of everyone        SUPPRESS_PASS
 *
 * Of everyone are always asked: probes (RFC 5227, 2.1.1) and Duplicate Address Detection (RFC
 * 4862, 5.4), whose point is that nobody answers; announcements; and whatever has been asked
 * of one alone a moment ago, and was not answered. An answer for another claims no more than
 * that other would: no override, and its own router flag, without which hosts would take a
 * router for none (RFC 4861, 7.2.5).
 *
 * Requests to one station, by which hosts check what they know, are none of this.
 */
#ifndef BRIDGE_SUPPRESS_H
#define BRIDGE_SUPPRESS_H

#include "bridge/filter.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest answer, and longest question that is looked at, in bytes. */
#define SUPPRESS_FRAME_MAX 128u

/** A question to everyone: ARP, or a neighbour solicitation. */
struct suppress_question {
	struct weft_mac asker_mac;
	struct weft_ip asker; /**< Of the same family as target. */
	struct weft_ip target;
};

enum suppress_action {
	SUPPRESS_PASS,
	SUPPRESS_ANSWER,
	SUPPRESS_DIRECT,
	SUPPRESS_LOCAL,
	SUPPRESS_ACTIONS
};

/** "neighbour-answered" and the like; the same words that facts print. */
const char *suppress_action_name(enum suppress_action action);

/** Reads a question that may be kept from others; false for every other frame. */
bool suppress_parse(const struct weft_frame *frame,
		    struct suppress_question *ret_question);

/** What becomes of a question of the member about an address that is bound so. */
enum suppress_action suppress_decide(const struct suppress_question *question,
				     const struct filter_member *asker,
				     const struct filter_binding *binding);

/** Writes the answer's frame, and returns its length; 0 if there is none. */
size_t suppress_answer(const struct suppress_question *question,
		       const struct filter_binding *binding,
		       uint8_t buf[SUPPRESS_FRAME_MAX]);

/** Writes the question as a frame to the station that it is about; returns its length. */
size_t suppress_direct(const struct weft_frame *frame,
		       const struct filter_binding *binding,
		       uint8_t buf[SUPPRESS_FRAME_MAX]);

#endif
