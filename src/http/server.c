/* SPDX-License-Identifier: MIT */
/*
 * The server, on libmicrohttpd. Its daemon has no thread: its epoll descriptor is the task's,
 * and MHD_run does what is ready.
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
 * Bodies that go in plain chunks, MHD is not asked to carry: its connection is suspended for as
 * long as the stream lasts, and the socket written to (http/direct.h), or read from
 * (http/chunks.h). That needs no memory of the connection's own, and a copy less. A body whose
 * beginning MHD has read together with the head remains MHD's.
 *
 * MHD suspends from within its callbacks only: a PUT that is not to be read from is
 * suspended when its next bytes have come, and these stay in the connection's buffer.
 */
#include "base/container.h"
#include "base/time.h"
#include "http/served.h"
#include "io/poller.h"
#include "io/socket.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

/*
 * A connection's only memory: its head, and bodies that are left to MHD. Half of it is touched by
 * a connection that is idle, and a peer has two of them.
 */
#define CONN_MEMORY ((size_t)49152)

#define CONNS_MAX             4096u
#define CONNS_PER_ADDRESS_MAX 256u

#define IDLE_TIMEOUT_NS (5460 * NS_PER_S) /* 91 minutes */
#define HEAD_TIMEOUT_NS (30 * NS_PER_S)
#define SWEEP_NS        (2 * NS_PER_S)

/* One to find the end of the body, one to send it; and what else there is. */
#define LAST_TURNS 4u

/* The first is what costs least where the processor has instructions for it. */
#define TLS_PRIORITY                                                \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"               \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" \
	"%SERVER_PRECEDENCE"

/* ---- idle times -------------------------------------------------------------------------- */

static struct served *served_oldest(const struct list *conns)
{
	struct list *node = list_first(conns);
	return node ? container_of(node, struct served, node) : NULL;
}

static uint64_t list_deadline(const struct list *conns, uint64_t timeout)
{
	const struct served *c = served_oldest(conns);
	return c ? c->since + timeout : WEFT_NEVER;
}

static void list_expire(const struct list *conns, uint64_t timeout, uint64_t now)
{
	struct served *c;
	while ((c = served_oldest(conns)) && c->since + timeout <= now) {
		served_break(c);
		served_touch(c);
	}
}

static void server_sweep(struct http_server *s)
{
	if (s->sweep_at > s->now)
		return;
	s->sweep_at = s->now + SWEEP_NS;
	list_for_each (node, &s->streams) {
		struct served *c = container_of(node, struct served, node);
		if (c->since + SWEEP_NS > s->now)
			return;
		if (served_is_lost(c))
			served_break(c);
	}
}

static void server_go_on(struct http_server *s)
{
	struct due *due;
	while ((due = due_take(&s->paused, s->now)))
		served_mark(container_of(due, struct served, pause));
}

static void server_put_out(struct http_server *s)
{
	struct list now;
	struct list *node;
	list_init(&now);
	while ((node = list_pop_front(&s->marked)))
		list_push_back(&now, node);
	while ((node = list_pop_front(&now))) {
		served_put_out(container_of(node, struct served, mark));
	}
}

/* ---- connections ------------------------------------------------------------------------- */

static void server_on_connection(void *user, struct MHD_Connection *mhd, void **context,
				 enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = user;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = served_new(server, mhd);
	} else {
		served_free(*context);
		*context = NULL;
		/* There is room for another: in its next run the daemon listens again. */
		server->is_due = true;
	}
}

/* ---- TLS --------------------------------------------------------------------------------- */

