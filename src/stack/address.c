/* SPDX-License-Identifier: MIT */
/*
 * The addresses of an interface, from asking whether somebody has one to the end of its life,
 * and which of them a packet is sent from.
 *
 *     add --> TENTATIVE --nobody answered--> PREFERRED --lifetime--> DEPRECATED --> (removed)
 *      |          |                              |
 *      |          '------> CONFLICT <------------'   IPv4: somebody has it, and we defended it
 *      '- IPv4, no probe: at once to PREFERRED       less than 10 s ago (RFC 5227, 2.4 (b))
 *
 * IPv4 asks with three ARP probes and tells with two announcements (RFC 5227, 2.1 and 2.3).
 * IPv6 asks with one neighbour solicitation (RFC 4862, 5.4) and tells nobody. Once it is used,
 * who says that it is theirs may be anybody (5.4.4 leaves open what follows): it is kept, and
 * defended as often as IPv4's.
 */
#include "base/time.h"
#include "stack/arp.h"
#include "stack/group.h"
#include "stack/nd.h"
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 5227, 1.1. */
#define PROBE_NUM            3u
#define PROBE_MIN_NS         NS_PER_S
#define PROBE_MAX_NS         (2 * NS_PER_S)
#define ANNOUNCE_WAIT_NS     (2 * NS_PER_S)
#define ANNOUNCE_NUM         2u
#define ANNOUNCE_INTERVAL_NS (2 * NS_PER_S)
#define DEFEND_INTERVAL_NS   (10 * NS_PER_S)

/* RFC 4862, 5.1 and RFC 4861, 10. */
#define DAD_TRANSMITS 1u

/* PROBE_WAIT of the first, MAX_RTR_SOLICITATION_DELAY of the other. */
#define ASK_DELAY_NS NS_PER_S

/* ---- the life of an address -------------------------------------------------------------- */

static void arm_lifetime(struct iface_addr *a)
{
	struct wheel *wheel = &a->iface->stack->wheel;
	uint64_t at =
		a->state == WEFT_ADDRESS_PREFERRED ? a->preferred_until : a->valid_until;
	if (at == WEFT_NEVER)
		wheel_cancel(wheel, &a->timer);
	else
		wheel_arm(wheel, &a->timer, at);
}

static void become_usable(struct iface_addr *a, uint64_t now)
{
	a->state = WEFT_ADDRESS_PREFERRED;
	a->asked = 0;
	stack_changed(a->iface->stack);
	if (!a->iface->is_ethernet)
		return;
	if (addr_is_ip4(&a->addr)) {
		if (!a->no_acd)
			wheel_arm(&a->iface->stack->wheel, &a->timer, now);
		return;
	}
	arm_lifetime(a);
	if (addr_is_link_local(&a->addr)) {
		nd_solicit_routers(a->iface, now);
		group_tell_again(a->iface, now);
	}
}

/* The next probe, or the end of them. */
static void probe_ip4(struct iface_addr *a, uint64_t now)
{
	struct weft_stack *stack = a->iface->stack;
	if (a->asked == PROBE_NUM) {
		become_usable(a, now);
		return;
	}
	arp_probe(a->iface, &a->addr, now);
	uint64_t wait =
		PROBE_MIN_NS + rng_below(&stack->rng, PROBE_MAX_NS - PROBE_MIN_NS);
	if (++a->asked == PROBE_NUM)
		wait = ANNOUNCE_WAIT_NS;
	wheel_arm(&stack->wheel, &a->timer, now + wait);
}

static void probe_ip6(struct iface_addr *a, uint64_t now)
{
	struct weft_stack *stack = a->iface->stack;
	if (a->asked == DAD_TRANSMITS) {
		become_usable(a, now);
		return;
	}
	nd_probe(a->iface, &a->addr, now);
	a->asked++;
	wheel_arm(&stack->wheel, &a->timer, now + a->iface->retrans_ns);
}

static void announce_ip4(struct iface_addr *a, uint64_t now)
{
	arp_announce(a->iface, &a->addr, now);
	if (++a->asked < ANNOUNCE_NUM)
		wheel_arm(&a->iface->stack->wheel, &a->timer, now + ANNOUNCE_INTERVAL_NS);
}

