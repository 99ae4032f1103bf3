/* SPDX-License-Identifier: MIT */
/*
 * Names are those of the structs. Where memory is out, something is missing.
 */
#include "tunnel/facts.h"

void facts_set(json_t *object, const char *name, uint64_t count)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)count));
}

static void set_link(json_t *object, const struct weft_link_stats *stats)
{
	facts_set(object, "rx_packets", stats->rx_frames);
	facts_set(object, "rx_bytes", stats->rx_bytes);
	facts_set(object, "tx_packets", stats->tx_frames);
	facts_set(object, "tx_bytes", stats->tx_bytes);
	facts_set(object, "tx_dropped", stats->tx_dropped + stats->tx_too_long);
	facts_set(object, "cut", stats->cut);
}

json_t *facts_interface(const struct netif *i)
{
	const struct weft_link_stats stats = weft_link_stats(i->device);
	json_t *object = json_pack("{s:s, s:s}", "interface", netif_name(i), "role",
				   i->conf->is_server ? "server" : "client");
	set_link(object, &stats);
	return object;
}

static void set_health(json_t *object, const struct duplex *s, uint64_t now)
{
	const struct duplex_health health = duplex_health(s, now);
	if (!health.is_measured)
		return;
	facts_set(object, "rtt_ns", health.rtt_ns);
	facts_set(object, "loss_permille", health.loss_permille);
}

json_t *facts_duplex(const struct duplex *s, uint64_t now)
{
	const struct weft_link_stats stats = weft_link_stats(&s->link);
	const struct duplex_counts counts = duplex_counts(s);
	json_t *object = json_object();
	set_link(object, &stats);
	facts_set(object, "outbox_len", s->outbox.len);
	facts_set(object, "dropped_old", s->outbox.dropped_old);
	facts_set(object, "dropped_full", s->outbox.dropped_full);
	facts_set(object, "dropped_cut", s->outbox.dropped_cut);
	facts_set(object, "dropped_codel", s->outbox.dropped_codel);
	facts_set(object, "marked", s->outbox.marked);
	facts_set(object, "rx_pings", counts.rx_pings);
	facts_set(object, "tx_pings", s->tx_pings);
	facts_set(object, "rx_bad", counts.rx_bad);
	facts_set(object, "broken", s->broken);
	set_health(object, s, now);
	if (duplex_has_rx(s))
		facts_set(object, "rx_silent_ns", duplex_silence(s, 0, now));
	return object;
}

void facts_count_duplex(const struct duplex *s, struct weft_tunnels_stats *stats)
{
	const struct weft_link_stats link = weft_link_stats(&s->link);
	stats->rx_packets += link.rx_frames;
	stats->rx_bytes += link.rx_bytes;
	stats->tx_packets += link.tx_frames;
	stats->tx_bytes += link.tx_bytes;
	stats->drops += link.tx_dropped + s->outbox.dropped_old + s->outbox.dropped_cut +
			s->outbox.dropped_codel + duplex_counts(s).rx_bad;
}
