/* SPDX-License-Identifier: MIT */
/*
 * Sockets of this machine that never block: what a program in the room is joined to. All the
 * calls that forwarding makes of the kernel are here; what moves the bytes of a stream is in
 * io/socket.h.
 *
 * Addresses are those of tcp(7) and udp(7): a socket on [::] has IPv4 peers as ::ffff:a.b.c.d.
 */
#ifndef IO_HOSTSOCK_H
#define IO_HOSTSOCK_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Listens for TCP. Returns the descriptor or -Exxx. */
int hostsock_listen(const union weft_sockaddr *local) WEFT_MUST_CHECK;

/** Takes a connection. Returns its descriptor, -EAGAIN for none, or -Exxx. */
int hostsock_accept(int fd) WEFT_MUST_CHECK;

/** Begins to connect; see hostsock_status. Returns the descriptor or -Exxx. */
int hostsock_connect(const union weft_sockaddr *peer) WEFT_MUST_CHECK;

/** How a connection is that was begun: 0 once it is made, -EINPROGRESS, or why it failed. */
int hostsock_status(int fd) WEFT_MUST_CHECK;

/** Nothing more will be sent on the stream. */
void hostsock_shutdown(int fd);

/** Closes a stream in order, with all that was sent; or anything else. */
void hostsock_close(int fd);

/** Closes a stream so that its peer gets a reset. */
void hostsock_reset(int fd);

/** Whom a stream is connected to; family 0 for nobody. */
union weft_sockaddr hostsock_peer(int fd);

/** Makes a UDP socket at an address, the port of which may be 0. The descriptor or -Exxx. */
int hostsock_udp(const union weft_sockaddr *local) WEFT_MUST_CHECK;

/** Makes a UDP socket that exchanges with one peer only. Returns the descriptor or -Exxx. */
int hostsock_udp_to(const union weft_sockaddr *peer) WEFT_MUST_CHECK;

/**
 * Takes a datagram, cut if it is longer than len. Returns its length and where it is from (may
 * be NULL), -EAGAIN for none, or -Exxx, such as -ECONNREFUSED, of an earlier one.
 */
int hostsock_receive(int fd, void *buf, size_t len,
		     union weft_sockaddr *ret_peer) WEFT_MUST_CHECK;

/** Sends a datagram, to peer unless NULL; what does not fit is lost, as datagrams are. */
void hostsock_send(int fd, const void *data, size_t len, const union weft_sockaddr *peer);

#endif
