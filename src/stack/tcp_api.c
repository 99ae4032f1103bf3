/* SPDX-License-Identifier: MIT */
/*
 * <weft/tcp.h>: addresses as the program writes them, and the calls of tcp_user.h.
 */
#include "base/time.h"
#include "stack/tcp_ip.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_urgent.h"
#include "stack/tcp_user.h"

#include <weft/tcp.h>

#include <errno.h>
#include <string.h>

#define DSCP_MASK 0xfcu

/* ---- limits ------------------------------------------------------------------------------ */

void weft_tcp_set_limits(struct weft_stack *stack, const struct weft_tcp_limits *limits)
{
	struct tcp_config config = {
		.connections_max = limits->connections_max,
		.time_waits_max = limits->time_waits_max,
		.records_max = limits->segments_max,
		.memory_max = (size_t)limits->memory_max,
		.receive_max = limits->receive_max,
		.blocks_max = limits->early_max,
		.cuts_max = limits->sack_pieces_max,
		.mss_min = limits->mss_min,
		.spares_max = limits->spares_max,
		.challenge_ms = limits->challenge_ms,
		.time_wait_ms = limits->time_wait_ms,
		.fin_wait_ms = limits->fin_wait_ms,
		.ecn = limits->ecn,
	};
	tcp_configure(tcp_of_stack(stack), &config);
}

/* ---- connections ------------------------------------------------------------------------- */

/* NULL for a name that nobody knows. */
static const struct tcp_cc_ops *congestion_of(const struct tcp *tcp, const char *name)
{
	static const struct tcp_cc_ops *const known[] = { &tcp_cubic_ops,
							  &tcp_newreno_ops };
	if (!name)
		return tcp->config.cc;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i]->name, name) == 0)
			return known[i];
	}
	return NULL;
}

static void apply(struct tcp_conn *conn, const struct weft_tcp_opts *opts, uint64_t now)
{
	const struct tcp_cc_ops *cc_ops = congestion_of(conn->tcp, opts->congestion);
	conn->events = opts->events;
	conn->user = opts->user;
	conn->nodelay = opts->nodelay;
	conn->user_timeout_ms = opts->user_timeout_ms;
	conn->tos = opts->tos & DSCP_MASK;
	conn->ttl = opts->ttl;
	if (cc_ops) {
		conn->cc_ops = cc_ops;
		cc_ops->start(&conn->cc);
	}
	tcp_set_send_max(conn, opts->send_max, now);
	tcp_set_keepalive(conn, opts->keepalive, opts->keep_idle_s, opts->keep_interval_s,
			  opts->keep_probes, now);
}

/* One of two addresses may need a scope, and both the same. */
static int join_scopes(const struct weft_stack *stack, const union weft_sockaddr *sa,
		       const struct ip_addr *addr, uint32_t *scope)
{
	uint32_t other;
	int r = ip_scope_find(stack, addr, addr_scope_of(sa), &other);
	if (r < 0 || other == 0)
		return r;
	if (*scope != 0 && *scope != other)
		return -EINVAL;
	*scope = other;
	return 0;
}

int weft_tcp_connect(struct weft_stack *stack, const union weft_sockaddr *peer,
		     const struct weft_tcp_opts *opts, uint64_t now,
		     struct weft_tcp **ret_tcp)
{
	static const struct weft_tcp_opts none;
	struct tcp *tcp = tcp_of_stack(stack);
	struct tcp_open open = { 0 };
	struct tcp_conn *conn;
	if (!opts)
		opts = &none;
	open.tos = opts->tos & DSCP_MASK;
	open.ttl = opts->ttl;
	if (!addr_of_sockaddr(peer, &open.remote, &open.rport) ||
	    !congestion_of(tcp, opts->congestion))
		return -EINVAL;
	if (opts->local.sa.sa_family == AF_UNSPEC)
		open.local = addr_any_like(&open.remote);
	else if (!addr_of_sockaddr(&opts->local, &open.local, &open.lport))
		return -EINVAL;
	if (addr_is_ip4(&open.local) != addr_is_ip4(&open.remote))
		return -EINVAL;
	int r = join_scopes(stack, &opts->local, &open.local, &open.scope);
	if (r == 0)
		r = join_scopes(stack, peer, &open.remote, &open.scope);
	if (r < 0)
		return r;
	r = tcp_open(tcp, &open, now, &conn);
	if (r < 0)
		return r;
	apply(conn, opts, now);
	*ret_tcp = tcp_conn_public(conn);
	return 0;
}

