/* SPDX-License-Identifier: MIT */
/*
 * One stack, the wire it is on, and a clock. A test plays the rest of the network: it puts
 * frames on the wire and looks at what comes back.
 *
 *     [ stack 10.1.0.2/24, 2001:db8::2/64, fe80::.. ] --- wire --- the test: 10.1.0.1, 2001:db8::1
 *
 *     static void answers_ping(void **state)
 *     {
 *             struct world w;
 *             world_init(&w, NULL);
 *             assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), ANSWERED);
 *             ...
 *             struct sent *sent = tx(&w);
 *             world_fini(&w);
 *     }
 */
#ifndef TESTS_STACK_WORLD_H
#define TESTS_STACK_WORLD_H

#include "../unit.h"
#include "base/array.h"
#include "base/time.h"
#include "link/link.h"
#include "stack/stack.h"
#include "wire/compose.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/nd.h"

#include <weft/stack.h>
#include <weft/udp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WORLD_SENT_MAX 256u
#define WORLD_START    (1000 * NS_PER_S)

/* One frame that the stack has sent, complete. */
struct sent {
	uint8_t bytes[2048];
	size_t len;
	struct weft_offload offload;
};

struct world_opts {
	struct weft_stack_opts stack; /* secret: NULL for the world's own. */
	struct weft_iface_opts iface;
	unsigned link_flags;
	bool is_bare; /* No addresses of the test's. */
};

struct world {
	struct weft_link link;
	struct weft_stack *stack;
	struct weft_iface *iface;
	uint64_t now;
	struct sent sent[WORLD_SENT_MAX];
	size_t sent_n, taken;
	size_t sends; /* Calls of weft_link_send. */
};

/* opts may be NULL. The neighbour (10.1.0.1, 2001:db8::1) is known. */
void world_init(struct world *w, const struct world_opts *opts);
void world_fini(struct world *w);

/* Lets time pass, deadline by deadline. */
void world_pass(struct world *w, uint64_t ns);
/* Runs what is due now. */
void world_run(struct world *w);

/* Puts a frame on the wire, and says how it ended. */
enum weft_stack_outcome rx(struct world *w, const void *bytes, size_t len);
enum weft_stack_outcome rx_frame(struct world *w, const struct weft_frame *frame);

/* A packet, from the test's MAC to the stack's (or the group's), around a payload. */
struct packet {
	const char *src, *dst;
	uint8_t proto, ttl, tos;
	uint16_t id;
	bool df;
	uint8_t csum_offset;
	uint16_t sport, dport;
};

/* Builds the frame of it in buf; returns its length. UDP if the ports are not 0. */
size_t make(const struct world *w, const struct packet *p, const void *payload,
	    size_t len, uint8_t *buf, size_t buf_len);
enum weft_stack_outcome rx_packet(struct world *w, const struct packet *p,
				  const void *payload, size_t len);
/* ICMP or ICMPv6, by the addresses. */
enum weft_stack_outcome rx_icmp(struct world *w, const char *src, const char *dst,
				uint8_t type, uint8_t code, uint32_t rest,
				const void *data, size_t len);
enum weft_stack_outcome rx_echo(struct world *w, const char *src, const char *dst);
/* A Neighbour Discovery message with hop limit 255. */
enum weft_stack_outcome rx_nd(struct world *w, const char *src, const char *dst,
			      const struct nd_msg *msg);

/* The next frame that was sent; fails the test if there is none. */
const struct sent *tx(struct world *w);
/* Fails the test if something more was sent. */
void tx_none(const struct world *w);
/* Forgets what was sent. */
void tx_forget(struct world *w);

/* What a sent packet has in it. */
struct seen {
	uint16_t type;
	struct weft_mac dst_mac;
	struct weft_ip src, dst;
	uint8_t proto, ttl, tos;
	bool df;
	uint32_t id, frag_off;
	bool more;
	const uint8_t *packet;  /* IP header on. */
	const uint8_t *payload; /* Transport header on. */
	size_t len;
};
struct seen see(const struct sent *sent);

/* Addresses as text, in and out. */
struct weft_ip ip(const char *text);
struct ip_addr addr(const char *text);
const char *text(const struct weft_ip *ip);
union weft_sockaddr at(const char *host, uint16_t port);
struct weft_mac mac(const char *text);

#define TEST_MAC "02:00:00:00:00:01"

#define assert_outcome(got, want)                         \
	assert_string_equal(weft_stack_outcome_name(got), \
			    weft_stack_outcome_name(WEFT_STACK_##want))

#endif
