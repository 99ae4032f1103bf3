/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets and who gets a datagram.
 *
 *     1. the socket connected to (local, port, peer, port)      the one that fits best,
 *     2. the socket bound to (local, port)                      each one look-up in a
 *     3. the socket bound to (any of the family, port)          keyed table
 *
 * What is for a group or broadcast goes to all that are bound to the port and have joined, or
 * are bound to the group or to any address: those are found by a walk, as there are few.
 *
 * A super-frame of UDP (USO) that comes in is handed out datagram by datagram; one goes out
 * when a program sends with a segment size.
 */
#include "wire/udp.h"

#include "stack/group.h"
#include "stack/stack.h"

#include <weft/udp.h>

#include <errno.h>
#include <stdlib.h>

#define QUEUE_BYTES_DEFAULT 262144u
#define KEPT_OVERHEAD       64u
#define PORT_FIRST          49152u /* Dynamic ports (RFC 6335, 6). */
#define PORTS               16384u
#define MEMBERSHIPS_MAX     32u
#define SEGMENTS_MAX_UDP    64u /* As the kernel's UDP_MAX_SEGMENTS. */
#define PAYLOAD_MAX         65535u

/* What a socket is found by. All bytes count: no padding. */
struct key {
	struct ip_addr local, peer;
	uint16_t local_port, peer_port;
};

struct kept {
	struct list of_udp;
	struct weft_udp_message msg;
	uint8_t bytes[];
};

struct membership {
	struct list of_udp;
	struct weft_iface *iface;
	struct ip_addr group;
};

struct weft_udp {
	struct list of_host;
	struct weft_stack *stack;
	struct weft_udp_opts opts;
	struct key key;
	bool is_bound, is_connected;
	int error; /* -Exxx that the program has yet to be told. */
	struct list queue;
	size_t queue_bytes;
	struct list groups;
	unsigned groups_n;
	struct ip_path path; /* Of a connected socket. */
};

struct udp_host {
	struct table *table;
	struct list sockets;
	uint32_t sockets_n;
	/* A walk calls programs, which may free sockets: the next one to look at. */
	struct list *walk;
};

static const struct ip_addr any6;

static struct ip_addr any_like(const struct ip_addr *addr)
{
	return addr_is_ip4(addr) ? addr_of_ip4(0) : any6;
}

static struct weft_udp *udp_of(struct list *node)
{
	return container_of(node, struct weft_udp, of_host);
}

/* ---- in ---------------------------------------------------------------------------------- */

static enum weft_stack_outcome keep(struct weft_udp *udp,
				    const struct weft_udp_message *msg, uint64_t now)
{
	size_t size = msg->len + KEPT_OVERHEAD;
	struct kept *kept = NULL;
	if (size <= udp->opts.queue_bytes_max - udp->queue_bytes)
		kept = malloc(sizeof(*kept) + msg->len);
	if (!kept)
		return WEFT_STACK_DROP_UDP_FULL;
	kept->msg = *msg;
	memcpy(kept->bytes, msg->data, msg->len);
	list_push_back(&udp->queue, &kept->of_udp);
	udp->queue_bytes += size;
	if (udp->opts.on_ready)
		udp->opts.on_ready(udp->opts.user, udp, now);
	return WEFT_STACK_DELIVERED;
}

static enum weft_stack_outcome give(struct weft_udp *udp,
				    const struct weft_udp_message *msg, uint64_t now)
{
	if (!udp->opts.on_receive)
		return keep(udp, msg, now);
	udp->opts.on_receive(udp->opts.user, udp, msg, now);
	return WEFT_STACK_DELIVERED;
}

static struct weft_udp *find(const struct weft_stack *stack, const struct key *full)
{
	const struct table *table = stack->udp->table;
	struct key key = *full;
	struct weft_udp *udp = table_get(table, &key);
	if (udp)
		return udp;
	key.peer = any_like(&full->local);
	key.peer_port = 0;
	udp = table_get(table, &key);
	if (udp)
		return udp;
	key.local = key.peer;
	return table_get(table, &key);
}

