/* SPDX-License-Identifier: MIT */
/*
 * Black holes (RFC 8899, 4.3): paths that have carried large packets and no longer do, without
 * a word from anybody. ngtcp2 looks for what a path carries when it is new, and never goes back.
 *
 * Who has lost a number of large DATAGRAMs in a row, over a time in which not a single one
 * arrived while smaller ones did, sends no packet above the base for as long as a path is given
 * before it is tried again (PMTU_RAISE_TIMER, 5.1.1); each time that this was in vain, twice as
 * long. Loss that hits every size, and the queue of a slow link, let some large ones through.
 *
 * Where all that is on its way is large, nothing at all arrives, as on a path that is dead for a
 * while. So after that time without any acknowledgement packets stay at the base too, but only
 * for some seconds: a dead path loses nothing by that, and a trap is told apart after it.
 */
#ifndef QUIC_BLACKHOLE_H
#define QUIC_BLACKHOLE_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/** What every path carries (RFC 9000, 14): the largest UDP payload that is not large. */
#define BLACKHOLE_BASE_LEN 1200u

/** So many large ones lost in a row, over this time and four round trips, are a black hole. */
#define BLACKHOLE_LOST    5u
#define BLACKHOLE_SPAN_NS NS_PER_S

/** Then the path is tried again after this; at the latest after 16 times as long. */
#define BLACKHOLE_RAISE_NS (600 * NS_PER_S)

/** After silence, it is after this. */
#define BLACKHOLE_SILENCE_RAISE_NS (10 * NS_PER_S)

/** Zero is a path that carries what was found for it. */
struct blackhole {
	unsigned lost;        /**< Large ones since one has arrived. */
	uint64_t since_ns;    /**< When the first of these was found lost. */
	bool has_heard;       /**< A small one has arrived since. */
	uint64_t waiting_ns;  /**< Since when nothing has arrived; 0: not waiting. */
	uint64_t raise_at_ns; /**< When large ones may be sent again. */
	unsigned in_vain;     /**< How often they were, and got lost. */
};

/**
 * A timer of the connection has run out. is_waiting: something is on its way; pto_ns: within what
 * time an acknowledgement should come (RFC 9002, 6.2.1).
 */
void blackhole_on_timer(struct blackhole *b, bool is_waiting, uint64_t pto_ns,
			uint64_t now);

/** A DATAGRAM in a packet above the base was found lost. */
void blackhole_on_lost(struct blackhole *b, uint64_t srtt_ns, uint64_t now);

/** A DATAGRAM has arrived, or bytes of a stream, of which nobody knows how they went. */
void blackhole_on_acked(struct blackhole *b, bool is_large);

/** Whether packets are to stay at the base now. */
bool blackhole_is_open(const struct blackhole *b, uint64_t now);

#endif
