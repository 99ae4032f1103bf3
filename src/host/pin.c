/* SPDX-License-Identifier: MIT */
/*
 * A pin is a host route that keeps an address reachable while a route on one device would take
 * the way to it. Each look at the machine asks three things:
 *
 *     does a route on the device cover the address?   --no-->  no pin is needed
 *              | yes
 *     which way would it go without that device, and without our pin?
 *              |    longest prefix, lowest metric; in the table of the first look, else in main
 *              v
 *     is that a host route of somebody else's?        --yes--> borrowed: theirs will do
 *              | no
 *     pin it there, instead of where it was
 *
 * The kernel can only be asked for the way that it takes now, and with the pin or the device in
 * place that is the wrong question; so the tables are looked through, as it would. At the first
 * look its answer may still be the right one, though, and it knows of rules by which another
 * table than main comes first (VPNs have such): the table where that answer stands is the one
 * that is looked at from then on, as long as there is a way in it.
 */
#include "base/net.h"

#include <weft/host.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RT_TABLE_MAIN of Linux. */
#define TABLE_MAIN 254u

struct weft_host_pin {
	struct weft_host *host;
	struct weft_ip address; /* with the full prefix length */
	char ifname[16];        /* of the device that is to be gone around */
	bool is_set;            /* route is on record and in the kernel */
	bool was_asked;         /* table is known */
	uint32_t table;
	struct weft_route route;
};

/* A look through all routes. */
struct look {
	const struct weft_host_pin *pin;
	uint32_t table; /* where a way is looked for */
	/* looks for a way like this one in any table; or NULL */
	const struct weft_route *like;
	bool is_covered; /* by a route on the device */
	bool has_pin;    /* our pin is still there */
	bool has_way;
	struct weft_route way;
};

static bool same_way(const struct weft_route *a, const struct weft_route *b)
{
	const bool direct = a->gateway.family == 0 && b->gateway.family == 0;
	return strcmp(a->ifname, b->ifname) == 0 &&
	       (direct || net_is_same(&a->gateway, &b->gateway));
}

static uint32_t table_of(const struct weft_route *route)
{
	return route->table ? route->table : TABLE_MAIN;
}

static bool is_our_pin(const struct weft_host_pin *pin, const struct weft_route *route)
{
	return pin->is_set && net_is_same(&route->dest, &pin->address) &&
	       table_of(route) == TABLE_MAIN && same_way(route, &pin->route);
}

static bool is_better(const struct weft_route *a, const struct weft_route *b)
{
	if (a->dest.prefix != b->dest.prefix)
		return a->dest.prefix > b->dest.prefix;
	return a->metric < b->metric;
}

static void look_at(void *user, const struct weft_route *route)
{
	struct look *look = user;
	if (!net_contains(&route->dest, &look->pin->address))
		return;
	if (strcmp(route->ifname, look->pin->ifname) == 0) {
		look->is_covered = true;
		return;
	}
	if (is_our_pin(look->pin, route)) {
		look->has_pin = true;
		return;
	}
	const bool is_candidate =
		look->like ? same_way(route, look->like) : table_of(route) == look->table;
	if (is_candidate && (!look->has_way || is_better(route, &look->way))) {
		look->has_way = true;
		look->way = *route;
	}
}

static int look_through(struct look *look, struct weft_error *err)
{
	const struct weft_host_pin *pin = look->pin;
	return weft_host_each_route(pin->host, pin->address.family, look_at, look, err);
}

/* ---- the way ----------------------------------------------------------------------------- */

/* While nothing of ours is in the way, the kernel's answer shows which table it takes. */
static int find_table(struct weft_host_pin *pin, struct weft_error *err)
{
	struct weft_route now;
	if (pin->was_asked || pin->is_set ||
	    weft_host_find_route(pin->host, &pin->address, NULL, &now) < 0 ||
	    strcmp(now.ifname, pin->ifname) == 0)
		return 0;
	struct look look = { .pin = pin, .like = &now };
	int r = look_through(&look, err);
	if (r == 0 && look.has_way) {
		pin->table = table_of(&look.way);
		pin->was_asked = true;
	}
	return r;
}

static int find_way(const struct weft_host_pin *pin, struct weft_error *err,
		    struct look *ret_look)
{
	struct look look = { .pin = pin, .table = pin->table };
	int r = look_through(&look, err);
	if (r == 0 && !look.has_way && pin->table != TABLE_MAIN) {
		look = (struct look){ .pin = pin, .table = TABLE_MAIN };
		r = look_through(&look, err);
	}
	*ret_look = look;
	return r;
}

/* ---- the pin ----------------------------------------------------------------------------- */

static int take_out(struct weft_host_pin *pin, struct weft_error *err)
{
	if (!pin->is_set)
		return 0;
	pin->is_set = false;
	int r = weft_host_remove_route(pin->host, &pin->route, err);
	return r < 0 ? r : 1;
}

static int put_in(struct weft_host_pin *pin, const struct weft_route *way,
		  struct weft_error *err)
{
	struct weft_route route = { .dest = pin->address, .gateway = way->gateway };
	memcpy(route.ifname, way->ifname, sizeof(route.ifname));
	int r = weft_host_add_route(pin->host, &route, err);
	if (r < 0)
		return r;
	pin->route = route;
	pin->is_set = true;
	return 1;
}

static int follow(struct weft_host_pin *pin, const struct look *look,
		  struct weft_error *err)
{
	if (!look->has_way)
		return take_out(pin, err);
	if (look->way.dest.prefix == pin->address.prefix)
		return take_out(pin, err); /* somebody else's will do */
	if (pin->is_set && look->has_pin && same_way(&look->way, &pin->route))
		return 0;
	int r = take_out(pin, err);
	return r < 0 ? r : put_in(pin, &look->way, err);
}

int weft_host_pin_update(struct weft_host_pin *pin, const struct weft_ip *coming,
			 struct weft_error *err)
{
	struct look look = { .pin = pin };
	int r = find_table(pin, err);
	if (r == 0)
		r = find_way(pin, err, &look);
	if (r < 0)
		return r;
	const bool is_needed = look.is_covered || (coming && coming->family &&
						   net_contains(coming, &pin->address));
	return is_needed ? follow(pin, &look, err) : take_out(pin, err);
}

bool weft_host_pin_route(const struct weft_host_pin *pin, struct weft_route *ret_route)
{
	if (pin->is_set)
		*ret_route = pin->route;
	return pin->is_set;
}

int weft_host_pin_new(struct weft_host *host, const struct weft_ip *address,
		      const char *ifname, struct weft_host_pin **ret_pin)
{
	struct weft_host_pin *pin = calloc(1, sizeof(*pin));
	if (!pin)
		return -ENOMEM;
	pin->host = host;
	pin->address = net_host(address);
	pin->table = TABLE_MAIN;
	(void)snprintf(pin->ifname, sizeof(pin->ifname), "%s", ifname);
	*ret_pin = pin;
	return 0;
}

void weft_host_pin_free(struct weft_host_pin *pin)
{
	if (!pin)
		return;
	(void)take_out(pin, NULL);
	free(pin);
}
