/* SPDX-License-Identifier: MIT */
/*
 * A client of stateless DHCPv6 (RFC 8415, 6.1) on a stack: it has its addresses from routers
 * and asks a server for the rest, which is name servers and domains (RFC 3646). A program makes
 * one when a router says that there is a server (weft_iface_advice).
 *
 *     weft_dhcp6c --- UDP, fe80::.. port 546 --> ff02::1:2 port 547, all servers
 *                 <-- Reply ------------------- one of them
 *         '-- opts.told
 *
 *     const struct weft_dhcp6c_opts opts = {
 *             .stack = stack, .iface = iface, .seed = random64, .told = use_names, .user = me,
 *     };
 *     if (weft_dhcp6c_new(&opts, &client) < 0)
 *             fail();
 *     weft_loop_add(loop, weft_dhcp6c_task(client));
 *
 * It asks within a second, again while nobody answers (each time after twice as long, and in the
 * end once an hour), and anew when what it was told is to be refreshed: after a day, if the
 * server does not say when.
 */
#ifndef WEFT_DHCP6C_H
#define WEFT_DHCP6C_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/loop.h>
#include <weft/stack.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_dhcp6c;

/** All are needed, but user. */
struct weft_dhcp6c_opts {
	struct weft_stack *stack;
	struct weft_iface *iface; /**< On Ethernet: its MAC says who asks (DUID-LL). */
	/** For transaction ids and jitter: random, lest ids are guessed. */
	uint64_t seed;
	/**
	 * A server has answered: dns is all that it says, perhaps nothing, and takes the place of
	 * what was told before. Borrowed for the call. From the task's run; must not free.
	 */
	void (*told)(void *user, const struct weft_dns *dns, uint64_t now);
	void *user;
};

/**
 * Makes a client that begins at its first run. There can be one on a stack, which has to outlive
 * it. Returns 0, -EINVAL for an interface without a MAC, -EADDRINUSE for a second one, -ENOSPC
 * or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_dhcp6c_new(const struct weft_dhcp6c_opts *opts,
					     struct weft_dhcp6c **ret_dhcp6c);

/** Frees; there is nothing to give back. NULL is allowed. */
WEFT_API void weft_dhcp6c_free(struct weft_dhcp6c *dhcp6c);

/** Its timers; for weft_loop_add. Belongs to the client. */
WEFT_API struct weft_task *weft_dhcp6c_task(struct weft_dhcp6c *dhcp6c);

/** How what came to the client's port can end (RFC 8415, 16.10). Each is counted. */
enum weft_dhcp6c_outcome {
	WEFT_DHCP6C_TAKEN,
	WEFT_DHCP6C_DROP_MALFORMED, /**< No message, or options that go past its end. */
	WEFT_DHCP6C_DROP_NOT_OURS, /**< No Reply, or another's transaction or client id. */
	WEFT_DHCP6C_DROP_UNEXPECTED, /**< Nothing was asked. */
	WEFT_DHCP6C_DROP_SERVER,     /**< It does not say who it is. */
	WEFT_DHCP6C_DROP_STATUS,     /**< The server could not. */
	WEFT_DHCP6C_OUTCOMES
};

/** "drop-malformed" and the like. */
WEFT_API const char *weft_dhcp6c_outcome_name(enum weft_dhcp6c_outcome outcome);

/** How many ended in the given way. */
WEFT_API uint64_t weft_dhcp6c_count(const struct weft_dhcp6c *dhcp6c,
				    enum weft_dhcp6c_outcome outcome);

#ifdef __cplusplus
}
#endif
#endif
