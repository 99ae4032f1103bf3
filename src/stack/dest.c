/* SPDX-License-Identifier: MIT */
/*
 * The destination cache. Entries end in the order in which they were last changed, so the list
 * is sorted by itself and the table has its victim at hand.
 */
#include "stack/dest.h"

#include "base/time.h"
#include "stack/stack.h"

#include <stdlib.h>

#define LIFE_NS (600 * NS_PER_S) /* RFC 1191, 6.3 and RFC 8201, 4: ten minutes. */

static void dest_remove(struct weft_stack *stack, struct dest *d)
{
	(void)table_remove(stack->dests.table, &d->addr);
	list_remove(&d->of_cache);
	stack_changed(stack);
	free(d);
}

void dest_fini(struct weft_stack *stack)
{
	if (!stack->dests.table)
		return;
	list_for_each (node, &stack->dests.oldest)
		dest_remove(stack, container_of(node, struct dest, of_cache));
	table_free(stack->dests.table);
}

const struct dest *dest_find(const struct weft_stack *stack, const struct ip_addr *addr,
			     uint64_t now)
{
	const struct dest *d = NULL;
	if (!list_is_empty(&stack->dests.oldest))
		d = table_get(stack->dests.table, addr);
	return d && d->expires > now ? d : NULL;
}

static struct dest *oldest(struct weft_stack *stack)
{
	return container_of(stack->dests.oldest.next, struct dest, of_cache);
}

static struct dest *dest_new(struct weft_stack *stack, const struct ip_addr *addr)
{
	struct dest *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->addr = *addr;
	list_init(&d->of_cache);
	if (table_count(stack->dests.table) == stack->opts.path_mtus_max)
		dest_remove(stack, oldest(stack));
	if (table_set(stack->dests.table, addr, d) < 0) {
		free(d);
		return NULL;
	}
	return d;
}

static void on_timer(struct timer *timer, void *user, uint64_t now)
{
	struct weft_stack *stack = user;
	list_for_each (node, &stack->dests.oldest) {
		struct dest *d = container_of(node, struct dest, of_cache);
		if (d->expires > now) {
			wheel_arm(&stack->wheel, timer, d->expires);
			return;
		}
		dest_remove(stack, d);
	}
}

int dest_init(struct weft_stack *stack)
{
	list_init(&stack->dests.oldest);
	stack->dests.timer.fire = on_timer;
	return table_new(sizeof(struct ip_addr), stack->opts.path_mtus_max, stack->secret,
			 &stack->dests.table);
}

/* The entry, new or known, with its ten minutes before it; NULL without memory. */
static struct dest *dest_get(struct weft_stack *stack, const struct ip_addr *addr,
			     uint64_t now)
{
	struct dest *d = table_get(stack->dests.table, addr);
	if (!d)
		d = dest_new(stack, addr);
	if (!d)
		return NULL;
	d->expires = now + LIFE_NS;
	list_remove(&d->of_cache);
	list_push_back(&stack->dests.oldest, &d->of_cache);
	if (!timer_is_armed(&stack->dests.timer))
		wheel_arm(&stack->wheel, &stack->dests.timer, d->expires);
	stack_changed(stack);
	return d;
}

void dest_set_mtu(struct weft_stack *stack, const struct ip_addr *addr, uint32_t mtu,
		  uint64_t now)
{
	const struct dest *known = dest_find(stack, addr, now);
	if (known && known->mtu != 0 && known->mtu <= mtu)
		return;
	struct dest *d = dest_get(stack, addr, now);
	if (d)
		d->mtu = mtu;
}

void dest_redirect(struct weft_stack *stack, const struct ip_addr *addr,
		   const struct ip_addr *gateway, struct weft_iface *iface, uint64_t now)
{
	struct dest *d = dest_get(stack, addr, now);
	if (!d)
		return;
	d->has_gateway = true;
	d->gateway = *gateway;
	d->iface = iface;
}

void dest_remove_gateway(struct weft_stack *stack, const struct ip_addr *gateway,
			 const struct weft_iface *iface)
{
	list_for_each (node, &stack->dests.oldest) {
		struct dest *d = container_of(node, struct dest, of_cache);
		if (d->iface == iface && d->has_gateway &&
		    addr_equal(&d->gateway, gateway))
			d->has_gateway = false;
	}
}

void dest_remove_all(struct weft_stack *stack, const struct weft_iface *iface)
{
	list_for_each (node, &stack->dests.oldest) {
		struct dest *d = container_of(node, struct dest, of_cache);
		if (d->has_gateway && d->iface == iface)
			dest_remove(stack, d);
	}
}
