/* SPDX-License-Identifier: MIT */
/*
 * An upload follows its lane's download: it is made when that has been accepted, and broken off
 * with it. When nothing is heard any more on a lane its path is gone; when nothing that was
 * asked is answered any more, the upload's is.
 *
 * Each begins with a duplex that knows nothing of the one before (tunnel/duplex.h): the
 * original kept half a packet over a reconnection, and lost its place in the stream.
 */
#include "tunnel/client.h"

#include "base/container.h"
#include "base/hash.h"
#include "base/net.h"
#include "base/time.h"
#include "tunnel/assigned.h"
#include "tunnel/ballast.h"
#include "tunnel/caller.h"
#include "tunnel/facts.h"
#include "tunnel/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_NS (60 * NS_PER_S)
#define TICK_NS    NS_PER_S

/* An upload's life is longer or shorter by up to so much, so that not all end at once. */
#define LIFE_JITTER_NS (1800 * NS_PER_S)

struct client {
	struct netif interface;
	struct duplex duplex;
	struct caller *caller;
	/* From prepare to commit: to another server, or by another way; or NULL. */
	struct caller *next_caller;
	struct request gets[DUPLEX_LANES_MAX], puts[DUPLEX_LANES_MAX];
	unsigned lanes; /* in use; 1 until the server knows of more */
	uint64_t session;
	struct weft_task task;
	uint64_t tick;
	struct retry retry;
	bool is_connected;
	bool is_ending; /* streams that close now are not made again */
	struct assigned assigned;
	struct hello_conf *told; /* what the server has said last */
	size_t least;            /* bytes that uploads come in; 0 for any number */
	struct weft_ip server;   /* where it was reached; family 0 before */
	uint64_t connects;
};

/* ---- packets ----------------------------------------------------------------------------- */

static void from_device(void *user, struct weft_link *link,
			const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct client *c = user;
	(void)link;
	weft_link_send(&c->duplex.link, frames, n, now);
}

static void from_server(void *user, struct weft_link *link,
			const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct client *c = user;
	(void)link;
	weft_link_send(c->interface.device, frames, n, now);
}

/* ---- what the server says of the interface ----------------------------------------------- */

static void set_lane(struct request *request, bool is_in_use)
{
	if (!is_in_use)
		request->due = WEFT_NEVER;
	else if (!request->stream && request->due == WEFT_NEVER)
		request->due = 0;
}

static void set_lanes(struct client *c, unsigned n)
{
	const unsigned wanted = caller_streams(c->caller);
	c->lanes = n < wanted ? n : wanted;
	duplex_set_lanes(&c->duplex, c->lanes);
	for (unsigned i = 1; i < DUPLEX_LANES_MAX; i++) {
		set_lane(&c->gets[i], i < c->lanes);
		set_lane(&c->puts[i], i < c->lanes);
	}
}

static void on_control(void *user, const char *text, size_t len, uint64_t now)
{
	struct client *c = user;
	struct weft_error err;
	(void)now;
	if (hello_conf_parse_record(text, len, c->told) < 0)
		return; /* of a later version, perhaps */
	if (assigned_set(&c->assigned, c->told, &c->server, &err) < 0)
		weft_log_error(c->interface.env->log, "%s", err.text);
}

/* Returns 0, or -Exxx with a sentence in err. */
static int configure(struct client *c, struct http_stream *stream, struct weft_error *err)
{
	int r = caller_answer(c->caller, stream, c->told, err);
	if (r < 0)
		return r;
	c->server = net_address(http_stream_peer(stream));
	duplex_set_extended(&c->duplex, r == CALLER_WEFT);
	return assigned_set(&c->assigned, c->told, &c->server, err);
}

/* ---- streams ----------------------------------------------------------------------------- */

static void connected(struct client *c, uint64_t now)
{
	if (c->is_connected)
		return;
	c->is_connected = true;
	c->connects++;
	netif_connected(&c->interface, caller_name(c->caller), c->assigned.text, now);
}

/* It has waited for this. */
static void make_upload_due(struct request *put, uint64_t now)
{
	if (!put->stream)
		put->due = now;
}

