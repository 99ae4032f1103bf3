/* SPDX-License-Identifier: MIT */
/*
 * Devices in memory: what holds of every system, then what a test can do to these.
 */
#include "device.h"

#include "../unit.h"
#include "wire/compose.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static struct weft_device_memory *memory;
static struct device_case now_tested;

static struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static struct weft_tunnel *the_tunnel(void)
{
	struct weft_tunnel *tunnel = weft_device_memory_tunnel(memory, now_tested.fd);
	assert_non_null(tunnel);
	return tunnel;
}

static void memory_send(struct device_case *c, const void *payload, size_t len,
			struct weft_ip *ret_ip, uint16_t *ret_port)
{
	const struct weft_ip to = ip(DEVICE_REMOTE);
	(void)c;
	assert_int_equal(
		weft_tunnel_put_udp(the_tunnel(), &to, DEVICE_PORT, payload, len), 0);
	*ret_ip = ip(WEFT_TUNNEL_UDP_IP4);
	*ret_port = WEFT_TUNNEL_UDP_PORT;
}

static int memory_receive(struct device_case *c, void *buf, size_t len)
{
	const struct weft_ip to = ip(DEVICE_LOCAL);
	(void)c;
	return weft_tunnel_take_udp(the_tunnel(), &to, DEVICE_PORT, buf, len);
}

static unsigned tun = WEFT_DEVICE_TUN | WEFT_DEVICE_NO_PI;
static unsigned tap = WEFT_DEVICE_TAP | WEFT_DEVICE_NO_PI;
static unsigned tap_pi = WEFT_DEVICE_TAP;
static unsigned tun_pi = WEFT_DEVICE_TUN;

/* The initial state is the kind of device. */
static int setup(void **state)
{
	const unsigned *flags = *state;
	assert_int_equal(weft_device_memory_new(NULL, &memory), 0);
	now_tested = (struct device_case){
		.system = weft_device_memory_system(memory),
		.flags = flags ? *flags : tap,
		.send = memory_send,
		.receive = memory_receive,
	};
	device_case_open(&now_tested, "tap0");
	*state = &now_tested;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_device_memory_free(memory);
	return 0;
}

static int device_open(unsigned flags)
{
	return weft_device_open(now_tested.system, WEFT_DEVICE_PATH, flags);
}

static int device_read(void *buf, size_t len)
{
	return weft_device_read(now_tested.system, now_tested.fd, buf, len);
}

static int device_write(const void *buf, size_t len)
{
	return weft_device_write(now_tested.system, now_tested.fd, buf, len);
}

static void put(const char *text)
{
	assert_int_equal(weft_tunnel_put(the_tunnel(), text, strlen(text)), 0);
}

/* ---- opening and configuring ------------------------------------------------------------- */

static void a_read_that_would_block_for_ever_says_so(void **state)
{
	uint8_t buf[100];
	(void)state;
	int fd = device_open(WEFT_DEVICE_RDWR);
	assert_int_equal(weft_device_read(now_tested.system, fd, buf, sizeof(buf)),
			 -EDEADLK);
	assert_int_equal(device_read(buf, sizeof(buf)), -EAGAIN);
}

static void descriptors_are_none_of_the_process(void **state)
{
	(void)state;
	assert_int_equal(now_tested.fd, WEFT_DEVICE_MEMORY_FD);
	assert_int_equal(device_open(0), WEFT_DEVICE_MEMORY_FD + 1);
	assert_int_equal(weft_device_memory_open_count(memory), 2);
	assert_int_equal(weft_device_close(now_tested.system, now_tested.fd), 0);
	assert_int_equal(weft_device_memory_open_count(memory), 1);
	assert_int_equal(device_open(0), WEFT_DEVICE_MEMORY_FD + 2);
	assert_null(weft_device_memory_tunnel(memory, now_tested.fd));
	assert_int_equal(weft_device_poll_fd(now_tested.system, now_tested.fd), -1);
}

static void a_device_knows_how_it_was_opened(void **state)
{
	const char requested[WEFT_DEVICE_NAME_LEN] = "tap0";
	(void)state;
	struct weft_tunnel_facts facts = weft_tunnel_facts(the_tunnel());
	assert_int_equal(facts.open_flags, WEFT_DEVICE_RDWR | WEFT_DEVICE_NONBLOCK);
	assert_int_equal(facts.flags, tap);
	assert_memory_equal(facts.requested, requested, sizeof(requested));
	assert_string_equal(facts.name, "tap0123");
}

