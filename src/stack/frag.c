/* SPDX-License-Identifier: MIT */
/*
 * The pieces of a packet form a list in the order of their offsets. They mostly come in that
 * order, so a place is looked for from the end.
 */
#include "stack/frag.h"

#include "base/time.h"
#include "stack/ip.h"
#include "stack/stack.h"

#include <assert.h>
#include <stdlib.h>

#define PACKET_MAX  65535u          /* Of IPv4 with its header; of the payload of IPv6. */
#define TIMEOUT4_NS (30 * NS_PER_S) /* RFC 1122, 3.3.2 would have 60 to 120. */
#define TIMEOUT6_NS (60 * NS_PER_S) /* RFC 8200, 4.5. */
#define QUOTED_MAX  1280u           /* No error is longer. */

/* What a key consists of leaves no bytes unset. */
static_assert(sizeof(struct frag_key) == 2 * sizeof(struct ip_addr) + 16, "no padding");

struct piece {
	struct list of_packet;
	uint32_t off, len;
	uint8_t bytes[];
};

/* A packet in pieces; or what is left of one that was given up: then without pieces. */
struct packet {
	struct list of_cache;
	struct weft_iface *iface;
	struct frag_key key;
	struct timer timer;
	struct list pieces;
	unsigned pieces_n;
	uint32_t bytes; /* Of all pieces. */
	uint32_t end;   /* Of the whole, once the last is there; else 0. */
	bool is_given_up;
	uint8_t ecn_seen; /* A bit for each of the four codepoints. */
	uint8_t *header;  /* Of the first; NULL until it is there. */
	size_t header_len;
};

static struct piece *piece_of(struct list *node)
{
	return container_of(node, struct piece, of_packet);
}

/* ---- packets ----------------------------------------------------------------------------- */

static void free_pieces(struct weft_stack *stack, struct packet *p)
{
	list_for_each (node, &p->pieces) {
		list_remove(node);
		free(piece_of(node));
	}
	stack->fragments.bytes -= p->bytes;
	p->bytes = 0;
	free(p->header);
	p->header = NULL;
}

static void packet_remove(struct weft_stack *stack, struct packet *p)
{
	free_pieces(stack, p);
	(void)table_remove(stack->fragments.table, &p->key);
	wheel_cancel(&stack->wheel, &p->timer);
	list_remove(&p->of_cache);
	free(p);
}

/* Keeps the place until its time is over, and nothing else. */
static void give_up(struct weft_stack *stack, struct packet *p)
{
	free_pieces(stack, p);
	p->is_given_up = true;
}

/* RFC 1122, 3.3.2 and RFC 8200, 4.5: who sent the first fragment is told. */
static void tell_timeout(struct weft_stack *stack, const struct packet *p, uint64_t now)
{
	const struct piece *first = piece_of(p->pieces.next);
	uint8_t quote[IP6_LEN + IP6_EXT_LEN_MAX + QUOTED_MAX];
	if (!p->header)
		return;
	size_t len = first->len < QUOTED_MAX ? first->len : QUOTED_MAX;
	memcpy(quote, p->header, p->header_len);
	memcpy(quote + p->header_len, first->bytes, len);
	const struct ip_rx rx = {
		.iface = p->iface,
		.src = p->key.src,
		.dst = p->key.dst,
		.protocol = (uint8_t)p->key.protocol,
		.is_group = addr_is_multicast(&p->key.dst) ||
			    iface_is_broadcast(p->iface, &p->key.dst),
		.packet = quote,
		.payload = quote + p->header_len,
		.len = len,
	};
	ip_send_error(stack, &rx, IP_ERROR_REASSEMBLY, now);
}

static void on_timer(struct timer *timer, void *user, uint64_t now)
{
	struct packet *p = container_of(timer, struct packet, timer);
	struct weft_stack *stack = user;
	if (!p->is_given_up) {
		stack_event(stack, WEFT_STACK_FRAGMENT_TIMEOUT);
		tell_timeout(stack, p, now);
	}
	packet_remove(stack, p);
}

