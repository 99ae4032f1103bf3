/* SPDX-License-Identifier: MIT */
/*
 * An interface: a link with addresses. It takes Ethernet headers off and puts them on (a bare
 * IP link has none), and collects the frames that are to be sent, so that one run of the
 * stack makes one weft_link_send:
 *
 *     arena   | headroom | eth ip tcp ... | headroom | eth ip udp ... |      free       |
 *     frames           [0]'                        [1]'                [2] next one
 *
 * A frame to a link that takes pieces may end before its payload, and refer to where that is:
 *
 *     frames [1]:  | eth ip tcp |        pieces [rests[1].first] ... -> the connection's queue
 *
 * The loopback interface has no link: what is sent into it comes in again at the flush.
 */
#ifndef STACK_IFACE_H
#define STACK_IFACE_H

#include "base/list.h"
#include "link/pieces.h"
#include "stack/addr.h"
#include "stack/advice.h"
#include "stack/ip.h"
#include "stack/wheel.h"
#include "wire/ether.h"

#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IFACE_BATCH     64u
#define IFACE_PIECES    256u /**< Of all frames of a batch. */
#define IFACE_ARENA_LEN ((size_t)4 * (WEFT_FRAME_LEN_MAX + WEFT_HEADROOM + 16u))
#define IFACE_MTU_MIN   1280u /**< RFC 8200, 5. */

struct weft_stack;

/** An address of an interface. */
struct iface_addr {
	struct list of_iface;
	struct weft_iface *iface;
	struct ip_addr addr;
	uint8_t bits; /**< Of its network, 0..128. */
	enum weft_address_state state;
	bool is_slaac;
	bool no_acd;        /**< WEFT_ADDRESS_NO_ACD. */
	unsigned asked;     /**< Probes or solicitations sent, then announcements. */
	struct timer timer; /**< Probes, announcements; lifetime of SLAAC's. */
	uint64_t preferred_until; /**< In ns; WEFT_NEVER. */
	uint64_t valid_until;     /**< In ns; WEFT_NEVER. */
	uint64_t defended_at;     /**< RFC 5227, 2.4: when last. */
};

/** Two hosts, of which the other is seen to be one, and this one to be us (ip4.c). */
struct ip4_pair {
	uint64_t generation; /**< Of the addresses by which that was seen; 0: never. */
	uint32_t src, dst;
};

struct weft_iface {
	struct list of_stack;
	struct weft_stack *stack;
	struct weft_link *link; /**< NULL: loopback. */
	uint32_t index;         /**< 1 for the first; loopback has 0. */
	struct weft_iface_opts opts;
	struct weft_mac mac;
	uint32_t mtu;
	uint32_t mtu_ip6;    /**< As a router advertised it, at most mtu. */
	unsigned link_flags; /**< WEFT_LINK_*. */
	bool is_ethernet;
	uint8_t hop_limit; /**< As a router advertised it; 0: the default. */
	struct list addrs; /**< struct iface_addr. */
	uint32_t addrs_n;
	struct list groups; /**< struct group. */
	uint32_t groups_n;
	uint64_t old_igmp_until,
		old_mld_until;             /**< A querier of an older version is there. */
	struct ip4_pair known4;            /**< The last that was let in. */
	uint64_t reachable_ns, retrans_ns; /**< RFC 4861, 6.3.2. */
	struct timer solicit;              /**< Router solicitations. */
	unsigned solicits;
	struct advice advice;

	weft_iface_filter *filter; /**< Sees frames first; NULL for nobody. */
	void *filter_user;

	uint8_t *arena;
	size_t used; /**< Bytes of arena. */
	struct weft_frame frames[IFACE_BATCH];
	size_t frames_n;
	struct link_piece pieces[IFACE_PIECES];
	size_t pieces_n;
	/** Which pieces a frame goes on with; n is 0 for most. */
	struct {
		size_t first, n;
	} rests[IFACE_BATCH];
	uint64_t referred_at; /**< When the last piece was added, in ns. */
	bool is_flushing;
};

