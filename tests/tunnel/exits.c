/* SPDX-License-Identifier: MIT */
/*
 * Which exit is taken, in virtual time: each line says how the members do from then on, or
 * who is taken at a time. Members are 0, 1 and 2; client 3 is who uses them.
 */
#include "tunnel/exits.h"

#include "../unit.h"
#include "base/rng.h"
#include "site.h"
#include "tunnel/selection.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

#define MEMBERS 3u
#define USER    3u
#define NONE    99u

static const uint8_t secret[16] = { 9 };

struct fixture {
	struct site site;
	struct exits *exits;
	struct exit_member members[MEMBERS];
};

static void fill_site(struct site *s, bool balance)
{
	site_init(s, "10.0.0.1/24");
	site_client(s, "gate-0", "gate", "10.0.0.2", "");
	site_client(s, "gate-1", "gate", "10.0.0.3", "");
	site_client(s, "gate-2", "gate", "10.0.0.4", "");
	site_client(s, "user", "", "10.0.0.5", "");
	site_exit(s, "user", "gate", balance);
}

static void begin(struct fixture *f, bool balance)
{
	memset(f, 0, sizeof(*f));
	fill_site(&f->site, balance);
	assert_int_equal(exits_new(&f->site.conf, secret, &f->exits), 0);
	for (uint32_t i = 0; i < MEMBERS; i++)
		exits_join(f->exits, i, &f->members[i]);
}

static int set_up_failover(void **state)
{
	static struct fixture f;
	begin(&f, false);
	*state = &f;
	return 0;
}

static int set_up_balance(void **state)
{
	static struct fixture f;
	begin(&f, true);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	exits_free(f->exits);
	return 0;
}

static struct prefix address(const char *text)
{
	struct weft_ip ip;
	struct prefix p;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	assert_int_equal(prefix_of(&ip, &p), 0);
	return p;
}

/* A round trip in ms; 0 is away. */
static void does(struct fixture *f, unsigned member, uint64_t rtt_ms, uint32_t loss,
		 uint64_t now)
{
	const struct exit_member health = { .is_connected = rtt_ms > 0,
					    .rtt_ns = rtt_ms * MS,
					    .loss_permille = loss };
	(void)exits_set_health(&f->members[member], &health, now);
	exits_choose(f->exits, now);
}

static const struct exits_rule *rule_of(const struct fixture *f)
{
	const struct prefix src = address("10.0.0.5");
	const struct exits_rule *rule = exits_find(f->exits, USER, &src);
	assert_non_null(rule);
	return rule;
}

static unsigned pick(const struct fixture *f, uint64_t hash)
{
	const struct exit_member *member = exits_pick(rule_of(f), hash);
	return member ? (unsigned)(member - f->members) : NONE;
}

/* Who has all at a time, each second until then having been looked at. */
static unsigned taken_at(struct fixture *f, uint64_t from, uint64_t until)
{
	for (uint64_t now = from; now <= until; now += S)
		exits_choose(f->exits, now);
	return pick(f, 0);
}

/* ---- who is meant ------------------------------------------------------------------------ */

static void the_first_rule_for_a_source_counts(void **state)
{
	static struct site s;
	struct exits *exits;
	(void)state;
	fill_site(&s, false);
	site_exit(&s, "192.168.0.0/16 " WEFT_TUNNEL_SELF, "gate-1", false);
	site_exit(&s, "", "gate-*", true);
	assert_int_equal(exits_new(&s.conf, secret, &exits), 0);
	const struct prefix own = address("10.0.0.5"), other = address("192.168.7.1"),
			    out = address("198.51.100.1"), six = address("2600::1");
	assert_int_equal(exits_conf(exits_find(exits, USER, &own))->line, 101);
	assert_int_equal(exits_conf(exits_find(exits, USER, &other))->line, 101);
	assert_int_equal(exits_conf(exits_find(exits, PARTY_NOBODY, &other))->line, 102);
	assert_int_equal(exits_conf(exits_find(exits, PARTY_SELF, &out))->line, 102);
	assert_int_equal(exits_conf(exits_find(exits, PARTY_NOBODY, &six))->line, 103);
	/* Who leads out is not led out by the same rule. */
	assert_int_equal(exits_conf(exits_find(exits, 0, &other))->line, 102);
	assert_null(exits_find(exits, 1, &other));
	assert_true(exits_leads_out(exits_rule_at(exits, 1), 1));
	assert_false(exits_leads_out(exits_rule_at(exits, 1), 0));
	assert_false(exits_leads_out(exits_rule_at(exits, 1), PARTY_SELF));
	assert_null(exits_rule_at(exits, 3));
	exits_free(exits);
	exits_free(NULL);
}

