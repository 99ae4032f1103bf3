/* SPDX-License-Identifier: MIT */
/*
 * Insertion goes through the gaps that the new bytes cover, from left to right. Each gap's
 * part either goes on the end of the block to its left or begins a block of its own; then, if
 * it reaches the block to its right, the two are joined.
 */
#include "stack/tcp_reassembly.h"

#include "stack/tcp_seq.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 4u

void early_init(struct tcp_reassembly *r, uint16_t blocks_max)
{
	*r = (struct tcp_reassembly){ .max = blocks_max };
}

void early_fini(struct tcp_reassembly *r, struct tcp_budget *budget)
{
	for (size_t i = 0; i < r->count; i++)
		chain_clear(&r->blocks[i].bytes, budget);
	free(r->blocks);
	early_init(r, r->max);
}

/* The first block that ends at seq or behind it. */
static size_t find(const struct tcp_reassembly *r, uint32_t seq)
{
	size_t low = 0, high = r->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (seq_before(r->blocks[middle].end, seq))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_at(struct tcp_reassembly *r, size_t at, size_t n)
{
	r->count = (uint16_t)(r->count - n);
	memmove(r->blocks + at, r->blocks + at + n,
		(r->count - at) * sizeof(r->blocks[0]));
}

/* Makes room for an empty block before the one at that place. Returns 0 or -ENOBUFS. */
static int insert_at(struct tcp_reassembly *r, size_t at, uint32_t seq)
{
	if (r->count >= r->max)
		return -ENOBUFS;
	if (r->count == r->room) {
		size_t room = r->room ? 2u * r->room : ROOM_MIN;
		struct tcp_block *blocks =
			realloc(r->blocks, room * sizeof(struct tcp_block));
		if (!blocks)
			return -ENOBUFS;
		r->blocks = blocks;
		r->room = (uint16_t)room;
	}
	memmove(r->blocks + at + 1, r->blocks + at,
		(size_t)(r->count - at) * sizeof(r->blocks[0]));
	r->blocks[at] = (struct tcp_block){ .start = seq, .end = seq };
	r->count++;
	return 0;
}

/* Joins the block with the next one if they touch. */
static void join_next(struct tcp_reassembly *r, size_t at)
{
	if (at + 1 >= r->count || r->blocks[at].end != r->blocks[at + 1].start)
		return;
	r->blocks[at].end = r->blocks[at + 1].end;
	chain_join(&r->blocks[at].bytes, &r->blocks[at + 1].bytes);
	remove_at(r, at + 1, 1);
}

/* Puts bytes into a gap: at touches or lies behind seq, and does not overlap. */
static int fill_gap(struct tcp_reassembly *r, struct tcp_budget *budget, size_t at,
		    uint32_t seq, const struct ip_slice *piece)
{
	bool extends = at < r->count && r->blocks[at].end == seq;
	if (budget->used > budget->max / 2)
		return -ENOBUFS; /* What may never be complete leaves room for what is. */
	if (!extends && insert_at(r, at, seq) < 0)
		return -ENOBUFS;
	struct tcp_block *block = &r->blocks[at];
	if (chain_append(&block->bytes, budget, piece->data, piece->len) < 0) {
		if (!extends)
			remove_at(r, at, 1);
		return -ENOBUFS;
	}
	block->end += (uint32_t)piece->len;
	block->grown = r->clock;
	join_next(r, at);
	return 0;
}

int early_insert(struct tcp_reassembly *r, struct tcp_budget *budget, uint32_t seq,
		 const uint8_t *data, size_t len)
{
	uint32_t end = seq + (uint32_t)len;
	int fresh = 0;
	r->clock++;
	while (seq != end) {
		size_t at = find(r, seq);
		bool is_inside = at < r->count && r->blocks[at].end != seq &&
				 !seq_before(seq, r->blocks[at].start);
		if (is_inside) {
			/* What this block has already is passed over. */
			uint32_t to = seq_min(end, r->blocks[at].end);
			r->blocks[at].grown = r->clock;
			data += to - seq;
			seq = to;
			continue;
		}
		size_t right = at < r->count && r->blocks[at].end == seq ? at + 1 : at;
		uint32_t to =
			right < r->count ? seq_min(end, r->blocks[right].start) : end;
		struct ip_slice piece = { .data = data, .len = to - seq };
		if (fill_gap(r, budget, at, seq, &piece) < 0)
			return -ENOBUFS;
		fresh += (int)(to - seq);
		data += to - seq;
		seq = to;
	}
	return fresh;
}

struct tcp_sack early_twice(const struct tcp_reassembly *r, uint32_t seq, size_t len)
{
	uint32_t end = seq + (uint32_t)len;
	size_t at = find(r, seq);
	if (at < r->count && r->blocks[at].end == seq)
		at++;
	if (at == r->count || !seq_before(r->blocks[at].start, end))
		return (struct tcp_sack){ 0 };
	return (struct tcp_sack){ .left = seq_max(seq, r->blocks[at].start),
				  .right = seq_min(end, r->blocks[at].end) };
}

void early_end(struct tcp_reassembly *r, struct tcp_budget *budget, uint32_t fin_seq)
{
	r->has_fin = true;
	r->fin_seq = fin_seq;
	while (r->count > 0 && seq_after(r->blocks[r->count - 1].end, fin_seq)) {
		struct tcp_block *last = &r->blocks[r->count - 1];
		last->end = seq_max(last->start, fin_seq);
		chain_cut(&last->bytes, budget, last->end - last->start);
		if (last->end == last->start)
			r->count--;
	}
}

size_t early_take(struct tcp_reassembly *r, struct tcp_budget *budget, uint32_t seq,
		  struct tcp_chain *to)
{
	size_t gone = 0, taken = 0;
	for (; gone < r->count && !seq_after(r->blocks[gone].start, seq); gone++) {
		struct tcp_block *block = &r->blocks[gone];
		if (seq_after(block->end, seq)) {
			chain_drop(&block->bytes, budget, seq - block->start);
			taken += block->bytes.len;
			seq = block->end;
			chain_join(to, &block->bytes);
		}
		chain_clear(&block->bytes, budget);
	}
	if (gone > 0)
		remove_at(r, 0, gone);
	return taken;
}

/* The block that grew last of those that grew before the given time; NULL for none. */
static const struct tcp_block *next_grown(const struct tcp_reassembly *r,
					  const struct tcp_block *last)
{
	const struct tcp_block *found = NULL;
	for (size_t i = 0; i < r->count; i++) {
		const struct tcp_block *b = &r->blocks[i];
		bool is_later = last && (b->grown > last->grown ||
					 (b->grown == last->grown && b >= last));
		if (!is_later && (!found || b->grown >= found->grown))
			found = b;
	}
	return found;
}

size_t early_sacks(const struct tcp_reassembly *r, struct tcp_sack *sacks, size_t max)
{
	const struct tcp_block *block = NULL;
	size_t count = 0;
	while (count < max && (block = next_grown(r, block)) != NULL)
		sacks[count++] =
			(struct tcp_sack){ .left = block->start, .right = block->end };
	return count;
}
