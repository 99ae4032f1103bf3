/* SPDX-License-Identifier: MIT */
/*
 * A relay that ends in good order: who is told, how soon, and how its members come back.
 */
#include "../unit.h"
#include "party.h"
#include "visit.h"

#include <string.h>

#define GUESTS 12u

struct scene {
	struct party party;
	struct guest guests[GUESTS];
};

static void begin(struct scene *s, uint64_t seed)
{
	static const char *const names[GUESTS] = { "a", "b", "c", "d", "e", "f",
						   "g", "h", "i", "j", "k", "l" };
	party_init(&s->party, seed);
	s->party.relay_opts.handshake_rate = 1; /* 12 members: 12 s to come back. */
	party_open_relay(&s->party);
	for (unsigned i = 0; i < GUESTS; i++)
		guest_join(&s->guests[i], &s->party, names[i], (uint8_t)(i + 1));
	party_run(&s->party, 1000);
}

static void end(struct scene *s)
{
	for (unsigned i = 0; i < GUESTS; i++)
		if (s->guests[i].member)
			guest_leave(&s->guests[i]);
	party_fini(&s->party);
}

static void drain(struct scene *s)
{
	weft_relay_drain(s->party.relay, sim_now(s->party.sim));
}

static unsigned count(const struct scene *s, enum weft_member_state state)
{
	unsigned n = 0;
	for (unsigned i = 0; i < GUESTS; i++)
		n += weft_member_stats(s->guests[i].member).state == state;
	return n;
}

static void everybody_is_told_at_once(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, test_seed());
	drain(&s);
	party_run(&s.party, 11); /* two ways through the network, and a millisecond */
	assert_true(s.party.is_drained);
	assert_int_equal(count(&s, WEFT_MEMBER_WAITING), GUESTS);
	for (unsigned i = 0; i < GUESTS; i++) {
		assert_non_null(strstr(s.guests[i].reason, "the relay is shut down"));
		/* Nobody is told of the others, who all leave. */
		assert_int_equal(s.guests[i].left_n, 0);
	}
	assert_int_equal(s.party.leaves, GUESTS);
	end(&s);
}

/* One a second, and not 12 in the first: in no second more than half of them. */
static void they_come_back_one_after_another(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, test_seed());
	drain(&s);
	party_run(&s.party, 100);
	party_close_relay(&s.party);
	s.party.relay_opts.handshake_rate = 0;
	party_open_relay(&s.party);
	unsigned before = 0, most = 0;
	for (unsigned second = 0; second < 13; second++) {
		party_run(&s.party, 1000);
		unsigned now_n = count(&s, WEFT_MEMBER_JOINED);
		most = now_n - before > most ? now_n - before : most;
		before = now_n;
	}
	assert_int_equal(before, GUESTS);
	assert_in_range(most, 1, GUESTS / 2);
	end(&s);
}

/* What is lost is said again, until the time is over. */
static void a_bad_way_does_not_keep_it_from_them(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, 1); /* Another seed may lose one thing five times. */
	const struct sim_link bad = { .delay_ns = sim_ms(5), .loss = 0.2 };
	sim_set_link(s.party.relay_socket, &bad);
	drain(&s);
	party_run(&s.party, 2000);
	assert_true(s.party.is_drained);
	for (unsigned i = 0; i < GUESTS; i++)
		assert_true(s.guests[i].waits_n >= 1);
	end(&s);
}

static void who_does_not_hear_is_not_waited_for(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, test_seed());
	guest_crash(&s.guests[0]);
	drain(&s);
	drain(&s); /* Once is enough. */
	party_run(&s.party, 1990);
	assert_false(s.party.is_drained);
	party_run(&s.party, 20);
	assert_true(s.party.is_drained);
	end(&s);
}

static void who_comes_then_is_turned_away(void **state)
{
	(void)state;
	struct scene s;
	struct stranger greeting, late;
	begin(&s, test_seed());
	guest_crash(&s.guests[0]); /* So that it takes a while. */
	stranger_connect(&greeting, &s.party, 30);
	drain(&s);
	stranger_connect(&late, &s.party, 31);
	party_run(&s.party, 100);
	assert_closed(&greeting, CLOSE_SHUTDOWN);
	assert_closed(&late, CLOSE_SHUTDOWN);
	stranger_fini(&greeting);
	stranger_fini(&late);
	end(&s);
}

static void an_empty_relay_is_drained_at_once(void **state)
{
	(void)state;
	struct party party;
	party_init(&party, test_seed());
	party_open_relay(&party);
	party_run(&party, 10);
	weft_relay_drain(party.relay, sim_now(party.sim));
	party_run(&party, 1);
	assert_true(party.is_drained);
	party_fini(&party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_is_told_at_once),
		cmocka_unit_test(they_come_back_one_after_another),
		cmocka_unit_test(a_bad_way_does_not_keep_it_from_them),
		cmocka_unit_test(who_does_not_hear_is_not_waited_for),
		cmocka_unit_test(who_comes_then_is_turned_away),
		cmocka_unit_test(an_empty_relay_is_drained_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
