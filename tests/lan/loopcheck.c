/* SPDX-License-Identifier: MIT */
/*
 * Probes for loops: who is to give way, and what is not believed.
 */
#include "lan/loopcheck.h"

#include "../unit.h"

#include <weft/loop.h>

#include <string.h>

#define S UINT64_C(1000000000)

static const struct weft_mac nic = { { 0x00, 0x16, 0x3e, 0, 0, 9 } };

static void begin(struct loopcheck *check, uint8_t id, uint64_t entered_at)
{
	const struct weft_invite invite = { .room = "FRIDAY",
					    .secret = "0123456789abcde" };
	const uint8_t bytes[8] = { id };
	loopcheck_init(check, &invite, bytes);
	loopcheck_enter(check, entered_at);
}

/* What a gateway sends at that time on one side; NULL: the side and time do not matter. */
struct sent {
	uint8_t bytes[LOOPCHECK_FRAME_LEN];
	struct weft_frame frame;
};

static void send_probe(struct loopcheck *check, enum loopcheck_side side, uint64_t now,
		       struct sent *ret_sent)
{
	assert_true(loopcheck_run(check, now));
	loopcheck_frame(check, side, nic, now, ret_sent->bytes);
	ret_sent->frame = (struct weft_frame){ .data = ret_sent->bytes,
					       .len = sizeof(ret_sent->bytes) };
}

static void it_probes_at_once_and_then_now_and_again(void **state)
{
	struct loopcheck check;
	(void)state;
	begin(&check, 1, 5 * S);
	assert_int_equal(loopcheck_deadline(&check), 5 * S);
	assert_true(loopcheck_run(&check, 5 * S));
	assert_false(loopcheck_run(&check, 5 * S));
	assert_int_equal(loopcheck_deadline(&check), 5 * S + LOOPCHECK_PERIOD_NS);
	loopcheck_hurry(&check, 6 * S);
	loopcheck_hurry(&check, 6 * S + 1);
	assert_int_equal(loopcheck_deadline(&check), 7 * S);
	loopcheck_leave(&check);
	loopcheck_hurry(&check, 8 * S);
	assert_int_equal(loopcheck_deadline(&check), WEFT_NEVER);
	assert_false(loopcheck_run(&check, 100 * S));
}

static void its_own_probe_says_which_way_it_took(void **state)
{
	struct loopcheck check;
	struct sent sent;
	(void)state;
	begin(&check, 1, S);
	send_probe(&check, LOOPCHECK_LAN, S, &sent);
	assert_int_equal(loopcheck_input(&check, &sent.frame, S), LOOPCHECK_CABLE);
	assert_true(check.is_blocked);
	send_probe(&check, LOOPCHECK_ROOM, 11 * S, &sent);
	assert_int_equal(loopcheck_input(&check, &sent.frame, 11 * S), LOOPCHECK_MEMBER);
	assert_int_equal(check.counts[LOOPCHECK_CABLE], 1);
	assert_int_equal(check.counts[LOOPCHECK_MEMBER], 1);
}

static void it_opens_when_no_probe_comes_back(void **state)
{
	struct loopcheck check;
	struct sent sent;
	(void)state;
	begin(&check, 1, S);
	send_probe(&check, LOOPCHECK_LAN, S, &sent);
	(void)loopcheck_input(&check, &sent.frame, S);
	assert_true(loopcheck_run(&check, 11 * S));
	assert_true(loopcheck_run(&check, 21 * S));
	assert_true(check.is_blocked);
	assert_true(loopcheck_run(&check, 31 * S));
	assert_false(check.is_blocked);
}

static void the_later_of_two_gateways_gives_way(void **state)
{
	struct loopcheck first, second;
	struct sent sent;
	(void)state;
	begin(&first, 9, 100 * S);
	begin(&second, 1, 150 * S);
	send_probe(&first, LOOPCHECK_LAN, 150 * S, &sent);
	assert_int_equal(loopcheck_input(&second, &sent.frame, 150 * S),
			 LOOPCHECK_EARLIER);
	assert_true(second.is_blocked);
	send_probe(&second, LOOPCHECK_LAN, 150 * S, &sent);
	assert_int_equal(loopcheck_input(&first, &sent.frame, 150 * S), LOOPCHECK_LATER);
	assert_false(first.is_blocked);
}

