/* SPDX-License-Identifier: MIT */
/*
 * One peer's streams as a link of IP packets, or of Ethernet frames: the same on a server and on
 * a client. They come in lanes, one at least, each of two streams:
 *
 *     weft_link_send --> outbox -+->  duplex_output --> lane 0's tx stream (GET of a server,
 *                                |                                          PUT of a client)
 *                                '->  duplex_output --> lane 1's tx stream ...
 *     receiver <-+- records <-- duplex_input <--- lane 0's rx stream (the other one)
 *                '- records <-- duplex_input <--- lane 1's rx stream ...
 *
 * A flow is pinned to a lane, so that its packets stay in order. While that lane has no tx
 * stream, another one that has takes the flow. Which lane a stream belongs to is only said when
 * it begins.
 *
 * Any stream can be missing, end at any byte, or be replaced by a new one, which begins with a
 * whole record: nothing of what was half sent or half read is kept. Who opens streams, and
 * when, is the business of the server or the client around it.
 *
 * To a peer that understands (duplex_set_extended), control records go as well, before all that
 * waits: probes, which measure each lane's path and are answered here, by the lane that they have
 * come by, and what the owner sends.
 */
#ifndef TUNNEL_DUPLEX_H
#define TUNNEL_DUPLEX_H

#include "base/time.h"
#include "http/http.h"
#include "link/link.h"
#include "tunnel/grant.h"
#include "tunnel/outbox.h"
#include "tunnel/probe.h"
#include "tunnel/records.h"

#include <weft/tunnel.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most lanes. */
#define DUPLEX_LANES_MAX WEFT_TUNNEL_STREAMS_MAX

/** A ping goes out after so long without anything else. */
#define DUPLEX_PING_NS (55 * NS_PER_S)

/**
 * When a stream from the peer has ended, pings go out for so long: if the peer is gone, and
 * not only its stream, nothing else would show it before the next packet.
 */
#define DUPLEX_PROBE_NS (3 * NS_PER_S)

/** A stream to the peer that is older than this ends as soon as nothing waits. */
#define DUPLEX_LIFE_NS (3600 * NS_PER_S)

/**
 * How long a server's stream of a lane lives: so much less for each lane that not all of them end
 * together, but more than half a life.
 */
#define DUPLEX_LANE_LIFE_NS(lane) (DUPLEX_LIFE_NS - (lane) * (DUPLEX_LIFE_NS / 16))

struct duplex_lane {
	struct http_stream *tx, *rx; /**< NULL while there is none. */
	struct records records;
	struct grant grant;    /**< Of tx. */
	struct probe probe;    /**< Of the way there by tx, and of the answer's back. */
	uint64_t tx_at, rx_at; /**< When bytes went or came last, or it began. */
	uint64_t tx_ends;      /**< When tx is to end. */
	bool wants_ping;
	bool is_broken; /**< rx cannot be made sense of any more, and has been broken off. */
};

/** Gets a control record's text, which need not end with NUL; borrowed. */
typedef void duplex_control_fn(void *user, const char *text, size_t len, uint64_t now);

struct duplex {
	struct weft_link link; /* first: a duplex is a link */
	unsigned lanes_n;
	struct duplex_lane lanes[DUPLEX_LANES_MAX];
	struct outbox outbox;
	duplex_control_fn *on_control; /**< NULL: nobody. */
	void *control_user;
	uint64_t ask_until; /**< Pings go out each second until then. */
	bool is_ip;
	bool is_extended;
	bool never_at_once;
	uint64_t tx_pings;
	uint64_t rx_controls;
	uint64_t rx_controls_bad; /**< Those without meaning. */
	uint64_t broken;          /**< Streams that could not be made sense of. */
};

/** name is for people. secret: 16 bytes, which outlive it. There is one lane. */
void duplex_init(struct duplex *s, const char *name, enum weft_tunnel_mode mode,
		 const uint8_t *secret);

/** Frees what it holds. Its streams must be gone, or go without another call. */
void duplex_fini(struct duplex *s);

/** Whether all that is sent is asked for (duplex_output), and nothing goes past that. */
void duplex_never_at_once(struct duplex *s, bool on);

