/* SPDX-License-Identifier: MIT */
/*
 * What a stream still has to say: offered once, kept until acknowledged, bounded. Compared
 * with a naive model in which the whole stream is one array.
 */
#include "quic/stream.h"

#include "../unit.h"
#include "base/rng.h"

#include <errno.h>
#include <string.h>

#define MODEL_LEN 200000u

static const uint8_t *bytes(const char *text)
{
	return (const uint8_t *)text;
}

static void bytes_are_offered_until_taken(void **state)
{
	(void)state;
	struct streams all;
	struct stream *s;
	ngtcp2_vec vecs[4];
	streams_init(&all);
	assert_int_equal(stream_new(&all, &s), 0);
	assert_false(stream_is_ready(s));
	assert_int_equal(stream_append(&all, s, bytes("abc"), 3, false), 0);
	assert_int_equal(stream_append(&all, s, bytes("defg"), 4, false), 0);
	assert_true(stream_is_ready(s));
	assert_int_equal(stream_unsent(s, vecs, 4), 2);
	stream_on_sent(s, 4);
	assert_int_equal(stream_unsent(s, vecs, 4), 1);
	assert_int_equal(vecs[0].len, 3);
	assert_memory_equal(vecs[0].base, "efg", 3);
	stream_on_sent(s, 3);
	assert_false(stream_is_ready(s));
	assert_int_equal(all.waiting, 7);
	stream_on_acked(&all, s, 2);
	assert_int_equal(all.waiting, 7);
	stream_on_acked(&all, s, 7);
	assert_int_equal(all.waiting, 0);
	streams_fini(&all);
}

static void an_end_is_said_once(void **state)
{
	(void)state;
	struct streams all;
	struct stream *s;
	streams_init(&all);
	assert_int_equal(stream_new(&all, &s), 0);
	assert_int_equal(stream_append(&all, s, bytes("x"), 1, false), 0);
	stream_on_sent(s, 1);
	assert_false(stream_is_ready(s));
	assert_int_equal(stream_append(&all, s, NULL, 0, true), 0);
	assert_true(stream_is_ready(s));
	stream_on_sent(s, 0);
	assert_false(stream_is_ready(s));
	assert_int_equal(stream_append(&all, s, bytes("x"), 1, false), -EPIPE);
	streams_fini(&all);
}

static void flow_control_holds_it(void **state)
{
	(void)state;
	struct streams all;
	struct stream *s;
	streams_init(&all);
	assert_int_equal(stream_new(&all, &s), 0);
	assert_int_equal(stream_append(&all, s, bytes("x"), 1, false), 0);
	s->is_blocked = true;
	assert_false(stream_is_ready(s));
	streams_fini(&all);
}

static void all_streams_share_one_limit(void **state)
{
	(void)state;
	static const uint8_t much[STREAM_WAITING_MAX];
	struct streams all;
	struct stream *a, *b;
	streams_init(&all);
	assert_int_equal(stream_new(&all, &a), 0);
	assert_int_equal(stream_new(&all, &b), 0);
	assert_int_equal(stream_append(&all, a, much, STREAM_WAITING_MAX - 10, false), 0);
	assert_int_equal(stream_append(&all, b, much, 11, false), -ENOBUFS);
	assert_int_equal(stream_append(&all, b, much, 10, false), 0);
	stream_free(&all, a);
	assert_int_equal(all.waiting, 10);
	assert_int_equal(stream_append(&all, b, much, 1000, false), 0);
	streams_fini(&all);
}

static void a_stream_is_found_by_its_id(void **state)
{
	(void)state;
	struct streams all;
	struct stream *a, *b;
	streams_init(&all);
	assert_int_equal(stream_new(&all, &a), 0);
	assert_int_equal(stream_new(&all, &b), 0);
	a->id = 4;
	b->id = 8;
	assert_ptr_equal(stream_find(&all, 8), b);
	assert_null(stream_find(&all, 12));
	streams_fini(&all);
}

/* Everything that stream_unsent offers, compared with the model from `sent` on. */
static size_t check_offer(const struct stream *s, const uint8_t *model)
{
	ngtcp2_vec vecs[3];
	size_t n = stream_unsent(s, vecs, 3), len = 0;
	for (size_t i = 0; i < n; i++) {
		assert_true(vecs[i].len > 0);
		assert_memory_equal(vecs[i].base, model + s->sent + len, vecs[i].len);
		len += vecs[i].len;
	}
	assert_true(len > 0 || s->sent == s->end);
	return len;
}

static void it_agrees_with_one_array(void **state)
{
	(void)state;
	static uint8_t model[MODEL_LEN];
	struct rng rng;
	rng_init(&rng, test_seed());
	for (size_t i = 0; i < MODEL_LEN; i++)
		model[i] = (uint8_t)rng_u64(&rng);
	struct streams all;
	struct stream *s;
	streams_init(&all);
	assert_int_equal(stream_new(&all, &s), 0);
	uint64_t acked = 0;
	while (acked < MODEL_LEN) {
		size_t len = rng_below(&rng, 300);
		switch (rng_below(&rng, 3)) {
		case 0:
			if (len > MODEL_LEN - s->end)
				len = (size_t)(MODEL_LEN - s->end);
			assert_int_equal(
				stream_append(&all, s, model + s->end, len, false), 0);
			break;
		case 1:
			len = rng_below(&rng, check_offer(s, model) + 1);
			stream_on_sent(s, len);
			break;
		default:
			acked += rng_below(&rng, s->sent - acked + 1);
			stream_on_acked(&all, s, acked);
			assert_in_range(s->start, 0, acked);
			assert_int_equal(all.waiting, s->end - s->start);
		}
	}
	assert_int_equal(all.waiting, 0);
	streams_fini(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_offered_until_taken),
		cmocka_unit_test(an_end_is_said_once),
		cmocka_unit_test(flow_control_holds_it),
		cmocka_unit_test(all_streams_share_one_limit),
		cmocka_unit_test(a_stream_is_found_by_its_id),
		cmocka_unit_test(it_agrees_with_one_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
