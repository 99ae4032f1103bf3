/* SPDX-License-Identifier: MIT */
/*
 * The network interface that a server hands to its clients: a TAP with an address of this
 * machine's, or whichever link the user names.
 *
 * A TAP that is made here is gone with its descriptor, and all of its settings with it; so
 * nothing needs to be undone, and no right has to be kept for that. What is set on a device
 * that was there before is undone at the end, through struct weft_host.
 */
#ifndef CMD_INTERFACE_H
#define CMD_INTERFACE_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/host.h>
#include <weft/link.h>
#include <weft/log.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most addresses of one interface. */
#define INTERFACE_ADDRESSES_MAX 16u

/** A switch of the kernel's; left as it is unless it is set on or off. */
enum interface_switch { SWITCH_SYSTEM, SWITCH_ON, SWITCH_OFF };

struct interface_opts {
	const char *link; /**< Spec; NULL: a TAP. */
	/** Of the TAP; NULL: the first of weft0, weft1 ... that is free. */
	const char *name;
	struct weft_mac mac; /**< Zero: as it comes. */
	struct weft_ip addresses[INTERFACE_ADDRESSES_MAX];
	size_t addresses_n;
	uint32_t mtu; /**< 0: as it comes. */
	/** Of the routes that come with the addresses; 0: the kernel's. */
	uint32_t metric;
	enum interface_switch nud; /**< Whether neighbours are probed (IPv6). */
	enum interface_switch ra;  /**< Whether router advertisements are taken. */
	const struct weft_log *log;
};

struct interface {
	struct weft_link *link; /**< NULL once somebody else has taken it over. */
	/** Undoes settings; NULL where nothing is to be undone. */
	struct weft_host *host;
	char name[16]; /**< Of the device; empty where the link is none. */
};

/**
 * Opens the link, makes the settings, sets it up. Returns 0 or -Exxx with err; -EINVAL for a
 * spec that is wrong, -EPERM without the rights.
 */
int interface_open(const struct interface_opts *opts, struct weft_error *err,
		   struct interface *ret_interface) WEFT_MUST_CHECK;

/** Undoes what is to be undone. Whoever has the link frees it before. */
void interface_close(struct interface *interface);

#endif
