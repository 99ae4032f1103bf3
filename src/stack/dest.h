/* SPDX-License-Identifier: MIT */
/*
 * What was learnt about single destinations (the destination cache of RFC 4861, 5.1): how long
 * a packet to it may be, where that is less than the link's MTU (RFC 1191, RFC 8201), and a
 * better first hop that a router has named (redirect). Both are forgotten after ten minutes,
 * and the longest unchanged entry gives way when there are too many.
 */
#ifndef STACK_DEST_H
#define STACK_DEST_H

#include "base/list.h"
#include "base/table.h"
#include "stack/addr.h"
#include "stack/wheel.h"

#include <stdbool.h>
#include <stdint.h>

struct weft_stack;
struct weft_iface;

struct dest {
	struct list of_cache;
	struct ip_addr addr;
	uint32_t mtu; /**< 0: nothing is known. */
	bool has_gateway;
	struct ip_addr gateway;
	struct weft_iface *iface; /**< Of gateway. */
	uint64_t expires;
};

struct dest_cache {
	struct table *table;
	struct list oldest; /**< struct dest, in the order of their ends. */
	struct timer timer; /**< The first of these ends: paths are no longer current. */
};

int dest_init(struct weft_stack *stack) WEFT_MUST_CHECK;
void dest_fini(struct weft_stack *stack);

/** What is known of the destination now, or NULL. */
const struct dest *dest_find(const struct weft_stack *stack, const struct ip_addr *addr,
			     uint64_t now);

/** A packet to addr may have mtu bytes, no more; ignored if that is no less than known. */
void dest_set_mtu(struct weft_stack *stack, const struct ip_addr *addr, uint32_t mtu,
		  uint64_t now);

/** The first hop to addr is gateway from now on; addr itself if it is a neighbour. */
void dest_redirect(struct weft_stack *stack, const struct ip_addr *addr,
		   const struct ip_addr *gateway, struct weft_iface *iface, uint64_t now);

/** Forgets all redirects to a gateway, which does not answer (RFC 4861, 7.3.3). */
void dest_remove_gateway(struct weft_stack *stack, const struct ip_addr *gateway,
			 const struct weft_iface *iface);

/** Forgets all redirects to an interface. */
void dest_remove_all(struct weft_stack *stack, const struct weft_iface *iface);

#endif
