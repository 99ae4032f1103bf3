/* SPDX-License-Identifier: MIT */
/*
 * Frames in and out of an interface. What comes in is first held to what its sender can have
 * meant: the offload facts are true (a lie in csum_start would have the checksum taken for
 * right), the MAC is ours or a group's, the VLAN is ours. Then the type says who takes it.
 *
 * 802.1Q: an interface with a VLAN takes and sends tagged frames only; one without takes
 * untagged frames and those tagged for priority only (VID 0).
 */
#include "stack/iface.h"

#include "base/mac.h"
#include "stack/arp.h"
#include "stack/group.h"
#include "stack/ip4.h"
#include "stack/ip6.h"
#include "stack/nd.h"
#include "stack/stack.h"
#include "wire/segment.h"

#include <errno.h>
#include <stdlib.h>

#define SLOT_ALIGN   16u
/* In front of an IP packet: what every frame of weft has, and an Ethernet header with a tag. */
#define SLOT_FRONT   96u
#define MTU_DEFAULT  1500u
#define MTU_LOOPBACK 65535u
#define VLAN_MAX     4094u

_Static_assert(SLOT_FRONT >= WEFT_HEADROOM + ETHER_LEN + ETHER_TAG_LEN, "room in front");
_Static_assert(WEFT_FRAME_LEN_MAX + SLOT_FRONT + SLOT_ALIGN <= IFACE_ARENA_LEN,
	       "an arena takes any frame");

/* ---- in ---------------------------------------------------------------------------------- */

static bool is_for_us(const struct weft_iface *iface, struct weft_mac dst)
{
	return mac_is_group(dst) || mac_equal(dst, iface->mac);
}

static bool is_our_vlan(const struct weft_iface *iface, const struct ether_hdr *eth)
{
	uint16_t vid = eth->tags_n > 0 ? eth->tags[0].tci & ETHER_VID_MASK : 0;
	return eth->tags_n <= 1 && vid == iface->opts.vlan &&
	       (eth->tags_n == 0 || eth->tags[0].tpid == ETHER_TYPE_VLAN);
}

static enum weft_stack_outcome ip_by_version(const struct iface_rx *rx, uint64_t now)
{
	uint8_t version = rx->len > 0 ? rx->packet[0] >> 4 : 0;
	if (version == 4)
		return ip4_input(rx, now);
	if (version == 6)
		return ip6_input(rx, now);
	return WEFT_STACK_DROP_IP_HEADER;
}

static enum weft_stack_outcome ether_input(struct iface_rx *rx, uint64_t now)
{
	struct ether_hdr eth;
	int hdr_len = ether_hdr_parse(rx->packet, rx->len, &eth);
	if (hdr_len < 0)
		return WEFT_STACK_DROP_RUNT;
	/* Our own MAC as source: a loop, or a frame of ours that came back. */
	if (!is_for_us(rx->iface, eth.dst) || mac_equal(eth.src, rx->iface->mac))
		return WEFT_STACK_DROP_NOT_OURS;
	if (mac_is_group(eth.src))
		return WEFT_STACK_DROP_MARTIAN;
	if (!is_our_vlan(rx->iface, &eth))
		return WEFT_STACK_DROP_ETHERTYPE;
	rx->packet += hdr_len;
	rx->len -= (size_t)hdr_len;
	rx->src = eth.src;
	rx->is_link_group = mac_is_group(eth.dst);
	switch (eth.type) {
	case ETHER_TYPE_IP4:
		return ip4_input(rx, now);
	case ETHER_TYPE_IP6:
		return ip6_input(rx, now);
	case ETHER_TYPE_ARP:
		return arp_input(rx, now);
	default:
		return WEFT_STACK_DROP_ETHERTYPE;
	}
}

