/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a router advertisement (RFC 4861, 6.3.4): each by what the host does then, and
 * what cannot be is passed over, the rest of the advertisement being taken.
 */
#include "base/time.h"
#include "world.h"

#define PEER   "2001:db8::1"
#define ROUTER "fe80::1"
#define HOST   "2001:db8::%x"

static void begin(struct world *w)
{
	world_init(w, NULL);
	world_pass(w, 20 * NS_PER_S); /* Until it has nothing more to say of itself. */
	tx_forget(w);
}

static void hear(struct world *w, const struct nd_msg *parameters)
{
	struct nd_msg msg = *parameters;
	msg.type = ICMP6_ROUTER_ADVERT;
	assert_outcome(rx_nd(w, ROUTER, "ff02::1", &msg), NOTED);
	world_run(w);
	tx_forget(w);
}

static struct seen ping(struct world *w, const char *to)
{
	const struct weft_ping_request request = {
		.to = ip(to), .sequence = 1, .data = "x", .len = 1
	};
	struct weft_ping *ping;
	assert_int_equal(weft_ping_new(w->stack, NULL, NULL, &ping), 0);
	assert_int_equal(weft_ping_send(ping, &request, w->now), 0);
	weft_ping_free(ping);
	return see(tx(w));
}

static void a_hop_limit_is_used(void **state)
{
	struct world w;
	(void)state;
	begin(&w);
	assert_int_equal(ping(&w, PEER).ttl, 64);
	hear(&w, &(struct nd_msg){ .hop_limit = 33 });
	assert_int_equal(ping(&w, PEER).ttl, 33);
	assert_int_equal(ping(&w, "10.1.0.1").ttl, 64); /* Not of IPv4. */
	hear(&w, &(struct nd_msg){ .hop_limit = 0 });   /* Unspecified. */
	assert_int_equal(ping(&w, PEER).ttl, 33);
	hear(&w, &(struct nd_msg){ .hop_limit = 255 });
	assert_int_equal(ping(&w, PEER).ttl, 255);
	world_fini(&w);
}

static uint32_t mtu_to(const struct world *w, const char *to)
{
	struct ip_path path;
	struct ip_addr dst = addr(to);
	assert_int_equal(ip_path_find(w->stack, NULL, &dst, NULL, w->now, &path), 0);
	return path.mtu;
}

static void an_mtu_is_used_if_the_link_carries_it(void **state)
{
	struct world w;
	static const struct {
		uint32_t told, used;
	} cases[] = { { 1400, 1400 }, { 1279, 1400 }, { 1501, 1400 },      { 0, 1400 },
		      { 1280, 1280 }, { 1500, 1500 }, { UINT32_MAX, 1500 } };
	(void)state;
	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		hear(&w, &(struct nd_msg){ .mtu = cases[i].told });
		assert_int_equal(mtu_to(&w, PEER), cases[i].used);
		assert_int_equal(mtu_to(&w, "10.1.0.1"), 1500);
	}
	world_fini(&w);
}

/* It asks for somebody who is not there: how long until it asks again? */
static void assert_asks_every(struct world *w, uint64_t ns)
{
	static unsigned next = 0x1000;
	char to[32];
	(void)snprintf(to, sizeof(to), HOST, next++);
	assert_int_equal(ping(w, to).payload[0], ICMP6_NEIGHBOR_SOLICIT);
	world_pass(w, ns - NS_PER_MS);
	tx_none(w);
	world_pass(w, 2 * NS_PER_MS);
	assert_int_equal(see(tx(w)).payload[0], ICMP6_NEIGHBOR_SOLICIT);
	world_pass(w, 4 * ns);
	tx_forget(w);
}

static void a_retransmission_time_is_used_if_it_can_be(void **state)
{
	struct world w;
	static const struct {
		uint32_t told_ms, used_ms;
	} cases[] = { { 3000, 3000 },      { 0, 3000 }, { 9, 3000 },
		      { 60001, 3000 },     { 10, 10 },  { 5000, 5000 },
		      { UINT32_MAX, 5000 } };
	(void)state;
	begin(&w);
	assert_asks_every(&w, NS_PER_S);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		hear(&w, &(struct nd_msg){ .retrans_ms = cases[i].told_ms });
		assert_asks_every(&w, cases[i].used_ms * NS_PER_MS);
	}
	world_fini(&w);
}

