/* SPDX-License-Identifier: MIT */
/*
 * The token is in a header that is made once, and wiped at the end.
 */
#include "tunnel/caller.h"

#include "wire/tunnel_conf.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct caller {
	const struct weft_tunnel_interface *conf;
	struct weft_loop *loop;
	struct http_client *http;
	char *name; /* the URL, without a password that it may hold */
	char *key_header;
	char hello_header[sizeof(HELLO_HEADER ": ") + HELLO_TEXT];
	const char **headers; /* key, hello, those of the configuration, NULL */
};

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

static void fill_headers(struct caller *c)
{
	const struct weft_tunnel_interface *conf = c->conf;
	size_t n = 0;
	c->headers[n++] = c->key_header;
	if (!conf->is_compat)
		c->headers[n++] = c->hello_header;
	for (size_t i = 0; i < conf->headers_n; i++)
		c->headers[n++] = conf->headers[i];
}

static int make_texts(struct caller *c)
{
	const struct weft_tunnel_interface *conf = c->conf;
	size_t len = sizeof("x-api-key: ") + strlen(conf->raw_token);
	c->name = name_of(conf->url);
	c->key_header = malloc(len);
	c->headers = calloc(conf->headers_n + 3, sizeof(*c->headers));
	if (!c->name || !c->key_header || !c->headers)
		return -ENOMEM;
	(void)snprintf(c->key_header, len, "x-api-key: %s", conf->raw_token);
	fill_headers(c);
	return 0;
}

static int start(struct caller *c, struct weft_error *err)
{
	const struct weft_tunnel_interface *conf = c->conf;
	const struct http_client_opts opts = { .proxy = conf->proxy,
					       .ca_file = conf->ca_file,
					       .pin = conf->has_pin ? conf->pin : NULL,
					       .family = conf->family,
					       .first_family = conf->first_family,
					       .http2 = conf->http2,
					       .congestion = conf->congestion };
	if (make_texts(c) < 0)
		return weft_error_set(err, -ENOMEM, "out of memory");
	int r = http_client_new(&opts, err, &c->http);
	if (r < 0)
		return r;
	r = weft_loop_add(c->loop, http_client_task(c->http));
	if (r < 0)
		return weft_error_set(err, r, "cannot watch the connection to %s: %s",
				      c->name, strerror(-r));
	return 0;
}

int caller_new(struct weft_loop *loop, const struct weft_tunnel_interface *conf,
	       struct weft_error *err, struct caller **ret_caller)
{
	struct caller *c = calloc(1, sizeof(*c));
	if (!c)
		return weft_error_set(err, -ENOMEM, "out of memory");
	c->conf = conf;
	c->loop = loop;
	int r = start(c, err);
	if (r < 0) {
		caller_free(c);
		return r;
	}
	*ret_caller = c;
	return 0;
}

void caller_free(struct caller *caller)
{
	if (!caller)
		return;
	if (caller->http)
		weft_loop_remove(caller->loop, http_client_task(caller->http));
	http_client_free(caller->http);
	if (caller->key_header)
		sodium_memzero(caller->key_header, strlen(caller->key_header));
	free(caller->key_header);
	free(caller->headers);
	free(caller->name);
	free(caller);
}

static bool is_other_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool has_other_headers(const struct weft_tunnel_interface *a,
			      const struct weft_tunnel_interface *b)
{
	if (a->headers_n != b->headers_n)
		return true;
	for (size_t i = 0; i < a->headers_n; i++)
		if (strcmp(a->headers[i], b->headers[i]) != 0)
			return true;
	return false;
}

bool caller_is_other(const struct weft_tunnel_interface *a,
		     const struct weft_tunnel_interface *b)
{
	return is_other_text(a->url, b->url) ||
	       is_other_text(a->raw_token, b->raw_token) ||
	       is_other_text(a->proxy, b->proxy) ||
	       is_other_text(a->ca_file, b->ca_file) || a->has_pin != b->has_pin ||
	       memcmp(a->pin, b->pin, sizeof(a->pin)) != 0 || a->http2 != b->http2 ||
	       a->family != b->family || a->first_family != b->first_family ||
	       a->streams != b->streams || a->is_compat != b->is_compat ||
	       has_other_headers(a, b);
}