enum weft_stack_outcome iface_input(struct weft_iface *iface,
				    const struct weft_frame *frame, uint64_t now)
{
	const struct weft_offload *offload = &frame->offload;
	bool has_facts = offload->gso != WEFT_GSO_NONE ||
			 (offload->flags & WEFT_OFFLOAD_NEEDS_CSUM);
	if (has_facts && segment_check(frame, !iface->is_ethernet) < 0)
		return WEFT_STACK_DROP_OFFLOAD;
	if (iface->filter && iface->filter(iface->filter_user, frame, now))
		return WEFT_STACK_DELIVERED;
	struct iface_rx rx = {
		.iface = iface,
		.frame = frame,
		.packet = frame->data,
		.len = frame->len,
	};
	return iface->is_ethernet ? ether_input(&rx, now) : ip_by_version(&rx, now);
}

/* ---- out --------------------------------------------------------------------------------- */

/* What a packet of len bytes takes of the arena. */
static size_t slot_len(size_t len)
{
	const size_t align = SLOT_ALIGN;
	return (SLOT_FRONT + len + align - 1) / align * align;
}

struct weft_frame *iface_frame(struct weft_iface *iface, size_t len, uint64_t now)
{
	size_t needed = slot_len(len);
	if (needed > IFACE_ARENA_LEN || iface->is_flushing)
		return NULL;
	/* Loopback's would come in at once, in the middle of whoever sends. */
	if (iface->link &&
	    (iface->frames_n == IFACE_BATCH || needed > IFACE_ARENA_LEN - iface->used))
		iface_flush(iface, now);
	if (!iface->arena)
		iface->arena = malloc(IFACE_ARENA_LEN);
	if (!iface->arena || iface->frames_n == IFACE_BATCH ||
	    needed > IFACE_ARENA_LEN - iface->used)
		return NULL;
	struct weft_frame *frame = &iface->frames[iface->frames_n];
	*frame = (struct weft_frame){
		.data = iface->arena + iface->used + SLOT_FRONT,
		.len = (uint32_t)len,
		.headroom = SLOT_FRONT,
	};
	iface->rests[iface->frames_n].n = 0;
	return frame;
}

bool iface_takes_pieces(const struct weft_iface *iface)
{
	return iface->link && link_takes_pieces(iface->link) &&
	       iface->pieces_n <= IFACE_PIECES / 2;
}

bool iface_refer(struct weft_iface *iface, const struct ip_slice *slices, size_t n,
		 uint64_t now)
{
	if (n > IFACE_PIECES - iface->pieces_n)
		return false;
	iface->rests[iface->frames_n].first = iface->pieces_n;
	iface->rests[iface->frames_n].n = n;
	for (size_t i = 0; i < n; i++)
		iface->pieces[iface->pieces_n++] =
			(struct link_piece){ slices[i].data, slices[i].len };
	iface->referred_at = now;
	iface->stack->refers = true;
	return true;
}

static void push_ether(const struct weft_iface *iface, struct weft_frame *frame,
		       struct weft_mac dst, uint16_t type)
{
	struct ether_hdr eth = { .dst = dst, .src = iface->mac, .type = type };
	if (iface->opts.vlan) {
		eth.tags[0] = (struct ether_tag){ ETHER_TYPE_VLAN, iface->opts.vlan };
		eth.tags_n = 1;
	}
	uint32_t hdr_len = ETHER_LEN + eth.tags_n * ETHER_TAG_LEN;
	frame->data -= hdr_len;
	frame->headroom -= hdr_len;
	frame->len += hdr_len;
	(void)!ether_hdr_emit(frame->data, hdr_len, &eth);
	if (frame->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM)
		frame->offload.csum_start =
			(uint16_t)(frame->offload.csum_start + hdr_len);
	if (frame->offload.gso != WEFT_GSO_NONE)
		frame->offload.hdr_len = (uint16_t)(frame->offload.hdr_len + hdr_len);
}

void iface_send(struct weft_iface *iface, struct weft_frame *frame, struct weft_mac dst,
		uint16_t type)
{
	size_t needed = slot_len(frame->len);
	if (iface->is_ethernet)
		push_ether(iface, frame, dst, type);
	iface->used += needed;
	iface->frames_n++;
}

/*
 * What was sent to ourselves comes in; what is sent meanwhile waits for the next run, or two who
 * answer each other would do so one within the other.
 */
