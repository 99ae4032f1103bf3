/* SPDX-License-Identifier: MIT */
/*
 * What interfaces and duplexes have counted, as JSON and as sums.
 */
#ifndef TUNNEL_FACTS_H
#define TUNNEL_FACTS_H

#include "tunnel/duplex.h"
#include "tunnel/netif.h"

#include <jansson.h>

/** Sets a member to a count. */
void facts_set(json_t *object, const char *name, uint64_t count);

/** {"interface": ..., "role": ..., and the device's counters} */
json_t *facts_interface(const struct netif *i);

/** {"rx_packets": ..., "tx_packets": ..., "outbox_len": ..., "dropped_old": ...} */
json_t *facts_duplex(const struct duplex *s, uint64_t now);

void facts_count_duplex(const struct duplex *s, struct weft_tunnels_stats *stats);

#endif
