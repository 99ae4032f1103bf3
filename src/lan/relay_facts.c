/* SPDX-License-Identifier: MIT */
/*
 * What a relay has to tell: sums of what sessions and bridges have counted, and all of it as
 * one JSON object. Counters go by the names of their outcomes; those that are zero are left
 * out, so that what is there is worth reading.
 */
#include "base/table.h"
#include "lan/facts.h"
#include "lan/relay.h"
#include "lan/room_host.h"
#include "lan/visitor.h"

#include <jansson.h>
#include <sodium.h>

/* ---- totals ------------------------------------------------------------------------------ */

void relay_count_session(struct relay_totals *totals, const struct session *session)
{
	const struct weft_link_stats *stats = &session->link.stats;
	totals->rx_frames += stats->rx_frames;
	totals->tx_frames += stats->tx_frames;
	totals->rx_bytes += stats->rx_bytes;
	totals->tx_bytes += stats->tx_bytes;
	totals->drops += session_drops(session);
	for (unsigned i = 0; i < SESSION_OUTCOMES; i++)
		totals->sessions[i] += session->counts[i];
}

void relay_count_bridge(struct relay_totals *totals, const struct weft_bridge *bridge)
{
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++)
		totals->bridges[i] +=
			weft_bridge_count(bridge, NULL, (enum weft_bridge_outcome)i);
}

/* Totals of all that ever was. */
static struct relay_totals relay_totals(const struct weft_relay *relay)
{
	struct relay_totals totals = relay->gone;
	struct table_iter it;
	const void *key;
	void *value;
	list_for_each (node, &relay->visitors) {
		const struct visitor *visitor = container_of(node, struct visitor, node);
		if (visitor->member)
			relay_count_session(&totals, &visitor->session);
	}
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &value))
		relay_count_bridge(&totals, ((const struct room *)value)->bridge);
	return totals;
}

static void count_members(const struct weft_relay *relay, struct weft_relay_stats *stats)
{
	struct table_iter it;
	const void *key;
	void *value;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &value)) {
		const struct room *room = value;
		stats->rooms++;
		stats->members += room->clients_n;
		stats->gateways += room->gateway ? 1 : 0;
	}
	stats->members += stats->gateways;
}

static void measure_trips(const struct weft_relay *relay, struct weft_relay_stats *stats)
{
	list_for_each (node, &relay->visitors) {
		const struct visitor *visitor = container_of(node, struct visitor, node);
		uint64_t rtt_ns =
			visitor->member ? quic_conn_stats(visitor->conn).srtt_ns : 0;
		if (rtt_ns == 0)
			continue;
		if (stats->rtt_min_ns == 0 || rtt_ns < stats->rtt_min_ns)
			stats->rtt_min_ns = rtt_ns;
		if (rtt_ns > stats->rtt_max_ns)
			stats->rtt_max_ns = rtt_ns;
	}
}

