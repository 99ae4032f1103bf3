/* SPDX-License-Identifier: MIT */
/*
 * Clients are those of the configuration, made with the server and freed with it, so that
 * their addresses lead somewhere also while they are away: into an outbox that forgets.
 */
#include "tunnel/server.h"

#include "base/container.h"
#include "base/refusals.h"
#include "base/time.h"
#include "config/changes.h"
#include "http/http.h"
#include "tunnel/doctor.h"
#include "tunnel/facts.h"
#include "tunnel/gate.h"
#include "tunnel/listening.h"
#include "tunnel/peer.h"
#include "tunnel/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS NS_PER_S

/* A certificate is renewed every few weeks, with days to spare. */
#define CERTIFICATE_NS (60 * NS_PER_S)

struct server {
	struct netif interface;
	struct plane *plane;
	struct listening *listening;
	/* From prepare to commit: */
	const struct weft_tunnel_interface *before;
	struct peer **next_peers; /* of the clients that are new, each at its place */
	size_t next_peers_n;
	struct gate *gate;
	struct waiting_room waiting; /* until the gate knows their tokens */
	struct doctor *doctor;
	struct peer **peers; /* in the order of the configuration's clients */
	size_t peers_n;
	struct list parted; /* struct peer; with requests that have not ended yet */
	struct peer_texts texts;
	struct weft_task task;
	uint64_t tick;
	uint64_t certificate_at; /* when to look at it again */
	bool is_certificate_bad;
	bool is_ending;
	uint64_t refused;
	struct refusals refusals;
};

/* ---- requests ---------------------------------------------------------------------------- */

static struct peer *authenticate(struct server *s, struct http_stream *stream,
				 const struct weft_ip *from, struct http_answer *answer,
				 uint64_t now)
{
	char text[WEFT_IP_TEXT];
	size_t client;
	*answer = (struct http_answer){ .status = 403, .text = "Forbidden" };
	switch (gate_ask(s->gate, s->interface.conf,
			 http_stream_header(stream, "x-api-key"), from, now, &client)) {
	case GATE_KNOWN:
		return s->peers[client];
	case GATE_WRONG:
		s->refused++;
		if (refusals_tell(&s->refusals, now))
			netif_refused(&s->interface, weft_ip_print(from, text), now);
		return NULL;
	case GATE_SILENT:
		s->refused++;
		return NULL;
	case GATE_LATER:
		if (waiting_add(&s->waiting, stream, answer) == 0)
			return NULL;
		break;
	case GATE_BUSY:
		break;
	}
	*answer = (struct http_answer){ .status = 503,
					.text = "Too many new tokens: try again" };
	return NULL;
}

static void on_ready(void *user)
{
	const struct server *s = user;
	waiting_ask(&s->waiting);
}

static void on_request(void *user, struct http_stream *stream,
		       const struct http_request *request, struct http_answer *ret_answer,
		       uint64_t now)
{
	struct server *s = user;
	const char *text = http_stream_header(stream, HELLO_HEADER);
	struct hello hello;
	struct peer_request asked = { .stream = stream,
				      .is_put = strcmp(request->method, "PUT") == 0,
				      .hello = text ? &hello : NULL,
				      .from = gate_address(stream) };
	*ret_answer = (struct http_answer){ .status = 503, .text = "Try again" };
	waiting_drop(&s->waiting, stream);
	struct peer *peer =
		s->is_ending ? NULL
			     : authenticate(s, stream, &asked.from, ret_answer, now);
	if (!peer)
		return;
	if (doctor_is_asked(stream))
		doctor_request(s->doctor, stream, request, ret_answer, now);
	else if (text && hello_parse(text, &hello) < 0)
		*ret_answer =
			(struct http_answer){ .status = 400, .text = "x-weft is none" };
	else
		peer_accept(peer, &asked, &s->texts, ret_answer, now);
}

/* ---- time -------------------------------------------------------------------------------- */

/* Whoever renews it need not tell us. What is wrong with a new one is said once. */
static void watch_certificate(struct server *s, uint64_t now)
{
	struct weft_error err;
	if (now < s->certificate_at)
		return;
	s->certificate_at = now + CERTIFICATE_NS;
	const bool is_bad = listening_renew_certificate(s->listening, &err) < 0;
	if (is_bad && !s->is_certificate_bad)
		weft_log_warning(s->interface.env->log,
				 "the certificate stays as it was: %s", err.text);
	s->is_certificate_bad = is_bad;
}

