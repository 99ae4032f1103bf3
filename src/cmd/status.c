/* SPDX-License-Identifier: MIT */
/*
 * A look that comes early (an event between two ticks) changes no rate: over a short time
 * every rate is a wild one.
 */
#include "cmd/status.h"

#include "cmd/units.h"

#include <stdio.h>
#include <string.h>

#define LOOK_NS (NS_PER_S / 2)

/* Of a line that a terminal of 80 columns shows whole. */
#define COLUMNS 79u

static uint64_t rate(uint64_t bytes, uint64_t ns)
{
	return (uint64_t)(8e9 * (double)bytes / (double)ns);
}

void rates_update(struct rates *rates, uint64_t now, uint64_t rx_bytes, uint64_t tx_bytes)
{
	uint64_t elapsed = now - rates->at;

	if (rates->at && elapsed < LOOK_NS)
		return;
	if (rates->at) {
		rates->in_bps = rate(rx_bytes - rates->rx_bytes, elapsed);
		rates->out_bps = rate(tx_bytes - rates->tx_bytes, elapsed);
	}
	rates->rx_bytes = rx_bytes;
	rates->tx_bytes = tx_bytes;
	rates->at = now;
}

const char *status_member(const char *device, const char *address,
			  const struct weft_member_stats *stats,
			  const struct rates *rates, char *buf, size_t len)
{
	char in[UNITS_TEXT], out[UNITS_TEXT], rtt[UNITS_TEXT], others[UNITS_COUNT_TEXT];
	const char *state = weft_member_state_name(stats->state);
	const char *what = address[0] ? address : state;

	if (stats->state != WEFT_MEMBER_JOINED) {
		(void)snprintf(buf, len, "%s %s", device, state);
		return buf;
	}
	(void)snprintf(buf, len, "%s %.*s | %s | in %s, out %s | RTT %s", device,
		       (int)strcspn(what, "/"), what,
		       units_print_count(stats->peers, "other", "others", others),
		       units_print_rate(rates->in_bps, in),
		       units_print_rate(rates->out_bps, out),
		       units_print_duration(stats->rtt_ns, rtt));
	return buf;
}

/* Appends the round trip to a line of off bytes. */
static void add_trip(char *buf, size_t len, size_t off, uint64_t rtt_ns)
{
	char text[UNITS_TEXT + sizeof(" | RTT <= ")], rtt[UNITS_TEXT];
	int n = snprintf(text, sizeof(text), " | RTT <= %s",
			 units_print_duration(rtt_ns, rtt));

	if (off + (size_t)n <= COLUMNS && off + (size_t)n < len)
		memcpy(buf + off, text, (size_t)n + 1);
}

const char *status_relay(const struct weft_relay_stats *stats, const struct rates *rates,
			 char *buf, size_t len)
{
	char in[UNITS_TEXT], out[UNITS_TEXT];
	char rooms[UNITS_COUNT_TEXT], members[UNITS_COUNT_TEXT],
		gateways[UNITS_COUNT_TEXT];

	int n = snprintf(
		buf, len, "%s, %s, %s | in %s, out %s",
		units_print_count(stats->rooms, "room", "rooms", rooms),
		units_print_count(stats->members, "member", "members", members),
		units_print_count(stats->gateways, "gateway", "gateways", gateways),
		units_print_rate(rates->in_bps, in),
		units_print_rate(rates->out_bps, out));
	if (stats->rtt_max_ns)
		add_trip(buf, len, (size_t)n, stats->rtt_max_ns);
	return buf;
}
