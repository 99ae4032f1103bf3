/* SPDX-License-Identifier: MIT */
/*
 * A turn answers what was opened, carries what is to be carried, and ends what has ended, until
 * there is nothing of that left; then the clock goes on to whatever is due next.
 */
#include "world.h"

#include "../unit.h"
#include "packets.h"
#include "tunnel/assigned.h"
#include "tunnel/caller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROOM   8192u
#define PACKET 60u
#define FLOWS  16u

static struct world *world;

/* ---- what the client calls: streams ------------------------------------------------------ */

void http_stream_wake(struct http_stream *stream)
{
	(void)stream; /* All are asked in each turn. */
}

bool http_stream_send(struct http_stream *stream, const struct socket_piece *pieces,
		      size_t n)
{
	(void)stream;
	(void)pieces;
	(void)n;
	return false;
}

void http_stream_abort(struct http_stream *stream)
{
	stream->is_aborted = true;
}

const char *http_stream_header(const struct http_stream *stream, const char *name)
{
	(void)stream;
	(void)name;
	return NULL;
}

const union weft_sockaddr *http_stream_peer(const struct http_stream *stream)
{
	static const union weft_sockaddr nobody;
	(void)stream;
	return &nobody;
}

/* ---- what the client calls: requests ----------------------------------------------------- */

struct caller {
	unsigned streams;
};

int caller_new(struct weft_loop *loop, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct caller **ret_caller)
{
	(void)loop;
	(void)err;
	*ret_caller = calloc(1, sizeof(**ret_caller));
	assert_non_null(*ret_caller);
	(*ret_caller)->streams = conf->streams;
	return 0;
}

static void wire_close(struct wire *wire, enum http_end end)
{
	const struct weft_error err = { .text = "the connection is gone" };
	wire->is_used = false;
	wire->events->closed(wire->user, &wire->client, end,
			     end == HTTP_ENDED ? NULL : &err, world->now);
	(void)duplex_closed(&world->server, &wire->server, world->now);
}

void caller_free(struct caller *caller)
{
	for (size_t i = 0; caller && i < WORLD_WIRES; i++)
		if (world->wires[i].is_used)
			wire_close(&world->wires[i], HTTP_ABORTED);
	free(caller);
}

bool caller_is_other(const struct weft_tunnel_interface *a,
		     const struct weft_tunnel_interface *b)
{
	return a->streams != b->streams;
}

int caller_check(const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	(void)conf;
	(void)err;
	return 0;
}

void caller_move(struct caller *caller, const struct weft_tunnel_interface *conf)
{
	(void)caller;
	(void)conf;
}

const char *caller_name(const struct caller *caller)
{
	(void)caller;
	return "http://server/";
}

unsigned caller_streams(const struct caller *caller)
{
	return caller->streams;
}

int caller_open(struct caller *caller, const struct caller_request *request,
		struct http_stream **ret_stream)
{
	struct wire *wire = world->wires;
	(void)caller;
	while (wire->is_used)
		wire++;
	assert_true(wire < world->wires + WORLD_WIRES);
	*wire = (struct wire){ .is_used = true,
			       .is_put = request->is_put,
			       .lane = request->hello->lane,
			       .since = world->now,
			       .events = request->events,
			       .user = request->user };
	world->opened[request->is_put]++;
	*ret_stream = &wire->client;
	return 0;
}

int caller_answer(const struct caller *caller, const struct http_stream *stream,
		  struct hello_conf *ret_conf, struct weft_error *err)
{
	(void)caller;
	(void)stream;
	(void)err;
	*ret_conf = (struct hello_conf){ .mtu = 1500, .lanes = WORLD_LANES };
	if (world->is_original)
		ret_conf->lanes = 1;
	return world->is_original ? CALLER_ORIGINAL : CALLER_WEFT;
}

/* ---- what the client calls: the machine -------------------------------------------------- */

int weft_loop_add(struct weft_loop *loop, struct weft_task *task)
{
	(void)loop;
	world->task = task;
	return 0;
}

