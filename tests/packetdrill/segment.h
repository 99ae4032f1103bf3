/* SPDX-License-Identifier: MIT */
/*
 * A packet in packetdrill's language, as bytes, and as the struct between the two.
 *
 *     text    S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>      segment_parse, segment_print
 *       |
 *     struct segment                                           segment_differs
 *       |
 *     bytes   45 00 00 30 ...                                  segment_emit, segment_read
 *
 * Numbers are those of the text: the stack's sequence numbers count from its initial one, the
 * other side's are as written. What lies between them and the bytes is in the flow. Data is
 * 'a', 'b', 'c' ... by sequence number, either side's, so that a byte in the wrong place shows.
 */
#ifndef TESTS_PACKETDRILL_SEGMENT_H
#define TESTS_PACKETDRILL_SEGMENT_H

#include <weft/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_TEXT_MAX    512u
#define SEGMENT_OPTIONS_MAX 20u
#define FLOW_STAMPS_MAX     512u

enum segment_kind { SEGMENT_TCP, SEGMENT_UDP, SEGMENT_ICMP };

struct segment_option {
	uint8_t kind;
	uint8_t n;          /**< Numbers in use. */
	uint32_t number[8]; /**< MSS; shift; value and echo; left and right ... */
};

struct segment {
	enum segment_kind kind;
	bool has_ecn, is_ect; /**< is_ect: either of ECT(0) and ECT(1). */
	uint8_t ecn;
	bool has_tos; /**< All eight bits, not those of ECN alone. */
	uint8_t tos;
	bool has_ttl;
	uint8_t ttl;  /**< Or hop limit. */
	uint32_t len; /**< Of data, in bytes. */

	/* TCP. In an ICMP error, seq and len are those of the quoted segment. */
	uint16_t flags;
	uint32_t seq, ack;
	bool has_window;
	uint16_t window;
	bool has_urgent;
	uint16_t urgent;
	bool has_any_options; /**< "<...>": whatever they are. */
	unsigned options_n;
	struct segment_option options[SEGMENT_OPTIONS_MAX];

	/* ICMP. */
	uint8_t type, code;
	uint32_t mtu;
	bool quotes_udp;
};

/** What is known of the two ends, and how script's numbers become live ones. */
struct flow {
	struct weft_ip local, remote;
	uint16_t lport, rport;
	bool knows_iss;
	uint32_t iss;
	/** Timestamps of the stack: what the script calls them, and what they are. */
	size_t stamps_n;
	struct {
		uint32_t script, live;
	} stamps[FLOW_STAMPS_MAX];
};

/** The byte of data with that sequence number. */
uint8_t segment_byte(uint32_t seq);

/** Reads what stands behind '<' or '>'. NULL, or what cannot be understood. */
const char *segment_parse(const char *text, bool is_ip6, struct segment *ret_segment);

/** Writes it as it would stand in a script. Returns text. */
const char *segment_print(const struct segment *segment, bool is_ip6,
			  char text[SEGMENT_TEXT_MAX]);

/** Bytes of what comes in, as an IP packet. Returns their number, or -Exxx. */
int segment_emit(const struct segment *segment, const struct flow *flow, uint8_t *buf,
		 size_t len);

/**
 * Reads what the stack has sent; the first SYN teaches flow its numbers. NULL, or what is wrong
 * with it.
 */
const char *segment_read(const uint8_t *bytes, size_t len, struct flow *flow,
			 struct segment *ret_segment);

/** What of sent is not as it should be; NULL: nothing. Remembers timestamps in flow. */
const char *segment_differs(const struct segment *want, const struct segment *sent,
			    struct flow *flow);

#endif
