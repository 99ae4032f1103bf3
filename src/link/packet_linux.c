/* SPDX-License-Identifier: MIT */
/*
 * A wired network interface through an AF_PACKET socket (packet(7)).
 *
 * The socket is bound to the interface, in promiscuous mode for as long as it lives, and
 * sees what comes in on the cable. What others on this machine send is left out, unless
 * "sent" asks for it; what the link itself sends never comes back.
 * With PACKET_VNET_HDR the kernel hands over frames as its own stack has them: merged by
 * GRO, up to 64 KiB, with the offload facts in front; and takes the same from us.
 *
 * The kernel takes an outer VLAN tag off a frame before anybody sees it, and tells of it in
 * an auxiliary message. It is put back:
 *
 *   slot  | headroom ... | vnet hdr | dst src | type | payload       as it was received
 *   slot  | headroom ... | dst src | tag | type | payload            as it is delivered
 *
 * An interface that is set down comes back; one that is removed does not. Both report
 * ENETDOWN, so that after one the link looks now and then whether the interface is there.
 */
#include "base/fmt.h"
#include "base/mac.h"
#include "base/time.h"
#include "link/drivers.h"
#include "link/link.h"
#include "link/vnet_linux.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Frames in one recvmmsg: more would only take memory. */
#define RX_BATCH    16u
/* One frame of any length with its headroom; not a power of two, to spread over the cache. */
#define RX_SLOT_LEN ((WEFT_HEADROOM + WEFT_FRAME_LEN_MAX + 63u) / 64u * 64u)
/* How often an interface that is down is looked for. */
#define LOOK_NS     NS_PER_S

#define CONTROL_LEN CMSG_SPACE(sizeof(struct tpacket_auxdata))

/* What recvmmsg needs for one batch. */
struct rx {
	struct mmsghdr msgs[RX_BATCH];
	struct iovec iov[RX_BATCH];
	struct sockaddr_ll from[RX_BATCH];
	_Alignas(struct cmsghdr) char control[RX_BATCH][CONTROL_LEN];
	uint8_t slots[RX_BATCH][RX_SLOT_LEN];
};

/* The same for sendmmsg: a header and a frame per message. */
struct tx {
	struct mmsghdr msgs[LINK_BATCH];
	struct iovec iov[LINK_BATCH][2];
	struct virtio_net_hdr hdr[LINK_BATCH];
};

struct packet {
	struct weft_link link;
	unsigned ifindex;
	struct rx *rx; /* Allocated by the first run. */
	struct tx tx;
	bool takes_sent;
	uint64_t look_at; /* When to see whether the interface exists; or WEFT_NEVER. */
};

static struct packet *packet_of(struct weft_link *link)
{
	return (struct packet *)(void *)link;
}

/* ---- in ---------------------------------------------------------------------------------- */

static uint8_t *rx_hdr(struct rx *rx, size_t i)
{
	return rx->slots[i] + WEFT_HEADROOM - VNET_HDR_LEN;
}

static void rx_prepare(struct rx *rx)
{
	for (size_t i = 0; i < RX_BATCH; i++) {
		rx->iov[i] = (struct iovec){
			.iov_base = rx_hdr(rx, i),
			.iov_len = VNET_HDR_LEN + WEFT_FRAME_LEN_MAX,
		};
		rx->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &rx->from[i],
			.msg_namelen = sizeof(rx->from[i]),
			.msg_iov = &rx->iov[i],
			.msg_iovlen = 1,
			.msg_control = rx->control[i],
			.msg_controllen = sizeof(rx->control[i]),
		};
	}
}

static bool aux_read(struct msghdr *msg, struct tpacket_auxdata *ret_aux)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			memcpy(ret_aux, CMSG_DATA(c), sizeof(*ret_aux));
			return true;
		}
	}
	return false;
}