static void end_lifetime(struct iface_addr *a, uint64_t now)
{
	if (a->valid_until <= now) {
		iface_remove_addr(a, now);
		return;
	}
	a->state = WEFT_ADDRESS_DEPRECATED;
	stack_changed(a->iface->stack);
	arm_lifetime(a);
}

void iface_addr_set_lifetime(struct iface_addr *a, uint64_t preferred_until,
			     uint64_t valid_until, uint64_t now)
{
	a->preferred_until = preferred_until;
	a->valid_until = valid_until;
	if (!iface_addr_is_usable(a))
		return;
	a->state =
		preferred_until > now ? WEFT_ADDRESS_PREFERRED : WEFT_ADDRESS_DEPRECATED;
	stack_changed(a->iface->stack);
	arm_lifetime(a);
}

static void on_timer(struct timer *timer, void *user, uint64_t now)
{
	struct iface_addr *a = container_of(timer, struct iface_addr, timer);
	bool is_ip4 = addr_is_ip4(&a->addr);
	(void)user;
	if (a->state == WEFT_ADDRESS_TENTATIVE && is_ip4)
		probe_ip4(a, now);
	else if (a->state == WEFT_ADDRESS_TENTATIVE)
		probe_ip6(a, now);
	else if (is_ip4)
		announce_ip4(a, now);
	else
		end_lifetime(a, now);
}

static void begin(struct iface_addr *a, unsigned flags, uint64_t now)
{
	struct weft_stack *stack = a->iface->stack;
	unsigned ask = addr_is_ip4(&a->addr) ? flags & WEFT_ADDRESS_PROBE
					     : !(flags & WEFT_ADDRESS_NO_DAD);
	if (!a->iface->is_ethernet || !ask) {
		become_usable(a, now);
		return;
	}
	a->state = WEFT_ADDRESS_TENTATIVE;
	wheel_arm(&stack->wheel, &a->timer, now + rng_below(&stack->rng, ASK_DELAY_NS));
}

static void defend(struct iface_addr *a, uint64_t now)
{
	a->defended_at = now;
	if (addr_is_ip4(&a->addr))
		arp_announce(a->iface, &a->addr, now);
	else
		nd_announce(a->iface, &a->addr, now);
}

void iface_addr_conflict(struct iface_addr *a, uint64_t now)
{
	struct weft_stack *stack = a->iface->stack;
	bool is_used = iface_addr_is_usable(a);
	bool was_defended =
		a->defended_at != 0 && now - a->defended_at <= DEFEND_INTERVAL_NS;
	if (a->state == WEFT_ADDRESS_CONFLICT)
		return;
	stack_event(stack, WEFT_STACK_CONFLICT);
	if (a->no_acd)
		return;
	if (is_used && !was_defended) {
		defend(a, now);
		return;
	}
	if (is_used && !addr_is_ip4(&a->addr))
		return;
	a->state = WEFT_ADDRESS_CONFLICT;
	wheel_cancel(&stack->wheel, &a->timer);
	stack_changed(stack);
}

/* ---- adding and removing ----------------------------------------------------------------- */

/* The first and the last of an IPv4 network are no hosts (but RFC 3021). */
static bool is_edge_of_network(const struct ip_addr *addr, unsigned bits)
{
	if (!addr_is_ip4(addr) || bits >= ADDR_BITS - 1)
		return false;
	uint32_t mask = UINT32_MAX >> (bits - ADDR_IP4_BITS);
	uint32_t host = addr_to_ip4(addr) & mask;
	return host == 0 || host == mask;
}

static bool is_host(const struct weft_iface *iface, const struct ip_addr *addr,
		    unsigned bits)
{
	if (addr_is_ip4(addr) && bits < ADDR_IP4_BITS)
		return false;
	if (addr_is_loopback(addr))
		return !iface->link;
	return !addr_is_unspecified(addr) && !addr_is_multicast(addr) &&
	       !addr_is_limited_broadcast(addr) && !is_edge_of_network(addr, bits);
}

