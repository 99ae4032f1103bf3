/* SPDX-License-Identifier: MIT */
/*
 * How two ends of weft recognize each other, in headers that peers of the original pass over:
 *
 *     client  -- x-weft: v=1; mode=ip; lane=0/4; session=0123456789abcdef -->  server
 *     client  <-- x-weft-conf: base64({"v":1,"mode":"ip","mtu":1500, ...}) --  server
 *
 * The first comes with each request. A session is one run of a client's program, by chance: its
 * lanes belong together, and one of another session takes over from all of them. The second
 * comes with the response to a GET that had the first, beside x-tun-conf, and says more: several
 * addresses, IPv6, routes, lanes. Proxies have room for a few thousand bytes of headers, so the
 * routes that do not fit follow in a control record (tunnel/duplex.h), and "more" says so:
 *
 *     {"type":"conf","v":1,"mode":"ip","mtu":1500,"lanes":4,
 *      "ips":["10.0.0.2/24","fd00::2/64"],"routes":["192.168.7.0/24"]}
 *
 * which is also what tells of changes while a client is there. Each is the whole truth: what an
 * earlier one said and this one does not is no more.
 */
#ifndef TUNNEL_HELLO_H
#define TUNNEL_HELLO_H

#include <weft/frame.h>
#include <weft/tunnel.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_HEADER      "x-weft"
#define HELLO_CONF_HEADER "x-weft-conf"

/** Longest x-weft that is written, with its NUL. */
#define HELLO_TEXT 80u

/** Longest x-weft-conf that is written, with its NUL; nginx takes 4 KiB of all headers. */
#define HELLO_CONF_TEXT 3001u

#define HELLO_IPS_MAX    WEFT_TUNNEL_CLIENT_IPS_MAX
#define HELLO_ROUTES_MAX WEFT_TUNNEL_CLIENT_PUSH_MAX

/** What a client says of itself. */
struct hello {
	enum weft_tunnel_mode mode;
	unsigned lane, lanes; /**< lane < lanes <= WEFT_TUNNEL_STREAMS_MAX */
	uint64_t session;
};

/** Writes x-weft. */
void hello_print(const struct hello *hello, char ret_text[HELLO_TEXT]);

/**
 * Reads x-weft. Keys that it does not know are passed over; those that are missing are one lane
 * of IP in session 0. Returns 0, or -EBADMSG.
 */
int hello_parse(const char *text, struct hello *ret_hello) WEFT_MUST_CHECK;

/** What a server says of the client's interface. */
struct hello_conf {
	enum weft_tunnel_mode mode;
	unsigned mtu, lanes;
	bool has_more; /**< A control record with all of it follows. */
	size_t ips_n, routes_n;
	struct weft_ip ips[HELLO_IPS_MAX]; /**< With the prefix of their net. */
	struct weft_ip routes[HELLO_ROUTES_MAX];
};

/**
 * Writes x-weft-conf. Where there is no room for all routes and addresses, some are left out, and
 * it says that there are more. Returns 0 where all is said, 1 where not, or -ENOMEM.
 */
int hello_conf_print(const struct hello_conf *conf,
		     char ret_text[HELLO_CONF_TEXT]) WEFT_MUST_CHECK;

/** Reads x-weft-conf. Returns 0, -EBADMSG or -ENOMEM. */
int hello_conf_parse(const char *text, struct hello_conf *ret_conf) WEFT_MUST_CHECK;

/** Writes the control record's text, which the caller frees; NULL without memory. */
char *hello_conf_record(const struct hello_conf *conf);

/** Reads a control record's text. Returns 0, -ENOMEM; -EBADMSG also for one of another type. */
int hello_conf_parse_record(const char *text, size_t len,
			    struct hello_conf *ret_conf) WEFT_MUST_CHECK;

#endif
