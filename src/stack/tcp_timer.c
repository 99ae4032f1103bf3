/* SPDX-License-Identifier: MIT */
/*
 * Whoever waits for the peer waits for one of three things: an acknowledgment (RETRANSMIT), a
 * window (PERSIST), or any sign of life (QUIET). Of the first two, one is due at a time.
 */
#include "stack/tcp_timer.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_life.h"
#include "stack/tcp_out.h"
#include "stack/tcp_rack.h"
#include "stack/tcp_recovery.h"

#include <errno.h>

/* So much too early a timer may stay: it fires for nothing then, or is put off by far first. */
#define EARLY_MAX_NS       (10 * NS_PER_MS)
/* Of the same segment, by the time-out (SHLD-10 of RFC 9293). */
#define RETRANSMISSIONS_R1 3u
#define KEEP_IDLE_S        7200u /* RFC 9293, 3.8.4: two hours. */
#define KEEP_INTERVAL_S    75u
#define KEEP_PROBES_MAX    9u

static void fire(struct timer *timer, void *user, uint64_t now);

void tcp_due_init(struct tcp_conn *conn)
{
	conn->timer = (struct timer){ .fire = fire };
	for (unsigned i = 0; i < TCP_DUES; i++)
		conn->due[i] = TCP_NOT_DUE;
}

void tcp_due_set(struct tcp_conn *conn, enum tcp_due what, uint64_t at)
{
	conn->due[what] = at;
	if (at != TCP_NOT_DUE && (!timer_is_armed(&conn->timer) || at < conn->timer.at))
		wheel_arm(conn->tcp->wheel, &conn->timer, at);
}

/* Whether the timer can stay as it is: each message puts what is due off by a little. */
static bool is_armed_for(const struct timer *timer, uint64_t at)
{
	return timer_is_armed(timer) && timer->at <= at && at - timer->at <= EARLY_MAX_NS;
}

void tcp_due_settle(struct tcp_conn *conn)
{
	uint64_t next = TCP_NOT_DUE;
	for (unsigned i = 0; i < TCP_DUES; i++)
		next = conn->due[i] < next ? conn->due[i] : next;
	if (next == TCP_NOT_DUE)
		wheel_cancel(conn->tcp->wheel, &conn->timer);
	else if (!is_armed_for(&conn->timer, next))
		wheel_arm(conn->tcp->wheel, &conn->timer, next);
}

void tcp_due_clear_all(struct tcp_conn *conn)
{
	wheel_cancel(conn->tcp->wheel, &conn->timer);
	for (unsigned i = 0; i < TCP_DUES; i++)
		conn->due[i] = TCP_NOT_DUE;
}

/* ---- waiting for an acknowledgment ------------------------------------------------------- */

static bool is_opening(const struct tcp_conn *conn)
{
	return conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
}

/* How long the peer may acknowledge nothing: R2 of RFC 9293, 3.8.3. */
static uint64_t patience(const struct tcp_conn *conn)
{
	const struct tcp_config *config = &conn->tcp->config;
	uint64_t ms =
		is_opening(conn) ? config->open_timeout_ms : config->user_timeout_ms;
	if (conn->user_timeout_ms != 0)
		ms = conn->user_timeout_ms;
	return ms * NS_PER_MS;
}

static void give_up(struct tcp_conn *conn)
{
	tcp_end(conn, conn->soft_error ? conn->soft_error : -ETIMEDOUT);
	tcp_count(conn->tcp, TCP_COUNT_ABORTED);
}

/*
 * R1 of RFC 9293, 3.8.3: IP is to look whether the next hop is still there, and the user is told
 * that something may be wrong.
 */
static void doubt_the_way(struct tcp_conn *conn, uint64_t now)
{
	const struct tcp *tcp = conn->tcp;
	if (conn->rto.backoff < RETRANSMISSIONS_R1)
		return;
	tcp->ops->doubt(tcp->user, &conn->active->path, now);
	if (conn->rto.backoff == RETRANSMISSIONS_R1)
		tcp_report(conn, -ETIMEDOUT);
}

/* RFC 6298, 5.4 to 5.7. */
static void on_retransmit_due(struct tcp_conn *conn, uint64_t now)
{
	if (now - conn->stalled_ns >= patience(conn)) {
		give_up(conn);
		return;
	}
	recovery_on_timeout(conn, now);
	rto_back_off(&conn->rto);
	doubt_the_way(conn, now);
	if (is_opening(conn))
		tcp_resend(conn, board_first(conn), now);
	else
		tcp_touch(conn);
	tcp_postpone_retransmission(conn, now);
}

static bool is_window_closed(const struct tcp_conn *conn)
{
	return conn->snd_wnd == 0 && tcp_state_is_synchronized(conn->state);
}

/* The next time-out; or, if sooner, the end of patience with who is silent since then. */
static uint64_t next_at(const struct tcp_conn *conn, uint64_t since, uint64_t now)
{
	uint64_t again = now + rto_ns(&conn->rto, &conn->tcp->rto_limits);
	uint64_t end = since + patience(conn);
	return again < end ? again : end;
}

void tcp_arm_retransmission(struct tcp_conn *conn, uint64_t now)
{
	bool is_waiting = conn->snd_una != conn->snd_nxt;
	bool is_stuck = is_waiting ? is_window_closed(conn) : tcp_has_unsent(conn);
	enum tcp_due due = is_stuck ? TCP_DUE_PERSIST : TCP_DUE_RETRANSMIT;
	if (!tcp_is_due(conn, TCP_DUE_RETRANSMIT) && !tcp_is_due(conn, TCP_DUE_PERSIST))
		conn->stalled_ns = now; /* Until now there was nothing to wait for. */
	tcp_due_clear(conn, is_stuck ? TCP_DUE_RETRANSMIT : TCP_DUE_PERSIST);
	if (!is_waiting && !is_stuck)
		tcp_due_clear(conn, due);
	else if (!tcp_is_due(conn, due))
		tcp_due_set(conn, due,
			    next_at(conn, is_stuck ? now : conn->stalled_ns, now));
}

