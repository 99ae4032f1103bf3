/* SPDX-License-Identifier: MIT */
/*
 * Whose entry makes room: by hand, as few entries as show it.
 */
#include "tunnel/shares.h"

#include "../unit.h"

#include <errno.h>

#define PARTIES_MAX 3u

static struct shares *shares;

static int set_up(void **state)
{
	static const uint8_t secret[16] = { 7 };
	(void)state;
	return shares_new(PARTIES_MAX, secret, &shares);
}

static int tear_down(void **state)
{
	(void)state;
	shares_free(shares);
	return 0;
}

/* A party gets n brief entries. */
static void add(struct share *entries, size_t n, uint32_t party)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(shares_add(shares, &entries[i], party), 0);
}

static void expect(uint32_t party, const struct share *first)
{
	assert_ptr_equal(shares_next_to_go(shares, party), first);
}

static void who_has_most_makes_room(void **state)
{
	struct share a[4] = { 0 }, b[3] = { 0 };
	(void)state;
	expect(1, NULL);
	add(a, 3, 1);
	add(b, 2, 2);
	expect(1, &a[0]);
	expect(2, &a[0]);
	expect(3, &a[0]);
	add(b + 2, 1, 2);
	expect(1, &a[0]); /* Nobody has more than oneself. */
	expect(2, &b[0]);
}

static void who_had_most_need_not_have_it_now(void **state)
{
	struct share a[3] = { 0 }, b[2] = { 0 };
	(void)state;
	add(a, 3, 1);
	add(b, 2, 2);
	shares_remove(shares, &a[0]);
	shares_remove(shares, &a[2]);
	expect(1, &b[0]);
	expect(3, &b[0]);
}

static void the_most_silent_goes_and_what_is_brief_before_what_lasts(void **state)
{
	struct share a[3] = { 0 };
	(void)state;
	add(a, 3, 1);
	share_touch(&a[0], true);
	expect(1, &a[1]);
	share_touch(&a[1], false);
	expect(1, &a[2]);
	share_touch(&a[2], true);
	share_touch(&a[1], true);
	expect(1, NULL); /* What lasts goes for others only. */
	expect(2, &a[0]);
	share_touch(&a[0], true);
	expect(2, &a[2]);
}

static void there_are_only_so_many_parties_at_a_time(void **state)
{
	struct share entries[PARTIES_MAX + 1] = { 0 };
	(void)state;
	for (uint32_t i = 0; i < PARTIES_MAX; i++)
		add(&entries[i], 1, i);
	assert_int_equal(shares_add(shares, &entries[PARTIES_MAX], 77), -ENOSPC);
	for (uint32_t i = 0; i < PARTIES_MAX; i++)
		shares_remove(shares, &entries[i]);
	expect(0, NULL);
	for (uint32_t i = 0; i < PARTIES_MAX; i++)
		add(&entries[i], 1, 100 + i);
}

static void what_is_nobodys_can_be_removed(void **state)
{
	struct share a[2] = { 0 }, b[1] = { 0 }, nobodys = { 0 };
	(void)state;
	add(a, 2, 1);
	add(b, 1, 2);
	shares_remove(shares, &nobodys);
	shares_remove(shares, &a[0]);
	shares_remove(shares, &a[0]);
	expect(1, &a[1]);
	expect(2, &b[0]);
}

/* Whoever has a number now is not whoever had it before, also when that one goes. */
static void other_numbers(void **state)
{
	struct share before[1] = { 0 }, now[2] = { 0 };
	(void)state;
	add(before, 1, 1);
	shares_renumber(shares);
	add(now, 2, 1);
	share_touch(&now[0], true);
	share_touch(&now[1], true);
	expect(1, NULL);
	shares_remove(shares, &before[0]);
	expect(1, NULL);
	expect(2, &now[0]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_most_makes_room),
		TEST(who_had_most_need_not_have_it_now),
		TEST(the_most_silent_goes_and_what_is_brief_before_what_lasts),
		TEST(there_are_only_so_many_parties_at_a_time),
		TEST(what_is_nobodys_can_be_removed),
		TEST(other_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
