/* SPDX-License-Identifier: MIT */
/*
 * ARP as others speak it to us: who is answered, who is believed, and what a conflict is.
 */
#include "wire/arp.h"

#include "base/mac.h"
#include "base/time.h"
#include "wire/ether.h"
#include "world.h"

#include <string.h>

#define OTHER_MAC "02:00:00:00:00:99"

struct arp_said {
	uint16_t op;
	const char *sender_mac, *sender, *target_mac, *target;
	bool is_unicast;
};

static uint32_t ip4(const char *name)
{
	struct ip_addr a = addr(name);
	return addr_to_ip4(&a);
}

static enum weft_stack_outcome rx_arp(struct world *w, const struct arp_said *said)
{
	uint8_t frame[60] = { 0 };
	const struct ether_hdr eth = {
		.dst = said->is_unicast ? w->iface->mac : mac("ff:ff:ff:ff:ff:ff"),
		.src = mac(OTHER_MAC),
		.type = ETHER_TYPE_ARP,
	};
	const struct arp_hdr arp = {
		.op = said->op,
		.sender_mac = mac(said->sender_mac),
		.sender_ip = ip4(said->sender),
		.target_mac = said->target_mac ? mac(said->target_mac)
					       : mac("00:00:00:00:00:00"),
		.target_ip = ip4(said->target),
	};
	assert_int_equal(ether_hdr_emit(frame, sizeof(frame), &eth), ETHER_LEN);
	assert_int_equal(arp_hdr_emit(frame + ETHER_LEN, ARP_LEN, &arp), ARP_LEN);
	return rx(w, frame, sizeof(frame));
}

static struct arp_hdr tx_arp(struct world *w)
{
	const struct sent *sent = tx(w);
	struct arp_hdr arp;
	assert_int_equal(see(sent).type, ETHER_TYPE_ARP);
	assert_int_equal(
		arp_hdr_parse(sent->bytes + ETHER_LEN, sent->len - ETHER_LEN, &arp),
		ARP_LEN);
	return arp;
}

static bool knows(const struct world *w, const char *name, const char *is)
{
	struct weft_ip a = ip(name);
	struct weft_mac known;
	return weft_iface_neighbour(w->iface, &a, &known) && mac_equal(known, mac(is));
}

static void answers_who_asks_and_remembers_them(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	assert_outcome(
		rx_arp(&w, &(struct arp_said){ ARP_OP_REQUEST, OTHER_MAC, "10.1.0.9",
					       NULL, "10.1.0.2", false }),
		ANSWERED);
	struct arp_hdr arp = tx_arp(&w);
	assert_int_equal(arp.op, ARP_OP_REPLY);
	assert_true(mac_equal(arp.sender_mac, w.iface->mac));
	assert_int_equal(arp.sender_ip, ip4("10.1.0.2"));
	assert_true(mac_equal(arp.target_mac, mac(OTHER_MAC)));
	assert_int_equal(arp.target_ip, ip4("10.1.0.9"));
	assert_true(knows(&w, "10.1.0.9", OTHER_MAC));
	/* Who asks for somebody else is neither. */
	assert_outcome(
		rx_arp(&w, &(struct arp_said){ ARP_OP_REQUEST, OTHER_MAC, "10.1.0.8",
					       NULL, "10.1.0.3", false }),
		NOTED);
	assert_false(knows(&w, "10.1.0.8", OTHER_MAC));
	tx_none(&w);
	world_fini(&w);
}

static void replies_that_nobody_asked_for_make_no_entries(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (unsigned i = 3; i < 250; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "10.1.0.%u", i);
		const struct arp_said said = { ARP_OP_REPLY,        OTHER_MAC,  name,
					       "02:00:00:00:00:02", "10.1.0.2", true };
		assert_outcome(rx_arp(&w, &said), NOTED);
		assert_false(knows(&w, name, OTHER_MAC));
	}
	assert_int_equal(table_count(w.stack->neighbours.table), 2);
	world_fini(&w);
}

