/* SPDX-License-Identifier: MIT */
/*
 * The words for how packets end and what else happens: those that people and --json see.
 */
#include "base/array.h"

#include <weft/stack.h>

#include <assert.h>

const char *weft_stack_outcome_name(enum weft_stack_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_STACK_DELIVERED] = "delivered",
		[WEFT_STACK_ANSWERED] = "answered",
		[WEFT_STACK_NOTED] = "noted",
		[WEFT_STACK_FORWARDED] = "forwarded",
		[WEFT_STACK_HELD] = "held",
		[WEFT_STACK_IGNORED] = "ignored",
		[WEFT_STACK_DROP_RUNT] = "drop-runt",
		[WEFT_STACK_DROP_NOT_OURS] = "drop-not-ours",
		[WEFT_STACK_DROP_ETHERTYPE] = "drop-ethertype",
		[WEFT_STACK_DROP_OFFLOAD] = "drop-offload",
		[WEFT_STACK_DROP_ARP] = "drop-arp",
		[WEFT_STACK_DROP_IP_HEADER] = "drop-ip-header",
		[WEFT_STACK_DROP_IP_CHECKSUM] = "drop-ip-checksum",
		[WEFT_STACK_DROP_MARTIAN] = "drop-martian",
		[WEFT_STACK_DROP_NO_HOST] = "drop-no-host",
		[WEFT_STACK_DROP_OPTION] = "drop-option",
		[WEFT_STACK_DROP_NO_PROTOCOL] = "drop-no-protocol",
		[WEFT_STACK_DROP_FRAGMENT] = "drop-fragment",
		[WEFT_STACK_DROP_FRAGMENT_LIMIT] = "drop-fragment-limit",
		[WEFT_STACK_DROP_TTL] = "drop-ttl",
		[WEFT_STACK_DROP_NO_ROUTE] = "drop-no-route",
		[WEFT_STACK_DROP_TOO_BIG] = "drop-too-big",
		[WEFT_STACK_DROP_ICMP] = "drop-icmp",
		[WEFT_STACK_DROP_ICMP_QUOTE] = "drop-icmp-quote",
		[WEFT_STACK_DROP_ECHO_LIMIT] = "drop-echo-limit",
		[WEFT_STACK_DROP_ND] = "drop-nd",
		[WEFT_STACK_DROP_GROUP] = "drop-group",
		[WEFT_STACK_DROP_UDP_HEADER] = "drop-udp-header",
		[WEFT_STACK_DROP_UDP_CHECKSUM] = "drop-udp-checksum",
		[WEFT_STACK_DROP_UDP_NO_SOCKET] = "drop-udp-no-socket",
		[WEFT_STACK_DROP_UDP_FULL] = "drop-udp-full",
		[WEFT_STACK_DROP_TCP_HEADER] = "drop-tcp-header",
		[WEFT_STACK_DROP_TCP_CHECKSUM] = "drop-tcp-checksum",
		[WEFT_STACK_DROP_TCP_NO_SOCKET] = "drop-tcp-no-socket",
		[WEFT_STACK_DROP_TCP_UNACCEPTED] = "drop-tcp-unaccepted",
		[WEFT_STACK_DROP_TCP_LIMIT] = "drop-tcp-limit",
	};
	static_assert(ARRAY_LEN(names) == WEFT_STACK_OUTCOMES, "each outcome has a name");
	return outcome < WEFT_STACK_OUTCOMES ? names[outcome] : "unknown";
}

const char *weft_stack_event_name(enum weft_stack_event event)
{
	static const char *const names[] = {
		[WEFT_STACK_NEIGH_FAILED] = "neigh-failed",
		[WEFT_STACK_NEIGH_EVICTED] = "neigh-evicted",
		[WEFT_STACK_NEIGH_QUEUE_FULL] = "neigh-queue-full",
		[WEFT_STACK_CONFLICT] = "conflict",
		[WEFT_STACK_FRAGMENT_TIMEOUT] = "fragment-timeout",
		[WEFT_STACK_FRAGMENT_EVICTED] = "fragment-evicted",
		[WEFT_STACK_ERROR_SENT] = "error-sent",
		[WEFT_STACK_ERROR_LIMITED] = "error-limited",
	};
	static_assert(ARRAY_LEN(names) == WEFT_STACK_EVENTS, "each event has a name");
	return event < WEFT_STACK_EVENTS ? names[event] : "unknown";
}
