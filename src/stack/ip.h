/* SPDX-License-Identifier: MIT */
/*
 * The seam between IP and what stands on it (ICMP, IGMP, UDP, TCP). A protocol is a row of
 * functions; IP hands it datagrams that are whole and checked, and takes what it has to send.
 *
 *        TCP      UDP     ICMP         struct ip_protocol: input, error, flush
 *     ----|--------|--------|--------------------------------------------------------
 *      ip_rx    ip_error    ip_tx      received / what became of it / to be sent
 *         '--------'--------|
 *          fragments, errors, routes, neighbours
 *                   |
 *              weft_link_send          once per interface and run, in batches
 *
 * Super-frames pass in both directions. A TCP segment of 64 KiB that comes in is given to
 * input as one, with the segment size of its pieces; one to be sent names the segment size
 * (gso_size), and the link, or weft_link_send, cuts it. Checksums of TCP and UDP are the
 * link's: ip_output leaves the pseudo header's sum in the field (VIRTIO 1.2, 5.1.6.2), and
 * what came in with the checksum known to be right is not summed again.
 */
#ifndef STACK_IP_H
#define STACK_IP_H

#include "stack/addr.h"

#include <weft/frame.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_stack;
struct weft_iface;
struct neigh;

/** ECN bits of tos (RFC 3168, 5). */
#define IP_ECN_MASK 0x03u
#define IP_ECN_ECT0 0x02u
#define IP_ECN_CE   0x03u

/** A datagram that came in for this host: whole, its header checked. Borrowed for the call. */
struct ip_rx {
	struct weft_iface *iface;
	struct ip_addr src, dst;
	uint8_t protocol;
	uint8_t tos;   /**< Or traffic class: DSCP, ECN. */
	uint8_t ttl;   /**< Or hop limit. */
	bool is_group; /**< dst is a broadcast or multicast address: no RST, no error. */
	bool is_checksum_right; /**< The link vouches for the transport checksum. */
	uint8_t gso;            /**< enum weft_gso; not 0: a super-frame ... */
	uint16_t gso_size;      /**< ... of segments of so many bytes of payload. */
	bool stays; /**< The bytes stay until the protocol's flush has returned. */
	const uint8_t *packet;  /**< The IP header, for an error to quote. */
	const uint8_t *payload; /**< The transport header. */
	size_t len;             /**< From payload on, in bytes. */
};

/**
 * What is known of the way to a destination. Embedded where it is used often (a connection),
 * and looked up anew when ip_path_is_current says so. Zero knows nothing.
 */
struct ip_path {
	uint64_t generation; /**< Of the tables that it was made of; 0: never. */
	struct weft_iface *iface;
	struct neigh *neigh; /**< The next hop; NULL where the link needs none. */
	struct ip_addr src;  /**< As asked for, or chosen (RFC 6724). */
	unsigned link_flags; /**< WEFT_LINK_*: whether super-frames pay. */
	uint32_t mtu;  /**< Of the path: the IP packet in bytes, 68 or 1280 at least. */
	bool is_group; /**< To a broadcast or multicast address. */
	bool is_local; /**< To an address of this host's own. */
	uint64_t id_hash; /**< Where its identifications begin, and are counted. */
};

/** A piece of a packet, borrowed. */
struct ip_slice {
	const void *data;
	size_t len;
};

/**
 * A datagram to be sent. Everything is borrowed and copied before ip_output returns, but for
 * the slices behind the first if they stay: then a link that takes pieces gets them as they
 * are, with the batch.
 */
struct ip_tx {
	/** Current, of the same ends; NULL: it is looked up. */
	const struct ip_path *path;
	struct ip_addr src, dst; /**< src may be unspecified of dst's family: chosen. */
	uint8_t protocol;
	uint8_t tos;
	uint8_t ttl;        /**< 0: the stack's default, 64; 1 for multicast. */
	bool dont_fragment; /**< -EMSGSIZE if it is longer than the path's MTU. */
	bool router_alert;  /**< With the option (RFC 2113, 2711): IGMP, MLD. */
	bool no_checksum;   /**< csum_offset does not count: the checksum is as given. */
	/** Of the 16-bit sum in the transport header; filled in. */
	uint16_t csum_offset;
	uint8_t gso;       /**< enum weft_gso. */
	uint16_t gso_size; /**< With gso: payload bytes of each segment. */
	uint16_t hdr_len;  /**< With gso: length of the transport header. */
	bool slices_stay; /**< Until ip_settle, which is called before they change or go. */
	const struct ip_slice *slices; /**< The transport header begins in the first. */
	size_t slices_n;
};

/** What an ICMP error says. */
enum ip_error_kind {
	IP_ERROR_UNREACHABLE,   /**< Soft (RFC 1122, 4.2.3.9). Sent: there is no route. */
	IP_ERROR_PORT,          /**< Nobody listens there. */
	IP_ERROR_PROTOCOL,      /**< Nobody speaks it there. */
	IP_ERROR_PROHIBITED,    /**< By an administrator. */
	IP_ERROR_TOO_BIG,       /**< mtu says how long a packet may be. */
	IP_ERROR_TIME_EXCEEDED, /**< In transit. */
	IP_ERROR_REASSEMBLY,    /**< Fragments were awaited in vain. */
	IP_ERROR_PARAMETER,     /**< A header that somebody did not like. */
};

