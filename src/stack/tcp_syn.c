/* SPDX-License-Identifier: MIT */
/*
 * An entry's sequence number check is that of SYN-RECEIVED: what the SYN,ACK offered is the
 * window, and nothing in it is kept until the ACK is there.
 */
#include "stack/tcp_syn.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_in.h"
#include "stack/tcp_isn.h"
#include "stack/tcp_life.h"
#include "stack/tcp_options.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_window.h"

#include <stdlib.h>

#define WINDOW_MAX 65535u

static uint32_t first_window(const struct tcp *tcp)
{
	uint32_t buffer = tcp->config.receive_first;
	return buffer < WINDOW_MAX ? buffer : WINDOW_MAX;
}

/* What our MSS option says; without a route, what any path carries. */
static uint16_t mss_to(const struct tcp *tcp, const struct tcp_flow *flow, uint64_t now)
{
	struct ip_path path;
	if (tcp->ops->find_path(tcp->user, flow, now, &path) < 0)
		return addr_is_ip4(&flow->remote) ? TCP_MSS_IP4 : TCP_MSS_IP6;
	return tcp_mss_of_path(&path, flow);
}

static bool asks_ecn(const struct tcp_hdr *hdr)
{
	const uint16_t setup = TCP_ECE | TCP_CWR;
	return (hdr->flags & setup) == setup;
}

struct tcp_syn tcp_syn_of(struct tcp_listener *listener, const struct tcp_rx *rx,
			  uint64_t now)
{
	const struct tcp *tcp = listener->tcp;
	const struct tcp_config *config = &tcp->config;
	return (struct tcp_syn){
		.node.flow = rx->flow,
		.listener = listener,
		.irs = rx->hdr.seq,
		.iss = tcp_isn(tcp, &rx->flow, now),
		.ts_recent = rx->opts.ts_val,
		.ts_offset = tcp_ts_offset(tcp, &rx->flow),
		.window = rx->hdr.window,
		.mss_peer = tcp_mss_of_peer(&rx->flow, &rx->opts),
		.mss_own = mss_to(tcp, &rx->flow, now),
		.wscale_peer = rx->opts.wscale,
		.has_wscale = rx->opts.has_wscale && !config->no_wscale,
		.has_timestamps = rx->opts.has_timestamps && !config->no_timestamps,
		.has_sack = rx->opts.sack_permitted && !config->no_sack,
		.has_ecn = asks_ecn(&rx->hdr),
	};
}

void tcp_syn_answer(const struct tcp_syn *syn, uint64_t now)
{
	struct tcp *tcp = syn->listener->tcp;
	struct tcp_opts opts = {
		.has_mss = true,
		.mss = syn->mss_own,
		.has_wscale = syn->has_wscale,
		.wscale = tcp_wscale_for(tcp->config.receive_max),
		.sack_permitted = syn->has_sack,
		.has_timestamps = syn->has_timestamps,
		.ts_val = (uint32_t)(now / NS_PER_MS) + syn->ts_offset,
		.ts_ecr = syn->ts_recent,
	};
	struct tcp_bare bare = {
		.flow = &syn->node.flow,
		.seq = syn->iss,
		.ack = syn->irs + 1,
		.flags = (uint16_t)(TCP_SYN | TCP_ACK | (syn->has_ecn ? TCP_ECE : 0)),
		.window = (uint16_t)first_window(tcp),
		.opts = &opts,
		.tos = syn->listener->tos,
		.ttl = syn->listener->ttl,
	};
	tcp_emit_bare(tcp, &bare, now);
}

/* ---- the lists --------------------------------------------------------------------------- */

static struct tcp_syn *syn_of_list(struct list *node)
{
	return container_of(node, struct tcp_syn, of_listener);
}

static uint64_t due_of(const struct tcp_syn *syn)
{
	return syn->sent_ns + (NS_PER_S << syn->retries);
}

/* The timer is due when the listener's next SYN,ACK is to be sent again. */
static void arm(struct tcp_listener *listener)
{
	uint64_t next = TCP_NOT_DUE;
	for (unsigned i = 0; i <= listener->synack_retries; i++) {
		struct list *first = list_first(&listener->syns[i]);
		if (first && due_of(syn_of_list(first)) < next)
			next = due_of(syn_of_list(first));
	}
	if (next == TCP_NOT_DUE)
		wheel_cancel(listener->tcp->wheel, &listener->timer);
	else
		wheel_arm(listener->tcp->wheel, &listener->timer, next);
}

