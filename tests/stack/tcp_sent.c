/* SPDX-License-Identifier: MIT */
/*
 * The scoreboard by itself: what was taken for lost, and was not, goes back to where it stood.
 */
#include "stack/tcp_sent.h"

#include "base/rng.h"
#include "stack/tcp_rack.h"
#include "tcp_script.h"

#include <stdlib.h>

#define MANY 131072u /* Of 88 bytes, they fill a window of 11 MB. */

/* Records of a byte each, all under way, sent in bursts of four. */
static void push(struct script *script, uint32_t n)
{
	script_init(script, NULL);
	script_establish(script);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(board_push(script->conn, script->conn->snd_nxt + 1,
					    script->begin + i / 4),
				 0);
}

/* All are under way again, in the order in which they were sent, within a burst as well. */
static void assert_in_order(const struct script *script, uint32_t n)
{
	const struct tcp_board *board = &script->conn->active->board;
	const struct tcp_sent *last = NULL;
	uint32_t count = 0;
	assert_null(board_first_lost(script->conn));
	assert_int_equal(board->lost, 0);
	for (struct list *node = board->by_time.next; node != &board->by_time;
	     node = node->next, count++) {
		const struct tcp_sent *sent = sent_of_time(node);
		assert_true(!last || rack_sent_after(sent->sent_ns, sent->end,
						     last->sent_ns, last->end));
		assert_false(sent->flags & SENT_LOST);
		last = sent;
	}
	assert_int_equal(count, n);
}

static void end(struct script *script)
{
	board_clear(script->conn);
	script->conn->snd_nxt = script->conn->snd_una;
	script_fini(script);
}

/* Some are lost by RACK, some by a time-out, some were sent again in between, in any order. */
static void what_was_not_lost_goes_back_to_its_place(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 9293);
	for (uint32_t n = 0; n < 70; n++) {
		struct script s;
		uint32_t resent = 0;
		push(&s, n);
		list_for_each (node, &s.conn->active->board.by_seq) {
			struct tcp_sent *sent = sent_of_seq(node);
			uint64_t what = rng_below(&rng, 3);
			if (what == 0)
				board_lose(s.conn, sent);
			else if (what == 1)
				board_resent(s.conn, sent, s.begin + n + resent++ / 3);
		}
		if (rng_below(&rng, 2) == 0)
			board_lose_all(s.conn, false);
		board_unlose(s.conn);
		assert_in_order(&s, n);
		end(&s);
	}
}

/*
 * The first half of a large window was late. That it goes back costs a walk over the window, and
 * not one for each of its records, which would be billions of steps: whoever looks away for that
 * long notices it.
 */
static void a_large_window_goes_back_at_once(void **state)
{
	(void)state;
	struct script s;
	push(&s, MANY);
	uint32_t n = 0;
	list_for_each (node, &s.conn->active->board.by_seq) {
		if (n++ == MANY / 2)
			break;
		board_lose(s.conn, sent_of_seq(node));
	}
	board_unlose(s.conn);
	assert_in_order(&s, MANY);
	/* And in the worst order that there is. */
	for (struct list *node = s.conn->active->board.by_seq.prev; n-- > 1;
	     node = node->prev)
		board_lose(s.conn, sent_of_seq(node));
	board_unlose(s.conn);
	assert_in_order(&s, MANY);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_lost_goes_back_to_its_place),
		cmocka_unit_test(a_large_window_goes_back_at_once),
	};
	return cmocka_run_group_tests_name("tcp_sent", tests, NULL, NULL);
}
