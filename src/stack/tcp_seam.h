/* SPDX-License-Identifier: MIT */
/*
 * What TCP takes and gives: segments as values, with headers that have been read or are yet to
 * be written. Everything in src/stack/tcp_* stands on these few types, so that two TCPs can talk
 * to each other in a test with no IP between them; tcp_ip.c is what ties them to it.
 *
 *      tcp_input(tcp, &rx, now)            ops->emit(user, &tx, now)
 *              |                                     ^
 *              v                                     |
 *        .-----------------------------------------------.
 *        |                     TCP                       |
 *        '-----------------------------------------------'
 */
#ifndef STACK_TCP_SEAM_H
#define STACK_TCP_SEAM_H

#include "stack/addr.h"
#include "stack/ip.h"
#include "wire/tcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The two ends of a connection, as this side sees them. Hashed as it is: no padding. */
struct tcp_flow {
	struct ip_addr local, remote;
	uint16_t lport, rport;
	uint32_t scope; /**< See ip_scope_of. */
};

/** A segment, or a super-segment, that came in. Borrowed for the call. */
struct tcp_rx {
	struct tcp_flow flow; /**< local is its destination. */
	struct tcp_hdr hdr;
	struct tcp_opts opts; /**< All zero where they could not be read. */
	uint8_t tos;          /**< Of IP, with ECN. */
	bool is_group;        /**< Sent to a broadcast or multicast address. */
	uint16_t gso_size;    /**< Not 0: a super-segment, of segments of that size. */
	const uint8_t *payload;
	size_t len; /**< Of payload, in bytes. */
	bool stays; /**< The payload stays until tcp_flush has returned. */
};

/**
 * A segment, or a super-segment, to be sent. Borrowed for the call; but the slices stay until
 * the budget's before_free is called.
 */
struct tcp_tx {
	const struct tcp_flow *flow;
	const struct ip_path *path; /**< NULL for an answer outside of a connection. */
	struct tcp_hdr hdr;         /**< With its options, without its checksum. */
	uint8_t tos;
	uint8_t ttl; /**< 0: the stack's default. */
	const struct ip_slice *slices;
	size_t slices_n;
	size_t len;        /**< Of all slices, in bytes. */
	uint16_t gso_size; /**< Not 0: len is more than this, and is to be cut by it. */
};

/** The layer below. */
struct tcp_ops {
	void (*emit)(void *user, const struct tcp_tx *tx, uint64_t now);
	/** As ip_path_find: from local, or from what suits best if that is unspecified. */
	int (*find_path)(void *user, const struct tcp_flow *flow, uint64_t now,
			 struct ip_path *ret_path);
	bool (*path_is_current)(void *user, const struct ip_path *path);
	/** New data was acknowledged: the way works in both directions. */
	void (*confirm)(void *user, const struct ip_path *path, uint64_t now);
	/** The same is sent again and again for nothing: perhaps the way is dead. */
	void (*doubt)(void *user, const struct ip_path *path, uint64_t now);
};

#endif
