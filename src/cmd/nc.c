/* SPDX-License-Identifier: MIT */
/*
 * `weft nc`: netcat on a host of its own. What standard input gives goes to the peer, what the
 * peer sends goes to standard output, over TCP or UDP, to a peer or from whoever comes.
 *
 *     stdin  --- up ---->  socket        one buffer each: what is read is handed on before
 *     stdout <-- down ---  socket        more is read, so that the slower side sets the pace
 *
 * With TCP each direction ends by itself, as the ends of a pipe do: the end of stdin becomes a
 * FIN, and the peer's FIN ends stdout while stdin may go on. With UDP a read of stdin is a
 * datagram, and nobody says the end; a multicast group is a peer that is many.
 */
#include "cli/fdio.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/onlink.h"

#include <weft/stack.h>
#include <weft/tcp.h>
#include <weft/udp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_LEN 65536u
#define TICK_NS    (NS_PER_S / 10)
#define HEADERS    48u /* Of IPv6 and UDP: a datagram of what is left needs no fragments. */

struct args {
	struct output_opts output;
	struct onlink_args on;
	uint32_t listen;
	uint32_t port;
	bool udp;
	bool keep;
	uint64_t idle_ns;
};

static const struct option options[] = {
	ONLINK_OPTIONS(struct args),
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPTION_NUMBER,
	  .syntax = "PORT",
	  .offset = OFFSET(struct args, listen),
	  .max = 65535,
	  .help = "wait for a peer at PORT" },
	{ .name = "keep",
	  .letter = 'k',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, keep),
	  .help = "then for the next one" },
	ONLINK_PORT(struct args, "send from port N [any]"),
	{ .name = "udp",
	  .letter = 'u',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, udp),
	  .help = "UDP in place of TCP" },
	{ .name = "idle",
	  .letter = 'w',
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, idle_ns),
	  .help = "end when nothing has passed for TIME" },
	OUTPUT_TEXT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "nc",
	.operands = "[HOST PORT | GROUP]",
	.operands_max = 2,
	.summary = "Is a host on a link that connects standard input and output with a "
		   "peer.",
	.options = options,
	.notes =
		"weft nc --link tap:weft0 -a 10.1.0.2/24 10.1.0.1 9000 < file\n"
		"weft nc --link tap:weft0 -a 10.1.0.2/24 -l 9000 > file\n"
		"weft nc --link tap:weft0 -a 10.1.0.2/24 -u -l 5000 239.1.2.3\n"
		"\n"
		"HOST is an address, or a name that a name server of the link knows. A\n"
		"connection is over once both directions have ended. GROUP, a multicast address,\n"
		"is joined with --udp --listen: who sends there is heard, and answered there.",
};

/* What waits between two ends: data[off] ... data[len - 1]. */
struct buffer {
	size_t off, len;
	bool has_ended; /* Nothing more will be read into it. */
	uint8_t data[BUFFER_LEN];
};

struct nc {
	struct onlink on;
	const struct args *args;
	const char *host;         /* Whom to connect to, if that is a name. */
	struct weft_ip group;     /* To be joined; family 0: none. */
	union weft_sockaddr peer; /* Its address; family 0 to listen, or not found yet. */
	unsigned port;            /* With a name. */
	struct fdio in, out;
	struct buffer up, down;
	struct weft_tcp *tcp; /* NULL while there is no connection. */
	struct weft_tcp_listener *listener;
	struct weft_udp *udp;
	bool is_open; /* TCP: the handshake is over. UDP: there is somebody to send to. */
	bool is_shut; /* The peer has been told that stdin has ended. */
	bool is_closed; /* The connection has ended, with this: */
	int error;
	struct ticker ticker;
	uint64_t active_at;
};

static bool is_empty(const struct buffer *b)
{
	return b->off == b->len;
}

static void filled(struct nc *nc, struct buffer *b, size_t n, uint64_t now)
{
	b->off = 0;
	b->len = n;
	nc->active_at = now;
}

static void fail(struct nc *nc, const char *what, int r)
{
	char text[128];
	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
	onlink_fail(&nc->on, text);
}

/* ---- standard input and output ----------------------------------------------------------- */

/* Reads into the empty buffer. Returns true if there is something in it. */
static bool read_stdin(struct nc *nc, size_t len, uint64_t now)
{
	int n = nc->up.has_ended ? -EAGAIN : fdio_read(&nc->in, nc->up.data, len);
	if (n > 0)
		filled(nc, &nc->up, (size_t)n, now);
	else if (n != -EAGAIN)
		nc->up.has_ended = true;
	return n > 0;
}

