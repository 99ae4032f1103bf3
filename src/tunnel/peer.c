/* SPDX-License-Identifier: MIT */
/*
 * GET and PUT of one peer end independently of each other. Connected is who has a GET: that is
 * what packets reach it by.
 */
#include "tunnel/peer.h"

#include "base/time.h"
#include "tunnel/facts.h"
#include "tunnel/terms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whoever is gone before this has something in its way, most often a proxy's time-out. */
#define SHORT_NS (30 * NS_PER_S)

/* ---- streams ----------------------------------------------------------------------------- */

static void on_input(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		     uint64_t now)
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
	const struct netif *i = peer->netif;
	const char *name = weft_link_name(&peer->duplex.link);
	const char *reason = netif_reason(end, err);
	if (peer->has_left)
		reason = "it has ended";
	else if (now - peer->since < SHORT_NS)
		weft_log_warning(i->env->log,
				 "%s was connected for %u s only: is there a proxy that "
				 "buffers, or cuts long responses?",
				 name, (unsigned)((now - peer->since) / NS_PER_S));
	if (!peer->conf)
		reason = "the configuration does not have it any more";
	netif_disconnected(i, name, peer->from, reason, now);
}

/* The last request of one that has parted takes it along. */
static void release(struct peer *peer)
{
	peer->requests--;
	if (peer->requests == 0 && !peer->conf)
		peer_free(peer);
}

static void on_get_closed(void *user, struct http_stream *stream, enum http_end end,
			  const struct weft_error *err, uint64_t now)
{
	struct peer *peer = user;
	if (duplex_closed(&peer->duplex, stream, now) && !duplex_has_tx(&peer->duplex) &&
	    !peer->is_ending)
		tell_end(peer, end, err, now);
	release(peer);
}

static void on_put_closed(void *user, struct http_stream *stream, enum http_end end,
			  const struct weft_error *err, uint64_t now)
{
	struct peer *peer = user;
	(void)err;
	(void)duplex_closed(&peer->duplex, stream, now);
	peer->has_left = end == HTTP_ENDED && !duplex_has_rx(&peer->duplex);
	release(peer);
}

static const struct http_stream_events get_events = {
	.output = on_output,
	.closed = on_get_closed,
};

static const struct http_stream_events put_events = {
	.input = on_input,
	.closed = on_put_closed,
};

/* ---- requests ---------------------------------------------------------------------------- */

static void tell_conf(struct peer *peer, const struct hello_conf *conf, uint64_t now)
{
	char *text = hello_conf_record(conf);
	if (text)
		duplex_send_control(&peer->duplex, text, strlen(text), now);
	free(text);
}

/* What a client is told in the head of the response. Returns whether there was no room for all. */
static bool add_headers(struct peer *peer, const struct hello *hello,
			struct peer_texts *texts, struct http_answer *answer)
{
	const struct weft_tunnel_interface *server = peer->netif->conf;
	unsigned n = 0;
	if (terms_print(server, peer->conf, texts->tun_conf) == 0)
		answer->headers[n++] = (struct http_header){ .name = "x-tun-conf",
							     .value = texts->tun_conf };
	if (!hello)
		return false;
	terms_of(server, peer->conf, hello->lanes, &texts->conf);
	int r = hello_conf_print(&texts->conf, texts->weft_conf);
	if (r >= 0)
		answer->headers[n] = (struct http_header){ .name = HELLO_CONF_HEADER,
							   .value = texts->weft_conf };
	return r > 0;
}

/* Returns whether it is another than before. */
static bool begin_session(struct peer *peer, const struct hello *hello)
{
	const uint64_t session = hello ? hello->session : 0;
	const bool is_other = session == 0 || session != peer->session;
	if (is_other)
		duplex_set_lanes(&peer->duplex, 1);
	duplex_set_lanes(&peer->duplex, hello ? hello->lanes : 1);
	peer->session = session;
	return is_other;
}

static void accept_get(struct peer *peer, const struct peer_request *request,
		       bool is_other_session, struct peer_texts *texts,
		       struct http_answer *answer, uint64_t now)
{
	const struct hello *hello = request->hello;
	const unsigned lane = hello ? hello->lane : 0;
	const bool has_come = is_other_session || !duplex_has_tx(&peer->duplex);
	const bool has_more = add_headers(peer, hello, texts, answer);
	duplex_set_tx(&peer->duplex, lane, request->stream, DUPLEX_LANE_LIFE_NS(lane),
		      now);
	/* Only now: to an old stream nothing must go that its peer does not know. */
	peer->is_extended = hello;
	duplex_set_extended(&peer->duplex, hello);
	if (has_more)
		tell_conf(peer, &texts->conf, now);
	if (!has_come)
		return;
	peer->since = now;
	peer->connects++;
	netif_connected(peer->netif, peer->conf->name, peer->from, now);
}

