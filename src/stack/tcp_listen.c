/* SPDX-License-Identifier: MIT */
/*
 * Listeners are few and stand in a list. Of those for a port, one for the peer wins over one for
 * all peers; then the one with the address wins over the one for all addresses of the family, and
 * that over the one for all addresses.
 */
#include "stack/tcp_listen.h"

#include "stack/tcp.h"
#include "stack/tcp_cookie.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_life.h"
#include "stack/tcp_syn.h"

#include <errno.h>
#include <stdlib.h>

#define BACKLOG_DEFAULT     128u
#define SYN_MAX_DEFAULT     1024u
#define SYN_RETRIES_DEFAULT 5u

static struct tcp_listener *of_list(struct list *node)
{
	return container_of(node, struct tcp_listener, of_tcp);
}

/* 0: does not listen there; the higher, the more specific. Likewise in the next two. */
static int match_local(const struct tcp_listener *l, const struct ip_addr *local)
{
	if (addr_equal(&l->local, local))
		return 3;
	if (!addr_is_unspecified(&l->local))
		return 0;
	bool takes_ip4 = addr_is_ip4(&l->local), is_ip4 = addr_is_ip4(local);
	if (takes_ip4 == is_ip4)
		return 2;
	return takes_ip4 || l->only_ip6 ? 0 : 1;
}

static int match_peer(const struct tcp_listener *l, const struct tcp_flow *flow)
{
	bool any_addr = addr_is_unspecified(&l->peer), any_port = l->peer_port == 0;
	if ((!any_addr && !addr_equal(&l->peer, &flow->remote)) ||
	    (!any_port && l->peer_port != flow->rport))
		return 0;
	return 1 + !any_port + 2 * !any_addr;
}

static int match(const struct tcp_listener *l, const struct tcp_flow *flow)
{
	if (l->port != flow->lport || (l->scope != 0 && l->scope != flow->scope))
		return 0;
	int peer = match_peer(l, flow), local = match_local(l, &flow->local);
	return peer == 0 || local == 0 ? 0 : 4 * peer + local;
}

struct tcp_listener *tcp_listener_find(const struct tcp *tcp, const struct tcp_flow *flow)
{
	struct tcp_listener *best = NULL;
	int most = 0;
	for (struct list *node = tcp->listeners.next; node != &tcp->listeners;
	     node = node->next) {
		int quality = match(of_list(node), flow);
		if (quality > most) {
			most = quality;
			best = of_list(node);
		}
	}
	return best;
}

static bool is_same(const struct tcp_listener *l, const struct tcp_listen_opts *opts)
{
	return l->port == opts->port && l->peer_port == opts->peer_port &&
	       l->scope == opts->scope && addr_equal(&l->local, &opts->local) &&
	       addr_equal(&l->peer, &opts->peer);
}

int tcp_listen(struct tcp *tcp, const struct tcp_listen_opts *opts,
	       struct tcp_listener **ret_listener)
{
	list_for_each (node, &tcp->listeners) {
		if (is_same(of_list(node), opts))
			return -EADDRINUSE;
	}
	struct tcp_listener *l = malloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct tcp_listener){
		.tcp = tcp,
		.local = opts->local,
		.peer = opts->peer,
		.port = opts->port,
		.peer_port = opts->peer_port,
		.scope = opts->scope,
		.only_ip6 = opts->only_ip6,
		.tos = opts->tos,
		.ttl = opts->ttl,
		.on_acceptable = opts->on_acceptable,
		.user = opts->user,
		.backlog = opts->backlog ? opts->backlog : BACKLOG_DEFAULT,
		.syn_max = opts->syn_max ? opts->syn_max : SYN_MAX_DEFAULT,
		.synack_retries =
			opts->synack_retries ? opts->synack_retries : SYN_RETRIES_DEFAULT,
		.timer.fire = tcp_syn_fire,
	};
	list_init(&l->ready);
	for (unsigned i = 0; i <= l->synack_retries; i++)
		list_init(&l->syns[i]);
	list_push_back(&tcp->listeners, &l->of_tcp);
	*ret_listener = l;
	return 0;
}

