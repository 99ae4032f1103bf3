/* SPDX-License-Identifier: MIT */
/*
 * What congestion control makes of a path, in virtual time: 20 ms of round trip, 200 Mbit/s,
 * and a sender that always has more. CUBIC falls to a sixth at 0.1 % loss; BBR must not.
 */
#include "../unit.h"
#include "base/container.h"
#include "quic/world.h"

#include <stdio.h>

#define LEN     1150u
#define WAITING 128u
#define MEGABIT 1000000.0

/* Keeps the client's queue filled. */
struct feeder {
	struct weft_task task;
	struct world *world;
	uint64_t pushed;
};

static uint64_t waiting(const struct feeder *f)
{
	struct quic_conn_stats s = quic_conn_stats(f->world->client.conn);
	return f->pushed - s.datagrams_tx - s.drop_queue_old;
}

static uint64_t feeder_deadline(const struct weft_task *task)
{
	const struct feeder *f = container_of_const(task, struct feeder, task);
	return waiting(f) < WAITING ? 0 : WEFT_NEVER;
}

static void feeder_run(struct weft_task *task, uint64_t now)
{
	(void)now;
	struct feeder *f = container_of(task, struct feeder, task);
	for (unsigned i = 0; i < WAITING; i++)
		f->pushed += world_send(&f->world->client, LEN) == 0;
}

struct result {
	double mbit;
	struct quic_conn_stats stats;
};

/* Sends for so many milliseconds, after path MTU discovery. */
static struct result measure(struct sim_link link, enum quic_cc cc, unsigned ms)
{
	struct world w;
	world_init(&w, 1);
	w.client_opts.cc = cc;
	w.server_opts.cc = cc;
	sim_set_default_link(w.sim, &link);
	world_start(&w);
	world_connect(&w);
	assert_true(world_is_open(&w));
	world_run(&w, 1000);
	struct feeder f = {
		.task = { .fd = -1, .run = feeder_run, .deadline = feeder_deadline },
		.world = &w
	};
	sim_add(w.sim, &f.task);
	world_run(&w, ms);
	struct result result = { (double)w.server.datagram_bytes * 8000 / ms / MEGABIT,
				 quic_conn_stats(w.client.conn) };
	print_message(
		"# %.0f Mbit/s, srtt %.1f ms, lost %llu of %llu, dropped as old %llu\n",
		result.mbit, (double)result.stats.srtt_ns / 1e6,
		(unsigned long long)result.stats.datagrams_lost,
		(unsigned long long)result.stats.datagrams_tx,
		(unsigned long long)result.stats.drop_queue_old);
	sim_remove(w.sim, &f.task);
	world_fini(&w);
	return result;
}

static const struct sim_link wide = { .delay_ns = 10000000,
				      .rate_bps = 200000000,
				      .queue_len = 750000 };

static struct sim_link lossy(double loss)
{
	struct sim_link link = wide;
	link.loss = loss;
	return link;
}

static void bbr_fills_a_clean_path(void **state)
{
	(void)state;
	assert_true(measure(wide, QUIC_CC_BBR, 2000).mbit > 140);
}

static void bbr_bears_a_thousandth_of_loss(void **state)
{
	(void)state;
	assert_true(measure(lossy(0.001), QUIC_CC_BBR, 2000).mbit > 120);
}

static void bbr_bears_a_hundredth_of_loss(void **state)
{
	(void)state;
	assert_true(measure(lossy(0.01), QUIC_CC_BBR, 2000).mbit > 100);
}

static void cubic_can_be_chosen(void **state)
{
	(void)state;
	struct result cubic = measure(lossy(0.01), QUIC_CC_CUBIC, 2000);
	assert_true(cubic.mbit > 1 && cubic.mbit < 80);
}

static void bbr_reaches_gigabits_at_100_us(void **state)
{
	(void)state;
	const struct sim_link lan = { .delay_ns = 50000,
				      .rate_bps = 3000000000,
				      .queue_len = 300000 };
	assert_true(measure(lan, QUIC_CC_BBR, 200).mbit > 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bbr_fills_a_clean_path),
		cmocka_unit_test(bbr_bears_a_thousandth_of_loss),
		cmocka_unit_test(bbr_bears_a_hundredth_of_loss),
		cmocka_unit_test(cubic_can_be_chosen),
		cmocka_unit_test(bbr_reaches_gigabits_at_100_us),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
