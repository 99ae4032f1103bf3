/* SPDX-License-Identifier: MIT */
/*
 * Members with a pass at a relay: let in, too late, thrown out for good; beside those with the
 * room's own invitation.
 */
#include "../unit.h"
#include "party.h"

#include <errno.h>
#include <string.h>

#define NOW 1000000u

static uint64_t unix_s(void)
{
	return NOW;
}

struct scene {
	struct party party;
	struct guest alice, bob;
};

/* Alice has the room's invitation and is there; bob has a pass until then. */
static void begin_at(struct scene *s, uint64_t (*clock)(void), uint32_t expires_s)
{
	party_init(&s->party, test_seed());
	s->party.relay_opts.unix_s = clock;
	party_open_relay(&s->party);
	guest_join(&s->alice, &s->party, "alice", 1);
	guest_init(&s->bob, &s->party, "bob", 2);
	const struct weft_invite whole = s->bob.opts.invite;
	assert_int_equal(weft_invite_restrict(&whole, expires_s, &s->bob.opts.invite), 0);
}

static void begin(struct scene *s, uint32_t expires_s)
{
	begin_at(s, unix_s, expires_s);
}

static void end(struct scene *s)
{
	if (s->alice.member)
		guest_leave(&s->alice);
	if (s->bob.member)
		guest_leave(&s->bob);
	party_fini(&s->party);
}

static void assert_refused(struct scene *s, const char *words)
{
	guest_start(&s->bob);
	assert_true(guest_reaches(&s->bob, WEFT_MEMBER_REFUSED, 5000));
	if (!strstr(s->bob.reason, words))
		fail_msg("\"%s\" does not speak of \"%s\"", s->bob.reason, words);
	/* For good: nothing is tried again. */
	party_run(&s->party, 120000);
	assert_int_equal(s->bob.refusals_n, 1);
}

static int kick(struct scene *s, const char *room, const char *member,
		struct weft_kicked *ret_kicked)
{
	struct weft_error err;
	return weft_relay_kick(s->party.relay, room, member, false, &err, ret_kicked);
}

static void a_pass_lets_in(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, NOW + 1);
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	guest_sends(&s.bob, guest_mac(1));
	assert_int_equal(guest_got(&s.alice), 1);
	end(&s);
}

static void a_pass_opens_its_room(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, WEFT_PASS_NEVER);
	guest_leave(&s.alice);
	party_run(&s.party, 1000);
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	guest_join(&s.alice, &s.party, "alice", 1);
	end(&s);
}

static void a_pass_expires(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, NOW);
	assert_refused(&s, "expired");
	end(&s);
}

/* Nobody can say that it has not. */
static void a_relay_without_a_clock_takes_none_that_expires(void **state)
{
	(void)state;
	struct scene s;
	begin_at(&s, NULL, NOW + 1);
	assert_refused(&s, "expired");
	end(&s);
	begin_at(&s, NULL, WEFT_PASS_NEVER);
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	end(&s);
}

static void a_pass_is_for_its_room(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, NOW + 1);
	s.bob.opts.invite.pass.expires_s++;
	assert_refused(&s, "none of the room's");
	end(&s);
}

static void a_pass_is_worth_nothing_without_its_seed(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, NOW + 1);
	s.bob.opts.invite.pass.seed[0] ^= 1;
	assert_refused(&s, "none of the room's");
	end(&s);
}

static void a_gateway_needs_more(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, NOW + 1);
	s.bob.opts.role = WEFT_ROLE_GATEWAY;
	assert_refused(&s, "not for a gateway");
	end(&s);
}

static void thrown_out_with_a_pass(void **state)
{
	(void)state;
	struct scene s;
	struct weft_kicked kicked;
	char who[WEFT_SHUT_OUT_TEXT];
	begin(&s, NOW + 1);
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	assert_int_equal(kick(&s, "OTHER", "bob", NULL), -ENOENT);
	assert_int_equal(kick(&s, "FRIDAY", "carol", NULL), -ENOENT);
	assert_int_equal(kick(&s, "FRIDAY", "bob", &kicked), 1);
	assert_int_equal(weft_invite_print_pass(&s.bob.opts.invite, who), 0);
	assert_string_equal(kicked.pass, who);
	assert_string_equal(kicked.address, "");
	assert_string_equal(kicked.from, "10.0.1.2");
	assert_string_equal(kicked.name, "bob");
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_REFUSED, 5000));
	assert_non_null(strstr(s.bob.reason, "thrown out"));
	assert_int_equal(s.alice.left_n, 1);
	guest_leave(&s.bob);
	s.bob.refusals_n = 0;
	assert_refused(&s, "taken back");
	end(&s);
}