/* Returns true if all that had been received is written. */
static bool write_stdout(struct nc *nc)
{
	while (!is_empty(&nc->down)) {
		int n = fdio_write(&nc->out, nc->down.data + nc->down.off,
				   nc->down.len - nc->down.off);
		if (n == -EAGAIN)
			return false;
		if (n < 0) {
			fail(nc, "standard output", n);
			return false;
		}
		nc->down.off += (size_t)n;
	}
	return true;
}

/* ---- TCP --------------------------------------------------------------------------------- */

/* Forgets the peer; the next one is let in, or it is over. */
static void tcp_over(struct nc *nc, uint64_t now)
{
	weft_tcp_close(nc->tcp, now);
	nc->tcp = NULL;
	if (nc->listener && nc->args->keep)
		weft_log_debug(&nc->on.out.log, "the next one, please");
	else if (nc->error < 0)
		fail(nc, nc->is_open ? "the connection has ended" : "cannot connect",
		     nc->error);
	else
		onlink_stop(&nc->on, STATUS_OK);
	nc->is_open = nc->is_shut = nc->is_closed = nc->down.has_ended = false;
}

static void tcp_down(struct nc *nc, uint64_t now)
{
	while (nc->tcp && write_stdout(nc) && !nc->down.has_ended) {
		int n = weft_tcp_receive(nc->tcp, nc->down.data, BUFFER_LEN, now);
		if (n > 0)
			filled(nc, &nc->down, (size_t)n, now);
		else if (n == -EAGAIN)
			break;
		else
			nc->down.has_ended = true;
	}
	if (nc->tcp && nc->is_closed && is_empty(&nc->down))
		tcp_over(nc, now);
}

/* Sends what waits. Returns true if nothing is left. */
static bool tcp_send_rest(struct nc *nc, uint64_t now)
{
	struct buffer *up = &nc->up;
	int n = is_empty(up) ? 0
			     : weft_tcp_send(nc->tcp, up->data + up->off,
					     up->len - up->off, now);
	/* Why it has ended is told by on_closed. */
	if (n > 0)
		up->off += (size_t)n;
	return is_empty(up);
}

static void tcp_up(struct nc *nc, uint64_t now)
{
	if (!nc->tcp || !nc->is_open || nc->is_closed)
		return;
	while (tcp_send_rest(nc, now) && read_stdin(nc, BUFFER_LEN, now))
		;
	if (is_empty(&nc->up) && nc->up.has_ended && !nc->is_shut) {
		nc->is_shut = true;
		(void)weft_tcp_shutdown(nc->tcp, SHUT_WR, now);
	}
}

static void tcp_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	tcp_down(user, now);
}

static void tcp_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	tcp_up(user, now);
}

static void tcp_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct nc *nc = user;
	const union weft_sockaddr peer = weft_tcp_peer(tcp);
	char text[WEFT_SOCKADDR_TEXT];
	weft_sockaddr_print(&peer, text);
	weft_log_debug(&nc->on.out.log, "connected with %s", text);
	nc->is_open = true;
	nc->active_at = now;
	tcp_up(nc, now);
}

static void tcp_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct nc *nc = user;
	(void)tcp;
	nc->is_closed = true;
	nc->error = error;
	tcp_down(nc, now);
}

static const struct weft_tcp_events tcp_events = {
	.on_connected = tcp_connected,
	.on_readable = tcp_readable,
	.on_writable = tcp_writable,
	.on_closed = tcp_closed,
};

/* One peer at a time; without --keep, the first is the only one. */
static void tcp_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct nc *nc = user;
	const struct weft_tcp_opts opts = { .events = &tcp_events, .user = nc };
	struct weft_tcp *tcp;
	if (weft_tcp_accept(listener, &opts, now, &tcp) < 0)
		return;
	if (nc->tcp) {
		weft_tcp_abort(tcp, now);
		return;
	}
	nc->tcp = tcp;
	tcp_connected(nc, tcp, now);
	tcp_down(nc, now);
}

static int tcp_begin(struct nc *nc, const union weft_sockaddr *local, uint64_t now)
{
	const struct weft_tcp_opts opts = { .events = &tcp_events,
					    .user = nc,
					    .local = *local };
	const struct weft_tcp_listen_opts listening = { .on_acceptable = tcp_acceptable,
							.user = nc };
	if (nc->args->listen)
		return weft_tcp_listen(nc->on.stack, local, &listening, &nc->listener);
	return weft_tcp_connect(nc->on.stack, &nc->peer, &opts, now, &nc->tcp);
}

