/* SPDX-License-Identifier: MIT */
/*
 * Payloads that are not copied: neither into the frame of a link that takes pieces, nor out of
 * the frame that came in before the program has read it.
 *
 *     [ 0 ] --- torn: takes pieces, and puts them together --- pair --- [ 1 ]
 */
#include "link/pieces.h"

#include "link/link.h"
#include "stack/neigh.h"
#include "stack/tcp.h"
#include "stack/tcp_ip.h"
#include "tcp_net.h"

#include <weft/tcp.h>
#include <weft/udp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_LEN 100000u
#define PIECES    20u

/* ---- a link that takes pieces ------------------------------------------------------------ */

struct torn {
	struct weft_link link;
	unsigned frames; /* That came in pieces. */
};

static size_t torn_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	weft_link_send(link->inner, frames, n, now);
	return n;
}

static bool torn_send_pieces(struct weft_link *link, const struct weft_frame *frame,
			     const struct link_piece *pieces, size_t n)
{
	static uint8_t whole[WEFT_HEADROOM + WEFT_FRAME_LEN_MAX];
	struct torn *torn = (struct torn *)(void *)link;
	struct weft_frame joined = *frame;
	joined.data = whole + WEFT_HEADROOM;
	joined.headroom = WEFT_HEADROOM;
	memcpy(joined.data, frame->data, frame->len);
	for (size_t i = 0; i < n; i++) {
		assert_true(joined.len + pieces[i].len <= WEFT_FRAME_LEN_MAX);
		memcpy(joined.data + joined.len, pieces[i].data, pieces[i].len);
		joined.len += (uint32_t)pieces[i].len;
	}
	torn->frames++;
	weft_link_send(link->inner, &joined, 1, 0);
	return true;
}

static void torn_receive(void *user, struct weft_link *inner,
			 const struct weft_frame *frames, size_t n, uint64_t now)
{
	(void)inner;
	link_deliver(user, frames, n, now);
}

static void torn_free(struct weft_link *link)
{
	link_fini(link);
	free(link);
}

static const struct link_ops torn_ops = { .send = torn_send,
					  .send_pieces = torn_send_pieces,
					  .free = torn_free };

/* ---- two stacks, and a stream whose bytes are known -------------------------------------- */

struct scene {
	struct net net;
	struct torn *torn;
	struct weft_tcp *client, *server;
	uint8_t *stream;
	size_t got;
	size_t read_most; /* Bytes that the server reads at each event; 0: all. */
	bool peeks, is_closed;
	int error;
	unsigned released;
};

/* Compares what has come, wherever it lies. */
static void check(struct scene *s, const void *data, size_t n)
{
	assert_memory_equal(data, s->stream + s->got, n);
	s->got += n;
}

static int read_some(struct scene *s, struct weft_tcp *tcp, size_t most, uint64_t now)
{
	static uint8_t buf[PIECE_LEN];
	const void *data = NULL;
	int n = s->peeks ? weft_tcp_peek(tcp, &data)
			 : weft_tcp_receive(tcp, buf, most < PIECE_LEN ? most : PIECE_LEN,
					    now);
	if (n > 0 && s->peeks && (size_t)n > most)
		n = (int)most;
	if (n <= 0)
		return n;
	check(s, s->peeks ? data : buf, (size_t)n);
	if (s->peeks)
		weft_tcp_skip(tcp, (size_t)n, now);
	return n;
}

static void server_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct scene *s = user;
	size_t left = s->read_most ? s->read_most : SIZE_MAX;
	int n;
	while (left > 0 && (n = read_some(s, tcp, left, now)) > 0)
		left -= (size_t)n;
}

static void server_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct scene *s = user;
	s->read_most = 0;
	server_readable(user, tcp, now);
	s->is_closed = true;
	s->error = error;
	weft_tcp_close(tcp, now);
}

static const struct weft_tcp_events server_events = { .on_readable = server_readable,
						      .on_closed = server_closed };

