/* SPDX-License-Identifier: MIT */
/*
 * Every call ends in tcp_settle, which sends what the call has made possible, unless a flush is
 * under way that will do it anyway.
 */
#include "stack/tcp_user.h"

#include "stack/tcp_emit.h"
#include "stack/tcp_isn.h"
#include "stack/tcp_life.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_timer.h"
#include "stack/tcp_urgent.h"
#include "stack/tcp_window.h"

#include <errno.h>
#include <limits.h>

static void settle(struct tcp_conn *conn, uint64_t now)
{
	struct tcp *tcp = conn->tcp;
	tcp_touch(conn);
	if (!tcp->is_flushing)
		tcp_flush(tcp, now);
}

/* ---- OPEN -------------------------------------------------------------------------------- */

static int name_flow(struct tcp *tcp, const struct tcp_open *open,
		     struct tcp_birth *birth, uint64_t now)
{
	struct tcp_flow *flow = &birth->flow;
	*flow = (struct tcp_flow){
		.local = open->local,
		.remote = open->remote,
		.lport = open->lport,
		.rport = open->rport,
		.scope = open->scope,
	};
	if (open->rport == 0)
		return -EINVAL;
	int r = tcp->ops->find_path(tcp->user, flow, now, &birth->path);
	if (r < 0)
		return r;
	if (addr_is_unspecified(&open->local))
		flow->local = birth->path.src;
	if (flow->lport == 0)
		return tcp_choose_port(tcp, flow);
	return tcp_table_find(&tcp->table, flow) ? -EADDRINUSE : 0;
}

int tcp_open(struct tcp *tcp, const struct tcp_open *open, uint64_t now,
	     struct tcp_conn **ret_conn)
{
	struct tcp_birth birth;
	int r = name_flow(tcp, open, &birth, now);
	if (r < 0)
		return r;
	birth.iss = tcp_isn(tcp, &birth.flow, now);
	birth.ts_offset = tcp_ts_offset(tcp, &birth.flow);
	struct tcp_conn *conn = tcp_conn_new(tcp, &birth, now);
	if (!conn)
		return -ENOBUFS;
	conn->events = open->events;
	conn->user = open->user;
	conn->tos = open->tos;
	conn->ttl = open->ttl;
	tcp_set_state(conn, TCP_SYN_SENT);
	if (board_push(conn, conn->iss + 1, now) < 0) {
		tcp_conn_free(conn);
		return -ENOBUFS;
	}
	tcp_emit_syn(conn, now);
	tcp_arm_retransmission(conn, now);
	tcp_count(tcp, TCP_COUNT_OPENED);
	*ret_conn = conn;
	return 0;
}

/* ---- SEND -------------------------------------------------------------------------------- */

static bool takes_data(const struct tcp_conn *conn)
{
	return !conn->is_dead && !conn->fin_asked && tcp_state_takes_data(conn->state);
}

static size_t room(const struct tcp_conn *conn)
{
	return conn->to_send.len < conn->snd_limit ? conn->snd_limit - conn->to_send.len
						   : 0;
}

int tcp_send(struct tcp_conn *conn, const void *data, size_t len, uint64_t now)
{
	if (!takes_data(conn))
		return -EPIPE;
	if (!tcp_wake(conn, now))
		return -ENOBUFS;
	size_t n = len < room(conn) ? len : room(conn);
	if (n > INT_MAX)
		n = INT_MAX;
	conn->was_blocked = n < len;
	conn->pushed = false;
	if (chain_append(&conn->to_send, &conn->tcp->budget, data, n) < 0) {
		conn->was_blocked = true;
		return -ENOBUFS;
	}
	settle(conn, now);
	return (int)n;
}

int tcp_send_urgent(struct tcp_conn *conn, const void *data, size_t len, uint64_t now)
{
	const bool was_urgent = conn->snd_urgent;
	const uint32_t up = conn->snd_up;
	size_t n = len < room(conn) ? len : room(conn);
	if (takes_data(conn) && n > 0)
		tcp_urge(conn, n); /* First, as the first segment is to say so. */
	int taken = tcp_send(conn, data, len, now);
	if (taken <= 0) {
		conn->snd_urgent = was_urgent;
		conn->snd_up = up;
	}
	return taken;
}

int tcp_lend(struct tcp_conn *conn, const struct ip_slice *data, tcp_release *release,
	     void *user, uint64_t now)
{
	if (!takes_data(conn))
		return -EPIPE;
	if (!tcp_wake(conn, now))
		return -ENOBUFS;
	if (data->len > room(conn) || data->len > INT_MAX) {
		conn->was_blocked = true;
		return 0;
	}
	conn->pushed = false;
	if (data->len > 0 && chain_lend(&conn->to_send, &conn->tcp->budget, data->data,
					data->len, release, user) < 0)
		return -ENOBUFS;
	settle(conn, now);
	return (int)data->len;
}