static void drops_what_no_host_says(void **state)
{
	static const struct arp_said said[] = {
		{ 3, OTHER_MAC, "10.1.0.9", NULL, "10.1.0.2", false },
		{ ARP_OP_REQUEST, "ff:ff:ff:ff:ff:ff", "10.1.0.9", NULL, "10.1.0.2",
		  false },
		{ ARP_OP_REQUEST, "00:00:00:00:00:00", "10.1.0.9", NULL, "10.1.0.2",
		  false },
		{ ARP_OP_REQUEST, "01:00:5e:00:00:01", "10.1.0.9", NULL, "10.1.0.2",
		  false },
		{ ARP_OP_REQUEST, OTHER_MAC, "224.0.0.1", NULL, "10.1.0.2", false },
		{ ARP_OP_REQUEST, OTHER_MAC, "10.1.0.255", NULL, "10.1.0.2", false },
		{ ARP_OP_REQUEST, OTHER_MAC, "255.255.255.255", NULL, "10.1.0.2", false },
		{ ARP_OP_REQUEST, OTHER_MAC, "127.0.0.1", NULL, "10.1.0.2", false },
		{ ARP_OP_REPLY, OTHER_MAC, "0.0.0.0", NULL, "10.1.0.2", true },
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		assert_outcome(rx_arp(&w, &said[i]), DROP_ARP);
	tx_none(&w);
	world_fini(&w);
}

static void a_probed_address_is_asked_for_before_it_is_used(void **state)
{
	struct world w;
	struct weft_ip wanted = ip("10.1.0.50/24");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(
		weft_iface_add_address(w.iface, &wanted, WEFT_ADDRESS_PROBE, w.now), 0);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_TENTATIVE);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.50"), DROP_NO_HOST);
	/* For 4 to 7 s, whatever is drawn; the second announcement is 2 s behind the first. */
	world_pass(&w, 4 * NS_PER_S - 1);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_TENTATIVE);
	world_pass(&w, 3 * NS_PER_S + 1);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_PREFERRED);
	world_pass(&w, 2 * NS_PER_S);
	for (unsigned i = 0; i < 3; i++) {
		struct arp_hdr arp = tx_arp(&w);
		assert_int_equal(arp.op, ARP_OP_REQUEST);
		assert_int_equal(arp.sender_ip, 0);
		assert_int_equal(arp.target_ip, ip4("10.1.0.50"));
	}
	/* And announced, twice. */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(tx_arp(&w).sender_ip, ip4("10.1.0.50"));
	tx_none(&w);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.50"), ANSWERED);
	world_fini(&w);
}

static void an_address_may_go_while_it_is_asked_for(void **state)
{
	struct world w;
	struct weft_ip wanted = ip("10.1.0.50/24");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(
		weft_iface_add_address(w.iface, &wanted, WEFT_ADDRESS_PROBE, w.now), 0);
	world_pass(&w, 2 * NS_PER_S);
	tx_forget(&w);
	weft_iface_remove_address(w.iface, &wanted, w.now);
	world_pass(&w, 20 * NS_PER_S);
	tx_none(&w);
	world_fini(&w);
}

static void an_answer_to_a_probe_takes_the_address(void **state)
{
	struct world w;
	struct weft_ip wanted = ip("10.1.0.50/24");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(
		weft_iface_add_address(w.iface, &wanted, WEFT_ADDRESS_PROBE, w.now), 0);
	world_pass(&w, 2 * NS_PER_S);
	assert_outcome(
		rx_arp(&w, &(struct arp_said){ ARP_OP_REPLY, OTHER_MAC, "10.1.0.50", NULL,
					       "0.0.0.0", true }),
		NOTED);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_CONFLICT);
	world_pass(&w, 20 * NS_PER_S);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_CONFLICT);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.50"), DROP_NO_HOST);
	world_fini(&w);
}