int weft_tcp_accept(struct weft_tcp_listener *listener, const struct weft_tcp_opts *opts,
		    uint64_t now, struct weft_tcp **ret_tcp)
{
	static const struct weft_tcp_opts none;
	struct tcp_listener *l = tcp_listener_of(listener);
	if (!opts)
		opts = &none;
	if (!congestion_of(l->tcp, opts->congestion))
		return -EINVAL;
	struct tcp_conn *conn = tcp_accept(l);
	if (!conn)
		return -EAGAIN;
	apply(conn, opts, now);
	*ret_tcp = tcp_conn_public(conn);
	return 0;
}

int weft_tcp_send(struct weft_tcp *tcp, const void *data, size_t len, uint64_t now)
{
	return tcp_send(tcp_conn_of(tcp), data, len, now);
}

int weft_tcp_send_urgent(struct weft_tcp *tcp, const void *data, size_t len, uint64_t now)
{
	return tcp_send_urgent(tcp_conn_of(tcp), data, len, now);
}

int weft_tcp_lend(struct weft_tcp *tcp, const void *data, size_t len,
		  void (*release)(void *user, const void *data, size_t len), void *user,
		  uint64_t now)
{
	struct ip_slice slice = { .data = data, .len = len };
	return tcp_lend(tcp_conn_of(tcp), &slice, release, user, now);
}

int weft_tcp_receive(struct weft_tcp *tcp, void *buf, size_t len, uint64_t now)
{
	return tcp_receive(tcp_conn_of(tcp), buf, len, now);
}

int weft_tcp_peek(const struct weft_tcp *tcp, const void **ret_data)
{
	return tcp_peek(tcp_conn_of_const(tcp), ret_data);
}

void weft_tcp_skip(struct weft_tcp *tcp, size_t n, uint64_t now)
{
	tcp_skip(tcp_conn_of(tcp), n, now);
}

int weft_tcp_shutdown(struct weft_tcp *tcp, int how, uint64_t now)
{
	return tcp_shutdown(tcp_conn_of(tcp), how, now);
}

void weft_tcp_close(struct weft_tcp *tcp, uint64_t now)
{
	tcp_close(tcp_conn_of(tcp), now);
}

void weft_tcp_abort(struct weft_tcp *tcp, uint64_t now)
{
	tcp_kill(tcp_conn_of(tcp), now);
}

void weft_tcp_set_nodelay(struct weft_tcp *tcp, bool on, uint64_t now)
{
	tcp_set_nodelay(tcp_conn_of(tcp), on, now);
}

void weft_tcp_set_cork(struct weft_tcp *tcp, bool on, uint64_t now)
{
	tcp_set_cork(tcp_conn_of(tcp), on, now);
}

void weft_tcp_set_keepalive(struct weft_tcp *tcp, bool on, uint64_t now)
{
	struct tcp_conn *conn = tcp_conn_of(tcp);
	tcp_set_keepalive(conn, on, conn->keep_idle_s, conn->keep_interval_s,
			  conn->keep_probes_max, now);
}

void weft_tcp_set_keep_times(struct weft_tcp *tcp, uint16_t idle_s, uint16_t interval_s,
			     uint8_t probes, uint64_t now)
{
	struct tcp_conn *conn = tcp_conn_of(tcp);
	tcp_set_keepalive(conn, conn->keepalive, idle_s, interval_s, probes, now);
}

void weft_tcp_set_user_timeout(struct weft_tcp *tcp, uint32_t ms)
{
	tcp_conn_of(tcp)->user_timeout_ms = ms;
}

void weft_tcp_set_send_max(struct weft_tcp *tcp, uint32_t len_max, uint64_t now)
{
	tcp_set_send_max(tcp_conn_of(tcp), len_max, now);
}

void weft_tcp_set_tos(struct weft_tcp *tcp, uint8_t tos)
{
	tcp_conn_of(tcp)->tos = tos & DSCP_MASK;
}

void weft_tcp_set_ttl(struct weft_tcp *tcp, uint8_t ttl)
{
	tcp_conn_of(tcp)->ttl = ttl;
}

/* ---- names and facts --------------------------------------------------------------------- */

union weft_sockaddr weft_tcp_local(const struct weft_tcp *tcp)
{
	const struct tcp_flow *flow = &tcp_conn_of_const(tcp)->node.flow;
	return addr_to_sockaddr(&flow->local, flow->lport, flow->scope);
}

union weft_sockaddr weft_tcp_peer(const struct weft_tcp *tcp)
{
	const struct tcp_flow *flow = &tcp_conn_of_const(tcp)->node.flow;
	return addr_to_sockaddr(&flow->remote, flow->rport, flow->scope);
}

