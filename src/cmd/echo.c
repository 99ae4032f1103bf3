/* SPDX-License-Identifier: MIT */
/*
 * `weft echo`: a host of its own on a link, which answers to ping and sends back what comes to
 * a port, over UDP and TCP.
 *
 *     this machine --- TAP --- [ stack 10.1.0.2/24: port 7 ]
 *
 * A connection has one buffer. What is read into it is sent before more is read, so that a
 * peer who sends and does not read waits, and nobody's memory grows.
 */
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/privilege.h"
#include "cmd/run.h"

#include <weft/dhcpc.h>
#include <weft/error.h>
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/stack.h>
#include <weft/tcp.h>
#include <weft/udp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUFFER_LEN 65536u
#define PORT_ECHO  7u /* RFC 862. */
#define SECRET_LEN 16u

struct args {
	struct output_opts output;
	const char *link;
	struct option_list addresses;
	const char *gateway;
	struct weft_mac mac;
	uint32_t port;
	uint32_t mtu;
};

static const struct option options[] = {
	{ .name = "link",
	  .letter = 'l',
	  .type = OPTION_TEXT,
	  .syntax = "LINK",
	  .offset = OFFSET(struct args, link),
	  .help = "the link to be a host on: needed" },
	{ .name = "address",
	  .letter = 'a',
	  .type = OPTION_LIST,
	  .syntax = "dhcp|IP/LEN",
	  .offset = OFFSET(struct args, addresses),
	  .help = "its address and network, or as a DHCP server\n" OPTION_INDENT
		  "says; may be given again" },
	{ .name = "gateway",
	  .letter = 'g',
	  .type = OPTION_TEXT,
	  .syntax = "IP",
	  .offset = OFFSET(struct args, gateway),
	  .help = "the router to all other networks" },
	{ .name = "port",
	  .letter = 'p',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, port),
	  .max = 65535,
	  .help = "of UDP and of TCP [7]" },
	{ .name = "mac",
	  .type = OPTION_MAC,
	  .syntax = "MAC",
	  .offset = OFFSET(struct args, mac),
	  .help = "its Ethernet address [one of its own]" },
	{ .name = "mtu",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, mtu),
	  .min = 1280,
	  .max = 65535,
	  .help = "longest IP packet in bytes [the link's, 1500]" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "echo",
	.summary =
		"Is a host on a link, without the kernel's TCP/IP: answers to ping, and "
		"sends\n"
		"back what comes to a port over UDP and TCP, until SIGINT or SIGTERM.",
	.options = options,
	.notes =
		"weft echo --link tap:weft0 --address 10.1.0.2/24\n"
		"\n"
		"Give this machine's side of the TAP an address of the same network, "
		"then try\n"
		"`ping 10.1.0.2`, `nc 10.1.0.2 7` and `nc -u 10.1.0.2 7`. IPv6 addresses "
		"come\n"
		"from routers as well. `weft help links` lists the links. With --json: "
		"\"ready\"\n"
		"and \"address\".",
};

struct echoing {
	struct output out;
	const struct args *args;
	struct weft_link *link;
	struct weft_stack *stack;
	struct weft_iface *iface;
	struct weft_loop *loop;
	struct weft_dhcpc *dhcpc; /* NULL unless an address is to come from there. */
	struct weft_ip leased;    /* Family 0 for none. */
	struct weft_ip router;    /* That came with it; family 0 for none. */
};

/* ---- TCP --------------------------------------------------------------------------------- */

struct conn {
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
		weft_tcp_shutdown(tcp, now);
}

static void conn_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	(void)error;
	weft_tcp_close(tcp, now);
	free(user);
}

static const struct weft_tcp_events events = {
	.on_readable = pump,
	.on_writable = pump,
	.on_closed = conn_closed,
};

static void accept_one(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct conn *c = malloc(sizeof(*c));
	const struct weft_tcp_opts opts = { .events = &events, .user = c };
	struct weft_tcp *tcp = NULL;
	int r = weft_tcp_accept(listener, &opts, now, &tcp);
	(void)user;
	if (c && r == 0) {
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
	struct weft_udp_message back = *msg;
	(void)user;
	back.ttl = 0;
	/* What cannot be sent back is lost, as datagrams are. */
	(void)!weft_udp_send(udp, &back, now);
}

/* ---- DHCP -------------------------------------------------------------------------------- */

static uint64_t time_now(const struct echoing *e)
{
	return weft_loop_now(e->loop);
}

static void dhcp_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct echoing *e = user;
	weft_link_send(e->link, frame, 1, now);
}

