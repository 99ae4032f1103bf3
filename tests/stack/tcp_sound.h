/* SPDX-License-Identifier: MIT */
/*
 * What must always be true of a connection, whatever the network and the peer have done:
 *
 *      records     cover [SND.UNA, SND.NXT) without gaps; the sums over them are right
 *      queue       holds what is under way, and no more is in flight than was sent
 *      timers      something is due as long as something is awaited
 *      early       blocks lie apart, in order, and inside of the window
 */
#ifndef TESTS_STACK_TCP_SOUND_H
#define TESTS_STACK_TCP_SOUND_H

#include "stack/tcp_conn.h"

/** Fails unless what must always be true of the connection is. */
void assert_conn_is_sound(const struct tcp_conn *conn);

#endif