static bool has_joined(const struct weft_udp *udp, const struct weft_iface *iface,
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

static bool wants_group(const struct weft_udp *udp, const struct ip_rx *rx,
			const struct key *key)
{
	bool is_any = addr_is_unspecified(&udp->key.local);
	if (!udp->is_bound || udp->key.local_port != key->local_port ||
	    addr_is_ip4(&udp->key.local) != addr_is_ip4(&rx->dst))
		return false;
	if (udp->is_connected && (!addr_equal(&udp->key.peer, &key->peer) ||
				  udp->key.peer_port != key->peer_port))
		return false;
	if (!is_any && !addr_equal(&udp->key.local, &rx->dst))
		return false;
	return !addr_is_multicast(&rx->dst) || has_joined(udp, rx->iface, &rx->dst);
}

static enum weft_stack_outcome give_group(struct weft_stack *stack,
					  const struct ip_rx *rx, const struct key *key,
					  const struct weft_udp_message *msg,
					  uint64_t now)
{
	struct udp_host *host = stack->udp;
	enum weft_stack_outcome outcome = WEFT_STACK_DROP_UDP_NO_SOCKET;
	/* A program that is called may be in the middle of another datagram's walk. */
	struct list *outer = host->walk;
	for (struct list *node = host->sockets.next; node != &host->sockets;
	     node = host->walk) {
		host->walk = node->next;
		struct weft_udp *udp = udp_of(node);
		if (wants_group(udp, rx, key))
			outcome = give(udp, msg, now);
	}
	host->walk = outer;
	return outcome;
}

static enum weft_stack_outcome give_one(struct weft_stack *stack, const struct ip_rx *rx,
					const struct key *key,
					const struct weft_udp_message *msg, uint64_t now)
{
	if (rx->is_group)
		return give_group(stack, rx, key, msg, now);
	struct weft_udp *udp = find(stack, key);
	if (udp)
		return give(udp, msg, now);
	ip_send_error(stack, rx, IP_ERROR_PORT, now);
	return WEFT_STACK_DROP_UDP_NO_SOCKET;
}

static enum weft_stack_outcome input(struct weft_stack *stack, const struct ip_rx *rx,
				     uint64_t now)
{
	struct udp_hdr hdr;
	if (udp_hdr_parse(rx->payload, rx->len, &hdr) < 0 || hdr.dport == 0)
		return WEFT_STACK_DROP_UDP_HEADER;
	/* The checksum covers what UDP says its length is (RFC 768). */
	struct ip_rx exact = *rx;
	exact.len = hdr.len;
	if (!ip_checksum_is_right(&exact))
		return WEFT_STACK_DROP_UDP_CHECKSUM;
	const struct key key = { rx->dst, rx->src, hdr.dport, hdr.sport };
	struct weft_udp_message msg = {
		.peer = addr_to_sockaddr(&rx->src, hdr.sport, rx->iface->index),
		.local = addr_to_sockaddr(&rx->dst, hdr.dport, rx->iface->index),
		.tos = rx->tos,
		.ttl = rx->ttl,
		.iface = rx->iface->index,
	};
	const uint8_t *data = rx->payload + UDP_LEN;
	size_t left = hdr.len - UDP_LEN;
	size_t step = rx->gso == WEFT_GSO_UDP ? rx->gso_size : left;
	enum weft_stack_outcome outcome;
	do {
		msg.data = data;
		msg.len = left < step ? left : step;
		data += msg.len;
		left -= msg.len;
		outcome = give_one(stack, rx, &key, &msg, now);
	} while (left > 0 && outcome != WEFT_STACK_DROP_UDP_NO_SOCKET);
	return outcome;
}

/* An error for a socket (RFC 1122, 4.1.3.3): for one that is connected it is to be told. */
static bool take_error(struct weft_stack *stack, const struct ip_error *error,
		       uint64_t now)
{
	struct udp_hdr hdr;
	if (udp_hdr_peek(error->transport, error->len, &hdr) < 0)
		return false;
	const struct key key = { error->src, error->dst, hdr.sport, hdr.dport };
	struct weft_udp *udp = find(stack, &key);
	if (!udp)
		return false;
	if (udp->is_connected && error->kind != IP_ERROR_TOO_BIG) {
		udp->error = error->error;
		if (udp->opts.on_ready)
			udp->opts.on_ready(udp->opts.user, udp, now);
	}
	return true;
}

static int take_pending_error(struct weft_udp *udp)
{
	int error = udp->error;
	udp->error = 0;
	return error;
}

/* ---- addresses --------------------------------------------------------------------------- */

static int set_key(struct weft_udp *udp, const struct key *key)
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
static int bind_any_port(struct weft_udp *udp, struct key key)
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

static int bind_key(struct weft_udp *udp, const struct key *key)
{
	return key->local_port ? set_key(udp, key) : bind_any_port(udp, *key);
}

int weft_udp_bind(struct weft_udp *udp, const union weft_sockaddr *local)
{
	struct key key;
	if (udp->is_bound || !addr_of_sockaddr(local, &key.local, &key.local_port))
		return -EINVAL;
	if (!addr_is_unspecified(&key.local) && !addr_is_multicast(&key.local) &&
	    !ip_is_own(udp->stack, &key.local))
		return -EADDRNOTAVAIL;
	key.peer = any_like(&key.local);
	key.peer_port = 0;
	return bind_key(udp, &key);
}

int weft_udp_connect(struct weft_udp *udp, const union weft_sockaddr *peer, uint64_t now)
{
	struct key key = udp->key;
	struct ip_path path;
	if (!addr_of_sockaddr(peer, &key.peer, &key.peer_port) || key.peer_port == 0)
		return -EINVAL;
	if (!udp->is_bound)
		key.local = any_like(&key.peer);
	if (addr_is_ip4(&key.local) != addr_is_ip4(&key.peer))
		return -EAFNOSUPPORT;
	/* Connected anew, a socket keeps its address. */
	int r = ip_path_find(udp->stack, &key.local, &key.peer, NULL, now, &path);
	if (r < 0)
		return r;
	key.local = path.src;
	if (!udp->is_bound)
		key.local_port = 0;
	r = bind_key(udp, &key);
	if (r < 0)
		return r;
	udp->is_connected = true;
	udp->path = path;
	return 0;
}

union weft_sockaddr weft_udp_local(const struct weft_udp *udp)
{
	if (!udp->is_bound)
		return (union weft_sockaddr){ .sa = { .sa_family = 0 } };
	return addr_to_sockaddr(&udp->key.local, udp->key.local_port, 0);
}

union weft_sockaddr weft_udp_peer(const struct weft_udp *udp)
{
	if (!udp->is_connected)
		return (union weft_sockaddr){ .sa = { .sa_family = 0 } };
	return addr_to_sockaddr(&udp->key.peer, udp->key.peer_port, 0);
}

/* ---- out --------------------------------------------------------------------------------- */

static struct weft_iface *find_iface(const struct weft_stack *stack, uint32_t index)
{
	list_for_each (node, &stack->ifaces) {
		struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface->index == index)
			return iface;
	}
	return NULL;
}

