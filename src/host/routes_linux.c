/* SPDX-License-Identifier: MIT */
/*
 * Routes and rules: made, taken back, recognised in a dump, and told.
 */
#include "host/rtnetlink_linux.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdio.h>
#include <sys/socket.h>

static uint32_t table_of(const struct weft_route *route)
{
	return route->table ? route->table : RT_TABLE_MAIN;
}

/* What the kernel makes of a metric of 0 (IP6_RT_PRIO_USER). */
static uint32_t metric_of(const struct weft_route *route)
{
	return route->metric || route->dest.family == AF_INET ? route->metric : 1024;
}

static int fill_nexthop(struct rtnl_nexthop *hop, const struct change *change)
{
	rtnl_route_nh_set_ifindex(hop, (int)change->ifindex);
	if (change->route.gateway.family == 0)
		return 0;
	struct nl_addr *gateway = rtnetlink_addr(&change->route.gateway);
	if (!gateway)
		return -ENOMEM;
	rtnl_route_nh_set_gateway(hop, gateway);
	nl_addr_put(gateway);
	return 0;
}

static int fill_route(struct rtnl_route *out, const struct change *change)
{
	const struct weft_route *route = &change->route;
	struct nl_addr *dest = rtnetlink_addr(&route->dest);
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	int r = dest && hop ? fill_nexthop(hop, change) : -ENOMEM;
	if (r == 0 && rtnl_route_set_dst(out, dest) < 0)
		r = -EINVAL;
	nl_addr_put(dest);
	if (r < 0) {
		rtnl_route_nh_free(hop);
		return r;
	}
	rtnl_route_add_nexthop(out, hop);
	rtnl_route_set_table(out, table_of(route));
	rtnl_route_set_priority(out, metric_of(route));
	rtnl_route_set_protocol(out, RTPROT_STATIC);
	rtnl_route_set_scope(out,
			     route->gateway.family == 0 && route->dest.family == AF_INET
				     ? RT_SCOPE_LINK
				     : RT_SCOPE_UNIVERSE);
	return 0;
}

int rtnetlink_set_route(struct rtnetlink *rt, const struct change *change, bool after)
{
	struct rtnl_route *route = rtnl_route_alloc();
	int r = route ? fill_route(route, change) : -ENOMEM;
	if (r == 0 && after)
		r = rtnetlink_result(rt, rtnl_route_add(rt->sock, route, NLM_F_EXCL));
	else if (r == 0)
		r = rtnetlink_result(rt, rtnl_route_delete(rt->sock, route, 0));
	rtnl_route_put(route);
	return r;
}

static bool nexthop_matches(const struct change *change, struct rtnl_nexthop *hop)
{
	const struct nl_addr *gateway = rtnl_route_nh_get_gateway(hop);
	if (change->ifindex && rtnl_route_nh_get_ifindex(hop) != (int)change->ifindex)
		return false;
	if (change->route.gateway.family == 0)
		return !gateway;
	return rtnetlink_addr_equals(&change->route.gateway, gateway);
}

bool rtnetlink_route_matches(const struct change *change, struct nl_object *object)
{
	struct rtnl_route *route = (struct rtnl_route *)object;
	return rtnl_route_get_table(route) == table_of(&change->route) &&
	       rtnl_route_get_priority(route) == metric_of(&change->route) &&
	       rtnl_route_get_nnexthops(route) == 1 &&
	       rtnetlink_addr_equals(&change->route.dest, rtnl_route_get_dst(route)) &&
	       nexthop_matches(change, rtnl_route_nexthop_n(route, 0));
}

/* Says by which way, to which interface. */
static int describe_way(struct rtnetlink *rt, struct rtnl_nexthop *hop,
			struct weft_route *route)
{
	struct rtnl_link *link;
	int ifindex = rtnl_route_nh_get_ifindex(hop);
	int r = rtnetlink_result(rt,
				 rtnl_link_get_kernel(rt->sock, ifindex, NULL, &link));
	if (r < 0)
		return r;
	route->gateway = rtnetlink_ip(rtnl_route_nh_get_gateway(hop));
	(void)snprintf(route->ifname, sizeof(route->ifname), "%s",
		       rtnl_link_get_name(link));
	rtnl_link_put(link);
	return 0;
}

