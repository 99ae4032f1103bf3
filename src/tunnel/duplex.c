/* SPDX-License-Identifier: MIT */
/*
 * What is sent is cut where the peer may not take it: a peer of the original offers TCP
 * super-frames to its kernel and nothing of UDP's.
 */
#include "tunnel/duplex.h"

#include "base/container.h"
#include "base/time.h"
#include "wire/tunnel.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Memory is given back after so long without anything. */
#define TRIM_NS (5 * NS_PER_S)

/* The number of a probe says by which lane it went, above the probe's own. */
#define LANE_SHIFT 29
static_assert((DUPLEX_LANES_MAX - 1) << LANE_SHIFT == ~PROBE_ID_MAX,
	      "lane and number of a probe fill 32 bits");

static struct duplex *duplex_of(struct weft_link *link)
{
	return container_of(link, struct duplex, link);
}

static void wake(struct duplex *s, unsigned lane)
{
	if (s->lanes[lane].tx)
		http_stream_wake(s->lanes[lane].tx);
}

static void has_gone(struct duplex_lane *lane, size_t len, uint64_t now)
{
	grant_gave(&lane->grant, len, now);
	lane->wants_ping = false;
	lane->tx_at = now;
}

/* The first of the frames, as many as may go together: one at least. Returns how many went. */
static size_t send_some(struct duplex_lane *lane, const struct weft_frame *frames,
			size_t n, uint64_t now)
{
	struct socket_piece records[HTTP_PIECES_MAX];
	const size_t room = grant_len(&lane->grant);
	size_t len = 0, i = 0;
	for (; i < n && i < HTTP_PIECES_MAX && (i == 0 || len < room); i++) {
		uint8_t *record;
		int record_len = tunnel_push(&frames[i], &record);
		if (record_len < 0)
			break;
		records[i] = (struct socket_piece){ record, (size_t)record_len };
		len += (size_t)record_len;
	}
	if (i == 0 || !http_stream_send(lane->tx, records, i))
		return 0;
	has_gone(lane, len, now);
	return i;
}

/*
 * Straight from where they lie to the socket, while nothing waits and it takes them. Returns how
 * many of the frames have gone. Of several lanes each flow has its own: that is the outbox's.
 */
static size_t send_at_once(struct duplex *s, const struct weft_frame *frames, size_t n,
			   uint64_t now)
{
	struct duplex_lane *lane = &s->lanes[0];
	size_t sent = 0, some = 1;
	if (s->never_at_once || s->lanes_n > 1 || !lane->tx ||
	    !outbox_is_empty(&s->outbox, 0))
		return 0;
	for (; sent < n && some > 0; sent += some)
		some = send_some(lane, frames + sent, n - sent, now);
	return sent;
}

/* A peer that is not there has its outbox all the same: who is back soon misses little. */
static size_t duplex_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct duplex *s = duplex_of(link);
	unsigned lanes = 0; /* a bit for each that has got something */
	size_t i = send_at_once(s, frames, n, now);
	for (; i < n; i++) {
		int lane = outbox_push(&s->outbox, &frames[i], now);
		if (lane < 0)
			break;
		lanes |= 1u << lane;
	}
	for (unsigned lane = 0; lanes >> lane != 0; lane++)
		if (lanes >> lane & 1u)
			wake(s, lane);
	return i;
}

static const struct link_ops duplex_ops = { .send = duplex_send };

void duplex_init(struct duplex *s, const char *name, enum weft_tunnel_mode mode,
		 const uint8_t *secret)
{
	const bool is_ip = mode == WEFT_TUNNEL_IP;
	const struct weft_link_caps caps = {
		.flags = (is_ip ? WEFT_LINK_IP : 0u) | WEFT_LINK_CSUM | WEFT_LINK_TSO4 |
			 WEFT_LINK_TSO6,
		.frame_len_max = TUNNEL_PACKET_MAX,
	};
	*s = (struct duplex){ .is_ip = is_ip, .lanes_n = 1 };
	link_init(&s->link, &duplex_ops, name, -1, caps);
	outbox_init(&s->outbox, secret, is_ip);
}

