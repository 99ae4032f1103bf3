/* SPDX-License-Identifier: MIT */
/*
 * The queues of bytes against naive models: a chain is an array, and a reassembly is an array
 * of bytes that have come and bytes that have not. The budget is exact after every step.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"
#include "stack/tcp_reassembly.h"
#include "stack/tcp_seq.h"

#include <errno.h>
#include <string.h>

#define MODEL 300000u

static uint8_t model[MODEL];

struct loan {
	unsigned returned;
	size_t len;
};

static void give_back(void *user, const void *data, size_t len)
{
	struct loan *loan = user;
	assert_non_null(data);
	assert_int_equal(len, loan->len);
	loan->returned++;
}

static void a_chain_is_an_array(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	struct tcp_budget budget = { .max = 1u << 20, .spares_max = 16 };
	struct tcp_chain chain = { 0 }, other = { 0 };
	static uint8_t data[70000], got[MODEL];
	size_t len = 0;
	for (unsigned i = 0; i < 4000; i++) {
		size_t n = rng_below(&rng, rng_below(&rng, 8) ? 3000 : sizeof(data));
		for (size_t j = 0; j < n; j++)
			data[j] = (uint8_t)rng_u64(&rng);
		if (rng_below(&rng, 2) && len + n <= MODEL) {
			struct tcp_chain *to = rng_below(&rng, 4) ? &chain : &other;
			assert_int_equal(chain_append(to, &budget, data, n), 0);
			if (to == &other)
				chain_join(&chain, &other);
			memcpy(model + len, data, n);
			len += n;
		} else if (rng_below(&rng, 2)) {
			size_t part = chain_read(&chain, &budget, got, n);
			assert_int_equal(part, n < len ? n : len);
			assert_memory_equal(got, model, part);
			memmove(model, model + part, len -= part);
		} else if (len > 0) {
			size_t off = rng_below(&rng, len), want = rng_below(&rng, len),
			       have;
			struct ip_slice slices[8];
			size_t pieces = chain_slices(&chain, off, want, slices, 8, &have),
			       at = 0;
			for (size_t j = 0; j < pieces; at += slices[j++].len)
				assert_memory_equal(slices[j].data, model + off + at,
						    slices[j].len);
			assert_int_equal(at, have);
			assert_true(have == want || have == len - off || pieces == 8);
		}
		assert_int_equal(chain.len, len);
	}
	chain_clear(&chain, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

static unsigned freed;

static void count_free(void *user)
{
	(void)user;
	freed++;
}

/*
 * Frames come and are borrowed or copied; some of it is read; then the batch is over and the
 * frames are gone. What is left is as it was.
 */
static void what_is_borrowed_outlives_its_frame(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	struct tcp_budget budget = { .max = 4u << 20,
				     .spares_max = 16,
				     .before_free = count_free };
	struct tcp_chain chain = { 0 };
	static uint8_t batch[4][65536], got[MODEL];
	size_t len = 0;
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned j = 0; j < 4; j++) {
			size_t n = 1 + rng_below(&rng, sizeof(batch[j]));
			if (len + n > MODEL)
				break;
			for (size_t k = 0; k < n; k += 1 + n / 64)
				batch[j][k] = (uint8_t)rng_u64(&rng);
			int r = rng_below(&rng, 4)
					? chain_borrow(&chain, &budget, batch[j], n)
					: chain_append(&chain, &budget, batch[j], n);
			assert_int_equal(r, 0);
			memcpy(model + len, batch[j], n);
			len += n;
		}
		size_t want = rng_below(&rng, UINT64_C(2) * MODEL);
		size_t part =
			chain_read(&chain, &budget, got, want < MODEL ? want : MODEL);
		assert_memory_equal(got, model, part);
		memmove(model, model + part, len -= part);
		chain_keep(&budget);
		memset(batch, 0xee, sizeof(batch));
		assert_null(budget.borrowed);
		assert_int_equal(chain.len, len);
	}
	assert_int_equal(chain_read(&chain, &budget, got, MODEL), len);
	assert_memory_equal(got, model, len);
	assert_int_equal(budget.used, 0);
	assert_true(freed > 0);
	budget_fini(&budget);
}

