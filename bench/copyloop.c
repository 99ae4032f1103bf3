/* SPDX-License-Identifier: MIT */
/*
 * The least that a program can do between a TAP and a socket: the measure for `weft serve`.
 * One read for a frame, one write for a frame; no bridge, no queue, no offload, no limits.
 *
 *     bench-copyloop TAP PATH listen|connect      u16 little-endian length + frame
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
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define BUF_LEN 65536u

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-copyloop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		die(name);
	return fd;
}

static int open_socket(const char *path, int is_listening)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (!is_listening) {
		if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			die(path);
		return fd;
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, 1) < 0)
		die(path);
	(void)puts("listening");
	(void)fflush(stdout);
	fd = accept(fd, NULL, NULL);
	if (fd < 0)
		die(path);
	return fd;
}

static void write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0)
			die("write");
		data += n;
		len -= (size_t)n;
	}
}

static void tap_to_socket(int tap, int sock)
{
	static uint8_t frame[2 + BUF_LEN];
	ssize_t n = read(tap, frame + 2, BUF_LEN);

	if (n <= 0)
		die("the TAP");
	frame[0] = (uint8_t)n;
	frame[1] = (uint8_t)(n >> 8);
	write_all(sock, frame, (size_t)n + 2);
}

/* Frames that are whole are written; the beginning of the next one is kept. */
static void socket_to_tap(int sock, int tap)
{
	static uint8_t buf[BUF_LEN];
	static size_t len;
	size_t off = 0;
	ssize_t n = read(sock, buf + len, BUF_LEN - len);

	if (n <= 0)
		exit(0);
	len += (size_t)n;
	while (len - off >= 2) {
		size_t frame_len = (size_t)(buf[off] | buf[off + 1] << 8);
		if (len - off < 2 + frame_len)
			break;
		(void)!write(tap, buf + off + 2, frame_len);
		off += 2 + frame_len;
	}
	len -= off;
	memmove(buf, buf + off, len);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int tap = open_tap(argv[1]);
	int sock = open_socket(argv[2], strcmp(argv[3], "listen") == 0);
	struct pollfd fds[] = { { .fd = tap, .events = POLLIN },
				{ .fd = sock, .events = POLLIN } };

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			tap_to_socket(tap, sock);
		if (fds[1].revents)
			socket_to_tap(sock, tap);
	}
	return 1;
}
