/* SPDX-License-Identifier: MIT */
/*
 * The filter: each rule with a frame that it stops, the same frame from the gateway, the rule
 * switched off; whose address is whose; rates in virtual time.
 */
#include "bridge/filter.h"

#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/igmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#define S  UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static const uint8_t secret[HASH_SECRET_LEN] = { 7 };
static const struct weft_mac everybody = { { 255, 255, 255, 255, 255, 255 } };

struct scene {
	struct filter *filter;
	struct filter_member alice, bob, lan;
	uint8_t buf[2048];
	struct weft_frame frame;
	uint64_t now;
};

static void begin(struct scene *s, const struct filter_opts *opts)
{
	*s = (struct scene){ .now = 100 * S };
	assert_int_equal(filter_new(opts, secret, &s->filter), 0);
	filter_join(s->filter, &s->alice, false);
	filter_join(s->filter, &s->bob, false);
	filter_join(s->filter, &s->lan, true);
}

static void end(struct scene *s)
{
	filter_leave(s->filter, &s->alice);
	filter_leave(s->filter, &s->bob);
	filter_leave(s->filter, &s->lan);
	filter_free(s->filter);
}

static enum filter_outcome from(struct scene *s, struct filter_member *member)
{
	return filter_decide(s->filter, member, &s->frame, true, s->now);
}

/* ---- frames ------------------------------------------------------------------------------ */

