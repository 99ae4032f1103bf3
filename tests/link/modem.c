/* SPDX-License-Identifier: MIT */
/*
 * Modems, from both ends of the line:
 *
 *     PPP frames  <->  [ modem ]  <->  recorder, or a socket
 *
 * What is to be on the line is written as octets, as Dolphin would see them.
 */
#include "link/modem.h"

#include "../unit.h"
#include "../wire/bytes.h"
#include "base/rng.h"
#include "inbox.h"
#include "wire/hdlc.h"
#include "wire/ppp.h"

#include <weft/link.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct recorder line; /* What the modem stands on. */
static struct weft_link *modem;
static struct inbox box; /* What comes out of it. */

static int start(void **state)
{
	(void)state;
	recorder_init(&line, 0, false);
	line.link.caps.frame_len_max = MODEM_UNIT_MAX;
	assert_int_equal(modem_new(&line.link, &modem), 0);
	weft_link_on_receive(modem, inbox_receive, &box);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	weft_link_free(modem);
	inbox_clear(&line.sent);
	inbox_clear(&box);
	return 0;
}

static void send_hex(const char *hex)
{
	struct bytes b = bytes_of(hex);
	const struct weft_frame frame = { .data = b.data, .len = (uint32_t)b.len };
	weft_link_send(modem, &frame, 1, 1);
}

static void receive_hex(const char *hex)
{
	struct bytes b = bytes_of(hex);
	const struct weft_frame frame = { .data = b.data, .len = (uint32_t)b.len };
	link_deliver(&line.link, &frame, 1, 1);
}

static void assert_line(const char *hex)
{
	struct bytes b = bytes_of(hex);
	assert_int_equal(line.sent.n, 1);
	assert_int_equal(line.sent.frames[0].len, b.len);
	assert_memory_equal(line.sent.frames[0].data, b.data, b.len);
	inbox_clear(&line.sent);
}

static void it_carries_ppp_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(weft_link_caps(modem).flags, WEFT_LINK_PPP);
	assert_int_equal(weft_link_caps(modem).frame_len_max, PPP_HDR_LEN + PPP_MRU);
}

static void frames_come_out_of_the_line(void **state)
{
	(void)state;
	receive_hex("7eff7d23c0217d277d217d207d2472fc 7e 7eff030021");
	assert_int_equal(box.n, 0); /* Its FCS is wrong. */
	assert_int_equal(weft_link_stats(modem).rx_errors, 1);
	receive_hex("4500 001d e4 7e");
	assert_int_equal(weft_link_stats(modem).rx_errors, 2);
	receive_hex("7e 21450000 fd50 7e");
	assert_int_equal(box.n, 1);
	assert_int_equal(box.frames[0].len, 4);
	assert_memory_equal(box.frames[0].data, "\x21\x45\0\0", 4);
	assert_int_equal(box.frames[0].headroom, WEFT_HEADROOM);
}

static void all_is_escaped_until_the_peer_says_otherwise(void **state)
{
	(void)state;
	send_hex("0021 0102");
	assert_line("7e ff7d23 7d2021 7d217d22 4474 7e");
	/* Our Ack to its request for ACCM 0; LCP itself stays escaped. */
	send_hex("c021 02010010 020600000000 050612345678");
	assert_int_equal(line.sent.n, 1);
	assert_memory_equal(line.sent.frames[0].data, "\x7e\xff\x7d\x23\xc0\x21\x7d\x22",
			    8);
	inbox_clear(&line.sent);
	send_hex("0021 0102");
	assert_line("7e ff03 0021 0102 4474 7e");
	/* It dials again, and asks for nothing. */
	send_hex("c021 02020004");
	inbox_clear(&line.sent);
	send_hex("0021 0102");
	assert_line("7e ff7d23 7d2021 7d217d22 4474 7e");
}

/* A Nak that names an ACCM changes nothing; neither does an Ack of IPCP. */
static void only_an_ack_of_lcp_counts(void **state)
{
	(void)state;
	send_hex("c021 0301000a 020600000000");
	send_hex("8021 0201000a 020600000000");
	inbox_clear(&line.sent);
	send_hex("0021 0102");
	assert_line("7e ff7d23 7d2021 7d217d22 4474 7e");
}

/* A packet of zeros doubles; Dolphin reads no unit of more than 2,048 octets, but puts the
   units behind each other. */
static void what_is_too_long_for_a_unit_goes_in_two(void **state)
{
	static uint8_t zeros[PPP_HDR_LEN + PPP_MRU] = { 0x00, 0x21 };
	static struct hdlc_decoder decoder;
	const struct weft_frame frame = { .data = zeros, .len = sizeof(zeros) };
	struct hdlc_content content = { NULL, 0 };
	(void)state;
	weft_link_send(modem, &frame, 1, 1);
	assert_int_equal(line.sent.n, 2);
	assert_int_equal(line.sent.frames[0].len, MODEM_UNIT_MAX);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(hdlc_decode(&decoder, line.sent.frames[i].data,
					     line.sent.frames[i].len, &content),
				 line.sent.frames[i].len);
	assert_int_equal(content.len, sizeof(zeros));
	assert_memory_equal(content.data, zeros, sizeof(zeros));
}

