/* SPDX-License-Identifier: MIT */
/*
 * Growing moves every entry once, by the hash that it remembers. When there is no memory for
 * that, the chains just become longer: a connection is not lost for it.
 */
#include "stack/tcp_table.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 16u

static_assert(sizeof(struct tcp_flow) == 40, "a flow is hashed as it is: no padding");

int tcp_table_init(struct tcp_table *t, const uint8_t secret[HASH_SECRET_LEN])
{
	*t = (struct tcp_table){ .slots_n = SLOTS_MIN };
	memcpy(t->secret, secret, sizeof(t->secret));
	t->slots = calloc(SLOTS_MIN, sizeof(struct tcp_node *));
	return t->slots ? 0 : -ENOMEM;
}

void tcp_table_fini(struct tcp_table *t)
{
	free(t->slots);
	*t = (struct tcp_table){ 0 };
}

/* Of an IPv4 address, what is in front of it says nothing, and would take half of the time. */
static uint32_t hash_of(const struct tcp_table *t, const struct tcp_flow *flow)
{
	const uint32_t key[] = { addr_to_ip4(&flow->local), addr_to_ip4(&flow->remote),
				 (uint32_t)flow->lport << 16 | flow->rport };
	if (addr_is_ip4(&flow->local))
		return (uint32_t)hash_bytes(t->secret, key, sizeof(key));
	return (uint32_t)hash_bytes(t->secret, flow, sizeof(*flow));
}

static struct tcp_node **slot_of(const struct tcp_table *t, uint32_t hash)
{
	return &t->slots[hash & (t->slots_n - 1)];
}

static bool is_of(const struct tcp_node *node, const struct tcp_flow *flow)
{
	return memcmp(&node->flow, flow, sizeof(*flow)) == 0;
}

struct tcp_node *tcp_table_find(struct tcp_table *t, const struct tcp_flow *flow)
{
	if (t->last && is_of(t->last, flow))
		return t->last;
	uint32_t hash = hash_of(t, flow);
	struct tcp_node *node = *slot_of(t, hash);
	while (node && (node->hash != hash || !is_of(node, flow)))
		node = node->next;
	if (node)
		t->last = node;
	return node;
}

static void link_node(struct tcp_table *t, struct tcp_node *node)
{
	struct tcp_node **slot = slot_of(t, node->hash);
	node->next = *slot;
	*slot = node;
}

static void grow(struct tcp_table *t)
{
	struct tcp_table grown = *t;
	grown.slots_n = 2 * t->slots_n;
	grown.slots = calloc(grown.slots_n, sizeof(struct tcp_node *));
	if (!grown.slots)
		return;
	for (size_t i = 0; i < t->slots_n; i++) {
		for (struct tcp_node *node = t->slots[i], *next; node; node = next) {
			next = node->next;
			link_node(&grown, node);
		}
	}
	free(t->slots);
	*t = grown;
}

void tcp_table_add(struct tcp_table *t, struct tcp_node *node, enum tcp_kind kind)
{
	assert(node->kind == 0);
	if (t->count >= t->slots_n)
		grow(t);
	node->hash = hash_of(t, &node->flow);
	node->kind = (uint8_t)kind;
	link_node(t, node);
	t->count++;
}

void tcp_table_remove(struct tcp_table *t, struct tcp_node *node)
{
	if (node->kind == 0)
		return;
	struct tcp_node **at = slot_of(t, node->hash);
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	if (t->last == node)
		t->last = NULL;
	node->next = NULL;
	node->kind = 0;
	t->count--;
}