static void join_solicited_node(struct weft_iface *iface, const struct ip_addr *addr,
				uint64_t now)
{
	if (!addr_is_ip4(addr) && iface->is_ethernet)
		(void)!group_join_node(iface, addr, now);
}

static void leave_solicited_node(struct weft_iface *iface, const struct ip_addr *addr,
				 uint64_t now)
{
	struct ip_addr group = addr_solicited_node(addr);
	if (!addr_is_ip4(addr) && iface->is_ethernet)
		group_leave(iface, &group, now);
}

static struct ip_route network_of(const struct iface_addr *a)
{
	return (struct ip_route){
		.network = addr_mask(&a->addr, a->bits),
		.bits = a->bits,
		.origin = ROUTE_ADDRESS,
		.iface = a->iface,
		.expires = WEFT_NEVER,
	};
}

int iface_add_addr(struct weft_iface *iface, const struct ip_addr *addr, unsigned bits,
		   unsigned flags, uint64_t now, struct iface_addr **ret_addr)
{
	if (!is_host(iface, addr, bits))
		return -EINVAL;
	if (iface_find_addr(iface, addr))
		return -EEXIST;
	if (iface->addrs_n == iface->stack->opts.addresses_max)
		return -ENOSPC;
	struct iface_addr *a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct iface_addr){
		.iface = iface,
		.addr = *addr,
		.bits = (uint8_t)bits,
		.no_acd = addr_is_ip4(addr) && (flags & WEFT_ADDRESS_NO_ACD),
		.timer = { .fire = on_timer },
		.preferred_until = WEFT_NEVER,
		.valid_until = WEFT_NEVER,
	};
	struct ip_route route = network_of(a);
	int r = bits < ADDR_BITS ? routes_add(iface->stack, &route) : 0;
	if (r < 0 && r != -EEXIST) {
		free(a);
		return r;
	}
	list_push_back(&iface->addrs, &a->of_iface);
	iface->addrs_n++;
	stack_changed(iface->stack); /* Its network has a broadcast address now. */
	join_solicited_node(iface, addr, now);
	begin(a, flags, now);
	if (ret_addr)
		*ret_addr = a;
	return 0;
}

/* The network's route stays as long as another address lies in it. */
static void remove_network(const struct iface_addr *gone)
{
	struct weft_stack *stack = gone->iface->stack;
	struct ip_route network = network_of(gone);
	list_for_each (node, &gone->iface->addrs) {
		const struct iface_addr *a =
			container_of(node, struct iface_addr, of_iface);
		if (a->bits == gone->bits &&
		    addr_is_in(&a->addr, &network.network, a->bits))
			return;
	}
	struct ip_route *route =
		routes_find(stack, &network.network, network.bits, NULL, gone->iface);
	if (route && route->origin == ROUTE_ADDRESS)
		routes_remove(stack, route);
}

void iface_remove_addr(struct iface_addr *a, uint64_t now)
{
	struct weft_iface *iface = a->iface;
	wheel_cancel(&iface->stack->wheel, &a->timer);
	list_remove(&a->of_iface);
	iface->addrs_n--;
	leave_solicited_node(iface, &a->addr, now);
	remove_network(a);
	stack_changed(iface->stack);
	free(a);
}

struct iface_addr *iface_find_addr(const struct weft_iface *iface,
				   const struct ip_addr *addr)
{
	list_for_each (node, &iface->addrs) {
		struct iface_addr *a = container_of(node, struct iface_addr, of_iface);
		if (addr_equal(&a->addr, addr))
			return a;
	}
	return NULL;
}

bool iface_has_addr(const struct weft_iface *iface, const struct ip_addr *addr)
{
	const struct iface_addr *a = iface_find_addr(iface, addr);
	/* All of 127.0.0.0/8 is this host (RFC 1122, 3.2.1.3 (g)). */
	if (!iface->link && addr_is_loopback(addr))
		return true;
	return a && iface_addr_is_usable(a);
}

