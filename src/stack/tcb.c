/* SPDX-License-Identifier: MIT */
/*
 * The RFC's calls by those of <weft/tcp.h>. The RFC has one block for a connection from OPEN on;
 * here it is a listener first, which is closed as soon as it has got its one connection:
 *
 *      passive OPEN ---> listener (LISTEN, SYN-RECEIVED) --- first accept ---.
 *                            '--- SEND, remote socket known ---.             |
 *      active OPEN ------------------------------------------- '--> tcp <----'
 *
 * Of several handshakes the first that is complete counts, so that no stranger can keep the port
 * with a SYN alone. A name goes through three stages: it is used; it is on the list of those that
 * have ended after CLOSE, and gives way when there are no other; it is free.
 */
#include "base/array.h"
#include "stack/tcp.h"
#include "stack/tcp_listen.h"

#include <weft/tcb.h>

#include <errno.h>
#include <stdlib.h>

#define TCBS_DEFAULT 1024u

struct tcb {
	struct weft_tcbs *set;
	struct list of_ended;
	int name;
	struct weft_tcb_params params;
	struct weft_tcp_listener *listener; /**< In LISTEN, else NULL. */
	struct weft_tcp *tcp;
	bool is_closed; /**< CLOSE was called. */
	bool has_ended;
	int error; /**< Why. */
};

struct weft_tcbs {
	struct weft_stack *stack;
	struct weft_tcbs_opts opts;
	struct list ended; /**< After CLOSE; the first to end first. */
	struct tcb **tcbs;
};

/* ---- names ------------------------------------------------------------------------------- */

static struct tcb *tcb_find(const struct weft_tcbs *set, int name)
{
	return name >= 0 && (uint32_t)name < set->opts.tcbs_max ? set->tcbs[name] : NULL;
}

/* Gives the name up, and the connection as after CLOSE. */
static void tcb_free(struct tcb *tcb, uint64_t now)
{
	if (tcb->tcp)
		weft_tcp_close(tcb->tcp, now);
	weft_tcp_listener_close(tcb->listener, now);
	list_remove(&tcb->of_ended);
	tcb->set->tcbs[tcb->name] = NULL;
	free(tcb);
}

/* The lowest free name, or one that nobody waits for any more. */
static struct tcb *tcb_new(struct weft_tcbs *set, const struct weft_tcb_params *params,
			   uint64_t now)
{
	uint32_t name = 0;
	while (name < set->opts.tcbs_max && set->tcbs[name])
		name++;
	if (name == set->opts.tcbs_max) {
		struct list *oldest = list_first(&set->ended);
		if (!oldest)
			return NULL;
		struct tcb *ended = container_of(oldest, struct tcb, of_ended);
		name = (uint32_t)ended->name;
		tcb_free(ended, now);
	}
	struct tcb *tcb = calloc(1, sizeof(*tcb));
	if (!tcb)
		return NULL;
	*tcb = (struct tcb){ .set = set, .name = (int)name, .params = *params };
	list_init(&tcb->of_ended);
	set->tcbs[name] = tcb;
	return tcb;
}

int weft_tcbs_new(struct weft_stack *stack, const struct weft_tcbs_opts *opts,
		  struct weft_tcbs **ret_tcbs)
{
	struct weft_tcbs *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	if (opts)
		set->opts = *opts;
	if (set->opts.tcbs_max == 0)
		set->opts.tcbs_max = TCBS_DEFAULT;
	set->stack = stack;
	list_init(&set->ended);
	set->tcbs = calloc(set->opts.tcbs_max, sizeof(struct tcb *));
	if (!set->tcbs) {
		free(set);
		return -ENOMEM;
	}
	*ret_tcbs = set;
	return 0;
}

void weft_tcbs_free(struct weft_tcbs *set, uint64_t now)
{
	if (!set)
		return;
	for (uint32_t i = 0; i < set->opts.tcbs_max; i++) {
		if (set->tcbs[i])
			tcb_free(set->tcbs[i], now);
	}
	free(set->tcbs);
	free(set);
}

/* ---- what happens ------------------------------------------------------------------------ */

static void changed(struct tcb *tcb, uint64_t now)
{
	struct weft_tcbs *set = tcb->set;
	if (set->opts.on_change)
		set->opts.on_change(set->opts.user, set, tcb->name, now);
}

static void on_event(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	changed(user, now);
}

static void on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct tcb *tcb = user;
	(void)tcp;
	tcb->has_ended = true;
	tcb->error = error;
	if (tcb->is_closed)
		list_push_back(&tcb->set->ended, &tcb->of_ended);
	changed(tcb, now);
}