static void make_ether(struct scene *s, uint16_t type, size_t len)
{
	const struct ether_hdr hdr = { .dst = everybody,
				       .src = { { 2, 0, 0, 0, 0, 1 } },
				       .type = type };
	assert_true(ether_hdr_emit(s->buf, ETHER_LEN, &hdr) > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static struct compose packet(const char *src, const char *dst)
{
	return (struct compose){ .is_ether = true,
				 .dst_mac = everybody,
				 .src_mac = { { 2, 0, 0, 0, 0, 1 } },
				 .src = ip_of(src),
				 .dst = ip_of(dst),
				 .ttl = 255 };
}

static void make_udp(struct scene *s, const char *src, const char *dst, uint16_t sport,
		     uint16_t dport)
{
	struct compose c = packet(src, dst);
	c.sport = sport;
	c.dport = dport;
	int len = compose_udp(&c, "0123456789", 10, s->buf, sizeof(s->buf));
	assert_true(len > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

/* An upper layer behind whatever headers bytes begins with; next says what comes first. */
static void make_ip6(struct scene *s, uint8_t next, const uint8_t *bytes, size_t len)
{
	struct compose c = packet("fe80::1", "ff02::1");
	c.proto = next;
	int n = compose_ip(&c, bytes, len, s->buf, sizeof(s->buf));
	assert_true(n > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)n };
}

static void make_arp(struct scene *s, uint32_t sender_ip, uint16_t op)
{
	const struct arp_hdr arp = { .op = op,
				     .sender_ip = sender_ip,
				     .target_ip = 0x0a000001 };
	make_ether(s, ETHER_TYPE_ARP, 60);
	assert_true(arp_hdr_emit(s->buf + ETHER_LEN, ARP_LEN, &arp) > 0);
}

static void make_arp_of_ieee1394(struct scene *s)
{
	make_arp(s, 0x0a000005, ARP_OP_REPLY);
	store_be16(s->buf + ETHER_LEN + ARP_OFF_HTYPE, 24);
}

static void make_arp_of_chaos(struct scene *s)
{
	make_arp(s, 0x0a000005, ARP_OP_REPLY);
	store_be16(s->buf + ETHER_LEN + ARP_OFF_PTYPE, 0x0804);
}

static void make_short_arp(struct scene *s)
{
	make_arp(s, 0x0a000005, ARP_OP_REPLY);
	s->frame.len = ETHER_LEN + ARP_LEN - 1;
}

/* A neighbour message of RFC 4861 from src about target. */
static void make_nd(struct scene *s, uint8_t type, const char *src, const char *target)
{
	uint8_t icmp[24] = { type };
	const struct weft_ip subject = ip_of(target);
	memcpy(icmp + 8, subject.octet, 16);
	struct compose c = packet(src, "ff02::1");
	c.proto = IPPROTO_ICMPV6;
	c.csum_offset = 2;
	int n = compose_ip(&c, icmp, sizeof(icmp), s->buf, sizeof(s->buf));
	assert_true(n > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)n };
}

static void make_eapol(struct scene *s)
{
	make_ether(s, ETHER_TYPE_EAPOL, 60);
}

static void make_lldp(struct scene *s)
{
	make_ether(s, ETHER_TYPE_LLDP, 60);
}

static void make_slow(struct scene *s)
{
	make_ether(s, ETHER_TYPE_SLOW, 60);
}

static void make_any_query(struct scene *s, uint8_t family)
{
	const struct igmp_querier querier = { .mac = { { 2, 0, 0, 0, 0, 1 } },
					      .ip4 = 0x0a000001,
					      .interval_s = 125,
					      .answer_ms = 10000 };
	s->frame = (struct weft_frame){ .data = s->buf };
	s->frame.len = (uint32_t)igmp_query_emit(s->buf, family, &querier);
}

static void make_query(struct scene *s)
{
	make_any_query(s, AF_INET);
}

static void make_mld_query(struct scene *s)
{
	make_any_query(s, AF_INET6);
}

static void make_tagged(struct scene *s)
{
	make_ether(s, ETHER_TYPE_VLAN, 64);
	store_be16(s->buf + 14, 7);
	store_be16(s->buf + 16, ETHER_TYPE_IPX);
}

static void make_service_tagged(struct scene *s)
{
	make_tagged(s);
	store_be16(s->buf + 12, ETHER_TYPE_QINQ);
}

/* As double tags were before 802.1ad. */
static void make_old_service_tagged(struct scene *s)
{
	make_tagged(s);
	store_be16(s->buf + 12, ETHER_TYPE_QINQ_OLD);
}

static void make_dhcp_server(struct scene *s)
{
	make_udp(s, "10.0.0.9", "255.255.255.255", 67, 68);
}

static void make_dhcp6_server(struct scene *s)
{
	make_udp(s, "fe80::9", "fe80::1", 547, 546);
}

/* Clients look at their own port alone. */
static void make_dhcp_server_of_any_port(struct scene *s)
{
	make_udp(s, "10.0.0.9", "255.255.255.255", 1067, 68);
}

static void make_dhcp6_server_of_any_port(struct scene *s)
{
	make_udp(s, "fe80::9", "fe80::1", 1547, 546);
}

/* A length below the header's own, which clients that read frames may overlook. */
static void make_dhcp_server_of_no_length(struct scene *s)
{
	make_dhcp_server(s);
	store_be16(s->buf + ETHER_LEN + IP4_LEN + UDP_OFF_LEN, 0);
}

static void make_dhcp6_server_of_no_length(struct scene *s)
{
	make_dhcp6_server(s);
	store_be16(s->buf + ETHER_LEN + IP6_LEN + UDP_OFF_LEN, 0);
}

/* Behind destination options, as the router below. */
static void make_hidden_dhcp6_server(struct scene *s)
{
	static const uint8_t bytes[16] = { IPPROTO_UDP, 0,         1, 4,        0,
					   0,           0,         0, 547 >> 8, 547 & 255,
					   546 >> 8,    546 & 255, 0, 8 };
	make_ip6(s, IPPROTO_DSTOPTS, bytes, sizeof(bytes));
}

/* The first fragment ends behind the source port. */
static void make_ports_in_fragments(struct scene *s)
{
	static const uint8_t bytes[2] = { 0, 67 };
	struct compose c = packet("10.0.0.9", "255.255.255.255");
	c.proto = IPPROTO_UDP;
	int len = compose_ip(&c, bytes, sizeof(bytes), s->buf, sizeof(s->buf));
	assert_true(len > 0);
	store_be16(s->buf + ETHER_LEN + 6, 0x2000); /* more fragments */
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

static void make_router(struct scene *s)
{
	static const uint8_t advert[16] = { ICMP6_ROUTER_ADVERT };
	make_ip6(s, IPPROTO_ICMPV6, advert, sizeof(advert));
}

static void make_redirect(struct scene *s)
{
	static const uint8_t redirect[40] = { ICMP6_REDIRECT };
	make_ip6(s, IPPROTO_ICMPV6, redirect, sizeof(redirect));
}

static void make_icmp4(struct scene *s, uint8_t type)
{
	const uint8_t message[8 + IP4_LEN + 8] = { type };
	struct compose c = packet("10.0.0.9", "10.0.0.7");
	c.proto = IPPROTO_ICMP;
	int len = compose_ip(&c, message, sizeof(message), s->buf, sizeof(s->buf));
	assert_true(len > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

static void make_redirect4(struct scene *s)
{
	make_icmp4(s, ICMP4_REDIRECT);
}

static void make_router4(struct scene *s)
{
	make_icmp4(s, ICMP4_ROUTER_ADVERT);
}

/* Behind destination options, as attackers put it (RFC 7113). */
static void make_hidden_router(struct scene *s)
{
	static const uint8_t bytes[24] = { IPPROTO_ICMPV6,     0, 1, 4, 0, 0, 0, 0,
					   ICMP6_ROUTER_ADVERT };
	make_ip6(s, IPPROTO_DSTOPTS, bytes, sizeof(bytes));
}

static void make_router_in_fragments(struct scene *s)
{
	static const uint8_t bytes[24] = { IPPROTO_ICMPV6,     0, 0, 1, 0, 0, 0, 9,
					   ICMP6_ROUTER_ADVERT };
	make_ip6(s, IPPROTO_FRAGMENT, bytes, sizeof(bytes));
}

/* The first fragment ends before anybody can see what it is. */
static void make_headless(struct scene *s)
{
	static const uint8_t bytes[8] = { IPPROTO_ICMPV6, 0, 0, 1, 0, 0, 0, 9 };
	make_ip6(s, IPPROTO_FRAGMENT, bytes, sizeof(bytes));
}

/* UDP behind n headers of destination options, 8 bytes each. */
static void make_many_headers(struct scene *s, size_t n)
{
	uint8_t bytes[16 * 8] = { 0 };
	assert_true(8 * n + 8 <= sizeof(bytes));
	for (size_t i = 0; i < n; i++) {
		const uint8_t next = i + 1 < n ? IPPROTO_DSTOPTS : IPPROTO_UDP;
		const uint8_t padded[8] = { next, 0, 1, 4 };
		memcpy(bytes + 8 * i, padded, sizeof(padded));
	}
	make_ip6(s, IPPROTO_DSTOPTS, bytes, 8 * n + 8);
}

static const struct {
	const char *name;
	void (*make)(struct scene *s);
	enum filter_outcome outcome;
	unsigned rule;
	bool is_for_both; /* the gateway may not send it either */
} rows[] = {
	{ "eapol", make_eapol, FILTER_DROP_EAPOL, FILTER_RULE_EAPOL, true },
	{ "lldp", make_lldp, FILTER_DROP_LLDP, FILTER_RULE_LLDP, true },
	{ "slow", make_slow, FILTER_DROP_SLOW, FILTER_RULE_SLOW, true },
	{ "tagged", make_tagged, FILTER_DROP_VLAN, FILTER_RULE_VLAN, false },
	{ "service tag", make_service_tagged, FILTER_DROP_VLAN, FILTER_RULE_VLAN, false },
	{ "old service tag", make_old_service_tagged, FILTER_DROP_VLAN, FILTER_RULE_VLAN,
	  false },
	{ "dhcp", make_dhcp_server, FILTER_DROP_DHCP_SERVER, FILTER_RULE_DHCP, false },
	{ "dhcp6", make_dhcp6_server, FILTER_DROP_DHCP6_SERVER, FILTER_RULE_DHCP, false },
	{ "dhcp of any port", make_dhcp_server_of_any_port, FILTER_DROP_DHCP_SERVER,
	  FILTER_RULE_DHCP, false },
	{ "dhcp6 of any port", make_dhcp6_server_of_any_port, FILTER_DROP_DHCP6_SERVER,
	  FILTER_RULE_DHCP, false },
	{ "dhcp of no length", make_dhcp_server_of_no_length, FILTER_DROP_HEADERS,
	  FILTER_RULE_DHCP, false },
	{ "dhcp6 of no length", make_dhcp6_server_of_no_length, FILTER_DROP_HEADERS,
	  FILTER_RULE_DHCP, false },
	{ "hidden dhcp6", make_hidden_dhcp6_server, FILTER_DROP_DHCP6_SERVER,
	  FILTER_RULE_DHCP, false },
	{ "hidden ports", make_ports_in_fragments, FILTER_DROP_FRAGMENT, FILTER_RULE_DHCP,
	  false },
	{ "query", make_query, FILTER_DROP_QUERY, FILTER_RULE_QUERY, false },
	{ "mld query", make_mld_query, FILTER_DROP_QUERY, FILTER_RULE_QUERY, false },
	{ "router", make_router, FILTER_DROP_ROUTER, FILTER_RULE_ROUTER, false },
	{ "redirect", make_redirect, FILTER_DROP_ROUTER, FILTER_RULE_ROUTER, false },
	{ "router of IPv4", make_router4, FILTER_DROP_ROUTER, FILTER_RULE_ROUTER, false },
	{ "redirect of IPv4", make_redirect4, FILTER_DROP_ROUTER, FILTER_RULE_ROUTER,
	  false },
	{ "hidden", make_hidden_router, FILTER_DROP_ROUTER, FILTER_RULE_ROUTER, false },
	{ "fragmented", make_router_in_fragments, FILTER_DROP_FRAGMENT,
	  FILTER_RULE_ROUTER, false },
	{ "arp of another network", make_arp_of_ieee1394, FILTER_DROP_HEADERS,
	  FILTER_RULE_ADDRESS, false },
	{ "arp of no ip", make_arp_of_chaos, FILTER_DROP_HEADERS, FILTER_RULE_ADDRESS,
	  false },
	{ "arp cut short", make_short_arp, FILTER_DROP_HEADERS, FILTER_RULE_ADDRESS,
	  false },
};

static void each_rule_stops_its_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;
		struct filter_opts opts = filter_defaults();
		begin(&s, &opts);
		rows[i].make(&s);
		if (from(&s, &s.alice) != rows[i].outcome)
			fail_msg("%s is not stopped", rows[i].name);
		assert_int_equal(s.alice.counts[rows[i].outcome], 1);
		if (from(&s, &s.lan) !=
		    (rows[i].is_for_both ? rows[i].outcome : FILTER_PASS))
			fail_msg("%s: the gateway", rows[i].name);
		end(&s);
		opts.off = rows[i].rule;
		begin(&s, &opts);
		rows[i].make(&s);
		if (from(&s, &s.alice) != FILTER_PASS)
			fail_msg("%s is stopped though it is off", rows[i].name);
		end(&s);
	}
}

static void what_hides_is_stopped_whatever_it_is(void **state)
{
	static const uint8_t stub[12] = { IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4 };
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_headless(&s);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_FRAGMENT);
	make_ip6(&s, IPPROTO_FRAGMENT, stub, sizeof(stub));
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_FRAGMENT);
	end(&s);
}

/* Puts what the frame carries behind LLC and SNAP, as RFC 1042 has it. */
static void wrap_in_snap(struct scene *s, uint32_t oui)
{
	const size_t payload_len = s->frame.len - ETHER_LEN;
	const struct llc_hdr llc = { .dsap = LLC_SAP_SNAP,
				     .ssap = LLC_SAP_SNAP,
				     .control = LLC_CONTROL_UI,
				     .is_snap = true,
				     .oui = oui,
				     .type = load_be16(s->buf + ETHER_OFF_TYPE) };
	memmove(s->buf + ETHER_LEN + LLC_SNAP_LEN, s->buf + ETHER_LEN, payload_len);
	assert_int_equal(llc_hdr_emit(s->buf + ETHER_LEN, LLC_SNAP_LEN, &llc),
			 LLC_SNAP_LEN);
	store_be16(s->buf + ETHER_OFF_TYPE, (uint16_t)(payload_len + LLC_SNAP_LEN));
	s->frame.len += LLC_SNAP_LEN;
}

/* Stations and access points take SNAP off, whatever the length in front of it says. */
static void what_is_in_snap_is_stopped_too(void **state)
{
	(void)state;
	static const uint32_t ouis[] = { LLC_OUI_ETHER, LLC_OUI_BRIDGE };
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(ouis); i++) {
		const size_t row = i / ARRAY_LEN(ouis);
		rows[row].make(&s);
		wrap_in_snap(&s, ouis[i % ARRAY_LEN(ouis)]);
		if (from(&s, &s.alice) != rows[row].outcome)
			fail_msg("%s is not stopped in SNAP", rows[row].name);
		store_be16(s.buf + ETHER_OFF_TYPE, 0);
		if (from(&s, &s.alice) != rows[row].outcome)
			fail_msg("%s: of length 0", rows[row].name);
	}
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	wrap_in_snap(&s, LLC_OUI_ETHER);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	make_ether(&s, ETHER_TYPE_IPX, 60);
	wrap_in_snap(&s, LLC_OUI_ETHER);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_ether(&s, ETHER_TYPE_EAPOL, 60);
	wrap_in_snap(&s, 0x00000c); /* another's types */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_ether(&s, ETHER_TYPE_EAPOL, 60);
	wrap_in_snap(&s, LLC_OUI_ETHER);
	store_be16(s.buf + ETHER_OFF_TYPE, ETHER_TYPE_FIRST); /* no length */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

/* What a third tag hides is nobody's need either. */
static void tags_have_a_most(void **state)
{
	(void)state;
	struct scene s;
	struct filter_opts opts = filter_defaults();
	opts.off = UINT_MAX;
	begin(&s, &opts);
	make_ether(&s, ETHER_TYPE_QINQ, 64);
	store_be16(s.buf + 16, ETHER_TYPE_VLAN);
	store_be16(s.buf + 20, ETHER_TYPE_IPX);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	store_be16(s.buf + 20, ETHER_TYPE_VLAN);
	store_be16(s.buf + 24, ETHER_TYPE_IPX);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_HEADERS);
	assert_int_equal(from(&s, &s.lan), FILTER_DROP_HEADERS);
	end(&s);
}

