/* SPDX-License-Identifier: MIT */
/*
 * What a slow peer has not taken yet: whole packets in their order, in one block of memory
 * whose length is the bound. What does not fit is refused, and counted by who asked.
 *
 *      0        head                        tail          len
 *      |  free  | n | packet | n | packet | |     free     |
 *
 * A packet never wraps around the end: what is too long for the rest of the block begins at
 * its front, and a mark says so. The memory is taken when it is needed first, and kept.
 */
#ifndef LINK_BACKLOG_H
#define LINK_BACKLOG_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backlog {
	uint8_t *block; /**< NULL until the first packet. */
	size_t len;     /**< Of block, in bytes. */
	size_t head;    /**< Of the oldest packet. */
	size_t tail;    /**< Behind the newest one. */
	size_t n;       /**< Packets in it. */
};

/** Begins an empty one that keeps about len bytes. */
void backlog_init(struct backlog *b, size_t len);

void backlog_fini(struct backlog *b);

/** A packet's bytes, or two parts of them. */
struct backlog_packet {
	const uint8_t *data;
	size_t len;
};

/**
 * Appends a packet that consists of a prefix (may be empty) and a body. Returns 0, -ENOBUFS
 * when it is full, or -ENOMEM.
 */
int backlog_push(struct backlog *b, struct backlog_packet prefix,
		 struct backlog_packet body) WEFT_MUST_CHECK;

/** Lists up to n packets, the oldest first, without taking them. Returns how many. */
size_t backlog_peek(const struct backlog *b, struct backlog_packet *ret_packets,
		    size_t n);

/** Takes the oldest n packets away. */
void backlog_pop(struct backlog *b, size_t n);

static inline bool backlog_is_empty(const struct backlog *b)
{
	return b->n == 0;
}

#endif
