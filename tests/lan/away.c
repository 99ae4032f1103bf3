/* SPDX-License-Identifier: MIT */
/*
 * A relay that ends for a while and sends its members to another one, and how they come home.
 *
 *     alice, bob, a gateway ---- the relay 10.0.0.1:443       (of their invitations)
 *                          '---- the spare 10.0.0.2:444
 */
#include "../unit.h"
#include "base/array.h"
#include "party.h"
#include "quic/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPARE "10.0.0.2:444"

struct scene {
	struct party party;
	struct guest alice, bob, lan;
	struct weft_relay *spare;
};

static bool is_spare_drained;

static void on_spare_drained(void *user)
{
	(void)user;
	is_spare_drained = true;
}

static void open_spare(struct scene *s, const struct weft_relay_opts *opts)
{
	struct weft_error err = { "" };
	struct weft_relay_opts own = *opts;
	own.drain_to = NULL;
	own.member = NULL;
	own.drained = on_spare_drained;
	assert_int_equal(
		relay_new_on(&own, sim_socket(s->party.sim, SPARE), &err, &s->spare), 0);
	sim_add(s->party.sim, weft_relay_task(s->spare));
}

static void close_spare(struct scene *s)
{
	if (!s->spare)
		return;
	sim_remove(s->party.sim, weft_relay_task(s->spare));
	weft_relay_free(s->spare);
	s->spare = NULL;
}

static void begin(struct scene *s)
{
	s->spare = NULL;
	is_spare_drained = false;
	party_init(&s->party, test_seed());
	s->party.relay_opts.drain_to = SPARE;
	party_open_relay(&s->party);
	guest_join(&s->bob, &s->party, "bob", 2); /* So alice is not the first. */
	guest_join(&s->alice, &s->party, "alice", 1);
	guest_join(&s->lan, &s->party, "lan", 0);
	party_run(&s->party, 1000);
}

static void end(struct scene *s)
{
	guest_leave(&s->alice);
	guest_leave(&s->bob);
	guest_leave(&s->lan);
	close_spare(s);
	party_fini(&s->party);
}

static void end_relay(struct scene *s)
{
	weft_relay_drain(s->party.relay, sim_now(s->party.sim));
	party_run(&s->party, 100);
	assert_true(s->party.is_drained);
	party_close_relay(&s->party);
}

static unsigned members_at(const struct weft_relay *relay)
{
	return relay ? weft_relay_stats(relay).members : 0;
}

/* Runs until all three are there, at most so long. */
static bool all_are_at(struct scene *s, struct weft_relay *const *relay, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 10 && members_at(*relay) < 3; i++)
		party_run(&s->party, 100);
	party_run(&s->party, 100);
	return members_at(*relay) == 3;
}

static void assert_talking(struct scene *s)
{
	(void)guest_got(&s->bob);
	guest_sends(&s->alice, guest_mac(2));
	assert_int_equal(guest_got(&s->bob), 1);
	guest_sends(&s->lan, guest_mac(1));
	assert_int_equal(guest_got(&s->alice), 1);
}

static void they_meet_elsewhere_and_come_home(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	open_spare(&s, &s.party.relay_opts);
	const struct weft_ip hers = s.alice.joined.address, his = s.bob.joined.address;
	assert_int_equal(hers.octet[3], 3);
	end_relay(&s);
	assert_non_null(strstr(s.alice.reason, "until it is back we meet at " SPARE));
	assert_true(all_are_at(&s, &s.spare, 5));
	assert_talking(&s);
	assert_memory_equal(&s.alice.joined.address, &hers, sizeof(hers));
	assert_memory_equal(&s.bob.joined.address, &his, sizeof(his));

	party_run(&s.party, 60000); /* Nobody is home, and nobody minds. */
	assert_int_equal(s.alice.joined_n, 2);
	assert_talking(&s);

	party_open_relay(&s.party);
	assert_true(all_are_at(&s, &s.party.relay, 61));
	assert_int_equal(members_at(s.spare), 0);
	assert_string_equal(s.alice.reason, "our relay is back");
	assert_talking(&s);
	assert_memory_equal(&s.alice.joined.address, &hers, sizeof(hers));
	assert_int_equal(s.alice.joined_n, 3);
	party_run(&s.party, 120000); /* At home there is nothing to knock for. */
	assert_int_equal(s.alice.joined_n, 3);
	end(&s);
}

/* A relay that is back at once has its members back within a few seconds. */
static void a_short_absence_is_short(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	open_spare(&s, &s.party.relay_opts);
	end_relay(&s);
	assert_true(all_are_at(&s, &s.spare, 5));
	party_open_relay(&s.party);
	assert_true(all_are_at(&s, &s.party.relay, 8));
	end(&s);
}

static void nobody_is_there(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	end_relay(&s);
	party_run(&s.party, 30000);
	party_open_relay(&s.party);
	assert_true(all_are_at(&s, &s.party.relay, 30));
	assert_talking(&s);
	end(&s);
}

