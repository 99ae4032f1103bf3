/* SPDX-License-Identifier: MIT */
/*
 * The seam's other side for transcripts: what is emitted is kept until a TX line asks for it.
 */
#include "tcp_script.h"

#include "stack/tcp_life.h"

#include <stdlib.h>
#include <string.h>

#define OWN_IP  0xc0000201u
#define PEER_IP 0xc0000202u

/* The byte of data at a sequence number, either side's. */
static uint8_t byte_at(uint32_t seq)
{
	return (uint8_t)('a' + seq % 26);
}

static void script_emit(void *user, const struct tcp_tx *tx, uint64_t now)
{
	struct script *s = user;
	assert_true(s->sent_n < SCRIPT_SENT_MAX);
	struct sent_segment *sent = &s->sent[s->sent_n++];
	*sent = (struct sent_segment){ .hdr = tx->hdr,
				       .flow = *tx->flow,
				       .len = tx->len,
				       .gso_size = tx->gso_size,
				       .tos = tx->tos,
				       .ttl = tx->ttl,
				       .at = now };
	assert_true(tcp_opts_parse(tx->hdr.options, tx->hdr.options_len, &sent->opts) >=
		    0);
	sent->hdr.options = NULL;
	if (tx->len > 0)
		sent->first = *(const uint8_t *)tx->slices[0].data;
	if (tx->hdr.flags & SYN && !s->knows_iss) {
		s->iss = tx->hdr.seq;
		s->knows_iss = true;
	}
}

static int script_find_path(void *user, const struct tcp_flow *flow, uint64_t now,
			    struct ip_path *ret_path)
{
	const struct script *s = user;
	(void)flow;
	(void)now;
	if (s->path_error < 0)
		return s->path_error;
	*ret_path = (struct ip_path){ .generation = s->path_generation,
				      .src = addr_of_ip4(OWN_IP),
				      .mtu = s->mtu };
	return 0;
}

static bool script_path_is_current(void *user, const struct ip_path *path)
{
	const struct script *s = user;
	return path->generation == s->path_generation;
}

static void script_confirm(void *user, const struct ip_path *path, uint64_t now)
{
	(void)user;
	(void)path;
	(void)now;
}

static void script_doubt(void *user, const struct ip_path *path, uint64_t now)
{
	struct script *s = user;
	(void)path;
	(void)now;
	s->doubts++;
}

static const struct tcp_ops ops = {
	.emit = script_emit,
	.find_path = script_find_path,
	.path_is_current = script_path_is_current,
	.confirm = script_confirm,
	.doubt = script_doubt,
};

/* ---- the user ---------------------------------------------------------------------------- */

static void on_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct script *s = user;
	(void)tcp;
	(void)now;
	s->connected++;
}

static void on_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct script *s = user;
	(void)tcp;
	(void)now;
	s->readable++;
}

static void on_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct script *s = user;
	(void)tcp;
	(void)now;
	s->writable++;
}

static void on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct script *s = user;
	s->closed++;
	s->error = error;
	if (s->closes_at_end) {
		tcp_close(tcp_conn_of(tcp), now);
		s->conn = NULL;
	}
}

static void on_report(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct script *s = user;
	(void)tcp;
	(void)now;
	s->reports++;
	s->report = error;
}

static void on_urgent(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct script *s = user;
	(void)tcp;
	(void)now;
	s->urgent++;
}

static const struct weft_tcp_events events = { on_connected, on_readable, on_writable,
					       on_closed,    on_report,   on_urgent };

static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct script *s = user;
	(void)now;
	s->acceptable++;
	s->conn = tcp_accept(tcp_listener_of(listener));
	assert_non_null(s->conn);
	s->conn->events = &events;
	s->conn->user = s;
}

/* ---- the script -------------------------------------------------------------------------- */

void script_init(struct script *s, const struct tcp_config *config)
{
	static const struct tcp_config plain = { .no_timestamps = true };
	static const uint8_t secret[16] = "secret of a test";
	memset(s, 0, sizeof(*s));
	s->now = s->begin = S(1000);
	s->mtu = 1500;
	s->path_generation = 1;
	s->flow = (struct tcp_flow){ .local = addr_of_ip4(OWN_IP),
				     .remote = addr_of_ip4(PEER_IP),
				     .lport = OWN_PORT,
				     .rport = PEER_PORT };
	wheel_init(&s->wheel, NULL, s->now);
	struct tcp_setup setup = { .config = config ? config : &plain,
				   .secret = secret,
				   .ops = &ops,
				   .user = s,
				   .wheel = &s->wheel };
	assert_int_equal(tcp_init(&s->tcp, &setup), 0);
}

