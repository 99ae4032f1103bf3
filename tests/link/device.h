/* SPDX-License-Identifier: MIT */
/*
 * What holds of every system of devices, in memory and the kernel's, on every kind of device:
 * a TUN, a TAP, a TAP with protocol information. The tests are made here once; who runs them
 * says in a struct device_case what on, and how the network behind the device is reached.
 */
#ifndef TESTS_LINK_DEVICE_H
#define TESTS_LINK_DEVICE_H

#include <weft/device.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the device's network is, and where this machine is in it. */
#define DEVICE_LOCAL  "192.0.2.1"
#define DEVICE_REMOTE "192.0.2.2"
#define DEVICE_PORT   12345u

struct device_case {
	const struct weft_device_system *system;
	unsigned flags; /* WEFT_DEVICE_TAP | WEFT_DEVICE_NO_PI and so on. */
	int fd;         /* Open and configured. */
	/*
	 * Sends a datagram from this machine to DEVICE_REMOTE, so that it can be read from
	 * the device; gives its source.
	 */
	void (*send)(struct device_case *c, const void *payload, size_t len,
		     struct weft_ip *ret_ip, uint16_t *ret_port);
	/* Receives what was written to the device for DEVICE_LOCAL; bytes, or -EAGAIN. */
	int (*receive)(struct device_case *c, void *buf, size_t len);
};

/* The state of each test is a struct device_case. */
void device_offers_every_call(void **state);
void reading_a_closed_device_is_ebadf(void **state);
void writing_a_closed_device_is_ebadf(void **state);
void closing_a_closed_device_is_ebadf(void **state);
void configuring_a_closed_device_is_ebadf(void **state);
void an_unknown_request_is_einval(void **state);
void what_the_network_sends_can_be_read(void **state);
void what_is_written_reaches_the_network(void **state);

/* The state is a struct device_case of which only the system counts. */
void a_missing_device_cannot_be_opened(void **state);

/* Opens and configures c->fd; asks for the name. */
void device_case_open(struct device_case *c, const char *name);

#define DEVICE_TEST(f, name, setup, teardown, initial)   \
	{                                                \
#f " " name, f, setup, teardown, initial \
	}

/* Rows of struct CMUnitTest. */
#define DEVICE_TESTS(name, setup, teardown, initial)                                     \
	DEVICE_TEST(device_offers_every_call, name, setup, teardown, initial),           \
		DEVICE_TEST(reading_a_closed_device_is_ebadf, name, setup, teardown,     \
			    initial),                                                    \
		DEVICE_TEST(writing_a_closed_device_is_ebadf, name, setup, teardown,     \
			    initial),                                                    \
		DEVICE_TEST(closing_a_closed_device_is_ebadf, name, setup, teardown,     \
			    initial),                                                    \
		DEVICE_TEST(configuring_a_closed_device_is_ebadf, name, setup, teardown, \
			    initial),                                                    \
		DEVICE_TEST(an_unknown_request_is_einval, name, setup, teardown,         \
			    initial),                                                    \
		DEVICE_TEST(what_the_network_sends_can_be_read, name, setup, teardown,   \
			    initial),                                                    \
		DEVICE_TEST(what_is_written_reaches_the_network, name, setup, teardown,  \
			    initial)

#endif
