/* SPDX-License-Identifier: MIT */
/*
 * Urgent data (RFC 9293, 3.8.5): a mark in the stream up to which its reader is asked to hurry.
 *
 *      what has been read   unread     has not come
 *      -------------------|----------|---------------
 *                      reader     RCV.NXT   ^ RCV.UP
 *                         '--- urgent ------'
 *
 * The pointer is the number of the byte that follows (RFC 6093, 3.1), and the data stays in the
 * stream (6): nothing is taken out of it, as BSD's sockets do with the last byte unless they are
 * told not to. A program that wants that byte alone finds it where one urgent byte is left.
 *
 * Middleboxes clear the pointer, and new programs should do without (RFC 9293, SHLD-13): this is
 * there for old ones (telnet, rlogin, FTP's ABOR).
 */
#ifndef STACK_TCP_URGENT_H
#define STACK_TCP_URGENT_H

#include "stack/tcp_in.h"

#include <stddef.h>
#include <stdint.h>

/** Sixth step of RFC 9293, 3.10.7.4: a segment with URG. A pointer only ever moves on. */
void tcp_take_urgent(struct tcp_conn *conn, const struct tcp_seg *seg);

/** How many bytes the user has still to read until the pointer; 0: nothing is urgent. */
uint32_t tcp_urgent_left(const struct tcp_conn *conn);

/** The user has read while something was urgent: perhaps it is not any more. */
void tcp_urgent_on_read(struct tcp_conn *conn);

/** All that is queued is urgent, and len bytes that will be: SND.UP is behind them. */
void tcp_urge(struct tcp_conn *conn, size_t len);

/** Something has been acknowledged while there was urgent data to send. */
void tcp_urgent_on_ack(struct tcp_conn *conn);

/** Puts URG and the pointer into a header, if they say something to who gets it. */
void tcp_mark_urgent(const struct tcp_conn *conn, struct tcp_hdr *hdr);

#endif
