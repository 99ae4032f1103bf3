/* SPDX-License-Identifier: MIT */
/*
 * segment_cut against the kernel: the same super-frame, cut by both, byte for byte. In a
 * network namespace of its own, which is gone when the process ends:
 *
 *     test --- tap "whole" ---.              .--- tap "plain" ---> segments cut by the kernel,
 *              super-frames    \--- br0 ----<                     because this one takes none
 *              go in            10.0.0.1     '--- tap "offload" --> the super-frame again, with
 *                                   |                             the facts as the kernel says
 *                              its own UDP and TCP                 them
 *
 * Each frame that goes in (or that the kernel's own sockets make) must leave "plain" as
 * segment_cut makes it of what leaves "offload", and of what went in. Skipped, with exit
 * code 77, where there is no right to make all this.
 */
#include "../unit.h"
#include "netns.h"
#include "traffic.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/segment.h"
#include "wire/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_SKIP 77

/* Newer than the headers of some systems that run on newer kernels. */
#define LAB_TUN_F_USO4  0x20u
#define LAB_TUN_F_USO6  0x40u
#define LAB_UDP_SEGMENT 103

#define WAIT_MS 5000 /* For a frame that must come: only a failure takes that long. */

#define HERE  0x0a000001u /* br0: 10.0.0.1 */
#define THERE 0x0a0000feu /* Nobody but this test: 10.0.0.254 */

static const uint8_t there_mac[6] = { 2, 0, 0, 0, 0, 0xfe };

struct lab {
	int whole, plain, offload; /* TAPs. */
	int control;               /* Any socket, for ioctl. */
	bool has_uso;
};

static struct lab lab;
static uint8_t whole_buf[TRAFFIC_BUF_LEN], offload_buf[TRAFFIC_BUF_LEN];
static uint8_t plain_buf[TRAFFIC_BUF_LEN];
static _Alignas(16) uint8_t arena[SEGMENT_ARENA_LEN];
static struct weft_frame cut[SEGMENTS_MAX];

/*
 * Building the lab
 */

static void give_up(const char *what)
{
	printf("skipped: %s: %s\n", what, strerror(errno));
	exit(EXIT_SKIP);
}

static struct ifreq request(const char *name)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ifr;
}

static void put_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		give_up(path);
	close(fd);
}

static void bring_up(const char *name)
{
	struct ifreq ifr = request(name);

	ifr.ifr_mtu = 9000;
	if (ioctl(lab.control, SIOCSIFMTU, &ifr) < 0)
		give_up("setting an MTU");
	ifr = request(name);
	ifr.ifr_flags = IFF_UP;
	if (ioctl(lab.control, SIOCSIFFLAGS, &ifr) < 0)
		give_up("bringing a device up");
}

static void join_bridge(const char *name)
{
	struct ifreq ifr = request("br0");

	ifr.ifr_ifindex = (int)if_nametoindex(name);
	if (ioctl(lab.control, SIOCBRADDIF, &ifr) < 0)
		give_up("putting a TAP on a bridge");
	bring_up(name);
}

static int open_tap(const char *name, short flags)
{
	struct ifreq ifr = request(name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		give_up("opening a TAP through /dev/net/tun");
	return fd;
}

static int open_offload_tap(const char *name)
{
	const unsigned tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int fd = open_tap(name, IFF_VNET_HDR);

	lab.has_uso =
		ioctl(fd, TUNSETOFFLOAD, tso | LAB_TUN_F_USO4 | LAB_TUN_F_USO6) == 0;
	if (!lab.has_uso && ioctl(fd, TUNSETOFFLOAD, tso) < 0)
		give_up("setting the offloads of a TAP");
	return fd;
}

static struct sockaddr_in address(uint32_t addr, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(addr),
	};
}

/* br0 can send to THERE without asking for its MAC. */
static void give_addresses(void)
{
	struct sockaddr_in here = address(HERE, 0), there = address(THERE, 0);
	struct ifreq ifr = request("br0");
	struct arpreq arp = { .arp_flags = ATF_PERM | ATF_COM, .arp_dev = "br0" };

	memcpy(&ifr.ifr_addr, &here, sizeof(here));
	if (ioctl(lab.control, SIOCSIFADDR, &ifr) < 0)
		give_up("setting an address");
	memcpy(&arp.arp_pa, &there, sizeof(there));
	arp.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(arp.arp_ha.sa_data, there_mac, sizeof(there_mac));
	if (ioctl(lab.control, SIOCSARP, &arp) < 0)
		give_up("setting a neighbour");
}

