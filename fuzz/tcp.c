/* SPDX-License-Identifier: MIT */
/*
 * Whole conversations with TCP: the input is a script of what the peer sends, what the user
 * asks for and how much time passes. Numbers are relative to where the connection stands, so
 * that most segments are nearly right, which is where the mistakes are; some are raw bytes.
 *
 *     op 0..7    a segment         flags, seq, ack, length, window, options
 *     op 8       raw bytes as a segment
 *     op 9       time
 *     op 10..    the user: open, send, lend, receive, shut down, close, habits; ICMP; the path
 *
 * After each step, what must always be true of a connection is asserted, and in the end that
 * nothing is left.
 */
#include "base/time.h"
#include "stack/tcp_error.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_sent.h"
#include "stack/tcp_timer.h"
#include "stack/tcp_user.h"
#include "wire/cursor.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DATA_MAX  70000u
#define CONNS_MAX 4u

struct run {
	struct tcp tcp;
	struct wheel wheel;
	uint64_t now;
	struct reader in;
	struct tcp_listener *listener;
	struct tcp_conn *conns[CONNS_MAX];
	uint32_t mtu;
	uint64_t generation;
	unsigned lent;
	struct tcp_hdr last; /* What was sent last. */
};

static uint8_t data[DATA_MAX];

static void fuzz_emit(void *user, const struct tcp_tx *tx, uint64_t now)
{
	struct run *run = user;
	uint8_t header[TCP_LEN + TCP_OPTIONS_MAX];
	size_t len = 0;
	(void)now;
	for (size_t i = 0; i < tx->slices_n; i++)
		len += tx->slices[i].len;
	assert(len == tx->len);
	assert(tcp_hdr_emit(header, sizeof(header), &tx->hdr) > 0);
	run->last = tx->hdr;
}

static int fuzz_find_path(void *user, const struct tcp_flow *flow, uint64_t now,
			  struct ip_path *ret_path)
{
	const struct run *run = user;
	(void)flow;
	(void)now;
	*ret_path = (struct ip_path){ .generation = run->generation,
				      .src = addr_of_ip4(1),
				      .mtu = run->mtu };
	return 0;
}

static bool fuzz_path_is_current(void *user, const struct ip_path *path)
{
	const struct run *run = user;
	return path->generation == run->generation;
}

static void fuzz_advise(void *user, const struct ip_path *path, uint64_t now)
{
	(void)user;
	(void)path;
	(void)now;
}

static const struct tcp_ops ops = { fuzz_emit, fuzz_find_path, fuzz_path_is_current,
				    fuzz_advise, fuzz_advise };

/* ---- the user ---------------------------------------------------------------------------- */

static void fuzz_on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct run *run = user;
	(void)error;
	for (size_t i = 0; i < CONNS_MAX; i++) {
		if (run->conns[i] == tcp_conn_of(tcp))
			run->conns[i] = NULL;
	}
	tcp_close(tcp_conn_of(tcp), now);
}

static const struct weft_tcp_events events = { .on_closed = fuzz_on_closed };

static void keep(struct run *run, struct tcp_conn *conn)
{
	conn->events = &events;
	conn->user = run;
	for (size_t i = 0; i < CONNS_MAX; i++) {
		if (!run->conns[i]) {
			run->conns[i] = conn;
			return;
		}
	}
	tcp_close(conn, run->now);
}

static void fuzz_on_acceptable(void *user, struct weft_tcp_listener *listener,
			       uint64_t now)
{
	struct tcp_conn *conn = tcp_accept(tcp_listener_of(listener));
	(void)now;
	if (conn)
		keep(user, conn);
}

static void fuzz_release(void *user, const void *bytes, size_t len)
{
	struct run *run = user;
	assert(bytes == data && len > 0 && run->lent > 0);
	run->lent--;
}

static void user_opens(struct run *run)
{
	struct tcp_open open = { .local = addr_of_ip4(1),
				 .remote = addr_of_ip4(2),
				 .lport = reader_u8(&run->in) % 3,
				 .rport = 1 + reader_u8(&run->in) % 3,
				 .events = &events,
				 .user = run };
	struct tcp_conn *conn;
	if (tcp_open(&run->tcp, &open, run->now, &conn) == 0)
		keep(run, conn);
}

static void user_acts(struct run *run, uint8_t op, struct tcp_conn **slot)
{
	struct tcp_conn *conn = *slot;
	size_t n = reader_u16(&run->in);
	switch (op) {
	case 11:
		(void)!(n & 1 ? tcp_send_urgent : tcp_send)(conn, data, n, run->now);
		break;
	case 12:
		run->lent++;
		if (n == 0 || tcp_lend(conn, &(struct ip_slice){ data, n }, fuzz_release,
				       run, run->now) <= 0)
			run->lent--;
		break;
	case 13:
		(void)!tcp_receive(conn, (uint8_t[4096]){ 0 }, n % 4096, run->now);
		break;
	case 14:
		(void)tcp_shutdown(conn, (int)(n % 4), run->now);
		break;
	case 15:
		*slot = NULL;
		tcp_close(conn, run->now);
		break;
	case 16:
		*slot = NULL;
		tcp_kill(conn, run->now);
		break;
	case 17:
		tcp_set_nodelay(conn, n & 1, run->now);
		tcp_set_cork(conn, n & 2, run->now);
		break;
	default:
		tcp_set_keepalive(conn, n & 1, (uint16_t)(n % 100), 1, 2, run->now);
		break;
	}
}

