/* SPDX-License-Identifier: MIT */
/*
 * The states of a neighbour, for both families: the same transcript, with ARP and with
 * Neighbour Discovery.
 */
#include "base/mac.h"
#include "base/time.h"
#include "wire/arp.h"
#include "wire/ether.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define OTHER_MAC "02:00:00:00:00:99"
#define THIRD_MAC "02:00:00:00:00:77"

struct kind {
	const char *own, *other;
	bool is_ip4;
};

static const struct kind kinds[] = {
	{ "10.1.0.2", "10.1.0.9", true },
	{ "2001:db8::2", "2001:db8::9", false },
};

static int ping(struct world *w, const struct kind *k)
{
	const struct weft_ping_request request = {
		.to = ip(k->other), .sequence = 1, .data = "x", .len = 1
	};
	struct weft_ping *ping;
	assert_int_equal(weft_ping_new(w->stack, NULL, NULL, &ping), 0);
	int r = weft_ping_send(ping, &request, w->now);
	weft_ping_free(ping);
	return r;
}

/* The neighbour answers, or says something unasked. */
static void hear(struct world *w, const struct kind *k, const char *from, bool solicited)
{
	if (!k->is_ip4) {
		const struct nd_msg msg = {
			.type = ICMP6_NEIGHBOR_ADVERT,
			.target = ip6_addr_load(addr(k->other).octet),
			.solicited = solicited,
			.override = true,
			.has_target_mac = true,
			.target_mac = mac(from),
		};
		(void)rx_nd(w, k->other, solicited ? k->own : "ff02::1", &msg);
		return;
	}
	uint8_t frame[ETHER_LEN + ARP_LEN];
	struct ip_addr own = addr(k->own), other = addr(k->other);
	const struct ether_hdr eth = {
		.dst = solicited ? w->iface->mac : mac("ff:ff:ff:ff:ff:ff"),
		.src = mac(from),
		.type = ETHER_TYPE_ARP,
	};
	const struct arp_hdr arp = {
		.op = ARP_OP_REPLY,
		.sender_mac = mac(from),
		.sender_ip = addr_to_ip4(&other),
		.target_mac = w->iface->mac,
		.target_ip = addr_to_ip4(&own),
	};
	assert_int_equal(ether_hdr_emit(frame, ETHER_LEN, &eth), ETHER_LEN);
	assert_int_equal(arp_hdr_emit(frame + ETHER_LEN, ARP_LEN, &arp), ARP_LEN);
	(void)rx(w, frame, sizeof(frame));
}

/* The next frame asks for the neighbour: everybody, or to this MAC. */
static void asks(struct world *w, const struct kind *k, const char *to)
{
	struct seen s = see(tx(w));
	struct ip_addr group = addr(k->other);
	group = addr_solicited_node(&group);
	struct weft_mac all =
		k->is_ip4 ? mac("ff:ff:ff:ff:ff:ff") : iface_group_mac(&group);
	assert_int_equal(s.type, k->is_ip4 ? ETHER_TYPE_ARP : ETHER_TYPE_IP6);
	if (!k->is_ip4)
		assert_int_equal(s.payload[0], ICMP6_NEIGHBOR_SOLICIT);
	assert_true(mac_equal(s.dst_mac, to ? mac(to) : all));
}

static void sends_to(struct world *w, const char *to)
{
	struct seen s = see(tx(w));
	assert_true(s.payload &&
		    (s.payload[0] == ICMP4_ECHO || s.payload[0] == ICMP6_ECHO));
	assert_true(mac_equal(s.dst_mac, mac(to)));
}

static enum neigh_state state_of(const struct world *w, const struct kind *k)
{
	struct ip_addr a = addr(k->other);
	const struct neigh *n = neigh_find(w->iface, &a);
	assert_non_null(n);
	return n->state;
}

static void packets_wait_for_the_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(ping(&w, k), 0);
		asks(&w, k, NULL);
		assert_int_equal(ping(&w, k), 0);
		tx_none(&w);
		world_pass(&w, NS_PER_S); /* Asked again after a second. */
		asks(&w, k, NULL);
		hear(&w, k, OTHER_MAC, true);
		sends_to(&w, OTHER_MAC);
		sends_to(&w, OTHER_MAC);
		tx_none(&w);
		assert_int_equal(state_of(&w, k), NEIGH_REACHABLE);
		world_fini(&w);
	}
}