static void build_lab(void)
{
	if (!netns_try_enter())
		give_up("making a network namespace");
	put_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	lab.control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (lab.control < 0 || ioctl(lab.control, SIOCBRADDBR, "br0") < 0)
		give_up("making a bridge");
	lab.whole = open_offload_tap("whole");
	lab.plain = open_tap("plain", 0);
	lab.offload = open_offload_tap("offload");
	join_bridge("whole");
	join_bridge("plain");
	join_bridge("offload");
	bring_up("br0");
	give_addresses();
}

/*
 * Frames in and out
 */

static void send_frame(const struct weft_frame *frame)
{
	const struct weft_offload *o = &frame->offload;
	struct virtio_net_hdr vnet = {
		.flags = o->flags & WEFT_OFFLOAD_NEEDS_CSUM ? VIRTIO_NET_HDR_F_NEEDS_CSUM
							    : 0,
		.gso_type = (uint8_t)(o->gso | (o->flags & WEFT_OFFLOAD_ECN
							? VIRTIO_NET_HDR_GSO_ECN
							: 0)),
		.hdr_len = o->hdr_len,
		.gso_size = o->gso_size,
		.csum_start = o->csum_start,
		.csum_offset = o->csum_offset,
	};
	uint8_t *start = frame->data - sizeof(vnet);

	memcpy(start, &vnet, sizeof(vnet));
	assert_int_equal(write(lab.whole, start, frame->len + sizeof(vnet)),
			 frame->len + sizeof(vnet));
}

/* The next frame, with hdr_len bytes before it. The bridge's own IGMP is passed over. */
static uint32_t read_tap(int fd, uint8_t buf[TRAFFIC_BUF_LEN], size_t hdr_len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	do {
		assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
		n = read(fd, buf, TRAFFIC_BUF_LEN);
		assert_true(n > (ssize_t)(hdr_len + ETHER_LEN));
	} while (buf[hdr_len] & 1); /* To a group. */
	return (uint32_t)((size_t)n - hdr_len);
}

/* The next frame as the kernel cut or completed it. */
static struct weft_frame read_plain(void)
{
	return (struct weft_frame){
		.data = plain_buf,
		.len = read_tap(lab.plain, plain_buf, 0),
	};
}

/* The next frame as the kernel hands it to who takes super-frames. */
static struct weft_frame read_offload(void)
{
	struct virtio_net_hdr vnet;
	uint32_t len = read_tap(lab.offload, offload_buf, sizeof(vnet));

	memcpy(&vnet, offload_buf, sizeof(vnet));
	return (struct weft_frame){
		.data = offload_buf + sizeof(vnet),
		.len = len,
		.headroom = sizeof(vnet),
		.offload = {
			.flags = vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM
					 ? WEFT_OFFLOAD_NEEDS_CSUM
					 : 0,
			.gso = (uint8_t)(vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN),
			.hdr_len = vnet.hdr_len,
			.gso_size = vnet.gso_size,
			.csum_start = vnet.csum_start,
			.csum_offset = vnet.csum_offset,
		},
	};
}

/* Cuts frame; returns how many segments. */
static uint32_t cut_frame(const struct weft_frame *frame)
{
	int n = segment_cut(frame, false, arena, sizeof(arena), cut, SEGMENTS_MAX);

	assert_true(n > 0);
	return (uint32_t)n;
}

static void assert_same(const struct weft_frame *ours, const struct weft_frame *kernels)
{
	assert_int_equal(ours->len, kernels->len);
	assert_memory_equal(ours->data, kernels->data, kernels->len);
}

/* Takes one frame off "offload", cuts it, and takes the same off "plain". */
static struct weft_frame assert_next_is_cut_alike(void)
{
	struct weft_frame frame = read_offload();
	uint32_t n = cut_frame(&frame);

