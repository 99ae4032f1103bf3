/* SPDX-License-Identifier: MIT */
/*
 * The drawing of the header as a table: for each state, the set of those that may follow.
 */
#include "stack/tcp_state.h"

#include "base/array.h"

#include <assert.h>

static const char *const names[] = {
	[TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
	[TCP_SYN_SENT] = "SYN-SENT",       [TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT_2] = "FIN-WAIT-2",   [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCP_CLOSING] = "CLOSING",         [TCP_LAST_ACK] = "LAST-ACK",
	[TCP_TIME_WAIT] = "TIME-WAIT",
};
static_assert(ARRAY_LEN(names) == TCP_STATES, "every state has a name");

/*
 * SYN-RECEIVED may go to FIN-WAIT-1 (close before the ACK came) and straight on to CLOSE-WAIT
 * only by way of ESTABLISHED. An abort, a reset and a time-out lead to CLOSED from anywhere.
 */
static const uint16_t followers[] = {
	[TCP_CLOSED] = TCP_BIT(TCP_SYN_SENT) | TCP_BIT(TCP_SYN_RECEIVED),
	[TCP_LISTEN] = 0,
	[TCP_SYN_SENT] = TCP_BIT(TCP_SYN_RECEIVED) | TCP_BIT(TCP_ESTABLISHED) |
			 TCP_BIT(TCP_CLOSED),
	[TCP_SYN_RECEIVED] = TCP_BIT(TCP_ESTABLISHED) | TCP_BIT(TCP_CLOSED),
	[TCP_ESTABLISHED] =
		TCP_BIT(TCP_FIN_WAIT_1) | TCP_BIT(TCP_CLOSE_WAIT) | TCP_BIT(TCP_CLOSED),
	[TCP_FIN_WAIT_1] = TCP_BIT(TCP_FIN_WAIT_2) | TCP_BIT(TCP_CLOSING) |
			   TCP_BIT(TCP_TIME_WAIT) | TCP_BIT(TCP_CLOSED),
	[TCP_FIN_WAIT_2] = TCP_BIT(TCP_TIME_WAIT) | TCP_BIT(TCP_CLOSED),
	[TCP_CLOSE_WAIT] = TCP_BIT(TCP_LAST_ACK) | TCP_BIT(TCP_CLOSED),
	[TCP_CLOSING] = TCP_BIT(TCP_TIME_WAIT) | TCP_BIT(TCP_CLOSED),
	[TCP_LAST_ACK] = TCP_BIT(TCP_CLOSED),
	[TCP_TIME_WAIT] = TCP_BIT(TCP_CLOSED),
};
static_assert(ARRAY_LEN(followers) == TCP_STATES, "every state has its followers");

const char *tcp_state_name(enum tcp_state state)
{
	return names[state];
}

bool tcp_state_may_become(enum tcp_state from, enum tcp_state to)
{
	return (followers[from] & TCP_BIT(to)) != 0;
}