static void loop_back(struct weft_iface *iface, uint64_t now)
{
	struct weft_stack *stack = iface->stack;
	struct weft_frame frames[IFACE_BATCH];
	size_t n = iface->frames_n;
	uint8_t *arena = iface->arena;
	memcpy(frames, iface->frames, n * sizeof(*frames));
	iface->arena = NULL;
	iface->frames_n = iface->used = 0;
	stack->busy++;
	stack_receive(stack, iface, frames, n, now);
	stack->busy--;
	if (iface->arena)
		free(arena);
	else
		iface->arena = arena;
}

/* Frames that are whole go in runs; those that are not go one by one. */
static void send_batch(struct weft_iface *iface, uint64_t now)
{
	size_t start = 0;
	for (size_t i = 0; iface->pieces_n > 0 && i < iface->frames_n; i++) {
		if (iface->rests[i].n == 0)
			continue;
		weft_link_send(iface->link, iface->frames + start, i - start, now);
		link_send_pieces(iface->link, &iface->frames[i],
				 iface->pieces + iface->rests[i].first, iface->rests[i].n,
				 now);
		start = i + 1;
	}
	weft_link_send(iface->link, iface->frames + start, iface->frames_n - start, now);
}

void iface_flush(struct weft_iface *iface, uint64_t now)
{
	if (iface->frames_n == 0 || iface->is_flushing)
		return;
	if (!iface->link) {
		loop_back(iface, now);
		return;
	}
	iface->is_flushing = true;
	send_batch(iface, now);
	iface->is_flushing = false;
	iface->frames_n = iface->pieces_n = iface->used = 0;
}

void ip_settle(struct weft_stack *stack)
{
	if (!stack->refers)
		return;
	stack->refers = false;
	list_for_each (node, &stack->ifaces) {
		struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface->pieces_n > 0)
			iface_flush(iface, iface->referred_at);
	}
}

struct weft_mac iface_group_mac(const struct ip_addr *group)
{
	const uint8_t *o = group->octet;
	if (!addr_is_ip4(group))
		return (struct weft_mac){ { 0x33, 0x33, o[12], o[13], o[14], o[15] } };
	if (!addr_is_multicast(group))
		return (struct weft_mac){ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	return (struct weft_mac){ { 0x01, 0x00, 0x5e, o[13] & 0x7f, o[14], o[15] } };
}

/* ---- life -------------------------------------------------------------------------------- */

static void receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	struct weft_iface *iface = user;
	(void)link;
	stack_receive(iface->stack, iface, frames, n, now);
}

/* A MAC that nobody else has, locally administered, and the same for the same secret. */
static struct weft_mac make_mac(const struct weft_iface *iface)
{
	uint64_t number =
		hash_bytes(iface->stack->secret, &iface->index, sizeof(iface->index));
	struct weft_mac mac = mac_from_u64(number);
	mac.octet[0] = (uint8_t)((mac.octet[0] | 0x02) & ~0x01);
	return mac;
}

static struct weft_iface *iface_new(struct weft_stack *stack,
				    const struct weft_iface_opts *opts)
{
	struct weft_iface *iface = calloc(1, sizeof(*iface));
	if (!iface)
		return NULL;
	iface->stack = stack;
	iface->opts = *opts;
	iface->index = stack->loopback ? ++stack->last_index : 0;
	list_init(&iface->addrs);
	list_init(&iface->groups);
	list_push_back(&stack->ifaces, &iface->of_stack);
	stack->ifaces_n++;
	nd_init_iface(iface);
	return iface;
}

/* The longest IP packet that the link carries; 0 if it carries none. */
static uint32_t link_mtu(const struct weft_link *link, uint16_t vlan)
{
	struct weft_link_caps caps = weft_link_caps(link);
	uint32_t header = ETHER_LEN + (vlan ? ETHER_TAG_LEN : 0);
	if (caps.flags & WEFT_LINK_PPP)
		return 0;
	if (caps.flags & WEFT_LINK_IP)
		header = 0;
	uint32_t mtu = caps.frame_len_max > header ? caps.frame_len_max - header : 0;
	return mtu < MTU_LOOPBACK ? mtu : MTU_LOOPBACK;
}