void script_fini(struct script *s)
{
	if (s->conn)
		tcp_kill(s->conn, s->now);
	if (s->listener)
		tcp_unlisten(s->listener, s->now);
	tcp_fini(&s->tcp);
	assert_int_equal(s->tcp.budget.used, 0);
	assert_int_equal(s->tcp.records.in_use, 0);
	assert_int_equal(s->wheel.count, 0);
}

void script_listen(struct script *s)
{
	struct tcp_listen_opts opts = { .local = addr_of_ip4(0),
					.port = OWN_PORT,
					.on_acceptable = on_acceptable,
					.user = s };
	assert_int_equal(tcp_listen(&s->tcp, &opts, &s->listener), 0);
}

void script_connect(struct script *s)
{
	struct tcp_open open = { .local = s->flow.local,
				 .remote = s->flow.remote,
				 .lport = OWN_PORT,
				 .rport = PEER_PORT,
				 .events = &events,
				 .user = s };
	assert_int_equal(tcp_open(&s->tcp, &open, s->now, &s->conn), 0);
}

void script_establish_with(struct script *script, const struct line *syn)
{
	struct line first = *syn, ack = { .flags = ACK, .seq = 101, .ack = 1 };
	first.flags |= SYN;
	first.seq = 100;
	ack.ts = syn->ts;
	ack.ts_val = syn->ts_val;
	ack.window = syn->window;
	script_listen(script);
	(void)script_rx(script, &first);
	assert_int_equal(script->sent_n, ++script->taken);
	ack.ts_ecr = script->sent[script->taken - 1].opts.ts_val;
	(void)script_rx(script, &ack);
	assert_non_null(script->conn);
	assert_int_equal(script->conn->state, TCP_ESTABLISHED);
	assert_int_equal(script->sent_n, script->taken);
}

void script_establish(struct script *script)
{
	struct line syn = { .mss = 1460, .sack = true };
	script_establish_with(script, &syn);
}

enum tcp_outcome script_rx(struct script *s, const struct line *line)
{
	static uint8_t data[70000];
	struct tcp_rx rx = {
		.flow = s->flow,
		.hdr = { .sport = s->flow.rport,
			 .dport = s->flow.lport,
			 .seq = line->seq,
			 .ack = line->flags & ACK ? line->ack + s->iss : 0,
			 .flags = line->flags,
			 .urgent = line->urgent },
		.opts = { .has_mss = line->mss != 0,
			  .mss = line->mss,
			  .sack_permitted = line->sack,
			  .has_wscale = line->scaled,
			  .wscale = line->wscale,
			  .has_timestamps = line->ts,
			  .ts_val = line->ts_val,
			  .ts_ecr = line->ts_ecr,
			  .sacks_n = line->sacks_n },
		.tos = line->tos,
		.gso_size = line->gso,
		.payload = data,
		.len = line->len,
	};
	uint32_t window = line->window ? line->window : PEER_WINDOW;
	rx.hdr.window = (uint16_t)(line->window_zero ? 0 : window);
	for (uint32_t i = 0; i < line->len; i++)
		data[i] = byte_at(line->seq + i);
	for (size_t i = 0; i < line->sacks_n; i++) {
		rx.opts.sacks[i].left = line->sacks[i].left + s->iss;
		rx.opts.sacks[i].right = line->sacks[i].right + s->iss;
	}
	enum tcp_outcome outcome = tcp_input(&s->tcp, &rx, s->now);
	tcp_flush(&s->tcp, s->now);
	return outcome;
}

static void assert_same(uint64_t have, uint64_t want, const char *what, const char *file,
			int at)
{
	if (have == want)
		return;
	print_error("%s: %llu instead of %llu\n", what, (unsigned long long)have,
		    (unsigned long long)want);
	_fail(file, at);
}

