/* SPDX-License-Identifier: MIT */
/*
 * The rules for errors are the same in both families (RFC 1122 3.2.2, RFC 4443 2.4 (e)): none
 * about an error, a later fragment, or what was for a group; none to who is not one host; and
 * no more than so many per second, of all stacks' limits the one that matters most, because
 * anybody can have errors sent to anybody. Each address has a limit of its own, so that who asks
 * for many does not silence what others are told. What all of them have in common is used up by
 * a random amount for each error: who counts the errors left over for himself does not learn
 * whether others were sent any, and with that which ports are open (SAD DNS, CVE-2020-25705).
 *
 * An error that comes in is believed as far as its quote shows something that this host has
 * sent: from an address of its own, to a protocol that recognises it (RFC 5927).
 */
#include "stack/icmp.h"

#include "stack/ip6.h"
#include "stack/output.h"
#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/ip4.h"

#define QUOTE4_MAX 548u  /* An error of 576 bytes (RFC 1812, 4.3.2.3) without headers. */
#define QUOTE6_MAX 1232u /* One of 1280 (RFC 4443, 2.4 (c)). */

/*
 * Whether the packet is itself an error, or might be one (RFC 4443, 2.4 (e)). One that is to be
 * forwarded has headers in front of its ICMPv6 that nobody has walked over yet.
 */
static bool is_error6(const struct ip_rx *rx)
{
	size_t len = (size_t)(rx->payload - rx->packet) + rx->len;
	struct ip6_ext ext;
	int off = ip6_ext_walk(rx->packet, len, rx->packet[IP6_OFF_NEXT], &ext);
	if (off < 0)
		return true;
	if (ext.proto != IPPROTO_ICMPV6)
		return false;
	return ext.frag.off > 0 || (size_t)off == len ||
	       icmp6_is_error(rx->packet[off]) || rx->packet[off] == ICMP6_REDIRECT;
}

/* The same of IPv4: RFC 1122, 3.2.2. */
static bool is_error(const struct ip_rx *rx)
{
	if (!addr_is_ip4(&rx->src))
		return is_error6(rx);
	return rx->protocol == IPPROTO_ICMP &&
	       (rx->len < 1 || icmp4_is_error(rx->payload[0]));
}

static bool is_later_fragment(const struct ip_rx *rx)
{
	return addr_is_ip4(&rx->src) &&
	       (load_be16(rx->packet + IP4_OFF_FRAG) & IP4_FRAG_OFF_MASK) != 0;
}

/* Of what is told about packets to groups, too, only this can happen here (RFC 4443, 2.4 (e)). */
static bool may_answer_group(const struct ip_rx *about, const struct icmp_hdr *hdr)
{
	return !addr_is_ip4(&about->dst) && hdr->type == ICMP6_PARAM_PROBLEM &&
	       hdr->code == 2;
}

static bool may_send(const struct ip_rx *about, const struct icmp_hdr *hdr)
{
	const struct weft_iface *iface = about->iface;
	if (addr_is_unspecified(&about->src) || addr_is_multicast(&about->src) ||
	    iface_is_broadcast(iface, &about->src))
		return false;
	if (about->is_group && !may_answer_group(about, hdr))
		return false;
	return !is_error(about) && !is_later_fragment(about);
}

/* The address that was written to answers; another one where that is not ours. */
static struct ip_addr answer_src(const struct weft_stack *stack, const struct ip_rx *rx)
{
	static const struct ip_addr unspecified6;
	if (!rx->is_group && ip_is_own(stack, &rx->dst))
		return rx->dst;
	return addr_is_ip4(&rx->dst) ? addr_of_ip4(0) : unspecified6;
}

void icmp_init_limits(struct weft_stack *stack)
{
	uint32_t rate = stack->opts.errors_per_s;
	stack->errors = bucket_of(rate, rate / 10 + 1);
	/* An error takes one to three halves of a token. */
	stack->errors.interval_ns /= 2;
	for (size_t i = 0; i < ICMP_BUCKETS; i++)
		stack->errors_to[i] = bucket_of(rate / 10 + 1, rate / 100 + 1);
	stack->echoes =
		bucket_of(stack->opts.echoes_per_s, stack->opts.echoes_per_s / 10 + 1);
}

/* Addresses that share a bucket by chance share their limit; which do so is secret. */
static bool rate_allows(struct weft_stack *stack, const struct ip_addr *to, uint64_t now)
{
	uint64_t hash = hash_bytes(stack->secret, to, sizeof(*to));
	return bucket_take(&stack->errors_to[hash % ICMP_BUCKETS], 1, now) &&
	       bucket_take(&stack->errors, 1 + (uint32_t)rng_below(&stack->rng, 3), now);
}

