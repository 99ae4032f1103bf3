/* SPDX-License-Identifier: MIT */
/*
 * Whether a packet may pass: as the first of a flow that a rule allows, or because its flow is
 * known. A pure function of the packet, the time and what passed before.
 *
 *     packet --- a later fragment?        ---> passes if its datagram's first one did
 *            --- an ICMP error?           ---> passes if what it quotes is of a known flow
 *            --- of a known flow?         ---> passes, either way
 *            --- allowed by a rule?       ---> passes, and its flow is known from now on
 *            --- else it is denied
 *
 * What opens a connection (SYN, an echo request) against the direction of its flow needs a
 * rule of its own; so an answer can only answer. An ICMP error makes no flow.
 *
 * A flow is forgotten when nothing was heard of it for two minutes; one of TCP of which both
 * sides were heard, after two hours, unless it was closed or reset (RFC 5382 REQ-5, RFC 4787
 * REQ-5 for UDP). What is known of a fragmented datagram is kept for 30 s. As fragments of
 * which the first comes late are denied, they cost a retransmission.
 *
 * Both tables have limits. Where flows are too many, the party that has begun most of them loses
 * one: that which was silent for longest among those of which two minutes are kept. Where it has
 * none of these, one of its others goes for another party's, and new ones of its own are denied.
 * The same is true of datagrams. Keys are hashed with a secret.
 *
 * New rules: each flow is held against them at its next packet, and forgotten if they deny it.
 */
#ifndef TUNNEL_FLOWS_H
#define TUNNEL_FLOWS_H

#include "tunnel/acl.h"

#include <weft/frame.h>

#include <stdint.h>

/** Most fragmented datagrams under way. */
#define FLOWS_DATAGRAMS_MAX 4096u

struct flows;

/** Each is counted. */
enum flows_verdict {
	FLOWS_NEW,      /**< A rule allows it. */
	FLOWS_KNOWN,    /**< Of a known flow. */
	FLOWS_ERROR,    /**< About a known flow. */
	FLOWS_FRAGMENT, /**< Of a datagram whose first fragment has passed. */
	FLOWS_DENIED,   /**< No rule allows it. */
	FLOWS_DENIED_FRAGMENT, /**< Of a datagram whose first fragment did not pass, or not yet. */
	FLOWS_DENIED_MALFORMED, /**< Nobody can tell what it is: see tuple_read. */
	FLOWS_DENIED_FULL,      /**< A rule allows it, but there are too many flows. */
	FLOWS_VERDICTS
};

/** "known", "denied-fragment" and the like, as in JSON. */
const char *flows_verdict_name(enum flows_verdict verdict);

struct flows_stats {
	uint32_t flows, datagrams;  /**< Known now. */
	uint64_t evicted;           /**< Flows that went to make room, */
	uint64_t datagrams_evicted; /**< and datagrams. */
	uint64_t verdicts[FLOWS_VERDICTS];
};

/** Makes an empty table of at most flows_max flows. Returns 0 or -ENOMEM. */
int flows_new(uint32_t flows_max, const uint8_t secret[16],
	      struct flows **ret_flows) WEFT_MUST_CHECK;

/** NULL is allowed. */
void flows_free(struct flows *f);

/** A packet on its way between two parties. */
struct flows_packet {
	const uint8_t *data;
	uint32_t len;
	uint32_t from, to; /**< Parties, see selection.h. */
};

/** Judges a packet and remembers it. now never goes back. */
enum flows_verdict flows_judge(struct flows *f, const struct acl *acl,
			       const struct flows_packet *packet, uint64_t now);

/** To be called when flows_judge is going to get other rules. */
void flows_rules_changed(struct flows *f);

/** Forgets what has been silent for too long; each second or so. */
void flows_age(struct flows *f, uint64_t now);

/** The counts of now. */
struct flows_stats flows_stats(const struct flows *f);

static inline bool flows_passes(enum flows_verdict verdict)
{
	return verdict <= FLOWS_FRAGMENT;
}

#endif
