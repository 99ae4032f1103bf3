/* SPDX-License-Identifier: MIT */
/*
 * The life of a room: joining, frames both ways, leaving, coming back.
 */
#include "../unit.h"
#include "party.h"

#include <string.h>

static void test_join_and_talk(void **state)
{
	(void)state;
	struct party party;
	struct guest alice, bob;
	party_init(&party, test_seed());
	party_open_relay(&party);
	guest_join(&alice, &party, "alice", 1);
	guest_join(&bob, &party, "bob", 2);
	party_run(&party, 50);
	assert_int_equal(alice.came_n, 1);
	assert_string_equal(alice.peer.name, "bob");
	assert_memory_equal(alice.peer.mac.octet, guest_mac(2).octet, 6);
	assert_int_equal(bob.came_n, 1);
	assert_string_equal(bob.peer.name, "alice");

	guest_sends(&alice, guest_mac(2));
	assert_int_equal(guest_got(&bob), 1);
	assert_int_equal(guest_got(&alice), 0);
	guest_sends(&bob, party_broadcast);
	assert_int_equal(guest_got(&alice), 1);
	assert_int_equal(guest_got(&bob), 0);
	guest_leave(&alice);
	guest_leave(&bob);
	party_fini(&party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join_and_talk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
