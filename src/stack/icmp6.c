/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6 for a host (RFC 4443): echo and errors here, what belongs to the link in nd.c and
 * mld.c.
 */
#include "stack/icmp6.h"

#include "stack/group.h"
#include "stack/icmp.h"
#include "stack/nd.h"
#include "stack/output.h"
#include "stack/ping.h"
#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/nd.h"

#include <errno.h>

void icmp6_send_parameter_problem(const struct ip_rx *rx, uint8_t code, uint32_t pointer,
				  uint64_t now)
{
	const struct icmp_hdr hdr = {
		.type = ICMP6_PARAM_PROBLEM,
		.code = code,
		.rest = pointer,
	};
	icmp_send_error(rx, &hdr, now);
}

void icmp6_send_on_link(struct weft_iface *iface, const struct ip_addr *src,
			const struct ip_addr *dst, uint8_t *message, size_t len,
			uint64_t now)
{
	struct ip_path path = { .iface = iface, .src = *src };
	bool is_group = addr_is_multicast(dst);
	/* Asking for a neighbour comes first: it may put a frame of its own into the batch. */
	if (iface->is_ethernet && !is_group) {
		path.neigh = neigh_get(iface, dst, now);
		if (!path.neigh)
			return;
	}
	const struct ip6_hdr ip = {
		.payload_len = (uint16_t)len,
		.next = IPPROTO_ICMPV6,
		.hop_limit = ND_HOP_LIMIT,
		.src = addr_to_ip6(src),
		.dst = addr_to_ip6(dst),
	};
	struct weft_frame *frame = iface_frame(iface, IP6_LEN + len, now);
	if (!frame)
		return;
	uint16_t pseudo = ip_pseudo_checksum(src, dst, IPPROTO_ICMPV6, len);
	store_be16(message + ICMP_OFF_CSUM,
		   checksum_finish(checksum_add(pseudo, message, len)));
	(void)!ip6_hdr_emit(frame->data, IP6_LEN, &ip);
	memcpy(frame->data + IP6_LEN, message, len);
	(void)ip_send_frame(&path, dst, frame, now);
}

static void read_unreachable(uint8_t code, struct ip_error *error)
{
	error->kind = IP_ERROR_UNREACHABLE;
	error->error = code == 0 ? -ENETUNREACH : -EHOSTUNREACH;
	if (code == 4) {
		error->kind = IP_ERROR_PORT;
		error->error = -ECONNREFUSED;
	} else if (code == 1 || code == 5 || code == 6) {
		error->kind = IP_ERROR_PROHIBITED;
		error->error = -EACCES;
	}
}

bool icmp6_read_quote(const uint8_t *packet, size_t len, struct icmp_quote *ret_quote)
{
	struct ip6_hdr hdr;
	struct ip6_ext ext;
	if (ip6_hdr_peek(packet, len, &hdr) < 0)
		return false;
	int off = ip6_ext_walk(packet, len, hdr.next, &ext);
	if (off < 0 || ext.frag.off > 0)
		return false;
	*ret_quote = (struct icmp_quote){
		.src = addr_of_ip6(&hdr.src),
		.dst = addr_of_ip6(&hdr.dst),
		.protocol = ext.proto,
		.packet_len = IP6_LEN + (size_t)hdr.payload_len,
		.transport = packet + off,
		.len = len - (size_t)off,
	};
	/* A mapped address has never been on the wire: no socket of IPv4 is meant. */
	return !addr_is_ip4(&ret_quote->src) && !addr_is_ip4(&ret_quote->dst);
}

static enum weft_stack_outcome take_error(struct weft_stack *stack,
					  const struct ip_rx *rx,
					  const struct icmp_hdr *hdr, uint64_t now)
{
	struct icmp_quote quote;
	struct ip_error error = {
		.kind = IP_ERROR_PARAMETER,
		.error = -EPROTO,
	};
	if (!icmp6_read_quote(rx->payload + ICMP_LEN, rx->len - ICMP_LEN, &quote))
		return WEFT_STACK_DROP_ICMP;
	switch (hdr->type) {
	case ICMP6_UNREACHABLE:
		read_unreachable(hdr->code, &error);
		break;
	case ICMP6_PACKET_TOO_BIG:
		error.kind = IP_ERROR_TOO_BIG;
		error.error = -EMSGSIZE;
		error.mtu = hdr->rest;
		/* RFC 8201, 4: less than any link has is a lie. */
		if (error.mtu < IFACE_MTU_MIN)
			return WEFT_STACK_DROP_ICMP;
		break;
	case ICMP6_TIME_EXCEEDED:
		error.kind =
			hdr->code == 1 ? IP_ERROR_REASSEMBLY : IP_ERROR_TIME_EXCEEDED;
		error.error = -EHOSTUNREACH;
		break;
	default:
		/* An unknown next header is what "protocol unreachable" is in IPv4. */
		if (hdr->type == ICMP6_PARAM_PROBLEM && hdr->code == 1) {
			error.kind = IP_ERROR_PROTOCOL;
			error.error = -ENOPROTOOPT;
		}
		break;
	}
	return icmp_take_error(stack, rx, &quote, &error, now);
}

static enum weft_stack_outcome input(struct weft_stack *stack, const struct ip_rx *rx,
				     uint64_t now)
{
	struct icmp_hdr hdr;
	if (addr_is_ip4(&rx->src) || icmp_hdr_parse(rx->payload, rx->len, &hdr) < 0 ||
	    !ip_checksum_is_right(rx))
		return WEFT_STACK_DROP_ICMP;
	switch (hdr.type) {
	case ICMP6_ECHO:
		return icmp_answer_echo(stack, rx, ICMP6_ECHO_REPLY, now);
	case ICMP6_ECHO_REPLY:
		return ping_input(stack, rx, now);
	case ICMP6_ROUTER_SOLICIT:
	case ICMP6_ROUTER_ADVERT:
	case ICMP6_NEIGHBOR_SOLICIT:
	case ICMP6_NEIGHBOR_ADVERT:
	case ICMP6_REDIRECT:
		return nd_input(rx, now);
	case ICMP6_MLD_QUERY:
	case ICMP6_MLD_REPORT:
		return mld_input(rx, now);
	case ICMP6_UNREACHABLE:
	case ICMP6_PACKET_TOO_BIG:
	case ICMP6_TIME_EXCEEDED:
	case ICMP6_PARAM_PROBLEM:
		return take_error(stack, rx, &hdr, now);
	default:
		return WEFT_STACK_IGNORED;
	}
}

const struct ip_protocol icmp6_protocol = {
	.number = IPPROTO_ICMPV6,
	.input = input,
	.error = ping_error,
};
