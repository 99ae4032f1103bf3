/* SPDX-License-Identifier: MIT */
/*
 * The access list of a server: who may begin to talk to whom. What no rule allows is dropped,
 * so a rule that speaks of nobody, or only of what is allowed already, is likely a slip.
 *
 *     { "from": "office", "to": ["10.9.0.0/16", "__self__"], "protocol": "tcp",
 *       "ports": [22, "8000-8100"] }
 */
#include "config/config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* ---- a rule ------------------------------------------------------------------------------ */

static void read_from(struct reader *reader, const struct node *node, void *object)
{
	config_read_selectors(reader, node,
			      &((struct weft_tunnel_acl_rule *)object)->from);
}

static void read_to(struct reader *reader, const struct node *node, void *object)
{
	config_read_selectors(reader, node, &((struct weft_tunnel_acl_rule *)object)->to);
}

static void read_protocol(struct reader *reader, const struct node *node, void *object)
{
	static const char *const words[] = { "any", "tcp", "udp", "icmp", NULL };
	static const uint8_t protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	const char *text = field_text(node);
	unsigned i;
	if (strcmp(text, "icmpv6") == 0 || strcmp(text, "icmp6") == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "\"icmp\" is for ICMPv6, too; write \"icmp\"");
	else if (field_word(reader, node, words, &i))
		((struct weft_tunnel_acl_rule *)object)->protocol = protocols[i];
}

/* Reads a port off a text. 0 if there is none. */
static unsigned take_port(const char **text)
{
	const size_t len = strspn(*text, "0123456789");
	const unsigned long port = strtoul(*text, NULL, 10);
	*text += len;
	return len > 0 && len <= 5 && port <= UINT16_MAX ? (unsigned)port : 0;
}

/* Reads "8000-8100". */
static bool read_range(struct reader *reader, const struct node *node,
		       struct weft_tunnel_ports *ret_ports)
{
	const char *text = field_text(node), *rest = text;
	const unsigned first = take_port(&rest);
	const bool is_one = first != 0 && *rest == '\0', is_range = *rest == '-';
	rest += is_range;
	const unsigned last = is_range ? take_port(&rest) : 0;
	char quote[NODE_QUOTE_LEN];
	if (first != 0 && last >= first && *rest == '\0') {
		*ret_ports =
			(struct weft_tunnel_ports){ (uint16_t)first, (uint16_t)last };
		return true;
	}
	if (is_one)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "one port is a number; write %u without the quotes", first);
	else if (last != 0 && last < first && *rest == '\0')
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the smaller port stands first; write \"%u-%u\"", last,
			     first);
	else
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found \"%s\"; ports are from 1 to 65535, such as "
			     "\"8000-8100\"",
			     node_quote(text, strlen(text), quote));
	return false;
}

static void add_ports(struct reader *reader, const struct node *node,
		      struct weft_tunnel_acl_rule *rule)
{
	struct weft_tunnel_ports *ports = &rule->ports[rule->ports_n];
	uint64_t port;
	if (node->is_bad)
		return;
	if (node->type == JSON_STRING) {
		rule->ports_n += read_range(reader, node, ports);
	} else if (node->type != JSON_INTEGER) {
		field_is_not(reader, node, JSON_INTEGER,
			     "a port, or several such as \"8000-8100\"");
	} else if (field_number(reader, node, 1, UINT16_MAX, &port)) {
		*ports = (struct weft_tunnel_ports){ (uint16_t)port, (uint16_t)port };
		rule->ports_n++;
	}
}

static void read_ports(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_acl_rule *rule = object;
	rule->ports = calloc(node->count + 1, sizeof(*rule->ports));
	if (!rule->ports) {
		reader->r = -ENOMEM;
		return;
	}
	if (node->type != JSON_ARRAY) {
		add_ports(reader, node, rule);
		return;
	}
	if (node->count == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "no port is in it; for all of them, leave \"ports\" out");
	for (const struct node *member = node->first; member; member = member->next)
		add_ports(reader, member, rule);
}

/* Whether it is said that any protocol is meant, and no other word is there by mistake. */
static bool is_any(const struct node *protocol)
{
	return protocol->type == JSON_STRING && strcmp(field_text(protocol), "any") == 0;
}

