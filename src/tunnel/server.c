/* SPDX-License-Identifier: MIT */
/*
 * Clients are those of the configuration, made with the server and freed with it, so that
 * their addresses lead somewhere also while they are away: into an outbox that forgets.
 */
#include "tunnel/server.h"

#include "base/container.h"
#include "http/http.h"
#include "tunnel/backoff.h"
#include "tunnel/doctor.h"
#include "tunnel/duplex.h"
#include "tunnel/facts.h"
#include "tunnel/token.h"
#include "wire/tunnel_conf.h"

#include <weft/router.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S DUPLEX_NS_PER_S
#define TICK_NS  NS_PER_S

/* Whoever is gone before this has something in its way, most often a proxy's time-out. */
#define SHORT_NS (30 * NS_PER_S)

struct peer {
	struct duplex duplex;
	struct server *server;
	const struct weft_tunnel_client *conf;
	struct weft_router_port *port;
	uint64_t since; /* when its GET came */
	char from[WEFT_IP_TEXT];
	uint64_t connects;
};

struct server {
	struct netif interface;
	struct weft_router *router;
	struct http_server *http;
	struct backoff *backoff;
	struct doctor *doctor;
	struct peer *peers;
	size_t peers_n;
	struct weft_task task;
	uint64_t tick;
	bool is_ending;
	uint64_t refused;
	char tun_conf[TUNNEL_CONF_TEXT]; /* of the answer that is being made */
};

/* ---- streams ----------------------------------------------------------------------------- */

static void on_input(void *user, struct http_stream *stream, const uint8_t *data,
		     size_t len, uint64_t now)
{
	struct peer *peer = user;
	duplex_input(&peer->duplex, stream, data, len, now);
}

static int on_output(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		     uint64_t now)
{
	struct peer *peer = user;
	return duplex_output(&peer->duplex, stream, buf, len, now);
}

static void tell_end(const struct peer *peer, enum http_end end,
		     const struct weft_error *err, uint64_t now)
{
	const struct netif *i = &peer->server->interface;
	if (now - peer->since < SHORT_NS)
		weft_log_warning(i->env->log,
				 "%s was connected for %u s only: is there a proxy that "
				 "buffers, or cuts long responses?",
				 peer->conf->name,
				 (unsigned)((now - peer->since) / NS_PER_S));
	netif_disconnected(i, peer->conf->name, peer->from, netif_reason(end, err), now);
}

static void on_closed(void *user, struct http_stream *stream, enum http_end end,
		      const struct weft_error *err, uint64_t now)
{
	struct peer *peer = user;
	bool is_get = duplex_tx_lane(&peer->duplex, stream) >= 0;
	if (duplex_closed(&peer->duplex, stream, now) && is_get &&
	    !peer->server->is_ending)
		tell_end(peer, end, err, now);
}

static const struct http_stream_events get_events = {
	.output = on_output,
	.closed = on_closed,
};

static const struct http_stream_events put_events = {
	.input = on_input,
	.closed = on_closed,
};

/* ---- who asks ---------------------------------------------------------------------------- */

static bool is_loopback(const struct weft_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };
	return ip->family == AF_INET ? ip->octet[0] == 127
				     : memcmp(ip->octet, one, sizeof(one)) == 0;
}

/* The address that the nearest proxy has seen, which stands last. */
static bool forwarded_for(const struct http_stream *stream, struct weft_ip *ret_ip)
{
	const char *list = http_stream_header(stream, "x-forwarded-for");
	if (!list)
		return false;
	const char *comma = strrchr(list, ',');
	const char *last = comma ? comma + 1 : list;
	return weft_ip_parse(last + strspn(last, " "), ret_ip) == 0;
}

