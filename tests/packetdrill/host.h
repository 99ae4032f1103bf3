/* SPDX-License-Identifier: MIT */
/*
 * The stack as packetdrill sees it: socket calls on one side, IP packets on the other, and a
 * clock that moves only when it is told to.
 *
 *      socket calls --- [ stack ] --- link in memory --- host_packet_in, host_packet_out
 *                            '--- host_run_until
 *
 * Two stand on it: the interface that packetdrill loads (interface.c), and the driver of our own
 * (drive.c). No call blocks. One that would have to says -EAGAIN, connect -EINPROGRESS, whether
 * the program asked for it or not: host_is_blocking tells who has to try again later.
 */
#ifndef TESTS_PACKETDRILL_HOST_H
#define TESTS_PACKETDRILL_HOST_H

#include "base/list.h"
#include "link/link.h"

#include <weft/addr.h>
#include <weft/socket.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_PACKET_MAX  2048u
#define HOST_SOCKETS_MAX 64u

/* What packetdrill takes if it is not told otherwise. */
#define HOST_LOCAL4  "192.168.0.1/16"
#define HOST_REMOTE4 "192.0.2.1"
#define HOST_LOCAL6  "fd3d:a0b:17d6::1/48"
#define HOST_REMOTE6 "fd3d:fa7b:d17d::1"

/** A packet that the stack has sent, complete. */
struct host_packet {
	struct list of_sent;
	uint64_t at; /**< In ns. */
	size_t len;
	uint8_t bytes[HOST_PACKET_MAX];
};

struct host {
	struct weft_link link;
	struct weft_stack *stack;
	struct weft_sockets *sockets;
	struct list sent;
	uint64_t now;
	bool is_nonblocking[HOST_SOCKETS_MAX];
};

/** Sets it up with both addresses. mtu is that of IP. Returns 0 or -Exxx. */
int host_init(struct host *h, uint32_t mtu) WEFT_MUST_CHECK;
void host_fini(struct host *h);

/* ---- packets and time -------------------------------------------------------------------- */

void host_packet_in(struct host *h, const uint8_t *bytes, size_t len);
/** The next packet of TCP, UDP, ICMP or ICMPv6; to be freed with free(). NULL: none. */
struct host_packet *host_packet_out(struct host *h);
bool host_has_packet(const struct host *h);
/** When something is due next, in ns; WEFT_NEVER. */
uint64_t host_next(const struct host *h);
/** Lets time pass, and what is due meanwhile happen at its time. */
void host_run_until(struct host *h, uint64_t until);

/* ---- socket calls: as in the manual, but that errors are -Exxx --------------------------- */

int host_socket(struct host *h, int domain, int type);
int host_bind(struct host *h, int s, const union weft_sockaddr *local);
int host_listen(struct host *h, int s, int backlog);
int host_accept(struct host *h, int s);
int host_connect(struct host *h, int s, const union weft_sockaddr *peer);
/** What has become of a connect: 0, -EINPROGRESS, or why it failed. */
int host_connected(struct host *h, int s);
int host_read(struct host *h, int s, void *buf, size_t len);
/** flags: 0 or MSG_OOB. */
int host_write(struct host *h, int s, const void *data, size_t len, int flags);
int host_sendto(struct host *h, int s, const void *data, size_t len,
		const union weft_sockaddr *peer);
int host_recvfrom(struct host *h, int s, void *buf, size_t len,
		  union weft_sockaddr *ret_peer);
int host_shutdown(struct host *h, int s, int how);
int host_close(struct host *h, int s);
int host_getflags(const struct host *h, int s);
int host_setflags(struct host *h, int s, int flags);
int host_setsockopt(struct host *h, int s, int level, int name, int value);
int host_getsockopt(struct host *h, int s, int level, int name, int *ret_value);
bool host_is_blocking(const struct host *h, int s);
/** POLLIN, POLLOUT, POLLERR and POLLHUP of poll(2), those that hold. */
int host_poll(const struct host *h, int s);

#endif