static void what_no_peer_would_take_is_counted(void **state)
{
	static uint8_t data[PPP_HDR_LEN + PPP_MRU + 1];
	const struct weft_frame frame = { .data = data, .len = sizeof(data) };
	(void)state;
	weft_link_send(modem, &frame, 1, 1);
	assert_int_equal(line.sent.n, 0);
	assert_int_equal(weft_link_stats(modem).tx_too_long, 1);
}

/* ---- over a socket ----------------------------------------------------------------------- */

struct far_end {
	int fd;
	struct weft_link *link;
};

static struct far_end open_far(const char *kind)
{
	struct far_end far;
	struct weft_error err = { "" };
	char spec[40];
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	(void)snprintf(spec, sizeof(spec), "%s:fd:%d", kind, fds[1]);
	if (weft_link_open(spec, &err, &far.link) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(weft_link_caps(far.link).flags, WEFT_LINK_PPP);
	weft_link_on_receive(far.link, inbox_receive, &box);
	link_run_at(far.link, 1);
	far.fd = fds[0];
	return far;
}

static void close_far(struct far_end *far)
{
	close(far->fd);
	weft_link_free(far->link);
	inbox_clear(&box);
}

static void write_hex(const struct far_end *far, const char *hex)
{
	struct bytes b = bytes_of(hex);
	assert_int_equal(write(far->fd, b.data, b.len), b.len);
	link_run_at(far->link, 1);
}

static void assert_reads(const struct far_end *far, const char *hex)
{
	struct bytes b = bytes_of(hex);
	uint8_t buf[256];
	assert_int_equal(recv(far->fd, buf, sizeof(buf), MSG_DONTWAIT), b.len);
	assert_memory_equal(buf, b.data, b.len);
}

static void send_on(const struct far_end *far, const char *hex)
{
	struct bytes b = bytes_of(hex);
	const struct weft_frame frame = { .data = b.data, .len = (uint32_t)b.len };
	weft_link_send(far->link, &frame, 1, 1);
}

/* Dolphin: the length, little-endian, and then the frame from flag to flag. */
static void dolphin_sends_units_with_a_length(void **state)
{
	struct far_end far = open_far("modem");
	(void)state;
	write_hex(&far, "0800 7e21450000fd507e");
	assert_int_equal(box.n, 1);
	assert_memory_equal(box.frames[0].data, "\x21\x45\0\0", 4);
	/* Cut anywhere; and a length of 0, which means nothing. */
	write_hex(&far, "0000 08");
	write_hex(&far, "00 7e2145");
	write_hex(&far, "0000fd507e");
	assert_int_equal(box.n, 2);
	send_on(&far, "0021 0102");
	assert_reads(&far, "0e00 7e ff7d23 7d2021 7d217d22 4474 7e");
	close_far(&far);
}

static void a_raw_line_has_no_lengths(void **state)
{
	struct far_end far = open_far("modem-raw");
	(void)state;
	write_hex(&far, "7e21450000fd507e7e2145");
	assert_int_equal(box.n, 1);
	write_hex(&far, "0000fd507e");
	assert_int_equal(box.n, 2);
	send_on(&far, "0021 0102");
	assert_reads(&far, "7e ff7d23 7d2021 7d217d22 4474 7e");
	close_far(&far);
}

/* A line of 11 KB/s that had a megabyte before it would answer nothing for a minute and a half. */
static void little_waits_before_a_slow_line(void **state)
{
	static uint8_t data[PPP_HDR_LEN + PPP_MRU] = { 0x00, 0x21 };
	const struct weft_frame frame = { .data = data, .len = sizeof(data) };
	struct far_end far = open_far("modem");
	uint8_t buf[4096];
	size_t waiting = 0;
	(void)state;
	memset(data + 2, 'x', sizeof(data) - 2);
	for (unsigned i = 0; i < 200; i++)
		weft_link_send(far.link, &frame, 1, 1);
	assert_in_range(weft_link_stats(far.link).tx_dropped, 100, 199);
	for (ssize_t got; (got = recv(far.fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0;) {
		waiting += (size_t)got;
		link_run_at(far.link, 1);
	}
	assert_in_range(waiting, 10000, 100000);
	close_far(&far);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_carries_ppp_and_nothing_else),
		TEST(frames_come_out_of_the_line),
		TEST(all_is_escaped_until_the_peer_says_otherwise),
		TEST(only_an_ack_of_lcp_counts),
		TEST(what_is_too_long_for_a_unit_goes_in_two),
		TEST(what_no_peer_would_take_is_counted),
		cmocka_unit_test(dolphin_sends_units_with_a_length),
		cmocka_unit_test(a_raw_line_has_no_lengths),
		cmocka_unit_test(little_waits_before_a_slow_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
