/* SPDX-License-Identifier: MIT */
/*
 * The least that a program can do between a TUN and one TCP connection: the measure for
 * `weft tunnel`. Super-frames with their virtio-net header are copied, both ways, and nothing
 * else happens: no HTTP, no queue of its own, no routes, no second peer.
 *
 *     bench-vnetcopy [--http] TUN listen|connect ADDRESS PORT [CONGESTION]
 *
 *     u16 length of the packet (LE) | 12 bytes virtio-net header | packet
 *
 * What the TUN has is read until there is no more or the buffer is full, and goes out in one
 * send; while the socket takes nothing, the TUN is not read.
 *
 * With --http there is just enough of HTTP to pass a proxy: what goes to the server is the body of
 * a PUT, what comes from it that of a GET, and each send is a chunk (RFC 9112, 7.1).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
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

/* Six digits and an end of line before a chunk's bytes, another behind them. */
#define CHUNK_HEAD_LEN 8u
#define CHUNK_TAIL_LEN 2u

/* What waits for the socket, or what has come from it. */
struct buffer {
	uint8_t data[BUF_LEN];
	size_t off, len;
};

static struct buffer out, in;

/* One and the same without HTTP. */
struct sockets {
	int in, out;
};

static bool is_http;
/* Bytes of the chunk that are to come; without HTTP there is no end. */
static size_t chunk_left;
/* What the digits of the next one have said so far. */
static size_t chunk_size;

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

static int tune(int fd, const char *congestion)
{
	const int on = 1;
	if (congestion && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
				     (socklen_t)strlen(congestion)) < 0)
		die(congestion);
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		die("socket");
	return fd;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static int listen_at(const struct sockaddr_in *addr, const char *congestion)
{
	const int on = 1;
	int fd = tune(open_socket(), congestion);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
	    listen(fd, 2) < 0)
		die("listen");
	(void)puts("listening");
	(void)fflush(stdout);
	return fd;
}

static int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	return fd;
}

static int connect_to(const struct sockaddr_in *addr, const char *congestion)
{
	int fd = tune(open_socket(), congestion);
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		die("connect");
	return fd;
}

/* ---- HTTP: the heads, while the sockets still block -------------------------------------- */

static void say(int fd, const char *head)
{
	if (send(fd, head, strlen(head), MSG_NOSIGNAL) < 0)
		die("send");
}

/* Returns its first letter. Byte by byte: what follows the head is left where it is. */
static char read_head(int fd)
{
	char first = 0, last[4] = "";
	while (memcmp(last, "\r\n\r\n", 4) != 0) {
		memmove(last, last + 1, 3);
		if (recv(fd, &last[3], 1, 0) != 1)
			die("a head");
		first = first ? first : last[3];
	}
	return first;
}

