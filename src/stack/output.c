/* SPDX-License-Identifier: MIT */
/*
 * The way out: a datagram becomes a frame, or several fragments.
 *
 *     slices:      [tcp header] [payload ...] [payload ...]
 *                       |            |             |         copied, and summed up on the way
 *     frame:   | eth | ip | tcp header | payload ... ... |   if the link wants that
 *
 * A long payload that stays where it is is not copied for a link that takes frames in pieces:
 * the frame ends behind the transport header then, and refers to the slices.
 *
 * The transport checksum is left to a link that takes WEFT_LINK_CSUM: the field gets the sum
 * of the pseudo header. Otherwise it is made in the pass that copies. A datagram that is longer
 * than the MTU is put together first, with its checksum, and then cut; of IPv6 only the sender
 * fragments (RFC 8200, 4.5).
 *
 * IPv4 identifications (RFC 6864) count up per destination and protocol from a secret start;
 * those of IPv6 fragments count up per destination from a secret start, too (RFC 7739, 5.3): who
 * gets some of them cannot tell what others get, and forge a fragment of theirs.
 */
#include "stack/output.h"

#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/ip4.h"

#include <errno.h>

#define TTL_DEFAULT       64u
#define TTL_GROUP         1u
#define IP4_MAX           65535u
#define ROUTER_ALERT4_LEN 4u
#define ROUTER_ALERT6_LEN 8u
#define REFER_MIN         2048u /* Less is copied faster than it is referred to. */

/* What is to be sent, with everything decided. */
struct datagram {
	const struct ip_tx *tx;
	const struct ip_path *path;
	bool is_ip4;
	uint8_t ttl;
	size_t header_len; /* Of IP, with the router alert. */
	size_t len;        /* Of all slices. */
};

int ip_send_frame(const struct ip_path *path, const struct ip_addr *dst,
		  struct weft_frame *frame, uint64_t now)
{
	uint16_t type = addr_is_ip4(dst) ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6;
	if (path->neigh)
		return neigh_send(path->neigh, frame, now);
	iface_send(path->iface, frame, iface_group_mac(dst), type);
	return 0;
}

/* ---- headers ----------------------------------------------------------------------------- */

static uint16_t next_id4(struct weft_stack *stack, const struct datagram *d,
			 unsigned count)
{
	uint64_t hash = d->path->id_hash + d->tx->protocol;
	uint16_t *counter = &stack->ip4_ids[hash % IP4_IDS];
	uint16_t id = (uint16_t)(*counter + (hash >> 32));
	*counter = (uint16_t)(*counter + count);
	return id;
}

static uint32_t next_id6(struct weft_stack *stack, const struct datagram *d)
{
	uint64_t hash = d->path->id_hash;
	return stack->ip6_ids[hash % IP6_IDS]++ + (uint32_t)(hash >> 32);
}

struct fragment {
	uint16_t off; /* In bytes, of the payload. */
	bool more;
	uint32_t id;
};

static void write_ip4(const struct datagram *d, uint8_t *to, size_t len,
		      const struct fragment *f)
{
	static const uint8_t router_alert[ROUTER_ALERT4_LEN] = { 148, 4, 0, 0 };
	const struct ip4_hdr ip = {
		.tos = d->tx->tos,
		.total_len = (uint16_t)(d->header_len + len),
		.id = (uint16_t)f->id,
		.df = d->tx->dont_fragment,
		.mf = f->more,
		.frag_off = f->off,
		.ttl = d->ttl,
		.proto = d->tx->protocol,
		.src = addr_to_ip4(&d->path->src),
		.dst = addr_to_ip4(&d->tx->dst),
		.options = router_alert,
		.options_len = d->tx->router_alert ? ROUTER_ALERT4_LEN : 0,
	};
	(void)!ip4_hdr_emit(to, d->header_len, &ip);
}

/* Hop-by-hop: next header, length, the router alert (RFC 2711), padding. */
static void write_router_alert6(uint8_t *to, uint8_t next)
{
	const uint8_t bytes[ROUTER_ALERT6_LEN] = { next, 0, 5, 2, 0, 0, 1, 0 };
	memcpy(to, bytes, sizeof(bytes));
}