/* Puts the tag between the addresses and the type, which moves 4 bytes into the headroom. */
static void tag_restore(struct weft_frame *frame, const struct tpacket_auxdata *aux)
{
	bool has_tpid = (aux->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
	uint8_t *data = frame->data - ETHER_TAG_LEN;

	memmove(data, frame->data, ETHER_OFF_TYPE);
	store_be16(data + ETHER_OFF_TYPE, has_tpid ? aux->tp_vlan_tpid : ETHER_TYPE_VLAN);
	store_be16(data + ETHER_OFF_TYPE + 2, aux->tp_vlan_tci);
	frame->data = data;
	frame->len += ETHER_TAG_LEN;
	frame->headroom -= ETHER_TAG_LEN;
	if (frame->offload.hdr_len)
		frame->offload.hdr_len += ETHER_TAG_LEN;
	if (frame->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM)
		frame->offload.csum_start += ETHER_TAG_LEN;
}

/* Message i as a frame. Returns 0, or -EBADMSG for one that makes no sense. */
static int rx_frame(struct rx *rx, size_t i, struct weft_frame *ret_frame)
{
	struct msghdr *msg = &rx->msgs[i].msg_hdr;
	uint32_t got = rx->msgs[i].msg_len;
	struct tpacket_auxdata aux;

	if (got < VNET_HDR_LEN + ETHER_LEN || (msg->msg_flags & MSG_TRUNC))
		return -EBADMSG;
	struct weft_frame frame = {
		.data = rx->slots[i] + WEFT_HEADROOM,
		.len = got - VNET_HDR_LEN,
		.headroom = WEFT_HEADROOM,
	};
	if (vnet_load(rx_hdr(rx, i), frame.len, &frame.offload) < 0)
		return -EBADMSG;
	if (aux_read(msg, &aux) && (aux.tp_status & TP_STATUS_VLAN_VALID))
		tag_restore(&frame, &aux);
	*ret_frame = frame;
	return 0;
}

static void packet_look(struct packet *p, uint64_t now)
{
	char name[IF_NAMESIZE];
	if (now < p->look_at)
		return;
	p->look_at = now + LOOK_NS;
	if (!if_indextoname(p->ifindex, name))
		link_set_down(&p->link);
}

/*
 * EINVAL is a frame with offloads that the header cannot tell of (a tunnel's, SCTP's): the
 * kernel has dropped it.
 */
static void packet_on_read_error(struct packet *p, int error, uint64_t now)
{
	if (error == EAGAIN || error == EINTR)
		return;
	if (error == ENETDOWN || error == ENXIO || error == ENODEV) {
		p->look_at = now;
		packet_look(p, now);
	} else {
		p->link.stats.rx_errors++;
	}
}

static void packet_run(struct weft_link *link, uint64_t now)
{
	struct packet *p = packet_of(link);
	struct weft_frame frames[RX_BATCH];
	size_t n = 0;

	if (!p->rx)
		p->rx = malloc(sizeof(*p->rx));
	packet_look(p, now);
	if (!p->rx || link->is_down)
		return;
	rx_prepare(p->rx);
	int got = recvmmsg(link->task.fd, p->rx->msgs, RX_BATCH, MSG_DONTWAIT, NULL);
	if (got < 0) {
		packet_on_read_error(p, errno, now);
		return;
	}
	for (size_t i = 0; i < (size_t)got; i++) {
		if (!p->takes_sent && p->rx->from[i].sll_pkttype == PACKET_OUTGOING)
			continue;
		if (rx_frame(p->rx, i, &frames[n]) == 0)
			n++;
		else
			link->stats.rx_errors++;
	}
	if (n > 0)
		p->look_at = WEFT_NEVER;
	link_deliver(link, frames, n, now);
}

static uint64_t packet_deadline(const struct weft_link *link)
{
	const struct packet *p = (const struct packet *)(const void *)link;
	return link->is_down ? WEFT_NEVER : p->look_at;
}

/* ---- out --------------------------------------------------------------------------------- */

static void tx_prepare(struct tx *tx, const struct weft_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		tx->hdr[i] = vnet_hdr(&frames[i].offload);
		tx->iov[i][0] = (struct iovec){ &tx->hdr[i], sizeof(tx->hdr[i]) };
		tx->iov[i][1] = (struct iovec){ frames[i].data, frames[i].len };
		tx->msgs[i].msg_hdr =
			(struct msghdr){ .msg_iov = tx->iov[i], .msg_iovlen = 2 };
	}
}

/*
 * sendmmsg stops at the first frame that is refused, and says why only when it is the first
 * of a call; the common part goes on behind it with the next call.
 */
static size_t packet_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct packet *p = packet_of(link);
	size_t sent = 0;
	(void)now;

	while (sent < n) {
		size_t batch = n - sent < LINK_BATCH ? n - sent : LINK_BATCH;
		tx_prepare(&p->tx, frames + sent, batch);
		int r = sendmmsg(link->task.fd, p->tx.msgs, (unsigned)batch,
				 MSG_DONTWAIT);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		sent += (size_t)r;
	}
	return sent;
}

static void packet_free(struct weft_link *link)
{
	struct packet *p = packet_of(link);
	link_fini(link);
	if (link->task.fd >= 0)
		(void)close(link->task.fd);
	free(p->rx);
	free(p);
}

static const struct link_ops packet_ops = {
	.run = packet_run,
	.deadline = packet_deadline,
	.send = packet_send,
	.free = packet_free,
};

/* ---- opening ----------------------------------------------------------------------------- */

