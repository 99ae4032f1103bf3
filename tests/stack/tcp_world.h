/* SPDX-License-Identifier: MIT */
/*
 * Two TCPs and a network between them, in memory and in virtual time.
 *
 *      host 0                                                          host 1
 *      .-----.    emit    .----------------------------.   tcp_input  .-----.
 *      | tcp | ---------> | rate, queue, loss, delay,  | -----------> | tcp |
 *      |     | <--------- | jitter, duplication, marks | <----------- |     |
 *      '-----'            '----------------------------'              '-----'
 *
 * Everything comes from one seed, and TEST_TRACE=1 has every segment printed. Segments cross the
 * network as bytes: what one writes, the other parses. After every event, what must always be
 * true of a connection is checked.
 *
 * Each host writes a stream of its own whose byte at an offset is known, so that the reader
 * checks each byte as it reads.
 */
#ifndef TESTS_STACK_TCP_WORLD_H
#define TESTS_STACK_TCP_WORLD_H

#include "base/heap.h"
#include "base/rng.h"
#include "stack/tcp_user.h"

#include <stdbool.h>
#include <stdint.h>

#define US(n) ((uint64_t)(n)*1000u)
#define MS(n) ((uint64_t)(n)*1000000u)
#define S(n)  ((uint64_t)(n)*1000000000u)

/** What the network does to each direction. Zero is a perfect and infinitely fast one. */
struct net {
	double loss, duplicate, mark;
	uint64_t delay_ns, jitter_ns; /**< Jitter reorders. */
	uint64_t rate_bps;
	uint32_t queue_bytes; /**< With rate_bps; 0: no limit. */
	uint32_t mtu;         /**< 0: 1500. */
	bool whole;           /**< Super-segments arrive as they were sent. */
};

struct host {
	struct world *world;
	struct tcp tcp;
	struct tcp_conn *conn;
	struct tcp_listener *listener;
	uint64_t link_free_ns;    /**< When what it has sent has left. */
	uint64_t last_arrival_ns; /**< At the other one. */
	uint64_t written, read;   /**< Of the streams, in bytes. */
	uint64_t to_write;        /**< How long its stream is. */
	bool closes;              /**< Ends its direction after that. */
	bool is_connected, is_at_end, is_closed;
	bool reads_nothing; /**< Leaves data where it is. */
	int error;          /**< Of closed. */
	/** The right edge of its window, for checking that it never shrinks. */
	uint32_t edge_seen;
	bool has_edge;
	uint64_t segments_sent;
};

struct world {
	struct wheel wheel;
	uint64_t now;
	uint64_t events;
	struct rng rng;
	struct net net;
	struct heap packets;
	struct host host[2];
};

/** Makes two hosts. The configurations may be NULL. */
void world_init(struct world *w, uint64_t seed, const struct net *net,
		const struct tcp_config *zero, const struct tcp_config *one);
void world_fini(struct world *w);

/** Host 1 listens on port 80, and host 0 connects. */
void world_connect(struct world *w);

/** Runs one event. False when nothing will ever happen any more. */
bool world_step(struct world *w);

/** Runs until that time. */
void world_run_until(struct world *w, uint64_t until);

/** Runs until all has been read and both connections have ended, or fails at the limit. */
void world_finish(struct world *w, uint64_t limit);

/** Writes as much as the connection takes. */
void host_write(struct host *h);

#endif