/* len: of all behind the headers that are written here. f: NULL for a whole datagram. */
static void write_ip6(const struct datagram *d, uint8_t *to, size_t len,
		      const struct fragment *f)
{
	size_t ext = d->header_len - IP6_LEN;
	uint8_t next = d->tx->router_alert ? IPPROTO_HOPOPTS : d->tx->protocol;
	if (f)
		ext += IP6_FRAG_LEN;
	if (f && !d->tx->router_alert)
		next = IPPROTO_FRAGMENT;
	const struct ip6_hdr ip = {
		.tclass = d->tx->tos,
		.payload_len = (uint16_t)(ext + len),
		.next = next,
		.hop_limit = d->ttl,
		.src = addr_to_ip6(&d->path->src),
		.dst = addr_to_ip6(&d->tx->dst),
	};
	(void)!ip6_hdr_emit(to, IP6_LEN, &ip);
	if (d->tx->router_alert)
		write_router_alert6(to + IP6_LEN, f ? IPPROTO_FRAGMENT : d->tx->protocol);
	if (!f)
		return;
	const struct ip6_frag frag = { d->tx->protocol, f->off, f->more, f->id };
	(void)!ip6_frag_emit(to + d->header_len, IP6_FRAG_LEN, &frag);
}

/* ---- payload ----------------------------------------------------------------------------- */

/* The first n of them. */
static void copy_slices(const struct ip_tx *tx, size_t n, uint8_t *to)
{
	for (size_t i = 0; i < n; i++) {
		if (tx->slices[i].len > 0)
			memcpy(to, tx->slices[i].data, tx->slices[i].len);
		to += tx->slices[i].len;
	}
}

static uint16_t finish(uint8_t protocol, uint32_t sum)
{
	return protocol == IPPROTO_UDP ? checksum_finish_udp(sum) : checksum_finish(sum);
}

/* Fills in the whole checksum of what lies at transport. */
static void complete_checksum(const struct datagram *d, uint8_t *transport)
{
	const struct ip_tx *tx = d->tx;
	if (tx->no_checksum)
		return;
	uint16_t pseudo =
		ip_pseudo_checksum(&d->path->src, &tx->dst, tx->protocol, d->len);
	store_be16(transport + tx->csum_offset, 0);
	store_be16(transport + tx->csum_offset,
		   finish(tx->protocol, checksum_add(pseudo, transport, d->len)));
}

/* Leaves it to the link, which a super-frame demands. */
static void leave_checksum(const struct datagram *d, struct weft_frame *frame)
{
	const struct ip_tx *tx = d->tx;
	uint8_t *transport = frame->data + d->header_len;
	if (tx->no_checksum)
		return;
	store_be16(transport + tx->csum_offset,
		   ip_pseudo_checksum(&d->path->src, &tx->dst, tx->protocol, d->len));
	frame->offload.flags = WEFT_OFFLOAD_NEEDS_CSUM;
	frame->offload.csum_start = (uint16_t)d->header_len;
	frame->offload.csum_offset = tx->csum_offset;
}

/* ---- sending ----------------------------------------------------------------------------- */

static unsigned segments_of(const struct datagram *d)
{
	if (d->tx->gso == WEFT_GSO_NONE)
		return 1;
	return (unsigned)((d->len - d->tx->hdr_len + d->tx->gso_size - 1) /
			  d->tx->gso_size);
}

/* Whether the slices behind the first need not be copied. One that has to wait is. */
static bool may_refer(const struct datagram *d)
{
	const struct ip_tx *tx = d->tx;
	return tx->slices_stay && d->len - tx->slices[0].len >= REFER_MIN &&
	       iface_takes_pieces(d->path->iface) &&
	       (!d->path->neigh || neigh_is_known(d->path->neigh));
}

static int send_whole(struct weft_stack *stack, const struct datagram *d, uint64_t now)
{
	const struct ip_tx *tx = d->tx;
	bool refers = may_refer(d);
	size_t copied_n = refers ? 1 : tx->slices_n;
	size_t copied_len = refers ? tx->slices[0].len : d->len;
	struct weft_frame *frame =
		iface_frame(d->path->iface, d->header_len + copied_len, now);
	if (!frame || (refers && !iface_refer(d->path->iface, tx->slices + 1,
					      tx->slices_n - 1, now)))
		return -ENOBUFS;
	if (d->is_ip4) {
		const struct fragment whole = {
			.id = next_id4(stack, d, segments_of(d)),
		};
		write_ip4(d, frame->data, d->len, &whole);
	} else {
		write_ip6(d, frame->data, d->len, NULL);
	}
	copy_slices(tx, copied_n, frame->data + d->header_len);
	unsigned segments = segments_of(d);
	if (segments > 1 || (d->path->link_flags & WEFT_LINK_CSUM))
		leave_checksum(d, frame);
	else
		complete_checksum(d, frame->data + d->header_len);
	if (segments > 1) {
		frame->offload.gso = tx->gso;
		frame->offload.gso_size = tx->gso_size;
		frame->offload.hdr_len = (uint16_t)(d->header_len + tx->hdr_len);
	}
	return ip_send_frame(d->path, &tx->dst, frame, now);
}

