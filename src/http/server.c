/* SPDX-License-Identifier: MIT */
/*
 * The server, on libmicrohttpd. Its daemon has no thread: its epoll descriptor is the task's,
 * and MHD_run does what is ready.
 *
 * A connection has one request at a time, so the connection is the stream:
 *
 *             accepted                 request() says yes             the answer has gone
 *     (none) ----------> waiting for ---------------------> streaming ----------.
 *                        a head  ^                                              |
 *                                '----------------------------------------------'
 *
 * A stream that has nothing to say, or that is not read from, is suspended: it is out of the
 * daemon's sight then, and no time is spent on it. The daemon would not end it either,
 * whatever happens to its socket; so time-outs are ours, by two lists in the order of the last
 * byte, and the daemon has none. It knows no way to end a connection from outside of its
 * callbacks; breaking the socket is one, for it is noticed like a peer's end.
 *
 * For the same reason, silent streams are looked at from time to time: a peer may have gone.
 * That also finds an end that the daemon has overlooked. It waits edge-triggered (epoll(7))
 * and takes a short read for "nothing more is there", although the end may have come with it.
 *
 * What a GET puts out, MHD is not asked to carry where it goes in plain chunks: its connection is
 * suspended for as long as the stream lasts, and the socket written to (http/direct.h).
 *
 * MHD suspends from within its callbacks only: a PUT that is not to be read from is
 * suspended when its next bytes have come, and these stay in the connection's buffer.
 */
#include "base/container.h"
#include "base/list.h"
#include "http/credentials.h"
#include "http/direct.h"
#include "http/stream.h"
#include "io/poller.h"
#include "io/socket.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

/* A connection's only memory: its head, and one chunk of output with its frame. */
#define CONN_MEMORY ((size_t)HTTP_OUTPUT_MAX + 2 * (size_t)HTTP_HEAD_MAX)

/* Only HTTP/1.0 clients get blocks; all others get chunks, straight from CONN_MEMORY. */
#define BLOCK_LEN 16384u

#define CONNS_MAX             4096u
#define CONNS_PER_ADDRESS_MAX 256u

#define SECOND_NS          1000000000ull
#define IDLE_TIMEOUT_NS    (5460 * SECOND_NS) /* 91 minutes */
#define HEAD_TIMEOUT_NS    (30 * SECOND_NS)
#define SWEEP_NS           (2 * SECOND_NS)
#define LISTEN_BACKLOG_LEN 1024u

/* The first is what costs least where the processor has instructions for it. */
#define TLS_PRIORITY                                                \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"               \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" \
	"%SERVER_PRECEDENCE"

struct http_server {
	struct weft_task task;
	struct poller *poller;
	struct weft_task mhd_task; /* MHD's epoll descriptor. */
	struct http_server_opts opts;
	char *cert_file, *key_file; /* NULL: plain HTTP. */
	struct MHD_Daemon *daemon;
	union weft_sockaddr addr;
	struct credentials *credentials;
	struct list heads;   /* Connections without a stream, oldest first; */
	struct list streams; /* and with one. */
	struct list marked;  /* Streams that are to be asked for output. */
	uint8_t *scratch;    /* What they put out; NULL until it is needed. */
	uint64_t now;
	uint64_t deadline;
	uint64_t sweep_at; /* When silent streams are looked at again. */
	bool is_ready;     /* The daemon's descriptor is; */
	bool is_due;       /* or the daemon has something to do that it does not tell. */
};

struct conn {
	struct http_stream stream; /* First; its events are NULL while there is none. */
	struct list node;          /* On heads or streams. */
	uint64_t since;            /* When the last byte came or went. */
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct MHD_Response *response;   /* What a PUT gets at its end. */
	struct credentials *credentials; /* Which it was shown. */
	struct direct direct;            /* Of a GET that MHD has left to us, */
	struct weft_task out_task;       /* which waits until it can be written to, */
	struct list mark;
	int out_end; /* and what MHD's reader is to say at last: -EPIPE and so on. */
	bool is_suspended;
	bool is_woken; /* Since output was asked last. */
};