/* ---- UDP --------------------------------------------------------------------------------- */

static void udp_up(struct nc *nc, uint64_t now)
{
	struct weft_udp_message msg = { .data = nc->up.data };
	/* One at a time: what comes in between has its turn. */
	if (!nc->is_open || !read_stdin(nc, weft_iface_mtu(nc->on.iface) - HEADERS, now))
		return;
	msg.len = nc->up.len;
	if (nc->group.family)
		msg.peer = nc->peer;
	int r = weft_udp_send(nc->udp, &msg, now);
	if (r < 0 && r != -ENOBUFS)
		fail(nc, "cannot send", r);
	nc->up.off = nc->up.len;
	nc->in.task.events = WEFT_READABLE;
}

/* Who speaks first is whom to answer. */
static void udp_meet(struct nc *nc, const union weft_sockaddr *peer, uint64_t now)
{
	int r = weft_udp_connect(nc->udp, peer, now);
	if (r < 0) {
		fail(nc, "cannot answer", r);
		return;
	}
	nc->is_open = true;
	udp_up(nc, now);
}

static void udp_down(struct nc *nc, uint64_t now)
{
	struct weft_udp_message msg;
	while (write_stdout(nc)) {
		int n = weft_udp_receive(nc->udp, nc->down.data, BUFFER_LEN, &msg);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			fail(nc, "the peer", n);
			break;
		}
		filled(nc, &nc->down, msg.len, now);
		if (!nc->is_open)
			udp_meet(nc, &msg.peer, now);
	}
}

static void udp_ready(void *user, struct weft_udp *udp, uint64_t now)
{
	(void)udp;
	udp_down(user, now);
}

static int udp_begin(struct nc *nc, const union weft_sockaddr *local, uint64_t now)
{
	const struct weft_udp_opts opts = { .on_ready = udp_ready, .user = nc };
	int r = weft_udp_new(nc->on.stack, &opts, &nc->udp);
	if (r == 0 && weft_sockaddr_port(local))
		r = weft_udp_bind(nc->udp, local);
	if (r < 0 || (nc->args->listen && !nc->group.family))
		return r;
	r = nc->group.family ? weft_udp_join(nc->udp, &nc->group, nc->on.iface, now)
			     : weft_udp_connect(nc->udp, &nc->peer, now);
	nc->is_open = r == 0;
	return r;
}

/* ---- both -------------------------------------------------------------------------------- */

static void input_ready(void *user, uint64_t now)
{
	struct nc *nc = user;
	if (nc->udp)
		udp_up(nc, now);
	else
		tcp_up(nc, now);
}

static void output_ready(void *user, uint64_t now)
{
	struct nc *nc = user;
	if (nc->udp)
		udp_down(nc, now);
	else
		tcp_down(nc, now);
}

static void tick(void *user, uint64_t now)
{
	struct nc *nc = user;
	if (nc->args->idle_ns && now - nc->active_at > nc->args->idle_ns)
		onlink_stop(&nc->on, nc->is_open ? STATUS_OK : STATUS_FAILED);
}

/* The address of this side: any, of the peer's family; that of IPv6 hears IPv4, too. */
static int local_address(const struct nc *nc, union weft_sockaddr *ret_local)
{
	const struct onlink_args *on = &nc->args->on;
	uint32_t port = nc->args->listen ? nc->args->listen : nc->args->port;
	bool is_ip4 = nc->peer.sa.sa_family
			      ? nc->peer.sa.sa_family == AF_INET
			      : nc->args->udp && !(on->addresses.n > 0 &&
						   strchr(on->addresses.items[0], ':'));
	char text[WEFT_SOCKADDR_TEXT];
	memset(ret_local, 0, sizeof(*ret_local));
	if (port == 0)
		return 0;
	(void)snprintf(text, sizeof(text), is_ip4 ? "0.0.0.0:%u" : "[::]:%u", port);
	return weft_listen_parse(text, ret_local);
}

