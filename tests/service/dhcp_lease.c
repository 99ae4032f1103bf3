/* SPDX-License-Identifier: MIT */
/*
 * What a server may give, as tables: addresses, masks, lease times.
 */
#include "service/dhcp_lease.h"

#include "../unit.h"
#include "base/array.h"

#include <stdio.h>
#include <string.h>

static uint32_t number(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return dhcp_ip_number(&ip);
}

/* An acknowledgement that is all right. */
static struct dhcp_msg good(void)
{
	return (struct dhcp_msg){
		.op = DHCP_OP_REPLY,
		.type = DHCP_ACK,
		.yiaddr = number("192.168.7.10"),
		.subnet_mask = number("255.255.255.0"),
		.server_id = number("192.168.7.1"),
		.lease_s = 3600,
		.routers_n = 1,
		.routers = { number("192.168.7.254") },
		.dns_n = 2,
		.dns = { number("192.168.7.253"), number("9.9.9.9") },
	};
}

static const char *text(const struct weft_ip *ip)
{
	static char buf[WEFT_IP_TEXT];
	return ip->family ? weft_ip_print(ip, buf) : "none";
}

static void test_a_good_lease(void **state)
{
	(void)state;
	struct weft_dhcpc_lease lease;
	const struct dhcp_msg msg = good();
	assert_int_equal(dhcp_lease_of(&msg, false, &lease), WEFT_DHCPC_TAKEN);
	assert_string_equal(text(&lease.address), "192.168.7.10/24");
	assert_string_equal(text(&lease.server), "192.168.7.1");
	assert_string_equal(text(&lease.router), "192.168.7.254");
	assert_int_equal(lease.dns_n, 2);
	assert_string_equal(text(&lease.dns[1]), "9.9.9.9");
}

static void test_addresses_and_masks(void **state)
{
	(void)state;
	static const struct {
		const char *addr, *mask;
		enum weft_dhcpc_outcome outcome;
	} rows[] = {
		/* Private blocks, from their first host to their last. */
		{ "10.0.0.1", "255.0.0.0", WEFT_DHCPC_TAKEN },
		{ "10.255.255.254", "255.0.0.0", WEFT_DHCPC_TAKEN },
		{ "172.16.0.1", "255.240.0.0", WEFT_DHCPC_TAKEN },
		{ "172.31.255.254", "255.255.255.252", WEFT_DHCPC_TAKEN },
		{ "192.168.255.254", "255.255.0.0", WEFT_DHCPC_TAKEN },
		{ "100.64.0.1", "255.192.0.0", WEFT_DHCPC_TAKEN },
		{ "169.254.1.1", "255.255.0.0", WEFT_DHCPC_TAKEN },
		{ "198.18.0.1", "255.254.0.0", WEFT_DHCPC_TAKEN },
		{ "192.0.2.1", "255.255.255.0", WEFT_DHCPC_TAKEN },
		{ "198.51.100.1", "255.255.255.0", WEFT_DHCPC_TAKEN },
		{ "203.0.113.1", "255.255.255.0", WEFT_DHCPC_TAKEN },
		/* Networks that reach out of them, and public ones. */
		{ "172.16.0.1", "255.0.0.0", WEFT_DHCPC_DROP_PUBLIC },
		{ "192.168.1.1", "255.254.0.0", WEFT_DHCPC_DROP_PUBLIC },
		{ "100.63.255.254", "255.255.255.0", WEFT_DHCPC_DROP_PUBLIC },
		{ "8.8.8.9", "255.255.255.0", WEFT_DHCPC_DROP_PUBLIC },
		{ "8.8.8.9", "255.255.255.252", WEFT_DHCPC_DROP_PUBLIC },
		/* No host's addresses. */
		{ "0.0.0.0", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "0.1.2.3", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "127.0.0.1", "255.0.0.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "224.0.0.1", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "240.0.0.1", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "255.255.255.255", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "192.168.7.0", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "192.168.7.255", "255.255.255.0", WEFT_DHCPC_DROP_ADDRESS },
		{ "192.168.7.4", "255.255.255.252", WEFT_DHCPC_DROP_ADDRESS },
		/* Absurd masks. */
		{ "192.168.7.10", "0.0.0.0", WEFT_DHCPC_DROP_MASK },
		{ "1.2.3.4", "128.0.0.0", WEFT_DHCPC_DROP_MASK },
		{ "10.0.0.1", "254.0.0.0", WEFT_DHCPC_DROP_MASK },
		{ "192.168.7.10", "255.255.255.254", WEFT_DHCPC_DROP_MASK },
		{ "192.168.7.10", "255.255.255.255", WEFT_DHCPC_DROP_MASK },
		{ "192.168.7.10", "255.0.255.0", WEFT_DHCPC_DROP_MASK },
		{ "192.168.7.10", "0.0.0.255", WEFT_DHCPC_DROP_MASK },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct weft_dhcpc_lease lease;
		struct dhcp_msg msg = good();
		msg.yiaddr = number(rows[i].addr);
		msg.subnet_mask = number(rows[i].mask);
		enum weft_dhcpc_outcome outcome = dhcp_lease_of(&msg, false, &lease);
		if (outcome != rows[i].outcome)
			fail_msg("%s mask %s is %s", rows[i].addr, rows[i].mask,
				 weft_dhcpc_outcome_name(outcome));
	}
}

static void test_public_addresses_when_they_are_wanted(void **state)
{
	(void)state;
	struct weft_dhcpc_lease lease;
	struct dhcp_msg msg = good();
	msg.yiaddr = number("8.8.8.9");
	assert_int_equal(dhcp_lease_of(&msg, true, &lease), WEFT_DHCPC_TAKEN);
	assert_string_equal(text(&lease.address), "8.8.8.9/24");
	msg.subnet_mask = number("128.0.0.0");
	assert_int_equal(dhcp_lease_of(&msg, true, &lease), WEFT_DHCPC_DROP_MASK);
}

static void test_a_server_must_say_who_it_is(void **state)
{
	(void)state;
	static const char *const servers[] = { "0.0.0.0", "127.0.0.1", "239.1.1.1",
					       "255.255.255.255" };
	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		struct weft_dhcpc_lease lease;
		struct dhcp_msg msg = good();
		msg.server_id = number(servers[i]);
		assert_int_equal(dhcp_lease_of(&msg, false, &lease),
				 WEFT_DHCPC_DROP_SERVER);
	}
}

