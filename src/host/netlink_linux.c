/* SPDX-License-Identifier: MIT */
/*
 * The operations of netlink.h by rtnetlink(7): interfaces and addresses here, the others in
 * routes_linux.c and refusal_linux.c.
 *
 * An address, route or rule is looked for in a dump of all of its kind. They are few where
 * weft runs, and asked for when something is set up, never per packet.
 */
#include "base/mac.h"
#include "host/rtnetlink_linux.h"
#include "wire/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE /* Linux 5.14; the headers of Debian 12 have it. */
#define SO_NETNS_COOKIE 71
#endif

/* Interfaces */

static int get_link(struct rtnetlink *rt, uint32_t ifindex, const char *ifname,
		    struct rtnl_link **ret_link)
{
	/* A longer name is no interface, and libnl would cut it to one that might be. */
	if (strlen(ifname) >= IFNAMSIZ)
		return -ENODEV;
	return rtnetlink_result(
		rt, rtnl_link_get_kernel(rt->sock, (int)ifindex, ifname, ret_link));
}

/* By index and name: either alone may by now belong to another device. */
static int get_link_of(struct rtnetlink *rt, const struct change *change,
		       struct rtnl_link **ret_link)
{
	struct rtnl_link *link;
	int r = get_link(rt, change->ifindex, "", &link);
	if (r < 0)
		return r;
	if (strcmp(rtnl_link_get_name(link), change->ifname) != 0) {
		rtnl_link_put(link);
		return -ENODEV;
	}
	*ret_link = link;
	return 0;
}

static struct weft_mac mac_of(struct rtnl_link *link)
{
	struct nl_addr *addr = rtnl_link_get_addr(link);
	if (!addr || nl_addr_get_len(addr) != MAC_LEN)
		return (struct weft_mac){ 0 };
	return mac_load(nl_addr_get_binary_addr(addr));
}

/* Only cfg80211 devices have this link. */
static bool is_wireless(const char *ifname)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211", ifname);
	return access(path, F_OK) == 0;
}

static bool is_bridge(struct rtnl_link *link)
{
	const char *type = rtnl_link_get_type(link);
	return type && strcmp(type, "bridge") == 0;
}

static int rt_interface(struct netlink *nl, const char *ifname,
			struct weft_interface *ret_interface)
{
	struct rtnl_link *link;
	int r = ifname[0] ? get_link(rtnetlink_of(nl), 0, ifname, &link) : -ENODEV;
	if (r < 0)
		return r;
	unsigned flags = rtnl_link_get_flags(link);
	struct weft_interface interface = {
		.index = (unsigned)rtnl_link_get_ifindex(link),
		.mtu = rtnl_link_get_mtu(link),
		.mac = mac_of(link),
		.is_up = (flags & IFF_UP) != 0,
		.has_carrier = (flags & IFF_LOWER_UP) != 0,
		.is_ethernet = rtnl_link_get_arptype(link) == ARPHRD_ETHER,
		.is_wireless = is_wireless(ifname),
		.is_bridge = is_bridge(link),
		.master = (unsigned)rtnl_link_get_master(link),
	};
	(void)snprintf(interface.name, sizeof(interface.name), "%s",
		       rtnl_link_get_name(link));
	rtnl_link_put(link);
	*ret_interface = interface;
	return 0;
}

static int rt_list(struct netlink *nl, struct fmt *names)
{
	struct rtnetlink *rt = rtnetlink_of(nl);
	struct nl_cache *cache;
	int r = rtnetlink_result(rt, rtnl_link_alloc_cache(rt->sock, AF_UNSPEC, &cache));
	if (r < 0)
		return r;
	const char *divider = "";
	for (struct nl_object *o = nl_cache_get_first(cache); o;
	     o = nl_cache_get_next(o)) {
		fmt_add(names, "%s%s", divider,
			rtnl_link_get_name((struct rtnl_link *)o));
		divider = ", ";
	}
	nl_cache_free(cache);
	return 0;
}

static int setting_is_made(struct rtnetlink *rt, const struct change *change)
{
	struct rtnl_link *link;
	int r = get_link_of(rt, change, &link);
	if (r < 0)
		return r;
	bool is_up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
	if (change->kind == CHANGE_MTU)
		r = rtnl_link_get_mtu(link) == change->mtu.after;
	else if (change->kind == CHANGE_MAC)
		r = mac_equal(mac_of(link), change->mac.after);
	else if (change->kind == CHANGE_BRIDGE)
		r = (uint32_t)rtnl_link_get_master(link) == change->bridge.after;
	else
		r = is_up == change->up.after;
	rtnl_link_put(link);
	return r;
}