/* Too many are nobody's need, and no rule's that could be switched off. */
static void headers_have_a_most(void **state)
{
	(void)state;
	struct scene s;
	struct filter_opts opts = filter_defaults();
	opts.off = UINT_MAX;
	begin(&s, &opts);
	make_many_headers(&s, IP6_EXT_COUNT_MAX);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_many_headers(&s, IP6_EXT_COUNT_MAX + 1);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_HEADERS);
	assert_int_equal(from(&s, &s.lan), FILTER_DROP_HEADERS);
	end(&s);
}

static void games_pass(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_udp(&s, "10.0.0.1", "255.255.255.255", 27015, 27015);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "0.0.0.1", "0.0.0.1", 3074, 3074); /* an Xbox's system link */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "0.0.0.0", "255.255.255.255", 68, 67); /* asks for a lease */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "10.0.0.1", "10.0.0.254", 67, 67); /* a relay agent does */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_icmp4(&s, ICMP4_UNREACHABLE);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "fe80::1", "ff02::1:2", 546, 547);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "10.0.0.1", "10.0.0.2", 67, 67); /* of relay agents */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "fe80::1", "fe80::2", 547, 547);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_udp(&s, "fe80::1", "ff02::fb", 5353, 5353);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_ether(&s, ETHER_TYPE_IPX, 60);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_ether(&s, 46, 60); /* 802.3 */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	static const uint8_t solicit[8] = { ICMP6_ROUTER_SOLICIT };
	make_ip6(&s, IPPROTO_ICMPV6, solicit, sizeof(solicit));
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

