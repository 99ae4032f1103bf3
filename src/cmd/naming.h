/* SPDX-License-Identifier: MIT */
/*
 * Whom a host asks for names, as its network tells it and goes on telling it:
 *
 *     --dns given by hand --.  in place of all others
 *     DHCP, or the room ----+
 *     DHCPv6 ---------------+--> struct names --> resolver
 *     router advertisements-'
 *
 * A router also says whether there is a DHCPv6 server to ask.
 */
#ifndef CMD_NAMING_H
#define CMD_NAMING_H

#include "cli/options.h"
#include "cmd/names.h"

#include <weft/dhcp6c.h>
#include <weft/error.h>
#include <weft/loop.h>
#include <weft/resolver.h>
#include <weft/stack.h>

/** stack, loop, resolver and given are set; the rest is zero. */
struct naming {
	struct weft_stack *stack;
	struct weft_loop *loop;
	struct weft_resolver *resolver;
	struct option_list given; /**< By --dns. */

	struct weft_iface *iface; /**< NULL before naming_watch. */
	struct names leased;      /**< By DHCP, or the room. */
	struct weft_dns told;     /**< By DHCPv6. */
	struct weft_dhcp6c *dhcp6c;
	struct names used;
};

/** Uses what is given by hand. Returns 0, or -EINVAL with err for what is no name server. */
int naming_begin(struct naming *naming, struct weft_error *err)
	__attribute__((warn_unused_result));

/** Hears, from now on, what the routers on an interface say. */
void naming_watch(struct naming *naming, struct weft_iface *iface);

/** DHCP or the room has said something else than before; NULL: they say nothing any more. */
void naming_lease(struct naming *naming, const struct names *leased);

/** Before the interface and the loop go. No-op for one that has not begun. */
void naming_end(struct naming *naming);

#endif
