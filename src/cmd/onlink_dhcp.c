/* SPDX-License-Identifier: MIT */
/*
 * What a lease gives, the host has; what ends with it, the host loses again.
 */
#include "cmd/onlink_dhcp.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static void dhcp_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct onlink *on = user;
	weft_link_send(on->link, frame, 1, now);
}

static void dhcp_lost(void *user)
{
	struct onlink *on = user;
	const struct weft_ip any = { .family = AF_INET };
	if (on->router.family)
		weft_stack_remove_route(on->stack, &any, on->iface);
	if (on->leased.family)
		weft_iface_remove_address(on->iface, &on->leased,
					  weft_loop_now(on->loop));
	on->router.family = on->leased.family = 0;
	naming_lease(&on->naming, NULL);
}

/* A renewal gives the same again, which is no change. */
static void dhcp_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct onlink *on = user;
	const struct weft_ip any = { .family = AF_INET };
	const struct names names = names_of_lease(lease);
	char text[WEFT_IP_TEXT];
	if (on->leased.family)
		return;
	int r = weft_iface_add_address(on->iface, &lease->address, 0,
				       weft_loop_now(on->loop));
	if (r < 0) {
		weft_log_warning(&on->out.log, "%s cannot be used: %s",
				 weft_ip_print(&lease->address, text), strerror(-r));
		return;
	}
	on->leased = lease->address;
	naming_lease(&on->naming, &names);
	if (lease->router.family &&
	    weft_stack_add_route(on->stack, &any, &lease->router, on->iface) == 0)
		on->router = lease->router;
	onlink_tell_address(on, &lease->address);
}

int onlink_dhcp_start(struct onlink *on)
{
	struct weft_dhcpc_opts opts = {
		.mac = weft_iface_mac(on->iface),
		.allow_public = true,
		.send = dhcp_send,
		.bound = dhcp_bound,
		.lost = dhcp_lost,
		.user = on,
	};
	if (getrandom(&opts.seed, sizeof(opts.seed), 0) != (ssize_t)sizeof(opts.seed))
		return -EIO;
	int r = weft_dhcpc_new(&opts, &on->dhcpc);
	if (r < 0)
		return r;
	return weft_loop_add(on->loop, weft_dhcpc_task(on->dhcpc));
}

void onlink_dhcp_end(struct onlink *on)
{
	if (!on->dhcpc)
		return;
	weft_dhcpc_release(on->dhcpc, weft_loop_now(on->loop));
	weft_loop_remove(on->loop, weft_dhcpc_task(on->dhcpc));
	weft_dhcpc_free(on->dhcpc);
	on->dhcpc = NULL;
	/* Some links send at their next run. */
	(void)weft_loop_turn(on->loop);
}