/* First fragments that show what they are: a ping, and a datagram cut behind its header. */
static void fragments_pass_that_hide_nothing(void **state)
{
	(void)state;
	static const uint8_t ping[16] = {
		IPPROTO_ICMPV6, 0, 0, 1, 0, 0, 0, 9, ICMP6_ECHO
	};
	static const uint8_t ports[16] = { IPPROTO_UDP, 0, 0, 1, 0, 0, 0,
					   9,           1, 2, 3, 4, 0, 99 };
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_ip6(&s, IPPROTO_FRAGMENT, ping, sizeof(ping));
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_ip6(&s, IPPROTO_FRAGMENT, ports, sizeof(ports));
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_ip6(&s, IPPROTO_FRAGMENT, ports, sizeof(ports) - 1);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_FRAGMENT);
	/* The middle of a ping may look like anything. */
	make_router_in_fragments(&s);
	s.buf[ETHER_LEN + IP6_LEN + 3] |= 8; /* its offset, in 8 bytes */
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_router4(&s);
	s.buf[ETHER_LEN + IP4_OFF_FRAG + 1] = 1;
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

/* ---- addresses --------------------------------------------------------------------------- */

static void an_address_has_one_owner(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_arp(&s, 0x0a000005, ARP_OP_REQUEST);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	make_arp(&s, 0, ARP_OP_REQUEST); /* a probe asks and claims nothing */
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	s.now += 59 * S;
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	s.now += 59 * S;
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	s.now += 1 * S; /* a minute of silence */
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_ADDRESS);
	filter_leave(s.filter, &s.bob);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

