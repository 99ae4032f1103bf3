/* SPDX-License-Identifier: MIT */
/*
 * The least that a program can do between a TUN and one TCP connection: the measure for
 * `weft tunnel`. Super-frames with their virtio-net header are copied, both ways, and nothing
 * else happens: no HTTP, no queue of its own, no routes, no second peer.
 *
 *     bench-vnetcopy TUN listen|connect ADDRESS PORT [CONGESTION]
 *
 *     u16 length of the packet (LE) | 12 bytes virtio-net header | packet
 *
 * What the TUN has is read until there is no more or the buffer is full, and goes out in one
 * send; while the socket takes nothing, the TUN is not read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VNET_LEN   12u
#define HEAD_LEN   (2u + VNET_LEN)
#define RECORD_MAX (HEAD_LEN + 65535u)
#define BUF_LEN    262144u

/* What waits for the socket, or what has come from it. */
struct buffer {
	uint8_t data[BUF_LEN];
	size_t off, len;
};

static struct buffer out, in;

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-vnetcopy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int header_len = VNET_LEN;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
	    ioctl(fd, TUNSETVNETHDRSZ, &header_len) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
		die(name);
	return fd;
}

static int accept_one(int listener, const struct sockaddr_in *addr)
{
	const int on = 1;
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
	    listen(listener, 1) < 0)
		die("listen");
	(void)puts("listening");
	(void)fflush(stdout);
	return accept(listener, NULL, NULL);
}

static int open_socket(char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port =
					    htons((uint16_t)strtoul(argv[4], NULL, 10)) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, argv[3], &addr.sin_addr) != 1)
		die(argv[3]);
	if (argv[5] && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, argv[5],
				  (socklen_t)strlen(argv[5])) < 0)
		die(argv[5]);
	if (strcmp(argv[2], "listen") == 0)
		fd = accept_one(fd, &addr);
	else if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("connect");
	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		die("socket");
	return fd;
}

static void read_tun(int tun)
{
	while (BUF_LEN - out.len >= RECORD_MAX) {
		uint8_t *record = out.data + out.len;
		ssize_t n = read(tun, record + 2, RECORD_MAX - 2);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= (ssize_t)VNET_LEN)
			die("the TUN");
		size_t len = (size_t)n - VNET_LEN;
		record[0] = (uint8_t)len;
		record[1] = (uint8_t)(len >> 8);
		out.len += HEAD_LEN + len;
	}
}

static void write_socket(int sock)
{
	while (out.off < out.len) {
		ssize_t n =
			send(sock, out.data + out.off, out.len - out.off, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("send");
		out.off += (size_t)n;
	}
	out.off = out.len = 0;
}

/* Records that are whole are written; the beginning of the next one is kept. */
static void socket_to_tun(int sock, int tun)
{
	size_t off = 0;
	ssize_t n = recv(sock, in.data + in.len, BUF_LEN - in.len, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		exit(0);
	in.len += (size_t)n;
	while (in.len - off >= HEAD_LEN) {
		size_t len = (size_t)(in.data[off] | in.data[off + 1] << 8);
		if (in.len - off < HEAD_LEN + len)
			break;
		(void)!write(tun, in.data + off + 2, VNET_LEN + len);
		off += HEAD_LEN + len;
	}
	in.len -= off;
	memmove(in.data, in.data + off, in.len);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	int tun = open_tun(argv[1]);
	int sock = open_socket(argv);
	struct pollfd fds[] = { { .fd = tun }, { .fd = sock } };

	for (;;) {
		fds[0].events = out.len > 0 ? 0 : POLLIN;
		fds[1].events = (short)(POLLIN | (out.len > 0 ? POLLOUT : 0));
		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
			socket_to_tun(sock, tun);
		if (fds[0].revents)
			read_tun(tun);
		if (out.len > 0)
			write_socket(sock);
	}
}
