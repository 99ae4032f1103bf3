/* SPDX-License-Identifier: MIT */
/*
 * Which directories specs of links need when they run, and which of them a user of their own.
 */
#include "cli/writable.h"

#include "../unit.h"

#include <stdio.h>

static void test_directories(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *first, *second;
	} rows[] = {
		{ "qemu:/run/lan.sock", "/run", NULL },
		{ "qemu:/lan.sock,mode=0660", "/", NULL },
		{ "capture:/tmp/a.pcap:impair:loss=1%:qemu:/run/x/y", "/tmp", "/run/x" },
		{ "qemu-dgram:/run/a,remote=/srv/b", "/run", "/srv" },
		{ "vde:./switch,connect", ".", NULL },
		{ "tapserver:/run/with\\:colon/s", "/run/with:colon", NULL },
		{ "tapserver:127.0.0.1:5059", NULL, NULL },
		{ "tap:weft0", NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct writable w = { .n = 0 };
		(void)writable_add_spec(&w, rows[i].spec);
		assert_int_equal(w.n, !!rows[i].first + !!rows[i].second);
		if (rows[i].first)
			assert_string_equal(w.dirs[0], rows[i].first);
		if (rows[i].second)
			assert_string_equal(w.dirs[1], rows[i].second);
	}
}

static void test_limit(void **state)
{
	(void)state;
	struct writable w = { .n = 0 };
	for (unsigned i = 0; i < 2 * WRITABLE_MAX; i++)
		writable_add(&w, "/run");
	assert_int_equal(w.n, WRITABLE_MAX);
}

static bool needs_user(const char *spec)
{
	struct writable w = { .n = 0 };
	return writable_add_spec(&w, spec);
}

static void test_who_needs_its_user(void **state)
{
	(void)state;
	assert_true(needs_user("vde:/run/vde"));
	assert_true(needs_user("impair:loss=1%:vfkit:/run/s"));
	assert_true(needs_user("capture:here.pcap:qemu:5059"));
	assert_true(needs_user("qemu:/run/vm,connect"));
	assert_false(needs_user("qemu:127.0.0.1:5059,connect"));
	assert_false(needs_user("qemu:/run/vde"));
	assert_false(needs_user("qemu-dgram:5059"));
	assert_false(needs_user("tap:vde"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_who_needs_its_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
