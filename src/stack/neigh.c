/* SPDX-License-Identifier: MIT */
/*
 * The cache, and the machine of neigh.h. All times are RFC 4861's (10), which ARP takes over:
 * RFC 1122 (2.3.2.1) asks of it no more than that entries end and requests are not flooded.
 */
#include "stack/neigh.h"

#include "base/mac.h"
#include "base/time.h"
#include "stack/arp.h"
#include "stack/icmp.h"
#include "stack/nd.h"
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>

#define ASK_MAX        3u /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT. */
#define DELAY_FIRST_NS (5 * NS_PER_S)
#define FAILED_NS      (3 * NS_PER_S)
/* A MAC that has just been learnt is not changed by who was not asked (as Linux' locktime). */
#define LOCK_NS        NS_PER_S

/* What the table finds a neighbour by. */
struct key {
	uint8_t octet[sizeof(struct ip_addr) + sizeof(uint32_t)];
};

/* A packet that waits, with its bytes behind it. */
struct waiting {
	struct list of_neigh;
	struct weft_frame frame;
	uint8_t bytes[];
};

static struct key key_of(const struct weft_iface *iface, const struct ip_addr *addr)
{
	struct key key;
	memcpy(key.octet, addr->octet, sizeof(addr->octet));
	memcpy(key.octet + sizeof(addr->octet), &iface->index, sizeof(iface->index));
	return key;
}

/* ---- packets that wait ------------------------------------------------------------------- */

static void drop(struct neigh *n, struct waiting *w)
{
	list_remove(&w->of_neigh);
	n->queue_n--;
	n->iface->stack->neighbours.bytes -= w->frame.len;
	free(w);
}

static void drop_all(struct neigh *n)
{
	list_for_each (node, &n->queue)
		drop(n, container_of(node, struct waiting, of_neigh));
}

static int wait_for(struct neigh *n, const struct weft_frame *frame)
{
	struct weft_stack *stack = n->iface->stack;
	struct neigh_cache *cache = &stack->neighbours;
	if (frame->len > stack->opts.neighbour_bytes_max - cache->bytes)
		return -ENOBUFS;
	struct waiting *w = malloc(sizeof(*w) + frame->len);
	if (!w)
		return -ENOBUFS;
	if (n->queue_n == stack->opts.neighbour_queue_max) {
		stack_event(stack, WEFT_STACK_NEIGH_QUEUE_FULL);
		drop(n, container_of(n->queue.next, struct waiting, of_neigh));
	}
	w->frame = *frame;
	memcpy(w->bytes, frame->data, frame->len);
	list_push_back(&n->queue, &w->of_neigh);
	n->queue_n++;
	cache->bytes += frame->len;
	return 0;
}

static uint16_t type_of(const struct neigh *n)
{
	return addr_is_ip4(&n->addr) ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6;
}

static void send_waiting(struct neigh *n, uint64_t now)
{
	list_for_each (node, &n->queue) {
		struct waiting *w = container_of(node, struct waiting, of_neigh);
		struct weft_frame *frame = iface_frame(n->iface, w->frame.len, now);
		if (frame) {
			memcpy(frame->data, w->bytes, w->frame.len);
			frame->offload = w->frame.offload;
			iface_send(n->iface, frame, n->mac, type_of(n));
		}
		drop(n, w);
	}
}

/* ---- the machine ------------------------------------------------------------------------- */

static void ask(struct neigh *n, uint64_t now)
{
	const struct weft_mac *to = n->state == NEIGH_PROBE ? &n->mac : NULL;
	if (addr_is_ip4(&n->addr))
		arp_ask(n->iface, &n->addr, to, now);
	else
		nd_ask(n->iface, &n->addr, to, now);
	n->asked++;
	wheel_arm(&n->iface->stack->wheel, &n->timer, now + n->iface->retrans_ns);
}

/* 0.5 to 1.5 times what the router says, or 30 s: not all of a cache at once (6.3.2). */
static uint64_t reachable_time(struct neigh *n)
{
	uint64_t base = n->iface->reachable_ns;
	return base / 2 + rng_below(&n->iface->stack->rng, base);
}

static void enter(struct neigh *n, enum neigh_state state, uint64_t now)
{
	struct neigh_cache *cache = &n->iface->stack->neighbours;
	struct wheel *wheel = &n->iface->stack->wheel;
	n->state = state;
	n->asked = 0;
	list_remove(&n->of_cache);
	list_push_back(neigh_is_known(n) ? &cache->resolved : &cache->unresolved,
		       &n->of_cache);
	switch (state) {
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		ask(n, now);
		break;
	case NEIGH_REACHABLE:
		wheel_arm(wheel, &n->timer, now + reachable_time(n));
		break;
	case NEIGH_DELAY:
		wheel_arm(wheel, &n->timer, now + DELAY_FIRST_NS);
		break;
	case NEIGH_FAILED:
		wheel_arm(wheel, &n->timer, now + FAILED_NS);
		break;
	case NEIGH_STALE:
	case NEIGH_STATIC:
		wheel_cancel(wheel, &n->timer);
		break;
	}
}

