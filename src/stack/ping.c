/* SPDX-License-Identifier: MIT */
/*
 * Each that pings has an identifier, a random one that nobody else has; answers are theirs by
 * that alone.
 */
#include "stack/ping.h"

#include "stack/stack.h"
#include "wire/checksum.h"
#include "wire/icmp.h"

#include <weft/udp.h>

#include <errno.h>
#include <stdlib.h>

struct weft_ping {
	struct list of_stack;
	struct weft_stack *stack;
	uint16_t id;
	void (*fn)(void *user, const struct weft_ping_reply *reply, uint64_t now);
	void *user;
};

static struct weft_ping *find(const struct weft_stack *stack, uint16_t id)
{
	list_for_each (node, &stack->pings) {
		struct weft_ping *ping = container_of(node, struct weft_ping, of_stack);
		if (ping->id == id)
			return ping;
	}
	return NULL;
}

enum weft_stack_outcome ping_input(struct weft_stack *stack, const struct ip_rx *rx,
				   uint64_t now)
{
	struct icmp_hdr hdr;
	if (icmp_hdr_parse(rx->payload, rx->len, &hdr) < 0)
		return WEFT_STACK_DROP_ICMP;
	const struct weft_ping *ping = find(stack, icmp_echo_id(&hdr));
	if (!ping)
		return WEFT_STACK_DROP_ICMP_QUOTE;
	const struct weft_ping_reply reply = {
		.from = addr_to_ip(&rx->src, ADDR_BITS),
		.sequence = icmp_echo_seq(&hdr),
		.ttl = rx->ttl,
		.data = rx->payload + ICMP_LEN,
		.len = rx->len - ICMP_LEN,
	};
	ping->fn(ping->user, &reply, now);
	return WEFT_STACK_DELIVERED;
}

bool ping_error(struct weft_stack *stack, const struct ip_error *error, uint64_t now)
{
	struct icmp_hdr hdr;
	uint8_t request = icmp_echo_type(!addr_is_ip4(&error->src));
	if (icmp_hdr_parse(error->transport, error->len, &hdr) < 0 || hdr.type != request)
		return false;
	const struct weft_ping *ping = find(stack, icmp_echo_id(&hdr));
	if (!ping)
		return false;
	const struct weft_ping_reply reply = {
		.from = addr_to_ip(&error->from, ADDR_BITS),
		.error = error->error,
		.sequence = icmp_echo_seq(&hdr),
	};
	ping->fn(ping->user, &reply, now);
	return true;
}

void ping_fini(struct weft_stack *stack)
{
	list_for_each (node, &stack->pings)
		weft_ping_free(container_of(node, struct weft_ping, of_stack));
}

int weft_ping_new(struct weft_stack *stack,
		  void (*fn)(void *user, const struct weft_ping_reply *reply,
			     uint64_t now),
		  void *user, struct weft_ping **ret_ping)
{
	if (stack->pings_n == stack->opts.pings_max)
		return -ENOSPC;
	struct weft_ping *ping = calloc(1, sizeof(*ping));
	if (!ping)
		return -ENOMEM;
	*ping = (struct weft_ping){ .stack = stack, .fn = fn, .user = user };
	do
		ping->id = (uint16_t)rng_u64(&stack->rng);
	while (find(stack, ping->id));
	list_push_back(&stack->pings, &ping->of_stack);
	stack->pings_n++;
	*ret_ping = ping;
	return 0;
}

void weft_ping_free(struct weft_ping *ping)
{
	if (!ping)
		return;
	list_remove(&ping->of_stack);
	ping->stack->pings_n--;
	free(ping);
}

int weft_ping_send(struct weft_ping *ping, const struct weft_ping_request *request,
		   uint64_t now)
{
	static const struct ip_addr unspecified6;
	struct ip_addr dst;
	unsigned bits;
	uint8_t header[ICMP_LEN];
	if (!addr_of_ip(&request->to, &dst, &bits))
		return -EINVAL;
	bool is_ip4 = addr_is_ip4(&dst);
	struct icmp_hdr hdr = {
		.type = icmp_echo_type(!is_ip4),
		.rest = icmp_echo_rest(ping->id, request->sequence),
	};
	(void)!icmp_hdr_emit(header, sizeof(header), &hdr);
	if (is_ip4) {
		uint32_t sum = checksum_add(0, header, sizeof(header));
		hdr.csum =
			checksum_finish(checksum_add(sum, request->data, request->len));
		(void)!icmp_hdr_emit(header, sizeof(header), &hdr);
	}
	const struct ip_slice slices[] = { { header, sizeof(header) },
					   { request->data, request->len } };
	const struct ip_tx tx = {
		.src = is_ip4 ? addr_of_ip4(0) : unspecified6,
		.dst = dst,
		.protocol = is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.ttl = request->ttl,
		.no_checksum = is_ip4,
		.csum_offset = ICMP_OFF_CSUM,
		.slices = slices,
		.slices_n = 2,
	};
	return ip_output(ping->stack, &tx, now);
}
