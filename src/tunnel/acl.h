/* SPDX-License-Identifier: MIT */
/*
 * The rules of a server's configuration ("acl"), made ready: who may begin to talk to whom.
 * Each rule allows; what none allows is denied. That answers pass as well is the business of
 * flows.h, so that rules are asked once per flow.
 */
#ifndef TUNNEL_ACL_H
#define TUNNEL_ACL_H

#include "bridge/prefix.h"

#include <weft/frame.h>
#include <weft/tunnel.h>

#include <stdint.h>

struct acl;

/** For protocol and port: whatever it is, if rules allow some. */
#define ACL_ANY  (-1)
/** For port: the protocol has none. Rules with ports do not allow it. */
#define ACL_NONE (-2)

/** A first packet. */
struct acl_question {
	uint32_t from, to;      /**< Parties, see selection.h. */
	struct prefix src, dst; /**< Whole addresses. */
	int protocol;           /**< IPPROTO_*, or ACL_ANY. */
	int port;               /**< Of the destination; ACL_ANY or ACL_NONE. */
};

/** Prepares the rules of the interface, which must outlive them. Returns 0 or -ENOMEM. */
int acl_new(const struct weft_tunnel_interface *conf,
	    struct acl **ret_acl) WEFT_MUST_CHECK;

/** NULL is allowed. */
void acl_free(struct acl *acl);

/** The first rule that allows it; NULL if none does. Looks at each rule, in order. */
const struct weft_tunnel_acl_rule *acl_match(const struct acl *acl,
					     const struct acl_question *q);

#endif
