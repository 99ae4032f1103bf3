/* SPDX-License-Identifier: MIT */
/*
 * Data that came in before what stands in front of it: a sorted set of blocks that neither
 * overlap nor touch.
 *
 *      RCV.NXT                                               right edge of the window
 *         |      [ block ]         [ block ]  [ block ]              |
 *         '-gap--'       '---gap---'
 *
 * A block that grows to touch its neighbour is joined with it; one that touches RCV.NXT is
 * taken out and delivered. Of bytes that come twice, the first are kept. The blocks are also
 * what a SACK option reports (RFC 2018, 4): the one that grew last first, because that is the
 * news, and the others in the order in which they grew.
 *
 * The number of blocks has a hard limit (SegmentSmack, CVE-2018-5390), and finding a place
 * among them is a binary search.
 */
#ifndef STACK_TCP_REASSEMBLY_H
#define STACK_TCP_REASSEMBLY_H

#include "stack/tcp_chain.h"
#include "wire/tcp.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes [start, end) that follow each other. */
struct tcp_block {
	uint32_t start, end;
	uint64_t grown; /**< The set's clock when bytes were added. */
	struct tcp_chain bytes;
};

struct tcp_reassembly {
	struct tcp_block *blocks;
	uint16_t count, room, max;
	bool has_fin;     /**< A FIN has come, ... */
	uint32_t fin_seq; /**< ... and with this number; no block reaches beyond. */
	uint64_t clock;   /**< Counts insertions. */
};

/** Begins an empty set of at most blocks_max. Allocates nothing. */
void early_init(struct tcp_reassembly *r, uint16_t blocks_max);

/** Drops everything. */
void early_fini(struct tcp_reassembly *r, struct tcp_budget *budget);

/**
 * Copies what is new of the bytes [seq, seq + len) into the set. Returns how many bytes were
 * new, or -ENOBUFS when the limit of blocks or half of the budget does not allow some of it: what
 * could be kept before that is kept.
 */
int early_insert(struct tcp_reassembly *r, struct tcp_budget *budget, uint32_t seq,
		 const uint8_t *data, size_t len) WEFT_MUST_CHECK;

/**
 * The first of the bytes [seq, seq + len) that are in the set already, as far as they follow each
 * other (RFC 2883, 4); empty for none.
 */
struct tcp_sack early_twice(const struct tcp_reassembly *r, uint32_t seq, size_t len);

/** A FIN has come: what lies behind it is dropped. The caller cuts off what it inserts later. */
void early_end(struct tcp_reassembly *r, struct tcp_budget *budget, uint32_t fin_seq);

/**
 * All before seq has been delivered. Moves what follows without a gap to the end of to, and
 * returns how many bytes that is. Parts that seq has overtaken are dropped.
 */
size_t early_take(struct tcp_reassembly *r, struct tcp_budget *budget, uint32_t seq,
		  struct tcp_chain *to);

/** Fills in at most max blocks, the one that grew last first. Returns how many. */
size_t early_sacks(const struct tcp_reassembly *r, struct tcp_sack *sacks, size_t max);

#endif
