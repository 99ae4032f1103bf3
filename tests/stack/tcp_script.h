/* SPDX-License-Identifier: MIT */
/*
 * Transcripts: one TCP, and a test that plays its peer, segment by segment and with explicit
 * time.
 *
 *     script_listen(&s);
 *     RX(SYN, .seq = 100);                       the peer sends
 *     TX(SYN | ACK, .seq = 0, .ack = 101);       the TCP answers, and nothing else
 *     AT(MS(200));                               time passes
 *     QUIET();                                   nothing was sent
 *
 * The peer's sequence numbers are as written. The TCP's own count from its initial one: its SYN
 * is 0 and its first byte 1, in .seq of TX and in .ack of RX. Data is 'a', 'b', 'c' ... by
 * sequence number.
 */
#ifndef TESTS_STACK_TCP_SCRIPT_H
#define TESTS_STACK_TCP_SCRIPT_H

#include "../unit.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_user.h"

#include <stdbool.h>
#include <stdint.h>

#define FIN TCP_FIN
#define SYN TCP_SYN
#define RST TCP_RST
#define PSH TCP_PSH
#define ACK TCP_ACK
#define URG TCP_URG
#define ECE TCP_ECE
#define CWR TCP_CWR

#define US(n) ((uint64_t)(n)*1000u)
#define MS(n) ((uint64_t)(n)*1000000u)
#define S(n)  ((uint64_t)(n)*1000000000u)

#define SCRIPT_SENT_MAX 4096u
#define PEER_PORT       5000u
#define OWN_PORT        80u
#define PEER_WINDOW     65535u

/** A segment as a transcript writes it. */
struct line {
	uint16_t flags;
	uint32_t seq, ack;
	uint32_t len;     /**< Of data, in bytes. */
	uint32_t window;  /**< RX: 0 is PEER_WINDOW. TX: 0 is not looked at. */
	bool window_zero; /**< The window is 0. */
	uint16_t mss;     /**< Option; 0: none (RX), not looked at (TX). */
	bool sack;        /**< SACK permitted. */
	bool scaled;      /**< Window scale option, ... */
	uint8_t wscale;   /**< ... and what it says. */
	bool ts;          /**< Timestamps option, ... */
	uint32_t ts_val,
		ts_ecr; /**< ... and what it says; ts_ecr of 0 in TX is not looked at. */
	uint8_t sacks_n;
	struct tcp_sack sacks[4]; /**< RX: of the TCP's numbers; TX: of the peer's. */
	uint16_t gso; /**< TX: the super-segment's segment size; RX: likewise. */
	uint8_t tos;
	uint16_t urgent; /**< The pointer. */
};

/** What the TCP has sent. */
struct sent_segment {
	struct tcp_hdr hdr;
	struct tcp_opts opts;
	struct tcp_flow flow;
	size_t len;
	uint16_t gso_size;
	uint8_t tos, ttl;
	uint64_t at;   /* When. */
	uint8_t first; /* Byte of data. */
};

struct script {
	struct tcp tcp;
	struct wheel wheel;
	uint64_t now, begin;
	struct tcp_listener *listener;
	struct tcp_conn *conn;
	struct tcp_flow flow; /**< As the TCP sees it. */
	uint32_t iss;
	bool knows_iss;
	uint32_t mtu;
	uint64_t path_generation;
	int path_error;
	struct sent_segment sent[SCRIPT_SENT_MAX];
	size_t sent_n, taken;
	unsigned connected, readable, writable, closed, acceptable;
	unsigned urgent;          /**< Calls of on_urgent. */
	unsigned reports, doubts; /**< Calls of on_report; of the seam's doubt. */
	int report;               /**< Of the last on_report. */
	int error;                /**< Of on_closed. */
	bool closes_at_end;       /**< The user closes when on_closed comes. */
};

/** NULL: no timestamps, the rest as by default. */
void script_init(struct script *s, const struct tcp_config *config);
void script_fini(struct script *s);

/** Listens at OWN_PORT. Connections are accepted as they come. */
void script_listen(struct script *s);
/** Connects to PEER_PORT, from OWN_PORT. */
void script_connect(struct script *s);
/** A handshake with the peer as active side, its first byte being 101, with SACK. */
void script_establish(struct script *s);
/** The same with the options of a line: mss, sack, scaled, ts. */
void script_establish_with(struct script *s, const struct line *syn);

enum tcp_outcome script_rx(struct script *s, const struct line *line);
void script_tx(struct script *s, const struct line *line, const char *file, int at);
void script_quiet(struct script *s, const char *file, int at);
/** Time goes to that long after the beginning. */
void script_at(struct script *s, uint64_t ns);

void script_write(struct script *s, size_t len);
void script_write_urgent(struct script *s, size_t len);
/** Reads all there is; fails unless it is that much, and the right bytes from seq on. */
void script_read(struct script *s, size_t len, uint32_t seq);
void script_assert_state(struct script *s, enum tcp_state state, const char *file,
			 int at);

#define RX(flags_, ...) script_rx(&s, &(struct line){ .flags = (flags_), __VA_ARGS__ })
#define TX(flags_, ...)                                                           \
	script_tx(&s, &(struct line){ .flags = (flags_), __VA_ARGS__ }, __FILE__, \
		  __LINE__)
#define QUIET()       script_quiet(&s, __FILE__, __LINE__)
#define AT(ns)        script_at(&s, ns)
#define STATE(state_) script_assert_state(&s, state_, __FILE__, __LINE__)

#endif