/* The peer of a message, and the interface that it names. */
static int find_peer(const struct weft_udp *udp, const struct weft_udp_message *msg,
		     struct ip_addr *ret_addr, uint16_t *ret_port)
{
	if (msg->peer.sa.sa_family == 0) {
		*ret_addr = udp->key.peer;
		*ret_port = udp->key.peer_port;
		return udp->is_connected ? 0 : -EDESTADDRREQ;
	}
	if (!addr_of_sockaddr(&msg->peer, ret_addr, ret_port) || *ret_port == 0)
		return -EINVAL;
	if (udp->is_connected &&
	    (!addr_equal(ret_addr, &udp->key.peer) || *ret_port != udp->key.peer_port))
		return -EISCONN;
	if (udp->is_bound && addr_is_ip4(&udp->key.local) != addr_is_ip4(ret_addr))
		return -EAFNOSUPPORT;
	return 0;
}

/* The address to send from: the message's, the socket's, or what suits. */
static struct ip_addr find_src(const struct weft_udp *udp,
			       const struct weft_udp_message *msg,
			       const struct ip_addr *peer)
{
	struct ip_addr src;
	uint16_t port;
	if (addr_of_sockaddr(&msg->local, &src, &port) && !addr_is_multicast(&src) &&
	    addr_is_ip4(&src) == addr_is_ip4(peer) && ip_is_own(udp->stack, &src))
		return src;
	if (udp->is_bound && !addr_is_multicast(&udp->key.local))
		return udp->key.local;
	return any_like(peer);
}

static int find_path(struct weft_udp *udp, const struct weft_udp_message *msg,
		     const struct ip_addr *peer, uint64_t now, struct ip_path *ret_path)
{
	uint32_t index = msg->iface;
	if (msg->peer.sa.sa_family == AF_INET6 && msg->peer.in6.sin6_scope_id)
		index = msg->peer.in6.sin6_scope_id;
	struct weft_iface *iface = NULL;
	/* Only where it matters: others may go by whichever interface is right. */
	if (addr_is_link_local(peer) || addr_is_multicast(peer) ||
	    addr_is_limited_broadcast(peer))
		iface = find_iface(udp->stack, index);
	struct ip_addr src = find_src(udp, msg, peer);
	return ip_path_find(udp->stack, &src, peer, iface, now, ret_path);
}