static void evict(struct weft_stack *stack, struct packet *p)
{
	stack_event(stack, WEFT_STACK_FRAGMENT_EVICTED);
	packet_remove(stack, p);
}

static struct packet *packet_of(struct list *node)
{
	return container_of(node, struct packet, of_cache);
}

static uint64_t patience(const struct weft_stack *stack, const struct frag_key *key)
{
	if (stack->opts.fragment_time_s)
		return stack->opts.fragment_time_s * NS_PER_S;
	return addr_is_ip4(&key->src) ? TIMEOUT4_NS : TIMEOUT6_NS;
}

static struct packet *packet_new(struct weft_stack *stack, struct weft_iface *iface,
				 const struct frag_key *key, uint64_t now)
{
	struct frag_cache *cache = &stack->fragments;
	struct packet *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct packet){ .iface = iface,
			      .key = *key,
			      .timer = { .fire = on_timer } };
	list_init(&p->pieces);
	if (table_count(cache->table) == stack->opts.fragments_max)
		evict(stack, packet_of(cache->oldest.next));
	if (table_set(cache->table, key, p) < 0) {
		free(p);
		return NULL;
	}
	list_push_back(&cache->oldest, &p->of_cache);
	wheel_arm(&stack->wheel, &p->timer, now + patience(stack, key));
	return p;
}

/* ---- pieces ------------------------------------------------------------------------------ */

/* Whether a packet with such a header may have so much behind it: the ping of death has more. */
static bool may_end_at(const struct frag_key *key, size_t header_len, size_t end)
{
	size_t fixed = addr_is_ip4(&key->src) ? 0 : IP6_LEN;
	return header_len - fixed + end <= PACKET_MAX;
}

/* What a fragment can be, whatever the others are. */
static bool is_possible(const struct frag_piece *f)
{
	return f->len > 0 && (!f->more || f->len % 8 == 0) &&
	       may_end_at(&f->key, f->header_len, f->off + f->len);
}

/* Whether it fits to what is known of the end. */
static bool fits_end(const struct packet *p, const struct frag_piece *f)
{
	uint32_t end = f->off + (uint32_t)f->len;
	const struct piece *last =
		list_is_empty(&p->pieces) ? NULL : piece_of(p->pieces.prev);
	if (f->more)
		return p->end == 0 || end < p->end;
	if (p->end != 0)
		return p->end == end;
	return !last || last->off + last->len <= end;
}

enum fit {
	FITS,
	IS_DOUBLE,
	OVERLAPS,
};

/* Where the fragment goes: in front of *ret_pos. */
static enum fit find_place(struct packet *p, const struct frag_piece *f,
			   struct list **ret_pos)
{
	struct list *pos = &p->pieces;
	while (pos->prev != &p->pieces && piece_of(pos->prev)->off > f->off)
		pos = pos->prev;
	*ret_pos = pos;
	if (pos != &p->pieces && f->off + f->len > piece_of(pos)->off)
		return OVERLAPS;
	if (pos->prev == &p->pieces)
		return FITS;
	const struct piece *before = piece_of(pos->prev);
	if (before->off == f->off && before->len == f->len &&
	    memcmp(before->bytes, f->data, f->len) == 0)
		return IS_DOUBLE;
	return before->off + before->len > f->off ? OVERLAPS : FITS;
}

static bool keep(struct weft_stack *stack, struct packet *p, const struct frag_piece *f,
		 struct list *pos)
{
	struct piece *piece = malloc(sizeof(*piece) + f->len);
	if (!piece)
		return false;
	if (f->off == 0) {
		p->header = malloc(f->header_len);
		if (!p->header) {
			free(piece);
			return false;
		}
		memcpy(p->header, f->header, f->header_len);
		p->header_len = f->header_len;
	}
	piece->off = f->off;
	piece->len = (uint32_t)f->len;
	memcpy(piece->bytes, f->data, f->len);
	list_insert_before(pos, &piece->of_packet);
	p->pieces_n++;
	p->bytes += piece->len;
	stack->fragments.bytes += piece->len;
	p->ecn_seen |= (uint8_t)(1u << f->ecn);
	if (!f->more)
		p->end = f->off + piece->len;
	return true;
}

