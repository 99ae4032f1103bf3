/* SPDX-License-Identifier: MIT */
/*
 * The forwarding database by itself: learning, moving, binding, ageing and the limits.
 */
#include "bridge/fdb.h"

#include "../unit.h"
#include "fake.h"

#include <weft/loop.h>

#include <errno.h>

#define AGEING 1000u

struct fixture {
	struct fdb fdb;
	struct fdb_port left, right;
};

static int set_up(void **state)
{
	static struct fixture f;
	const struct weft_bridge_opts opts = { .fdb_max = 4, .ageing_ns = AGEING };
	assert_int_equal(fdb_init(&f.fdb, &opts), 0);
	fdb_port_init(&f.left, 0);
	fdb_port_init(&f.right, 2);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	fdb_fini(&f->fdb);
	return 0;
}

/* Where the address is known; NULL where it is not. */
static const struct fdb_port *port_of(const struct fixture *f, unsigned mac)
{
	const struct fdb_entry *entry = fdb_lookup(&f->fdb, test_mac(mac));
	return entry ? entry->port : NULL;
}

static void learn(struct fixture *f, unsigned mac, struct fdb_port *port, uint64_t now)
{
	(void)fdb_learn(&f->fdb, test_mac(mac), port, now);
}

static void learns_and_moves(void **state)
{
	struct fixture *f = *state;
	assert_null(port_of(f, 1));
	learn(f, 1, &f->left, 0);
	assert_ptr_equal(port_of(f, 1), &f->left);
	assert_int_equal(f->fdb.stats.moved, 0);
	learn(f, 1, &f->right, 0);
	assert_ptr_equal(port_of(f, 1), &f->right);
	assert_int_equal(f->fdb.stats.moved, 1);
	assert_int_equal(f->fdb.stats.learned, 1);
	assert_int_equal(f->left.learned, 0);
	assert_int_equal(f->right.learned, 1);
}

static void says_when_answers_change(void **state)
{
	struct fixture *f = *state;
	uint64_t generation = f->fdb.generation;
	learn(f, 1, &f->left, 0);
	assert_true(f->fdb.generation > generation);
	generation = f->fdb.generation;
	learn(f, 1, &f->left, 5);
	assert_true(f->fdb.generation == generation);
	learn(f, 1, &f->right, 5);
	assert_true(f->fdb.generation > generation);
	generation = f->fdb.generation;
	fdb_age(&f->fdb, 5 + AGEING, 1);
	assert_true(f->fdb.generation > generation);
	generation = f->fdb.generation;
	assert_int_equal(fdb_bind(&f->fdb, test_mac(1), &f->left), 0);
	assert_true(f->fdb.generation > generation);
	generation = f->fdb.generation;
	fdb_unbind(&f->fdb, test_mac(1));
	assert_true(f->fdb.generation > generation);
	learn(f, 1, &f->left, 0);
	generation = f->fdb.generation;
	fdb_port_fini(&f->fdb, &f->left);
	assert_true(f->fdb.generation > generation);
}

static void forgets_at_the_ageing_time(void **state)
{
	struct fixture *f = *state;
	assert_true(fdb_deadline(&f->fdb) == WEFT_NEVER);
	learn(f, 1, &f->left, 100);
	assert_int_equal(fdb_deadline(&f->fdb), 100 + AGEING);
	fdb_age(&f->fdb, 100 + AGEING - 1, 9);
	assert_ptr_equal(port_of(f, 1), &f->left);
	fdb_age(&f->fdb, 100 + AGEING, 9);
	assert_null(port_of(f, 1));
	assert_int_equal(f->fdb.stats.aged, 1);
	assert_int_equal(f->fdb.stats.learned, 0);
	assert_true(fdb_deadline(&f->fdb) == WEFT_NEVER);
}

static void keeps_who_is_heard(void **state)
{
	struct fixture *f = *state;
	learn(f, 1, &f->left, 0);
	learn(f, 1, &f->left, AGEING - 1);
	assert_int_equal(fdb_deadline(&f->fdb), AGEING);
	fdb_age(&f->fdb, AGEING, 9);
	assert_ptr_equal(port_of(f, 1), &f->left);
	assert_int_equal(fdb_deadline(&f->fdb), 2 * AGEING - 1);
	fdb_age(&f->fdb, 2 * AGEING - 1, 9);
	assert_null(port_of(f, 1));
}

static void who_moves_is_heard(void **state)
{
	struct fixture *f = *state;
	learn(f, 1, &f->left, 0);
	learn(f, 1, &f->right, AGEING - 1);
	fdb_age(&f->fdb, AGEING, 9);
	assert_ptr_equal(port_of(f, 1), &f->right);
}

static void ages_a_little_at_a_time(void **state)
{
	struct fixture *f = *state;
	for (unsigned mac = 1; mac <= 4; mac++)
		learn(f, mac, &f->left, 0);
	fdb_age(&f->fdb, AGEING, 3);
	assert_int_equal(f->fdb.stats.learned, 1);
	assert_true(fdb_deadline(&f->fdb) <= AGEING);
	fdb_age(&f->fdb, AGEING, 3);
	assert_int_equal(f->fdb.stats.learned, 0);
}

