/* SPDX-License-Identifier: MIT */
/*
 * The tests that every system of devices has to pass.
 */
#include "../unit.h"
#include "device.h"
#include "wire/checksum.h"
#include "wire/compose.h"
#include "wire/ether.h"
#include "wire/layout.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define FRAME_MAX 2048u

/* Sending may lose datagrams on a real network; then another one is sent. */
#define ATTEMPTS 100u

static struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

void device_case_open(struct device_case *c, const char *name)
{
	struct weft_device_config config = { .flags = c->flags };
	(void)snprintf(config.name, sizeof(config.name), "%s", name);
	c->fd = weft_device_open(c->system, WEFT_DEVICE_PATH,
				 WEFT_DEVICE_RDWR | WEFT_DEVICE_NONBLOCK);
	assert_true(c->fd >= 0);
	assert_int_equal(
		weft_device_configure(c->system, c->fd, WEFT_DEVICE_SETIFF, &config), 0);
}

/* A descriptor that was one a moment ago. */
static int closed_fd(const struct device_case *c)
{
	int fd = weft_device_open(c->system, WEFT_DEVICE_PATH, WEFT_DEVICE_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(weft_device_close(c->system, fd), 0);
	return fd;
}

void device_offers_every_call(void **state)
{
	const struct device_case *c = *state;
	const struct weft_device_ops *ops = c->system->ops;
	assert_non_null(ops->open);
	assert_non_null(ops->configure);
	assert_non_null(ops->read);
	assert_non_null(ops->write);
	assert_non_null(ops->close);
	assert_non_null(ops->poll_fd);
	/* One of the two ways to know when to read. */
	if (weft_device_poll_fd(c->system, c->fd) < 0)
		assert_non_null(ops->is_readable);
}

void reading_a_closed_device_is_ebadf(void **state)
{
	const struct device_case *c = *state;
	uint8_t buf[FRAME_MAX];
	assert_int_equal(weft_device_read(c->system, closed_fd(c), buf, sizeof(buf)),
			 -EBADF);
}

void writing_a_closed_device_is_ebadf(void **state)
{
	const struct device_case *c = *state;
	assert_int_equal(weft_device_write(c->system, closed_fd(c), "bytes", 5), -EBADF);
}

void closing_a_closed_device_is_ebadf(void **state)
{
	const struct device_case *c = *state;
	assert_int_equal(weft_device_close(c->system, closed_fd(c)), -EBADF);
}

void configuring_a_closed_device_is_ebadf(void **state)
{
	const struct device_case *c = *state;
	struct weft_device_config config = { .name = "tap0", .flags = c->flags };
	assert_int_equal(weft_device_configure(c->system, closed_fd(c),
					       WEFT_DEVICE_SETIFF, &config),
			 -EBADF);
}

void an_unknown_request_is_einval(void **state)
{
	const struct device_case *c = *state;
	struct weft_device_config config = { .name = "tap0", .flags = c->flags };
	assert_int_equal(weft_device_configure(c->system, c->fd, 0xdeadbeef, &config),
			 -EINVAL);
}

void a_missing_device_cannot_be_opened(void **state)
{
	const struct device_case *c = *state;
	assert_int_equal(weft_device_open(c->system, "/dev/there-is-no-such-device-ever",
					  WEFT_DEVICE_RDWR),
			 -ENOENT);
}

/* ---- traffic ----------------------------------------------------------------------------- */

static size_t pi_len(const struct device_case *c)
{
	return c->flags & WEFT_DEVICE_NO_PI ? 0 : WEFT_DEVICE_PI_LEN;
}

/* True if the frame is that datagram, from that source, as it should be to the last byte. */
static bool is_datagram(const struct device_case *c, const uint8_t *frame, size_t len,
			const char *payload, const struct weft_ip *src, uint16_t port)
{
	size_t pi = pi_len(c);
	bool is_ip = c->flags & WEFT_DEVICE_TUN;
	struct layout at;
	struct udp_hdr udp;
	if (len < pi || layout_find(frame + pi, len - pi, is_ip, &at) < 0)
		return false;
	if (at.version != 4 || at.proto != IPPROTO_UDP)
		return false;
	const uint8_t *ip4 = frame + pi + at.ip_off;
	const uint8_t *upper = frame + pi + at.transport_off;
	if (udp_hdr_parse(upper, at.end - at.transport_off, &udp) < 0)
		return false;
	struct weft_ip dst = ip(DEVICE_REMOTE);
	size_t payload_len = udp.len - UDP_LEN;
	return memcmp(ip4 + 12, src->octet, 4) == 0 &&
	       memcmp(ip4 + 16, dst.octet, 4) == 0 && udp.sport == port &&
	       udp.dport == DEVICE_PORT && payload_len == strlen(payload) &&
	       memcmp(upper + UDP_LEN, payload, payload_len) == 0;
}

/* Reads all that is there; true if the datagram is among it. */
static bool read_until(const struct device_case *c, const char *payload,
		       const struct weft_ip *src, uint16_t port)
{
	uint8_t frame[FRAME_MAX];
	int len;
	while ((len = weft_device_read(c->system, c->fd, frame, sizeof(frame))) >= 0) {
		if (is_datagram(c, frame, (size_t)len, payload, src, port))
			return true;
	}
	assert_int_equal(len, -EAGAIN);
	return false;
}

void what_the_network_sends_can_be_read(void **state)
{
	struct device_case *c = *state;
	uint64_t key = test_seed();
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		char payload[40];
		struct weft_ip src;
		uint16_t port;
		(void)snprintf(payload, sizeof(payload), "hello world:%llu",
			       (unsigned long long)(key + i));
		c->send(c, payload, strlen(payload), &src, &port);
		if (read_until(c, payload, &src, port))
			return;
	}
	fail_msg("no datagram was seen on the device");
}

/* The datagram with all the headers that the device wants. */
static size_t encapsulate(const struct device_case *c, const char *payload,
			  uint8_t frame[FRAME_MAX])
{
	const struct compose headers = {
		.is_ether = !(c->flags & WEFT_DEVICE_TUN),
		.dst_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.src_mac = { { 2, 0, 0, 0, 0, 2 } },
		.src = ip(DEVICE_REMOTE),
		.dst = ip(DEVICE_LOCAL),
		.sport = 50000,
		.dport = DEVICE_PORT,
	};
	size_t pi = pi_len(c);
	const uint8_t info[WEFT_DEVICE_PI_LEN] = { 0, 0, 0x08, 0x00 };
	memcpy(frame, info, pi);
	int len = compose_udp(&headers, payload, strlen(payload), frame + pi,
			      FRAME_MAX - pi);
	assert_true(len > 0);
	return pi + (size_t)len;
}

void what_is_written_reaches_the_network(void **state)
{
	struct device_case *c = *state;
	uint64_t key = test_seed();
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		char payload[40];
		char got[100];
		uint8_t frame[FRAME_MAX];
		(void)snprintf(payload, sizeof(payload), "hello world:%llu",
			       (unsigned long long)(key + i));
		size_t len = encapsulate(c, payload, frame);
		assert_int_equal(weft_device_write(c->system, c->fd, frame, len), len);
		int n = c->receive(c, got, sizeof(got));
		if (n < 0)
			continue;
		assert_int_equal(n, strlen(payload));
		assert_memory_equal(got, payload, strlen(payload));
		return;
	}
	fail_msg("no datagram came through the device");
}
