/* SPDX-License-Identifier: MIT */
/*
 * What a server has to tell: sums of what its clients' links have counted, and all of it as
 * one JSON object. Outcomes that are zero are left out.
 */
#include "base/container.h"
#include "serve/serve.h"

#include <jansson.h>

/* ---- sums -------------------------------------------------------------------------------- */

static void count_link(struct serve_totals *totals, const struct weft_link *link)
{
	const struct weft_link_stats stats = weft_link_stats(link);
	totals->rx_frames += stats.rx_frames;
	totals->rx_bytes += stats.rx_bytes;
	totals->tx_frames += stats.tx_frames;
	totals->tx_bytes += stats.tx_bytes;
	totals->rx_errors += stats.rx_errors;
	totals->tx_dropped += stats.tx_dropped;
	totals->tx_too_long += stats.tx_too_long;
}

static void count_modem(struct serve_totals *totals, const struct weft_link *modem)
{
	totals->rx_errors += weft_link_stats(modem).rx_errors;
	for (unsigned i = 0; i < PPP_OUTCOMES; i++)
		totals->ppp[i] += ppp_count(modem, (enum ppp_outcome)i);
	for (unsigned i = 0; i < IPHOST_OUTCOMES; i++)
		totals->packets[i] += ppp_host(modem)->counts[i];
}

void serve_count(struct serve_totals *totals, const struct serve_client *client)
{
	count_link(totals, client->link);
	if (client->face.modem)
		count_modem(totals, client->face.modem);
}

struct weft_serve_stats weft_serve_stats(const struct weft_serve *serve)
{
	struct serve_totals totals = serve->gone;
	list_for_each (node, &serve->clients)
		serve_count(&totals, container_of(node, struct serve_client, node));
	struct weft_serve_stats stats = { .clients = serve->clients_n,
					  .plugged = serve->plugged_n,
					  .rx_frames = totals.rx_frames,
					  .rx_bytes = totals.rx_bytes,
					  .tx_frames = totals.tx_frames,
					  .tx_bytes = totals.tx_bytes,
					  .rx_errors = totals.rx_errors };
	stats.drops = totals.tx_dropped + totals.tx_too_long;
	for (unsigned i = WEFT_BRIDGE_DROP_RUNT; i < WEFT_BRIDGE_OUTCOMES; i++)
		stats.drops += weft_bridge_count(serve->bridge, NULL,
						 (enum weft_bridge_outcome)i);
	return stats;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void set(json_t *object, const char *name, uint64_t value)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)value));
}

static void set_if_any(json_t *object, const char *name, json_t *counts)
{
	if (json_object_size(counts) > 0)
		(void)json_object_set(object, name, counts);
	json_decref(counts);
}

static void set_modems(json_t *object, const struct serve_totals *totals)
{
	json_t *ppp = json_object(), *packets = json_object();
	for (unsigned i = 0; i < PPP_OUTCOMES; i++)
		if (totals->ppp[i] > 0)
			set(ppp, ppp_outcome_name((enum ppp_outcome)i), totals->ppp[i]);
	for (unsigned i = 0; i < IPHOST_OUTCOMES; i++)
		if (totals->packets[i] > 0)
			set(packets, iphost_outcome_name((enum iphost_outcome)i),
			    totals->packets[i]);
	set_if_any(object, "ppp", ppp);
	set_if_any(object, "packets", packets);
}

static void set_totals(json_t *object, const struct serve_totals *totals)
{
	set(object, "rx_frames", totals->rx_frames);
	set(object, "rx_bytes", totals->rx_bytes);
	set(object, "tx_frames", totals->tx_frames);
	set(object, "tx_bytes", totals->tx_bytes);
	set(object, "rx_errors", totals->rx_errors);
	set(object, "tx_dropped", totals->tx_dropped);
	set(object, "tx_too_long", totals->tx_too_long);
	set_modems(object, totals);
}

static json_t *frames_facts(const struct weft_serve *serve,
			    const struct weft_bridge_port *port)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++) {
		enum weft_bridge_outcome outcome = (enum weft_bridge_outcome)i;
		uint64_t n = weft_bridge_count(serve->bridge, port, outcome);
		if (n > 0)
			set(object, weft_bridge_outcome_name(outcome), n);
	}
	return object;
}

static json_t *client_facts(const struct serve_client *client)
{
	struct serve_totals totals = { .rx_frames = 0 };
	json_t *object =
		json_pack("{s:i, s:s, s:s}", "id", (int)client->facts.id, "peer",
			  client->peer, "plug", weft_plug_name(client->facts.plug));
	serve_count(&totals, client);
	set_totals(object, &totals);
	(void)json_object_set_new(object, "frames",
				  frames_facts(client->serve, client->port));
	return object;
}

static json_t *clients_facts(const struct weft_serve *serve)
{
	json_t *clients = json_array();
	list_for_each (node, &serve->clients)
		(void)json_array_append_new(
			clients,
			client_facts(container_of(node, struct serve_client, node)));
	return clients;
}

static json_t *plugs_facts(const struct weft_serve *serve)
{
	json_t *plugs = json_array();
	for (size_t i = 0; i < serve->plugs_n; i++) {
		const struct weft_plug *plug = serve->plugs[i].plug;
		(void)json_array_append_new(
			plugs, json_pack("{s:s, s:s, s:i}", "name", weft_plug_name(plug),
					 "address", weft_plug_address(plug), "clients",
					 (int)weft_plug_links(plug)));
	}
	return plugs;
}

static json_t *uplink_facts(const struct weft_serve *serve)
{
	struct serve_totals totals = { .rx_frames = 0 };
	if (!serve->uplink)
		return json_null();
	json_t *object = json_pack("{s:s}", "name", weft_link_name(serve->uplink));
	count_link(&totals, serve->uplink);
	set_totals(object, &totals);
	(void)json_object_set_new(object, "frames",
				  frames_facts(serve, serve->uplink_port));
	return object;
}

static json_t *fdb_facts(const struct weft_serve *serve)
{
	const struct weft_bridge_fdb_stats stats = weft_bridge_fdb_stats(serve->bridge);
	json_t *object = json_object();
	set(object, "learned", stats.learned);
	set(object, "moved", stats.moved);
	set(object, "aged", stats.aged);
	set(object, "refused", stats.refused);
	return object;
}

char *weft_serve_json(const struct weft_serve *serve, uint64_t now)
{
	const struct weft_serve_stats stats = weft_serve_stats(serve);
	json_t *gone = json_object();
	set_totals(gone, &serve->gone);
	json_t *object = json_pack(
		"{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "now_ns",
		(json_int_t)now, "plugged", (json_int_t)stats.plugged, "drops",
		(json_int_t)stats.drops, "plugs", plugs_facts(serve), "clients",
		clients_facts(serve), "uplink", uplink_facts(serve), "gone", gone, "fdb",
		fdb_facts(serve), "frames", frames_facts(serve, NULL));
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}
