/* SPDX-License-Identifier: MIT */
/*
 * What a server and a client of one interface have in common: the configuration, the device,
 * and whom they belong to.
 */
#ifndef TUNNEL_NETIF_H
#define TUNNEL_NETIF_H

#include "base/list.h"

#include <weft/host.h>
#include <weft/link.h>
#include <weft/log.h>
#include <weft/tunnel.h>

#include <stdbool.h>
#include <stdint.h>

/** What all interfaces of a process share; does not move. */
struct environment {
	struct weft_loop *loop;
	struct weft_host *host;
	const struct weft_tunnels_devices *devices; /**< Or netif_machine. */
	void *devices_user;
	const struct weft_log *log;
	const struct weft_tunnels_events *events;
	void *user;
	uint8_t secret[16];
	struct list *listeners; /**< Of all servers. */
};

/** The devices of this machine; their user is the host. */
extern const struct weft_tunnels_devices netif_machine;

struct netif {
	const struct environment *env;
	const struct weft_tunnel_interface *conf;
	const struct weft_tunnel_interface *next; /**< From prepare to commit. */
	struct weft_link *device;     /**< A TUN, or a TAP; or what stands in for it. */
	struct weft_tunnel_mark mark; /**< Set for it now. */
	/* Of a device that somebody has taken away: */
	bool is_lost; /**< It was told, and there is no other yet. */
	unsigned tries;
	uint64_t retry_at; /**< When to try again to make one. */
};

/**
 * Makes the device, up and with its mark rules, its addresses and its MTU as far as the
 * configuration has them. It is in no loop yet. Returns 0 or -Exxx with err.
 */
int netif_open(struct netif *i, const struct environment *env,
	       const struct weft_tunnel_interface *conf,
	       struct weft_error *err) WEFT_MUST_CHECK;

/**
 * First of two steps to another configuration of that name and mode: the device has what it says
 * as well, and keeps what it had. Returns 0, or -Exxx with err and all as before.
 */
int netif_prepare(struct netif *i, const struct weft_tunnel_interface *conf,
		  struct weft_error *err) WEFT_MUST_CHECK;

/** The second: either what it had before is taken away, */
void netif_commit(struct netif *i);

/** or what was added. Harmless where nothing was prepared. */
void netif_cancel(struct netif *i);

/**
 * Before a commit or a cancel: the mark that it has is taken away, for another to have its table.
 * Harmless where that was done before.
 */
void netif_yield_mark(struct netif *i);

/** After a cancel of all of them: what was taken away so is set again. */
void netif_restore_mark(struct netif *i);

/** What the interface is called: by the kernel, or else by the configuration. */
const char *netif_name(const struct netif *i);

/** Whether this machine is the host on it, which can set routes there. */
bool netif_is_of_machine(const struct netif *i);

/** Sets the device's MTU. Returns 0 or -Exxx with err. */
int netif_set_mtu(const struct netif *i, uint32_t mtu,
		  struct weft_error *err) WEFT_MUST_CHECK;

/** Changes the device's addresses from one set to another. Returns 0 or -Exxx with err. */
int netif_set_addresses(const struct netif *i, const struct weft_tunnel_networks *before,
			const struct weft_tunnel_networks *after,
			struct weft_error *err) WEFT_MUST_CHECK;

/** Adds the device to the loop. Returns 0 or -Exxx with err. */
int netif_start(struct netif *i, struct weft_error *err) WEFT_MUST_CHECK;

/**
 * Whether somebody has taken the device away; to be asked each second or so. The first time that
 * is told, and what was set for it is taken back. Then netif_renew is to be called.
 */
bool netif_is_lost(struct netif *i, uint64_t now);

/**
 * Makes another device in the place of one that is lost, and starts it: now, and if that fails
 * again and again, after up to half a minute each time. Returns the link before, to be given to
 * netif_bury by who uses it no more; NULL as long as there is no other.
 */
struct weft_link *netif_renew(struct netif *i, uint64_t now) WEFT_MUST_CHECK;
void netif_bury(const struct netif *i, struct weft_link *link);

/** Takes the device away, with all that was set for it. Harmless where there is none. */
void netif_close(struct netif *i);

/* Events, if somebody wants them. */
void netif_connected(const struct netif *i, const char *name, const char *address,
		     uint64_t now);
void netif_disconnected(const struct netif *i, const char *name, const char *address,
			const char *reason, uint64_t now);
void netif_refused(const struct netif *i, const char *address, uint64_t now);
void netif_refused_more(const struct netif *i, uint64_t n, uint64_t now);

/** A sentence on how a stream has ended. err may be empty. */
const char *netif_reason(unsigned end, const struct weft_error *err);

#endif