static int send_icmp(struct weft_stack *stack, const struct ip_rx *to,
		     const uint8_t *header, const uint8_t *rest, size_t rest_len,
		     uint64_t now)
{
	const struct ip_slice slices[] = { { header, ICMP_LEN }, { rest, rest_len } };
	bool is_ip4 = addr_is_ip4(&to->src);
	struct ip_path path;
	struct ip_tx tx = {
		.src = answer_src(stack, to),
		.dst = to->src,
		.protocol = is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.no_checksum = is_ip4,
		.csum_offset = ICMP_OFF_CSUM,
		.slices = slices,
		.slices_n = 2,
	};
	/* A link-local sender is on the link that it was heard on. */
	struct weft_iface *iface = addr_is_link_local(&to->src) ? to->iface : NULL;
	int r = ip_path_find(stack, &tx.src, &tx.dst, iface, now, &path);
	if (r < 0)
		return r;
	tx.path = &path;
	return ip_output(stack, &tx, now);
}

void icmp_send_error(const struct ip_rx *about, const struct icmp_hdr *hdr, uint64_t now)
{
	struct weft_stack *stack = about->iface->stack;
	bool is_ip4 = addr_is_ip4(&about->src);
	size_t quote_len = (size_t)(about->payload - about->packet) + about->len;
	size_t quote_max = is_ip4 ? QUOTE4_MAX : QUOTE6_MAX;
	struct icmp_hdr full = *hdr;
	uint8_t header[ICMP_LEN];
	if (!may_send(about, hdr))
		return;
	if (!rate_allows(stack, &about->src, now)) {
		stack_event(stack, WEFT_STACK_ERROR_LIMITED);
		return;
	}
	if (quote_len > quote_max)
		quote_len = quote_max;
	(void)!icmp_hdr_emit(header, sizeof(header), &full);
	if (is_ip4) {
		uint32_t sum = checksum_add(0, header, sizeof(header));
		full.csum = checksum_finish(checksum_add(sum, about->packet, quote_len));
		(void)!icmp_hdr_emit(header, sizeof(header), &full);
	}
	if (send_icmp(stack, about, header, about->packet, quote_len, now) == 0)
		stack_event(stack, WEFT_STACK_ERROR_SENT);
}

void ip_send_error(struct weft_stack *stack, const struct ip_rx *rx,
		   enum ip_error_kind kind, uint64_t now)
{
	static const struct {
		struct icmp_hdr ip4, ip6;
	} messages[] = {
		[IP_ERROR_UNREACHABLE] = { { .type = 3 }, { .type = 1 } },
		[IP_ERROR_PORT] = { { .type = 3, .code = 3 }, { .type = 1, .code = 4 } },
		[IP_ERROR_PROTOCOL] = { { .type = 3, .code = 2 },
					{ .type = 4, .code = 1 } },
		[IP_ERROR_PROHIBITED] = { { .type = 3, .code = 13 },
					  { .type = 1, .code = 1 } },
		[IP_ERROR_TIME_EXCEEDED] = { { .type = 11 }, { .type = 3 } },
		[IP_ERROR_REASSEMBLY] = { { .type = 11, .code = 1 },
					  { .type = 3, .code = 1 } },
	};
	bool is_ip4 = addr_is_ip4(&rx->src);
	struct icmp_hdr hdr = is_ip4 ? messages[kind].ip4 : messages[kind].ip6;
	(void)stack;
	if (kind == IP_ERROR_PROTOCOL && !is_ip4)
		hdr.rest = (uint32_t)ip6_next_field(rx->packet,
						    (size_t)(rx->payload - rx->packet));
	icmp_send_error(rx, &hdr, now);
}

void ip_send_too_big(const struct ip_rx *rx, uint32_t mtu, uint64_t now)
{
	struct icmp_hdr hdr = { .type = ICMP6_PACKET_TOO_BIG, .rest = mtu };
	if (addr_is_ip4(&rx->src)) {
		hdr.type = ICMP4_UNREACHABLE;
		hdr.code = ICMP4_CODE_FRAG_NEEDED;
	}
	icmp_send_error(rx, &hdr, now);
}

void icmp_send_unreachable_host(const struct ip_rx *rx, uint64_t now)
{
	static const struct icmp_hdr ip4 = { .type = ICMP4_UNREACHABLE, .code = 1 };
	static const struct icmp_hdr ip6 = { .type = ICMP6_UNREACHABLE, .code = 3 };
	icmp_send_error(rx, addr_is_ip4(&rx->src) ? &ip4 : &ip6, now);
}

