/* SPDX-License-Identifier: MIT */
/*
 * Counters are unsigned and JSON's integers signed: 2^63 frames are out of reach.
 */
#include "cli/facts.h"

static void set(json_t *object, const char *name, uint64_t value)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)value));
}

json_t *facts_link(const char *spec, const struct weft_link *link)
{
	const struct weft_link_stats stats = weft_link_stats(link);
	struct weft_mac mac;
	char text[WEFT_MAC_TEXT];
	json_t *object = json_pack("{s:s, s:s, s:b}", "link", spec, "name",
				   weft_link_name(link), "up", !weft_link_is_down(link));
	if (weft_link_mac(link, &mac))
		(void)json_object_set_new(object, "mac",
					  json_string(weft_mac_print(mac, text)));
	set(object, "rx_frames", stats.rx_frames);
	set(object, "rx_bytes", stats.rx_bytes);
	set(object, "tx_frames", stats.tx_frames);
	set(object, "tx_bytes", stats.tx_bytes);
	set(object, "rx_errors", stats.rx_errors);
	set(object, "tx_dropped", stats.tx_dropped);
	set(object, "tx_too_long", stats.tx_too_long);
	set(object, "cut", stats.cut);
	set(object, "merged", stats.merged);
	return object;
}

json_t *facts_outcomes(const struct weft_bridge *bridge,
		       const struct weft_bridge_port *port)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++)
		set(object, weft_bridge_outcome_name(i),
		    weft_bridge_count(bridge, port, i));
	return object;
}

json_t *facts_fdb(const struct weft_bridge *bridge)
{
	const struct weft_bridge_fdb_stats stats = weft_bridge_fdb_stats(bridge);
	json_t *object = json_object();
	set(object, "learned", stats.learned);
	set(object, "bound", stats.bound);
	set(object, "moved", stats.moved);
	set(object, "aged", stats.aged);
	set(object, "refused", stats.refused);
	return object;
}

json_t *facts_client(const struct weft_serve_client *client)
{
	return json_pack("{s:i, s:s, s:s}", "client", (int)client->id, "peer",
			 client->peer, "plug", weft_plug_name(client->plug));
}