	for (uint32_t i = 0; i < n; i++) {
		struct weft_frame kernels = read_plain();
		assert_same(&cut[i], &kernels);
	}
	return frame;
}

/* Sends what t describes through the kernel, and cuts it here, twice. */
static void assert_cut_alike(const struct traffic *t)
{
	struct weft_frame frame = traffic_frame(t, whole_buf);
	static uint8_t ours[SEGMENT_ARENA_LEN];

	send_frame(&frame);
	struct weft_frame came = assert_next_is_cut_alike();
	assert_int_equal(came.len, frame.len);
	assert_int_equal(came.offload.csum_start, frame.offload.csum_start);

	/* Now arena has what the kernel made; the same once more from what went in. */
	uint32_t n = cut_frame(&came);
	size_t used = (size_t)(cut[n - 1].data + cut[n - 1].len - arena);
	memcpy(ours, arena, used);
	assert_int_equal(cut_frame(&frame), n);
	for (uint32_t i = 0; i < n; i++)
		assert_memory_equal(cut[i].data, ours + (cut[i].data - arena),
				    cut[i].len);
}

/*
 * Tests
 */

static const struct traffic base = {
	.tos = 0x02,
	.ttl = 64,
	.id = 0xfffe,
	.df = true,
	.flow_label = 0xabcde,
	.host = 7,
	.sport = 40000,
	.seq = 0xffffff00,
	.ack = 77,
	.flags = TCP_ACK,
	.window = 501,
	.options_len = 12,
	.options_fill = TCP_OPT_NOP,
	.payload_len = 20001,
	.gso_size = 1448,
};

static void test_tcp(void **state)
{
	(void)state;
	const uint16_t flags[] = {
		TCP_ACK,
		TCP_ACK | TCP_PSH,
		TCP_ACK | TCP_PSH | TCP_FIN,
		TCP_ACK | TCP_CWR | TCP_ECE,
		TCP_ACK | TCP_CWR | TCP_ECE | TCP_AE | TCP_PSH | TCP_FIN | TCP_URG,
	};

	for (size_t i = 0; i < 2 * sizeof(flags) / sizeof(flags[0]); i++) {
		struct traffic t = base;
		t.is_ip6 = i % 2;
		t.flags = flags[i / 2];
		assert_cut_alike(&t);
	}
}

static void test_udp(void **state)
{
	(void)state;
	if (!lab.has_uso)
		skip();
	for (unsigned i = 0; i < 2; i++) {
		struct traffic t = base;
		t.is_udp = true;
		t.is_ip6 = i;
		assert_cut_alike(&t);
		t.df = false;
		t.payload_len = 2 * t.gso_size;
		assert_cut_alike(&t);
	}
}

static void test_tags_and_extension_headers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct traffic t = base;
		t.is_ip6 = i & 1;
		t.is_udp = lab.has_uso && (i & 2);
		t.tags_n = i / 4;
		t.ext_len = t.is_ip6 ? 16 : 0;
		assert_cut_alike(&t);
	}
}

/*
 * The kernel drops a super-frame of one segment (tcp_gso_segment), and cuts one of 64 KiB and
 * more, headers counted, for every device (GSO_LEGACY_MAX_SIZE).
 */
static void test_random(void **state)
{
	(void)state;
	uint64_t seed = test_seed();

	for (unsigned i = 0; i < 300; i++) {
		struct traffic t = traffic_random(&seed);
		t.is_ip = false;
		t.is_udp &= lab.has_uso;
		if (t.payload_len <= t.gso_size)
			t.payload_len = t.gso_size + 1u;
		if (t.payload_len > 65000)
			t.payload_len = 65000;
		assert_cut_alike(&t);
	}
}

/* Not to be cut, only to be completed (skb_checksum_help). */
static void test_open_checksums(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct traffic t = base;
		t.is_ip6 = i & 1;
		t.is_udp = i & 2;
		t.payload_len = 999 + i;
		struct weft_frame frame = traffic_frame(&t, whole_buf);
		frame.offload.gso = WEFT_GSO_NONE;
		frame.offload.gso_size = 0;

		send_frame(&frame);
		struct weft_frame came = assert_next_is_cut_alike();
		assert_int_equal(came.offload.flags, WEFT_OFFLOAD_NEEDS_CSUM);
		assert_int_equal(came.offload.gso, WEFT_GSO_NONE);
	}
}