static void names_are_cut_to_what_fits(void **state)
{
	struct weft_device_config config = { .name = "abcdefghijklmno", .flags = tun };
	(void)state;
	int fd = device_open(WEFT_DEVICE_RDWR);
	assert_int_equal(
		weft_device_configure(now_tested.system, fd, WEFT_DEVICE_SETIFF, &config),
		0);
	assert_string_equal(config.name, "abcdefghijkl123");
	assert_int_equal(
		weft_device_configure(now_tested.system, fd, WEFT_DEVICE_SETIFF, &config),
		-EEXIST);
}

static void a_device_is_a_tun_or_a_tap(void **state)
{
	struct weft_device_config config = { .flags = WEFT_DEVICE_NO_PI };
	(void)state;
	int fd = device_open(WEFT_DEVICE_RDWR);
	for (unsigned kind = 0; kind <= 3; kind += 3) {
		config.flags = WEFT_DEVICE_NO_PI | kind;
		assert_int_equal(weft_device_configure(now_tested.system, fd,
						       WEFT_DEVICE_SETIFF, &config),
				 -EINVAL);
	}
}

static void what_is_not_permitted_is_eperm(void **state)
{
	struct weft_device_config config = { .flags = tun };
	(void)state;
	weft_device_memory_permit(memory, WEFT_DEVICE_MAY_CONFIGURE);
	assert_int_equal(device_open(WEFT_DEVICE_RDWR), -EPERM);
	weft_device_memory_permit(memory, WEFT_DEVICE_MAY_OPEN);
	int fd = device_open(WEFT_DEVICE_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(
		weft_device_configure(now_tested.system, fd, WEFT_DEVICE_SETIFF, &config),
		-EPERM);
	weft_device_memory_permit(memory,
				  WEFT_DEVICE_MAY_OPEN | WEFT_DEVICE_MAY_CONFIGURE);
	assert_int_equal(
		weft_device_configure(now_tested.system, fd, WEFT_DEVICE_SETIFF, &config),
		0);
}

/* ---- reading and writing ----------------------------------------------------------------- */

static void frames_are_read_in_order_and_cut(void **state)
{
	char buf[8];
	(void)state;
	assert_false(weft_device_is_readable(now_tested.system, now_tested.fd));
	put("0123456789");
	put("abc");
	assert_int_equal(weft_tunnel_unread(the_tunnel()), 2);
	assert_true(weft_device_is_readable(now_tested.system, now_tested.fd));
	assert_int_equal(device_read(buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "01234567", 8);
	assert_int_equal(device_read(buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(device_read(buf, sizeof(buf)), -EAGAIN);
}

static void protocol_information_counts_for_the_reader(void **state)
{
	const uint8_t expected[] = { 0, 0, 0, 0, '0', '1', '2', '3' };
	uint8_t buf[8];
	(void)state;
	put("0123456789");
	assert_int_equal(device_read(buf, sizeof(buf)), 8);
	assert_memory_equal(buf, expected, sizeof(expected));
}

static void an_empty_frame_is_the_end(void **state)
{
	char buf[8];
	(void)state;
	assert_int_equal(weft_tunnel_put(the_tunnel(), NULL, 0), 0);
	assert_int_equal(device_read(buf, sizeof(buf)), 0);
}

static void packets_get_the_header_of_their_kind(void **state)
{
	const uint8_t packet6[] = { 0x60, 1 };
	const uint8_t expected6[] = { 255, 255, 255, 255, 255,  255,  0,    0,
				      0,   0,   0,   0,   0x86, 0xdd, 0x60, 1 };
	uint8_t buf[40];
	(void)state;
	assert_int_equal(weft_tunnel_put_packet(the_tunnel(), "Eip4", 4), 0);
	assert_int_equal(weft_tunnel_put_packet(the_tunnel(), packet6, 2), 0);
	assert_int_equal(device_read(buf, sizeof(buf)), 18);
	assert_memory_equal(buf + 12,
			    "\x08\x00"
			    "Eip4",
			    6);
	assert_int_equal(device_read(buf, sizeof(buf)), 16);
	assert_memory_equal(buf, expected6, sizeof(expected6));
}

static void ordered_errors_come_first_and_in_order(void **state)
{
	char buf[8];
	(void)state;
	put("abc");
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), -EINTR, 2), 0);
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), -EIO, 1), 0);
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), -EIO, 0), 0);
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), EIO, 1), -EINVAL);
	assert_int_equal(device_read(buf, sizeof(buf)), -EINTR);
	assert_int_equal(device_read(buf, sizeof(buf)), -EINTR);
	assert_int_equal(device_read(buf, sizeof(buf)), -EIO);
	assert_int_equal(device_read(buf, sizeof(buf)), 3);
	assert_int_equal(weft_tunnel_fail_writes(the_tunnel(), -EAGAIN, 1), 0);
	assert_true(!weft_device_is_readable(now_tested.system, now_tested.fd));
	assert_int_equal(device_write("abc", 3), -EAGAIN);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 0);
	assert_int_equal(device_write("abc", 3), 3);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 1);
}

