/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets: their names (RFC 768; ports of RFC 6056), the groups that they join, and their
 * lives. What comes in is udp_in.c's, what goes out udp_out.c's.
 */
#include "stack/udp.h"

#include "stack/group.h"
#include "stack/iface.h"
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>

#define QUEUE_BYTES_DEFAULT 262144u
#define PORT_FIRST          49152u /* Dynamic ports (RFC 6335, 6). */
#define PORTS               16384u

struct membership {
	struct list of_udp;
	struct weft_iface *iface;
	struct ip_addr group;
};

/* ---- names ------------------------------------------------------------------------------- */

static int set_key(struct weft_udp *udp, const struct udp_key *key)
{
	struct table *table = udp->stack->udp->table;
	if (table_get(table, key) && table_get(table, key) != udp)
		return -EADDRINUSE;
	if (udp->is_bound)
		(void)table_remove(table, &udp->key);
	int r = table_set(table, key, udp);
	if (r < 0) {
		/* What has just been taken out has room. */
		if (udp->is_bound)
			(void)!table_set(table, &udp->key, udp);
		return r;
	}
	udp->key = *key;
	udp->is_bound = true;
	return 0;
}

/* RFC 6056, algorithm 1: from a random one on, the first that is free. */
int udp_bind_any_port(struct weft_udp *udp, struct udp_key key)
{
	uint64_t first = rng_below(&udp->stack->rng, PORTS);
	for (uint64_t i = 0; i < PORTS; i++) {
		key.local_port = (uint16_t)(PORT_FIRST + (first + i) % PORTS);
		int r = set_key(udp, &key);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRINUSE;
}

static int bind_key(struct weft_udp *udp, const struct udp_key *key)
{
	return key->local_port ? set_key(udp, key) : udp_bind_any_port(udp, *key);
}

int weft_udp_bind(struct weft_udp *udp, const union weft_sockaddr *local)
{
	struct udp_key key;
	if (udp->is_bound || !addr_of_sockaddr(local, &key.local, &key.local_port))
		return -EINVAL;
	if (!addr_is_unspecified(&key.local) && !addr_is_multicast(&key.local) &&
	    !ip_is_own(udp->stack, &key.local))
		return -EADDRNOTAVAIL;
	key.peer = addr_any_like(&key.local);
	key.peer_port = 0;
	int r = ip_scope_find(udp->stack, &key.local, addr_scope_of(local), &key.scope);
	if (r == 0)
		r = bind_key(udp, &key);
	if (r == 0)
		udp->scope = key.scope;
	return r;
}

/* Between the two addresses that it has been given or found. */
static int scope_key(const struct ip_path *path, struct udp_key *key)
{
	uint32_t bound = addr_needs_scope(&key->local) ? key->scope : 0;
	key->local = path->src;
	key->scope = ip_scope_of(path->iface, &key->local, &key->peer);
	return bound != 0 && key->scope != bound ? -EINVAL : 0;
}

int weft_udp_connect(struct weft_udp *udp, const union weft_sockaddr *peer, uint64_t now)
{
	struct udp_key key = udp->key;
	struct ip_path path;
	if (!addr_of_sockaddr(peer, &key.peer, &key.peer_port) || key.peer_port == 0)
		return -EINVAL;
	if (!udp->is_bound)
		key.local = addr_any_like(&key.peer);
	if (addr_is_ip4(&key.local) != addr_is_ip4(&key.peer))
		return -EAFNOSUPPORT;
	struct weft_iface *iface;
	int r = udp_iface_to(udp->stack, &key.peer, addr_scope_of(peer), &iface);
	if (r < 0)
		return r;
	/* Connected anew, a socket keeps its address. */
	r = ip_path_find(udp->stack, &key.local, &key.peer, iface, now, &path);
	if (r == 0)
		r = scope_key(&path, &key);
	if (r < 0)
		return r;
	if (!udp->is_bound)
		key.local_port = 0;
	r = bind_key(udp, &key);
	if (r < 0)
		return r;
	udp->is_connected = true;
	udp->path = path;
	udp->scope = key.scope ? key.scope : path.iface->index;
	return 0;
}

union weft_sockaddr weft_udp_local(const struct weft_udp *udp)
{
	if (!udp->is_bound)
		return (union weft_sockaddr){ .sa = { .sa_family = 0 } };
	return addr_to_sockaddr(&udp->key.local, udp->key.local_port, udp->scope);
}

union weft_sockaddr weft_udp_peer(const struct weft_udp *udp)
{
	if (!udp->is_connected)
		return (union weft_sockaddr){ .sa = { .sa_family = 0 } };
	return addr_to_sockaddr(&udp->key.peer, udp->key.peer_port, udp->scope);
}

/* ---- groups ------------------------------------------------------------------------------ */

bool udp_has_joined(const struct weft_udp *udp, const struct weft_iface *iface,
		    const struct ip_addr *group)
{
	list_for_each (node, &udp->groups) {
		const struct membership *m =
			container_of(node, struct membership, of_udp);
		if (m->iface == iface && addr_equal(&m->group, group))
			return true;
	}
	return false;
}

int weft_udp_join(struct weft_udp *udp, const struct weft_ip *group,
		  struct weft_iface *iface, uint64_t now)
{
	struct ip_addr addr;
	unsigned bits;
	if (!addr_of_ip(group, &addr, &bits) || !addr_is_multicast(&addr))
		return -EINVAL;
	if (udp_has_joined(udp, iface, &addr))
		return -EEXIST;
	if (udp->groups_n == udp->stack->opts.socket_groups_max)
		return -ENOSPC;
	struct membership *m = malloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	int r = group_join(iface, &addr, now);
	if (r < 0) {
		free(m);
		return r;
	}
	m->iface = iface;
	m->group = addr;
	list_push_back(&udp->groups, &m->of_udp);
	udp->groups_n++;
	return 0;
}

static void leave(struct weft_udp *udp, struct membership *m, uint64_t now)
{
	group_leave(m->iface, &m->group, now);
	list_remove(&m->of_udp);
	udp->groups_n--;
	free(m);
}

void weft_udp_leave(struct weft_udp *udp, const struct weft_ip *group,
		    struct weft_iface *iface, uint64_t now)
{
	struct ip_addr addr;
	unsigned bits;
	if (!addr_of_ip(group, &addr, &bits))
		return;
	list_for_each (node, &udp->groups) {
		struct membership *m = container_of(node, struct membership, of_udp);
		if (m->iface == iface && addr_equal(&m->group, &addr)) {
			leave(udp, m, now);
			return;
		}
	}
}

static void leave_all(struct weft_udp *udp, const struct weft_iface *iface)
{
	list_for_each (node, &udp->groups) {
		struct membership *m = container_of(node, struct membership, of_udp);
		if (!iface || m->iface == iface)
			leave(udp, m, 0);
	}
}

void udp_iface_gone(struct weft_stack *stack, const struct weft_iface *iface)
{
	if (!stack->udp)
		return;
	list_for_each (node, &stack->udp->sockets)
		leave_all(udp_of_host(node), iface);
}

/* ---- life -------------------------------------------------------------------------------- */

int weft_udp_new(struct weft_stack *stack, const struct weft_udp_opts *opts,
		 struct weft_udp **ret_udp)
{
	static const struct weft_udp_opts defaults;
	struct udp_host *host = stack->udp;
	if (host->sockets_n == stack->opts.udp_sockets_max)
		return -ENOSPC;
	struct weft_udp *udp = calloc(1, sizeof(*udp));
	if (!udp)
		return -ENOMEM;
	udp->stack = stack;
	udp->opts = opts ? *opts : defaults;
	if (udp->opts.queue_bytes_max == 0)
		udp->opts.queue_bytes_max = QUEUE_BYTES_DEFAULT;
	list_init(&udp->queue);
	list_init(&udp->groups);
	list_push_back(&host->sockets, &udp->of_host);
	host->sockets_n++;
	*ret_udp = udp;
	return 0;
}

void weft_udp_free(struct weft_udp *udp)
{
	if (!udp)
		return;
	struct udp_host *host = udp->stack->udp;
	if (host->walk == &udp->of_host)
		host->walk = udp->of_host.next;
	udp_clear_queue(udp);
	/* What is sent about leaving goes out with the next thing that is. */
	leave_all(udp, NULL);
	if (udp->is_bound)
		(void)table_remove(host->table, &udp->key);
	list_remove(&udp->of_host);
	host->sockets_n--;
	free(udp);
}

static int init(struct weft_stack *stack)
{
	struct udp_host *host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	stack->udp = host;
	list_init(&host->sockets);
	return table_new(sizeof(struct udp_key), stack->opts.udp_sockets_max,
			 stack->secret, &host->table);
}

static void fini(struct weft_stack *stack)
{
	struct udp_host *host = stack->udp;
	if (!host)
		return;
	list_for_each (node, &host->sockets)
		weft_udp_free(udp_of_host(node));
	table_free(host->table);
	free(host);
	stack->udp = NULL;
}

const struct ip_protocol udp_protocol = {
	.number = IPPROTO_UDP,
	.init = init,
	.fini = fini,
	.input = udp_input,
	.error = udp_take_error,
};
