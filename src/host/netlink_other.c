/* SPDX-License-Identifier: MIT */
/*
 * Systems whose addresses and routes weft cannot set yet.
 */
#include "host/netlink.h"

#include <errno.h>

int netlink_new(struct netlink **ret_netlink)
{
	(void)ret_netlink;
	return -ENOTSUP;
}
