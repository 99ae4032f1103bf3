/* SPDX-License-Identifier: MIT */
/*
 * What one QUIC DATAGRAM costs: two processes, real sockets, one connection, as many
 * datagrams as its congestion window takes.
 *
 *     bench-quic [-s SECONDS] [-l LENGTH] [-c bbr|cubic|reno] [-b] [-p]
 *                [-S NETNS] [-C NETNS] [-a ADDRESS] [-m PAYLOAD]
 *
 *     -b  both directions at once         -S, -C  network namespaces of server and client
 *     -p  plain sockets, no offload       -a      the server's address (127.0.0.1)
 *                                         -m      largest UDP payload (1452)
 *
 * Judge by us per datagram (user + system time of a process over what it sent or received),
 * and by rate only where the CPU is busy: else the congestion control is what is measured.
 */
#include "quic/quic.h"

#include "base/array.h"
#include "base/container.h"

#include <weft/loop.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT        4433
#define WAITING_MAX 128u
#define BATCH       64u

struct options {
	unsigned seconds;
	size_t len;
	enum quic_cc cc;
	bool both, plain;
	const char *netns[2];
	const char *address;
	uint16_t payload;
};

/* One process. */
struct peer {
	const struct options *opts;
	const char *name;
	struct weft_loop *loop;
	struct quic_endpoint *endpoint;
	struct quic_conn *conn;
	struct weft_task feeder;
	bool is_sender, is_feeding;
	uint64_t pushed, end;
	uint64_t started;
	struct rusage usage;
	struct quic_conn_stats before;
	uint8_t body[2048];
};

static void die(const char *what, int r)
{
	fprintf(stderr, "bench-quic: %s: %s\n", what, strerror(-r));
	exit(1);
}

static double seconds_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static void report(struct peer *p, uint64_t now)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	struct quic_conn_stats s = quic_conn_stats(p->conn);
	struct quic_endpoint_stats e = quic_endpoint_stats(p->endpoint);
	double cpu = seconds_of(&usage) - seconds_of(&p->usage);
	double wall = (double)(now - p->started) / 1e9;
	uint64_t tx = s.datagrams_tx - p->before.datagrams_tx;
	uint64_t rx = s.datagrams_rx - p->before.datagrams_rx;
	uint64_t n = tx > rx ? tx : rx;
	printf("%s  tx %8.0f/s  rx %8.0f/s  %6.2f Gbit/s  cpu %3.0f %%  %5.2f "
	       "us/datagram  "
	       "srtt %llu us  cwnd %llu kB  lost %llu  old %llu  full %llu  "
	       "packets per call: rx %.1f tx %.1f  ctx %ld\n",
	       p->name, (double)tx / wall, (double)rx / wall,
	       (double)(n * p->opts->len) * 8 / wall / 1e9, cpu / wall * 100,
	       n > 0 ? cpu * 1e6 / (double)n : 0.0, (unsigned long long)s.srtt_ns / 1000,
	       (unsigned long long)s.cwnd / 1000, (unsigned long long)s.datagrams_lost,
	       (unsigned long long)s.drop_queue_old,
	       (unsigned long long)s.drop_queue_full,
	       (double)e.rx_packets / (double)(e.rx_batches + 1),
	       (double)e.tx_packets / (double)(e.tx_batches + 1),
	       usage.ru_nvcsw - p->usage.ru_nvcsw);
	fflush(stdout);
}

static uint64_t waiting(const struct peer *p)
{
	struct quic_conn_stats s = quic_conn_stats(p->conn);
	return p->pushed - s.datagrams_tx - s.drop_queue_old - s.drop_too_long;
}

static uint64_t feeder_deadline(const struct weft_task *task)
{
	const struct peer *p = container_of_const(task, struct peer, feeder);
	if (!p->conn || !p->end)
		return WEFT_NEVER;
	return p->is_feeding && waiting(p) < WAITING_MAX ? 0 : p->end;
}

static void feeder_run(struct weft_task *task, uint64_t now)
{
	struct peer *p = container_of(task, struct peer, feeder);
	if (now >= p->end) {
		report(p, now);
		p->end = 0;
		if (p->is_sender)
			quic_conn_close(p->conn, 0, "done", now);
		return;
	}
	const struct quic_datagram d = { .body = p->body, .body_len = p->opts->len };
	for (unsigned i = 0; i < BATCH; i++)
		if (quic_conn_send_datagram(p->conn, &d, now) == 0)
			p->pushed++;
}

static void begin(struct peer *p, uint64_t now)
{
	if (p->end || quic_conn_datagram_max(p->conn) < p->opts->len)
		return;
	p->end = now + p->opts->seconds * UINT64_C(1000000000);
	if (!p->is_sender)
		p->end -= 100000000u;
	p->started = now;
	p->before = quic_conn_stats(p->conn);
	p->is_feeding = p->is_sender || p->opts->both;
	getrusage(RUSAGE_SELF, &p->usage);
}

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	struct peer *p = user;
	p->conn = conn;
	begin(p, now);
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	(void)user;
	(void)conn;
	(void)data;
	(void)len;
	(void)now;
}

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	on_datagram(user, conn, input->data, input->len, now);
}

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	struct peer *p = user;
	if (p->end && p->conn)
		report(p, now);
	if (why->kind != QUIC_CLOSE_LOCAL && why->kind != QUIC_CLOSE_PEER_APP)
		printf("%s closed: %d %s\n", p->name, (int)why->kind, why->reason);
	(void)conn;
	p->conn = NULL;
	weft_loop_stop(p->loop);
}