struct weft_relay_stats weft_relay_stats(const struct weft_relay *relay)
{
	const struct relay_totals totals = relay_totals(relay);
	struct weft_relay_stats stats = { .rx_frames = totals.rx_frames,
					  .tx_frames = totals.tx_frames,
					  .rx_bytes = totals.rx_bytes,
					  .tx_bytes = totals.tx_bytes,
					  .drops = totals.drops };
	for (unsigned i = 0; i < REJECT_CODES; i++)
		stats.rejected += relay->rejects[i];
	for (unsigned i = WEFT_BRIDGE_DROP_RUNT; i < WEFT_BRIDGE_OUTCOMES; i++)
		stats.drops += totals.bridges[i];
	count_members(relay, &stats);
	measure_trips(relay, &stats);
	return stats;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void add_address(json_t *object, const struct room_member *member)
{
	char text[WEFT_IP_TEXT];
	const struct weft_ip address = room_address(member);
	if (address.family != 0)
		(void)json_object_set_new(object, "offered_address",
					  json_string(weft_ip_print(&address, text)));
}

/* From the member to us, which only the member can know. */
static json_t *facts_of_way_up(const struct member_counts *counts)
{
	return json_pack("{s:I, s:I, s:I}", "sent", (json_int_t)counts->sent, "lost",
			 (json_int_t)counts->lost, "jitter_us",
			 (json_int_t)counts->jitter_us);
}

/* Those that hold for the member, and not for all of the room. */
static void add_rules(json_t *object, const struct weft_relay *relay,
		      const struct room_member *member)
{
	const struct rules own = relay_rules_of_member(relay, member);
	const struct rules rest = rules_difference(&own, &member->room->rules);
	if (rest.said)
		(void)json_object_set_new(object, "rules", rules_json(&rest));
}

/* By which `weft filter` knows who came with a pass, whatever name it gives itself. */
static void add_pass(json_t *object, const struct visitor *visitor)
{
	char text[2 * PROOF_KEY_LEN + 1];
	if (visitor->hello.has_pass)
		(void)json_object_set_new(
			object, "pass",
			json_string(sodium_bin2hex(text, sizeof(text),
						   visitor->hello.pass.key,
						   PROOF_KEY_LEN)));
}

static json_t *member_facts(const struct weft_relay *relay,
			    const struct room_member *member)
{
	json_t *object = facts_of_peer(&member->peer);
	const struct visitor *visitor = member->user;
	add_address(object, member);
	(void)json_object_set_new(object, "filter",
				  facts_of_filter(member->filter.counts));
	if (member->port)
		(void)json_object_set_new(
			object, "bridge",
			facts_of_port(member->room->bridge, member->port));
	(void)json_object_set_new(object, "denied",
				  json_integer((json_int_t)member->denied));
	add_rules(object, relay, member);
	if (visitor) {
		add_pass(object, visitor);
		(void)json_object_set_new(object, "path", facts_of_conn(visitor->conn));
		(void)json_object_set_new(object, "frames",
					  facts_of_session(visitor->session.counts));
		(void)json_object_set_new(
			object, "drops_at_member",
			json_integer((json_int_t)visitor->counts.drops));
		(void)json_object_set_new(object, "up",
					  facts_of_way_up(&visitor->counts));
	}
	return object;
}

/* What the room has done for its members beside forwarding. */
static json_t *help_facts(const struct room *room)
{
	json_t *object = facts_of_help(room->bridge);
	for (unsigned i = SUPPRESS_PASS + 1; i < SUPPRESS_ACTIONS; i++)
		if (room->suppressed[i] > 0)
			(void)json_object_set_new(
				object, suppress_action_name((enum suppress_action)i),
				json_integer((json_int_t)room->suppressed[i]));
	return object;
}

/* Those that are others than everywhere. */
static json_t *own_rules(const struct room *room)
{
	const struct rules defaults = rules_defaults();
	const struct rules own = rules_difference(&room->rules, &defaults);
	return own.said ? rules_json(&own) : NULL;
}

static json_t *room_facts(const struct weft_relay *relay, const struct room *room)
{
	struct relay_totals totals = { .rx_frames = 0 };
	json_t *members = json_array();
	list_for_each (node, &room->members)
		(void)json_array_append_new(
			members,
			member_facts(relay,
				     container_of(node, struct room_member, of_room)));
	relay_count_bridge(&totals, room->bridge);
	return json_pack("{s:s, s:i, s:i, s:b, s:o, s:o, s:o, s:o, s:o*, s:o*}", "name",
			 room->name, "id", room->id, "mtu", (int)room->mtu, "stays",
			 (int)room->stays, "members", members, "frames",
			 facts_of_bridge(totals.bridges), "helped", help_facts(room),
			 "rules", rules_json(&room->rules), "own_rules", own_rules(room),
			 "dhcp", room->host ? room_host_json(room->host) : NULL);
}

static json_t *rooms_facts(const struct weft_relay *relay)
{
	json_t *rooms = json_array();
	struct table_iter it;
	const void *key;
	void *room;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &room))
		(void)json_array_append_new(rooms, room_facts(relay, room));
	return rooms;
}

static json_t *endpoint_facts(const struct weft_relay *relay)
{
	const struct quic_endpoint_stats stats = quic_endpoint_stats(relay->endpoint);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets",
			 (json_int_t)stats.rx_packets, "tx_packets",
			 (json_int_t)stats.tx_packets, "drop_unknown",
			 (json_int_t)stats.drop_unknown, "drop_malformed",
			 (json_int_t)stats.drop_malformed, "drop_limit",
			 (json_int_t)stats.drop_limit, "retries",
			 (json_int_t)stats.retries, "refusals",
			 (json_int_t)stats.refusals, "resets", (json_int_t)stats.resets,
			 "version_negotiations", (json_int_t)stats.version_negotiations);
}

char *weft_relay_json(const struct weft_relay *relay, uint64_t now)
{
	const struct weft_relay_stats stats = weft_relay_stats(relay);
	const struct relay_totals totals = relay_totals(relay);
	const union weft_sockaddr addr = weft_relay_addr(relay);
	char text[WEFT_SOCKADDR_TEXT];
	return facts_print(json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o, "
		"s:o}",
		"listen", weft_sockaddr_print(&addr, text), "now_ns", (json_int_t)now,
		"rx_frames", (json_int_t)stats.rx_frames, "tx_frames",
		(json_int_t)stats.tx_frames, "rx_bytes", (json_int_t)stats.rx_bytes,
		"tx_bytes", (json_int_t)stats.tx_bytes, "drops", (json_int_t)stats.drops,
		"rejected", (json_int_t)stats.rejected, "rejects",
		facts_of_words(&reject_words, relay->rejects), "closes",
		facts_of_words(&close_words, relay->closes), "early_datagrams",
		(json_int_t)relay->early_datagrams, "rooms", rooms_facts(relay), "frames",
		facts_of_bridge(totals.bridges), "sessions",
		facts_of_session(totals.sessions), "udp", endpoint_facts(relay)));
}
