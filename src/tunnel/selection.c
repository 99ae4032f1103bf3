/* SPDX-License-Identifier: MIT */
/*
 * Rules are many and packets more, but networks in one rule are few: they are looked at one
 * by one.
 */
#include "tunnel/selection.h"

#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

static void set_clients(struct selection *s, const char *selector,
			const struct weft_tunnel_interface *conf)
{
	for (size_t i = 0; i < conf->clients_n; i++)
		if (config_selects(selector, &conf->clients[i]))
			s->clients[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
}

static void add(struct selection *s, const char *selector,
		const struct weft_tunnel_interface *conf)
{
	struct weft_ip ip;
	if (strcmp(selector, WEFT_TUNNEL_SELF) == 0)
		s->has_self = true;
	else if (weft_ip_parse(selector, &ip) < 0)
		set_clients(s, selector, conf);
	else if (prefix_of(&ip, &s->networks[s->networks_n]) == 0)
		s->networks_n++;
}

int selection_init(struct selection *s, const struct weft_tunnel_selectors *selectors,
		   const struct weft_tunnel_interface *conf)
{
	struct selection made = { .clients_n = conf->clients_n };
	made.networks = calloc(selectors->n + 1, sizeof(*made.networks));
	made.clients = calloc(conf->clients_n / WORD_BITS + 1, sizeof(*made.clients));
	if (!made.networks || !made.clients) {
		selection_fini(&made);
		return -ENOMEM;
	}
	for (size_t i = 0; i < selectors->n; i++)
		add(&made, selectors->items[i], conf);
	*s = made;
	return 0;
}

void selection_fini(struct selection *s)
{
	free(s->networks);
	free(s->clients);
	*s = (struct selection){ 0 };
}

bool selection_has_client(const struct selection *s, size_t number)
{
	return number < s->clients_n &&
	       (s->clients[number / WORD_BITS] >> number % WORD_BITS & 1);
}

bool selection_holds(const struct selection *s, uint32_t party, const struct prefix *addr)
{
	if (party == PARTY_SELF ? s->has_self : selection_has_client(s, party))
		return true;
	for (size_t i = 0; i < s->networks_n; i++)
		if (prefix_holds(&s->networks[i], addr))
			return true;
	return false;
}
