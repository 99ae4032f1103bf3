/* SPDX-License-Identifier: MIT */
/*
 * The system calls under a tun or tap device as a table, so that a program can be run on the
 * kernel's devices or, in its own tests, on devices in memory: without root, without a
 * network, and with errors that come when the test wants them.
 *
 *                          .--- weft_device_real()              /dev/net/tun
 *     port --- system -----|
 *                          '--- weft_device_memory_system(m)    tunnel <-- the test puts in
 *                                                                      --> and takes out
 *
 * A test reaches the other end of the wire, a struct weft_tunnel, by the port's descriptor:
 *
 *     struct weft_device_memory *memory;
 *     if (weft_device_memory_new(NULL, &memory) < 0)
 *             return -ENOMEM;
 *     opts.system = weft_device_memory_system(memory);
 *     ... make and start a port with opts ...
 *     struct weft_tunnel *wire = weft_device_memory_tunnel(memory, weft_port_fd(port));
 *     weft_tunnel_put_udp(wire, &to, 7, "hello", 5);
 *     weft_port_read(port, now);
 *     int len = weft_tunnel_take(wire, answer, sizeof(answer));
 *
 * All functions return >= 0 or -Exxx. None of them blocks.
 */
#ifndef WEFT_DEVICE_H
#define WEFT_DEVICE_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where tun and tap devices are made. */
#define WEFT_DEVICE_PATH "/dev/net/tun"

/** Bytes of an interface's name with its NUL (IFNAMSIZ). */
#define WEFT_DEVICE_NAME_LEN 16u

/* How a device is opened: the O_ flags of the same names. */
#define WEFT_DEVICE_RDWR     0x1u
#define WEFT_DEVICE_NONBLOCK 0x2u
#define WEFT_DEVICE_CLOEXEC  0x4u

/* What a device is to be: the IFF_ flags of Linux, with their values. */
#define WEFT_DEVICE_TUN         0x0001u /**< Carries bare IP packets. */
#define WEFT_DEVICE_TAP         0x0002u /**< Carries Ethernet frames. */
#define WEFT_DEVICE_KIND        0x0003u /**< Mask of the two. */
#define WEFT_DEVICE_MULTI_QUEUE 0x0100u
#define WEFT_DEVICE_NO_PI       0x1000u /**< Without it, 4 bytes stand before each frame. */
#define WEFT_DEVICE_VNET_HDR    0x4000u
#define WEFT_DEVICE_EXCL        0x8000u /**< Fails if the interface exists. */

/** Bytes of the protocol information before each frame of a device without NO_PI. */
#define WEFT_DEVICE_PI_LEN 4u

/** Requests of configure. */
enum weft_device_request {
	WEFT_DEVICE_SETIFF = 1, /**< TUNSETIFF: make the interface, or attach to it. */
};

/** What SETIFF asks for, and what it gives back. */
struct weft_device_config {
	/** Padded with NULs; the kernel's choice after. */
	char name[WEFT_DEVICE_NAME_LEN];
	unsigned flags; /**< WEFT_DEVICE_TUN, TAP, NO_PI and so on. */
};

/**
 * The calls. Each is given the system's user pointer first; fd is what open gave. A program
 * may bring a table of its own.
 */
struct weft_device_ops {
	/** Returns a descriptor; flags: WEFT_DEVICE_RDWR and so on. */
	int (*open)(void *user, const char *path, unsigned flags);
	/** Returns 0, -EINVAL for a request that it does not know, -EBADF, -EPERM, -EBUSY. */
	int (*configure)(void *user, int fd, unsigned request,
			 struct weft_device_config *config);
	/**
	 * Returns the bytes of one frame, of which what does not fit into len is lost; -EAGAIN
	 * when there is none; 0 or -ENODEV once the device is gone.
	 */
	int (*read)(void *user, int fd, void *buf, size_t len);
	/** Writes one frame. Returns its bytes; -EAGAIN or -ENOBUFS when there is no room. */
	int (*write)(void *user, int fd, const void *buf, size_t len);
	int (*close)(void *user, int fd);
	/** The descriptor for poll(2) or a loop, or -1: then is_readable is asked instead. */
	int (*poll_fd)(void *user, int fd);
	/** True if a read would not give -EAGAIN. May be NULL where poll_fd never gives -1. */
	bool (*is_readable)(void *user, int fd);
};

