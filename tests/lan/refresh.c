/* SPDX-License-Identifier: MIT */
/*
 * Which members are shown to a LAN's switches, and when.
 */
#include "lan/refresh.h"

#include "../unit.h"
#include "wire/arp.h"
#include "wire/ether.h"

#include <weft/loop.h>

#include <errno.h>
#include <string.h>

#define S UINT64_C(1000000000)

static struct weft_mac mac_of(unsigned number)
{
	return (struct weft_mac){ { 2, 0, 0, 0, (uint8_t)(number >> 8),
				    (uint8_t)number } };
}

static void begin(struct refresh *refresh)
{
	static const uint8_t secret[16] = { 3 };
	refresh_init(refresh, secret);
}

static unsigned shown(struct refresh *refresh, uint64_t now)
{
	struct weft_mac mac;
	unsigned n = 0;
	while (refresh_next(refresh, now, &mac))
		n++;
	return n;
}

static void who_comes_is_shown_at_once(void **state)
{
	struct refresh refresh;
	struct weft_mac mac;
	(void)state;
	begin(&refresh);
	assert_int_equal(refresh_deadline(&refresh), WEFT_NEVER);
	assert_false(refresh_next(&refresh, S, &mac));
	assert_int_equal(refresh_add(&refresh, mac_of(1), S), 0);
	assert_int_equal(refresh_deadline(&refresh), S);
	assert_true(refresh_next(&refresh, S, &mac));
	assert_memory_equal(mac.octet, mac_of(1).octet, 6);
	assert_false(refresh_next(&refresh, S, &mac));
	assert_int_equal(refresh_deadline(&refresh), 61 * S);
	refresh_fini(&refresh);
}

static void only_the_silent_are_shown_again(void **state)
{
	struct refresh refresh;
	(void)state;
	begin(&refresh);
	assert_int_equal(refresh_add(&refresh, mac_of(1), S), 0);
	assert_int_equal(refresh_add(&refresh, mac_of(2), S), 0);
	assert_int_equal(shown(&refresh, S), 2);
	refresh_saw(&refresh, mac_of(2), 50 * S);
	assert_int_equal(shown(&refresh, 60 * S), 0);
	assert_int_equal(shown(&refresh, 61 * S), 1);
	assert_int_equal(shown(&refresh, 109 * S), 0);
	assert_int_equal(shown(&refresh, 110 * S), 1);
	assert_int_equal(refresh.sent, 4);
	refresh_fini(&refresh);
}

static void who_has_left_is_not_shown(void **state)
{
	struct refresh refresh;
	(void)state;
	begin(&refresh);
	assert_int_equal(refresh_add(&refresh, mac_of(1), S), 0);
	assert_int_equal(shown(&refresh, S), 1);
	refresh_remove(&refresh, mac_of(1));
	refresh_remove(&refresh, mac_of(1));
	refresh_saw(&refresh, mac_of(1), 2 * S);
	assert_int_equal(shown(&refresh, 1000 * S), 0);
	assert_int_equal(refresh_deadline(&refresh), WEFT_NEVER);
	assert_int_equal(refresh_add(&refresh, mac_of(1), 1000 * S), 0);
	refresh_fini(&refresh);
	assert_int_equal(refresh_deadline(&refresh), WEFT_NEVER);
	refresh_remove(&refresh, mac_of(1));
	refresh_fini(&refresh);
}

/* Those who came one by one count for no burst of those who come together. */
static void a_burst_begins_anew(void **state)
{
	struct refresh refresh;
	(void)state;
	begin(&refresh);
	for (unsigned i = 0; i < REFRESH_BURST - 1; i++) {
		assert_int_equal(refresh_add(&refresh, mac_of(i), S + i), 0);
		assert_int_equal(shown(&refresh, S + i), 1);
	}
	for (unsigned i = 0; i < REFRESH_BURST; i++)
		assert_int_equal(refresh_add(&refresh, mac_of(100 + i), 2 * S), 0);
	assert_int_equal(shown(&refresh, 2 * S), REFRESH_BURST);
	refresh_fini(&refresh);
}

static void a_crowd_comes_in_pieces_and_has_an_end(void **state)
{
	struct refresh refresh;
	uint64_t now = S;
	unsigned n = 0, most = 0;
	(void)state;
	begin(&refresh);
	for (unsigned i = 0; i < REFRESH_MAX; i++)
		assert_int_equal(refresh_add(&refresh, mac_of(i), S), 0);
	assert_int_equal(refresh_add(&refresh, mac_of(REFRESH_MAX), S), -ENOSPC);
	while (n < REFRESH_MAX) {
		const unsigned piece = shown(&refresh, now);
		most = piece > most ? piece : most;
		n += piece;
		assert_true(refresh_deadline(&refresh) > now);
		now += REFRESH_PAUSE_NS;
	}
	assert_int_equal(most, REFRESH_BURST);
	refresh_fini(&refresh);
}

static void the_frame_is_what_hypervisors_send(void **state)
{
	uint8_t bytes[REFRESH_FRAME_LEN];
	struct ether_hdr ether;
	struct arp_hdr rarp;
	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	refresh_frame(mac_of(7), bytes);
	for (size_t i = ETHER_LEN + ARP_LEN; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(ether_hdr_parse(bytes, sizeof(bytes), &ether), ETHER_LEN);
	assert_int_equal(ether.type, 0x8035);
	assert_memory_equal(ether.dst.octet, "\xff\xff\xff\xff\xff\xff", 6);
	assert_memory_equal(ether.src.octet, mac_of(7).octet, 6);
	assert_int_equal(
		arp_hdr_parse(bytes + ETHER_LEN, sizeof(bytes) - ETHER_LEN, &rarp),
		ARP_LEN);
	assert_int_equal(rarp.op, 3);
	assert_memory_equal(rarp.sender_mac.octet, mac_of(7).octet, 6);
	assert_memory_equal(rarp.target_mac.octet, mac_of(7).octet, 6);
	assert_int_equal(rarp.sender_ip | rarp.target_ip, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_is_shown_at_once),
		cmocka_unit_test(only_the_silent_are_shown_again),
		cmocka_unit_test(who_has_left_is_not_shown),
		cmocka_unit_test(a_burst_begins_anew),
		cmocka_unit_test(a_crowd_comes_in_pieces_and_has_an_end),
		cmocka_unit_test(the_frame_is_what_hypervisors_send),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
