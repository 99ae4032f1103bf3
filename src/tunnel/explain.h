/* SPDX-License-Identifier: MIT */
/*
 * Sentences about what the router says of a packet: the words of weft_tunnel_explain, apart
 * from the finding of an answer.
 */
#ifndef TUNNEL_EXPLAIN_H
#define TUNNEL_EXPLAIN_H

#include "base/fmt.h"
#include "tunnel/exits.h"

#include <weft/router.h>
#include <weft/tunnel.h>

#include <stdint.h>

/** Appends who it is: `client "berlin"`, or the server's side. */
void explain_party(struct fmt *f, const struct weft_tunnel_interface *conf,
		   uint32_t party);

/** Appends the packet: `TCP from 10.0.0.2 to 10.0.0.3, port 80`. */
void explain_packet(struct fmt *f, const struct weft_tunnel_question *q,
		    const struct weft_ip *src, const struct weft_ip *dst);

/** Appends where it goes, and why; or why it goes nowhere. exit may be NULL. */
void explain_way(struct fmt *f, const struct weft_tunnel_interface *conf,
		 const struct weft_router_verdict *verdict,
		 const struct exits_rule *exit);

/** Appends what a rule allows, if not everything: `TCP to ports 22, 8000-8100`. */
void explain_rule(struct fmt *f, const struct weft_tunnel_acl_rule *rule);

#endif
