/* SPDX-License-Identifier: MIT */
/*
 * TAP and TUN devices of this kernel, through the driver.
 *
 *   [ socket ] -- namespace A -- device A   ==weft==   device B -- namespace B -- [ socket ]
 */
#include "../link/inbox.h"
#include "../unit.h"
#include "netns.h"
#include "traffic.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "workbench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Offsets in a frame with Ethernet, IPv4 and UDP. */
#define OFF_ETHER_TYPE 12u
#define OFF_IP_PROTO   23u
#define UDP_HDRS_LEN   42u

static struct weft_link *links[4];
static struct inbox box;

static int setup(void **state)
{
	(void)state;
	netns_enter();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		weft_link_free(links[i]);
		links[i] = NULL;
	}
	inbox_clear(&box);
	return 0;
}

/* Gives the device an address; 192.0.2.2 is then a neighbour that is known already. */
static void bring_up(const struct weft_link *link, bool is_tap)
{
	const char *name = weft_link_name(link);
	sh("ip address add 192.0.2.1/24 dev %s", name);
	sh("ip link set dev %s up", name);
	if (is_tap)
		sh("ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev %s", name);
}

/* Sends len bytes to 192.0.2.2, as datagrams of segment bytes if it is not 0. */
static void send_udp(size_t len, uint16_t segment)
{
	static const uint8_t data[16000];
	struct sockaddr_in to = { .sin_family = AF_INET };
	const int size = segment;
	store_be16((uint8_t *)&to.sin_port, 9);
	store_be32((uint8_t *)&to.sin_addr.s_addr, 0xc0000202);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (segment)
		assert_int_equal(
			setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	const void *generic = &to;
	assert_int_equal(sendto(fd, data, len, 0, generic, sizeof(to)), len);
	close(fd);
}

static bool is_udp4(const struct weft_frame *frame)
{
	return frame->len >= UDP_HDRS_LEN &&
	       load_be16(frame->data + OFF_ETHER_TYPE) == 0x0800 &&
	       frame->data[OFF_IP_PROTO] == IPPROTO_UDP;
}

/* The first UDP frame in the box; the kernel sends neighbour discovery of its own as well. */
static const struct weft_frame *first_udp(void)
{
	for (size_t i = 0; i < box.n; i++) {
		if (is_udp4(&box.frames[i]))
			return &box.frames[i];
	}
	return NULL;
}

static const struct weft_frame *the_udp(void)
{
	const struct weft_frame *frame = first_udp();
	if (!frame)
		abort(); /* the caller has waited for it */
	return frame;
}

static bool udp_has_come(void *user)
{
	(void)user;
	return first_udp() != NULL;
}

static void a_datagram_arrives_with_its_checksum_to_be_done(void **state)
{
	(void)state;
	links[0] = open_link("tap:");
	weft_link_on_receive(links[0], inbox_receive, &box);
	bring_up(links[0], true);
	send_udp(100, 0);
	assert_true(run_links(links, 1, udp_has_come, NULL));
	const struct weft_frame *frame = the_udp();
	assert_int_equal(frame->len, UDP_HDRS_LEN + 100);
	assert_int_equal(frame->headroom, WEFT_HEADROOM);
	assert_true(frame->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM);
	assert_int_equal(frame->offload.csum_start, 34);
	assert_int_equal(frame->offload.csum_offset, 6);
}

static void offload_can_be_declined(void **state)
{
	(void)state;
	links[0] = open_link("tap:,offload=off");
	weft_link_on_receive(links[0], inbox_receive, &box);
	bring_up(links[0], true);
	send_udp(5000, 1000);
	assert_true(run_links(links, 1, udp_has_come, NULL));
	const struct weft_frame *frame = the_udp();
	assert_int_equal(frame->len, UDP_HDRS_LEN + 1000);
	assert_int_equal(frame->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM, 0);
	assert_int_equal(frame->offload.gso, WEFT_GSO_NONE);
}

/* On a kernel that has USO; an older one cuts before the device. */
static void datagrams_arrive_as_one_super_frame(void **state)
{
	(void)state;
	links[0] = open_link("tap:");
	if (!(weft_link_caps(links[0]).flags & WEFT_LINK_USO)) {
		print_message("# no USO in this kernel\n");
		return;
	}
	weft_link_on_receive(links[0], inbox_receive, &box);
	bring_up(links[0], true);
	send_udp(5500, 1000);
	assert_true(run_links(links, 1, udp_has_come, NULL));
	const struct weft_frame *frame = the_udp();
	assert_int_equal(frame->len, UDP_HDRS_LEN + 5500);
	assert_int_equal(frame->offload.gso, WEFT_GSO_UDP);
	assert_int_equal(frame->offload.gso_size, 1000);
}

static void a_tun_gives_bare_packets(void **state)
{
	(void)state;
	links[0] = open_link("tun:weft-tun");
	assert_string_equal(weft_link_name(links[0]), "weft-tun");
	assert_true(weft_link_caps(links[0]).flags & WEFT_LINK_IP);
	struct weft_mac mac;
	assert_false(weft_link_mac(links[0], &mac));
	weft_link_on_receive(links[0], inbox_receive, &box);
	bring_up(links[0], false);
	send_udp(100, 0);
	for (bool found = false; !found;) {
		size_t seen = box.n;
		weft_link_task(links[0])->run(weft_link_task(links[0]), clock_now());
		assert_true(box.n > seen);
		for (size_t i = seen; i < box.n; i++)
			found = found || (box.frames[i].data[0] == 0x45 &&
					  box.frames[i].len == 128);
	}
}

static bool box_has_frame(void *user)
{
	(void)user;
	return box.n > 0;
}

/* There is no wire behind a TAP that would need 60 bytes. */
static void short_frames_arrive_as_they_are(void **state)
{
	uint8_t bytes[42] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	(void)state;
	store_be16(bytes + OFF_ETHER_TYPE, ETHER_TYPE_LOCAL_EXPERIMENT);
	links[0] = open_link("tap:short");
	sh("ip link set dev short addrgenmode none");
	sh("ip link set dev short up");
	links[1] = open_link("packet:short");
	weft_link_on_receive(links[1], inbox_receive, &box);
	weft_link_send(links[0], &frame, 1, 1);
	assert_true(run_links(links, 2, box_has_frame, NULL));
	assert_same_frame(&box.frames[0], &frame);
}

static void the_kernel_chooses_a_name(void **state)
{
	(void)state;
	links[0] = open_link("tap:");
	links[1] = open_link("tap:");
	assert_string_equal(weft_link_name(links[0]), "weft0");
	assert_string_equal(weft_link_name(links[1]), "weft1");
}

static void the_mac_is_set_and_told(void **state)
{
	struct weft_mac mac;
	struct weft_error err;
	const uint8_t expected[] = { 2, 0, 0, 0, 0xab, 1 };
	(void)state;
	links[0] = open_link("tap:weft0,mac=02:00:00:00:ab:01");
	assert_true(weft_link_mac(links[0], &mac));
	assert_memory_equal(mac.octet, expected, 6);
	sh("ip link show weft0 | grep -q 02:00:00:00:ab:01");
	assert_int_equal(weft_link_open("tap:x,mac=01:00:00:00:00:01", &err, &links[1]),
			 -EINVAL);
	assert_non_null(strstr(err.text, "not the address of one station"));
}

static void assert_refused(const char *spec, int code, const char *text)
{
	struct weft_error err;
	struct weft_link *link = NULL;
	assert_int_equal(weft_link_open(spec, &err, &link), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void refusals_say_what_to_do(void **state)
{
	(void)state;
	links[0] = open_link("tap:weft0");
	assert_refused("tap:weft0", -EBUSY, "in use by another process");
	assert_refused("tun:weft0", -EEXIST, "cannot be a tun");
	assert_refused("tap:lo", -EEXIST, "of another type");
	assert_refused("tap:weft0,multiqueue", -EEXIST, "made without multiqueue");
	assert_refused("tap:abcdefghijklmnop", -EINVAL, "at most 15");
}

/* Whoever hands it over need not know what a loop needs. */
static void an_inherited_device_is_made_our_own(void **state)
{
	struct weft_error err;
	char spec[40];
	(void)state;
	int fd = open("/dev/net/tun", O_RDWR);
	assert_true(fd >= 0);
	(void)snprintf(spec, sizeof(spec), "tap:x,fd=%d", fd);
	assert_int_equal(weft_link_open(spec, &err, &links[0]), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_refused("tap:y,fd=999", -EBADF, "fd=999: Bad file descriptor");
	assert_refused("tap:y,fd=4294967296", -EBADF, "fd=4294967296: ");
}

static void queues_share_a_device(void **state)
{
	(void)state;
	links[0] = open_link("tap:weft0,multiqueue");
	links[1] = open_link("tap:weft0,multiqueue");
	weft_link_on_receive(links[0], inbox_receive, &box);
	weft_link_on_receive(links[1], inbox_receive, &box);
	bring_up(links[0], true);
	send_udp(100, 0);
	assert_true(run_links(links, 2, udp_has_come, NULL));
	/* A queue that goes leaves the device to the other. */
	weft_link_free(links[0]);
	links[0] = NULL;
	inbox_clear(&box);
	send_udp(100, 0);
	assert_true(run_links(links + 1, 1, udp_has_come, NULL));
}

static bool is_down(void *user)
{
	return weft_link_is_down(*(struct weft_link **)user);
}

static void a_persistent_device_stays(void **state)
{
	(void)state;
	weft_link_free(open_link("tap:weft0,persist"));
	assert_true(if_nametoindex("weft0") != 0);
	weft_link_free(open_link("tap:weft0"));
	assert_true(if_nametoindex("weft0") != 0);
	sh("ip link delete weft0");
	weft_link_free(open_link("tap:weft0"));
	assert_int_equal(if_nametoindex("weft0"), 0);
}

static void a_deleted_device_is_down(void **state)
{
	uint8_t buf[60];
	(void)state;
	links[0] = open_link("tap:weft0");
	sh("ip link delete weft0");
	assert_true(run_links(links, 1, is_down, &links[0]));
	assert_int_equal(weft_link_task(links[0])->events, 0);
	struct weft_frame frame = numbered_frame(buf, sizeof(buf), 1);
	weft_link_send(links[0], &frame, 1, 1);
	link_run_at(links[0], 2);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 1);
}

/* Frames for a device that is not up yet are lost, and nothing worse. */
static void a_device_that_is_not_up_drops(void **state)
{
	uint8_t buf[60];
	(void)state;
	links[0] = open_link("tap:");
	struct weft_frame frame = numbered_frame(buf, sizeof(buf), 1);
	weft_link_send(links[0], &frame, 1, 1);
	link_run_at(links[0], 2);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 1);
	assert_false(weft_link_is_down(links[0]));
}

static bool expects_more(struct weft_link *link)
{
	return link_deadline(link) == 0;
}

/* Who has found something looks again without being told to, unless that was in vain of late. */
static void more_is_expected_after_a_frame(void **state)
{
	(void)state;
	sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"); /* It has its own to say. */
	links[0] = open_link("tap:");
	bring_up(links[0], true);
	assert_false(expects_more(links[0]));
	for (unsigned i = 0; i < 3; i++) {
		send_udp(100, 0);
		link_run_at(links[0], 1);
		assert_true(expects_more(links[0]));
	}
	link_run_at(links[0], 2);
	assert_false(expects_more(links[0]));
	for (unsigned i = 1; i <= 8; i++) {
		send_udp(100, 0);
		link_run_at(links[0], 3);
		assert_int_equal(expects_more(links[0]), i == 8);
	}
	/* Wrong again: the next guess is twice as far. */
	link_run_at(links[0], 4);
	for (unsigned i = 1; i <= 16; i++) {
		send_udp(100, 0);
		link_run_at(links[0], 5);
		assert_int_equal(expects_more(links[0]), i == 16);
	}
	assert_int_equal(weft_link_stats(links[0]).rx_frames, 3 + 8 + 16);
}

/* Frames that the device has taken from us, by the kernel's own count. */
static unsigned long frames_taken(const char *name)
{
	char command[80];
	unsigned long n = 0;
	(void)snprintf(command, sizeof(command), "ip -s -o link show %s", name);
	FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): the test's own text. */
	assert_non_null(f);
	char line[1000];
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	const char *at = strstr(line, "RX:");
	assert_non_null(at);
	at = strchr(at, '\\');
	assert_non_null(at);
	assert_int_equal(sscanf(at + 1, "%*u %lu", &n), 1); /* NOLINT(cert-err34-c) */
	return n;
}

static void forty_segments_are_one_write(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	const struct traffic super = {
		.ttl = 64, .flags = 0x10, .payload_len = 40 * 1448, .gso_size = 1448
	};
	(void)state;
	links[0] = open_link("tap:weft0");
	bring_up(links[0], true);
	unsigned long before = frames_taken("weft0");
	for (uint32_t i = 0; i < 40; i++) {
		struct traffic segment = traffic_segment(&super, i);
		struct weft_frame frame = traffic_frame(&segment, buf);
		weft_link_send(links[0], &frame, 1, 1);
	}
	assert_int_equal(link_deadline(links[0]), 0);
	link_run_at(links[0], 1);
	assert_int_equal(weft_link_stats(links[0]).tx_frames, 1);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 0);
	assert_int_equal(frames_taken("weft0"), before + 1);
}

