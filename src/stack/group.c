/* SPDX-License-Identifier: MIT */
/*
 * The groups, and when they are reported.
 */
#include "stack/group.h"

#include "base/time.h"
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>

#define ROBUSTNESS         2u       /* Reports of a join. */
#define REPORT_INTERVAL_NS NS_PER_S /* Unsolicited: at most this between them. */

static void report(const struct group *g, enum group_report what, uint64_t now)
{
	if (addr_is_ip4(&g->addr))
		igmp_report(g->iface, &g->addr, what, now);
	else
		mld_report(g->iface, &g->addr, what, now);
}

static void on_timer(struct timer *timer, void *user, uint64_t now)
{
	struct group *g = container_of(timer, struct group, timer);
	struct weft_stack *stack = user;
	if (g->joins_left == 0) {
		report(g, GROUP_IS_MEMBER, now);
		return;
	}
	report(g, GROUP_JOINED, now);
	if (--g->joins_left > 0)
		wheel_arm(&stack->wheel, timer,
			  now + rng_below(&stack->rng, REPORT_INTERVAL_NS));
}

static struct group *find(const struct weft_iface *iface, const struct ip_addr *addr)
{
	list_for_each (node, &iface->groups) {
		struct group *g = container_of(node, struct group, of_iface);
		if (addr_equal(&g->addr, addr))
			return g;
	}
	return NULL;
}

/* All hosts; nobody reports it (RFC 3376 6, RFC 3810 6). */
static bool is_all_hosts(const struct ip_addr *addr)
{
	static const struct ip_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };
	if (addr_is_ip4(addr))
		return addr_to_ip4(addr) == 0xe0000001;
	return addr_equal(addr, &all_nodes);
}

bool group_is_joined(const struct weft_iface *iface, const struct ip_addr *addr)
{
	return is_all_hosts(addr) || find(iface, addr) != NULL;
}

/* Joins where there are less than max groups, or one more member of a known one. */
static int join(struct weft_iface *iface, const struct ip_addr *addr, uint32_t max,
		uint64_t now)
{
	struct group *g = find(iface, addr);
	if (!addr_is_multicast(addr))
		return -EINVAL;
	if (g) {
		g->members++;
		return 0;
	}
	if (iface->groups_n >= max)
		return -ENOSPC;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	*g = (struct group){
		.iface = iface,
		.addr = *addr,
		.members = 1,
		.joins_left = ROBUSTNESS,
		.timer = { .fire = on_timer },
	};
	list_push_back(&iface->groups, &g->of_iface);
	iface->groups_n++;
	if (iface->link && !is_all_hosts(addr))
		wheel_arm(&iface->stack->wheel, &g->timer, now);
	return 0;
}

int group_join(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	return join(iface, addr, iface->stack->opts.groups_max, now);
}

int group_join_node(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	const struct ip_addr node = addr_solicited_node(addr);
	return join(iface, &node, UINT32_MAX, now);
}

static void group_free(struct group *g)
{
	wheel_cancel(&g->iface->stack->wheel, &g->timer);
	list_remove(&g->of_iface);
	g->iface->groups_n--;
	free(g);
}

void group_leave(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now)
{
	struct group *g = find(iface, addr);
	if (!g || --g->members > 0)
		return;
	if (iface->link && !is_all_hosts(addr))
		report(g, GROUP_LEFT, now);
	group_free(g);
}

void group_tell_again(struct weft_iface *iface, uint64_t now)
{
	list_for_each (node, &iface->groups) {
		struct group *g = container_of(node, struct group, of_iface);
		if (addr_is_ip4(&g->addr) || is_all_hosts(&g->addr))
			continue;
		g->joins_left = ROBUSTNESS;
		wheel_arm(&iface->stack->wheel, &g->timer, now);
	}
}

void group_leave_all(struct weft_iface *iface)
{
	list_for_each (node, &iface->groups)
		group_free(container_of(node, struct group, of_iface));
}

void group_query(struct weft_iface *iface, const struct ip_addr *addr, uint64_t within_ns,
		 uint64_t now)
{
	struct weft_stack *stack = iface->stack;
	list_for_each (node, &iface->groups) {
		struct group *g = container_of(node, struct group, of_iface);
		uint64_t at = now + rng_below(&stack->rng, within_ns + 1);
		bool is_meant = addr_is_unspecified(addr)
					? addr_is_ip4(addr) == addr_is_ip4(&g->addr)
					: addr_equal(addr, &g->addr);
		if (!is_meant || is_all_hosts(&g->addr))
			continue;
		if (!timer_is_armed(&g->timer) || g->timer.at > at)
			wheel_arm(&stack->wheel, &g->timer, at);
	}
}

void group_heard_report(struct weft_iface *iface, const struct ip_addr *addr)
{
	struct group *g = find(iface, addr);
	if (g && g->joins_left == 0)
		wheel_cancel(&iface->stack->wheel, &g->timer);
}

void group_send(struct weft_iface *iface, const struct ip_addr *src,
		const struct ip_addr *dst, const uint8_t *message, size_t len,
		uint64_t now)
{
	struct weft_stack *stack = iface->stack;
	bool is_ip4 = addr_is_ip4(dst);
	const struct ip_slice slice = { message, len };
	/* Made by hand: a report may come from no address at all. */
	const struct ip_path path = {
		.generation = stack->generation,
		.iface = iface,
		.src = *src,
		.link_flags = iface->link_flags,
		.mtu = iface->mtu,
		.is_group = true,
	};
	const struct ip_tx tx = {
		.path = &path,
		.src = *src,
		.dst = *dst,
		.protocol = is_ip4 ? IPPROTO_IGMP : IPPROTO_ICMPV6,
		.tos = is_ip4 ? 0xc0 : 0, /* RFC 3376, 4: internetwork control. */
		.router_alert = true,
		.no_checksum = is_ip4,
		.csum_offset = 2,
		.slices = &slice,
		.slices_n = 1,
	};
	(void)!ip_output(stack, &tx, now);
}
