/* SPDX-License-Identifier: MIT */
/*
 * Members who have the room's own invitation, and so can have another name, MAC and pass each
 * time: what keeps them out is where they come from.
 */
#include "../unit.h"
#include "party.h"

#include <errno.h>
#include <string.h>

struct scene {
	struct party party;
	struct guest alice, bob, carol;
	struct weft_kicked kicked;
};

/* Bob and carol are behind one address. */
static void begin(struct scene *s)
{
	*s = (struct scene){ .kicked = { .others = 0 } };
	party_init(&s->party, test_seed());
	party_open_relay(&s->party);
	guest_join(&s->alice, &s->party, "alice", 1);
	guest_join(&s->bob, &s->party, "bob", 2);
	guest_init(&s->carol, &s->party, "carol", 3);
	(void)strcpy(s->carol.address, "10.0.1.2:2000");
}

static void start(struct guest *guest)
{
	guest_start(guest);
	assert_true(guest_reaches(guest, WEFT_MEMBER_JOINED, 5000));
}

static void end(struct scene *s)
{
	struct guest *const guests[] = { &s->alice, &s->bob, &s->carol };
	for (size_t i = 0; i < 3; i++)
		if (guests[i]->member)
			guest_leave(guests[i]);
	party_fini(&s->party);
}

static int kick(struct scene *s, const char *member)
{
	struct weft_error err;
	return weft_relay_kick(s->party.relay, "FRIDAY", member, true, &err, &s->kicked);
}

static void assert_refused(struct guest *guest)
{
	guest->refusals_n = 0;
	guest_start(guest);
	assert_true(guest_reaches(guest, WEFT_MEMBER_REFUSED, 5000));
	assert_string_equal(guest->reason,
			    "the relay refuses: your address, 10.0.1.2, is kept out of "
			    "room FRIDAY; ask its host to let it in");
	party_run(guest->party, 120000);
	assert_int_equal(guest->refusals_n, 1);
}

static void under_another_name_it_stays_out(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_int_equal(kick(&s, "bob"), 1);
	assert_string_equal(s.kicked.address, "FRIDAY/10.0.1.2");
	assert_string_equal(s.kicked.pass, "");
	assert_string_equal(s.kicked.from, "10.0.1.2");
	assert_int_equal(s.kicked.others, 0);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_REFUSED, 5000));
	assert_non_null(strstr(s.bob.reason, "thrown out"));
	assert_refused(&s.carol);
	assert_int_equal(s.party.relay->rejects[REJECT_ADDRESS], 1);
	assert_int_equal(s.alice.came_n, 1);
	end(&s);
}

/* Who has the room's secret signs itself a pass. */
static void a_pass_does_not_help(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_int_equal(kick(&s, "bob"), 1);
	const struct weft_invite whole = s.carol.opts.invite;
	assert_int_equal(
		weft_invite_restrict(&whole, WEFT_PASS_NEVER, &s.carol.opts.invite), 0);
	assert_refused(&s.carol);
	end(&s);
}

static void nor_does_opening_the_room(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_int_equal(kick(&s, "bob"), 1);
	guest_leave(&s.alice);
	party_run(&s.party, 1000);
	assert_int_equal(weft_relay_stats(s.party.relay).rooms, 0);
	assert_refused(&s.carol);
	assert_int_equal(weft_relay_stats(s.party.relay).rooms, 0);
	end(&s);
}

static void other_rooms_and_addresses_do_not_notice(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_int_equal(kick(&s, "bob"), 1);
	(void)strcpy(s.carol.opts.invite.room, "SATURDAY");
	start(&s.carol);
	guest_leave(&s.bob);
	(void)strcpy(s.bob.address, "10.0.1.3:1000");
	start(&s.bob);
	end(&s);
}

/* It is one member who is thrown out; the others behind its address are told when they come. */
static void who_is_there_stays(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	start(&s.carol);
	assert_int_equal(kick(&s, "bob"), 1);
	assert_int_equal(s.kicked.others, 1);
	party_run(&s.party, 60000);
	assert_int_equal(s.carol.refusals_n + s.carol.waits_n, 0);
	guest_sends(&s.carol, guest_mac(1));
	assert_int_equal(guest_got(&s.alice), 1);
	guest_leave(&s.carol);
	assert_refused(&s.carol);
	end(&s);
}

/* Its place is lost with it: nobody is let in as the one who was there before. */
static void who_was_lost_is_not_there(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	start(&s.carol);
	assert_int_equal(kick(&s, "bob"), 1);
	guest_crash(&s.carol);
	(void)strcpy(s.carol.address, "10.0.1.2:2001");
	assert_refused(&s.carol);
	end(&s);
}

static void one_on_its_way_in_is_late(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	guest_start(&s.carol);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_JOINING, 5000));
	assert_int_equal(kick(&s, "bob"), 1);
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_REFUSED, 5000));
	end(&s);
}

static void let_in_again(void **state)
{
	struct scene s;
	struct weft_error err;
	(void)state;
	begin(&s);
	assert_int_equal(kick(&s, "bob"), 1);
	assert_int_equal(weft_relay_let_in(s.party.relay, "FRIDAY/10.0.1.2/32", &err), 1);
	start(&s.carol);
	end(&s);
}

static void an_address_is_emptied(void **state)
{
	struct scene s;
	struct weft_error err;
	(void)state;
	begin(&s);
	start(&s.carol);
	assert_int_equal(weft_relay_revoke(s.party.relay, "SATURDAY/10.0.1.2", &err), 0);
	assert_int_equal(weft_relay_revoke(s.party.relay, "FRIDAY/10.0.1.2", &err), 2);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_REFUSED, 5000));
	assert_true(guest_reaches(&s.carol, WEFT_MEMBER_REFUSED, 5000));
	assert_non_null(strstr(s.carol.reason, "your address is kept out of the room"));
	assert_int_equal(weft_relay_revoke(s.party.relay, "FRIDAY/10.0.0.0/8", &err), 1);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_REFUSED, 5000));
	assert_int_equal(weft_relay_revoke(s.party.relay, "10.0.1.2", &err), -EINVAL);
	end(&s);
}

/* Behind a proxy on the relay's machine all have one address, which is nobody's own. */
static void the_relays_own_machine_is_not_kept_out(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	(void)strcpy(s.carol.address, "127.0.0.1:2000");
	start(&s.carol);
	assert_int_equal(kick(&s, "carol"), -EADDRNOTAVAIL);
	party_run(&s.party, 1000);
	assert_int_equal(s.carol.refusals_n, 0);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(under_another_name_it_stays_out),
		cmocka_unit_test(a_pass_does_not_help),
		cmocka_unit_test(nor_does_opening_the_room),
		cmocka_unit_test(other_rooms_and_addresses_do_not_notice),
		cmocka_unit_test(who_is_there_stays),
		cmocka_unit_test(who_was_lost_is_not_there),
		cmocka_unit_test(one_on_its_way_in_is_late),
		cmocka_unit_test(let_in_again),
		cmocka_unit_test(an_address_is_emptied),
		cmocka_unit_test(the_relays_own_machine_is_not_kept_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
