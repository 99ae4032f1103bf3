/* SPDX-License-Identifier: MIT */
/*
 * The server's inside: its plugs, its clients, the uplink, and the bridge that joins them.
 *
 *     plug's run --> plugged --> client_new: link [--> face] --> port
 *     plug's run --> unplugged --> client_end: off the bridge, counted, told, freed
 *     uplink's run --> on_down --> the server's own run --> off the bridge, freed, told
 *
 * A link is never freed in its own run: a client's by its plug, the uplink by the server's
 * task, which has the deadline 0 once the uplink is down.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/list.h"
#include "serve/face.h"
#include "serve/ppp.h"

#include <weft/bridge.h>
#include <weft/serve.h>

#include <stdbool.h>
#include <stdint.h>

#define SERVE_CLIENT_FDB_DEFAULT 256u

/** Who a client is, in text. */
#define SERVE_PEER_TEXT 96u

/** Most plugs of one server. */
#define SERVE_PLUGS_MAX 64u

struct serve_client {
	struct list node;
	struct weft_serve *serve;
	struct weft_link *link; /**< The plug's. */
	struct face face;
	struct weft_bridge_port *port;
	struct weft_serve_client facts;
	char peer[SERVE_PEER_TEXT];
};

/** What clients who have gone had counted. */
struct serve_totals {
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t rx_errors, tx_dropped, tx_too_long;
	uint64_t ppp[PPP_OUTCOMES], packets[IPHOST_OUTCOMES]; /**< Of modems. */
};

/** What a plug hands back with each event. */
struct serve_plug {
	struct weft_serve *serve;
	struct weft_plug *plug;
};

struct weft_serve {
	struct weft_task task;
	struct weft_loop *loop;
	struct weft_serve_opts opts; /**< Without secret. */
	uint64_t seed;               /**< Of what modems need by chance. */
	struct weft_bridge *bridge;
	struct list clients;
	struct serve_plug plugs[SERVE_PLUGS_MAX];
	size_t plugs_n;
	struct weft_link *uplink;
	struct weft_bridge_port *uplink_port;
	bool has_uplink_ended; /**< It is down, and is taken away in the next run. */
	bool is_closing;       /**< No more clients, from the next run on. */
	uint32_t clients_n;
	uint64_t plugged_n;
	struct serve_totals gone;
};

/** Adds what a client has counted. */
void serve_count(struct serve_totals *totals, const struct serve_client *client);

#endif