static void server_acceptable(void *user, struct weft_tcp_listener *listener,
			      uint64_t now)
{
	struct scene *s = user;
	struct weft_tcp_opts opts = { .events = &server_events, .user = s };
	assert_int_equal(weft_tcp_accept(listener, &opts, now, &s->server), 0);
}

static void scene_init(struct scene *s)
{
	const struct weft_tcp_listen_opts listen = { .on_acceptable = server_acceptable,
						     .user = s };
	union weft_sockaddr local = addr("80"), peer = addr("10.1.0.2:80");
	struct weft_link *a, *b;
	struct weft_tcp_listener *listener;
	*s = (struct scene){ .torn = calloc(1, sizeof(*s->torn)),
			     .stream = malloc((size_t)PIECES * PIECE_LEN) };
	assert_non_null(s->torn);
	assert_non_null(s->stream);
	for (size_t i = 0; i < (size_t)PIECES * PIECE_LEN; i++)
		s->stream[i] = (uint8_t)(i * 31 + (i >> 8));
	assert_int_equal(weft_link_pair(1024, &a, &b), 0);
	link_init_wrapper(&s->torn->link, &torn_ops, a, torn_receive);
	net_init_links(&s->net, &s->torn->link, b);
	assert_int_equal(weft_tcp_listen(s->net.stack[1], &local, &listen, &listener), 0);
	assert_int_equal(
		weft_tcp_connect(s->net.stack[0], &peer, NULL, s->net.now, &s->client),
		0);
	net_run(&s->net, s->net.now + S(1));
	assert_non_null(s->server);
}

static void scene_fini(struct scene *s)
{
	net_fini(&s->net);
	free(s->stream);
}

static void released(void *user, const void *data, size_t len)
{
	struct scene *s = user;
	(void)data;
	assert_int_equal(len, PIECE_LEN);
	s->released++;
}

/* All of the stream, every other piece lent. */
static void stream_all(struct scene *s)
{
	for (unsigned i = 0; i < PIECES; i++) {
		const uint8_t *data = s->stream + (size_t)i * PIECE_LEN;
		int n = i % 2 ? weft_tcp_lend(s->client, data, PIECE_LEN, released, s,
					      s->net.now)
			      : weft_tcp_send(s->client, data, PIECE_LEN, s->net.now);
		assert_int_equal(n, PIECE_LEN);
	}
	for (unsigned i = 0; i < 2000 && s->got < (size_t)PIECES * PIECE_LEN; i++) {
		net_run(&s->net, s->net.now + MS(10));
		server_readable(s, s->server, s->net.now);
	}
	net_run(&s->net, s->net.now + S(1));
	assert_int_equal(s->got, (size_t)PIECES * PIECE_LEN);
	assert_int_equal(s->released, PIECES / 2);
	assert_true(s->torn->frames > 0);
}

static void a_stream_arrives_that_was_not_copied(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s);
	stream_all(&s);
	scene_fini(&s);
}

/* What is not read within the batch is there after it, and a window that is full opens again. */
static void a_slow_reader_gets_the_same(void **state)
{
	(void)state;
	for (unsigned peeks = 0; peeks < 2; peeks++) {
		struct scene s;
		scene_init(&s);
		s.peeks = peeks;
		s.read_most = 7001;
		stream_all(&s);
		scene_fini(&s);
	}
}

static void look_away(void *user, struct weft_link *link, bool is_sent,
		      const struct weft_frame *frames, size_t n)
{
	(void)user;
	(void)link;
	(void)is_sent;
	(void)frames;
	(void)n;
}

static void what_is_looked_at_is_whole(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s);
	s.peeks = true;
	assert_true(link_takes_pieces(&s.torn->link));
	weft_link_on_pass(&s.torn->link, look_away, NULL);
	assert_false(link_takes_pieces(&s.torn->link));
	weft_link_on_pass(&s.torn->link, NULL, NULL);
	stream_all(&s);
	scene_fini(&s);
}

