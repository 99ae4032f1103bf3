/* SPDX-License-Identifier: MIT */
/*
 * Pieces that the facts of a relay and of a member have in common. Where memory is out they
 * give NULL, which jansson passes on: the object that it belongs to is then without it.
 */
#ifndef LAN_FACTS_H
#define LAN_FACTS_H

#include "bridge/filter.h"
#include "lan/session.h"
#include "lan/words.h"

#include <weft/lan.h>

#include <jansson.h>

/** {"id": 3, "role": "client", "name": "alice", "mac": "02:..."}; without mac for a gateway. */
json_t *facts_of_peer(const struct weft_peer *peer);

/** What share of datagrams was lost, in millionths; 0 where none was sent. */
uint64_t facts_loss_ppm(uint64_t sent, uint64_t lost);

/** {"rtt_us": ..., "jitter_us": ..., "sent": ..., "lost": ..., ...} of a connection. */
json_t *facts_of_conn(const struct quic_conn *conn);

/** {"received": 12, "drop-too-long": 1}: counters of a session that are not zero. */
json_t *facts_of_session(const uint64_t counts[SESSION_OUTCOMES]);

/** The same for a bridge. */
json_t *facts_of_bridge(const uint64_t counts[WEFT_BRIDGE_OUTCOMES]);

/** The same for what came in on one port of a bridge, or on all when port is NULL. */
json_t *facts_of_port(const struct weft_bridge *bridge,
		      const struct weft_bridge_port *port);

/** The same for what a bridge has done beside forwarding. */
json_t *facts_of_help(const struct weft_bridge *bridge);

/** The same for a filter. */
json_t *facts_of_filter(const uint64_t counts[FILTER_OUTCOMES]);

/** The same for what is counted by the words of the protocol: counts has words->n of them. */
json_t *facts_of_words(const struct words *words, const uint64_t *counts);

/** Prints and frees the object; the text is the caller's to free. NULL without memory. */
char *facts_print(json_t *object);

#endif