/** A table and what it works on. */
struct weft_device_system {
	const struct weft_device_ops *ops;
	void *user;
};

/** The kernel's devices. Where weft has no driver for them, open gives -ENOTSUP. */
WEFT_API const struct weft_device_system *weft_device_real(void);

/* The calls of a system, by name: what they do and return is said in struct weft_device_ops. */

/** Opens a path. Returns a descriptor of the system's, to be closed with weft_device_close. */
WEFT_API WEFT_MUST_CHECK int weft_device_open(const struct weft_device_system *system,
					      const char *path, unsigned flags);
/** Configures a descriptor; config is read and filled in. Returns 0 or -Exxx. */
WEFT_API WEFT_MUST_CHECK int weft_device_configure(
	const struct weft_device_system *system, int fd, unsigned request,
	struct weft_device_config *config);
/** Reads one frame. Returns its bytes, 0 at the end, or -Exxx. */
WEFT_API WEFT_MUST_CHECK int weft_device_read(const struct weft_device_system *system,
					      int fd, void *buf, size_t len);
/** Writes one frame. Returns its bytes or -Exxx. */
WEFT_API WEFT_MUST_CHECK int weft_device_write(const struct weft_device_system *system,
					       int fd, const void *buf, size_t len);
/** Closes a descriptor. Returns 0 or -EBADF. */
WEFT_API int weft_device_close(const struct weft_device_system *system, int fd);
/** What to watch for a descriptor, or -1. */
WEFT_API int weft_device_poll_fd(const struct weft_device_system *system, int fd);
/** True if a read would give something now. */
WEFT_API bool weft_device_is_readable(const struct weft_device_system *system, int fd);

/* ---- devices in memory ------------------------------------------------------------------- */

struct weft_device_memory;
struct weft_tunnel;

/** The first descriptor that a system in memory gives: none of the process's own. */
#define WEFT_DEVICE_MEMORY_FD 8192

/** Zero is the defaults. */
struct weft_device_memory_opts {
	/**
	 * Most bytes that written frames may hold of one tunnel until they are taken out; a
	 * write beyond them gives -ENOBUFS. 0: 1 MiB.
	 */
	size_t send_buffer_len;
};

/**
 * Makes a system of devices in memory, on which WEFT_DEVICE_PATH can be opened any number of
 * times, each time as a new tunnel. opts may be NULL. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_device_memory_new(
	const struct weft_device_memory_opts *opts,
	struct weft_device_memory **ret_memory);

/** Closes what is open and frees it all. NULL is allowed. */
WEFT_API void weft_device_memory_free(struct weft_device_memory *memory);

/** The system to hand to a port. Belongs to memory. */
WEFT_API const struct weft_device_system *weft_device_memory_system(
	const struct weft_device_memory *memory);

/* What weft_device_memory_permit takes; all of it is permitted at first. */
#define WEFT_DEVICE_MAY_OPEN      0x1u
#define WEFT_DEVICE_MAY_CONFIGURE 0x2u

/** Permits exactly these calls from now on; the others give -EPERM. */
WEFT_API void weft_device_memory_permit(struct weft_device_memory *memory,
					unsigned permissions);

/** How many descriptors are open: 0 once nothing has leaked. */
WEFT_API size_t weft_device_memory_open_count(const struct weft_device_memory *memory);

/**
 * A special file: what the calls do on a path of the program's own choice. file is what open
 * gave. A call that is NULL gives -EINVAL, is_readable then false.
 */
