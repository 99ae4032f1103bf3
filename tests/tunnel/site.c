/* SPDX-License-Identifier: MIT */
/*
 * Everything lies in the arrays of the site, so that nothing needs to be freed.
 */
#include "site.h"

#include "../unit.h"

#include <stdio.h>
#include <string.h>

/* Copies the next word of a list into the site; NULL at the end. */
static char *next_word(struct site *s, const char **list)
{
	*list += strspn(*list, " ");
	size_t len = strcspn(*list, " ");
	if (len == 0)
		return NULL;
	assert_true(s->text_n + len < sizeof(s->text));
	char *word = s->text + s->text_n;
	memcpy(word, *list, len);
	s->text_n += len + 1;
	*list += len;
	return word;
}

static struct weft_tunnel_selectors words(struct site *s, const char *list)
{
	struct weft_tunnel_selectors found = { .items = s->words + s->words_n };
	for (char *word; (word = next_word(s, &list)); found.n++) {
		assert_true(s->words_n < SITE_ITEMS_MAX);
		s->words[s->words_n++] = word;
	}
	return found;
}

static struct weft_tunnel_networks networks(struct site *s, const char *list)
{
	struct weft_tunnel_networks found = { .items = s->ips + s->ips_n };
	for (char *word; (word = next_word(s, &list)); found.n++) {
		assert_true(s->ips_n < SITE_ITEMS_MAX);
		assert_int_equal(weft_ip_parse(word, &s->ips[s->ips_n++]), 0);
	}
	return found;
}

static bool is_address(const struct weft_ip *ip)
{
	return ip->prefix == (ip->family == AF_INET ? 32 : 128);
}

void site_init(struct site *s, const char *nets)
{
	memset(s, 0, sizeof(*s));
	const struct weft_tunnel_networks all = networks(s, nets);
	size_t n = 0;
	(void)snprintf(s->conf.name, sizeof(s->conf.name), "tun0");
	s->conf.is_server = true;
	s->conf.mtu = 1500;
	if (n < all.n)
		s->conf.net = all.items[n++];
	if (n < all.n && all.items[n].family == AF_INET6)
		s->conf.net6 = all.items[n++];
	s->conf.routes = all.items + n;
	s->conf.routes_n = all.n - n;
	s->conf.clients = s->clients;
	s->conf.acl = s->rules;
	s->conf.exits = s->exits;
}

void site_client(struct site *s, const char *name, const char *tags, const char *nets,
		 const char *sources)
{
	assert_true(s->conf.clients_n < SITE_CLIENTS_MAX);
	struct weft_tunnel_client *client = &s->clients[s->conf.clients_n++];
	const char *list = name;
	client->name = next_word(s, &list);
	const struct weft_tunnel_selectors t = words(s, tags);
	client->tags = t.items;
	client->tags_n = t.n;
	const struct weft_tunnel_networks all = networks(s, nets);
	client->ips = all.items;
	while (client->ips_n < all.n && is_address(&all.items[client->ips_n]))
		client->ips_n++;
	client->routes = all.items + client->ips_n;
	client->routes_n = all.n - client->ips_n;
	const struct weft_tunnel_networks pins = networks(s, sources);
	client->sources = pins.items;
	client->sources_n = pins.n;
}

static void add_ports(struct site *s, struct weft_tunnel_acl_rule *rule, const char *list)
{
	rule->ports = s->ports + s->ports_n;
	for (char *word; (word = next_word(s, &list)); rule->ports_n++) {
		char *end;
		unsigned long first = strtoul(word, &end, 10);
		unsigned long last = *end == '-' ? strtoul(end + 1, NULL, 10) : first;
		assert_true(s->ports_n < SITE_ITEMS_MAX);
		s->ports[s->ports_n++] =
			(struct weft_tunnel_ports){ (uint16_t)first, (uint16_t)last };
	}
}

void site_rule(struct site *s, const char *from, const char *to, uint8_t protocol,
	       const char *ports)
{
	assert_true(s->conf.acl_n < SITE_RULES_MAX);
	struct weft_tunnel_acl_rule *rule = &s->rules[s->conf.acl_n++];
	rule->from = words(s, from);
	rule->to = words(s, to);
	rule->protocol = protocol;
	rule->line = (unsigned)s->conf.acl_n;
	add_ports(s, rule, ports);
	s->conf.has_acl = true;
}

void site_exit(struct site *s, const char *from, const char *via, bool balance)
{
	assert_true(s->conf.exits_n < SITE_RULES_MAX);
	struct weft_tunnel_exit *exit = &s->exits[s->conf.exits_n++];
	exit->from = words(s, from);
	exit->via = words(s, via);
	exit->balance = balance;
	exit->line = 100 + (unsigned)s->conf.exits_n;
}
