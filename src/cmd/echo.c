/* SPDX-License-Identifier: MIT */
/*
 * `weft echo`: a host of its own on a link, which answers to ping and sends back what comes to
 * a port, over UDP and TCP.
 *
 *     this machine --- TAP --- [ stack 10.1.0.2/24: port 7 ]
 *
 * A connection has one buffer. What is read into it is sent before more is read, so that a
 * peer who sends and does not read waits, and nobody's memory grows. A datagram is not answered to
 * a port that answers itself: one with a forged sender would go to and fro for ever.
 */
#include "cmd/cmd.h"
#include "cmd/onlink.h"

#include <weft/stack.h>
#include <weft/tcp.h>
#include <weft/udp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_LEN      65536u
#define PORT_ECHO       7u    /* RFC 862. */
#define PORT_USER       1024u /* Below it are services: echo, chargen, time, DNS ... */
#define CONNECTIONS_MAX 1024u
#define KEEP_IDLE_S     60u

struct args {
	struct output_opts output;
	struct onlink_args on;
	uint32_t port;
};

static const struct option options[] = {
	ONLINK_OPTIONS(struct args),
	ONLINK_PORT(struct args, "of UDP and of TCP [7]"),
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "echo",
	.summary =
		"Is a host on a link, without the kernel's TCP/IP: answers to ping, and sends\n"
		"back what comes to a port over UDP and TCP, until SIGINT or SIGTERM.",
	.options = options,
	.notes =
		"weft echo --link tap:weft0 --address 10.1.0.2/24\n"
		"\n"
		"Give this machine's side of the TAP an address of the same network, then try\n"
		"`ping 10.1.0.2`, `nc 10.1.0.2 7` and `nc -u 10.1.0.2 7`. IPv6 addresses are also\n"
		"taken from routers. `weft help links` lists the links. With --json: \"ready\",\n"
		"and \"address\" of DHCP.",
};

struct echoing {
	struct onlink on;
	uint32_t port;
	unsigned conns_n;
};

/* ---- TCP --------------------------------------------------------------------------------- */

struct conn {
	struct echoing *echoing;
	size_t off,
		len; /* What is yet to be sent back: buffer[off] ... buffer[len - 1]. */
	uint8_t buffer[BUFFER_LEN];
};

/* Sends what waits. Returns 0 when nothing is left, -EAGAIN, or why it has ended. */
static int send_rest(struct conn *c, struct weft_tcp *tcp, uint64_t now)
{
	while (c->off < c->len) {
		int n = weft_tcp_send(tcp, c->buffer + c->off, c->len - c->off, now);
		if (n < 0)
			return n;
		if (n == 0)
			return -EAGAIN;
		c->off += (size_t)n;
	}
	return 0;
}

static void pump(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct conn *c = user;
	int n;
	while ((n = send_rest(c, tcp, now)) == 0) {
		n = weft_tcp_receive(tcp, c->buffer, sizeof(c->buffer), now);
		c->off = 0;
		c->len = n > 0 ? (size_t)n : 0;
		if (n <= 0)
			break;
	}
	/* The peer has said all; and so have we, once that is sent. */
	if (n == 0)
		(void)weft_tcp_shutdown(tcp, SHUT_WR, now);
}

static void conn_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct conn *c = user;
	(void)error;
	weft_tcp_close(tcp, now);
	c->echoing->conns_n--;
	free(c);
}

static const struct weft_tcp_events events = {
	.on_readable = pump,
	.on_writable = pump,
	.on_closed = conn_closed,
};

static void accept_one(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct echoing *e = user;
	struct conn *c = e->conns_n < CONNECTIONS_MAX ? malloc(sizeof(*c)) : NULL;
	const struct weft_tcp_opts opts = { .events = &events,
					    .user = c,
					    .keepalive = true,
					    .keep_idle_s = KEEP_IDLE_S };
	struct weft_tcp *tcp = NULL;
	int r = weft_tcp_accept(listener, &opts, now, &tcp);
	if (c && r == 0) {
		e->conns_n++;
		c->echoing = e;
		c->off = c->len = 0;
		pump(c, tcp, now);
		return;
	}
	if (r == 0)
		weft_tcp_abort(tcp, now);
	free(c);
}

/* ---- UDP --------------------------------------------------------------------------------- */

static void answer(void *user, struct weft_udp *udp, const struct weft_udp_message *msg,
		   uint64_t now)
{
	const struct echoing *e = user;
	struct weft_udp_message back = *msg;
	uint16_t port = weft_sockaddr_port(&msg->peer);
	if (port < PORT_USER || port == e->port)
		return;
	back.ttl = 0;
	/* What cannot be sent back is lost, as datagrams are. */
	(void)!weft_udp_send(udp, &back, now);
}

/* ---- the host ---------------------------------------------------------------------------- */

static int listen_udp(struct echoing *e, const union weft_sockaddr *local)
{
	const struct weft_udp_opts opts = { .on_receive = answer, .user = e };
	struct weft_udp *udp;
	int r = weft_udp_new(e->on.stack, &opts, &udp);
	return r < 0 ? r : weft_udp_bind(udp, local);
}

static int listen_all(struct echoing *e)
{
	const struct weft_tcp_listen_opts opts = { .on_acceptable = accept_one,
						   .user = e };
	struct weft_tcp_listener *listener;
	char text[WEFT_SOCKADDR_TEXT];
	union weft_sockaddr any4, any6;
	(void)snprintf(text, sizeof(text), "0.0.0.0:%u", e->port);
	int r = weft_listen_parse(text, &any4);
	(void)snprintf(text, sizeof(text), "[::]:%u", e->port);
	if (r == 0)
		r = weft_listen_parse(text, &any6);
	if (r == 0)
		r = listen_udp(e, &any4);
	if (r == 0)
		r = listen_udp(e, &any6);
	if (r == 0)
		r = weft_tcp_listen(e->on.stack, &any6, &opts, &listener);
	return r < 0 ? output_fail("echo", strerror(-r)) : STATUS_OK;
}

static void tell_ready(struct echoing *e)
{
	const char *link = onlink_title(&e->on);
	char mac[WEFT_MAC_TEXT];
	const char *text = weft_mac_print(weft_iface_mac(e->on.iface), mac);
	output_event(&e->on.out, "ready",
		     json_pack("{s:s, s:i, s:s}", "link", link, "port", (int)e->port,
			       "mac", text));
	weft_log_info(&e->on.out.log, "a host on %s answers at port %u", link, e->port);
}

int cmd_echo(int argc, char **argv)
{
	struct args args = { .port = PORT_ECHO };
	struct echoing e = { 0 };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	e.port = args.port;
	status = onlink_start(&e.on, &command, &args.on, &args.output);
	if (status == STATUS_OK)
		status = listen_all(&e);
	if (status == STATUS_OK) {
		tell_ready(&e);
		status = onlink_run(&e.on, NULL, NULL);
	}
	onlink_end(&e.on);
	return status;
}