/* ---- the peer ---------------------------------------------------------------------------- */

/* A number near one of four, or any at all. */
static uint32_t near(struct run *run, const uint32_t bases[4])
{
	uint8_t how = reader_u8(&run->in);
	if (how == 255)
		return reader_u32(&run->in);
	int8_t off = (int8_t)reader_u8(&run->in);
	uint32_t base = bases[how & 3];
	return how & 4   ? base + (uint32_t)off
	       : how & 8 ? base + (uint32_t)off * 1000u
			 : base;
}

static void read_options(struct run *run, struct tcp_opts *opts, const uint32_t bases[4])
{
	uint8_t which = reader_u8(&run->in);
	opts->has_mss = which & 1;
	opts->mss = which & 1 ? reader_u16(&run->in) : 0;
	opts->has_wscale = which & 2;
	opts->wscale = which & 2 ? reader_u8(&run->in) % 15 : 0;
	opts->sack_permitted = which & 4;
	opts->has_timestamps = which & 8;
	if (which & 8) {
		opts->ts_val = reader_u8(&run->in) + (uint32_t)(run->now / 1000000);
		opts->ts_ecr = reader_u8(&run->in) + (uint32_t)(run->now / 1000000);
	}
	for (opts->sacks_n = 0; opts->sacks_n < (which >> 4) % 4; opts->sacks_n++) {
		opts->sacks[opts->sacks_n].left = near(run, bases);
		opts->sacks[opts->sacks_n].right = near(run, bases);
	}
}

static void peer_sends(struct run *run, struct tcp_flow flow, const struct tcp_conn *conn)
{
	uint32_t seqs[4] = { 100, 101, run->last.ack, run->last.ack };
	uint32_t acks[4] = { 0, 1, run->last.seq, run->last.seq + 1 };
	if (conn) {
		uint32_t of_seq[4] = { conn->rcv_nxt, conn->rcv_edge, conn->irs,
				       conn->rcv_nxt };
		uint32_t of_ack[4] = { conn->snd_una, conn->snd_nxt, conn->iss,
				       conn->snd_nxt };
		memcpy(seqs, of_seq, sizeof(seqs));
		memcpy(acks, of_ack, sizeof(acks));
	}
	struct tcp_rx rx = { .flow = flow, .payload = data };
	rx.hdr.flags = reader_u8(&run->in);
	rx.hdr.seq = near(run, seqs);
	rx.hdr.ack = near(run, acks);
	rx.hdr.window = reader_u16(&run->in);
	rx.len = reader_u16(&run->in);
	rx.gso_size = rx.len > 1460 ? 1460 : 0;
	rx.tos = rx.hdr.window & 3;
	rx.hdr.urgent = (uint16_t)~rx.hdr.window;
	read_options(run, &rx.opts, acks);
	(void)tcp_input(&run->tcp, &rx, run->now);
}

static void peer_sends_raw(struct run *run, struct tcp_flow flow)
{
	size_t len = reader_u8(&run->in);
	len = len < reader_left(&run->in) ? len : reader_left(&run->in);
	const uint8_t *bytes = reader_bytes(&run->in, len);
	struct tcp_rx rx = { .flow = flow };
	int n = bytes ? tcp_hdr_parse(bytes, len, &rx.hdr) : -1;
	if (n < 0 || tcp_opts_parse(rx.hdr.options, rx.hdr.options_len, &rx.opts) < 0)
		return;
	rx.payload = bytes + n;
	rx.len = len - (size_t)n;
	(void)tcp_input(&run->tcp, &rx, run->now);
}

/* ---- what must always be true ------------------------------------------------------------ */

/* Behind a FIN there is nothing. */
static void check_early(const struct tcp_reassembly *early, uint32_t rcv_nxt)
{
	uint32_t end = early->count > 0 ? early->blocks[early->count - 1].end : rcv_nxt;
	assert(early->count > 0 || early->has_fin);
	assert(!early->has_fin || !seq_after(end, early->fin_seq));
	assert(!early->has_fin || !seq_after(rcv_nxt, early->fin_seq));
}

