/* SPDX-License-Identifier: MIT */
/*
 * A client in a world without kernel, network and clock: its device, its loop and its requests
 * are the world's, and at the other end of the requests is a server made of one duplex.
 *
 *     device -- client -- caller --+-- wire: PUT of lane 0 --+-- duplex of the server
 *                                  +-- wire: GET of lane 0 --+
 *                                  '-- ...
 *
 * Whatever the client calls below itself (tunnel/caller.h, netif.h, assigned.h, http/http.h and
 * the loop) is defined in world.c.
 */
#ifndef TESTS_TUNNEL_WORLD_H
#define TESTS_TUNNEL_WORLD_H

#include "base/time.h"
#include "http/http.h"
#include "link/link.h"
#include "tunnel/client.h"
#include "tunnel/duplex.h"

#define WORLD_LANES 3u
#define WORLD_WIRES 32u
#define WORLD_START (1000 * NS_PER_S)

/** One end of a request. */
struct http_stream {
	bool is_aborted;
};

/** A request, from the client's opening to its end. */
struct wire {
	bool is_used, is_answered, is_put;
	bool is_swallowed; /**< What goes in does not come out. */
	unsigned lane;
	uint64_t since;
	const struct http_stream_events *events;
	void *user;
	struct http_stream client, server;
};

struct world {
	struct client *client;
	struct duplex server;
	struct weft_link device;
	struct weft_task *task; /**< The client's. */
	struct wire wires[WORLD_WIRES];
	uint64_t now, tick;
	/** Of the client's task, since whoever counts them set it to 0. */
	unsigned runs;
	/* What the server is like. */
	bool is_down;     /**< Requests fail. */
	bool is_mute;     /**< It sends nothing, not even pings. */
	bool is_original; /**< It answers no probes. */
	/* What has happened. */
	unsigned opened[2]; /**< Requests: GETs, PUTs. */
	unsigned connects, disconnects;
	unsigned releases;             /**< Of pins, and the routes that need them. */
	unsigned to_server, to_client; /**< Packets that have arrived. */
	uint64_t heard;                /**< When the client got bytes last. */
	char reason[120];              /**< Of the last disconnect. */
};

/** There is one at a time. The client wants so many lanes. */
struct world *world_new(unsigned lanes);
void world_free(struct world *w);

/** Lets time pass, event by event. */
void world_run(struct world *w, uint64_t ns);

/** The clock alone: nobody is asked before it shows the new time. */
void world_jump(struct world *w, int64_t ns);

/** The request of a lane that is under way, or NULL. */
struct wire *world_wire(struct world *w, bool is_put, unsigned lane);

/** Sends a packet each way, which must arrive before the time is another. */
void world_expect_crossing(struct world *w);

#endif