/* Its clients notice nothing but that the network behind it was away. */
static void renew_device(struct server *s, uint64_t now)
{
	struct weft_link *before = netif_renew(&s->interface, now);
	struct weft_error err;
	if (!before)
		return;
	if (plane_attach(s->plane, s->interface.device, &err) < 0)
		weft_log_error(s->interface.env->log, "%s", err.text);
	netif_bury(&s->interface, before);
}

static void tell_rest_of_refusals(struct server *s, uint64_t now)
{
	const uint64_t rest = refusals_rest(&s->refusals, now);
	if (rest > 0)
		netif_refused_more(&s->interface, rest, now);
}

static void server_run(struct weft_task *task, uint64_t now)
{
	struct server *s = container_of(task, struct server, task);
	if (now < s->tick)
		return;
	s->tick = now + TICK_NS;
	if (netif_is_lost(&s->interface, now))
		renew_device(s, now);
	watch_certificate(s, now);
	listening_tick(s->listening);
	tell_rest_of_refusals(s, now);
	for (size_t i = 0; i < s->peers_n; i++)
		peer_tick(s->peers[i], now);
	plane_tick(s->plane, now);
}

static uint64_t server_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct server, task)->tick;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int make_peers(struct server *s, struct weft_error *err)
{
	const struct weft_tunnel_interface *conf = s->interface.conf;
	int r = 0;
	s->peers = calloc(conf->clients_n + 1, sizeof(void *));
	if (!s->peers)
		return weft_error_set(err, -ENOMEM, "out of memory");
	while (s->peers_n < conf->clients_n) {
		struct peer **peer = &s->peers[s->peers_n];
		r = peer_new(&s->interface, s->plane, &conf->clients[s->peers_n], err,
			     peer);
		if (r < 0)
			break;
		plane_join((*peer)->port, (*peer)->conf);
		s->peers_n++;
	}
	return r;
}

static int add_tasks(struct server *s, struct weft_error *err)
{
	struct weft_loop *loop = s->interface.env->loop;
	int r = weft_loop_add(loop, doctor_task(s->doctor));
	if (r == 0)
		r = weft_loop_add(loop, &s->task);
	if (r < 0)
		return weft_error_set(err, r, "cannot watch %s: %s",
				      s->interface.conf->name, strerror(-r));
	return netif_start(&s->interface, err);
}

static int start(struct server *s, const struct environment *env,
		 const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	const struct gate_opts gate = {
		.secret = env->secret, .loop = env->loop, .ready = on_ready, .user = s
	};
	const struct listening_user user = { .request = on_request, .user = s };
	int r = gate_new(&gate, &s->gate);
	if (r == 0)
		r = doctor_new(weft_loop_now(env->loop), &s->doctor);
	if (r < 0)
		return weft_error_set(err, r, "out of memory");
	r = netif_open(&s->interface, env, conf, err);
	if (r == 0)
		r = plane_new(conf, env->secret, s->interface.device, err, &s->plane);
	if (r == 0)
		r = make_peers(s, err);
	if (r == 0)
		r = listening_new(env, conf, &user, err, &s->listening);
	return r < 0 ? r : add_tasks(s, err);
}

int server_new(const struct environment *env, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct server **ret_server)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return weft_error_set(err, -ENOMEM, "out of memory");
	s->interface.env = env;
	list_init(&s->parted);
	waiting_init(&s->waiting);
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

bool server_end(struct server *s)
{
	bool has_ended = true;
	s->is_ending = true;
	for (size_t i = 0; i < s->peers_n; i++)
		has_ended &= peer_end(s->peers[i]);
	return has_ended;
}

/* With the HTTP server all requests come to their end, and so do those that have parted. */
void server_free(struct server *s)
{
	if (!s)
		return;
	struct weft_loop *loop = s->interface.env->loop;
	weft_loop_remove(loop, &s->task);
	for (size_t i = 0; i < s->peers_n; i++)
		s->peers[i]->is_ending = true;
	listening_free(s->listening);
	if (s->doctor)
		weft_loop_remove(loop, doctor_task(s->doctor));
	doctor_free(s->doctor);
	for (size_t i = 0; i < s->peers_n; i++)
		peer_free(s->peers[i]);
	free(s->peers);
	plane_free(s->plane);
	netif_close(&s->interface);
	gate_free(s->gate);
	free(s);
}