static void read_rule(struct reader *reader, const struct node *node,
		      struct weft_tunnel_acl_rule *rule)
{
	static const struct field table[] = {
		{ "from", JSON_STRING, FIELD_REQUIRED | FIELD_ANY_TYPE,
		  "who begins to talk: a tag, a name, a network, or an array of them",
		  read_from },
		{ "to", JSON_STRING, FIELD_REQUIRED | FIELD_ANY_TYPE,
		  "whom to: a tag, a name, a network, or an array of them", read_to },
		{ "protocol", JSON_STRING, 0, "\"tcp\", \"udp\", \"icmp\" or \"any\"",
		  read_protocol },
		{ "ports", JSON_ARRAY, FIELD_ANY_TYPE,
		  "a port, or an array such as [22, \"8000-8100\"]", read_ports },
		{ 0 },
	};
	static const struct fields fields = { "a rule", table, NULL };
	const struct node *ports = node_get(node, "ports"),
			  *protocol = node_get(node, "protocol");
	rule->line = node->at.line;
	if (!fields_read(reader, node, &fields, rule))
		return;
	if (!ports || rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP)
		return;
	if (!protocol)
		reader_fault(reader, SEVERITY_ERROR, ports,
			     "TCP and UDP have ports; say which of them, such as "
			     "\"protocol\": \"tcp\"");
	else if (rule->protocol == IPPROTO_ICMP || is_any(protocol))
		reader_fault(reader, SEVERITY_ERROR, ports,
			     "TCP and UDP alone have ports; take them out, or change "
			     "\"protocol\" to \"tcp\" or \"udp\"");
}

void config_read_acl(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	interface->has_acl = true;
	if (node->count > CONFIG_RULES_MAX) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found %zu rules; there can be at most %u", node->count,
			     CONFIG_RULES_MAX);
		return;
	}
	interface->acl = calloc(node->count + 1, sizeof(*interface->acl));
	if (!interface->acl) {
		reader->r = -ENOMEM;
		return;
	}
	for (const struct node *member = node->first; member; member = member->next)
		read_rule(reader, member, &interface->acl[interface->acl_n++]);
}

/* ---- all rules --------------------------------------------------------------------------- */

static void check_selectors(struct reader *reader, const struct node *node,
			    const struct weft_tunnel_interface *interface)
{
	for (const struct node *text = config_first_text(node); text;
	     text = config_next_text(text))
		config_selector_check(reader, text, interface);
}

static bool ports_cover(const struct weft_tunnel_acl_rule *a,
			const struct weft_tunnel_acl_rule *b)
{
	if (a->ports_n == 0)
		return true;
	for (size_t i = 0; i < b->ports_n; i++) {
		size_t k = 0;
		while (k < a->ports_n && (b->ports[i].first < a->ports[k].first ||
					  b->ports[i].last > a->ports[k].last))
			k++;
		if (k == a->ports_n)
			return false;
	}
	return b->ports_n > 0;
}

/* Whether a allows all that b does. */
static bool rule_covers(const struct weft_tunnel_acl_rule *a,
			const struct weft_tunnel_acl_rule *b)
{
	return (a->protocol == 0 || a->protocol == b->protocol) && ports_cover(a, b) &&
	       config_selectors_cover(&a->from, &b->from) &&
	       config_selectors_cover(&a->to, &b->to);
}

static void check_reach(struct reader *reader, const struct node *node,
			const struct weft_tunnel_interface *interface, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!rule_covers(&interface->acl[i], &interface->acl[n]))
			continue;
		reader_fault(
			reader, SEVERITY_WARNING, node,
			"this rule is never needed: [%zu] (line %u) before it allows "
			"all of it",
			i, interface->acl[i].line);
		return;
	}
}

void config_acl_check(struct reader *reader, const struct node *node,
		      const struct weft_tunnel_interface *interface)
{
	const struct node *acl = node_get(node, "acl");
	if (interface->acl_n == 0) {
		if (interface->has_acl && acl->count == 0)
			reader_fault(reader, SEVERITY_WARNING, acl,
				     "no rule is in it, so that nobody may talk to "
				     "anybody; to allow everything, leave \"acl\" out");
		return;
	}
	const struct node *rule = acl->first;
	for (size_t i = 0; i < interface->acl_n; i++, rule = rule->next) {
		check_selectors(reader, node_get(rule, "from"), interface);
		check_selectors(reader, node_get(rule, "to"), interface);
		check_reach(reader, rule, interface, i);
	}
}