static void on_response(void *user, struct http_stream *stream, unsigned status,
			uint64_t now)
{
	struct request *request = user;
	struct client *c = request->client;
	struct weft_error err;
	request->status = status;
	if (duplex_rx_lane(&c->duplex, stream) < 0 || status < 200 || status > 299)
		return;
	if (request->lane == 0 && configure(c, stream, &err) < 0) {
		weft_log_error(c->interface.env->log, "%s", err.text);
		http_stream_abort(stream);
		return;
	}
	request->is_accepted = true;
	make_upload_due(&c->puts[request->lane], now);
	c->least = ballast_least(http_stream_header(stream, "server"));
	duplex_never_at_once(&c->duplex, c->least > 0);
	if (request->lane == 0)
		set_lanes(c, c->told->lanes);
	connected(c, now);
}

static void on_input(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		     uint64_t now)
{
	struct request *request = user;
	if (request->is_accepted)
		duplex_input(&request->client->duplex, stream, data, len, now);
}

static int on_output(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		     uint64_t now)
{
	struct request *request = user;
	struct client *c = request->client;
	int r = duplex_output(&c->duplex, stream, buf, len, now);
	return r > 0 ? (int)ballast_add(buf, len, (size_t)r, c->least) : r;
}

static bool has_accepted(const struct client *c)
{
	for (unsigned i = 0; i < DUPLEX_LANES_MAX; i++)
		if (c->gets[i].is_accepted)
			return true;
	return false;
}

static void tell_end(struct client *c, const struct request *request, enum http_end end,
		     const struct weft_error *err, uint64_t now)
{
	const char *reason = request_reason(request, end, err);
	if (c->is_connected)
		netif_disconnected(&c->interface, caller_name(c->caller),
				   c->assigned.text, reason, now);
	else
		weft_log_warning(c->interface.env->log, "%s: %s; trying again",
				 netif_name(&c->interface), reason);
	c->is_connected = false;
	/* The next server may be of another kind, and by another way. */
	duplex_set_extended(&c->duplex, false);
	set_lanes(c, 1);
	if (end == HTTP_FAILED)
		assigned_release(&c->assigned);
}

/*
 * A proxy that has lost its server may end the download as if all were well, and go on swallowing
 * the upload: after the end of one that was not old, the upload begins anew as well.
 */
static void follow(struct client *c, const struct request *get, enum http_end end,
		   uint64_t now)
{
	const struct request *put = &c->puts[get->lane];
	if (put->stream && (end != HTTP_ENDED || now - get->since < DUPLEX_LIFE_NS / 2))
		http_stream_abort(put->stream);
}

static void on_closed(void *user, struct http_stream *stream, enum http_end end,
		      const struct weft_error *err, uint64_t now)
{
	struct request *request = user;
	struct client *c = request->client;
	const bool was_in_use = duplex_closed(&c->duplex, stream, now);
	if (stream != request->stream)
		return;
	request->stream = NULL;
	request->is_accepted = false;
	request->due = request->lane < c->lanes && !c->is_ending
			       ? request_retry(request, &c->retry, end, now)
			       : WEFT_NEVER;
	if (!request->is_put)
		follow(c, request, end, now);
	if (was_in_use && !request->is_put && !c->is_ending && !has_accepted(c) &&
	    (c->is_connected || request->lane == 0))
		tell_end(c, request, end, err, now);
}

static const struct http_stream_events get_events = {
	.response = on_response,
	.input = on_input,
	.closed = on_closed,
};

static const struct http_stream_events put_events = {
	.output = on_output,
	.closed = on_closed,
};

static void set_stream(struct client *c, const struct request *request, uint64_t now)
{
	uint64_t jitter = rng_below(&c->retry.rng, 2 * LIFE_JITTER_NS);
	if (request->is_put)
		duplex_set_tx(&c->duplex, request->lane, request->stream,
			      DUPLEX_LIFE_NS - LIFE_JITTER_NS + jitter, now);
	else
		duplex_set_rx(&c->duplex, request->lane, request->stream, now);
}

