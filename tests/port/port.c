/* SPDX-License-Identifier: MIT */
/*
 * The life of ports, and what they are called: starting, stopping, what is refused. Most tests
 * run twice, with a protocol that makes the port a TUN and with one that makes it a TAP.
 */
#include "../unit.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *kind_text(void)
{
	return kind == WEFT_DEVICE_TAP ? "tap" : "tun";
}

static void assert_start_refused(int code, const char *text)
{
	struct weft_error err = { "" };
	assert_int_equal(weft_port_start(port, &err), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_int_equal(weft_port_start(port, NULL), code);
}

/* ---- starting ---------------------------------------------------------------------------- */

static void a_new_port_runs_on_the_kernels_devices(void **state)
{
	(void)state;
	struct weft_port_opts opts = default_opts();
	opts.system = NULL;
	make_port(&opts);
	assert_non_null(weft_device_real());
	assert_false(weft_port_is_started(port));
	/* Nobody may open a device without a right to it, nor one whose name is a file's. */
	assert_int_equal(weft_device_memory_open_count(memory), 0);
}

/* The whole of what a port offers, on one that never ran. */
static void a_port_offers_all_that_listens(void **state)
{
	struct weft_task *task = weft_port_task(port);
	(void)state;
	assert_non_null(task->run);
	assert_non_null(task->deadline);
	assert_int_equal(task->fd, -1);
	assert_true(task->deadline(task) == WEFT_NEVER);
	assert_int_equal(weft_port_fd(port), -1);
	weft_port_stop(port);
	start();
	weft_port_stop(port);
}

static void start_opens_the_device(void **state)
{
	const char requested[WEFT_DEVICE_NAME_LEN] = "weft0";
	(void)state;
	start();
	struct weft_tunnel_facts facts = weft_tunnel_facts(the_tunnel());
	assert_int_equal(facts.open_flags,
			 WEFT_DEVICE_RDWR | WEFT_DEVICE_CLOEXEC | WEFT_DEVICE_NONBLOCK);
	assert_int_equal(facts.flags, kind | WEFT_DEVICE_NO_PI);
	assert_memory_equal(facts.requested, requested, sizeof(requested));
	assert_string_equal(weft_port_address(port).name, facts.name);
}

static void start_sets_started(void **state)
{
	(void)state;
	assert_false(weft_port_is_started(port));
	start();
	assert_true(weft_port_is_started(port));
}

static void start_connects_the_protocol(void **state)
{
	(void)state;
	assert_null(protocol.protocol.port);
	start();
	assert_ptr_equal(protocol.protocol.port, port);
	assert_int_equal(protocol.started, 1);
}

static void start_enters_the_loop(void **state)
{
	(void)state;
	assert_null(weft_port_task(port)->loop_state);
	start();
	assert_non_null(weft_port_task(port)->loop_state);
}

static void a_refused_open_is_told(void **state)
{
	(void)state;
	weft_device_memory_permit(memory, WEFT_DEVICE_MAY_CONFIGURE);
	assert_start_refused(-EPERM, "CAP_NET_ADMIN");
	assert_false(weft_port_is_started(port));
	assert_int_equal(protocol.started, 0);
}

/* And nothing is left open by it, which is what went wrong elsewhere. */
static void a_refused_configuration_is_told_and_leaks_nothing(void **state)
{
	(void)state;
	weft_device_memory_permit(memory, WEFT_DEVICE_MAY_OPEN);
	assert_start_refused(-EPERM, "weft0");
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	assert_null(weft_port_task(port)->loop_state);
	weft_device_memory_permit(memory,
				  WEFT_DEVICE_MAY_OPEN | WEFT_DEVICE_MAY_CONFIGURE);
	start();
}

static void a_second_start_is_refused(void **state)
{
	(void)state;
	start();
	assert_start_refused(-EALREADY, "started already");
	assert_int_equal(weft_device_memory_open_count(memory), 1);
	assert_int_equal(protocol.started, 1);
}

static void a_protocol_is_on_one_port_at_a_time(void **state)
{
	const struct weft_port_opts opts = default_opts();
	struct weft_port *second;
	struct weft_error err = { "" };
	(void)state;
	start();
	assert_int_equal(weft_port_new(&opts, &err, &second), 0);
	assert_int_equal(weft_port_start(second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "make a second protocol"));
	assert_non_null(strstr(err.text, "weft0123"));
	assert_int_equal(weft_device_memory_open_count(memory), 1);
	weft_port_stop(port);
	assert_int_equal(weft_port_start(second, &err), 0);
	assert_ptr_equal(protocol.protocol.port, second);
	weft_port_free(second);
	assert_null(protocol.protocol.port);
}

/* The loop takes a device that can be polled, and not this: a descriptor that is none. */
static int bad_poll_fd(void *user, int fd)
{
	(void)user;
	(void)fd;
	return 8000; /* more than any test has open */
}

static void what_the_loop_refuses_is_told_and_leaks_nothing(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	alter_device(&opts)->poll_fd = bad_poll_fd;
	make_port(&opts);
	assert_start_refused(-EBADF, "the loop does not take the device");
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	assert_int_equal(protocol.started, 0);
	assert_int_equal(weft_port_task(port)->fd, -1);
}

/* ---- what is refused at once ------------------------------------------------------------- */

static void assert_new_refused(const struct weft_port_opts *opts, int code,
			       const char *text)
{
	struct weft_error err = { "" };
	struct weft_port *none = NULL;
	assert_int_equal(weft_port_new(opts, &err, &none), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_null(none);
}

static void names_that_are_none_are_refused(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.name = "a-name-of-16-byt";
	assert_new_refused(&opts, -EINVAL, "at most 15 bytes");
	opts.name = "a-name-of-15-by";
	make_port(&opts);
	start();
	assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "a-name-of-15-by");
	opts.name = "a/b";
	assert_new_refused(&opts, -EINVAL, "no space, '/' or ':'");
	opts.name = "a b";
	assert_new_refused(&opts, -EINVAL, "no space, '/' or ':'");
	opts.name = "..";
	assert_new_refused(&opts, -EINVAL, "no space, '/' or ':'");
}

static void without_a_name_the_kernel_chooses(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.name = NULL;
	make_port(&opts);
	start();
	assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "weft%d");
	assert_string_equal(weft_port_address(port).name, "weft123");
	opts.name = "";
	make_port(&opts);
	start();
	assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "weft%d");
}

