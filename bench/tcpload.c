/* SPDX-License-Identifier: MIT */
/*
 * TCP of the kernel, as the other end of a stack that is measured, and as what it is held
 * against. Nothing is shared between the two ends but three ports:
 *
 *     5001 sink      reads and forgets
 *     5002 source    writes without end, from 64 MiB that are walked through, so that the
 *                    payload is not in the cache when it is sent
 *     5003 echo      writes what it has read
 *
 *     bench-tcpload serve ADDRESS CONGESTION
 *     bench-tcpload send|receive ADDRESS CONGESTION SECONDS          prints bit/s
 *     bench-tcpload echo ADDRESS CONGESTION SECONDS                  a turn for each line it reads
 *     bench-tcpload crowd ADDRESS CONGESTION SECONDS CONNECTIONS     one at random each time
 *     bench-tcpload hold ADDRESS CONGESTION SECONDS CONNECTIONS      opens them, says so, waits
 *
 * A connection that is served has a process of its own, which blocks: the least that the kernel
 * asks of a program. Many of them (5004) are served by one process with epoll.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT_SINK   5001u
#define PORT_SOURCE 5002u
#define PORT_ECHO   5003u
#define PORT_CROWD  5004u

#define WALK_LEN    ((size_t)64 << 20)
#define PIECE_LEN   ((size_t)256 << 10)
#define WARM_S      0.5
#define TURN_WARM_S 0.01
#define BACKLOG     1024
#define FILES_MAX   20000u
#define RANDOM_SEED 1u

struct load {
	const char *address, *congestion;
	double seconds;
	unsigned connections;
};

static uint8_t *walk;
static size_t walked;

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-tcpload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_s(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- the bytes --------------------------------------------------------------------------- */

static ssize_t write_piece(int fd)
{
	ssize_t n = send(fd, walk + walked, PIECE_LEN, MSG_NOSIGNAL);
	walked = (walked + PIECE_LEN) % WALK_LEN;
	return n;
}

static ssize_t read_piece(int fd)
{
	static uint8_t piece[PIECE_LEN];
	return recv(fd, piece, sizeof(piece), 0);
}

static ssize_t echo_piece(int fd)
{
	uint8_t piece[4096];
	ssize_t n = recv(fd, piece, sizeof(piece), 0);
	return n > 0 ? send(fd, piece, (size_t)n, MSG_NOSIGNAL) : n;
}

static ssize_t ask_echo(int fd)
{
	uint8_t one = 1;
	if (send(fd, &one, 1, MSG_NOSIGNAL) != 1)
		return -1;
	return recv(fd, &one, 1, 0);
}

/* ---- sockets ----------------------------------------------------------------------------- */

static int socket_new(const char *congestion)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
		       (socklen_t)strlen(congestion)) < 0)
		die(congestion);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

static struct sockaddr_in address_of(const char *text, unsigned port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port) };
	if (inet_pton(AF_INET, text, &addr.sin_addr) != 1)
		die(text);
	return addr;
}

static int connect_to(const struct load *load, unsigned port)
{
	struct sockaddr_in addr = address_of(load->address, port);
	int fd = socket_new(load->congestion);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("connect");
	return fd;
}

static int listen_at(const struct load *load, unsigned port)
{
	struct sockaddr_in addr = address_of(load->address, port);
	int fd = socket_new(load->congestion);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		die("listen");
	return fd;
}

/* ---- serving ----------------------------------------------------------------------------- */

static pid_t fork_child(void)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Each connection has a process. */
static void serve_port(const struct load *load, unsigned port, ssize_t (*piece)(int fd))
{
	int listener = listen_at(load, port);
	if (fork_child() != 0)
		return;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		if (fork_child() == 0) {
			while (piece(fd) > 0)
				;
			exit(0);
		}
		(void)close(fd);
	}
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll");
}

static void serve_crowd(const struct load *load)
{
	struct epoll_event events[64];
	int listener = listen_at(load, PORT_CROWD), epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener)
				watch(epoll, accept(listener, NULL, NULL));
			else if (echo_piece(fd) <= 0)
				(void)close(fd);
		}
	}
}

static void serve(const struct load *load)
{
	(void)signal(SIGCHLD, SIG_IGN);
	serve_port(load, PORT_SINK, read_piece);
	serve_port(load, PORT_SOURCE, write_piece);
	serve_port(load, PORT_ECHO, echo_piece);
	if (fork_child() == 0)
		serve_crowd(load);
	(void)puts("ready");
	(void)fflush(stdout);
	(void)pause();
}

/* ---- measuring --------------------------------------------------------------------------- */

/* What piece has returned per second, after a time to get going. Its end is an error. */
static double rate_of(const struct load *load, double warm_s, int fd,
		      ssize_t (*piece)(int fd))
{
	double begin = now_s() + warm_s, end = begin + load->seconds, now;
	uint64_t sum = 0;
	while ((now = now_s()) < end) {
		ssize_t n = piece(fd);
		if (n <= 0)
			die("the connection has ended");
		if (now >= begin)
			sum += (uint64_t)n;
	}
	return (double)sum / (now - begin);
}

/* Others have their turns in between, on the same CPU. */
static void echo_in_turns(const struct load *load)
{
	int fd = connect_to(load, PORT_ECHO), c;
	while ((c = getchar()) != EOF) {
		if (c != '\n')
			continue;
		(void)printf("%.0f\n", rate_of(load, TURN_WARM_S, fd, ask_echo));
		(void)fflush(stdout);
	}
}

static int *open_crowd(const struct load *load)
{
	int *fds = calloc(load->connections, sizeof(*fds));
	if (!fds)
		die("memory");
	for (unsigned i = 0; i < load->connections; i++)
		fds[i] = connect_to(load, PORT_CROWD);
	return fds;
}

static int *crowd;
static unsigned crowd_n;

static ssize_t ask_any(int fd)
{
	(void)fd;
	return ask_echo(crowd[(unsigned)random() % crowd_n]);
}

static void hold(const struct load *load)
{
	crowd = open_crowd(load);
	(void)puts("open");
	(void)fflush(stdout);
	(void)sleep((unsigned)load->seconds);
}

static double measure(const char *what, const struct load *load)
{
	if (strcmp(what, "send") == 0)
		return 8 *
		       rate_of(load, WARM_S, connect_to(load, PORT_SINK), write_piece);
	if (strcmp(what, "receive") == 0)
		return 8 *
		       rate_of(load, WARM_S, connect_to(load, PORT_SOURCE), read_piece);
	crowd = open_crowd(load);
	crowd_n = load->connections;
	srandom(RANDOM_SEED);
	return rate_of(load, WARM_S, -1, ask_any);
}

int main(int argc, char **argv)
{
	const struct rlimit files = { FILES_MAX, FILES_MAX };
	if (argc < 4)
		return 2;
	const struct load load = {
		.address = argv[2],
		.congestion = argv[3],
		.seconds = argc > 4 ? strtod(argv[4], NULL) : 0,
		.connections = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 1,
	};
	(void)setrlimit(RLIMIT_NOFILE, &files);
	walk = malloc(WALK_LEN);
	if (!walk)
		die("memory");
	memset(walk, 'w', WALK_LEN);
	if (strcmp(argv[1], "serve") == 0)
		serve(&load);
	else if (strcmp(argv[1], "hold") == 0)
		hold(&load);
	else if (strcmp(argv[1], "echo") == 0)
		echo_in_turns(&load);
	else
		(void)printf("%.0f\n", measure(argv[1], &load));
	return 0;
}
