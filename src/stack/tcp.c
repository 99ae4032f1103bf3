/* SPDX-License-Identifier: MIT */
/*
 * The whole: beginning, end, whose a segment is, and the work of a flush.
 */
#include "stack/tcp.h"

#include "base/time.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_in.h"
#include "stack/tcp_life.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_options.h"
#include "stack/tcp_out.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_syn.h"
#include "stack/tcp_timewait.h"

#include <string.h>

/* ---- beginning --------------------------------------------------------------------------- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/* The configuration with the defaults filled in. NULL: nothing but defaults. */
static struct tcp_config config_of(const struct tcp_config *given)
{
	struct tcp_config c = given ? *given : (struct tcp_config){ 0 };
	c.connections_max = or_default(c.connections_max, 65536);
	c.time_waits_max = or_default(c.time_waits_max, 16384);
	c.records_max = or_default(c.records_max, 262144);
	c.memory_max = c.memory_max ? c.memory_max : (size_t)256 << 20;
	c.send_max = or_default(c.send_max, 4u << 20);
	c.receive_first = or_default(c.receive_first, 128u << 10);
	c.receive_max = or_default(c.receive_max, 6u << 20);
	if (c.receive_first > c.receive_max)
		c.receive_first = c.receive_max;
	c.blocks_max = c.blocks_max ? c.blocks_max : 256;
	c.cuts_max = c.cuts_max ? c.cuts_max : 32;
	c.mss_min = c.mss_min > TCP_MSS_MIN ? c.mss_min : TCP_MSS_MIN;
	c.spares_max = c.spares_max ? c.spares_max : 16;
	c.challenge_ms = or_default(c.challenge_ms, 500);
	c.rto_min_ms = or_default(c.rto_min_ms, 200);
	c.rto_max_ms = or_default(c.rto_max_ms, 60000);
	c.ack_delay_ms = or_default(c.ack_delay_ms, 40);
	c.user_timeout_ms = or_default(c.user_timeout_ms, 300000);
	c.open_timeout_ms = or_default(c.open_timeout_ms, 180000);
	c.time_wait_ms = or_default(c.time_wait_ms, 60000);
	c.fin_wait_ms = or_default(c.fin_wait_ms, 60000);
	c.cc = c.cc ? c.cc : &tcp_cubic_ops;
	return c;
}

void tcp_configure(struct tcp *tcp, const struct tcp_config *config)
{
	tcp->config = config_of(config);
	tcp->budget.max = tcp->config.memory_max;
	tcp->budget.spares_max = tcp->config.spares_max;
	tcp->records.blocks_max = tcp->config.records_max;
	if (tcp->records.blocks_max < tcp->records.blocks)
		tcp->records.blocks_max = tcp->records.blocks; /* Memory that it has. */
	tcp->rto_limits = (struct tcp_rto_limits){
		.min_us = tcp->config.rto_min_ms * 1000,
		.max_us = tcp->config.rto_max_ms * 1000,
	};
}

int tcp_init(struct tcp *tcp, const struct tcp_setup *setup)
{
	*tcp = (struct tcp){
		.ops = setup->ops,
		.user = setup->user,
		.wheel = setup->wheel,
		.time_wait_timer.fire = tcp_time_wait_fire,
		.sleep_timer.fire = tcp_sleep_fire,
	};
	memcpy(tcp->secret, setup->secret, sizeof(tcp->secret));
	list_init(&tcp->listeners);
	list_init(&tcp->work);
	list_init(&tcp->awake);
	list_init(&tcp->time_waits);
	pool_init(&tcp->records, sizeof(struct tcp_sent), 0);
	tcp_configure(tcp, setup->config);
	return tcp_table_init(&tcp->table, setup->secret);
}

static void free_node(struct tcp *tcp, struct tcp_node *node)
{
	switch (node->kind) {
	case TCP_KIND_CONN:
		tcp_conn_free(container_of(node, struct tcp_conn, node));
		break;
	case TCP_KIND_SYN:
		tcp_syn_free(container_of(node, struct tcp_syn, node));
		break;
	default:
		tcp_time_wait_free(tcp, container_of(node, struct tcp_time_wait, node));
		break;
	}
}

bool tcp_may_challenge(const struct tcp *tcp, uint64_t *next_ns, uint64_t now)
{
	if (now < *next_ns)
		return false;
	*next_ns = now + tcp->config.challenge_ms * NS_PER_MS;
	return true;
}

void tcp_fini(struct tcp *tcp)
{
	for (size_t i = 0; i < tcp->table.slots_n; i++) {
		while (tcp->table.slots[i])
			free_node(tcp, tcp->table.slots[i]);
	}
	list_for_each (node, &tcp->work)
		tcp_conn_free(container_of(node, struct tcp_conn, work));
	list_for_each (node, &tcp->listeners)
		tcp_unlisten(container_of(node, struct tcp_listener, of_tcp), 0);
	wheel_cancel(tcp->wheel, &tcp->time_wait_timer);
	wheel_cancel(tcp->wheel, &tcp->sleep_timer);
	tcp_table_fini(&tcp->table);
	pool_fini(&tcp->records);
	budget_fini(&tcp->budget);
}

