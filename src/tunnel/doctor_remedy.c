/* SPDX-License-Identifier: MIT */
/*
 * Each of them is tried against the proxy in question (tests/e2e/test_doctor.py), and stands in
 * packaging/proxies.
 */
#include "tunnel/doctor_remedy.h"

#include <assert.h>

#define LINES_EACH 3u

/* A proxy's row may be empty: it does no such thing. */
static const char *const table[REMEDIES][DOCTOR_KNOWN][LINES_EACH] = {
	[REMEDY_RESPONSE_BUFFERED] = {
		[DOCTOR_NGINX] = { "proxy_buffering off;" },
		[DOCTOR_CADDY] = { "flush_interval -1 (in reverse_proxy; and no "
				   "response_buffers there)" },
		[DOCTOR_HAPROXY] = { "option http-no-delay",
				     "(no filter that waits for the whole response)" },
		[DOCTOR_APACHE] = { "ProxyPass /tunnel/ ... flushpackets=on",
				   "(no filter that waits for the whole response)" },
	},
	[REMEDY_REQUEST_BUFFERED] = {
		[DOCTOR_NGINX] = { "proxy_request_buffering off;",
				   "proxy_http_version 1.1;" },
		[DOCTOR_CADDY] = { "(no request_buffers and no buffer_requests in "
				   "reverse_proxy)" },
		[DOCTOR_HAPROXY] = { "no option http-buffer-request",
				     "(no http-request wait-for-body)" },
		[DOCTOR_APACHE] = { "SetEnv proxy-sendchunked 1",
				    "(no SetEnv proxy-sendcl, no SetInputFilter)" },
	},
	[REMEDY_HTTP10] = {
		[DOCTOR_NGINX] = { "proxy_http_version 1.1;",
				   "proxy_set_header Connection \"\";" },
		[DOCTOR_CADDY] = { "versions 1.1 (in transport http of reverse_proxy)" },
		[DOCTOR_HAPROXY] = { "(nothing that rewrites the version of requests)" },
		[DOCTOR_APACHE] = { "(no SetEnv force-proxy-request-1.0)" },
	},
	[REMEDY_RESPONSE_TIMEOUT] = {
		[DOCTOR_NGINX] = { "proxy_read_timeout 95m;", "send_timeout 95m;" },
		[DOCTOR_CADDY] = { "(no read_timeout in transport http of reverse_proxy)",
				   "(no write in servers { timeouts })" },
		[DOCTOR_HAPROXY] = { "timeout server 95m", "timeout client 95m" },
		[DOCTOR_APACHE] = { "ProxyTimeout 5700",
				    "(no smaller timeout= behind ProxyPass)",
				    "Timeout 5700" },
	},
	[REMEDY_REQUEST_TIMEOUT] = {
		[DOCTOR_NGINX] = { "client_body_timeout 95m;",
				   "proxy_read_timeout 95m;",
				   "proxy_send_timeout 95m;" },
		[DOCTOR_CADDY] = { "(no read_body in servers { timeouts })",
				   "(no read_timeout, write_timeout and "
				   "response_header_timeout in transport http)" },
		[DOCTOR_HAPROXY] = { "timeout client 95m", "timeout server 95m" },
		[DOCTOR_APACHE] = { "RequestReadTimeout header=20-40,MinRate=500 body=0",
				    "Timeout 5700", "ProxyTimeout 5700" },
	},
	[REMEDY_BODY_LIMIT] = {
		[DOCTOR_NGINX] = { "client_max_body_size 0;" },
		[DOCTOR_CADDY] = { "(no max_size in request_body)" },
		[DOCTOR_HAPROXY] = { "(no http-request deny by req.body_size)" },
		[DOCTOR_APACHE] = { "(no SecRequestBodyLimit of mod_security; "
				    "LimitRequestBody is not for proxies)" },
	},
	[REMEDY_HEAD_LIMIT] = {
		[DOCTOR_NGINX] = { "proxy_buffer_size 64k;",
				   "large_client_header_buffers 4 16k;" },
		[DOCTOR_CADDY] = { "max_header_size 64KiB (in the global options' servers)" },
		[DOCTOR_HAPROXY] = { "tune.bufsize 131072 (in global)" },
		[DOCTOR_APACHE] = { "LimitRequestFieldSize 16380" },
	},
	[REMEDY_COMPRESSED] = {
		[DOCTOR_NGINX] = { "gzip off;" },
		[DOCTOR_CADDY] = { "(no encode in front of the reverse_proxy)" },
		[DOCTOR_HAPROXY] = { "(no compression algo in the backend)" },
		[DOCTOR_APACHE] = { "SetEnv no-gzip 1", "SetEnv no-brotli 1" },
	},
	[REMEDY_NO_HTTP2] = {
		[DOCTOR_NGINX] = { "listen 443 ssl http2; (1.25 and newer: http2 on;)" },
		[DOCTOR_CADDY] = { "protocols h1 h2 (in the global options' servers)" },
		[DOCTOR_HAPROXY] = { "bind :443 ssl crt ... alpn h2,http/1.1" },
		[DOCTOR_APACHE] = { "Protocols h2 http/1.1 (with a2enmod http2)" },
	},
	[REMEDY_NO_BACKEND] = {
		[DOCTOR_NGINX] = { "proxy_pass http://127.0.0.1:8080;" },
		[DOCTOR_CADDY] = { "reverse_proxy 127.0.0.1:8080" },
		[DOCTOR_HAPROXY] = { "server weft 127.0.0.1:8080" },
		[DOCTOR_APACHE] = { "ProxyPass /tunnel/ http://127.0.0.1:8080/tunnel/ "
				    "flushpackets=on" },
	},
	[REMEDY_ELSEWHERE] = {
		[DOCTOR_NGINX] = { "location /tunnel/ { ... }" },
		[DOCTOR_CADDY] = { "handle /tunnel/* { ... }" },
		[DOCTOR_HAPROXY] = { "use_backend tunnel if { path_beg /tunnel/ }" },
		[DOCTOR_APACHE] = { "<Location /tunnel/>" },
	},
	[REMEDY_BARRED] = {
		[DOCTOR_NGINX] = { "auth_basic off; (no deny, no limit_except for it)" },
		[DOCTOR_CADDY] = { "(no basicauth for /tunnel/*)" },
		[DOCTOR_HAPROXY] = { "(no http-request auth and deny for /tunnel/)" },
		[DOCTOR_APACHE] = { "Require all granted" },
	},
	[REMEDY_FORWARDED] = {
		[DOCTOR_NGINX] = { "proxy_set_header X-Forwarded-For "
				   "$proxy_add_x_forwarded_for;" },
		[DOCTOR_CADDY] = { "(no header_up -X-Forwarded-For)" },
		[DOCTOR_HAPROXY] = { "http-request set-header X-Forwarded-For %[src]" },
		[DOCTOR_APACHE] = { "ProxyAddHeaders On" },
	},
};

static void add_lines(enum remedy remedy, enum doctor_proxy proxy,
		      struct weft_doctor_finding *finding)
{
	static_assert(LINES_EACH * DOCTOR_KNOWN <= WEFT_DOCTOR_LINES_MAX, "");
	for (unsigned i = 0; i < LINES_EACH && table[remedy][proxy][i]; i++)
		finding->lines[finding->lines_n++] =
			(struct weft_doctor_line){ .proxy = doctor_proxy_name(proxy),
						   .text = table[remedy][proxy][i] };
}

void remedy_add(enum remedy remedy, enum doctor_proxy proxy,
		struct weft_doctor_finding *finding)
{
	if (remedy == REMEDY_NONE)
		return;
	if (proxy < DOCTOR_KNOWN) {
		add_lines(remedy, proxy, finding);
		return;
	}
	for (unsigned i = 0; i < DOCTOR_KNOWN; i++)
		add_lines(remedy, (enum doctor_proxy)i, finding);
}
