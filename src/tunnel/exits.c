/* SPDX-License-Identifier: MIT */
/*
 * What takes time (whom a rule may use, and who is the best) is done each second; a packet
 * only finds its rule, and draws as many numbers as there are members to choose from.
 */
#include "tunnel/exits.h"

#include "base/hash.h"
#include "tunnel/selection.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct exits_rule {
	const struct weft_tunnel_exit *conf;
	struct selection from, via;
	uint32_t *ways; /* Parties of via. */
	size_t ways_n;
	struct exit_member **usable; /* Of failover: one, or none. */
	size_t usable_n;
	const struct exit_member *rival; /* Cheaper than the present one, */
	uint64_t rival_since;            /* and for how long. */
};

struct exits {
	uint8_t secret[16];
	const struct weft_tunnel_interface *conf;
	struct exit_member **members; /* By party; NULL for none. */
	struct exits_rule *rules;
	size_t rules_n;
};

/* ---- beginning and end ------------------------------------------------------------------- */

static int rule_init(struct exits_rule *rule, const struct weft_tunnel_exit *conf,
		     const struct weft_tunnel_interface *interface)
{
	size_t n = 0;
	rule->conf = conf;
	int r = selection_init(&rule->from, &conf->from, interface);
	if (r == 0)
		r = selection_init(&rule->via, &conf->via, interface);
	for (size_t i = 0; i < interface->clients_n; i++)
		n += selection_has_client(&rule->via, i);
	rule->ways = calloc(n + 1, sizeof(*rule->ways));
	rule->usable = calloc(n + 1, sizeof(struct exit_member *));
	if (r < 0 || !rule->ways || !rule->usable)
		return -ENOMEM;
	for (uint32_t i = 0; rule->ways_n < n; i++)
		if (selection_has_client(&rule->via, i))
			rule->ways[rule->ways_n++] = i;
	return 0;
}

static void rule_fini(struct exits_rule *rule)
{
	selection_fini(&rule->from);
	selection_fini(&rule->via);
	free(rule->ways);
	free(rule->usable);
}

int exits_new(const struct weft_tunnel_interface *conf, const uint8_t secret[16],
	      struct exits **ret_exits)
{
	struct exits *e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->conf = conf;
	memcpy(e->secret, secret, sizeof(e->secret));
	e->members = calloc(conf->clients_n + 1, sizeof(struct exit_member *));
	e->rules = calloc(conf->exits_n + 1, sizeof(*e->rules));
	int r = e->members && e->rules ? 0 : -ENOMEM;
	while (r == 0 && e->rules_n < conf->exits_n) {
		const size_t i = e->rules_n++; /* Ours to free, also if it fails. */
		r = rule_init(&e->rules[i], &conf->exits[i], conf);
	}
	if (r < 0) {
		exits_free(e);
		return r;
	}
	*ret_exits = e;
	return 0;
}

void exits_free(struct exits *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->rules_n; i++)
		rule_fini(&e->rules[i]);
	free(e->rules);
	free(e->members);
	free(e);
}

/* ---- members ----------------------------------------------------------------------------- */

/* The seed goes by the name, so that flows stay where they are over a restart of the client,
   and a change of the configuration. */
void exits_join(struct exits *e, uint32_t party, struct exit_member *member)
{
	const char *name = e->conf->clients[party].name;
	member->seed = hash_bytes(e->secret, name, strlen(name));
	e->members[party] = member;
}

static void rule_drop(struct exits_rule *rule, const struct exit_member *member)
{
	size_t kept = 0;
	for (size_t i = 0; i < rule->usable_n; i++)
		if (rule->usable[i] != member)
			rule->usable[kept++] = rule->usable[i];
	rule->usable_n = kept;
	if (rule->rival == member)
		rule->rival = NULL;
}

void exits_leave(struct exits *e, const struct exit_member *member)
{
	for (size_t i = 0; i < e->conf->clients_n; i++)
		if (e->members[i] == member)
			e->members[i] = NULL;
	for (size_t i = 0; i < e->rules_n; i++)
		rule_drop(&e->rules[i], member);
}

