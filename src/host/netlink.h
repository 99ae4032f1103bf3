/* SPDX-License-Identifier: MIT */
/*
 * What the host asks of the kernel, behind a table so that its logic is tested without one:
 * netlink_linux.c speaks rtnetlink, netlink_other.c says -ENOTSUP, tests have a machine in
 * memory.
 *
 * The three questions about a change are the same for every kind:
 *
 *     is_made   is the machine as the change makes it?   address there, MTU == after
 *     apply     make it so                                add it,        MTU := after
 *     revert    make it as it was before                  delete it,     MTU := before
 */
#ifndef HOST_NETLINK_H
#define HOST_NETLINK_H

#include "base/fmt.h"
#include "host/change.h"
#include "host/journal.h"

#include <weft/host.h>

struct netlink;

struct netlink_ops {
	int (*interface)(struct netlink *nl, const char *ifname,
			 struct weft_interface *ret_interface);
	int (*list)(struct netlink *nl, struct fmt *names);
	int (*find_route)(struct netlink *nl, const struct weft_ip *address,
			  struct weft_route *ret_route);
	int (*each_route)(struct netlink *nl, uint8_t family,
			  void (*fn)(void *user, const struct weft_route *route),
			  void *user);
	int (*is_made)(struct netlink *nl, const struct change *change);
	int (*apply)(struct netlink *nl, const struct change *change);
	int (*revert)(struct netlink *nl, const struct change *change);
	void (*free)(struct netlink *nl);
};

/** What every implementation starts with. */
struct netlink {
	const struct netlink_ops *ops;
	struct place place; /**< Where its changes are made; fixed. */
};

/** Opens rtnetlink in the network namespace of the calling thread. Returns 0 or -Exxx. */
int netlink_new(struct netlink **ret_netlink) WEFT_MUST_CHECK;

/** Reads the facts about an interface. Returns 0, -ENODEV or another -Exxx. */
static inline int netlink_interface(struct netlink *nl, const char *ifname,
				    struct weft_interface *ret_interface)
{
	return nl->ops->interface(nl, ifname, ret_interface);
}

/** Appends the names of all interfaces: "lo, eth0". Returns 0 or -Exxx. */
static inline int netlink_list(struct netlink *nl, struct fmt *names)
{
	return nl->ops->list(nl, names);
}

/** By which way the kernel sends to an address. Returns 0, -ENETUNREACH or another -Exxx. */
static inline int netlink_find_route(struct netlink *nl, const struct weft_ip *address,
				     struct weft_route *ret_route)
{
	return nl->ops->find_route(nl, address, ret_route);
}

/** Tells of each unicast route that is in use, outside of the local table. 0 or -Exxx. */
static inline int netlink_each_route(struct netlink *nl, uint8_t family,
				     void (*fn)(void *user,
						const struct weft_route *route),
				     void *user)
{
	return nl->ops->each_route(nl, family, fn, user);
}

/** Returns 1 if the machine is as the change makes it, 0 if not (or its device is gone). */
static inline int netlink_is_made(struct netlink *nl, const struct change *change)
{
	return nl->ops->is_made(nl, change);
}

/** Makes the change. Returns 0 or -Exxx; -EEXIST where something unequal is in its place. */
static inline int netlink_apply(struct netlink *nl, const struct change *change)
{
	return nl->ops->apply(nl, change);
}

/** Takes it back. Returns 0 or -Exxx; what is gone already is -ENODEV, -ESRCH and the like. */
static inline int netlink_revert(struct netlink *nl, const struct change *change)
{
	return nl->ops->revert(nl, change);
}

/** Closes. NULL is allowed. */
static inline void netlink_free(struct netlink *nl)
{
	if (nl)
		nl->ops->free(nl);
}

#endif
