/* SPDX-License-Identifier: MIT */
/*
 * Adding and removing walk down with a pointer to the link that led to the present node (a
 * child of the one above, or the root), so that whatever hangs there can be replaced. Nodes
 * are taken before the first link is changed: an addition that fails changes nothing.
 */
#include "bridge/prefix.h"

#include "wire/cursor.h"

#include <errno.h>
#include <stdlib.h>

#define NODES_LEN_MIN 64u

/* A network has its own node, and a fork at most to hold it apart from another. */
#define NODES_EACH 2u

struct prefix_node {
	uint64_t hi, lo;
	uint32_t child[2]; /* 0 for none; of a free node, [0] is the next free one. */
	void *value;       /* NULL for a fork, and in a free node. */
	uint8_t bits;
};

/* ---- prefixes as numbers ----------------------------------------------------------------- */

/* The top bits of 64; bits may be more. */
static uint64_t mask64(unsigned bits)
{
	if (bits == 0)
		return 0;
	return bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

static struct prefix cut_to(struct prefix p, uint8_t bits)
{
	p.hi &= mask64(bits);
	p.lo &= mask64(bits > 64 ? bits - 64u : 0);
	p.bits = bits;
	return p;
}

struct prefix prefix_of_ip4(uint32_t addr)
{
	return (struct prefix){ .hi = (uint64_t)addr << 32, .bits = 32 };
}

struct prefix prefix_of_ip6(const uint8_t octets[16])
{
	return (struct prefix){ .hi = load_be64(octets),
				.lo = load_be64(octets + 8),
				.bits = 128,
				.is_ip6 = true };
}

int prefix_of(const struct weft_ip *ip, struct prefix *ret_prefix)
{
	struct prefix p;

	if (ip->family == AF_INET)
		p = prefix_of_ip4(load_be32(ip->octet));
	else if (ip->family == AF_INET6)
		p = prefix_of_ip6(ip->octet);
	else
		return -EINVAL;
	if (ip->prefix > p.bits)
		return -EINVAL;
	*ret_prefix = cut_to(p, ip->prefix);
	return 0;
}

struct weft_ip prefix_ip(const struct prefix *p)
{
	struct weft_ip ip = { .family = p->is_ip6 ? AF_INET6 : AF_INET,
			      .prefix = p->bits };

	store_be64(ip.octet, p->hi);
	store_be64(ip.octet + 8, p->lo);
	return ip;
}

bool prefix_holds(const struct prefix *outer, const struct prefix *inner)
{
	return outer->is_ip6 == inner->is_ip6 && outer->bits <= inner->bits &&
	       ((outer->hi ^ inner->hi) & mask64(outer->bits)) == 0 &&
	       ((outer->lo ^ inner->lo) &
		mask64(outer->bits > 64 ? outer->bits - 64u : 0)) == 0;
}

/* The bit with a number below 128; those of IPv4 end at 31. */
static unsigned bit_at(const struct prefix *p, unsigned number)
{
	uint64_t word = number < 64 ? p->hi : p->lo;
	return (unsigned)(word >> (63 - number % 64)) & 1;
}

/* How many bits two addresses have in common, 128 at most. */
static unsigned common_bits(const struct prefix *p, const struct prefix_node *n)
{
	if (p->hi != n->hi)
		return (unsigned)__builtin_clzll(p->hi ^ n->hi);
	return p->lo != n->lo ? 64 + (unsigned)__builtin_clzll(p->lo ^ n->lo) : 128;
}

/* Whether p lies in the prefix of the node. */
static bool node_covers(const struct prefix_node *n, const struct prefix *p)
{
	return n->bits <= p->bits && common_bits(p, n) >= n->bits;
}

static struct prefix node_prefix(const struct prefix_node *n, bool is_ip6)
{
	return (struct prefix){
		.hi = n->hi, .lo = n->lo, .bits = n->bits, .is_ip6 = is_ip6
	};
}

/* ---- nodes ------------------------------------------------------------------------------- */

void prefix_table_init(struct prefix_table *t, uint32_t count_max)
{
	*t = (struct prefix_table){ .count_max = count_max };
}

void prefix_table_fini(struct prefix_table *t)
{
	free(t->nodes);
	*t = (struct prefix_table){ 0 };
}

/* Makes the array that long; never shorter. Returns 0 or -ENOMEM. */
static int grow(struct prefix_table *t, uint32_t len)
{
	if (len <= t->nodes_len)
		return 0;
	struct prefix_node *nodes = realloc(t->nodes, (size_t)len * sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	if (!t->nodes) {
		nodes[0] = (struct prefix_node){ 0 };
		t->nodes_n = 1;
	}
	t->nodes = nodes;
	t->nodes_len = len;
	return 0;
}

/* Room for two more nodes: what one addition takes at most. Returns 0 or -ENOMEM. */
static int reserve(struct prefix_table *t)
{
	if (t->nodes_len - t->nodes_n + t->free_n >= NODES_EACH)
		return 0;
	return grow(t, t->nodes ? t->nodes_len * 2 : NODES_LEN_MIN);
}

int prefix_reserve(struct prefix_table *t, uint32_t count)
{
	/* Nobody, what the networks have, and what prefix_add asks for before it adds. */
	return count > 0 ? grow(t, 1 + NODES_EACH * count) : 0;
}

/* A node for a prefix, out of what was reserved; returns its number. */
static uint32_t node_new(struct prefix_table *t, const struct prefix *p, void *value)
{
	uint32_t number = t->free_list;
	if (number) {
		t->free_list = t->nodes[number].child[0];
		t->free_n--;
	} else {
		number = t->nodes_n++;
	}
	t->nodes[number] = (struct prefix_node){
		.hi = p->hi, .lo = p->lo, .value = value, .bits = p->bits
	};
	return number;
}

static void node_free(struct prefix_table *t, uint32_t number)
{
	t->nodes[number] = (struct prefix_node){ .child = { t->free_list } };
	t->free_list = number;
	t->free_n++;
}

/* ---- the trie ---------------------------------------------------------------------------- */

/*
 * The link below which the prefix belongs: it leads to nobody, to the prefix itself, or to
 * the first node that does not cover it. ret_above is the link one above; the root's own if
 * there is none.
 */
static uint32_t *find_link(struct prefix_table *t, const struct prefix *p,
			   uint32_t **ret_above)
{
	uint32_t *link = &t->root[p->is_ip6], *above = link;
	while (*link) {
		struct prefix_node *n = &t->nodes[*link];
		if (!node_covers(n, p) || n->bits == p->bits)
			break;
		above = link;
		link = &n->child[bit_at(p, n->bits)];
	}
	*ret_above = above;
	return link;
}

/* Puts a new node in front of the one at link, which does not cover p. */
static void put_before(struct prefix_table *t, uint32_t *link, const struct prefix *p,
		       void *value)
{
	const struct prefix_node *old = &t->nodes[*link];
	const struct prefix there = node_prefix(old, p->is_ip6);
	unsigned common = common_bits(p, old);
	if (common > p->bits)
		common = p->bits;
	const struct prefix shared = cut_to(*p, (uint8_t)common);
	bool is_fork = common < p->bits;
	uint32_t top = node_new(t, &shared, is_fork ? NULL : value);
	t->nodes[top].child[bit_at(&there, common)] = *link;
	if (is_fork)
		t->nodes[top].child[bit_at(p, common)] = node_new(t, p, value);
	*link = top;
}

int prefix_add(struct prefix_table *t, const struct prefix *p, void *value)
{
	uint32_t *above;
	if (prefix_get(t, p))
		return -EEXIST;
	if (t->count >= t->count_max)
		return -ENOSPC;
	if (reserve(t) < 0)
		return -ENOMEM;
	uint32_t *link = find_link(t, p, &above);
	if (!*link)
		*link = node_new(t, p, value);
	else if (node_covers(&t->nodes[*link], p))
		t->nodes[*link].value = value;
	else
		put_before(t, link, p, value);
	t->count++;
	return 0;
}

/* Takes out the node at link if it has no value and nothing to hold apart. */
static void splice(struct prefix_table *t, uint32_t *link)
{
	uint32_t number = *link;
	const struct prefix_node *n = &t->nodes[number];
	if (n->value || (n->child[0] && n->child[1]))
		return;
	*link = n->child[0] ? n->child[0] : n->child[1];
	node_free(t, number);
}

void *prefix_remove(struct prefix_table *t, const struct prefix *p)
{
	uint32_t *above;
	uint32_t *link = find_link(t, p, &above);
	struct prefix_node *n = *link ? &t->nodes[*link] : NULL;
	if (!n || !node_covers(n, p) || !n->value)
		return NULL;
	void *value = n->value;
	n->value = NULL;
	t->count--;
	splice(t, link);
	if (above != link)
		splice(t, above);
	return value;
}

/*
 * What is below a node goes before the node itself, so that a fork is looked at when both
 * sides are done. The depth is bounded by the bits of an address.
 */
static void remove_below(struct prefix_table *t, uint32_t *link, const void *value)
{
	if (!*link)
		return;
	struct prefix_node *n = &t->nodes[*link];
	remove_below(t, &n->child[0], value);
	remove_below(t, &n->child[1], value);
	if (n->value == value) {
		n->value = NULL;
		t->count--;
	}
	splice(t, link);
}

void prefix_remove_all(struct prefix_table *t, const void *value)
{
	remove_below(t, &t->root[0], value);
	remove_below(t, &t->root[1], value);
}

void *prefix_get(const struct prefix_table *t, const struct prefix *p)
{
	uint32_t number = t->root[p->is_ip6];
	while (number) {
		const struct prefix_node *n = &t->nodes[number];
		if (!node_covers(n, p))
			return NULL;
		if (n->bits == p->bits)
			return n->value;
		number = n->child[bit_at(p, n->bits)];
	}
	return NULL;
}

void *prefix_lookup(const struct prefix_table *t, const struct prefix *addr,
		    const void *except, struct prefix *ret_network)
{
	uint32_t number = t->root[addr->is_ip6];
	const struct prefix_node *best = NULL;
	while (number) {
		const struct prefix_node *n = &t->nodes[number];
		if (!node_covers(n, addr))
			break;
		if (n->value && n->value != except)
			best = n;
		if (n->bits == addr->bits)
			break;
		number = n->child[bit_at(addr, n->bits)];
	}
	if (!best)
		return NULL;
	if (ret_network)
		*ret_network = node_prefix(best, addr->is_ip6);
	return best->value;
}
