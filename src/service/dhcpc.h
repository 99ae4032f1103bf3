/* SPDX-License-Identifier: MIT */
/*
 * The inside of the DHCP client, for the files that together make it: its states and what is
 * done in each (dhcpc.c), what it says (dhcpc_send.c), and what is said to it (dhcpc_input.c).
 */
#ifndef SERVICE_DHCPC_H
#define SERVICE_DHCPC_H

#include "base/rng.h"
#include "base/time.h"
#include "service/acd.h"
#include "wire/dhcp.h"

#include <weft/dhcpc.h>

#include <stdbool.h>
#include <stdint.h>

struct weft_dhcpc {
	struct weft_dhcpc_opts opts;
	char hostname[DHCP_TEXT_LEN];
	struct weft_task task;
	struct rng rng;

	enum weft_dhcpc_state state;
	uint64_t due;      /**< When the state's step is taken. */
	unsigned attempts; /**< Messages sent in this state. */
	unsigned failures; /**< Refusals since the last success: how long INIT pauses. */
	struct weft_acd acd; /**< CHECKING: whether somebody else has the address. */
	bool told;           /**< The user has the lease's address. */

	uint32_t xid;
	uint64_t begun; /**< When this xid's exchange began: for secs. */
	/** When the last DHCPREQUEST was sent: a lease runs from then. */
	uint64_t asked;
	uint32_t wanted;                /**< The address to ask for again; 0 for any. */
	struct weft_dhcpc_lease lease;  /**< Offered, or held. */
	struct weft_mac server_mac;     /**< Where the server's frames come from. */
	uint64_t renew, rebind, expiry; /**< T1, T2 and the end, in ns. */

	uint64_t counts[WEFT_DHCPC_OUTCOMES];
};

/** Moves to a state, whose step is taken at due. */
void dhcpc_enter(struct weft_dhcpc *c, enum weft_dhcpc_state state, uint64_t due);

/** After a refusal: begins anew, after a pause that grows with each in a row. */
void dhcpc_begin_anew(struct weft_dhcpc *c, uint64_t pause_min_ns, uint64_t now);

/** What every message of ours says (RFC 2131, table 5). */
struct dhcp_msg dhcpc_message(const struct weft_dhcpc *c, enum dhcp_type type,
			      uint64_t now);

void dhcpc_broadcast(struct weft_dhcpc *c, const struct dhcp_msg *msg, uint64_t now);

/** To the server itself, by the way that its frames came: it may stand behind a relay agent. */
void dhcpc_unicast(struct weft_dhcpc *c, const struct dhcp_msg *msg, uint64_t now);

#endif
