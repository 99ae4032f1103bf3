/* SPDX-License-Identifier: MIT */
/*
 * Lookups: which names to ask for, in which order, and what comes of it.
 */
#include "service/resolver.h"

#include "stack/addr.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS_DEFAULT 64u
#define CACHE_DEFAULT   128u

enum { ASK_A, ASK_AAAA, ASKS };

struct weft_lookup {
	struct list node; /* of resolver->lookups */
	struct weft_resolver *resolver;
	weft_resolver_found *found;
	void *user;
	int family;
	struct dns_name name;
	bool has_dot;           /* it is looked for as it is before the search list */
	bool is_whole;          /* it is looked for as it is and nowhere else */
	unsigned candidate;     /* that is asked for now */
	bool is_denied;         /* a server has said that there is no such candidate */
	struct weft_ip address; /* the name is one; family 0: no */
	struct ask asks[ASKS];
};

const char *weft_resolver_outcome_name(enum weft_resolver_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_RESOLVER_ANSWERED] = "answered",
		[WEFT_RESOLVER_CACHED] = "cached",
		[WEFT_RESOLVER_TCP] = "tcp",
		[WEFT_RESOLVER_TIMED_OUT] = "timed-out",
		[WEFT_RESOLVER_REFUSED] = "refused",
		[WEFT_RESOLVER_UNREACHABLE] = "unreachable",
		[WEFT_RESOLVER_DROP_MALFORMED] = "drop-malformed",
		[WEFT_RESOLVER_DROP_NOT_OURS] = "drop-not-ours",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_RESOLVER_OUTCOMES,
		      "each outcome has a name");
	return (unsigned)outcome < WEFT_RESOLVER_OUTCOMES ? names[outcome] : "unknown";
}

uint64_t weft_resolver_count(const struct weft_resolver *resolver,
			     enum weft_resolver_outcome outcome)
{
	return (unsigned)outcome < WEFT_RESOLVER_OUTCOMES ? resolver->counts[outcome] : 0;
}

/* ---- what is asked for ------------------------------------------------------------------- */

/* How many names a lookup may have to ask for. */
static unsigned candidates_n(const struct weft_lookup *l)
{
	return l->is_whole ? 1 : l->resolver->search_n + 1;
}

/* The candidate's name; -EINVAL where it is too long with its domain. */
static int candidate_name(const struct weft_lookup *l, struct dns_name *ret_name)
{
	const struct weft_resolver *r = l->resolver;
	unsigned i = l->candidate;
	bool is_bare = l->is_whole || (l->has_dot ? i == 0 : i == r->search_n);
	if (is_bare) {
		*ret_name = l->name;
		return 0;
	}
	return dns_name_join(&l->name, &r->search[i - l->has_dot], ret_name);
}

static void begin_asking(struct weft_lookup *l, uint64_t now)
{
	static const uint16_t types[ASKS] = { DNS_A, DNS_AAAA };
	static const int families[ASKS] = { AF_INET, AF_INET6 };
	struct dns_name name;
	bool is_name = candidate_name(l, &name) == 0;
	for (unsigned i = 0; i < ASKS; i++) {
		bool is_wanted = l->family == AF_UNSPEC || l->family == families[i];
		if (is_name && is_wanted)
			ask_begin(&l->asks[i], l->resolver, &name, types[i], now);
		else
			ask_nothing(&l->asks[i]);
	}
}

/* ---- what comes of it -------------------------------------------------------------------- */

static void end_asking(struct weft_lookup *l, uint64_t now)
{
	for (unsigned i = 0; i < ASKS; i++)
		ask_end(&l->asks[i], now);
}

static void lookup_free(struct weft_lookup *l, uint64_t now)
{
	end_asking(l, now);
	list_remove(&l->node);
	l->resolver->lookups_n--;
	free(l);
}