static int fill_mac(struct rtnl_link *link, struct weft_mac mac)
{
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac.octet, MAC_LEN);
	if (!addr)
		return -ENOMEM;
	rtnl_link_set_addr(link, addr);
	nl_addr_put(addr);
	return 0;
}

/* The interface as it shall be: only what is set here is sent. */
static int fill_link(struct rtnl_link *link, const struct change *change, bool after)
{
	if (change->kind == CHANGE_MAC)
		return fill_mac(link, after ? change->mac.after : change->mac.before);
	if (change->kind == CHANGE_BRIDGE)
		rtnl_link_set_master(link, (int)(after ? change->bridge.after
						       : change->bridge.before));
	else if (change->kind == CHANGE_MTU)
		rtnl_link_set_mtu(link, after ? change->mtu.after : change->mtu.before);
	else if (after ? change->up.after : change->up.before)
		rtnl_link_set_flags(link, IFF_UP);
	else
		rtnl_link_unset_flags(link, IFF_UP);
	return 0;
}

static int setting_set(struct rtnetlink *rt, const struct change *change, bool after)
{
	struct rtnl_link *now;
	int r = get_link_of(rt, change, &now);
	if (r < 0)
		return r;
	struct rtnl_link *wanted = rtnl_link_alloc();
	r = wanted ? fill_link(wanted, change, after) : -ENOMEM;
	if (r == 0)
		r = rtnetlink_result(rt, rtnl_link_change(rt->sock, now, wanted, 0));
	rtnl_link_put(wanted);
	rtnl_link_put(now);
	return r;
}

/* Addresses */

/* Programs that look for LAN games ask for the interface's broadcast address, and the
   kernel does not set one by itself. */
static int fill_broadcast(struct rtnl_addr *addr, const struct weft_ip *ip)
{
	if (ip->family != AF_INET || ip->prefix > 30)
		return 0;
	uint8_t octet[4];
	store_be32(octet, load_be32(ip->octet) | UINT32_MAX >> ip->prefix);
	struct nl_addr *broadcast = nl_addr_build(AF_INET, octet, sizeof(octet));
	if (!broadcast)
		return -ENOMEM;
	int r = rtnl_addr_set_broadcast(addr, broadcast);
	nl_addr_put(broadcast);
	return r < 0 ? -EINVAL : 0;
}

static int fill_addr(struct rtnl_addr *addr, const struct change *change)
{
	struct nl_addr *local = rtnetlink_addr(&change->address);
	if (!local)
		return -ENOMEM;
	int r = rtnl_addr_set_local(addr, local);
	nl_addr_put(local);
	if (r < 0)
		return -EINVAL;
	rtnl_addr_set_ifindex(addr, (int)change->ifindex);
	if (change->without_route)
		rtnl_addr_set_flags(addr, IFA_F_NOPREFIXROUTE);
	return fill_broadcast(addr, &change->address);
}

static int address_set(struct rtnetlink *rt, const struct change *change, bool after)
{
	struct rtnl_addr *addr = rtnl_addr_alloc();
	int r = addr ? fill_addr(addr, change) : -ENOMEM;
	if (r == 0 && after)
		r = rtnetlink_result(rt, rtnl_addr_add(rt->sock, addr, NLM_F_EXCL));
	else if (r == 0)
		r = rtnetlink_result(rt, rtnl_addr_delete(rt->sock, addr, 0));
	rtnl_addr_put(addr);
	return r;
}

static bool address_matches(const struct change *change, struct nl_object *object)
{
	struct rtnl_addr *addr = (struct rtnl_addr *)object;
	return rtnl_addr_get_ifindex(addr) == (int)change->ifindex &&
	       rtnetlink_addr_equals(&change->address, rtnl_addr_get_local(addr));
}

/* Refusals */

static int refusal_is_made(struct rtnetlink *rt, const struct change *change)
{
	struct rtnl_link *link;
	int r = get_link_of(rt, change, &link);
	if (r < 0)
		return r;
	rtnl_link_put(link);
	return rtnetlink_refusal_is_made(rt, change);
}

/* The three questions */

