/* SPDX-License-Identifier: MIT */
/*
 * The list of who is here.
 */
#include "lan/roster.h"

#include "../unit.h"

#include <errno.h>

static struct weft_peer peer_of(unsigned id, enum weft_role role)
{
	return (struct weft_peer){ .id = (uint16_t)id, .role = role, .name = "somebody" };
}

static void test_come_and_go(void **state)
{
	(void)state;
	struct roster roster;
	struct weft_peer alice = peer_of(1, WEFT_ROLE_CLIENT);
	struct roster_entry got;
	struct weft_peer lan = peer_of(2, WEFT_ROLE_GATEWAY);
	roster_init(&roster);
	assert_int_equal(roster_add(&roster, &alice), 0);
	assert_int_equal(roster_add(&roster, &lan), 0);
	assert_int_equal(roster.n, 2);
	assert_int_equal(roster.gateways_n, 1);
	assert_int_equal(roster_add(&roster, &alice), -EPROTO);
	assert_int_equal(roster.n, 2);

	assert_true(roster_remove(&roster, 2, &got));
	assert_memory_equal(&got.peer, &lan, sizeof(lan));
	assert_int_equal(roster.gateways_n, 0);
	assert_false(roster_remove(&roster, 2, &got));
	assert_int_equal(roster.n, 1);
	roster_fini(&roster);
	assert_int_equal(roster.n, 0);
	roster_fini(&roster);
}

static void test_who_has_a_mac(void **state)
{
	(void)state;
	const struct weft_mac own = { { 2, 0, 0, 0, 0, 1 } }, behind = { { 2, 9 } },
			      nobodys = { { 2, 8 } }, none = { { 0 } };
	struct roster roster;
	struct weft_peer alice = peer_of(1, WEFT_ROLE_CLIENT);
	struct weft_peer lan = peer_of(2, WEFT_ROLE_GATEWAY);
	alice.mac = own;
	roster_init(&roster);
	assert_int_equal(roster_add(&roster, &lan), 0);
	assert_int_equal(roster_add(&roster, &alice), 0);
	assert_true(roster_claim(&roster, 1, behind));
	assert_int_equal(roster_find_mac(&roster, own)->id, 1);
	assert_int_equal(roster_find_mac(&roster, behind)->id, 1);
	assert_null(roster_find_mac(&roster, nobodys));
	assert_null(roster_find_mac(&roster, none));
	roster_fini(&roster);
}

/* What a relay says of a peer is bounded, and of a peer that is not here it is nothing. */
static void test_claims_are_limited_and_end(void **state)
{
	(void)state;
	const struct weft_peer alice = peer_of(1, WEFT_ROLE_CLIENT);
	struct weft_mac mac = { { 2, 9, 0, 0, 0, 0 } };
	struct roster roster;
	roster_init(&roster);
	assert_false(roster_claim(&roster, 1, mac));
	assert_false(roster_release(&roster, 1, mac));
	assert_int_equal(roster_add(&roster, &alice), 0);
	for (; mac.octet[5] < LAN_CLAIMS_MAX; mac.octet[5]++) {
		assert_true(roster_claim(&roster, 1, mac));
		assert_true(roster_claim(&roster, 1, mac));
	}
	assert_false(roster_claim(&roster, 1, mac));
	assert_false(roster_release(&roster, 1, mac));
	mac.octet[5] = 3;
	assert_true(roster_release(&roster, 1, mac));
	assert_false(roster_release(&roster, 1, mac));
	assert_null(roster_find_mac(&roster, mac));
	for (mac.octet[5] = 4; mac.octet[5] < LAN_CLAIMS_MAX; mac.octet[5]++)
		assert_non_null(roster_find_mac(&roster, mac));
	assert_true(roster_claim(&roster, 1, mac));
	roster_fini(&roster);
}

static void test_limit(void **state)
{
	(void)state;
	struct roster roster;
	struct roster_entry got;
	roster_init(&roster);
	for (unsigned i = 1; i <= ROSTER_MAX; i++) {
		const struct weft_peer peer = peer_of(i, WEFT_ROLE_CLIENT);
		assert_int_equal(roster_add(&roster, &peer), 0);
	}
	const struct weft_peer last = peer_of(ROSTER_MAX + 1, WEFT_ROLE_CLIENT);
	assert_int_equal(roster_add(&roster, &last), -ENOSPC);
	assert_true(roster_remove(&roster, 500, &got));
	assert_int_equal(roster_add(&roster, &last), 0);
	roster_fini(&roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_come_and_go),
		cmocka_unit_test(test_who_has_a_mac),
		cmocka_unit_test(test_claims_are_limited_and_end),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
