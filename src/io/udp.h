/* SPDX-License-Identifier: MIT */
/*
 * What the implementations of dgram share: the socket with its options, and the control
 * messages (cmsg(3)) that carry addresses, ECN and segment lengths beside the data.
 *
 * A socket on [::] sees IPv4 peers as ::ffff:192.0.2.1 (RFC 4291 2.5.5.2). Callers never do:
 * here such addresses are turned into plain IPv4 on the way in, and back on the way out.
 */
#ifndef IO_UDP_H
#define IO_UDP_H

#include "io/dgram.h"

#include <stdalign.h>
#include <sys/socket.h>

/** Room for the control messages of one datagram: address, ECN, segment length. */
#define UDP_CONTROL_LEN                                                     \
	(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + \
	 CMSG_SPACE(sizeof(int)))

/**
 * Buffers of one message. The caller sets iov to the data; udp_prepare_* points a msghdr at
 * all of it, so a slot must not move until the call is made.
 */
struct udp_slot {
	struct iovec iov;
	union weft_sockaddr name;
	alignas(struct cmsghdr) uint8_t control[UDP_CONTROL_LEN];
};

/** Makes hdr ready to receive into slot. */
void udp_prepare_recv(struct msghdr *hdr, struct udp_slot *slot);

/**
 * Makes a message of what came in: len bytes in hdr. Returns false for a message that was
 * cut short or has no usable peer.
 */
bool udp_read_msg(struct msghdr *hdr, size_t len, const union weft_sockaddr *bound,
		  struct dgram_msg *ret_msg);

/**
 * Makes hdr ready to send slot's data with msg's addresses and ECN, from a socket of the
 * given family. No segment length is set.
 */
void udp_prepare_send(struct msghdr *hdr, struct udp_slot *slot,
		      const struct dgram_msg *msg, int family);

/** Adds a control message to hdr; there is room for UDP_CONTROL_LEN in all. */
void udp_put_cmsg(struct msghdr *hdr, int level, int type, const void *data, size_t len);

/** What ICMP reported of some peer (ip(7)): no fault of the socket. */
bool udp_is_peer_error(int err);

/**
 * Sends all of msg as single datagrams. Returns 1 when they were taken (a refusal for good
 * is loss), 0 when the socket is full and nothing was sent. *ret_accepted, which may be NULL,
 * says whether the kernel took the first one.
 */
int udp_send_singly(int fd, int family, const struct dgram_msg *msg, bool *ret_accepted);

/** The implementations. They own fd, also when they fail with -ENOMEM. */
int dgram_plain_new(int fd, const union weft_sockaddr *bound,
		    struct dgram **ret_dgram) WEFT_MUST_CHECK;
int dgram_batched_new(int fd, const union weft_sockaddr *bound,
		      struct dgram **ret_dgram) WEFT_MUST_CHECK;

#endif
