/* SPDX-License-Identifier: MIT */
/*
 * Nothing is sent from here: what follows from an error follows at the next flush, when the path
 * has its new MTU.
 */
#include "stack/tcp_error.h"

#include "stack/tcp_life.h"

static bool is_opening(const struct tcp_conn *conn)
{
	return conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
}

static bool is_hard(enum ip_error_kind kind)
{
	return kind == IP_ERROR_PORT || kind == IP_ERROR_PROTOCOL ||
	       kind == IP_ERROR_PROHIBITED;
}

bool tcp_on_error(struct tcp *tcp, const struct tcp_flow *flow, uint32_t seq,
		  const struct ip_error *error)
{
	struct tcp_node *node = tcp_table_find(&tcp->table, flow);
	if (!node || node->kind != TCP_KIND_CONN)
		return false;
	struct tcp_conn *conn = container_of(node, struct tcp_conn, node);
	bool is_under_way =
		seq_within(seq, conn->snd_una, conn->snd_nxt) && seq != conn->snd_nxt;
	if (!is_under_way)
		return false;
	if (error->kind != IP_ERROR_TOO_BIG)
		conn->soft_error = (int16_t)error->error;
	if (is_hard(error->kind) && is_opening(conn))
		tcp_end(conn, error->error);
	else if (error->kind != IP_ERROR_TOO_BIG)
		tcp_report(conn, error->error);
	tcp_touch(conn);
	return true;
}