static void on_report(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	const struct tcb *tcb = user;
	struct weft_tcbs *set = tcb->set;
	(void)tcp;
	if (set->opts.on_report)
		set->opts.on_report(set->opts.user, set, tcb->name, error, now);
}

static struct weft_tcp_opts opts_of(struct tcb *tcb)
{
	static const struct weft_tcp_events events = {
		.on_connected = on_event,
		.on_readable = on_event,
		.on_writable = on_event,
		.on_closed = on_closed,
		.on_report = on_report,
		.on_urgent = on_event,
	};
	return (struct weft_tcp_opts){
		.events = &events,
		.user = tcb,
		.local = tcb->params.local,
		.user_timeout_ms = tcb->params.timeout_ms,
		.tos = tcb->params.diffserv,
		.ttl = tcb->params.ttl,
	};
}

/* The connection that the OPEN was for is there. There will not be another. */
static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct tcb *tcb = user;
	struct weft_tcp_opts opts = opts_of(tcb);
	if (weft_tcp_accept(listener, &opts, now, &tcb->tcp) < 0)
		return;
	tcb->listener = NULL;
	weft_tcp_listener_close(listener, now);
	changed(tcb, now);
}

/* ---- OPEN -------------------------------------------------------------------------------- */

static bool is_specified(const union weft_sockaddr *remote)
{
	struct ip_addr addr;
	uint16_t port;
	return addr_of_sockaddr(remote, &addr, &port) && !addr_is_unspecified(&addr) &&
	       port != 0;
}

static int open_active(struct tcb *tcb, uint64_t now)
{
	struct weft_tcp_opts opts = opts_of(tcb);
	if (!is_specified(&tcb->params.remote))
		return -EDESTADDRREQ;
	return weft_tcp_connect(tcb->set->stack, &tcb->params.remote, &opts, now,
				&tcb->tcp);
}

static int open_passive(struct tcb *tcb)
{
	struct weft_tcp_listen_opts opts = {
		.on_acceptable = on_acceptable,
		.user = tcb,
		.backlog = 1,
		.peer = tcb->params.remote,
		.tos = tcb->params.diffserv,
		.ttl = tcb->params.ttl,
	};
	return weft_tcp_listen(tcb->set->stack, &tcb->params.local, &opts,
			       &tcb->listener);
}

int weft_tcb_open(struct weft_tcbs *tcbs, const struct weft_tcb_params *params,
		  uint64_t now)
{
	struct tcb *tcb = tcb_new(tcbs, params, now);
	if (!tcb)
		return -ENOBUFS;
	int r = params->active ? open_active(tcb, now) : open_passive(tcb);
	if (r >= 0)
		return tcb->name;
	tcb_free(tcb, now);
	return r == -ENOMEM ? -ENOBUFS : r;
}

/* ---- SEND, RECEIVE ----------------------------------------------------------------------- */

/* From LISTEN to SYN-SENT (3.10.2). If that cannot be, all stays as it was. */
static int become_active(struct tcb *tcb, uint64_t now)
{
	int r = open_active(tcb, now);
	if (r < 0)
		return r;
	weft_tcp_listener_close(tcb->listener, now);
	tcb->listener = NULL;
	return 0;
}

typedef int send_fn(struct weft_tcp *tcp, const void *data, size_t len, uint64_t now);

static int send_by(send_fn *send, struct tcb *tcb, const struct ip_slice *data,
		   uint64_t now)
{
	if (!tcb)
		return -ENOTCONN;
	if (tcb->is_closed)
		return -ESHUTDOWN;
	int r = tcb->listener ? become_active(tcb, now) : 0;
	if (r == 0)
		r = send(tcb->tcp, data->data, data->len, now);
	if (r == -EPIPE)
		return tcb->error < 0 ? tcb->error : -ENOTCONN;
	return r == 0 && data->len > 0 ? -EAGAIN : r;
}

int weft_tcb_send(struct weft_tcbs *tcbs, int name, const void *data, size_t len,
		  uint64_t now)
{
	const struct ip_slice slice = { .data = data, .len = len };
	return send_by(weft_tcp_send, tcb_find(tcbs, name), &slice, now);
}

int weft_tcb_send_urgent(struct weft_tcbs *tcbs, int name, const void *data, size_t len,
			 uint64_t now)
{
	const struct ip_slice slice = { .data = data, .len = len };
	return send_by(weft_tcp_send_urgent, tcb_find(tcbs, name), &slice, now);
}

