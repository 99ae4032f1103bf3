/* SPDX-License-Identifier: MIT */
/*
 * AF_PACKET sockets of this kernel, through the driver, on the two ends of a cable:
 *
 *   left link == [ left ]------ veth ------[ right ] == right link
 *
 * Neither end has an address, so that the kernel sends nothing of its own. It takes VLAN tags
 * off what comes in.
 */
#include "../link/inbox.h"
#include "../unit.h"
#include "link/vnet_linux.h"
#include "netns.h"
#include "traffic.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "workbench.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct weft_link *links[2]; /* left, right */
static struct inbox box;           /* What right receives. */

/* The kernel acts on a cable that was plugged in a little later; until then it drops. */
static void wait_for_carrier(void)
{
	sh("for i in $(seq 100); do"
	   "  test $(ip -o link show | grep -c 'state UP') = 2 && exit 0; sleep 0.05;"
	   "done; exit 1");
}

static int setup(void **state)
{
	(void)state;
	netns_enter();
	sh("ip link add left type veth peer name right");
	sh("ip link set dev left addrgenmode none");
	sh("ip link set dev right addrgenmode none");
	sh("ip link set dev left up");
	sh("ip link set dev right up");
	wait_for_carrier();
	links[0] = open_link("packet:left");
	links[1] = open_link("packet:right");
	weft_link_on_receive(links[1], inbox_receive, &box);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		weft_link_free(links[i]);
		links[i] = NULL;
	}
	inbox_clear(&box);
	return 0;
}

static bool box_has(void *user)
{
	return box.n >= *(const size_t *)user;
}

static void wait_for_frames(size_t n)
{
	assert_true(run_links(links, 2, box_has, &n));
	assert_int_equal(box.n, n);
}

/* An Ethernet frame with the given types behind each other, then the number n in each byte. */
static struct weft_frame ether_frame(uint8_t buf[200], const uint16_t *words,
				     size_t words_n, uint8_t n)
{
	static const uint8_t macs[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	memset(buf, n, 200);
	memcpy(buf, macs, sizeof(macs));
	for (size_t i = 0; i < words_n; i++)
		store_be16(buf + sizeof(macs) + 2 * i, words[i]);
	return (struct weft_frame){ .data = buf, .len = 200 };
}

static void frames_cross_as_they_are(void **state)
{
	uint8_t buf[3][200];
	struct weft_frame frames[3];
	const uint16_t type = ETHER_TYPE_LOCAL_EXPERIMENT;
	(void)state;
	for (uint8_t i = 0; i < 3; i++)
		frames[i] = ether_frame(buf[i], &type, 1, i);
	weft_link_send(links[0], frames, 3, 1);
	wait_for_frames(3);
	for (size_t i = 0; i < 3; i++)
		assert_same_frame(&box.frames[i], &frames[i]);
}

/* A NIC's driver pads to the 60 bytes of its wire; a cable of the kernel's own needs none. */
static void short_frames_cross_as_they_are(void **state)
{
	static const uint32_t lens[] = { 59, 42, 15 };
	uint8_t buf[3][200];
	struct weft_frame frames[3];
	const uint16_t type = ETHER_TYPE_LOCAL_EXPERIMENT;
	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		frames[i] = ether_frame(buf[i], &type, 1, i);
		frames[i].len = lens[i];
	}
	weft_link_send(links[0], frames, 3, 1);
	wait_for_frames(3);
	for (size_t i = 0; i < 3; i++)
		assert_same_frame(&box.frames[i], &frames[i]);
}

static void our_own_frames_do_not_come_back(void **state)
{
	uint8_t buf[200];
	const uint16_t type = ETHER_TYPE_LOCAL_EXPERIMENT;
	(void)state;
	weft_link_on_receive(links[0], inbox_receive, &box);
	struct weft_frame frame = ether_frame(buf, &type, 1, 1);
	weft_link_send(links[0], &frame, 1, 1);
	wait_for_frames(1);
	for (size_t i = 0; i < 2; i++)
		link_run_at(links[i], clock_now());
	assert_int_equal(box.n, 1);
	assert_int_equal(weft_link_stats(links[0]).rx_frames, 0);
}

