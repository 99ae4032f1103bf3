/* SPDX-License-Identifier: MIT */
/*
 * The ring of a slow peer against a plain list of what should be in it.
 */
#include "link/backlog.h"

#include "../unit.h"
#include "base/rng.h"

#include <errno.h>
#include <string.h>

#define RING_LEN 1000u
#define STEPS    200000u
#define LEN_MAX  400u

/* The byte at a place of a packet that is known by its number. */
static uint8_t byte_of(uint32_t number, size_t at)
{
	return (uint8_t)(number * 31u + at);
}

static int push(struct backlog *b, uint32_t number, size_t prefix_len, size_t body_len)
{
	uint8_t bytes[RING_LEN * 2];
	for (size_t i = 0; i < prefix_len + body_len; i++)
		bytes[i] = byte_of(number, i);
	const struct backlog_packet prefix = { bytes, prefix_len };
	const struct backlog_packet body = { bytes + prefix_len, body_len };
	return backlog_push(b, prefix, body);
}

static void expect(const struct backlog_packet *packet, uint32_t number, size_t len)
{
	assert_int_equal(packet->len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(packet->data[i], byte_of(number, i));
}

static void first_in_first_out(void **state)
{
	struct backlog_packet packets[4];
	struct backlog b;
	(void)state;
	backlog_init(&b, RING_LEN);
	assert_true(backlog_is_empty(&b));
	assert_int_equal(push(&b, 1, 4, 60), 0);
	assert_int_equal(push(&b, 2, 0, 7), 0);
	assert_int_equal(push(&b, 3, 0, 0), 0);
	assert_int_equal(backlog_peek(&b, packets, 4), 3);
	expect(&packets[0], 1, 64);
	expect(&packets[1], 2, 7);
	expect(&packets[2], 3, 0);
	assert_int_equal(backlog_peek(&b, packets, 1), 1);
	backlog_pop(&b, 2);
	assert_int_equal(backlog_peek(&b, packets, 4), 1);
	expect(&packets[0], 3, 0);
	backlog_pop(&b, 9);
	assert_true(backlog_is_empty(&b));
	backlog_fini(&b);
}

static void its_length_is_the_bound(void **state)
{
	struct backlog b;
	(void)state;
	backlog_init(&b, RING_LEN);
	assert_int_equal(push(&b, 1, 0, RING_LEN), -ENOBUFS);
	assert_int_equal(push(&b, 1, 0, RING_LEN - 4), 0);
	assert_int_equal(push(&b, 2, 0, 0), -ENOBUFS);
	backlog_pop(&b, 1);
	assert_int_equal(push(&b, 3, 0, 0), 0);
	backlog_fini(&b);
}

static void without_room_there_is_none(void **state)
{
	struct backlog b;
	(void)state;
	backlog_init(&b, 0);
	assert_int_equal(push(&b, 1, 0, 0), -ENOBUFS);
	backlog_pop(&b, 1);
	backlog_fini(&b);
}

/* What the list holds: numbers, in order, and how long each is. */
struct model {
	uint32_t numbers[RING_LEN];
	size_t lens[RING_LEN];
	size_t n;
	size_t bytes; /* With four for each length, rounded up to four. */
};

static void model_pop(struct model *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		m->bytes -= 4 + (m->lens[i] + 3) / 4 * 4;
	m->n -= n;
	memmove(m->numbers, m->numbers + n, m->n * sizeof(m->numbers[0]));
	memmove(m->lens, m->lens + n, m->n * sizeof(m->lens[0]));
}

static void compare(const struct backlog *b, const struct model *m)
{
	struct backlog_packet packets[RING_LEN];
	assert_int_equal(backlog_peek(b, packets, RING_LEN), m->n);
	for (size_t i = 0; i < m->n; i++)
		expect(&packets[i], m->numbers[i], m->lens[i]);
}

/* A push may fail only if a packet's length of waste at the end leaves too little room. */
static void like_a_list(void **state)
{
	static struct model m;
	struct backlog b;
	struct rng rng;
	size_t refused = 0;
	(void)state;
	rng_init(&rng, test_seed());
	backlog_init(&b, RING_LEN);
	for (uint32_t step = 0; step < STEPS; step++) {
		size_t len = rng_below(&rng, 4) ? rng_below(&rng, 90)
						: rng_below(&rng, LEN_MAX);
		size_t prefix = rng_below(&rng, 5) < len ? rng_below(&rng, 5) : 0;
		prefix = prefix < len ? prefix : 0;
		if (rng_below(&rng, 2)) {
			size_t n = rng_below(&rng, (uint32_t)m.n + 1);
			backlog_pop(&b, n);
			model_pop(&m, n);
		} else if (push(&b, step, prefix, len - prefix) == 0) {
			m.numbers[m.n] = step;
			m.lens[m.n++] = len;
			m.bytes += 4 + (len + 3) / 4 * 4;
			assert_true(m.bytes <= RING_LEN);
		} else {
			assert_true(m.bytes + len + 8 + LEN_MAX + 8 > RING_LEN);
			refused++;
		}
		if (step % 7 == 0)
			compare(&b, &m);
	}
	assert_true(refused > 100);
	backlog_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(its_length_is_the_bound),
		cmocka_unit_test(without_room_there_is_none),
		cmocka_unit_test(like_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
