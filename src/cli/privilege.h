/* SPDX-License-Identifier: MIT */
/*
 * Root is for opening things; what is opened stays open without it. A role opens its
 * devices, sockets and files, then calls privilege_drop once, before the first byte from
 * outside is read.
 */
#ifndef CLI_PRIVILEGE_H
#define CLI_PRIVILEGE_H

#include "cli/writable.h"

#include <weft/error.h>

#include <stdbool.h>

struct privilege_opts {
	bool keep_net_admin; /**< Addresses and MTU have to change later on. */
	const struct writable *writable; /**< What stays so; NULL for nothing. */
};

/**
 * Gives up, for good: every capability but CAP_NET_ADMIN (if kept), gaining new ones by
 * exec, writing or executing files anywhere but below the writable directories (where the
 * kernel has Landlock), and system calls that nothing here makes (syscalls.h). Without
 * keep_net_admin a root process becomes nobody.
 * Returns 0 or -Exxx with err. An ordinary user's process is confined as well.
 */
int privilege_drop(const struct privilege_opts *opts,
		   struct weft_error *err) WEFT_MUST_CHECK;

#endif
