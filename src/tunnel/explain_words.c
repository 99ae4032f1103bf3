/* SPDX-License-Identifier: MIT */
/*
 * Each sentence says what, and then because of which line or network.
 */
#include "tunnel/explain.h"
#include "tunnel/policy.h"

#include <netinet/in.h>

#define NAMES_MAX 8u /* So many are told of a list. */

void explain_party(struct fmt *f, const struct weft_tunnel_interface *conf,
		   uint32_t party)
{
	if (party < conf->clients_n)
		fmt_add(f, "client \"%s\"", conf->clients[party].name);
	else
		fmt_add(f, "the server's side, %s", conf->name);
}

static void add_protocol(struct fmt *f, uint8_t protocol)
{
	if (protocol == IPPROTO_TCP)
		fmt_add(f, "TCP");
	else if (protocol == IPPROTO_UDP)
		fmt_add(f, "UDP");
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		fmt_add(f, "ICMP");
	else if (protocol == 0)
		fmt_add(f, "a packet");
	else
		fmt_add(f, "protocol %u", protocol);
}

void explain_packet(struct fmt *f, const struct weft_tunnel_question *q,
		    const struct weft_ip *src, const struct weft_ip *dst)
{
	char text[WEFT_IP_TEXT];
	add_protocol(f, q->protocol);
	fmt_add(f, " from %s", weft_ip_print(src, text));
	fmt_add(f, " to %s", weft_ip_print(dst, text));
	if (q->port)
		fmt_add(f, ", port %u", q->port);
}

static void add_ways(struct fmt *f, const struct weft_tunnel_interface *conf,
		     const struct exits_rule *exit)
{
	const struct weft_tunnel_exit *rule = exits_conf(exit);
	unsigned n = 0;
	fmt_add(f,
		rule->balance ? "goes to one of the exits of line %u, each flow to "
				"its own:"
			      : "goes to the exit of line %u that is the best at the "
				"time, of:",
		rule->line);
	for (uint32_t i = 0; i < conf->clients_n; i++) {
		if (!exits_leads_out(exit, i))
			continue;
		if (n++ < NAMES_MAX)
			fmt_add(f, "%s \"%s\"", n > 1 ? "," : "", conf->clients[i].name);
	}
	if (n > NAMES_MAX)
		fmt_add(f, " and %u more", n - NAMES_MAX);
}

static void add_drop(struct fmt *f, const struct weft_tunnel_interface *conf,
		     const struct weft_router_verdict *verdict,
		     const struct exits_rule *exit)
{
	char text[WEFT_IP_TEXT];
	fmt_add(f, "is dropped (%s): ", weft_router_outcome_name(verdict->outcome));
	if (verdict->outcome == WEFT_ROUTER_DROP_SCOPE)
		fmt_add(f, "IPv6 of this kind does not leave its link, and a router does "
			   "not forward it");
	else if (verdict->outcome == WEFT_ROUTER_DROP_SPOOFED)
		fmt_add(f, "the answer would not go to where it comes from");
	else if (verdict->outcome == WEFT_ROUTER_DROP_NO_LINK && exit)
		fmt_add(f, "there is no client in \"via\" of the exit in line %u",
			exits_conf(exit)->line);
	else if (verdict->exempt.family)
		fmt_add(f, "%s is on the server's side already, where it comes from",
			weft_ip_print(&verdict->exempt, text));
	else
		fmt_add(f, "it comes from %s, and no client has the destination",
			conf->name);
}

static void add_egress(struct fmt *f, const struct weft_tunnel_interface *conf,
		       const struct weft_router_verdict *verdict)
{
	fmt_add(f, "goes to ");
	explain_party(f, conf, party_of_port(verdict->egress));
}

void explain_way(struct fmt *f, const struct weft_tunnel_interface *conf,
		 const struct weft_router_verdict *verdict, const struct exits_rule *exit)
{
	char text[WEFT_IP_TEXT];
	const bool has_way = verdict->egress != NULL;
	if (!has_way) {
		add_drop(f, conf, verdict, exit);
	} else if (exit) {
		add_ways(f, conf, exit);
	} else if (verdict->network.family) {
		add_egress(f, conf, verdict);
		fmt_add(f, ", which has %s", weft_ip_print(&verdict->network, text));
	} else if (verdict->exempt.family) {
		add_egress(f, conf, verdict);
		fmt_add(f, ", because %s is never sent out by a client",
			weft_ip_print(&verdict->exempt, text));
	} else if (verdict->pin.family) {
		add_egress(f, conf, verdict);
		fmt_add(f, ", whose \"sources\" have %s",
			weft_ip_print(&verdict->pin, text));
	} else {
		add_egress(f, conf, verdict);
		fmt_add(f, ", because no client has the destination");
	}
}

void explain_rule(struct fmt *f, const struct weft_tunnel_acl_rule *rule)
{
	if (rule->protocol)
		add_protocol(f, rule->protocol);
	else
		fmt_add(f, "any protocol");
	for (size_t i = 0; i < rule->ports_n && i < NAMES_MAX; i++) {
		const struct weft_tunnel_ports *ports = &rule->ports[i];
		fmt_add(f, i == 0 ? " to port %u" : ", %u", ports->first);
		if (ports->last != ports->first)
			fmt_add(f, "-%u", ports->last);
	}
	if (rule->ports_n > NAMES_MAX)
		fmt_add(f, " and more");
}