void tcp_restart_retransmission(struct tcp_conn *conn, uint64_t now)
{
	conn->stalled_ns = now;
	tcp_due_clear(conn, TCP_DUE_RETRANSMIT);
	tcp_due_clear(conn, TCP_DUE_PERSIST);
	tcp_arm_retransmission(conn, now);
}

void tcp_postpone_retransmission(struct tcp_conn *conn, uint64_t now)
{
	tcp_due_set(conn, TCP_DUE_RETRANSMIT, next_at(conn, conn->stalled_ns, now));
}

/* ---- waiting for a window ---------------------------------------------------------------- */

/*
 * RFC 9293, 3.8.6.1: a closed window is asked again and again, further and further apart. A
 * peer that answers may keep it closed for as long as it likes, unless the user has set a limit
 * or has gone.
 */
static void on_persist_due(struct tcp_conn *conn, uint64_t now)
{
	bool is_limited = conn->user_timeout_ms != 0 || conn->is_orphan;
	bool answers = conn->heard_ns > conn->stalled_ns && !is_limited;
	uint64_t since = answers ? conn->heard_ns : conn->stalled_ns;
	if (now - since >= patience(conn)) {
		give_up(conn);
		return;
	}
	rto_back_off(&conn->rto);
	tcp_probe_window(conn, now);
	tcp_due_set(conn, TCP_DUE_PERSIST, next_at(conn, since, now));
}

/* ---- waiting for a sign of life ---------------------------------------------------------- */

static uint64_t keep_idle(const struct tcp_conn *conn)
{
	return (conn->keep_idle_s ? conn->keep_idle_s : KEEP_IDLE_S) * NS_PER_S;
}

static uint64_t keep_interval(const struct tcp_conn *conn)
{
	uint32_t s = conn->keep_interval_s ? conn->keep_interval_s : KEEP_INTERVAL_S;
	return s * NS_PER_S;
}

static unsigned keep_probes_max(const struct tcp_conn *conn)
{
	return conn->keep_probes_max ? conn->keep_probes_max : KEEP_PROBES_MAX;
}

/* RFC 9293, 3.8.4: an old sequence number makes a peer that is there say where it stands. */
static void on_quiet_due(struct tcp_conn *conn, uint64_t now)
{
	if (conn->state == TCP_FIN_WAIT_2 && conn->is_orphan) {
		tcp_end(conn, -ETIMEDOUT);
		return;
	}
	/* What is under way asks by itself, and has a patience of its own (MUST-26). */
	uint64_t since = conn->snd_una != conn->snd_nxt ? now : conn->heard_ns;
	uint64_t idle = keep_idle(conn);
	if (now - since < idle) {
		conn->keep_probes = 0;
		tcp_due_set(conn, TCP_DUE_QUIET, since + idle);
		return;
	}
	if (conn->keep_probes >= keep_probes_max(conn)) {
		give_up(conn);
		return;
	}
	conn->keep_probes++;
	tcp_emit_keepalive(conn, now);
	tcp_due_set(conn, TCP_DUE_QUIET, now + keep_interval(conn));
}

void tcp_arm_quiet(struct tcp_conn *conn, uint64_t now)
{
	if (conn->state == TCP_FIN_WAIT_2 && conn->is_orphan) {
		if (!tcp_is_due(conn, TCP_DUE_QUIET) || conn->keepalive)
			tcp_due_set(conn, TCP_DUE_QUIET,
				    now + conn->tcp->config.fin_wait_ms * NS_PER_MS);
		conn->keepalive = false;
	} else if (!conn->keepalive || !tcp_state_is_synchronized(conn->state)) {
		tcp_due_clear(conn, TCP_DUE_QUIET);
	} else if (!tcp_is_due(conn, TCP_DUE_QUIET)) {
		tcp_due_set(conn, TCP_DUE_QUIET, now + keep_idle(conn));
	}
}

/* ---- the timer --------------------------------------------------------------------------- */

static void handle(struct tcp_conn *conn, enum tcp_due what, uint64_t now)
{
	switch (what) {
	case TCP_DUE_RETRANSMIT:
		on_retransmit_due(conn, now);
		break;
	case TCP_DUE_PERSIST:
		on_persist_due(conn, now);
		break;
	case TCP_DUE_REORDER:
		recovery_on_reorder_due(conn, now);
		break;
	case TCP_DUE_PROBE:
		tlp_send(conn, now);
		tcp_postpone_retransmission(conn, now);
		break;
	case TCP_DUE_ACK:
		conn->want_ack = true;
		break;
	case TCP_DUE_QUIET:
		on_quiet_due(conn, now);
		break;
	case TCP_DUE_PACE:
	case TCP_DUES:
		break;
	}
}

static void fire(struct timer *timer, void *user, uint64_t now)
{
	struct tcp_conn *conn = container_of(timer, struct tcp_conn, timer);
	struct tcp *tcp = conn->tcp;
	(void)user;
	for (unsigned i = 0; i < TCP_DUES && !conn->is_dead; i++) {
		if (conn->due[i] > now)
			continue;
		conn->due[i] = TCP_NOT_DUE;
		tcp_touch(conn);
		if (tcp_wake(conn, now))
			handle(conn, (enum tcp_due)i, now);
	}
	tcp_due_settle(conn);
	tcp_flush(tcp, now);
}