/* Their clocks need not agree, and the order of who hears whom does not matter. */
static void of_two_at_once_exactly_one_gives_way(void **state)
{
	const uint64_t apart[] = { 0, S / 2, S };
	(void)state;
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		struct loopcheck a, b;
		struct sent from_a, from_b;
		begin(&a, 9, 100 * S);
		begin(&b, 1, 7000 * S);
		send_probe(&a, LOOPCHECK_LAN, 100 * S + apart[i], &from_a);
		send_probe(&b, LOOPCHECK_LAN, 7000 * S, &from_b);
		(void)loopcheck_input(&a, &from_b.frame, 100 * S + apart[i]);
		(void)loopcheck_input(&b, &from_a.frame, 7000 * S);
		assert_int_equal(a.is_blocked + b.is_blocked, 1);
	}
}

static void what_others_make_up_blocks_nobody(void **state)
{
	struct loopcheck check;
	struct sent sent;
	(void)state;
	begin(&check, 1, S);
	send_probe(&check, LOOPCHECK_LAN, S, &sent);
	for (size_t i = 14; i < sizeof(sent.bytes); i++) {
		sent.bytes[i] ^= 0x10;
		assert_true(loopcheck_input(&check, &sent.frame, S) <= LOOPCHECK_FOREIGN);
		sent.bytes[i] ^= 0x10;
	}
	for (uint32_t len = 0; len < sizeof(sent.bytes); len++) {
		sent.frame.len = len;
		assert_true(loopcheck_input(&check, &sent.frame, S) <= LOOPCHECK_FOREIGN);
	}
	assert_false(check.is_blocked);
}

static void what_was_recorded_is_worth_nothing(void **state)
{
	struct loopcheck check;
	struct sent old;
	(void)state;
	begin(&check, 1, S);
	send_probe(&check, LOOPCHECK_LAN, S, &old);
	assert_true(loopcheck_run(&check, 11 * S));
	assert_int_equal(loopcheck_input(&check, &old.frame, 11 * S), LOOPCHECK_FOREIGN);
	assert_false(check.is_blocked);
}

/* What another one sends into the room is the relay's to keep from the LAN. */
static void what_is_for_the_room_is_no_rival(void **state)
{
	struct loopcheck first, second;
	struct sent sent;
	(void)state;
	begin(&first, 9, 100 * S);
	begin(&second, 1, 150 * S);
	send_probe(&first, LOOPCHECK_ROOM, 150 * S, &sent);
	assert_int_equal(loopcheck_input(&second, &sent.frame, 150 * S),
			 LOOPCHECK_FOREIGN);
	assert_false(second.is_blocked);
}

static void another_rooms_gateway_is_let_be(void **state)
{
	const struct weft_invite other = { .room = "SUNDAY",
					   .secret = "0123456789abcde" };
	const uint8_t id[8] = { 2 };
	struct loopcheck check, foreign;
	struct sent sent;
	(void)state;
	begin(&check, 1, 50 * S);
	loopcheck_init(&foreign, &other, id);
	loopcheck_enter(&foreign, S);
	send_probe(&foreign, LOOPCHECK_LAN, 60 * S, &sent);
	assert_int_equal(loopcheck_input(&check, &sent.frame, 60 * S), LOOPCHECK_FOREIGN);
	assert_false(check.is_blocked);
}

static void other_frames_are_no_probes(void **state)
{
	uint8_t bytes[LOOPCHECK_FRAME_LEN] = { 255, 255, 255, 255, 255, 255 };
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	struct loopcheck check;
	(void)state;
	begin(&check, 1, S);
	assert_int_equal(loopcheck_input(&check, &frame, S), LOOPCHECK_NO_PROBE);
	/* Its place, its type and its mark: what lacks one of them is somebody else's. */
	static const size_t parts[] = { 0, 12, 14 };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct sent sent;
		send_probe(&check, LOOPCHECK_LAN, (11 + 10 * i) * S, &sent);
		assert_true(loopcheck_is_probe(&sent.frame));
		sent.bytes[parts[i]] ^= 0x20;
		assert_false(loopcheck_is_probe(&sent.frame));
	}
	for (unsigned i = 0; i < LOOPCHECK_VERDICTS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(loopcheck_verdict_name(i),
						loopcheck_verdict_name(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_probes_at_once_and_then_now_and_again),
		cmocka_unit_test(its_own_probe_says_which_way_it_took),
		cmocka_unit_test(it_opens_when_no_probe_comes_back),
		cmocka_unit_test(the_later_of_two_gateways_gives_way),
		cmocka_unit_test(of_two_at_once_exactly_one_gives_way),
		cmocka_unit_test(what_others_make_up_blocks_nobody),
		cmocka_unit_test(what_was_recorded_is_worth_nothing),
		cmocka_unit_test(what_is_for_the_room_is_no_rival),
		cmocka_unit_test(another_rooms_gateway_is_let_be),
		cmocka_unit_test(other_frames_are_no_probes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
