/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong here is most often another program on the same port.
 */
#include "tunnel/listening.h"

#include "base/net.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNS_MIN                 16u
#define CONNS_MAX                 262144u
#define STRANGERS_MAX             4096u
#define STRANGERS_PER_ADDRESS_MAX 256u

/* Room is doubled, from CONNS_MIN to CONNS_MAX, and each time one may be left behind. */
#define OLDER_MAX 14u

struct listening {
	const struct environment *env;
	struct listening_user user;
	const struct weft_tunnel_interface *conf;
	unsigned room; /* for connections of clients */
	struct http_server *http;
	struct http_server *older[OLDER_MAX]; /* with connections of before */
	unsigned older_n;
	/* From prepare to commit: */
	const struct weft_tunnel_interface *next_conf;
	unsigned next_room;
	struct http_server *next_http; /* NULL: http goes on */
};

static union weft_sockaddr place_of(const struct weft_tunnel_interface *conf)
{
	char text[WEFT_IP_TEXT + 10], ip[WEFT_IP_TEXT];
	union weft_sockaddr place = { .in6 = { .sin6_family = AF_UNSPEC } };
	const struct weft_ip address = net_host(&conf->listen);
	if (address.family == 0)
		(void)snprintf(text, sizeof(text), "%u", conf->port);
	else
		(void)snprintf(text, sizeof(text),
			       address.family == AF_INET ? "%s:%u" : "[%s]:%u",
			       weft_ip_print(&address, ip), conf->port);
	if (weft_listen_parse(text, &place) < 0)
		place.sa.sa_family = AF_UNSPEC; /* which cannot be listened at */
	return place;
}

static int explain(const struct weft_tunnel_interface *conf, int r,
		   struct weft_error *err)
{
	struct weft_error cause = *err;
	if (r == -EADDRINUSE)
		return weft_error_set(err, r,
				      "%s: TCP port %u is in use by another program; end "
				      "it, or choose another \"port\"",
				      conf->name, conf->port);
	return weft_error_set(err, r, "%s: %s", conf->name, cause.text);
}

/*
 * Behind a proxy all clients come from one address, each with all its streams; beside them there
 * is room for strangers, who are nobody until their token is known. It never gets less, as those
 * who are clients no more may still be connected.
 */
static unsigned room_for(const struct weft_tunnel_interface *conf, unsigned before)
{
	const size_t wanted = conf->clients_n * 2 * WEFT_TUNNEL_STREAMS_MAX;
	unsigned room = before > CONNS_MIN ? before : CONNS_MIN;
	while (room < wanted && room < CONNS_MAX)
		room *= 2;
	return room;
}

static struct http_server_terms terms_of(const struct weft_tunnel_interface *conf)
{
	return (struct http_server_terms){ .cert_file = conf->tls_cert,
					   .key_file = conf->tls_key,
					   .congestion = conf->congestion };
}

static void http_close(const struct listening *l, struct http_server *http)
{
	if (http)
		weft_loop_remove(l->env->loop, http_server_task(http));
	http_server_free(http);
}

