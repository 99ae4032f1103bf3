/* SPDX-License-Identifier: MIT */
/*
 * A packet in the network is a heap node whose deadline is its arrival. Without jitter, packets
 * of one direction never overtake each other.
 */
#include "tcp_world.h"

#include "../unit.h"
#include "stack/tcp_listen.h"
#include "stack/tcp_out.h"
#include "stack/tcp_sent.h"
#include "tcp_sound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT    80u
#define CHUNK   16384u
#define HEADERS 40u

struct packet {
	struct heap_node node;
	struct host *to;
	struct tcp_flow flow; /* As the receiver sees it. */
	uint8_t tos;
	uint16_t gso_size;
	size_t len;
	uint8_t bytes[];
};

static struct ip_addr addr_of_host(size_t i)
{
	return addr_of_ip4(0xc0000201u + (uint32_t)i);
}

/* The byte of a host's stream at an offset. */
static uint8_t stream_byte(const struct host *h, uint64_t off)
{
	uint64_t x = (off + 1) * 0x9e3779b97f4a7c15u + (uint64_t)(h - h->world->host);
	return (uint8_t)(x >> 56);
}

/* ---- the network ------------------------------------------------------------------------- */

static bool happens(struct world *w, double probability)
{
	return probability > 0 && rng_double(&w->rng) < probability;
}

/* When a packet that is sent now arrives; 0: it does not. */
static uint64_t arrival(struct host *from, size_t len)
{
	struct world *w = from->world;
	const struct net *net = &w->net;
	uint64_t leaves = w->now;
	if (net->rate_bps > 0) {
		uint64_t backlog =
			from->link_free_ns > w->now ? from->link_free_ns - w->now : 0;
		if (net->queue_bytes > 0 &&
		    backlog / 1000 * net->rate_bps / 8000000 > net->queue_bytes)
			return 0;
		leaves += backlog +
			  (uint64_t)(len + HEADERS) * 8 * 1000000000 / net->rate_bps;
		from->link_free_ns = leaves;
	}
	uint64_t at = leaves + net->delay_ns;
	if (net->jitter_ns > 0)
		return at + rng_below(&w->rng, net->jitter_ns);
	if (at <= from->last_arrival_ns)
		at = from->last_arrival_ns + 1;
	from->last_arrival_ns = at;
	return at;
}

static void post(struct host *from, const struct tcp_tx *tx, const uint8_t *bytes,
		 size_t len)
{
	struct world *w = from->world;
	uint64_t at = arrival(from, len);
	if (at == 0 || happens(w, w->net.loss))
		return;
	struct packet *p = malloc(sizeof(*p) + len);
	assert_non_null(p);
	*p = (struct packet){ .node.deadline = at, .len = len, .tos = tx->tos };
	p->to = &w->host[from == &w->host[0] ? 1 : 0];
	p->flow = (struct tcp_flow){ .local = tx->flow->remote,
				     .remote = tx->flow->local,
				     .lport = tx->flow->rport,
				     .rport = tx->flow->lport };
	p->gso_size = w->net.whole ? tx->gso_size : 0;
	if ((tx->tos & IP_ECN_MASK) == IP_ECN_ECT0 && happens(w, w->net.mark))
		p->tos |= IP_ECN_CE;
	memcpy(p->bytes, bytes, len);
	assert_int_equal(heap_insert(&w->packets, &p->node), 0);
}

/* Writes one segment of a super-segment into bytes. */
static void send_segment(struct host *from, const struct tcp_tx *tx,
			 const uint8_t *payload, size_t off, size_t len)
{
	uint8_t *bytes = malloc(TCP_LEN + TCP_OPTIONS_MAX + len + 1);
	assert_non_null(bytes);
	struct tcp_hdr hdr = tx->hdr;
	bool is_last = off + len == tx->len;
	hdr.seq += (uint32_t)off;
	if (!is_last)
		hdr.flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
	if (off > 0)
		hdr.flags &= (uint16_t)~TCP_CWR;
	int n = tcp_hdr_emit(bytes, TCP_LEN + TCP_OPTIONS_MAX, &hdr);
	assert_true(n > 0);
	if (len > 0)
		memcpy(bytes + n, payload + off, len);
	from->segments_sent++;
	if (getenv("TEST_TRACE"))
		print_message(
			"# %.6f %zu > seq %u len %zu ack %u win %u flags %x sacks %d\n",
			(double)(from->world->now - S(1000)) / 1e9,
			(size_t)(from - from->world->host), hdr.seq, len, hdr.ack,
			hdr.window, hdr.flags, hdr.options_len);
	post(from, tx, bytes, (size_t)n + len);
	if (happens(from->world, from->world->net.duplicate))
		post(from, tx, bytes, (size_t)n + len);
	free(bytes);
}

