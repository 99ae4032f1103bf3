/* SPDX-License-Identifier: MIT */
/*
 * Selectors beside the configuration that they speak of: whether there is anybody of whom one
 * speaks, and whether one speaks of all of whom another does.
 */
#include "base/net.h"
#include "config/config.h"
#include "config/glob.h"

#include <weft/nearest.h>

#include <string.h>
#include <strings.h>

bool config_selects(const char *selector, const struct weft_tunnel_client *client)
{
	if (client->name && glob_matches(selector, client->name))
		return true;
	for (size_t i = 0; i < client->tags_n; i++)
		if (glob_matches(selector, client->tags[i]))
			return true;
	return false;
}

const struct weft_tunnel_client *config_selected(
	const char *selector, const struct weft_tunnel_interface *interface)
{
	for (size_t i = 0; i < interface->clients_n; i++)
		if (config_selects(selector, &interface->clients[i]))
			return &interface->clients[i];
	return NULL;
}

bool config_overlaps(const struct weft_ip *a, const struct weft_ip *b)
{
	return net_contains(a, b) || net_contains(b, a);
}

/* Whether a network shares addresses with one of several. */
static bool overlaps_any(const struct weft_ip *ip, const struct weft_ip *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (config_overlaps(ip, &items[i]))
			return true;
	return false;
}

/* Whether it is somewhere that the configuration knows. Packets to the rest have an exit. */
static bool is_known_network(const struct weft_ip *ip,
			     const struct weft_tunnel_interface *interface)
{
	if (config_overlaps(ip, &interface->net) ||
	    config_overlaps(ip, &interface->net6) ||
	    overlaps_any(ip, interface->ips, interface->ips_n) ||
	    overlaps_any(ip, interface->routes, interface->routes_n) ||
	    overlaps_any(ip, interface->push.items, interface->push.n) ||
	    interface->exits_n > 0)
		return true;
	for (size_t i = 0; i < interface->clients_n; i++) {
		const struct weft_tunnel_client *client = &interface->clients[i];
		if (client->sources_n > 0 || client->no_source_check ||
		    overlaps_any(ip, client->ips, client->ips_n) ||
		    overlaps_any(ip, client->routes, client->routes_n))
			return true;
	}
	return false;
}

static void offer_words(struct weft_nearest *nearest, const char *selector,
			const struct weft_tunnel_client *client)
{
	if (client->name)
		weft_nearest_offer(nearest, selector, client->name);
	for (size_t i = 0; i < client->tags_n; i++)
		weft_nearest_offer(nearest, selector, client->tags[i]);
}

/* The tag or name that is nearest to a selector; NULL if none is near. */
static const char *nearest_to(const char *selector,
			      const struct weft_tunnel_interface *interface)
{
	struct weft_nearest nearest = { 0 };
	for (size_t i = 0; i < interface->clients_n; i++)
		offer_words(&nearest, selector, &interface->clients[i]);
	weft_nearest_offer(&nearest, selector, WEFT_TUNNEL_SELF);
	return strcasecmp(selector, "self") == 0 ? WEFT_TUNNEL_SELF : nearest.word;
}

void config_no_client(struct reader *reader, enum severity severity,
		      const struct node *node,
		      const struct weft_tunnel_interface *interface)
{
	const char *text = field_text(node), *nearest = nearest_to(text, interface);
	char quote[NODE_QUOTE_LEN], nearest_quote[NODE_QUOTE_LEN];
	if (!config_is_word(text) || strncmp(text, "__", 2) == 0)
		return; /* Nobody could have it, which was told. */
	(void)node_quote(text, strlen(text), quote);
	if (nearest)
		reader_fault(reader, severity, node,
			     "no client has the tag or name \"%s\"; did you mean \"%s\"?",
			     quote, node_quote(nearest, strlen(nearest), nearest_quote));
	else
		reader_fault(reader, severity, node,
			     "no client has the tag or name \"%s\"; give one of them "
			     "\"tags\": [\"%s\"]",
			     quote, quote);
}

void config_selector_check(struct reader *reader, const struct node *node,
			   const struct weft_tunnel_interface *interface)
{
	const char *text = field_text(node);
	struct weft_ip ip;
	if (strcmp(text, WEFT_TUNNEL_SELF) == 0)
		return;
	if (!config_is_like_address(text)) {
		if (!config_selected(text, interface))
			config_no_client(reader, SEVERITY_WARNING, node, interface);
	} else if (weft_ip_parse(text, &ip) == 0 && !is_known_network(&ip, interface)) {
		reader_fault(reader, SEVERITY_WARNING, node,
			     "%s is in no network of this server and of its clients; if "
			     "it lies behind the server itself, say so in the server's "
			     "\"routes\"",
			     text);
	}
}

/* ---- one beside another ------------------------------------------------------------------ */

/*
 * Whether a speaks of all of whom b does, as far as the two texts show it. Asked for each pair of
 * rules, and so without a look at what cannot be: only globs and networks speak of several.
 */
static bool covers(const char *a, const char *b)
{
	struct weft_ip net, inner;
	if (strcmp(a, b) == 0)
		return true;
	if (strchr(a, '/'))
		return weft_ip_parse(a, &net) == 0 && weft_ip_parse(b, &inner) == 0 &&
		       net_contains(&net, &inner);
	return glob_is_glob(a) && strcmp(b, WEFT_TUNNEL_SELF) != 0 &&
	       !config_is_like_address(b) &&
	       (strcmp(a, "*") == 0 || (!glob_is_glob(b) && glob_matches(a, b)));
}

bool config_selectors_cover(const struct weft_tunnel_selectors *a,
			    const struct weft_tunnel_selectors *b)
{
	for (size_t i = 0; i < b->n; i++) {
		size_t k = 0;
		while (k < a->n && !covers(a->items[k], b->items[i]))
			k++;
		if (k == a->n)
			return false;
	}
	return b->n > 0;
}
