/* SPDX-License-Identifier: MIT */
/*
 * The address of a peer that dials, with its router and name servers: those of the options, or
 * what DHCP gives.
 *
 *     peer's first word --> seek --.--- the options' ------------.--> found
 *                                  '--> DHCP <--> Ethernet ------'      |
 *                                         ^------- lost <--- another's now
 *
 * DHCP goes on for as long as the end point is there, whoever dials and hangs up, so that who
 * dials again finds its old address. The lease is left to run out in the end.
 */
#ifndef SERVE_PPP_ADDRESS_H
#define SERVE_PPP_ADDRESS_H

#include "base/rng.h"
#include "serve/ipcp.h"
#include "serve/iphost.h"
#include "serve/ppp.h"

#include <weft/dhcpc.h>

#include <stdbool.h>
#include <stdint.h>

struct ppp_address_events {
	/** A frame of DHCP for the Ethernet; borrowed. */
	void (*emit_frame)(void *user, const struct weft_frame *frame, uint64_t now);
	/** This is the peer's place from now on. */
	void (*found)(void *user, const struct iphost_place *place, uint64_t now);
	/** What was found may be used no more. */
	void (*lost)(void *user, uint64_t now);
};

struct ppp_address {
	const struct ppp_opts *opts;
	const struct ppp_address_events *events;
	void *user;
	struct weft_dhcpc *dhcpc;      /**< NULL with an address in opts. */
	struct weft_dhcpc_lease lease; /**< The last. */
	bool is_seeking;               /**< The peer has spoken. */
	uint64_t now;                  /**< For DHCP's callbacks, which have no clock. */
};

/** Whether what the options have of addresses are such as an IPv4 host can have. */
bool ppp_address_is_sound(const struct ppp_opts *opts);

/**
 * Sets one up for the host that has mac. opts must stay; of rng DHCP has its seed. The caller
 * fills in events and user. Returns 0 or -ENOMEM.
 */
int ppp_address_init(struct ppp_address *address, const struct ppp_opts *opts,
		     struct weft_mac mac, struct rng *rng) WEFT_MUST_CHECK;

void ppp_address_fini(struct ppp_address *address);

/** The peer has spoken, perhaps not for the first time. An address of opts is found at once. */
void ppp_address_seek(struct ppp_address *address, uint64_t now);

/** Takes a frame of the Ethernet, if it is for DHCP. */
bool ppp_address_input(struct ppp_address *address, const struct weft_frame *frame,
		       uint64_t now);

void ppp_address_run(struct ppp_address *address, uint64_t now);
uint64_t ppp_address_deadline(const struct ppp_address *address);

/** What IPCP has to tell a peer in this place. */
struct ipcp_addresses ppp_address_told(const struct ppp_address *address,
				       const struct iphost_place *place);

#endif
