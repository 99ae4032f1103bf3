/* SPDX-License-Identifier: MIT */
/*
 * A DHCPv4 client (RFC 2131) that does no I/O: frames go in and out by the caller's hands,
 * and time is told to it. `weft join` runs one on a member's link, so that a room's DHCP
 * server gives the TAP its address without a DHCP client on the machine.
 *
 *     link -> weft_dhcpc_input --consumed--> (nothing)        weft_dhcpc_run -> opts.send
 *                 | not ours                                        -> opts.bound, opts.lost
 *                 v
 *                TAP
 *
 * It acts on an address and nothing else: a router and name servers that a server names are
 * reported, for hosts that have no other network, because a room must never take a machine's
 * default route or its names. For the same reason an offer is refused whose network is wider
 * than a LAN or lies in public address space: that would draw traffic for other people's
 * addresses into the room. Refused replies are counted, never an error.
 *
 *     const struct weft_dhcpc_opts opts = {
 *             .mac = tap_mac, .hostname = "player", .seed = random64,
 *             .send = send_frame, .bound = add_address, .lost = remove_address, .user = me,
 *     };
 *     if (weft_dhcpc_new(&opts, &client) < 0)
 *             fail("out of memory");
 *     weft_loop_add(loop, weft_dhcpc_task(client));
 */
#ifndef WEFT_DHCPC_H
#define WEFT_DHCPC_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_dhcpc;

/** States of RFC 2131, figure 5; CHECKING is its "check for conflict" before BOUND. */
enum weft_dhcpc_state {
	WEFT_DHCPC_INIT,       /**< About to begin, perhaps after a pause. */
	WEFT_DHCPC_SELECTING,  /**< DHCPDISCOVER sent; the first good offer is taken. */
	WEFT_DHCPC_REQUESTING, /**< DHCPREQUEST sent to the server that offered. */
	WEFT_DHCPC_CHECKING, /**< Acknowledged; asking by ARP whether the address is free. */
	WEFT_DHCPC_BOUND,    /**< The address is in use. */
	WEFT_DHCPC_RENEWING,  /**< In use; asking the server for more time (T1). */
	WEFT_DHCPC_REBINDING, /**< In use; asking any server for more time (T2). */
	WEFT_DHCPC_STOPPED,   /**< Released. */
	WEFT_DHCPC_STATES
};

/** "selecting" and the like. */
WEFT_API const char *weft_dhcpc_state_name(enum weft_dhcpc_state state);

/** How a datagram to the DHCP client port, or an answer by ARP, can end. Each is counted. */
enum weft_dhcpc_outcome {
	WEFT_DHCPC_TAKEN, /**< An offer, acknowledgement or refusal was acted on. */
	WEFT_DHCPC_DROP_MALFORMED, /**< Lengths, checksums or options are wrong. */
	WEFT_DHCPC_DROP_NOT_OURS, /**< No reply, or to another's hardware address or xid. */
	WEFT_DHCPC_DROP_UNEXPECTED, /**< Not a message for the present state. */
	WEFT_DHCPC_DROP_SERVER,     /**< Without server id, or not the server we asked. */
	WEFT_DHCPC_DROP_ADDRESS, /**< No address for a host, or another than was offered. */
	WEFT_DHCPC_DROP_MASK, /**< None, with holes, not /8 to /30, or another in use. */
	WEFT_DHCPC_DROP_PUBLIC, /**< The network is not all in private address space. */
	WEFT_DHCPC_DROP_LEASE,  /**< No lease time, or less than 10 s. */
	WEFT_DHCPC_CONFLICT,    /**< Somebody else has the address: it is declined. */
	WEFT_DHCPC_OUTCOMES
};

/** "drop-malformed" and the like; the same words that --json prints. */
WEFT_API const char *weft_dhcpc_outcome_name(enum weft_dhcpc_outcome outcome);

/** Most name servers of a lease that are kept. */
#define WEFT_DHCPC_DNS_MAX 4u

/** Length of a domain's name; a longer one, or what is none, is not told of. */
#define WEFT_DHCPC_DOMAIN_MAX 127u

/** A lease that never ends, in weft_dhcpc_lease's times. */
#define WEFT_DHCPC_FOREVER UINT32_MAX

