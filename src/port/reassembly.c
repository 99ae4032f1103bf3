/* SPDX-License-Identifier: MIT */
/*
 * Holding fragments until none is missing.
 */
#include "port/reassembly.h"

#include "base/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFAULT        16u
#define TIMEOUT_NS_DEFAULT (30 * NS_PER_S)

#define BLOCK_LEN   8u
#define PAYLOAD_MAX 65535u
#define BLOCKS_MAX  ((PAYLOAD_MAX + BLOCK_LEN - 1) / BLOCK_LEN)

/* A packet of which some fragment is missing. */
struct incomplete {
	struct list node;
	uint64_t expires;
	const struct weft_port *port;
	struct weft_ip_header header; /* Of the first fragment, once it is there. */
	uint8_t next;
	uint16_t hdr_len;
	bool has_first;
	bool is_given_up; /* Only keeps its place. */
	uint32_t end;     /* Bytes of the whole; 0 while unknown. */
	uint32_t reach;   /* Bytes up to the farthest that is there. */
	uint32_t blocks_n;
	uint8_t *memory; /* REASSEMBLY_FRONT + room bytes. */
	size_t room;
	uint8_t blocks[(BLOCKS_MAX + 7) / 8];
};

/* The blocks of a fragment. */
struct span {
	uint32_t first, n;
};

static struct span span_of(uint32_t off, size_t len)
{
	return (struct span){ .first = off / BLOCK_LEN,
			      .n = ((uint32_t)len + BLOCK_LEN - 1) / BLOCK_LEN };
}

static bool has_block(const struct incomplete *p, uint32_t block)
{
	return p->blocks[block / 8] >> block % 8 & 1;
}

/* How many of the blocks are there. */
static uint32_t count_blocks(const struct incomplete *p, struct span span)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < span.n; i++)
		n += has_block(p, span.first + i);
	return n;
}

/* ---- the packets that wait --------------------------------------------------------------- */

static void packet_remove(struct reassembly *r, struct incomplete *p)
{
	list_remove(&p->node);
	free(p->memory);
	pool_put(&r->pool, p);
}

static void give_up(struct reassembly *r, struct incomplete *p)
{
	if (!p->is_given_up) {
		r->stats.given_up++;
		r->stats.waiting--;
	}
	p->is_given_up = true;
	free(p->memory);
	p->memory = NULL;
	p->room = 0;
}

/* The oldest come first. */
static void expire(struct reassembly *r, uint64_t now)
{
	list_for_each (node, &r->packets) {
		struct incomplete *p = container_of(node, struct incomplete, node);
		if (p->expires > now)
			return;
		give_up(r, p);
		packet_remove(r, p);
	}
}

static void drop_oldest(struct reassembly *r)
{
	struct incomplete *p = container_of(r->packets.next, struct incomplete, node);
	give_up(r, p);
	packet_remove(r, p);
}

/* RFC 791: source, destination, protocol and identification. IPv6 leaves out the protocol. */
static bool belongs(const struct incomplete *p, const struct fragment *f)
{
	const struct weft_ip_header *a = &p->header;
	const struct weft_ip_header *b = f->header;
	return p->port == f->port && a->version == b->version && a->id == b->id &&
	       (a->version == 6 || p->next == f->next) &&
	       memcmp(a->src.octet, b->src.octet, sizeof(a->src.octet)) == 0 &&
	       memcmp(a->dst.octet, b->dst.octet, sizeof(a->dst.octet)) == 0;
}

static struct incomplete *packet_new(struct reassembly *r, const struct fragment *f,
				     uint64_t now)
{
	if (r->pool.in_use == r->pool.blocks_max)
		drop_oldest(r);
	struct incomplete *p = pool_get(&r->pool);
	if (!p)
		return NULL;
	*p = (struct incomplete){
		.expires = now + r->timeout_ns,
		.port = f->port,
		.header = *f->header,
		.next = f->next,
	};
	list_push_back(&r->packets, &p->node);
	r->stats.waiting++;
	return p;
}

static struct incomplete *packet_find(const struct reassembly *r,
				      const struct fragment *f)
{
	list_for_each (node, &r->packets) {
		struct incomplete *p = container_of(node, struct incomplete, node);
		if (belongs(p, f))
			return p;
	}
	return NULL;
}

/* ---- one fragment ------------------------------------------------------------------------ */

static bool is_last(const struct fragment *f)
{
	return !f->header->more_fragments;
}