static struct conn *conn_of(struct http_stream *stream)
{
	return container_of(stream, struct conn, stream);
}

/* ---- Suspended and resumed ---- */

static void conn_suspend(struct conn *c)
{
	MHD_suspend_connection(c->mhd);
	c->is_suspended = true;
}

static void conn_resume(struct conn *c)
{
	if (!c->is_suspended)
		return;
	MHD_resume_connection(c->mhd);
	c->is_suspended = false;
	c->server->is_due = true;
}

/* ---- Idle times ---- */

/* Something moved: the connection is the youngest of its list. */
static void conn_touch(struct conn *c)
{
	struct http_server *s = c->server;
	list_remove(&c->node);
	list_push_back(c->stream.events ? &s->streams : &s->heads, &c->node);
	c->since = s->now;
}

static int conn_fd(const struct conn *c)
{
	return MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

static void conn_break(struct conn *c)
{
	c->stream.is_aborted = true;
	socket_break(conn_fd(c));
	conn_resume(c);
}

static struct conn *conn_oldest(const struct list *conns)
{
	struct list *node = list_first(conns);
	return node ? container_of(node, struct conn, node) : NULL;
}

static uint64_t list_deadline(const struct list *conns, uint64_t timeout)
{
	const struct conn *c = conn_oldest(conns);
	return c ? c->since + timeout : WEFT_NEVER;
}

static void list_expire(const struct list *conns, uint64_t timeout, uint64_t now)
{
	struct conn *c;
	while ((c = conn_oldest(conns)) && c->since + timeout <= now) {
		conn_break(c);
		conn_touch(c);
	}
}

/* A PUT that is not read from may have bytes before its end. */
static bool conn_is_lost(const struct conn *c)
{
	return !(c->response && c->is_suspended) && socket_has_ended(conn_fd(c));
}

static void server_sweep(struct http_server *s)
{
	if (s->sweep_at > s->now)
		return;
	s->sweep_at = s->now + SWEEP_NS;
	list_for_each (node, &s->streams) {
		struct conn *c = container_of(node, struct conn, node);
		if (c->since + SWEEP_NS > s->now)
			return;
		if (conn_is_lost(c))
			conn_break(c);
	}
}

/* ---- Output that MHD has left to us ---- */

static void conn_mark(struct conn *c)
{
	list_remove(&c->mark);
	list_push_back(&c->server->marked, &c->mark);
}

/* MHD says the end: it is asked to go on, and asks its reader. */
static void conn_end_output(struct conn *c, int why)
{
	c->out_end = why;
	conn_resume(c);
}

static void conn_watch_output(struct conn *c)
{
	bool is_blocked = direct_is_blocked(&c->direct);
	c->out_task.events = is_blocked ? WEFT_WRITABLE : 0;
	if (is_blocked && !c->out_task.loop_state &&
	    poller_add(c->server->poller, &c->out_task) < 0)
		conn_break(c);
}

static void conn_put_out(struct conn *c)
{
	struct http_server *s = c->server;
	uint64_t sent = c->direct.sent;
	int r = stream_put_out(&c->stream, &c->direct, &s->scratch, s->now);
	if (c->direct.sent != sent)
		conn_touch(c);
	if (r < 0)
		conn_end_output(c, r);
	else if (r > 0)
		conn_mark(c);
	conn_watch_output(c);
}

static void conn_on_writable(struct weft_task *task, uint64_t now)
{
	(void)now;
	conn_put_out(container_of(task, struct conn, out_task));
}

static void server_put_out(struct http_server *s)
{
	struct list now;
	struct list *node;
	list_init(&now);
	while ((node = list_pop_front(&s->marked)))
		list_push_back(&now, node);
	while ((node = list_pop_front(&now))) {
		struct conn *c = container_of(node, struct conn, mark);
		if (c->direct.is_open && c->out_end == 0 &&
		    !direct_is_blocked(&c->direct))
			conn_put_out(c);
	}
}

/* What is left to us from here on until the stream's end. */
static void conn_take_output(struct conn *c)
{
	direct_open(&c->direct, conn_fd(c));
	c->out_task = (struct weft_task){ .fd = c->direct.fd, .run = conn_on_writable };
	conn_mark(c);
}

static void conn_drop_output(struct conn *c)
{
	poller_remove(c->server->poller, &c->out_task);
	list_remove(&c->mark);
	direct_close(&c->direct);
	c->out_end = 0;
}

/* ---- What the user of a stream wants ---- */

static void conn_on_wake(struct http_stream *stream)
{
	struct conn *c = conn_of(stream);
	c->is_woken = true;
	if (c->direct.is_open)
		conn_mark(c);
	else if (!c->response)
		conn_resume(c);
}

static bool conn_on_send(struct http_stream *stream, const struct socket_piece *pieces,
			 size_t n)
{
	struct conn *c = conn_of(stream);
	if (!c->direct.is_open || c->out_end != 0 || direct_is_blocked(&c->direct))
		return false;
	int r = direct_try(&c->direct, pieces, n);
	if (r == -EAGAIN)
		return false;
	if (r < 0)
		conn_break(c);
	conn_touch(c);
	conn_watch_output(c);
	return true;
}

static void conn_on_read(struct http_stream *stream)
{
	struct conn *c = conn_of(stream);
	if (c->response && stream->is_reading)
		conn_resume(c);
}

static void conn_on_abort(struct http_stream *stream)
{
	conn_break(conn_of(stream));
}

static const char *conn_header(const struct http_stream *stream, const char *name)
{
	const struct conn *c = container_of_const(stream, struct conn, stream);
	return MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, name);
}