static void on_path(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)conn;
	begin(user, now);
}

static union weft_sockaddr address_of(const char *text, uint16_t port)
{
	union weft_sockaddr addr = { 0 };
	if (inet_pton(AF_INET, text, &addr.in.sin_addr) == 1) {
		addr.in.sin_family = AF_INET;
		addr.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &addr.in6.sin6_addr) == 1) {
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
	} else {
		die(text, -EINVAL);
	}
	return addr;
}

static void enter_netns(const char *name)
{
	char path[256];
	if (!name)
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path, -errno);
	close(fd);
}

static void use_cpu(int n)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)n % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void run_peer(const struct options *opts, const struct quic_tls *tls,
		     bool is_server)
{
	static const struct quic_events events = { on_established, on_datagram, on_stream,
						   on_closed, on_path };
	static const uint8_t secret[32] = { 1 };
	struct peer p = { .opts = opts,
			  .name = is_server ? "server" : "client",
			  .is_sender = !is_server };
	enter_netns(opts->netns[is_server ? 0 : 1]);
	use_cpu(is_server ? 0 : 1);
	union weft_sockaddr server = address_of(opts->address, PORT);
	struct dgram_udp_opts udp = { .plain = opts->plain };
	if (is_server)
		udp.bind = server;
	else
		udp.bind.sa.sa_family = server.sa.sa_family;
	struct weft_error err;
	struct quic_endpoint_opts quic = { .tls = tls,
					   .is_server = is_server,
					   .events = &events,
					   .user = &p,
					   .secret = secret,
					   .cc = opts->cc,
					   .udp_payload_max = opts->payload };
	int r = dgram_udp_new(&udp, &err, &quic.dgram);
	if (r < 0)
		die(err.text, r);
	if ((r = quic_endpoint_new(&quic, &p.endpoint)) < 0 ||
	    (r = weft_loop_new(NULL, &p.loop)) < 0)
		die("start", r);
	p.feeder = (struct weft_task){ .fd = -1,
				       .run = feeder_run,
				       .deadline = feeder_deadline };
	if ((r = weft_loop_add(p.loop, quic_endpoint_task(p.endpoint))) < 0 ||
	    (r = weft_loop_add(p.loop, &p.feeder)) < 0)
		die("loop", r);
	if (!is_server && (r = quic_connect(p.endpoint, &server, NULL,
					    weft_loop_now(p.loop), &p.conn)) < 0)
		die("connect", r);
	weft_loop_run(p.loop);
	weft_loop_free(p.loop);
	quic_endpoint_free(p.endpoint);
}

static enum quic_cc cc_of(const char *name)
{
	static const char *const names[] = { "bbr", "cubic", "reno" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum quic_cc)i;
	die(name, -EINVAL);
	return QUIC_CC_BBR;
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .seconds = 5, .len = 1350, .address = "127.0.0.1" };
	int c;
	while ((c = getopt(argc, argv, "s:l:c:bpS:C:a:m:")) != -1) {
		switch (c) {
		case 's':
			o.seconds = (unsigned)atoi(optarg);
			break;
		case 'l':
			o.len = (size_t)atoi(optarg);
			break;
		case 'c':
			o.cc = cc_of(optarg);
			break;
		case 'b':
			o.both = true;
			break;
		case 'p':
			o.plain = true;
			break;
		case 'S':
			o.netns[0] = optarg;
			break;
		case 'C':
			o.netns[1] = optarg;
			break;
		case 'a':
			o.address = optarg;
			break;
		case 'm':
			o.payload = (uint16_t)atoi(optarg);
			break;
		default:
			exit(2);
		}
	}
	return o;
}

int main(int argc, char **argv)
{
	struct options opts = parse(argc, argv);
	char *cert, *key;
	uint8_t pin[QUIC_PIN_LEN];
	struct quic_tls *server_tls, *client_tls;
	struct weft_error err;
	int r = quic_tls_make_identity("bench", 1700000000, &cert, &key);
	if (r == 0)
		r = quic_tls_server_new(cert, key, "bench", &err, &server_tls);
	if (r < 0)
		die("identity", r);
	quic_tls_pin(server_tls, pin);
	if (quic_tls_client_new(pin, NULL, "bench", &err, &client_tls) < 0)
		die(err.text, -EINVAL);
	pid_t child = fork();
	if (child == 0) {
		run_peer(&opts, server_tls, true);
		return 0;
	}
	usleep(100000);
	run_peer(&opts, client_tls, false);
	waitpid(child, NULL, 0);
	quic_tls_free(client_tls);
	quic_tls_free(server_tls);
	free(cert);
	free(key);
	return 0;
}
