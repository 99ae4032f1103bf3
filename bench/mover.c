/* SPDX-License-Identifier: MIT */
/*
 * The least that a program can do at the end of a TAP for TCP to flow: the ceiling for
 * bench/stackhost.c, with the same ports (bench/tcpload.c). It answers ARP and the handshake,
 * acknowledges what has come once per batch, and sends what the peer's window takes. It has no
 * timers, no congestion control and no retransmission: what is lost ends the measurement.
 *
 *     bench-mover [--plain] TAP ADDRESS
 *
 *     sink, echo   SEG.SEQ + SEG.LEN is acknowledged; an echo carries the same bytes
 *     source       super-segments of 64,000 bytes, walking through 64 MiB of payload
 *
 * With --plain, frames have no virtio-net header: each segment is read and written by itself,
 * and its checksum made here.
 */
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define PORT_SOURCE 5002u
#define MSS         1460u
#define SUPER_LEN   ((size_t)43 * MSS)
#define WALK_LEN    ((size_t)64 << 20)
#define WSCALE      10u
#define WINDOW      6144u /* Scaled: 6 MiB. */
#define BATCH       16u
#define FRAME_MAX   (sizeof(struct virtio_net_hdr) + 65557u)
#define HDR_LEN     (ETHER_LEN + IP4_LEN + TCP_LEN)

/* The one connection that there is at a time. */
struct flow {
	struct weft_mac peer_mac;
	uint32_t peer_ip;
	uint16_t port, peer_port;
	uint32_t rcv_nxt, snd_nxt, snd_una, snd_wnd;
	unsigned wscale;
	bool is_open, owes_ack;
};

static const struct weft_mac our_mac = { { 2, 0, 0, 0, 0, 9 } };
static uint32_t our_ip;
static int tap;
static size_t vnet_len = sizeof(struct virtio_net_hdr);
static uint8_t *walk;
static size_t walked;

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-mover: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_tap(const char *name)
{
	const unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4;
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	if (vnet_len > 0)
		request.ifr_flags |= IFF_VNET_HDR;
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0 ||
	    (vnet_len > 0 && ioctl(tap, TUNSETOFFLOAD, offloads) < 0))
		die(name);
}

/* ---- out --------------------------------------------------------------------------------- */

static void put_ether(uint8_t *to, struct weft_mac dst, uint16_t type)
{
	const struct ether_hdr eth = { .dst = dst, .src = our_mac, .type = type };
	(void)!ether_hdr_emit(to, ETHER_LEN, &eth);
}

/* What the link finishes: the sum behind the pseudo header, and cutting. */
static struct virtio_net_hdr offload_of(size_t hdr_len, size_t len)
{
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = ETHER_LEN + IP4_LEN,
		.csum_offset = TCP_OFF_CSUM,
	};
	if (len > MSS) {
		hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		hdr.gso_size = MSS;
		hdr.hdr_len = (uint16_t)hdr_len;
	}
	return hdr;
}

static void put_checksum(uint8_t *tcp, size_t tcp_len, const uint8_t *payload, size_t len)
{
	const uint8_t *ip = tcp - IP4_LEN;
	uint32_t sum = checksum_pseudo4(ip + IP4_OFF_SRC, ip + IP4_OFF_DST, IPPROTO_TCP,
					(uint16_t)(tcp_len + len));
	if (vnet_len == 0) {
		sum = checksum_add(sum, tcp, tcp_len);
		sum = checksum_add(sum, payload, len); /* tcp_len is even. */
		store_be16(tcp + TCP_OFF_CSUM, checksum_finish(sum));
	} else {
		store_be16(tcp + TCP_OFF_CSUM, checksum_fold(sum));
	}
}

/* Returns false when the TAP takes nothing more. */
static bool send_segment(struct flow *f, uint16_t flags, const struct tcp_opts *opts,
			 uint8_t *payload, size_t len)
{
	uint8_t bytes[HDR_LEN + TCP_OPTIONS_MAX], options[TCP_OPTIONS_MAX];
	int options_len = opts ? tcp_opts_emit(options, opts) : 0;
	size_t tcp_len = TCP_LEN + (size_t)options_len,
	       hdr_len = HDR_LEN - TCP_LEN + tcp_len;
	const struct ip4_hdr ip = { .total_len = (uint16_t)(IP4_LEN + tcp_len + len),
				    .df = true,
				    .ttl = 64,
				    .proto = IPPROTO_TCP,
				    .src = our_ip,
				    .dst = f->peer_ip };
	const struct tcp_hdr tcp = { .sport = f->port,
				     .dport = f->peer_port,
				     .seq = f->snd_nxt,
				     .ack = f->rcv_nxt,
				     .flags = flags,
				     .window = WINDOW,
				     .options = options,
				     .options_len = (uint8_t)options_len };
	put_ether(bytes, f->peer_mac, ETHER_TYPE_IP4);
	(void)!ip4_hdr_emit(bytes + ETHER_LEN, IP4_LEN, &ip);
	(void)!tcp_hdr_emit(bytes + ETHER_LEN + IP4_LEN, tcp_len, &tcp);
	put_checksum(bytes + ETHER_LEN + IP4_LEN, tcp_len, payload, len);
	struct virtio_net_hdr hdr = offload_of(hdr_len, len);
	const struct iovec iov[] = { { &hdr, vnet_len },
				     { bytes, hdr_len },
				     { payload, len } };
	f->owes_ack = false;
	return writev(tap, iov, 3) >= 0;
}

