/* SPDX-License-Identifier: MIT */
/*
 * A UDP socket, as the parts of UDP share it:
 *
 *     udp.c       its name, its groups, its life
 *     udp_in.c    which socket gets a datagram
 *     udp_out.c   how a datagram leaves
 */
#ifndef STACK_UDP_H
#define STACK_UDP_H

#include "base/list.h"
#include "base/table.h"
#include "stack/ip.h"

#include <weft/udp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a socket is found by. All bytes count: no padding. */
struct udp_key {
	struct ip_addr local, peer;
	uint16_t local_port, peer_port;
	uint32_t scope; /**< See ip_scope_of. */
};

struct weft_udp {
	struct list of_host;
	struct weft_stack *stack;
	struct weft_udp_opts opts;
	struct udp_key key;
	bool is_bound, is_connected;
	int error;         /**< -Exxx that the program has yet to be told. */
	struct list queue; /**< Of datagrams that wait to be received (udp_in.c). */
	size_t queue_bytes;
	struct list groups; /**< That it has joined (udp.c). */
	unsigned groups_n;
	struct ip_path path; /**< Of a connected socket. */
	/** Index of the interface that it was connected by, or bound on. */
	uint32_t scope;
};

/** All UDP sockets of a stack. */
struct udp_host {
	struct table *table; /**< By struct udp_key. */
	struct list sockets;
	uint32_t sockets_n;
	/** A walk calls programs, which may free sockets: the next one to look at. */
	struct list *walk;
};

/** Binds to the key with a port that nobody has. Returns 0, -EADDRINUSE or -ENOMEM. */
int udp_bind_any_port(struct weft_udp *udp, struct udp_key key) WEFT_MUST_CHECK;

/**
 * The interface of that index, where it matters to the peer; NULL for whichever is right, as it is
 * for all but addresses that mean something on one link only. -EINVAL as ip_scope_find says.
 */
int udp_iface_to(const struct weft_stack *stack, const struct ip_addr *peer,
		 uint32_t index, struct weft_iface **ret_iface) WEFT_MUST_CHECK;

bool udp_has_joined(const struct weft_udp *udp, const struct weft_iface *iface,
		    const struct ip_addr *group);

/** Takes a datagram in: input of struct ip_protocol. */
enum weft_stack_outcome udp_input(struct weft_stack *stack, const struct ip_rx *rx,
				  uint64_t now);

/** Takes an error about a datagram: error of struct ip_protocol. */
bool udp_take_error(struct weft_stack *stack, const struct ip_error *error, uint64_t now);

/** Forgets what waits to be received. */
void udp_clear_queue(struct weft_udp *udp);

/** What the program is to be told, once. */
static inline int udp_take_pending_error(struct weft_udp *udp)
{
	int error = udp->error;
	udp->error = 0;
	return error;
}

static inline struct weft_udp *udp_of_host(struct list *node)
{
	return container_of(node, struct weft_udp, of_host);
}

#endif