/* Makes room among the bytes, but not by evicting the packet itself. */
static bool make_room(struct weft_stack *stack, const struct packet *p, size_t len)
{
	struct frag_cache *cache = &stack->fragments;
	list_for_each (node, &cache->oldest) {
		if (len <= stack->opts.fragment_bytes_max - cache->bytes)
			return true;
		if (node == &p->of_cache)
			return false;
		evict(stack, packet_of(node));
	}
	return false;
}

/* RFC 3168, 5.3: CE wins; with not-ECT among them it is not ECT at all. */
static uint8_t ecn_of(const struct packet *p)
{
	if (p->ecn_seen & 1u)
		return 0;
	if (p->ecn_seen & 1u << IP_ECN_CE)
		return IP_ECN_CE;
	return p->ecn_seen & 1u << IP_ECN_ECT0 ? IP_ECN_ECT0 : 1;
}

static bool assemble(const struct packet *p, struct frag_whole *ret_whole)
{
	uint8_t *packet = malloc(p->header_len + p->end);
	if (!packet)
		return false;
	memcpy(packet, p->header, p->header_len);
	list_for_each (node, &p->pieces) {
		const struct piece *piece = piece_of(node);
		memcpy(packet + p->header_len + piece->off, piece->bytes, piece->len);
	}
	*ret_whole = (struct frag_whole){
		.packet = packet,
		.header_len = p->header_len,
		.len = p->header_len + p->end,
		.ecn = ecn_of(p),
	};
	return true;
}

enum weft_stack_outcome frag_add(struct weft_stack *stack, struct weft_iface *iface,
				 const struct frag_piece *f, uint64_t now,
				 struct frag_whole *ret_whole)
{
	struct list *pos = NULL;
	if (!is_possible(f))
		return WEFT_STACK_DROP_FRAGMENT;
	struct packet *p = table_get(stack->fragments.table, &f->key);
	if (!p)
		p = packet_new(stack, iface, &f->key, now);
	if (!p)
		return WEFT_STACK_DROP_FRAGMENT_LIMIT;
	if (p->is_given_up)
		return WEFT_STACK_DROP_FRAGMENT;
	enum fit fit = find_place(p, f, &pos);
	if (fit == IS_DOUBLE && fits_end(p, f))
		return WEFT_STACK_IGNORED;
	if (fit != FITS || !fits_end(p, f)) {
		give_up(stack, p);
		return WEFT_STACK_DROP_FRAGMENT;
	}
	if (p->pieces_n == stack->opts.fragment_pieces_max ||
	    !make_room(stack, p, f->len) || !keep(stack, p, f, pos)) {
		give_up(stack, p);
		return WEFT_STACK_DROP_FRAGMENT_LIMIT;
	}
	/* No piece overlaps another or the end: so all bytes are there when their sum is. */
	if (p->end == 0 || p->bytes != p->end)
		return WEFT_STACK_HELD;
	/* The first may have more options than the last, of which that was found possible. */
	bool is_whole =
		may_end_at(&p->key, p->header_len, p->end) && assemble(p, ret_whole);
	packet_remove(stack, p);
	return is_whole ? WEFT_STACK_DELIVERED : WEFT_STACK_DROP_FRAGMENT;
}

int frag_init(struct weft_stack *stack)
{
	list_init(&stack->fragments.oldest);
	return table_new(sizeof(struct frag_key), stack->opts.fragments_max,
			 stack->secret, &stack->fragments.table);
}

void frag_fini(struct weft_stack *stack)
{
	if (!stack->fragments.table)
		return;
	list_for_each (node, &stack->fragments.oldest)
		packet_remove(stack, packet_of(node));
	table_free(stack->fragments.table);
}

void frag_remove_all(struct weft_stack *stack, const struct weft_iface *iface)
{
	list_for_each (node, &stack->fragments.oldest) {
		struct packet *p = packet_of(node);
		if (p->iface == iface)
			packet_remove(stack, p);
	}
}