/* Who speaks from it has it, though nobody asks for it any more. */
static void traffic_keeps_an_address(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_nd(&s, ICMP6_NEIGHBOR_SOLICIT, "fd00::5", "fd00::6");
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	for (unsigned i = 0; i < 10; i++) {
		s.now += 59 * S;
		make_udp(&s, "10.0.0.5", "10.0.0.6", 27015, 27015);
		assert_int_equal(from(&s, &s.alice), FILTER_PASS);
		make_udp(&s, "fd00::5", "fd00::6", 27015, 27015);
		assert_int_equal(from(&s, &s.alice), FILTER_PASS);
		/* Nobody gets it so, nor keeps it for another. */
		make_udp(&s, "10.0.0.6", "10.0.0.5", 27015, 27015);
		assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	}
	s.now += 59 * S;
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	make_nd(&s, ICMP6_NEIGHBOR_SOLICIT, "fd00::5", "fd00::6");
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	make_arp(&s, 0x0a000006, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	make_udp(&s, "10.0.0.5", "10.0.0.6", 27015, 27015);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	s.now += 1 * S;
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	end(&s);
}

/* 10.0.0.5 is given to who is told, 10.0.0.254 to nobody here. */
static enum filter_gift gift_of(void *user, const struct filter_member *member,
				uint32_t address, uint64_t now)
{
	const struct filter_member *const *owner = user;
	(void)now;
	if (address == 0x0a0000fe)
		return FILTER_GIFT_ANOTHERS;
	if (address != 0x0a000005 || !*owner)
		return FILTER_GIFT_NOBODYS;
	return *owner == member ? FILTER_GIFT_OWN : FILTER_GIFT_ANOTHERS;
}

/* What was given out is its owner's before that one has used it, and however silent it is. */
static void an_address_is_whose_it_was_given_to(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_member *owner = NULL;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	filter_set_gifts(s.filter, gift_of, &owner);
	make_arp(&s, 0x0a0000fe, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_ADDRESS);
	assert_int_equal(from(&s, &s.lan), FILTER_PASS); /* any is the LAN's */
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	owner = &s.bob;
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_ADDRESS);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	s.now += 3600 * S;
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_ADDRESS);
	owner = NULL;
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