/* ---- failover ---------------------------------------------------------------------------- */

static void the_best_has_all(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(pick(f, 0), NONE);
	does(f, 0, 501, 0, S);
	assert_int_equal(pick(f, 0), NONE);
	does(f, 1, 500, 0, S);
	assert_int_equal(pick(f, 0), 1);
	assert_int_equal(pick(f, 12345), 1);
	does(f, 1, 0, 0, 2 * S);
	assert_int_equal(pick(f, 0), NONE);
}

/* 20 % better for 60 s, without a break. */
static void it_is_changed_for_a_much_better_one_only(void **state)
{
	struct fixture *f = *state;
	does(f, 0, 100, 0, S);
	does(f, 1, 81, 0, 2 * S);
	assert_int_equal(taken_at(f, 2 * S, 200 * S), 0);
	does(f, 1, 80, 0, 200 * S);
	assert_int_equal(taken_at(f, 201 * S, 259 * S), 0);
	does(f, 1, 81, 0, 259 * S);
	does(f, 1, 80, 0, 260 * S);
	assert_int_equal(taken_at(f, 261 * S, 319 * S), 0);
	assert_int_equal(taken_at(f, 320 * S, 320 * S), 1);
	assert_int_equal(taken_at(f, 321 * S, 600 * S), 1);
}

static void loss_costs_as_time_does(void **state)
{
	struct fixture *f = *state;
	does(f, 0, 100, 50, S); /* 5 % make it 150 ms */
	does(f, 1, 120, 0, S);
	assert_int_equal(taken_at(f, S, 61 * S), 1);
	does(f, 1, 120, 500, 62 * S);
	assert_int_equal(pick(f, 0), 0);
}

static void who_was_not_measured_is_the_last(void **state)
{
	struct fixture *f = *state;
	const struct exit_member unmeasured = { .is_connected = true };
	assert_true(exits_set_health(&f->members[0], &unmeasured, S));
	assert_false(exits_set_health(&f->members[0], &unmeasured, S));
	exits_choose(f->exits, S);
	assert_int_equal(pick(f, 0), 0);
	does(f, 1, 400, 0, 2 * S);
	assert_int_equal(taken_at(f, 2 * S, 61 * S), 0);
	assert_int_equal(taken_at(f, 62 * S, 62 * S), 1);
}

static void who_failed_has_a_penalty(void **state)
{
	struct fixture *f = *state;
	does(f, 0, 10, 0, S);
	does(f, 1, 100, 0, S);
	assert_int_equal(pick(f, 0), 0);
	does(f, 0, 0, 0, 10 * S);
	assert_int_equal(pick(f, 0), 1);
	does(f, 0, 10, 0, 11 * S);
	assert_int_equal(taken_at(f, 11 * S, 609 * S), 1);
	assert_int_equal(taken_at(f, 610 * S, 669 * S), 1); /* it is better from now on */
	assert_int_equal(taken_at(f, 670 * S, 670 * S), 0);
}

/* A penalty is no reason for having no exit at all. */
static void all_who_failed_are_used_again(void **state)
{
	struct fixture *f = *state;
	does(f, 0, 10, 0, S);
	does(f, 1, 100, 0, S);
	does(f, 0, 600, 0, 2 * S);
	does(f, 1, 0, 0, 3 * S);
	assert_int_equal(pick(f, 0), NONE);
	does(f, 0, 10, 0, 4 * S);
	assert_int_equal(pick(f, 0), 0);
	/* But the one without is preferred as soon as there is one. */
	does(f, 2, 400, 0, 5 * S);
	assert_int_equal(pick(f, 0), 2);
}

static void who_leaves_is_not_taken(void **state)
{
	struct fixture *f = *state;
	does(f, 0, 10, 0, S);
	exits_leave(f->exits, &f->members[0]);
	assert_int_equal(pick(f, 0), NONE);
	does(f, 1, 100, 0, S);
	assert_int_equal(pick(f, 0), 1);
	exits_leave(f->exits, &f->members[0]);
}

/* The present one goes on where the rule is the same, though another is cheaper. */
static void a_choice_outlives_a_change_of_the_configuration(void **state)
{
	struct fixture *f = *state;
	static struct site same, other;
	struct exits *after;
	does(f, 0, 100, 0, S);
	does(f, 1, 90, 0, 2 * S);
	fill_site(&same, false);
	assert_int_equal(exits_new(&same.conf, secret, &after), 0);
	exits_inherit(after, f->exits);
	exits_free(f->exits);
	f->exits = after;
	for (uint32_t i = 0; i < MEMBERS; i++)
		exits_join(f->exits, i, &f->members[i]);
	assert_int_equal(taken_at(f, 3 * S, 3 * S), 0);
	fill_site(&other, false);
	other.exits[0].via.items[0] = other.clients[1].name;
	assert_int_equal(exits_new(&other.conf, secret, &after), 0);
	exits_inherit(after, f->exits);
	exits_free(f->exits);
	f->exits = after;
	for (uint32_t i = 0; i < MEMBERS; i++)
		exits_join(f->exits, i, &f->members[i]);
	assert_int_equal(taken_at(f, 4 * S, 4 * S), 1);
}