static void protocols_that_no_device_carries_are_refused(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	protocol.protocol.layer = WEFT_LAYER_TRANSPORT;
	assert_new_refused(&opts, -EINVAL, "add it to an IP protocol");
	protocol.protocol.layer = WEFT_LAYER_DATAGRAM;
	assert_new_refused(&opts, -EINVAL, "takes what UDP carries");
	protocol.protocol.layer = (enum weft_layer)0;
	assert_new_refused(&opts, -EINVAL, "nothing that is known");
	opts.protocol = NULL;
	assert_new_refused(&opts, -EINVAL, "needs a protocol");
	opts = default_opts();
	protocol.protocol.layer = WEFT_LAYER_PACKET;
	opts.packet_len_max = WEFT_FRAME_LEN_MAX + 1;
	assert_new_refused(&opts, -EMSGSIZE, "65557");
}

/* ---- stopping ---------------------------------------------------------------------------- */

static void stop_leaves_the_loop_and_closes(void **state)
{
	(void)state;
	start();
	int fd = weft_port_fd(port);
	weft_port_stop(port);
	assert_null(weft_port_task(port)->loop_state);
	assert_int_equal(weft_device_close(weft_device_memory_system(memory), fd),
			 -EBADF);
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	assert_int_equal(weft_port_fd(port), -1);
	assert_int_equal(weft_port_task(port)->events, 0);
}