static const char *mode_refusal(enum weft_tunnel_mode mode)
{
	return mode == WEFT_TUNNEL_ETHERNET
		       ? "This tunnel carries Ethernet: its clients need "
			 "\"mode\": \"ethernet\""
		       : "This tunnel carries IP: its clients need \"mode\": \"ip\"";
}

void peer_accept(struct peer *peer, const struct peer_request *request,
		 struct peer_texts *texts, struct http_answer *ret_answer, uint64_t now)
{
	const struct hello *hello = request->hello;
	const enum weft_tunnel_mode mode = peer->netif->conf->mode;
	if ((hello ? hello->mode : WEFT_TUNNEL_IP) != mode) {
		*ret_answer =
			(struct http_answer){ .status = 409, .text = mode_refusal(mode) };
		return;
	}
	*ret_answer = (struct http_answer){
		.events = request->is_put ? &put_events : &get_events,
		.user = peer,
	};
	peer->requests++;
	weft_ip_print(&request->from, peer->from);
	const bool is_other = begin_session(peer, hello);
	peer->has_left = false;
	if (request->is_put)
		duplex_set_rx(&peer->duplex, hello ? hello->lane : 0, request->stream,
			      now);
	else
		accept_get(peer, request, is_other, texts, ret_answer, now);
}

/* ---- life -------------------------------------------------------------------------------- */

int peer_new(const struct netif *netif, struct plane *plane,
	     const struct weft_tunnel_client *conf, struct weft_error *err,
	     struct peer **ret_peer)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return weft_error_set(err, -ENOMEM, "out of memory");
	peer->netif = netif;
	peer->conf = conf;
	list_init(&peer->parted);
	duplex_init(&peer->duplex, conf->name, netif->conf->mode, netif->env->secret);
	int r = plane_add(plane, conf, &peer->duplex.link, err, &peer->port);
	if (r < 0) {
		peer_free(peer);
		return r;
	}
	*ret_peer = peer;
	return 0;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	plane_remove(peer->port);
	list_remove(&peer->parted);
	duplex_fini(&peer->duplex);
	free(peer);
}

static void break_off(struct peer *peer)
{
	for (unsigned lane = 0; lane < peer->duplex.lanes_n; lane++)
		duplex_abort(&peer->duplex, lane);
}

void peer_part(struct peer *peer)
{
	plane_remove(peer->port);
	peer->port = NULL;
	peer->conf = NULL;
	break_off(peer);
}

/* The original hears of its address when it asks anew, which it does at once after an end. */
static void tell_original(struct peer *peer, const struct weft_tunnel_interface *before,
			  const struct weft_tunnel_client *conf)
{
	char old[TUNNEL_CONF_TEXT] = "", new[TUNNEL_CONF_TEXT] = "";
	if (terms_print(before, peer->conf, old) < 0 ||
	    terms_print(peer->netif->conf, conf, new) < 0 || strcmp(old, new) != 0)
		duplex_end(&peer->duplex);
}

static void tell_weft(struct peer *peer, const struct weft_tunnel_interface *before,
		      const struct weft_tunnel_client *conf, struct peer_texts *texts)
{
	const unsigned lanes = peer->duplex.lanes_n;
	terms_of(before, peer->conf, lanes, &texts->before);
	terms_of(peer->netif->conf, conf, lanes, &texts->conf);
	if (!terms_are_same(&texts->before, &texts->conf))
		tell_conf(peer, &texts->conf, 0);
}

void peer_apply(struct peer *peer, const struct weft_tunnel_client *conf,
		const struct weft_tunnel_interface *before, struct peer_texts *texts)
{
	if (strcmp(peer->conf->token, conf->token) != 0)
		break_off(peer);
	else if (peer->is_extended)
		tell_weft(peer, before, conf, texts);
	else
		tell_original(peer, before, conf);
	peer->conf = conf;
	plane_join(peer->port, conf);
}

bool peer_end(struct peer *peer)
{
	peer->is_ending = true;
	duplex_end(&peer->duplex);
	return !duplex_has_tx(&peer->duplex);
}

void peer_tick(struct peer *peer, uint64_t now)
{
	const struct duplex_health health = duplex_health(&peer->duplex, now);
	duplex_tick(&peer->duplex, now);
	plane_set_health(peer->port, duplex_has_tx(&peer->duplex),
			 health.is_measured ? health.rtt_ns : 0,
			 health.is_measured ? health.loss_permille : 0, now);
}

json_t *peer_json(const struct peer *peer, uint64_t now)
{
	json_t *object = facts_duplex(&peer->duplex, now);
	(void)json_object_set_new(object, "name", json_string(peer->conf->name));
	(void)json_object_set_new(object, "address", json_string(peer->from));
	(void)json_object_set_new(object, "connected",
				  json_boolean(duplex_has_tx(&peer->duplex)));
	facts_set(object, "connects", peer->connects);
	facts_set(object, "lanes", peer->duplex.lanes_n);
	(void)json_object_update_new(object, plane_port_json(peer->port, now));
	return object;
}
