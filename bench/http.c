/* SPDX-License-Identifier: MIT */
/*
 * What HTTP costs beside the bare socket: one stream of 64 KiB records over loopback for three
 * seconds, from one process to another; MB/s, and the processor time of both per GB.
 *
 *     bench-http            plain socket, GET and PUT, one after another
 */
#include "http/http.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORD_LEN  65536u
#define READ_LEN    262144u
#define DURATION_NS 3000000000ull

static uint8_t record[RECORD_LEN];
static uint64_t received;

static uint64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-http: %s\n", what);
	exit(1);
}

static double cpu_of(int who)
{
	struct rusage usage;
	(void)getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(const char *what, uint64_t bytes, uint64_t ns, double cpu)
{
	double gb = (double)bytes / 1e9;
	(void)printf("%-8s %7.0f MB/s  %.3f s of CPU per GB\n", what,
		     gb * 1e3 / ((double)ns / 1e9), cpu / gb);
}

/* ---- the events of either side ----------------------------------------------------------- */

static void count(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		  uint64_t now)
{
	(void)user;
	(void)stream;
	(void)data;
	(void)now;
	received += len;
}

/* Whole records, as many as there is room for. */
static int put_records(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		       uint64_t now)
{
	size_t n = 0;
	(void)user;
	(void)stream;
	(void)now;
	while (n < len) {
		size_t part = len - n < RECORD_LEN ? len - n : RECORD_LEN;
		memcpy(buf + n, record, part);
		n += part;
	}
	return (int)n;
}

static const struct http_stream_events events = { .input = count, .output = put_records };

static void accept_all(void *user, struct http_stream *stream,
		       const struct http_request *request, struct http_answer *ret_answer,
		       uint64_t now)
{
	(void)user;
	(void)stream;
	(void)request;
	(void)now;
	ret_answer->events = &events;
}

/* ---- runs -------------------------------------------------------------------------------- */

static pid_t begin(void)
{
	pid_t child = fork();
	if (child < 0)
		die("no process");
	return child;
}

static void end(pid_t child)
{
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

static void turn(struct weft_task *task)
{
	struct pollfd p = { .fd = task->fd, .events = POLLIN };
	uint64_t now = clock_ns();
	if (task->deadline(task) > now)
		(void)poll(&p, 1, 100);
	task->run(task, clock_ns());
}

static void run_client(const union weft_sockaddr *addr, bool is_put)
{
	struct http_client *client;
	struct http_stream *stream;
	char url[64];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
		       weft_sockaddr_port(addr));
	const struct http_client_request request = { .url = url,
						     .is_put = is_put,
						     .events = &events };
	if (http_client_new(&(struct http_client_opts){ 0 }, NULL, &client) < 0 ||
	    http_client_open(client, &request, &stream) < 0)
		die("no client");
	uint64_t until = clock_ns() + DURATION_NS;
	while (clock_ns() < until)
		turn(http_client_task(client));
	http_client_free(client);
}

/* The server is the parent for a PUT and the child for a GET: the parent receives. */
static void run_http(bool is_put)
{
	struct http_server *server;
	struct http_server_opts opts = { .request = accept_all };
	opts.listen.in.sin_family = AF_INET;
	opts.listen.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (http_server_new(&opts, NULL, &server) < 0)
		die("no server");
	union weft_sockaddr addr = http_server_addr(server);
	pid_t child = begin();
	if (child == 0 && is_put) {
		run_client(&addr, true);
		_exit(0);
	}
	uint64_t until = clock_ns() + DURATION_NS;
	if (child > 0 && !is_put)
		run_client(&addr, false);
	while (child == 0 || (is_put && clock_ns() < until))
		turn(http_server_task(server));
	end(child);
	http_server_free(server);
}

static void run_socket(void)
{
	static uint8_t buf[READ_LEN];
	union weft_sockaddr addr = { .in.sin_family = AF_INET };
	socklen_t len = sizeof(addr.in);
	addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, &addr.sa, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, &addr.sa, &len) < 0 || connect(fd, &addr.sa, len) < 0)
		die("no socket");
	pid_t child = begin();
	if (child == 0) {
		int out = accept(listener, NULL, NULL);
		while (send(out, record, sizeof(record), MSG_NOSIGNAL) > 0)
			;
		_exit(0);
	}
	uint64_t until = clock_ns() + DURATION_NS;
	while (clock_ns() < until)
		received += (uint64_t)recv(fd, buf, sizeof(buf), 0);
	end(child);
	(void)close(fd);
	(void)close(listener);
}

static void measure(const char *what, void (*run)(void))
{
	double cpu = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
	received = 0;
	run();
	report(what, received, DURATION_NS,
	       cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - cpu);
}

static void run_get(void)
{
	run_http(false);
}

static void run_put(void)
{
	run_http(true);
}

int main(void)
{
	measure("socket", run_socket);
	measure("GET", run_get);
	measure("PUT", run_put);
	return 0;
}
