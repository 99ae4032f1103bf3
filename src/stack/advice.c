/* SPDX-License-Identifier: MIT */
/*
 * RFC 8106: a list of servers and one of domains. What is said again lives on with its new
 * lifetime, where it stands; what is new comes last, or in place of what would have ended first
 * (6.1). A lifetime of 0 is an end.
 *
 *     advertisement --> advice_take --.                  .--> fn: the program asks anew
 *                                     +-- has changed? --+
 *     first lifetime over --> expire -'                  '--> (nothing)
 *
 * Routers repeat themselves every few minutes, and the program is told of changes alone.
 */
#include "stack/advice.h"

#include "base/container.h"
#include "base/time.h"
#include "stack/iface.h"
#include "stack/stack.h"

#include <assert.h>
#include <string.h>

static_assert(WEFT_DNS_SERVERS_MAX <= ADVISED_MAX && WEFT_DNS_SEARCH_MAX <= ADVISED_MAX,
	      "all that is told of has room");

static uint64_t end_of(uint32_t lifetime_s, uint64_t now)
{
	return lifetime_s == ND_FOREVER_S ? WEFT_NEVER : now + lifetime_s * NS_PER_S;
}

/* ---- lists ------------------------------------------------------------------------------- */

static void drop(struct advised_list *list, struct advised *entry)
{
	const size_t behind = (size_t)(&list->entries[list->n] - (entry + 1));
	memmove(entry, entry + 1, behind * sizeof(*entry));
	list->n--;
}

static struct advised *find(struct advised_list *list, const void *value, size_t len)
{
	for (unsigned i = 0; i < list->n; i++) {
		struct advised *entry = &list->entries[i];
		if (entry->len == len && memcmp(entry->value, value, len) == 0)
			return entry;
	}
	return NULL;
}

/* NULL for an empty list. */
static struct advised *first_to_end(struct advised_list *list)
{
	struct advised *first = NULL;
	for (unsigned i = 0; i < list->n; i++)
		if (!first || list->entries[i].until < first->until)
			first = &list->entries[i];
	return first;
}

static void append(struct advised_list *list, const void *value, size_t len,
		   uint64_t until)
{
	if (list->n == list->max)
		drop(list, first_to_end(list));
	struct advised *entry = &list->entries[list->n++];
	entry->until = until;
	entry->len = (uint8_t)len;
	memcpy(entry->value, value, len);
}

/* True if the list has other members now. */
static bool take(struct advised_list *list, const void *value, size_t len, uint64_t until,
		 uint64_t now)
{
	struct advised *known = find(list, value, len);
	if (!known && until <= now)
		return false;
	if (!known)
		append(list, value, len, until);
	else if (until <= now)
		drop(list, known);
	else
		known->until = until;
	return !known || until <= now;
}

/* When the first ends, after those are gone that have ended. */
static uint64_t expire_list(struct advised_list *list, uint64_t now)
{
	struct advised *first;
	while ((first = first_to_end(list)) && first->until <= now)
		drop(list, first);
	return first ? first->until : WEFT_NEVER;
}

/* ---- what is advised --------------------------------------------------------------------- */

static bool take_server(struct advice *a, const struct nd_server *server, uint64_t now)
{
	const struct ip_addr addr = addr_of_ip6(&server->addr);
	if (addr_is_unspecified(&addr) || addr_is_multicast(&addr) ||
	    addr_is_loopback(&addr) || addr_is_ip4(&addr))
		return false;
	return take(&a->servers, addr.octet, sizeof(addr.octet),
		    end_of(server->lifetime_s, now), now);
}

static bool take_domain(struct advice *a, const struct nd_domain *domain, uint64_t now)
{
	char text[WEFT_DNS_DOMAIN_TEXT];
	return dns_name_print_plain(&domain->name, text, sizeof(text)) &&
	       take(&a->domains, domain->name.octet, domain->name.len,
		    end_of(domain->lifetime_s, now), now);
}

/* Waits for the first end of all. */
static void arm(struct weft_iface *iface, uint64_t now)
{
	struct advice *a = &iface->advice;
	const uint64_t servers = expire_list(&a->servers, now);
	const uint64_t domains = expire_list(&a->domains, now);
	const uint64_t first = servers < domains ? servers : domains;
	if (first == WEFT_NEVER)
		wheel_cancel(&iface->stack->wheel, &a->expiry);
	else
		wheel_arm(&iface->stack->wheel, &a->expiry, first);
}

static void tell(const struct advice *a, uint64_t now)
{
	if (a->fn)
		a->fn(a->user, now);
}

static void expire(struct timer *timer, void *user, uint64_t now)
{
	struct weft_iface *iface = container_of(timer, struct weft_iface, advice.expiry);
	struct advice *a = &iface->advice;
	(void)user;
	arm(iface, now);
	tell(a, now);
}

void advice_take(struct weft_iface *iface, const struct nd_msg *msg, const uint8_t *data,
		 size_t len, uint64_t now)
{
	struct advice *a = &iface->advice;
	const bool says_dhcp6 = msg->managed || msg->other_config;
	bool has_changed = says_dhcp6 && !a->has_dhcp6;
	struct nd_names names;
	a->has_dhcp6 = a->has_dhcp6 || says_dhcp6;
	if (nd_names_parse(data, len, &names) < 0)
		return; /* Not for a message that msg could be read from. */
	for (unsigned i = 0; i < names.servers_n; i++)
		has_changed |= take_server(a, &names.servers[i], now);
	for (unsigned i = 0; i < names.domains_n; i++)
		has_changed |= take_domain(a, &names.domains[i], now);
	arm(iface, now);
	if (has_changed)
		tell(a, now);
}

/* ---- the program ------------------------------------------------------------------------- */

void advice_init(struct advice *advice)
{
	advice->servers.max = WEFT_DNS_SERVERS_MAX;
	advice->domains.max = WEFT_DNS_SEARCH_MAX;
	advice->expiry.fire = expire;
}

void advice_end(struct weft_iface *iface)
{
	wheel_cancel(&iface->stack->wheel, &iface->advice.expiry);
}

void weft_iface_on_advice(struct weft_iface *iface, weft_iface_advised *fn, void *user)
{
	iface->advice.fn = fn;
	iface->advice.user = user;
}

void weft_iface_advice(const struct weft_iface *iface, struct weft_advice *ret_advice)
{
	const struct advice *a = &iface->advice;
	struct weft_advice advice = { .has_dhcp6 = a->has_dhcp6 };
	struct weft_dns *dns = &advice.dns;
	for (unsigned i = 0; i < a->servers.n; i++) {
		struct ip_addr addr;
		memcpy(addr.octet, a->servers.entries[i].value, sizeof(addr.octet));
		dns->servers[dns->servers_n++] = addr_to_ip(&addr, ADDR_BITS);
	}
	for (unsigned i = 0; i < a->domains.n; i++) {
		const struct advised *entry = &a->domains.entries[i];
		struct dns_name name = { .len = entry->len };
		memcpy(name.octet, entry->value, entry->len);
		dns->search_n += dns_name_print_plain(&name, dns->search[dns->search_n],
						      sizeof(dns->search[0]));
	}
	*ret_advice = advice;
}
