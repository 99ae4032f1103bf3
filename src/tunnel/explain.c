/* SPDX-License-Identifier: MIT */
/*
 * A plane without links is made of the configuration and asked, so that what is said is what
 * a server does. Which way comes from the router; what the rules say of protocol and port,
 * which the router does not know, from the rules themselves.
 */
#include "tunnel/explain.h"

#include "base/net.h"
#include "tunnel/acl.h"
#include "tunnel/plane.h"
#include "tunnel/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define LINE_LEN 600u

struct asking {
	const struct weft_tunnel_question *question;
	const struct weft_tunnel_interface *conf;
	struct weft_ip src, dst;
	struct plane *plane;
	struct acl *acl;     /* NULL without rules. */
	struct exits *exits; /* NULL without exits. */
	struct weft_router_verdict verdict;
	void (*fn)(void *user, const char *line);
	void *user;
};

/* ---- who is meant ------------------------------------------------------------------------ */

static const struct weft_tunnel_client *client_named(
	const struct weft_tunnel_interface *conf, const char *name)
{
	for (size_t i = 0; i < conf->clients_n; i++)
		if (strcmp(conf->clients[i].name, name) == 0)
			return &conf->clients[i];
	return NULL;
}

static bool has_address(const struct weft_tunnel_client *client, const struct weft_ip *ip)
{
	for (size_t i = 0; i < client->ips_n; i++)
		if (net_contains(&client->ips[i], ip))
			return true;
	for (size_t i = 0; i < client->routes_n; i++)
		if (net_contains(&client->routes[i], ip))
			return true;
	return false;
}

static bool knows(const struct weft_tunnel_interface *conf, const char *end)
{
	struct weft_ip ip;
	if (client_named(conf, end))
		return true;
	if (weft_ip_parse(end, &ip) < 0)
		return false;
	for (size_t i = 0; i < conf->clients_n; i++)
		if (has_address(&conf->clients[i], &ip))
			return true;
	return false;
}

static const struct weft_tunnel_interface *server_named(
	const struct weft_tunnel_config *config, const char *name)
{
	for (size_t i = 0; i < config->interfaces_n; i++)
		if (config->interfaces[i].is_server &&
		    strcmp(config->interfaces[i].name, name) == 0)
			return &config->interfaces[i];
	return NULL;
}

static const struct weft_tunnel_interface *server_for(
	const struct weft_tunnel_config *config, const struct weft_tunnel_question *q)
{
	const struct weft_tunnel_interface *first = NULL;
	if (q->interface)
		return server_named(config, q->interface);
	for (size_t i = 0; i < config->interfaces_n; i++) {
		const struct weft_tunnel_interface *conf = &config->interfaces[i];
		if (!conf->is_server)
			continue;
		if (knows(conf, q->src) || knows(conf, q->dst))
			return conf;
		first = first ? first : conf;
	}
	return first;
}

/* An address of the client, or the server, in the family; 0 for any. */
static struct weft_ip address_in(const struct weft_tunnel_interface *conf,
				 const struct weft_tunnel_client *client, uint8_t family)
{
	const struct weft_ip own[] = { net_host(&conf->net), net_host(&conf->net6) };
	const struct weft_ip *ips = client ? client->ips : own;
	const size_t n = client ? client->ips_n : 2;
	for (size_t i = 0; i < n; i++)
		if (ips[i].family && (family == 0 || ips[i].family == family))
			return ips[i];
	return (struct weft_ip){ 0 };
}

/* Reads one end; beside is the other one if it is known. */
static int read_end(const struct weft_tunnel_interface *conf, const char *text,
		    uint8_t family, struct weft_error *err, struct weft_ip *ret_ip)
{
	struct weft_ip ip;
	const struct weft_tunnel_client *client = client_named(conf, text);
	if (weft_ip_parse(text, &ip) < 0) {
		if (!client && strcmp(text, WEFT_TUNNEL_SELF) != 0)
			return weft_error_set(err, -ENOENT,
					      "%s is no address, and no client of %s has "
					      "that name",
					      text, conf->name);
		ip = address_in(conf, client, family);
		if (ip.family == 0)
			return weft_error_set(err, -EINVAL,
					      "%s has no address that fits the other end",
					      text);
	}
	if (ip.prefix != net_bits(ip.family))
		return weft_error_set(err, -EINVAL,
				      "%s is a network; ask about one address in it",
				      text);
	*ret_ip = ip;
	return 0;
}

static int read_ends(struct asking *a, struct weft_error *err)
{
	const struct weft_tunnel_question *q = a->question;
	struct weft_ip ip;
	const uint8_t family = weft_ip_parse(q->dst, &ip) == 0 ? ip.family : 0;
	int r = read_end(a->conf, q->src, family, err, &a->src);
	if (r == 0)
		r = read_end(a->conf, q->dst, a->src.family, err, &a->dst);
	if (r == 0 && a->src.family != a->dst.family)
		return weft_error_set(err, -EINVAL,
				      "%s and %s are of different families, so no packet "
				      "goes from one to the other",
				      q->src, q->dst);
	return r;
}

/* ---- what the server would do ------------------------------------------------------------ */

