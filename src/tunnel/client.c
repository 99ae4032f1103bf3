/* SPDX-License-Identifier: MIT */
/*
 * The two requests are independent of each other, but for this: when nothing is heard any more
 * the path is gone, and the upload with it.
 *
 * Each begins with a duplex that knows nothing of the one before (tunnel/duplex.h): the
 * original kept half a packet over a reconnection, and lost its place in the stream.
 */
#include "tunnel/client.h"

#include "base/container.h"
#include "base/hash.h"
#include "base/rng.h"
#include "http/http.h"
#include "tunnel/duplex.h"
#include "tunnel/facts.h"
#include "wire/tunnel_conf.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S   DUPLEX_NS_PER_S
#define RETRY_MIN  (3 * NS_PER_S)
#define RETRY_MAX  (10 * NS_PER_S)
#define SILENCE_NS (60 * NS_PER_S)
#define TICK_NS    NS_PER_S

/* An upload's life is longer or shorter by up to so much, so that not all end at once. */
#define LIFE_JITTER_NS (1800 * NS_PER_S)

/* A stream that ends regularly after less than this is not begun again at once. */
#define LIFE_MIN_NS NS_PER_S

/* One of the two requests. */
struct request {
	bool is_put;
	uint64_t due;   /* when to make it; WEFT_NEVER while it is under way */
	uint64_t since; /* when it was made */
};

struct client {
	struct netif interface;
	struct duplex duplex;
	struct http_client *http;
	struct request get, put;
	struct weft_task task;
	uint64_t tick;
	struct rng rng;
	unsigned status; /* of the last answer to GET; 0 for none */
	bool is_connected;
	bool is_ending;
	struct weft_ip address; /* set on the device; family 0 for none */
	char address_text[WEFT_IP_TEXT];
	char *name; /* the URL, without a password that it may hold */
	char *key_header;
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

static bool is_same(const struct weft_ip *a, const struct weft_ip *b)
{
	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->octet, b->octet, 4) == 0;
}

/* The new address first: so the device is never without one. */
static int set_address(struct client *c, const struct weft_ip *address,
		       struct weft_error *err)
{
	const char *name = weft_link_name(c->interface.device);
	struct weft_host *host = c->interface.env->host;
	const struct weft_ip old = c->address;
	if (is_same(address, &old))
		return 0;
	int r = weft_host_add_address(host, name, address, err);
	if (r < 0)
		return r;
	c->address = *address;
	weft_ip_print(address, c->address_text);
	return old.family ? weft_host_remove_address(host, name, &old, err) : 0;
}

/* Returns 0, or -Exxx with a sentence in err. */
static int configure(struct client *c, const char *text, struct weft_error *err)
{
	struct tunnel_conf conf;
	if (!text)
		return weft_error_set(err, -EBADMSG,
				      "the answer has no header x-tun-conf: is %s the "
				      "URL of a tunnel?",
				      c->name);
	if (tunnel_conf_parse(text, &conf) < 0)
		return weft_error_set(err, -EBADMSG,
				      "the server's x-tun-conf \"%.80s\" is none", text);
	int r = weft_host_set_mtu(c->interface.env->host,
				  weft_link_name(c->interface.device), conf.mtu, err);
	return r < 0 ? r : set_address(c, &conf.ips[0], err);
}

/* ---- the two streams --------------------------------------------------------------------- */

static void on_response(void *user, struct http_stream *stream, unsigned status,
			uint64_t now)
{
	struct client *c = user;
	struct weft_error err;
	c->status = status;
	if (duplex_rx_lane(&c->duplex, stream) < 0 || status < 200 || status > 299)
		return;
	if (configure(c, http_stream_header(stream, "x-tun-conf"), &err) < 0) {
		weft_log_error(c->interface.env->log, "%s", err.text);
		http_stream_abort(stream);
		return;
	}
	c->is_connected = true;
	c->connects++;
	netif_connected(&c->interface, c->name, c->address_text, now);
}

static void on_input(void *user, struct http_stream *stream, const uint8_t *data,
		     size_t len, uint64_t now)
{
	struct client *c = user;
	if (c->is_connected)
		duplex_input(&c->duplex, stream, data, len, now);
}

static int on_output(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		     uint64_t now)
{
	struct client *c = user;
	return duplex_output(&c->duplex, stream, buf, len, now);
}

/* Jittered, so that a server that comes back is not met by all at once. */
static uint64_t retry_after(struct client *c, const struct request *request,
			    enum http_end end, uint64_t now)
{
	if (end == HTTP_ENDED && now - request->since >= LIFE_MIN_NS)
		return now;
	return now + RETRY_MIN + rng_below(&c->rng, RETRY_MAX - RETRY_MIN);
}

static void tell_end(struct client *c, enum http_end end, const struct weft_error *err,
		     uint64_t now)
{
	const char *reason = netif_reason(end, err);
	if (c->status == 401 || c->status == 403)
		reason = "the server does not know this token";
	if (c->is_connected)
		netif_disconnected(&c->interface, c->name, c->address_text, reason, now);
	else
		weft_log_warning(c->interface.env->log, "%s: %s; trying again",
				 weft_link_name(c->interface.device), reason);
	c->is_connected = false;
}