static enum neigh_state state_of(const struct world *w, const char *host)
{
	struct ip_addr a = addr(host);
	const struct neigh *n = neigh_find(w->iface, &a);
	assert_non_null(n);
	return n->state;
}

/* Somebody has answered: REACHABLE for 0.5 to 1.5 times as long (6.3.2). */
static void assert_reachable_for(struct world *w, uint64_t ns)
{
	static unsigned next = 0x2000;
	char host[32];
	(void)snprintf(host, sizeof(host), HOST, next++);
	struct ip_addr a = addr(host);
	const struct neigh_news answer = { .mac = mac(TEST_MAC), .is_solicited = true };
	(void)ping(w, host);
	neigh_update(w->iface, &a, &answer, w->now);
	world_pass(w, ns / 2 - NS_PER_MS);
	assert_int_equal(state_of(w, host), NEIGH_REACHABLE);
	world_pass(w, ns + 2 * NS_PER_MS);
	assert_int_equal(state_of(w, host), NEIGH_STALE);
	tx_forget(w);
}

static void a_reachable_time_is_used_if_it_can_be(void **state)
{
	struct world w;
	static const struct {
		uint32_t told_ms, used_ms;
	} cases[] = { { 4000, 4000 },       { 0, 4000 },          { 3600001, 4000 },
		      { UINT32_MAX, 4000 }, { 3600000, 3600000 }, { 1000, 1000 } };
	(void)state;
	begin(&w);
	assert_reachable_for(&w, 30 * NS_PER_S);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		hear(&w, &(struct nd_msg){ .reachable_ms = cases[i].told_ms });
		for (unsigned j = 0; j < 4; j++)
			assert_reachable_for(&w, cases[i].used_ms * NS_PER_MS);
	}
	world_fini(&w);
}

static unsigned solicitations(struct world *w)
{
	unsigned n = 0;
	while (w->taken < w->sent_n)
		n += see(tx(w)).payload[0] == ICMP6_ROUTER_SOLICIT;
	return n;
}

/* RFC 4861, 6.3.7: when an interface is new, and each time that it becomes so again. */
static void routers_are_asked_for_again(void **state)
{
	struct world w;
	(void)state;
	begin(&w);
	const struct ip_addr own = iface_link_local(w.iface)->addr;
	const struct weft_ip again = addr_to_ip(&own, ADDR_BITS);
	weft_iface_remove_address(w.iface, &again, w.now);
	assert_int_equal(weft_iface_add_address(w.iface, &again, 0, w.now), 0);
	tx_forget(&w);
	world_pass(&w, 20 * NS_PER_S);
	assert_int_equal(solicitations(&w), 3);
	world_fini(&w);
}

/* 6.3.4: what is known to end sooner than was said goes then, and with it the ways by it. */
static void a_lifetime_that_is_shortened_ends_sooner(void **state)
{
	struct world w;
	(void)state;
	begin(&w);
	const size_t before = w.stack->routes.n;
	hear(&w, &(struct nd_msg){ .lifetime_s = 1800 });
	assert_int_equal(w.stack->routes.n, before + 1);
	hear(&w, &(struct nd_msg){ .lifetime_s = 5 });
	world_pass(&w, 4 * NS_PER_S);
	assert_int_equal(w.stack->routes.n, before + 1);
	world_pass(&w, 2 * NS_PER_S);
	assert_int_equal(w.stack->routes.n, before);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hop_limit_is_used),
		cmocka_unit_test(an_mtu_is_used_if_the_link_carries_it),
		cmocka_unit_test(a_retransmission_time_is_used_if_it_can_be),
		cmocka_unit_test(a_reachable_time_is_used_if_it_can_be),
		cmocka_unit_test(routers_are_asked_for_again),
		cmocka_unit_test(a_lifetime_that_is_shortened_ends_sooner),
	};
	return cmocka_run_group_tests_name("slaac", tests, NULL, NULL);
}