static int fail_name(const char *name, struct weft_error *err)
{
	char names[200];
	struct fmt f;
	struct if_nameindex *all = if_nameindex();

	fmt_init(&f, names, sizeof(names));
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		fmt_add(&f, "%s%s", i == all ? "" : ", ", i->if_name);
	if (all)
		if_freenameindex(all);
	return weft_error_set(err, -ENODEV,
			      "there is no interface \"%.40s\"; there are: %s", name,
			      fmt_text(&f));
}

/* Learns the MAC and the MTU, and refuses what is not Ethernet. */
static int packet_read_facts(int fd, const char *name, struct weft_error *err,
			     struct weft_mac *ret_mac, unsigned *ret_mtu)
{
	struct ifreq ifr = { 0 };
	struct weft_mac mac;

	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		return weft_error_set(err, -errno, "%s: %s", name, strerror(errno));
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return weft_error_set(
			err, -EINVAL,
			"%s is not an Ethernet interface (its hardware type is "
			"%u); packet: carries Ethernet frames only",
			name, ifr.ifr_hwaddr.sa_family);
	memcpy(mac.octet, ifr.ifr_hwaddr.sa_data, MAC_LEN);
	if (ioctl(fd, SIOCGIFMTU, &ifr) < 0)
		return weft_error_set(err, -errno, "%s: %s", name, strerror(errno));
	*ret_mac = mac;
	*ret_mtu = (unsigned)ifr.ifr_mtu;
	return 0;
}

static int fail_option(const char *what, struct weft_error *err)
{
	return weft_error_set(err, -errno, "packet socket, %s: %s", what,
			      strerror(errno));
}

/* The buffer's limit can be passed by an administrator only; less is no failure. */
static void packet_set_buffer(int fd, uint64_t len)
{
	int bytes = len < INT32_MAX ? (int)len : INT32_MAX;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int packet_set_options(int fd, const struct spec *spec, unsigned ifindex,
			      struct weft_error *err)
{
	const int on = 1;
	const struct packet_mreq promisc = {
		.mr_ifindex = (int)ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return fail_option("virtio-net header", err);
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0)
		return fail_option("VLAN tags", err);
	/* Spares a copy of each frame sent; before Linux 4.20 run skips them by their type. */
	if (!spec->values[PACKET_SENT].flag)
		(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	packet_set_buffer(fd, spec->values[PACKET_BUFFER].number);
	if (spec->values[PACKET_PROMISC].flag &&
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) <
		    0)
		return fail_option("promiscuous mode", err);
	return 0;
}

/* Frames come in from here on, so this is the last step. */
static int packet_bind(int fd, unsigned ifindex, struct weft_error *err)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_ifindex = (int)ifindex };
	uint8_t protocol[2];

	store_be16(protocol, ETH_P_ALL);
	memcpy(&addr.sll_protocol, protocol, sizeof(protocol));
	const void *generic = &addr;
	if (bind(fd, generic, sizeof(addr)) < 0)
		return fail_option("bind", err);
	return 0;
}

static int packet_setup(struct packet *p, int fd, const struct spec *spec,
			struct weft_error *err)
{
	struct weft_mac mac;
	unsigned mtu = 0;
	int r = packet_read_facts(fd, spec->name, err, &mac, &mtu);
	if (r < 0)
		return r;
	r = packet_set_options(fd, spec, p->ifindex, err);
	if (r < 0)
		return r;
	r = packet_bind(fd, p->ifindex, err);
	if (r < 0)
		return r;

	const struct weft_link_caps caps = {
		.flags = WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6,
		.frame_len_max = mtu + ETHER_LEN + ETHER_TAG_LEN,
	};
	link_init(&p->link, &packet_ops, spec->name, fd, caps);
	p->link.wants_merge = true;
	p->link.mac = mac;
	p->link.has_mac = true;
	p->takes_sent = spec->values[PACKET_SENT].flag;
	p->look_at = WEFT_NEVER;
	return 0;
}

static int packet_socket(const char *name, struct weft_error *err)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		return fd;
	if (errno == EPERM || errno == EACCES)
		return weft_error_set(
			err, -EPERM,
			"packet:%s needs CAP_NET_RAW: run as root, or `sudo "
			"setcap cap_net_raw+ep` this program",
			name);
	return weft_error_set(err, -errno, "packet socket: %s", strerror(errno));
}

int packet_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link)
{
	(void)inner;
	unsigned ifindex = if_nametoindex(spec->name);
	if (ifindex == 0)
		return fail_name(spec->name, err);
	int fd = packet_socket(spec->name, err);
	if (fd < 0)
		return fd;
	struct packet *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -ENOMEM;
	if (p) {
		p->ifindex = ifindex;
		r = packet_setup(p, fd, spec, err);
	}
	if (r < 0) {
		free(p);
		(void)close(fd);
		return r;
	}
	*ret_link = &p->link;
	return 0;
}
