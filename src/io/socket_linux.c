/* SPDX-License-Identifier: MIT */
/*
 * tcp(7). A listener hands all of these down to what it accepts.
 */
#include "io/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_IDLE_S     60
#define KEEP_INTERVAL_S 15
#define KEEP_COUNT      4

/* How often it is asked what has come, while more comes. */
#define TAKEN_TRIES 8

/* Linux's TCP_CA_Recovery; what follows it is TCP_CA_Loss. */
#define CA_RECOVERY 3

static void set(int fd, int level, int name, int value)
{
	/* What a socket is not, it cannot be told: a proxy's may be no TCP. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

int socket_tune(int fd, const char *congestion)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, SOCKET_NOTSENT_MAX);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, SOCKET_SILENCE_MS);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
	if (congestion && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
				     (socklen_t)strlen(congestion)) < 0)
		return -errno;
	return 0;
}

/* A new socket has the system's. */
static int read_default(char *ret_name, socklen_t len)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, ret_name, &len);
	(void)close(fd);
	return r;
}

void socket_change_congestion(int fd, const char *congestion)
{
	char name[SOCKET_CONGESTION_LEN] = "";
	if (!congestion && read_default(name, sizeof(name)) < 0)
		return;
	const char *wanted = congestion ? congestion : name;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, wanted,
			 (socklen_t)strlen(wanted));
}

void socket_push(int fd)
{
	set(fd, IPPROTO_TCP, TCP_CORK, 0);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/*
 * What has come, less what waits to be read. Both are asked one after the other, and bytes may
 * come between: only where as much waits before as behind has nothing come.
 */
int socket_taken(int fd, uint64_t *ret_bytes)
{
	for (int tries = 0; tries < TAKEN_TRIES; tries++) {
		struct tcp_info info = { .tcpi_state = 0 };
		socklen_t len = sizeof(info);
		int before = 0, behind = 0;
		if (ioctl(fd, SIOCINQ, &before) < 0 ||
		    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
		    ioctl(fd, SIOCINQ, &behind) < 0)
			return -errno;
		if (before != behind)
			continue;
		*ret_bytes = (uint64_t)info.tcpi_bytes_received - (unsigned)behind;
		return 0;
	}
	return -EAGAIN;
}

int socket_path(int fd, struct socket_path *ret_path)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t len = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return -errno;
	*ret_path =
		(struct socket_path){ .acked = info.tcpi_bytes_acked,
				      .rtt_ns = info.tcpi_rtt * UINT64_C(1000),
				      .is_losing = info.tcpi_ca_state >= CA_RECOVERY };
	return 0;
}

size_t socket_under_way(int fd)
{
	int len = 0;
	return ioctl(fd, SIOCOUTQ, &len) < 0 ? 0 : (size_t)len;
}

void socket_congestions(char *ret_names, size_t len)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_available_congestion_control", "re");
	ret_names[0] = '\0';
	if (!file)
		return;
	if (fgets(ret_names, (int)len, file))
		ret_names[strcspn(ret_names, "\n")] = '\0';
	(void)fclose(file);
}