static void a_peek_shows_what_a_read_would_read(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 20000 };
	struct tcp_chain chain = { 0 };
	const void *data = NULL;
	assert_int_equal(chain_peek(&chain, &data), 0);
	assert_null(data);
	assert_int_equal(chain_append(&chain, &budget, "head", 4), 0);
	assert_int_equal(chain_borrow(&chain, &budget, "tail", 4), 0);
	assert_int_equal(chain_peek(&chain, &data), 4);
	assert_memory_equal(data, "head", 4);
	chain_drop(&chain, &budget, 5);
	assert_int_equal(chain_peek(&chain, &data), 3);
	assert_memory_equal(data, "ail", 3);
	chain_keep(&budget);
	assert_int_equal(chain_peek(&chain, &data), 3);
	assert_memory_equal(data, "ail", 3);
	chain_clear(&chain, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

/* One that borrows from the middle of what is borrowed goes, and the others stay. */
static void a_chain_that_ends_borrows_no_more(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 1u << 20 };
	struct tcp_chain chains[3] = { 0 };
	char frame[] = "frame", got[8];
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(chain_borrow(&chains[i], &budget, frame, 5), 0);
	chain_clear(&chains[1], &budget);
	chain_keep(&budget);
	memset(frame, 0, sizeof(frame));
	for (unsigned i = 0; i < 3; i += 2) {
		assert_int_equal(chain_read(&chains[i], &budget, got, sizeof(got)), 5);
		assert_memory_equal(got, "frame", 5);
	}
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

/* In the middle of what is copied, lent and borrowed, and between; more may follow. */
static void a_chain_is_cut_anywhere(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 12; len++) {
		struct tcp_budget budget = { .max = 1u << 20 };
		struct tcp_chain chain = { 0 };
		struct loan loan = { .len = 4 };
		char got[16];
		assert_int_equal(chain_append(&chain, &budget, "copy", 4), 0);
		assert_int_equal(chain_lend(&chain, &budget, "lent", 4, give_back, &loan),
				 0);
		assert_int_equal(chain_borrow(&chain, &budget, "loan", 4), 0);
		chain_cut(&chain, &budget, len);
		assert_int_equal(loan.returned, len <= 4);
		assert_int_equal(chain.len, len);
		assert_int_equal(chain_append(&chain, &budget, "tail", 4), 0);
		chain_keep(&budget);
		assert_int_equal(chain_read(&chain, &budget, got, sizeof(got)), len + 4);
		assert_memory_equal(got, "copylentloan", len);
		assert_memory_equal(got + len, "tail", 4);
		assert_int_equal(loan.returned, 1);
		assert_int_equal(budget.used, 0);
		budget_fini(&budget);
	}
}

static void lent_memory_is_given_back_once(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 20000 };
	struct tcp_chain chain = { 0 };
	struct loan loan = { .len = 5000 };
	assert_int_equal(chain_append(&chain, &budget, "head", 4), 0);
	assert_int_equal(chain_lend(&chain, &budget, model, 5000, give_back, &loan), 0);
	assert_int_equal(chain_append(&chain, &budget, "tail", 4), 0);
	assert_true(budget.used < 20000);
	chain_drop(&chain, &budget, 4 + 4999);
	assert_int_equal(loan.returned, 0);
	chain_drop(&chain, &budget, 1);
	assert_int_equal(loan.returned, 1);
	assert_int_equal(chain.len, 4);
	chain_clear(&chain, &budget);
	assert_int_equal(loan.returned, 1);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

