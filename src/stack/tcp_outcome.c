/* SPDX-License-Identifier: MIT */
/*
 * Names of the outcomes, and where each belongs among those of the stack.
 */
#include "stack/tcp_outcome.h"

#include "base/array.h"

#include <assert.h>

static const struct {
	const char *name;
	enum weft_stack_outcome of_stack;
} outcomes[] = {
	[TCP_GO_ON] = { "go-on", WEFT_STACK_IGNORED },
	[TCP_TOOK_ACK] = { "took-ack", WEFT_STACK_DELIVERED },
	[TCP_TOOK_DATA] = { "took-data", WEFT_STACK_DELIVERED },
	[TCP_TOOK_EARLY] = { "took-early", WEFT_STACK_DELIVERED },
	[TCP_TOOK_SYN] = { "took-syn", WEFT_STACK_DELIVERED },
	[TCP_TOOK_COOKIE] = { "took-cookie", WEFT_STACK_ANSWERED },
	[TCP_TOOK_RESET] = { "took-reset", WEFT_STACK_DELIVERED },
	[TCP_TOOK_AGAIN] = { "took-again", WEFT_STACK_ANSWERED },
	[TCP_REFUSED_CLOSED] = { "refused-closed", WEFT_STACK_DROP_TCP_NO_SOCKET },
	[TCP_REFUSED_ACK] = { "refused-ack", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_REFUSED_DATA] = { "refused-data", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_REFUSED_WINDOW] = { "refused-window", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_REFUSED_PAWS] = { "refused-paws", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_CHALLENGED_RESET] = { "challenged-reset", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_CHALLENGED_SYN] = { "challenged-syn", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_CHALLENGED_ACK] = { "challenged-ack", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_HEADER] = { "drop-header", WEFT_STACK_DROP_TCP_HEADER },
	[TCP_DROP_GROUP] = { "drop-group", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_SELF] = { "drop-self", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_RESET] = { "drop-reset", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_NO_FLAG] = { "drop-no-flag", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_NO_TIMESTAMP] = { "drop-no-timestamp", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_LIMITED] = { "drop-limited", WEFT_STACK_DROP_TCP_UNACCEPTED },
	[TCP_DROP_BACKLOG] = { "drop-backlog", WEFT_STACK_DROP_TCP_LIMIT },
	[TCP_DROP_MEMORY] = { "drop-memory", WEFT_STACK_DROP_TCP_LIMIT },
};
static_assert(ARRAY_LEN(outcomes) == TCP_OUTCOMES, "every outcome has a name");

const char *tcp_outcome_name(enum tcp_outcome outcome)
{
	return outcomes[outcome].name;
}

enum weft_stack_outcome tcp_outcome_of_stack(enum tcp_outcome outcome)
{
	return outcomes[outcome].of_stack;
}
