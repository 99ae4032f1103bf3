/* SPDX-License-Identifier: MIT */
/*
 * The inside of an endpoint. See endpoint.c for how a turn goes.
 */
#ifndef QUIC_ENDPOINT_H
#define QUIC_ENDPOINT_H

#include "base/bucket.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "quic/memory.h"
#include "quic/quic.h"
#include "quic/quota.h"
#include "quic/route.h"
#include "quic/tokens.h"
#include "quic/tx.h"

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUIC_SECRET_LEN 32u

struct quic_endpoint {
	struct weft_task task;
	struct quic_endpoint_opts opts; /**< With defaults filled in. */
	struct dgram *dgram;
	uint64_t now;   /**< Never goes back: ngtcp2 1.x aborts the process if it did. */
	uint64_t turns; /**< That have ended. */
	struct table *routes;
	struct list conns, dirty;
	bool is_behind;       /**< The last turn left work: ACKs may have come since. */
	struct heap timers;   /**< Of connections. */
	struct heap closings; /**< Of struct closing. */
	size_t conns_count;
	size_t handshakes;      /**< Connections that are not established yet. */
	struct bucket initials; /**< New connections without Retry. */
	struct quota quota;     /**< Of a server's, by address. */
	struct tokens tokens;   /**< That a client has been given. */
	struct memory memory;   /**< Of ngtcp2's parts of connections. */
	struct pool pool;       /**< Blocks for queued datagrams. */
	struct tx tx;
	uint8_t reset_secret[QUIC_SECRET_LEN];
	uint8_t token_secret[QUIC_SECRET_LEN];
	struct quic_conn *last;         /**< To whom the last packet went ... */
	uint8_t last_cid[QUIC_CID_LEN]; /**< ... and its id. */
	uint64_t resets_from; /**< Stateless resets are limited: since when ... */
	unsigned resets_sent; /**< ... and how many. */
	struct quic_endpoint_stats stats;
};

/** One datagram and where it came from. */
struct packet {
	const uint8_t *data;
	size_t len;
	unsigned ecn;
	ngtcp2_path path;
};

/** Moves the endpoint's clock on; it never goes back. */
static inline void endpoint_set_now(struct quic_endpoint *endpoint, uint64_t now)
{
	if (now > endpoint->now)
		endpoint->now = now;
}

/** A packet that belongs to no connection: takes it, refuses it, or drops it. */
void endpoint_accept(struct quic_endpoint *endpoint, const struct packet *packet,
		     const ngtcp2_version_cid *ids, int decode_result);

/** Room for a packet, after sending what fills the buffer. NULL when the socket is full. */
uint8_t *endpoint_tx_room(struct quic_endpoint *endpoint, size_t len);

/** Adds what was written there. */
void endpoint_tx_add(struct quic_endpoint *endpoint, const ngtcp2_path *path, size_t len,
		     unsigned ecn);

/** A fresh random connection id. Returns 0 or -EIO. */
int endpoint_make_cid(ngtcp2_cid *ret_cid, size_t len) WEFT_MUST_CHECK;

#endif
