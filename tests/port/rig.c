/* SPDX-License-Identifier: MIT */
/*
 * The recorder of what a port tells checks as well that it is told of this port, and after its
 * end.
 */
#include "rig.h"

#include "../unit.h"

#include <stdio.h>
#include <string.h>

struct weft_device_memory *memory;
struct weft_loop *loop;
struct weft_port *port;
struct recorder protocol;
unsigned kind;
struct told told;

unsigned rig_tun = WEFT_DEVICE_TUN;
unsigned rig_tap = WEFT_DEVICE_TAP;

static void on_failed(void *user, const char *name, const char *handler, int code)
{
	assert_ptr_equal(user, &told);
	told.failed++;
	told.code = code;
	assert_true(strlen(name) < sizeof(told.protocol));
	(void)snprintf(told.protocol, sizeof(told.protocol), "%s", name);
	(void)snprintf(told.handler, sizeof(told.handler), "%s", handler);
}

static void on_ended(void *user, struct weft_port *ended, int code)
{
	assert_ptr_equal(user, &told);
	assert_ptr_equal(ended, port);
	assert_false(weft_port_is_started(port));
	told.ended++;
	told.code = code;
}

struct weft_port_opts default_opts(void)
{
	return (struct weft_port_opts){
		.name = "weft0",
		.protocol = &protocol.protocol,
		.system = weft_device_memory_system(memory),
		.loop = loop,
		.events = { .failed = on_failed, .ended = on_ended },
		.user = &told,
	};
}

struct weft_device_ops *alter_device(struct weft_port_opts *opts)
{
	static struct weft_device_system system;
	static struct weft_device_ops ops;
	system = *opts->system;
	ops = *system.ops;
	system.ops = &ops;
	opts->system = &system;
	return &ops;
}

void make_port(const struct weft_port_opts *opts)
{
	struct weft_error err = { "" };
	weft_port_free(port);
	port = NULL;
	if (weft_port_new(opts, &err, &port) < 0)
		fail_msg("%s", err.text);
}

int rig_setup(void **state)
{
	kind = **(unsigned **)state;
	memset(&told, 0, sizeof(told));
	recorder_init(&protocol,
		      kind == WEFT_DEVICE_TAP ? WEFT_LAYER_ETHERNET : WEFT_LAYER_PACKET,
		      "recorder");
	assert_int_equal(weft_device_memory_new(NULL, &memory), 0);
	assert_int_equal(weft_loop_new(NULL, &loop), 0);
	const struct weft_port_opts opts = default_opts();
	make_port(&opts);
	return 0;
}

int rig_teardown(void **state)
{
	(void)state;
	weft_port_free(port);
	port = NULL;
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	weft_device_memory_free(memory);
	weft_loop_free(loop);
	recorder_clear(&protocol);
	return 0;
}

void start(void)
{
	struct weft_error err = { "" };
	if (weft_port_start(port, &err) < 0)
		fail_msg("%s", err.text);
}

struct weft_tunnel *the_tunnel(void)
{
	struct weft_tunnel *tunnel =
		weft_device_memory_tunnel(memory, weft_port_fd(port));
	assert_non_null(tunnel);
	return tunnel;
}

void put(const char *text)
{
	assert_int_equal(weft_tunnel_put(the_tunnel(), text, strlen(text)), 0);
}
