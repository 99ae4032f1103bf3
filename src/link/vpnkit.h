/* SPDX-License-Identifier: MIT */
/*
 * Links to peers that speak VPNKit: a stream with a greeting (wire/vpnkit.h), in the form of
 * the server and in that of the client.
 */
#ifndef LINK_VPNKIT_H
#define LINK_VPNKIT_H

#include "link/dialects.h"
#include "link/link.h"

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>

#define VPNKIT_MTU 1500u

struct vpnkit_opts {
	uint16_t mtu; /**< Told to a client. */
	bool has_mac; /**< Tell all clients mac; else one made of the UUID. */
	struct weft_mac mac;
	bool is_client;
	const char *uuid; /**< As the client: ours. */
};

/** Makes a link of a connection, which it takes over if it succeeds. Returns 0 or -Exxx. */
int vpnkit_link_new(const struct vpnkit_opts *opts, const struct dialect_peer *peer,
		    struct weft_link **ret_link) WEFT_MUST_CHECK;

#endif
