/* SPDX-License-Identifier: MIT */
/*
 * How large a chunk is: the first of an empty chain just holds what it is made for, because
 * most messages are small and are gone before the next. One that follows another is made
 * larger, because a queue that has begun to grow goes on growing.
 *
 * Bulk goes through chunks of the largest size, one after the other, and messages through those
 * of the smallest. A few of both are put by when they are dropped. The C library would give the
 * pages of the large ones back and fetch new ones, all the time, which takes longer than copying.
 */
#include "stack/tcp_chain.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN ((size_t)256) /* A chunk's room is a multiple of this. */

/* The least that a chunk behind another holds, and the most that any does. */
#define ROOM_MORE ((size_t)16 * 1024)
#define ROOM_MAX  ((size_t)64 * 1024)

struct tcp_chunk {
	struct tcp_chunk *next;
	const uint8_t *data;  /* The first byte that has not been dropped. */
	size_t len;           /* Bytes from there. */
	size_t room;          /* Bytes behind those that may be written; 0 if lent. */
	tcp_release *release; /* NULL unless lent. */
	void *user;
	const uint8_t *lent;                            /* What release is told of. */
	size_t size;                                    /* Of lent, or of bytes. */
	struct tcp_chunk *next_borrowed, **borrowed_by; /* Of the budget; NULL if not. */
	uint8_t bytes[];
};

/* ---- one chunk --------------------------------------------------------------------------- */

static bool is_spared(size_t room)
{
	return room == GRAIN || room == ROOM_MAX;
}

static struct tcp_chunk *chunk_alloc(struct tcp_budget *budget, size_t room)
{
	struct tcp_chunk *spare = NULL;
	if (is_spared(room))
		spare = budget->spares[room == ROOM_MAX].first;
	if (!spare)
		return malloc(sizeof(struct tcp_chunk) + room);
	budget->spares[room == ROOM_MAX].first = spare->next;
	budget->spares[room == ROOM_MAX].n--;
	return spare;
}

static struct tcp_chunk *chunk_new(struct tcp_budget *budget, size_t room)
{
	size_t size = sizeof(struct tcp_chunk) + room;
	struct tcp_chunk *chunk =
		budget->used <= budget->max && size <= budget->max - budget->used
			? chunk_alloc(budget, room)
			: NULL;
	if (!chunk) {
		budget->refused++;
		return NULL;
	}
	budget->used += size;
	*chunk = (struct tcp_chunk){ .size = room, .room = room };
	chunk->data = chunk->bytes;
	return chunk;
}

static void borrow(struct tcp_budget *budget, struct tcp_chunk *chunk)
{
	chunk->next_borrowed = budget->borrowed;
	chunk->borrowed_by = &budget->borrowed;
	if (chunk->next_borrowed)
		chunk->next_borrowed->borrowed_by = &chunk->next_borrowed;
	budget->borrowed = chunk;
}

/* It refers to no frame any more. */
static void end_borrowing(struct tcp_chunk *chunk)
{
	if (!chunk->borrowed_by)
		return;
	*chunk->borrowed_by = chunk->next_borrowed;
	if (chunk->next_borrowed)
		chunk->next_borrowed->borrowed_by = chunk->borrowed_by;
	chunk->borrowed_by = NULL;
}

static void put_by(struct tcp_budget *budget, struct tcp_chunk *chunk)
{
	bool is_large = chunk->size == ROOM_MAX;
	if (!is_spared(chunk->size) || budget->spares[is_large].n >= budget->spares_max) {
		free(chunk);
		return;
	}
	chunk->next = budget->spares[is_large].first;
	budget->spares[is_large].first = chunk;
	budget->spares[is_large].n++;
}

static void chunk_free(struct tcp_budget *budget, struct tcp_chunk *chunk)
{
	if (budget->before_free)
		budget->before_free(budget->user);
	end_borrowing(chunk);
	budget->used -= sizeof(*chunk) + (chunk->release ? 0 : chunk->size);
	if (chunk->release) {
		chunk->release(chunk->user, chunk->lent, chunk->size);
		free(chunk);
	} else {
		put_by(budget, chunk);
	}
}

