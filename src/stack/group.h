/* SPDX-License-Identifier: MIT */
/*
 * Multicast groups of an interface: those that somebody here has joined, whoever sends to them
 * (RFC 3376 and RFC 3810 call that EXCLUDE of nobody; lists of sources are not kept).
 *
 *     join --> report, and once more --.
 *     query --> report after a random time, at most what the query allows
 *     leave (by the last) --> report
 *
 * How a report looks is for igmp.c and mld.c; when it is sent is the same for both.
 */
#ifndef STACK_GROUP_H
#define STACK_GROUP_H

#include "base/time.h"
#include "stack/iface.h"
#include "stack/ip.h"
#include "wire/igmp.h"

#include <stdbool.h>
#include <stdint.h>

struct group {
	struct list of_iface;
	struct weft_iface *iface;
	struct ip_addr addr;
	unsigned members;
	unsigned joins_left; /**< Reports of the join yet to be sent. */
	struct timer timer;
};

/** What a report says: in the newest version of either protocol, the type of its record. */
enum group_report {
	GROUP_IS_MEMBER = IGMP_RECORD_IS_EXCLUDE, /**< Answer to a query. */
	GROUP_JOINED = IGMP_RECORD_TO_EXCLUDE,
	GROUP_LEFT = IGMP_RECORD_TO_INCLUDE,
};

/** Joins once more. Returns 0, -EINVAL for what is no group, -ENOSPC, -ENOMEM. */
int group_join(struct weft_iface *iface, const struct ip_addr *addr,
	       uint64_t now) WEFT_MUST_CHECK;

/**
 * Joins the solicited-node group of an address of ours, by which it is found: however many groups
 * there are, as there are no more of these than addresses. Returns 0 or -ENOMEM.
 */
int group_join_node(struct weft_iface *iface, const struct ip_addr *addr,
		    uint64_t now) WEFT_MUST_CHECK;

/** Leaves once. */
void group_leave(struct weft_iface *iface, const struct ip_addr *addr, uint64_t now);

/**
 * Reports the groups of IPv6 anew, from the link-local address that there is now: what came from
 * none was for switches, and routers have passed over it (RFC 3590, 4).
 */
void group_tell_again(struct weft_iface *iface, uint64_t now);

/** Leaves all, and tells nobody: the interface goes. */
void group_leave_all(struct weft_iface *iface);

/** Whether packets to the group are taken. All hosts of a link are in one by themselves. */
bool group_is_joined(const struct weft_iface *iface, const struct ip_addr *addr);

/** A querier asks for one group, or for all if it is unspecified of its family. */
void group_query(struct weft_iface *iface, const struct ip_addr *addr, uint64_t within_ns,
		 uint64_t now);

/** Somebody else has reported the group: to a querier of an old version, that is enough. */
void group_heard_report(struct weft_iface *iface, const struct ip_addr *addr);

/* How reports look. */
void igmp_report(struct weft_iface *iface, const struct ip_addr *group,
		 enum group_report what, uint64_t now);
void mld_report(struct weft_iface *iface, const struct ip_addr *group,
		enum group_report what, uint64_t now);

/** Takes an MLD message, its checksum checked. */
enum weft_stack_outcome mld_input(const struct ip_rx *rx, uint64_t now);

/** Sends a report: router alert, TTL 1, from the interface's address or none. */
void group_send(struct weft_iface *iface, const struct ip_addr *src,
		const struct ip_addr *dst, const uint8_t *message, size_t len,
		uint64_t now);

/** How long a querier of an older version is remembered (RFC 3376 8.12, RFC 3810 9.12). */
#define GROUP_OLD_QUERIER_NS (260 * NS_PER_S)

#endif
