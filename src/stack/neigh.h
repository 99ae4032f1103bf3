/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: from the IP address of a host on the link to its MAC. One cache and one state
 * machine, that of Neighbour Unreachability Detection (RFC 4861, 7.3.2), serve both families;
 * they differ only in what is sent to ask: an ARP request or a neighbour solicitation.
 *
 *                     first packet: ask
 *          (nothing) ------------------> INCOMPLETE --3 without answer--> FAILED --3 s--> (nothing)
 *              |                             | answer
 *              | its own request             v               30 s without news
 *              '----------> STALE <---- REACHABLE <---.
 *                             | packet                | answer, or a protocol's word
 *                             v        5 s            | (ip_path_confirm)
 *                           DELAY --------------> PROBE --3 without answer--> FAILED
 *
 *     From STALE, REACHABLE and DELAY, a protocol's doubt (ip_path_doubt) leads to PROBE at once.
 *     STATIC: told by the program; nothing changes it.
 *
 * Packets wait in INCOMPLETE, the newest of them if there are too many (RFC 4861, 7.2.2). In
 * FAILED nobody waits and nobody is asked: it bounds the rate of asking for who is not there.
 * Nobody gets into the cache who was not asked for and does not ask for us.
 */
#ifndef STACK_NEIGH_H
#define STACK_NEIGH_H

#include "base/list.h"
#include "base/table.h"
#include "stack/addr.h"
#include "stack/wheel.h"

#include <weft/stack.h>

#include <stdbool.h>
#include <stdint.h>

enum neigh_state {
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_STALE,
	NEIGH_DELAY,
	NEIGH_PROBE,
	NEIGH_FAILED,
	NEIGH_STATIC,
};

struct neigh {
	struct list of_cache; /**< In resolved or unresolved. */
	struct weft_iface *iface;
	struct ip_addr addr;
	struct weft_mac mac; /**< But in INCOMPLETE and FAILED. */
	enum neigh_state state;
	bool is_router;
	unsigned asked; /**< Times, in INCOMPLETE and PROBE. */
	struct timer timer;
	uint64_t changed_at; /**< When the MAC was learnt. */
	struct list queue;   /**< Packets that wait. */
	uint32_t queue_n;
};

struct neigh_cache {
	struct table *table; /**< By interface and address. */
	/** With a MAC; the one that was learnt first comes first. */
	struct list resolved;
	struct list unresolved; /**< Without. They go first when room is needed. */
	size_t bytes;           /**< Of all packets that wait. */
};

/** What is told of a neighbour's MAC. */
struct neigh_news {
	struct weft_mac mac;
	bool is_solicited; /**< It is an answer: the way there and back works. */
	bool overrides;    /**< Counts even if it is not what is known. */
	bool may_create;   /**< The neighbour has asked for us. */
};

int neigh_init(struct weft_stack *stack) WEFT_MUST_CHECK;
void neigh_fini(struct weft_stack *stack);

/** The neighbour, or NULL. */
struct neigh *neigh_find(const struct weft_iface *iface, const struct ip_addr *addr);

/** The neighbour, made if there is none; NULL when there is no room or memory. */
struct neigh *neigh_get(struct weft_iface *iface, const struct ip_addr *addr,
			uint64_t now);

/**
 * Sends a frame of the interface (see iface_frame) to the neighbour, or lets a copy wait.
 * Returns 0, -EHOSTUNREACH if it is known not to be there, -ENOBUFS.
 */
int neigh_send(struct neigh *neigh, struct weft_frame *frame, uint64_t now);

/** Whether its MAC is known: what is sent to it need not wait. */
static inline bool neigh_is_known(const struct neigh *neigh)
{
	return neigh->state != NEIGH_INCOMPLETE && neigh->state != NEIGH_FAILED;
}

/** Takes news of a neighbour: from ARP, or from Neighbour Discovery. */
void neigh_update(struct weft_iface *iface, const struct ip_addr *addr,
		  const struct neigh_news *news, uint64_t now);

/** The neighbour has answered a higher protocol (RFC 4861, 7.3.1). */
void neigh_confirm(struct neigh *neigh, uint64_t now);

/** The neighbour has not answered a higher protocol: whether it is there is asked at once. */
void neigh_doubt(struct neigh *neigh, uint64_t now);

/** Forgets all neighbours of an interface. */
void neigh_remove_all(struct weft_iface *iface);

#endif