static void stop_unsets_started(void **state)
{
	(void)state;
	start();
	weft_port_stop(port);
	assert_false(weft_port_is_started(port));
}

static void stop_disconnects_the_protocol(void **state)
{
	(void)state;
	start();
	weft_port_stop(port);
	assert_null(protocol.protocol.port);
	assert_int_equal(protocol.stopped, 1);
}

static void stopping_a_stopped_port_is_nothing(void **state)
{
	(void)state;
	weft_port_stop(port);
	assert_int_equal(protocol.stopped, 0);
	assert_false(weft_port_is_started(port));
}

static void a_second_stop_is_nothing(void **state)
{
	(void)state;
	start();
	weft_port_stop(port);
	weft_port_stop(port);
	assert_int_equal(protocol.stopped, 1);
}

/* Freeing is the other way to stop. */
static void free_stops(void **state)
{
	(void)state;
	start();
	weft_port_free(port);
	port = NULL;
	assert_int_equal(protocol.stopped, 1);
	assert_null(protocol.protocol.port);
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	weft_port_free(NULL);
}

static void a_port_stops_and_starts_as_often_as_one_likes(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		start();
		assert_int_equal(weft_device_memory_open_count(memory), 1);
		assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "weft0");
		put("again");
		assert_int_equal(weft_port_read(port, i), 1);
		assert_int_equal(weft_port_write(port, "x", 1), 1);
		weft_port_stop(port);
		assert_int_equal(weft_device_memory_open_count(memory), 0);
		assert_int_equal(protocol.started, i);
		assert_int_equal(protocol.stopped, i);
		assert_int_equal(protocol.n, i);
	}
}

/* ---- for people -------------------------------------------------------------------------- */

static void the_address_is_the_devices(void **state)
{
	char text[WEFT_PORT_ADDRESS_TEXT];
	(void)state;
	start();
	struct weft_port_address address = weft_port_address(port);
	assert_int_equal(address.kind, kind);
	assert_string_equal(address.name, weft_tunnel_facts(the_tunnel()).name);
	assert_string_equal(weft_port_address_print(&address, text),
			    kind == WEFT_DEVICE_TAP ? "tap:weft0123" : "tun:weft0123");
	weft_port_stop(port);
	assert_string_equal(weft_port_address(port).name, "weft0");
}

static void a_started_port_prints_where_it_is(void **state)
{
	char text[WEFT_PORT_TEXT], expected[WEFT_PORT_TEXT];
	(void)state;
	start();
	snprintf(expected, sizeof(expected), "recorder on %s:weft0123", kind_text());
	assert_string_equal(weft_port_print(port, text), expected);
}

static void a_stopped_port_prints_where_it_is_not(void **state)
{
	char text[WEFT_PORT_TEXT], expected[WEFT_PORT_TEXT];
	(void)state;
	snprintf(expected, sizeof(expected), "recorder not on %s:weft0", kind_text());
	assert_string_equal(weft_port_print(port, text), expected);
}

static void the_prefix_names_protocol_and_kind(void **state)
{
	char text[WEFT_PORT_TEXT], expected[WEFT_PORT_TEXT];
	(void)state;
	snprintf(expected, sizeof(expected), "recorder (%s)", kind_text());
	assert_string_equal(weft_port_prefix(port, text), expected);
}

static void long_names_of_protocols_are_cut(void **state)
{
	char name[1000], text[WEFT_PORT_TEXT];
	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	protocol.protocol.name = name;
	assert_non_null(strstr(weft_port_print(port, text), "x not on"));
	assert_non_null(strstr(weft_port_prefix(port, text), "x ("));
}

/* ---- addresses --------------------------------------------------------------------------- */

