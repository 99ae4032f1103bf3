/* SPDX-License-Identifier: MIT */
/*
 * A port on a device in memory, as every test of ports begins with: made, not started, with a
 * recorder as its protocol, once for a TUN and once for a TAP.
 */
#ifndef TESTS_PORT_RIG_H
#define TESTS_PORT_RIG_H

#include "recorder.h"

#include <weft/port.h>

/* Made by rig_setup. */
extern struct weft_device_memory *memory;
extern struct weft_loop *loop;
extern struct weft_port *port;
extern struct recorder protocol;
extern unsigned kind; /* WEFT_DEVICE_TUN or WEFT_DEVICE_TAP */

/* What the port told. */
extern struct told {
	unsigned failed, ended;
	char protocol[40], handler[40];
	int code;
} told;

int rig_setup(void **state);
int rig_teardown(void **state);

/* What the port was made with. */
struct weft_port_opts default_opts(void);

/* The device does the rest as before; what is returned is to be changed before make_port. */
struct weft_device_ops *alter_device(struct weft_port_opts *opts);

/* Makes it anew. */
void make_port(const struct weft_port_opts *opts);

void start(void);

/* The device that it has opened, and a packet for it to read. */
struct weft_tunnel *the_tunnel(void);
void put(const char *text);

extern unsigned rig_tun, rig_tap;

/* On a TUN, and on a TAP. */
/* clang-format off */
#define BOTH(f)                                                     \
	{ #f " [tun]", f, rig_setup, rig_teardown, &rig_tun },      \
	{ #f " [tap]", f, rig_setup, rig_teardown, &rig_tap }
/* clang-format on */

#endif