/* Linux takes the hardware type of IEEE 802 (RFC 1042) for that of Ethernet. */
static void of_either_hardware_type(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	store_be16(s.buf + ETHER_LEN + ARP_OFF_HTYPE, 6);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

static void neighbours_too(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_nd(&s, ICMP6_NEIGHBOR_SOLICIT, "fd00::5", "fd00::6");
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_nd(&s, ICMP6_NEIGHBOR_ADVERT, "fd00::6", "fd00::5");
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	make_nd(&s, ICMP6_NEIGHBOR_ADVERT, "fd00::6", "fd00::6");
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	make_nd(&s, ICMP6_NEIGHBOR_SOLICIT, "::", "fd00::5"); /* duplicate detection */
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	/* Routers learn from who asks for them. */
	make_nd(&s, ICMP6_ROUTER_SOLICIT, "fd00::5", "::");
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	make_nd(&s, ICMP6_ROUTER_SOLICIT, "::", "::");
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	end(&s);
}

/* Of a part of an address nothing is known, and behind the frame nothing is read. */
static void an_advertisement_is_whole(void **state)
{
	(void)state;
	struct scene s;
	static const uint8_t advert[24] = { ICMP6_NEIGHBOR_ADVERT, [8] = 0xfd, [23] = 5 };
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	for (size_t len = 4; len < sizeof(advert); len++) {
		make_ip6(&s, IPPROTO_ICMPV6, advert, len);
		assert_int_equal(from(&s, &s.alice), FILTER_DROP_HEADERS);
	}
	s.frame.len += 20; /* as short, with what fills a frame up */
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_HEADERS);
	assert_int_equal(s.alice.addresses_n, 0);
	make_ip6(&s, IPPROTO_ICMPV6, advert, sizeof(advert));
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	assert_int_equal(s.alice.addresses_n, 1);
	end(&s);
}