static const struct stream_ops conn_ops = {
	.wake = conn_on_wake,
	.send = conn_on_send,
	.read = conn_on_read,
	.abort = conn_on_abort,
	.header = conn_header,
};

/* ---- A request: its head ---- */

static enum MHD_Result conn_refuse(struct conn *c, unsigned status, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	/* Persistent means that nothing writes there: MHD's pointer is not const. */
	union {
		const char *text;
		void *buffer;
	} body = { .text = text ? text : "" };
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, body.buffer, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	enum MHD_Result r = MHD_queue_response(c->mhd, status, response);
	MHD_destroy_response(response);
	return r;
}

static ssize_t reader_end(int why)
{
	return why == -EPIPE ? MHD_CONTENT_READER_END_OF_STREAM
			     : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* The response goes in chunks, and nothing encrypts them. */
static bool conn_can_be_direct(const struct conn *c)
{
	return c->stream.version == 11 && !c->server->cert_file;
}

static ssize_t conn_on_room(void *user, uint64_t pos, char *buf, size_t len)
{
	struct conn *c = user;
	(void)pos;
	if (c->stream.is_aborted)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (conn_can_be_direct(c)) {
		if (!c->direct.is_open)
			conn_take_output(c);
		if (c->out_end != 0)
			return reader_end(c->out_end);
		conn_suspend(c);
		return 0;
	}
	c->is_woken = false;
	int r = stream_output(&c->stream, (uint8_t *)buf, len, c->server->now);
	if (c->stream.is_aborted)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (r < 0)
		return reader_end(r);
	if (r > 0) {
		conn_touch(c);
		return r;
	}
	conn_suspend(c);
	if (c->is_woken)
		conn_resume(c);
	return 0;
}

static struct MHD_Response *response_new(struct conn *c, bool is_put,
					 const struct http_answer *answer)
{
	static char ok[] = "OK";
	struct MHD_Response *response =
		is_put ? MHD_create_response_from_buffer(strlen(ok), ok,
							 MHD_RESPMEM_PERSISTENT)
		       : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_LEN,
							   conn_on_room, c, NULL);
	for (unsigned i = 0; response && i < HTTP_ANSWER_HEADERS; i++) {
		const struct http_header *h = &answer->headers[i];
		if (h->name &&
		    MHD_add_response_header(response, h->name, h->value) == MHD_NO) {
			MHD_destroy_response(response);
			return NULL;
		}
	}
	return response;
}

