/* SPDX-License-Identifier: MIT */
/*
 * What a bridge has to tell: counts by the names that --json prints, and the addresses that it
 * knows.
 */
#include "base/table.h"
#include "bridge/bridge.h"

#include <assert.h>

const char *weft_bridge_outcome_name(enum weft_bridge_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_BRIDGE_FORWARDED] = "forwarded",
		[WEFT_BRIDGE_FLOODED] = "flooded",
		[WEFT_BRIDGE_DROP_RUNT] = "drop-runt",
		[WEFT_BRIDGE_DROP_BAD_SOURCE] = "drop-bad-source",
		[WEFT_BRIDGE_DROP_SPOOFED] = "drop-spoofed",
		[WEFT_BRIDGE_DROP_RESERVED] = "drop-reserved",
		[WEFT_BRIDGE_DROP_SAME_PORT] = "drop-same-port",
		[WEFT_BRIDGE_DROP_ISOLATED] = "drop-isolated",
		[WEFT_BRIDGE_DROP_NO_TARGET] = "drop-no-target",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_BRIDGE_OUTCOMES,
		      "each outcome has a name");
	return outcome < WEFT_BRIDGE_OUTCOMES ? names[outcome] : "unknown";
}

const char *weft_bridge_event_name(enum weft_bridge_event event)
{
	static const char *const names[] = {
		[WEFT_BRIDGE_GROUP_REPORT] = "group-report",
		[WEFT_BRIDGE_GROUP_QUERY] = "group-query",
		[WEFT_BRIDGE_GROUP_ASKED] = "group-asked",
		[WEFT_BRIDGE_GROUP_PRUNED] = "group-pruned",
		[WEFT_BRIDGE_GROUP_FULL] = "group-full",
		[WEFT_BRIDGE_IPX_TRANSLATED] = "ipx-translated",
		[WEFT_BRIDGE_TOO_BIG] = "too-big",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_BRIDGE_EVENTS,
		      "each event has a name");
	return event < WEFT_BRIDGE_EVENTS ? names[event] : "unknown";
}

uint64_t weft_bridge_count(const struct weft_bridge *bridge,
			   const struct weft_bridge_port *port,
			   enum weft_bridge_outcome outcome)
{
	assert(outcome < WEFT_BRIDGE_OUTCOMES);
	return port ? port->counts[outcome] : bridge->counts[outcome];
}

uint64_t weft_bridge_event_count(const struct weft_bridge *bridge,
				 enum weft_bridge_event event)
{
	assert(event < WEFT_BRIDGE_EVENTS);
	return bridge->events[event];
}

struct weft_bridge_fdb_stats weft_bridge_fdb_stats(const struct weft_bridge *bridge)
{
	return bridge->fdb.stats;
}

const struct weft_bridge_port *weft_bridge_lookup(const struct weft_bridge *bridge,
						  struct weft_mac mac)
{
	const struct fdb_entry *entry = fdb_lookup(&bridge->fdb, mac);
	return entry ? container_of_const(entry->port, struct weft_bridge_port,
					  forward.fdb)
		     : NULL;
}

void weft_bridge_each(const struct weft_bridge *bridge, uint64_t now,
		      void (*fn)(void *user, struct weft_mac mac,
				 const struct weft_bridge_port *port, bool bound,
				 uint64_t age_ns),
		      void *user)
{
	struct table_iter it;
	const void *key;
	void *value;
	table_iter_init(&it, bridge->fdb.entries);
	while (table_iter_next(&it, &key, &value)) {
		const struct fdb_entry *entry = value;
		const struct weft_bridge_port *port = container_of_const(
			entry->port, struct weft_bridge_port, forward.fdb);
		uint64_t age_ns =
			entry->bound || now < entry->seen_ns ? 0 : now - entry->seen_ns;
		fn(user, entry->mac, port, entry->bound, age_ns);
	}
}
