/* SPDX-License-Identifier: MIT */
/*
 * The rights of a server that is not yet done with root: what it needs until the interface is
 * made, and whose process it is from then on. privilege_drop (cli/privilege.h) comes after,
 * and takes away the rest.
 */
#ifndef CLI_USER_H
#define CLI_USER_H

#include <weft/error.h>

#include <stdbool.h>

/**
 * Gives up all but what it takes to make an interface and to change the user later on
 * (CAP_NET_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP), as far as they are there.
 * Returns 0 or -Exxx with err.
 */
int user_wait(struct weft_error *err) __attribute__((warn_unused_result));

/**
 * Makes this a process of the user of that name, with the user's groups. Every capability is
 * given up, or, if asked for, every one but CAP_NET_ADMIN.
 * Returns 0, -ENOENT for no such user, or -EPERM, with err.
 */
int user_become(const char *name, bool keep_net_admin, struct weft_error *err)
	__attribute__((warn_unused_result));

#endif