/* ---- adding ------------------------------------------------------------------------------ */

static void push(struct tcp_chain *chain, struct tcp_chunk *chunk)
{
	if (chain->last)
		chain->last->next = chunk;
	else
		chain->first = chunk;
	chain->last = chunk;
}

/* Copies as much as there is room for behind the chunk's bytes. Returns how much. */
static size_t chunk_fill(struct tcp_chunk *chunk, const uint8_t *data, size_t len)
{
	size_t n = len < chunk->room ? len : chunk->room;
	if (n > 0)
		memcpy(chunk->bytes + chunk->size - chunk->room, data, n);
	chunk->len += n;
	chunk->room -= n;
	return n;
}

static size_t room_for(const struct tcp_chain *chain, size_t len)
{
	size_t room = (len + GRAIN - 1) / GRAIN * GRAIN;
	if (chain->first && room < ROOM_MORE)
		room = ROOM_MORE;
	return room < ROOM_MAX ? room : ROOM_MAX;
}

/* A chain of new chunks with room for len bytes; empty when the budget does not allow it. */
static struct tcp_chain reserve(const struct tcp_chain *behind, struct tcp_budget *budget,
				size_t len)
{
	struct tcp_chain fresh = { 0 };
	size_t have = 0;
	while (have < len) {
		struct tcp_chunk *chunk = chunk_new(budget, room_for(behind, len - have));
		if (!chunk) {
			chain_clear(&fresh, budget);
			break;
		}
		have += chunk->room;
		push(&fresh, chunk);
	}
	return fresh;
}

/* What one chunk does not hold that is there, or is made for it. */
static int append_many(struct tcp_chain *chain, struct tcp_budget *budget,
		       const uint8_t *data, size_t len)
{
	size_t room = chain->last ? chain->last->room : 0, done = 0;
	struct tcp_chain fresh = reserve(chain, budget, len - room);
	if (!fresh.first)
		return -ENOBUFS;
	if (chain->last)
		done = chunk_fill(chain->last, data, len);
	for (struct tcp_chunk *c = fresh.first; c; c = c->next)
		done += chunk_fill(c, data + done, len - done);
	assert(done == len);
	chain_join(chain, &fresh);
	chain->len += len;
	return 0;
}

int chain_append(struct tcp_chain *chain, struct tcp_budget *budget, const void *data,
		 size_t len)
{
	if (len == 0)
		return 0;
	if (!chain->last && len <= GRAIN) {
		struct tcp_chunk *chunk = chunk_new(budget, GRAIN);
		if (!chunk)
			return -ENOBUFS;
		push(chain, chunk);
	} else if (!chain->last || len > chain->last->room) {
		return append_many(chain, budget, data, len);
	}
	chain->len += chunk_fill(chain->last, data, len);
	return 0;
}

int chain_lend(struct tcp_chain *chain, struct tcp_budget *budget, const void *data,
	       size_t len, tcp_release *release, void *user)
{
	struct tcp_chunk *chunk = chunk_new(budget, 0);
	if (!chunk)
		return -ENOBUFS;
	chunk->data = chunk->lent = data;
	chunk->len = chunk->size = len;
	chunk->release = release;
	chunk->user = user;
	push(chain, chunk);
	chain->len += len;
	return 0;
}

int chain_borrow(struct tcp_chain *chain, struct tcp_budget *budget, const void *data,
		 size_t len)
{
	size_t room = len > ROOM_MAX / 2 ? ROOM_MAX : len;
	struct tcp_chunk *chunk = len <= ROOM_MAX ? chunk_new(budget, room) : NULL;
	if (!chunk)
		return -ENOBUFS;
	chunk->data = data;
	chunk->len = len;
	chunk->room = 0;
	borrow(budget, chunk);
	push(chain, chunk);
	chain->len += len;
	return 0;
}