/* As `weft dump packet:NAME,sent` looks at a gateway's cable. */
static void what_others_here_send_is_shown_on_request(void **state)
{
	uint8_t buf[200];
	const uint16_t type = ETHER_TYPE_LOCAL_EXPERIMENT;
	struct weft_link *onlooker = open_link("packet:left,sent");
	struct inbox seen = { 0 };
	(void)state;
	weft_link_on_receive(onlooker, inbox_receive, &seen);
	struct weft_frame frame = ether_frame(buf, &type, 1, 1);
	weft_link_send(links[0], &frame, 1, 1);
	wait_for_frames(1);
	weft_link_send(links[1], &frame, 1, 1);
	weft_link_send(onlooker, &frame, 1, 1);
	wait_for_frames(2);
	link_run_at(onlooker, clock_now());
	link_run_at(links[0], clock_now());
	assert_int_equal(seen.n, 2); /* one each way, and not its own */
	assert_int_equal(weft_link_stats(links[0]).rx_frames, 1); /* by the cable */
	assert_same_frame(&seen.frames[0], &frame);
	inbox_clear(&seen);
	weft_link_free(onlooker);
}

/* Hands the link a message as the kernel does, which sends nothing of the kind by itself. */
static void hands_over(int end, const struct virtio_net_hdr *hdr, size_t len)
{
	uint8_t buf[200] = { 0 };
	memcpy(buf, hdr, VNET_HDR_LEN);
	assert_int_equal(write(end, buf, VNET_HDR_LEN + len), VNET_HDR_LEN + len);
	link_run_at(links[1], clock_now());
}

