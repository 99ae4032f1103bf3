/* SPDX-License-Identifier: MIT */
/*
 * Neighbour Discovery and addresses from prefixes: who is answered, what is believed, and what
 * a flood of advertisements can and cannot do.
 */
#include "base/mac.h"
#include "base/time.h"
#include "wire/ether.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define OWN       "2001:db8::2"
#define PEER      "2001:db8::1"
#define ROUTER    "fe80::1"
#define OTHER_MAC "02:00:00:00:00:99"

static struct ip6_addr addr6(const char *name)
{
	struct ip_addr a = addr(name);
	return addr_to_ip6(&a);
}

static struct nd_msg solicit(const char *target)
{
	return (struct nd_msg){
		.type = ICMP6_NEIGHBOR_SOLICIT,
		.target = addr6(target),
		.has_source_mac = true,
		.source_mac = mac(OTHER_MAC),
	};
}

static const char *group_of(const char *target)
{
	static char name[WEFT_IP_TEXT];
	struct ip_addr a = addr(target);
	a = addr_solicited_node(&a);
	struct weft_ip group = addr_to_ip(&a, ADDR_BITS);
	return weft_ip_print(&group, name);
}

static struct nd_msg parse(const struct seen *s)
{
	struct nd_msg msg;
	assert_int_equal(s->ttl, 255);
	assert_int_equal(nd_msg_parse(s->payload, s->len, &msg), 0);
	return msg;
}

static void answers_a_solicitation(void **state)
{
	struct world w;
	struct weft_mac known;
	struct weft_ip asker = ip("2001:db8::77");
	const struct nd_msg msg = solicit(OWN);
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_nd(&w, "2001:db8::77", group_of(OWN), &msg), ANSWERED);
	struct seen s = see(tx(&w));
	struct nd_msg answer = parse(&s);
	assert_int_equal(answer.type, ICMP6_NEIGHBOR_ADVERT);
	assert_true(answer.solicited && answer.override && !answer.router);
	assert_true(mac_equal(answer.target_mac, w.iface->mac));
	assert_true(mac_equal(s.dst_mac, mac(OTHER_MAC)));
	assert_true(weft_iface_neighbour(w.iface, &asker, &known));
	assert_true(mac_equal(known, mac(OTHER_MAC)));
	/* And one for somebody else. */
	const struct nd_msg other = solicit("2001:db8::3");
	assert_outcome(rx_nd(&w, "2001:db8::78", OWN, &other), IGNORED);
	tx_none(&w);
	world_fini(&w);
}

static void answers_who_checks_our_address_to_all(void **state)
{
	struct world w;
	const struct nd_msg probe = { .type = ICMP6_NEIGHBOR_SOLICIT,
				      .target = addr6(OWN) };
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_nd(&w, "::", group_of(OWN), &probe), ANSWERED);
	struct seen s = see(tx(&w));
	assert_string_equal(text(&s.dst), "ff02::1");
	assert_false(parse(&s).solicited);
	/* Not to one, and not with a MAC of somebody without an address (7.1.1). */
	const struct nd_msg bad = solicit(OWN);
	assert_outcome(rx_nd(&w, "::", group_of(OWN), &bad), DROP_ND);
	assert_outcome(rx_nd(&w, "::", OWN, &probe), DROP_ND);
	world_fini(&w);
}

static void believes_neighbours_on_this_link_only(void **state)
{
	struct world w;
	uint8_t message[128], frame[256];
	const struct nd_msg msg = solicit(OWN);
	(void)state;
	world_init(&w, NULL);
	int len = nd_msg_emit(message, sizeof(message), &msg);
	struct packet p = { .src = "2001:db8::77",
			    .dst = OWN,
			    .proto = IPPROTO_ICMPV6,
			    .csum_offset = 2,
			    .ttl = 254 };
	assert_outcome(rx_packet(&w, &p, message, (size_t)len), DROP_ND);
	p.ttl = 255;
	size_t n = make(&w, &p, message, (size_t)len, frame, sizeof(frame));
	frame[n - 1] ^= 1;
	assert_outcome(rx(&w, frame, n), DROP_ICMP); /* Checksum. */
	/* An option of length 0 would never end. */
	message[ICMP_LEN + 16 + 1] = 0;
	assert_outcome(rx_packet(&w, &p, message, (size_t)len), DROP_ND);
	/* An option past the end. */
	message[ICMP_LEN + 16 + 1] = 2;
	assert_outcome(rx_packet(&w, &p, message, (size_t)len), DROP_ND);
	tx_none(&w);
	world_fini(&w);
}

