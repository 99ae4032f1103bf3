/* SPDX-License-Identifier: MIT */
/*
 * One secret serves for all: what is hashed begins with what it is hashed for.
 */
#include "stack/tcp_isn.h"

#include "stack/tcp.h"
#include "stack/tcp_listen.h"

#include <errno.h>

#define ISN_TICK_NS 4000u /* RFC 9293, 3.4.1. */
#define PORTS       (TCP_PORT_LAST - TCP_PORT_FIRST + 1)

enum purpose { FOR_ISN, FOR_TIMESTAMPS, FOR_PORT };

static uint32_t hash_for(const struct tcp *tcp, enum purpose purpose,
			 const struct tcp_flow *flow)
{
	struct {
		struct tcp_flow flow;
		uint32_t purpose;
	} input = { .flow = *flow, .purpose = purpose };
	return (uint32_t)hash_bytes(tcp->secret, &input, sizeof(input));
}

uint32_t tcp_isn(const struct tcp *tcp, const struct tcp_flow *flow, uint64_t now)
{
	return (uint32_t)(now / ISN_TICK_NS) + hash_for(tcp, FOR_ISN, flow);
}

uint32_t tcp_ts_offset(const struct tcp *tcp, const struct tcp_flow *flow)
{
	struct tcp_flow hosts = { .local = flow->local, .remote = flow->remote };
	return hash_for(tcp, FOR_TIMESTAMPS, &hosts);
}

int tcp_choose_port(struct tcp *tcp, struct tcp_flow *flow)
{
	struct tcp_flow rest = *flow;
	rest.lport = 0;
	uint32_t offset = hash_for(tcp, FOR_PORT, &rest);
	for (uint32_t i = 0; i < PORTS; i++) {
		flow->lport =
			(uint16_t)(TCP_PORT_FIRST + (offset + tcp->next_port++) % PORTS);
		if (!tcp_table_find(&tcp->table, flow) && !tcp_listener_find(tcp, flow))
			return 0;
	}
	return -EADDRINUSE;
}
