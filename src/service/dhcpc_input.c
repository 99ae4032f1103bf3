/* SPDX-License-Identifier: MIT */
/*
 * What is said to a DHCP client. Nothing is done about it here but to move to another state,
 * whose step is taken at the next run.
 */
#include "base/mac.h"
#include "service/dhcp_frame.h"
#include "service/dhcp_lease.h"
#include "service/dhcpc.h"

#include <assert.h>
#include <errno.h>

static uint64_t after(uint64_t begin, uint32_t seconds)
{
	if (seconds == WEFT_DHCPC_FOREVER)
		return WEFT_NEVER;
	return begin + (uint64_t)seconds * NS_PER_S;
}

/* Takes an acknowledged lease. It runs from when it was asked for (4.4.1), so that ours is
   over before the server's. T1 comes up to a twentieth early, lest all members of a room
   that began together renew together (4.4.5). */
static void hold(struct weft_dhcpc *c, const struct weft_dhcpc_lease *lease)
{
	c->lease = *lease;
	c->renew = after(c->asked, lease->renew_s);
	c->rebind = after(c->asked, lease->rebind_s);
	c->expiry = after(c->asked, lease->lease_s);
	if (c->renew != WEFT_NEVER)
		c->renew -= rng_below(&c->rng, (c->renew - c->asked) / 20 + 1);
}

static enum weft_dhcpc_outcome on_offer(struct weft_dhcpc *c, const struct dhcp_msg *msg)
{
	struct weft_dhcpc_lease lease;
	if (c->state != WEFT_DHCPC_SELECTING)
		return WEFT_DHCPC_DROP_UNEXPECTED;
	enum weft_dhcpc_outcome outcome =
		dhcp_lease_of(msg, c->opts.allow_public, &lease);
	if (outcome != WEFT_DHCPC_TAKEN)
		return outcome;
	c->lease = lease;
	dhcpc_enter(c, WEFT_DHCPC_REQUESTING, 0);
	return WEFT_DHCPC_TAKEN;
}

/* Answers to a DHCPREQUEST come from the server that was asked; when rebinding, from any. */
static enum weft_dhcpc_outcome check_answer(const struct weft_dhcpc *c,
					    const struct dhcp_msg *msg)
{
	if (c->state == WEFT_DHCPC_REBINDING)
		return dhcp_is_host(msg->server_id) ? WEFT_DHCPC_TAKEN
						    : WEFT_DHCPC_DROP_SERVER;
	if (c->state != WEFT_DHCPC_REQUESTING && c->state != WEFT_DHCPC_RENEWING)
		return WEFT_DHCPC_DROP_UNEXPECTED;
	return msg->server_id == dhcp_ip_number(&c->lease.server)
		       ? WEFT_DHCPC_TAKEN
		       : WEFT_DHCPC_DROP_SERVER;
}

static void acd_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct weft_dhcpc *c = user;
	c->opts.send(c->opts.user, frame, now);
}

static void acd_conflict(void *user, enum weft_acd_state state, struct weft_mac mac)
{
	struct weft_dhcpc *c = user;
	(void)state;
	(void)mac;
	c->counts[WEFT_DHCPC_CONFLICT]++;
}

static void begin_check(struct weft_dhcpc *c)
{
	const struct weft_acd_opts opts = { .mac = c->opts.mac,
					    .address = c->lease.address,
					    .seed = rng_u64(&c->rng),
					    .is_offered = true,
					    .send = acd_send,
					    .conflict = acd_conflict,
					    .user = c };
	int r = acd_init(&c->acd, &opts);
	assert(r == 0); /* A lease's address is IPv4. */
	(void)r;
}

static enum weft_dhcpc_outcome on_ack(struct weft_dhcpc *c, const struct udp_path *path,
				      const struct dhcp_msg *msg)
{
	struct weft_dhcpc_lease lease;
	enum weft_dhcpc_outcome outcome = check_answer(c, msg);
	if (outcome == WEFT_DHCPC_TAKEN)
		outcome = dhcp_lease_of(msg, c->opts.allow_public, &lease);
	if (outcome != WEFT_DHCPC_TAKEN)
		return outcome;
	bool is_new = c->state == WEFT_DHCPC_REQUESTING;
	if (msg->yiaddr != dhcp_ip_number(&c->lease.address))
		return WEFT_DHCPC_DROP_ADDRESS;
	if (!is_new && lease.address.prefix != c->lease.address.prefix)
		return WEFT_DHCPC_DROP_MASK;
	hold(c, &lease);
	c->server_mac = path->src_mac;
	begin_check(c);
	dhcpc_enter(c,
		    is_new && !c->opts.no_check ? WEFT_DHCPC_CHECKING : WEFT_DHCPC_BOUND,
		    0);
	return WEFT_DHCPC_TAKEN;
}

static enum weft_dhcpc_outcome on_nak(struct weft_dhcpc *c, const struct dhcp_msg *msg,
				      uint64_t now)
{
	enum weft_dhcpc_outcome outcome = check_answer(c, msg);
	if (outcome == WEFT_DHCPC_TAKEN)
		dhcpc_begin_anew(c, 0, now);
	return outcome;
}

static enum weft_dhcpc_outcome on_reply(struct weft_dhcpc *c, const struct udp_path *path,
					const struct dhcp_msg *msg, uint64_t now)
{
	switch (msg->type) {
	case DHCP_OFFER:
		return on_offer(c, msg);
	case DHCP_ACK:
		return on_ack(c, path, msg);
	case DHCP_NAK:
		return on_nak(c, msg, now);
	default:
		return WEFT_DHCPC_DROP_UNEXPECTED;
	}
}

bool weft_dhcpc_input(struct weft_dhcpc *c, const struct weft_frame *frame, uint64_t now)
{
	struct udp_path path;
	struct dhcp_msg msg;
	if (c->state == WEFT_DHCPC_CHECKING) {
		weft_acd_input(&c->acd, frame);
		c->due = acd_deadline(&c->acd);
	}
	int r = dhcp_frame_parse(frame, DHCP_CLIENT_PORT, &path, &msg);
	if (r == -ENOMSG)
		return false;
	if (r < 0) {
		c->counts[WEFT_DHCPC_DROP_MALFORMED]++;
		return false;
	}
	if (msg.op != DHCP_OP_REPLY || msg.xid != c->xid ||
	    !mac_equal(msg.chaddr, c->opts.mac)) {
		c->counts[WEFT_DHCPC_DROP_NOT_OURS]++;
		return false;
	}
	c->counts[on_reply(c, &path, &msg, now)]++;
	return true;
}
