/* SPDX-License-Identifier: MIT */
/*
 * What the options say comes before what a lease says, each of router and name servers by
 * itself.
 */
#include "serve/ppp_address.h"

#include "service/dhcp_lease.h"

/* RFC 7600, 4.8: who speaks where nobody has an address. */
#define DUMMY_IP 0xc0000008u

static bool is_host(const struct weft_ip *ip)
{
	return ip->family == AF_INET && ip->prefix <= 32 &&
	       dhcp_is_host(dhcp_ip_number(ip));
}

bool ppp_address_is_sound(const struct ppp_opts *opts)
{
	if (opts->address.family && !is_host(&opts->address))
		return false;
	if (opts->router.family && !is_host(&opts->router))
		return false;
	for (unsigned i = 0; i < PPP_DNS_MAX; i++)
		if (opts->dns[i].family && !is_host(&opts->dns[i]))
			return false;
	return true;
}

/* ---- DHCP -------------------------------------------------------------------------------- */

static uint32_t first_of(const struct weft_ip *ip, uint32_t otherwise)
{
	return ip->family ? dhcp_ip_number(ip) : otherwise;
}

static void tell_found(const struct ppp_address *a, const struct weft_ip *address,
		       const struct weft_ip *router, uint64_t now)
{
	const struct iphost_place place = { .address = dhcp_ip_number(address),
					    .prefix = address->prefix,
					    .router = first_of(router, 0) };
	a->events->found(a->user, &place, now);
}

static void dhcp_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	const struct ppp_address *a = user;
	a->events->emit_frame(a->user, frame, now);
}

static void dhcp_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct ppp_address *a = user;
	const struct weft_ip *router = &a->opts->router;
	a->lease = *lease;
	tell_found(a, &lease->address, router->family ? router : &lease->router, a->now);
}

static void dhcp_lost(void *user)
{
	const struct ppp_address *a = user;
	a->events->lost(a->user, a->now);
}

int ppp_address_init(struct ppp_address *a, const struct ppp_opts *opts,
		     struct weft_mac mac, struct rng *rng)
{
	*a = (struct ppp_address){ .opts = opts };
	if (opts->address.family)
		return 0;
	const struct weft_dhcpc_opts dhcp = { .mac = mac,
					      .hostname = opts->hostname,
					      .seed = rng_u64(rng),
					      .send = dhcp_send,
					      .bound = dhcp_bound,
					      .lost = dhcp_lost,
					      .user = a };
	return weft_dhcpc_new(&dhcp, &a->dhcpc);
}

void ppp_address_fini(struct ppp_address *a)
{
	weft_dhcpc_free(a->dhcpc);
}

void ppp_address_seek(struct ppp_address *a, uint64_t now)
{
	if (a->is_seeking)
		return;
	a->is_seeking = true;
	if (!a->dhcpc)
		tell_found(a, &a->opts->address, &a->opts->router, now);
}

static bool dhcp_runs(const struct ppp_address *a)
{
	return a->dhcpc && a->is_seeking;
}

bool ppp_address_input(struct ppp_address *a, const struct weft_frame *frame,
		       uint64_t now)
{
	a->now = now;
	return dhcp_runs(a) && weft_dhcpc_input(a->dhcpc, frame, now);
}

void ppp_address_run(struct ppp_address *a, uint64_t now)
{
	a->now = now;
	if (dhcp_runs(a))
		weft_dhcpc_run(a->dhcpc, now);
}

uint64_t ppp_address_deadline(const struct ppp_address *a)
{
	return dhcp_runs(a) ? weft_dhcpc_deadline(a->dhcpc) : WEFT_NEVER;
}

/* ---- what the peer is told --------------------------------------------------------------- */

struct ipcp_addresses ppp_address_told(const struct ppp_address *a,
				       const struct iphost_place *place)
{
	const struct weft_ip *dns = a->opts->dns;
	const struct weft_dhcpc_lease *lease = &a->lease;
	struct ipcp_addresses told = { .peer = place->address, .gateway = place->router };
	if (told.gateway == 0)
		told.gateway = first_of(&lease->server, DUMMY_IP);
	for (unsigned i = 0; i < PPP_DNS_MAX; i++)
		told.dns[i] = first_of(&dns[i], 0);
	if (!dns[0].family && !dns[1].family)
		for (unsigned i = 0; i < PPP_DNS_MAX && i < lease->dns_n; i++)
			told.dns[i] = dhcp_ip_number(&lease->dns[i]);
	return told;
}
