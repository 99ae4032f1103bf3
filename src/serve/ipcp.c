/* SPDX-License-Identifier: MIT */
/*
 * Control of IPv4. A peer that names another address, or 0.0.0.0 for "tell me", hears the
 * right one by Nak, and asks again with that.
 */
#include "serve/ipcp.h"

#include "base/container.h"

static struct ipcp *ipcp_of(struct negotiation *n)
{
	return container_of(n, struct ipcp, negotiation);
}

static void ipcp_begin(struct negotiation *n)
{
	ipcp_of(n)->has_asked = false;
}

static enum negotiation_verdict judge_address(const struct ppp_option *option,
					      uint32_t right, struct writer *nak)
{
	if (right == 0)
		return NEGOTIATION_REJECT;
	if (ppp_option_u32(option) == right)
		return NEGOTIATION_ACK;
	ppp_option_put_u32(nak, option->type, right);
	return NEGOTIATION_NAK;
}

static enum negotiation_verdict ipcp_judge(struct negotiation *n,
					   const struct ppp_option *option,
					   struct writer *nak)
{
	struct ipcp *ipcp = ipcp_of(n);
	const struct ipcp_addresses *a = &ipcp->addresses;
	switch (option->type) {
	case IPCP_ADDRESS:
		ipcp->has_asked = true;
		return judge_address(option, a->peer, nak);
	case IPCP_DNS1:
		return judge_address(option, a->dns[0], nak);
	case IPCP_DNS2:
		return judge_address(option, a->dns[1] ? a->dns[1] : a->dns[0], nak);
	default: /* Compression, above all. */
		return NEGOTIATION_REJECT;
	}
}

/* A peer that does not ask for an address may still take one. */
static void ipcp_demand(struct negotiation *n, struct writer *nak)
{
	struct ipcp *ipcp = ipcp_of(n);
	if (!ipcp->has_asked)
		ppp_option_put_u32(nak, IPCP_ADDRESS, ipcp->addresses.peer);
}

static void ipcp_request(struct negotiation *n, struct writer *options)
{
	struct ipcp *ipcp = ipcp_of(n);
	if (ipcp->asks_address)
		ppp_option_put_u32(options, IPCP_ADDRESS, ipcp->addresses.gateway);
}

/* A peer that wants us to have another address would also do without knowing ours. */
static void ipcp_refused(struct negotiation *n, const struct ppp_option *option,
			 bool is_reject)
{
	(void)is_reject;
	if (option->type == IPCP_ADDRESS)
		ipcp_of(n)->asks_address = false;
}

static const struct negotiation_ops ipcp_ops = {
	.protocol = PPP_IPCP,
	.begin = ipcp_begin,
	.judge = ipcp_judge,
	.demand = ipcp_demand,
	.request = ipcp_request,
	.refused = ipcp_refused,
};

void ipcp_init(struct ipcp *ipcp, const struct negotiation_events *events, void *user)
{
	*ipcp = (struct ipcp){ .asks_address = true };
	negotiation_init(&ipcp->negotiation, &ipcp_ops, events, user);
}

void ipcp_set_addresses(struct ipcp *ipcp, const struct ipcp_addresses *addresses)
{
	ipcp->addresses = *addresses;
	ipcp->asks_address = true;
}