static bool dhcp_look(void *user, const struct weft_frame *frame, uint64_t now)
{
	return weft_dhcpc_input(user, frame, now);
}

static void dhcp_lost(void *user)
{
	struct echoing *e = user;
	const struct weft_ip any = { .family = AF_INET };
	if (e->router.family)
		weft_stack_remove_route(e->stack, &any, e->iface);
	if (e->leased.family)
		weft_iface_remove_address(e->iface, &e->leased, time_now(e));
	e->router.family = e->leased.family = 0;
}

/* A renewal gives the same again, which is no change. */
static void dhcp_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct echoing *e = user;
	const struct weft_ip any = { .family = AF_INET };
	char text[WEFT_IP_TEXT];
	if (e->leased.family)
		return;
	int r = weft_iface_add_address(e->iface, &lease->address, 0, time_now(e));
	if (r < 0) {
		weft_log_warning(&e->out.log, "%s cannot be used: %s",
				 weft_ip_print(&lease->address, text), strerror(-r));
		return;
	}
	e->leased = lease->address;
	if (lease->router.family &&
	    weft_stack_add_route(e->stack, &any, &lease->router, e->iface) == 0)
		e->router = lease->router;
	weft_ip_print(&lease->address, text);
	output_event(&e->out, "address", json_pack("{s:s}", "address", text));
	weft_log_info(&e->out.log, "the address is %s", text);
}

static int dhcp_start(struct echoing *e)
{
	struct weft_dhcpc_opts opts = {
		.mac = weft_iface_mac(e->iface),
		.allow_public = true,
		.send = dhcp_send,
		.bound = dhcp_bound,
		.lost = dhcp_lost,
		.user = e,
	};
	if (getrandom(&opts.seed, sizeof(opts.seed), 0) != (ssize_t)sizeof(opts.seed))
		return -EIO;
	int r = weft_dhcpc_new(&opts, &e->dhcpc);
	if (r < 0)
		return r;
	weft_iface_on_frame(e->iface, dhcp_look, e->dhcpc);
	return weft_loop_add(e->loop, weft_dhcpc_task(e->dhcpc));
}

static void dhcp_end(struct echoing *e)
{
	if (!e->dhcpc)
		return;
	weft_iface_on_frame(e->iface, NULL, NULL);
	weft_dhcpc_release(e->dhcpc, time_now(e));
	/* The link sends at its next run, and there will be no other. */
	weft_link_task(e->link)->run(weft_link_task(e->link), time_now(e));
	weft_loop_remove(e->loop, weft_dhcpc_task(e->dhcpc));
	weft_dhcpc_free(e->dhcpc);
}

/* ---- the host ---------------------------------------------------------------------------- */

static int usage(const char *text)
{
	return options_fail(&command, text);
}

static int add_addresses(struct echoing *e)
{
	for (size_t i = 0; i < e->args->addresses.n; i++) {
		struct weft_ip ip;
		const char *text = e->args->addresses.items[i];
		if (strcmp(text, "dhcp") == 0) {
			int r = e->dhcpc ? 0 : dhcp_start(e);
			if (r < 0)
				return output_fail("echo", strerror(-r));
			continue;
		}
		if (weft_ip_parse(text, &ip) < 0 || !strchr(text, '/') ||
		    weft_iface_add_address(e->iface, &ip, 0, time_now(e)) < 0)
			return usage(
				"--address wants a host's address and its network, as "
				"10.1.0.2/24");
	}
	return STATUS_OK;
}

static int add_gateway(struct echoing *e)
{
	struct weft_ip gateway;
	struct weft_ip any = { 0 };
	if (!e->args->gateway)
		return STATUS_OK;
	if (weft_ip_parse(e->args->gateway, &gateway) < 0)
		return usage("--gateway wants an address");
	any.family = gateway.family;
	if (weft_stack_add_route(e->stack, &any, &gateway, e->iface) < 0)
		return usage("--gateway wants the address of another host");
	return STATUS_OK;
}

