/* SPDX-License-Identifier: MIT */
/*
 * The operations of netlink.h on a struct machine.
 */
#include "machine.h"

#include "base/container.h"
#include "base/mac.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory_netlink {
	struct netlink base;
	struct machine *machine;
};

static struct machine *machine_of(struct netlink *nl)
{
	return container_of(nl, struct memory_netlink, base)->machine;
}

void machine_init(struct machine *machine)
{
	*machine = (struct machine){ 0 };
	machine->interfaces[0] = (struct weft_interface){ .name = "lo", .index = 1 };
	machine->interfaces[1] = (struct weft_interface){
		.name = "weft0",
		.index = 7,
		.mtu = 1500,
		.mac = { { 2, 0, 0, 0, 0, 7 } },
		.is_ethernet = true,
	};
}

struct weft_interface *machine_interface(struct machine *machine, const char *ifname)
{
	for (unsigned i = 0; i < MACHINE_INTERFACES; i++) {
		struct weft_interface *interface = &machine->interfaces[i];
		if (interface->index && strcmp(interface->name, ifname) == 0)
			return interface;
	}
	return NULL;
}

static const char *text_of(const struct change *change, char *buf, size_t len)
{
	struct fmt f;
	fmt_init(&f, buf, len);
	change_print(change, &f);
	return buf;
}

static int find(const struct machine *machine, const char *text)
{
	char buf[200];
	for (unsigned i = 0; i < machine->n_things; i++)
		if (strcmp(text_of(&machine->things[i], buf, sizeof(buf)), text) == 0)
			return (int)i;
	return -ESRCH;
}

bool machine_has(const struct machine *machine, const char *text)
{
	return find(machine, text) >= 0;
}

void machine_drop(struct machine *machine, const char *text)
{
	int i = find(machine, text);
	if (i >= 0)
		machine->things[i] = machine->things[--machine->n_things];
}

static int op_interface(struct netlink *nl, const char *ifname,
			struct weft_interface *ret_interface)
{
	const struct weft_interface *interface =
		machine_interface(machine_of(nl), ifname);
	if (!interface)
		return -ENODEV;
	*ret_interface = *interface;
	return 0;
}

static int op_list(struct netlink *nl, struct fmt *names)
{
	const struct machine *machine = machine_of(nl);
	for (unsigned i = 0; i < MACHINE_INTERFACES; i++)
		if (machine->interfaces[i].index)
			fmt_add(names, "%s%s", i ? ", " : "",
				machine->interfaces[i].name);
	return 0;
}

/* The first route to the same /24. */
static int op_find_route(struct netlink *nl, const struct weft_ip *address,
			 struct weft_route *ret_route)
{
	const struct machine *machine = machine_of(nl);
	for (unsigned i = 0; i < machine->n_things; i++) {
		const struct change *thing = &machine->things[i];
		if (thing->kind != CHANGE_ROUTE ||
		    memcmp(thing->route.dest.octet, address->octet, 3) != 0)
			continue;
		*ret_route = thing->route;
		ret_route->dest = *address;
		return 0;
	}
	return -ENETUNREACH;
}

static int op_each_route(struct netlink *nl, uint8_t family,
			 void (*fn)(void *user, const struct weft_route *route),
			 void *user)
{
	const struct machine *machine = machine_of(nl);
	for (unsigned i = 0; i < machine->n_things; i++) {
		struct weft_route route = machine->things[i].route;
		if (machine->things[i].kind != CHANGE_ROUTE ||
		    route.dest.family != family)
			continue;
		route.table = route.table ? route.table : 254;
		fn(user, &route);
	}
	return 0;
}

static struct weft_interface *interface_of(struct netlink *nl,
					   const struct change *change)
{
	struct weft_interface *interface =
		machine_interface(machine_of(nl), change->ifname);
	return interface && interface->index == change->ifindex ? interface : NULL;
}

static int op_is_made(struct netlink *nl, const struct change *change)
{
	const struct weft_interface *interface = interface_of(nl, change);
	char text[200];
	if (change->ifindex && !interface)
		return 0;
	switch (change->kind) {
	case CHANGE_MTU:
		return interface->mtu == change->mtu.after;
	case CHANGE_MAC:
		return mac_equal(interface->mac, change->mac.after);
	case CHANGE_UP:
		return interface->is_up == change->up.after;
	case CHANGE_BRIDGE:
		return interface->master == change->bridge.after;
	default:
		return machine_has(machine_of(nl), text_of(change, text, sizeof(text)));
	}
}

static int set(struct netlink *nl, const struct change *change, bool after)
{
	struct machine *machine = machine_of(nl);
	struct weft_interface *interface = interface_of(nl, change);
	char text[200];
	if (machine->refusal)
		return machine->refusal;
	if (change->ifindex && !interface)
		return -ENODEV;
	if (change->kind == CHANGE_MTU)
		interface->mtu = after ? change->mtu.after : change->mtu.before;
	else if (change->kind == CHANGE_MAC)
		interface->mac = after ? change->mac.after : change->mac.before;
	else if (change->kind == CHANGE_UP)
		interface->is_up = after ? change->up.after : change->up.before;
	else if (change->kind == CHANGE_BRIDGE)
		interface->master = after ? change->bridge.after : change->bridge.before;
	else if (!after)
		machine_drop(machine, text_of(change, text, sizeof(text)));
	else if (machine->n_things == MACHINE_THINGS)
		return -ENOBUFS;
	else
		machine->things[machine->n_things++] = *change;
	return 0;
}

static int op_apply(struct netlink *nl, const struct change *change)
{
	return set(nl, change, true);
}

static int op_revert(struct netlink *nl, const struct change *change)
{
	machine_of(nl)->reverts++;
	return set(nl, change, false);
}

static void op_free(struct netlink *nl)
{
	free(container_of(nl, struct memory_netlink, base));
}

struct netlink *machine_netlink(struct machine *machine, uint64_t netns)
{
	static const struct netlink_ops ops = {
		.interface = op_interface,
		.list = op_list,
		.find_route = op_find_route,
		.each_route = op_each_route,
		.is_made = op_is_made,
		.apply = op_apply,
		.revert = op_revert,
		.free = op_free,
	};
	struct memory_netlink *nl = calloc(1, sizeof(*nl));
	if (!nl)
		abort();
	nl->base.ops = &ops;
	nl->base.place =
		(struct place){ .boot = "first-boot", .netns = netns, .cookie = netns };
	nl->machine = machine;
	return &nl->base;
}