static int prepare(struct asking *a, struct weft_error *err)
{
	static const uint8_t secret[16];
	const struct weft_tunnel_interface *conf = a->conf;
	int r = plane_new(conf, secret, NULL, err, &a->plane);
	for (size_t i = 0; i < conf->clients_n && r == 0; i++) {
		struct plane_port *port;
		r = plane_add(a->plane, &conf->clients[i], NULL, err, &port);
		if (r == 0)
			plane_join(port, &conf->clients[i]);
	}
	if (r < 0)
		return r;
	if (conf->has_acl)
		r = acl_new(conf, &a->acl);
	if (r == 0 && conf->exits_n > 0)
		r = exits_new(conf, secret, &a->exits);
	if (r == 0)
		r = plane_explain(a->plane, &a->src, &a->dst, &a->verdict);
	return r < 0 ? weft_error_set(err, r, "%s: %s", conf->name, strerror(-r)) : 0;
}

static struct prefix address_of(const struct weft_ip *ip)
{
	struct prefix p = { 0 };
	return prefix_of(ip, &p) == 0 ? p : (struct prefix){ 0 };
}

/* The exit that the packet takes; NULL if it goes another way. */
static const struct exits_rule *exit_of(const struct asking *a)
{
	const struct prefix src = address_of(&a->src);
	const bool is_for_exit = !a->verdict.network.family && !a->verdict.pin.family &&
				 !a->verdict.exempt.family;
	if (!a->exits || !is_for_exit)
		return NULL;
	return exits_find(a->exits, party_of_port(a->verdict.ingress), &src);
}

static bool is_restricted(const struct weft_tunnel_question *q,
			  const struct weft_tunnel_acl_rule *rule)
{
	const bool may_have_other_port =
		rule->ports_n > 0 && q->port == 0 && q->protocol != IPPROTO_ICMP;
	return (rule->protocol && q->protocol == 0) || may_have_other_port;
}

static const struct weft_tunnel_acl_rule *rule_for(const struct asking *a)
{
	const struct weft_tunnel_question *q = a->question;
	const bool has_no_port =
		q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6;
	const struct acl_question of_acl = {
		.from = party_of_port(a->verdict.ingress),
		.to = party_of_port(a->verdict.egress),
		.src = address_of(&a->src),
		.dst = address_of(&a->dst),
		.protocol = q->protocol ? q->protocol : ACL_ANY,
		.port = has_no_port ? ACL_NONE
			: q->port   ? q->port
				    : ACL_ANY,
	};
	return acl_match(a->acl, &of_acl);
}

static void tell(const struct asking *a, const struct fmt *f)
{
	a->fn(a->user, fmt_text(f));
}

static void tell_way(const struct asking *a)
{
	char line[LINE_LEN];
	struct fmt f;
	fmt_init(&f, line, sizeof(line));
	fmt_add(&f, "%s: ", a->conf->name);
	explain_packet(&f, a->question, &a->src, &a->dst);
	tell(a, &f);
	fmt_init(&f, line, sizeof(line));
	fmt_add(&f, "comes in from ");
	explain_party(&f, a->conf, party_of_port(a->verdict.ingress));
	tell(a, &f);
	fmt_init(&f, line, sizeof(line));
	explain_way(&f, a->conf, &a->verdict, exit_of(a));
	tell(a, &f);
}

/* What the rules say. Returns 1 if it passes, or may; else 0. */
static int tell_rule(const struct asking *a)
{
	char line[LINE_LEN];
	struct fmt f;
	fmt_init(&f, line, sizeof(line));
	if (!a->verdict.egress)
		return 0;
	if (!a->acl) {
		a->fn(a->user, "passes: there are no rules (\"acl\")");
		return 1;
	}
	const struct weft_tunnel_acl_rule *rule = rule_for(a);
	if (!rule) {
		a->fn(a->user, "is dropped (drop-denied): no rule allows it");
		return 0;
	}
	if (is_restricted(a->question, rule)) {
		fmt_add(&f,
			"passes if it is what the rule in line %u allows: ", rule->line);
		explain_rule(&f, rule);
	} else {
		fmt_add(&f, "passes: the rule in line %u allows it", rule->line);
	}
	tell(a, &f);
	return 1;
}

int weft_tunnel_explain(const struct weft_tunnel_config *config,
			const struct weft_tunnel_question *question,
			void (*fn)(void *user, const char *line), void *user,
			struct weft_error *err)
{
	struct asking a = { .question = question, .fn = fn, .user = user };
	a.conf = server_for(config, question);
	if (!a.conf)
		return weft_error_set(err, -ENOENT,
				      "there is no server%s%s in the configuration",
				      question->interface ? " " : "",
				      question->interface ? question->interface : "");
	if (a.conf->mode == WEFT_TUNNEL_ETHERNET)
		return weft_error_set(err, -EINVAL,
				      "%s carries Ethernet: it goes by MAC addresses "
				      "and has no rules",
				      a.conf->name);
	int r = read_ends(&a, err);
	if (r == 0)
		r = prepare(&a, err);
	if (r == 0) {
		tell_way(&a);
		r = tell_rule(&a);
	}
	plane_free(a.plane);
	acl_free(a.acl);
	exits_free(a.exits);
	return r;
}
