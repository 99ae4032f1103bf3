/* SPDX-License-Identifier: MIT */
/*
 * The datagram queue: order, priority, age and limits.
 */
#include "quic/queue.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>

#define MS 1000000u

static void start(struct pool *pool, struct datagram_queue *q, size_t blocks)
{
	pool_init(pool, sizeof(struct queued) + 1500, blocks);
	queue_init(q, pool);
}

static void stop(struct pool *pool, struct datagram_queue *q)
{
	queue_clear(q);
	assert_int_equal(pool->in_use, 0);
	pool_fini(pool);
}

/* Of so many bytes behind the head of an overlay. */
static int push(struct datagram_queue *q, uint8_t mark, size_t len, uint64_t now)
{
	uint8_t bytes[1500];
	memset(bytes, mark, sizeof(bytes));
	const struct quic_datagram d = {
		.head = bytes, .head_len = 8, .body = bytes, .body_len = len
	};
	return queue_push(q, &d, now, 0);
}

/* The mark of the front, which is taken. */
static int pop(struct datagram_queue *q)
{
	struct queued *d = queue_front(q);
	if (!d)
		return -1;
	int mark = d->data[0];
	queue_pop(q, d);
	return mark;
}

static void small_ones_go_first(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue q;
	start(&pool, &q, 100);
	assert_int_equal(push(&q, 1, 1400, 0), 0);
	assert_int_equal(push(&q, 2, 301, 0), 0);
	assert_int_equal(push(&q, 3, 300, 0), 0);
	assert_int_equal(push(&q, 4, 60, 0), 0);
	assert_int_equal(pop(&q), 3);
	assert_int_equal(pop(&q), 4);
	assert_int_equal(pop(&q), 1);
	assert_int_equal(pop(&q), 2);
	assert_int_equal(pop(&q), -1);
	stop(&pool, &q);
}

static void order_can_be_asked_for(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue q;
	start(&pool, &q, 100);
	assert_int_equal(push(&q, 1, 1400, 0), 0);
	const struct quic_datagram last = { .body = (const uint8_t *)"\2",
					    .body_len = 1,
					    .in_order = true };
	assert_int_equal(queue_push(&q, &last, 0, 0), 0);
	assert_int_equal(pop(&q), 1);
	assert_int_equal(pop(&q), 2);
	stop(&pool, &q);
}

static void second_is_what_follows_the_front(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue q;
	start(&pool, &q, 100);
	assert_null(queue_second(&q));
	assert_int_equal(push(&q, 1, 1400, 0), 0);
	assert_null(queue_second(&q));
	assert_int_equal(push(&q, 2, 1400, 0), 0);
	assert_int_equal(queue_second(&q)->data[0], 2);
	assert_int_equal(push(&q, 3, 10, 0), 0);
	assert_int_equal(queue_second(&q)->data[0], 1);
	assert_int_equal(push(&q, 4, 10, 0), 0);
	assert_int_equal(queue_second(&q)->data[0], 4);
	stop(&pool, &q);
}

static void old_ones_are_dropped_from_the_head(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue q;
	start(&pool, &q, 100);
	assert_int_equal(push(&q, 1, 1400, 10 * MS), 0);
	assert_int_equal(push(&q, 2, 60, 12 * MS), 0);
	assert_int_equal(push(&q, 3, 1400, 20 * MS), 0);
	queue_age(&q, 25 * MS, 1);
	assert_int_equal(q.drop_old, 0);
	queue_age(&q, 25 * MS + 1, 1);
	assert_int_equal(q.drop_old, 1);
	assert_int_equal(queue_front(&q)->data[0], 2);
	queue_age(&q, 30 * MS, 1);
	assert_int_equal(q.drop_old, 2);
	assert_int_equal(pop(&q), 3);
	stop(&pool, &q);
}

static void what_no_turn_has_seen_is_not_old(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue q;
	start(&pool, &q, 100);
	assert_int_equal(push(&q, 1, 60, 0), 0);
	queue_age(&q, 100 * MS, 0);
	assert_int_equal(q.drop_old, 0);
	queue_age(&q, 100 * MS, 1);
	assert_int_equal(q.drop_old, 1);
	stop(&pool, &q);
}

static void it_is_bounded(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue q;
	start(&pool, &q, 2 * QUIC_QUEUE_MAX);
	for (unsigned i = 0; i < QUIC_QUEUE_MAX; i++)
		assert_int_equal(push(&q, 1, 100, 0), 0);
	assert_int_equal(push(&q, 1, 100, 0), -ENOBUFS);
	assert_int_equal(q.drop_full, 1);
	stop(&pool, &q);
}

static void so_is_the_pool_that_all_share(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue a, b;
	start(&pool, &a, 10);
	queue_init(&b, &pool);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(push(&a, 1, 100, 0), 0);
	assert_int_equal(push(&b, 1, 100, 0), -ENOBUFS);
	pop(&a);
	assert_int_equal(push(&b, 1, 100, 0), 0);
	queue_clear(&b);
	stop(&pool, &a);
}

/* Neither a full queue of its own nor what others saturate costs a small one its place. */
static void small_ones_find_place(void **state)
{
	(void)state;
	struct pool pool;
	struct datagram_queue a, b;
	unsigned larges = 0;
	start(&pool, &a, 80);
	queue_init(&b, &pool);
	while (push(&a, 1, 1000, 0) == 0)
		larges++;
	assert_int_equal(larges, 80 - 80 / QUIC_QUEUE_KEPT);
	for (unsigned i = 0; i < 80 / QUIC_QUEUE_KEPT; i++)
		assert_int_equal(push(&b, 1, 100, 0), 0);
	assert_int_equal(push(&b, 1, 100, 0), -ENOBUFS);
	assert_int_equal(push(&a, 1, 100, 0), 0);
	assert_int_equal(a.count, larges);
	assert_int_equal(a.drop_full, 2);
	queue_clear(&b);
	stop(&pool, &a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_ones_go_first),
		cmocka_unit_test(order_can_be_asked_for),
		cmocka_unit_test(second_is_what_follows_the_front),
		cmocka_unit_test(old_ones_are_dropped_from_the_head),
		cmocka_unit_test(what_no_turn_has_seen_is_not_old),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(so_is_the_pool_that_all_share),
		cmocka_unit_test(small_ones_find_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