/* ---- one TCP connection between two namespaces ------------------------------------------- */

#define TCP_LEN 3000000u

struct tcp {
	int from, to;
	size_t sent, received;
	bool is_wrong; /* A byte is not what was sent. */
};

static uint32_t longest; /* Frame that has crossed. */

static void cross(void *user, struct weft_link *link, const struct weft_frame *frames,
		  size_t n, uint64_t now)
{
	(void)link;
	for (size_t i = 0; i < n; i++)
		longest = frames[i].len > longest ? frames[i].len : longest;
	weft_link_send(user, frames, n, now);
}

static void port7_address(struct sockaddr_in *addr, uint32_t ip)
{
	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	store_be16((uint8_t *)&addr->sin_port, 7);
	store_be32((uint8_t *)&addr->sin_addr.s_addr, ip);
}

/* Moves what can be moved without waiting. Done when all has arrived. */
static bool tcp_step(void *user)
{
	struct tcp *tcp = user;
	static uint8_t buf[65536];
	size_t left = TCP_LEN - tcp->sent;
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = traffic_byte((uint32_t)(tcp->sent + i));
	ssize_t r = left ? send(tcp->from, buf, left < sizeof(buf) ? left : sizeof(buf),
				MSG_DONTWAIT | MSG_NOSIGNAL)
			 : 0;
	tcp->sent += r > 0 ? (size_t)r : 0;
	r = tcp->to >= 0 ? recv(tcp->to, buf, sizeof(buf), MSG_DONTWAIT) : -1;
	for (ssize_t i = 0; i < r; i++)
		tcp->is_wrong |= buf[i] != traffic_byte((uint32_t)tcp->received++);
	return tcp->received == TCP_LEN;
}