/* What no fragment can be, whatever the others are. */
static bool is_possible(const struct fragment *f)
{
	uint32_t off = f->header->fragment_offset;
	return f->len > 0 && f->len <= PAYLOAD_MAX - off &&
	       (is_last(f) || f->len % BLOCK_LEN == 0);
}

/* All of it is there already, and the same. */
static bool is_known(const struct incomplete *p, const struct fragment *f)
{
	uint32_t off = f->header->fragment_offset;
	struct span span = span_of(off, f->len);
	return p->memory && count_blocks(p, span) == span.n &&
	       (!is_last(f) || p->end == off + f->len) && off + f->len <= p->reach &&
	       memcmp(p->memory + REASSEMBLY_FRONT + off, f->data, f->len) == 0;
}

/* Fits to what is there and to the end, if either is known. */
static bool is_consistent(const struct incomplete *p, const struct fragment *f)
{
	uint32_t end = f->header->fragment_offset + (uint32_t)f->len;
	if (count_blocks(p, span_of(f->header->fragment_offset, f->len)) > 0)
		return false;
	if (is_last(f))
		return p->end == 0 && p->reach < end;
	return p->end == 0 || end < p->end;
}

static int make_room(struct incomplete *p, size_t len)
{
	if (p->memory && len <= p->room)
		return 0;
	size_t room = 2 * p->room > len ? 2 * p->room : len;
	uint8_t *memory = realloc(p->memory, REASSEMBLY_FRONT + room);
	if (!memory)
		return -ENOMEM;
	p->memory = memory;
	p->room = room;
	return 0;
}

static int keep(struct incomplete *p, const struct fragment *f)
{
	uint32_t off = f->header->fragment_offset;
	uint32_t end = off + (uint32_t)f->len;
	struct span span = span_of(off, f->len);
	if (make_room(p, end) < 0)
		return -ENOMEM;
	memcpy(p->memory + REASSEMBLY_FRONT + off, f->data, f->len);
	for (uint32_t i = span.first; i < span.first + span.n; i++)
		p->blocks[i / 8] |= (uint8_t)(1u << i % 8);
	p->blocks_n += span.n;
	if (end > p->reach)
		p->reach = end;
	if (is_last(f))
		p->end = end;
	if (off == 0) {
		p->header = *f->header;
		p->next = f->next;
		p->hdr_len = f->hdr_len;
		p->has_first = true;
	}
	return 0;
}

static bool is_whole(const struct incomplete *p)
{
	return p->end > 0 && p->has_first && p->blocks_n == span_of(0, p->end).n;
}

/* Takes the packet off the list and out of its struct. */
static void hand_over(struct reassembly *r, struct incomplete *p, struct whole *ret_whole)
{
	*ret_whole = (struct whole){
		.header = p->header,
		.next = p->next,
		.hdr_len = p->hdr_len,
		.data = p->memory + REASSEMBLY_FRONT,
		.len = p->end,
		.memory = p->memory,
	};
	p->memory = NULL;
	r->stats.completed++;
	r->stats.waiting--;
	packet_remove(r, p);
}

int reassembly_add(struct reassembly *r, const struct fragment *f, uint64_t now,
		   struct whole *ret_whole)
{
	expire(r, now);
	if (!is_possible(f))
		return -EBADMSG;
	struct incomplete *p = packet_find(r, f);
	if (!p)
		p = packet_new(r, f, now);
	if (!p)
		return -ENOMEM;
	if (p->is_given_up)
		return -EEXIST;
	if (is_known(p, f))
		return 0;
	if (!is_consistent(p, f)) {
		give_up(r, p);
		return -EEXIST;
	}
	if (keep(p, f) < 0) {
		give_up(r, p);
		return -ENOMEM;
	}
	if (!is_whole(p))
		return 0;
	hand_over(r, p, ret_whole);
	return 1;
}

/* ---- beginning and end ------------------------------------------------------------------- */

void reassembly_init(struct reassembly *r, const struct weft_ip_opts *opts)
{
	*r = (struct reassembly){
		.timeout_ns =
			opts->reassembly_ns ? opts->reassembly_ns : TIMEOUT_NS_DEFAULT,
	};
	list_init(&r->packets);
	pool_init(&r->pool, sizeof(struct incomplete),
		  opts->reassembly_max ? opts->reassembly_max : MAX_DEFAULT);
}

void reassembly_fini(struct reassembly *r)
{
	list_for_each (node, &r->packets)
		packet_remove(r, container_of(node, struct incomplete, node));
	pool_fini(&r->pool);
}
