/* SPDX-License-Identifier: MIT */
/*
 * proc(5): each switch is a file. CAP_NET_ADMIN is enough for those of the network.
 */
#include "cli/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sysctl_write(const char *path, const char *value)
{
	char name[160];
	int n = snprintf(name, sizeof(name), "/proc/sys/%s", path);
	if (n < 0 || (size_t)n >= sizeof(name))
		return -ENAMETOOLONG;
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}
