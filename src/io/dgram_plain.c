/* SPDX-License-Identifier: MIT */
/*
 * One datagram per system call: for systems without batches, for comparison, and as the
 * other side of the tests of dgram_linux.c.
 */
#include "base/container.h"
#include "io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Datagrams received before their memory is used again. */
#define SLOTS 4u

#define SLOT_LEN 65536u

struct dgram_plain {
	struct dgram base;
	uint8_t *memory; /* SLOTS times SLOT_LEN, touched only as far as it is used. */
};

/* Receives into the i-th part of memory. Returns 1, 0 for nothing of use, or -errno. */
static int recv_one(struct dgram_plain *d, size_t i, struct dgram_msg *ret_msg)
{
	struct msghdr hdr;
	struct udp_slot slot = { .iov = { .iov_base = d->memory + i * SLOT_LEN,
					  .iov_len = SLOT_LEN } };
	udp_prepare_recv(&hdr, &slot);
	ssize_t len = recvmsg(d->base.fd, &hdr, MSG_DONTWAIT);
	if (len < 0)
		return errno == EINTR || udp_is_peer_error(errno) ? 0 : -errno;
	return udp_read_msg(&hdr, (size_t)len, &d->base.bound, ret_msg) ? 1 : 0;
}

static int plain_recv(struct dgram *base, struct dgram_msg *ret_msgs, size_t n)
{
	struct dgram_plain *d = container_of(base, struct dgram_plain, base);
	size_t got = 0;
	int r = 0;
	/* Each turn takes one message or one error from the socket, so this ends. */
	while (r >= 0 && got < n && got < SLOTS) {
		r = recv_one(d, got, &ret_msgs[got]);
		if (r > 0)
			got++;
	}
	return got > 0 ? (int)got : r;
}

static int plain_send(struct dgram *base, const struct dgram_msg *msgs, size_t n)
{
	size_t sent = 0;
	while (sent < n &&
	       udp_send_singly(base->fd, base->bound.sa.sa_family, &msgs[sent], NULL))
		sent++;
	return (int)sent;
}

static void plain_free(struct dgram *base)
{
	struct dgram_plain *d = container_of(base, struct dgram_plain, base);
	(void)close(d->base.fd);
	free(d->memory);
	free(d);
}

static const struct dgram_ops plain_ops = {
	.recv = plain_recv,
	.send = plain_send,
	.free = plain_free,
};

int dgram_plain_new(int fd, const union weft_sockaddr *bound, struct dgram **ret_dgram)
{
	struct dgram_plain *d = calloc(1, sizeof(*d));
	uint8_t *memory = malloc((size_t)SLOTS * SLOT_LEN);
	if (!d || !memory) {
		free(memory);
		free(d);
		(void)close(fd);
		return -ENOMEM;
	}
	d->base = (struct dgram){
		.ops = &plain_ops, .fd = fd, .segments_max = 1, .bound = *bound
	};
	d->memory = memory;
	*ret_dgram = &d->base;
	return 0;
}