/* GnuTLS asks in each handshake. MHD has set the session's pointer to the connection. */
/* NOLINTNEXTLINE(readability-function-size): GnuTLS's. */
static int on_handshake(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			gnutls_pcert_st **ret_chain, unsigned *ret_chain_len,
			gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_len,
			gnutls_privkey_t *ret_key, unsigned *flags)
{
	struct served *c = served_of_mhd(gnutls_session_get_ptr(session));
	(void)info;
	if (!c)
		return -1;
	*flags = 0; /* All of it stays ours. */
	if (!c->credentials)
		c->credentials = credentials_use(c->server->terms.credentials);
	*ret_chain = c->credentials->chain;
	*ret_chain_len = c->credentials->chain_len;
	*ret_ocsp = NULL;
	*ret_ocsp_len = 0;
	*ret_key = c->credentials->key;
	return 0;
}

/* ---- terms ------------------------------------------------------------------------------- */

static void terms_fini(struct terms *t)
{
	credentials_drop(t->credentials);
	free(t->cert_file);
	free(t->key_file);
	free(t->congestion);
	*t = (struct terms){ .cert_file = NULL };
}

static int copy_text(const char *text, struct weft_error *err, char **ret_text)
{
	if (!text)
		return 0;
	*ret_text = strdup(text);
	return *ret_text ? 0 : weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
}

static int terms_load_certificate(struct terms *t, const struct http_server_terms *terms,
				  struct weft_error *err)
{
	if (!terms->cert_file)
		return 0;
	if (!terms->key_file)
		return weft_error_set(err, -EINVAL,
				      "%s: a certificate needs its private key beside it",
				      terms->cert_file);
	int r = copy_text(terms->cert_file, err, &t->cert_file);
	if (r == 0)
		r = copy_text(terms->key_file, err, &t->key_file);
	return r < 0 ? r
		     : credentials_load(t->cert_file, t->key_file, err, &t->credentials);
}

/* Whatever it returns, t is to be given to terms_fini. */
static int terms_init(struct terms *t, const struct http_server_terms *terms,
		      struct weft_error *err)
{
	*t = (struct terms){ .cert_file = NULL };
	int r = terms_load_certificate(t, terms, err);
	if (r == 0)
		r = http_check_congestion(terms->congestion, err);
	return r < 0 ? r : copy_text(terms->congestion, err, &t->congestion);
}

int http_server_reload(struct http_server *server, struct weft_error *err)
{
	struct terms *t = &server->terms;
	struct credentials *fresh = NULL;
	if (!t->cert_file)
		return 0;
	int r = credentials_load(t->cert_file, t->key_file, err, &fresh);
	if (r < 0)
		return r;
	credentials_drop(t->credentials);
	t->credentials = fresh;
	return 0;
}

int http_server_prepare(struct http_server *server, const struct http_server_terms *terms,
			struct weft_error *err)
{
	http_server_cancel(server);
	int r = terms_init(&server->next_terms, terms, err);
	server->is_prepared = r == 0;
	if (r < 0)
		http_server_cancel(server);
	return r;
}

void http_server_cancel(struct http_server *server)
{
	server->is_prepared = false;
	terms_fini(&server->next_terms);
}

static void change_congestions(const struct list *conns, const char *congestion)
{
	list_for_each (node, conns)
		socket_change_congestion(
			served_fd(container_of(node, struct served, node)), congestion);
}

void http_server_commit(struct http_server *server)
{
	if (!server->is_prepared)
		return;
	terms_fini(&server->terms);
	server->terms = server->next_terms;
	server->next_terms = (struct terms){ .cert_file = NULL };
	server->is_prepared = false;
	socket_change_congestion(server->listener.fd, server->terms.congestion);
	change_congestions(&server->heads, server->terms.congestion);
	change_congestions(&server->streams, server->terms.congestion);
}

/* ---- the task ---------------------------------------------------------------------------- */

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
	server_go_on(s);
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
	const uint64_t paused = due_deadline(&s->paused);
	const uint64_t earliest = heads < streams ? heads : streams;
	return paused < earliest ? paused : earliest;
}

struct weft_task *http_server_task(struct http_server *server)
{
	return &server->task;
}

union weft_sockaddr http_server_addr(const struct http_server *server)
{
	return server->addr;
}

