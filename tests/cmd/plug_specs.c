/* SPDX-License-Identifier: MIT */
/*
 * What becomes of addresses and options of a command line: one spec each, as weft_plug_open
 * wants it.
 */
#include "cmd/plug_specs.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void an_address_is_taken_to_the_letter(void **state)
{
	struct plug_specs specs = { .n = 0 };
	(void)state;
	assert_int_equal(plug_specs_add(&specs, "vde", "/tmp/a,b:c=d\\e", NULL), 0);
	assert_int_equal(specs.n, 1);
	assert_string_equal(specs.items[0], "vde:/tmp/a\\,b\\:c\\=d\\\\e");
}

static void a_spec_stays_as_it_is(void **state)
{
	struct plug_specs specs = { .n = 0 };
	(void)state;
	assert_int_equal(plug_specs_add_text(&specs, "qemu:127.0.0.1:7777", NULL), 0);
	assert_string_equal(specs.items[0], "qemu:127.0.0.1:7777");
}

static void permissions_are_for_files(void **state)
{
	struct plug_specs specs = { .n = 0 };
	(void)state;
	assert_int_equal(plug_specs_add(&specs, "qemu", "/tmp/s", "mode=0660"), 0);
	assert_int_equal(plug_specs_add(&specs, "qemu", "7777", "mode=0660"), 0);
	assert_int_equal(plug_specs_add_text(&specs, "qemu:/tmp/s", "owner=u"), 0);
	assert_int_equal(plug_specs_add_text(&specs, "qemu:/tmp/s,mode=0600", "owner=u"),
			 0);
	assert_string_equal(specs.items[0], "qemu:/tmp/s,mode=0660");
	assert_string_equal(specs.items[1], "qemu:7777");
	assert_string_equal(specs.items[2], "qemu:/tmp/s,owner=u");
	assert_string_equal(specs.items[3], "qemu:/tmp/s,mode=0600");
}

/* Each byte of an address may need two. */
static void what_is_too_long_adds_nothing(void **state)
{
	struct plug_specs specs = { .n = 0 };
	char text[PLUG_SPEC_LEN];
	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(plug_specs_add(&specs, "qemu", text, NULL), -ENAMETOOLONG);
	assert_int_equal(plug_specs_add_text(&specs, text, NULL), -ENAMETOOLONG);
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(plug_specs_add_text(&specs, text, ""), 0);
	assert_int_equal(specs.n, 1);
	text[(sizeof(text) - 8) / 2] = '\0';
	memset(text, ',', strlen(text));
	assert_int_equal(plug_specs_add(&specs, "qemu", text, NULL), 0);
	assert_int_equal(strlen(specs.items[1]), 5 + 2 * strlen(text));
}

static void there_is_a_most(void **state)
{
	struct plug_specs specs = { .n = 0 };
	(void)state;
	for (size_t i = 0; i < PLUG_SPECS_MAX; i++)
		assert_int_equal(plug_specs_add_text(&specs, "bare:7777", NULL), 0);
	assert_int_equal(plug_specs_add_text(&specs, "bare:7777", NULL), -ENOSPC);
	assert_int_equal(plug_specs_add(&specs, "bare", "7777", NULL), -ENOSPC);
	assert_int_equal(specs.n, PLUG_SPECS_MAX);
}

static void a_dialect_has_its_type_of_socket(void **state)
{
	(void)state;
	assert_int_equal(plug_socket_type("tapserver"), SOCK_STREAM);
	assert_int_equal(plug_socket_type("bess"), SOCK_SEQPACKET);
	assert_int_equal(plug_socket_type("vfkit"), SOCK_DGRAM);
	assert_int_equal(plug_socket_type("qemu-dgram"), SOCK_DGRAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_taken_to_the_letter),
		cmocka_unit_test(a_spec_stays_as_it_is),
		cmocka_unit_test(permissions_are_for_files),
		cmocka_unit_test(what_is_too_long_adds_nothing),
		cmocka_unit_test(there_is_a_most),
		cmocka_unit_test(a_dialect_has_its_type_of_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
