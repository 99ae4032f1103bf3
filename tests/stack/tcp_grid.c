/* SPDX-License-Identifier: MIT */
/*
 * Two whole hosts over an impaired link, in every combination of loss, reordering, delay and
 * buffer: what is read is what was written, both ways at once, and after every event what must
 * always be true of a connection is checked. Frames have their checksums, so each byte has been
 * summed up by one host and checked by the other. How fast it went is printed.
 *
 *     [ host 0 ] --- 20 Mbit/s, buffer --- loss, reordering, delay --- [ host 1 ]
 */
#include "link/impair.h"
#include "stack/tcp_conn.h"
#include "tcp_net.h"
#include "tcp_sound.h"

#include <weft/tcp.h>

#include <errno.h>

#define RATE_BPS   20000000u
#define STREAM_LEN 300000u
#define CHUNK      8192u

static const double losses[] = { 0, 0.01, 0.05 };
static const double reorders[] = { 0, 0.03, 0.2 };
static const uint64_t delays_ms[] = { 0, 5, 40 };
static const uint64_t buffers[] = { 6000, 30000, 300000 };

struct end {
	struct net *net;
	struct weft_tcp *tcp;
	uint8_t key;          /* Of its own stream. */
	size_t written, read; /* In bytes. */
	uint64_t read_ns;     /* When all had been read. */
	bool is_closed;
	int error;
};

struct grid {
	struct net net;
	struct end end[2];
};

/* The byte of a stream at an offset. */
static uint8_t stream_byte(uint8_t key, size_t off)
{
	return (uint8_t)(((off + 1) * 0x9e3779b97f4a7c15u + key) >> 56);
}

static void write_on(struct end *e, uint64_t now)
{
	uint8_t chunk[CHUNK];
	while (e->written < STREAM_LEN) {
		size_t left = STREAM_LEN - e->written;
		size_t len = left < CHUNK ? left : CHUNK;
		for (size_t i = 0; i < len; i++)
			chunk[i] = stream_byte(e->key, e->written + i);
		int n = weft_tcp_send(e->tcp, chunk, len, now);
		assert_true(n >= 0);
		e->written += (size_t)n;
		if ((size_t)n < len)
			return;
	}
	(void)weft_tcp_shutdown(e->tcp, SHUT_WR, now);
}

static void on_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct end *e = user;
	(void)tcp;
	write_on(e, now);
}

static void on_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	write_on(user, now);
}

static void on_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct end *e = user;
	uint8_t chunk[CHUNK];
	int n;
	while ((n = weft_tcp_receive(tcp, chunk, sizeof(chunk), now)) > 0) {
		for (int i = 0; i < n; i++)
			assert_int_equal(chunk[i], stream_byte((uint8_t)(e->key ^ 1),
							       e->read + (size_t)i));
		e->read += (size_t)n;
	}
	if (e->read == STREAM_LEN && e->read_ns == 0)
		e->read_ns = now;
}

static void on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct end *e = user;
	e->is_closed = true;
	e->error = error;
	e->tcp = NULL;
	weft_tcp_close(tcp, now);
}

static const struct weft_tcp_events events = {
	.on_connected = on_connected,
	.on_readable = on_readable,
	.on_writable = on_writable,
	.on_closed = on_closed,
};

static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct end *e = user;
	const struct weft_tcp_opts opts = { .events = &events, .user = e };
	assert_int_equal(weft_tcp_accept(listener, &opts, now, &e->tcp), 0);
	write_on(e, now);
}

static void check(void *user)
{
	const struct grid *g = user;
	for (size_t i = 0; i < 2; i++) {
		if (g->end[i].tcp)
			assert_conn_is_sound(tcp_conn_of_const(g->end[i].tcp));
	}
}

/* An impaired link, of ends that make no checksums. */
static void net_over(struct net *net, const struct line_opts *line)
{
	const struct impair_opts opts = { .line = *line };
	struct weft_link *inner, *near, *far;
	assert_int_equal(weft_link_pair(4096, &inner, &far), 0);
	inner->caps.flags = far->caps.flags = 0;
	assert_int_equal(impair_new(&opts, inner, &near), 0);
	net_init_links(net, near, far);
}

/* Mbit/s of the slower direction, from the first SYN on. */
static double run(const struct line_opts *line, bool is_ip6)
{
	struct grid g = { .end = { { .key = 2 }, { .key = 3 } } };
	const struct weft_tcp_listen_opts listen_opts = { .on_acceptable = on_acceptable,
							  .user = &g.end[1] };
	const struct weft_tcp_opts opts = { .events = &events, .user = &g.end[0] };
	union weft_sockaddr peer = addr(is_ip6 ? "[2001:db8::2]:80" : "10.1.0.2:80");
	struct weft_tcp_listener *listener;
	net_over(&g.net, line);
	g.net.on_event = check;
	g.net.user = &g;
	uint64_t begin = g.net.now;
	assert_int_equal(weft_tcp_listen(g.net.stack[1], &peer, &listen_opts, &listener),
			 0);
	assert_int_equal(
		weft_tcp_connect(g.net.stack[0], &peer, &opts, begin, &g.end[0].tcp), 0);
	while (!(g.end[0].is_closed && g.end[1].is_closed)) {
		net_run(&g.net, g.net.now + S(1));
		assert_true(g.net.now < begin + S(600));
	}
	uint64_t last = 0;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(g.end[i].error, 0);
		assert_int_equal(g.end[i].read, STREAM_LEN);
		last = g.end[i].read_ns > last ? g.end[i].read_ns : last;
	}
	weft_tcp_listener_close(listener, g.net.now);
	net_fini(&g.net);
	return STREAM_LEN * 8e3 / (double)(last - begin);
}

/* A network that only delays is used well; one that loses and reorders, at least goes on. */
static double least_rate(const struct line_opts *line, size_t delay)
{
	static const double clean[] = { 12, 8, 3 };
	return line->loss == 0 && line->reorder == 0 ? clean[delay] : 0.3;
}

static void what_is_read_is_what_was_written_everywhere(void **state)
{
	(void)state;
	print_message("# loss  reorder  delay  buffer  Mbit/s\n");
	for (unsigned cell = 0; cell < 81; cell++) {
		size_t delay = cell / 3 % 3;
		const struct line_opts line = {
			.loss = losses[cell / 27],
			.reorder = reorders[cell / 9 % 3],
			.delay_ns = MS(delays_ms[delay]),
			.rate_bps = RATE_BPS,
			.limit_bytes = buffers[cell % 3],
			.seed = cell,
		};
		double rate = run(&line, cell % 2);
		print_message("# %3.0f%%  %6.0f%%  %2u ms  %6u  %6.2f\n", line.loss * 100,
			      line.reorder * 100, (unsigned)delays_ms[delay],
			      (unsigned)line.limit_bytes, rate);
		assert_true(rate > least_rate(&line, delay));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_what_was_written_everywhere),
	};
	return cmocka_run_group_tests_name("tcp_grid", tests, NULL, NULL);
}