static struct weft_ip ip_of(const union weft_sockaddr *addr)
{
	struct weft_ip ip = { .family = (uint8_t)addr->sa.sa_family };
	if (ip.family == AF_INET) {
		ip.prefix = 32;
		memcpy(ip.octet, &addr->in.sin_addr, 4);
		return ip;
	}
	ip.prefix = 128;
	memcpy(ip.octet, &addr->in6.sin6_addr, 16);
	if (!IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return ip;
	struct weft_ip ip4 = { .family = AF_INET, .prefix = 32 };
	memcpy(ip4.octet, ip.octet + 12, 4);
	return ip4;
}

static struct weft_ip who_asks(const struct http_stream *stream)
{
	struct weft_ip ip = ip_of(http_stream_peer(stream)), forwarded;
	return is_loopback(&ip) && forwarded_for(stream, &forwarded) ? forwarded : ip;
}

/* Looks at all of them, whichever it is: how long that takes says nothing. */
static struct peer *peer_of_token(struct server *s, const char *token)
{
	char sha1[TOKEN_SHA1_TEXT];
	struct peer *found = NULL;
	if (!token || token_sha1(token, sha1) < 0)
		return NULL;
	for (size_t i = 0; i < s->peers_n; i++)
		if (token_matches(s->peers[i].conf->token, token, sha1))
			found = &s->peers[i];
	return found;
}

static struct peer *authenticate(struct server *s, const struct http_stream *stream,
				 const struct weft_ip *from, uint64_t now)
{
	char text[WEFT_IP_TEXT];
	if (backoff_is_silent(s->backoff, from, now)) {
		s->refused++;
		return NULL;
	}
	struct peer *peer = peer_of_token(s, http_stream_header(stream, "x-api-key"));
	if (peer) {
		backoff_right(s->backoff, from);
		return peer;
	}
	s->refused++;
	backoff_wrong(s->backoff, from, now);
	netif_refused(&s->interface, weft_ip_print(from, text), now);
	return NULL;
}

static void accept_get(struct peer *peer, struct http_stream *stream,
		       struct http_answer *answer, uint64_t now)
{
	struct server *s = peer->server;
	const struct weft_tunnel_interface *conf = s->interface.conf;
	struct weft_ip ip = peer->conf->ips[0];
	ip.prefix = conf->net.prefix;
	if (tunnel_conf_print((uint16_t)conf->mtu, &ip, s->tun_conf) < 0)
		s->tun_conf[0] = '\0'; /* the configuration's check has seen to it */
	answer->headers[0] =
		(struct http_header){ .name = "x-tun-conf", .value = s->tun_conf };
	answer->events = &get_events;
	duplex_set_tx(&peer->duplex, 0, stream, DUPLEX_LIFE_NS, now);
	peer->since = now;
	peer->connects++;
	netif_connected(&s->interface, peer->conf->name, peer->from, now);
}

static void on_request(void *user, struct http_stream *stream,
		       const struct http_request *request, struct http_answer *ret_answer,
		       uint64_t now)
{
	const struct weft_ip from = who_asks(stream);
	struct peer *peer = authenticate(user, stream, &from, now);
	if (!peer) {
		*ret_answer = (struct http_answer){ .status = 403, .text = "Forbidden" };
		return;
	}
	if (doctor_is_asked(stream)) {
		doctor_request(peer->server->doctor, stream, request, ret_answer, now);
		return;
	}
	*ret_answer = (struct http_answer){ .events = &put_events, .user = peer };
	weft_ip_print(&from, peer->from);
	if (strcmp(request->method, "PUT") == 0)
		duplex_set_rx(&peer->duplex, 0, stream, now);
	else
		accept_get(peer, stream, ret_answer, now);
}

/* ---- time -------------------------------------------------------------------------------- */

static void server_run(struct weft_task *task, uint64_t now)
{
	struct server *s = container_of(task, struct server, task);
	if (now < s->tick)
		return;
	s->tick = now + TICK_NS;
	netif_watch(&s->interface, now);
	for (size_t i = 0; i < s->peers_n; i++)
		duplex_tick(&s->peers[i].duplex, now);
}

static uint64_t server_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct server, task)->tick;
}

/* ---- routes ------------------------------------------------------------------------------ */

