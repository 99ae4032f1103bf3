/* SPDX-License-Identifier: MIT */
/*
 * What weft changes on this machine, and how it is undone.
 *
 * Every change (address, MTU, MAC, up, route, rule, refusal) goes through a struct
 * weft_host, which writes it into a journal under /run/weft before it makes it.
 * weft_host_free undoes all of it in reverse order; what a crashed process left behind is
 * found by weft_host_recover at the next start and undone then. Changes that vanish by
 * themselves with a device need no undoing and are no error when already gone.
 *
 * What is so already when it is asked for (an address that is there, an MTU that is set) is
 * success and not ours to undo. What somebody else has set after us is left to them. A
 * journal names its boot and its network namespace, so nothing is undone in another one.
 *
 *     struct weft_host *host;
 *     struct weft_error err;
 *     if (weft_host_new(NULL, &err, &host) < 0)
 *             fail(err.text);
 *     weft_host_recover(host, print_line, NULL);
 *     if (weft_host_set_up(host, "weft0", true, &err) < 0)
 *             fail(err.text);
 *     ...
 *     weft_host_free(host);
 *
 * Changes (undoing them, too) need CAP_NET_ADMIN: a program that drops its rights keeps that
 * one. The calls speak to the kernel and wait for its answer (well under a millisecond);
 * none calls back but weft_host_recover. Each change can return, with err saying what to do:
 * -EPERM without CAP_NET_ADMIN, -ENODEV for no such interface (err names those there are),
 * -ENOSPC and the like where the journal cannot be written, or the kernel's own answer.
 */
#ifndef WEFT_HOST_H
#define WEFT_HOST_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_host;

/** Zero is the defaults. */
struct weft_host_opts {
	/** NULL for /run/weft. Made if missing, mode 0700; not its parents. */
	const char *state_dir;
};

/**
 * Opens netlink, in the network namespace of the calling thread, and a journal of this
 * process's own. opts may be NULL.
 * Returns 0, or -Exxx with err: -EACCES where the state directory cannot be written, belongs
 * to another user or is writable for others; -ENOENT where its parent is missing; -ENOTSUP
 * on a system without rtnetlink; -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_new(const struct weft_host_opts *opts,
					   struct weft_error *err,
					   struct weft_host **ret_host);

/**
 * Undoes every change in reverse order, removes the journal, frees. What cannot be undone
 * stays on record for the next recovery. NULL is allowed.
 */
WEFT_API void weft_host_free(struct weft_host *host);

/**
 * Leaves every change as it is, removes the journal, frees: for a device that is this process's
 * own, and goes with it. NULL is allowed.
 */
WEFT_API void weft_host_forget(struct weft_host *host);

/**
 * Undoes what processes that no longer run have left behind (their journals are not locked).
 * report (may be NULL) gets one line per change undone, per change that could not be, and per
 * journal with unreadable lines, which are skipped. text is borrowed for the call.
 * Returns how many changes were undone, or the first failure as -Exxx (-EPERM); what failed
 * stays on record.
 */
WEFT_API int weft_host_recover(struct weft_host *host,
			       void (*report)(void *user, const char *text), void *user);

/** Adds an address with its prefix to an interface; IPv4 with its broadcast address. */
WEFT_API WEFT_MUST_CHECK int weft_host_add_address(struct weft_host *host,
						   const char *ifname,
						   const struct weft_ip *address,
						   struct weft_error *err);

/**
 * The same with a metric (not 0) for the route to the address's network, which the kernel
 * gives 0 (IPv4) or 256 (IPv6).
 */
WEFT_API WEFT_MUST_CHECK int weft_host_add_address_metric(struct weft_host *host,
							  const char *ifname,
							  const struct weft_ip *address,
							  uint32_t metric,
							  struct weft_error *err);

/**
 * Takes away an address that this host added before (a lease that ended). Success, and
 * nothing done, where it was not added by this host or has gone.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_remove_address(struct weft_host *host,
						      const char *ifname,
						      const struct weft_ip *address,
						      struct weft_error *err);

/** Sets the IP MTU in bytes. The former one is put back at the end. */
WEFT_API WEFT_MUST_CHECK int weft_host_set_mtu(struct weft_host *host, const char *ifname,
					       unsigned mtu, struct weft_error *err);

/**
 * Sets the interface's MAC. The former one is put back at the end. -EBUSY where the device
 * takes it only while it is down.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_set_mac(struct weft_host *host, const char *ifname,
					       struct weft_mac mac,
					       struct weft_error *err);

/** Sets the interface administratively up or down; the former state is put back. */
WEFT_API WEFT_MUST_CHECK int weft_host_set_up(struct weft_host *host, const char *ifname,
					      bool up, struct weft_error *err);

/**
 * Makes the interface a port of a Linux bridge. What it was a port of before, if anything, is
 * put back. -ENODEV also where there is no such bridge, -EINVAL where that is none, or the
 * interface carries no Ethernet.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_set_bridge(struct weft_host *host,
						  const char *ifname, const char *bridge,
						  struct weft_error *err);

/**
 * Undoes weft_host_set_bridge: the interface is a port of what it was before. Success, and nothing
 * done, where this host has not made it one.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_leave_bridge(struct weft_host *host,
						    const char *ifname,
						    struct weft_error *err);

/**
 * Refuses default routes by router advertisements on the interface (RFC 4861, 6.3.4): they may
 * give addresses still. At the end they are taken again. Success, and nothing done, where this
 * kernel has no IPv6; -EROFS where its switches are not to be written, as in some containers.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_refuse_default_route(struct weft_host *host,
							    const char *ifname,
							    struct weft_error *err);

/** A route. */
struct weft_route {
	struct weft_ip dest;    /**< Network and prefix length. */
	struct weft_ip gateway; /**< family 0: on the link. */
	char ifname[16];        /**< Empty: the kernel finds it by the gateway. */
	uint32_t metric;        /**< 0: the kernel's default. */
	uint32_t table;         /**< 0: main. */
};

