/* SPDX-License-Identifier: MIT */
/*
 * MLD for a host: version 2 (RFC 3810), and version 1 (RFC 2710) as long as there is a querier
 * that speaks it.
 *
 *     query     130 | 0 | checksum | max response ms | 0 | group | (version 2: S QRV ...
 *     report 2  143 | 0 | checksum | 0 | 1 || record: type | 0 | 0 sources | group
 *     report 1  131 | 0 | checksum | 0 | 0 | group             done 132 likewise
 */
#include "base/time.h"
#include "stack/group.h"
#include "wire/icmp.h"

#define MLD_LEN     24u
#define MLD2_LEN    28u /* Of a query of version 2 without sources. */
#define REPORT2_LEN 28u
#define CODE_FLOAT  32768u

static const struct ip_addr mld2_routers = { { 0xff, 0x02, [15] = 0x16 } };
static const struct ip_addr all_routers = { { 0xff, 0x02, [15] = 2 } };
static const struct ip_addr unspecified;

/* The link-local address; :: while there is none (RFC 3590). */
static const struct ip_addr *source(const struct weft_iface *iface)
{
	const struct iface_addr *a = iface_link_local(iface);
	return a ? &a->addr : &unspecified;
}

static void report1(struct weft_iface *iface, const struct ip_addr *group,
		    enum group_report what, uint64_t now)
{
	uint8_t message[MLD_LEN] = { ICMP6_MLD_REPORT };
	if (what == GROUP_LEFT)
		message[0] = ICMP6_MLD_DONE;
	memcpy(message + 8, group->octet, sizeof(group->octet));
	group_send(iface, source(iface), what == GROUP_LEFT ? &all_routers : group,
		   message, sizeof(message), now);
}

void mld_report(struct weft_iface *iface, const struct ip_addr *group,
		enum group_report what, uint64_t now)
{
	uint8_t message[REPORT2_LEN] = {
		ICMP6_MLD2_REPORT, [7] = 1, [8] = (uint8_t)what
	};
	/* Interface-local and reserved scopes are nobody's business (RFC 3810, 6). */
	if ((group->octet[1] & 0x0f) <= 1)
		return;
	if (iface->old_mld_until > now) {
		report1(iface, group, what, now);
		return;
	}
	memcpy(message + 12, group->octet, sizeof(group->octet));
	group_send(iface, source(iface), &mld2_routers, message, sizeof(message), now);
}

/* Maximum response delay: a floating point number from 32768 on (RFC 3810, 5.1.3). */
static uint64_t response_ns(uint16_t code)
{
	if (code < CODE_FLOAT)
		return code * NS_PER_MS;
	unsigned exponent = code >> 12 & 7u;
	return (uint64_t)(((code & 0x0fffu) | 0x1000u) << (exponent + 3)) * NS_PER_MS;
}

/* Whether the packet has the option (RFC 2711); ip6.c has seen to it that the options add up. */
static bool has_router_alert(const struct ip_rx *rx)
{
	const uint8_t *header = rx->packet + IP6_LEN;
	if (rx->packet[IP6_OFF_NEXT] != IPPROTO_HOPOPTS)
		return false;
	struct reader r = reader_of(header, ((size_t)header[1] + 1) * 8);
	reader_skip(&r, 2);
	while (reader_left(&r) > 0) {
		uint8_t type = reader_u8(&r);
		if (type == IP6_OPT_ROUTER_ALERT)
			return true;
		if (type != IP6_OPT_PAD1)
			reader_skip(&r, reader_u8(&r));
	}
	return false;
}

static enum weft_stack_outcome take_query(const struct ip_rx *rx, uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	struct ip_addr group = unspecified;
	memcpy(group.octet, rx->payload + 8, sizeof(group.octet));
	/* From no querier (RFC 3810, 6.2), of no version's length (8.1), or about no group. */
	if (!has_router_alert(rx) || (rx->len != MLD_LEN && rx->len < MLD2_LEN) ||
	    (!addr_is_unspecified(&group) &&
	     (!addr_is_multicast(&group) || addr_is_ip4(&group))))
		return WEFT_STACK_DROP_GROUP;
	uint16_t code = load_be16(rx->payload + 4);
	uint64_t within = response_ns(code);
	if (rx->len < MLD2_LEN) {
		iface->old_mld_until = now + GROUP_OLD_QUERIER_NS;
		within = code * NS_PER_MS;
	}
	group_query(iface, &group, within, now);
	return WEFT_STACK_NOTED;
}

enum weft_stack_outcome mld_input(const struct ip_rx *rx, uint64_t now)
{
	struct ip_addr group = unspecified;
	if (rx->len < MLD_LEN || rx->ttl != 1 || !addr_is_link_local(&rx->src))
		return WEFT_STACK_DROP_GROUP;
	if (rx->payload[ICMP_OFF_TYPE] == ICMP6_MLD_QUERY)
		return take_query(rx, now);
	memcpy(group.octet, rx->payload + 8, sizeof(group.octet));
	if (rx->iface->old_mld_until > now)
		group_heard_report(rx->iface, &group);
	return WEFT_STACK_NOTED;
}