/* Home and away are tried in turns, so that they meet at what is there first. */
static void it_is_there_later(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	end_relay(&s);
	party_run(&s.party, 30000);
	open_spare(&s, &s.party.relay_opts);
	assert_true(all_are_at(&s, &s.spare, 60));
	assert_talking(&s);
	end(&s);
}

/* Whoever a relay names has to be the one of the invitation all the same. */
static void another_key_is_nobody(void **state)
{
	(void)state;
	struct scene s;
	char *cert, *key;
	begin(&s);
	assert_int_equal(weft_relay_make_identity(&cert, &key), 0);
	struct weft_relay_opts opts = s.party.relay_opts;
	opts.cert_pem = cert;
	opts.key_pem = key;
	open_spare(&s, &opts);
	end_relay(&s);
	party_run(&s.party, 20000);
	assert_int_equal(weft_relay_stats(s.spare).rx_frames + members_at(s.spare), 0);
	assert_int_equal(s.alice.refusals_n, 0);
	party_open_relay(&s.party);
	assert_true(all_are_at(&s, &s.party.relay, 31));
	end(&s);
	free(cert);
	free(key);
}

static void the_spare_ends_first(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	open_spare(&s, &s.party.relay_opts);
	end_relay(&s);
	assert_true(all_are_at(&s, &s.spare, 5));
	party_open_relay(&s.party);
	weft_relay_drain(s.spare, sim_now(s.party.sim));
	party_run(&s.party, 100);
	assert_true(is_spare_drained);
	close_spare(&s);
	assert_true(all_are_at(&s, &s.party.relay, 5));
	assert_talking(&s);
	end(&s);
}

static void who_is_thrown_out_there_stays_out(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err;
	begin(&s);
	open_spare(&s, &s.party.relay_opts);
	end_relay(&s);
	assert_true(all_are_at(&s, &s.spare, 5));
	assert_int_equal(weft_relay_kick(s.spare, "FRIDAY", "alice", false, &err, NULL),
			 0);
	party_open_relay(&s.party);
	party_run(&s.party, 120000);
	assert_int_equal(weft_member_stats(s.alice.member).state, WEFT_MEMBER_REFUSED);
	assert_int_equal(members_at(s.party.relay), 2);
	end(&s);
}

/* The room has been opened at home by somebody with another secret meanwhile. */
static void home_is_somebody_elses(void **state)
{
	(void)state;
	static const uint8_t other[WEFT_ROOM_SECRET_LEN] = { 99 };
	struct scene s;
	struct weft_error err;
	begin(&s);
	open_spare(&s, &s.party.relay_opts);
	end_relay(&s);
	assert_true(all_are_at(&s, &s.spare, 5));
	party_open_relay(&s.party);
	assert_int_equal(weft_relay_open_room(s.party.relay, "FRIDAY", other, NULL,
					      guest_mac(9), &err),
			 1500);
	party_run(&s.party, 600000);
	assert_int_equal(members_at(s.party.relay), 0);
	assert_in_range(s.alice.joined_n, 3,
			25); /* Ever more seldom, twice a minute at last. */
	assert_true(all_are_at(&s, &s.spare, 30));
	end(&s);
}

/* An operator's mistake: the relay sends them to itself. */
static void there_is_here(void **state)
{
	(void)state;
	struct scene s;
	s.spare = NULL;
	party_init(&s.party, test_seed());
	s.party.relay_opts.drain_to = "10.0.0.1";
	party_open_relay(&s.party);
	guest_join(&s.alice, &s.party, "alice", 1);
	guest_join(&s.bob, &s.party, "bob", 2);
	guest_join(&s.lan, &s.party, "lan", 0);
	end_relay(&s);
	assert_null(strstr(s.alice.reason, "we meet at"));
	party_open_relay(&s.party);
	assert_true(all_are_at(&s, &s.party.relay, 5));
	end(&s);
}

static void it_has_to_be_a_place(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"", "a b", "host:0", "host:x", "a/b", "a\033"
	};
	struct weft_error err;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct party party;
		struct weft_relay *relay;
		party_init(&party, test_seed());
		party.relay_opts.drain_to = wrong[i];
		assert_int_equal(relay_new_on(&party.relay_opts, NULL, &err, &relay),
				 -EINVAL);
		assert_non_null(strstr(err.text, "no relay to go to"));
		party_fini(&party);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_meet_elsewhere_and_come_home),
		cmocka_unit_test(a_short_absence_is_short),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(it_is_there_later),
		cmocka_unit_test(another_key_is_nobody),
		cmocka_unit_test(the_spare_ends_first),
		cmocka_unit_test(who_is_thrown_out_there_stays_out),
		cmocka_unit_test(home_is_somebody_elses),
		cmocka_unit_test(there_is_here),
		cmocka_unit_test(it_has_to_be_a_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