void duplex_fini(struct duplex *s)
{
	outbox_fini(&s->outbox);
	for (unsigned i = 0; i < DUPLEX_LANES_MAX; i++)
		records_fini(&s->lanes[i].records);
	link_fini(&s->link);
}

void duplex_never_at_once(struct duplex *s, bool on)
{
	s->never_at_once = on;
}

/* ---- lanes ------------------------------------------------------------------------------- */

/* Something has changed of who takes what: whoever has something to send shall know. */
static void wake_all(struct duplex *s)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		if (!outbox_is_empty(&s->outbox, i))
			wake(s, i);
}

void duplex_set_lanes(struct duplex *s, unsigned n)
{
	for (unsigned i = n; i < s->lanes_n; i++) {
		struct duplex_lane *lane = &s->lanes[i];
		outbox_close(&s->outbox, i);
		wake(s, i); /* it will find that it is tx no longer */
		if (lane->rx)
			http_stream_abort(lane->rx);
		lane->tx = NULL;
		lane->rx = NULL;
		lane->probe = (struct probe){ .due = 0 };
		records_reset(&lane->records);
	}
	s->lanes_n = n;
	outbox_set_lanes(&s->outbox, n);
	wake_all(s);
}

void duplex_set_tx(struct duplex *s, unsigned number, struct http_stream *stream,
		   uint64_t life_ns, uint64_t now)
{
	struct duplex_lane *lane = &s->lanes[number];
	struct http_stream *old = lane->tx;
	lane->tx = stream;
	lane->tx_at = now;
	lane->tx_ends = now + life_ns;
	lane->wants_ping = false;
	lane->grant = (struct grant){ .since = now };
	probe_forgive(&lane->probe);
	outbox_open(&s->outbox, number);
	if (old)
		http_stream_wake(old); /* it will find that it is tx no longer */
	wake_all(s);
}

void duplex_set_rx(struct duplex *s, unsigned number, struct http_stream *stream,
		   uint64_t now)
{
	struct duplex_lane *lane = &s->lanes[number];
	if (lane->rx)
		http_stream_abort(lane->rx);
	lane->rx = stream;
	lane->rx_at = now;
	lane->is_broken = false;
	records_reset(&lane->records);
}

int duplex_tx_lane(const struct duplex *s, const struct http_stream *stream)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		if (stream && s->lanes[i].tx == stream)
			return (int)i;
	return -ENOENT;
}

int duplex_rx_lane(const struct duplex *s, const struct http_stream *stream)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		if (stream && s->lanes[i].rx == stream)
			return (int)i;
	return -ENOENT;
}

bool duplex_has_tx(const struct duplex *s)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		if (s->lanes[i].tx)
			return true;
	return false;
}

bool duplex_has_rx(const struct duplex *s)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		if (s->lanes[i].rx)
			return true;
	return false;
}

void duplex_abort(struct duplex *s, unsigned lane)
{
	if (s->lanes[lane].rx)
		http_stream_abort(s->lanes[lane].rx);
	if (s->lanes[lane].tx)
		http_stream_abort(s->lanes[lane].tx);
}

void duplex_abort_tx(struct duplex *s, unsigned lane)
{
	if (s->lanes[lane].tx)
		http_stream_abort(s->lanes[lane].tx);
}

void duplex_end(struct duplex *s)
{
	for (unsigned i = 0; i < s->lanes_n; i++) {
		s->lanes[i].tx_ends = 0;
		wake(s, i);
	}
}

uint64_t duplex_silence(const struct duplex *s, unsigned number, uint64_t now)
{
	const struct duplex_lane *lane = &s->lanes[number];
	return lane->rx && now > lane->rx_at ? now - lane->rx_at : 0;
}

/* ---- control ----------------------------------------------------------------------------- */

void duplex_set_extended(struct duplex *s, bool on)
{
	if (!on)
		outbox_drop_control(&s->outbox);
	for (unsigned i = 0; on && !s->is_extended && i < DUPLEX_LANES_MAX; i++)
		s->lanes[i].probe = (struct probe){ .due = 0 };
	s->is_extended = on;
}

