/* SPDX-License-Identifier: MIT */
/*
 * Whether router advertisements may give an interface a default route: a switch of its own in
 * proc(5), because rtnetlink has no message for it. It outlives this process where the device
 * does, as a TAP that was made beforehand.
 *
 * A process that gives its rights up can open the file no more when it is to take the refusal
 * back. So the descriptor stays open from the refusal on; the kernel still asks for
 * CAP_NET_ADMIN at each write. One is enough, for the device that a member takes part by.
 */
#include "host/rtnetlink_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int open_switch(const struct change *change, int flags)
{
	char path[80];
	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra_defrtr",
		       change->ifname);
	int fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_kept(const struct rtnetlink *rt, const struct change *change)
{
	return rt->switch_fd >= 0 && rt->switch_ifindex == change->ifindex;
}

static int read_switch(int fd)
{
	char value;
	ssize_t n = pread(fd, &value, 1, 0);
	if (n < 0)
		return -errno;
	return n == 1 ? value == '0' : -EIO;
}

int rtnetlink_refusal_is_made(const struct rtnetlink *rt, const struct change *change)
{
	if (is_kept(rt, change))
		return read_switch(rt->switch_fd);
	int fd = open_switch(change, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 1 : fd;
	int r = read_switch(fd);
	(void)close(fd);
	return r;
}

int rtnetlink_set_refusal(struct rtnetlink *rt, const struct change *change, bool after)
{
	if (!is_kept(rt, change)) {
		int fd = open_switch(change, O_RDWR);
		if (fd < 0)
			return fd;
		if (rt->switch_fd >= 0)
			(void)close(rt->switch_fd);
		rt->switch_fd = fd;
		rt->switch_ifindex = change->ifindex;
	}
	return pwrite(rt->switch_fd, after ? "0\n" : "1\n", 2, 0) < 0 ? -errno : 0;
}
