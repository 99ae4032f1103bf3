/* SPDX-License-Identifier: MIT */
/*
 * ICMP for a host (RFC 792, RFC 1122 3.2.2).
 *
 *     8 echo              answered              3 unreachable    to the socket it is about
 *     0 echo reply        to who has asked      11 time exceeded likewise
 *     5 redirect          judged                12 parameter     likewise
 *     anything else, and source quench (RFC 6633): ignored
 */
#include "stack/icmp.h"
#include "stack/ping.h"
#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/ip4.h"

#include <errno.h>

#define MTU_MIN 68u /* RFC 791. */

/* Codes of unreachable, and what they are to a socket (RFC 1122, 3.2.2.1 and 4.2.3.9). */
static void read_unreachable(uint8_t code, struct ip_error *error)
{
	switch (code) {
	case 2:
		error->kind = IP_ERROR_PROTOCOL;
		error->error = -ENOPROTOOPT;
		break;
	case 3:
		error->kind = IP_ERROR_PORT;
		error->error = -ECONNREFUSED;
		break;
	case 4:
		error->kind = IP_ERROR_TOO_BIG;
		error->error = -EMSGSIZE;
		break;
	case 9:
	case 10:
	case 13:
		error->kind = IP_ERROR_PROHIBITED;
		error->error = -EACCES;
		break;
	case 0:
	case 6:
	case 11:
		error->kind = IP_ERROR_UNREACHABLE;
		error->error = -ENETUNREACH;
		break;
	default:
		error->kind = IP_ERROR_UNREACHABLE;
		error->error = -EHOSTUNREACH;
		break;
	}
}

/* A router that does not say how much: the next plateau below (RFC 1191, 7.1). */
static uint32_t plateau_below(size_t packet_len)
{
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002,
					     1492,  1006,  508,  296,  68 };
	size_t i = 0;
	while (plateaus[i] >= packet_len && plateaus[i] > MTU_MIN)
		i++;
	return plateaus[i];
}

bool icmp4_read_quote(const uint8_t *packet, size_t len, struct icmp_quote *ret_quote)
{
	struct ip4_hdr hdr;
	int hdr_len = ip4_hdr_peek(packet, len, &hdr);
	if (hdr_len < 0 || hdr.frag_off > 0)
		return false;
	*ret_quote = (struct icmp_quote){
		.src = addr_of_ip4(hdr.src),
		.dst = addr_of_ip4(hdr.dst),
		.protocol = hdr.proto,
		.packet_len = hdr.total_len,
		.transport = packet + hdr_len,
		.len = len - (size_t)hdr_len,
	};
	return true;
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
	if (!icmp4_read_quote(rx->payload + ICMP_LEN, rx->len - ICMP_LEN, &quote))
		return WEFT_STACK_DROP_ICMP;
	if (hdr->type == ICMP4_UNREACHABLE) {
		read_unreachable(hdr->code, &error);
	} else if (hdr->type == ICMP4_TIME_EXCEEDED) {
		error.kind =
			hdr->code == 1 ? IP_ERROR_REASSEMBLY : IP_ERROR_TIME_EXCEEDED;
		error.error = -EHOSTUNREACH;
	}
	if (error.kind == IP_ERROR_TOO_BIG) {
		uint32_t mtu = hdr->rest & 0xffff;
		error.mtu = mtu ? mtu : plateau_below(quote.packet_len);
		if (error.mtu < MTU_MIN)
			return WEFT_STACK_DROP_ICMP;
	}
	return icmp_take_error(stack, rx, &quote, &error, now);
}

static enum weft_stack_outcome take_redirect(struct weft_stack *stack,
					     const struct ip_rx *rx,
					     const struct icmp_hdr *hdr, uint64_t now)
{
	struct icmp_quote quote;
	struct ip_addr gateway = addr_of_ip4(hdr->rest);
	if (hdr->code > 3 ||
	    !icmp4_read_quote(rx->payload + ICMP_LEN, rx->len - ICMP_LEN, &quote))
		return WEFT_STACK_DROP_ICMP;
	if (!ip_is_own(stack, &quote.src))
		return WEFT_STACK_DROP_ICMP_QUOTE;
	return icmp_take_redirect(rx, &quote.dst, &gateway, now);
}

static enum weft_stack_outcome input(struct weft_stack *stack, const struct ip_rx *rx,
				     uint64_t now)
{
	struct icmp_hdr hdr;
	if (!addr_is_ip4(&rx->src) || icmp_hdr_parse(rx->payload, rx->len, &hdr) < 0 ||
	    !checksum_is_right(0, rx->payload, rx->len))
		return WEFT_STACK_DROP_ICMP;
	switch (hdr.type) {
	case ICMP4_ECHO:
		return icmp_answer_echo(stack, rx, ICMP4_ECHO_REPLY, now);
	case ICMP4_ECHO_REPLY:
		return ping_input(stack, rx, now);
	case ICMP4_UNREACHABLE:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAM_PROBLEM:
		return take_error(stack, rx, &hdr, now);
	case ICMP4_REDIRECT:
		return take_redirect(stack, rx, &hdr, now);
	default:
		return WEFT_STACK_IGNORED;
	}
}

const struct ip_protocol icmp4_protocol = {
	.number = IPPROTO_ICMP,
	.input = input,
	.error = ping_error,
	.fini = ping_fini,
};
