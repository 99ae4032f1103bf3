/* SPDX-License-Identifier: MIT */
/*
 * What a DHCP client says: frames of its own making, because it has no address yet that another
 * host could be asked for.
 */
#include "base/mac.h"
#include "service/dhcp_frame.h"
#include "service/dhcp_lease.h"
#include "service/dhcpc.h"

#include <assert.h>
#include <string.h>

#define BROADCAST_IP UINT32_MAX

struct dhcp_msg dhcpc_message(const struct weft_dhcpc *c, enum dhcp_type type,
			      uint64_t now)
{
	static const uint8_t params[] = {
		DHCP_OPT_SUBNET_MASK, DHCP_OPT_ROUTER,        DHCP_OPT_DNS,
		DHCP_OPT_LEASE,       DHCP_OPT_RENEWAL,       DHCP_OPT_REBINDING,
		DHCP_OPT_DOMAIN,      DHCP_OPT_DNS_SELECTION,
	};
	uint64_t secs = (now - c->begun) / NS_PER_S;
	struct dhcp_msg msg = {
		.op = DHCP_OP_REQUEST,
		.type = (uint8_t)type,
		.xid = c->xid,
		.secs = (uint16_t)(secs < UINT16_MAX ? secs : UINT16_MAX),
		.chaddr = c->opts.mac,
		.client_id_len = 1 + MAC_LEN,
		.client_id = { 1 }, /* Hardware type Ethernet (RFC 2132, 9.14). */
	};
	mac_store(msg.client_id + 1, c->opts.mac);
	if (type != DHCP_DISCOVER && type != DHCP_REQUEST)
		return msg;
	memcpy(msg.params, params, sizeof(params));
	msg.params_n = sizeof(params);
	memcpy(msg.host_name, c->hostname, sizeof(msg.host_name));
	return msg;
}

static void send_message(struct weft_dhcpc *c, const struct udp_path *path,
			 const struct dhcp_msg *msg, uint64_t now)
{
	uint8_t buf[WEFT_HEADROOM + DHCP_FRAME_LEN_MAX];
	uint8_t *data = buf + WEFT_HEADROOM;
	int len = dhcp_frame_emit(data, DHCP_FRAME_LEN_MAX, path, msg);
	assert(len > 0); /* No message of ours is long. */
	const struct weft_frame frame = {
		.data = data,
		.len = (uint32_t)len,
		.headroom = WEFT_HEADROOM,
	};
	c->opts.send(c->opts.user, &frame, now);
}

void dhcpc_broadcast(struct weft_dhcpc *c, const struct dhcp_msg *msg, uint64_t now)
{
	const struct udp_path path = {
		.src_mac = c->opts.mac,
		.dst_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.src = msg->ciaddr,
		.dst = BROADCAST_IP,
		.sport = DHCP_CLIENT_PORT,
		.dport = DHCP_SERVER_PORT,
	};
	send_message(c, &path, msg, now);
}

void dhcpc_unicast(struct weft_dhcpc *c, const struct dhcp_msg *msg, uint64_t now)
{
	const struct udp_path path = {
		.src_mac = c->opts.mac,
		.dst_mac = c->server_mac,
		.src = msg->ciaddr,
		.dst = dhcp_ip_number(&c->lease.server),
		.sport = DHCP_CLIENT_PORT,
		.dport = DHCP_SERVER_PORT,
	};
	send_message(c, &path, msg, now);
}
