/* SPDX-License-Identifier: MIT */
/*
 * A system without capabilities: a process is root's or it is not.
 */
#include "cli/user.h"

#include <errno.h>

int user_wait(struct weft_error *err)
{
	(void)err;
	return 0;
}

int user_become(const char *name, bool keep_net_admin, struct weft_error *err)
{
	(void)name;
	(void)keep_net_admin;
	return weft_error_set(err, -ENOTSUP, "--user does not work on this system");
}
