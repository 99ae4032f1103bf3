/* SPDX-License-Identifier: MIT */
/*
 * One rtnetlink(7) socket by way of libnl-route-3, and its values in weft's terms. Who uses it:
 * netlink_linux.c for interfaces and addresses, routes_linux.c for routes and rules. What has no
 * message of its own is a file of proc(5), in refusal_linux.c.
 *
 * libnl folds the kernel's errno into fewer codes of its own, and what a person has to mend
 * hangs on the difference; so the errno of each refused request is caught on its way and
 * returned in place of libnl's code.
 */
#ifndef HOST_RTNETLINK_LINUX_H
#define HOST_RTNETLINK_LINUX_H

#include "base/container.h"
#include "host/netlink.h"

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/socket.h>

struct rtnetlink {
	struct netlink base;
	struct nl_sock *sock;
	int refusal;   /* -errno of the request that was refused last; 0 for none. */
	int switch_fd; /* Of the interface whose default routes were refused last, or -1. */
	uint32_t switch_ifindex;
};

static inline struct rtnetlink *rtnetlink_of(struct netlink *nl)
{
	return container_of(nl, struct rtnetlink, base);
}

/** Connects. Returns 0 or -Exxx. */
int rtnetlink_open(struct rtnetlink *rt) WEFT_MUST_CHECK;

/** What a libnl call returned, as 0 or -errno. */
int rtnetlink_result(struct rtnetlink *rt, int nle);

/** The address as libnl has it, to be put back (nl_addr_put); NULL when memory is out. */
struct nl_addr *rtnetlink_addr(const struct weft_ip *ip);

/** Whether both are one address and prefix. */
bool rtnetlink_addr_equals(const struct weft_ip *ip, const struct nl_addr *addr);

/** The address as weft has it; family 0 for NULL and for what is no IP address. */
struct weft_ip rtnetlink_ip(const struct nl_addr *addr);

/** Adds (after) or deletes the change's route or rule. Returns 0 or -Exxx. */
int rtnetlink_set_route(struct rtnetlink *rt, const struct change *change, bool after);
int rtnetlink_set_rule(struct rtnetlink *rt, const struct change *change, bool after);

/** Whether an object of a dump is the change's route or rule. */
bool rtnetlink_route_matches(const struct change *change, struct nl_object *object);
bool rtnetlink_rule_matches(const struct change *change, struct nl_object *object);

/** Makes (after) or takes back the refusal of default routes. Returns 0 or -Exxx. */
int rtnetlink_set_refusal(struct rtnetlink *rt, const struct change *change, bool after);

/** Whether they are refused, or cannot come for want of IPv6: 1, 0 or -Exxx. */
int rtnetlink_refusal_is_made(const struct rtnetlink *rt, const struct change *change);

/** As the operations of netlink.h. */
int rtnetlink_find_route(struct netlink *nl, const struct weft_ip *address,
			 struct weft_route *ret_route);
int rtnetlink_each_route(struct netlink *nl, uint8_t family,
			 void (*fn)(void *user, const struct weft_route *route),
			 void *user);

#endif