static void an_advertisement_makes_no_neighbour(void **state)
{
	struct world w;
	const struct nd_msg msg = {
		.type = ICMP6_NEIGHBOR_ADVERT,
		.target = addr6("2001:db8::77"),
		.override = true,
		.has_target_mac = true,
		.target_mac = mac(OTHER_MAC),
	};
	struct nd_msg solicited = msg;
	(void)state;
	solicited.solicited = true;
	world_init(&w, NULL);
	assert_outcome(rx_nd(&w, "2001:db8::77", "ff02::1", &msg), IGNORED);
	assert_outcome(rx_nd(&w, "2001:db8::77", "ff02::1", &solicited), DROP_ND);
	assert_int_equal(table_count(w.stack->neighbours.table), 2);
	world_fini(&w);
}

static void an_address_is_checked_before_it_is_used(void **state)
{
	struct world w;
	struct weft_ip wanted = ip("2001:db8::50/64");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_iface_add_address(w.iface, &wanted, 0, w.now), 0);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_TENTATIVE);
	assert_outcome(rx_echo(&w, PEER, "2001:db8::50"), DROP_NO_HOST);
	world_pass(&w, 3 * NS_PER_S);
	unsigned probes = 0;
	while (w.taken < w.sent_n) {
		struct seen s = see(tx(&w));
		if (s.payload[0] != ICMP6_NEIGHBOR_SOLICIT)
			continue;
		probes++;
		assert_string_equal(text(&s.src), "::");
		assert_string_equal(text(&s.dst), group_of("2001:db8::50"));
		assert_false(parse(&s).has_source_mac);
	}
	assert_int_equal(probes, 1);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_PREFERRED);
	assert_outcome(rx_echo(&w, PEER, "2001:db8::50"), ANSWERED);
	world_fini(&w);
}

static void somebody_else_s_address_is_not_used(void **state)
{
	const struct nd_msg probe = { .type = ICMP6_NEIGHBOR_SOLICIT,
				      .target = addr6("2001:db8::50") };
	const struct nd_msg claim = { .type = ICMP6_NEIGHBOR_ADVERT,
				      .target = addr6("2001:db8::50"),
				      .override = true,
				      .has_target_mac = true,
				      .target_mac = mac(OTHER_MAC) };
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world w;
		struct weft_ip wanted = ip("2001:db8::50/64");
		world_init(&w, NULL);
		assert_int_equal(weft_iface_add_address(w.iface, &wanted, 0, w.now), 0);
		if (i == 0)
			assert_outcome(rx_nd(&w, "::", group_of("2001:db8::50"), &probe),
				       NOTED);
		else
			assert_outcome(rx_nd(&w, "2001:db8::50", "ff02::1", &claim),
				       NOTED);
		world_pass(&w, 10 * NS_PER_S);
		assert_int_equal(weft_iface_address_state(w.iface, &wanted),
				 WEFT_ADDRESS_CONFLICT);
		assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_CONFLICT), 1);
		world_fini(&w);
	}
}

/* ---- routers ----------------------------------------------------------------------------- */

static struct nd_msg advert(uint16_t lifetime_s)
{
	return (struct nd_msg){
		.type = ICMP6_ROUTER_ADVERT,
		.lifetime_s = lifetime_s,
		.has_source_mac = true,
		.source_mac = mac(OTHER_MAC),
	};
}

static struct nd_prefix prefix(const char *network, uint32_t preferred_s,
			       uint32_t valid_s)
{
	return (struct nd_prefix){ .prefix = addr6(network),
				   .prefix_len = 64,
				   .on_link = true,
				   .autonomous = true,
				   .valid_s = valid_s,
				   .preferred_s = preferred_s };
}

