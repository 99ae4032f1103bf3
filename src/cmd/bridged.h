/* SPDX-License-Identifier: MIT */
/*
 * One of the links that `weft bridge` joins: any that weft_link_open knows, or a network
 * (cmd/network.h), which is entered while the bridge runs.
 */
#ifndef CMD_BRIDGED_H
#define CMD_BRIDGED_H

#include "cmd/network.h"

#include <weft/bridge.h>

struct bridged {
	char *spec;
	bool isolated;
	bool was_down; /* That it is down has been said. */
	struct weft_link *link;
	struct network network; /* That the link is of, perhaps. */
	struct weft_bridge_port *port;
	uint64_t rx_bytes; /* At the last tick. */
};

/** Opens the link. Returns STATUS_OK, or what the program ends with: the reason has been said. */
int bridged_open(struct bridged *b, const struct command *command, struct weft_loop *loop,
		 struct output *out) WEFT_MUST_CHECK;

/** Whether it can be joined with the n others. Returns 0, or -EINVAL with err. */
int bridged_check(const struct bridged *b, const struct bridged *others, size_t n,
		  struct weft_error *err) WEFT_MUST_CHECK;

/** What people call it. */
const char *bridged_name(const struct bridged *b);

/** Whether it carries nothing any more; ret_reason may be empty. */
bool bridged_is_down(const struct bridged *b, const char **ret_reason);

/** Whether it is a device of this machine, which is not to go away. */
bool bridged_is_device(const struct bridged *b);

/** Frees the link, when the bridge is gone and before the loop is. */
void bridged_close(struct bridged *b, struct weft_loop *loop);

#endif
