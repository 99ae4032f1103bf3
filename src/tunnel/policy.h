/* SPDX-License-Identifier: MIT */
/*
 * What the router of a plane is told by its hooks: whether a packet may pass (acl.h, flows.h),
 * and which exit it takes (exits.h). Both know clients by their number in the configuration:
 * each of the router's ports carries it in its struct policy_port. The uplink, without one,
 * is the server.
 */
#ifndef TUNNEL_POLICY_H
#define TUNNEL_POLICY_H

#include "tunnel/exits.h"
#include "tunnel/selection.h"

#include <weft/frame.h>
#include <weft/router.h>
#include <weft/tunnel.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct policy;

/** Of a client's port on the router, whose user it is. */
struct policy_port {
	uint32_t party;
	struct exit_member member;
	struct weft_router_port *on_router;
};

/** Prepares what the configuration says, which must outlive it. Returns 0 or -ENOMEM. */
int policy_new(const struct weft_tunnel_interface *conf, const uint8_t secret[16],
	       struct policy **ret_policy) WEFT_MUST_CHECK;

/** NULL is allowed. */
void policy_free(struct policy *p);

/** Takes over what the former policy knows of flows, and has chosen. Clients join again. */
void policy_inherit(struct policy *p, struct policy *before);

/** What to set at the router: nothing, where the configuration has neither ACL nor exits. */
struct weft_router_hooks policy_hooks(struct policy *p);

/** Makes a port that of the client with this number. */
void policy_join(struct policy *p, struct policy_port *port, uint32_t party);
/** Makes it nobody's; harmless if it is. */
void policy_leave(struct policy *p, struct policy_port *port);

/** Says how a client does; its penalty is kept. */
void policy_set_health(struct policy *p, struct policy_port *port,
		       const struct exit_member *health, uint64_t now);

/** To be called each second or so. */
void policy_tick(struct policy *p, uint64_t now);

/** Whose port it is; PARTY_NOBODY for NULL. */
uint32_t party_of_port(const struct weft_router_port *port);

/** Adds "acl" and "exits" to the object, if there are. */
void policy_json(const struct policy *p, json_t *object);

#endif