static void scramble(void *user, const void *data, size_t len)
{
	struct scene *s = user;
	memset(s->stream + ((const uint8_t *)data - s->stream), 0xee, len);
	s->released++;
}

/* Frames of the batch refer to memory that goes: they have left before. */
static void memory_goes_after_its_frames(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s);
	uint8_t *copy = malloc(PIECE_LEN);
	assert_non_null(copy);
	memcpy(copy, s.stream, PIECE_LEN);
	weft_tcp_set_nodelay(s.client, true, s.net.now);
	assert_int_equal(
		weft_tcp_lend(s.client, s.stream, 10000, scramble, &s, s.net.now), 10000);
	weft_tcp_abort(s.client, s.net.now);
	assert_int_equal(s.released, 1);
	assert_true(s.torn->frames > 0);
	/* The server is to see what the memory had in it before. */
	memcpy(s.stream, copy, PIECE_LEN);
	net_run(&s.net, s.net.now + S(1));
	assert_true(s.is_closed);
	assert_int_equal(s.error, -ECONNRESET);
	assert_int_equal(s.got, 10000);
	free(copy);
	scene_fini(&s);
}

/* A payload that has to wait for the neighbour's MAC waits whole. */
static void a_payload_that_waits_is_copied(void **state)
{
	(void)state;
	struct scene s;
	struct weft_tcp_info info;
	scene_init(&s);
	weft_tcp_set_nodelay(s.client, true, s.net.now);
	neigh_remove_all(s.net.iface[0]);
	assert_int_equal(weft_tcp_send(s.client, s.stream, 10000, s.net.now), 10000);
	net_run(&s.net, s.net.now + MS(100));
	assert_int_equal(s.got, 10000);
	weft_tcp_info(s.client, &info);
	assert_int_equal(info.unacked + info.lost, 0);
	assert_int_equal(tcp_of_stack(s.net.stack[0])->counts[TCP_COUNT_RETRANSMITS], 0);
	scene_fini(&s);
}

static void count_datagram(void *user, struct weft_udp *udp,
			   const struct weft_udp_message *msg, uint64_t now)
{
	unsigned *n = user;
	(void)udp;
	(void)msg;
	(void)now;
	(*n)++;
}

/* In one batch, those in pieces between those that are whole. */
static void whole_frames_leave_as_well(void **state)
{
	(void)state;
	struct scene s;
	unsigned got = 0;
	const struct weft_udp_opts opts = { .on_receive = count_datagram, .user = &got };
	const union weft_sockaddr to = addr("10.1.0.2:9");
	const struct weft_udp_message msg = { .peer = to, .data = "x", .len = 1 };
	struct weft_udp *near, *far;
	scene_init(&s);
	weft_tcp_set_nodelay(s.client, true, s.net.now);
	assert_int_equal(weft_udp_new(s.net.stack[0], NULL, &near), 0);
	assert_int_equal(weft_udp_new(s.net.stack[1], &opts, &far), 0);
	assert_int_equal(weft_udp_bind(far, &to), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(weft_udp_send(near, &msg, s.net.now), 0);
		assert_int_equal(weft_tcp_send(s.client, s.stream + (size_t)i * 5000,
					       5000, s.net.now),
				 5000);
	}
	assert_int_equal(weft_udp_send(near, &msg, s.net.now), 0);
	assert_int_equal(s.torn->frames, 0);
	net_run(&s.net, s.net.now + MS(100));
	assert_int_equal(s.torn->frames, 2);
	assert_int_equal(got, 3);
	assert_int_equal(s.got, 10000);
	scene_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_arrives_that_was_not_copied),
		cmocka_unit_test(a_slow_reader_gets_the_same),
		cmocka_unit_test(what_is_looked_at_is_whole),
		cmocka_unit_test(memory_goes_after_its_frames),
		cmocka_unit_test(a_payload_that_waits_is_copied),
		cmocka_unit_test(whole_frames_leave_as_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