static void who_does_not_answer_is_left_alone_for_a_while(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(ping(&w, k), 0);
		world_pass(&w, 4 * NS_PER_S);
		for (unsigned n = 0; n < 3; n++)
			asks(&w, k, NULL);
		tx_none(&w);
		assert_int_equal(state_of(&w, k), NEIGH_FAILED);
		for (unsigned n = 0; n < 100; n++)
			assert_int_equal(ping(&w, k), -EHOSTUNREACH);
		world_run(&w);
		tx_none(&w);
		world_pass(&w, 3 * NS_PER_S);
		assert_int_equal(ping(&w, k), 0);
		asks(&w, k, NULL);
		assert_int_equal(w.stack->neighbours.bytes > 0, 1);
		world_fini(&w);
	}
}

static void an_old_entry_is_used_then_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(ping(&w, k), 0);
		hear(&w, k, OTHER_MAC, true);
		tx_forget(&w);
		world_pass(&w, 60 * NS_PER_S);
		assert_int_equal(state_of(&w, k), NEIGH_STALE);
		assert_int_equal(ping(&w, k), 0);
		sends_to(&w, OTHER_MAC);
		assert_int_equal(state_of(&w, k), NEIGH_DELAY);
		world_pass(&w, 5 * NS_PER_S);
		asks(&w, k, OTHER_MAC);
		assert_int_equal(state_of(&w, k), NEIGH_PROBE);
		hear(&w, k, OTHER_MAC, true);
		assert_int_equal(state_of(&w, k), NEIGH_REACHABLE);
		tx_none(&w);
		world_fini(&w);
	}
}

static void what_a_protocol_has_heard_spares_asking(void **state)
{
	struct world w;
	struct ip_path path;
	struct ip_addr dst = addr("10.1.0.9");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(ping(&w, &kinds[0]), 0);
	hear(&w, &kinds[0], OTHER_MAC, true);
	world_pass(&w, 60 * NS_PER_S);
	assert_int_equal(ping(&w, &kinds[0]), 0);
	assert_int_equal(state_of(&w, &kinds[0]), NEIGH_DELAY);
	assert_int_equal(ip_path_find(w.stack, NULL, &dst, NULL, w.now, &path), 0);
	ip_path_confirm(w.stack, &path, w.now);
	assert_int_equal(state_of(&w, &kinds[0]), NEIGH_REACHABLE);
	tx_forget(&w);
	world_pass(&w, 10 * NS_PER_S);
	tx_none(&w);
	world_fini(&w);
}

static void another_mac_is_believed_but_not_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(ping(&w, k), 0);
		hear(&w, k, OTHER_MAC, true);
		tx_forget(&w);
		/* In the second after it was learnt: nothing changes. */
		hear(&w, k, THIRD_MAC, false);
		assert_int_equal(ping(&w, k), 0);
		sends_to(&w, OTHER_MAC);
		world_pass(&w, 2 * NS_PER_S);
		hear(&w, k, THIRD_MAC, false);
		assert_int_equal(state_of(&w, k), NEIGH_STALE);
		assert_int_equal(ping(&w, k), 0);
		sends_to(&w, THIRD_MAC);
		world_fini(&w);
	}
}

/* RFC 4861, 7.2.5: what does not override leaves the MAC, and doubts it. */
static void another_mac_that_does_not_override_is_doubt(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct world w;
		struct weft_mac known;
		struct weft_ip host = ip(k->other);
		struct ip_addr a = addr(k->other);
		const struct neigh_news other = { .mac = mac(THIRD_MAC) };
		world_init(&w, NULL);
		assert_int_equal(ping(&w, k), 0);
		hear(&w, k, OTHER_MAC, true);
		neigh_update(w.iface, &a, &other, w.now); /* Just learnt: not at all. */
		assert_int_equal(state_of(&w, k), NEIGH_REACHABLE);
		world_pass(&w, 2 * NS_PER_S);
		neigh_update(w.iface, &a, &other, w.now);
		assert_int_equal(state_of(&w, k), NEIGH_STALE);
		assert_true(weft_iface_neighbour(w.iface, &host, &known));
		assert_true(mac_equal(known, mac(OTHER_MAC)));
		world_fini(&w);
	}
}

static void a_static_entry_is_nobody_s_to_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct world w;
		struct weft_ip other = ip(k->other);
		world_init(&w, NULL);
		assert_int_equal(
			weft_iface_add_neighbour(w.iface, &other, mac(OTHER_MAC), w.now),
			0);
		world_pass(&w, 100 * NS_PER_S);
		hear(&w, k, THIRD_MAC, true);
		assert_int_equal(ping(&w, k), 0);
		sends_to(&w, OTHER_MAC);
		world_pass(&w, 100 * NS_PER_S);
		tx_none(&w);
		weft_iface_remove_neighbour(w.iface, &other);
		assert_int_equal(ping(&w, k), 0);
		asks(&w, k, NULL);
		world_fini(&w);
	}
}

