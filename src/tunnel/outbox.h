/* SPDX-License-Identifier: MIT */
/*
 * The packets that wait for a peer's stream: copies, in order, as the records that the stream
 * will carry.
 *
 *     push --> [tail] ... [ ] [ ] [head] --> put: records, one behind the other
 *                          |        '--- may have gone out in part; never aged
 *                          '--- dropped once older than OUTBOX_AGE_NS
 *
 * A peer that reads slowly, or is not there, costs OUTBOX_LEN_MAX bytes at most. What has waited
 * too long is worth less than what comes: the sender has given it up, or will soon. The head
 * alone has no age, so that whoever comes back finds one packet and what is fresh.
 */
#ifndef TUNNEL_OUTBOX_H
#define TUNNEL_OUTBOX_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes of records in one outbox. */
#define OUTBOX_LEN_MAX ((size_t)12 * 1024 * 1024)

/** A packet that has waited longer than this is dropped, unless it is the head. */
#define OUTBOX_AGE_NS UINT64_C(100000000)

struct outbox_packet;

/** Zero is an empty one. */
struct outbox {
	struct outbox_packet *head, *tail; /**< NULL where nothing waits. */
	size_t len;                        /**< Bytes of records that wait. */
	size_t head_off;         /**< Bytes of the head that have been put out. */
	uint64_t dropped_old;    /**< Waited too long. */
	uint64_t dropped_full;   /**< No room, or no memory. */
	uint64_t dropped_cut;    /**< The stream ended in the middle of it. */
	uint64_t dropped_length; /**< Shorter or longer than a record can be. */
};

/** Drops everything, counting nothing. */
void outbox_fini(struct outbox *q);

/**
 * Copies a packet to the tail. Drops what is too old first. False, and counted, where the
 * packet itself is dropped.
 */
bool outbox_push(struct outbox *q, const struct weft_frame *packet, uint64_t now);

/** Puts out up to len bytes of records. Returns how many; 0 where nothing waits. */
size_t outbox_put(struct outbox *q, uint8_t *buf, size_t len, uint64_t now);

/**
 * The stream has ended: what it has had the beginning of is dropped, for the next stream must
 * begin with a whole record.
 */
void outbox_cut(struct outbox *q);

static inline bool outbox_is_empty(const struct outbox *q)
{
	return !q->head;
}

#endif
