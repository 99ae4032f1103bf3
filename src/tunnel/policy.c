/* SPDX-License-Identifier: MIT */
/*
 * Exits are chosen each second, and before the next packet that asks for one after something
 * has changed. So while clients join one by one, nothing is chosen among a few of them.
 */
#include "tunnel/policy.h"

#include "base/hash.h"
#include "base/net.h"
#include "tunnel/facts.h"
#include "tunnel/flows.h"
#include "tunnel/tuple.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS_MAX 65536u

struct policy {
	const struct weft_tunnel_interface *conf;
	uint8_t secret[16];
	struct acl *acl;     /* NULL, with flows, if everything passes. */
	struct flows *flows; /* NULL until it is needed. */
	struct exits *exits; /* NULL for none. */
	bool must_choose;
};

int policy_new(const struct weft_tunnel_interface *conf, const uint8_t secret[16],
	       struct policy **ret_policy)
{
	struct policy *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->conf = conf;
	memcpy(p->secret, secret, sizeof(p->secret));
	int r = conf->has_acl ? acl_new(conf, &p->acl) : 0;
	if (r == 0 && conf->has_acl)
		r = flows_new(FLOWS_MAX, secret, &p->flows);
	if (r == 0 && conf->exits_n > 0)
		r = exits_new(conf, secret, &p->exits);
	if (r < 0) {
		policy_free(p);
		return r;
	}
	*ret_policy = p;
	return 0;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	exits_free(p->exits);
	flows_free(p->flows);
	acl_free(p->acl);
	free(p);
}

void policy_inherit(struct policy *p, struct policy *before)
{
	if (p->flows && before->flows) {
		flows_free(p->flows);
		p->flows = before->flows;
		before->flows = NULL;
		flows_rules_changed(p->flows);
	}
	if (p->exits && before->exits)
		exits_inherit(p->exits, before->exits);
	p->must_choose = true;
}

/* ---- hooks ------------------------------------------------------------------------------- */

uint32_t party_of_port(const struct weft_router_port *port)
{
	if (!port)
		return PARTY_NOBODY;
	const struct policy_port *of_client = weft_router_port_user(port);
	return of_client ? of_client->party : PARTY_SELF;
}

/* A whole address of a query. */
static struct prefix address_of(const struct weft_ip *ip)
{
	struct prefix p = { 0 };
	return prefix_of(ip, &p) == 0 ? p : (struct prefix){ 0 };
}

/* Two addresses alone: whatever else the packet is. */
static bool any_may_pass(const struct policy *p, const struct weft_router_query *query)
{
	const struct acl_question q = { .from = party_of_port(query->ingress),
					.to = party_of_port(query->egress),
					.src = address_of(&query->src),
					.dst = address_of(&query->dst),
					.protocol = ACL_ANY,
					.port = ACL_ANY };
	return acl_match(p->acl, &q) != NULL;
}

static bool may_pass(void *user, const struct weft_router_query *query)
{
	const struct policy *p = user;
	if (!query->frame)
		return any_may_pass(p, query);
	const struct flows_packet packet = { .data = query->frame->data,
					     .len = query->frame->len,
					     .from = party_of_port(query->ingress),
					     .to = party_of_port(query->egress) };
	return flows_passes(flows_judge(p->flows, p->acl, &packet, query->now));
}

/* The same for all packets of a flow, and for all fragments of a datagram. */
static uint64_t hash_of(const struct policy *p, const struct weft_router_query *query,
			const struct prefix *src)
{
	const struct prefix dst = address_of(&query->dst);
	uint64_t parts[5] = { src->hi, src->lo, dst.hi, dst.lo, 0 };
	struct tuple t;
	if (query->frame && tuple_read(query->frame->data, query->frame->len, &t) == 0 &&
	    t.part == TUPLE_WHOLE)
		parts[4] = (uint64_t)t.protocol << 32 | (uint32_t)t.sport << 16 | t.dport;
	return hash_bytes(p->secret, parts, sizeof(parts));
}

/*
 * The server's further addresses, which pins do take from it (that is how tapotun has it), but
 * exits do not.
 */
static bool is_own(const struct policy *p, const struct weft_ip *ip)
{
	for (size_t i = 0; i < p->conf->ips_n; i++) {
		const struct weft_ip own = net_host(&p->conf->ips[i]);
		if (net_contains(&own, ip))
			return true;
	}
	return false;
}