static void on_closed(void *user, struct http_stream *stream, enum http_end end,
		      const struct weft_error *err, uint64_t now)
{
	struct client *c = user;
	const bool is_get = duplex_rx_lane(&c->duplex, stream) >= 0;
	struct request *request = is_get ? &c->get : &c->put;
	if (!duplex_closed(&c->duplex, stream, now) || c->is_ending)
		return;
	request->due = retry_after(c, request, end, now);
	if (!request->is_put)
		tell_end(c, end, err, now);
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

static void set_stream(struct client *c, const struct request *request,
		       struct http_stream *stream, uint64_t now)
{
	uint64_t jitter = rng_below(&c->rng, 2 * LIFE_JITTER_NS);
	if (request->is_put)
		duplex_set_tx(&c->duplex, 0, stream,
			      DUPLEX_LIFE_NS - LIFE_JITTER_NS + jitter, now);
	else
		duplex_set_rx(&c->duplex, 0, stream, now);
}

static void make_request(struct client *c, struct request *request, uint64_t now)
{
	const char *const headers[] = { c->key_header, NULL };
	const struct http_client_request opts = {
		.url = c->interface.conf->url,
		.is_put = request->is_put,
		.headers = headers,
		.events = request->is_put ? &put_events : &get_events,
		.user = c,
	};
	struct http_stream *stream;
	if (now < request->due)
		return;
	if (http_client_open(c->http, &opts, &stream) < 0) {
		request->due = now + RETRY_MAX; /* no memory */
		return;
	}
	request->due = WEFT_NEVER;
	request->since = now;
	c->status = request->is_put ? c->status : 0;
	set_stream(c, request, stream, now);
}

/* ---- time -------------------------------------------------------------------------------- */

static void watch_silence(struct client *c, uint64_t now)
{
	if (duplex_silence(&c->duplex, 0, now) >= SILENCE_NS)
		duplex_abort(&c->duplex, 0);
}

static void client_run(struct weft_task *task, uint64_t now)
{
	struct client *c = container_of(task, struct client, task);
	make_request(c, &c->get, now);
	make_request(c, &c->put, now);
	if (now < c->tick)
		return;
	c->tick = now + TICK_NS;
	netif_watch(&c->interface, now);
	watch_silence(c, now);
	duplex_tick(&c->duplex, now);
}

static uint64_t client_deadline(const struct weft_task *task)
{
	const struct client *c = container_of_const(task, struct client, task);
	uint64_t due = c->get.due < c->put.due ? c->get.due : c->put.due;
	return due < c->tick ? due : c->tick;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static char *name_of(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end ? scheme_end + 3 : url;
	const char *at = memchr(host, '@', strcspn(host, "/?#"));
	const char *rest = at ? at + 1 : host;
	size_t len = strlen(url) + 1;
	char *name = malloc(len);
	if (name)
		(void)snprintf(name, len, "%.*s%s", (int)(host - url), url, rest);
	return name;
}

static int make_texts(struct client *c, struct weft_error *err)
{
	const char *token = c->interface.conf->raw_token;
	size_t len = sizeof("x-api-key: ") + strlen(token);
	c->name = name_of(c->interface.conf->url);
	c->key_header = malloc(len);
	if (!c->name || !c->key_header)
		return weft_error_set(err, -ENOMEM, "out of memory");
	(void)snprintf(c->key_header, len, "x-api-key: %s", token);
	return 0;
}

static int add_tasks(struct client *c, struct weft_error *err)
{
	struct weft_loop *loop = c->interface.env->loop;
	int r = weft_loop_add(loop, http_client_task(c->http));
	if (r == 0)
		r = weft_loop_add(loop, &c->task);
	if (r < 0)
		return weft_error_set(err, r, "cannot watch the connection to %s: %s",
				      c->name, strerror(-r));
	weft_link_on_receive(c->interface.device, from_device, c);
	return netif_start(&c->interface, err);
}

static int start(struct client *c, const struct environment *env,
		 const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	const struct http_client_opts opts = { .proxy = NULL };
	int r = netif_open(&c->interface, env, conf, err);
	if (r == 0)
		r = make_texts(c, err);
	if (r == 0)
		r = http_client_new(&opts, err, &c->http);
	return r < 0 ? r : add_tasks(c, err);
}

int client_new(const struct environment *env, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct client **ret_client)
{
	struct client *c = calloc(1, sizeof(*c));
	if (!c)
		return weft_error_set(err, -ENOMEM, "out of memory");
	duplex_init(&c->duplex, conf->name, conf->mode, env->secret);
	weft_link_on_receive(&c->duplex.link, from_server, c);
	c->put.is_put = true;
	c->task = (struct weft_task){ .fd = -1,
				      .run = client_run,
				      .deadline = client_deadline };
	rng_init(&c->rng, hash_bytes(env->secret, conf->name, strlen(conf->name)));
	c->interface.env = env;
	int r = start(c, env, conf, err);
	if (r < 0) {
		client_free(c);
		return r;
	}
	*ret_client = c;
	return 0;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	struct weft_loop *loop = c->interface.env->loop;
	weft_loop_remove(loop, &c->task);
	if (c->http)
		weft_loop_remove(loop, http_client_task(c->http));
	c->is_ending = true;
	http_client_free(c->http);
	netif_close(&c->interface);
	duplex_fini(&c->duplex);
	if (c->key_header)
		sodium_memzero(c->key_header, strlen(c->key_header));
	free(c->key_header);
	free(c->name);
	free(c);
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
	(void)json_object_set_new(peer, "name", json_string(c->name));
	(void)json_object_set_new(peer, "address", json_string(c->address_text));
	(void)json_object_set_new(peer, "connected", json_boolean(c->is_connected));
	(void)json_object_set_new(peer, "connects",
				  json_integer((json_int_t)c->connects));
	(void)json_object_set_new(object, "peers", json_pack("[o]", peer));
	return object;
}