/* ---- balance ----------------------------------------------------------------------------- */

#define FLOWS 3000u

/* Notes who each flow takes, and returns how many have changed. */
static unsigned spread(const struct fixture *f, const uint64_t hashes[FLOWS],
		       unsigned taken[FLOWS], unsigned ret_shares[MEMBERS])
{
	unsigned changed = 0;
	memset(ret_shares, 0, MEMBERS * sizeof(ret_shares[0]));
	for (unsigned i = 0; i < FLOWS; i++) {
		const unsigned now = pick(f, hashes[i]);
		assert_true(now < MEMBERS);
		changed += now != taken[i];
		taken[i] = now;
		ret_shares[now]++;
	}
	return changed;
}

static void assert_about(unsigned n, unsigned expected)
{
	assert_true(n > expected - expected / 5 && n < expected + expected / 5);
}

/* The flows of a test: other ones each time. */
static const uint64_t *some_flows(void)
{
	static uint64_t hashes[FLOWS];
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < FLOWS; i++)
		hashes[i] = rng_u64(&rng);
	return hashes;
}

/* Of a thousand. */
static unsigned share(const struct fixture *f, unsigned member)
{
	return exits_share(&f->members[member], exits_nearness(rule_of(f)));
}

static void few_flows_move(void **state)
{
	struct fixture *f = *state;
	static unsigned taken[FLOWS];
	unsigned shares[MEMBERS];
	const uint64_t *hashes = some_flows();
	does(f, 0, 10, 0, S);
	does(f, 1, 10, 0, S);
	(void)spread(f, hashes, taken, shares);
	assert_about(shares[0], FLOWS / 2);
	/* One comes: it gets its third, and nobody else anything. */
	does(f, 2, 10, 0, 2 * S);
	const unsigned moved = spread(f, hashes, taken, shares);
	assert_int_equal(moved, shares[2]);
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_about(shares[i], FLOWS / 3);
	/* One goes: only what it had moves. */
	const unsigned its = shares[1];
	does(f, 1, 0, 0, 3 * S);
	assert_int_equal(spread(f, hashes, taken, shares), its);
	assert_int_equal(shares[1], 0);
	/* It is back, but in vain for ten minutes; then it has what it had. */
	does(f, 1, 10, 0, 4 * S);
	assert_int_equal(spread(f, hashes, taken, shares), 0);
	exits_choose(f->exits, 603 * S);
	assert_int_equal(spread(f, hashes, taken, shares), its);
}

/* Half the way, twice the flows; 10 % of loss double it. */
static void shares_follow_what_is_measured(void **state)
{
	struct fixture *f = *state;
	static unsigned taken[FLOWS];
	unsigned shares[MEMBERS];
	const uint64_t *hashes = some_flows();
	does(f, 0, 20, 0, S);
	does(f, 1, 40, 0, S);
	does(f, 2, 20, 100, S);
	(void)spread(f, hashes, taken, shares);
	assert_about(shares[0], FLOWS / 2);
	assert_about(shares[1], FLOWS / 4);
	assert_about(shares[2], FLOWS / 4);
	assert_int_equal(share(f, 0), 500);
	assert_int_equal(share(f, 1), 250);
	assert_int_equal(share(f, 2), 250);
	/* One fails: the others have its flows, each by its own share, and keep theirs. */
	const unsigned its = shares[0];
	does(f, 0, 20, 500, 2 * S);
	assert_int_equal(spread(f, hashes, taken, shares), its);
	assert_about(shares[1], FLOWS / 2);
	assert_about(shares[2], FLOWS / 2);
}

/* A member goes on as it does until then. Returns how many flows have changed since before. */
static unsigned goes_on(struct fixture *f, unsigned member, uint64_t rtt_ms,
			uint64_t until, unsigned ret_shares[MEMBERS])
{
	static uint64_t hashes[FLOWS];
	static unsigned taken[FLOWS];
	for (unsigned i = 0; i < FLOWS; i++)
		hashes[i] = UINT64_C(0x9e3779b97f4a7c15) * i;
	for (uint64_t now = f->members[member].smoothed_at + S; now <= until; now += S)
		does(f, member, rtt_ms, 0, now);
	return spread(f, hashes, taken, ret_shares);
}