/* Puts the entry to the end of the list that its number of answers belongs to. */
static void queue(struct tcp_syn *syn, uint64_t now)
{
	struct tcp_listener *listener = syn->listener;
	syn->sent_ns = now;
	list_push_back(&listener->syns[syn->retries], &syn->of_listener);
	if (!timer_is_armed(&listener->timer) || due_of(syn) < listener->timer.at)
		wheel_arm(listener->tcp->wheel, &listener->timer, due_of(syn));
}

bool tcp_syn_add(struct tcp_listener *listener, const struct tcp_syn *syn, uint64_t now)
{
	struct tcp_syn *entry = malloc(sizeof(*entry));
	if (!entry)
		return false;
	*entry = *syn;
	tcp_table_add(&listener->tcp->table, &entry->node, TCP_KIND_SYN);
	listener->syns_n++;
	queue(entry, now);
	tcp_syn_answer(entry, now);
	return true;
}

void tcp_syn_free(struct tcp_syn *syn)
{
	tcp_table_remove(&syn->listener->tcp->table, &syn->node);
	list_remove(&syn->of_listener);
	syn->listener->syns_n--;
	free(syn);
}

static void answer_again(struct tcp_syn *syn, uint64_t now)
{
	list_remove(&syn->of_listener);
	syn->retries++;
	queue(syn, now);
	tcp_syn_answer(syn, now);
}

/* Looks after those in one list that are due. */
static void answer_due(struct tcp_listener *listener, unsigned retries, uint64_t now)
{
	list_for_each (node, &listener->syns[retries]) {
		struct tcp_syn *syn = syn_of_list(node);
		if (due_of(syn) > now)
			break;
		if (retries == listener->synack_retries)
			tcp_syn_free(syn);
		else
			answer_again(syn, now);
	}
}

void tcp_syn_fire(struct timer *timer, void *user, uint64_t now)
{
	struct tcp_listener *listener = container_of(timer, struct tcp_listener, timer);
	(void)user;
	/* From the longest waiting on, so that none is looked at twice. */
	for (unsigned i = listener->synack_retries + 1u; i-- > 0;)
		answer_due(listener, i, now);
	arm(listener);
}

/* ---- segments ---------------------------------------------------------------------------- */

/* RCV.NXT and SND.NXT are all that there is to say, and not to everything (RFC 5961, 7). */
static enum tcp_outcome challenge(struct tcp_syn *syn, enum tcp_outcome outcome,
				  uint64_t now)
{
	struct tcp *tcp = syn->listener->tcp;
	struct tcp_opts opts = {
		.has_timestamps = syn->has_timestamps,
		.ts_val = (uint32_t)(now / NS_PER_MS) + syn->ts_offset,
		.ts_ecr = syn->ts_recent,
	};
	struct tcp_bare bare = {
		.flow = &syn->node.flow,
		.seq = syn->iss + 1,
		.ack = syn->irs + 1,
		.flags = TCP_ACK,
		.window = (uint16_t)first_window(tcp),
		.opts = &opts,
		.tos = syn->listener->tos,
		.ttl = syn->listener->ttl,
	};
	if (!tcp_may_challenge(tcp, &syn->challenge_ns, now))
		return TCP_DROP_LIMITED;
	tcp_emit_bare(tcp, &bare, now);
	return outcome;
}