static void what_makes_no_sense_is_counted(void **state)
{
	static const struct virtio_net_hdr plain,
		strange = { .gso_type = 0x7f, .gso_size = 9 };
	const uint16_t type = ETHER_TYPE_LOCAL_EXPERIMENT;
	uint8_t buf[200];
	int ends[2];
	(void)state;
	struct weft_frame frame = ether_frame(buf, &type, 1, 1);
	weft_link_send(links[0], &frame, 1, 1);
	wait_for_frames(1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_true(dup2(ends[0], weft_link_task(links[1])->fd) >= 0);
	hands_over(ends[1], &plain, ETHER_LEN);
	assert_int_equal(box.n, 2);
	hands_over(ends[1], &plain, ETHER_LEN - 1);
	assert_int_equal(weft_link_stats(links[1]).rx_errors, 1);
	hands_over(ends[1], &strange, 60);
	assert_int_equal(weft_link_stats(links[1]).rx_errors, 2);
	assert_int_equal(box.n, 2);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void tags_are_put_back(void **state)
{
	const uint16_t tags[][5] = {
		{ ETHER_TYPE_VLAN, 0x6005, ETHER_TYPE_LOCAL_EXPERIMENT },
		{ ETHER_TYPE_QINQ, 7, ETHER_TYPE_LOCAL_EXPERIMENT },
		{ ETHER_TYPE_QINQ, 7, ETHER_TYPE_VLAN, 0x2fff,
		  ETHER_TYPE_LOCAL_EXPERIMENT },
		{ ETHER_TYPE_VLAN, 0, ETHER_TYPE_LOCAL_EXPERIMENT },
	};
	uint8_t buf[200];
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct weft_frame frame = ether_frame(buf, tags[i], i == 2 ? 5 : 3, 1);
		weft_link_send(links[0], &frame, 1, 1);
		wait_for_frames(1);
		assert_same_frame(&box.frames[0], &frame);
		assert_int_equal(box.frames[0].headroom, WEFT_HEADROOM - ETHER_TAG_LEN);
		inbox_clear(&box);
	}
}

static void super_frames_cross_whole(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	struct traffic t = {
		.ttl = 64, .flags = 0x10, .payload_len = 40000, .gso_size = 1448
	};
	(void)state;
	for (t.tags_n = 0; t.tags_n < 2; t.tags_n++) {
		struct weft_frame frame = traffic_frame(&t, buf);
		weft_link_send(links[0], &frame, 1, 1);
		wait_for_frames(1);
		assert_same_frame(&box.frames[0], &frame);
		assert_int_equal(box.frames[0].offload.csum_start,
				 frame.offload.csum_start);
		inbox_clear(&box);
	}
}

static void checksums_are_left_to_the_device(void **state)
{
	static uint8_t buf[TRAFFIC_BUF_LEN];
	const struct traffic t = {
		.ttl = 64, .is_udp = true, .payload_len = 500, .gso_size = 500
	};
	(void)state;
	struct weft_frame frame = traffic_frame(&t, buf);
	frame.offload.gso = WEFT_GSO_NONE;
	frame.offload.gso_size = 0;
	weft_link_send(links[0], &frame, 1, 1);
	wait_for_frames(1);
	assert_same_frame(&box.frames[0], &frame);
}

static void the_facts_are_the_interface_s(void **state)
{
	struct weft_mac mac;
	(void)state;
	assert_string_equal(weft_link_name(links[0]), "left");
	assert_int_equal(weft_link_caps(links[0]).frame_len_max, 1518);
	assert_true(weft_link_mac(links[0], &mac));
	sh("ip link show left | grep -q %02x:%02x:%02x:%02x:%02x:%02x", mac.octet[0],
	   mac.octet[1], mac.octet[2], mac.octet[3], mac.octet[4], mac.octet[5]);
	sh("ip -d link show left | grep -q 'promiscuity 1'");
	weft_link_free(links[0]);
	links[0] = NULL;
	sh("ip -d link show left | grep -q 'promiscuity 0'");
}

/* 1518 bytes are for a tagged frame; without a tag the kernel refuses more than 1514. */
static void what_is_too_long_is_refused(void **state)
{
	static uint8_t buf[2000];
	struct weft_frame frames[3];
	const uint32_t lens[] = { 1519, 1518, 1514 };
	(void)state;
	memset(buf, 0, sizeof(buf));
	store_be16(buf + ETHER_OFF_TYPE, ETHER_TYPE_LOCAL_EXPERIMENT);
	buf[ETHER_OFF_DST] = buf[ETHER_OFF_SRC] = 2;
	for (size_t i = 0; i < 3; i++)
		frames[i] = (struct weft_frame){ .data = buf, .len = lens[i] };
	weft_link_send(links[0], frames, 3, 1);
	wait_for_frames(1);
	assert_int_equal(box.frames[0].len, 1514);
	assert_int_equal(weft_link_stats(links[0]).tx_too_long, 1);
	assert_int_equal(weft_link_stats(links[0]).tx_dropped, 1);
}

static void an_interface_that_was_down_comes_back(void **state)
{
	uint8_t buf[200];
	const uint16_t type = ETHER_TYPE_LOCAL_EXPERIMENT;
	struct weft_frame frame = ether_frame(buf, &type, 1, 1);
	(void)state;
	sh("ip link set dev right down");
	link_run_at(links[1], clock_now());
	assert_false(weft_link_is_down(links[1]));
	weft_link_send(links[1], &frame, 1, 1);
	link_run_at(links[1], clock_now());
	assert_int_equal(weft_link_stats(links[1]).tx_dropped, 1);
	sh("ip link set dev right up");
	wait_for_carrier();
	weft_link_send(links[0], &frame, 1, 1);
	wait_for_frames(1);
	assert_false(weft_link_is_down(links[1]));
}

static bool is_down(void *user)
{
	return weft_link_is_down(*(struct weft_link **)user);
}

static void an_interface_that_is_gone_is_down(void **state)
{
	(void)state;
	sh("ip link delete left");
	assert_true(run_links(links, 2, is_down, &links[0]));
	assert_true(run_links(links, 2, is_down, &links[1]));
	assert_true(link_deadline(links[0]) == WEFT_NEVER);
}

/* The look that finds it gone need not be the first one. */
static void an_interface_that_goes_while_it_is_down_is_down(void **state)
{
	(void)state;
	sh("ip link set dev left down");
	uint64_t now = clock_now();
	link_run_at(links[0], now);
	assert_false(weft_link_is_down(links[0]));
	uint64_t deadline = link_deadline(links[0]);
	assert_in_range(deadline, now, now + 2000000000u);
	sh("ip link delete left");
	link_run_at(links[0], deadline);
	assert_true(weft_link_is_down(links[0]));
}

static void refusals_say_what_to_do(void **state)
{
	struct weft_error err;
	struct weft_link *link = NULL;
	(void)state;
	assert_int_equal(weft_link_open("packet:eth7", &err, &link), -ENODEV);
	assert_non_null(strstr(err.text, "there are: lo, "));
	assert_non_null(strstr(err.text, "left"));
	assert_int_equal(weft_link_open("packet:lo", &err, &link), -EINVAL);
	assert_non_null(strstr(err.text, "lo is not an Ethernet interface"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_cross_as_they_are),
		TEST(short_frames_cross_as_they_are),
		TEST(our_own_frames_do_not_come_back),
		TEST(what_others_here_send_is_shown_on_request),
		TEST(what_makes_no_sense_is_counted),
		TEST(tags_are_put_back),
		TEST(super_frames_cross_whole),
		TEST(checksums_are_left_to_the_device),
		TEST(the_facts_are_the_interface_s),
		TEST(what_is_too_long_is_refused),
		TEST(an_interface_that_was_down_comes_back),
		TEST(an_interface_that_is_gone_is_down),
		TEST(an_interface_that_goes_while_it_is_down_is_down),
		TEST(refusals_say_what_to_do),
	};
	const char *lack = netns_lacks();
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
