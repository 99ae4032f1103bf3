/* SPDX-License-Identifier: MIT */
/*
 * A protocol that remembers what it was given, and packets to give: IPv4 with every field in
 * the test's hand, UDP, Ethernet.
 */
#ifndef TESTS_PORT_RECORDER_H
#define TESTS_PORT_RECORDER_H

#include <weft/port.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS_MAX 64u

/* One packet, copied. */
struct record {
	uint8_t *data; /* Of exactly len bytes. */
	size_t len;
	bool partial;
	uint64_t now;
	unsigned order; /* Counts over all recorders. */
	bool has_ethernet, has_ip, has_udp;
	struct weft_ethernet_header ethernet;
	struct weft_ip_header ip;
	struct weft_udp_header udp;
};

struct recorder {
	struct weft_protocol protocol;
	struct record records[RECORDS_MAX];
	size_t n;
	unsigned started, stopped;
	int result; /* What its received returns. */
	int started_result, stopped_result;
	void (*on_received)(struct recorder *r, const struct weft_packet *packet);
	void *user;
};

void recorder_init(struct recorder *r, enum weft_layer layer, const char *name);
void recorder_clear(struct recorder *r);

/* The i-th packet was this text. */
void assert_record(const struct recorder *r, size_t i, const char *text);

struct weft_ip test_ip(const char *text);

/* An IPv4 header; what is 0 is as compose makes it, and the lengths and the sum are right. */
struct ip4_fields {
	uint8_t tos, ttl, proto;
	uint16_t id;
	uint16_t frag; /* Flags and offset as one field, 0xbeef as the wire has it. */
	const char *src, *dst;
	const uint8_t *options;
	uint8_t options_len;
};

/* Writes header and payload; returns the length. */
size_t put_ip4(uint8_t *buf, const struct ip4_fields *fields, const void *payload,
	       size_t len);

/* Writes a UDP header without a sum, and the payload; returns the length. */
size_t put_udp(uint8_t *buf, uint16_t sport, uint16_t dport, const char *payload);

/* Hands bytes, copied to memory of exactly their length, to a protocol; no port. */
void feed(struct weft_protocol *protocol, const void *data, size_t len);
void feed_partial(struct weft_protocol *protocol, const void *data, size_t len);
void feed_at(struct weft_protocol *protocol, const void *data, size_t len, uint64_t now);

/* Checks that a packet ended so: outcome counts n, and all others nothing. */
void assert_outcome(const struct weft_protocol *protocol, enum weft_outcome outcome,
		    uint64_t n);

/* Ethernet that gives to IP, of both versions, and that to UDP. */
void make_layers(struct weft_protocol **ret_ethernet, struct weft_protocol **ret_ip,
		 struct weft_protocol **ret_udp);

/* Adds, which has to work. */
void add(struct weft_protocol *parent, int64_t number, struct recorder *child);

/* Adding is refused with that code, and with words that hold text. */
void assert_add_refused(struct weft_protocol *parent, int64_t number,
			struct weft_protocol *child, int code, const char *text);

#endif
