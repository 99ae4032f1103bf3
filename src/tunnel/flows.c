/* SPDX-License-Identifier: MIT */
/*
 * One table for flows and fragmented datagrams, and three lists, each in the order of when its
 * entries were heard last, so that the first one is always the next to go:
 *
 *     brief      two minutes: one side was heard only, or not TCP, or closed
 *     lasting    two hours
 *     datagrams  30 s
 *
 * The key of a flow has the smaller end first, so that both directions have the same key; who
 * began is remembered beside it. Packets come in bursts: the entry that was found last is
 * looked at before the table is.
 */
#include "tunnel/flows.h"

#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "base/time.h"
#include "tunnel/shares.h"
#include "tunnel/tuple.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BRIEF_NS    (120 * NS_PER_S)
#define LASTING_NS  (7200 * NS_PER_S)
#define DATAGRAM_NS (30 * NS_PER_S)

/* All clients, the server, and nobody. */
#define PARTIES_MAX (WEFT_TUNNEL_CLIENTS_MAX + 2u)

/* No bytes of padding: keys are compared and hashed as they lie. */
struct key {
	uint64_t addr[2][2];
	uint32_t port[2]; /* Of a datagram: its identification, and 0. */
	uint32_t protocol;
	uint16_t is_ip6;
	uint16_t is_datagram;
};

static_assert(sizeof(struct key) == 48, "a key has no padding");

struct flow {
	struct list node;
	struct share share; /* Whose it is: of who began. */
	struct key key;
	uint64_t seen_ns;
	uint32_t rules;    /* Under which it was allowed. */
	uint8_t first_end; /* Number of the end in the key that began. */
	bool is_answered;
	bool has_fin[2];
	bool is_closed;
};

struct flows {
	struct table *table;
	struct pool pool;
	struct list brief, lasting, datagrams;
	struct shares *flow_shares, *datagram_shares;
	struct flow *last; /* Found last; NULL for none. */
	uint32_t flows_max;
	uint32_t rules; /* Grows with each change of them. */
	struct flows_stats stats;
};

const char *flows_verdict_name(enum flows_verdict verdict)
{
	static const char *const names[] = {
		[FLOWS_NEW] = "new",
		[FLOWS_KNOWN] = "known",
		[FLOWS_ERROR] = "error",
		[FLOWS_FRAGMENT] = "fragment",
		[FLOWS_DENIED] = "denied",
		[FLOWS_DENIED_FRAGMENT] = "denied-fragment",
		[FLOWS_DENIED_MALFORMED] = "denied-malformed",
		[FLOWS_DENIED_FULL] = "denied-full",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == FLOWS_VERDICTS,
		      "each verdict has a name");
	return verdict < FLOWS_VERDICTS ? names[verdict] : "unknown";
}

int flows_new(uint32_t flows_max, const uint8_t secret[16], struct flows **ret_flows)
{
	struct flows *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	const size_t entries_max = (size_t)flows_max + FLOWS_DATAGRAMS_MAX;
	if (table_new(sizeof(struct key), entries_max, secret, &f->table) < 0 ||
	    shares_new(PARTIES_MAX, secret, &f->flow_shares) < 0 ||
	    shares_new(PARTIES_MAX, secret, &f->datagram_shares) < 0) {
		flows_free(f);
		return -ENOMEM;
	}
	pool_init(&f->pool, sizeof(struct flow), entries_max);
	list_init(&f->brief);
	list_init(&f->lasting);
	list_init(&f->datagrams);
	f->flows_max = flows_max;
	*ret_flows = f;
	return 0;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	table_free(f->table);
	shares_free(f->flow_shares);
	shares_free(f->datagram_shares);
	pool_fini(&f->pool);
	free(f);
}

void flows_rules_changed(struct flows *f)
{
	f->rules++;
	shares_renumber(f->flow_shares);
	shares_renumber(f->datagram_shares);
}

struct flows_stats flows_stats(const struct flows *f)
{
	return f->stats;
}

/* ---- keys -------------------------------------------------------------------------------- */

/* Which end of the tuple is the first of the key: 0 the source, 1 the destination. */
static unsigned first_end(const struct tuple *t)
{
	if (t->src.hi != t->dst.hi)
		return t->src.hi > t->dst.hi;
	if (t->src.lo != t->dst.lo)
		return t->src.lo > t->dst.lo;
	return t->sport > t->dport;
}

static struct key key_of_flow(const struct tuple *t, unsigned first)
{
	const struct prefix *a = first == 0 ? &t->src : &t->dst;
	const struct prefix *b = first == 0 ? &t->dst : &t->src;
	return (struct key){
		.addr = { { a->hi, a->lo }, { b->hi, b->lo } },
		.port = { first == 0 ? t->sport : t->dport,
			  first == 0 ? t->dport : t->sport },
		.protocol = t->protocol,
		.is_ip6 = t->src.is_ip6,
	};
}