/* ---- made and freed ---------------------------------------------------------------------- */

static int server_listen(struct http_server *s, struct weft_error *err)
{
	const union weft_sockaddr *addr = &s->opts.listen;
	char where[WEFT_SOCKADDR_TEXT];
	int r = listener_open(&s->listener, s->opts.listeners, addr);
	if (r == 0)
		r = socket_addr(s->listener.fd, &s->addr);
	if (r < 0)
		return weft_error_set(err, r, "cannot listen on %s: %s",
				      weft_sockaddr_print(addr, where), strerror(-r));
	/* That it can have this control is known. */
	(void)socket_tune(s->listener.fd, s->terms.congestion);
	return 0;
}

static int server_start(struct http_server *s, struct weft_error *err)
{
	const struct http_server_opts *opts = &s->opts;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	if (s->terms.credentials)
		flags |= MHD_USE_TLS;
	s->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, served_on_request, s, MHD_OPTION_LISTEN_SOCKET,
		s->listener.fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONN_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, opts->conns_max,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, opts->conns_per_address_max,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
		server_on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, served_on_completed,
		s, s->terms.credentials ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END,
		TLS_PRIORITY, MHD_OPTION_HTTPS_CERT_CALLBACK2, on_handshake,
		MHD_OPTION_END);
	return s->daemon ? 0
			 : weft_error_set(err, -ENOMEM, "the server cannot be set up");
}

static int server_settle(struct http_server *s, struct weft_error *err)
{
	s->mhd_task =
		(struct weft_task){ .events = WEFT_READABLE, .run = server_on_ready };
	s->mhd_task.fd =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	s->task.fd = poller_fd(s->poller);
	int r = poller_add(s->poller, &s->mhd_task);
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

int http_server_new(const struct http_server_opts *opts, struct weft_error *err,
		    struct http_server **ret_server)
{
	struct http_server *s = calloc(1, sizeof(*s));
	if (!s)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	s->opts = *opts;
	s->listener.fd = -1;
	set_defaults(&s->opts);
	list_init(&s->heads);
	list_init(&s->streams);
	list_init(&s->marked);
	list_init(&s->paused);
	s->task = (struct weft_task){ .fd = -1,
				      .events = WEFT_READABLE,
				      .run = server_run,
				      .deadline = server_deadline };
	int r = terms_init(&s->terms, &opts->terms, err);
	if (r == 0 && (r = poller_new(&s->poller)) < 0)
		(void)weft_error_set(err, r, "cannot listen: %s", strerror(-r));
	if (r == 0)
		r = server_listen(s, err);
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

/*
 * Responses come to their regular end where their sockets take it at once. MHD ends the process
 * rather than stop while a connection is suspended.
 */
static void server_end_streams(struct http_server *s)
{
	s->is_ending = true;
	list_for_each (node, &s->streams)
		served_finish(container_of(node, struct served, node));
	for (unsigned i = 0; i < LAST_TURNS; i++)
		(void)MHD_run(s->daemon);
	list_for_each (node, &s->streams)
		served_resume(container_of(node, struct served, node));
	list_for_each (node, &s->heads)
		served_resume(container_of(node, struct served, node));
}

/* MHD would close the socket, of which others know. */
void http_server_retire(struct http_server *server)
{
	if (server->daemon && server->listener.fd >= 0)
		(void)MHD_quiesce_daemon(server->daemon);
	listener_close(&server->listener);
}

bool http_server_is_idle(const struct http_server *server)
{
	return list_is_empty(&server->heads) && list_is_empty(&server->streams);
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	http_server_retire(server);
	if (server->daemon) {
		server_end_streams(server);
		MHD_stop_daemon(server->daemon);
	}
	poller_free(server->poller);
	free(server->scratch);
	terms_fini(&server->terms);
	terms_fini(&server->next_terms);
	free(server);
}