/* Other hosts whose packets have waited in vain are told (RFC 4861, 7.2.2). */
static void give_back(struct weft_iface *iface, struct list *queue, uint64_t now)
{
	struct list *node;
	while ((node = list_pop_front(queue)) != NULL) {
		struct waiting *w = container_of(node, struct waiting, of_neigh);
		icmp_give_back(iface, w->bytes, w->frame.len, now);
		iface->stack->neighbours.bytes -= w->frame.len;
		free(w);
	}
}

static void fail(struct neigh *n, uint64_t now)
{
	struct weft_iface *iface = n->iface;
	struct list queue, *node;
	list_init(&queue);
	while ((node = list_pop_front(&n->queue)) != NULL)
		list_push_back(&queue, node);
	n->queue_n = 0;
	stack_event(iface->stack, WEFT_STACK_NEIGH_FAILED);
	dest_remove_gateway(iface->stack, &n->addr, iface);
	stack_changed(iface->stack);
	enter(n, NEIGH_FAILED, now);
	/* What is told may need the room of this neighbour. */
	give_back(iface, &queue, now);
}

/* Forgets a neighbour; packets that wait are lost. */
static void neigh_remove(struct neigh *n)
{
	struct weft_stack *stack = n->iface->stack;
	struct key key = key_of(n->iface, &n->addr);
	drop_all(n);
	wheel_cancel(&stack->wheel, &n->timer);
	list_remove(&n->of_cache);
	(void)table_remove(stack->neighbours.table, &key);
	stack_changed(stack);
	free(n);
}

static void on_timer(struct timer *timer, void *user, uint64_t now)
{
	struct neigh *n = container_of(timer, struct neigh, timer);
	(void)user;
	switch (n->state) {
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		if (n->asked < ASK_MAX)
			ask(n, now);
		else
			fail(n, now);
		break;
	case NEIGH_REACHABLE:
		enter(n, NEIGH_STALE, now);
		break;
	case NEIGH_DELAY:
		enter(n, NEIGH_PROBE, now);
		break;
	case NEIGH_FAILED:
		neigh_remove(n);
		break;
	case NEIGH_STALE:
	case NEIGH_STATIC:
		break;
	}
}

int neigh_send(struct neigh *n, struct weft_frame *frame, uint64_t now)
{
	switch (n->state) {
	case NEIGH_INCOMPLETE:
		return wait_for(n, frame);
	case NEIGH_FAILED:
		return -EHOSTUNREACH;
	case NEIGH_STALE:
		enter(n, NEIGH_DELAY, now);
		break;
	case NEIGH_REACHABLE:
	case NEIGH_DELAY:
	case NEIGH_PROBE:
	case NEIGH_STATIC:
		break;
	}
	iface_send(n->iface, frame, n->mac, type_of(n));
	return 0;
}

/* The table of RFC 4861, 7.2.5, for an entry that has a MAC. */
static void update_known(struct neigh *n, const struct neigh_news *news, uint64_t now)
{
	bool is_other = !mac_equal(n->mac, news->mac);
	bool is_locked = !news->is_solicited && now - n->changed_at < LOCK_NS;
	if (is_other && (!news->overrides || is_locked)) {
		if (n->state == NEIGH_REACHABLE && !is_locked)
			enter(n, NEIGH_STALE, now);
		return;
	}
	if (is_other) {
		n->mac = news->mac;
		n->changed_at = now;
	}
	if (news->is_solicited)
		enter(n, NEIGH_REACHABLE, now);
	else if (is_other)
		enter(n, NEIGH_STALE, now);
}

void neigh_confirm(struct neigh *n, uint64_t now)
{
	if (n->state == NEIGH_STALE || n->state == NEIGH_DELAY || n->state == NEIGH_PROBE)
		enter(n, NEIGH_REACHABLE, now);
}

void neigh_doubt(struct neigh *n, uint64_t now)
{
	if (n->state == NEIGH_REACHABLE || n->state == NEIGH_STALE ||
	    n->state == NEIGH_DELAY)
		enter(n, NEIGH_PROBE, now);
}

/* ---- the cache --------------------------------------------------------------------------- */

int neigh_init(struct weft_stack *stack)
{
	struct neigh_cache *cache = &stack->neighbours;
	list_init(&cache->resolved);
	list_init(&cache->unresolved);
	return table_new(sizeof(struct key), stack->opts.neighbours_max, stack->secret,
			 &cache->table);
}

static void remove_list(struct list *list)
{
	list_for_each (node, list)
		neigh_remove(container_of(node, struct neigh, of_cache));
}

void neigh_fini(struct weft_stack *stack)
{
	struct neigh_cache *cache = &stack->neighbours;
	if (!cache->table)
		return;
	remove_list(&cache->resolved);
	remove_list(&cache->unresolved);
	table_free(cache->table);
}