/* ---- another configuration --------------------------------------------------------------- */

/* Makes those of the new clients, which have no networks before the commit. */
static int prepare_peers(struct server *s, const struct weft_tunnel_interface *conf,
			 struct weft_error *err)
{
	int r = 0;
	s->next_peers = calloc(conf->clients_n + 1, sizeof(void *));
	if (!s->next_peers)
		return weft_error_set(err, -ENOMEM, "out of memory");
	s->next_peers_n = conf->clients_n;
	for (size_t i = 0; i < conf->clients_n && r == 0; i++)
		if (!changes_find_client(s->before, conf->clients[i].name))
			r = peer_new(&s->interface, s->plane, &conf->clients[i], err,
				     &s->next_peers[i]);
	return r;
}

int server_prepare(struct server *s, const struct weft_tunnel_interface *conf,
		   struct weft_error *err)
{
	s->before = s->interface.conf;
	int r = netif_prepare(&s->interface, conf, err);
	if (r == 0)
		r = plane_prepare(s->plane, conf, err);
	if (r == 0)
		r = prepare_peers(s, conf, err);
	if (r == 0)
		r = listening_prepare(s->listening, conf, err);
	if (r < 0)
		server_cancel(s);
	return r;
}

void server_cancel(struct server *s)
{
	listening_cancel(s->listening);
	for (size_t i = 0; i < s->next_peers_n; i++)
		peer_free(s->next_peers[i]);
	free(s->next_peers);
	s->next_peers = NULL;
	s->next_peers_n = 0;
	plane_cancel(s->plane);
	netif_cancel(&s->interface);
}

static void part(struct server *s, struct peer *peer)
{
	peer_part(peer);
	if (peer->requests == 0)
		peer_free(peer);
	else
		list_push_back(&s->parted, &peer->parted);
}

/* Where the peer of a client will be in the new order; false: it is a client no more. */
static bool keep(struct server *s, struct peer *peer)
{
	const struct weft_tunnel_interface *conf = s->interface.conf;
	const struct weft_tunnel_client *now =
		changes_find_client(conf, peer->conf->name);
	if (now)
		s->next_peers[now - conf->clients] = peer;
	return now;
}

/* Gives a peer, which may be a new one, its entry in the new configuration. */
static void apply_to(struct server *s, struct peer *peer,
		     const struct weft_tunnel_client *conf)
{
	if (peer->conf == conf)
		plane_join(peer->port, conf);
	else
		peer_apply(peer, conf, s->before, &s->texts);
}

/* Those that are no more make way before others take their networks. */
static void change_peers(struct server *s)
{
	const struct weft_tunnel_interface *conf = s->interface.conf;
	plane_commit(s->plane);
	for (size_t i = 0; i < s->peers_n; i++)
		if (!keep(s, s->peers[i]))
			part(s, s->peers[i]);
	free(s->peers);
	s->peers = s->next_peers;
	s->peers_n = s->next_peers_n;
	s->next_peers = NULL;
	s->next_peers_n = 0;
	for (size_t i = 0; i < s->peers_n; i++)
		apply_to(s, s->peers[i], &conf->clients[i]);
}

void server_commit(struct server *s)
{
	netif_commit(&s->interface);
	change_peers(s);
	gate_forget_wrong(s->gate);
	listening_commit(s->listening);
}

struct netif *server_interface(struct server *s)
{
	return &s->interface;
}

/* ---- facts ------------------------------------------------------------------------------- */

void server_count(const struct server *s, struct weft_tunnels_stats *stats)
{
	stats->interfaces++;
	for (size_t i = 0; i < s->peers_n; i++) {
		stats->peers += duplex_has_tx(&s->peers[i]->duplex);
		facts_count_duplex(&s->peers[i]->duplex, stats);
	}
	stats->drops += weft_link_stats(s->interface.device).tx_dropped;
	stats->drops += plane_dropped(s->plane);
}

json_t *server_json(const struct server *s, uint64_t now)
{
	json_t *object = facts_interface(&s->interface);
	json_t *peers = json_array();
	for (size_t i = 0; i < s->peers_n; i++)
		(void)json_array_append_new(peers, peer_json(s->peers[i], now));
	facts_set(object, "refused", s->refused);
	(void)json_object_update_new(object, plane_json(s->plane, now));
	(void)json_object_set_new(object, "peers", peers);
	return object;
}