int rtnetlink_find_route(struct netlink *nl, const struct weft_ip *address,
			 struct weft_route *ret_route)
{
	struct rtnetlink *rt = rtnetlink_of(nl);
	struct nl_addr *addr = rtnetlink_addr(address);
	struct rtnl_route *found = NULL;
	int r = addr ? rtnetlink_result(rt, rtnl_route_lookup(rt->sock, addr, &found))
		     : -ENOMEM;
	nl_addr_put(addr);
	if (r < 0)
		return r;
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(found, 0);
	struct weft_route route = { .dest = *address };
	r = hop ? describe_way(rt, hop, &route) : -ENETUNREACH;
	rtnl_route_put(found);
	if (r == 0)
		*ret_route = route;
	return r;
}

/* The first way that is in use, or NULL. */
static struct rtnl_nexthop *living_way(struct rtnl_route *route)
{
	const int n = rtnl_route_get_nnexthops(route);
	for (int i = 0; i < n; i++) {
		struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, i);
		if (!(rtnl_route_nh_get_flags(hop) & RTNH_F_DEAD))
			return hop;
	}
	return NULL;
}

/* A route without a way that is in use is not told. */
static bool describe_route(struct rtnetlink *rt, struct rtnl_route *route,
			   struct weft_route *ret_route)
{
	struct weft_route found = {
		.dest = rtnetlink_ip(rtnl_route_get_dst(route)),
		.metric = rtnl_route_get_priority(route),
		.table = rtnl_route_get_table(route),
	};
	found.dest.family = (uint8_t)rtnl_route_get_family(route);
	struct rtnl_nexthop *hop = living_way(route);
	if (!hop || describe_way(rt, hop, &found) < 0)
		return false;
	*ret_route = found;
	return true;
}

/* IPv6 gives a route without a gateway one of no bytes. */
int rtnetlink_each_route(struct netlink *nl, uint8_t family,
			 void (*fn)(void *user, const struct weft_route *route),
			 void *user)
{
	struct rtnetlink *rt = rtnetlink_of(nl);
	struct nl_cache *cache;
	int r = rtnetlink_result(rt, rtnl_route_alloc_cache(rt->sock, family, 0, &cache));
	if (r < 0)
		return r;
	for (struct nl_object *o = nl_cache_get_first(cache); o;
	     o = nl_cache_get_next(o)) {
		struct rtnl_route *route = (struct rtnl_route *)o;
		struct weft_route found;
		if (rtnl_route_get_type(route) == RTN_UNICAST &&
		    rtnl_route_get_table(route) != RT_TABLE_LOCAL &&
		    rtnl_route_get_family(route) == family &&
		    describe_route(rt, route, &found))
			fn(user, &found);
	}
	nl_cache_free(cache);
	return 0;
}

/* Rules */

int rtnetlink_set_rule(struct rtnetlink *rt, const struct change *change, bool after)
{
	struct rtnl_rule *rule = rtnl_rule_alloc();
	if (!rule)
		return -ENOMEM;
	rtnl_rule_set_family(rule, change->rule.family);
	rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
	rtnl_rule_set_table(rule, change->rule.table);
	if (change->rule.mark)
		rtnl_rule_set_mark(rule, change->rule.mark);
	if (change->rule.priority)
		rtnl_rule_set_prio(rule, change->rule.priority);
	int r = after ? rtnl_rule_add(rt->sock, rule, NLM_F_EXCL)
		      : rtnl_rule_delete(rt->sock, rule, 0);
	rtnl_rule_put(rule);
	return rtnetlink_result(rt, r);
}

bool rtnetlink_rule_matches(const struct change *change, struct nl_object *object)
{
	struct rtnl_rule *rule = (struct rtnl_rule *)object;
	const struct weft_rule *wanted = &change->rule;
	/* The dump may hold those of the other family as well. */
	return rtnl_rule_get_family(rule) == wanted->family &&
	       rtnl_rule_get_action(rule) == FR_ACT_TO_TBL &&
	       rtnl_rule_get_table(rule) == wanted->table &&
	       rtnl_rule_get_mark(rule) == wanted->mark &&
	       (wanted->priority == 0 || rtnl_rule_get_prio(rule) == wanted->priority) &&
	       !rtnl_rule_get_src(rule) && !rtnl_rule_get_dst(rule) &&
	       !rtnl_rule_get_iif(rule) && !rtnl_rule_get_oif(rule);
}
