/* SPDX-License-Identifier: MIT */
/*
 * What remains of a closed connection for three probe time-outs (RFC 9000, 10.2): its ids,
 * so that late packets are known, and the packet with CONNECTION_CLOSE, which is their
 * answer. Where the peer has closed, there is nothing to answer.
 */
#ifndef QUIC_CLOSING_H
#define QUIC_CLOSING_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

struct closing;
struct packet;
struct quic_conn;
struct quic_endpoint;

/** Takes over the routes of conn for 3 PTO. len 0: no answer. Without memory: does nothing. */
void closing_begin(struct quic_conn *conn, const uint8_t *answer, size_t len);

/** A packet for one of the ids came: answers the 1st, 2nd, 4th, 8th and so on. */
void closing_receive(struct quic_endpoint *endpoint, struct closing *closing,
		     const struct packet *packet);

/** Frees those whose time has come. */
void closing_expire(struct quic_endpoint *endpoint, uint64_t now);

/** Frees all. */
void closing_free_all(struct quic_endpoint *endpoint);

#endif