int caller_check(const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	return http_check_congestion(conf->congestion, err);
}

void caller_move(struct caller *caller, const struct weft_tunnel_interface *conf)
{
	if (is_other_text(caller->conf->congestion, conf->congestion))
		http_client_set_congestion(caller->http, conf->congestion);
	caller->conf = conf;
	fill_headers(caller);
}

/* ---- requests ---------------------------------------------------------------------------- */

const char *caller_name(const struct caller *caller)
{
	return caller->name;
}

unsigned caller_streams(const struct caller *caller)
{
	const unsigned n = caller->conf->streams;
	if (n == 0)
		return 1;
	return n < WEFT_TUNNEL_STREAMS_MAX ? n : WEFT_TUNNEL_STREAMS_MAX;
}

int caller_open(struct caller *caller, const struct caller_request *request,
		struct http_stream **ret_stream)
{
	const struct http_client_request opts = {
		.url = caller->conf->url,
		.is_put = request->is_put,
		.headers = caller->headers,
		.events = request->events,
		.user = request->user,
	};
	char text[HELLO_TEXT];
	hello_print(request->hello, text);
	(void)snprintf(caller->hello_header, sizeof(caller->hello_header),
		       HELLO_HEADER ": %s", text);
	return http_client_open(caller->http, &opts, ret_stream);
}

/* ---- answers ----------------------------------------------------------------------------- */

/* Several addresses and routes are in the long form only. */
static int read_original(const char *text, struct hello_conf *ret_conf)
{
	struct tunnel_conf conf;
	if (tunnel_conf_parse(text, &conf) < 0)
		return -EBADMSG;
	memset(ret_conf, 0, sizeof(*ret_conf));
	ret_conf->mtu = conf.mtu;
	ret_conf->lanes = 1;
	for (; ret_conf->ips_n < conf.ips_n && ret_conf->ips_n < HELLO_IPS_MAX;
	     ret_conf->ips_n++)
		ret_conf->ips[ret_conf->ips_n] = conf.ips[ret_conf->ips_n];
	for (; ret_conf->routes_n < conf.routes_n; ret_conf->routes_n++)
		ret_conf->routes[ret_conf->routes_n] = conf.routes[ret_conf->routes_n];
	return 0;
}

static int check_mode(const struct caller *c, const struct hello_conf *conf,
		      struct weft_error *err)
{
	if (conf->mode == c->conf->mode)
		return 0;
	return weft_error_set(err, -EBADMSG,
			      "%s carries %s: set \"mode\" to \"%s\", or ask for another "
			      "tunnel",
			      c->name, conf->mode == WEFT_TUNNEL_IP ? "IP" : "Ethernet",
			      conf->mode == WEFT_TUNNEL_IP ? "ip" : "ethernet");
}

int caller_answer(const struct caller *caller, const struct http_stream *stream,
		  struct hello_conf *ret_conf, struct weft_error *err)
{
	const char *text = http_stream_header(stream, HELLO_CONF_HEADER);
	enum caller_peer peer = CALLER_WEFT;
	int r = text ? hello_conf_parse(text, ret_conf) : -ENOENT;
	if (!text) {
		peer = CALLER_ORIGINAL;
		text = http_stream_header(stream, "x-tun-conf");
		r = text ? read_original(text, ret_conf) : -ENOENT;
	}
	if (!text)
		return weft_error_set(err, -EBADMSG,
				      "the answer has no header x-tun-conf: is %s the "
				      "URL of a tunnel?",
				      caller->name);
	if (r < 0)
		return weft_error_set(
			err, -EBADMSG, "the server's %s \"%.80s\" is none",
			peer == CALLER_WEFT ? HELLO_CONF_HEADER : "x-tun-conf", text);
	r = check_mode(caller, ret_conf, err);
	return r < 0 ? r : (int)peer;
}