static void answer(int listener, struct sockets *s)
{
	for (int i = 0; i < 2; i++) {
		int fd = accept_one(listener);
		if (read_head(fd) == 'P')
			s->in = fd;
		else
			s->out = fd;
	}
	say(s->out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void ask(const struct sockaddr_in *addr, const char *congestion, struct sockets *s)
{
	s->in = connect_to(addr, congestion);
	s->out = connect_to(addr, congestion);
	say(s->in, "GET / HTTP/1.1\r\nHost: copy\r\n\r\n");
	say(s->out, "PUT / HTTP/1.1\r\nHost: copy\r\nTransfer-Encoding: chunked\r\n\r\n");
	(void)read_head(s->in);
}

static struct sockets open_sockets(char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port =
					    htons((uint16_t)strtoul(argv[4], NULL, 10)) };
	const bool listens = strcmp(argv[2], "listen") == 0;
	struct sockets s = { -1, -1 };

	if (inet_pton(AF_INET, argv[3], &addr.sin_addr) != 1)
		die(argv[3]);
	if (listens && is_http)
		answer(listen_at(&addr, argv[5]), &s);
	else if (is_http)
		ask(&addr, argv[5], &s);
	else if (listens)
		s.in = s.out = accept_one(listen_at(&addr, argv[5]));
	else
		s.in = s.out = connect_to(&addr, argv[5]);
	if (fcntl(s.in, F_SETFL, O_NONBLOCK) < 0 || fcntl(s.out, F_SETFL, O_NONBLOCK) < 0)
		die("socket");
	return s;
}

/* ---- TUN to socket ----------------------------------------------------------------------- */

static void frame_chunk(void)
{
	char head[CHUNK_HEAD_LEN + 1];
	(void)snprintf(head, sizeof(head), "%06zx\r\n", out.len - CHUNK_HEAD_LEN);
	memcpy(out.data, head, CHUNK_HEAD_LEN);
	memcpy(out.data + out.len, "\r\n", CHUNK_TAIL_LEN);
	out.len += CHUNK_TAIL_LEN;
}

static void read_records(int tun)
{
	while (BUF_LEN - out.len >= RECORD_MAX + CHUNK_TAIL_LEN) {
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

static void read_tun(int tun)
{
	const size_t head_len = is_http ? CHUNK_HEAD_LEN : 0;
	out.len = head_len;
	read_records(tun);
	if (out.len == head_len)
		out.len = 0;
	else if (is_http)
		frame_chunk();
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

/* ---- socket to TUN ----------------------------------------------------------------------- */

/* Of hexadecimal digits. */
static size_t digit_of(uint8_t c)
{
	return c <= '9' ? c - (size_t)'0' : (c | 0x20u) - (size_t)'a' + 10;
}

/*
 * Passes over what stands before a chunk's bytes, the end of the one before too: a line without
 * digits. Returns how much of data that is.
 */
static size_t skip_framing(const uint8_t *data, size_t len)
{
	size_t n = 0;
	while (n < len && chunk_left == 0) {
		const uint8_t c = data[n++];
		if (c == '\n') {
			chunk_left = chunk_size;
			chunk_size = 0;
		} else if (c != '\r') {
			chunk_size = chunk_size << 4 | digit_of(c);
		}
	}
	return n;
}

/* Writes those that are whole; returns where the next one begins. */
static size_t write_records(int tun, size_t off, size_t end)
{
	while (end - off >= HEAD_LEN) {
		size_t len = (size_t)(in.data[off] | in.data[off + 1] << 8);
		if (end - off < HEAD_LEN + len)
			break;
		(void)!write(tun, in.data + off + 2, VNET_LEN + len);
		off += HEAD_LEN + len;
	}
	return off;
}

/* The beginning of a record, from off to end, is moved up to where the rest of it stands. */
static size_t close_gap(size_t off, size_t end, size_t gap)
{
	if (gap > 0)
		memmove(in.data + off + gap, in.data + off, end - off);
	return off + gap;
}

/* What has come is taken where it lies; of a record that is not whole the beginning is kept. */
static void socket_to_tun(int sock, int tun)
{
	size_t off = 0, end = in.len;
	ssize_t n = recv(sock, in.data + end, BUF_LEN - end, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		exit(0);
	for (const size_t all = end + (size_t)n; end < all;) {
		size_t gap = skip_framing(in.data + end, all - end);
		off = close_gap(off, end, gap);
		end += gap;
		size_t body = chunk_left < all - end ? chunk_left : all - end;
		chunk_left -= body;
		end += body;
		off = write_records(tun, off, end);
	}
	in.len = end - off;
	memmove(in.data, in.data + off, in.len);
}

int main(int argc, char **argv)
{
	is_http = argc > 1 && strcmp(argv[1], "--http") == 0;
	argc -= is_http;
	argv += is_http;
	if (argc < 5)
		return 2;
	chunk_left = is_http ? 0 : SIZE_MAX;
	int tun = open_tun(argv[1]);
	const struct sockets socks = open_sockets(argv);
	struct pollfd fds[] = { { .fd = tun },
				{ .fd = socks.in, .events = POLLIN },
				{ .events = POLLOUT } };

	for (;;) {
		fds[0].events = out.len > 0 ? 0 : POLLIN;
		fds[2].fd = out.len > 0 ? socks.out : -1;
		if (poll(fds, 3, -1) < 0)
			die("poll");
		if (fds[1].revents)
			socket_to_tun(socks.in, tun);
		if (fds[0].revents)
			read_tun(tun);
		if (out.len > 0)
			write_socket(socks.out);
	}
}