static const struct weft_port_address first = { WEFT_DEVICE_TUN, "device" };
static const struct weft_port_address same = { WEFT_DEVICE_TUN | WEFT_DEVICE_TUN,
					       "device" };
static const struct weft_port_address other_kind = { WEFT_DEVICE_TAP, "device" };
static const struct weft_port_address other_name = { WEFT_DEVICE_TUN, "tun1" };

static void an_address_equals_itself(void **state)
{
	(void)state;
	assert_true(weft_port_address_equal(&first, &first));
}

static void addresses_of_the_same_values_are_equal(void **state)
{
	(void)state;
	assert_true(weft_port_address_equal(&first, &same));
	assert_true(weft_port_address_equal(&same, &first));
}

static void another_kind_makes_another_address(void **state)
{
	(void)state;
	assert_false(weft_port_address_equal(&first, &other_kind));
}

static void another_name_makes_another_address(void **state)
{
	(void)state;
	assert_false(weft_port_address_equal(&first, &other_name));
}

/* What is behind the NUL is no part of a name; a name of 16 bytes has none. */
static void only_the_name_counts_in_a_name(void **state)
{
	struct weft_port_address dirty = first;
	struct weft_port_address full = { WEFT_DEVICE_TUN, "0123456789abcde" };
	char text[WEFT_PORT_ADDRESS_TEXT];
	(void)state;
	dirty.name[10] = 'x';
	assert_true(weft_port_address_equal(&first, &dirty));
	full.name[15] = 'f';
	assert_string_equal(weft_port_address_print(&full, text), "tun:0123456789abcdef");
}

/* Kind and name are members, not places in a tuple. */
static void an_address_has_a_kind_and_a_name(void **state)
{
	const struct weft_port_address address = { .kind = WEFT_DEVICE_TAP,
						   .name = "tap0" };
	char text[WEFT_PORT_ADDRESS_TEXT];
	(void)state;
	assert_int_equal(address.kind, WEFT_DEVICE_TAP);
	assert_string_equal(address.name, "tap0");
	assert_string_equal(weft_port_address_print(&address, text), "tap:tap0");
	assert_string_equal(weft_port_address_print(&first, text), "tun:device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_new_port_runs_on_the_kernels_devices),
		BOTH(a_port_offers_all_that_listens),
		BOTH(start_opens_the_device),
		BOTH(start_sets_started),
		BOTH(start_connects_the_protocol),
		BOTH(start_enters_the_loop),
		BOTH(a_refused_open_is_told),
		BOTH(a_refused_configuration_is_told_and_leaks_nothing),
		BOTH(a_second_start_is_refused),
		BOTH(a_protocol_is_on_one_port_at_a_time),
		BOTH(what_the_loop_refuses_is_told_and_leaks_nothing),
		BOTH(names_that_are_none_are_refused),
		BOTH(without_a_name_the_kernel_chooses),
		BOTH(protocols_that_no_device_carries_are_refused),
		BOTH(stop_leaves_the_loop_and_closes),
		BOTH(stop_unsets_started),
		BOTH(stop_disconnects_the_protocol),
		BOTH(stopping_a_stopped_port_is_nothing),
		BOTH(a_second_stop_is_nothing),
		BOTH(free_stops),
		BOTH(a_port_stops_and_starts_as_often_as_one_likes),
		BOTH(the_address_is_the_devices),
		BOTH(a_started_port_prints_where_it_is),
		BOTH(a_stopped_port_prints_where_it_is_not),
		BOTH(the_prefix_names_protocol_and_kind),
		BOTH(long_names_of_protocols_are_cut),
		cmocka_unit_test(an_address_equals_itself),
		cmocka_unit_test(addresses_of_the_same_values_are_equal),
		cmocka_unit_test(another_kind_makes_another_address),
		cmocka_unit_test(another_name_makes_another_address),
		cmocka_unit_test(only_the_name_counts_in_a_name),
		cmocka_unit_test(an_address_has_a_kind_and_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
