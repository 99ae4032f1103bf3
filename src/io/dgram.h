/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in batches: the face that QUIC has on UDP.
 *
 * One message may hold several datagrams of equal length (the last may be shorter) when
 * segment_len is set: UDP_SEGMENT on the way out, UDP_GRO on the way in (udp(7)). That is
 * where a tunnel's speed comes from: one system call and one trip through the IP stack for
 * forty datagrams. dgram_linux.c has recvmmsg, sendmmsg, GSO and GRO; dgram_plain.c does the
 * same with recvmsg and sendmsg alone; tests/sim has a network in memory.
 */
#ifndef IO_DGRAM_H
#define IO_DGRAM_H

#include <weft/addr.h>
#include <weft/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes in one message: the UDP limit over IPv4. */
#define DGRAM_LEN_MAX 65507u

/** Most datagrams in one message (UDP_MAX_SEGMENTS of older kernels). */
#define DGRAM_SEGMENTS_MAX 64u

struct dgram_msg {
	union weft_sockaddr peer;
	/** In: where it was sent to. Out: the source, family 0 for the kernel's choice. */
	union weft_sockaddr local;
	uint8_t *data;
	size_t len;
	size_t segment_len; /**< Bytes of each datagram; 0 or >= len: only one. */
	uint8_t ecn;        /**< The two ECN bits (RFC 3168). */
};

struct dgram;

struct dgram_ops {
	int (*recv)(struct dgram *d, struct dgram_msg *ret_msgs, size_t n);
	int (*send)(struct dgram *d, const struct dgram_msg *msgs, size_t n);
	void (*free)(struct dgram *d);
};

/** What every implementation starts with. */
struct dgram {
	const struct dgram_ops *ops;
	int fd;                    /**< To watch for input; -1 where there is none. */
	unsigned segments_max;     /**< Datagrams in a message to send; 1 without GSO. */
	union weft_sockaddr bound; /**< Local address with the port in use. */
	uint64_t taken; /**< Messages that the kernel has sent, where it says. */
	int refusal;    /**< Why it sent the last of the others not: -Exxx, or 0. */
};

struct dgram_udp_opts {
	union weft_sockaddr bind; /**< [::] takes IPv4 too. Port 0: the kernel chooses. */
	bool plain; /**< No offload and no batches: to compare, and in tests. */
};

/**
 * Opens a UDP socket: non-blocking, close-on-exec, don't-fragment set without the kernel's
 * path MTU (IP_PMTUDISC_PROBE), ECN and destination address reported.
 * Returns 0, or -Exxx with err saying why (-EADDRINUSE, -EACCES, ...).
 */
int dgram_udp_new(const struct dgram_udp_opts *opts, struct weft_error *err,
		  struct dgram **ret_dgram) WEFT_MUST_CHECK;

/**
 * Receives up to n messages into memory that belongs to d and is valid until the next call.
 * Returns how many (>= 1), -EAGAIN when there is none, or another -Exxx. What ICMP reports
 * of single peers (ECONNREFUSED and the like) is swallowed.
 */
static inline int dgram_recv(struct dgram *d, struct dgram_msg *ret_msgs, size_t n)
{
	return d->ops->recv(d, ret_msgs, n);
}

/**
 * Sends n messages, in order. Returns how many were taken; fewer than n means that the
 * socket is full and the caller tries the rest again. A message that the kernel refuses for
 * good (EMSGSIZE, unreachable) counts as taken: to a datagram protocol it is loss. Where a
 * NIC refuses GSO (EIO), d falls back to single datagrams by itself.
 */
static inline int dgram_send(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	return d->ops->send(d, msgs, n);
}

/** Closes. NULL is allowed. */
static inline void dgram_free(struct dgram *d)
{
	if (d)
		d->ops->free(d);
}

#endif
