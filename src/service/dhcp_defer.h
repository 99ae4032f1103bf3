/* SPDX-License-Identifier: MIT */
/*
 * Standing back for another DHCP server that there may be: a small server that speaks only where
 * nobody else does.
 *
 *     DISCOVER ---> waits ---> the same client's DISCOVER, 4 s later ---> ours to answer
 *                     |
 *                     '--- another server is heard ---> silent from then on
 *
 * A client that got no answer asks again after 4 s, give or take one (RFC 2131, 4.1); a server
 * that is there has spoken by then, also one that pings an address before it offers it. That a
 * client says to have tried for long (secs) means nothing here: it may have asked where the
 * other server could not hear it, before the two were joined.
 *
 * Another server is known by what it says (OFFER, ACK, NAK), and by a client that takes its offer:
 * where a switch stands between, one's answers to a single client are not heard.
 *
 * A REQUEST for what the other has given is its own to answer (RFC 2131, 4.3.2): a server that is
 * not alone refuses nothing that it does not know.
 */
#ifndef SERVICE_DHCP_DEFER_H
#define SERVICE_DHCP_DEFER_H

#include "base/time.h"
#include "wire/dhcp.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>

/** How long a client's first question waits for another server. */
#define DHCP_DEFER_NS (4 * NS_PER_S)

/** Who has not asked for so long begins to wait anew, as does who has taken our offer. */
#define DHCP_DEFER_FORGET_NS (60 * NS_PER_S)

/**
 * Clients that are waited with; of more, who has waited longest begins anew. So they are several
 * times as many as one machine may have addresses: asking under all of them it keeps nobody else
 * from getting one.
 */
#define DHCP_DEFER_CLIENTS 64u

struct dhcp_defer_client {
	struct weft_mac mac;        /**< Zero for none. */
	uint64_t first_ns, last_ns; /**< When it has asked. */
};

struct dhcp_defer {
	uint32_t own;    /**< Our server's address. */
	uint32_t server; /**< The other's; 0 until it is heard. */
	unsigned next;   /**< Of clients, to be overwritten. */
	struct dhcp_defer_client clients[DHCP_DEFER_CLIENTS];
};

/** Begins: there may be another server from now on. */
void dhcp_defer_begin(struct dhcp_defer *defer, uint32_t own);

/** A message from where the other server would be. True if that has told of it, at last. */
bool dhcp_defer_hear(struct dhcp_defer *defer, const struct dhcp_msg *msg);

/**
 * Whether a client's message is ours to answer. holds: the address that it has, or asks for, is
 * one that we have given it.
 */
bool dhcp_defer_may_answer(struct dhcp_defer *defer, const struct dhcp_msg *msg,
			   bool holds, uint64_t now);

#endif