static void two_that_probe_for_the_same_both_give_up(void **state)
{
	struct world w;
	struct weft_ip wanted = ip("10.1.0.50/24");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(
		weft_iface_add_address(w.iface, &wanted, WEFT_ADDRESS_PROBE, w.now), 0);
	world_pass(&w, NS_PER_S);
	const struct arp_said probe = { ARP_OP_REQUEST, OTHER_MAC,   "0.0.0.0",
					NULL,           "10.1.0.50", false };
	assert_outcome(rx_arp(&w, &probe), NOTED);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_CONFLICT);
	world_fini(&w);
}

static void a_probe_for_ours_is_answered(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	const struct arp_said probe = { ARP_OP_REQUEST, OTHER_MAC,  "0.0.0.0",
					NULL,           "10.1.0.2", false };
	assert_outcome(rx_arp(&w, &probe), ANSWERED);
	assert_int_equal(tx_arp(&w).op, ARP_OP_REPLY);
	world_fini(&w);
}

/* RFC 5227, 2.4 (b): once in ten seconds; the second time the address is given up. */
static void defends_an_address_once(void **state)
{
	struct world w;
	struct weft_ip own = ip("10.1.0.2");
	const struct arp_said theft = { ARP_OP_REQUEST, OTHER_MAC,  "10.1.0.2",
					NULL,           "10.1.0.2", false };
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_arp(&w, &theft), NOTED);
	assert_int_equal(tx_arp(&w).sender_ip, ip4("10.1.0.2"));
	assert_int_equal(weft_iface_address_state(w.iface, &own), WEFT_ADDRESS_PREFERRED);
	world_pass(&w, 11 * NS_PER_S);
	assert_outcome(rx_arp(&w, &theft), NOTED);
	assert_int_equal(tx_arp(&w).sender_ip, ip4("10.1.0.2"));
	assert_int_equal(weft_iface_address_state(w.iface, &own), WEFT_ADDRESS_PREFERRED);
	world_pass(&w, NS_PER_S);
	assert_outcome(rx_arp(&w, &theft), NOTED);
	tx_none(&w);
	assert_int_equal(weft_iface_address_state(w.iface, &own), WEFT_ADDRESS_CONFLICT);
	assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_CONFLICT), 3);
	world_fini(&w);
}

static void an_address_that_others_look_after_is_used_and_no_more(void **state)
{
	struct world w;
	struct weft_ip wanted = ip("10.1.0.50/24");
	const struct arp_said theft = { ARP_OP_REQUEST, OTHER_MAC,   "10.1.0.50",
					NULL,           "10.1.0.50", false };
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(
		weft_iface_add_address(w.iface, &wanted, WEFT_ADDRESS_NO_ACD, w.now), 0);
	world_pass(&w, 10 * NS_PER_S);
	tx_none(&w);
	for (unsigned i = 0; i < 3; i++)
		assert_outcome(rx_arp(&w, &theft), NOTED);
	tx_none(&w);
	assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_CONFLICT), 3);
	assert_int_equal(weft_iface_address_state(w.iface, &wanted),
			 WEFT_ADDRESS_PREFERRED);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.50"), ANSWERED);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_who_asks_and_remembers_them),
		cmocka_unit_test(replies_that_nobody_asked_for_make_no_entries),
		cmocka_unit_test(drops_what_no_host_says),
		cmocka_unit_test(a_probed_address_is_asked_for_before_it_is_used),
		cmocka_unit_test(an_address_may_go_while_it_is_asked_for),
		cmocka_unit_test(an_answer_to_a_probe_takes_the_address),
		cmocka_unit_test(two_that_probe_for_the_same_both_give_up),
		cmocka_unit_test(a_probe_for_ours_is_answered),
		cmocka_unit_test(defends_an_address_once),
		cmocka_unit_test(an_address_that_others_look_after_is_used_and_no_more),
	};
	return cmocka_run_group_tests_name("arp", tests, NULL, NULL);
}