/* What its fragments have in common (RFC 791 3.2, RFC 8200 4.5). */
static struct key key_of_datagram(const struct tuple *t)
{
	return (struct key){
		.addr = { { t->src.hi, t->src.lo }, { t->dst.hi, t->dst.lo } },
		.port = { t->frag_id, 0 },
		.protocol = t->src.is_ip6 ? 0 : t->protocol,
		.is_ip6 = t->src.is_ip6,
		.is_datagram = 1,
	};
}

/* ---- entries ----------------------------------------------------------------------------- */

static uint64_t life_of(const struct flow *flow)
{
	if (flow->key.is_datagram)
		return DATAGRAM_NS;
	return flow->key.protocol == IPPROTO_TCP && flow->is_answered && !flow->is_closed
		       ? LASTING_NS
		       : BRIEF_NS;
}

static struct list *list_of(struct flows *f, const struct flow *flow)
{
	if (flow->key.is_datagram)
		return &f->datagrams;
	return life_of(flow) == LASTING_NS ? &f->lasting : &f->brief;
}

static struct shares *shares_of(const struct flows *f, bool is_datagram)
{
	return is_datagram ? f->datagram_shares : f->flow_shares;
}

static void forget(struct flows *f, struct flow *flow)
{
	if (flow->key.is_datagram)
		f->stats.datagrams--;
	else
		f->stats.flows--;
	if (f->last == flow)
		f->last = NULL;
	(void)table_remove(f->table, &flow->key);
	shares_remove(shares_of(f, flow->key.is_datagram), &flow->share);
	list_remove(&flow->node);
	pool_put(&f->pool, flow);
}

/* An entry that has been heard; its list may be another one now. */
static void touch(struct flows *f, struct flow *flow, uint64_t now)
{
	flow->seen_ns = now;
	list_remove(&flow->node);
	list_push_back(list_of(f, flow), &flow->node);
	share_touch(&flow->share, life_of(flow) == LASTING_NS);
}

static struct flow *lookup(struct flows *f, const struct key *key, uint64_t now)
{
	struct flow *flow = f->last;
	if (!flow || memcmp(&flow->key, key, sizeof(*key)) != 0)
		flow = table_get(f->table, key);
	if (flow && now - flow->seen_ns >= life_of(flow)) {
		forget(f, flow);
		return NULL;
	}
	if (flow)
		f->last = flow;
	return flow;
}

/* For one of a party's. Returns whether there is room. */
static bool make_room(struct flows *f, uint32_t party, bool is_datagram)
{
	const uint32_t n = is_datagram ? f->stats.datagrams : f->stats.flows;
	if (n < (is_datagram ? FLOWS_DATAGRAMS_MAX : f->flows_max))
		return true;
	struct share *share = shares_next_to_go(shares_of(f, is_datagram), party);
	if (!share)
		return false;
	forget(f, container_of(share, struct flow, share));
	if (is_datagram)
		f->stats.datagrams_evicted++;
	else
		f->stats.evicted++;
	return true;
}

/* A new entry of a party's; NULL where there is no room. */
static struct flow *add(struct flows *f, const struct key *key, uint32_t party,
			uint64_t now)
{
	struct flow *flow =
		make_room(f, party, key->is_datagram) ? pool_get(&f->pool) : NULL;
	if (!flow)
		return NULL;
	*flow = (struct flow){ .key = *key, .rules = f->rules };
	struct shares *shares = shares_of(f, key->is_datagram);
	if (shares_add(shares, &flow->share, party) < 0 ||
	    table_set(f->table, key, flow) < 0) {
		shares_remove(shares, &flow->share);
		pool_put(&f->pool, flow);
		return NULL;
	}
	if (key->is_datagram)
		f->stats.datagrams++;
	else
		f->stats.flows++;
	list_init(&flow->node);
	touch(f, flow, now);
	return flow;
}

/* A flow that is known to be of a party's: numbers may be others. */
static int give(struct flows *f, struct flow *flow, uint32_t party)
{
	shares_remove(f->flow_shares, &flow->share);
	return shares_add(f->flow_shares, &flow->share, party);
}

static void age_list(struct flows *f, const struct list *list, uint64_t now)
{
	for (struct list *first; (first = list_first(list));) {
		struct flow *flow = container_of(first, struct flow, node);
		if (now - flow->seen_ns < life_of(flow))
			return;
		forget(f, flow);
	}
}

void flows_age(struct flows *f, uint64_t now)
{
	age_list(f, &f->brief, now);
	age_list(f, &f->lasting, now);
	age_list(f, &f->datagrams, now);
}

/* ---- judging ----------------------------------------------------------------------------- */