static int listen_udp(struct echoing *e, const union weft_sockaddr *local)
{
	const struct weft_udp_opts opts = { .on_receive = answer };
	struct weft_udp *udp;
	int r = weft_udp_new(e->stack, &opts, &udp);
	return r < 0 ? r : weft_udp_bind(udp, local);
}

static int listen_all(struct echoing *e)
{
	const struct weft_tcp_listen_opts opts = { .on_acceptable = accept_one };
	struct weft_tcp_listener *listener;
	char text[WEFT_SOCKADDR_TEXT];
	union weft_sockaddr any4, any6;
	(void)snprintf(text, sizeof(text), "0.0.0.0:%u", e->args->port);
	int r = weft_listen_parse(text, &any4);
	(void)snprintf(text, sizeof(text), "[::]:%u", e->args->port);
	if (r == 0)
		r = weft_listen_parse(text, &any6);
	if (r == 0)
		r = listen_udp(e, &any4);
	if (r == 0)
		r = listen_udp(e, &any6);
	if (r == 0)
		r = weft_tcp_listen(e->stack, &any6, &opts, &listener);
	return r < 0 ? output_fail("echo", strerror(-r)) : STATUS_OK;
}

static int host_make(struct echoing *e)
{
	const struct weft_iface_opts iface = { .mac = e->args->mac, .mtu = e->args->mtu };
	uint8_t secret[SECRET_LEN];
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return output_fail("echo", "no random numbers");
	const struct weft_stack_opts opts = { .secret = secret };
	int r = weft_stack_new(&opts, time_now(e), &e->stack);
	if (r == 0)
		r = weft_stack_add_interface(e->stack, e->link, &iface, time_now(e),
					     &e->iface);
	if (r == -EINVAL)
		return usage(
			"--link or --mtu: a link of Ethernet or IP is needed, and an "
			"MTU that it carries");
	if (r < 0)
		return output_fail("echo", strerror(-r));
	int status = add_addresses(e);
	if (status == STATUS_OK)
		status = add_gateway(e);
	return status == STATUS_OK ? listen_all(e) : status;
}

static int echoing_start(struct echoing *e)
{
	const struct privilege_opts privileges = { 0 };
	struct weft_error err = { "" };
	int r = weft_link_open(e->args->link, &err, &e->link);
	if (r < 0)
		return output_fail_link("echo", r, err.text);
	r = weft_loop_new(NULL, &e->loop);
	if (r < 0)
		return output_fail("echo", strerror(-r));
	int status = host_make(e);
	if (status != STATUS_OK)
		return status;
	r = weft_loop_add(e->loop, weft_link_task(e->link));
	if (r == 0)
		r = weft_loop_add(e->loop, weft_stack_task(e->stack));
	if (r == 0)
		r = stop_on_signals(e->loop);
	if (r < 0)
		return output_fail("echo", strerror(-r));
	if (privilege_drop(&privileges, &err) < 0)
		return output_fail("echo", err.text);
	return STATUS_OK;
}

static void tell_ready(struct echoing *e)
{
	char mac[WEFT_MAC_TEXT];
	const char *text = weft_mac_print(weft_iface_mac(e->iface), mac);
	output_event(&e->out, "ready",
		     json_pack("{s:s, s:i, s:s}", "link", weft_link_name(e->link), "port",
			       (int)e->args->port, "mac", text));
	weft_log_info(&e->out.log, "a host on %s answers at port %u",
		      weft_link_name(e->link), e->args->port);
}

int cmd_echo(int argc, char **argv)
{
	struct args args = { .port = PORT_ECHO };
	struct echoing e = { .args = &args };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	if (!args.link)
		return usage("--link is needed");
	output_init(&e.out, &args.output);
	status = echoing_start(&e);
	if (status == STATUS_OK) {
		tell_ready(&e);
		(void)weft_loop_run(e.loop);
	}
	dhcp_end(&e);
	weft_loop_free(e.loop);
	weft_stack_free(e.stack);
	weft_link_free(e.link);
	return status;
}
