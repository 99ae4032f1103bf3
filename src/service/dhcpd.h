/* SPDX-License-Identifier: MIT */
/*
 * A DHCPv4 server for one /24 (RFC 2131), small enough that each room without a LAN can have
 * one: frames go in, answers come out, and nothing else is done.
 *
 *     DISCOVER  -->  OFFER    the address is kept for a minute, if it is not leased already
 *     REQUEST   -->  ACK      it is leased; or NAK, where it is not what was offered
 *     DECLINE        somebody else has it: nobody gets it for ten minutes
 *     RELEASE        it is free
 *     INFORM    -->  ACK      without an address
 *
 * It gives an address and a mask, no router and no name servers: a room leads nowhere else, and
 * a client that has another network as well must not ask in here for the names out there. The
 * members' names have a domain of their own: who asks for its name is told that (option 15), and
 * who knows of servers for one domain alone (option 146), where to ask.
 * A client is its hardware address, which must be the frame's source as well: there are no
 * relay agents in a room, and whoever checks sources (a locked port) bounds so how many
 * addresses one of its members can take.
 */
#ifndef SERVICE_DHCPD_H
#define SERVICE_DHCPD_H

#include "service/dhcp_frame.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Host numbers of clients: from 1 to 253. The server is the 254th. */
#define DHCPD_HOST_MAX    253u
#define DHCPD_HOST_SERVER 254u

/** How a frame can end. Each is counted. */
enum dhcpd_outcome {
	DHCPD_NOT_DHCP, /**< Not to a DHCP server's port. */
	DHCPD_OFFERED,
	DHCPD_ACKED,
	DHCPD_REFUSED,  /**< Answered by NAK. */
	DHCPD_FREED,    /**< RELEASE. */
	DHCPD_DECLINED, /**< DECLINE: somebody without a lease has the address. */
	DHCPD_DEFERRED, /**< Left to another server, by opts.may_answer. */
	DHCPD_IGNORED,  /**< To another server, or nothing that asks for an answer. */
	DHCPD_DROP_MALFORMED,
	DHCPD_DROP_SPOOFED, /**< The client's hardware address is not the frame's source. */
	DHCPD_DROP_FULL,    /**< No address is free, or no memory. */
	DHCPD_OUTCOMES
};

/** "offered", "drop-full" and the like. */
const char *dhcpd_outcome_name(enum dhcpd_outcome outcome);

struct dhcpd_opts {
	struct weft_mac mac; /**< The server's. */
	uint32_t network;    /**< 100.64.7.0 is 0x64400700. */
	uint16_t mtu;        /**< Told to clients; 0 for nothing. */
	uint32_t lease_s;    /**< 0 for an hour. */
	/** In which the server itself knows the names, as a name server for it; NULL: none. */
	const char *domain;
	/** The host number that a client has without us; 0 for none. May be NULL. */
	uint8_t (*host_of)(void *user, struct weft_mac mac);
	/** Whether a host number is another's without a lease. May be NULL. */
	bool (*is_taken)(void *user, uint8_t host);
	/**
	 * Whether a message is ours to answer; holds: the client has the address that it names, or
	 * asks for, from us. NULL: all are.
	 */
	bool (*may_answer)(void *user, const struct dhcp_msg *msg, bool holds,
			   uint64_t now);
	void *user;
};

struct dhcpd;

/** opts are copied. Returns 0 or -ENOMEM. */
int dhcpd_new(const struct dhcpd_opts *opts, struct dhcpd **ret_dhcpd) WEFT_MUST_CHECK;

/** NULL is allowed. */
void dhcpd_free(struct dhcpd *d);

/** Has leases from now on end after so many seconds; 0 for what opts said. */
void dhcpd_set_lease(struct dhcpd *d, uint32_t lease_s);

/** Takes a frame. Returns the length of the answer's frame in reply; 0 for none. */
size_t dhcpd_input(struct dhcpd *d, const struct weft_frame *frame, uint64_t now,
		   uint8_t reply[DHCP_FRAME_LEN_MAX]);

/** Whether somebody has been offered, or has, that address. */
bool dhcpd_has_leased(const struct dhcpd *d, uint8_t host, uint64_t now);

/** Whose lease of an address it is, and for how many seconds more; 0 for nobody's. */
uint32_t dhcpd_lease(const struct dhcpd *d, uint8_t host, uint64_t now,
		     struct weft_mac *ret_mac);

/** Has a lease that another server like this one has given. Returns 0, -EINVAL or -ENOMEM. */
int dhcpd_restore(struct dhcpd *d, uint8_t host, struct weft_mac mac,
		  uint64_t until) WEFT_MUST_CHECK;

uint64_t dhcpd_count(const struct dhcpd *d, enum dhcpd_outcome outcome);

#endif
