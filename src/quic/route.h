/* SPDX-License-Identifier: MIT */
/*
 * From a connection id to whom it belongs (RFC 9000, 5.2): a connection, or what remains of
 * one that is closed. Ids come off the wire, so the table is keyed and limited.
 *
 *   key      len | id .................. | 0 0 0      21 bytes, ids are at most 20
 */
#ifndef QUIC_ROUTE_H
#define QUIC_ROUTE_H

#include "base/list.h"
#include "base/table.h"

#include <weft/frame.h>

#include <ngtcp2/ngtcp2.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the ids that this side chooses. */
#define QUIC_CID_LEN 8u

#define ROUTE_KEY_LEN (1u + NGTCP2_MAX_CIDLEN)

struct quic_conn;
struct closing;

struct route {
	struct list node;       /**< In its owner's list. */
	struct quic_conn *conn; /**< One of the two is set. */
	struct closing *closing;
	uint8_t key[ROUTE_KEY_LEN];
};

/** Adds a route and puts it on owner's list. Returns 0, -EEXIST, -ENOSPC or -ENOMEM. */
int route_add(struct table *table, const ngtcp2_cid *cid, struct quic_conn *conn,
	      struct list *owner) WEFT_MUST_CHECK;

/** Finds the route for an id of len bytes, or NULL. */
struct route *route_find(const struct table *table, const uint8_t *cid, size_t len);

/** Removes and frees one route. */
void route_remove(struct table *table, struct route *route);

/** Removes and frees all routes on an owner's list. */
void route_remove_all(struct table *table, struct list *owner);

#endif
