/* SPDX-License-Identifier: MIT */
/*
 * A port: a tun or tap device and the protocol that gets what comes in on it.
 *
 *             device --- port --- protocol           the protocol's layer says which device
 *     write ---->                    |               it is: Ethernet frames make a TAP,
 *                 failed, ended <----'               packets make a TUN
 *
 *     const struct weft_port_opts opts = {
 *             .name = "weft0", .protocol = ip, .loop = loop, .events = { .failed = report },
 *     };
 *     if (weft_port_new(&opts, &err, &port) < 0 || weft_port_start(port, &err) < 0)
 *             fail(err.text);
 *     weft_loop_run(loop);
 *     weft_port_free(port);
 *
 * A port runs in one of three ways: in the loop that it was given; as a task in any other
 * loop (watch the descriptor of weft_port_task, run it when it is ready or its deadline has
 * come); or by hand, with weft_port_read. It can be stopped and started any number of times.
 */
#ifndef WEFT_PORT_H
#define WEFT_PORT_H

#include <weft/device.h>
#include <weft/error.h>
#include <weft/loop.h>
#include <weft/protocol.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_port;

/** What a port tells. Each may be NULL. */
struct weft_port_events {
	/**
	 * A handler of a protocol, on the port or below, returned the negative number code.
	 * handler is "received", "started" or "stopped". Reading goes on.
	 */
	void (*failed)(void *user, const char *protocol, const char *handler, int code);
	/**
	 * The device can be read no more, and the port was stopped: -ENODEV when it is gone,
	 * otherwise what the device said. Only from a run as a task; here, and in no other
	 * event or handler, the port may be freed.
	 */
	void (*ended)(void *user, struct weft_port *port, int code);
};

/** protocol is needed; the rest may be zero. Copied, but for what is pointed to. */
struct weft_port_opts {
	/** Of the device, at most 15 bytes; NULL or "": the kernel's choice. */
	const char *name;
	struct weft_protocol *protocol; /**< Must outlive the port. */
	/** NULL for the kernel's devices; must outlive the port. */
	const struct weft_device_system *system;
	/** Is entered by a start and left by a stop. NULL: the program runs the port. */
	struct weft_loop *loop;
	struct weft_port_events events;
	void *user; /**< Of the events. */
	/** Longest packet in bytes; the rest is cut. 0: 8,192. */
	uint32_t packet_len_max;
	uint32_t turn_bytes_max; /**< A turn ends when it has read as many. 0: 262,144. */
};

/**
 * Makes a port, stopped. Returns 0, or -Exxx with err (may be NULL): -EINVAL for a name that
 * is too long or cannot be one, no protocol, or one whose layer no device carries;
 * -EMSGSIZE for a packet_len_max beyond WEFT_FRAME_LEN_MAX; -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_port_new(const struct weft_port_opts *opts,
					   struct weft_error *err,
					   struct weft_port **ret_port);

/** Stops and frees. Not from a handler of the port's. NULL is allowed. */
WEFT_API void weft_port_free(struct weft_port *port);

/**
 * Opens the device and tells the protocol. Returns 0, or -Exxx with err and nothing left
 * open: -EALREADY if it is started; -EBUSY if the protocol is on another port (make a second
 * protocol for a second port), or another process has the device; -EPERM, -EACCES without
 * the right; -ENOENT, -ENODEV where there are no such devices; what the loop reports.
 */
WEFT_API WEFT_MUST_CHECK int weft_port_start(struct weft_port *port,
					     struct weft_error *err);

/**
 * Leaves the loop, closes the device and tells the protocol, all before it returns. Allowed
 * from a handler, and on a stopped port, which it leaves as it is.
 */
WEFT_API void weft_port_stop(struct weft_port *port);

/** True between a start and a stop. */
WEFT_API bool weft_port_is_started(const struct weft_port *port);

/**
 * Reads until there is no more, or turn_bytes_max, and hands each packet to the protocol.
 * Returns how many packets; -ENOTCONN if the port is not started, -EBUSY from a handler of
 * this port, -ENODEV once the device is gone, -EPROTO for one that claims to have read more
 * than it was asked for, or what the device says. Does not stop the port. Never blocks.
 */
WEFT_API WEFT_MUST_CHECK int weft_port_read(struct weft_port *port, uint64_t now);

/**
 * Writes one packet: a frame on a TAP, a bare packet on a TUN. A call that a signal
 * interrupted is made again. Returns the bytes written; -ENOTCONN if the port is not
 * started; -EAGAIN or -ENOBUFS when the device has no room: the packet is the caller's to
 * keep or to drop; -EIO for a device that is not up; or what the device says.
 */
WEFT_API WEFT_MUST_CHECK int weft_port_write(struct weft_port *port, const void *data,
					     size_t len);

/** A piece of a packet. */
struct weft_piece {
	const void *data;
	size_t len;
};

/** Writes n pieces, joined, as one packet. As weft_port_write; -EMSGSIZE, -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_port_writev(struct weft_port *port,
					      const struct weft_piece *pieces, size_t n);

/**
 * The port as a task, for a program's own loop; its descriptor is -1 while the port is
 * stopped, and for a device in memory. Not for weft_loop_add: say opts.loop instead.
 */
WEFT_API struct weft_task *weft_port_task(struct weft_port *port);

/** The system's descriptor, or -1 while it is stopped. */
WEFT_API int weft_port_fd(const struct weft_port *port);

/** Counters of one port; they only grow. */
struct weft_port_stats {
	uint64_t rx_packets, rx_bytes;
	uint64_t rx_partial; /**< Of them, longer than packet_len_max. */
	uint64_t tx_packets, tx_bytes;
	uint64_t tx_errors; /**< Writes that the device refused. */
	uint64_t failures;  /**< Of handlers. */
};

/** The counters of now. */
WEFT_API struct weft_port_stats weft_port_stats(const struct weft_port *port);

/* ---- for people -------------------------------------------------------------------------- */

/** Where a port is. */
struct weft_port_address {
	unsigned kind; /**< WEFT_DEVICE_TUN or WEFT_DEVICE_TAP. */
	char name[WEFT_DEVICE_NAME_LEN];
};

#define WEFT_PORT_ADDRESS_TEXT 24  /**< "tap:" with a name, and a NUL. */
#define WEFT_PORT_TEXT         128 /**< A protocol's name and an address; longer is cut. */

/** The address: with the device's name while it is started, else the one asked for. */
WEFT_API struct weft_port_address weft_port_address(const struct weft_port *port);

/** Same kind and same name. */
WEFT_API bool weft_port_address_equal(const struct weft_port_address *a,
				      const struct weft_port_address *b);

/** Prints "tap:weft0", which is also the spec of that device as a link. Returns buf. */
WEFT_API const char *weft_port_address_print(const struct weft_port_address *address,
					     char buf[WEFT_PORT_ADDRESS_TEXT]);

/** Prints "echo on tun:weft0", or "echo not on tun:weft0" while stopped. Returns buf. */
WEFT_API const char *weft_port_print(const struct weft_port *port,
				     char buf[WEFT_PORT_TEXT]);

/** Prints what to put before the port's lines in a log: "echo (tun)". Returns buf. */
WEFT_API const char *weft_port_prefix(const struct weft_port *port,
				      char buf[WEFT_PORT_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