/* Without the length of the network that it stands in. */
static struct weft_ip whole(const struct weft_ip *ip)
{
	struct weft_ip address = *ip;
	address.prefix = ip->family == AF_INET ? 32 : 128;
	return address;
}

static int route_uplink(struct server *s)
{
	const struct weft_router_port_opts opts = { .uplink = true };
	const struct weft_tunnel_interface *conf = s->interface.conf;
	const struct weft_ip own = whole(&conf->net);
	struct weft_router_port *port;
	int r = weft_router_add(s->router, s->interface.device, &opts, &port);
	if (r == 0)
		r = weft_router_exempt(s->router, &own);
	for (size_t i = 0; i < conf->routes_n && r == 0; i++)
		r = weft_router_exempt(s->router, &conf->routes[i]);
	return r;
}

static int route_peer(struct server *s, struct peer *peer)
{
	const struct weft_tunnel_client *conf = peer->conf;
	int r = weft_router_add(s->router, &peer->duplex.link, NULL, &peer->port);
	for (size_t i = 0; i < conf->ips_n && r == 0; i++)
		r = weft_router_add_network(s->router, peer->port, &conf->ips[i]);
	for (size_t i = 0; i < conf->routes_n && r == 0; i++)
		r = weft_router_add_network(s->router, peer->port, &conf->routes[i]);
	for (size_t i = 0; i < conf->sources_n && r == 0; i++)
		r = weft_router_add_pin(s->router, peer->port, &conf->sources[i]);
	return r;
}

static int make_routes(struct server *s, struct weft_error *err)
{
	const char *whose = s->interface.conf->name;
	int r = weft_router_new(NULL, &s->router);
	if (r == 0)
		r = route_uplink(s);
	for (size_t i = 0; i < s->peers_n && r == 0; i++) {
		whose = s->peers[i].conf->name;
		r = route_peer(s, &s->peers[i]);
	}
	if (r == -EEXIST)
		return weft_error_set(err, r,
				      "%s: an address, route or source of this client is "
				      "another client's as well",
				      whose);
	return r < 0 ? weft_error_set(err, r, "%s: %s", whose, strerror(-r)) : 0;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int listen_here(struct server *s, struct weft_error *err)
{
	const struct weft_tunnel_interface *conf = s->interface.conf;
	struct http_server_opts opts = { .request = on_request, .user = s };
	char port[8];
	(void)snprintf(port, sizeof(port), "%u", conf->port);
	if (weft_listen_parse(port, &opts.listen) < 0)
		return weft_error_set(err, -EINVAL, "port %u is none", conf->port);
	int r = http_server_new(&opts, err, &s->http);
	if (r == -EADDRINUSE)
		return weft_error_set(err, r,
				      "%s: TCP port %u is in use by another program; end "
				      "it, or choose another \"port\"",
				      conf->name, conf->port);
	return r;
}

static int add_tasks(struct server *s, struct weft_error *err)
{
	struct weft_loop *loop = s->interface.env->loop;
	int r = weft_loop_add(loop, http_server_task(s->http));
	if (r == 0)
		r = weft_loop_add(loop, doctor_task(s->doctor));
	if (r == 0)
		r = weft_loop_add(loop, &s->task);
	if (r < 0)
		return weft_error_set(err, r, "cannot watch TCP port %u: %s",
				      s->interface.conf->port, strerror(-r));
	return netif_start(&s->interface, err);
}

static int make_peers(struct server *s, struct weft_error *err)
{
	const struct weft_tunnel_interface *conf = s->interface.conf;
	s->peers = calloc(conf->clients_n + 1, sizeof(*s->peers));
	if (!s->peers)
		return weft_error_set(err, -ENOMEM, "out of memory");
	for (; s->peers_n < conf->clients_n; s->peers_n++) {
		struct peer *peer = &s->peers[s->peers_n];
		peer->server = s;
		peer->conf = &conf->clients[s->peers_n];
		duplex_init(&peer->duplex, peer->conf->name, conf->mode,
			    s->interface.env->secret);
	}
	return 0;
}

static int start(struct server *s, const struct environment *env,
		 const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	int r = backoff_new(env->secret, &s->backoff);
	if (r == 0)
		r = doctor_new(&s->doctor);
	if (r < 0)
		return weft_error_set(err, r, "out of memory");
	r = netif_open(&s->interface, env, conf, err);
	if (r == 0)
		r = make_peers(s, err);
	if (r == 0)
		r = make_routes(s, err);
	if (r == 0)
		r = listen_here(s, err);
	return r < 0 ? r : add_tasks(s, err);
}

int server_new(const struct environment *env, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct server **ret_server)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return weft_error_set(err, -ENOMEM, "out of memory");
	s->interface.env = env;
	s->task = (struct weft_task){ .fd = -1,
				      .run = server_run,
				      .deadline = server_deadline };
	int r = start(s, env, conf, err);
	if (r < 0) {
		server_free(s);
		return r;
	}
	*ret_server = s;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	struct weft_loop *loop = s->interface.env->loop;
	s->is_ending = true;
	weft_loop_remove(loop, &s->task);
	if (s->http)
		weft_loop_remove(loop, http_server_task(s->http));
	if (s->doctor)
		weft_loop_remove(loop, doctor_task(s->doctor));
	http_server_free(s->http);
	doctor_free(s->doctor);
	weft_router_free(s->router);
	netif_close(&s->interface);
	for (size_t i = 0; i < s->peers_n; i++)
		duplex_fini(&s->peers[i].duplex);
	free(s->peers);
	backoff_free(s->backoff);
	free(s);
}