void duplex_on_control(struct duplex *s, duplex_control_fn *fn, void *user)
{
	s->on_control = fn;
	s->control_user = user;
}

static void send_control(struct duplex *s, unsigned wanted, const char *text, size_t len)
{
	int lane = s->is_extended ? outbox_push_control(&s->outbox, wanted, text, len)
				  : -EPIPE;
	if (lane < 0) {
		s->outbox.dropped_control += lane == -EPIPE;
		return;
	}
	wake(s, (unsigned)lane);
}

void duplex_send_control(struct duplex *s, const char *text, size_t len, uint64_t now)
{
	(void)now;
	send_control(s, 0, text, len);
}

static void send_probe(struct duplex *s, unsigned lane, const char *type, uint32_t id)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "{\"type\":\"%s\",\"id\":%lu}", type,
			   (unsigned long)id);
	send_control(s, lane, text, (size_t)len);
}

/* The number of a probe or an echo; 0 for none. */
static uint32_t id_of(const json_t *record)
{
	const json_int_t id = json_integer_value(json_object_get(record, "id"));
	return id > 0 && id <= UINT32_MAX ? (uint32_t)id : 0;
}

/* Of whose lane's probe an answer is, its number says: it may come by another. */
static bool take_echo(struct duplex *s, uint32_t id, uint64_t now)
{
	struct probe *probe = &s->lanes[id >> LANE_SHIFT].probe;
	return probe_answer(probe, id & PROBE_ID_MAX, now);
}

/* What a batch is delivered with. */
struct delivery {
	struct duplex *duplex;
	unsigned lane; /* by which it came */
	uint64_t now;
};

/* Returns whether the record is one of the duplex's own. */
static bool take_own(const struct delivery *to, const char *type, uint32_t id)
{
	struct duplex *s = to->duplex;
	if (strcmp(type, "probe") == 0) {
		if (id != 0)
			send_probe(s, to->lane, "echo", id);
		else
			s->rx_controls_bad++;
		return true;
	}
	if (strcmp(type, "echo") != 0)
		return false;
	s->rx_controls_bad += !take_echo(s, id, to->now);
	return true;
}

static void take_control(void *user, const char *text, size_t len)
{
	const struct delivery *to = user;
	struct duplex *s = to->duplex;
	json_t *record = s->is_extended ? json_loadb(text, len, 0, NULL) : NULL;
	const char *type = json_string_value(json_object_get(record, "type"));
	s->rx_controls++;
	if (!type)
		s->rx_controls_bad++;
	else if (!take_own(to, type, id_of(record)) && s->on_control)
		s->on_control(s->control_user, text, len, to->now);
	json_decref(record);
}

struct duplex_health duplex_health(const struct duplex *s, uint64_t now)
{
	struct duplex_health health = { .is_measured = false };
	unsigned measured = 0, asked = 0;
	for (unsigned i = 0; i < s->lanes_n; i++) {
		const struct probe_result lane = probe_result(&s->lanes[i].probe, now);
		measured += lane.is_measured;
		asked += lane.is_measured || lane.loss_permille > 0;
		health.rtt_ns += lane.rtt_ns;
		health.loss_permille += lane.loss_permille;
	}
	health.is_measured = measured > 0;
	health.rtt_ns /= measured > 0 ? measured : 1;
	health.loss_permille /= asked > 0 ? asked : 1;
	return health;
}

uint64_t duplex_unanswered(const struct duplex *s, unsigned lane, uint64_t now)
{
	return s->is_extended && s->lanes[lane].tx
		       ? probe_unanswered(&s->lanes[lane].probe, now)
		       : 0;
}

/* ---- events of streams and time ---------------------------------------------------------- */