static int http_open(const struct listening *l, const struct weft_tunnel_interface *conf,
		     unsigned room, struct weft_error *err, struct http_server **ret_http)
{
	const struct http_server_opts opts = { .listen = place_of(conf),
					       .listeners = l->env->listeners,
					       .terms = terms_of(conf),
					       .conns_max = room + STRANGERS_MAX,
					       .conns_per_address_max =
						       room + STRANGERS_PER_ADDRESS_MAX,
					       .request = l->user.request,
					       .user = l->user.user };
	struct http_server *http;
	int r = http_server_new(&opts, err, &http);
	if (r < 0)
		return explain(conf, r, err);
	r = weft_loop_add(l->env->loop, http_server_task(http));
	if (r < 0) {
		http_server_free(http);
		return weft_error_set(err, r, "cannot watch TCP port %u: %s", conf->port,
				      strerror(-r));
	}
	*ret_http = http;
	return 0;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int listening_new(const struct environment *env, const struct weft_tunnel_interface *conf,
		  const struct listening_user *user, struct weft_error *err,
		  struct listening **ret_listening)
{
	struct listening *l = calloc(1, sizeof(*l));
	if (!l)
		return weft_error_set(err, -ENOMEM, "out of memory");
	*l = (struct listening){
		.env = env, .user = *user, .conf = conf, .room = room_for(conf, 0)
	};
	int r = http_open(l, conf, l->room, err, &l->http);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret_listening = l;
	return 0;
}

static void close_older(struct listening *l)
{
	while (l->older_n > 0)
		http_close(l, l->older[--l->older_n]);
}

void listening_free(struct listening *l)
{
	if (!l)
		return;
	http_close(l, l->next_http);
	http_close(l, l->http);
	close_older(l);
	free(l);
}

int listening_hold(const struct environment *env,
		   const struct weft_tunnel_interface *conf, struct weft_error *err,
		   struct listener *ret_held)
{
	const union weft_sockaddr place = place_of(conf);
	int r = listener_open(ret_held, env->listeners, &place);
	return r < 0 ? weft_error_set(err, r, "cannot keep TCP port %u: %s", conf->port,
				      strerror(-r))
		     : 0;
}

/* ---- another configuration --------------------------------------------------------------- */

/* Whether those who come by the old way come by the new one as well. */
static bool is_same_way(const struct weft_tunnel_interface *a,
			const struct weft_tunnel_interface *b)
{
	return a->port == b->port && net_is_same(&a->listen, &b->listen) &&
	       !a->tls_cert == !b->tls_cert;
}

static int prepare_older(const struct listening *l, const struct http_server_terms *terms,
			 struct weft_error *err)
{
	int r = 0;
	for (unsigned i = 0; i < l->older_n && r == 0; i++)
		r = http_server_prepare(l->older[i], terms, err);
	return r;
}

int listening_prepare(struct listening *l, const struct weft_tunnel_interface *conf,
		      struct weft_error *err)
{
	const struct http_server_terms terms = terms_of(conf);
	const bool is_same = is_same_way(l->conf, conf);
	int r = 0;
	l->next_conf = conf;
	l->next_room = room_for(conf, is_same ? l->room : 0);
	if (!is_same || l->next_room > l->room)
		r = http_open(l, conf, l->next_room, err, &l->next_http);
	if (r == 0 && is_same)
		r = http_server_prepare(l->http, &terms, err);
	if (r == 0 && is_same)
		r = prepare_older(l, &terms, err);
	if (r < 0)
		listening_cancel(l);
	return r;
}

void listening_cancel(struct listening *l)
{
	http_close(l, l->next_http);
	l->next_http = NULL;
	l->next_conf = NULL;
	http_server_cancel(l->http);
	for (unsigned i = 0; i < l->older_n; i++)
		http_server_cancel(l->older[i]);
}

/* Its connections stay. */
static void leave_behind(struct listening *l, struct http_server *http)
{
	assert(l->older_n < OLDER_MAX);
	http_server_retire(http);
	l->older[l->older_n++] = http;
}

static void change_http(struct listening *l)
{
	if (is_same_way(l->conf, l->next_conf)) {
		leave_behind(l, l->http);
	} else {
		http_close(l, l->http);
		close_older(l);
	}
	l->http = l->next_http;
	l->next_http = NULL;
}

void listening_commit(struct listening *l)
{
	http_server_commit(l->http);
	for (unsigned i = 0; i < l->older_n; i++)
		http_server_commit(l->older[i]);
	if (l->next_http)
		change_http(l);
	l->conf = l->next_conf;
	l->room = l->next_room;
	l->next_conf = NULL;
}

/* ---- time -------------------------------------------------------------------------------- */

void listening_tick(struct listening *l)
{
	for (unsigned i = l->older_n; i-- > 0;) {
		if (!http_server_is_idle(l->older[i]))
			continue;
		http_close(l, l->older[i]);
		l->older[i] = l->older[--l->older_n];
	}
}

int listening_renew_certificate(struct listening *l, struct weft_error *err)
{
	return http_server_reload(l->http, err);
}
