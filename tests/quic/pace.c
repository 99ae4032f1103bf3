/* SPDX-License-Identifier: MIT */
/*
 * Small datagrams beside a flow that the pacer holds back, in virtual time:
 *
 *     client ---- 10 Mbit/s, 10 ms ----> server
 *       bulk: always more than fits
 *       small: one each 7.3 ms, of 200 bytes; timed from the call to the wire
 */
#include "quic/pace.h"

#include "../unit.h"
#include "base/container.h"
#include "quic/compat.h"
#include "quic/queue.h"
#include "quic/world.h"

#define BULK_LEN  1300u
#define SMALL_LEN 200u
#define WAITING   16u
#define EACH_NS   UINT64_C(7300000)
#define RATE_BPS  10000000u

/* What the pacer may hold back at once (slices of a millisecond), and a packet in its way. */
#define SLICE_NS UINT64_C(2500000)

struct sender {
	struct weft_task task;
	struct world *world;
	uint64_t pushed;
	uint64_t small_at; /* When the next one is due; WEFT_NEVER for none. */
	bool in_order;     /* The small ones are none that go first. */
	bool floods;       /* The bulk is of small ones. */
	uint64_t asked_at; /* 0 while none is on its way to the wire. */
	uint64_t n, at_once, sum_ns;
};

static uint64_t waiting(const struct sender *s)
{
	const struct quic_conn_stats stats = quic_conn_stats(s->world->client.conn);
	return s->pushed - stats.datagrams_tx - stats.drop_queue_old;
}

static uint64_t sender_deadline(const struct weft_task *task)
{
	const struct sender *s = container_of_const(task, struct sender, task);
	return waiting(s) < WAITING ? 0 : s->small_at;
}

static bool send_datagram(struct sender *s, size_t len, uint64_t now)
{
	static const uint8_t bytes[BULK_LEN];
	const struct quic_datagram d = { .body = bytes,
					 .body_len = len,
					 .in_order = s->in_order };
	const bool is_sent = quic_conn_send_datagram(s->world->client.conn, &d, now) == 0;
	s->pushed += is_sent;
	return is_sent;
}

static void note(struct sender *s, uint64_t waited_ns)
{
	s->asked_at = 0;
	s->n++;
	s->sum_ns += waited_ns;
	s->at_once += waited_ns == 0;
}

/* One that has not come out by now has waited so long that it was dropped. */
static void send_small(struct sender *s, uint64_t now)
{
	s->small_at = now + EACH_NS;
	if (s->asked_at != 0 && now - s->asked_at > QUIC_QUEUE_NS)
		note(s, now - s->asked_at);
	if (s->asked_at == 0 && send_datagram(s, SMALL_LEN, now))
		s->asked_at = now;
}

static void sender_run(struct weft_task *task, uint64_t now)
{
	struct sender *s = container_of(task, struct sender, task);
	while (waiting(s) < WAITING &&
	       send_datagram(s, s->floods ? SMALL_LEN : BULK_LEN, now))
		;
	if (now >= s->small_at)
		send_small(s, now);
}

/* A small one is known by its length on the wire. */
static void see(void *user, const struct dgram_msg *msg)
{
	struct sender *s = user;
	const size_t last = msg->len % msg->segment_len;
	const size_t len = last > 0 ? last : msg->segment_len;
	if (s->asked_at != 0 && len >= SMALL_LEN && len <= SMALL_LEN + 100)
		note(s, sim_now(s->world->sim) - s->asked_at);
}

struct result {
	uint64_t n, at_once, mean_ns, bytes, lost, sent;
};

/* Sends for 3 s, two of which count. The server sends nothing but ACKs, none of this length. */
static struct result measure(struct sender s)
{
	struct world w;
	world_init(&w, 1);
	const struct sim_link link = { .delay_ns = 10000000,
				       .rate_bps = RATE_BPS,
				       .queue_len = RATE_BPS / 8 / 10 };
	sim_set_default_link(w.sim, &link);
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	world_run(&w, 1000);
	s.task = (struct weft_task){ .fd = -1,
				     .run = sender_run,
				     .deadline = sender_deadline };
	s.world = &w;
	sim_add(w.sim, &s.task);
	sim_set_tap(w.sim, see, &s);
	world_run(&w, 1000);
	const uint64_t bytes = w.server.datagram_bytes;
	const struct quic_conn_stats before = quic_conn_stats(w.client.conn);
	s.n = s.at_once = s.sum_ns = 0;
	world_run(&w, 2000);
	const struct quic_conn_stats after = quic_conn_stats(w.client.conn);
	const struct result result = { .n = s.n,
				       .mean_ns = s.n > 0 ? s.sum_ns / s.n : 0,
				       .at_once = s.at_once,
				       .bytes = w.server.datagram_bytes - bytes,
				       .lost = after.datagrams_lost -
					       before.datagrams_lost,
				       .sent = after.datagrams_tx - before.datagrams_tx };
	print_message("# %u small, %u at once, mean %.2f ms; %u bytes, %u of %u lost\n",
		      (unsigned)result.n, (unsigned)result.at_once,
		      (double)result.mean_ns / 1e6, (unsigned)result.bytes,
		      (unsigned)result.lost, (unsigned)result.sent);
	sim_remove(w.sim, &s.task);
	sim_set_tap(w.sim, NULL, NULL);
	world_fini(&w);
	return result;
}

/* Where the window is full, they wait for an acknowledgement like all. */
static void the_small_do_not_wait_for_the_pacer(void **state)
{
	(void)state;
	const struct result small = measure((struct sender){ .small_at = 1 });
	assert_true(small.n > 250);
	assert_true(small.mean_ns < SLICE_NS);
	if (COMPAT_PACER_OPENS)
		assert_true(small.at_once > small.n / 2);
}

static void what_keeps_its_place_does(void **state)
{
	(void)state;
	const struct result small =
		measure((struct sender){ .small_at = 1, .in_order = true });
	assert_true(small.n > 50);
	assert_true(small.at_once < small.n / 10);
	assert_true(small.mean_ns > 2 * SLICE_NS);
}

static void the_rate_stays_what_it_was(void **state)
{
	(void)state;
	const struct result alone = measure((struct sender){ .small_at = WEFT_NEVER });
	const struct result both = measure((struct sender){ .small_at = 1 });
	assert_true(alone.bytes > 0);
	assert_true(both.bytes > alone.bytes * 9 / 10 &&
		    both.bytes < alone.bytes * 11 / 10);
}

static void a_flood_of_small_ones_is_paced(void **state)
{
	(void)state;
	struct sender s = { .small_at = WEFT_NEVER, .floods = true };
	const struct result first = measure(s);
	s.in_order = true;
	const struct result in_order = measure(s);
	assert_true(in_order.sent > 0);
	assert_true(first.sent < in_order.sent * 11 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_small_do_not_wait_for_the_pacer),
		cmocka_unit_test(what_keeps_its_place_does),
		cmocka_unit_test(the_rate_stays_what_it_was),
		cmocka_unit_test(a_flood_of_small_ones_is_paced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
