/* SPDX-License-Identifier: MIT */
/*
 * A system whose switches are elsewhere.
 */
#include "cli/sysctl.h"

#include <errno.h>

int sysctl_write(const char *path, const char *value)
{
	(void)path;
	(void)value;
	return -ENOTSUP;
}
