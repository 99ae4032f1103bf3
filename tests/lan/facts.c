/* SPDX-License-Identifier: MIT */
/*
 * What a relay tells of its members: how far away each of them is.
 *
 *     near --- 5 ms ---- relay ---- 40 ms --- far      one way; back it is 5 ms for both
 */
#include "../unit.h"
#include "party.h"

#include <jansson.h>
#include <string.h>

/* The round trip that the relay's facts give for a member, in us. */
static json_int_t rtt_of(const struct party *party, const char *name)
{
	char *text = weft_relay_json(party->relay, sim_now(party->sim));
	json_t *facts = json_loads(text, 0, NULL), *rooms, *members = NULL, *member;
	json_int_t rtt_us = -1;
	size_t i;
	assert_int_equal(json_unpack(facts, "{s:o}", "rooms", &rooms), 0);
	assert_int_equal(
		json_unpack(json_array_get(rooms, 0), "{s:o}", "members", &members), 0);
	json_array_foreach(members, i, member)
	{
		const char *own = json_string_value(json_object_get(member, "name"));
		if (strcmp(own, name) == 0)
			assert_int_equal(json_unpack(member, "{s:{s:I}}", "path",
						     "rtt_us", &rtt_us),
					 0);
	}
	json_decref(facts);
	free(text);
	return rtt_us;
}

static void each_member_has_its_round_trip(void **state)
{
	(void)state;
	const struct sim_link slow = { .delay_ns = sim_ms(40) };
	struct party party;
	struct guest near, far;
	party_init(&party, test_seed());
	party_open_relay(&party);
	assert_int_equal(weft_relay_stats(party.relay).rtt_max_ns, 0);
	guest_join(&near, &party, "near", 1);
	guest_init(&far, &party, "far", 2);
	guest_start(&far);
	sim_set_link(far.socket, &slow);
	assert_true(guest_reaches(&far, WEFT_MEMBER_JOINED, 5000));
	party_run(&party, 60000);

	const struct weft_relay_stats stats = weft_relay_stats(party.relay);
	assert_in_range(stats.rtt_min_ns, sim_ms(10), sim_ms(36));
	assert_in_range(stats.rtt_max_ns, sim_ms(45), sim_ms(75));
	assert_int_equal(rtt_of(&party, "near"), stats.rtt_min_ns / 1000);
	assert_int_equal(rtt_of(&party, "far"), stats.rtt_max_ns / 1000);
	guest_leave(&far);
	party_run(&party, 1000);
	assert_int_equal(weft_relay_stats(party.relay).rtt_max_ns,
			 weft_relay_stats(party.relay).rtt_min_ns);
	guest_leave(&near);
	party_fini(&party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_has_its_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
