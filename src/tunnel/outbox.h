/* SPDX-License-Identifier: MIT */
/*
 * The packets that wait for a peer's streams: copies, as the records that the streams will
 * carry, in queues that keep a bulk flow from standing in everybody's way (FQ-CoDel, RFC 8290).
 *
 *     push --> by flow:  [ ] [ ] [ ]  \
 *                        [ ]           > each lane takes turns: put --> records of lane 0
 *                        [ ] [ ]      /                           '--> records of lane 1 ...
 *
 * - Packets of a flow stay in order, in one of OUTBOX_FLOWS queues, chosen by a keyed hash.
 * - A lane is one stream to the peer. Each queue is pinned to a lane; when that one is closed
 *   another takes it over, until it is empty while its own is open again.
 * - The queues of a lane take turns by bytes (deficit round robin); one that was empty goes
 *   before those that have been waiting: what sends little hardly waits.
 * - A queue in which packets have waited too long for too long loses some (tunnel/codel.h), or
 *   has them marked where the flow understands marks (wire/ecn.h).
 * - A record that has begun to go out goes on first; control records go before all others.
 *
 * Around all that stands the original's rule, for a peer that reads slowly, or is not there:
 * OUTBOX_LEN_MAX bytes at most, and nothing that is older than OUTBOX_AGE_NS, for it is worth
 * less than what comes: its sender has given it up, or will soon. The head, which is what has
 * begun to go out or else the oldest, alone has no age, so that whoever comes back finds one
 * packet and what is fresh.
 */
#ifndef TUNNEL_OUTBOX_H
#define TUNNEL_OUTBOX_H

#include "base/list.h"
#include "base/time.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes of records in one outbox. */
#define OUTBOX_LEN_MAX ((size_t)12 * 1024 * 1024)

/** A packet that has waited longer than this is dropped, unless it is the head. */
#define OUTBOX_AGE_NS (100 * NS_PER_MS)

#define OUTBOX_LANES_MAX       8u
#define OUTBOX_FLOWS           256u /**< Queues; a number that any number of lanes fits. */
#define OUTBOX_QUANTUM         1514 /**< Bytes that a queue may put out in its turn. */
#define OUTBOX_CONTROL_MAX     64u  /**< Control records that can wait, */
#define OUTBOX_CONTROL_LEN_MAX ((size_t)256 * 1024) /**< and their bytes. */

struct outbox_flow;
struct outbox_packet;

/** The way to one stream. */
struct outbox_lane {
	struct list fresh;           /**< Queues that were empty, */
	struct list turns;           /**< and those that have had a turn: outbox_flow. */
	struct outbox_packet *begun; /**< Has begun to go out; NULL for none. */
	size_t begun_off;            /**< So many of its bytes have. */
	size_t n;                    /**< Packets in those queues. */
	bool is_open;
};

struct outbox {
	const uint8_t *secret;
	bool is_ip;
	unsigned lanes_n;
	struct outbox_lane lanes[OUTBOX_LANES_MAX];
	struct outbox_flow **flows; /**< By the hash; NULL until something waits. */
	struct list by_age;  /**< outbox_packet: all but control and what has begun. */
	struct list control; /**< outbox_packet. */
	unsigned control_n;
	size_t control_len;
	size_t len;               /**< Bytes of records that wait, without control. */
	uint64_t dropped_old;     /**< Waited too long. */
	uint64_t dropped_full;    /**< No room, or no memory. */
	uint64_t dropped_cut;     /**< The stream ended in the middle of it. */
	uint64_t dropped_length;  /**< Shorter or longer than a record can be. */
	uint64_t dropped_codel;   /**< So that the flow's sender slows down. */
	uint64_t dropped_control; /**< Too many control records. */
	uint64_t marked;          /**< In place of dropped_codel. */
};

/** secret: 16 bytes that outlive it. is_ip: packets, not Ethernet frames. One lane, closed. */
void outbox_init(struct outbox *q, const uint8_t *secret, bool is_ip);

/** Drops everything, counting nothing. */
void outbox_fini(struct outbox *q);

/** How many lanes there are: 1 to OUTBOX_LANES_MAX. Those above must be closed. */
void outbox_set_lanes(struct outbox *q, unsigned n);

/** A stream begins; what the one before has had the beginning of is dropped. */
void outbox_open(struct outbox *q, unsigned lane);

/**
 * The stream has ended. What it has had the beginning of is dropped, for the next stream must
 * begin with a whole record; what waits goes to another lane, if one is open.
 */
void outbox_close(struct outbox *q, unsigned lane);

/**
 * Copies a packet into its queue. Drops what is too old first. Returns the lane that it will go
 * out by, or -ENOBUFS, -ENOMEM, -EMSGSIZE, counted, where the packet itself is dropped.
 */
int outbox_push(struct outbox *q, const struct weft_frame *packet, uint64_t now);

/** Copies a control record's text, for that lane if it is open. Returns as outbox_push. */
int outbox_push_control(struct outbox *q, unsigned lane, const char *text, size_t len);

/** Whether a control record waits for a lane. */
bool outbox_has_control(const struct outbox *q, unsigned lane);

/** Drops all control records that have not begun to go out. */
void outbox_drop_control(struct outbox *q);

/** Puts out up to len bytes of a lane's records. Returns how many; 0 where nothing waits. */
size_t outbox_put(struct outbox *q, unsigned number, uint8_t *buf, size_t len,
		  uint64_t now);

/** Whether nothing waits for a lane. */
bool outbox_is_empty(const struct outbox *q, unsigned number);

/** Gives memory back while nothing waits. */
void outbox_trim(struct outbox *q);

#endif
