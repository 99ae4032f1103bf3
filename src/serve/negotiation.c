/* SPDX-License-Identifier: MIT */
/*
 * The automaton's transitions (RFC 1661, 4.1).
 */
#include "serve/negotiation.h"

#include "base/array.h"

#include <assert.h>

const char *negotiation_state_name(enum negotiation_state state)
{
	static const char *const names[] = {
		[NEGOTIATION_STARTING] = "starting", [NEGOTIATION_STOPPED] = "stopped",
		[NEGOTIATION_STOPPING] = "stopping", [NEGOTIATION_REQ_SENT] = "req-sent",
		[NEGOTIATION_ACK_RCVD] = "ack-rcvd", [NEGOTIATION_ACK_SENT] = "ack-sent",
		[NEGOTIATION_OPENED] = "opened",
	};
	static_assert(ARRAY_LEN(names) == NEGOTIATION_STATES, "a name for each state");
	return names[state];
}