/* An id is the relay's word, a name the member's own: nobody hides behind another's id. */
static void an_id_goes_before_a_name(void **state)
{
	(void)state;
	struct scene s;
	char id[8];
	begin(&s, NOW + 1);
	(void)snprintf(id, sizeof(id), "%u", s.alice.joined.peer);
	s.bob.opts.name = id;
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	assert_int_equal(kick(&s, "FRIDAY", id, NULL), 0);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_REFUSED, 5000));
	/* By a name alone once nobody has that id. */
	assert_int_equal(kick(&s, "FRIDAY", id, NULL), 1);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_REFUSED, 5000));
	end(&s);
}

/* What one relay has shut out, another one does after it is told. */
static void shut_out_beforehand(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err;
	char who[WEFT_SHUT_OUT_TEXT];
	begin(&s, NOW + 1);
	assert_int_equal(weft_invite_print_pass(&s.bob.opts.invite, who), 0);
	assert_int_equal(weft_relay_shut_out(s.party.relay, who, &err), 0);
	assert_int_equal(weft_relay_shut_out(s.party.relay, who, &err), 0);
	assert_refused(&s, "taken back");
	guest_leave(&s.bob);
	assert_int_equal(weft_relay_let_in(s.party.relay, who, &err), 1);
	assert_int_equal(weft_relay_let_in(s.party.relay, who, &err), 0);
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	end(&s);
}

static void an_invitation_is_taken_back(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err;
	char who[WEFT_SHUT_OUT_TEXT];
	begin(&s, NOW + 1);
	assert_int_equal(weft_invite_print_pass(&s.alice.opts.invite, who), -EINVAL);
	assert_int_equal(weft_invite_print_pass(&s.bob.opts.invite, who), 0);
	guest_start(&s.bob);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	char *last = &who[strlen(who) - 1], right = *last;
	*last = right == '0' ? '1' : '0';
	assert_int_equal(weft_relay_revoke(s.party.relay, who, &err), 0);
	*last = right;
	assert_int_equal(weft_relay_revoke(s.party.relay, who, &err), 1);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_REFUSED, 5000));
	assert_non_null(strstr(s.bob.reason, "taken back"));
	assert_int_equal(s.alice.left_n, 1);
	assert_int_equal(weft_relay_revoke(s.party.relay, who, &err), 0);
	guest_leave(&s.bob);
	s.bob.refusals_n = 0;
	assert_refused(&s, "taken back");
	party_run(&s.party, 20000);
	assert_int_equal(s.alice.refusals_n, 0);
	end(&s);
}

static void thrown_out_with_the_rooms_own(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, NOW + 1);
	assert_int_equal(kick(&s, "FRIDAY", "alice", NULL), 0);
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_REFUSED, 5000));
	party_run(&s.party, 120000);
	assert_int_equal(s.alice.refusals_n, 1);
	/* By its user's hand it comes back. */
	guest_leave(&s.alice);
	guest_join(&s.alice, &s.party, "alice", 1);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_lets_in),
		cmocka_unit_test(a_pass_opens_its_room),
		cmocka_unit_test(a_pass_expires),
		cmocka_unit_test(a_relay_without_a_clock_takes_none_that_expires),
		cmocka_unit_test(a_pass_is_for_its_room),
		cmocka_unit_test(a_pass_is_worth_nothing_without_its_seed),
		cmocka_unit_test(a_gateway_needs_more),
		cmocka_unit_test(thrown_out_with_a_pass),
		cmocka_unit_test(an_id_goes_before_a_name),
		cmocka_unit_test(shut_out_beforehand),
		cmocka_unit_test(an_invitation_is_taken_back),
		cmocka_unit_test(thrown_out_with_the_rooms_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