static void make_request(struct client *c, struct request *request, uint64_t now)
{
	const struct hello hello = { .mode = c->interface.conf->mode,
				     .lane = request->lane,
				     .lanes = caller_streams(c->caller),
				     .session = c->session };
	const struct caller_request opts = {
		.is_put = request->is_put,
		.hello = &hello,
		.events = request->is_put ? &put_events : &get_events,
		.user = request,
	};
	if (now < request->due)
		return;
	if (caller_open(c->caller, &opts, &request->stream) < 0) {
		request->due = now + REQUEST_RETRY_MAX_NS; /* no memory */
		return;
	}
	request->due = WEFT_NEVER;
	request->since = now;
	request->status = 0;
	set_stream(c, request, now);
}

/* ---- time -------------------------------------------------------------------------------- */

/*
 * What swallows an upload leaves the download as it is: only answers that do not come show it. A
 * server of the original gives none.
 */
static void watch_silence(struct client *c, uint64_t now)
{
	for (unsigned i = 0; i < c->lanes; i++) {
		if (duplex_unanswered(&c->duplex, i, now) >= SILENCE_NS)
			duplex_abort_tx(&c->duplex, i);
		if (duplex_silence(&c->duplex, i, now) >= SILENCE_NS)
			duplex_abort(&c->duplex, i);
	}
}

/* The streams stay. What the server has assigned goes to the device that comes. */
static void watch_device(struct client *c, uint64_t now)
{
	const bool was_lost = c->interface.is_lost;
	struct weft_error err;
	if (!netif_is_lost(&c->interface, now))
		return;
	if (!was_lost)
		assigned_forget(&c->assigned);
	struct weft_link *before = netif_renew(&c->interface, now);
	if (!before)
		return;
	weft_link_on_receive(c->interface.device, from_device, c);
	netif_bury(&c->interface, before);
	if (c->is_connected && assigned_set(&c->assigned, c->told, &c->server, &err) < 0)
		weft_log_error(c->interface.env->log, "%s", err.text);
}

static void client_run(struct weft_task *task, uint64_t now)
{
	struct client *c = container_of(task, struct client, task);
	for (unsigned i = 0; i < c->lanes; i++) {
		make_request(c, &c->gets[i], now);
		if (c->gets[i].is_accepted)
			make_request(c, &c->puts[i], now);
	}
	if (now < c->tick)
		return;
	c->tick = now + TICK_NS;
	watch_device(c, now);
	watch_silence(c, now);
	duplex_tick(&c->duplex, now);
}

static uint64_t client_deadline(const struct weft_task *task)
{
	const struct client *c = container_of_const(task, struct client, task);
	uint64_t due = c->tick;
	for (unsigned i = 0; i < c->lanes; i++) {
		due = c->gets[i].due < due ? c->gets[i].due : due;
		if (c->gets[i].is_accepted && c->puts[i].due < due)
			due = c->puts[i].due;
	}
	return due;
}

/* ---- beginning and end ------------------------------------------------------------------- */

/* The first lane at once, others when the server has said that it knows of them. */
static void begin(struct client *c)
{
	c->lanes = 1;
	for (unsigned i = 0; i < DUPLEX_LANES_MAX; i++) {
		const uint64_t due = i == 0 ? 0 : WEFT_NEVER;
		c->gets[i] = (struct request){ .client = c, .lane = i, .due = due };
		c->puts[i] = c->gets[i];
		c->puts[i].is_put = true;
	}
}

static int add_tasks(struct client *c, struct weft_error *err)
{
	int r = weft_loop_add(c->interface.env->loop, &c->task);
	if (r < 0)
		return weft_error_set(err, r, "cannot watch %s: %s",
				      c->interface.conf->name, strerror(-r));
	weft_link_on_receive(c->interface.device, from_device, c);
	return netif_start(&c->interface, err);
}

static int start(struct client *c, const struct environment *env,
		 const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	c->told = calloc(1, sizeof(*c->told));
	if (!c->told)
		return weft_error_set(err, -ENOMEM, "out of memory");
	int r = netif_open(&c->interface, env, conf, err);
	if (r == 0)
		r = caller_new(env->loop, conf, err, &c->caller);
	return r < 0 ? r : add_tasks(c, err);
}