bool iface_is_broadcast(const struct weft_iface *iface, const struct ip_addr *addr)
{
	if (!addr_is_ip4(addr))
		return false;
	uint32_t ip = addr_to_ip4(addr);
	if (ip == UINT32_MAX)
		return true;
	list_for_each (node, &iface->addrs) {
		const struct iface_addr *a =
			container_of(node, struct iface_addr, of_iface);
		if (!addr_is_ip4(&a->addr) || a->bits >= ADDR_BITS - 1)
			continue;
		uint32_t mask = UINT32_MAX >> (a->bits - ADDR_IP4_BITS);
		if (ip == (addr_to_ip4(&a->addr) | mask))
			return true;
	}
	return false;
}

/* ---- choosing a source (RFC 6724) -------------------------------------------------------- */

/* The scope (RFC 4007; RFC 6724, 3.1 and 3.2), comparable. */
static unsigned scope_of(const struct ip_addr *a)
{
	if (!addr_is_ip4(a) && addr_is_multicast(a))
		return a->octet[1] & 0x0f;
	return addr_is_link_local(a) || addr_is_loopback(a) ? 2 : 14;
}

/* Whether a is a better source than b for dst: the rules 1, 2, 3 and 8 of section 5. */
static bool is_better(const struct iface_addr *a, const struct iface_addr *b,
		      const struct ip_addr *dst)
{
	unsigned scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr);
	if (addr_equal(&a->addr, dst) || addr_equal(&b->addr, dst))
		return addr_equal(&a->addr, dst);
	if (scope_a < scope_b)
		return scope_a >= scope_of(dst);
	if (scope_b < scope_a)
		return scope_b < scope_of(dst);
	if (a->state != b->state)
		return a->state == WEFT_ADDRESS_PREFERRED;
	return addr_common_bits(&a->addr, dst) > addr_common_bits(&b->addr, dst);
}

const struct iface_addr *iface_choose_src(const struct weft_iface *iface,
					  const struct ip_addr *dst)
{
	const struct iface_addr *best = NULL;
	list_for_each (node, &iface->addrs) {
		const struct iface_addr *a =
			container_of(node, struct iface_addr, of_iface);
		if (!iface_addr_is_usable(a) || addr_is_ip4(&a->addr) != addr_is_ip4(dst))
			continue;
		if (!best || is_better(a, best, dst))
			best = a;
	}
	return best;
}

const struct iface_addr *iface_link_local(const struct weft_iface *iface)
{
	list_for_each (node, &iface->addrs) {
		const struct iface_addr *a =
			container_of(node, struct iface_addr, of_iface);
		if (!addr_is_ip4(&a->addr) && addr_is_link_local(&a->addr) &&
		    iface_addr_is_usable(a))
			return a;
	}
	return NULL;
}

/* ---- the public face --------------------------------------------------------------------- */

int weft_iface_add_address(struct weft_iface *iface, const struct weft_ip *ip,
			   unsigned flags, uint64_t now)
{
	struct ip_addr addr;
	unsigned bits;
	if (!addr_of_ip(ip, &addr, &bits) ||
	    (ip->family == AF_INET6 && iface->opts.no_ip6))
		return -EINVAL;
	return iface_add_addr(iface, &addr, bits, flags, now, NULL);
}

void weft_iface_remove_address(struct weft_iface *iface, const struct weft_ip *ip,
			       uint64_t now)
{
	struct ip_addr addr;
	unsigned bits;
	struct iface_addr *a = NULL;
	if (addr_of_ip(ip, &addr, &bits))
		a = iface_find_addr(iface, &addr);
	if (a)
		iface_remove_addr(a, now);
}

enum weft_address_state weft_iface_address_state(const struct weft_iface *iface,
						 const struct weft_ip *ip)
{
	struct ip_addr addr;
	unsigned bits;
	const struct iface_addr *a = NULL;
	if (addr_of_ip(ip, &addr, &bits))
		a = iface_find_addr(iface, &addr);
	return a ? a->state : WEFT_ADDRESS_NONE;
}

bool weft_iface_address(const struct weft_iface *iface, unsigned i,
			struct weft_ip *ret_ip)
{
	list_for_each (node, &iface->addrs) {
		const struct iface_addr *a =
			container_of(node, struct iface_addr, of_iface);
		if (i-- > 0)
			continue;
		*ret_ip = addr_to_ip(&a->addr, a->bits);
		return true;
	}
	return false;
}