static void assert_options(const struct tcp_opts *have, const struct line *want,
			   const char *file, int at)
{
	if (want->mss)
		assert_same(have->mss, want->mss, "MSS option", file, at);
	if (want->sack)
		assert_same(have->sack_permitted, true, "SACK permitted", file, at);
	if (want->scaled)
		assert_same(have->wscale, want->wscale, "window scale", file, at);
	if (want->ts)
		assert_same(have->has_timestamps, true, "timestamps", file, at);
	if (want->ts && want->ts_ecr)
		assert_same(have->ts_ecr, want->ts_ecr, "TSecr", file, at);
	assert_same(have->sacks_n, want->sacks_n, "SACK blocks", file, at);
	for (size_t i = 0; i < want->sacks_n; i++) {
		assert_same(have->sacks[i].left, want->sacks[i].left, "SACK left", file,
			    at);
		assert_same(have->sacks[i].right, want->sacks[i].right, "SACK right",
			    file, at);
	}
}

void script_tx(struct script *s, const struct line *line, const char *file, int at)
{
	if (s->taken == s->sent_n) {
		print_error("nothing was sent\n");
		_fail(file, at);
	}
	const struct sent_segment *sent = &s->sent[s->taken++];
	uint32_t base = line->flags & RST && !s->knows_iss ? 0 : s->iss;
	uint16_t flags =
		line->flags & PSH ? sent->hdr.flags : sent->hdr.flags & (uint16_t)~PSH;
	assert_same(flags, line->flags, "flags", file, at);
	assert_same(sent->hdr.seq - base, line->seq, "SEQ", file, at);
	assert_same(sent->hdr.ack, line->ack, "ACK", file, at);
	assert_same(sent->len, line->len, "length", file, at);
	assert_same(sent->gso_size, line->gso, "segment size", file, at);
	if (line->window)
		assert_same(sent->hdr.window, line->window, "window", file, at);
	if (line->window_zero)
		assert_same(sent->hdr.window, 0, "window", file, at);
	assert_same(sent->hdr.urgent, line->urgent, "urgent pointer", file, at);
	if (line->tos)
		assert_same(sent->tos, line->tos, "TOS", file, at);
	if (line->len > 0)
		assert_same(sent->first, byte_at(line->seq), "first byte", file, at);
	assert_options(&sent->opts, line, file, at);
	assert_same(sent->hdr.sport, s->flow.lport, "source port", file, at);
	assert_same(sent->hdr.dport, s->flow.rport, "destination port", file, at);
}

void script_quiet(struct script *s, const char *file, int at)
{
	if (s->taken == s->sent_n)
		return;
	const struct sent_segment *sent = &s->sent[s->taken];
	print_error("sent: flags %x SEQ %u ACK %u length %zu\n", sent->hdr.flags,
		    sent->hdr.seq - s->iss, sent->hdr.ack, sent->len);
	_fail(file, at);
}

void script_at(struct script *s, uint64_t ns)
{
	uint64_t until = s->begin + ns, next;
	assert_true(until >= s->now);
	while ((next = wheel_next(&s->wheel)) <= until) {
		s->now = next > s->now ? next : s->now;
		wheel_run(&s->wheel, s->now);
	}
	s->now = until;
	wheel_run(&s->wheel, s->now);
}

typedef int write_fn(struct tcp_conn *conn, const void *data, size_t len, uint64_t now);

static void write_by(struct script *s, write_fn *write, size_t len)
{
	uint8_t *data = malloc(len);
	assert_non_null(data);
	uint32_t seq = s->conn->snd_una - s->iss + (uint32_t)s->conn->to_send.len;
	if (s->conn->state == TCP_SYN_SENT)
		seq++;
	for (size_t i = 0; i < len; i++)
		data[i] = byte_at(seq + (uint32_t)i);
	assert_int_equal(write(s->conn, data, len, s->now), len);
	free(data);
}

void script_write(struct script *s, size_t len)
{
	write_by(s, tcp_send, len);
}

void script_write_urgent(struct script *s, size_t len)
{
	write_by(s, tcp_send_urgent, len);
}

void script_read(struct script *s, size_t len, uint32_t seq)
{
	static uint8_t data[1 << 20];
	size_t got = 0;
	int n;
	while ((n = tcp_receive(s->conn, data + got, sizeof(data) - got, s->now)) > 0)
		got += (size_t)n;
	assert_int_equal(got, len);
	for (size_t i = 0; i < got; i++)
		assert_int_equal(data[i], byte_at(seq + (uint32_t)i));
}

void script_assert_state(struct script *s, enum tcp_state state, const char *file, int at)
{
	if (s->conn->state == state)
		return;
	print_error("state is %s\n", tcp_state_name((enum tcp_state)s->conn->state));
	_fail(file, at);
}