static int ensure_port(struct weft_udp *udp, const struct ip_addr *peer)
{
	if (udp->is_bound)
		return 0;
	struct ip_addr any = any_like(peer);
	const struct key key = { .local = any, .peer = any };
	return bind_any_port(udp, key);
}

static int send_to(struct weft_udp *udp, const struct weft_udp_message *msg,
		   const struct ip_path *path, const struct ip_addr *peer, uint16_t port,
		   uint64_t now)
{
	uint8_t header[UDP_LEN];
	bool is_super = msg->segment > 0 && msg->len > msg->segment;
	const struct udp_hdr hdr = {
		.sport = udp->key.local_port,
		.dport = port,
		.len = (uint16_t)(UDP_LEN + msg->len),
	};
	const struct ip_slice slices[] = {
		{ header, sizeof(header) },
		{ msg->data, msg->len },
	};
	const struct ip_tx tx = {
		.path = path,
		.src = path->src,
		.dst = *peer,
		.protocol = IPPROTO_UDP,
		.tos = msg->tos,
		.ttl = msg->ttl,
		.csum_offset = UDP_OFF_CSUM,
		.gso = is_super ? WEFT_GSO_UDP : WEFT_GSO_NONE,
		.gso_size = is_super ? msg->segment : 0,
		.hdr_len = UDP_LEN,
		.slices = slices,
		.slices_n = 2,
	};
	(void)!udp_hdr_emit(header, sizeof(header), &hdr);
	return ip_output(udp->stack, &tx, now);
}

int weft_udp_send(struct weft_udp *udp, const struct weft_udp_message *msg, uint64_t now)
{
	struct ip_addr peer = any6;
	uint16_t port = 0;
	struct ip_path found;
	const struct ip_path *path = &udp->path;
	int r = take_pending_error(udp);
	if (r == 0)
		r = find_peer(udp, msg, &peer, &port);
	if (r == 0 && msg->len > PAYLOAD_MAX - UDP_LEN)
		r = -EMSGSIZE;
	if (r == 0 && msg->segment > 0 &&
	    msg->len > (size_t)SEGMENTS_MAX_UDP * msg->segment)
		r = -EMSGSIZE;
	if (r == 0)
		r = ensure_port(udp, &peer);
	if (r < 0)
		return r;
	if (!udp->is_connected || !ip_path_is_current(udp->stack, &udp->path)) {
		r = find_path(udp, msg, &peer, now, &found);
		path = &found;
	}
	if (r < 0)
		return r;
	if (path->is_group && !addr_is_multicast(&peer) && !udp->opts.broadcast)
		return -EACCES;
	if (udp->is_connected)
		udp->path = *path;
	return send_to(udp, msg, path, &peer, port, now);
}

int weft_udp_receive(struct weft_udp *udp, void *buf, size_t len,
		     struct weft_udp_message *ret_msg)
{
	int error = take_pending_error(udp);
	if (error < 0)
		return error;
	struct list *node = list_pop_front(&udp->queue);
	if (!node)
		return -EAGAIN;
	struct kept *kept = container_of(node, struct kept, of_udp);
	size_t whole = kept->msg.len;
	udp->queue_bytes -= whole + KEPT_OVERHEAD;
	*ret_msg = kept->msg;
	ret_msg->data = buf;
	ret_msg->len = whole < len ? whole : len;
	memcpy(buf, kept->bytes, ret_msg->len);
	free(kept);
	return (int)whole;
}

/* ---- groups ------------------------------------------------------------------------------ */

int weft_udp_join(struct weft_udp *udp, const struct weft_ip *group,
		  struct weft_iface *iface, uint64_t now)
{
	struct ip_addr addr;
	unsigned bits;
	if (!addr_of_ip(group, &addr, &bits) || !addr_is_multicast(&addr))
		return -EINVAL;
	if (has_joined(udp, iface, &addr))
		return -EEXIST;
	if (udp->groups_n == MEMBERSHIPS_MAX)
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
		leave_all(udp_of(node), iface);
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
	list_for_each (node, &udp->queue)
		free(container_of(node, struct kept, of_udp));
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
	return table_new(sizeof(struct key), stack->opts.udp_sockets_max, stack->secret,
			 &host->table);
}

static void fini(struct weft_stack *stack)
{
	struct udp_host *host = stack->udp;
	if (!host)
		return;
	list_for_each (node, &host->sockets)
		weft_udp_free(udp_of(node));
	table_free(host->table);
	free(host);
	stack->udp = NULL;
}

const struct ip_protocol udp_protocol = {
	.number = IPPROTO_UDP,
	.init = init,
	.fini = fini,
	.input = input,
	.error = take_error,
};
