/* SPDX-License-Identifier: MIT */
/*
 * A look that comes early (an event between two ticks) changes no rate: over a short time
 * every rate is a wild one.
 */
#include "cmd/status.h"

#include "cli/units.h"

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

/* Appends to a line what fits there whole. */
static void add(char *buf, size_t len, const char *text)
{
	size_t off = strlen(buf), n = strlen(text);

	if (off + n <= COLUMNS && off + n < len)
		memcpy(buf + off, text, n + 1);
}

static void add_trip(char *buf, size_t len, uint64_t rtt_ns)
{
	char text[UNITS_TEXT + sizeof(" | RTT <= ")], rtt[UNITS_TEXT];

	(void)snprintf(text, sizeof(text), " | RTT <= %s",
		       units_print_duration(rtt_ns, rtt));
	add(buf, len, text);
}

static size_t print_place(const char *device, const char *what, uint32_t peers, char *buf,
			  size_t len)
{
	char others[UNITS_COUNT_TEXT];
	int n = snprintf(buf, len, "%s %.*s | %s", device, (int)strcspn(what, "/"), what,
			 units_print_count(peers, "other", "others", others));

	return n > 0 && (size_t)n < len ? (size_t)n : len - 1;
}

static void add_rates(const struct rates *rates, char *buf, size_t len)
{
	char text[UNITS_TEXT + UNITS_TEXT + sizeof(" | in , out ")], in[UNITS_TEXT],
		out[UNITS_TEXT];

	(void)snprintf(text, sizeof(text), " | in %s, out %s",
		       units_print_rate(rates->in_bps, in),
		       units_print_rate(rates->out_bps, out));
	add(buf, len, text);
}

/* What troubles a game comes first: a loss, then an uneven path. */
static void add_path(const struct weft_member_stats *stats, char *buf, size_t len)
{
	char text[UNITS_TEXT + UNITS_TEXT + sizeof(" | RTT , loss ")], part[UNITS_TEXT];
	int n = snprintf(text, sizeof(text), " | RTT %s",
			 units_print_duration(stats->rtt_ns, part));

	if (stats->loss_ppm > 0)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ", loss %s",
			       units_print_share(stats->loss_ppm, part));
	add(buf, len, text);
	(void)snprintf(text, sizeof(text), ", jitter %s",
		       units_print_duration(stats->jitter_ns, part));
	if (stats->jitter_ns > 0)
		add(buf, len, text);
}

const char *status_member(const char *device, const char *address,
			  const struct weft_member_stats *stats,
			  const struct rates *rates, char *buf, size_t len)
{
	const char *state = weft_member_state_name(stats->state);
	const char *what = address[0] ? address : state;
	size_t place_len;

	if (stats->state != WEFT_MEMBER_JOINED) {
		(void)snprintf(buf, len, "%s %s", device, state);
		return buf;
	}
	place_len = print_place(device, what, stats->peers, buf, len);
	add_rates(rates, buf, len);
	add_path(stats, buf, len);
	if (stats->loss_ppm == 0 || strstr(buf, "loss"))
		return buf;
	buf[place_len] = '\0';
	add_path(stats, buf, len);
	return buf;
}

const char *status_relay(const struct weft_relay_stats *stats, const struct rates *rates,
			 char *buf, size_t len)
{
	char in[UNITS_TEXT], out[UNITS_TEXT];
	char rooms[UNITS_COUNT_TEXT], members[UNITS_COUNT_TEXT],
		gateways[UNITS_COUNT_TEXT];

	(void)snprintf(
		buf, len, "%s, %s, %s | in %s, out %s",
		units_print_count(stats->rooms, "room", "rooms", rooms),
		units_print_count(stats->members, "member", "members", members),
		units_print_count(stats->gateways, "gateway", "gateways", gateways),
		units_print_rate(rates->in_bps, in),
		units_print_rate(rates->out_bps, out));
	if (stats->rtt_max_ns)
		add_trip(buf, len, stats->rtt_max_ns);
	return buf;
}
