/* SPDX-License-Identifier: MIT */
/*
 * HyStart++ (RFC 9406): the first slow start ends before something is lost. When cwnd is more
 * than the path holds, a queue grows, and round trips become longer:
 *
 *                     the RTT rose                    for five rounds
 *      slow start -------------------> CSS ---------------------------> congestion avoidance
 *          ^                            |
 *          '----------------------------'
 *              it fell again: no queue
 *
 * In CSS, conservative slow start, cwnd grows a quarter as fast. The RTT of a round is the least
 * of its samples, of which eight have to be there: less than that says nothing. So whoever
 * acknowledges in large pieces, as a link with offload does, sees plain slow start.
 *
 * Later slow starts end where the one before has lost something, and need none of this (4.3).
 */
#ifndef STACK_TCP_HYSTART_H
#define STACK_TCP_HYSTART_H

#include "stack/tcp_cc.h"

#include <stdint.h>

/**
 * Bytes were acknowledged in the first slow start: ssthresh is TCP_SSTHRESH_NONE, and afterwards
 * cwnd if that was the end of it.
 */
void hystart_acked(struct tcp_cc *cc, const struct tcp_cc_ack *ack);

#endif
