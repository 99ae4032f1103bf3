/* SPDX-License-Identifier: MIT */
/*
 * Nothing comes from the environment (http_proxy, no_proxy, .netrc): what a program does is
 * what its options say.
 */
#include "http/setup.h"

#include "base/proxy.h"
#include "io/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIN_LEN            32u
#define PIN_TEXT           64u /* "sha256//", 44 characters of base64, NUL */
#define CONNECT_TIMEOUT_MS 30000L

/*
 * The longest that RFC 8305, 5 lets the second family wait for the first, for here it is the
 * handshakes with a proxy and of TLS that have to be over by then.
 */
#define FIRST_FAMILY_MS 2000L

/* Of HTTP/2; with larger ones libcurl 7.88 loses bytes where the peer's window is small. */
#define HTTP2_UPLOAD_LEN 16384L

struct setup {
	char *proxy;
	char *ca_file;
	char pin[PIN_TEXT];                     /* Empty for none. */
	char congestion[SOCKET_CONGESTION_LEN]; /* Likewise. */
	long family;                            /* CURL_IPRESOLVE_* */
	long first_family; /* Likewise; CURL_IPRESOLVE_WHATEVER for none. */
	long http_version;
};

/* RFC 4648, 4. */
static void base64(const uint8_t *bytes, size_t len, char *ret_text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	char *at = ret_text;
	for (size_t i = 0; i < len; i += 3) {
		unsigned a = bytes[i];
		unsigned b = i + 1 < len ? bytes[i + 1] : 0;
		unsigned c = i + 2 < len ? bytes[i + 2] : 0;
		*at++ = letters[a >> 2];
		*at++ = letters[(a & 3u) << 4 | b >> 4];
		*at++ = letters[i + 1 < len ? (b & 15u) << 2 | c >> 6 : 64];
		*at++ = letters[i + 2 < len ? c & 63u : 64];
	}
	*at = '\0';
}

static int check_ca_file(const char *path, struct weft_error *err)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return weft_error_set(err, -errno, "%s: %s", path, strerror(errno));
	(void)fclose(file);
	return 0;
}

/*
 * curl would say it too, but only when the first request fails. There may be a password in the
 * URL: it is not repeated.
 */
static int check_proxy(const char *proxy, struct weft_error *err)
{
	for (const char *const *scheme = proxy_schemes; *scheme; scheme++)
		if (strncasecmp(proxy, *scheme, strlen(*scheme)) == 0)
			return 0;
	return weft_error_set(err, -EINVAL,
			      "the URL of a proxy begins with " PROXY_SCHEMES_TEXT
			      ", such as http://HOST:PORT");
}

static long resolve_of(unsigned family)
{
	return family == AF_INET    ? CURL_IPRESOLVE_V4
	       : family == AF_INET6 ? CURL_IPRESOLVE_V6
				    : CURL_IPRESOLVE_WHATEVER;
}

static int setup_fill(struct setup *s, const struct http_client_opts *opts,
		      struct weft_error *err)
{
	int r = opts->proxy ? check_proxy(opts->proxy, err) : 0;
	if (r == 0 && opts->ca_file)
		r = check_ca_file(opts->ca_file, err);
	if (r == 0)
		r = http_check_congestion(opts->congestion, err);
	if (r < 0)
		return r;
	s->proxy = strdup(opts->proxy ? opts->proxy : "");
	s->ca_file = opts->ca_file ? strdup(opts->ca_file) : NULL;
	setup_set_congestion(s, opts->congestion);
	if (!s->proxy || (opts->ca_file && !s->ca_file))
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	if (opts->pin) {
		(void)snprintf(s->pin, sizeof(s->pin), "sha256//");
		base64(opts->pin, PIN_LEN, s->pin + strlen(s->pin));
	}
	s->family = resolve_of(opts->family);
	s->first_family = resolve_of(opts->first_family);
	s->http_version = opts->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
	return 0;
}

int setup_new(const struct http_client_opts *opts, struct weft_error *err,
	      struct setup **ret_setup)
{
	struct setup *s = calloc(1, sizeof(*s));
	if (!s)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(s);
		return weft_error_set(err, -ENOMEM, "libcurl cannot be set up");
	}
	int r = setup_fill(s, opts, err);
	if (r < 0) {
		setup_free(s);
		return r;
	}
	*ret_setup = s;
	return 0;
}

void setup_free(struct setup *setup)
{
	if (!setup)
		return;
	curl_global_cleanup();
	free(setup->proxy);
	free(setup->ca_file);
	free(setup);
}

/* ---- a request --------------------------------------------------------------------------- */

static void apply_tls(const struct setup *s, CURL *easy)
{
	if (s->ca_file)
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file);
	if (s->pin[0] == '\0')
		return;
	/* The key itself is known: neither who signed it matters, nor for which name. */
	(void)curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, s->pin);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

const char *setup_congestion(const struct setup *setup)
{
	return setup->congestion[0] ? setup->congestion : NULL;
}

void setup_set_congestion(struct setup *setup, const char *congestion)
{
	(void)snprintf(setup->congestion, sizeof(setup->congestion), "%s",
		       congestion ? congestion : "");
}

/* What it cannot have now was tried when the client was made: no reason not to connect. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype what)
{
	const struct setup *s = user;
	(void)what;
	(void)socket_tune(fd, setup_congestion(s));
	return CURL_SOCKOPT_OK;
}

static void apply_ways(const struct setup *s, CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, s->proxy);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_IPRESOLVE, s->family);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, s);
	/* Signals are the program's. */
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

