/* SPDX-License-Identifier: MIT */
/*
 * What weft changes on this machine, and how it is undone.
 *
 * Every change (address, MTU, MAC, up, route, rule) goes through a struct weft_host, which
 * writes it into a journal under /run/weft before it makes it. weft_host_free undoes all of
 * it in reverse order; what a crashed process left behind is found by weft_host_recover at
 * the next start and undone then. Changes that vanish by themselves with a device need no
 * undoing and are no error when already gone.
 */
#ifndef WEFT_HOST_H
#define WEFT_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/addr.h>
#include <weft/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_host;

struct weft_host_opts {
	const char *state_dir; /**< NULL for /run/weft (made if missing, mode 0700). */
};

/**
 * Opens netlink and a journal of this process's own. opts may be NULL.
 * Returns 0, or -Exxx with err: -EACCES where the state directory cannot be written, ...
 */
WEFT_API WEFT_MUST_CHECK int weft_host_new(const struct weft_host_opts *opts,
					   struct weft_error *err, struct weft_host **ret_host);

/** Undoes every change in reverse order, removes the journal, frees. NULL is allowed. */
WEFT_API void weft_host_free(struct weft_host *host);

/**
 * Undoes what processes that no longer run have left behind (their journals are not locked).
 * report (may be NULL) gets one line per change undone. Returns how many, or -Exxx.
 */
WEFT_API int weft_host_recover(struct weft_host *host,
			       void (*report)(void *user, const char *text), void *user);

/** Adds an address with its prefix to an interface. -EEXIST is success, and not undone. */
WEFT_API WEFT_MUST_CHECK int weft_host_add_address(struct weft_host *host, const char *ifname,
						   const struct weft_ip *address,
						   struct weft_error *err);

/** Takes away an address that this host added before (a lease that ended). */
WEFT_API WEFT_MUST_CHECK int weft_host_remove_address(struct weft_host *host, const char *ifname,
						      const struct weft_ip *address,
						      struct weft_error *err);

/** Sets the IP MTU in bytes. The former one is put back at the end. */
WEFT_API WEFT_MUST_CHECK int weft_host_set_mtu(struct weft_host *host, const char *ifname,
					       unsigned mtu, struct weft_error *err);

/** Sets the interface's MAC. The former one is put back at the end. */
WEFT_API WEFT_MUST_CHECK int weft_host_set_mac(struct weft_host *host, const char *ifname,
					       struct weft_mac mac, struct weft_error *err);

/** Sets the interface administratively up or down; the former state is put back. */
WEFT_API WEFT_MUST_CHECK int weft_host_set_up(struct weft_host *host, const char *ifname, bool up,
					      struct weft_error *err);

struct weft_route {
	struct weft_ip dest;    /**< Network and prefix length. */
	struct weft_ip gateway; /**< family 0: on the link. */
	char ifname[16];        /**< Empty: the kernel finds it by the gateway. */
	uint32_t metric;        /**< 0: the kernel's default. */
	uint32_t table;         /**< 0: main. */
};

/** Adds a route. -EEXIST is success: an equal route is borrowed, and left alone at the end. */
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

/** Adds a rule. -EEXIST is success, and not undone. */
WEFT_API WEFT_MUST_CHECK int weft_host_add_rule(struct weft_host *host,
						const struct weft_rule *rule,
						struct weft_error *err);

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
};

/** Reads the facts. Returns 0 or -ENODEV with err naming the interfaces there are. */
WEFT_API WEFT_MUST_CHECK int weft_host_interface(struct weft_host *host, const char *ifname,
						 struct weft_error *err,
						 struct weft_interface *ret_interface);

#ifdef __cplusplus
}
#endif
#endif
