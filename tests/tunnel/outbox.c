/* SPDX-License-Identifier: MIT */
/*
 * What comes out of an outbox is what went in, in order and in whole records; what is lost is
 * what was to be lost.
 */
#include "tunnel/outbox.h"

#include "../unit.h"
#include "packets.h"
#include "wire/tunnel.h"

#define LEN   1000u
#define UNIT  (LEN + TUNNEL_LEN)
#define ROOM  (64 * 1024u)
#define START (100 * S)

static const uint8_t secret[16] = { 7 };

struct fixture {
	struct outbox q;
	uint8_t out[ROOM];
	uint8_t packet[65535];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	outbox_init(&f->q, secret, true);
	outbox_open(&f->q, 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	outbox_fini(&f->q);
	free(f);
	return 0;
}

static bool push(struct fixture *f, uint32_t len, uint8_t number, uint64_t now)
{
	struct weft_frame packet = packet_make(f->packet, len, number);
	return outbox_push(&f->q, &packet, now) >= 0;
}

static uint8_t number_at(const struct fixture *f, size_t off)
{
	return f->out[off + TUNNEL_LEN + 1];
}

static void keeps_order_and_bytes(void **state)
{
	struct fixture *f = *state;
	for (uint8_t i = 1; i <= 3; i++)
		assert_true(push(f, LEN, i, START));
	assert_int_equal(outbox_put(&f->q, 0, f->out, ROOM, START), 3 * UNIT);
	for (uint8_t i = 1; i <= 3; i++) {
		const uint8_t *record = f->out + (i - 1u) * UNIT;
		assert_int_equal(record[0] | record[1] << 8, LEN);
		assert_int_equal(record[TUNNEL_LEN], 0x45);
		assert_int_equal(number_at(f, (i - 1u) * UNIT), i);
	}
	assert_true(outbox_is_empty(&f->q, 0));
	assert_int_equal(outbox_put(&f->q, 0, f->out, ROOM, START), 0);
}

/* Every size of buffer gives the same bytes. */
static void goes_out_in_pieces_of_any_size(void **state)
{
	struct fixture *f = *state;
	for (size_t piece = 1; piece <= 2 * UNIT + 1; piece++) {
		size_t off = 0, n;
		(void)push(f, LEN, 1, START);
		(void)push(f, LEN, 2, START);
		while ((n = outbox_put(&f->q, 0, f->out + off, piece, START)) > 0)
			off += n;
		assert_int_equal(off, 2 * UNIT);
		assert_int_equal(number_at(f, 0), 1);
		assert_int_equal(number_at(f, UNIT), 2);
	}
}

static void what_is_too_old_goes_but_the_head(void **state)
{
	struct fixture *f = *state;
	(void)push(f, LEN, 1, START);
	(void)push(f, LEN, 2, START);
	(void)push(f, LEN, 3, START + 50 * MS);
	assert_int_equal(outbox_put(&f->q, 0, f->out, ROOM, START + 101 * MS), 2 * UNIT);
	assert_int_equal(number_at(f, 0), 1);
	assert_int_equal(number_at(f, UNIT), 3);
	assert_int_equal(f->q.dropped_old, 1);
}

static void a_hundred_milliseconds_are_not_too_old(void **state)
{
	struct fixture *f = *state;
	(void)push(f, LEN, 1, START);
	(void)push(f, LEN, 2, START);
	assert_int_equal(outbox_put(&f->q, 0, f->out, ROOM, START + 100 * MS), 2 * UNIT);
	assert_int_equal(f->q.dropped_old, 0);
}

/* Nobody reads: one packet and the last 100 ms are kept, whatever comes. */
static void an_absent_peer_costs_its_head_and_what_is_fresh(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(push(f, LEN, (uint8_t)i, START + i * 10 * MS));
	assert_int_equal(f->q.len, 12 * UNIT);
	assert_int_equal(f->q.dropped_old, 1000 - 12);
}

static void the_newest_is_dropped_when_it_is_full(void **state)
{
	struct fixture *f = *state;
	size_t taken = 0;
	while (push(f, 65535, 7, START))
		taken++;
	assert_int_equal(taken, OUTBOX_LEN_MAX / (65535 + TUNNEL_LEN));
	assert_int_equal(f->q.dropped_full, 1);
	assert_in_range(f->q.len, OUTBOX_LEN_MAX - 65535 - TUNNEL_LEN, OUTBOX_LEN_MAX);
	(void)outbox_put(&f->q, 0, f->out, ROOM, START);
	(void)outbox_put(&f->q, 0, f->out, ROOM, START);
	assert_true(push(f, 65535, 8, START));
}

static void a_new_stream_begins_with_a_whole_record(void **state)
{
	struct fixture *f = *state;
	(void)push(f, LEN, 1, START);
	(void)push(f, LEN, 2, START);
	assert_int_equal(outbox_put(&f->q, 0, f->out, UNIT + 5, START), UNIT + 5);
	outbox_open(&f->q, 0);
	assert_int_equal(f->q.dropped_cut, 1);
	assert_true(outbox_is_empty(&f->q, 0));
	(void)push(f, LEN, 3, START);
	outbox_open(&f->q, 0);
	assert_int_equal(outbox_put(&f->q, 0, f->out, ROOM, START), UNIT);
	assert_int_equal(number_at(f, 0), 3);
}

/* At the end of a stream, and not when the next one begins: then its place is free for others. */
static void what_is_cut_waits_no_longer(void **state)
{
	static const char text[] = "{\"type\":\"probe\",\"id\":1}";
	struct fixture *f = *state;
	(void)push(f, LEN, 1, START);
	(void)outbox_put(&f->q, 0, f->out, 5, START);
	outbox_close(&f->q, 0);
	assert_int_equal(f->q.dropped_cut, 1);
	assert_int_equal(f->q.len, 0);
	outbox_open(&f->q, 0);
	assert_int_equal(outbox_push_control(&f->q, 0, text, sizeof(text) - 1), 0);
	(void)outbox_put(&f->q, 0, f->out, 5, START);
	outbox_close(&f->q, 0);
	assert_int_equal(f->q.dropped_cut, 1);
	assert_int_equal(f->q.len, 0);
}

static void what_is_no_record_is_counted(void **state)
{
	struct fixture *f = *state;
	assert_false(push(f, 19, 1, START));
	assert_true(push(f, 20, 1, START));
	assert_int_equal(f->q.dropped_length, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_order_and_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_out_in_pieces_of_any_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_too_old_goes_but_the_head, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_hundred_milliseconds_are_not_too_old,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_absent_peer_costs_its_head_and_what_is_fresh, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_is_dropped_when_it_is_full,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_stream_begins_with_a_whole_record,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_cut_waits_no_longer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_record_is_counted, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
