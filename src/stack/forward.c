/* SPDX-License-Identifier: MIT */
/*
 * A router between the interfaces (RFC 1812, RFC 8200), where the program wants one: the TTL
 * counts down, errors go back to who sent, super-frames pass whole. What is longer than the
 * next link's MTU is dropped and told of, but for an IPv4 packet that allows fragments:
 *
 *     | ip, options |            payload                |   of a super-frame: of each segment
 *     | ip, options | 8 n bytes |                           MF
 *     | ip, copied options | 8 n bytes |                    MF, offset   (RFC 791, 3.2)
 *     | ip, copied options | rest |                         offset
 *
 * A fragment that is still too long is cut like a whole packet: offsets go on from its own, and
 * its MF stays with the last.
 */
#include "stack/icmp.h"
#include "stack/output.h"
#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/segment.h"

#include <errno.h>

/*
 * What never leaves its link, is for all on another, or cannot be sent back to (RFC 4291, 2.5.6;
 * RFC 2644; RFC 1812, 5.3.7).
 */
static bool may_pass(const struct ip_rx *ip)
{
	return !ip->is_group && !ip_is_broadcast(ip->iface->stack, &ip->dst) &&
	       !addr_is_unspecified(&ip->src) && !addr_is_link_local(&ip->src) &&
	       !addr_is_link_local(&ip->dst) &&
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

/* ---- fragments --------------------------------------------------------------------------- */

/* What later fragments have of the options, which add up: ip4_input has seen to that. */
static uint8_t copied_options(const struct ip4_hdr *hdr, uint8_t to[IP4_OPTIONS_MAX])
{
	size_t len = 0;
	for (size_t i = 0; i < hdr->options_len && hdr->options[i] != IP4_OPT_END;) {
		const uint8_t *option = hdr->options + i;
		size_t n = option[0] == IP4_OPT_NOP ? 1 : option[1];
		if (option[0] & IP4_OPT_COPIED) {
			memcpy(to + len, option, n);
			len += n;
		}
		i += n;
	}
	while (len % 4 != 0)
		to[len++] = IP4_OPT_END;
	return (uint8_t)len;
}

/* Sends [off, off + len) of a packet's payload behind a header of its own. */
static int send_piece(const struct ip_path *path, const struct ip_addr *dst,
		      const struct ip4_hdr *hdr, const uint8_t *data, size_t len,
		      uint64_t now)
{
	size_t hdr_len = (size_t)IP4_LEN + hdr->options_len;
	struct ip4_hdr piece = *hdr;
	struct weft_frame *frame = iface_frame(path->iface, hdr_len + len, now);
	if (!frame)
		return -ENOBUFS;
	piece.total_len = (uint16_t)(hdr_len + len);
	int r = ip4_hdr_emit(frame->data, hdr_len, &piece);
	if (r < 0)
		return r;
	memcpy(frame->data + hdr_len, data, len);
	return ip_send_frame(path, dst, frame, now);
}

/* Sends a packet, which has all its checksums, in as many fragments as it takes. */
static int send_pieces(const struct ip_path *path, const struct ip_addr *dst,
		       const uint8_t *packet, size_t packet_len, uint64_t now)
{
	uint8_t options[IP4_OPTIONS_MAX];
	struct ip4_hdr hdr;
	int hdr_len = ip4_hdr_parse(packet, packet_len, &hdr);
	if (hdr_len < 0)
		return hdr_len;
	const uint8_t *data = packet + hdr_len;
	size_t left = hdr.total_len - (size_t)hdr_len;
	bool is_followed = hdr.mf;
	hdr.ttl--;
	while (left > 0) {
		size_t most = path->mtu - IP4_LEN - hdr.options_len;
		size_t len = left <= most ? left : most & ~(size_t)7;
		hdr.mf = len < left || is_followed;
		int r = send_piece(path, dst, &hdr, data, len, now);
		if (r < 0)
			return r;
		data += len;
		left -= len;
		hdr.frag_off = (uint16_t)(hdr.frag_off + len);
		if (hdr.options != options)
			hdr.options_len = copied_options(&hdr, options);
		hdr.options = options;
	}
	return 0;
}

static int send_fragmented(const struct iface_rx *rx, const struct ip_path *path,
			   const struct ip_addr *dst, uint64_t now)
{
	size_t link = (size_t)(rx->packet - rx->frame->data);
	const struct weft_frame *frames;
	int n = cutter_cut(&rx->iface->stack->cutter, rx->frame, !rx->iface->is_ethernet,
			   &frames);
	int r = n;
	for (int i = 0; i < n && r >= 0; i++)
		r = send_pieces(path, dst, frames[i].data + link, frames[i].len - link,
				now);
	return r;
}

static bool may_fragment(const struct ip_rx *ip)
{
	return addr_is_ip4(&ip->dst) &&
	       !(load_be16(ip->packet + IP4_OFF_FRAG) & IP4_FRAG_DF);
}

/* A fragment that ends where no packet reaches: its pieces would begin from 0 again. */
static bool is_beyond_packet(const struct ip_rx *ip, size_t packet_len)
{
	size_t off =
		(load_be16(ip->packet + IP4_OFF_FRAG) & IP4_FRAG_OFF_MASK) * (size_t)8;
	return off > 0 && off + packet_len > UINT16_MAX;
}

/* ---- the way through --------------------------------------------------------------------- */

static int send_whole(const struct iface_rx *rx, const struct ip_path *path,
		      const struct ip_addr *dst, size_t packet_len, uint64_t now)
{
	struct weft_frame *frame = iface_frame(path->iface, packet_len, now);
	if (!frame)
		return -ENOBUFS;
	memcpy(frame->data, rx->packet, packet_len);
	frame->offload = offload_behind(rx);
	count_down(frame->data);
	return ip_send_frame(path, dst, frame, now);
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
	bool is_too_long = longest_packet(rx, packet_len) > path.mtu;
	if (is_too_long && !may_fragment(ip)) {
		ip_send_too_big(ip, path.mtu, now);
		return WEFT_STACK_DROP_TOO_BIG;
	}
	if (is_too_long && is_beyond_packet(ip, packet_len))
		return WEFT_STACK_DROP_FRAGMENT;
	int r = is_too_long ? send_fragmented(rx, &path, &ip->dst, now)
			    : send_whole(rx, &path, &ip->dst, packet_len, now);
	if (r == -EHOSTUNREACH)
		icmp_send_unreachable_host(ip, now);
	return r < 0 ? WEFT_STACK_DROP_NO_ROUTE : WEFT_STACK_FORWARDED;
}