static void check_conn(const struct tcp_conn *conn)
{
	if (conn->reassembly)
		check_early(conn->reassembly, conn->rcv_nxt);
	if (!conn->active) {
		assert(conn->snd_una == conn->snd_nxt && conn->to_send.len == 0);
		return;
	}
	uint32_t at = conn->snd_una, sacked = 0, lost = 0;
	const struct list *head = &conn->active->board.by_seq;
	for (struct list *n = head->next; n != head; n = n->next) {
		const struct tcp_sent *sent = sent_of_seq(n);
		assert(sent->start == at && seq_before(sent->start, sent->end));
		sacked += sent->flags & SENT_SACKED ? sent_len(sent) : 0;
		lost += sent->flags & SENT_LOST ? sent_len(sent) : 0;
		at = sent->end;
	}
	assert(at == conn->snd_nxt);
	assert(sacked == conn->active->board.sacked && lost == conn->active->board.lost);
	assert(board_in_flight(conn) <= conn->snd_nxt - conn->snd_una);
	assert(conn->to_send.len + 2 >= conn->snd_nxt - conn->snd_una);
	assert(conn->cc.cwnd >= conn->cc.mss && conn->mss_gross >= 88);
	assert(conn->snd_una == conn->snd_nxt || tcp_is_due(conn, TCP_DUE_RETRANSMIT) ||
	       tcp_is_due(conn, TCP_DUE_PERSIST));
	if (tcp_state_is_synchronized((enum tcp_state)conn->state))
		assert(!seq_after(conn->rcv_nxt, conn->rcv_edge));
}

static void check(struct run *run)
{
	assert(list_is_empty(&run->tcp.work));
	for (size_t i = 0; i < CONNS_MAX; i++) {
		if (run->conns[i] && !run->conns[i]->is_dead)
			check_conn(run->conns[i]);
	}
}

/* ---- the script -------------------------------------------------------------------------- */

static void time_passes(struct run *run)
{
	uint64_t until = run->now + (1ull << (reader_u8(&run->in) % 40));
	for (unsigned i = 0; i < 1000 && wheel_next(&run->wheel) <= until; i++) {
		uint64_t next = wheel_next(&run->wheel);
		run->now = next > run->now ? next : run->now;
		wheel_run(&run->wheel, run->now);
		check(run);
	}
	run->now = until > run->now ? until : run->now;
}

static void network_says(struct run *run, const struct tcp_flow *flow,
			 const struct tcp_conn *conn)
{
	struct ip_error error = { .kind = reader_u8(&run->in) % 7,
				  .error = -113,
				  .mtu = 600 };
	if (tcp_on_error(&run->tcp, flow, conn ? conn->snd_una : 0, &error) &&
	    error.kind == IP_ERROR_TOO_BIG) {
		run->mtu = 576 + reader_u16(&run->in) % 9000;
		run->generation++;
	}
}

static void step(struct run *run)
{
	uint8_t op = reader_u8(&run->in) % 20, which = reader_u8(&run->in);
	struct tcp_conn **slot = &run->conns[which % CONNS_MAX];
	struct tcp_flow flow = { addr_of_ip4(1), addr_of_ip4(2), which % 3,
				 1 + which % 3 };
	if (*slot)
		flow = (*slot)->node.flow;
	if (op < 8)
		peer_sends(run, flow, *slot);
	else if (op == 8)
		peer_sends_raw(run, flow);
	else if (op == 9)
		time_passes(run);
	else if (op == 10)
		user_opens(run);
	else if (op == 19)
		network_says(run, &flow, *slot);
	else if (*slot)
		user_acts(run, op, slot);
	if (op != 8 || which & 1)
		tcp_flush(&run->tcp, run->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t secret[16] = "fuzz";
	static struct run run;
	run = (struct run){
		.now = NS_PER_S, .in = reader_of(bytes, len), .mtu = 1500, .generation = 1
	};
	uint8_t habits = reader_u8(&run.in);
	struct tcp_config config = {
		.no_timestamps = habits & 1,
		.no_sack = habits & 2,
		.no_pacing = habits & 4,
		.ecn = habits & 8,
		.cc = habits & 16 ? &tcp_newreno_ops : &tcp_cubic_ops,
		.receive_first = habits & 32 ? 3000 : 0,
		.records_max = habits & 64 ? 8 : 4096,
		.memory_max = habits & 128 ? 50000 : 0,
		.connections_max = 8,
		.time_waits_max = 3,
	};
	wheel_init(&run.wheel, NULL, run.now);
	struct tcp_setup setup = { &config, secret, &ops, &run, &run.wheel };
	struct tcp_listen_opts listen = { .port = 1,
					  .on_acceptable = fuzz_on_acceptable,
					  .user = &run,
					  .syn_max = 2,
					  .backlog = 2 };
	assert(tcp_init(&run.tcp, &setup) == 0);
	assert(tcp_listen(&run.tcp, &listen, &run.listener) == 0);
	while (reader_left(&run.in) > 0) {
		step(&run);
		tcp_flush(&run.tcp, run.now);
		check(&run);
	}
	for (size_t i = 0; i < CONNS_MAX; i++) {
		if (run.conns[i])
			tcp_kill(run.conns[i], run.now);
	}
	tcp_unlisten(run.listener, run.now);
	tcp_fini(&run.tcp);
	assert(run.lent == 0 && run.tcp.budget.used == 0 && run.wheel.count == 0);
	return 0;
}