static void a_budget_is_a_limit(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 1000 };
	struct tcp_chain chain = { 0 };
	assert_int_equal(chain_append(&chain, &budget, model, 500), 0);
	assert_int_equal(chain_append(&chain, &budget, model, 5000), -ENOBUFS);
	assert_int_equal(chain.len, 500);
	assert_int_equal(budget.refused, 1);
	chain_clear(&chain, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

/* The smallest chunk takes 256 bytes and what stands before them: one is in 500, two are not. */
static void a_small_message_has_a_limit_too(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 500 };
	struct tcp_chain first = { 0 }, second = { 0 };
	assert_int_equal(chain_append(&first, &budget, model, 0), 0);
	assert_int_equal(budget.used, 0);
	assert_int_equal(chain_append(&first, &budget, model, 1), 0);
	assert_int_equal(chain_append(&second, &budget, model, 1), -ENOBUFS);
	assert_int_equal(second.len, 0);
	assert_null(second.first);
	assert_int_equal(budget.refused, 1);
	chain_clear(&first, &budget);
	assert_int_equal(chain_append(&second, &budget, model, 256), 0);
	chain_clear(&second, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

/* ---- reassembly -------------------------------------------------------------------------- */

#define SPAN 4000u

/* One window of SPAN bytes, filled in a random order with overlaps, across the wrap or not. */
static void fill(struct rng *rng, uint32_t base)
{
	static uint8_t stream[SPAN];
	bool have[SPAN] = { false };
	struct tcp_budget budget = { .max = 1u << 24 };
	struct tcp_reassembly r;
	struct tcp_chain out = { 0 };
	uint32_t taken = 0;
	early_init(&r, 1000);
	for (size_t i = 0; i < SPAN; i++)
		stream[i] = (uint8_t)rng_u64(rng);
	while (taken < SPAN) {
		uint32_t start = taken + (uint32_t)rng_below(rng, SPAN - taken);
		uint32_t len = (uint32_t)rng_below(
			rng, 1 + (SPAN - start < 300 ? SPAN - start : 300));
		int fresh = 0;
		for (uint32_t i = start; i < start + len; i++) {
			fresh += !have[i];
			have[i] = true;
		}
		assert_int_equal(
			early_insert(&r, &budget, base + start, stream + start, len),
			fresh);
		if (rng_below(rng, 4) == 0)
			taken += (uint32_t)early_take(&r, &budget, base + taken, &out);
		uint32_t at = taken;
		for (size_t i = 0; i < r.count; i++) {
			const struct tcp_block *b = &r.blocks[i];
			for (; at < b->start - base; at++)
				assert_false(have[at]);
			for (; at < b->end - base; at++)
				assert_true(have[at]);
			assert_int_equal(b->bytes.len, b->end - b->start);
		}
		for (; at < SPAN; at++)
			assert_false(have[at]);
	}
	uint8_t got[SPAN];
	assert_int_equal(chain_read(&out, &budget, got, SPAN), SPAN);
	assert_memory_equal(got, stream, SPAN);
	early_fini(&r, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

static void blocks_are_the_bytes_that_have_come(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 20; i++)
		fill(&rng, i % 2 ? 0xffffffffu - (uint32_t)rng_below(&rng, SPAN)
				 : (uint32_t)rng_u64(&rng));
}

static void the_first_to_come_is_kept(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 1u << 20 };
	struct tcp_reassembly r;
	struct tcp_chain out = { 0 };
	char got[8] = { 0 };
	early_init(&r, 8);
	assert_int_equal(early_insert(&r, &budget, 102, (const uint8_t *)"AA", 2), 2);
	assert_int_equal(early_insert(&r, &budget, 100, (const uint8_t *)"bbbbbb", 6), 4);
	assert_int_equal(early_take(&r, &budget, 100, &out), 6);
	assert_int_equal(chain_read(&out, &budget, got, 6), 6);
	assert_string_equal(got, "bbAAbb");
	early_fini(&r, &budget);
	budget_fini(&budget);
}

static void blocks_have_a_limit(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 1u << 20 };
	struct tcp_reassembly r;
	early_init(&r, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(early_insert(&r, &budget, 10 * i, model, 5), 5);
	assert_int_equal(early_insert(&r, &budget, 100, model, 5), -ENOBUFS);
	/* What joins others needs no room. */
	assert_int_equal(early_insert(&r, &budget, 5, model, 5), 5);
	assert_int_equal(r.count, 3);
	assert_int_equal(early_insert(&r, &budget, 100, model, 5), 5);
	early_fini(&r, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

/* A gap may never be filled: who leaves many of them holds up nobody's data that is in order. */
static void blocks_have_half_of_the_memory(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 1u << 16 };
	struct tcp_reassembly r;
	struct tcp_chain in_order = { 0 };
	uint32_t n = 0;
	early_init(&r, 256);
	while (early_insert(&r, &budget, 10000 * (n + 1), model, 5000) == 5000)
		n++;
	assert_in_range(budget.used, budget.max / 2, budget.max / 2 + 8192);
	assert_int_equal(r.count, n);
	assert_int_equal(chain_append(&in_order, &budget, model, 16384), 0);
	chain_clear(&in_order, &budget);
	early_fini(&r, &budget);
	assert_int_equal(budget.used, 0);
	budget_fini(&budget);
}

static void the_latest_news_is_told_first(void **state)
{
	(void)state;
	struct tcp_budget budget = { .max = 1u << 20 };
	struct tcp_reassembly r;
	struct tcp_sack sacks[4];
	early_init(&r, 16);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(early_insert(&r, &budget, 100 * i, model, 10), 10);
	assert_int_equal(early_insert(&r, &budget, 210, model, 10), 10);
	assert_int_equal(early_sacks(&r, sacks, 4), 4);
	assert_int_equal(sacks[0].left, 200);
	assert_int_equal(sacks[0].right, 220);
	assert_int_equal(sacks[1].left, 500);
	assert_int_equal(sacks[2].left, 400);
	assert_int_equal(sacks[3].left, 300);
	early_fini(&r, &budget);
	budget_fini(&budget);
}

static void the_circle_has_no_beginning(void **state)
{
	(void)state;
	assert_true(seq_before(0xfffffff0u, 5));
	assert_true(seq_after(5, 0xfffffff0u));
	assert_false(seq_before(5, 5));
	assert_true(seq_within(2, 0xffffffffu, 3));
	assert_false(seq_within(4, 0xffffffffu, 3));
	assert_int_equal(seq_max(0xfffffff0u, 5), 5);
	assert_int_equal(seq_min(0xfffffff0u, 5), 0xfffffff0u);
}

/* Of five blocks that are empty at once, as many are kept as may be. */
static void spares_have_a_limit(void **state)
{
	static const unsigned limits[] = { 0, 2, 9 }, kept[] = { 0, 2, 5 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct tcp_budget budget = { .max = 1u << 20, .spares_max = limits[i] };
		struct tcp_chain chains[5] = { { 0 } };
		for (size_t n = 0; n < ARRAY_LEN(chains); n++)
			assert_int_equal(chain_append(&chains[n], &budget, "data", 4), 0);
		for (size_t n = 0; n < ARRAY_LEN(chains); n++)
			chain_clear(&chains[n], &budget);
		assert_int_equal(budget.spares[0].n, kept[i]);
		assert_int_equal(budget.used, 0);
		budget_fini(&budget);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_is_an_array),
		cmocka_unit_test(what_is_borrowed_outlives_its_frame),
		cmocka_unit_test(a_peek_shows_what_a_read_would_read),
		cmocka_unit_test(a_chain_that_ends_borrows_no_more),
		cmocka_unit_test(a_chain_is_cut_anywhere),
		cmocka_unit_test(lent_memory_is_given_back_once),
		cmocka_unit_test(a_budget_is_a_limit),
		cmocka_unit_test(a_small_message_has_a_limit_too),
		cmocka_unit_test(spares_have_a_limit),
		cmocka_unit_test(blocks_are_the_bytes_that_have_come),
		cmocka_unit_test(the_first_to_come_is_kept),
		cmocka_unit_test(blocks_have_a_limit),
		cmocka_unit_test(blocks_have_half_of_the_memory),
		cmocka_unit_test(the_latest_news_is_told_first),
		cmocka_unit_test(the_circle_has_no_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
