/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of a local socket in batches: UNIX SOCK_DGRAM, SOCK_SEQPACKET and UDP alike.
 * datagram_linux.c has recvmmsg(2) and sendmmsg(2), datagram_plain.c does the same one by one.
 *
 * A datagram is received into a slot that has the headroom of a frame in front of it, and is
 * handed on from there without a copy.
 */
#ifndef LINK_DATAGRAM_H
#define LINK_DATAGRAM_H

#include "link/link.h"

#include <weft/frame.h>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>

/** Bytes of one text form, with its NUL. */
#define DATAGRAM_ADDR_TEXT 128u

/** Who sent, or who is sent to. len 0: nobody, or whom the socket is connected to. */
struct datagram_addr {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		union weft_sockaddr inet;
	} u;
};

/** One that came in. */
struct datagram {
	/** Belongs to the batch; WEFT_HEADROOM writable bytes in front of it. */
	uint8_t *data;
	uint32_t len;
	bool is_cut; /**< It was longer than any frame. */
	const struct datagram_addr *from;
};

/** Memory for a batch. Touched only as far as it is used. */
struct datagram_batch;

/** Returns 0 or -ENOMEM. */
int datagram_batch_new(struct datagram_batch **ret_batch) WEFT_MUST_CHECK;

/** NULL is allowed. */
void datagram_batch_free(struct datagram_batch *batch);

/**
 * Receives up to LINK_BATCH datagrams, which are valid until the next call. Returns how many
 * (>= 1), or -EAGAIN and what else recvmsg(2) has. Of SOCK_SEQPACKET, one with len 0 is the end.
 */
int datagram_recv(struct datagram_batch *batch, int fd,
		  struct datagram ret_datagrams[LINK_BATCH]) WEFT_MUST_CHECK;

/** One to send: in front of the frame, and the frame. */
struct datagram_out {
	struct iovec parts[2];
};

/**
 * Sends n (1..LINK_BATCH) datagrams in order, to one address. Returns how many went (>= 1), or
 * -Exxx of the first one.
 */
int datagram_send(int fd, const struct datagram_addr *to, struct datagram_out *outs,
		  size_t n) WEFT_MUST_CHECK;

/** A SOCK_DGRAM socket, non-blocking and close-on-exec. Returns it or -Exxx. */
int datagram_socket(int family) WEFT_MUST_CHECK;

/** Whose process is at the other end of a connected UNIX socket. Returns 0 or -Exxx. */
int datagram_peer_uid(int fd, uid_t *ret_uid) WEFT_MUST_CHECK;

/**
 * How much room an own send buffer has, and how much of it is taken by what nobody has read
 * yet, in bytes. Returns 0, or -ENOTSUP where the system does not tell.
 */
int datagram_send_room(int fd, size_t *ret_room, size_t *ret_taken) WEFT_MUST_CHECK;

/** Asks for large buffers, as many bytes as the system lets us have. */
void datagram_set_buffers(int fd, int len);

/**
 * How much of an address there is, of what the kernel says: a path that fills sun_path counts a
 * NUL that has no place in it, and would not be taken back with it.
 */
socklen_t datagram_addr_len(socklen_t told);

/** Same address. */
bool datagram_addr_equal(const struct datagram_addr *a, const struct datagram_addr *b);

/** "/run/vm.sock", "@name" or "192.0.2.1:34523" into buf; returns buf. */
const char *datagram_addr_print(const struct datagram_addr *addr,
				char buf[DATAGRAM_ADDR_TEXT]);

#endif