int client_new(const struct environment *env, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct client **ret_client)
{
	struct client *c = calloc(1, sizeof(*c));
	if (!c)
		return weft_error_set(err, -ENOMEM, "out of memory");
	duplex_init(&c->duplex, conf->name, conf->mode, env->secret);
	duplex_on_control(&c->duplex, on_control, c);
	weft_link_on_receive(&c->duplex.link, from_server, c);
	c->task = (struct weft_task){ .fd = -1,
				      .run = client_run,
				      .deadline = client_deadline };
	rng_init(&c->retry.rng, hash_bytes(env->secret, conf->name, strlen(conf->name)));
	c->session = rng_u64(&c->retry.rng) | 1; /* 0 is none */
	c->interface.env = env;
	c->assigned.netif = &c->interface;
	begin(c);
	int r = start(c, env, conf, err);
	if (r < 0) {
		client_free(c);
		return r;
	}
	*ret_client = c;
	return 0;
}

/* The server takes uploads that come to their regular end for what they are: no accident. */
bool client_end(struct client *c)
{
	c->is_ending = true;
	for (unsigned i = 0; i < DUPLEX_LANES_MAX; i++)
		c->gets[i].due = c->puts[i].due = WEFT_NEVER;
	duplex_end(&c->duplex);
	return !duplex_has_tx(&c->duplex);
}

void client_free(struct client *c)
{
	if (!c)
		return;
	weft_loop_remove(c->interface.env->loop, &c->task);
	c->is_ending = true;
	caller_free(c->next_caller);
	caller_free(c->caller);
	if (c->interface.device)
		assigned_fini(&c->assigned);
	netif_close(&c->interface);
	duplex_fini(&c->duplex);
	free(c->told);
	free(c);
}

/* ---- another configuration --------------------------------------------------------------- */

int client_prepare(struct client *c, const struct weft_tunnel_interface *conf,
		   struct weft_error *err)
{
	int r = netif_prepare(&c->interface, conf, err);
	if (r == 0)
		r = caller_is_other(c->interface.conf, conf)
			    ? caller_new(c->interface.env->loop, conf, err,
					 &c->next_caller)
			    : caller_check(conf, err);
	if (r < 0)
		client_cancel(c);
	return r;
}

void client_cancel(struct client *c)
{
	caller_free(c->next_caller);
	c->next_caller = NULL;
	netif_cancel(&c->interface);
}

/* All requests are made anew, by another caller. */
static void change_caller(struct client *c, uint64_t now)
{
	if (c->is_connected)
		netif_disconnected(&c->interface, caller_name(c->caller),
				   c->assigned.text, "the configuration is another one",
				   now);
	c->is_connected = false;
	c->is_ending = true;
	caller_free(c->caller);
	c->is_ending = false;
	c->caller = c->next_caller;
	c->next_caller = NULL;
	assigned_release(&c->assigned);
	duplex_set_extended(&c->duplex, false);
	duplex_set_lanes(&c->duplex, 1);
	begin(c);
}

void client_commit(struct client *c, uint64_t now)
{
	struct weft_error err;
	netif_commit(&c->interface);
	if (c->next_caller) {
		change_caller(c, now);
		return;
	}
	caller_move(c->caller, c->interface.conf);
	/* It may take other routes now. */
	if (c->is_connected && assigned_set(&c->assigned, c->told, &c->server, &err) < 0)
		weft_log_error(c->interface.env->log, "%s", err.text);
}

struct netif *client_interface(struct client *c)
{
	return &c->interface;
}

/* ---- facts ------------------------------------------------------------------------------- */

void client_count(const struct client *c, struct weft_tunnels_stats *stats)
{
	stats->interfaces++;
	stats->peers += c->is_connected;
	facts_count_duplex(&c->duplex, stats);
	stats->drops += weft_link_stats(c->interface.device).tx_dropped;
}

json_t *client_json(const struct client *c, uint64_t now)
{
	json_t *object = facts_interface(&c->interface);
	json_t *peer = facts_duplex(&c->duplex, now);
	(void)json_object_set_new(peer, "name", json_string(caller_name(c->caller)));
	(void)json_object_set_new(peer, "address", json_string(c->assigned.text));
	(void)json_object_set_new(peer, "connected", json_boolean(c->is_connected));
	facts_set(peer, "connects", c->connects);
	facts_set(peer, "lanes", c->lanes);
	(void)json_object_set_new(object, "peers", json_pack("[o]", peer));
	return object;
}