/* Nobody has to be told anything any more. */
static void forget_if_over(struct tcb *tcb, uint64_t now)
{
	if (tcb->has_ended && tcb->is_closed)
		tcb_free(tcb, now);
}

int weft_tcb_receive(struct weft_tcbs *tcbs, int name, void *buf, size_t len,
		     uint64_t now)
{
	struct tcb *tcb = tcb_find(tcbs, name);
	if (!tcb)
		return -ENOTCONN;
	if (tcb->listener)
		return -EAGAIN;
	int n = weft_tcp_receive(tcb->tcp, buf, len, now);
	if (n > 0 || n == -EAGAIN || len == 0)
		return n;
	forget_if_over(tcb, now);
	return n == 0 ? -ESHUTDOWN : n;
}

/* ---- CLOSE, ABORT ------------------------------------------------------------------------ */

static enum tcp_state state_of(const struct tcb *tcb)
{
	if (tcb->listener)
		return tcp_listener_of(tcb->listener)->syns_n > 0 ? TCP_SYN_RECEIVED
								  : TCP_LISTEN;
	struct tcp_conn *conn = tcp_conn_of(tcb->tcp);
	if (conn->state != TCP_TIME_WAIT)
		return (enum tcp_state)conn->state;
	/* It lasts as long as its record. */
	const struct tcp_node *node = tcp_table_find(&conn->tcp->table, &conn->node.flow);
	return node && node->kind == TCP_KIND_TIME_WAIT ? TCP_TIME_WAIT : TCP_CLOSED;
}

int weft_tcb_close(struct weft_tcbs *tcbs, int name, uint64_t now)
{
	struct tcb *tcb = tcb_find(tcbs, name);
	if (!tcb)
		return -ENOTCONN;
	if (tcb->is_closed)
		return -ESHUTDOWN;
	bool is_over = tcb->has_ended;
	if (tcb->listener || is_over || state_of(tcb) == TCP_SYN_SENT) {
		tcb_free(tcb, now);
		return is_over ? -ENOTCONN : 0;
	}
	tcb->is_closed = true;
	(void)weft_tcp_shutdown(tcb->tcp, SHUT_WR, now);
	return 0;
}

int weft_tcb_abort(struct weft_tcbs *tcbs, int name, uint64_t now)
{
	struct tcb *tcb = tcb_find(tcbs, name);
	if (!tcb)
		return -ENOTCONN;
	if (tcb->tcp)
		weft_tcp_abort(tcb->tcp, now);
	tcb->tcp = NULL;
	tcb_free(tcb, now);
	return 0;
}

/* ---- STATUS ------------------------------------------------------------------------------ */

static void fill_in_connection(const struct tcb *tcb, struct weft_tcb_status *status)
{
	struct weft_tcp_info info;
	weft_tcp_info(tcb->tcp, &info);
	status->local = weft_tcp_local(tcb->tcp);
	status->remote = weft_tcp_peer(tcb->tcp);
	status->receive_window = info.window;
	status->send_window = info.peer_window;
	status->awaiting_ack = info.unacked + info.unsent;
	status->pending_receipt = info.unread;
	status->urgent = info.urgent;
}

int weft_tcb_status(const struct weft_tcbs *tcbs, int name,
		    struct weft_tcb_status *ret_status)
{
	const struct tcb *tcb = tcb_find(tcbs, name);
	if (!tcb)
		return -ENOTCONN;
	struct weft_tcb_status status = {
		.state = tcp_state_name(state_of(tcb)),
		.local = tcb->params.local,
		.remote = tcb->params.remote,
		.timeout_ms = tcb->params.timeout_ms,
		.diffserv = tcb->params.diffserv,
		.ttl = tcb->params.ttl,
	};
	if (tcb->tcp)
		fill_in_connection(tcb, &status);
	*ret_status = status;
	return 0;
}

const char *weft_tcb_words(int error)
{
	static const struct {
		int error;
		const char *words;
	} table[] = {
		{ -ENOTCONN, "error: connection does not exist" },
		{ -EADDRINUSE, "error: connection already exists" },
		{ -EADDRNOTAVAIL, "error: connection illegal for this process" },
		{ -EDESTADDRREQ, "error: remote socket unspecified" },
		{ -ENOBUFS, "error: insufficient resources" },
		{ -ESHUTDOWN, "error: connection closing" },
		{ -ECONNRESET, "error: connection reset" },
		{ -ECONNREFUSED, "error: connection refused" },
		{ -ETIMEDOUT, "error: connection aborted due to user timeout" },
	};
	if (error >= 0)
		return "ok";
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].error == error)
			return table[i].words;
	}
	return NULL;
}