/* What is taken out makes room. */
static void the_send_buffer_has_an_end(void **state)
{
	const struct weft_device_memory_opts opts = { .send_buffer_len = 1024 };
	static const uint8_t frame[1025];
	uint8_t buf[10];
	(void)state;
	weft_device_memory_free(memory);
	assert_int_equal(weft_device_memory_new(&opts, &memory), 0);
	now_tested.system = weft_device_memory_system(memory);
	device_case_open(&now_tested, "tap0");
	assert_int_equal(device_write(frame, 1025), -ENOBUFS);
	assert_int_equal(device_write(frame, 1000), 1000);
	assert_int_equal(device_write(frame, 25), -ENOBUFS);
	assert_int_equal(device_write(frame, 24), 24);
	assert_int_equal(device_write(frame, 0), 0);
	assert_int_equal(weft_tunnel_take(the_tunnel(), buf, sizeof(buf)), 10);
	assert_int_equal(device_write(frame, 1000), 1000);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 3);
	assert_int_equal(weft_tunnel_take(the_tunnel(), buf, sizeof(buf)), 10);
	assert_int_equal(weft_tunnel_take(the_tunnel(), buf, sizeof(buf)), 0);
	assert_int_equal(weft_tunnel_take(the_tunnel(), buf, sizeof(buf)), 10);
	assert_int_equal(weft_tunnel_take(the_tunnel(), buf, sizeof(buf)), -EAGAIN);
}

/* Only what is right and for that address comes out, whatever else is in between. */
static void datagrams_are_found_among_others(void **state)
{
	struct compose c = { .is_ether = true,
			     .src = ip(DEVICE_REMOTE),
			     .dst = ip(DEVICE_LOCAL),
			     .dport = 7 };
	const struct weft_ip local = ip(DEVICE_LOCAL);
	uint8_t frame[100];
	char got[10];
	(void)state;
	assert_int_equal(device_write("rubbish", 7), 7);
	int len = compose_udp(&c, "seven", 5, frame, sizeof(frame));
	frame[len - 1] ^= 1; /* the checksum is wrong now */
	assert_int_equal(device_write(frame, (size_t)len), len);
	frame[len - 1] ^= 1;
	frame[14 + 8] ^= 1; /* that of the IP header */
	assert_int_equal(device_write(frame, (size_t)len), len);
	c.dport = 8;
	len = compose_udp(&c, "eight", 5, frame, sizeof(frame));
	assert_int_equal(device_write(frame, (size_t)len), len);
	c.dport = 7;
	len = compose_udp(&c, "right", 5, frame, sizeof(frame));
	assert_int_equal(device_write(frame, (size_t)len), len);
	assert_int_equal(weft_tunnel_take_udp(the_tunnel(), &local, 7, got, 10), 5);
	assert_memory_equal(got, "right", 5);
	assert_int_equal(weft_tunnel_take_udp(the_tunnel(), &local, 7, got, 10), -EAGAIN);
	assert_int_equal(weft_tunnel_take_udp(the_tunnel(), &local, 8, got, 10), 5);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 3);
}