static int choose_exit(void *user, const struct weft_router_query *query,
		       struct weft_router_port **ret_port)
{
	struct policy *p = user;
	const struct prefix src = address_of(&query->src);
	const struct exits_rule *rule =
		exits_find(p->exits, party_of_port(query->ingress), &src);
	if (!rule || is_own(p, &query->dst))
		return 0;
	if (p->must_choose && query->frame) {
		exits_choose(p->exits, query->now);
		p->must_choose = false;
	}
	const struct exit_member *member = exits_pick(rule, hash_of(p, query, &src));
	if (!member)
		return -ENOLINK;
	*ret_port = ((const struct policy_port *)member->user)->on_router;
	return 1;
}

static bool is_exit(void *user, const struct weft_router_query *query)
{
	const struct policy *p = user;
	const struct prefix local = address_of(&query->dst);
	const struct exits_rule *rule =
		exits_find(p->exits, party_of_port(query->egress), &local);
	return rule && exits_leads_out(rule, party_of_port(query->ingress)) &&
	       !is_own(p, &query->src);
}

struct weft_router_hooks policy_hooks(struct policy *p)
{
	return (struct weft_router_hooks){ .policy = p->acl ? may_pass : NULL,
					   .exit = p->exits ? choose_exit : NULL,
					   .is_exit = p->exits ? is_exit : NULL,
					   .user = p };
}

/* ---- clients ----------------------------------------------------------------------------- */

void policy_join(struct policy *p, struct policy_port *port, uint32_t party)
{
	port->party = party;
	port->member.user = port;
	if (p->exits)
		exits_join(p->exits, party, &port->member);
	p->must_choose = true;
}

void policy_leave(struct policy *p, struct policy_port *port)
{
	port->party = PARTY_NOBODY;
	if (p->exits)
		exits_leave(p->exits, &port->member);
	p->must_choose = true;
}

void policy_set_health(struct policy *p, struct policy_port *port,
		       const struct exit_member *health, uint64_t now)
{
	p->must_choose |= exits_set_health(&port->member, health, now);
}

void policy_tick(struct policy *p, uint64_t now)
{
	if (p->flows)
		flows_age(p->flows, now);
	if (p->exits)
		exits_choose(p->exits, now);
	p->must_choose = false;
}

/* ---- facts ------------------------------------------------------------------------------- */

static json_t *acl_json(const struct flows *flows)
{
	const struct flows_stats stats = flows_stats(flows);
	json_t *object = json_object(), *verdicts = json_object();
	facts_set(object, "flows", stats.flows);
	facts_set(object, "datagrams", stats.datagrams);
	facts_set(object, "evicted", stats.evicted);
	facts_set(object, "datagrams_evicted", stats.datagrams_evicted);
	for (unsigned i = 0; i < FLOWS_VERDICTS; i++)
		if (stats.verdicts[i] > 0)
			facts_set(verdicts, flows_verdict_name((enum flows_verdict)i),
				  stats.verdicts[i]);
	(void)json_object_set_new(object, "verdicts", verdicts);
	return object;
}

static json_t *rule_json(const struct exits_rule *rule,
			 const struct weft_tunnel_client *clients)
{
	struct exit_member *const *members;
	const size_t n = exits_usable(rule, &members);
	const double nearness = exits_nearness(rule);
	json_t *usable = json_array(), *shares = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct policy_port *port = members[i]->user;
		if (port->party >= PARTY_NOBODY)
			continue;
		(void)json_array_append_new(usable,
					    json_string(clients[port->party].name));
		(void)json_array_append_new(
			shares, json_integer(exits_share(members[i], nearness)));
	}
	return json_pack("{s:I, s:s, s:o, s:o}", "line",
			 (json_int_t)exits_conf(rule)->line, "mode",
			 exits_conf(rule)->balance ? "balance" : "failover", "usable",
			 usable, "shares_permille", shares);
}

void policy_json(const struct policy *p, json_t *object)
{
	const struct exits_rule *rule;
	if (p->acl)
		(void)json_object_set_new(object, "acl", acl_json(p->flows));
	if (!p->exits)
		return;
	json_t *exits = json_array();
	for (size_t i = 0; (rule = exits_rule_at(p->exits, i)); i++)
		(void)json_array_append_new(exits, rule_json(rule, p->conf->clients));
	(void)json_object_set_new(object, "exits", exits);
}