/* The state of the interface's address in the network, made by itself. */
static enum weft_address_state made_in(const struct world *w, const char *network)
{
	struct ip_addr net = addr(network);
	list_for_each (node, &w->iface->addrs) {
		const struct iface_addr *a =
			container_of(node, struct iface_addr, of_iface);
		if (a->is_slaac && addr_is_in(&a->addr, &net, 64))
			return a->state;
	}
	return WEFT_ADDRESS_NONE;
}

/* Once it is used, one word of anybody does not take it (RFC 4862, 5.4.4). */
static void an_address_in_use_is_kept_and_defended(void **state)
{
	struct world w;
	struct weft_ip own = ip(OWN);
	const struct nd_msg claim = { .type = ICMP6_NEIGHBOR_ADVERT,
				      .target = addr6(OWN),
				      .override = true,
				      .has_target_mac = true,
				      .target_mac = mac(OTHER_MAC) };
	(void)state;
	world_init(&w, NULL);
	for (unsigned i = 0; i < 4; i++) {
		assert_outcome(rx_nd(&w, PEER, "ff02::1", &claim), NOTED);
		assert_int_equal(weft_iface_address_state(w.iface, &own),
				 WEFT_ADDRESS_PREFERRED);
		/* Once in ten seconds it is said whose it is. */
		if (i % 2 == 0) {
			struct seen s = see(tx(&w));
			struct nd_msg said = parse(&s);
			assert_string_equal(text(&s.dst), "ff02::1");
			assert_int_equal(said.type, ICMP6_NEIGHBOR_ADVERT);
			assert_true(said.override && !said.solicited);
			assert_true(mac_equal(said.target_mac, w.iface->mac));
		}
		world_pass(&w, i % 2 == 0 ? NS_PER_S : 10 * NS_PER_S);
		tx_none(&w);
	}
	assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_CONFLICT), 4);
	assert_outcome(rx_echo(&w, PEER, OWN), ANSWERED);
	world_fini(&w);
}

static void asks_for_routers_three_times(void **state)
{
	const struct world_opts opts = { .is_bare = true };
	struct world w;
	unsigned solicits = 0;
	(void)state;
	world_init(&w, &opts);
	world_pass(&w, 30 * NS_PER_S);
	while (w.taken < w.sent_n)
		solicits += see(tx(&w)).payload[0] == ICMP6_ROUTER_SOLICIT;
	assert_int_equal(solicits, 3);
	world_fini(&w);
}

/* RFC 4861, 6.3.7: only who offers to be a router ends the search for one. */
static void who_is_no_router_ends_no_search(void **state)
{
	const struct world_opts opts = { .is_bare = true };
	struct world w;
	unsigned solicits = 0;
	const struct nd_msg msg = advert(0);
	(void)state;
	world_init(&w, &opts);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	world_pass(&w, 4 * NS_PER_S);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	world_pass(&w, 30 * NS_PER_S);
	while (w.taken < w.sent_n)
		solicits += see(tx(&w)).payload[0] == ICMP6_ROUTER_SOLICIT;
	assert_int_equal(solicits, 3);
	world_fini(&w);
}

/* RFC 4861, 7.2.5: what does not change the entry does not say who is a router either. */
static void a_router_s_end_is_believed_of_itself_only(void **state)
{
	struct world w;
	struct ip_path path;
	struct ip_addr far = addr("2001:db8:ffff::1");
	const struct nd_msg here = advert(1800);
	struct nd_msg gone = {
		.type = ICMP6_NEIGHBOR_ADVERT,
		.target = addr6(ROUTER),
		.has_target_mac = true,
		.target_mac = mac(TEST_MAC),
	};
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &here), NOTED);
	world_pass(&w, 2 * NS_PER_S);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &gone), NOTED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	gone.target_mac = mac(OTHER_MAC);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &gone), NOTED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path),
			 -ENETUNREACH);
	world_fini(&w);
}