static void test_lease_times(void **state)
{
	(void)state;
	static const struct {
		uint32_t lease_s, t1, t2;   /* As sent; 0 for absent. */
		uint32_t renew_s, rebind_s; /* As taken; 0 for refused. */
	} rows[] = {
		{ 3600, 0, 0, 1800, 3150 },
		{ 3600, 600, 1200, 600, 1200 },
		/* What makes no sense is replaced: both, because they belong together. */
		{ 3600, 600, 0, 1800, 3150 },
		{ 3600, 0, 1200, 1800, 3150 },
		{ 3600, 1200, 1200, 1800, 3150 },
		{ 3600, 1200, 600, 1800, 3150 },
		{ 3600, 600, 3600, 1800, 3150 },
		{ 3600, 7200, 9000, 1800, 3150 },
		{ WEFT_DHCPC_FOREVER, 600, 1200, WEFT_DHCPC_FOREVER, WEFT_DHCPC_FOREVER },
		{ WEFT_DHCPC_FOREVER - 1, 0, 0, 0x7fffffff, 0xdfffffff },
		{ 10, 0, 0, 5, 9 },
		{ 9, 0, 0, 0, 0 },
		{ 0, 0, 0, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct weft_dhcpc_lease lease = { .lease_s = 0 };
		struct dhcp_msg msg = good();
		msg.lease_s = rows[i].lease_s;
		msg.renewal_s = rows[i].t1;
		msg.rebinding_s = rows[i].t2;
		assert_int_equal(dhcp_lease_of(&msg, false, &lease),
				 rows[i].renew_s ? WEFT_DHCPC_TAKEN
						 : WEFT_DHCPC_DROP_LEASE);
		assert_int_equal(lease.renew_s, rows[i].renew_s);
		assert_int_equal(lease.rebind_s, rows[i].rebind_s);
	}
}

static void test_hosts_that_are_none_are_left_out(void **state)
{
	(void)state;
	struct weft_dhcpc_lease lease;
	struct dhcp_msg msg = good();
	msg.routers[0] = 0;
	msg.dns[0] = UINT32_MAX;
	assert_int_equal(dhcp_lease_of(&msg, false, &lease), WEFT_DHCPC_TAKEN);
	assert_string_equal(text(&lease.router), "none");
	assert_int_equal(lease.dns_n, 1);
	assert_string_equal(text(&lease.dns[0]), "9.9.9.9");
}

static void set_domain_dns(struct dhcp_msg *msg, const char *domain)
{
	msg->domain_dns = 0x0a000035;
	assert_int_equal(dns_name_of_text(domain, &msg->domain_dns_domain), 0);
}

static void test_domains_are_plain_names(void **state)
{
	struct weft_dhcpc_lease lease;
	struct dhcp_msg msg = good();
	(void)state;
	snprintf(msg.domain, sizeof(msg.domain), "LAN.example.");
	set_domain_dns(&msg, "friday.weft");
	assert_int_equal(dhcp_lease_of(&msg, false, &lease), WEFT_DHCPC_TAKEN);
	assert_string_equal(lease.domain, "lan.example");
	assert_string_equal(lease.domain_dns_domain, "friday.weft");
	assert_string_equal(text(&lease.domain_dns), "10.0.0.53");
	/* Texts that would be more than a name in a file or a log. */
	snprintf(msg.domain, sizeof(msg.domain), "lan\nnameserver 10.6.6.6");
	set_domain_dns(&msg, "a b");
	assert_int_equal(dhcp_lease_of(&msg, false, &lease), WEFT_DHCPC_TAKEN);
	assert_string_equal(lease.domain, "");
	assert_int_equal(lease.domain_dns.family, 0);
	/* Without a server that can be one. */
	set_domain_dns(&msg, "friday.weft");
	msg.domain_dns = 0x7f000001;
	assert_int_equal(dhcp_lease_of(&msg, false, &lease), WEFT_DHCPC_TAKEN);
	assert_int_equal(lease.domain_dns.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_lease),
		cmocka_unit_test(test_addresses_and_masks),
		cmocka_unit_test(test_public_addresses_when_they_are_wanted),
		cmocka_unit_test(test_a_server_must_say_who_it_is),
		cmocka_unit_test(test_lease_times),
		cmocka_unit_test(test_hosts_that_are_none_are_left_out),
		cmocka_unit_test(test_domains_are_plain_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
