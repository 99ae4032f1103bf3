/* SPDX-License-Identifier: MIT */
/*
 * RCV.UP and SND.UP mean something only while rcv_urgent and snd_urgent say so: else a pointer
 * of 2 GiB ago would lie ahead again.
 */
#include "stack/tcp_urgent.h"

#include "stack/tcp_life.h"

#define POINTER_MAX 65535u

/* ---- received ---------------------------------------------------------------------------- */

/* The number of the byte that the user reads next. */
static uint32_t read_nxt(const struct tcp_conn *conn)
{
	return conn->rcv_nxt - (conn->fin_received ? 1u : 0u) -
	       (uint32_t)conn->to_read.len;
}

/* Each time that the pointer has moved on the user is told (MUST-32). */
void tcp_take_urgent(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	const struct tcp_hdr *hdr = &seg->rx->hdr;
	uint32_t up = hdr->seq + hdr->urgent;
	uint32_t known = conn->rcv_urgent ? conn->rcv_up : read_nxt(conn);
	if (!tcp_state_may_receive(conn->state) || !seq_after(up, known))
		return;
	conn->rcv_up = up;
	conn->rcv_urgent = true;
	tcp_tell(conn, TCP_TELL_URGENT);
}

/* Beyond the end of the stream there is nothing, whatever the pointer says. */
uint32_t tcp_urgent_left(const struct tcp_conn *conn)
{
	uint32_t next = read_nxt(conn), unread = (uint32_t)conn->to_read.len;
	if (!conn->rcv_urgent || !seq_after(conn->rcv_up, next))
		return 0;
	uint32_t left = conn->rcv_up - next;
	bool is_over = conn->fin_received || conn->is_dead;
	return is_over && left > unread ? unread : left;
}

void tcp_urgent_on_read(struct tcp_conn *conn)
{
	conn->rcv_urgent = tcp_urgent_left(conn) > 0;
}

/* ---- sent -------------------------------------------------------------------------------- */

/*
 * What a closed window holds back is told of all the same, by an ACK: it is why there is a pointer
 * at all (RFC 9293, 3.8.5). If data leaves now, that is the ACK.
 */
void tcp_urge(struct tcp_conn *conn, size_t len)
{
	uint32_t syn = conn->snd_una == conn->iss &&
		       !tcp_state_is_synchronized((enum tcp_state)conn->state);
	conn->snd_up = conn->snd_una + syn + (uint32_t)(conn->to_send.len + len);
	conn->snd_urgent = true;
	conn->want_ack = true;
}

void tcp_urgent_on_ack(struct tcp_conn *conn)
{
	conn->snd_urgent = seq_before(conn->snd_una, conn->snd_up);
}

/*
 * A pointer that is too far away to be written says "at least so far", but not in a segment that
 * is sent again when the peer has been told of more, as Linux does it.
 */
void tcp_mark_urgent(const struct tcp_conn *conn, struct tcp_hdr *hdr)
{
	uint32_t ahead = conn->snd_up - hdr->seq;
	if (!seq_before(hdr->seq, conn->snd_up))
		return;
	if (ahead > POINTER_MAX && !seq_after(hdr->seq + POINTER_MAX, conn->snd_nxt))
		return;
	hdr->flags |= TCP_URG;
	hdr->urgent = (uint16_t)(ahead < POINTER_MAX ? ahead : POINTER_MAX);
}
