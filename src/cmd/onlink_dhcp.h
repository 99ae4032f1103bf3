/* SPDX-License-Identifier: MIT */
/*
 * A host's address by DHCP: a part of cmd/onlink.h.
 */
#ifndef CMD_ONLINK_DHCP_H
#define CMD_ONLINK_DHCP_H

#include "cmd/onlink.h"

/** Begins to ask, once the host has its interface. Returns 0 or -Exxx. */
int onlink_dhcp_start(struct onlink *on) __attribute__((warn_unused_result));

/** Gives the lease back, and ends. No-op where nobody asks. */
void onlink_dhcp_end(struct onlink *on);

/** Says which address the host has. */
void onlink_tell_address(struct onlink *on, const struct weft_ip *address);

#endif