/* Tells, after it is gone: whoever hears it may begin another one. */
static void conclude(struct weft_lookup *l, int error, uint64_t now)
{
	struct weft_ip addresses[WEFT_RESOLVER_ADDRESSES_MAX];
	weft_resolver_found *found = l->found;
	void *user = l->user;
	size_t n = 0;
	static_assert(ASKS * DNS_ADDRESSES_MAX <= WEFT_RESOLVER_ADDRESSES_MAX,
		      "all that is found can be told");
	if (l->address.family)
		addresses[n++] = l->address;
	for (unsigned i = 0; i < ASKS; i++)
		for (unsigned k = 0; k < l->asks[i].facts.n; k++)
			addresses[n++] = l->asks[i].facts.addresses[k];
	lookup_free(l, now);
	found(user, n > 0 ? 0 : error, addresses, n, now);
}

/* -ENOENT if none of them failed: there is no address for sure. */
static int worst_error(const struct weft_lookup *l)
{
	for (unsigned i = 0; i < ASKS; i++)
		if (l->asks[i].facts.error != 0 && l->asks[i].facts.error != -ENOENT)
			return l->asks[i].facts.error;
	return -ENOENT;
}

/*
 * Servers that do not answer for one name are not asked for the next. That there is nobody to
 * ask for one does not matter where a server has denied another.
 */
static void next_candidate(struct weft_lookup *l, uint64_t now)
{
	bool has_address = l->asks[ASK_A].facts.n > 0 || l->asks[ASK_AAAA].facts.n > 0;
	int error = worst_error(l);
	bool is_last = l->candidate + 1 >= candidates_n(l);
	l->is_denied |= error == -ENOENT;
	if (error == -EDESTADDRREQ && l->is_denied)
		error = -ENOENT;
	if (has_address || is_last || error == -ETIMEDOUT) {
		conclude(l, error, now);
		return;
	}
	l->candidate++;
	end_asking(l, now);
	begin_asking(l, now);
}

static bool is_done(const struct weft_lookup *l)
{
	return l->address.family || (l->asks[ASK_A].is_done && l->asks[ASK_AAAA].is_done);
}

static uint64_t lookup_deadline(const struct weft_lookup *l)
{
	uint64_t due = is_done(l) ? 0 : WEFT_NEVER;
	for (unsigned i = 0; i < ASKS && due > 0; i++)
		if (!l->asks[i].is_done && l->asks[i].due < due)
			due = l->asks[i].due;
	return due;
}

static void lookup_run(struct weft_lookup *l, uint64_t now)
{
	for (unsigned i = 0; i < ASKS && !l->address.family; i++)
		ask_run(&l->asks[i], now);
	if (l->address.family)
		conclude(l, 0, now);
	else if (is_done(l))
		next_candidate(l, now);
}

/* ---- the task ---------------------------------------------------------------------------- */

static struct weft_lookup *next_due(const struct weft_resolver *r, uint64_t now)
{
	list_for_each (node, &r->lookups) {
		struct weft_lookup *l = container_of(node, struct weft_lookup, node);
		if (lookup_deadline(l) <= now)
			return l;
	}
	return NULL;
}

/* One step for each that may be there: what they begin has its turn, too. */
static void resolver_run(struct weft_task *task, uint64_t now)
{
	struct weft_resolver *r = container_of(task, struct weft_resolver, task);
	struct weft_lookup *l;
	for (unsigned i = 0; i < r->opts.lookups_max && (l = next_due(r, now)); i++)
		lookup_run(l, now);
}

static uint64_t resolver_deadline(const struct weft_task *task)
{
	const struct weft_resolver *r =
		container_of_const(task, struct weft_resolver, task);
	uint64_t due = WEFT_NEVER;
	list_for_each (node, &r->lookups) {
		uint64_t its =
			lookup_deadline(container_of(node, struct weft_lookup, node));
		due = its < due ? its : due;
	}
	return due;
}

struct weft_task *weft_resolver_task(struct weft_resolver *resolver)
{
	return &resolver->task;
}

/* ---- life -------------------------------------------------------------------------------- */

int weft_resolver_new(const struct weft_resolver_opts *opts,
		      struct weft_resolver **ret_resolver)
{
	if (!opts->secret || !opts->stack)
		return -EINVAL;
	struct weft_resolver *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->opts = *opts;
	r->opts.lookups_max = opts->lookups_max ? opts->lookups_max : LOOKUPS_DEFAULT;
	r->opts.cache_max = opts->cache_max ? opts->cache_max : CACHE_DEFAULT;
	memcpy(r->secret, opts->secret, sizeof(r->secret));
	r->opts.secret = NULL;
	r->task = (struct weft_task){ .fd = -1,
				      .run = resolver_run,
				      .deadline = resolver_deadline };
	list_init(&r->lookups);
	list_init(&r->cache);
	*ret_resolver = r;
	return 0;
}