/* RFC 4861, 7.2.5: who has not said where he is has said nothing, to who does not know it. */
static void an_answer_without_a_mac_is_none(void **state)
{
	struct world w;
	struct ip_path path;
	struct ip_addr far = addr("2001:db8::77");
	const struct nd_msg msg = {
		.type = ICMP6_NEIGHBOR_ADVERT,
		.target = addr6("2001:db8::77"),
		.solicited = true,
		.router = true,
	};
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	assert_outcome(rx_nd(&w, "2001:db8::77", OWN, &msg), IGNORED);
	assert_int_equal(path.neigh->state, NEIGH_INCOMPLETE);
	assert_false(path.neigh->is_router);
	world_pass(&w, 4 * NS_PER_S);
	assert_outcome(rx_nd(&w, "2001:db8::77", OWN, &msg), IGNORED);
	assert_int_equal(neigh_find(w.iface, &far)->state, NEIGH_FAILED);
	world_fini(&w);
}

static void makes_an_address_and_a_route(void **state)
{
	const struct world_opts opts = { .is_bare = true };
	struct world w;
	struct nd_msg msg = advert(1800);
	struct ip_path path;
	struct ip_addr far = addr("2001:db8:ffff::1"), near = addr("2001:db8:1::1");
	(void)state;
	msg.prefixes[0] = prefix("2001:db8:1::", 600, 3600);
	msg.prefixes_n = 1;
	msg.mtu = 1400;
	msg.hop_limit = 33;
	world_init(&w, &opts);
	world_pass(&w, 3 * NS_PER_S);
	tx_forget(&w);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_TENTATIVE);
	world_pass(&w, 3 * NS_PER_S);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_PREFERRED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	assert_int_equal(path.mtu, 1400);
	struct weft_ip hop = addr_to_ip(&path.neigh->addr, ADDR_BITS);
	assert_string_equal(text(&hop), ROUTER);
	assert_true(addr_is_in(&path.src, &near, 64));
	assert_int_equal(ip_path_find(w.stack, NULL, &near, NULL, w.now, &path), 0);
	assert_true(addr_equal(&path.neigh->addr, &near));
	/* Found once, nobody is asked any more. */
	tx_forget(&w);
	world_pass(&w, 30 * NS_PER_S);
	for (; w.taken < w.sent_n; w.taken++)
		assert_int_not_equal(see(&w.sent[w.taken]).payload[0],
				     ICMP6_ROUTER_SOLICIT);
	/* Time takes the address's preference, the route, then the address. */
	world_pass(&w, 600 * NS_PER_S);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_DEPRECATED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	world_pass(&w, 1300 * NS_PER_S);
	assert_true(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path) < 0);
	world_pass(&w, 2000 * NS_PER_S);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_NONE);
	assert_true(ip_path_find(w.stack, NULL, &near, NULL, w.now, &path) < 0);
	world_fini(&w);
}

static void what_is_said_again_lasts_longer(void **state)
{
	struct world w;
	struct ip_path path;
	struct ip_addr far = addr("2001:db8:ffff::1"), near = addr("2001:db8:1::1");
	struct nd_msg msg = advert(100);
	(void)state;
	msg.prefixes[0] = prefix("2001:db8:1::", 100, 100);
	msg.prefixes_n = 1;
	world_init(&w, NULL);
	for (unsigned i = 0; i < 5; i++) {
		assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
		world_pass(&w, 90 * NS_PER_S);
		tx_forget(&w);
		assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path),
				 0);
		assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_PREFERRED);
	}
	world_pass(&w, 11 * NS_PER_S);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path),
			 -ENETUNREACH);
	assert_int_equal(ip_path_find(w.stack, NULL, &near, NULL, w.now, &path),
			 -ENETUNREACH);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_NONE);
	world_fini(&w);
}

/* RFC 4862, 5.5.3 (e): nobody who is not a router ends an address at once. */
static void a_lifetime_is_not_cut_short(void **state)
{
	struct world w;
	struct nd_msg msg = advert(1800);
	(void)state;
	world_init(&w, NULL);
	msg.prefixes[0] = prefix("2001:db8:1::", 100000, 100000);
	msg.prefixes_n = 1;
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	world_pass(&w, 3 * NS_PER_S);
	msg.prefixes[0] = prefix("2001:db8:1::", 0, 1);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	world_pass(&w, 7000 * NS_PER_S);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_DEPRECATED);
	world_pass(&w, 300 * NS_PER_S);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_NONE);
	world_fini(&w);
}