struct neigh *neigh_find(const struct weft_iface *iface, const struct ip_addr *addr)
{
	struct key key = key_of(iface, addr);
	return table_get(iface->stack->neighbours.table, &key);
}

/* The oldest that may go: of those without a MAC first. */
static struct neigh *find_victim(const struct neigh_cache *cache)
{
	if (!list_is_empty(&cache->unresolved))
		return container_of(cache->unresolved.next, struct neigh, of_cache);
	list_for_each (node, &cache->resolved) {
		struct neigh *n = container_of(node, struct neigh, of_cache);
		if (n->state != NEIGH_STATIC)
			return n;
	}
	return NULL;
}

/* A neighbour without a state, in the table; NULL when there is no room. */
static struct neigh *neigh_new(struct weft_iface *iface, const struct ip_addr *addr)
{
	struct weft_stack *stack = iface->stack;
	struct neigh_cache *cache = &stack->neighbours;
	struct key key = key_of(iface, addr);
	struct neigh *n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	*n = (struct neigh){ .iface = iface,
			     .addr = *addr,
			     .timer = { .fire = on_timer } };
	list_init(&n->of_cache);
	list_init(&n->queue);
	if (table_count(cache->table) == stack->opts.neighbours_max) {
		struct neigh *victim = find_victim(cache);
		if (victim) {
			stack_event(stack, WEFT_STACK_NEIGH_EVICTED);
			neigh_remove(victim);
		}
	}
	if (table_set(cache->table, &key, n) < 0) {
		free(n);
		return NULL;
	}
	return n;
}

struct neigh *neigh_get(struct weft_iface *iface, const struct ip_addr *addr,
			uint64_t now)
{
	struct neigh *n = neigh_find(iface, addr);
	if (n)
		return n;
	n = neigh_new(iface, addr);
	if (n)
		enter(n, NEIGH_INCOMPLETE, now);
	return n;
}

void neigh_update(struct weft_iface *iface, const struct ip_addr *addr,
		  const struct neigh_news *news, uint64_t now)
{
	struct neigh *n = neigh_find(iface, addr);
	bool was_asked = n && !neigh_is_known(n);
	if (mac_is_group(news->mac) || mac_is_zero(news->mac))
		return;
	if (!n && news->may_create) {
		n = neigh_new(iface, addr);
		was_asked = true;
	}
	if (!n || n->state == NEIGH_STATIC)
		return;
	if (!was_asked) {
		update_known(n, news, now);
		return;
	}
	n->mac = news->mac;
	n->changed_at = now;
	enter(n, news->is_solicited ? NEIGH_REACHABLE : NEIGH_STALE, now);
	if (n->queue_n > 0)
		send_waiting(n, now);
}

static void remove_of(struct list *list, const struct weft_iface *iface)
{
	list_for_each (node, list) {
		struct neigh *n = container_of(node, struct neigh, of_cache);
		if (n->iface == iface)
			neigh_remove(n);
	}
}

void neigh_remove_all(struct weft_iface *iface)
{
	remove_of(&iface->stack->neighbours.resolved, iface);
	remove_of(&iface->stack->neighbours.unresolved, iface);
}

/* Sets a neighbour for good. Returns 0 or -ENOSPC. */
static int set_static(struct weft_iface *iface, const struct ip_addr *addr,
		      struct weft_mac mac, uint64_t now)
{
	struct neigh *n = neigh_find(iface, addr);
	if (!n)
		n = neigh_new(iface, addr);
	if (!n)
		return -ENOSPC;
	n->mac = mac;
	enter(n, NEIGH_STATIC, now);
	send_waiting(n, now);
	return 0;
}

/* ---- the public face --------------------------------------------------------------------- */

int weft_iface_add_neighbour(struct weft_iface *iface, const struct weft_ip *ip,
			     struct weft_mac mac, uint64_t now)
{
	struct ip_addr addr;
	unsigned bits;
	if (!addr_of_ip(ip, &addr, &bits) || mac_is_group(mac) ||
	    addr_is_multicast(&addr))
		return -EINVAL;
	return set_static(iface, &addr, mac, now);
}

void weft_iface_remove_neighbour(struct weft_iface *iface, const struct weft_ip *ip)
{
	struct ip_addr addr;
	unsigned bits;
	struct neigh *n = NULL;
	if (addr_of_ip(ip, &addr, &bits))
		n = neigh_find(iface, &addr);
	if (n)
		neigh_remove(n);
}

bool weft_iface_neighbour(const struct weft_iface *iface, const struct weft_ip *ip,
			  struct weft_mac *ret_mac)
{
	struct ip_addr addr;
	unsigned bits;
	const struct neigh *n = NULL;
	if (addr_of_ip(ip, &addr, &bits))
		n = neigh_find(iface, &addr);
	if (!n || !neigh_is_known(n))
		return false;
	*ret_mac = n->mac;
	return true;
}