void weft_resolver_free(struct weft_resolver *resolver, uint64_t now)
{
	if (!resolver)
		return;
	list_for_each (node, &resolver->lookups)
		lookup_free(container_of(node, struct weft_lookup, node), now);
	name_cache_clear(resolver);
	free(resolver);
}

static bool is_of_name(const char *text, const struct dns_name *name)
{
	struct dns_name other = { .len = 0 };
	return (!text || dns_name_of_text(text, &other) == 0) &&
	       dns_name_equal(&other, name);
}

int weft_resolver_add_server(struct weft_resolver *resolver,
			     const union weft_sockaddr *server, const char *domain)
{
	struct name_server added = { .domain = { .len = 0 } };
	struct ip_addr addr;
	uint16_t port;
	if (!addr_of_sockaddr(server, &addr, &port) || addr_is_unspecified(&addr) ||
	    (domain && dns_name_of_text(domain, &added.domain) < 0))
		return -EINVAL;
	added.addr = *server;
	if (port == 0)
		added.addr = addr_to_sockaddr(
			&addr, DNS_PORT,
			server->sa.sa_family == AF_INET6 ? server->in6.sin6_scope_id : 0);
	for (unsigned i = 0; i < resolver->servers_n; i++)
		if (weft_sockaddr_equal(&resolver->servers[i].addr, &added.addr) &&
		    is_of_name(domain, &resolver->servers[i].domain))
			return -EEXIST;
	if (resolver->servers_n == WEFT_RESOLVER_SERVERS_MAX)
		return -ENOSPC;
	resolver->servers[resolver->servers_n++] = added;
	return 0;
}

int weft_resolver_add_search(struct weft_resolver *resolver, const char *domain)
{
	struct dns_name name;
	if (dns_name_of_text(domain, &name) < 0 || name.len == 1)
		return -EINVAL;
	for (unsigned i = 0; i < resolver->search_n; i++)
		if (dns_name_equal(&resolver->search[i], &name))
			return -EEXIST;
	if (resolver->search_n == WEFT_RESOLVER_SEARCH_MAX)
		return -ENOSPC;
	resolver->search[resolver->search_n++] = name;
	return 0;
}

void weft_resolver_clear(struct weft_resolver *resolver)
{
	resolver->servers_n = resolver->search_n = resolver->first = 0;
	name_cache_clear(resolver);
}

bool weft_resolver_has_server(const struct weft_resolver *resolver)
{
	return resolver->servers_n > 0;
}

/* ---- lookups ----------------------------------------------------------------------------- */

static int lookup_name(struct weft_lookup *l, const char *name)
{
	size_t len = strlen(name);
	if (weft_ip_parse(name, &l->address) == 0 && !strchr(name, '/'))
		return 0;
	l->address.family = 0;
	l->is_whole = len > 0 && name[len - 1] == '.';
	l->has_dot = strchr(name, '.') != NULL;
	return dns_name_of_text(name, &l->name);
}

int weft_resolver_find(struct weft_resolver *resolver, const struct weft_query *query,
		       uint64_t now, struct weft_lookup **ret_lookup)
{
	int family = query->family;
	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	if (resolver->lookups_n >= resolver->opts.lookups_max)
		return -ENOBUFS;
	struct weft_lookup *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->resolver = resolver;
	l->found = query->found;
	l->user = query->user;
	l->family = family;
	if (lookup_name(l, query->name) < 0) {
		free(l);
		return -EINVAL;
	}
	begin_asking(l, now);
	list_push_back(&resolver->lookups, &l->node);
	resolver->lookups_n++;
	*ret_lookup = l;
	return 0;
}

void weft_resolver_cancel(struct weft_lookup *lookup, uint64_t now)
{
	if (lookup)
		lookup_free(lookup, now);
}
