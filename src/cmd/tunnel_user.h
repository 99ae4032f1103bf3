/* SPDX-License-Identifier: MIT */
/*
 * `weft tunnel --user`: the host on a tunnel's interface is one in this process (cmd/rootless.h),
 * and not this machine. One interface of a configuration is all that it has.
 *
 *     tunnels: "the MTU is 1400, the address 10.77.0.2/24" --> devices --> rootless
 */
#ifndef CMD_TUNNEL_USER_H
#define CMD_TUNNEL_USER_H

#include "cmd/rootless.h"

#include <weft/tunnel.h>

/** Zero but for args, output and loop is one that has not begun. */
struct tunnel_user {
	const struct rootless_args *args;
	const struct output *output;
	struct weft_loop *loop;
	struct rootless rootless;
	const struct weft_link *link; /* the tunnel's end; NULL while there is none */
	uint32_t mtu;
};

/** What the tunnels are given; their devices_user is a struct tunnel_user. */
extern const struct weft_tunnels_devices tunnel_user_devices;

#endif