static void passes_over_what_is_no_prefix_of_hosts(void **state)
{
	struct world w;
	struct nd_msg msg = advert(1800);
	(void)state;
	world_init(&w, NULL);
	uint32_t addrs = w.iface->addrs_n;
	size_t routes = w.stack->routes.n;
	msg.prefixes[0] = prefix("fe80::", 600, 600);
	msg.prefixes[1] = prefix("ff02::", 600, 600);
	msg.prefixes[2] =
		prefix("2001:db8:2::", 700, 600); /* Longer preferred than valid. */
	msg.prefixes[2].on_link = false;
	msg.prefixes[3] = prefix("2001:db8:3::", 600, 600);
	msg.prefixes[3].prefix_len = 63; /* No room for an identifier of 64 bits. */
	msg.prefixes[3].on_link = false;
	msg.prefixes[4] = prefix("::", 600, 600);
	msg.prefixes[4].prefix_len = 0;
	msg.prefixes_n = 5;
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	assert_int_equal(w.iface->addrs_n, addrs);
	assert_int_equal(w.stack->routes.n, routes + 1); /* The router's own. */
	/* Not from somebody who is not link-local. */
	assert_outcome(rx_nd(&w, PEER, "ff02::1", &msg), DROP_ND);
	/* A lifetime of zero takes the route back. */
	msg = advert(0);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	assert_int_equal(w.stack->routes.n, routes);
	world_fini(&w);
}

static void flood(const struct world_opts *opts, uint32_t addrs_max, size_t routes_max)
{
	struct world w;
	world_init(&w, opts);
	uint32_t addrs = w.iface->addrs_n;
	size_t routes = w.stack->routes.n;
	for (unsigned i = 0; i < 2000; i++) {
		char router[32], network[32];
		struct nd_msg msg = advert(1800);
		(void)snprintf(router, sizeof(router), "fe80::%x", i + 10);
		(void)snprintf(network, sizeof(network), "2001:db8:%x::", i + 1);
		msg.prefixes[0] = prefix(network, 600, 600);
		msg.prefixes_n = 1;
		assert_outcome(rx_nd(&w, router, "ff02::1", &msg), NOTED);
		world_run(&w);
		tx_forget(&w);
	}
	assert_int_equal(w.iface->addrs_n, addrs + addrs_max);
	assert_int_equal(w.stack->routes.n, routes + routes_max);
	assert_true(table_count(w.stack->neighbours.table) <= 1024);
	world_fini(&w);
}

static void a_flood_of_advertisements_has_limits(void **state)
{
	const struct world_opts opts = {
		.stack = { .advertised_addresses_max = 2, .advertised_routes_max = 5 },
	};
	(void)state;
	flood(NULL, 8, 16);
	flood(&opts, 2, 5);
}

static void who_does_not_want_it_takes_nothing(void **state)
{
	const struct world_opts opts = { .iface = { .no_slaac = true } };
	struct world w;
	struct nd_msg msg = advert(1800);
	(void)state;
	msg.prefixes[0] = prefix("2001:db8:1::", 600, 600);
	msg.prefixes_n = 1;
	world_init(&w, &opts);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), IGNORED);
	assert_int_equal(made_in(&w, "2001:db8:1::"), WEFT_ADDRESS_NONE);
	world_fini(&w);
}

/* ---- redirects --------------------------------------------------------------------------- */

static enum weft_stack_outcome rx_redirect(struct world *w, const char *from,
					   const char *gateway, const char *target)
{
	uint8_t body[32];
	struct ip6_addr g = addr6(gateway), t = addr6(target);
	memcpy(body, g.octet, 16);
	memcpy(body + 16, t.octet, 16);
	return rx_icmp(w, from, OWN, ICMP6_REDIRECT, 0, 0, body, sizeof(body));
}