static bool selectors_equal(const struct weft_tunnel_selectors *a,
			    const struct weft_tunnel_selectors *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static bool conf_equal(const struct weft_tunnel_exit *a, const struct weft_tunnel_exit *b)
{
	return a->balance == b->balance && selectors_equal(&a->from, &b->from) &&
	       selectors_equal(&a->via, &b->via);
}

/* Of failover only: what balance uses says itself. */
void exits_inherit(struct exits *e, const struct exits *before)
{
	for (size_t i = 0; i < e->rules_n; i++)
		for (size_t k = 0; k < before->rules_n; k++) {
			const struct exits_rule *old = &before->rules[k];
			struct exits_rule *rule = &e->rules[i];
			if (old->conf->balance || old->usable_n == 0 ||
			    rule->ways_n == 0 || !conf_equal(old->conf, rule->conf))
				continue;
			rule->usable[0] = old->usable[0];
			rule->usable_n = 1;
		}
}

/* ---- health ------------------------------------------------------------------------------ */

static bool is_good(const struct exit_member *member)
{
	return member->is_connected && member->rtt_ns <= EXITS_RTT_MAX_NS &&
	       member->loss_permille < EXITS_LOSS_MAX;
}

static uint64_t cost_of(const struct exit_member *member)
{
	const uint64_t rtt = member->rtt_ns ? member->rtt_ns : EXITS_RTT_MAX_NS;
	return rtt + rtt / 100 * member->loss_permille;
}

static double smooth(const struct exit_member *member, double cost, uint64_t now)
{
	if (member->smoothed_ns == 0)
		return cost;
	const double elapsed = (double)(now - member->smoothed_at);
	return member->smoothed_ns + (cost - member->smoothed_ns) * elapsed /
					     (elapsed + (double)EXITS_SMOOTH_NS);
}

/* What nobody measures any more begins anew when it is measured again. */
static void weigh(struct exit_member *member, uint64_t now)
{
	const uint64_t cost = cost_of(member);
	if (!member->is_connected || member->rtt_ns == 0) {
		member->smoothed_ns = 0;
		member->distance_ns = (double)cost;
		return;
	}
	const bool is_first = member->smoothed_ns == 0;
	member->smoothed_ns = smooth(
		member, (double)(cost > EXITS_NEAR_NS ? cost : EXITS_NEAR_NS), now);
	member->smoothed_at = now;
	if (is_first || member->smoothed_ns > member->distance_ns * 1.25 ||
	    member->smoothed_ns < member->distance_ns * 0.75)
		member->distance_ns = member->smoothed_ns;
}

bool exits_set_health(struct exit_member *member, const struct exit_member *health,
		      uint64_t now)
{
	const bool was_good = is_good(member);
	member->is_connected = health->is_connected;
	member->rtt_ns = health->rtt_ns;
	member->loss_permille = health->loss_permille;
	weigh(member, now);
	if (was_good && !is_good(member))
		member->penalty_until = now + EXITS_PENALTY_NS;
	return was_good != is_good(member);
}

/* ---- choosing ---------------------------------------------------------------------------- */

/* Gathers the good members; only those without penalty, or whoever it is. */
static size_t gather(const struct exits *e, const struct exits_rule *rule, bool has_mercy,
		     uint64_t now, struct exit_member **ret_members)
{
	size_t n = 0;
	for (size_t i = 0; i < rule->ways_n; i++) {
		struct exit_member *member = e->members[rule->ways[i]];
		if (member && is_good(member) &&
		    (has_mercy || now >= member->penalty_until))
			ret_members[n++] = member;
	}
	return n;
}

static struct exit_member *cheapest(struct exit_member *const *members, size_t n)
{
	struct exit_member *best = n > 0 ? members[0] : NULL;
	for (size_t i = 1; i < n; i++)
		if (cost_of(members[i]) < cost_of(best))
			best = members[i];
	return best;
}

static bool is_among(const struct exit_member *member, struct exit_member *const *members,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (members[i] == member)
			return true;
	return false;
}

/* Whether the present one has to make way for best, which may be the same. */
static bool has_lost(struct exits_rule *rule, const struct exit_member *present,
		     const struct exit_member *best, uint64_t now)
{
	if (best == present || cost_of(best) > cost_of(present) / 5 * 4) {
		rule->rival = NULL;
		return false;
	}
	if (rule->rival != best) {
		rule->rival = best;
		rule->rival_since = now;
	}
	return now - rule->rival_since >= EXITS_CHANGE_NS;
}

/* usable holds the n candidates, of which one stays. */
static void choose_one(struct exits_rule *rule, struct exit_member *present, size_t n,
		       uint64_t now)
{
	struct exit_member *best = cheapest(rule->usable, n);
	if (best && is_among(present, rule->usable, n) &&
	    !has_lost(rule, present, best, now))
		best = present;
	if (best != present)
		rule->rival = NULL;
	rule->usable[0] = best;
	rule->usable_n = best != NULL;
}

static void choose(const struct exits *e, struct exits_rule *rule, uint64_t now)
{
	struct exit_member *present = rule->usable_n > 0 ? rule->usable[0] : NULL;
	size_t n = gather(e, rule, false, now, rule->usable);
	if (n == 0)
		n = gather(e, rule, true, now, rule->usable);
	if (rule->conf->balance)
		rule->usable_n = n;
	else
		choose_one(rule, present, n, now);
}

void exits_choose(struct exits *e, uint64_t now)
{
	for (size_t i = 0; i < e->rules_n; i++)
		choose(e, &e->rules[i], now);
}

/* ---- packets ----------------------------------------------------------------------------- */

const struct exits_rule *exits_find(const struct exits *e, uint32_t party,
				    const struct prefix *src)
{
	for (size_t i = 0; i < e->rules_n; i++) {
		const struct exits_rule *rule = &e->rules[i];
		if (exits_leads_out(rule, party))
			continue;
		if (rule->conf->from.n == 0 || selection_holds(&rule->from, party, src))
			return rule;
	}
	return NULL;
}

/* The finalizer of SplitMix64: each bit of x changes each bit of the result. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Exponentially distributed with mean 1, by a hash whose 53 uppermost bits a double can hold. */
static double draw(uint64_t hash)
{
	return -log(((double)(hash >> 11) + 0.5) * 0x1p-53);
}

struct exit_member *exits_pick(const struct exits_rule *rule, uint64_t hash)
{
	if (rule->usable_n == 1)
		return rule->usable[0];
	struct exit_member *first = NULL;
	double first_ns = 0;
	for (size_t i = 0; i < rule->usable_n; i++) {
		struct exit_member *member = rule->usable[i];
		const double ns = member->distance_ns * draw(mix(hash ^ member->seed));
		if (!first || ns < first_ns) {
			first = member;
			first_ns = ns;
		}
	}
	return first;
}

double exits_nearness(const struct exits_rule *rule)
{
	double all = 0;
	for (size_t i = 0; i < rule->usable_n; i++)
		all += 1 / rule->usable[i]->distance_ns;
	return all;
}

unsigned exits_share(const struct exit_member *member, double nearness)
{
	return (unsigned)lround(1000 / (member->distance_ns * nearness));
}

bool exits_leads_out(const struct exits_rule *rule, uint32_t party)
{
	return selection_has_client(&rule->via, party);
}

size_t exits_usable(const struct exits_rule *rule,
		    struct exit_member *const **ret_members)
{
	*ret_members = rule->usable;
	return rule->usable_n;
}

const struct exits_rule *exits_rule_at(const struct exits *e, size_t number)
{
	return number < e->rules_n ? &e->rules[number] : NULL;
}

const struct weft_tunnel_exit *exits_conf(const struct exits_rule *rule)
{
	return rule->conf;
}
