/* SPDX-License-Identifier: MIT */
/*
 * Links that remember what was sent into them, and packets to let come in on them, written
 * as they are said: wire_in(&a, "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP, .dport = 80).
 */
#ifndef TESTS_TUNNEL_WIRES_H
#define TESTS_TUNNEL_WIRES_H

#include "link/link.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_PACKET_MAX 256u

struct wire {
	struct weft_link link; /* first */
	size_t sent_n;         /* Since wires_take. */
	uint8_t sent[WIRE_PACKET_MAX];
	uint32_t sent_len; /* Of the last one. */
};

/* What a packet is to be; zero is an empty UDP datagram from port 0 to port 0. */
struct packet {
	const char *src, *dst; /* Of one family. */
	uint8_t protocol;      /* IPPROTO_*; 0 for UDP. */
	uint16_t sport, dport;
	uint8_t flags; /* Of TCP. */
	uint8_t type;  /* Of ICMP or ICMPv6; sport is the identifier. */
	uint16_t frag_off;
	bool frag_more;
	uint32_t id;            /* Of the datagram that it is a fragment of. */
	unsigned options;       /* IPv6: so many destination options headers. */
	const uint8_t *payload; /* What an ICMP error quotes. */
	size_t payload_len;
	uint64_t now;
};

/* PACKET("10.0.0.2", "10.0.0.3", .dport = 53) */
#define PACKET(from, ...) (&(const struct packet){ .src = (from), .dst = __VA_ARGS__ })

void wire_init(struct wire *w, unsigned flags);
void wire_fini(struct wire *w);

/* How many were sent into it since the last call. */
size_t wire_take(struct wire *w);

/* Builds a packet; returns its length. */
uint32_t packet_build(const struct packet *p, uint8_t out[WIRE_PACKET_MAX]);

void wire_deliver(struct wire *w, const struct packet *p);

#define wire_in(w, ...) wire_deliver(w, PACKET(__VA_ARGS__))

#endif
