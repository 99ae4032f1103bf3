/* SPDX-License-Identifier: MIT */
/*
 * Exits of a server ("exits"): clients that lead out, for what is for no network. Which of
 * them a flow takes depends on how they do:
 *
 *     good        connected, round trip of 500 ms at most (or not measured), loss below 50 %
 *     cost        round trip, made longer by loss: 1 % counts as 10 % of time. One that was
 *                 not measured counts as the slowest good one
 *     penalty     one that was good and is not any more is not used for 10 minutes, unless
 *                 all that are good have a penalty
 *
 *     failover    the cheapest has all; it is changed when it is not to be used any more, or
 *                 another has cost at most 80 % of it for 60 s
 *     balance     each flow has one of those that may be used, and of all flows each of these
 *                 has a share that is the larger the lower its cost: half the cost, twice the
 *                 flows
 *
 * A flow finds its way by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as
 * Schindelhauer and Schomaker 2005 have them): it draws a time for each member, the same at
 * each packet, which is distributed exponentially with the member's distance as its mean,
 * and takes the earliest. Where a member goes, only its flows move; where one comes or gets
 * cheaper, it gets flows from all the others, and these get none from each other.
 *
 * The distance is the cost, but it must not move flows at each ripple of that:
 *
 *     below 5 ms  all are equally near
 *     smoothed    exponentially, by 30 s. The first measurement counts at once
 *     held        until the smoothed cost is off by a quarter of it, up or down; then it is
 *                 that cost
 *
 * Where none is good, packets go nowhere: not out of the server, whose owner did not say so.
 * Who is itself a way out of a rule does not use that rule.
 *
 * A client of the configuration is a member from exits_join on; its state is kept in its
 * struct exit_member, and survives a change of the configuration.
 */
#ifndef TUNNEL_EXITS_H
#define TUNNEL_EXITS_H

#include "base/time.h"
#include "bridge/prefix.h"

#include <weft/frame.h>
#include <weft/tunnel.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXITS_RTT_MAX_NS (500 * NS_PER_MS)
#define EXITS_LOSS_MAX   500u /**< In thousandths. */
#define EXITS_PENALTY_NS (600 * NS_PER_S)
#define EXITS_CHANGE_NS  (60 * NS_PER_S)
#define EXITS_NEAR_NS    (5 * NS_PER_MS) /**< Who is nearer counts as that near. */
#define EXITS_SMOOTH_NS  (30 * NS_PER_S) /**< What the smoothed cost goes by. */

/** How a client does. Zero is one that is not connected. */
struct exit_member {
	bool is_connected;
	uint64_t rtt_ns; /**< 0 if nobody has measured. */
	uint32_t loss_permille;
	uint64_t penalty_until; /**< 0 for none. */
	double smoothed_ns;     /**< The cost; 0 until somebody has measured, */
	uint64_t smoothed_at;   /**< and since when it is that. */
	double distance_ns; /**< What it counts as with balance; 0: never looked at. */
	uint64_t seed;      /**< What its draws are made of. */
	void *user;         /**< Whose it is. */
};

/** One rule, with the members it may use now. */
struct exits_rule;
struct exits;

/** Prepares the exits of an interface, which must outlive them. Returns 0 or -ENOMEM. */
int exits_new(const struct weft_tunnel_interface *conf, const uint8_t secret[16],
	      struct exits **ret_exits) WEFT_MUST_CHECK;

/** NULL is allowed. Members are not touched. */
void exits_free(struct exits *e);

/** Goes on with the choices that were made for rules that are the same in both. */
void exits_inherit(struct exits *e, const struct exits *before);

/** Makes the client with this number a member. It must outlive its membership. */
void exits_join(struct exits *e, uint32_t party, struct exit_member *member);

/** Takes the member out. Harmless for one that is none. */
void exits_leave(struct exits *e, const struct exit_member *member);

/**
 * Says how a member does, each second or so. Returns whether its being good has changed: time
 * to choose.
 */
bool exits_set_health(struct exit_member *member, const struct exit_member *health,
		      uint64_t now);

/** Chooses anew for each rule; to be called each second or so. */
void exits_choose(struct exits *e, uint64_t now);

/** The rule for packets of a party from an address; NULL if there is none. */
const struct exits_rule *exits_find(const struct exits *e, uint32_t party,
				    const struct prefix *src);

/** The member that a flow with this hash takes; NULL when there is none to use. */
struct exit_member *exits_pick(const struct exits_rule *rule, uint64_t hash);

/** Whether the client is one of the rule's ways out, good or not. */
bool exits_leads_out(const struct exits_rule *rule, uint32_t party);

/** How many members the rule may use now, and which; valid until it chooses anew. */
size_t exits_usable(const struct exits_rule *rule,
		    struct exit_member *const **ret_members);

/** How near all of these are, taken together. */
double exits_nearness(const struct exits_rule *rule);

/** Of a thousand flows, how many one of these is to have. */
unsigned exits_share(const struct exit_member *member, double nearness);

/** The rule with this number; NULL behind the last. */
const struct exits_rule *exits_rule_at(const struct exits *e, size_t number);

/** The rule in the configuration. */
const struct weft_tunnel_exit *exits_conf(const struct exits_rule *rule);

#endif