/* ---- input ------------------------------------------------------------------------------- */

/* RFC 9293, 3.10.7.1: CLOSED. */
static enum tcp_outcome closed_input(struct tcp *tcp, const struct tcp_rx *rx,
				     uint64_t now)
{
	if (rx->hdr.flags & TCP_RST)
		return TCP_DROP_RESET;
	tcp_emit_refusal(tcp, rx, 0, 0, now);
	return TCP_REFUSED_CLOSED;
}

static enum tcp_outcome dispatch(struct tcp *tcp, const struct tcp_rx *rx, uint64_t now)
{
	const struct tcp_flow *flow = &rx->flow;
	if (rx->is_group)
		return TCP_DROP_GROUP;
	if (flow->lport == flow->rport && addr_equal(&flow->local, &flow->remote))
		return TCP_DROP_SELF;
	struct tcp_node *node = tcp_table_find(&tcp->table, flow);
	switch (node ? node->kind : 0) {
	case TCP_KIND_CONN:
		return tcp_conn_input(container_of(node, struct tcp_conn, node), rx, now);
	case TCP_KIND_SYN:
		return tcp_syn_input(container_of(node, struct tcp_syn, node), rx, now);
	case TCP_KIND_TIME_WAIT:
		return tcp_time_wait_input(
			tcp, container_of(node, struct tcp_time_wait, node), rx, now);
	default:
		break;
	}
	struct tcp_listener *listener = tcp_listener_find(tcp, flow);
	return listener ? tcp_listener_input(listener, rx, now)
			: closed_input(tcp, rx, now);
}

enum tcp_outcome tcp_input(struct tcp *tcp, const struct tcp_rx *rx, uint64_t now)
{
	return tcp_input_bad(tcp, dispatch(tcp, rx, now));
}

enum tcp_outcome tcp_input_bad(struct tcp *tcp, enum tcp_outcome outcome)
{
	tcp->outcomes[outcome]++;
	return outcome;
}

/* ---- flush ------------------------------------------------------------------------------- */

void tcp_touch(struct tcp_conn *conn)
{
	if (list_is_empty(&conn->work))
		list_push_back(&conn->tcp->work, &conn->work);
}

/*
 * One call for each that is ready, also if several are at once: whoever accepts one per call gets
 * them all. A call may accept this very connection, or end the listener.
 */
static void tell_listener(struct tcp_conn *conn, uint64_t now)
{
	while (conn->listener && conn->listener->untold_n > 0) {
		struct tcp_listener *listener = conn->listener;
		listener->untold_n--;
		if (listener->on_acceptable)
			listener->on_acceptable(listener->user,
						tcp_listener_public(listener), now);
	}
}

/* Whether the event is due and the user is there to hear it. It is not due any more then. */
static bool is_told(struct tcp_conn *conn, unsigned what)
{
	bool is_due = (conn->tell & what) && !conn->is_orphan && conn->events;
	if (is_due)
		conn->tell &= (uint8_t)~what;
	return is_due;
}

/* A connection stays valid throughout: only flush itself frees. */
static void tell(struct tcp_conn *conn, uint64_t now)
{
	const struct weft_tcp_events *events = conn->events;
	struct weft_tcp *tcp = tcp_conn_public(conn);
	if (is_told(conn, TCP_TELL_URGENT) && events->on_urgent)
		events->on_urgent(conn->user, tcp, now);
	if (is_told(conn, TCP_TELL_CONNECTED) && events->on_connected)
		events->on_connected(conn->user, tcp, now);
	if (is_told(conn, TCP_TELL_READABLE) && events->on_readable)
		events->on_readable(conn->user, tcp, now);
	if (is_told(conn, TCP_TELL_WRITABLE) && events->on_writable)
		events->on_writable(conn->user, tcp, now);
	if (is_told(conn, TCP_TELL_REPORT) && events->on_report)
		events->on_report(conn->user, tcp, conn->report, now);
	if (is_told(conn, TCP_TELL_CLOSED) && events->on_closed)
		events->on_closed(conn->user, tcp, conn->error, now);
}

static void do_work(struct tcp *tcp, uint64_t now)
{
	struct list *node;
	tcp->is_flushing = true;
	while ((node = list_pop_front(&tcp->work)) != NULL) {
		struct tcp_conn *conn = container_of(node, struct tcp_conn, work);
		tell_listener(conn, now);
		tell(conn, now);
		/* What the user has asked for meanwhile is done now. */
		if (!conn->tell)
			list_remove(&conn->work);
		if (conn->is_dead && conn->is_orphan)
			tcp_conn_free(conn);
		else if (!conn->is_dead && tcp_wake(conn, now))
			tcp_output(conn, now);
	}
	tcp->is_flushing = false;
}

/* From within a flush, the rest of the work is left to that. The segments go all the same. */
void tcp_flush(struct tcp *tcp, uint64_t now)
{
	if (!tcp->is_flushing)
		do_work(tcp, now);
	chain_keep(&tcp->budget);
}
