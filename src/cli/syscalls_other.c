/* SPDX-License-Identifier: MIT */
/* Where there is no filter for system calls, or weft was built without it. */
#include "cli/syscalls.h"

#include <stddef.h>

int syscalls_restrict(void)
{
	return 0;
}

const char *syscalls_library(char buf[SYSCALLS_TEXT])
{
	(void)buf;
	return NULL;
}
