/* SPDX-License-Identifier: MIT */
/*
 * Numbers are in the units that their names end with; times are microseconds, because that is
 * what people compare with ping.
 */
#include "lan/facts.h"

#include "base/mac.h"
#include "base/time.h"
#include "lan/message.h"
#include "quic/quic.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

json_t *facts_of_peer(const struct weft_peer *peer)
{
	char mac[WEFT_MAC_TEXT];
	json_t *object = json_pack("{s:i, s:s, s:s}", "id", peer->id, "role",
				   role_name(peer->role), "name", peer->name);
	if (!mac_is_zero(peer->mac))
		(void)json_object_set_new(object, "mac",
					  json_string(weft_mac_print(peer->mac, mac)));
	return object;
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

uint64_t facts_loss_ppm(uint64_t sent, uint64_t lost)
{
	return sent > 0 ? (uint64_t)((double)lost * 1e6 / (double)sent) : 0;
}

/* How long a packet the path carries, which has shown what it carries as payload of UDP. */
static uint64_t path_mtu(const struct quic_conn *conn, uint16_t udp_payload)
{
	const bool is_ip4 = quic_conn_peer(conn)->sa.sa_family == AF_INET;
	return udp_payload + UDP_LEN + (is_ip4 ? IP4_LEN : IP6_LEN);
}

json_t *facts_of_conn(const struct quic_conn *conn)
{
	const struct quic_conn_stats stats = quic_conn_stats(conn);
	char address[WEFT_SOCKADDR_TEXT];
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "address", weft_sockaddr_print(quic_conn_peer(conn), address),
			 "rtt_us", number(stats.srtt_ns / NS_PER_US), "rttvar_us",
			 number(stats.rttvar_ns / NS_PER_US), "min_rtt_us",
			 number(stats.min_rtt_ns / NS_PER_US), "jitter_us",
			 number(stats.jitter_ns / NS_PER_US), "path_mtu",
			 number(path_mtu(conn, stats.udp_payload)), "cwnd",
			 number(stats.cwnd), "sent", number(stats.datagrams_tx), "lost",
			 number(stats.datagrams_lost), "loss_ppm",
			 number(facts_loss_ppm(stats.recent_tx, stats.recent_lost)),
			 "dropped_late", number(stats.drop_queue_old), "migrations",
			 number(stats.migrations));
}

static void add_count(json_t *object, const char *name, uint64_t count)
{
	if (count > 0)
		(void)json_object_set_new(object, name, number(count));
}

json_t *facts_of_session(const uint64_t counts[SESSION_OUTCOMES])
{
	json_t *object = json_object();
	for (unsigned i = 0; i < SESSION_OUTCOMES; i++)
		add_count(object, session_outcome_name((enum session_outcome)i),
			  counts[i]);
	return object;
}

json_t *facts_of_bridge(const uint64_t counts[WEFT_BRIDGE_OUTCOMES])
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++)
		add_count(object, weft_bridge_outcome_name((enum weft_bridge_outcome)i),
			  counts[i]);
	return object;
}

json_t *facts_of_port(const struct weft_bridge *bridge,
		      const struct weft_bridge_port *port)
{
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++)
		counts[i] = weft_bridge_count(bridge, port, (enum weft_bridge_outcome)i);
	return facts_of_bridge(counts);
}

json_t *facts_of_help(const struct weft_bridge *bridge)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_BRIDGE_EVENTS; i++)
		add_count(object, weft_bridge_event_name((enum weft_bridge_event)i),
			  weft_bridge_event_count(bridge, (enum weft_bridge_event)i));
	return object;
}

json_t *facts_of_filter(const uint64_t counts[FILTER_OUTCOMES])
{
	json_t *object = json_object();
	for (unsigned i = 0; i < FILTER_OUTCOMES; i++)
		add_count(object, filter_outcome_name((enum filter_outcome)i), counts[i]);
	return object;
}

json_t *facts_of_words(const struct words *words, const uint64_t *counts)
{
	json_t *object = json_object();
	for (size_t i = 0; i < words->n; i++)
		add_count(object, words->texts[i], counts[i]);
	return object;
}

char *facts_print(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}