void tcp_unlisten(struct tcp_listener *listener, uint64_t now)
{
	struct tcp_conn *conn;
	while ((conn = tcp_accept(listener)) != NULL) {
		conn->is_orphan = true;
		tcp_abort(conn, -ECONNABORTED, now);
	}
	for (unsigned i = 0; i <= listener->synack_retries; i++) {
		list_for_each (node, &listener->syns[i])
			tcp_syn_free(container_of(node, struct tcp_syn, of_listener));
	}
	wheel_cancel(listener->tcp->wheel, &listener->timer);
	list_remove(&listener->of_tcp);
	free(listener);
}

/* ---- segments ---------------------------------------------------------------------------- */

/* A SYN: remembered by us, or by itself. */
static enum tcp_outcome take_syn(struct tcp_listener *listener, struct tcp_syn *syn,
				 uint64_t now)
{
	if (!tcp_listener_has_room(listener))
		return TCP_DROP_BACKLOG;
	if (listener->syns_n < listener->syn_max && tcp_syn_add(listener, syn, now))
		return TCP_TOOK_SYN;
	tcp_cookie_answer(syn, now);
	return TCP_TOOK_COOKIE;
}

/* An ACK of something that nobody remembers, unless it is a cookie. */
static enum tcp_outcome take_ack(struct tcp_listener *listener, const struct tcp_rx *rx,
				 uint64_t now)
{
	struct tcp_syn syn;
	if (!tcp_cookie_read(listener, rx, now, &syn)) {
		tcp_emit_refusal(listener->tcp, rx, listener->tos, listener->ttl, now);
		return TCP_REFUSED_CLOSED;
	}
	if (!tcp_listener_has_room(listener))
		return TCP_DROP_BACKLOG;
	struct tcp_conn *conn = tcp_syn_promote(&syn, now);
	if (!conn)
		return TCP_DROP_MEMORY;
	tcp_count(listener->tcp, TCP_COUNT_COOKIES_TAKEN);
	return tcp_syn_finish(conn, rx, now);
}

enum tcp_outcome tcp_listener_input(struct tcp_listener *listener,
				    const struct tcp_rx *rx, uint64_t now)
{
	uint16_t flags = rx->hdr.flags;
	if (flags & TCP_RST)
		return TCP_DROP_RESET;
	if ((flags & (TCP_ACK | TCP_SYN)) == (TCP_ACK | TCP_SYN)) {
		tcp_emit_refusal(listener->tcp, rx, listener->tos, listener->ttl, now);
		return TCP_REFUSED_CLOSED;
	}
	if (flags & TCP_ACK)
		return take_ack(listener, rx, now);
	if (!(flags & TCP_SYN))
		return TCP_DROP_NO_FLAG;
	struct tcp_syn syn = tcp_syn_of(listener, rx, now);
	return take_syn(listener, &syn, now);
}

enum tcp_outcome tcp_listener_reopen(struct tcp_listener *listener,
				     const struct tcp_rx *rx, uint32_t beyond,
				     uint64_t now)
{
	struct tcp_syn syn = tcp_syn_of(listener, rx, now);
	if (!seq_after(syn.iss, beyond))
		syn.iss = beyond + 1;
	return take_syn(listener, &syn, now);
}

/* ---- what is ready ----------------------------------------------------------------------- */

void tcp_listener_ready(struct tcp_conn *conn)
{
	struct tcp_listener *listener = conn->listener;
	list_push_back(&listener->ready, &conn->queue);
	listener->ready_n++;
	listener->untold_n++;
	tcp_count(listener->tcp, TCP_COUNT_ACCEPTED);
	tcp_touch(conn);
}

static void take_off(struct tcp_conn *conn)
{
	struct tcp_listener *listener = conn->listener;
	if (!list_is_empty(&conn->queue)) {
		listener->ready_n--;
		list_remove(&conn->queue);
		/* Who has accepted more than it was told of knows of them. */
		if (listener->untold_n > listener->ready_n)
			listener->untold_n = listener->ready_n;
	}
	conn->listener = NULL;
}

void tcp_listener_forget(struct tcp_conn *conn)
{
	take_off(conn);
	conn->is_orphan = true;
}

struct tcp_conn *tcp_accept(struct tcp_listener *listener)
{
	struct list *first = list_first(&listener->ready);
	if (!first)
		return NULL;
	struct tcp_conn *conn = container_of(first, struct tcp_conn, queue);
	take_off(conn);
	if (conn->to_read.len > 0 || conn->fin_received)
		tcp_tell(conn, TCP_TELL_READABLE);
	return conn;
}
