/* SPDX-License-Identifier: MIT */
/*
 * The inside of weft_host for tests: the same host on a machine of their own making.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "host/netlink.h"

#include <weft/host.h>

/** weft_host_new with the kernel given. nl becomes the host's, also when this fails. */
int host_new_on(const struct weft_host_opts *opts, struct netlink *nl,
		struct weft_error *err, struct weft_host **ret_host) WEFT_MUST_CHECK;

#endif
