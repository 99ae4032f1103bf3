/* SPDX-License-Identifier: MIT */
/*
 * Few clients wait at a time, and their questions are rare: they stand in a ring that is looked
 * through.
 */
#include "service/dhcp_defer.h"

#include "base/mac.h"

void dhcp_defer_begin(struct dhcp_defer *defer, uint32_t own)
{
	*defer = (struct dhcp_defer){ .own = own };
}

/* The server that a message tells of; 0 for none. */
static uint32_t server_of(const struct dhcp_msg *msg)
{
	switch (msg->type) {
	case DHCP_OFFER:
	case DHCP_ACK:
	case DHCP_NAK:
		return msg->op == DHCP_OP_REPLY ? msg->server_id : 0;
	case DHCP_REQUEST:
	case DHCP_DECLINE:
	case DHCP_RELEASE:
		return msg->op == DHCP_OP_REQUEST ? msg->server_id : 0;
	default:
		return 0;
	}
}

/* What we have said ourselves may come back, by a loop. */
bool dhcp_defer_hear(struct dhcp_defer *defer, const struct dhcp_msg *msg)
{
	const uint32_t server = server_of(msg);
	if (defer->server != 0 || server == 0 || server == defer->own)
		return false;
	defer->server = server;
	return true;
}

static struct dhcp_defer_client *find_client(struct dhcp_defer *defer,
					     struct weft_mac mac)
{
	for (unsigned i = 0; i < DHCP_DEFER_CLIENTS; i++)
		if (mac_equal(defer->clients[i].mac, mac))
			return &defer->clients[i];
	return NULL;
}

/* Whether the client has waited for long enough; if it is new, it begins to. */
static bool has_waited(struct dhcp_defer *defer, struct weft_mac mac, uint64_t now)
{
	struct dhcp_defer_client *client = find_client(defer, mac);
	if (client && now - client->last_ns < DHCP_DEFER_FORGET_NS) {
		client->last_ns = now;
		return now - client->first_ns >= DHCP_DEFER_NS;
	}
	if (!client) {
		client = &defer->clients[defer->next];
		defer->next = (defer->next + 1) % DHCP_DEFER_CLIENTS;
	}
	*client =
		(struct dhcp_defer_client){ .mac = mac, .first_ns = now, .last_ns = now };
	return false;
}

/* It has what it wanted: when it asks the next time, others have the first word again. */
static void end_wait(struct dhcp_defer *defer, struct weft_mac mac)
{
	struct dhcp_defer_client *client = find_client(defer, mac);
	if (client)
		*client = (struct dhcp_defer_client){ .first_ns = 0 };
}

bool dhcp_defer_may_answer(struct dhcp_defer *defer, const struct dhcp_msg *msg,
			   bool holds, uint64_t now)
{
	if (defer->server != 0 || mac_is_zero(msg->chaddr))
		return false;
	if (msg->type == DHCP_DISCOVER)
		return has_waited(defer, msg->chaddr, now);
	if (msg->server_id == defer->own)
		end_wait(defer, msg->chaddr);
	return msg->server_id ? msg->server_id == defer->own : holds;
}
