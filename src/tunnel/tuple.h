/* SPDX-License-Identifier: MIT */
/*
 * What tells the flow of a packet: its two addresses, the protocol, and its ports, or what
 * stands for them (the identifier of an ICMP echo). IPv4 and IPv6 with extension headers.
 */
#ifndef TUNNEL_TUPLE_H
#define TUNNEL_TUPLE_H

#include "bridge/prefix.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tuple_part {
	TUPLE_WHOLE,
	TUPLE_FIRST, /**< A first fragment, with the ports of the whole. */
	TUPLE_LATER, /**< Another one: no ports, and for IPv6 no protocol. */
};

struct tuple {
	struct prefix src, dst;
	uint8_t protocol;      /**< Behind extension headers: IPPROTO_*. */
	bool has_ports;        /**< A protocol that has them, and not a later fragment. */
	uint16_t sport, dport; /**< Both the identifier, of an echo; else 0. */
	bool is_opening;     /**< TCP's SYN without ACK, an echo request: no answer is. */
	bool is_fin, is_rst; /**< Of TCP. */
	bool is_error;       /**< ICMP that quotes what it is about, at quote_off. */
	uint32_t quote_off;  /**< From the packet's start, in bytes. */
	enum tuple_part part;
	uint32_t frag_id; /**< Of a fragment. */
};

/**
 * Reads a packet. Returns 0, or -EBADMSG for one of which nobody between its ends can say what
 * it is: headers that do not fit, ports that are not in the first fragment (RFC 1858 3) or
 * that a later one writes over, a routing header with a further destination.
 */
int tuple_read(const uint8_t *data, uint32_t len,
	       struct tuple *ret_tuple) WEFT_MUST_CHECK;

/** Reads the packet that an ICMP error is about, which is cut short. */
int tuple_read_quoted(const uint8_t *data, uint32_t len,
		      struct tuple *ret_tuple) WEFT_MUST_CHECK;

#endif