static void a_redirect_is_believed_from_the_router_only(void **state)
{
	struct world w;
	struct ip_path path;
	struct ip_addr far = addr("2001:db8:ffff::1");
	const struct nd_msg msg = advert(1800);
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	assert_outcome(rx_redirect(&w, "fe80::66", "fe80::66", "2001:db8:ffff::1"),
		       DROP_ICMP);
	assert_outcome(rx_redirect(&w, PEER, "fe80::66", "2001:db8:ffff::1"), DROP_ND);
	assert_outcome(rx_redirect(&w, ROUTER, "2001:db8::66", "2001:db8:ffff::1"),
		       DROP_ND);
	assert_outcome(rx_redirect(&w, ROUTER, "ff02::66", "2001:db8:ffff::1"), DROP_ND);
	assert_outcome(rx_redirect(&w, ROUTER, "fe80::2", "2001:db8:ffff::1"), NOTED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	struct weft_ip hop = addr_to_ip(&path.neigh->addr, ADDR_BITS);
	assert_string_equal(text(&hop), "fe80::2");
	/* From now on only the new one may redirect again. */
	assert_outcome(rx_redirect(&w, ROUTER, "fe80::3", "2001:db8:ffff::1"), DROP_ICMP);
	world_pass(&w, 601 * NS_PER_S);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	hop = addr_to_ip(&path.neigh->addr, ADDR_BITS);
	assert_string_equal(text(&hop), ROUTER);
	world_fini(&w);
}

/* RFC 4861, 7.3.3: the router that has redirected knows better by then, or nobody does. */
static void a_redirect_to_who_is_not_there_is_forgotten(void **state)
{
	struct world w;
	struct ip_path path;
	struct ip_addr far = addr("2001:db8:ffff::1");
	struct ip_addr farther = addr("2001:db8:fffe::1");
	struct weft_ip there = ip("fe80::3");
	const struct nd_msg msg = advert(1800);
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_iface_add_neighbour(w.iface, &there, mac(OTHER_MAC), w.now),
			 0);
	assert_outcome(rx_nd(&w, ROUTER, "ff02::1", &msg), NOTED);
	assert_outcome(rx_redirect(&w, ROUTER, "fe80::2", "2001:db8:ffff::1"), NOTED);
	assert_outcome(rx_redirect(&w, ROUTER, "fe80::3", "2001:db8:fffe::1"), NOTED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	struct weft_ip hop = addr_to_ip(&path.neigh->addr, ADDR_BITS);
	assert_string_equal(text(&hop), "fe80::2");
	world_pass(&w, 4 * NS_PER_S);
	assert_false(ip_path_is_current(w.stack, &path));
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	hop = addr_to_ip(&path.neigh->addr, ADDR_BITS);
	assert_string_equal(text(&hop), ROUTER);
	/* But not one to who is. */
	assert_int_equal(ip_path_find(w.stack, NULL, &farther, NULL, w.now, &path), 0);
	hop = addr_to_ip(&path.neigh->addr, ADDR_BITS);
	assert_string_equal(text(&hop), "fe80::3");
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_a_solicitation),
		cmocka_unit_test(answers_who_checks_our_address_to_all),
		cmocka_unit_test(believes_neighbours_on_this_link_only),
		cmocka_unit_test(an_advertisement_makes_no_neighbour),
		cmocka_unit_test(an_address_is_checked_before_it_is_used),
		cmocka_unit_test(somebody_else_s_address_is_not_used),
		cmocka_unit_test(an_address_in_use_is_kept_and_defended),
		cmocka_unit_test(asks_for_routers_three_times),
		cmocka_unit_test(who_is_no_router_ends_no_search),
		cmocka_unit_test(a_router_s_end_is_believed_of_itself_only),
		cmocka_unit_test(an_answer_without_a_mac_is_none),
		cmocka_unit_test(makes_an_address_and_a_route),
		cmocka_unit_test(what_is_said_again_lasts_longer),
		cmocka_unit_test(a_lifetime_is_not_cut_short),
		cmocka_unit_test(passes_over_what_is_no_prefix_of_hosts),
		cmocka_unit_test(a_flood_of_advertisements_has_limits),
		cmocka_unit_test(who_does_not_want_it_takes_nothing),
		cmocka_unit_test(a_redirect_is_believed_from_the_router_only),
		cmocka_unit_test(a_redirect_to_who_is_not_there_is_forgotten),
	};
	return cmocka_run_group_tests_name("nd", tests, NULL, NULL);
}
