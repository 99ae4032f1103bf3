/* SPDX-License-Identifier: MIT */
/*
 * The inside of a stack: what its parts share. Each part has a struct of its own that is
 * embedded here, and a header that says what it does; nobody but the part touches it.
 *
 *     link -> iface_input -> arp_input
 *                         -> ip4_input --.-> frag -.-> ip_deliver -> icmp4, igmp, udp, tcp
 *                         -> ip6_input --'         '                 icmp6 (nd, mld)
 *
 *     ip_output -> ip_path_find (routes, dest, iface) -> neigh_send -> iface_send -> link
 */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include "base/bucket.h"
#include "base/hash.h"
#include "base/rng.h"
#include "link/cutter.h"
#include "stack/addr.h"
#include "stack/dest.h"
#include "stack/frag.h"
#include "stack/ip.h"
#include "stack/neigh.h"
#include "stack/routes.h"
#include "stack/wheel.h"

#include <weft/stack.h>

#define IP4_IDS      256u /**< Counters of IPv4 identifications, a power of two. */
#define IP6_IDS      256u /**< Those of IPv6 fragments, likewise. */
#define ICMP_BUCKETS 256u /**< Limits of errors to one address, a power of two. */

struct udp_host;
struct tcp_host;

struct weft_stack {
	struct weft_task task;
	/** Defaults filled in; secret points to the next. */
	struct weft_stack_opts opts;
	uint8_t secret[HASH_SECRET_LEN];
	struct rng rng; /**< Jitter. */
	struct wheel wheel;
	struct list ifaces;
	struct weft_iface *loopback;
	uint32_t ifaces_n, last_index;
	uint64_t generation; /**< Of all that a path is made of; never 0. */
	struct routes routes;
	struct neigh_cache neighbours;
	struct dest_cache dests;
	struct frag_cache fragments;
	struct bucket errors, echoes;
	struct bucket errors_to[ICMP_BUCKETS]; /**< By the hash of who gets them. */
	uint16_t ip4_ids[IP4_IDS];
	uint32_t ip6_ids[IP6_IDS];
	struct list pings;
	unsigned pings_n;
	struct udp_host *udp;
	struct tcp_host *tcp;
	uint64_t counts[WEFT_STACK_OUTCOMES];
	uint64_t events[WEFT_STACK_EVENTS];
	/** SCRATCH_LEN bytes to make one packet in; NULL until needed. */
	uint8_t *scratch;
	struct cutter cutter; /**< For super-frames that go on in fragments. */
	unsigned busy;        /**< Receivers and runs under way. */
	bool refers; /**< Some interface's batch may refer to what lies elsewhere. */
};

#define SCRATCH_LEN 65576u /**< An IPv6 header and 65,535 bytes, rounded up. */

/** Scratch, valid until the next call; NULL without memory. */
uint8_t *stack_scratch(struct weft_stack *stack);

/** All paths that are known are to be looked up anew. */
static inline void stack_changed(struct weft_stack *stack)
{
	stack->generation++;
}

static inline void stack_event(struct weft_stack *stack, enum weft_stack_event event)
{
	stack->events[event]++;
}

/** The protocol of the number, or NULL. */
const struct ip_protocol *stack_protocol(uint8_t number);

/** Takes a batch that came in on the interface: counts how each packet ends. */
void stack_receive(struct weft_stack *stack, struct weft_iface *iface,
		   const struct weft_frame *frames, size_t n, uint64_t now);

/** An interface goes: sockets are no members of its groups any more. */
void udp_iface_gone(struct weft_stack *stack, const struct weft_iface *iface);

/* The protocols. Each is defined in the file of its name. */
extern const struct ip_protocol icmp4_protocol;
extern const struct ip_protocol icmp6_protocol;
extern const struct ip_protocol igmp_protocol;
extern const struct ip_protocol tcp_protocol;
extern const struct ip_protocol udp_protocol;

#endif