/* ---- lanes ------------------------------------------------------------------------------- */

/**
 * How many lanes there are from now on, 1 to DUPLEX_LANES_MAX. Streams of lanes above get their
 * end, and are not in use any more.
 */
void duplex_set_lanes(struct duplex *s, unsigned n);

/**
 * A lane's stream to the peer from now on, for life_ns at least. One that was there before gets
 * its end.
 */
void duplex_set_tx(struct duplex *s, unsigned number, struct http_stream *stream,
		   uint64_t life_ns, uint64_t now);

/** A lane's stream from the peer from now on. One that was there before is broken off. */
void duplex_set_rx(struct duplex *s, unsigned number, struct http_stream *stream,
		   uint64_t now);

/** Whether any lane has such a stream. */
bool duplex_has_tx(const struct duplex *s);
bool duplex_has_rx(const struct duplex *s);

/** The lane whose stream to (from) the peer this is, or -ENOENT: it is in use no longer. */
int duplex_tx_lane(const struct duplex *s, const struct http_stream *stream);
int duplex_rx_lane(const struct duplex *s, const struct http_stream *stream);

/** Breaks off a lane's stream to the peer, if there is one; duplex_closed follows. */
void duplex_abort_tx(struct duplex *s, unsigned lane);

/** Breaks off both streams of a lane, as far as there are any; duplex_closed follows. */
void duplex_abort(struct duplex *s, unsigned lane);

/** Has each stream to the peer come to its regular end once nothing waits for it. */
void duplex_end(struct duplex *s);

/** For how long a lane's rx has brought nothing; 0 where there is none. */
uint64_t duplex_silence(const struct duplex *s, unsigned number, uint64_t now);

/**
 * For how long the peer has left all probes of a lane unanswered; 0 where none were sent by the
 * stream that there is. What it sends may come all the same: then it is the way to it that is
 * dead.
 */
uint64_t duplex_unanswered(const struct duplex *s, unsigned lane, uint64_t now);

/* ---- events of streams and time ---------------------------------------------------------- */

/** For output of http_stream_events, of any stream that was ever set as tx. */
int duplex_output(struct duplex *s, const struct http_stream *stream, uint8_t *buf,
		  size_t len, uint64_t now);

/** For input, of any stream that was ever set as rx. */
void duplex_input(struct duplex *s, struct http_stream *stream, uint8_t *data, size_t len,
		  uint64_t now);

/** For closed. Returns whether the stream was one in use, and not one replaced. */
bool duplex_closed(struct duplex *s, const struct http_stream *stream, uint64_t now);

/** Sees to pings, probes and the streams' age; to be called each second or so. */
void duplex_tick(struct duplex *s, uint64_t now);

/* ---- control ----------------------------------------------------------------------------- */

/**
 * Whether the peer understands control records; false at first. When it is set to false all
 * that wait are dropped; when it becomes true the path is measured anew.
 */
void duplex_set_extended(struct duplex *s, bool on);

/**
 * Who gets the control records that are not the duplex's own. From within it all functions here
 * may be called but duplex_fini and duplex_tick.
 */
void duplex_on_control(struct duplex *s, duplex_control_fn *fn, void *user);

/**
 * Sends a JSON text before all that waits, by the first lane that has a tx stream. Dropped, and
 * counted, where the peer does not understand it or too many wait.
 */
void duplex_send_control(struct duplex *s, const char *text, size_t len, uint64_t now);

/** What is known of the path to the peer: the mean of its lanes. */
struct duplex_health {
	uint64_t rtt_ns;        /**< If it is measured. */
	uint32_t loss_permille; /**< Of the last eight probes of each. */
	bool is_measured;
};

struct duplex_health duplex_health(const struct duplex *s, uint64_t now);

/* ---- facts ------------------------------------------------------------------------------- */

/** What records were, over all lanes. */
struct duplex_counts {
	uint64_t rx_pings;
	uint64_t rx_bad; /**< Records with an untrue header. */
};

struct duplex_counts duplex_counts(const struct duplex *s);

#endif