/** An ICMP error about something that this host has sent, or says it has. Borrowed. */
struct ip_error {
	enum ip_error_kind kind;
	int error;           /**< The same as -Exxx, for a socket: -ECONNREFUSED ... */
	uint32_t mtu;        /**< TOO_BIG: at least 68 or 1280. */
	struct ip_addr from; /**< Who says so: a router, or the destination. */
	struct ip_addr src, dst; /**< Of the packet that is quoted: src is this host's. */
	uint32_t scope;          /**< Of these two: see ip_scope_of. */
	const uint8_t *transport; /**< What is quoted of it, from its header on. */
	size_t len;               /**< 8 at least. */
};

/** A protocol on top of IP. All but number and input may be NULL. */
struct ip_protocol {
	uint8_t number; /**< IPPROTO_*. */
	/** Makes what the protocol keeps per stack. Returns 0 or -ENOMEM. */
	int (*init)(struct weft_stack *stack);
	/** Frees it; also where init failed or was not reached. */
	void (*fini)(struct weft_stack *stack);
	/** Takes a datagram and says how it ended. May call ip_output. */
	enum weft_stack_outcome (*input)(struct weft_stack *stack, const struct ip_rx *rx,
					 uint64_t now);
	/**
	 * An error came. Returns true if it is about something that is really under way (RFC
	 * 5927: for TCP, the quoted sequence number is in flight): only then the path's MTU
	 * is changed, after the call, by which paths are no longer current.
	 */
	bool (*error)(struct weft_stack *stack, const struct ip_error *error,
		      uint64_t now);
	/** A batch of frames has been taken: time for what was put off (one ACK for many). */
	void (*flush)(struct weft_stack *stack, uint64_t now);
};

/**
 * Sends a datagram. It is put into a frame of its interface's batch, which goes to the link
 * at the end of the run, or waits for its neighbour to be found. Longer than the MTU, it is
 * fragmented, unless forbidden. Returns 0 if it is on its way, which promises nothing;
 * -ENETUNREACH without a route, -EHOSTUNREACH if the neighbour does not answer,
 * -EADDRNOTAVAIL without a usable source address, -EMSGSIZE, -ENOBUFS.
 */
int ip_output(struct weft_stack *stack, const struct ip_tx *tx,
	      uint64_t now) WEFT_MUST_CHECK;

/** Has frames leave that refer to slices which stay; they may go then. */
void ip_settle(struct weft_stack *stack);

/** What ip_scope_of says, for addresses of which one needs a scope. */
uint32_t ip_scope_on(const struct weft_iface *iface, const struct ip_addr *local,
		     const struct ip_addr *remote);

/**
 * The index of the interface that is part of the names of two hosts, between which something has
 * come in: 0, unless one of the addresses needs a scope.
 */
static inline uint32_t ip_scope_of(const struct weft_iface *iface,
				   const struct ip_addr *local,
				   const struct ip_addr *remote)
{
	bool is_needed = addr_needs_scope(local) || addr_needs_scope(remote);
	return is_needed ? ip_scope_on(iface, local, remote) : 0;
}

/**
 * The scope of an address that a program has named: 0 if it needs none, else asked; or, for asked
 * of 0, the one interface that there is. -EINVAL if there is no such interface, or more than one to
 * choose from.
 */
int ip_scope_find(const struct weft_stack *stack, const struct ip_addr *addr,
		  uint32_t asked, uint32_t *ret_scope) WEFT_MUST_CHECK;

/**
 * Finds the way to dst, from src or, if that is NULL or unspecified, from the address that
 * suits best. iface may be NULL; it is needed for multicast and link-local destinations where
 * there are several. Returns 0, -ENETUNREACH or -EADDRNOTAVAIL.
 */
int ip_path_find(struct weft_stack *stack, const struct ip_addr *src,
		 const struct ip_addr *dst, struct weft_iface *iface, uint64_t now,
		 struct ip_path *ret_path) WEFT_MUST_CHECK;

/** Whether nothing has changed since the path was found: routes, addresses, MTUs. */
bool ip_path_is_current(const struct weft_stack *stack, const struct ip_path *path);

/**
 * The upper layer has had an answer: the way works in both directions, and the neighbour need
 * not be asked (RFC 4861, 7.3.1). For TCP: new data was acknowledged. Cheap.
 */
void ip_path_confirm(struct weft_stack *stack, const struct ip_path *path, uint64_t now);

/**
 * The upper layer sends the same again and again and has no answer (RFC 1122, 3.3.1.4): the
 * neighbour is asked whether it is there, however lately it was. If it is not, paths are no
 * longer current, and the next one goes by another router if there is one.
 */
void ip_path_doubt(struct weft_stack *stack, const struct ip_path *path, uint64_t now);

/**
 * Whether the transport checksum is right, by what the link says or by summing up. Counts for
 * TCP, UDP (a zero is none over IPv4), ICMPv6.
 */
bool ip_checksum_is_right(const struct ip_rx *rx);

/** Whether the address is a broadcast on one of this host's links. */
bool ip_is_broadcast(const struct weft_stack *stack, const struct ip_addr *addr);

/** Whether the address is one of this host's own that may be used now. */
bool ip_is_own(const struct weft_stack *stack, const struct ip_addr *addr);

/**
 * Answers a datagram with an ICMP error, if the rules (RFC 1122 3.2.2, RFC 4443 2.4) and the
 * rate limit allow one: never about a group address, an error or a later fragment.
 */
void ip_send_error(struct weft_stack *stack, const struct ip_rx *rx,
		   enum ip_error_kind kind, uint64_t now);

#endif