/* From 20 to 40 ms for good: flows go to both others, and none between these. */
static void a_change_moves_its_share_only(void **state)
{
	struct fixture *f = *state;
	unsigned before[MEMBERS], after[MEMBERS];
	for (unsigned i = 0; i < MEMBERS; i++)
		does(f, i, 20, 0, S);
	(void)goes_on(f, 0, 20, S, before);
	const unsigned moved = goes_on(f, 0, 40, 600 * S, after);
	assert_true(moved > 0);
	assert_int_equal(moved, before[0] - after[0]);
	assert_true(after[1] > before[1] && after[2] > before[2]);
	assert_about(after[0], FLOWS / 5);
	/* And back, to within a quarter of what it had. */
	const unsigned few = after[0];
	const unsigned back = goes_on(f, 0, 20, 1200 * S, after);
	assert_int_equal(back, after[0] - few);
	assert_true(after[0] > before[0] / 4 * 3 && after[0] <= before[0] / 4 * 5);
}

static void ripples_move_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned shares[MEMBERS];
	does(f, 0, 20, 0, S);
	does(f, 1, 20, 0, S);
	(void)goes_on(f, 0, 20, S, shares);
	assert_int_equal(goes_on(f, 0, 24, 600 * S, shares), 0);
	assert_int_equal(goes_on(f, 0, 16, 1200 * S, shares), 0);
	/* A few seconds of a long way are not the way; minutes are. */
	assert_int_equal(goes_on(f, 0, 60, 1204 * S, shares), 0);
	assert_int_equal(goes_on(f, 0, 20, 1300 * S, shares), 0);
	assert_true(goes_on(f, 0, 60, 1400 * S, shares) > 0);
}

static void who_is_near_is_equally_near(void **state)
{
	struct fixture *f = *state;
	const struct exit_member nearest = { .is_connected = true, .rtt_ns = 1000 };
	(void)exits_set_health(&f->members[0], &nearest, S);
	does(f, 1, 5, 0, S);
	does(f, 2, 10, 0, S);
	assert_int_equal(share(f, 0), 400);
	assert_int_equal(share(f, 1), 400);
	assert_int_equal(share(f, 2), 200);
}

/* As the slowest good one; the first measurement counts at once. */
static void who_was_not_measured_has_little(void **state)
{
	struct fixture *f = *state;
	const struct exit_member unmeasured = { .is_connected = true };
	does(f, 0, 125, 0, S);
	(void)exits_set_health(&f->members[1], &unmeasured, S);
	exits_choose(f->exits, S);
	assert_int_equal(share(f, 1), 200);
	does(f, 1, 125, 0, 2 * S);
	assert_int_equal(share(f, 1), 500);
	/* Where nobody is measured, shares are even. */
	(void)exits_set_health(&f->members[0], &unmeasured, 3 * S);
	(void)exits_set_health(&f->members[1], &unmeasured, 3 * S);
	assert_int_equal(share(f, 0), 500);
}

static void what_may_be_used_is_told(void **state)
{
	struct fixture *f = *state;
	struct exit_member *const *members;
	assert_int_equal(exits_usable(rule_of(f), &members), 0);
	does(f, 2, 10, 0, S);
	does(f, 0, 10, 0, S);
	assert_int_equal(exits_usable(rule_of(f), &members), 2);
	assert_ptr_equal(members[0], &f->members[0]);
	assert_ptr_equal(members[1], &f->members[2]);
	exits_leave(f->exits, &f->members[0]);
	assert_int_equal(exits_usable(rule_of(f), &members), 1);
	assert_ptr_equal(members[0], &f->members[2]);
}

#define failover(f) cmocka_unit_test_setup_teardown(f, set_up_failover, tear_down)
#define balance(f)  cmocka_unit_test_setup_teardown(f, set_up_balance, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_for_a_source_counts),
		failover(the_best_has_all),
		failover(it_is_changed_for_a_much_better_one_only),
		failover(loss_costs_as_time_does),
		failover(who_was_not_measured_is_the_last),
		failover(who_failed_has_a_penalty),
		failover(all_who_failed_are_used_again),
		failover(who_leaves_is_not_taken),
		failover(a_choice_outlives_a_change_of_the_configuration),
		balance(few_flows_move),
		balance(shares_follow_what_is_measured),
		balance(a_change_moves_its_share_only),
		balance(ripples_move_nothing),
		balance(who_is_near_is_equally_near),
		balance(who_was_not_measured_has_little),
		balance(what_may_be_used_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