/** How a frame came in, for IP. */
struct iface_rx {
	struct weft_iface *iface;
	const struct weft_frame *frame; /**< For its offload facts; NULL: reassembled. */
	const uint8_t *packet;          /**< From the IP header on. */
	size_t len;                     /**< To the end of the frame: may have padding. */
	struct weft_mac src;
	bool is_link_group; /**< To a group MAC. */
};

/** Makes the stack's loopback interface, ::1 and 127.0.0.1/8. Returns 0 or -ENOMEM. */
int iface_add_loopback(struct weft_stack *stack, uint64_t now);

/** Takes one frame and says how it ended. */
enum weft_stack_outcome iface_input(struct weft_iface *iface,
				    const struct weft_frame *frame, uint64_t now);

/**
 * A frame of the batch with room for an IP packet (or ARP) of len bytes at data, to be filled
 * in and given to iface_send before the next call; or forgotten. NULL when it is too long.
 */
struct weft_frame *iface_frame(struct weft_iface *iface, size_t len, uint64_t now);

/** Whether frames may go on elsewhere. */
bool iface_takes_pieces(const struct weft_iface *iface);

/**
 * The frame that iface_frame has given goes on with the slices, which stay until ip_settle.
 * False if they are too many.
 */
bool iface_refer(struct weft_iface *iface, const struct ip_slice *slices, size_t n,
		 uint64_t now);

/** Puts the Ethernet header in front, where there is one, and the frame into the batch. */
void iface_send(struct weft_iface *iface, struct weft_frame *frame, struct weft_mac dst,
		uint16_t type);

/** Sends the batch. */
void iface_flush(struct weft_iface *iface, uint64_t now);

/** The address if it is one of the interface's, of whatever state; or NULL. */
struct iface_addr *iface_find_addr(const struct weft_iface *iface,
				   const struct ip_addr *addr);

/** The interface of that index, which is not loopback (0); NULL if there is none. */
struct weft_iface *iface_of_index(const struct weft_stack *stack, uint32_t index);

/** Whether the address is one of the interface's and may be used. */
bool iface_has_addr(const struct weft_iface *iface, const struct ip_addr *addr);

/** Adds an address; see weft_iface_add_address. ret_addr may be NULL. */
int iface_add_addr(struct weft_iface *iface, const struct ip_addr *addr, unsigned bits,
		   unsigned flags, uint64_t now,
		   struct iface_addr **ret_addr) WEFT_MUST_CHECK;

/** Sets until when an address is preferred and valid, in ns; WEFT_NEVER for no end. */
void iface_addr_set_lifetime(struct iface_addr *addr, uint64_t preferred_until,
			     uint64_t valid_until, uint64_t now);

/** Takes an address off. */
void iface_remove_addr(struct iface_addr *addr, uint64_t now);

/** Somebody else has the address: it is defended, or not used (RFC 4862 5.4.5, RFC 5227 2.4). */
void iface_addr_conflict(struct iface_addr *addr, uint64_t now);

/** Whether the address is a broadcast here: all ones, or a network's (RFC 1122, 3.2.1.3). */
bool iface_is_broadcast(const struct weft_iface *iface, const struct ip_addr *addr);

/** The MAC of a group address; broadcast for a broadcast (RFC 1112 6.4, RFC 2464 7). */
struct weft_mac iface_group_mac(const struct ip_addr *group);

/** The address for packets from here to dst (RFC 6724, 5); NULL for none. */
const struct iface_addr *iface_choose_src(const struct weft_iface *iface,
					  const struct ip_addr *dst);

static inline bool iface_addr_is_usable(const struct iface_addr *a)
{
	return a->state == WEFT_ADDRESS_PREFERRED || a->state == WEFT_ADDRESS_DEPRECATED;
}

/** The interface's IPv6 link-local address if it may be used; or NULL. */
const struct iface_addr *iface_link_local(const struct weft_iface *iface);

#endif