struct tcp_connecting {
	int listener;
	struct tcp *tcp;
};

static bool tcp_is_accepted(void *user)
{
	struct tcp_connecting *c = user;
	c->tcp->to = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return c->tcp->to >= 0;
}

/*
 * links[0] is opened from spec_a in this namespace, links[1] from spec_b in a new one; weft
 * joins them; a stream goes from the second to the first.
 */
static void carry_tcp(const char *spec_a, const char *spec_b)
{
	struct sockaddr_in addr;
	const void *generic = &addr;
	struct tcp tcp = { .to = -1 };

	links[0] = open_link("%s", spec_a);
	sh("ip address add 192.0.2.1/24 dev weft-a");
	sh("ip link set dev weft-a up");
	struct tcp_connecting connecting = { .tcp = &tcp };
	connecting.listener =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	port7_address(&addr, 0xc0000201);
	assert_int_equal(bind(connecting.listener, generic, sizeof(addr)), 0);
	assert_int_equal(listen(connecting.listener, 1), 0);

	netns_enter();
	links[1] = open_link("%s", spec_b);
	sh("ip address add 192.0.2.2/24 dev weft-b");
	sh("ip link set dev weft-b up");
	weft_link_on_receive(links[0], cross, links[1]);
	weft_link_on_receive(links[1], cross, links[0]);
	longest = 0;
	tcp.from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(tcp.from, generic, sizeof(addr)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_true(run_links(links, 2, tcp_is_accepted, &connecting));
	assert_true(run_links(links, 2, tcp_step, &tcp));
	assert_false(tcp.is_wrong);
	close(tcp.from);
	close(tcp.to);
	close(connecting.listener);
}

static void tcp_crosses_in_super_frames(void **state)
{
	(void)state;
	carry_tcp("tap:weft-a", "tap:weft-b");
	assert_true(longest > 10000);
	assert_int_equal(weft_link_stats(links[0]).cut, 0);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 0);
}