void weft_tcp_info(const struct weft_tcp *tcp, struct weft_tcp_info *ret_info)
{
	static const struct tcp_active idle;
	const struct tcp_conn *conn = tcp_conn_of_const(tcp);
	const struct tcp_active *active = conn->active ? conn->active : &idle;
	uint32_t sent = conn->snd_nxt - conn->snd_una;
	if (sent > conn->to_send.len)
		sent = (uint32_t)conn->to_send.len;
	*ret_info = (struct weft_tcp_info){
		.state = tcp_state_name((enum tcp_state)conn->state),
		.congestion = conn->cc_ops->name,
		.has_sack = conn->has_sack,
		.has_timestamps = conn->has_timestamps,
		.has_wscale = conn->has_wscale,
		.has_ecn = conn->has_ecn,
		.is_recovering = active->recovery.phase != TCP_OPEN,
		.mss = conn->cc.mss,
		.rtt_us = conn->rto.srtt_us,
		.rttvar_us = conn->rto.rttvar_us,
		.min_rtt_us = active->recovery.min_rtt_us,
		.rto_us = rto_ns(&conn->rto, &conn->tcp->rto_limits) / NS_PER_US,
		.cwnd = conn->cc.cwnd,
		.ssthresh = conn->cc.ssthresh,
		.in_flight = conn->active ? board_in_flight(conn) : 0,
		.lost = active->board.lost,
		.peer_window = conn->snd_wnd,
		.window = conn->rcv_edge - conn->rcv_nxt,
		.unsent = conn->to_send.len - sent,
		.unacked = sent,
		.unread = conn->to_read.len,
		.urgent = tcp_urgent_left(conn),
		.soft_error = conn->soft_error,
	};
}

/* ---- listeners --------------------------------------------------------------------------- */

/* Of whom connections are taken. An unspecified address is that of IPv6, whatever the family. */
static bool read_peer(const union weft_sockaddr *peer, struct tcp_listen_opts *listen)
{
	if (peer->sa.sa_family == AF_UNSPEC)
		return true;
	if (!addr_of_sockaddr(peer, &listen->peer, &listen->peer_port))
		return false;
	if (addr_is_unspecified(&listen->peer))
		listen->peer = (struct ip_addr){ 0 };
	return true;
}

int weft_tcp_listen(struct weft_stack *stack, const union weft_sockaddr *local,
		    const struct weft_tcp_listen_opts *opts,
		    struct weft_tcp_listener **ret_listener)
{
	static const struct weft_tcp_listen_opts none;
	struct tcp_listener *listener;
	if (!opts)
		opts = &none;
	struct tcp_listen_opts listen = {
		.only_ip6 = opts->only_ip6,
		.tos = opts->tos & DSCP_MASK,
		.ttl = opts->ttl,
		.backlog = opts->backlog,
		.syn_max = opts->syn_max,
		.synack_retries = opts->synack_retries,
		.on_acceptable = opts->on_acceptable,
		.user = opts->user,
	};
	if (!addr_of_sockaddr(local, &listen.local, &listen.port) || listen.port == 0 ||
	    !read_peer(&opts->peer, &listen) ||
	    opts->synack_retries > TCP_SYN_RETRIES_MOST)
		return -EINVAL;
	int r = join_scopes(stack, local, &listen.local, &listen.scope);
	if (r == 0)
		r = join_scopes(stack, &opts->peer, &listen.peer, &listen.scope);
	if (r < 0)
		return r;
	r = tcp_listen(tcp_of_stack(stack), &listen, &listener);
	if (r < 0)
		return r;
	*ret_listener = tcp_listener_public(listener);
	return 0;
}

void weft_tcp_listener_close(struct weft_tcp_listener *listener, uint64_t now)
{
	if (listener)
		tcp_unlisten(tcp_listener_of(listener), now);
}

void weft_tcp_listener_set_tos(struct weft_tcp_listener *listener, uint8_t tos)
{
	tcp_listener_of(listener)->tos = tos & DSCP_MASK;
}

void weft_tcp_listener_set_ttl(struct weft_tcp_listener *listener, uint8_t ttl)
{
	tcp_listener_of(listener)->ttl = ttl;
}

union weft_sockaddr weft_tcp_listener_local(const struct weft_tcp_listener *listener)
{
	const struct tcp_listener *l =
		(const struct tcp_listener *)(const void *)listener;
	return addr_to_sockaddr(&l->local, l->port, l->scope);
}