int duplex_output(struct duplex *s, const struct http_stream *stream, uint8_t *buf,
		  size_t len, uint64_t now)
{
	int number = duplex_tx_lane(s, stream);
	if (number < 0)
		return -EPIPE;
	struct duplex_lane *lane = &s->lanes[number];
	const size_t room = grant_len(&lane->grant);
	size_t n = outbox_put(&s->outbox, (unsigned)number, buf, len < room ? len : room,
			      now);
	if (n == 0 && now >= lane->tx_ends)
		return -EPIPE;
	if (n == 0 && lane->wants_ping && len >= TUNNEL_PING_LEN) {
		tunnel_ping_emit(buf);
		n = TUNNEL_PING_LEN;
		s->tx_pings++;
	}
	if (n > 0)
		has_gone(lane, n, now);
	return (int)n;
}

static void deliver(void *user, const struct weft_frame *frames, size_t n)
{
	const struct delivery *to = user;
	link_deliver(&to->duplex->link, frames, n, to->now);
}

void duplex_input(struct duplex *s, struct http_stream *stream, uint8_t *data, size_t len,
		  uint64_t now)
{
	int number = duplex_rx_lane(s, stream);
	if (number < 0 || s->lanes[number].is_broken)
		return;
	struct delivery to = { .duplex = s, .lane = (unsigned)number, .now = now };
	const struct records_sink sink = {
		.is_ip = s->is_ip, .frames = deliver, .control = take_control, .user = &to
	};
	struct duplex_lane *lane = &s->lanes[number];
	lane->rx_at = now;
	if (records_input(&lane->records, data, len, &sink) == 0)
		return;
	lane->is_broken = true;
	s->broken++;
	http_stream_abort(stream);
}

bool duplex_closed(struct duplex *s, const struct http_stream *stream, uint64_t now)
{
	int number = duplex_rx_lane(s, stream);
	if (number >= 0) {
		s->lanes[number].rx = NULL;
		s->ask_until = now + DUPLEX_PROBE_NS;
		return true;
	}
	number = duplex_tx_lane(s, stream);
	if (number < 0)
		return false;
	s->lanes[number].tx = NULL;
	outbox_close(&s->outbox, (unsigned)number);
	wake_all(s);
	return true;
}

static void tick_lane(struct duplex *s, unsigned number, uint64_t now)
{
	struct duplex_lane *lane = &s->lanes[number];
	if (now - lane->rx_at >= TRIM_NS)
		records_trim(&lane->records);
	if (!lane->tx)
		return;
	if ((now - lane->tx_at >= DUPLEX_PING_NS || now < s->ask_until) &&
	    outbox_is_empty(&s->outbox, number))
		lane->wants_ping = true;
	if (lane->wants_ping || now >= lane->tx_ends)
		http_stream_wake(lane->tx);
}

/* A stream that takes nothing is asked by the one that waits for it, and not by ever more. */
static void probe_lane(struct duplex *s, unsigned number, uint64_t now)
{
	struct duplex_lane *lane = &s->lanes[number];
	uint32_t id;
	if (s->is_extended && lane->tx && probe_ask(&lane->probe, now, &id) &&
	    !outbox_has_control(&s->outbox, number))
		send_probe(s, number, "probe", (uint32_t)number << LANE_SHIFT | id);
}

static bool is_idle(const struct duplex *s, uint64_t now)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		if (now - s->lanes[i].tx_at < TRIM_NS)
			return false;
	return true;
}

void duplex_tick(struct duplex *s, uint64_t now)
{
	for (unsigned i = 0; i < s->lanes_n; i++)
		tick_lane(s, i, now);
	if (is_idle(s, now))
		outbox_trim(&s->outbox);
	for (unsigned i = 0; i < s->lanes_n; i++)
		probe_lane(s, i, now);
}

/* ---- facts ------------------------------------------------------------------------------- */

struct duplex_counts duplex_counts(const struct duplex *s)
{
	struct duplex_counts sum = { 0 };
	for (unsigned i = 0; i < DUPLEX_LANES_MAX; i++) {
		sum.rx_pings += s->lanes[i].records.pings;
		sum.rx_bad += s->lanes[i].records.bad;
	}
	return sum;
}
