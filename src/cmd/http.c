/* SPDX-License-Identifier: MIT */
/*
 * `weft http`: the files of a directory, from a host of its own.
 *
 *     READING ---- a whole request ----> SENDING ---- all is sent ----> READING    keep-alive
 *        |                                  '------ the last one -----> CLOSING
 *        '---- too long, too slow: an answer that says so, and ^
 *
 * What a peer can take is bounded: connections, bytes of a request, the time for one, and the
 * time in which nothing is taken from us. A file is read as fast as the peer takes it. Where all
 * connections are taken the one that has waited longest gives way to the next; to an address that
 * has half of them, one of its own.
 */
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/http_file.h"
#include "cmd/onlink.h"

#include <weft/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_HTTP       80u
#define CHUNK_LEN       65536u
#define CONNECTIONS_MAX 256u
#define SHARE_MAX       (CONNECTIONS_MAX / 2) /* Of one address, once all are taken. */
#define SEND_MAX        (960u << 10) /* Of all together it is less than a stack lends. */
#define REQUEST_NS      (10 * NS_PER_S) /* For a request, and for the peer's FIN. */
#define IDLE_NS         (60 * NS_PER_S) /* Without a request, or with nothing taken. */

struct args {
	struct output_opts output;
	struct onlink_args on;
	uint32_t port;
	bool list;
};

static const struct option options[] = {
	ONLINK_OPTIONS(struct args),
	ONLINK_PORT(struct args, "the port to listen at [80]"),
	{ .name = "list",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, list),
	  .help = "show what is in a directory without index.html" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "http",
	.operands = "DIRECTORY",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Is a host on a link that serves the files of a directory by HTTP/1.1, until\n"
		"SIGINT or SIGTERM.",
	.options = options,
	.notes = "weft http --link tap:weft0 --address 10.1.0.2/24 /srv/www\n"
		 "\n"
		 "A directory is answered with its index.html, or with --list a page of\n"
		 "its files; names that begin with a dot are not shown, and links not\n"
		 "followed. Files must be readable for nobody, whom weft becomes if\n"
		 "root has started it and the link does not go to others' sockets.\n"
		 "With --json: \"ready\", and \"request\" for each.",
};

enum conn_state { CONN_READING, CONN_SENDING, CONN_CLOSING };

struct serving {
	struct onlink on;
	const struct args *args;
	int dir_fd;
	struct conn *conns; /* All of them. */
	unsigned conns_n;
	struct ticker ticker;
};

struct conn {
	struct serving *serving;
	struct conn *next, **prev; /* In the serving's list. */
	struct weft_tcp *tcp;
	enum conn_state state;
	bool is_last;   /* The connection ends after this answer. */
	uint64_t since; /* When it began to wait for what it waits for. */
	size_t unacked; /* Of what was sent, as the last tick saw it. */
	size_t len;     /* Of what has been received. */
	struct http_answer answer;
	size_t head_off;
	size_t chunk_off, chunk_len; /* What of the file waits in chunk. */
	char request[HTTP_REQUEST_MAX];
	uint8_t chunk[CHUNK_LEN];
};

/* ---- a connection's life ----------------------------------------------------------------- */

static void conn_free(struct conn *c)
{
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->serving->conns_n--;
	http_answer_end(&c->answer);
	free(c);
}

static void conn_abort(struct conn *c, uint64_t now)
{
	weft_tcp_abort(c->tcp, now);
	conn_free(c);
}

static void conn_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	(void)error;
	weft_tcp_close(tcp, now);
	conn_free(user);
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Returns how much of the data was taken; -1: the connection has ended, and is told so. */
static ssize_t send_some(struct conn *c, const void *data, size_t len, uint64_t now)
{
	int n = len > 0 ? weft_tcp_send(c->tcp, data, len, now) : 0;
	if (n > 0)
		c->since = now;
	return n;
}

/* Returns true if the whole head is sent. */
static bool send_head(struct conn *c, uint64_t now)
{
	ssize_t n = send_some(c, c->answer.head + c->head_off,
			      c->answer.head_len - c->head_off, now);
	if (n > 0)
		c->head_off += (size_t)n;
	return c->head_off == c->answer.head_len;
}

/* Reads on in the body. Returns false if it is shorter than was promised. */
static bool chunk_read(struct conn *c)
{
	ssize_t n = http_answer_read(&c->answer, c->chunk, CHUNK_LEN);
	if (n <= 0)
		return false;
	c->chunk_off = 0;
	c->chunk_len = (size_t)n;
	return true;
}

