/* SPDX-License-Identifier: MIT */
/*
 * Datagrams that wait for the congestion window: one queue per connection, blocks from the
 * endpoint's pool.
 *
 *      push                                        front, pop
 *      small ------> [ small ] ---------------------->
 *      large ------> [ large ] ---- when no small --->       older than 15 ms: dropped
 *
 * Small ones are what people feel: ARP, DNS, game updates, ACKs of the flows inside. They go
 * first, unless the sender says that order matters, and find place where large ones do not.
 * Nothing waits for long: a queue that keeps packets while the window is closed only adds its
 * length to every round trip of the flows inside, whose own congestion control needs the loss
 * to slow down. What has come since the endpoint's last turn has waited for nothing but that: on
 * a busy machine the processor comes late, and then a small one goes late.
 */
#ifndef QUIC_QUEUE_H
#define QUIC_QUEUE_H

#include "base/list.h"
#include "base/pool.h"
#include "quic/quic.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One block of so many in the pool is kept for those that go first. */
#define QUIC_QUEUE_KEPT 8u

/** Most datagrams waiting on one connection. */
#define QUIC_QUEUE_MAX 4096u

/** One that waits; a pool block. */
struct queued {
	struct list node;
	uint64_t since;
	uint64_t turn; /* Of the endpoint's. */
	size_t len;
	bool goes_first;
	uint8_t data[];
};

struct datagram_queue {
	struct pool *pool;
	struct list small, large;
	size_t count;
	uint64_t drop_full, drop_old;
};

/** Begins an empty queue; pool has blocks of at least sizeof(struct queued) and the data. */
void queue_init(struct datagram_queue *q, struct pool *pool);

/** Gives all blocks back. */
void queue_clear(struct datagram_queue *q);

/**
 * Copies a datagram in; turn: how many turns of the endpoint have ended. Returns 0, or -ENOBUFS
 * (counted) when the queue or pool is full.
 */
int queue_push(struct datagram_queue *q, const struct quic_datagram *datagram,
	       uint64_t now, uint64_t turn) WEFT_MUST_CHECK;

/** Drops (and counts) what has waited too long, and longer than the end of a turn. */
void queue_age(struct datagram_queue *q, uint64_t now, uint64_t turn);

/** What goes next, or NULL. */
struct queued *queue_front(const struct datagram_queue *q);

/** What goes after the front, or NULL. */
struct queued *queue_second(const struct datagram_queue *q);

/** Removes the one that queue_front gave. */
void queue_pop(struct datagram_queue *q, struct queued *d);

#endif
