/* SPDX-License-Identifier: MIT */
/*
 * A rule is looked at in the order in which it is cheapest to say no: protocol, ports, then
 * the two ends.
 */
#include "tunnel/acl.h"

#include "tunnel/selection.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

struct rule {
	const struct weft_tunnel_acl_rule *conf;
	struct selection from, to;
};

struct acl {
	struct rule *rules;
	size_t rules_n;
};

static int rule_init(struct rule *rule, const struct weft_tunnel_acl_rule *conf,
		     const struct weft_tunnel_interface *interface)
{
	rule->conf = conf;
	int r = selection_init(&rule->from, &conf->from, interface);
	return r < 0 ? r : selection_init(&rule->to, &conf->to, interface);
}

int acl_new(const struct weft_tunnel_interface *conf, struct acl **ret_acl)
{
	struct acl *acl = calloc(1, sizeof(*acl));
	int r = -ENOMEM;
	if (!acl)
		return r;
	acl->rules = calloc(conf->acl_n + 1, sizeof(*acl->rules));
	if (!acl->rules)
		goto fail;
	for (; acl->rules_n < conf->acl_n; acl->rules_n++) {
		r = rule_init(&acl->rules[acl->rules_n], &conf->acl[acl->rules_n], conf);
		if (r < 0)
			goto fail_rule;
	}
	*ret_acl = acl;
	return 0;

fail_rule:
	acl->rules_n++; /* This one may have a half. */
fail:
	acl_free(acl);
	return r;
}

void acl_free(struct acl *acl)
{
	if (!acl)
		return;
	for (size_t i = 0; i < acl->rules_n; i++) {
		selection_fini(&acl->rules[i].from);
		selection_fini(&acl->rules[i].to);
	}
	free(acl->rules);
	free(acl);
}

/* "icmp" is for that of both families. */
static bool protocol_fits(const struct weft_tunnel_acl_rule *rule, int protocol)
{
	if (rule->protocol == 0 || protocol == ACL_ANY || rule->protocol == protocol)
		return true;
	return rule->protocol == IPPROTO_ICMP && protocol == IPPROTO_ICMPV6;
}

static bool port_fits(const struct weft_tunnel_acl_rule *rule, int port)
{
	if (rule->ports_n == 0 || port == ACL_ANY)
		return true;
	for (size_t i = 0; i < rule->ports_n; i++)
		if (port >= rule->ports[i].first && port <= rule->ports[i].last)
			return true;
	return false;
}

const struct weft_tunnel_acl_rule *acl_match(const struct acl *acl,
					     const struct acl_question *q)
{
	for (size_t i = 0; i < acl->rules_n; i++) {
		const struct rule *rule = &acl->rules[i];
		if (protocol_fits(rule->conf, q->protocol) &&
		    port_fits(rule->conf, q->port) &&
		    selection_holds(&rule->from, q->from, &q->src) &&
		    selection_holds(&rule->to, q->to, &q->dst))
			return rule->conf;
	}
	return NULL;
}