static void datagrams_travel_over_ip6_too(void **state)
{
	const struct weft_ip to = ip("2001:db8::7");
	struct compose c = { .is_ether = true, .src = ip("2001:db8::9"), .dst = to };
	uint8_t frame[200];
	char got[10];
	(void)state;
	assert_int_equal(weft_tunnel_put_udp(the_tunnel(), &to, 9, "six", 3), 0);
	int len = device_read(frame, sizeof(frame));
	assert_int_equal(len, 14 + 40 + 8 + 3);
	assert_memory_equal(frame + len - 3, "six", 3);
	c.dport = 9;
	len = compose_udp(&c, "VI", 2, frame, sizeof(frame));
	assert_int_equal(device_write(frame, (size_t)len), len);
	assert_int_equal(weft_tunnel_take_udp(the_tunnel(), &to, 9, got, sizeof(got)), 2);
	const struct weft_ip none = { .family = 0 };
	assert_int_equal(weft_tunnel_put_udp(the_tunnel(), &none, 9, "x", 1), -EINVAL);
}

/* ---- special files ----------------------------------------------------------------------- */

struct null_device {
	int opened, closed;
	unsigned flags;
};

static int null_open(void *user, unsigned flags, void **ret_file)
{
	struct null_device *null = user;
	null->opened++;
	null->flags = flags;
	*ret_file = null;
	return 0;
}

static int null_write(void *file, const void *buf, size_t len)
{
	(void)file;
	(void)buf;
	return (int)len;
}

static void null_close(void *file)
{
	struct null_device *null = file;
	null->closed++;
}

static int refuse_open(void *user, unsigned flags, void **ret_file)
{
	(void)user;
	(void)flags;
	(void)ret_file;
	return -ENXIO;
}

static void special_files_do_what_the_program_says(void **state)
{
	const struct weft_device_special special = { .open = null_open,
						     .write = null_write,
						     .close = null_close };
	const struct weft_device_special refusal = { .open = refuse_open };
	const struct weft_device_system *system = now_tested.system;
	struct weft_device_config config = { .flags = 0 };
	struct null_device null = { 0 };
	char buf[10];
	(void)state;
	assert_int_equal(
		weft_device_memory_register(memory, "/dev/null", &special, &null), 0);
	int fd = weft_device_open(system, "/dev/null", WEFT_DEVICE_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(null.flags, WEFT_DEVICE_CLOEXEC);
	assert_null(weft_device_memory_tunnel(memory, fd));
	assert_int_equal(weft_device_write(system, fd, "abc", 3), 3);
	assert_int_equal(weft_device_read(system, fd, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(weft_device_configure(system, fd, 1, &config), -EINVAL);
	assert_false(weft_device_is_readable(system, fd));
	/* In place of the tunnels; what is open stays what it was. */
	assert_int_equal(
		weft_device_memory_register(memory, WEFT_DEVICE_PATH, &refusal, NULL), 0);
	assert_int_equal(device_open(0), -ENXIO);
	put("abc");
	assert_int_equal(device_read(buf, sizeof(buf)), 3);
	assert_int_equal(weft_device_memory_open_count(memory), 2);
	/* What a test leaves open is closed with the system. */
	weft_device_memory_free(memory);
	memory = NULL;
	assert_int_equal(null.opened, 1);
	assert_int_equal(null.closed, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TESTS("[tap]", setup, teardown, &tap),
		DEVICE_TESTS("[tap, pi]", setup, teardown, &tap_pi),
		DEVICE_TESTS("[tun]", setup, teardown, &tun),
		DEVICE_TESTS("[tun, pi]", setup, teardown, &tun_pi),
		TEST(a_missing_device_cannot_be_opened),
		TEST(a_read_that_would_block_for_ever_says_so),
		TEST(descriptors_are_none_of_the_process),
		TEST(a_device_knows_how_it_was_opened),
		TEST(names_are_cut_to_what_fits),
		TEST(a_device_is_a_tun_or_a_tap),
		TEST(what_is_not_permitted_is_eperm),
		TEST(frames_are_read_in_order_and_cut),
		DEVICE_TEST(protocol_information_counts_for_the_reader, "[tap, pi]",
			    setup, teardown, &tap_pi),
		TEST(an_empty_frame_is_the_end),
		TEST(packets_get_the_header_of_their_kind),
		TEST(ordered_errors_come_first_and_in_order),
		TEST(the_send_buffer_has_an_end),
		TEST(datagrams_are_found_among_others),
		TEST(datagrams_travel_over_ip6_too),
		TEST(special_files_do_what_the_program_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
