/* SPDX-License-Identifier: MIT */
/*
 * Batches by recvmmsg(2) and sendmmsg(2): one system call for up to LINK_BATCH datagrams.
 */
#include "link/datagram.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* One frame of any length with its headroom; not a power of two, to spread over the cache. */
#define SLOT_LEN ((WEFT_HEADROOM + WEFT_FRAME_LEN_MAX + 63u) / 64u * 64u)

struct datagram_batch {
	struct mmsghdr msgs[LINK_BATCH];
	struct iovec iov[LINK_BATCH];
	struct datagram_addr from[LINK_BATCH];
	uint8_t slots[LINK_BATCH][SLOT_LEN];
};

int datagram_batch_new(struct datagram_batch **ret_batch)
{
	struct datagram_batch *batch = malloc(sizeof(*batch));

	if (!batch)
		return -ENOMEM;
	*ret_batch = batch;
	return 0;
}

void datagram_batch_free(struct datagram_batch *batch)
{
	free(batch);
}

static void batch_prepare(struct datagram_batch *b)
{
	for (size_t i = 0; i < LINK_BATCH; i++) {
		b->iov[i] =
			(struct iovec){ b->slots[i] + WEFT_HEADROOM, WEFT_FRAME_LEN_MAX };
		b->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i].u,
			.msg_namelen = sizeof(b->from[i].u),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
		};
	}
}

int datagram_recv(struct datagram_batch *batch, int fd,
		  struct datagram ret_datagrams[LINK_BATCH])
{
	batch_prepare(batch);
	int n = recvmmsg(fd, batch->msgs, LINK_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		const struct mmsghdr *msg = &batch->msgs[i];
		batch->from[i].len = datagram_addr_len(msg->msg_hdr.msg_namelen);
		ret_datagrams[i] = (struct datagram){
			.data = batch->slots[i] + WEFT_HEADROOM,
			.len = msg->msg_len,
			.is_cut = (msg->msg_hdr.msg_flags & MSG_TRUNC) != 0,
			.from = &batch->from[i],
		};
	}
	return n > 0 ? n : -EAGAIN;
}

int datagram_send(int fd, const struct datagram_addr *to, struct datagram_out *outs,
		  size_t n)
{
	struct mmsghdr msgs[LINK_BATCH];
	struct datagram_addr name = *to;

	for (size_t i = 0; i < n; i++) {
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = to->len > 0 ? &name.u : NULL,
			.msg_namelen = to->len,
			.msg_iov = outs[i].parts,
			.msg_iovlen = 2,
		};
	}
	int sent = sendmmsg(fd, msgs, (unsigned)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

void datagram_set_buffers(int fd, int len)
{
	/* An administrator may pass the system's limit. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &len, sizeof(len)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof(len)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len));
}

int datagram_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int datagram_peer_uid(int fd, uid_t *ret_uid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*ret_uid = cred.uid;
	return 0;
}

int datagram_send_room(int fd, size_t *ret_room, size_t *ret_taken)
{
	int taken = 0, room = 0;
	socklen_t len = sizeof(room);

	if (ioctl(fd, SIOCOUTQ, &taken) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &len) < 0)
		return -ENOTSUP;
	*ret_room = (size_t)room;
	*ret_taken = (size_t)taken;
	return 0;
}