void chain_keep(struct tcp_budget *budget)
{
	while (budget->borrowed) {
		struct tcp_chunk *chunk = budget->borrowed;
		end_borrowing(chunk);
		memcpy(chunk->bytes, chunk->data, chunk->len);
		chunk->data = chunk->bytes;
		chunk->room = chunk->size - chunk->len;
	}
}

void chain_join(struct tcp_chain *to, struct tcp_chain *from)
{
	if (!from->first)
		return;
	push(to, from->first);
	to->last = from->last;
	to->len += from->len;
	*from = (struct tcp_chain){ 0 };
}

/* ---- dropping ---------------------------------------------------------------------------- */

void chain_drop(struct tcp_chain *chain, struct tcp_budget *budget, size_t n)
{
	assert(n <= chain->len);
	chain->len -= n;
	while (chain->first && n >= chain->first->len) {
		struct tcp_chunk *chunk = chain->first;
		n -= chunk->len;
		chain->first = chunk->next;
		chunk_free(budget, chunk);
	}
	if (!chain->first)
		chain->last = NULL;
	if (n > 0 && chain->first) {
		chain->first->data += n;
		chain->first->len -= n;
	}
}

void chain_cut(struct tcp_chain *chain, struct tcp_budget *budget, size_t len)
{
	struct tcp_chain rest = { 0 };
	struct tcp_chunk **at = &chain->first;
	assert(len <= chain->len);
	chain->len = len;
	chain->last = NULL;
	while (len > 0) {
		struct tcp_chunk *chunk = *at;
		if (chunk->len > len) {
			chunk->len = len;
			chunk->room =
				0; /* It would begin behind what has been cut off. */
		}
		len -= chunk->len;
		chain->last = chunk;
		at = &chunk->next;
	}
	rest.first = *at;
	*at = NULL;
	chain_clear(&rest, budget);
}

void chain_clear(struct tcp_chain *chain, struct tcp_budget *budget)
{
	while (chain->first) {
		struct tcp_chunk *chunk = chain->first;
		chain->first = chunk->next;
		chunk_free(budget, chunk);
	}
	*chain = (struct tcp_chain){ 0 };
}

void budget_fini(struct tcp_budget *budget)
{
	for (size_t i = 0; i < 2; i++) {
		while (budget->spares[i].first) {
			struct tcp_chunk *spare = budget->spares[i].first;
			budget->spares[i].first = spare->next;
			free(spare);
		}
		budget->spares[i].n = 0;
	}
}

/* ---- reading ----------------------------------------------------------------------------- */

size_t chain_peek(const struct tcp_chain *chain, const void **ret_data)
{
	if (!chain->first)
		return 0;
	*ret_data = chain->first->data;
	return chain->first->len;
}

size_t chain_read(struct tcp_chain *chain, struct tcp_budget *budget, void *dst, size_t n)
{
	uint8_t *to = dst;
	size_t done = 0;
	if (n > chain->len)
		n = chain->len;
	for (const struct tcp_chunk *c = chain->first; c && done < n; c = c->next) {
		size_t part = c->len < n - done ? c->len : n - done;
		memcpy(to + done, c->data, part);
		done += part;
	}
	chain_drop(chain, budget, n);
	return n;
}

size_t chain_slices(const struct tcp_chain *chain, size_t off, size_t len,
		    struct ip_slice *slices, size_t slices_max, size_t *ret_len)
{
	const struct tcp_chunk *c = chain->first;
	size_t count = 0, got = 0;
	for (; c && off >= c->len; c = c->next)
		off -= c->len;
	for (; c && got < len && count < slices_max; c = c->next) {
		size_t part = c->len - off < len - got ? c->len - off : len - got;
		slices[count++] = (struct ip_slice){ .data = c->data + off, .len = part };
		got += part;
		off = 0;
	}
	*ret_len = got;
	return count;
}
