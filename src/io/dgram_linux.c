/* SPDX-License-Identifier: MIT */
/*
 * Batches two ways at once: recvmmsg(2) and sendmmsg(2) take several messages per system
 * call, and with UDP_GRO and UDP_SEGMENT (udp(7)) a message is a train of equal datagrams
 * that passes the IP stack as one.
 *
 *     one message     | datagram | datagram | datagram | last |      cmsg: segment_len
 *                     '---------- len <= 65,507 --------------'
 *
 * The kernel refuses UDP_SEGMENT with EIO where the device or an IPsec policy cannot do
 * checksums late, and with EINVAL where a datagram is longer than the device's MTU. Both are
 * answered by sending that message's datagrams singly. If they pass then, it was GSO that
 * was at fault, and it is given up for good; if not, they are what they would be anyway:
 * lost probes of too large an MTU.
 */
#include "base/container.h"
#include "io/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <unistd.h>

#define RECV_SLOTS 16u
#define SEND_SLOTS 16u

/* GRO fills a message up to the largest UDP datagram. */
#define SLOT_LEN 65536u

struct dgram_batched {
	struct dgram base;
	/* RECV_SLOTS times SLOT_LEN, touched only as far as it is used. */
	uint8_t *memory;
	struct mmsghdr hdrs[RECV_SLOTS];
	struct udp_slot slots[RECV_SLOTS];
};

/* ---- in ---------------------------------------------------------------------------------- */

/*
 * Turns headers into messages; those that cannot be used are left out. What the kernel has
 * changed is made ready for the next call at once, while it is in the cache: the next one is
 * likely to find a process that has just woken up, and no time to lose.
 */
static size_t read_msgs(struct dgram_batched *d, size_t n, struct dgram_msg *ret_msgs)
{
	size_t got = 0;
	for (size_t i = 0; i < n; i++) {
		struct mmsghdr *m = &d->hdrs[i];
		if (udp_read_msg(&m->msg_hdr, m->msg_len, &d->base.bound, &ret_msgs[got]))
			got++;
		udp_prepare_recv(&m->msg_hdr, &d->slots[i]);
	}
	return got;
}

static int batched_recv(struct dgram *base, struct dgram_msg *ret_msgs, size_t n)
{
	struct dgram_batched *d = container_of(base, struct dgram_batched, base);
	unsigned slots = n < RECV_SLOTS ? (unsigned)n : RECV_SLOTS;
	/* Each turn takes messages or an error from the socket, so this ends. */
	for (;;) {
		int r = recvmmsg(d->base.fd, d->hdrs, slots, MSG_DONTWAIT, NULL);
		if (r < 0 && errno != EINTR && !udp_is_peer_error(errno))
			return -errno;
		size_t got = r > 0 ? read_msgs(d, (size_t)r, ret_msgs) : 0;
		if (got > 0)
			return (int)got;
	}
}

/* ---- out --------------------------------------------------------------------------------- */

static bool is_train(const struct dgram_msg *msg)
{
	return msg->segment_len > 0 && msg->segment_len < msg->len;
}

/* Whether the kernel is to be asked to cut the message. */
static bool may_offload(const struct dgram *base, const struct dgram_msg *msg)
{
	return !is_train(msg) ||
	       (msg->len + msg->segment_len - 1) / msg->segment_len <= base->segments_max;
}

static void prepare(const struct dgram *base, const struct dgram_msg *msg,
		    struct msghdr *hdr, struct udp_slot *slot)
{
	slot->iov = (struct iovec){ .iov_base = msg->data, .iov_len = msg->len };
	udp_prepare_send(hdr, slot, msg, base->bound.sa.sa_family);
	if (!is_train(msg))
		return;
	const uint16_t segment_len = (uint16_t)msg->segment_len;
	hdr->msg_control = slot->control;
	udp_put_cmsg(hdr, IPPROTO_UDP, UDP_SEGMENT, &segment_len, sizeof(segment_len));
}

/*
 * Sends a message that cannot go out as it is. Returns 1 when that is settled, 0 when the
 * socket is full.
 */
static int send_refused(struct dgram *base, const struct dgram_msg *msg, int refusal)
{
	bool accepted = false;
	if (!is_train(msg)) {
		base->refusal = -refusal;
		return 1;
	}
	int r = udp_send_singly(base->fd, base->bound.sa.sa_family, msg, &accepted);
	if (accepted && (refusal == EIO || refusal == EINVAL))
		base->segments_max = 1;
	return r;
}

/* Sends the first of n messages, as many as one call takes. Returns 0 when it is full. */
static int send_some(struct dgram *base, const struct dgram_msg *msgs, size_t n)
{
	struct mmsghdr hdrs[SEND_SLOTS];
	struct udp_slot slots[SEND_SLOTS];
	unsigned count = 0;
	for (; count < SEND_SLOTS && count < n && may_offload(base, &msgs[count]);
	     count++) {
		hdrs[count].msg_len = 0;
		prepare(base, &msgs[count], &hdrs[count].msg_hdr, &slots[count]);
	}
	if (count == 0)
		return send_refused(base, msgs, 0);
	for (;;) {
		int r = sendmmsg(base->fd, hdrs, count, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (r >= 0) {
			base->taken += (unsigned)r;
			return r;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		if (errno != EINTR)
			return send_refused(base, msgs, errno);
	}
}

static int batched_send(struct dgram *base, const struct dgram_msg *msgs, size_t n)
{
	size_t sent = 0;
	int r = 1;
	while (sent < n && r > 0) {
		r = send_some(base, msgs + sent, n - sent);
		sent += (size_t)r;
	}
	return (int)sent;
}

static void batched_free(struct dgram *base)
{
	struct dgram_batched *d = container_of(base, struct dgram_batched, base);
	(void)close(d->base.fd);
	free(d->memory);
	free(d);
}

static const struct dgram_ops batched_ops = {
	.recv = batched_recv,
	.send = batched_send,
	.free = batched_free,
};

/* Linux has UDP_SEGMENT since 4.18 and UDP_GRO since 5.0. */
static unsigned segments_max(int fd)
{
	int value;
	socklen_t len = sizeof(value);
	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &len) == 0
		       ? DGRAM_SEGMENTS_MAX
		       : 1;
}

int dgram_batched_new(int fd, const union weft_sockaddr *bound, struct dgram **ret_dgram)
{
	struct dgram_batched *d = calloc(1, sizeof(*d));
	uint8_t *memory = malloc((size_t)RECV_SLOTS * SLOT_LEN);
	if (!d || !memory) {
		free(memory);
		free(d);
		(void)close(fd);
		return -ENOMEM;
	}
	const int on = 1;
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	d->base = (struct dgram){
		.ops = &batched_ops,
		.fd = fd,
		.segments_max = segments_max(fd),
		.bound = *bound,
	};
	d->memory = memory;
	for (size_t i = 0; i < RECV_SLOTS; i++) {
		d->slots[i].iov = (struct iovec){ .iov_base = memory + i * SLOT_LEN,
						  .iov_len = SLOT_LEN };
		udp_prepare_recv(&d->hdrs[i].msg_hdr, &d->slots[i]);
	}
	*ret_dgram = &d->base;
	return 0;
}
