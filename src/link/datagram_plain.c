/* SPDX-License-Identifier: MIT */
/*
 * Batches for systems that move one datagram per system call.
 */
#include "link/datagram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where it does not exist, SO_NOSIGPIPE or an ignored signal does the same. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#define SLOT_LEN ((WEFT_HEADROOM + WEFT_FRAME_LEN_MAX + 63u) / 64u * 64u)

struct datagram_batch {
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

static int recv_one(struct datagram_batch *batch, size_t i, int fd,
		    struct datagram *ret_datagram)
{
	struct iovec iov = { batch->slots[i] + WEFT_HEADROOM, WEFT_FRAME_LEN_MAX };
	struct msghdr msg = {
		.msg_name = &batch->from[i].u,
		.msg_namelen = sizeof(batch->from[i].u),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t got = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (got < 0)
		return -errno;
	batch->from[i].len = datagram_addr_len(msg.msg_namelen);
	*ret_datagram = (struct datagram){
		.data = iov.iov_base,
		.len = (uint32_t)got,
		.is_cut = (msg.msg_flags & MSG_TRUNC) != 0,
		.from = &batch->from[i],
	};
	return 0;
}

int datagram_recv(struct datagram_batch *batch, int fd,
		  struct datagram ret_datagrams[LINK_BATCH])
{
	for (size_t i = 0; i < LINK_BATCH; i++) {
		int r = recv_one(batch, i, fd, &ret_datagrams[i]);
		if (r < 0)
			return i > 0 ? (int)i : r;
		if (ret_datagrams[i].len == 0)
			return (int)i + 1;
	}
	return LINK_BATCH;
}

int datagram_send(int fd, const struct datagram_addr *to, struct datagram_out *outs,
		  size_t n)
{
	struct datagram_addr name = *to;

	for (size_t i = 0; i < n; i++) {
		struct msghdr msg = {
			.msg_name = to->len > 0 ? &name.u : NULL,
			.msg_namelen = to->len,
			.msg_iov = outs[i].parts,
			.msg_iovlen = 2,
		};
		if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return i > 0 ? (int)i : -errno;
	}
	return (int)n;
}

void datagram_set_buffers(int fd, int len)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len));
}

int datagram_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	return fd;
}

int datagram_peer_uid(int fd, uid_t *ret_uid)
{
	gid_t gid;
	return getpeereid(fd, ret_uid, &gid) < 0 ? -errno : 0;
}

int datagram_send_room(int fd, size_t *ret_room, size_t *ret_taken)
{
	(void)fd;
	(void)ret_room;
	(void)ret_taken;
	return -ENOTSUP;
}
