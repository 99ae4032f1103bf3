/* SPDX-License-Identifier: MIT */
/*
 * What routers tell a host beyond addresses and routes, which is not for the stack but for the
 * programs on it: name servers and domains, each until its lifetime is over (RFC 8106), and that
 * a DHCPv6 server has more to say (RFC 4861, 4.2, flags M and O).
 */
#ifndef STACK_ADVICE_H
#define STACK_ADVICE_H

#include "stack/addr.h"
#include "stack/wheel.h"
#include "wire/nd.h"
#include "wire/nd_names.h"

#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADVISED_MAX 8u

/** An address, or a name as on the wire, and until when it is advised. */
struct advised {
	uint64_t until; /**< In ns; WEFT_NEVER. */
	uint8_t len;
	uint8_t value[DNS_NAME_LEN_MAX];
};

/** The oldest stand first. */
struct advised_list {
	unsigned n, max;
	struct advised entries[ADVISED_MAX];
};

/** Of an interface, which embeds it. */
struct advice {
	struct advised_list servers, domains;
	bool has_dhcp6;
	struct timer expiry; /**< Of what ends first. */
	weft_iface_advised *fn;
	void *user;
};

struct weft_iface;

/** Begins with nothing. */
void advice_init(struct advice *advice);

/** Takes what an advertisement says: msg, as read from the len bytes of data. */
void advice_take(struct weft_iface *iface, const struct nd_msg *msg, const uint8_t *data,
		 size_t len, uint64_t now);

/** The interface goes. */
void advice_end(struct weft_iface *iface);

#endif
