/* SPDX-License-Identifier: MIT */
/*
 * A cable between two TAPs: what the kernel's TCP is left with when its segments take the same
 * way as those of a stack behind a TAP, out of the kernel and into it again.
 *
 *     bench-tapcopy TAP TAP       super-frames with their virtio-net headers, read and written
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRAME_MAX 65600u
#define BATCH     16u

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-tapcopy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_tap(const char *name)
{
	const unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, offloads) < 0)
		die(name);
	return fd;
}

/* What the other side refuses is lost, as on any cable. */
static void copy(int from, int to)
{
	static uint8_t frame[FRAME_MAX];
	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t n = read(from, frame, sizeof(frame));
		if (n <= 0)
			return;
		(void)!write(to, frame, (size_t)n);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	struct pollfd fds[] = { { .fd = open_tap(argv[1]), .events = POLLIN },
				{ .fd = open_tap(argv[2]), .events = POLLIN } };
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[0].revents)
			copy(fds[0].fd, fds[1].fd);
		if (fds[1].revents)
			copy(fds[1].fd, fds[0].fd);
	}
}