/* ---- RECEIVE ----------------------------------------------------------------------------- */

/* What a call is told that finds nothing to read. */
static int nothing_to_read(const struct tcp_conn *conn)
{
	if (conn->fin_received)
		return 0;
	if (conn->is_dead)
		return conn->error;
	return conn->read_shut ? 0 : -EAGAIN;
}

/* The window opens. */
static inline void on_read(struct tcp_conn *conn, size_t n, uint64_t now)
{
	if (n == 0 || conn->is_dead)
		return;
	if (conn->rcv_urgent)
		tcp_urgent_on_read(conn);
	tcp_window_on_read(conn, n, now);
	if (tcp_window_update_is_due(conn))
		settle(conn, now);
}

int tcp_receive(struct tcp_conn *conn, void *buf, size_t len, uint64_t now)
{
	if (len > INT_MAX)
		len = INT_MAX;
	if (len == 0)
		return 0;
	if (conn->to_read.len == 0)
		return nothing_to_read(conn);
	size_t n = chain_read(&conn->to_read, &conn->tcp->budget, buf, len);
	on_read(conn, n, now);
	return (int)n;
}

int tcp_peek(const struct tcp_conn *conn, const void **ret_data)
{
	size_t n = chain_peek(&conn->to_read, ret_data);
	return n > 0 ? (int)n : nothing_to_read(conn);
}

void tcp_skip(struct tcp_conn *conn, size_t n, uint64_t now)
{
	if (n > conn->to_read.len)
		n = conn->to_read.len;
	chain_drop(&conn->to_read, &conn->tcp->budget, n);
	on_read(conn, n, now);
}

/* ---- CLOSE, ABORT ------------------------------------------------------------------------ */

/* The FIN goes into the queue behind the data; the state follows at once (3.10.4). */
static void ask_fin(struct tcp_conn *conn)
{
	if (conn->fin_asked)
		return;
	conn->fin_asked = true;
	if (conn->state == TCP_ESTABLISHED)
		tcp_set_state(conn, TCP_FIN_WAIT_1);
	else if (conn->state == TCP_CLOSE_WAIT)
		tcp_set_state(conn, TCP_LAST_ACK);
}

int tcp_shutdown(struct tcp_conn *conn, int how, uint64_t now)
{
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (conn->is_dead)
		return -ENOTCONN;
	if (how != SHUT_WR)
		conn->read_shut = true;
	if (how != SHUT_RD)
		ask_fin(conn);
	settle(conn, now);
	return 0;
}

void tcp_close(struct tcp_conn *conn, uint64_t now)
{
	bool is_unread = conn->to_read.len > 0 && !conn->is_dead;
	conn->is_orphan = true;
	if (conn->state == TCP_SYN_SENT)
		tcp_end(conn, 0);
	else if (is_unread)
		tcp_abort(conn, -ECONNABORTED, now);
	else if (!conn->is_dead)
		ask_fin(conn);
	settle(conn, now);
}

void tcp_kill(struct tcp_conn *conn, uint64_t now)
{
	conn->is_orphan = true;
	if (conn->state == TCP_SYN_SENT)
		tcp_end(conn, 0);
	else
		tcp_abort(conn, -ECONNABORTED, now);
	settle(conn, now);
}

/* ---- habits ------------------------------------------------------------------------------ */

void tcp_set_nodelay(struct tcp_conn *conn, bool on, uint64_t now)
{
	conn->nodelay = on;
	conn->pushed = on;
	settle(conn, now);
}

void tcp_set_cork(struct tcp_conn *conn, bool on, uint64_t now)
{
	conn->cork = on;
	settle(conn, now);
}

void tcp_set_keepalive(struct tcp_conn *conn, bool on, uint16_t idle_s,
		       uint16_t interval_s, uint8_t probes, uint64_t now)
{
	conn->keepalive = on;
	conn->keep_idle_s = idle_s;
	conn->keep_interval_s = interval_s;
	conn->keep_probes_max = probes;
	tcp_due_clear(conn, TCP_DUE_QUIET);
	settle(conn, now);
}

void tcp_set_send_max(struct tcp_conn *conn, uint32_t len_max, uint64_t now)
{
	conn->snd_limit = len_max > 0 ? len_max : conn->tcp->config.send_max;
	tcp_tell_room(conn);
	settle(conn, now);
}
