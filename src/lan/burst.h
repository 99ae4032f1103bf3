/* SPDX-License-Identifier: MIT */
/*
 * The end of a burst of TCP. Small datagrams go before large ones (quic/queue.h), but the short
 * last segment of an answer must not go before the rest of it: its receiver would ask for what
 * is on its way. A member has the whole burst at once, a relay frame by frame; so what is
 * remembered is the last large frame that was sent.
 *
 *     large  large  large  small
 *       one flow of TCP      '-- data or the end of it: stays behind them
 *                            '-- a mere acknowledgement, another flow, UDP: goes first
 *
 * One flow is remembered. Of several that are mixed some ends go first; that costs them an
 * acknowledgement, where to look through all that waits would cost everybody time.
 */
#ifndef LAN_BURST_H
#define LAN_BURST_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

/** Ethernet, IPv6 and the ports behind it. */
#define BURST_HEAD_LEN 58u

/** Zero is one that has not begun. */
struct burst {
	uint8_t head[BURST_HEAD_LEN]; /**< Of the last large frame. */
	uint64_t at;                  /**< When it was sent. */
};

/** Notes a frame that is sent; true if it has to stay behind what was sent before it. */
bool burst_note(struct burst *burst, const struct weft_frame *frame, uint64_t now);

#endif