static void refuses_when_full(void **state)
{
	struct fixture *f = *state;
	for (unsigned mac = 1; mac <= 4; mac++)
		assert_non_null(fdb_learn(&f->fdb, test_mac(mac), &f->left, 0));
	assert_null(fdb_learn(&f->fdb, test_mac(5), &f->left, 0));
	assert_int_equal(f->fdb.stats.refused, 1);
	assert_non_null(fdb_learn(&f->fdb, test_mac(1), &f->left, 0));
	fdb_age(&f->fdb, AGEING, 1);
	assert_non_null(fdb_learn(&f->fdb, test_mac(5), &f->left, AGEING));
}

static void refuses_when_the_port_is_full(void **state)
{
	struct fixture *f = *state;
	learn(f, 1, &f->right, 0);
	learn(f, 2, &f->right, 0);
	assert_null(fdb_learn(&f->fdb, test_mac(3), &f->right, 0));
	learn(f, 3, &f->left, 0);
	assert_null(fdb_learn(&f->fdb, test_mac(3), &f->right, 0));
	assert_ptr_equal(port_of(f, 3), &f->left);
	assert_int_equal(f->fdb.stats.refused, 2);
	learn(f, 1, &f->left, 0);
	assert_non_null(fdb_learn(&f->fdb, test_mac(3), &f->right, 0));
}

static void bound_entries_stay(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fdb_bind(&f->fdb, test_mac(1), &f->left), 0);
	assert_int_equal(fdb_bind(&f->fdb, test_mac(1), &f->left), 0);
	assert_int_equal(fdb_bind(&f->fdb, test_mac(1), &f->right), -EEXIST);
	assert_true(fdb_deadline(&f->fdb) == WEFT_NEVER);
	fdb_age(&f->fdb, WEFT_NEVER, 9);
	assert_ptr_equal(port_of(f, 1), &f->left);
	assert_int_equal(f->fdb.stats.bound, 1);
	fdb_unbind(&f->fdb, test_mac(1));
	assert_null(port_of(f, 1));
	assert_int_equal(f->fdb.stats.bound, 0);
}

static void binding_overrides_what_was_learned(void **state)
{
	struct fixture *f = *state;
	learn(f, 1, &f->left, 0);
	fdb_unbind(&f->fdb, test_mac(1));
	assert_ptr_equal(port_of(f, 1), &f->left);
	assert_int_equal(fdb_bind(&f->fdb, test_mac(1), &f->right), 0);
	assert_ptr_equal(port_of(f, 1), &f->right);
	assert_int_equal(f->fdb.stats.learned, 0);
	assert_int_equal(f->left.learned, 0);
	assert_int_equal(f->right.learned, 0);
	fdb_age(&f->fdb, AGEING, 9);
	assert_ptr_equal(port_of(f, 1), &f->right);
}

static void bound_entries_have_room_of_their_own(void **state)
{
	struct fixture *f = *state;
	for (unsigned mac = 1; mac <= 4; mac++)
		learn(f, mac, &f->left, 0);
	for (unsigned mac = 11; mac <= 14; mac++)
		assert_int_equal(fdb_bind(&f->fdb, test_mac(mac), &f->left), 0);
	assert_int_equal(fdb_bind(&f->fdb, test_mac(15), &f->left), -ENOSPC);
	assert_int_equal(fdb_bind(&f->fdb, test_mac(1), &f->left), -ENOSPC);
	assert_int_equal(f->fdb.stats.learned, 4);
}

static void forgets_a_port(void **state)
{
	struct fixture *f = *state;
	learn(f, 1, &f->left, 0);
	learn(f, 2, &f->right, 0);
	assert_int_equal(fdb_bind(&f->fdb, test_mac(3), &f->left), 0);
	fdb_port_fini(&f->fdb, &f->left);
	assert_null(port_of(f, 1));
	assert_null(port_of(f, 3));
	assert_ptr_equal(port_of(f, 2), &f->right);
	assert_int_equal(f->fdb.stats.learned, 1);
	assert_int_equal(f->fdb.stats.bound, 0);
	assert_int_equal(f->fdb.stats.aged, 0);
}

static void an_endless_ageing_time_never_ends(void **state)
{
	(void)state;
	struct fdb fdb;
	struct fdb_port port;
	const struct weft_bridge_opts opts = { .ageing_ns = WEFT_NEVER };
	assert_int_equal(fdb_init(&fdb, &opts), 0);
	fdb_port_init(&port, 0);
	assert_non_null(fdb_learn(&fdb, test_mac(1), &port, 77));
	assert_true(fdb_deadline(&fdb) == WEFT_NEVER);
	fdb_age(&fdb, WEFT_NEVER - 1, 9);
	assert_non_null(fdb_lookup(&fdb, test_mac(1)));
	fdb_fini(&fdb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(learns_and_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_when_answers_change, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(forgets_at_the_ageing_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(keeps_who_is_heard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_moves_is_heard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ages_a_little_at_a_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(refuses_when_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_when_the_port_is_full, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bound_entries_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(binding_overrides_what_was_learned,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(bound_entries_have_room_of_their_own,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgets_a_port, set_up, tear_down),
		cmocka_unit_test(an_endless_ageing_time_never_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
