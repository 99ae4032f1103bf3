/* SPDX-License-Identifier: MIT */
/*
 * A script: what happens when. One event a line (or several, while brackets are open):
 *
 *      0.000  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3     a call, at a time since the beginning
 *     +0.010  < . 1:1(0) ack 1 win 257                      a packet in, 10 ms after the last event
 *     +0~+.1  > P. 1:11(10) ack 1                           a packet out, some time in 100 ms
 *          *  > . 11:11(0) ack 1                            some time
 *     +0...1  read(4, ..., 10) = 10                         a call that takes a second
 *     +1 %{ assert tcpi_unacked == 0 }%                     code and commands are passed over; the
 *                                                           time that stands before them is not
 *     --tolerance_usecs=1000                                options, before the first event
 */
#ifndef TESTS_PACKETDRILL_SCRIPT_H
#define TESTS_PACKETDRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind { EVENT_CALL, EVENT_IN, EVENT_OUT, EVENT_PAUSE };

struct event {
	enum event_kind kind;
	unsigned line;
	bool is_any_time;
	bool is_relative; /**< at_us and end_us count from the event before. */
	bool has_range;   /**< Some time from at_us to end_us. */
	bool has_end;     /**< A call that begins at at_us and ends at end_us. */
	uint64_t at_us, end_us;
	char *text; /**< The call, or what stands behind '<' or '>'. */
};

struct script {
	const char *file;
	struct event *events;
	size_t n;
	uint64_t tolerance_us;
	bool is_ip4_only, is_ip6_only;
	unsigned passed_over; /**< Pieces of code and commands. */
};

/** Reads a file. Returns 0, or -Exxx after it has said on stderr why. */
int script_read(const char *file, struct script *ret_script);
void script_free(struct script *script);

#endif
