/* SPDX-License-Identifier: MIT */
/*
 * What is sent is cut where the peer may not take it: a peer of the original offers TCP
 * super-frames to its kernel and nothing of UDP's.
 */
#include "tunnel/duplex.h"

#include "base/container.h"
#include "wire/tunnel.h"

#include <errno.h>

/* Memory for half a record is given back after so long without anything. */
#define TRIM_NS (5 * DUPLEX_NS_PER_S)

static struct duplex *duplex_of(struct weft_link *link)
{
	return container_of(link, struct duplex, link);
}

/* A peer that is not there has its outbox all the same: who is back soon misses little. */
static size_t duplex_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct duplex *s = duplex_of(link);
	size_t i = 0;
	while (i < n && outbox_push(&s->outbox, &frames[i], now))
		i++;
	if (s->tx && i > 0)
		http_stream_wake(s->tx);
	return i;
}

static const struct link_ops duplex_ops = { .send = duplex_send };

void duplex_init(struct duplex *s, const char *name)
{
	const struct weft_link_caps caps = {
		.flags = WEFT_LINK_IP | WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6,
		.frame_len_max = TUNNEL_PACKET_MAX,
	};
	*s = (struct duplex){ .tx = NULL };
	link_init(&s->link, &duplex_ops, name, -1, caps);
}

void duplex_fini(struct duplex *s)
{
	outbox_fini(&s->outbox);
	records_fini(&s->records);
	link_fini(&s->link);
}

void duplex_set_tx(struct duplex *s, struct http_stream *stream, uint64_t life_ns,
		   uint64_t now)
{
	struct http_stream *old = s->tx;
	s->tx = stream;
	s->tx_at = now;
	s->tx_ends = now + life_ns;
	s->wants_ping = false;
	outbox_cut(&s->outbox);
	if (old)
		http_stream_wake(old); /* it will find that it is tx no longer */
	if (!outbox_is_empty(&s->outbox))
		http_stream_wake(stream);
}

void duplex_set_rx(struct duplex *s, struct http_stream *stream, uint64_t now)
{
	if (s->rx)
		http_stream_abort(s->rx);
	s->rx = stream;
	s->rx_at = now;
	s->is_broken = false;
	records_reset(&s->records);
}

int duplex_output(struct duplex *s, const struct http_stream *stream, uint8_t *buf,
		  size_t len, uint64_t now)
{
	if (stream != s->tx)
		return -EPIPE;
	size_t n = outbox_put(&s->outbox, buf, len, now);
	if (n == 0 && now >= s->tx_ends)
		return -EPIPE;
	if (n == 0 && s->wants_ping && len >= TUNNEL_PING_LEN) {
		tunnel_ping_emit(buf);
		n = TUNNEL_PING_LEN;
		s->tx_pings++;
	}
	if (n > 0) {
		s->wants_ping = false;
		s->tx_at = now;
	}
	return (int)n;
}

/* What a batch is delivered with. */
struct delivery {
	struct duplex *duplex;
	uint64_t now;
};

static void deliver(void *user, const struct weft_frame *packets, size_t n)
{
	const struct delivery *to = user;
	link_deliver(&to->duplex->link, packets, n, to->now);
}

void duplex_input(struct duplex *s, struct http_stream *stream, const uint8_t *data,
		  size_t len, uint64_t now)
{
	struct delivery to = { .duplex = s, .now = now };
	if (stream != s->rx || s->is_broken)
		return;
	s->rx_at = now;
	if (records_input(&s->records, data, len, deliver, &to) == 0)
		return;
	s->is_broken = true;
	s->broken++;
	http_stream_abort(stream);
}

bool duplex_closed(struct duplex *s, const struct http_stream *stream, uint64_t now)
{
	if (stream == s->rx) {
		s->rx = NULL;
		s->probe_until = now + DUPLEX_PROBE_NS;
		return true;
	}
	if (stream != s->tx)
		return false;
	s->tx = NULL;
	outbox_cut(&s->outbox);
	return true;
}

void duplex_tick(struct duplex *s, uint64_t now)
{
	if (now - s->rx_at >= TRIM_NS)
		records_trim(&s->records);
	if (!s->tx)
		return;
	if ((now - s->tx_at >= DUPLEX_PING_NS || now < s->probe_until) &&
	    outbox_is_empty(&s->outbox))
		s->wants_ping = true;
	if (s->wants_ping || now >= s->tx_ends)
		http_stream_wake(s->tx);
}