/* A member that may have any address takes none away, and is kept from none. */
static void addresses_may_be_nobodys(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	struct filter_opts free_of_it = opts;
	free_of_it.off |= FILTER_RULE_ADDRESS;
	begin(&s, &opts);
	filter_change(&s.alice, &free_of_it);
	make_nd(&s, ICMP6_NEIGHBOR_ADVERT, "fd00::5", "fd00::5");
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	assert_int_equal(s.alice.addresses_n, 0);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	assert_int_equal(s.bob.addresses_n, 1);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	end(&s);
}

static void the_lan_keeps_its_addresses(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	make_arp(&s, 0x0a000001, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS); /* early, and bad */
	assert_int_equal(from(&s, &s.lan), FILTER_PASS);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_ADDRESS);
	end(&s);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = { .off = 0 };
	begin(&s, &opts);
	for (uint32_t i = 1; i < 100000; i++) {
		make_arp(&s, 0x0a000000 + i, ARP_OP_REPLY);
		assert_int_equal(from(&s, &s.alice), FILTER_PASS);
		assert_int_equal(from(&s, &s.lan), FILTER_PASS);
	}
	assert_int_equal(s.alice.addresses_n, 0); /* the LAN took them */
	assert_in_range(s.lan.addresses_n, 1, FILTER_ADDRESSES_MAX);
	make_arp(&s, 0x0b000001, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	end(&s);
}

/* ---- rates ------------------------------------------------------------------------------- */

static unsigned passes(struct scene *s, struct filter_member *member, bool is_known,
		       unsigned n)
{
	unsigned passed = 0;
	for (unsigned i = 0; i < n; i++)
		passed += filter_decide(s->filter, member, &s->frame, is_known, s->now) ==
			  FILTER_PASS;
	return passed;
}

static void groups_have_a_rate(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = { .group = { .rate = 10, .burst = 20 } };
	begin(&s, &opts);
	make_ether(&s, ETHER_TYPE_IPX, 60);
	assert_int_equal(passes(&s, &s.alice, true, 100), 20);
	assert_int_equal(s.alice.counts[FILTER_DROP_GROUP_RATE], 80);
	s.now += 500 * MS;
	assert_int_equal(passes(&s, &s.alice, true, 100), 5);
	assert_int_equal(passes(&s, &s.bob, true, 100), 20); /* each its own */
	assert_int_equal(passes(&s, &s.lan, true, 100), 100);
	s.now += 3600 * S;
	assert_int_equal(passes(&s, &s.alice, true, 100), 20);
	s.buf[0] = 2; /* to one station */
	assert_int_equal(passes(&s, &s.alice, true, 100), 100);
	end(&s);
}

/* Thirty datagrams in one super-frame are thirty on the wire. */
static void a_super_frame_counts_as_its_segments(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = { .group = { .rate = 10, .burst = 20 } };
	begin(&s, &opts);
	make_ether(&s, ETHER_TYPE_IPX, 60);
	s.frame.offload = (struct weft_offload){ .gso = WEFT_GSO_UDP,
						 .hdr_len = 42,
						 .gso_size = 4 };
	assert_int_equal(passes(&s, &s.alice, true, 100), 4); /* of 5 each */
	s.frame.offload.gso_size = 0;
	assert_int_equal(passes(&s, &s.bob, true, 100), 20);
	end(&s);
}

static void unknown_stations_have_a_rate(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = { .unknown = { .rate = 10, .burst = 20 } };
	begin(&s, &opts);
	make_ether(&s, ETHER_TYPE_IPX, 60);
	s.buf[0] = 2;
	assert_int_equal(passes(&s, &s.alice, false, 100), 20);
	assert_int_equal(s.alice.counts[FILTER_DROP_UNKNOWN_RATE], 80);
	assert_int_equal(passes(&s, &s.alice, true, 100), 100);
	end(&s);
}

static void bytes_have_a_rate(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = { .bytes = { .rate = 1000, .burst = 6000 } };
	begin(&s, &opts);
	make_ether(&s, ETHER_TYPE_IPX, 600);
	assert_int_equal(passes(&s, &s.alice, true, 100), 10);
	assert_int_equal(s.alice.counts[FILTER_DROP_BYTE_RATE], 90);
	s.now += 600 * MS;
	assert_int_equal(passes(&s, &s.alice, true, 100), 1);
	end(&s);
}

