/* SPDX-License-Identifier: MIT */
/*
 * Burying takes a connection out of the table and its timer out of the wheel, and frees what it
 * had under way; what waits to be read stays for the user.
 */
#include "stack/tcp_life.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_emit.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_options.h"
#include "stack/tcp_recovery.h"
#include "stack/tcp_timer.h"
#include "stack/tcp_window.h"

#include <assert.h>
#include <stdlib.h>

#define SLEEP_AFTER_NS NS_PER_S
#define SLEEP_GRAIN_NS (NS_PER_S / 4)

static void init_habits(struct tcp_conn *conn)
{
	const struct tcp_config *config = &conn->tcp->config;
	conn->snd_limit = config->send_max;
	conn->cc_ops = config->cc;
}

/* Until the peer's SYN says otherwise. */
static void init_sending(struct tcp_conn *conn, const struct tcp_birth *birth)
{
	conn->ts_offset = birth->ts_offset;
	conn->active->path = birth->path;
	conn->mss_peer = UINT16_MAX;
	tcp_set_mss(conn);
	rto_init(&conn->rto);
	conn->cc.cwnd = cc_initial_window(conn->cc.mss);
	conn->cc.ssthresh = TCP_SSTHRESH_NONE;
	conn->cc_ops->start(&conn->cc);
}

struct tcp_conn *tcp_conn_new(struct tcp *tcp, const struct tcp_birth *birth,
			      uint64_t now)
{
	struct tcp_conn *conn =
		tcp->conns < tcp->config.connections_max ? malloc(sizeof(*conn)) : NULL;
	if (!conn)
		return NULL;
	*conn = (struct tcp_conn){
		.node.flow = birth->flow,
		.tcp = tcp,
		.state = TCP_CLOSED,
		.iss = birth->iss,
		.snd_una = birth->iss,
		.snd_nxt = birth->iss,
		.heard_ns = now,
	};
	list_init(&conn->queue);
	list_init(&conn->work);
	tcp_due_init(conn);
	if (!tcp_wake(conn, now)) {
		free(conn);
		return NULL;
	}
	init_habits(conn);
	init_sending(conn, birth);
	tcp_window_init(conn);
	tcp_table_add(&tcp->table, &conn->node, TCP_KIND_CONN);
	tcp->conns++;
	return conn;
}

/*
 * One timer looks after all that are awake: it would move about with each message, if each had
 * its own. They fall asleep at the same few moments, so that not each wakes the process for it.
 */
static void arm_sleep(struct tcp *tcp, uint64_t looked_ns)
{
	uint64_t at = looked_ns + SLEEP_AFTER_NS + SLEEP_GRAIN_NS - 1;
	wheel_arm(tcp->wheel, &tcp->sleep_timer, at - at % SLEEP_GRAIN_NS);
}

bool tcp_wake(struct tcp_conn *conn, uint64_t now)
{
	struct tcp *tcp = conn->tcp;
	if (conn->active)
		return true;
	conn->active = malloc(sizeof(*conn->active));
	if (!conn->active)
		return false;
	*conn->active = (struct tcp_active){ .conn = conn, .looked_ns = now };
	board_init(&conn->active->board);
	recovery_init(conn);
	list_push_back(&tcp->awake, &conn->active->of_tcp);
	if (!timer_is_armed(&tcp->sleep_timer))
		arm_sleep(tcp, now);
	return true;
}

static void give_back_active(struct tcp_conn *conn)
{
	if (conn->active)
		list_remove(&conn->active->of_tcp);
	free(conn->active);
	conn->active = NULL;
}

static bool is_idle(const struct tcp_conn *conn, uint64_t now)
{
	return now - conn->heard_ns >= SLEEP_AFTER_NS && conn->snd_una == conn->snd_nxt &&
	       conn->to_send.len == 0 && conn->to_read.len == 0 && !conn->reassembly &&
	       !conn->want_ack && !conn->want_ack_late && list_is_empty(&conn->work);
}

/* Looks at those that nobody has looked at for a second. The others come behind them. */
void tcp_sleep_fire(struct timer *timer, void *user, uint64_t now)
{
	struct tcp *tcp = container_of(timer, struct tcp, sleep_timer);
	struct list *node;
	(void)user;
	while ((node = list_first(&tcp->awake)) != NULL) {
		struct tcp_active *active = container_of(node, struct tcp_active, of_tcp);
		if (now - active->looked_ns < SLEEP_AFTER_NS) {
			arm_sleep(tcp, active->looked_ns);
			return;
		}
		if (is_idle(active->conn, now)) {
			give_back_active(active->conn);
			continue;
		}
		active->looked_ns = now;
		list_remove(node);
		list_push_back(&tcp->awake, node);
	}
}

void tcp_set_state(struct tcp_conn *conn, enum tcp_state state)
{
	assert(tcp_state_may_become((enum tcp_state)conn->state, state));
	conn->state = (uint8_t)state;
}

void tcp_tell(struct tcp_conn *conn, unsigned what)
{
	conn->tell |= (uint8_t)what;
	tcp_touch(conn);
}

void tcp_tell_room(struct tcp_conn *conn)
{
	if (!conn->was_blocked || conn->to_send.len > conn->snd_limit / 2)
		return;
	conn->was_blocked = false;
	tcp_tell(conn, TCP_TELL_WRITABLE);
}

void tcp_report(struct tcp_conn *conn, int error)
{
	conn->report = (int16_t)error;
	tcp_tell(conn, TCP_TELL_REPORT);
}

static void drop_reassembly(struct tcp_conn *conn)
{
	if (conn->reassembly)
		early_fini(conn->reassembly, &conn->tcp->budget);
	free(conn->reassembly);
	conn->reassembly = NULL;
}

void tcp_bury(struct tcp_conn *conn, int error)
{
	struct tcp *tcp = conn->tcp;
	if (conn->is_dead)
		return;
	conn->is_dead = true;
	conn->error = (int16_t)error;
	tcp_table_remove(&tcp->table, &conn->node);
	tcp_due_clear_all(conn);
	if (conn->active) {
		board_clear(conn);
		list_remove(&conn->active->of_tcp); /* It goes with the connection. */
	}
	chain_clear(&conn->to_send, &tcp->budget);
	drop_reassembly(conn);
	tcp->conns--;
	if (conn->listener)
		tcp_listener_forget(conn);
	tcp_tell(conn, TCP_TELL_CLOSED);
}

void tcp_end(struct tcp_conn *conn, int error)
{
	if (conn->is_dead)
		return;
	tcp_set_state(conn, TCP_CLOSED);
	tcp_bury(conn, error);
}

void tcp_abort(struct tcp_conn *conn, int error, uint64_t now)
{
	if (conn->is_dead)
		return;
	if (tcp_wake(conn, now))
		tcp_emit_reset(conn, now);
	tcp_end(conn, error);
}

void tcp_conn_free(struct tcp_conn *conn)
{
	tcp_bury(conn, 0);
	list_remove(&conn->work);
	list_remove(&conn->queue);
	chain_clear(&conn->to_read, &conn->tcp->budget);
	give_back_active(conn);
	free(conn);
}