static void tcp_crosses_tuns_as_well(void **state)
{
	(void)state;
	carry_tcp("tun:weft-a", "tun:weft-b");
	assert_true(longest > 10000);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 0);
}

/* Impairment cuts what comes out of b; what goes into a is merged again. */
static void what_was_cut_is_merged_again(void **state)
{
	(void)state;
	carry_tcp("tap:weft-a", "impair:delay=1us:tap:weft-b");
	assert_int_equal(longest, 1514);
	assert_true(weft_link_stats(links[0]).merged > 100);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 0);
}

/* ---- datagrams between two namespaces ---------------------------------------------------- */

#define DATAGRAMS    40u
#define DATAGRAM_LEN 1000u

struct udp {
	int fd;
	uint32_t received;
};

/* Each datagram that arrives is the next one, and as long as it was. */
static bool udp_step(void *user)
{
	struct udp *udp = user;
	uint8_t buf[2 * DATAGRAM_LEN];
	ssize_t r;
	while ((r = recv(udp->fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
		assert_int_equal(r, DATAGRAM_LEN);
		assert_int_equal(load_be32(buf), udp->received++);
	}
	return udp->received == DATAGRAMS;
}

/* b hands the datagrams over one by one; a writes them to its device as super-frames. */
static void datagrams_are_merged_and_arrive_as_they_were(void **state)
{
	static uint8_t data[DATAGRAMS * DATAGRAM_LEN];
	struct sockaddr_in addr;
	const void *generic = &addr;
	const int size = DATAGRAM_LEN;
	struct udp udp = { .received = 0 };
	(void)state;

	links[0] = open_link("tap:weft-a");
	sh("ip address add 192.0.2.1/24 dev weft-a");
	sh("ip link set dev weft-a up");
	udp.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	port7_address(&addr, 0xc0000201);
	assert_int_equal(bind(udp.fd, generic, sizeof(addr)), 0);

	netns_enter();
	links[1] = open_link("tap:weft-b,offload=off");
	sh("ip address add 192.0.2.2/24 dev weft-b");
	sh("ip link set dev weft-b up");
	weft_link_on_receive(links[0], cross, links[1]);
	weft_link_on_receive(links[1], cross, links[0]);
	longest = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (uint32_t i = 0; i < DATAGRAMS; i++)
		store_be32(data + (size_t)i * DATAGRAM_LEN, i);
	assert_int_equal(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)),
			 0);
	assert_int_equal(sendto(fd, data, sizeof(data), 0, generic, sizeof(addr)),
			 sizeof(data));
	assert_true(run_links(links, 2, udp_step, &udp));
	assert_int_equal(longest, UDP_HDRS_LEN + DATAGRAM_LEN);
	if (weft_link_caps(links[0]).flags & WEFT_LINK_USO)
		assert_true(weft_link_stats(links[0]).merged >= DATAGRAMS / 2);
	close(fd);
	close(udp.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_datagram_arrives_with_its_checksum_to_be_done),
		TEST(offload_can_be_declined),
		TEST(datagrams_arrive_as_one_super_frame),
		TEST(a_tun_gives_bare_packets),
		TEST(short_frames_arrive_as_they_are),
		TEST(the_kernel_chooses_a_name),
		TEST(the_mac_is_set_and_told),
		TEST(refusals_say_what_to_do),
		TEST(an_inherited_device_is_made_our_own),
		TEST(queues_share_a_device),
		TEST(a_persistent_device_stays),
		TEST(a_deleted_device_is_down),
		TEST(a_device_that_is_not_up_drops),
		TEST(more_is_expected_after_a_frame),
		TEST(forty_segments_are_one_write),
		TEST(tcp_crosses_in_super_frames),
		TEST(tcp_crosses_tuns_as_well),
		TEST(what_was_cut_is_merged_again),
		TEST(datagrams_are_merged_and_arrive_as_they_were),
	};
	const char *lack = netns_lacks_tun();
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