/* The request is a stream from here on. */
static enum MHD_Result conn_accept(struct conn *c, bool is_put,
				   const struct http_answer *answer)
{
	assert(answer->events);
	c->stream.events = answer->events;
	c->stream.user = answer->user;
	conn_touch(c);
	if (c->stream.is_aborted)
		return MHD_NO;
	struct MHD_Response *response = response_new(c, is_put, answer);
	if (!response)
		return MHD_NO;
	if (is_put) {
		c->response = response;
		return MHD_YES;
	}
	enum MHD_Result r = MHD_queue_response(c->mhd, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result conn_begin(struct conn *c, const struct http_request *request)
{
	const struct http_server *s = c->server;
	const union MHD_ConnectionInfo *head =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct http_answer answer = { .status = 0 };

	c->stream.is_reading = true;
	conn_touch(c);
	if (head && head->header_size > HTTP_HEAD_MAX)
		return conn_refuse(c, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
				   "The head is too long");
	s->opts.request(s->opts.user, &c->stream, request, &answer, s->now);
	if (answer.status)
		return conn_refuse(c, answer.status, answer.text);
	return conn_accept(c, strcmp(request->method, MHD_HTTP_METHOD_PUT) == 0, &answer);
}

/* ---- A request: its body, and its end ---- */

static enum MHD_Result conn_input(struct conn *c, const char *data, size_t *data_len)
{
	if (c->stream.is_aborted)
		return MHD_NO;
	if (!c->stream.is_reading) {
		conn_suspend(c);
		return MHD_YES;
	}
	conn_touch(c);
	stream_input(&c->stream, (const uint8_t *)data, *data_len, c->server->now);
	*data_len = 0;
	return c->stream.is_aborted ? MHD_NO : MHD_YES;
}

static struct conn *conn_of_mhd(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* Called once for the head, then for each piece of the body, and once more at its end. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's. */
static enum MHD_Result server_on_request(void *user, struct MHD_Connection *mhd,
					 const char *path, const char *method,
					 const char *version, const char *data,
					 size_t *data_len, void **context)
{
	struct conn *c = conn_of_mhd(mhd);
	(void)user;
	if (!c)
		return MHD_NO;
	if (!*context) {
		*context = c;
		c->stream.version = strcmp(version, MHD_HTTP_VERSION_1_0) == 0 ? 10 : 11;
		return conn_begin(
			c, &(struct http_request){ .method = method, .path = path });
	}
	if (*data_len > 0)
		return conn_input(c, data, data_len);
	return MHD_queue_response(mhd, MHD_HTTP_OK, c->response);
}

static void server_on_completed(void *user, struct MHD_Connection *mhd, void **context,
				enum MHD_RequestTerminationCode why)
{
	struct conn *c = *context;
	(void)user;
	(void)mhd;
	if (!c)
		return;
	bool is_whole =
		why == MHD_REQUEST_TERMINATED_COMPLETED_OK && !c->stream.is_aborted;
	stream_closed(&c->stream, is_whole ? HTTP_ENDED : HTTP_ABORTED, NULL,
		      c->server->now);
	conn_drop_output(c);
	if (c->response)
		MHD_destroy_response(c->response);
	c->response = NULL;
	c->stream.is_aborted = false;
	conn_touch(c);
}

/* ---- Connections ---- */

static union weft_sockaddr peer_of(struct MHD_Connection *mhd)
{
	const struct sockaddr *sa =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	union weft_sockaddr peer = { .in6 = { .sin6_family = AF_UNSPEC } };
	if (sa && sa->sa_family == AF_INET)
		memcpy(&peer.in, sa, sizeof(peer.in));
	else if (sa && sa->sa_family == AF_INET6)
		memcpy(&peer.in6, sa, sizeof(peer.in6));
	return peer;
}

static void *conn_new(struct http_server *s, struct MHD_Connection *mhd)
{
	struct conn *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->stream.ops = &conn_ops;
	c->stream.peer = peer_of(mhd);
	c->server = s;
	c->mhd = mhd;
	c->out_task.fd = -1;
	list_init(&c->node);
	list_init(&c->mark);
	conn_touch(c);
	return c;
}

static void conn_free(struct conn *c)
{
	if (!c)
		return;
	conn_drop_output(c);
	list_remove(&c->node);
	credentials_drop(c->credentials);
	free(c);
}

static void server_on_connection(void *user, struct MHD_Connection *mhd, void **context,
				 enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = user;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = conn_new(server, mhd);
	} else {
		conn_free(*context);
		*context = NULL;
		/* There is room for another: in its next run the daemon listens again. */
		server->is_due = true;
	}
}

/* ---- TLS ---- */

/* GnuTLS asks in each handshake. MHD has set the session's pointer to the connection. */
/* NOLINTNEXTLINE(readability-function-size): GnuTLS's. */
static int on_handshake(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			gnutls_pcert_st **ret_chain, unsigned *ret_chain_len,
			gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_len,
			gnutls_privkey_t *ret_key, unsigned *flags)
{
	struct conn *c = conn_of_mhd(gnutls_session_get_ptr(session));
	(void)info;
	if (!c)
		return -1;
	*flags = 0; /* All of it stays ours. */
	if (!c->credentials)
		c->credentials = credentials_use(c->server->credentials);
	*ret_chain = c->credentials->chain;
	*ret_chain_len = c->credentials->chain_len;
	*ret_ocsp = NULL;
	*ret_ocsp_len = 0;
	*ret_key = c->credentials->key;
	return 0;
}

int http_server_reload(struct http_server *server, struct weft_error *err)
{
	struct credentials *fresh = NULL;
	if (!server->cert_file)
		return 0;
	int r = credentials_load(server->cert_file, server->key_file, err, &fresh);
	if (r < 0)
		return r;
	credentials_drop(server->credentials);
	server->credentials = fresh;
	return 0;
}

/* ---- The task ---- */

static struct http_server *server_of(struct weft_task *task)
{
	return container_of(task, struct http_server, task);
}

static void server_on_ready(struct weft_task *task, uint64_t now)
{
	(void)now;
	container_of(task, struct http_server, mhd_task)->is_ready = true;
}

static void server_run_daemon(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	s->is_ready = false;
	s->is_due = false;
	(void)MHD_run(s->daemon);
	/* It has no time-outs: it waits for its descriptor, or for nothing. */
	s->deadline = MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES && wait_ms == 0
			      ? 0
			      : WEFT_NEVER;
}

static void server_run(struct weft_task *task, uint64_t now)
{
	struct http_server *s = server_of(task);

	s->now = now;
	list_expire(&s->heads, s->opts.head_timeout_ns, now);
	list_expire(&s->streams, s->opts.idle_timeout_ns, now);
	server_sweep(s);
	server_put_out(s);
	poller_run(s->poller, now);
	if (s->is_ready || s->is_due || s->deadline == 0)
		server_run_daemon(s);
	poller_watch(s->poller);
}

static uint64_t server_deadline(const struct weft_task *task)
{
	const struct http_server *s = container_of_const(task, struct http_server, task);
	if (s->is_due || s->deadline == 0 || !list_is_empty(&s->marked))
		return 0;
	uint64_t heads = list_deadline(&s->heads, s->opts.head_timeout_ns);
	uint64_t streams = list_deadline(&s->streams, s->opts.idle_timeout_ns);
	if (streams > s->sweep_at && !list_is_empty(&s->streams))
		streams = s->sweep_at;
	return heads < streams ? heads : streams;
}

struct weft_task *http_server_task(struct http_server *server)
{
	return &server->task;
}

union weft_sockaddr http_server_addr(const struct http_server *server)
{
	return server->addr;
}

/* ---- Made and freed ---- */

static unsigned server_flags(const struct http_server *s)
{
	const union weft_sockaddr *listen = &s->opts.listen;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	if (s->credentials)
		flags |= MHD_USE_TLS;
	if (listen->sa.sa_family == AF_INET6)
		flags |= IN6_IS_ADDR_UNSPECIFIED(&listen->in6.sin6_addr)
				 ? MHD_USE_DUAL_STACK
				 : MHD_USE_IPv6;
	return flags;
}

static int server_start(struct http_server *s, struct weft_error *err)
{
	const struct http_server_opts *opts = &s->opts;
	s->daemon = MHD_start_daemon(
		server_flags(s), 0, NULL, NULL, server_on_request, s,
		MHD_OPTION_SOCK_ADDR, &opts->listen.sa,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONN_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, opts->conns_max,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, opts->conns_per_address_max,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_LISTEN_BACKLOG_SIZE,
		LISTEN_BACKLOG_LEN, MHD_OPTION_NOTIFY_CONNECTION, server_on_connection, s,
		MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, s,
		s->credentials ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END,
		TLS_PRIORITY, MHD_OPTION_HTTPS_CERT_CALLBACK2, on_handshake,
		MHD_OPTION_END);
	if (s->daemon)
		return 0;
	/* What it has left in errno need not be why. */
	int r = socket_why_not(&opts->listen);
	int error = r < 0 ? -r : EIO;
	char where[WEFT_SOCKADDR_TEXT];
	return weft_error_set(err, -error, "cannot listen on %s: %s",
			      weft_sockaddr_print(&opts->listen, where), strerror(error));
}

static int server_settle(struct http_server *s, struct weft_error *err)
{
	int fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
	s->mhd_task =
		(struct weft_task){ .events = WEFT_READABLE, .run = server_on_ready };
	s->mhd_task.fd =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	s->task.fd = poller_fd(s->poller);
	int r = poller_add(s->poller, &s->mhd_task);
	if (r == 0)
		r = socket_addr(fd, &s->addr);
	if (r == 0 && (r = socket_tune(fd, s->opts.congestion)) < 0)
		return stream_no_congestion(s->opts.congestion, r, err);
	return r < 0 ? weft_error_set(err, r, "cannot listen: %s", strerror(-r)) : 0;
}

static void set_defaults(struct http_server_opts *opts)
{
	if (!opts->idle_timeout_ns)
		opts->idle_timeout_ns = IDLE_TIMEOUT_NS;
	if (!opts->head_timeout_ns)
		opts->head_timeout_ns = HEAD_TIMEOUT_NS;
	if (!opts->conns_max)
		opts->conns_max = CONNS_MAX;
	if (!opts->conns_per_address_max)
		opts->conns_per_address_max = CONNS_PER_ADDRESS_MAX;
}

static int server_name_files(struct http_server *s, const struct http_server_opts *opts,
			     struct weft_error *err)
{
	if (!opts->key_file)
		return weft_error_set(err, -EINVAL,
				      "%s: a certificate needs its private key beside it",
				      opts->cert_file);
	s->cert_file = strdup(opts->cert_file);
	s->key_file = strdup(opts->key_file);
	if (!s->cert_file || !s->key_file)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	return 0;
}

int http_server_new(const struct http_server_opts *opts, struct weft_error *err,
		    struct http_server **ret_server)
{
	struct http_server *s = calloc(1, sizeof(*s));
	if (!s)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	s->opts = *opts;
	set_defaults(&s->opts);
	list_init(&s->heads);
	list_init(&s->streams);
	list_init(&s->marked);
	s->task = (struct weft_task){ .fd = -1,
				      .events = WEFT_READABLE,
				      .run = server_run,
				      .deadline = server_deadline };
	int r = opts->cert_file ? server_name_files(s, opts, err) : 0;
	if (r == 0)
		r = http_server_reload(s, err);
	if (r == 0 && (r = poller_new(&s->poller)) < 0)
		(void)weft_error_set(err, r, "cannot listen: %s", strerror(-r));
	if (r == 0)
		r = server_start(s, err);
	if (r == 0)
		r = server_settle(s, err);
	if (r < 0) {
		http_server_free(s);
		return r;
	}
	*ret_server = s;
	return 0;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	/* MHD ends the process rather than stop while a connection is suspended. */
	list_for_each (node, &server->streams)
		conn_resume(container_of(node, struct conn, node));
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	poller_free(server->poller);
	free(server->scratch);
	credentials_drop(server->credentials);
	free(server->cert_file);
	free(server->key_file);
	free(server);
}
