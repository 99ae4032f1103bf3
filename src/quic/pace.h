/* SPDX-License-Identifier: MIT */
/*
 * The pacer (RFC 9002, 7.7) is ngtcp2's: told what has been sent, it holds everything back for
 * as long as that takes at its rate. What is small, and goes first, need not wait with the rest;
 * it goes at once, and the rest waits longer by what it takes:
 *
 *     large   |########|      wait      |########|
 *     small            .    |s|    .    .
 *                      |  wait + s's own    |########|
 *
 * So the rate stays what it was. Less than a millisecond is not worth it: on a fast path what is
 * small leaves with the rest, in one train. So many bytes may go ahead until the pacer lets
 * something pass by itself; a flood of small ones is paced like anything else. 1.x lets nothing
 * pass before its time. What it holds back for is therefore kept short in both: no more is sent at
 * once than a millisecond takes, but a packet at least, where ngtcp2 would take ten packets.
 */
#ifndef QUIC_PACE_H
#define QUIC_PACE_H

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes that go ahead of the pacer. */
#define PACE_AHEAD_LEN 6000u

/** All zero at the start. */
struct pace {
	size_t unpaid; /**< Bytes of packets that the pacer has not been told of. */
	size_t ahead; /**< Bytes that went ahead since it let something pass by itself. */
	uint64_t next;       /**< Until when it holds back; 0 where that is not known. */
	uint64_t ns_per_kib; /**< Its rate, as last seen; 0 before that. */
};

/** How many bytes may go before the pacer has to be told. */
size_t pace_slice(const struct pace *pace, ngtcp2_conn *ng);

/** Tells the pacer what has been sent: it holds back for as long as that takes. */
void pace_tell(struct pace *pace, ngtcp2_conn *ng, uint64_t now);

/**
 * Opens the pacer before its time, where it holds back for more than a millisecond and there is
 * room in the congestion window. False where not, or where it cannot be opened. What is sent then
 * it has to be told.
 */
bool pace_open(struct pace *pace, ngtcp2_conn *ng, uint64_t now);

#endif