static void the_queue_keeps_the_newest(void **state)
{
	const struct world_opts opts = { .stack = { .neighbour_queue_max = 4 } };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(ping(&w, &kinds[0]), 0);
	assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_NEIGH_QUEUE_FULL), 6);
	tx_forget(&w);
	hear(&w, &kinds[0], OTHER_MAC, true);
	for (unsigned i = 0; i < 4; i++)
		sends_to(&w, OTHER_MAC);
	tx_none(&w);
	assert_int_equal(w.stack->neighbours.bytes, 0);
	world_fini(&w);
}

static void waiting_bytes_have_a_limit(void **state)
{
	const struct world_opts opts = { .stack = { .neighbour_bytes_max = 100 } };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	assert_int_equal(ping(&w, &kinds[0]), 0);
	assert_int_equal(ping(&w, &kinds[0]), 0);
	assert_int_equal(ping(&w, &kinds[0]), 0);
	assert_int_equal(ping(&w, &kinds[0]), -ENOBUFS);
	world_fini(&w);
}

/* A scan fills the cache; who is known stays known. */
static void a_scan_pushes_out_nobody_who_answers(void **state)
{
	const struct world_opts opts = { .stack = { .neighbours_max = 16 } };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	assert_int_equal(ping(&w, &kinds[0]), 0);
	hear(&w, &kinds[0], OTHER_MAC, true);
	for (unsigned i = 20; i < 250; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "10.1.0.%u", i);
		const struct kind k = { "10.1.0.2", name, true };
		assert_int_equal(ping(&w, &k), 0);
		assert_true(table_count(w.stack->neighbours.table) <= 16);
		tx_forget(&w);
	}
	assert_int_equal(state_of(&w, &kinds[0]), NEIGH_REACHABLE);
	assert_true(weft_stack_event_count(w.stack, WEFT_STACK_NEIGH_EVICTED) > 200);
	world_fini(&w);
}

/* RFC 1122, 3.3.1.4: TCP has no answer. However lately the neighbour had one, it is asked. */
static void a_doubt_is_asked_about_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct ip_addr other = addr(k->other);
		struct ip_path path;
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(ping(&w, k), 0);
		asks(&w, k, NULL);
		hear(&w, k, OTHER_MAC, true);
		sends_to(&w, OTHER_MAC);
		assert_int_equal(ip_path_find(w.stack, NULL, &other, NULL, w.now, &path),
				 0);
		ip_path_doubt(w.stack, &path, w.now);
		asks(&w, k, OTHER_MAC);
		assert_int_equal(state_of(&w, k), NEIGH_PROBE);
		ip_path_doubt(w.stack, &path, w.now); /* Once is enough. */
		world_run(&w);
		tx_none(&w);
		hear(&w, k, OTHER_MAC, true);
		assert_int_equal(state_of(&w, k), NEIGH_REACHABLE);
		assert_true(ip_path_is_current(w.stack, &path));
		/* And when it does not answer: three times, a second apart. */
		ip_path_doubt(w.stack, &path, w.now);
		world_pass(&w, 2900 * NS_PER_MS);
		for (unsigned j = 0; j < 3; j++)
			asks(&w, k, OTHER_MAC);
		tx_none(&w);
		assert_true(ip_path_is_current(w.stack, &path));
		world_pass(&w, 200 * NS_PER_MS);
		assert_int_equal(state_of(&w, k), NEIGH_FAILED);
		assert_false(ip_path_is_current(w.stack, &path));
		world_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_wait_for_the_answer),
		cmocka_unit_test(a_doubt_is_asked_about_at_once),
		cmocka_unit_test(who_does_not_answer_is_left_alone_for_a_while),
		cmocka_unit_test(an_old_entry_is_used_then_asked_for),
		cmocka_unit_test(what_a_protocol_has_heard_spares_asking),
		cmocka_unit_test(another_mac_is_believed_but_not_at_once),
		cmocka_unit_test(another_mac_that_does_not_override_is_doubt),
		cmocka_unit_test(a_static_entry_is_nobody_s_to_change),
		cmocka_unit_test(the_queue_keeps_the_newest),
		cmocka_unit_test(waiting_bytes_have_a_limit),
		cmocka_unit_test(a_scan_pushes_out_nobody_who_answers),
	};
	return cmocka_run_group_tests_name("neigh", tests, NULL, NULL);
}
