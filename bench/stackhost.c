/* SPDX-License-Identifier: MIT */
/*
 * A host on weft's own stack, with the ports of bench/tcpload.c, to be measured:
 *
 *     bench-stackhost [--plain] LINK ADDRESS/BITS
 *
 *     kernel (bench-tcpload) --- TAP --- [ stack: 5001 sink, 5002 source, 5003 and 5004 echo ]
 *
 * What the sink is shown it drops, as the sinks of other stacks do; what the source sends it
 * lends, walking through 64 MiB, so that it is not in the cache. With --plain, the link takes
 * neither super-segments nor unfinished checksums. SIGUSR1 has it print how much memory is
 * allocated, and how many connections are open.
 */
#include "link/link.h"

#include <weft/link.h>
#include <weft/loop.h>
#include <weft/stack.h>
#include <weft/tcp.h>

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WALK_LEN  ((size_t)64 << 20)
#define PIECE_LEN ((size_t)256 << 10)
#define BACKLOG   1024u

struct host {
	struct weft_loop *loop;
	struct weft_link *link;
	struct weft_stack *stack;
	uint8_t *walk;
	size_t walked;
	unsigned connections;
};

static void die(const char *what, int r)
{
	(void)fprintf(stderr, "bench-stackhost: %s: %s\n", what, strerror(-r));
	exit(1);
}

/* ---- the ports --------------------------------------------------------------------------- */

static void closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct host *host = user;
	(void)error;
	host->connections--;
	weft_tcp_close(tcp, now);
}

static void sink(void *user, struct weft_tcp *tcp, uint64_t now)
{
	const void *piece;
	int n;
	(void)user;
	while ((n = weft_tcp_peek(tcp, &piece)) > 0)
		weft_tcp_skip(tcp, (size_t)n, now);
	if (n == 0)
		(void)weft_tcp_shutdown(tcp, SHUT_WR, now);
}

static void keep(void *user, const void *data, size_t len)
{
	(void)user;
	(void)data;
	(void)len;
}

static void source(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct host *host = user;
	while (weft_tcp_lend(tcp, host->walk + host->walked, PIECE_LEN, keep, NULL, now) >
	       0)
		host->walked = (host->walked + PIECE_LEN) % WALK_LEN;
}

static void echo(void *user, struct weft_tcp *tcp, uint64_t now)
{
	uint8_t piece[4096];
	int n;
	(void)user;
	while ((n = weft_tcp_receive(tcp, piece, sizeof(piece), now)) > 0) {
		if (weft_tcp_send(tcp, piece, (size_t)n, now) != n)
			return;
	}
	if (n == 0)
		(void)weft_tcp_shutdown(tcp, SHUT_WR, now);
}

static const struct weft_tcp_events sink_events = { .on_readable = sink,
						    .on_closed = closed };
static const struct weft_tcp_events source_events = { .on_readable = sink,
						      .on_writable = source,
						      .on_closed = closed };
static const struct weft_tcp_events echo_events = { .on_readable = echo,
						    .on_closed = closed };

static void accept_one(struct host *host, struct weft_tcp_listener *listener,
		       const struct weft_tcp_events *events, uint64_t now)
{
	const struct weft_tcp_opts opts = { .events = events,
					    .user = host,
					    .nodelay = true };
	struct weft_tcp *tcp;
	if (weft_tcp_accept(listener, &opts, now, &tcp) < 0)
		return;
	host->connections++;
	if (events->on_writable)
		events->on_writable(host, tcp, now);
}

static void accept_sink(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	accept_one(user, listener, &sink_events, now);
}

static void accept_source(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	accept_one(user, listener, &source_events, now);
}

static void accept_echo(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	accept_one(user, listener, &echo_events, now);
}

/* ---- the host ---------------------------------------------------------------------------- */

static void listen_at(struct host *host, const char *where,
		      void (*on_acceptable)(void *user,
					    struct weft_tcp_listener *listener,
					    uint64_t now))
{
	const struct weft_tcp_listen_opts opts = { .on_acceptable = on_acceptable,
						   .user = host,
						   .backlog = BACKLOG };
	struct weft_tcp_listener *listener;
	union weft_sockaddr local;
	int r = weft_listen_parse(where, &local);
	if (r == 0)
		r = weft_tcp_listen(host->stack, &local, &opts, &listener);
	if (r < 0)
		die(where, r);
}

/* No USO, no TSO, no checksums; and nothing is merged again behind our back. */
static void make_plain(struct weft_link *link)
{
	link->caps.flags &= WEFT_LINK_IP;
	link->wants_merge = false;
}

static void start(struct host *host, const char *link, const char *address, bool is_plain)
{
	uint8_t secret[16];
	const struct weft_stack_opts opts = { .secret = secret };
	struct weft_error err;
	struct weft_iface *iface;
	struct weft_ip ip;
	int r = weft_link_open(link, &err, &host->link);
	if (r < 0) {
		(void)fprintf(stderr, "bench-stackhost: %s\n", err.text);
		exit(1);
	}
	if (is_plain)
		make_plain(host->link);
	uint64_t now = weft_loop_now(host->loop);
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		die("no random numbers", 0);
	r = weft_stack_new(&opts, now, &host->stack);
	if (r == 0)
		r = weft_stack_add_interface(host->stack, host->link, NULL, now, &iface);
	if (r == 0)
		r = weft_ip_parse(address, &ip);
	if (r == 0)
		r = weft_iface_add_address(iface, &ip, 0, now);
	if (r == 0)
		r = weft_loop_add(host->loop, weft_stack_task(host->stack));
	if (r == 0)
		r = weft_loop_add(host->loop, weft_link_task(host->link));
	if (r < 0)
		die("a stack", r);
}

static void tell_memory(void *user, int signo)
{
	const struct host *host = user;
	(void)signo;
	(void)printf("memory %zu connections %u\n", mallinfo2().uordblks,
		     host->connections);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	bool is_plain = argc > 1 && strcmp(argv[1], "--plain") == 0;
	struct host host = { 0 };
	argv += is_plain;
	if (argc - is_plain < 3)
		return 2;
	host.walk = malloc(WALK_LEN);
	if (!host.walk)
		die("the payload", -ENOMEM);
	memset(host.walk, 'w', WALK_LEN);
	int r = weft_loop_new(NULL, &host.loop);
	if (r == 0)
		r = weft_loop_on_signal(host.loop, SIGUSR1, tell_memory, &host);
	if (r < 0)
		die("a loop", r);
	start(&host, argv[1], argv[2], is_plain);
	listen_at(&host, "0.0.0.0:5001", accept_sink);
	listen_at(&host, "0.0.0.0:5002", accept_source);
	listen_at(&host, "0.0.0.0:5003", accept_echo);
	listen_at(&host, "0.0.0.0:5004", accept_echo);
	(void)puts("ready");
	(void)fflush(stdout);
	return weft_loop_run(host.loop) < 0;
}