/* Returns 1 when all is sent, 0 when the peer has to take some first, or -EIO. */
static int send_body(struct conn *c, uint64_t now)
{
	for (;;) {
		ssize_t n = send_some(c, c->chunk + c->chunk_off,
				      c->chunk_len - c->chunk_off, now);
		if (n > 0)
			c->chunk_off += (size_t)n;
		if (c->chunk_off < c->chunk_len)
			return 0;
		if (c->answer.off == c->answer.end)
			return 1;
		if (!chunk_read(c))
			return -EIO;
	}
}

/* Sends what it can. Returns true if the connection is to read on. */
static bool conn_send(struct conn *c, uint64_t now)
{
	int r = send_head(c, now) ? send_body(c, now) : 0;
	if (r < 0)
		conn_abort(c, now);
	if (r <= 0)
		return false;
	http_answer_end(&c->answer);
	c->since = now;
	c->state = c->is_last ? CONN_CLOSING : CONN_READING;
	if (c->is_last)
		(void)weft_tcp_shutdown(c->tcp, SHUT_WR, now);
	return true;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void tell_request(struct conn *c, const char *path)
{
	const union weft_sockaddr peer = weft_tcp_peer(c->tcp);
	char text[WEFT_SOCKADDR_TEXT];
	struct output *out = &c->serving->on.out;
	weft_sockaddr_print(&peer, text);
	/* The path is anybody's: JSON escapes it, or goes without where it is no UTF-8. */
	output_event(out, "request",
		     json_pack("{s:s, s:i, s:o*}", "peer", text, "status",
			       (int)c->answer.status, "path",
			       path ? json_string(path) : NULL));
	weft_log_debug(&out->log, "%s: %u", text, c->answer.status);
}

static void conn_answer(struct conn *c, uint64_t now)
{
	c->state = CONN_SENDING;
	c->head_off = c->chunk_off = c->chunk_len = 0;
	c->since = now;
}

static void conn_refuse(struct conn *c, unsigned status, uint64_t now)
{
	http_answer_refuse(status, &c->answer);
	c->is_last = true;
	tell_request(c, NULL);
	conn_answer(c, now);
}

/* The length of the request that the text begins with, its empty line included; 0: not all. */
static size_t request_len(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		bool is_empty = text[i - 1] == '\n' &&
				(text[i] == '\n' ||
				 (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n'));
		if (is_empty)
			return i + (text[i] == '\r' ? 2 : 1);
	}
	return 0;
}

/* Takes the next request out of what was received. Returns false if it is not all there. */
static bool conn_next(struct conn *c, uint64_t now)
{
	struct http_request request;
	size_t len = request_len(c->request, c->len);
	if (len == 0 && c->len == sizeof(c->request)) {
		conn_refuse(c, 431, now);
		return true;
	}
	if (len == 0)
		return false;
	unsigned status = http_request_parse(c->request, len, &request);
	memmove(c->request, c->request + len, c->len - len);
	c->len -= len;
	if (status) {
		conn_refuse(c, status, now);
		return true;
	}
	http_answer_make(c->serving->dir_fd, &request, c->serving->args->list,
			 &c->answer);
	c->is_last = !request.keep_alive;
	tell_request(c, request.path);
	conn_answer(c, now);
	return true;
}

/* Receives more. Returns false if there is nothing now, or no end of it. */
static bool conn_receive(struct conn *c, uint64_t now)
{
	if (c->state == CONN_CLOSING)
		c->len = 0; /* Nobody looks at it any more. */
	int n = weft_tcp_receive(c->tcp, c->request + c->len, sizeof(c->request) - c->len,
				 now);
	if (n > 0) {
		if (c->len == 0 && c->state == CONN_READING)
			c->since = now;
		c->len += (size_t)n;
	} else if (n == 0 && c->state == CONN_READING) {
		c->state = CONN_CLOSING;
		(void)weft_tcp_shutdown(c->tcp, SHUT_WR, now);
	}
	return n > 0;
}

static void conn_run(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct conn *c = user;
	(void)tcp;
	for (;;) {
		if (c->state == CONN_SENDING && !conn_send(c, now))
			return;
		if (c->state == CONN_READING && conn_next(c, now))
			continue;
		if (!conn_receive(c, now))
			return;
	}
}

static const struct weft_tcp_events events = {
	.on_readable = conn_run,
	.on_writable = conn_run,
	.on_closed = conn_closed,
};

/* ---- coming ------------------------------------------------------------------------------ */

static bool is_same_host(const union weft_sockaddr *a, const union weft_sockaddr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	return a->sa.sa_family == AF_INET6
		       ? memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0
		       : a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

/* The connection that has waited longest: of all, or of those with a host. */
static struct conn *conn_oldest(const struct serving *s, const union weft_sockaddr *host,
				unsigned *ret_n)
{
	struct conn *oldest = NULL;
	unsigned n = 0;
	for (struct conn *c = s->conns; c; c = c->next) {
		const union weft_sockaddr peer = weft_tcp_peer(c->tcp);
		if (host && !is_same_host(&peer, host))
			continue;
		n++;
		if (!oldest || c->since <= oldest->since) /* Those behind came before. */
			oldest = c;
	}
	*ret_n = n;
	return oldest;
}

/* Ends a connection: there is one too many, since one with the peer has come. */
static void make_room(struct serving *s, const union weft_sockaddr *peer, uint64_t now)
{
	unsigned n;
	struct conn *c = conn_oldest(s, peer, &n);
	if (n <= SHARE_MAX)
		c = conn_oldest(s, NULL, &n);
	if (c)
		conn_abort(c, now);
}

static void accept_one(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct serving *s = user;
	struct conn *c = calloc(1, sizeof(*c));
	const struct weft_tcp_opts opts = { .events = &events,
					    .user = c,
					    .send_max = SEND_MAX };
	struct weft_tcp *tcp;
	int r = weft_tcp_accept(listener, &opts, now, &tcp);
	if (r < 0 || !c) {
		if (r == 0)
			weft_tcp_abort(tcp, now);
		free(c);
		return;
	}
	const union weft_sockaddr peer = weft_tcp_peer(tcp);
	c->serving = s;
	c->tcp = tcp;
	c->answer.fd = -1;
	c->since = now;
	c->prev = &s->conns;
	c->next = s->conns;
	if (c->next)
		c->next->prev = &c->next;
	s->conns = c;
	s->conns_n++;
	conn_run(c, tcp, now);
	if (s->conns_n > CONNECTIONS_MAX)
		make_room(s, &peer, now);
}

/* ---- the server -------------------------------------------------------------------------- */

/* What the stack has taken is not yet what the peer has: a slow one takes on for long. */
static void note_progress(struct conn *c, uint64_t now)
{
	struct weft_tcp_info info;
	weft_tcp_info(c->tcp, &info);
	size_t unacked = info.unsent + info.unacked;
	if (unacked < c->unacked)
		c->since = now;
	c->unacked = unacked;
}

/* Half a request may take REQUEST_NS, and so may the peer's FIN after all that it asked for. */
static bool is_late(const struct conn *c, uint64_t now)
{
	bool is_waited_for =
		c->unacked == 0 &&
		(c->state == CONN_CLOSING || (c->state == CONN_READING && c->len > 0));
	return now - c->since > (is_waited_for ? REQUEST_NS : IDLE_NS);
}

static void tick(void *user, uint64_t now)
{
	struct serving *s = user;
	struct conn *next;
	for (struct conn *c = s->conns; c; c = next) {
		next = c->next;
		note_progress(c, now);
		if (is_late(c, now))
			conn_abort(c, now);
	}
}

static int listen_all(struct serving *s)
{
	const struct weft_tcp_listen_opts opts = { .on_acceptable = accept_one,
						   .user = s };
	struct weft_tcp_listener *listener;
	char text[WEFT_SOCKADDR_TEXT];
	union weft_sockaddr any;
	(void)snprintf(text, sizeof(text), "[::]:%u", s->args->port);
	int r = weft_listen_parse(text, &any);
	if (r == 0)
		r = weft_tcp_listen(s->on.stack, &any, &opts, &listener);
	if (r == 0)
		r = ticker_start(&s->ticker, s->on.loop, NS_PER_S, tick, s);
	return r < 0 ? output_fail("http", strerror(-r)) : STATUS_OK;
}

static int serving_run(struct serving *s)
{
	int status = listen_all(s);
	if (status != STATUS_OK)
		return status;
	output_event(&s->on.out, "ready", json_pack("{s:i}", "port", (int)s->args->port));
	weft_log_info(&s->on.out.log, "serving files on %s at port %u",
		      onlink_title(&s->on), s->args->port);
	return onlink_run(&s->on, NULL, NULL);
}

static void conns_end(struct serving *s)
{
	struct conn *next;
	for (struct conn *c = s->conns; c; c = next) {
		next = c->next;
		conn_abort(c, weft_loop_now(s->on.loop));
	}
}

int cmd_http(int argc, char **argv)
{
	struct args args = { .port = PORT_HTTP };
	struct serving s = { .args = &args };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	s.dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir_fd < 0) {
		char text[256];
		(void)snprintf(text, sizeof(text), "%s: %s", argv[1], strerror(errno));
		return output_fail("http", text);
	}
	status = onlink_start(&s.on, &command, &args.on, &args.output);
	if (status == STATUS_OK)
		status = serving_run(&s);
	conns_end(&s);
	onlink_end(&s.on);
	(void)close(s.dir_fd);
	return status;
}
