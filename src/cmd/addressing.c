/* SPDX-License-Identifier: MIT */
/*
 * An address is used until another one is given or its lease ends; what is given again is not
 * set again.
 */
#include "cmd/addressing.h"

#include "cli/units.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LINGER_NS (NS_PER_S / 50)

static void forget(struct addressing *a)
{
	if (a->address.family)
		a->ops->clear(a->user, &a->address);
	a->address = (struct weft_ip){ 0 };
	a->m->address[0] = '\0';
}

/* The address was somebody else's before. */
static void give_up(void *user)
{
	forget(user);
}

void addressing_init(struct addressing *a, struct membership *m,
		     const struct addressing_ops *ops, void *user)
{
	const struct option_ip *address = &m->args->address;
	*a = (struct addressing){ .m = m,
				  .ops = ops,
				  .user = user,
				  .fixed = address->ip,
				  .wants_offer = address->word == ADDRESS_AUTO };
	a->conflict = (struct conflict){ .m = m, .taken = give_up, .user = a };
	a->wants_dhcp = a->wants_offer || address->word == ADDRESS_DHCP;
}

static void renew(struct addressing *a, const struct given *given)
{
	if (a->ops->renew)
		a->ops->renew(a->user, given);
}

static void use(struct addressing *a, const struct given *given)
{
	struct weft_error err;

	if (memcmp(&given->address, &a->address, sizeof(a->address)) == 0) {
		renew(a, given);
		return;
	}
	forget(a);
	if (a->ops->set(a->user, given, &err) < 0) {
		weft_log_error(&a->m->output.log, "%s", err.text);
		return;
	}
	a->address = given->address;
	conflict_begin(&a->conflict, a->mac, &a->address,
		       strcmp(given->from, "DHCP") == 0);
	weft_ip_print(&a->address, a->m->address);
	output_event(&a->m->output, "address",
		     json_pack("{s:s, s:s?, s:s, s:s}", "address", a->m->address,
			       "device", membership_device(a->m), "place",
			       membership_place(a->m), "from", given->from));
	weft_log_info(&a->m->output.log, "you are %s on %s%s (from %s)", a->m->address,
		      membership_device(a->m) ? "" : "weft's ", membership_place(a->m),
		      given->from);
}

/* ---- DHCP -------------------------------------------------------------------------------- */

static void dhcp_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct addressing *a = user;

	weft_member_send(a->m->member, frame, 1, now);
}

static void dhcp_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	const struct given given = { .address = lease->address,
				     .router = lease->router,
				     .names = names_of_lease(lease),
				     .from = "DHCP" };
	use(user, &given);
}

static void dhcp_lost(void *user)
{
	struct addressing *a = user;

	weft_log_warning(&a->m->output.log, "the lease of %s has ended", a->m->address);
	conflict_end(&a->conflict);
	forget(a);
}

static void dhcp_conflict(void *user, const struct weft_ip *address, struct weft_mac mac)
{
	struct addressing *a = user;

	conflict_tell(a->m, address, mac,
		      "the LAN's DHCP server is asked for another one");
}

static void start_dhcp(struct addressing *a)
{
	char name[WEFT_MEMBER_NAME_MAX + 1];
	struct weft_dhcpc_opts opts = {
		.mac = a->mac,
		.hostname = a->m->args->name,
		.send = dhcp_send,
		.bound = dhcp_bound,
		.lost = dhcp_lost,
		.conflict = dhcp_conflict,
		.user = a,
	};

	if (a->dhcpc)
		return;
	membership_own_name(name);
	if (!opts.hostname && name[0])
		opts.hostname = name;
	randombytes_buf(&opts.seed, sizeof(opts.seed));
	if (weft_dhcpc_new(&opts, &a->dhcpc) == 0 &&
	    weft_loop_add(a->m->loop, weft_dhcpc_task(a->dhcpc)) == 0)
		return;
	weft_log_error(&a->m->output.log, "no memory for a DHCP client");
	weft_dhcpc_free(a->dhcpc);
	a->dhcpc = NULL;
}

static void end_dhcp(struct addressing *a)
{
	weft_loop_remove(a->m->loop, weft_dhcpc_task(a->dhcpc));
	forget(a);
	weft_dhcpc_release(a->dhcpc, weft_loop_now(a->m->loop));
}

/* ---- the room ---------------------------------------------------------------------------- */

void addressing_joined(struct addressing *a, const struct weft_joined *joined)
{
	const struct given offer = { .address = joined->address,
				     .names = names_of_room(joined, a->m->invite.room),
				     .from = "the relay" };
	const struct given fixed = { .address = a->fixed,
				     .names = offer.names,
				     .from = "--address" };

	if (a->fixed.family)
		use(a, &fixed);
	else if (a->wants_offer && !a->dhcpc && !joined->has_gateway &&
		 joined->address.family)
		use(a, &offer);
	/* Once there was a LAN, its lease outlives the gateway's absence. */
	if (a->wants_dhcp && (joined->has_gateway || !a->wants_offer)) {
		start_dhcp(a);
		if (a->dhcpc)
			weft_dhcpc_confirm(a->dhcpc, weft_loop_now(a->m->loop));
	}
}

void addressing_peer(struct addressing *a, const struct weft_peer *peer, bool is_here)
{
	if (!is_here || peer->role != WEFT_ROLE_GATEWAY || !a->wants_dhcp)
		return;
	start_dhcp(a);
	if (a->dhcpc)
		weft_dhcpc_hurry(a->dhcpc, weft_loop_now(a->m->loop));
}

bool addressing_take(struct addressing *a, const struct weft_frame *frame, uint64_t now)
{
	conflict_input(&a->conflict, frame);
	return a->dhcpc && weft_dhcpc_input(a->dhcpc, frame, now);
}

/* ---- the end ----------------------------------------------------------------------------- */

void addressing_leave(struct addressing *a, bool lingers)
{
	conflict_end(&a->conflict);
	if (a->dhcpc)
		end_dhcp(a);
	if (a->m->member && (a->dhcpc || lingers))
		run_on(a->m->loop, LINGER_NS); /* The pacer may hold a frame back. */
	weft_dhcpc_free(a->dhcpc);
	a->dhcpc = NULL;
}