/**
 * Adds a route. An equal route that is there is borrowed, and left alone at the end; -EEXIST
 * means that one to the same network leads elsewhere.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_add_route(struct weft_host *host,
						 const struct weft_route *route,
						 struct weft_error *err);

/** A policy rule: packets with this firewall mark look into this table. */
struct weft_rule {
	uint8_t family;    /**< AF_INET or AF_INET6. */
	uint32_t mark;     /**< fwmark; 0 for any. */
	uint32_t table;    /**< Table to look into. */
	uint32_t priority; /**< 0: the kernel chooses. */
};

/** Adds a rule. */
WEFT_API WEFT_MUST_CHECK int weft_host_add_rule(struct weft_host *host,
						const struct weft_rule *rule,
						struct weft_error *err);

/** Takes away a route that this host added; success where it did not, as for addresses. */
WEFT_API WEFT_MUST_CHECK int weft_host_remove_route(struct weft_host *host,
						    const struct weft_route *route,
						    struct weft_error *err);

/** Takes away a rule that this host added; success where it did not. */
WEFT_API WEFT_MUST_CHECK int weft_host_remove_rule(struct weft_host *host,
						   const struct weft_rule *rule,
						   struct weft_error *err);

/**
 * Undoes what this host has changed on one interface, newest first, and knows nothing of it
 * any more: for a device that goes while the host stays. Returns 0 or the first failure; what
 * failed stays on record.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_undo_interface(struct weft_host *host,
						      const char *ifname,
						      struct weft_error *err);

/**
 * Says by which way the kernel sends to an address now: gateway (family 0: on the link) and
 * interface; dest is the address. Returns 0, or -Exxx with err (-ENETUNREACH: there is none).
 */
WEFT_API WEFT_MUST_CHECK int weft_host_find_route(struct weft_host *host,
						  const struct weft_ip *address,
						  struct weft_error *err,
						  struct weft_route *ret_route);

/**
 * Calls fn for each unicast route of a family (AF_INET, AF_INET6) that is in use, in any table
 * but the kernel's own of local addresses; table is never 0. route is borrowed for the call; fn
 * must not change routes. Returns 0 or -Exxx with err.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_each_route(
	struct weft_host *host, uint8_t family,
	void (*fn)(void *user, const struct weft_route *route), void *user,
	struct weft_error *err);

/**
 * A pin keeps an address reachable past a device: where a route on the device covers it, a
 * host route leads it by the way that it would take without the device. A host route of
 * somebody else's is borrowed and left alone. Nothing is changed where no route covers it.
 *
 *     weft_host_pin_new(host, &relay, "weft0", &pin);
 *     weft_host_pin_update(pin, &address_that_weft0_is_to_get, &err);
 *     weft_host_add_address(host, "weft0", &address_that_weft0_is_to_get, &err);
 *     ... and weft_host_pin_update(pin, NULL, &err) whenever a watch tells of a change
 */
struct weft_host_pin;

/** Makes one; nothing is set yet. address: its prefix is not looked at. 0 or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_host_pin_new(struct weft_host *host,
					       const struct weft_ip *address,
					       const char *ifname,
					       struct weft_host_pin **ret_pin);

/** Removes the route, if one is set, and frees; before the host. NULL is allowed. */
WEFT_API void weft_host_pin_free(struct weft_host_pin *pin);

/**
 * Looks at the machine's routes, and sets, moves or removes the pin accordingly. coming is a
 * network that the device is about to get, so that the pin is there first; may be NULL. Returns
 * 1 if something was changed, 0 if all is well as it is, or -Exxx with err.
 */
WEFT_API WEFT_MUST_CHECK int weft_host_pin_update(struct weft_host_pin *pin,
						  const struct weft_ip *coming,
						  struct weft_error *err);

/** The route that is set now; false for none. */
WEFT_API bool weft_host_pin_route(const struct weft_host_pin *pin,
				  struct weft_route *ret_route);

/** Tells when interfaces, addresses or routes of this machine have changed. */
struct weft_host_watch;

/**
 * Opens a socket for it in the network namespace of the calling thread. fn is called at most
 * ten times a second, from the task's run; also for what it has changed itself. No right is
 * needed. Returns 0 or -Exxx with err (-ENOTSUP on a system without rtnetlink).
 */
WEFT_API WEFT_MUST_CHECK int weft_host_watch_new(void (*fn)(void *user, uint64_t now),
						 void *user, struct weft_error *err,
						 struct weft_host_watch **ret_watch);

/** Frees; the task is out of its loop. NULL is allowed. */
WEFT_API void weft_host_watch_free(struct weft_host_watch *watch);

/** The watch as a task, for weft_loop_add. Belongs to the watch. */
WEFT_API struct weft_task *weft_host_watch_task(struct weft_host_watch *watch);

/** Facts about an interface. */
struct weft_interface {
	char name[16];
	unsigned index;
	unsigned mtu;
	struct weft_mac mac;
	bool is_up;       /**< Administratively. */
	bool has_carrier; /**< Cable in, peer up. */
	bool is_ethernet;
	bool is_wireless;
	bool is_bridge;
	/** Index of the bridge (or bond) that it is a port of; 0 for none. */
	unsigned master;
};

/** Reads the facts. Returns 0 or -ENODEV with err naming the interfaces there are. */
WEFT_API WEFT_MUST_CHECK int weft_host_interface(struct weft_host *host,
						 const char *ifname,
						 struct weft_error *err,
						 struct weft_interface *ret_interface);

#ifdef __cplusplus
}
#endif
#endif
