/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong here is most often another program on the same port.
 */
#include "tunnel/listening.h"

#include "base/net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONNS_MAX                 262144u
#define STRANGERS_MAX             4096u
#define STRANGERS_PER_ADDRESS_MAX 256u

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
 * is room for strangers, who are nobody until their token is known.
 */
static unsigned conns_of(const struct weft_tunnel_interface *conf)
{
	const size_t own = conf->clients_n * 2 * WEFT_TUNNEL_STREAMS_MAX;
	return (unsigned)(own < CONNS_MAX ? own : CONNS_MAX);
}

int listening_new(struct weft_loop *loop, const struct weft_tunnel_interface *conf,
		  const struct listening_user *user, struct weft_error *err,
		  struct http_server **ret_http)
{
	const struct http_server_opts opts = {
		.listen = place_of(conf),
		.cert_file = conf->tls_cert,
		.key_file = conf->tls_key,
		.congestion = conf->congestion,
		.conns_max = conns_of(conf) + STRANGERS_MAX,
		.conns_per_address_max = conns_of(conf) + STRANGERS_PER_ADDRESS_MAX,
		.request = user->request,
		.user = user->user
	};
	struct http_server *http;
	int r = http_server_new(&opts, err, &http);
	if (r < 0)
		return explain(conf, r, err);
	r = weft_loop_add(loop, http_server_task(http));
	if (r < 0) {
		http_server_free(http);
		return weft_error_set(err, r, "cannot watch TCP port %u: %s", conf->port,
				      strerror(-r));
	}
	*ret_http = http;
	return 0;
}

void listening_free(struct weft_loop *loop, struct http_server *http)
{
	if (http)
		weft_loop_remove(loop, http_server_task(http));
	http_server_free(http);
}
