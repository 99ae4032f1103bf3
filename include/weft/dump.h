/* SPDX-License-Identifier: MIT */
/*
 * One line of text for one frame, in the manner of tcpdump: for `weft dump`, for traces and
 * for tests that fail.
 *
 *     char line[WEFT_DUMP_LEN];
 *     puts(weft_dump_frame(&frames[i], false, line, sizeof(line)));
 */
#ifndef WEFT_DUMP_H
#define WEFT_DUMP_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold any line; a shorter buffer gets a shorter line that ends with "...". */
#define WEFT_DUMP_LEN 512u

/**
 * Describes a frame: Ethernet, or a bare IP packet if is_ip. Writes into buf of len bytes
 * (>= 1) and returns buf. The frame may be anything that a peer can send: what ends too soon
 * is marked [truncated] and what contradicts itself [malformed]. Text that came in the frame
 * is never repeated. Checksums are not looked at. Does not block or allocate.
 *
 *     02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ARP who-has 192.0.2.1 tell 192.0.2.2
 *     02:00:00:00:00:01 > 02:00:00:00:00:02, IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 5
 *     IP 192.0.2.1.5000 > 192.0.2.2.80: Flags [.], ack 7, win 502, length 0
 *
 * TCP sequence numbers are those of the wire, not relative to the first one seen.
 */
WEFT_API const char *weft_dump_frame(const struct weft_frame *frame, bool is_ip,
				     char *buf, size_t len);

/** Bytes that hold the headers of any frame; a shorter buffer gets less, with "...". */
#define WEFT_DUMP_HEADERS_LEN 4096u

/**
 * The same for every field of every header, a line for each: one that begins with the
 * protocol's name for a header, indented ones for its fields. Each line ends with a newline.
 *
 *     ip: 10.1.0.1 > 10.1.0.2, protocol=ICMP, len=84
 *                 vhl: 0x45 [v: 4, hl: 5 (20)]
 *                 tos: 0x00
 *
 * A checksum is said to be right or wrong where all that it covers is there, and "left to the
 * link" where WEFT_OFFLOAD_NEEDS_CSUM says so. A header that contradicts itself is said to be
 * malformed, and is the last.
 */
WEFT_API const char *weft_dump_headers(const struct weft_frame *frame, bool is_ip,
				       char *buf, size_t len);

#ifdef __cplusplus
}
#endif
#endif
