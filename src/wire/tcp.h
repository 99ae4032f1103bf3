/* SPDX-License-Identifier: MIT */
/*
 * The TCP header (RFC 9293, 3.1) and its options: MSS, window scale and timestamps
 * (RFC 7323), SACK-permitted and SACK (RFC 2018).
 *
 *     0                               16                              31
 *     +-------------------------------+-------------------------------+
 *     |          source port          |       destination port        |
 *     |                        sequence number                        |
 *     |                    acknowledgment number                      |
 *     +-------+-------+---------------+-------------------------------+
 *     |  off  |Rsv AE |C E U A P R S F|            window             |
 *     +-------+-------+---------------+-------------------------------+
 *     |           checksum            |         urgent pointer        |
 *     |                     options, 0 to 40 bytes                    |
 *     +---------------------------------------------------------------+
 *
 * Header and options are read in two steps, because most who look at a segment do not look
 * at its options.
 */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCP_LEN         20u /**< Header without options, in bytes. */
#define TCP_OPTIONS_MAX 40u /**< Most bytes of options. */
#define TCP_SACKS_MAX   4u  /**< Most blocks that fit (3 beside timestamps). */
#define TCP_WSCALE_MAX  14u /**< RFC 7323, 2.3: a larger one is taken as this. */

/* Offsets in bytes. */
#define TCP_OFF_SPORT  0u
#define TCP_OFF_DPORT  2u
#define TCP_OFF_SEQ    4u
#define TCP_OFF_ACK    8u
/** Data offset in the upper 4 bits, then 3 reserved, then 9. */
#define TCP_OFF_FLAGS  12u
#define TCP_OFF_WINDOW 14u
#define TCP_OFF_CSUM   16u
#define TCP_OFF_URGENT 18u

/* The control bits. */
#define TCP_FIN        0x001u
#define TCP_SYN        0x002u
#define TCP_RST        0x004u
#define TCP_PSH        0x008u
#define TCP_ACK        0x010u
#define TCP_URG        0x020u
#define TCP_ECE        0x040u
#define TCP_CWR        0x080u
#define TCP_AE         0x100u /**< Accurate ECN, once NS. */
#define TCP_FLAGS_MASK 0xfffu /**< With the reserved bits, which are kept. */

struct tcp_hdr {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t flags;  /**< TCP_* bits. */
	uint16_t window; /**< Not scaled. */
	uint16_t csum;
	uint16_t urgent;
	/** Borrowed from the segment; may be NULL if options_len is 0. */
	const uint8_t *options;
	uint8_t options_len; /**< In bytes, a multiple of 4. */
};

/**
 * Reads a header. Returns its length with options (20..60), or -EBADMSG: shorter than 20, or
 * a data offset below 5 or past the end. The checksum is not looked at.
 */
int tcp_hdr_parse(const uint8_t *data, size_t len,
		  struct tcp_hdr *ret_hdr) WEFT_MUST_CHECK;

/**
 * Writes a header, its options and csum as given; returns its length. -ENOBUFS when buf is
 * too small, -EINVAL for an options_len that is no multiple of 4 or more than 40.
 */
int tcp_hdr_emit(uint8_t *buf, size_t len, const struct tcp_hdr *hdr) WEFT_MUST_CHECK;

enum tcp_option {
	TCP_OPT_END = 0,
	TCP_OPT_NOP = 1,
	TCP_OPT_MSS = 2,
	TCP_OPT_WSCALE = 3,
	TCP_OPT_SACK_PERMITTED = 4,
	TCP_OPT_SACK = 5,
	TCP_OPT_TIMESTAMPS = 8,
};

/** One block of received data: [left, right). */
struct tcp_sack {
	uint32_t left, right;
};

struct tcp_opts {
	bool has_mss, has_wscale, has_timestamps, sack_permitted;
	uint16_t mss;
	uint8_t wscale; /**< 0..14. */
	uint32_t ts_val, ts_ecr;
	uint8_t sacks_n;
	struct tcp_sack sacks[TCP_SACKS_MAX];
};

/**
 * Reads options. An unknown kind is passed over; a known one with a length that is not its
 * own is ignored; of two of a kind the last counts. Returns the number of options understood,
 * or -EBADMSG when a length is below 2 or goes past the end.
 */
int tcp_opts_parse(const uint8_t *data, size_t len,
		   struct tcp_opts *ret_opts) WEFT_MUST_CHECK;

/**
 * Writes options, each padded with NOPs to 4 bytes as everyone does it (RFC 7323, A). Returns
 * the bytes written, 0..40, or -ENOBUFS when they do not fit together.
 */
int tcp_opts_emit(uint8_t buf[TCP_OPTIONS_MAX],
		  const struct tcp_opts *opts) WEFT_MUST_CHECK;

#endif