static void test_udp_of_the_kernels_own(void **state)
{
	(void)state;
	static uint8_t payload[20500];
	struct sockaddr_in there = address(THERE, 9);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int segment_len = 1000;

	if (!lab.has_uso)
		skip();
	assert_int_equal(setsockopt(fd, IPPROTO_UDP, LAB_UDP_SEGMENT, &segment_len,
				    sizeof(segment_len)),
			 0);
	assert_int_equal(sendto(fd, payload, sizeof(payload), 0,
				(struct sockaddr *)&there, sizeof(there)),
			 sizeof(payload));
	struct weft_frame frame = assert_next_is_cut_alike();
	assert_int_equal(frame.offload.gso, WEFT_GSO_UDP);
	assert_int_equal(cut_frame(&frame), 21);
	close(fd);
}

/*
 * Answers the SYN that br0 sent, so that its TCP may send an initial window; from another MAC,
 * or the bridge would learn where THERE is and flood no more.
 */
static void answer_syn(const struct weft_frame *syn)
{
	const uint8_t mss[4] = { TCP_OPT_MSS, 4, 1460 >> 8, 1460 & 0xff };
	const uint8_t *in = syn->data + ETHER_LEN + IP4_LEN;
	uint8_t *out = whole_buf + WEFT_HEADROOM;
	uint8_t *ip = out + ETHER_LEN, *tcp = ip + IP4_LEN;
	const struct ip4_hdr ip_hdr = {
		.total_len = IP4_LEN + TCP_LEN + sizeof(mss),
		.ttl = 64,
		.proto = IPPROTO_TCP,
		.src = THERE,
		.dst = HERE,
	};
	struct tcp_hdr tcp_hdr = {
		.sport = load_be16(in + TCP_OFF_DPORT),
		.dport = load_be16(in + TCP_OFF_SPORT),
		.seq = 1000,
		.ack = load_be32(in + TCP_OFF_SEQ) + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = 65535,
		.options = mss,
		.options_len = sizeof(mss),
	};

	memcpy(out, syn->data + ETHER_OFF_SRC, 6);
	memcpy(out + ETHER_OFF_SRC, there_mac, 6);
	out[ETHER_OFF_SRC + 5] ^= 1;
	store_be16(out + ETHER_OFF_TYPE, ETHER_TYPE_IP4);
	assert_int_equal(ip4_hdr_emit(ip, IP4_LEN, &ip_hdr), IP4_LEN);
	assert_int_equal(tcp_hdr_emit(tcp, 24, &tcp_hdr), 24);
	tcp_hdr.csum = checksum_finish(checksum_add(
		checksum_pseudo4(ip + IP4_OFF_SRC, ip + IP4_OFF_DST, IPPROTO_TCP, 24),
		tcp, 24));
	assert_int_equal(tcp_hdr_emit(tcp, 24, &tcp_hdr), 24);
	send_frame(
		&(struct weft_frame){ .data = out, .len = ETHER_LEN + ip_hdr.total_len });
}

static void test_tcp_of_the_kernels_own(void **state)
{
	(void)state;
	static uint8_t payload[40000];
	struct sockaddr_in there = address(THERE, 443);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	uint32_t came = 0, supers = 0;

	assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof(there)), -1);
	struct weft_frame syn = assert_next_is_cut_alike();
	answer_syn(&syn);
	assert_next_is_cut_alike(); /* Its ACK. */
	assert_int_equal(write(fd, payload, sizeof(payload)), sizeof(payload));
	while (came < 10 * 1460) {
		struct weft_frame frame = assert_next_is_cut_alike();
		came += frame.len - (ETHER_LEN + IP4_LEN + TCP_LEN);
		supers += frame.offload.gso == WEFT_GSO_TCP4;
	}
	assert_true(supers > 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_tags_and_extension_headers),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_open_checksums),
		cmocka_unit_test(test_udp_of_the_kernels_own),
		cmocka_unit_test(test_tcp_of_the_kernels_own),
	};

	build_lab();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