void weft_loop_remove(struct weft_loop *loop, struct weft_task *task)
{
	(void)loop;
	(void)task;
	world->task = NULL;
}

static size_t device_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	(void)link;
	(void)frames;
	(void)now;
	world->to_client += (unsigned)n;
	return n;
}

int netif_open(struct netif *i, const struct environment *env,
	       const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	static const struct link_ops ops = { .send = device_send };
	const struct weft_link_caps caps = { .flags = WEFT_LINK_IP,
					     .frame_len_max = 65535 };
	(void)err;
	link_init(&world->device, &ops, "tun0", -1, caps);
	*i = (struct netif){ .env = env, .conf = conf, .device = &world->device };
	return 0;
}

const char *netif_name(const struct netif *i)
{
	return weft_link_name(i->device);
}

void netif_close(struct netif *i)
{
	link_fini(i->device);
}

int netif_start(struct netif *i, struct weft_error *err)
{
	(void)i;
	(void)err;
	return 0;
}

int netif_prepare(struct netif *i, const struct weft_tunnel_interface *conf,
		  struct weft_error *err)
{
	(void)err;
	i->next = conf;
	return 0;
}

void netif_commit(struct netif *i)
{
	i->conf = i->next;
	i->next = NULL;
}

void netif_cancel(struct netif *i)
{
	i->next = NULL;
}

bool netif_is_lost(struct netif *i, uint64_t now)
{
	(void)i;
	(void)now;
	return false;
}

struct weft_link *netif_renew(struct netif *i, uint64_t now)
{
	(void)i;
	(void)now;
	return NULL;
}

void netif_bury(const struct netif *i, struct weft_link *link)
{
	(void)i;
	(void)link;
}

void netif_connected(const struct netif *i, const char *name, const char *address,
		     uint64_t now)
{
	(void)i;
	(void)name;
	(void)address;
	(void)now;
	world->connects++;
}

void netif_disconnected(const struct netif *i, const char *name, const char *address,
			const char *reason, uint64_t now)
{
	(void)i;
	(void)name;
	(void)address;
	(void)now;
	world->disconnects++;
	(void)snprintf(world->reason, sizeof(world->reason), "%s", reason);
}

const char *netif_reason(unsigned end, const struct weft_error *err)
{
	return end == HTTP_ENDED ? "a regular end" : err->text;
}

int assigned_set(struct assigned *a, const struct hello_conf *conf,
		 const struct weft_ip *server, struct weft_error *err)
{
	(void)a;
	(void)conf;
	(void)server;
	(void)err;
	return 0;
}

void assigned_release(struct assigned *a)
{
	(void)a;
	world->releases++;
}

void assigned_forget(struct assigned *a)
{
	(void)a;
}

void assigned_fini(struct assigned *a)
{
	(void)a;
}

/* ---- the server -------------------------------------------------------------------------- */

static void server_receive(void *user, struct weft_link *link,
			   const struct weft_frame *frames, size_t n, uint64_t now)
{
	(void)user;
	(void)link;
	(void)frames;
	(void)now;
	world->to_server += (unsigned)n;
}

static void server_accept(struct world *w, struct wire *wire)
{
	wire->is_answered = true;
	if (wire->is_put) {
		duplex_set_rx(&w->server, wire->lane, &wire->server, w->now);
		return;
	}
	duplex_set_extended(&w->server, !w->is_original);
	duplex_set_tx(&w->server, wire->lane, &wire->server,
		      DUPLEX_LANE_LIFE_NS(wire->lane), w->now);
	wire->events->response(wire->user, &wire->client, 200, w->now);
}

