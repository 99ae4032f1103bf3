/* SPDX-License-Identifier: MIT */
/*
 * The records' one timer is armed for the first in the list; whoever is put to the end never
 * has to touch it unless the list was empty.
 */
#include "stack/tcp_timewait.h"

#include "base/time.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_life.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_window.h"

#include <stdlib.h>

static struct tcp_time_wait *of_list(struct list *node)
{
	return container_of(node, struct tcp_time_wait, of_tcp);
}

void tcp_time_wait_free(struct tcp *tcp, struct tcp_time_wait *tw)
{
	tcp_table_remove(&tcp->table, &tw->node);
	list_remove(&tw->of_tcp);
	tcp->time_waits_n--;
	free(tw);
}

/* 2 MSL begin now. */
static void begin(struct tcp *tcp, struct tcp_time_wait *tw, uint64_t now)
{
	tw->end_ns = now + (uint64_t)tcp->config.time_wait_ms * NS_PER_MS;
	list_push_back(&tcp->time_waits, &tw->of_tcp);
	if (!timer_is_armed(&tcp->time_wait_timer))
		wheel_arm(tcp->wheel, &tcp->time_wait_timer, tw->end_ns);
}

void tcp_time_wait_fire(struct timer *timer, void *user, uint64_t now)
{
	struct tcp *tcp = container_of(timer, struct tcp, time_wait_timer);
	struct list *first;
	(void)user;
	while ((first = list_first(&tcp->time_waits)) && of_list(first)->end_ns <= now)
		tcp_time_wait_free(tcp, of_list(first));
	if (first)
		wheel_arm(tcp->wheel, timer, of_list(first)->end_ns);
}

void tcp_enter_time_wait(struct tcp_conn *conn, uint64_t now)
{
	struct tcp *tcp = conn->tcp;
	/* In CLOSING the peer's FIN has been acknowledged, unless it came just before. */
	if (conn->state != TCP_CLOSING || conn->want_ack)
		tcp_emit_ack(conn, now);
	tcp_set_state(conn, TCP_TIME_WAIT);
	tcp_bury(conn, 0);
	struct list *oldest = list_first(&tcp->time_waits);
	if (oldest && tcp->time_waits_n >= tcp->config.time_waits_max) {
		tcp_time_wait_free(tcp, of_list(oldest));
		tcp_count(tcp, TCP_COUNT_TIME_WAITS_LOST);
	}
	struct tcp_time_wait *tw = malloc(sizeof(*tw));
	if (!tw) {
		tcp_count(tcp, TCP_COUNT_TIME_WAITS_LOST);
		return;
	}
	*tw = (struct tcp_time_wait){
		.node.flow = conn->node.flow,
		.snd_nxt = conn->snd_nxt,
		.rcv_nxt = conn->rcv_nxt,
		.ts_recent = conn->ts_recent,
		.ts_offset = conn->ts_offset,
		.window = tcp_window_field(conn),
		.has_timestamps = conn->has_timestamps,
		.tos = conn->tos,
		.ttl = conn->ttl,
	};
	tcp_table_add(&tcp->table, &tw->node, TCP_KIND_TIME_WAIT);
	tcp->time_waits_n++;
	begin(tcp, tw, now);
}

/* ---- segments ---------------------------------------------------------------------------- */

static bool is_of_new_connection(const struct tcp_time_wait *tw, const struct tcp_rx *rx)
{
	const struct tcp_opts *opts = &rx->opts;
	if ((rx->hdr.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (tw->has_timestamps && opts->has_timestamps && opts->ts_val != tw->ts_recent)
		return seq_after(opts->ts_val, tw->ts_recent);
	return seq_after(rx->hdr.seq, tw->rcv_nxt);
}

static enum tcp_outcome answer(struct tcp *tcp, struct tcp_time_wait *tw,
			       enum tcp_outcome outcome, uint64_t now)
{
	struct tcp_opts opts = {
		.has_timestamps = tw->has_timestamps,
		.ts_val = (uint32_t)(now / NS_PER_MS) + tw->ts_offset,
		.ts_ecr = tw->ts_recent,
	};
	struct tcp_bare bare = {
		.flow = &tw->node.flow,
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = TCP_ACK,
		.window = tw->window,
		.opts = &opts,
		.tos = tw->tos,
		.ttl = tw->ttl,
	};
	if (!tcp_may_challenge(tcp, &tw->challenge_ns, now))
		return TCP_DROP_LIMITED;
	tcp_emit_bare(tcp, &bare, now);
	return outcome;
}

enum tcp_outcome tcp_time_wait_input(struct tcp *tcp, struct tcp_time_wait *tw,
				     const struct tcp_rx *rx, uint64_t now)
{
	struct tcp_listener *listener = tcp_listener_find(tcp, &rx->flow);
	if (listener && tcp_listener_remembers(listener) &&
	    is_of_new_connection(tw, rx)) {
		uint32_t beyond = tw->snd_nxt;
		tcp_time_wait_free(tcp, tw);
		return tcp_listener_reopen(listener, rx, beyond, now);
	}
	if (rx->hdr.flags & TCP_RST)
		return TCP_DROP_RESET;
	if (rx->hdr.flags & TCP_SYN)
		return answer(tcp, tw, TCP_CHALLENGED_SYN, now);
	uint32_t end = rx->hdr.seq + (uint32_t)rx->len + 1;
	if ((rx->hdr.flags & TCP_FIN) && end == tw->rcv_nxt) {
		list_remove(&tw->of_tcp);
		begin(tcp, tw, now);
		return answer(tcp, tw, TCP_TOOK_AGAIN, now);
	}
	if (rx->hdr.seq == tw->rcv_nxt && rx->len == 0)
		return TCP_TOOK_ACK;
	return answer(tcp, tw, TCP_REFUSED_WINDOW, now);
}