static void world_emit(void *user, const struct tcp_tx *tx, uint64_t now)
{
	struct host *from = user;
	uint8_t *payload = malloc(tx->len + 1);
	size_t len = 0, off = 0;
	(void)now;
	assert_non_null(payload);
	for (size_t i = 0; i < tx->slices_n; i++) {
		memcpy(payload + len, tx->slices[i].data, tx->slices[i].len);
		len += tx->slices[i].len;
	}
	assert_int_equal(len, tx->len);
	uint32_t mtu = from->world->net.mtu ? from->world->net.mtu : 1500;
	size_t longest = tx->gso_size ? tx->gso_size : len;
	assert_true(longest + tx->hdr.options_len + HEADERS <= mtu);
	size_t step = tx->gso_size && !from->world->net.whole ? tx->gso_size : len;
	do {
		size_t part = len - off < step ? len - off : step;
		send_segment(from, tx, payload, off, part);
		off += part;
	} while (off < len);
	free(payload);
}

static int world_find_path(void *user, const struct tcp_flow *flow, uint64_t now,
			   struct ip_path *ret_path)
{
	const struct host *h = user;
	uint32_t mtu = h->world->net.mtu;
	(void)flow;
	(void)now;
	*ret_path = (struct ip_path){
		.generation = 1,
		.src = addr_of_host((size_t)(h - h->world->host)),
		.mtu = mtu ? mtu : 1500,
	};
	return 0;
}

static bool world_path_is_current(void *user, const struct ip_path *path)
{
	(void)user;
	return path->generation == 1;
}

static void world_advise(void *user, const struct ip_path *path, uint64_t now)
{
	(void)user;
	(void)path;
	(void)now;
}

static const struct tcp_ops ops = {
	.emit = world_emit,
	.find_path = world_find_path,
	.path_is_current = world_path_is_current,
	.confirm = world_advise,
	.doubt = world_advise,
};

static void deliver(struct packet *p, uint64_t now)
{
	struct tcp_rx rx = { .flow = p->flow, .tos = p->tos, .gso_size = p->gso_size };
	int n = tcp_hdr_parse(p->bytes, p->len, &rx.hdr);
	assert_true(n > 0);
	assert_true(tcp_opts_parse(rx.hdr.options, rx.hdr.options_len, &rx.opts) >= 0);
	rx.payload = p->bytes + n;
	rx.len = p->len - (size_t)n;
	(void)tcp_input(&p->to->tcp, &rx, now);
	tcp_flush(&p->to->tcp, now);
}

/* ---- the programs on the hosts ----------------------------------------------------------- */

void host_write(struct host *h)
{
	uint8_t chunk[CHUNK];
	while (h->written < h->to_write) {
		uint64_t left = h->to_write - h->written;
		size_t len = left < CHUNK ? (size_t)left : CHUNK;
		for (size_t i = 0; i < len; i++)
			chunk[i] = stream_byte(h, h->written + i);
		int n = tcp_send(h->conn, chunk, len, h->world->now);
		assert_true(n >= 0);
		h->written += (uint64_t)n;
		if ((size_t)n < len)
			return;
	}
	if (h->closes)
		(void)tcp_shutdown(h->conn, SHUT_WR, h->world->now);
}

static void on_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct host *h = user;
	(void)tcp;
	(void)now;
	h->is_connected = true;
	host_write(h);
}

static void on_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct host *h = user;
	const struct host *peer = &h->world->host[h == &h->world->host[0] ? 1 : 0];
	uint8_t chunk[CHUNK];
	int n = 0;
	while (!h->reads_nothing &&
	       (n = tcp_receive(tcp_conn_of(tcp), chunk, sizeof(chunk), now)) > 0) {
		for (int i = 0; i < n; i++)
			assert_int_equal(chunk[i],
					 stream_byte(peer, h->read + (uint64_t)i));
		h->read += (uint64_t)n;
	}
	if (!h->reads_nothing && n == 0)
		h->is_at_end = true;
}

static void on_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	(void)now;
	host_write(user);
}

static void on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct host *h = user;
	(void)tcp;
	(void)now;
	assert_false(h->is_closed);
	h->is_closed = true;
	h->error = error;
}

static const struct weft_tcp_events events = {
	.on_connected = on_connected,
	.on_readable = on_readable,
	.on_writable = on_writable,
	.on_closed = on_closed,
};

static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct host *h = user;
	struct tcp_conn *conn = tcp_accept(tcp_listener_of(listener));
	assert_non_null(conn);
	conn->events = &events;
	conn->user = h;
	h->conn = conn;
	on_connected(h, tcp_conn_public(conn), now);
}

/* ---- the world --------------------------------------------------------------------------- */

static void host_init(struct world *w, size_t i, const struct tcp_config *config)
{
	static const uint8_t secrets[2][16] = { "first secret ...", "second secret .." };
	struct host *h = &w->host[i];
	h->world = w;
	struct tcp_setup setup = {
		.config = config,
		.secret = secrets[i],
		.ops = &ops,
		.user = h,
		.wheel = &w->wheel,
	};
	assert_int_equal(tcp_init(&h->tcp, &setup), 0);
}

