/* SPDX-License-Identifier: MIT */
/*
 * Namespaces that end with the test, and the shell that fills them.
 */
#include "netns.h"

#include "../unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* Becomes root of a user namespace: without being root, programs lose what it permits. */
static bool unshare_user(void)
{
	char uid_map[40], gid_map[40];
	(void)snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned)geteuid());
	(void)snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER) == 0 &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", uid_map) &&
	       write_text("/proc/self/gid_map", gid_map);
}

bool netns_try_enter(void)
{
	return unshare(CLONE_NEWNET) == 0 ||
	       (unshare_user() && unshare(CLONE_NEWNET) == 0);
}

static bool can_open_tun(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

const char *netns_lacks(void)
{
	if (!netns_try_enter())
		return "network namespaces are not permitted";
	if (!try_sh("ip link set dev lo up 2>/dev/null"))
		return "there is no ip(8)";
	return NULL;
}

const char *netns_lacks_tun(void)
{
	const char *lack = netns_lacks();
	return lack || can_open_tun() ? lack : "/dev/net/tun cannot be opened";
}

int skip_all(const char *reason)
{
	(void)printf("1..0 # SKIP %s\n", reason);
	return 0;
}

void netns_enter(void)
{
	assert_true(netns_try_enter());
	sh("ip link set dev lo up");
}

bool try_sh(const char *format, ...)
{
	char command[400] = "PATH=$PATH:/usr/sbin:/sbin; ";
	size_t begin = strlen(command);
	size_t room = sizeof(command) - begin;
	va_list args;
	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start. */
	int len = vsnprintf(command + begin, room, format, args);
	va_end(args);
	assert_in_range(len, 1, room - 1);
	return system(command) == 0; /* NOLINT(cert-env33-c): the test's own text. */
}