/* Takes the dump over: looks for the change's thing in it and frees it. */
static int is_in(struct nl_cache *cache, const struct change *change,
		 bool (*matches)(const struct change *change, struct nl_object *object))
{
	bool found = false;
	for (struct nl_object *o = nl_cache_get_first(cache); o && !found;
	     o = nl_cache_get_next(o))
		found = matches(change, o);
	nl_cache_free(cache);
	return found;
}

static int rt_is_made(struct netlink *nl, const struct change *change)
{
	struct rtnetlink *rt = rtnetlink_of(nl);
	struct nl_cache *cache;
	int r;
	switch (change->kind) {
	case CHANGE_ADDRESS:
		r = rtnetlink_result(rt, rtnl_addr_alloc_cache(rt->sock, &cache));
		return r < 0 ? r : is_in(cache, change, address_matches);
	case CHANGE_ROUTE:
		r = rtnetlink_result(rt, rtnl_route_alloc_cache(rt->sock,
								change->route.dest.family,
								0, &cache));
		return r < 0 ? r : is_in(cache, change, rtnetlink_route_matches);
	case CHANGE_RULE:
		r = rtnetlink_result(
			rt, rtnl_rule_alloc_cache(rt->sock, change->rule.family, &cache));
		return r < 0 ? r : is_in(cache, change, rtnetlink_rule_matches);
	default:
		r = change->kind == CHANGE_REFUSAL ? refusal_is_made(rt, change)
						   : setting_is_made(rt, change);
		return r == -ENODEV ? 0 : r;
	}
}

static int set(struct rtnetlink *rt, const struct change *change, bool after)
{
	switch (change->kind) {
	case CHANGE_ADDRESS:
		return address_set(rt, change, after);
	case CHANGE_ROUTE:
		return rtnetlink_set_route(rt, change, after);
	case CHANGE_RULE:
		return rtnetlink_set_rule(rt, change, after);
	case CHANGE_REFUSAL:
		return rtnetlink_set_refusal(rt, change, after);
	default:
		return setting_set(rt, change, after);
	}
}

static int rt_apply(struct netlink *nl, const struct change *change)
{
	return set(rtnetlink_of(nl), change, true);
}

/* The interface of an address or a route is looked at again, because their requests name
   it by index only. */
static int rt_revert(struct netlink *nl, const struct change *change)
{
	struct rtnetlink *rt = rtnetlink_of(nl);
	if (change->ifindex) {
		struct rtnl_link *link;
		int r = get_link_of(rt, change, &link);
		if (r < 0)
			return r;
		rtnl_link_put(link);
	}
	return set(rt, change, false);
}

static void rt_free(struct netlink *nl)
{
	struct rtnetlink *rt = rtnetlink_of(nl);
	nl_socket_free(rt->sock);
	if (rt->switch_fd >= 0)
		(void)close(rt->switch_fd);
	free(rt);
}

static const struct netlink_ops ops = {
	.interface = rt_interface,
	.list = rt_list,
	.find_route = rtnetlink_find_route,
	.each_route = rtnetlink_each_route,
	.is_made = rt_is_made,
	.apply = rt_apply,
	.revert = rt_revert,
	.free = rt_free,
};

/* Opening */

static int read_boot_id(char *ret_text, size_t len)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, ret_text, len - 1);
	(void)close(fd);
	if (n <= 0)
		return -EIO;
	ret_text[n] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return 0;
}

static int find_place(int fd, struct place *ret_place)
{
	struct place place = { 0 };
	int r = read_boot_id(place.boot, sizeof(place.boot));
	if (r < 0)
		return r;
	struct stat st;
	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return -errno;
	place.netns = st.st_ino;
	socklen_t len = sizeof(place.cookie);
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &place.cookie, &len) < 0)
		place.cookie = 0;
	*ret_place = place;
	return 0;
}

int netlink_new(struct netlink **ret_netlink)
{
	struct rtnetlink *rt = calloc(1, sizeof(*rt));
	if (!rt)
		return -ENOMEM;
	rt->base.ops = &ops;
	rt->switch_fd = -1;
	int r = rtnetlink_open(rt);
	if (r < 0)
		goto fail_rt;
	r = find_place(nl_socket_get_fd(rt->sock), &rt->base.place);
	if (r < 0)
		goto fail_sock;
	*ret_netlink = &rt->base;
	return 0;

fail_sock:
	nl_socket_free(rt->sock);
fail_rt:
	free(rt);
	return r;
}