/* As much as the peer's window takes, and at most so much in one go. */
static void send_more(struct flow *f)
{
	const size_t most = vnet_len > 0 ? SUPER_LEN : MSS;
	for (unsigned i = 0; i < BATCH; i++) {
		if (f->snd_nxt - f->snd_una + most > f->snd_wnd ||
		    !send_segment(f, TCP_ACK, NULL, walk + walked, most))
			return;
		f->snd_nxt += (uint32_t)most;
		walked = (walked + most) % (WALK_LEN - SUPER_LEN);
	}
}

/* ---- in ---------------------------------------------------------------------------------- */

static void answer_arp(const uint8_t *data, size_t len)
{
	uint8_t bytes[ETHER_LEN + ARP_LEN];
	struct virtio_net_hdr hdr = { 0 };
	struct arp_hdr arp;
	if (arp_hdr_parse(data, len, &arp) < 0 || arp.op != ARP_OP_REQUEST ||
	    arp.target_ip != our_ip)
		return;
	const struct arp_hdr reply = { .op = ARP_OP_REPLY,
				       .sender_mac = our_mac,
				       .sender_ip = our_ip,
				       .target_mac = arp.sender_mac,
				       .target_ip = arp.sender_ip };
	put_ether(bytes, arp.sender_mac, ETHER_TYPE_ARP);
	(void)!arp_hdr_emit(bytes + ETHER_LEN, ARP_LEN, &reply);
	const struct iovec iov[] = { { &hdr, vnet_len }, { bytes, sizeof(bytes) } };
	if (writev(tap, iov, 2) < 0)
		die("ARP");
}

static void open_flow(struct flow *f, const struct ether_hdr *eth,
		      const struct ip4_hdr *ip, const struct tcp_hdr *tcp)
{
	const struct tcp_opts ours = {
		.has_mss = true, .mss = MSS, .has_wscale = true, .wscale = WSCALE
	};
	struct tcp_opts opts;
	if (tcp_opts_parse(tcp->options, tcp->options_len, &opts) < 0)
		return;
	*f = (struct flow){ .peer_mac = eth->src,
			    .peer_ip = ip->src,
			    .port = tcp->dport,
			    .peer_port = tcp->sport,
			    .rcv_nxt = tcp->seq + 1,
			    .wscale = opts.wscale,
			    .is_open = true };
	(void)send_segment(f, TCP_SYN | TCP_ACK, &ours, NULL, 0);
	f->snd_nxt = f->snd_una = 1;
}

static void take_segment(struct flow *f, const struct tcp_hdr *tcp, uint8_t *payload,
			 size_t len)
{
	if (!f->is_open || tcp->sport != f->peer_port || (tcp->flags & TCP_RST))
		return;
	f->snd_una = tcp->ack;
	f->snd_wnd = (uint32_t)tcp->window << f->wscale;
	if (tcp->flags & TCP_FIN)
		f->is_open = false;
	if (tcp->seq != f->rcv_nxt || len == 0)
		return;
	f->rcv_nxt += (uint32_t)len;
	f->owes_ack = true;
	if (f->port > PORT_SOURCE &&
	    send_segment(f, TCP_ACK | TCP_PSH, NULL, payload, len))
		f->snd_nxt += (uint32_t)len;
}

static void take_frame(struct flow *f, uint8_t *data, size_t len)
{
	struct ether_hdr eth;
	struct ip4_hdr ip;
	struct tcp_hdr tcp;
	int eth_len = ether_hdr_parse(data, len, &eth);
	if (eth_len < 0)
		return;
	uint8_t *packet = data + eth_len;
	if (eth.type == ETHER_TYPE_ARP)
		answer_arp(packet, len - (size_t)eth_len);
	int ip_len = ip4_hdr_parse(packet, len - (size_t)eth_len, &ip);
	if (eth.type != ETHER_TYPE_IP4 || ip_len < 0 || ip.proto != IPPROTO_TCP ||
	    ip.dst != our_ip)
		return;
	size_t tcp_len = ip.total_len - (size_t)ip_len;
	int hdr_len = tcp_hdr_parse(packet + ip_len, tcp_len, &tcp);
	if (hdr_len < 0)
		return;
	if (tcp.flags & TCP_SYN)
		open_flow(f, &eth, &ip, &tcp);
	else
		take_segment(f, &tcp, packet + ip_len + hdr_len,
			     tcp_len - (size_t)hdr_len);
}

/* A batch is read and answered. Returns whether there was anything to read. */
static bool move_batch(struct flow *f)
{
	static uint8_t frame[FRAME_MAX];
	unsigned n = 0;
	for (; n < BATCH; n++) {
		ssize_t got = read(tap, frame, sizeof(frame));
		if (got <= (ssize_t)vnet_len)
			break;
		take_frame(f, frame + vnet_len, (size_t)got - vnet_len);
		/* An echo has its answer, and no other question comes before that is read. */
		if (f->port > PORT_SOURCE && f->snd_una != f->snd_nxt)
			break;
	}
	if (f->is_open && f->port == PORT_SOURCE)
		send_more(f);
	if (f->owes_ack)
		(void)send_segment(f, TCP_ACK, NULL, NULL, 0);
	return n > 0;
}

int main(int argc, char **argv)
{
	struct flow flow = { 0 };
	bool is_plain = argc > 1 && strcmp(argv[1], "--plain") == 0;
	struct in_addr addr;
	argv += is_plain;
	if (argc - is_plain < 3 || inet_pton(AF_INET, argv[2], &addr) != 1)
		return 2;
	our_ip = ntohl(addr.s_addr);
	if (is_plain)
		vnet_len = 0;
	walk = malloc(WALK_LEN);
	if (!walk)
		die("memory");
	memset(walk, 'w', WALK_LEN);
	open_tap(argv[1]);
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;) {
		struct pollfd fd = { .fd = tap, .events = POLLIN };
		if (poll(&fd, 1, -1) < 0)
			die("poll");
		(void)move_batch(&flow);
	}
}
