/* SPDX-License-Identifier: MIT */
/*
 * Judging leases. A room's DHCP server may be anybody, and its mask decides which addresses
 * this machine looks for in the room: 8.8.8.9 with /24 would bring the world's name server
 * there, 1.2.3.4 with /1 half of the Internet. So a network must lie wholly in one of the
 * blocks that are nobody's on the Internet.
 */
#include "service/dhcp_lease.h"

#include "base/array.h"
#include "wire/cursor.h"

#define PREFIX_MIN 8u
#define PREFIX_MAX 30u

struct block {
	uint32_t addr;
	uint8_t prefix;
};

/* RFC 6890, table 1 to 16: what is not global and can be an address of a LAN. */
static const struct block private_blocks[] = {
	{ 0x0a000000, 8 },  /* 10.0.0.0       RFC 1918 */
	{ 0xac100000, 12 }, /* 172.16.0.0     RFC 1918 */
	{ 0xc0a80000, 16 }, /* 192.168.0.0    RFC 1918 */
	{ 0x64400000, 10 }, /* 100.64.0.0     RFC 6598 */
	{ 0xa9fe0000, 16 }, /* 169.254.0.0    RFC 3927 */
	{ 0xc6120000, 15 }, /* 198.18.0.0     RFC 2544 */
	{ 0xc0000200, 24 }, /* 192.0.2.0      RFC 5737 */
	{ 0xc6336400, 24 }, /* 198.51.100.0   RFC 5737 */
	{ 0xcb007100, 24 }, /* 203.0.113.0    RFC 5737 */
};

/* prefix 1..32. */
static uint32_t mask_of(uint8_t prefix)
{
	return UINT32_MAX << (32 - prefix);
}

static bool is_private(uint32_t addr, uint8_t prefix)
{
	for (size_t i = 0; i < ARRAY_LEN(private_blocks); i++) {
		const struct block *block = &private_blocks[i];
		if (prefix >= block->prefix &&
		    (addr & mask_of(block->prefix)) == block->addr)
			return true;
	}
	return false;
}

bool dhcp_is_host(uint32_t addr)
{
	uint32_t first = addr >> 24;
	return first != 0 && first != 127 && first < 224;
}

struct weft_ip dhcp_ip(uint32_t addr, uint8_t prefix)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = prefix };
	store_be32(ip.octet, addr);
	return ip;
}

uint32_t dhcp_ip_number(const struct weft_ip *ip)
{
	return load_be32(ip->octet);
}

/* Returns the prefix length of a mask, or 0 where it is absent, has holes or is too wide or
   too narrow for a LAN. */
static uint8_t prefix_of(uint32_t mask)
{
	for (uint8_t prefix = PREFIX_MIN; prefix <= PREFIX_MAX; prefix++)
		if (mask == mask_of(prefix))
			return prefix;
	return 0;
}

/* RFC 2131, 4.4.5: T1 is half of the lease and T2 seven eighths, unless the server says so
   otherwise, and what it says makes sense. A lease without end has no T1 and T2. */
static void set_times(const struct dhcp_msg *msg, struct weft_dhcpc_lease *lease)
{
	uint32_t t1 = msg->renewal_s;
	uint32_t t2 = msg->rebinding_s;
	lease->lease_s = msg->lease_s;
	if (msg->lease_s == WEFT_DHCPC_FOREVER)
		t1 = t2 = WEFT_DHCPC_FOREVER;
	else if (t1 == 0 || t1 >= t2 || t2 >= msg->lease_s) {
		t1 = msg->lease_s / 2;
		t2 = msg->lease_s - msg->lease_s / 8;
	}
	lease->renew_s = t1;
	lease->rebind_s = t2;
}

static void set_names(const struct dhcp_msg *msg, struct weft_dhcpc_lease *lease)
{
	struct dns_name domain;
	for (size_t i = 0; i < msg->dns_n; i++)
		if (dhcp_is_host(msg->dns[i]) && lease->dns_n < WEFT_DHCPC_DNS_MAX)
			lease->dns[lease->dns_n++] = dhcp_ip(msg->dns[i], 32);
	if (dns_name_of_text(msg->domain, &domain) == 0)
		(void)dns_name_print_plain(&domain, lease->domain, sizeof(lease->domain));
	if (!dhcp_is_host(msg->domain_dns))
		return;
	if (dns_name_print_plain(&msg->domain_dns_domain, lease->domain_dns_domain,
				 sizeof(lease->domain_dns_domain)))
		lease->domain_dns = dhcp_ip(msg->domain_dns, 32);
}

static void set_facts(const struct dhcp_msg *msg, struct weft_dhcpc_lease *lease)
{
	lease->server = dhcp_ip(msg->server_id, 32);
	if (msg->routers_n > 0 && dhcp_is_host(msg->routers[0]))
		lease->router = dhcp_ip(msg->routers[0], 32);
	set_names(msg, lease);
}

enum weft_dhcpc_outcome dhcp_lease_of(const struct dhcp_msg *msg, bool allow_public,
				      struct weft_dhcpc_lease *ret_lease)
{
	uint32_t addr = msg->yiaddr;
	if (!dhcp_is_host(msg->server_id))
		return WEFT_DHCPC_DROP_SERVER;
	if (!dhcp_is_host(addr))
		return WEFT_DHCPC_DROP_ADDRESS;
	uint8_t prefix = prefix_of(msg->subnet_mask);
	if (prefix == 0)
		return WEFT_DHCPC_DROP_MASK;
	uint32_t host = addr & ~mask_of(prefix);
	if (host == 0 || host == ~mask_of(prefix))
		return WEFT_DHCPC_DROP_ADDRESS;
	if (!allow_public && !is_private(addr, prefix))
		return WEFT_DHCPC_DROP_PUBLIC;
	if (msg->lease_s < DHCP_LEASE_MIN_S)
		return WEFT_DHCPC_DROP_LEASE;
	struct weft_dhcpc_lease lease = { .address = dhcp_ip(addr, prefix) };
	set_times(msg, &lease);
	set_facts(msg, &lease);
	*ret_lease = lease;
	return WEFT_DHCPC_TAKEN;
}