/* ---- facts ------------------------------------------------------------------------------- */

void server_count(const struct server *s, struct weft_tunnels_stats *stats)
{
	stats->interfaces++;
	for (size_t i = 0; i < s->peers_n; i++) {
		stats->peers += duplex_has_tx(&s->peers[i].duplex);
		facts_count_duplex(&s->peers[i].duplex, stats);
	}
	stats->drops += weft_link_stats(s->interface.device).tx_dropped;
	for (unsigned i = WEFT_ROUTER_DROP_NOT_IP; i < WEFT_ROUTER_OUTCOMES; i++)
		stats->drops +=
			weft_router_count(s->router, NULL, (enum weft_router_outcome)i);
}

static json_t *outcomes_json(const struct server *s, const struct weft_router_port *port)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < WEFT_ROUTER_OUTCOMES; i++) {
		enum weft_router_outcome outcome = (enum weft_router_outcome)i;
		uint64_t n = weft_router_count(s->router, port, outcome);
		if (n > 0)
			(void)json_object_set_new(object,
						  weft_router_outcome_name(outcome),
						  json_integer((json_int_t)n));
	}
	return object;
}

static json_t *peer_json(const struct peer *peer, uint64_t now)
{
	json_t *object = facts_duplex(&peer->duplex, now);
	(void)json_object_set_new(object, "name", json_string(peer->conf->name));
	(void)json_object_set_new(object, "address", json_string(peer->from));
	(void)json_object_set_new(object, "connected",
				  json_boolean(duplex_has_tx(&peer->duplex)));
	(void)json_object_set_new(object, "connects",
				  json_integer((json_int_t)peer->connects));
	(void)json_object_set_new(object, "packets",
				  outcomes_json(peer->server, peer->port));
	return object;
}

json_t *server_json(const struct server *s, uint64_t now)
{
	json_t *object = facts_interface(&s->interface);
	json_t *peers = json_array();
	for (size_t i = 0; i < s->peers_n; i++)
		(void)json_array_append_new(peers, peer_json(&s->peers[i], now));
	(void)json_object_set_new(object, "refused",
				  json_integer((json_int_t)s->refused));
	(void)json_object_set_new(object, "packets", outcomes_json(s, NULL));
	(void)json_object_set_new(object, "peers", peers);
	return object;
}