int setup_apply(const struct setup *setup, const struct http_client_request *request,
		CURL *easy)
{
	if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK)
		return -ENOMEM;
	if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
		return -EINVAL;
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, setup->http_version);
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)HTTP_OUTPUT_MAX);
	(void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
			       setup->http_version == CURL_HTTP_VERSION_1_1
				       ? (long)HTTP_OUTPUT_MAX
				       : HTTP2_UPLOAD_LEN);
	/* What a GET brings is taken out of its chunks here. */
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING,
			       request->is_put ? 1L : 0L);
	/* Without a size, which makes it chunked. */
	(void)curl_easy_setopt(easy, CURLOPT_UPLOAD, request->is_put ? 1L : 0L);
	apply_ways(setup, easy);
	apply_tls(setup, easy);
	return 0;
}

/* ---- one family before the other --------------------------------------------------------- */

bool setup_has_preference(const struct setup *setup)
{
	return setup->first_family != CURL_IPRESOLVE_WHATEVER;
}

void setup_set_preference(const struct setup *setup, CURL *easy, bool is_alone)
{
	(void)curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
			       is_alone ? setup->first_family : setup->family);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			       is_alone ? FIRST_FAMILY_MS : CONNECT_TIMEOUT_MS);
	/* What is kept of a name is of one family, and would be taken for all of it. */
	(void)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
}

bool setup_may_fall_back(CURLcode result)
{
	return result == CURLE_COULDNT_RESOLVE_HOST ||
	       result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_COULDNT_CONNECT ||
	       result == CURLE_OPERATION_TIMEDOUT;
}

/* The session is there once its handshake is done, if it is one of GnuTLS. */
static bool session_of(CURL *easy, gnutls_session_t *ret_session)
{
	const struct curl_tlssessioninfo *tls = NULL;
	(void)curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &tls);
	if (!tls || tls->backend != CURLSSLBACKEND_GNUTLS || !tls->internals)
		return false;
	*ret_session = tls->internals;
	return true;
}

bool setup_way_past(const struct setup *setup, CURL *easy, gnutls_session_t *ret_session)
{
	const char *scheme = NULL;
	(void)curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
	if (!scheme || strncasecmp(setup->proxy, "https:", 6) == 0)
		return false;
	if (strcasecmp(scheme, "http") == 0) {
		*ret_session = NULL;
		return true;
	}
	/* HTTP/2 has frames in place of chunks. */
	return setup->http_version == CURL_HTTP_VERSION_1_1 &&
	       session_of(easy, ret_session);
}

/* ---- what went wrong --------------------------------------------------------------------- */

static const char *advice(const struct setup *s, const struct setup_end *end)
{
	switch (end->result) {
	case CURLE_UNSUPPORTED_PROTOCOL: /* Also: the answer is none of HTTP/1. */
		if (strncasecmp(end->url, "http", 4) == 0)
			return "check that the server speaks HTTP on this port";
		return "write http://HOST[:PORT]/ or https://HOST[:PORT]/";
	case CURLE_URL_MALFORMAT:
		return "write http://HOST[:PORT]/ or https://HOST[:PORT]/";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "check the name, and this machine's DNS";
	case CURLE_COULDNT_RESOLVE_PROXY:
		return "check the proxy's name, and this machine's DNS";
	case CURLE_COULDNT_CONNECT:
		return s->proxy[0]
			       ? "check that the proxy and the server run, and the ports"
			       : "check that the server runs, its port and firewalls";
	case CURLE_OPERATION_TIMEDOUT:
		return "check the address, and firewalls on the way";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "check the name in the URL; name the CA that signed the "
		       "certificate, or pin its key";
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return "the server has another key than the pinned one: ask who runs it";
	case CURLE_SSL_CACERT_BADFILE:
		return s->ca_file ? "the CA file must hold certificates in PEM form"
				  : "install ca-certificates; name the CA that signed "
				    "the certificate, or pin its key";
	case CURLE_SSL_CONNECT_ERROR:
		return "check that the server speaks TLS on this port";
	case CURLE_GOT_NOTHING:
	case CURLE_WEIRD_SERVER_REPLY:
		return "check that the server speaks HTTP on this port";
	default:
		return NULL;
	}
}

static void explain_status(const struct setup_end *end, struct weft_error *ret_error)
{
	if (end->status >= 300 && end->status < 400 && end->location)
		(void)weft_error_set(ret_error, 0,
				     "%s answers %u and leads to %s: name that address",
				     end->url, end->status, end->location);
	else if (end->status == 401 || end->status == 403)
		(void)weft_error_set(ret_error, 0, "%s answers %u: check the token",
				     end->url, end->status);
	else
		(void)weft_error_set(ret_error, 0, "%s answers %u", end->url,
				     end->status);
}

void setup_explain(const struct setup *setup, const struct setup_end *end,
		   struct weft_error *ret_error)
{
	const char *text = end->text[0] ? end->text : curl_easy_strerror(end->result);
	const char *what_to_do = advice(setup, end);

	if (end->is_head_too_long)
		(void)weft_error_set(ret_error, 0,
				     "%s answers with a head of more than %u bytes",
				     end->url, HTTP_HEAD_MAX);
	else if (end->status && (end->status < 200 || end->status >= 300))
		explain_status(end, ret_error);
	else if (what_to_do)
		(void)weft_error_set(ret_error, 0, "%s: %s; %s", end->url, text,
				     what_to_do);
	else
		(void)weft_error_set(ret_error, 0, "%s: %s", end->url, text);
}