void world_init(struct world *w, uint64_t seed, const struct net *net,
		const struct tcp_config *zero, const struct tcp_config *one)
{
	*w = (struct world){ .now = S(1000) };
	if (net)
		w->net = *net;
	rng_init(&w->rng, seed);
	wheel_init(&w->wheel, NULL, w->now);
	host_init(w, 0, zero);
	host_init(w, 1, one);
}

void world_fini(struct world *w)
{
	struct heap_node *node;
	while ((node = heap_min(&w->packets)) != NULL) {
		heap_remove(&w->packets, node);
		free(container_of(node, struct packet, node));
	}
	for (size_t i = 0; i < 2; i++) {
		if (w->host[i].conn)
			tcp_kill(w->host[i].conn, w->now);
		tcp_fini(&w->host[i].tcp);
		assert_int_equal(w->host[i].tcp.budget.used, 0);
		assert_int_equal(w->host[i].tcp.records.in_use, 0);
	}
	while ((node = heap_min(&w->packets)) != NULL) {
		heap_remove(&w->packets, node);
		free(container_of(node, struct packet, node));
	}
	heap_fini(&w->packets);
	assert_int_equal(w->wheel.count, 0);
}

void world_connect(struct world *w)
{
	struct tcp_listen_opts listen = {
		.local = addr_of_host(1),
		.port = PORT,
		.on_acceptable = on_acceptable,
		.user = &w->host[1],
	};
	struct tcp_open open = {
		.local = addr_of_ip4(0),
		.remote = addr_of_host(1),
		.rport = PORT,
		.events = &events,
		.user = &w->host[0],
	};
	assert_int_equal(tcp_listen(&w->host[1].tcp, &listen, &w->host[1].listener), 0);
	assert_int_equal(tcp_open(&w->host[0].tcp, &open, w->now, &w->host[0].conn), 0);
}

static void check(struct world *w)
{
	for (size_t i = 0; i < 2; i++) {
		struct host *h = &w->host[i];
		if (!h->conn || h->conn->is_dead)
			continue;
		assert_conn_is_sound(h->conn);
		if (h->has_edge && tcp_state_is_synchronized(h->conn->state))
			assert_false(seq_before(h->conn->rcv_edge, h->edge_seen));
		h->has_edge = tcp_state_is_synchronized(h->conn->state);
		h->edge_seen = h->conn->rcv_edge;
	}
}

bool world_step(struct world *w)
{
	struct heap_node *first = heap_min(&w->packets);
	uint64_t timer = wheel_next(&w->wheel);
	if (!first && timer == UINT64_MAX)
		return false;
	w->events++;
	if (first && first->deadline <= timer) {
		struct packet *p = container_of(first, struct packet, node);
		heap_remove(&w->packets, first);
		if (first->deadline > w->now)
			w->now = first->deadline;
		wheel_run(&w->wheel, w->now);
		deliver(p, w->now);
		free(p);
	} else {
		if (timer > w->now)
			w->now = timer;
		wheel_run(&w->wheel, w->now);
	}
	check(w);
	return true;
}

void world_run_until(struct world *w, uint64_t until)
{
	for (;;) {
		struct heap_node *first = heap_min(&w->packets);
		uint64_t timer = wheel_next(&w->wheel);
		uint64_t next =
			first && first->deadline < timer ? first->deadline : timer;
		if (next > until)
			break;
		(void)world_step(w);
	}
	w->now = until;
}

/* Where both stand, for a test that is about to fail. */
static void tell(const struct world *w)
{
	for (size_t i = 0; i < 2; i++) {
		const struct host *h = &w->host[i];
		const struct tcp_conn *c = h->conn;
		print_message(
			"# host %zu: wrote %llu of %llu, read %llu, closed %d error %d\n",
			i, (unsigned long long)h->written,
			(unsigned long long)h->to_write, (unsigned long long)h->read,
			h->is_closed, h->error);
		if (c && c->active)
			print_message(
				"#   %s una %u nxt %u wnd %u cwnd %u flight %u queue %zu "
				"phase %u rcv %u edge %u\n",
				tcp_state_name((enum tcp_state)c->state),
				c->snd_una - c->iss, c->snd_nxt - c->iss, c->snd_wnd,
				c->cc.cwnd, board_in_flight(c), c->to_send.len,
				c->active->recovery.phase, c->rcv_nxt - c->irs,
				c->rcv_edge - c->irs);
	}
}

void world_finish(struct world *w, uint64_t limit)
{
	struct host *a = &w->host[0], *b = &w->host[1];
	uint64_t until = w->now + limit;
	while (!(a->is_closed && b->is_closed)) {
		bool goes_on = w->now < until && world_step(w);
		if (!goes_on)
			tell(w);
		assert_true(goes_on);
	}
	assert_int_equal(a->read, b->to_write);
	assert_int_equal(b->read, a->to_write);
}
