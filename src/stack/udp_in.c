/* SPDX-License-Identifier: MIT */
/*
 * Who gets a datagram.
 *
 *     1. the socket connected to (local, port, peer, port)      the one that fits best,
 *     2. the socket bound to (local, port)                      each one look-up in a
 *     3. the socket bound to (any of the family, port)          keyed table
 *
 * What is for a group or broadcast goes to all that are bound to the port and have joined, or
 * are bound to the group or to any address: those are found by a walk, as there are few.
 *
 * A super-frame of UDP (USO) that comes in is handed out datagram by datagram. A program that has
 * no callback for them finds them in the socket's queue.
 */
#include "stack/stack.h"
#include "stack/udp.h"
#include "wire/udp.h"

#include <errno.h>
#include <stdlib.h>

#define KEPT_OVERHEAD 64u

struct kept {
	struct list of_udp;
	struct weft_udp_message msg;
	uint8_t bytes[];
};

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

static struct weft_udp *find(const struct weft_stack *stack, const struct udp_key *full)
{
	const struct table *table = stack->udp->table;
	struct udp_key key = *full;
	struct weft_udp *udp = table_get(table, &key);
	if (udp)
		return udp;
	key.peer = addr_any_like(&full->local);
	key.peer_port = 0;
	if (!addr_needs_scope(&key.local))
		key.scope = 0;
	udp = table_get(table, &key);
	if (udp)
		return udp;
	key.local = key.peer;
	key.scope = 0;
	return table_get(table, &key);
}

static bool wants_group(const struct weft_udp *udp, const struct ip_rx *rx,
			const struct udp_key *key)
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
	return !addr_is_multicast(&rx->dst) || udp_has_joined(udp, rx->iface, &rx->dst);
}

static enum weft_stack_outcome give_group(struct weft_stack *stack,
					  const struct ip_rx *rx,
					  const struct udp_key *key,
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
		struct weft_udp *udp = udp_of_host(node);
		if (wants_group(udp, rx, key))
			outcome = give(udp, msg, now);
	}
	host->walk = outer;
	return outcome;
}

static enum weft_stack_outcome give_one(struct weft_stack *stack, const struct ip_rx *rx,
					const struct udp_key *key,
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

enum weft_stack_outcome udp_input(struct weft_stack *stack, const struct ip_rx *rx,
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
	const struct udp_key key = { rx->dst, rx->src, hdr.dport, hdr.sport,
				     ip_scope_of(rx->iface, &rx->dst, &rx->src) };
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
bool udp_take_error(struct weft_stack *stack, const struct ip_error *error, uint64_t now)
{
	struct udp_hdr hdr;
	if (udp_hdr_peek(error->transport, error->len, &hdr) < 0)
		return false;
	const struct udp_key key = { error->src, error->dst, hdr.sport, hdr.dport,
				     error->scope };
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

/* ---- the queue --------------------------------------------------------------------------- */

int weft_udp_receive(struct weft_udp *udp, void *buf, size_t len,
		     struct weft_udp_message *ret_msg)
{
	int error = udp_take_pending_error(udp);
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

void udp_clear_queue(struct weft_udp *udp)
{
	list_for_each (node, &udp->queue)
		free(container_of(node, struct kept, of_udp));
}
