/* SPDX-License-Identifier: MIT */
/*
 * Modems: PPP in HDLC-like framing (wire/hdlc.h) over a local socket. What a link of theirs
 * carries is PPP frames (WEFT_LINK_PPP): protocol and information, nothing escaped.
 *
 *     socket --stream.h--> pieces of the line --[ modem ]--> PPP frames --> serve/ppp.h
 *                          (units with a length, or as they come)
 *
 * Dolphin's modem adapter (dialect "modem") puts each frame from flag to flag behind a 16-bit
 * length, and takes units of 2,048 bytes at most; their bytes go into one line in its turn,
 * so that a frame that is longer, for all its escapes, is sent as two units. "modem-raw" is
 * the line as it is: a serial port, newserv's raw PPP.
 *
 * The peer says by LCP which control characters it wants escaped (its ACCM). LCP passes
 * through here, and what is escaped follows from the last Configure-Ack that did.
 */
#ifndef LINK_MODEM_H
#define LINK_MODEM_H

#include "link/link.h"

#include <stdint.h>

/** Longest unit that Dolphin takes: its MODEM_RECV_SIZE. */
#define MODEM_UNIT_MAX 2048u

/**
 * Makes a modem of a link that carries pieces of its line. It takes over inner when it
 * succeeds. Returns 0 or -ENOMEM.
 */
int modem_new(struct weft_link *inner, struct weft_link **ret_link) WEFT_MUST_CHECK;

#endif