enum weft_stack_outcome icmp_answer_echo(struct weft_stack *stack, const struct ip_rx *rx,
					 uint8_t reply, uint64_t now)
{
	uint8_t header[ICMP_LEN];
	if (stack->opts.no_echo || (rx->is_group && !stack->opts.broadcast_echo))
		return WEFT_STACK_IGNORED;
	if (!bucket_take(&stack->echoes, 1, now))
		return WEFT_STACK_DROP_ECHO_LIMIT;
	memcpy(header, rx->payload, sizeof(header));
	uint16_t before = load_be16(header);
	header[ICMP_OFF_TYPE] = reply;
	/* ICMP: the sum changes by the type alone. ICMPv6: ip_output makes it anew. */
	store_be16(header + ICMP_OFF_CSUM,
		   checksum_update(load_be16(header + ICMP_OFF_CSUM), before,
				   load_be16(header)));
	int r = send_icmp(stack, rx, header, rx->payload + ICMP_LEN, rx->len - ICMP_LEN,
			  now);
	return r < 0 ? WEFT_STACK_IGNORED : WEFT_STACK_ANSWERED;
}

enum weft_stack_outcome icmp_take_error(struct weft_stack *stack, const struct ip_rx *rx,
					const struct icmp_quote *quote,
					struct ip_error *error, uint64_t now)
{
	const struct ip_protocol *protocol = stack_protocol(quote->protocol);
	if (!ip_is_own(stack, &quote->src) || !protocol || !protocol->error ||
	    quote->len < 8)
		return WEFT_STACK_DROP_ICMP_QUOTE;
	error->from = rx->src;
	error->src = quote->src;
	error->dst = quote->dst;
	error->scope = ip_scope_of(rx->iface, &quote->src, &quote->dst);
	error->transport = quote->transport;
	error->len = quote->len;
	if (!protocol->error(stack, error, now))
		return WEFT_STACK_DROP_ICMP_QUOTE;
	if (error->kind == IP_ERROR_TOO_BIG)
		dest_set_mtu(stack, &quote->dst, error->mtu, now);
	return WEFT_STACK_DELIVERED;
}

void icmp_give_back(struct weft_iface *iface, const uint8_t *packet, size_t len,
		    uint64_t now)
{
	struct icmp_quote quote;
	bool is_read = packet[0] >> 4 == 4 ? icmp4_read_quote(packet, len, &quote)
					   : icmp6_read_quote(packet, len, &quote);
	if (!is_read || ip_is_own(iface->stack, &quote.src))
		return;
	const struct ip_rx rx = {
		.iface = iface,
		.src = quote.src,
		.dst = quote.dst,
		.protocol = quote.protocol,
		.packet = packet,
		.payload = quote.transport,
		.len = quote.len,
	};
	icmp_send_unreachable_host(&rx, now);
}

enum weft_stack_outcome icmp_take_redirect(const struct ip_rx *rx,
					   const struct ip_addr *target,
					   const struct ip_addr *gateway, uint64_t now)
{
	struct weft_stack *stack = rx->iface->stack;
	struct weft_iface *iface = rx->iface;
	if (stack->opts.forwarding || !iface->is_ethernet)
		return WEFT_STACK_IGNORED;
	if (addr_is_multicast(target) || addr_is_multicast(gateway) ||
	    addr_is_unspecified(gateway) || iface_is_broadcast(iface, gateway) ||
	    ip_is_own(stack, gateway) || ip_is_own(stack, target))
		return WEFT_STACK_DROP_ICMP;
	const struct dest *dest = dest_find(stack, target, now);
	const struct ip_route *now_by = routes_lookup(stack, target, iface, now);
	const struct ip_addr *router = NULL;
	if (dest && dest->has_gateway)
		router = &dest->gateway;
	else if (now_by && now_by->has_gateway)
		router = &now_by->gateway;
	if (!router || !addr_equal(router, &rx->src))
		return WEFT_STACK_DROP_ICMP;
	/* The new one must be a neighbour. Of IPv6 nd.c has asked for what is always one. */
	const struct ip_route *to_gateway = routes_lookup(stack, gateway, iface, now);
	if (addr_is_ip4(gateway) && (!to_gateway || to_gateway->has_gateway))
		return WEFT_STACK_DROP_ICMP;
	dest_redirect(stack, target, gateway, iface, now);
	return WEFT_STACK_NOTED;
}
