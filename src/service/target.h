/* SPDX-License-Identifier: MIT */
/*
 * Whom a program wants to reach: a host, by its address or by a name that the forwarder's
 * resolver knows, and the addresses that are to be tried one after the other.
 *
 *     target_find --- an address ----------------------------> 0
 *                '--- a name ---> -EINPROGRESS ... found(0) --> target_next, target_next ...
 *                                             '--- found(-ENOENT)
 */
#ifndef SERVICE_TARGET_H
#define SERVICE_TARGET_H

#include "base/list.h"

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/resolver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_ADDRESSES_MAX 4u

struct weft_forwarder;

struct target {
	struct weft_forwarder *forwarder;
	/** May free the target. */
	void (*found)(void *user, int error, uint64_t now);
	void *user;
	struct weft_lookup *lookup; /**< Under way. */
	uint16_t port;
	unsigned n, next;
	union weft_sockaddr addrs[TARGET_ADDRESSES_MAX];
};

/**
 * Looks for a host; forwarder, found and user are set. Returns 0 if it is known; -EINPROGRESS
 * if found will be called; -ENOENT for a name without a resolver, or another -Exxx.
 */
int target_find(struct target *t, const char *host, uint16_t port,
		uint64_t now) WEFT_MUST_CHECK;

/** The next address to be tried; false for no other. */
bool target_next(struct target *t, union weft_sockaddr *ret_addr);

/** Ends a look-up that is under way. */
void target_end(struct target *t, uint64_t now);

/** Datagrams that wait until the address of the host is known that they are for. */
struct post {
	struct weft_forwarder *forwarder;
	void (*send)(void *user, const union weft_sockaddr *to, const void *data,
		     size_t len, uint64_t now);
	void *user;
	struct list waiting;
	size_t bytes; /**< Of all that wait. */
};

/** Begins without any; the other members are set. */
void post_init(struct post *post);

/** Calls send, now or later, or drops and counts. */
void post_datagram(struct post *post, const char *host, uint16_t port, const void *data,
		   size_t len, uint64_t now);

/** Drops all that wait. */
void post_end(struct post *post, uint64_t now);

#endif