/** What a server has given. */
struct weft_dhcpc_lease {
	struct weft_ip address; /**< IPv4, with the network's prefix length. */
	struct weft_ip server;
	struct weft_ip router; /**< For information; family 0 for none. */
	struct weft_ip dns[WEFT_DHCPC_DNS_MAX]; /**< For information. */
	unsigned dns_n;
	char domain[WEFT_DHCPC_DOMAIN_MAX + 1]; /**< Of the network; empty for none. */
	/** Knows the names of domain_dns_domain, and no others (RFC 6731); family 0 for none. */
	struct weft_ip domain_dns;
	char domain_dns_domain[WEFT_DHCPC_DOMAIN_MAX + 1];
	uint32_t lease_s; /**< Seconds from the acknowledgement, or WEFT_DHCPC_FOREVER. */
	uint32_t renew_s; /**< T1. */
	uint32_t rebind_s; /**< T2. */
};

/** mac, seed and the callbacks are needed; the rest may be zero. */
struct weft_dhcpc_opts {
	struct weft_mac mac;  /**< Source of all frames, chaddr and client identifier. */
	const char *hostname; /**< Option 12, at most 255 bytes; NULL for none. Copied. */
	uint64_t seed; /**< For xid and jitter: random, so that xids are not guessed. */
	bool no_check; /**< Do not ask by ARP whether the address is free (0.5 s). */
	bool allow_public; /**< Take addresses outside private address space, too. */
	/** Sends one frame, borrowed for the call. */
	void (*send)(void *user, const struct weft_frame *frame, uint64_t now);
	/**
	 * An address is to be set; called again for each renewal, then with the same address
	 * and prefix and new times. lease is borrowed for the call.
	 */
	void (*bound)(void *user, const struct weft_dhcpc_lease *lease);
	/** The address of the last bound must not be used any more. The client tries anew. */
	void (*lost)(void *user);
	/**
	 * The address that a server was about to give is the one of a machine with that MAC: it
	 * is declined, and another one is asked for. From weft_dhcpc_run; may be NULL.
	 */
	void (*conflict)(void *user, const struct weft_ip *address, struct weft_mac mac);
	void *user;
};

/**
 * Makes a client that begins at its first run. Callbacks must be set but for those that may be
 * NULL; they are called from weft_dhcpc_run (send also from weft_dhcpc_release) and must not
 * free the client. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_dhcpc_new(const struct weft_dhcpc_opts *opts,
					    struct weft_dhcpc **ret_dhcpc);

/** Frees; sends nothing and calls nothing. NULL is allowed. */
WEFT_API void weft_dhcpc_free(struct weft_dhcpc *dhcpc);

/**
 * Gives the lease back to its server (DHCPRELEASE), where there is one, and stops for good.
 * lost is not called: the caller has taken the address off before.
 */
WEFT_API void weft_dhcpc_release(struct weft_dhcpc *dhcpc, uint64_t now);

/**
 * Looks at a frame that came from the network. Returns true if it was a DHCP reply for this
 * client: it is consumed and should go no further. Calls nothing back; the frame is only
 * read, and may still want its checksum (WEFT_OFFLOAD_NEEDS_CSUM).
 */
WEFT_API bool weft_dhcpc_input(struct weft_dhcpc *dhcpc, const struct weft_frame *frame,
			       uint64_t now);

/** Does what is due: sends at most one frame, calls bound or lost at most once each. */
WEFT_API void weft_dhcpc_run(struct weft_dhcpc *dhcpc, uint64_t now);

/** When to be run next, in ns; 0 for at once, WEFT_NEVER when stopped. */
WEFT_API uint64_t weft_dhcpc_deadline(const struct weft_dhcpc *dhcpc);

/**
 * Somebody new is on the network, perhaps a server: a client that has no offer asks again in
 * a quarter of a second instead of at the end of its pause (of up to 65 s).
 */
WEFT_API void weft_dhcpc_hurry(struct weft_dhcpc *dhcpc, uint64_t now);

/**
 * The network may be another one, or the lease has run on while this machine slept, which no
 * deadline shows: a client that has an address asks any server whether it still has it, as at T2.
 * It keeps it until one says no, or the lease is over. Others have nothing to ask about.
 */
WEFT_API void weft_dhcpc_confirm(struct weft_dhcpc *dhcpc, uint64_t now);

/** run and deadline as a task, for weft_loop_add. Belongs to the client. */
WEFT_API struct weft_task *weft_dhcpc_task(struct weft_dhcpc *dhcpc);

/** The state it is in now. */
WEFT_API enum weft_dhcpc_state weft_dhcpc_state(const struct weft_dhcpc *dhcpc);

/** How many ended in the given way. */
WEFT_API uint64_t weft_dhcpc_count(const struct weft_dhcpc *dhcpc,
				   enum weft_dhcpc_outcome outcome);

#ifdef __cplusplus
}
#endif
#endif