/* What was used up stays used up, and what was learned is not forgotten. */
static void rules_change_while_it_runs(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = { .group = { .rate = 10, .burst = 20 } };
	struct filter_opts others = { .group = { .rate = 10, .burst = 50 } };
	begin(&s, &opts);
	make_ether(&s, ETHER_TYPE_EAPOL, 60);
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_EAPOL);
	make_ether(&s, ETHER_TYPE_IPX, 60);
	assert_int_equal(passes(&s, &s.alice, true, 100), 20);
	others.off = FILTER_RULE_EAPOL;
	filter_change(&s.alice, &others);
	assert_int_equal(passes(&s, &s.alice, true, 100), 30);
	assert_int_equal(passes(&s, &s.bob, true, 100), 20); /* is not meant */
	s.now += 60 * S;
	make_ether(&s, ETHER_TYPE_EAPOL, 60);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_EAPOL);
	make_arp(&s, 0x0a000005, ARP_OP_REPLY);
	assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	filter_change(&s.alice, &opts);
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	end(&s);
}

/* An address is kept for as long as its owner's rules say, and as many as they say. */
static void addresses_are_kept_as_told(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	const struct filter_opts brief = { .address_ns = 10 * S, .addresses_max = 2 };
	begin(&s, &opts);
	filter_change(&s.alice, &brief);
	for (uint32_t i = 1; i <= 3; i++) {
		make_arp(&s, 0x0a000000 + i, ARP_OP_REPLY);
		assert_int_equal(from(&s, &s.alice), FILTER_PASS);
	}
	assert_int_equal(s.alice.addresses_n, 2);
	assert_int_equal(from(&s, &s.bob), FILTER_PASS); /* the third is nobody's */
	make_arp(&s, 0x0a000001, ARP_OP_REPLY);
	s.now += 10 * S - 1;
	assert_int_equal(from(&s, &s.bob), FILTER_DROP_ADDRESS);
	s.now++;
	assert_int_equal(from(&s, &s.bob), FILTER_PASS);
	s.now += 59 * S; /* bob has a minute */
	assert_int_equal(from(&s, &s.alice), FILTER_DROP_ADDRESS);
	end(&s);
}

/* ---- anything ---------------------------------------------------------------------------- */

/* Whatever the bytes are, and however short: one outcome, counted. */
static void every_length_of_every_frame(void **state)
{
	(void)state;
	struct scene s;
	const struct filter_opts opts = filter_defaults();
	begin(&s, &opts);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rows[i].make(&s);
		const uint32_t whole = s.frame.len;
		for (uint32_t len = 14; len <= whole; len++) {
			uint8_t *copy = malloc(len);
			assert_non_null(copy);
			memcpy(copy, s.buf, len);
			s.frame = (struct weft_frame){ .data = copy, .len = len };
			(void)from(&s, &s.alice);
			free(copy);
		}
	}
	end(&s);
}

static void outcomes_have_names_of_their_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= FILTER_OUTCOMES; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(filter_outcome_name(i),
						filter_outcome_name(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_stops_its_frame),
		cmocka_unit_test(what_hides_is_stopped_whatever_it_is),
		cmocka_unit_test(what_is_in_snap_is_stopped_too),
		cmocka_unit_test(tags_have_a_most),
		cmocka_unit_test(headers_have_a_most),
		cmocka_unit_test(games_pass),
		cmocka_unit_test(fragments_pass_that_hide_nothing),
		cmocka_unit_test(an_address_has_one_owner),
		cmocka_unit_test(traffic_keeps_an_address),
		cmocka_unit_test(an_address_is_whose_it_was_given_to),
		cmocka_unit_test(of_either_hardware_type),
		cmocka_unit_test(neighbours_too),
		cmocka_unit_test(an_advertisement_is_whole),
		cmocka_unit_test(addresses_may_be_nobodys),
		cmocka_unit_test(the_lan_keeps_its_addresses),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(groups_have_a_rate),
		cmocka_unit_test(a_super_frame_counts_as_its_segments),
		cmocka_unit_test(unknown_stations_have_a_rate),
		cmocka_unit_test(bytes_have_a_rate),
		cmocka_unit_test(rules_change_while_it_runs),
		cmocka_unit_test(addresses_are_kept_as_told),
		cmocka_unit_test(every_length_of_every_frame),
		cmocka_unit_test(outcomes_have_names_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
