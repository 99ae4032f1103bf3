/* SPDX-License-Identifier: MIT */
/*
 * IGMP for a host (RFC 3376), which speaks version 2 (RFC 2236) as long as there is a querier
 * that does. Version 1 is history: its queries are taken for those of version 2.
 *
 *     query     0x11 | max response | checksum | group | (version 3: S QRV | QQIC | sources ...
 *     report 3  0x22 | 0 | checksum | 0 | 1 || record: type | 0 | 0 sources | group
 *     report 2  0x16 | 0 | checksum | group              leave 0x17 likewise
 */
#include "base/time.h"
#include "stack/group.h"
#include "stack/stack.h"
#include "wire/checksum.h"

#define IGMP3_LEN     12u /* Of a query of version 3 without sources. */
#define REPORT3_LEN   16u
#define ALL_HOSTS     0xe0000001u
#define ALL_ROUTERS   0xe0000002u
#define IGMP3_ROUTERS 0xe0000016u
#define TENTH_NS      (NS_PER_S / 10)

/* The interface's first address of use; 0.0.0.0 without (RFC 3376, 4.2.13). */
static struct ip_addr source(const struct weft_iface *iface)
{
	struct ip_addr any = addr_of_ip4(UINT32_MAX - 1);
	const struct iface_addr *a = iface_choose_src(iface, &any);
	return a ? a->addr : addr_of_ip4(0);
}

static void send_igmp(struct weft_iface *iface, uint32_t dst, uint8_t *message,
		      size_t len, uint64_t now)
{
	struct ip_addr to = addr_of_ip4(dst);
	struct ip_addr src = source(iface);
	store_be16(message + 2, checksum(message, len));
	group_send(iface, &src, &to, message, len, now);
}

static void report2(struct weft_iface *iface, const struct ip_addr *group,
		    enum group_report what, uint64_t now)
{
	uint8_t message[IGMP_LEN] = { IGMP_TYPE_REPORT2 };
	uint32_t dst = addr_to_ip4(group);
	if (what == GROUP_LEFT) {
		message[0] = IGMP_TYPE_LEAVE;
		dst = ALL_ROUTERS;
	}
	store_be32(message + 4, addr_to_ip4(group));
	send_igmp(iface, dst, message, sizeof(message), now);
}

void igmp_report(struct weft_iface *iface, const struct ip_addr *group,
		 enum group_report what, uint64_t now)
{
	uint8_t message[REPORT3_LEN] = {
		IGMP_TYPE_REPORT3, [7] = 1, [8] = (uint8_t)what
	};
	if (iface->old_igmp_until > now) {
		report2(iface, group, what, now);
		return;
	}
	store_be32(message + 12, addr_to_ip4(group));
	send_igmp(iface, IGMP3_ROUTERS, message, sizeof(message), now);
}

/* Maximum response time: a floating point number from 128 on (RFC 3376, 4.1.1). */
static uint64_t response_ns(uint8_t code)
{
	if (code < 128)
		return code * TENTH_NS;
	unsigned exponent = code >> 4 & 7u;
	return (uint64_t)(((code & 0x0fu) | 0x10u) << (exponent + 3)) * TENTH_NS;
}

/* From this link, and as long as one of a version (RFC 3376, 7.1); for all, where all are (9.1). */
static bool is_query_valid(const struct ip_rx *rx, const struct ip_addr *group)
{
	if (rx->ttl != 1 || (rx->len != IGMP_LEN && rx->len < IGMP3_LEN))
		return false;
	if (!addr_is_unspecified(group))
		return addr_is_multicast(group);
	return !rx->is_group || addr_to_ip4(&rx->dst) == ALL_HOSTS;
}

static enum weft_stack_outcome take_query(const struct ip_rx *rx, uint64_t now)
{
	struct weft_iface *iface = rx->iface;
	struct ip_addr group = addr_of_ip4(load_be32(rx->payload + 4));
	uint64_t within = response_ns(rx->payload[1]);
	if (!is_query_valid(rx, &group))
		return WEFT_STACK_DROP_GROUP;
	if (rx->len < IGMP3_LEN) {
		iface->old_igmp_until = now + GROUP_OLD_QUERIER_NS;
		within = rx->payload[1] ? rx->payload[1] * TENTH_NS : 100 * TENTH_NS;
	}
	group_query(iface, &group, within, now);
	return WEFT_STACK_NOTED;
}

static enum weft_stack_outcome input(struct weft_stack *stack, const struct ip_rx *rx,
				     uint64_t now)
{
	(void)stack;
	if (!addr_is_ip4(&rx->src) || rx->len < IGMP_LEN ||
	    !checksum_is_right(0, rx->payload, rx->len))
		return WEFT_STACK_DROP_GROUP;
	struct ip_addr group = addr_of_ip4(load_be32(rx->payload + 4));
	switch (rx->payload[0]) {
	case IGMP_TYPE_QUERY:
		return take_query(rx, now);
	case IGMP_TYPE_REPORT1:
	case IGMP_TYPE_REPORT2:
		if (rx->is_group && rx->iface->old_igmp_until > now)
			group_heard_report(rx->iface, &group);
		return WEFT_STACK_NOTED;
	default:
		return WEFT_STACK_IGNORED;
	}
}

const struct ip_protocol igmp_protocol = {
	.number = IPPROTO_IGMP,
	.input = input,
};