/* What one end puts out, the other takes in. Returns as output in http_stream_events. */
static int wire_carry(struct world *w, struct wire *wire)
{
	static uint8_t bytes[ROOM];
	int n = wire->is_put
			? wire->events->output(wire->user, &wire->client, bytes, ROOM,
					       w->now)
			: duplex_output(&w->server, &wire->server, bytes, ROOM, w->now);
	if (n <= 0 || wire->is_swallowed || (w->is_mute && !wire->is_put))
		return n;
	if (wire->is_put) {
		duplex_input(&w->server, &wire->server, bytes, (size_t)n, w->now);
		return n;
	}
	w->heard = w->now;
	wire->events->input(wire->user, &wire->client, bytes, (size_t)n, w->now);
	return n;
}

/* Returns whether anything has happened. */
static bool wire_step(struct world *w, struct wire *wire)
{
	if (!wire->is_used)
		return false;
	if (wire->client.is_aborted || wire->server.is_aborted) {
		wire_close(wire, HTTP_ABORTED);
		return true;
	}
	if (!wire->is_answered && w->is_down) {
		wire_close(wire, HTTP_FAILED);
		return true;
	}
	if (!wire->is_answered) {
		server_accept(w, wire);
		return true;
	}
	int n = wire_carry(w, wire);
	if (n == -EPIPE)
		wire_close(wire, HTTP_ENDED);
	return n != 0;
}

/* ---- time -------------------------------------------------------------------------------- */

static void world_turn(struct world *w)
{
	bool goes_on = true;
	if (w->task->deadline(w->task) <= w->now) {
		w->task->run(w->task, w->now);
		w->runs++;
	}
	while (goes_on) {
		goes_on = false;
		for (size_t i = 0; i < WORLD_WIRES; i++)
			goes_on |= wire_step(w, &w->wires[i]);
	}
}

static void world_tick(struct world *w)
{
	if (w->now < w->tick)
		return;
	w->tick = w->now + S;
	duplex_tick(&w->server, w->now);
}

void world_run(struct world *w, uint64_t ns)
{
	const uint64_t end = w->now + ns;
	for (;;) {
		world_tick(w);
		world_turn(w);
		uint64_t next = w->task->deadline(w->task);
		next = next < w->tick ? next : w->tick;
		if (next > end)
			break;
		w->now = next > w->now ? next : w->now;
	}
	w->now = end;
}

void world_jump(struct world *w, int64_t ns)
{
	w->now = (uint64_t)((int64_t)w->now + ns);
}

struct wire *world_wire(struct world *w, bool is_put, unsigned lane)
{
	for (size_t i = 0; i < WORLD_WIRES; i++)
		if (w->wires[i].is_used && w->wires[i].is_put == is_put &&
		    w->wires[i].lane == lane)
			return &w->wires[i];
	return NULL;
}

void world_expect_crossing(struct world *w)
{
	uint8_t bytes[WEFT_HEADROOM + PACKET];
	w->to_server = w->to_client = 0;
	for (uint16_t flow = 0; flow < FLOWS; flow++) {
		struct weft_frame packet =
			packet_of_flow(bytes + WEFT_HEADROOM, PACKET, flow, flow, 0);
		packet.headroom = WEFT_HEADROOM;
		link_deliver(&w->device, &packet, 1, w->now);
		weft_link_send(&w->server.link, &packet, 1, w->now);
	}
	world_turn(w);
	assert_int_equal(w->to_server, FLOWS);
	assert_int_equal(w->to_client, FLOWS);
}

/* ---- beginning and end ------------------------------------------------------------------- */

struct world *world_new(unsigned lanes)
{
	static struct environment env;
	static struct weft_tunnel_interface conf;
	struct weft_error err;
	world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->now = world->tick = WORLD_START;
	conf = (struct weft_tunnel_interface){ .name = "tun0", .streams = lanes };
	duplex_init(&world->server, "server", WEFT_TUNNEL_IP, env.secret);
	duplex_set_lanes(&world->server, lanes);
	weft_link_on_receive(&world->server.link, server_receive, NULL);
	assert_int_equal(client_new(&env, &conf, &err, &world->client), 0);
	return world;
}

void world_free(struct world *w)
{
	client_free(w->client);
	duplex_fini(&w->server);
	free(w);
}
