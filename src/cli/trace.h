/* SPDX-License-Identifier: MIT */
/*
 * A log of every frame that passes a link, on stderr, in the layout that microps made known:
 * one line for each header, and below it the header's fields.
 *
 *     12:30:01.250 [D] ip_input: dev=tap0, 10.1.0.1 > 10.1.0.2, protocol=ICMP, len=84
 *             vhl: 0x45 [v: 4, hl: 5 (20)]
 *             tos: 0x00
 *             ...
 *     12:30:01.250 [D] icmp_input: dev=tap0, echo request, len=64
 *
 * What the headers say comes from weft_dump_headers.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <weft/link.h>

#include <stdbool.h>

/** Embedded in a program; must not move while it is watching. */
struct trace {
	bool is_ip; /**< The link carries IP without Ethernet. */
};

/** Logs from now on, until the link is freed or watched by somebody else. */
void trace_start(struct trace *trace, struct weft_link *link);

#endif