static void begin_ip6(struct weft_iface *iface, uint64_t now)
{
	if (iface->opts.no_ip6 || !iface->is_ethernet)
		return;
	struct ip_addr addr = nd_link_local(iface);
	(void)!iface_add_addr(iface, &addr, 64, 0, now, NULL);
}

int weft_stack_add_interface(struct weft_stack *stack, struct weft_link *link,
			     const struct weft_iface_opts *opts, uint64_t now,
			     struct weft_iface **ret_iface)
{
	static const struct weft_iface_opts defaults;
	if (!opts)
		opts = &defaults;
	uint32_t mtu_max = link_mtu(link, opts->vlan);
	uint32_t mtu = opts->mtu;
	if (mtu == 0)
		mtu = mtu_max < MTU_DEFAULT ? mtu_max : MTU_DEFAULT;
	if (mtu > mtu_max || mtu < IFACE_MTU_MIN || opts->vlan > VLAN_MAX ||
	    mac_is_group(opts->mac))
		return -EINVAL;
	if (stack->ifaces_n > stack->opts.interfaces_max)
		return -ENOSPC;
	struct weft_iface *iface = iface_new(stack, opts);
	if (!iface)
		return -ENOMEM;
	iface->link = link;
	iface->link_flags = weft_link_caps(link).flags;
	iface->is_ethernet = !(iface->link_flags & WEFT_LINK_IP);
	iface->mtu = iface->mtu_ip6 = mtu;
	if (iface->is_ethernet)
		iface->mac = mac_is_zero(opts->mac) ? make_mac(iface) : opts->mac;
	weft_link_on_receive(link, receive, iface);
	begin_ip6(iface, now);
	stack_changed(stack);
	*ret_iface = iface;
	return 0;
}

int iface_add_loopback(struct weft_stack *stack, uint64_t now)
{
	static const struct weft_iface_opts opts;
	const struct ip_addr one4 = addr_of_ip4(0x7f000001);
	const struct ip_addr one6 = { { [15] = 1 } };
	struct weft_iface *iface = iface_new(stack, &opts);
	if (!iface)
		return -ENOMEM;
	stack->loopback = iface;
	iface->mtu = iface->mtu_ip6 = MTU_LOOPBACK;
	iface->link_flags = WEFT_LINK_IP | WEFT_LINK_CSUM | WEFT_LINK_TSO4 |
			    WEFT_LINK_TSO6 | WEFT_LINK_USO;
	int r = iface_add_addr(iface, &one4, ADDR_IP4_BITS + 8, 0, now, NULL);
	return r < 0 ? r : iface_add_addr(iface, &one6, ADDR_BITS, 0, now, NULL);
}

void weft_stack_remove_interface(struct weft_iface *iface, uint64_t now)
{
	struct weft_stack *stack = iface->stack;
	if (iface->link)
		weft_link_on_receive(iface->link, NULL, NULL);
	wheel_cancel(&stack->wheel, &iface->solicit);
	advice_end(iface);
	list_for_each (node, &iface->addrs)
		iface_remove_addr(container_of(node, struct iface_addr, of_iface), now);
	udp_iface_gone(stack, iface);
	group_leave_all(iface);
	neigh_remove_all(iface);
	routes_remove_all(stack, iface);
	dest_remove_all(stack, iface);
	frag_remove_all(stack, iface);
	list_remove(&iface->of_stack);
	stack->ifaces_n--;
	stack_changed(stack);
	free(iface->arena);
	free(iface);
}

void weft_iface_on_frame(struct weft_iface *iface, weft_iface_filter *fn, void *user)
{
	iface->filter = fn;
	iface->filter_user = user;
}

struct weft_iface *iface_of_index(const struct weft_stack *stack, uint32_t index)
{
	list_for_each (node, &stack->ifaces) {
		struct weft_iface *iface =
			container_of(node, struct weft_iface, of_stack);
		if (iface->link && iface->index == index)
			return iface;
	}
	return NULL;
}

uint32_t weft_iface_index(const struct weft_iface *iface)
{
	return iface->index;
}

struct weft_mac weft_iface_mac(const struct weft_iface *iface)
{
	return iface->mac;
}

uint32_t weft_iface_mtu(const struct weft_iface *iface)
{
	return iface->mtu;
}
