/* SPDX-License-Identifier: MIT */
/*
 * How a datagram leaves: to whom, from which address and by which interface, as the message says,
 * the socket, or what suits, in this order. A program that gives a segment size sends a
 * super-frame (USO), which is many datagrams.
 */
#include "stack/stack.h"
#include "stack/udp.h"
#include "wire/udp.h"

#include <errno.h>

#define SEGMENTS_MAX_UDP 64u /* As the kernel's UDP_MAX_SEGMENTS. */
#define PAYLOAD_MAX      65535u

int udp_iface_to(const struct weft_stack *stack, const struct ip_addr *peer,
		 uint32_t index, struct weft_iface **ret_iface)
{
	bool matters = addr_is_link_local(peer) || addr_is_multicast(peer) ||
		       addr_is_limited_broadcast(peer);
	int r = addr_needs_scope(peer) ? ip_scope_find(stack, peer, index, &index) : 0;
	if (r < 0)
		return r;
	*ret_iface = matters ? iface_of_index(stack, index) : NULL;
	return 0;
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
	return addr_any_like(peer);
}

static int find_path(struct weft_udp *udp, const struct weft_udp_message *msg,
		     const struct ip_addr *peer, uint64_t now, struct ip_path *ret_path)
{
	struct weft_iface *iface;
	uint32_t index = addr_scope_of(&msg->peer);
	if (index == 0)
		index = msg->iface ? msg->iface : udp->scope;
	int r = udp_iface_to(udp->stack, peer, index, &iface);
	if (r < 0)
		return r;
	struct ip_addr src = find_src(udp, msg, peer);
	return ip_path_find(udp->stack, &src, peer, iface, now, ret_path);
}

static int ensure_port(struct weft_udp *udp, const struct ip_addr *peer)
{
	if (udp->is_bound)
		return 0;
	struct ip_addr any = addr_any_like(peer);
	const struct udp_key key = { .local = any, .peer = any };
	return udp_bind_any_port(udp, key);
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
	struct ip_addr peer = { 0 };
	uint16_t port = 0;
	struct ip_path found;
	const struct ip_path *path = &udp->path;
	int r = udp_take_pending_error(udp);
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
