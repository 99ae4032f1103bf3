/* SPDX-License-Identifier: MIT */
/*
 * Ports that are removed while nobody sends, while somebody does, and while sending leads back
 * here: each is freed once, and not before the last one is out.
 */
#include "bridge/port_list.h"

#include "../unit.h"

struct port {
	struct port_entry entry;
	unsigned freed;
};

static void port_free(struct port_entry *entry)
{
	container_of(entry, struct port, entry)->freed++;
}

/* How many places there are, empty ones included. */
static unsigned places_of(const struct port_list *list)
{
	unsigned n = 0;
	list_for_each (node, &list->entries)
		n++;
	return n;
}

static void removal_frees_at_once(void **state)
{
	struct port_list list;
	struct port a = { .freed = 0 }, b = { .freed = 0 };
	(void)state;
	port_list_init(&list, 2, port_free);
	port_list_add(&list, &a.entry);
	assert_false(port_list_is_full(&list));
	port_list_add(&list, &b.entry);
	assert_true(port_list_is_full(&list));
	port_list_remove(&list, &a.entry);
	assert_int_equal(a.freed, 1);
	assert_int_equal(b.freed, 0);
	assert_int_equal(places_of(&list), 1);
	assert_false(port_list_is_full(&list));
}

static void who_sends_finds_an_empty_place(void **state)
{
	struct port_list list;
	struct port a = { .freed = 0 }, b = { .freed = 0 };
	(void)state;
	port_list_init(&list, 2, port_free);
	port_list_add(&list, &a.entry);
	port_list_add(&list, &b.entry);
	port_list_enter(&list);
	port_list_enter(&list);
	port_list_remove(&list, &b.entry);
	assert_true(b.entry.is_gone);
	assert_false(port_list_is_full(&list));
	port_list_leave(&list);
	assert_int_equal(b.freed, 0);
	assert_int_equal(places_of(&list), 2);
	port_list_leave(&list);
	assert_int_equal(b.freed, 1);
	assert_int_equal(a.freed, 0);
	assert_int_equal(places_of(&list), 1);
}

/* A port may come while another is an empty place: it has a place of its own. */
static void who_comes_meanwhile_stays(void **state)
{
	struct port_list list;
	struct port a = { .freed = 0 }, b = { .freed = 0 };
	(void)state;
	port_list_init(&list, 1, port_free);
	port_list_add(&list, &a.entry);
	port_list_enter(&list);
	port_list_remove(&list, &a.entry);
	port_list_add(&list, &b.entry);
	port_list_leave(&list);
	assert_int_equal(a.freed, 1);
	assert_int_equal(b.freed, 0);
	assert_ptr_equal(list_first(&list.entries), &b.entry.node);
	/* Nothing is left to sweep. */
	port_list_enter(&list);
	port_list_leave(&list);
	assert_int_equal(a.freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removal_frees_at_once),
		cmocka_unit_test(who_sends_finds_an_empty_place),
		cmocka_unit_test(who_comes_meanwhile_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
