/* SPDX-License-Identifier: MIT */
/*
 * What is said of the filter, and what holds where nobody has said anything.
 */
#include "bridge/filter.h"

#include <assert.h>

const char *filter_outcome_name(enum filter_outcome outcome)
{
	static const char *const names[] = {
		[FILTER_PASS] = "pass",
		[FILTER_DROP_EAPOL] = "drop-eapol",
		[FILTER_DROP_LLDP] = "drop-lldp",
		[FILTER_DROP_SLOW] = "drop-slow",
		[FILTER_DROP_VLAN] = "drop-vlan",
		[FILTER_DROP_DHCP_SERVER] = "drop-dhcp-server",
		[FILTER_DROP_DHCP6_SERVER] = "drop-dhcp6-server",
		[FILTER_DROP_QUERY] = "drop-query",
		[FILTER_DROP_ROUTER] = "drop-router",
		[FILTER_DROP_FRAGMENT] = "drop-fragment",
		[FILTER_DROP_HEADERS] = "drop-headers",
		[FILTER_DROP_ADDRESS] = "drop-address",
		[FILTER_DROP_GROUP_RATE] = "drop-group-rate",
		[FILTER_DROP_UNKNOWN_RATE] = "drop-unknown-rate",
		[FILTER_DROP_BYTE_RATE] = "drop-byte-rate",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == FILTER_OUTCOMES,
		      "each outcome has a name");
	return outcome < FILTER_OUTCOMES ? names[outcome] : "unknown";
}

struct filter_opts filter_defaults(void)
{
	return (struct filter_opts){
		.group = { .rate = FILTER_RATE, .burst = FILTER_BURST },
		.unknown = { .rate = FILTER_RATE, .burst = FILTER_BURST }
	};
}