struct weft_device_special {
	/** Returns 0 with the open file, or -Exxx. user is that of the registration. */
	int (*open)(void *user, unsigned flags, void **ret_file);
	int (*configure)(void *file, unsigned request, struct weft_device_config *config);
	int (*read)(void *file, void *buf, size_t len);
	int (*write)(void *file, const void *buf, size_t len);
	bool (*is_readable)(const void *file);
	void (*close)(void *file);
};

/**
 * Makes path a special file, in place of what it was before; special and user must outlive
 * memory. A path that is none gives -ENOENT to open. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_device_memory_register(
	struct weft_device_memory *memory, const char *path,
	const struct weft_device_special *special, void *user);

/* ---- the other end of a tunnel in memory ------------------------------------------------- */

/**
 * The tunnel behind an open descriptor; NULL if fd is none, or that of another special file.
 * Valid until the descriptor is closed.
 */
WEFT_API struct weft_tunnel *weft_device_memory_tunnel(
	const struct weft_device_memory *memory, int fd);

/** How a tunnel was opened and configured. */
struct weft_tunnel_facts {
	unsigned open_flags; /**< WEFT_DEVICE_NONBLOCK and so on. */
	unsigned flags;      /**< WEFT_DEVICE_TUN and so on; 0 before SETIFF. */
	/** As it was asked for, with all its NULs. */
	char requested[WEFT_DEVICE_NAME_LEN];
	/** What it got: the first 13 bytes and "123". */
	char name[WEFT_DEVICE_NAME_LEN];
};

/** The facts of a tunnel. */
WEFT_API struct weft_tunnel_facts weft_tunnel_facts(const struct weft_tunnel *tunnel);

/**
 * Puts a frame in, to be read from the device as it is (behind 4 zero bytes where NO_PI was
 * not asked for). An empty one makes a read return 0. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_put(struct weft_tunnel *tunnel, const void *data,
					     size_t len);

/**
 * Puts an IP packet in; on a TAP behind an Ethernet header from 00:00:00:00:00:00 to
 * everyone. Returns 0, -EMSGSIZE or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_put_packet(struct weft_tunnel *tunnel,
						    const void *data, size_t len);

/* Where the datagrams of weft_tunnel_put_udp come from. */
#define WEFT_TUNNEL_UDP_IP4  "10.1.2.3"
#define WEFT_TUNNEL_UDP_IP6  "fd00:1:2::3"
#define WEFT_TUNNEL_UDP_PORT 21345u

/**
 * Puts in a UDP datagram for an address of the device's network, IPv4 or IPv6. Returns 0,
 * -EINVAL for a to that is no address, -EMSGSIZE or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_put_udp(struct weft_tunnel *tunnel,
						 const struct weft_ip *to, uint16_t port,
						 const void *payload, size_t len);

/** How many frames were put in and not read yet. */
WEFT_API size_t weft_tunnel_unread(const struct weft_tunnel *tunnel);

/** How many frames were written and not taken out yet. */
WEFT_API size_t weft_tunnel_written(const struct weft_tunnel *tunnel);

/**
 * Takes out the frame that was written first, as it was written. Returns its bytes, of which
 * what does not fit into len is lost, or -EAGAIN when there is none.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_take(struct weft_tunnel *tunnel, void *buf,
					      size_t len);

/**
 * Takes out the first written frame that is a whole UDP datagram to this address and port,
 * with whatever headers the device has, and gives its payload. Returns as weft_tunnel_take.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_take_udp(struct weft_tunnel *tunnel,
						  const struct weft_ip *to, uint16_t port,
						  void *buf, size_t len);

/**
 * Makes the next n reads (or writes) that would not already fail give code, such as -EINTR,
 * -EAGAIN or -EIO, before any frame is touched. Calls add up, in order. Returns 0, -EINVAL
 * unless code is negative, or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_fail_reads(struct weft_tunnel *tunnel, int code,
						    size_t n);
/** The same for writes. */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_fail_writes(struct weft_tunnel *tunnel, int code,
						     size_t n);

#ifdef __cplusplus
}
#endif
#endif
