/* SPDX-License-Identifier: MIT */
/*
 * The ARP cache as a transcript: "ask" for a request, "to" for a packet that goes out, each
 * known by its first byte.
 */
#include "serve/neighbour.h"

#include "../unit.h"
#include "base/fmt.h"

#include <weft/loop.h>

#include <string.h>

#define A 0x0a000001u

static const struct weft_mac mac_a = { { 2, 0, 0, 0, 0, 0xa } };
static const struct weft_mac mac_b = { { 2, 0, 0, 0, 0, 0xb } };

static struct neighbours ns;
static uint64_t now;
static char text[4000];
static struct fmt transcript;

static void forget(void)
{
	fmt_init(&transcript, text, sizeof(text));
}

#define expect(words)                                              \
	do {                                                       \
		assert_string_equal(fmt_text(&transcript), words); \
		forget();                                          \
	} while (0)

static void on_ask(void *user, uint32_t ip, uint64_t at)
{
	(void)user;
	assert_int_equal(at, now);
	fmt_add(&transcript, "ask %u\n", ip & 0xff);
}

static void on_emit(void *user, struct weft_mac to, const uint8_t *packet, size_t len,
		    uint64_t at)
{
	(void)user;
	assert_int_equal(at, now);
	assert_int_equal(len, 40);
	fmt_add(&transcript, "to %x: %u\n", to.octet[5], packet[0]);
}

static int start(void **state)
{
	(void)state;
	now = 1000;
	ns = (struct neighbours){ .ask = on_ask, .emit = on_emit };
	forget();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	neighbours_clear(&ns);
	return 0;
}

static void send_to(uint32_t ip, uint8_t number)
{
	uint8_t packet[40] = { number };
	assert_true(neighbours_send(&ns, ip, packet, sizeof(packet), now));
}

static void pass(uint64_t span)
{
	uint64_t end = now + span;
	while (neighbours_deadline(&ns) <= end) {
		now = neighbours_deadline(&ns);
		neighbours_run(&ns, now);
	}
	now = end;
}

static void packets_wait_for_an_answer(void **state)
{
	(void)state;
	send_to(A, 1);
	send_to(A, 2);
	expect("ask 1\n");
	neighbours_learn(&ns, A, mac_a, false, now);
	expect("to a: 1\nto a: 2\n");
	send_to(A, 3);
	expect("to a: 3\n");
	assert_int_equal(ns.dropped, 0);
}

static void three_times_is_enough(void **state)
{
	(void)state;
	send_to(A, 1);
	pass(UINT64_C(10) * NEIGHBOUR_RETRY_NS);
	expect("ask 1\nask 1\nask 1\n");
	assert_int_equal(ns.dropped, 1);
	assert_true(neighbours_deadline(&ns) == WEFT_NEVER);
	/* The answer is late: it is not one any more. */
	neighbours_learn(&ns, A, mac_a, false, now);
	send_to(A, 2);
	expect("ask 1\n");
}

/* RFC 1122, 2.3.2.2: the latest are kept. */
static void few_packets_wait(void **state)
{
	(void)state;
	for (uint8_t i = 1; i <= NEIGHBOUR_QUEUE_MAX + 2; i++)
		send_to(A, i);
	forget();
	assert_int_equal(ns.dropped, 2);
	neighbours_learn(&ns, A, mac_a, false, now);
	expect("to a: 3\nto a: 4\nto a: 5\nto a: 6\n");
}

static void what_nobody_asked_for_is_not_learned(void **state)
{
	(void)state;
	neighbours_learn(&ns, A, mac_a, false, now);
	send_to(A, 1);
	expect("ask 1\n");
}

static void who_asked_for_us_is_known(void **state)
{
	(void)state;
	neighbours_learn(&ns, A, mac_a, true, now);
	send_to(A, 1);
	expect("to a: 1\n");
}

static void a_neighbour_may_move(void **state)
{
	(void)state;
	neighbours_learn(&ns, A, mac_a, true, now);
	neighbours_learn(&ns, A, mac_b, false, now);
	send_to(A, 1);
	expect("to b: 1\n");
}

static void a_neighbour_is_forgotten_in_the_end(void **state)
{
	(void)state;
	neighbours_learn(&ns, A, mac_a, true, now);
	pass(NEIGHBOUR_LIFETIME_NS - 1);
	send_to(A, 1);
	expect("to a: 1\n");
	pass(1);
	send_to(A, 2);
	expect("ask 1\n");
}

/* One more than there is room for: the one that was used longest ago makes room. */
static void the_table_is_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < NEIGHBOURS_MAX; i++) {
		now++;
		neighbours_learn(&ns, A + i, mac_a, true, now);
	}
	now++;
	send_to(A, 1);
	now++;
	neighbours_learn(&ns, A + NEIGHBOURS_MAX, mac_b, true, now);
	forget();
	send_to(A, 1);
	send_to(A + 1, 2);
	send_to(A + NEIGHBOURS_MAX, 3);
	expect("to a: 1\nask 2\nto b: 3\n");
}

/* A scan of the network by the peer costs what the table has, and no more. */
static void a_scan_is_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		send_to(A + i, 1);
	assert_int_equal(ns.dropped, 1000 - NEIGHBOURS_MAX);
	pass(UINT64_C(10) * NEIGHBOUR_RETRY_NS);
	assert_int_equal(ns.dropped, 1000);
	assert_true(neighbours_deadline(&ns) == WEFT_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_wait_for_an_answer),
		TEST(three_times_is_enough),
		TEST(few_packets_wait),
		TEST(what_nobody_asked_for_is_not_learned),
		TEST(who_asked_for_us_is_known),
		TEST(a_neighbour_may_move),
		TEST(a_neighbour_is_forgotten_in_the_end),
		TEST(the_table_is_bounded),
		TEST(a_scan_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