/* The first packet of the flow that t is of, as rules see it. */
static bool is_allowed(const struct acl *acl, const struct flows_packet *packet,
		       const struct tuple *t, bool is_answer)
{
	const struct acl_question q = {
		.from = is_answer ? packet->to : packet->from,
		.to = is_answer ? packet->from : packet->to,
		.src = is_answer ? t->dst : t->src,
		.dst = is_answer ? t->src : t->dst,
		.protocol = t->protocol,
		.port = !t->has_ports ? ACL_NONE
			: is_answer   ? t->sport
				      : t->dport,
	};
	return acl_match(acl, &q) != NULL;
}

/* Whether an error is about a packet of a known flow, and goes to who sent that. */
static bool is_about_known(struct flows *f, const struct flows_packet *packet,
			   const struct tuple *t, uint64_t now)
{
	struct tuple quoted;
	if (tuple_read_quoted(packet->data + t->quote_off, packet->len - t->quote_off,
			      &quoted) < 0 ||
	    quoted.part == TUPLE_LATER || !prefix_equal(&quoted.src, &t->dst))
		return false;
	const struct key key = key_of_flow(&quoted, first_end(&quoted));
	const struct flow *flow = lookup(f, &key, now);
	return flow && flow->rules == f->rules;
}

/* A packet of a known flow. end is that of the key which sends. */
static void hear(struct flows *f, struct flow *flow, const struct tuple *t, unsigned end,
		 uint64_t now)
{
	flow->is_answered |= end != flow->first_end;
	flow->has_fin[end] |= t->is_fin;
	flow->is_closed |= t->is_rst || (flow->has_fin[0] && flow->has_fin[1]);
	if (t->is_opening) {
		flow->has_fin[0] = flow->has_fin[1] = false;
		flow->is_answered = flow->is_closed = false;
	}
	touch(f, flow, now);
}

static enum flows_verdict judge_new(struct flows *f, const struct flows_packet *packet,
				    const struct tuple *t, const struct key *key,
				    unsigned end, uint64_t now)
{
	if (t->is_error)
		return FLOWS_NEW;
	struct flow *flow = add(f, key, packet->from, now);
	if (!flow)
		return FLOWS_DENIED_FULL;
	flow->first_end = (uint8_t)end;
	hear(f, flow, t, end, now);
	return FLOWS_NEW;
}

/* The flow that a packet is of, unless rules that are new since then deny it. */
static struct flow *known_flow(struct flows *f, const struct acl *acl,
			       const struct flows_packet *packet, const struct tuple *t,
			       const struct key *key, uint64_t now)
{
	struct flow *flow = lookup(f, key, now);
	if (!flow || flow->rules == f->rules)
		return flow;
	const bool is_answer = first_end(t) != flow->first_end;
	if (!is_allowed(acl, packet, t, is_answer) ||
	    give(f, flow, is_answer ? packet->to : packet->from) < 0) {
		forget(f, flow);
		return NULL;
	}
	flow->rules = f->rules;
	return flow;
}

static enum flows_verdict judge_whole(struct flows *f, const struct acl *acl,
				      const struct flows_packet *packet,
				      const struct tuple *t, uint64_t now)
{
	if (t->is_error && is_about_known(f, packet, t, now))
		return FLOWS_ERROR;
	const unsigned end = first_end(t);
	const struct key key = key_of_flow(t, end);
	struct flow *flow = t->is_error ? NULL : known_flow(f, acl, packet, t, &key, now);
	if (flow && (end == flow->first_end || !t->is_opening)) {
		hear(f, flow, t, end, now);
		return FLOWS_KNOWN;
	}
	if (!is_allowed(acl, packet, t, false))
		return FLOWS_DENIED;
	return flow ? FLOWS_NEW : judge_new(f, packet, t, &key, end, now);
}

/* A fragment that is not the first, or what comes of the first. */
static enum flows_verdict judge_fragment(struct flows *f, const struct acl *acl,
					 const struct flows_packet *packet,
					 const struct tuple *t, uint64_t now)
{
	const struct key key = key_of_datagram(t);
	struct flow *datagram = lookup(f, &key, now);
	if (t->part == TUPLE_LATER)
		return datagram ? FLOWS_FRAGMENT : FLOWS_DENIED_FRAGMENT;
	enum flows_verdict verdict = judge_whole(f, acl, packet, t, now);
	if (!flows_passes(verdict))
		return verdict;
	datagram = table_get(f->table, &key);
	if (datagram)
		touch(f, datagram, now);
	else if (!add(f, &key, packet->from, now))
		return FLOWS_DENIED_FULL;
	return verdict;
}

enum flows_verdict flows_judge(struct flows *f, const struct acl *acl,
			       const struct flows_packet *packet, uint64_t now)
{
	struct tuple t;
	enum flows_verdict verdict = FLOWS_DENIED_MALFORMED;
	if (tuple_read(packet->data, packet->len, &t) == 0)
		verdict = t.part == TUPLE_WHOLE ? judge_whole(f, acl, packet, &t, now)
						: judge_fragment(f, acl, packet, &t, now);
	f->stats.verdicts[verdict]++;
	return verdict;
}
