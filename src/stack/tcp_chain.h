/* SPDX-License-Identifier: MIT */
/*
 * A queue of bytes: what waits to be sent or acknowledged, what waits to be read, and what
 * waits for a gap before it to be filled are all chains of chunks.
 *
 *      chain ---> | chunk | ---> | chunk | ---> | chunk |
 *      .len         own            lent           own, with room for more
 *
 * Bytes are copied once, into chunks of the chain's own, or not at all: a lent chunk refers to
 * memory of the user's, which is given back by a call when its last byte has been dropped; a
 * borrowed one refers to a frame that came in, and has room to copy into what is still there
 * when the frame goes. Two chains are joined without copying. Reading from the middle (a
 * retransmission) gives references to the bytes, never copies.
 *
 * Chunks count against a budget of the whole stack, so that ten thousand connections cannot
 * take more memory than was said, each within its own limit or not.
 */
#ifndef STACK_TCP_CHAIN_H
#define STACK_TCP_CHAIN_H

#include "stack/ip.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_chunk;

/** What all chains of a stack may take together. Zero, but for the two max, is a beginning. */
struct tcp_budget {
	size_t used; /**< In bytes, with the chunks' own heads. */
	size_t max;
	uint64_t refused;           /**< How often there was not enough. */
	struct tcp_chunk *borrowed; /**< All chunks whose bytes are still in frames. */
	/** Chunks of two sizes, a few of each, for the next. Not counted. */
	struct {
		struct tcp_chunk *first;
		unsigned n;
	} spares[2];
	unsigned spares_max; /**< Of each size. */
	/** Called before memory is freed or given back: frames may refer to it. NULL: none do. */
	void (*before_free)(void *user);
	void *user; /**< Of before_free. */
};

/** Gives lent memory back: called once, when the last byte of it is not needed any more. */
typedef void tcp_release(void *user, const void *data, size_t len);

/** All zero: empty. */
struct tcp_chain {
	struct tcp_chunk *first, *last;
	size_t len; /**< In bytes. */
};

/** Copies len bytes to the end. Returns 0, or -ENOBUFS (nothing is appended then). */
int chain_append(struct tcp_chain *chain, struct tcp_budget *budget, const void *data,
		 size_t len) WEFT_MUST_CHECK;

/**
 * Appends len (>= 1) bytes by reference: they stay unchanged until release is called. Returns 0
 * or -ENOBUFS, and then release will not be called.
 */
int chain_lend(struct tcp_chain *chain, struct tcp_budget *budget, const void *data,
	       size_t len, tcp_release *release, void *user) WEFT_MUST_CHECK;

/**
 * Appends len bytes that stay as they are until chain_keep, which copies what has not been
 * dropped before. Returns 0 or -ENOBUFS; keeping them cannot fail any more.
 */
int chain_borrow(struct tcp_chain *chain, struct tcp_budget *budget, const void *data,
		 size_t len) WEFT_MUST_CHECK;

/** What all chains have borrowed goes: what is left of it is copied. */
void chain_keep(struct tcp_budget *budget);

/** Frees what a budget without any chains has put by. */
void budget_fini(struct tcp_budget *budget);

/** Moves all of from to the end of to. */
void chain_join(struct tcp_chain *to, struct tcp_chain *from);

/** Drops n bytes (at most len) from the front. */
void chain_drop(struct tcp_chain *chain, struct tcp_budget *budget, size_t n);

/** Drops all behind the first len bytes (at most as many as there are). */
void chain_cut(struct tcp_chain *chain, struct tcp_budget *budget, size_t len);

/** Drops everything. */
void chain_clear(struct tcp_chain *chain, struct tcp_budget *budget);

/** Copies at most n bytes from the front to dst and drops them. Returns how many. */
size_t chain_read(struct tcp_chain *chain, struct tcp_budget *budget, void *dst,
		  size_t n);

/** The bytes at the front that lie in one piece; ret_data is untouched if there are none. */
size_t chain_peek(const struct tcp_chain *chain, const void **ret_data);

/**
 * Refers to at most len bytes from offset off on, in at most slices_max pieces. Returns the
 * number of pieces; ret_len is how many bytes they hold, which is less than asked for where
 * the chain ends or the pieces do not suffice.
 */
size_t chain_slices(const struct tcp_chain *chain, size_t off, size_t len,
		    struct ip_slice *slices, size_t slices_max, size_t *ret_len);

#endif