static void begin_with_peer(struct nc *nc, uint64_t now)
{
	union weft_sockaddr local;
	int r = local_address(nc, &local);
	nc->active_at = now;
	if (r == 0)
		r = nc->args->udp ? udp_begin(nc, &local, now)
				  : tcp_begin(nc, &local, now);
	if (r == 0)
		r = fdio_start(&nc->in, nc->on.loop, STDIN_FILENO, input_ready, nc);
	if (r == 0)
		r = fdio_start(&nc->out, nc->on.loop, STDOUT_FILENO, output_ready, nc);
	if (r == 0)
		r = ticker_start(&nc->ticker, nc->on.loop, TICK_NS, tick, nc);
	if (r < 0) {
		fail(nc, nc->args->listen ? "cannot listen" : "cannot connect", r);
		return;
	}
	if (nc->args->listen)
		weft_log_info(&nc->on.out.log, "waiting for a peer on %s at port %u",
			      onlink_title(&nc->on), nc->args->listen);
	if (nc->udp)
		udp_up(nc, now);
}

static void found_peer(void *user, const struct weft_ip *ip, uint64_t now)
{
	struct nc *nc = user;
	char host[WEFT_IP_TEXT], text[WEFT_SOCKADDR_TEXT];
	(void)snprintf(text, sizeof(text), ip->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		       weft_ip_print(ip, host), nc->port);
	if (weft_listen_parse(text, &nc->peer) == 0)
		begin_with_peer(nc, now);
	else
		fail(nc, nc->host, -EADDRNOTAVAIL);
}

static void begin(void *user, uint64_t now)
{
	struct nc *nc = user;
	if (nc->host)
		onlink_find(&nc->on, nc->host, found_peer);
	else
		begin_with_peer(nc, now);
}

/* A name, and a port by itself. Returns 0 or -EINVAL. */
static int name_parse(struct nc *nc, const char *host, const char *port)
{
	union weft_sockaddr any;
	char text[32];
	int len = snprintf(text, sizeof(text), "0.0.0.0:%s", port);
	if (len >= (int)sizeof(text) || strspn(port, "0123456789") != strlen(port) ||
	    weft_listen_parse(text, &any) < 0 || strpbrk(host, ":/"))
		return -EINVAL;
	nc->host = host;
	nc->port = weft_sockaddr_port(&any);
	return 0;
}

/* An address and a port by themselves. Returns 0 or -EINVAL. */
static int address_parse(const char *host, const char *port,
			 union weft_sockaddr *ret_peer)
{
	char text[WEFT_SOCKADDR_TEXT];
	int len = snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:%s" : "%s:%s",
			   host, port);
	if (len >= (int)sizeof(text) || strchr(port, '/'))
		return -EINVAL;
	return weft_listen_parse(text, ret_peer);
}

static bool is_group(const struct weft_ip *ip)
{
	return ip->family == AF_INET ? ip->octet[0] >> 4 == 0xe : ip->octet[0] == 0xff;
}

static int group_parse(struct nc *nc, const char *group)
{
	char port[12];
	struct weft_ip ip;
	(void)snprintf(port, sizeof(port), "%u", nc->args->listen);
	if (!nc->args->udp || weft_ip_parse(group, &ip) < 0 || !is_group(&ip) ||
	    address_parse(group, port, &nc->peer) < 0)
		return options_fail(&command,
				    "with --listen there can only be a multicast "
				    "address, for --udp");
	nc->group = ip;
	return STATUS_OK;
}

static int peer_parse(struct nc *nc, char **argv, int n)
{
	if (nc->args->listen && n < 2)
		return n == 0 ? STATUS_OK : group_parse(nc, argv[1]);
	if (nc->args->listen || n != 2)
		return options_fail(&command,
				    "HOST and PORT are needed, or --listen PORT");
	if (address_parse(argv[1], argv[2], &nc->peer) < 0 &&
	    name_parse(nc, argv[1], argv[2]) < 0)
		return options_fail(&command,
				    "HOST is an address or a name, PORT from 1 to 65535");
	return STATUS_OK;
}

int cmd_nc(int argc, char **argv)
{
	struct args args = { 0 };
	int status;
	int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	struct nc *nc = calloc(1, sizeof(*nc));
	if (!nc)
		return output_fail("nc", strerror(ENOMEM));
	nc->args = &args;
	status = peer_parse(nc, argv, n);
	if (status == STATUS_OK) {
		status = onlink_start(&nc->on, &command, &args.on, &args.output);
		if (status == STATUS_OK)
			status = onlink_run(&nc->on, begin, nc);
		onlink_end(&nc->on);
	}
	free(nc);
	return status;
}
