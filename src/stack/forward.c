/* SPDX-License-Identifier: MIT */
/*
 * A router between the interfaces (RFC 1812, RFC 8200), where the program wants one: the TTL
 * counts down, errors go back to who sent, super-frames pass whole. What is longer than the
 * next link's MTU is dropped and told of; an IPv4 packet that allows it is not fragmented here,
 * which RFC 6864 and everyone's path MTU discovery leave without users.
 */
#include "stack/output.h"
#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/segment.h"

/* What never leaves its link, or cannot be sent back to (RFC 4291 2.5.6, RFC 1812 5.3.7). */
static bool may_pass(const struct ip_rx *ip)
{
	return !ip->is_group && !addr_is_unspecified(&ip->src) &&
	       !addr_is_link_local(&ip->src) && !addr_is_link_local(&ip->dst) &&
	       (!addr_is_ip4(&ip->dst) || addr_to_ip4(&ip->dst) >> 28 < 0xe);
}

static void count_down(uint8_t *packet)
{
	if (packet[0] >> 4 == 6) {
		packet[IP6_OFF_HOP_LIMIT]--;
		return;
	}
	uint16_t before = load_be16(packet + IP4_OFF_TTL);
	packet[IP4_OFF_TTL]--;
	store_be16(packet + IP4_OFF_CSUM,
		   checksum_update(load_be16(packet + IP4_OFF_CSUM), before,
				   load_be16(packet + IP4_OFF_TTL)));
}

/* How long the longest packet is that this becomes on a link. */
static size_t longest_packet(const struct iface_rx *rx, size_t packet_len)
{
	const struct weft_offload *offload = &rx->frame->offload;
	if (offload->gso == WEFT_GSO_NONE)
		return packet_len;
	int headers = segment_check(rx->frame, !rx->iface->is_ethernet);
	size_t link = (size_t)(rx->packet - rx->frame->data);
	return headers < 0 ? packet_len : (size_t)headers - link + offload->gso_size;
}

static struct weft_offload offload_behind(const struct iface_rx *rx)
{
	struct weft_offload offload = rx->frame->offload;
	size_t link = (size_t)(rx->packet - rx->frame->data);
	if (offload.flags & WEFT_OFFLOAD_NEEDS_CSUM)
		offload.csum_start = (uint16_t)(offload.csum_start - link);
	if (offload.hdr_len >= link)
		offload.hdr_len = (uint16_t)(offload.hdr_len - link);
	return offload;
}

enum weft_stack_outcome ip_forward(const struct iface_rx *rx, const struct ip_rx *ip,
				   size_t packet_len, uint64_t now)
{
	struct weft_stack *stack = rx->iface->stack;
	struct ip_path path;
	if (!stack->opts.forwarding || !rx->frame || rx->is_link_group || !may_pass(ip))
		return WEFT_STACK_DROP_NO_HOST;
	if (ip->ttl <= 1) {
		ip_send_error(stack, ip, IP_ERROR_TIME_EXCEEDED, now);
		return WEFT_STACK_DROP_TTL;
	}
	if (ip_path_onward(stack, &ip->dst, now, &path) < 0) {
		ip_send_error(stack, ip, IP_ERROR_UNREACHABLE, now);
		return WEFT_STACK_DROP_NO_ROUTE;
	}
	if (longest_packet(rx, packet_len) > path.mtu) {
		ip_send_too_big(ip, path.mtu, now);
		return WEFT_STACK_DROP_TOO_BIG;
	}
	struct weft_frame *frame = iface_frame(path.iface, packet_len, now);
	if (!frame)
		return WEFT_STACK_DROP_NO_ROUTE;
	memcpy(frame->data, rx->packet, packet_len);
	frame->offload = offload_behind(rx);
	count_down(frame->data);
	if (ip_send_frame(&path, &ip->dst, frame, now) < 0) {
		ip_send_error(stack, ip, IP_ERROR_UNREACHABLE, now);
		return WEFT_STACK_DROP_NO_ROUTE;
	}
	return WEFT_STACK_FORWARDED;
}