struct tcp_conn *tcp_syn_promote(const struct tcp_syn *syn, uint64_t now)
{
	struct tcp *tcp = syn->listener->tcp;
	const struct tcp_flow *flow = &syn->node.flow;
	struct tcp_birth birth = { .flow = *flow,
				   .iss = syn->iss,
				   .ts_offset = syn->ts_offset };
	if (tcp->ops->find_path(tcp->user, flow, now, &birth.path) < 0)
		return NULL;
	struct tcp_conn *conn = tcp_conn_new(tcp, &birth, now);
	if (!conn)
		return NULL;
	struct tcp_opts opts = {
		.has_mss = true,
		.mss = syn->mss_peer,
		.has_wscale = syn->has_wscale,
		.wscale = syn->wscale_peer,
		.sack_permitted = syn->has_sack,
		.has_timestamps = syn->has_timestamps,
		.ts_val = syn->ts_recent,
	};
	tcp_begin_passive(conn, syn->irs, &opts, now);
	conn->has_ecn = syn->has_ecn;
	conn->listener = syn->listener;
	conn->tos = syn->listener->tos;
	conn->ttl = syn->listener->ttl;
	conn->snd_wnd = conn->snd_wnd_max = syn->window;
	conn->rcv_edge = conn->rcv_nxt + first_window(tcp);
	/* The answer counts as sent when it was, for the first sample of the round trip. */
	if (board_push(conn, conn->iss + 1, syn->sent_ns) < 0) {
		tcp_conn_free(conn);
		return NULL;
	}
	struct tcp_sent *answer = board_first(conn);
	if (answer && syn->retries > 0)
		answer->flags |= SENT_AGAIN;
	conn->rto.backoff = syn->retries;
	return conn;
}

/* The handshake is over: the entry becomes a connection, and that takes the segment. */
static enum tcp_outcome complete(struct tcp_syn *syn, const struct tcp_rx *rx,
				 uint64_t now)
{
	struct tcp *tcp = syn->listener->tcp;
	if (!tcp_listener_has_room(syn->listener))
		return TCP_DROP_BACKLOG;
	tcp_table_remove(&tcp->table, &syn->node);
	struct tcp_conn *conn = tcp_syn_promote(syn, now);
	if (!conn) {
		tcp_table_add(&tcp->table, &syn->node, TCP_KIND_SYN);
		return TCP_DROP_MEMORY;
	}
	tcp_syn_free(syn);
	return tcp_syn_finish(conn, rx, now);
}

enum tcp_outcome tcp_syn_finish(struct tcp_conn *conn, const struct tcp_rx *rx,
				uint64_t now)
{
	enum tcp_outcome outcome = tcp_conn_input(conn, rx, now);
	if (conn->state == TCP_SYN_RECEIVED)
		tcp_conn_free(conn);
	return outcome;
}

/* RFC 7323: the option that was agreed on, and not older than in the SYN. */
static bool has_good_timestamp(const struct tcp_syn *syn, const struct tcp_opts *opts)
{
	return !syn->has_timestamps ||
	       (opts->has_timestamps && !seq_before(opts->ts_val, syn->ts_recent));
}

enum tcp_outcome tcp_syn_input(struct tcp_syn *syn, const struct tcp_rx *rx, uint64_t now)
{
	const struct tcp_hdr *hdr = &rx->hdr;
	uint32_t rcv_nxt = syn->irs + 1,
		 edge = rcv_nxt + first_window(syn->listener->tcp);
	bool is_in_window = seq_within(hdr->seq, rcv_nxt, edge);
	if (hdr->flags & TCP_RST) {
		if (hdr->seq != rcv_nxt)
			return is_in_window ? challenge(syn, TCP_CHALLENGED_RESET, now)
					    : TCP_DROP_RESET;
		tcp_syn_free(syn);
		return TCP_TOOK_RESET;
	}
	if ((hdr->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && hdr->seq == syn->irs) {
		/* Once without is without for good: RFC 3168, 6.1.1. */
		syn->has_ecn = syn->has_ecn && asks_ecn(hdr);
		tcp_syn_answer(syn, now);
		return TCP_TOOK_AGAIN;
	}
	if (hdr->flags & TCP_SYN)
		return challenge(syn, TCP_CHALLENGED_SYN, now);
	if (!is_in_window)
		return challenge(syn, TCP_REFUSED_WINDOW, now);
	if (!(hdr->flags & TCP_ACK))
		return TCP_DROP_NO_FLAG;
	if (hdr->ack != syn->iss + 1) {
		tcp_emit_refusal(syn->listener->tcp, rx, syn->listener->tos,
				 syn->listener->ttl, now);
		return TCP_REFUSED_ACK;
	}
	if (!has_good_timestamp(syn, &rx->opts))
		return TCP_DROP_NO_TIMESTAMP;
	return complete(syn, rx, now);
}
