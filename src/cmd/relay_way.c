/* SPDX-License-Identifier: MIT */
/*
 * One pin for each address of the relay, also for those that the member does not use now: it
 * may take another one when it comes back.
 */
#include "cmd/relay_way.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* ---- one pin ----------------------------------------------------------------------------- */

static void tell(const struct relay_way *way, size_t i)
{
	char relay[WEFT_IP_TEXT], gateway[WEFT_IP_TEXT] = "";
	struct weft_route route = { .ifname = "" };
	const bool is_set = weft_host_pin_route(way->pins[i].pin, &route);
	weft_ip_print(&way->pins[i].address, relay);
	if (route.gateway.family)
		weft_ip_print(&route.gateway, gateway);
	output_event(way->output, "route",
		     json_pack("{s:s, s:b, s:s, s:s}", "relay", relay, "pinned", is_set,
			       "device", route.ifname, "gateway", gateway));
	if (is_set)
		weft_log_info(&way->output->log,
			      "the relay %s is in the room's network too: it has a route "
			      "of its own, by %s%s%s",
			      relay, route.ifname, gateway[0] ? " and " : "", gateway);
}

/* What goes wrong is told when it begins, and not at each change of some route after it. */
static void update(struct relay_way *way, const struct weft_ip *coming)
{
	int failure = 0;
	struct weft_error err;
	for (size_t i = 0; i < way->pins_n && way->device[0]; i++) {
		int r = weft_host_pin_update(way->pins[i].pin, coming, &err);
		if (r > 0)
			tell(way, i);
		failure = r < 0 ? r : failure;
	}
	if (failure != 0 && failure != way->failure)
		weft_log_warning(&way->output->log,
				 "the way to the relay may be lost in the room: %s",
				 err.text);
	way->failure = failure;
}

/* True if the kernel sends to the address by another way than at the last look. */
static bool way_changes(struct relay_way *way, size_t i)
{
	struct weft_route *now = &way->pins[i].now, found;
	if (weft_host_find_route(way->host, &way->pins[i].address, NULL, &found) < 0)
		found = (struct weft_route){ .ifname = "" };
	const bool is_other =
		strcmp(found.ifname, now->ifname) != 0 ||
		memcmp(&found.gateway, &now->gateway, sizeof(found.gateway)) != 0;
	*now = found;
	return is_other && found.ifname[0];
}

/* ---- addresses --------------------------------------------------------------------------- */

/* An address of a link is reached by no other than that. */
static struct weft_ip ip_of(const union weft_sockaddr *addr)
{
	struct weft_ip ip = { .family = 0 };
	if (addr->sa.sa_family == AF_INET) {
		ip = (struct weft_ip){ .family = AF_INET, .prefix = 32 };
		memcpy(ip.octet, &addr->in.sin_addr, 4);
	} else if (addr->sa.sa_family == AF_INET6 &&
		   !IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr)) {
		ip = (struct weft_ip){ .family = AF_INET6, .prefix = 128 };
		memcpy(ip.octet, &addr->in6.sin6_addr, 16);
	}
	return ip;
}

static bool is_known(const struct relay_way *way, const struct weft_ip *ip)
{
	for (size_t i = 0; i < way->pins_n; i++)
		if (memcmp(&way->pins[i].address, ip, sizeof(*ip)) == 0)
			return true;
	return false;
}

static void forget(struct relay_way *way, size_t i)
{
	weft_host_pin_free(way->pins[i].pin);
	way->pins[i] = way->pins[--way->pins_n];
}

static void keep_only(struct relay_way *way, const struct weft_ip *ips, size_t n)
{
	for (size_t i = way->pins_n; i > 0; i--) {
		size_t j = 0;
		while (j < n &&
		       memcmp(&way->pins[i - 1].address, &ips[j], sizeof(ips[j])) != 0)
			j++;
		if (j == n)
			forget(way, i - 1);
	}
}

static void add(struct relay_way *way, const struct weft_ip *ip)
{
	if (ip->family == 0 || is_known(way, ip) || way->pins_n == RELAY_WAY_MAX)
		return;
	struct weft_host_pin *pin = NULL;
	if (way->device[0] && weft_host_pin_new(way->host, ip, way->device, &pin) < 0)
		return;
	way->pins[way->pins_n].address = *ip;
	way->pins[way->pins_n].pin = pin;
	(void)way_changes(way, way->pins_n++);
}

void relay_way_on_addresses(struct relay_way *way)
{
	union weft_sockaddr addrs[RELAY_WAY_MAX];
	struct weft_ip ips[RELAY_WAY_MAX];
	if (!way->host)
		return;
	const size_t n = weft_member_relay_addresses(way->member, addrs, RELAY_WAY_MAX);
	for (size_t i = 0; i < n; i++)
		ips[i] = ip_of(&addrs[i]);
	keep_only(way, ips, n);
	for (size_t i = 0; i < n; i++)
		add(way, &ips[i]);
	update(way, NULL);
}

void relay_way_expect(struct relay_way *way, const struct weft_ip *address)
{
	update(way, address);
}

/* ---- beginning and end ------------------------------------------------------------------- */

/* Another network may be the one by which a relay that was lost is reached again. */
static void on_change(void *user, uint64_t now)
{
	struct relay_way *way = user;
	bool is_moved = false;
	update(way, NULL);
	for (size_t i = 0; i < way->pins_n; i++)
		is_moved |= way_changes(way, i);
	if (!is_moved)
		return;
	weft_member_hurry(way->member, now);
	int r = weft_member_rebind(way->member, now);
	if (r < 0)
		weft_log_warning(&way->output->log,
				 "the member stays at its old address: %s", strerror(-r));
}

void relay_way_begin(struct relay_way *way, const char *device)
{
	struct weft_error err;
	(void)snprintf(way->device, sizeof(way->device), "%s", device ? device : "");
	int r = weft_host_watch_new(on_change, way, &err, &way->watch);
	if (r == 0)
		r = weft_loop_add(way->loop, weft_host_watch_task(way->watch));
	if (r < 0)
		weft_log_warning(&way->output->log,
				 "if this machine changes its network, the relay may be "
				 "lost: %s",
				 way->watch ? strerror(-r) : err.text);
}

void relay_way_end(struct relay_way *way)
{
	while (way->pins_n > 0)
		forget(way, way->pins_n - 1);
	if (way->watch)
		weft_loop_remove(way->loop, weft_host_watch_task(way->watch));
	weft_host_watch_free(way->watch);
	way->watch = NULL;
	way->host = NULL;
}