static int send_fragment(const struct datagram *d, const uint8_t *data, size_t len,
			 const struct fragment *f, uint64_t now)
{
	size_t header_len = d->header_len + (d->is_ip4 ? 0 : IP6_FRAG_LEN);
	struct weft_frame *frame = iface_frame(d->path->iface, header_len + len, now);
	if (!frame)
		return -ENOBUFS;
	if (d->is_ip4)
		write_ip4(d, frame->data, len, f);
	else
		write_ip6(d, frame->data, len, f);
	memcpy(frame->data + header_len, data, len);
	return ip_send_frame(d->path, &d->tx->dst, frame, now);
}

static int send_fragments(struct weft_stack *stack, const struct datagram *d,
			  uint64_t now)
{
	const struct ip_tx *tx = d->tx;
	size_t header_len = d->header_len + (d->is_ip4 ? 0 : IP6_FRAG_LEN);
	size_t step = (d->path->mtu - header_len) & ~(size_t)7;
	uint8_t *whole = stack_scratch(stack);
	struct fragment f = { .more = true };
	if (!whole)
		return -ENOBUFS;
	copy_slices(tx, tx->slices_n, whole);
	complete_checksum(d, whole);
	f.id = d->is_ip4 ? next_id4(stack, d, 1) : next_id6(stack, d);
	for (size_t off = 0; off < d->len; off += step) {
		size_t len = d->len - off < step ? d->len - off : step;
		f.off = (uint16_t)off;
		f.more = off + len < d->len;
		int r = send_fragment(d, whole + off, len, &f, now);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint8_t choose_ttl(const struct ip_tx *tx, const struct ip_path *path)
{
	if (tx->ttl)
		return tx->ttl;
	if (path->is_group && addr_is_multicast(&tx->dst))
		return TTL_GROUP;
	return path->iface->hop_limit && !addr_is_ip4(&tx->dst) ? path->iface->hop_limit
								: TTL_DEFAULT;
}

static size_t header_len_of(const struct ip_tx *tx, bool is_ip4)
{
	if (is_ip4)
		return IP4_LEN + (tx->router_alert ? ROUTER_ALERT4_LEN : 0);
	return IP6_LEN + (tx->router_alert ? ROUTER_ALERT6_LEN : 0);
}

/* A super-frame, each of whose segments has room in the MTU. */
static bool gso_fits(const struct datagram *d)
{
	const struct ip_tx *tx = d->tx;
	return tx->gso_size > 0 && tx->hdr_len <= d->len && !tx->router_alert &&
	       d->header_len + tx->hdr_len + tx->gso_size <= d->path->mtu;
}

/*
 * The interface that an old path was by, for destinations that mean something on one link
 * only; others may go another way by now. It may be gone, and is not looked into before.
 */
static struct weft_iface *scope_of(const struct weft_stack *stack, const struct ip_tx *tx)
{
	if (!tx->path || !(addr_is_link_local(&tx->dst) || tx->path->is_group))
		return NULL;
	list_for_each (node, &stack->ifaces) {
		struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface == tx->path->iface)
			return iface;
	}
	return NULL;
}

int ip_output(struct weft_stack *stack, const struct ip_tx *tx, uint64_t now)
{
	struct ip_path found;
	const struct ip_path *path = tx->path;
	if (!path || !ip_path_is_current(stack, path)) {
		int r = ip_path_find(stack, &tx->src, &tx->dst, scope_of(stack, tx), now,
				     &found);
		if (r < 0)
			return r;
		path = &found;
	}
	struct datagram d = {
		.tx = tx,
		.path = path,
		.is_ip4 = addr_is_ip4(&tx->dst),
		.ttl = choose_ttl(tx, path),
	};
	d.header_len = header_len_of(tx, d.is_ip4);
	for (size_t i = 0; i < tx->slices_n; i++)
		d.len += tx->slices[i].len;
	if (d.len > IP4_MAX - (d.is_ip4 ? d.header_len : d.header_len - IP6_LEN))
		return -EMSGSIZE;
	if (tx->gso != WEFT_GSO_NONE)
		return gso_fits(&d) ? send_whole(stack, &d, now) : -EMSGSIZE;
	if (d.header_len + d.len <= path->mtu)
		return send_whole(stack, &d, now);
	return tx->dont_fragment ? -EMSGSIZE : send_fragments(stack, &d, now);
}
