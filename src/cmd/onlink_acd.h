/* SPDX-License-Identifier: MIT */
/*
 * Whether another host has one of ours (RFC 5227 for IPv4; for IPv6 the stack asks): a part of
 * cmd/onlink.h. A program that is to start at once cannot wait for seconds until nobody has
 * answered: an IPv4 address is used while it is asked for, and the program ends on an answer.
 */
#ifndef CMD_ONLINK_ACD_H
#define CMD_ONLINK_ACD_H

#include "cmd/onlink.h"

/** Asks for an address that the interface has just got. Returns 0 or -Exxx. */
int onlink_acd_start(struct onlink *on, const struct weft_ip *address)
	__attribute__((warn_unused_result));

/** Sees a frame from the link. */
void onlink_acd_input(const struct onlink *on, const struct weft_frame *frame);

/** Ends the program where the stack has found that an address is another host's. */
void onlink_acd_look(struct onlink *on);

/** Ends all of it. */
void onlink_acd_end(struct onlink *on);

#endif
