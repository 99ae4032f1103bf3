/* SPDX-License-Identifier: MIT */
/*
 * Conflicts of addresses as transcripts in virtual time: what goes out, what comes in, and
 * what the user is told.
 */
#include "../unit.h"
#include "wire/arp.h"
#include "wire/ether.h"

#include <weft/acd.h>

#include <errno.h>
#include <string.h>

#define S    UINT64_C(1000000000)
#define OURS 0x0a070005u /* 10.7.0.5 */

static const struct weft_mac own = { { 2, 0, 0, 0, 0, 1 } };
static const struct weft_mac bob = { { 2, 0, 0, 0, 0, 2 } };

struct world {
	struct weft_acd *acd;
	uint64_t now;
	unsigned probes, announcements, conflicts;
	uint64_t announced_ns,
		pause_ns;          /* the last time, and how long after the one before */
	enum weft_acd_state state; /* when the last conflict was told */
	struct weft_mac rival;
};

static void on_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct world *w = user;
	struct ether_hdr ether;
	struct arp_hdr arp;
	int off = ether_hdr_parse(frame->data, frame->len, &ether);
	assert_int_equal(ether.type, ETHER_TYPE_ARP);
	assert_memory_equal(ether.dst.octet, "\xff\xff\xff\xff\xff\xff", 6);
	assert_memory_equal(ether.src.octet, own.octet, 6);
	assert_int_equal(arp_hdr_parse(frame->data + off, frame->len - (size_t)off, &arp),
			 28);
	assert_int_equal(arp.op, ARP_OP_REQUEST);
	assert_int_equal(arp.target_ip, OURS);
	assert_true(arp.sender_ip == 0 || arp.sender_ip == OURS);
	w->probes += arp.sender_ip == 0;
	if (arp.sender_ip == 0)
		return;
	w->announcements++;
	w->pause_ns = now - w->announced_ns;
	w->announced_ns = now;
}

static void on_conflict(void *user, enum weft_acd_state state, struct weft_mac mac)
{
	struct world *w = user;
	w->conflicts++;
	w->state = state;
	w->rival = mac;
}

static void begin_with(struct world *w, struct weft_acd_opts opts)
{
	opts.mac = own;
	opts.address = (struct weft_ip){ .family = AF_INET,
					 .prefix = 24,
					 .octet = { 10, 7, 0, 5 } };
	opts.seed = test_seed();
	opts.send = on_send;
	opts.conflict = on_conflict;
	opts.user = w;
	*w = (struct world){ .now = S };
	assert_int_equal(weft_acd_new(&opts, &w->acd), 0);
}

static void begin(struct world *w, bool was_probed)
{
	begin_with(w, (struct weft_acd_opts){ .was_probed = was_probed });
}

/* Runs what is due until then. */
static void until(struct world *w, uint64_t then)
{
	struct weft_task *task = weft_acd_task(w->acd);
	while (task->deadline(task) <= then) {
		if (task->deadline(task) > w->now)
			w->now = task->deadline(task);
		task->run(task, w->now);
	}
	w->now = then;
}

static void rx(struct world *w, const struct arp_hdr *arp)
{
	uint8_t bytes[ETHER_LEN + ARP_LEN];
	const struct ether_hdr ether = { .dst = own,
					 .src = arp->sender_mac,
					 .type = ETHER_TYPE_ARP };
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	assert_int_equal(ether_hdr_emit(bytes, ETHER_LEN, &ether), ETHER_LEN);
	assert_int_equal(arp_hdr_emit(bytes + ETHER_LEN, ARP_LEN, arp), ARP_LEN);
	weft_acd_input(w->acd, &frame);
	until(w, w->now);
}

static void an_address_that_is_free_is_announced(void **state)
{
	struct world w;
	(void)state;
	begin(&w, false);
	until(&w, S);
	assert_int_equal(w.probes, 1);
	until(&w, 60 * S);
	assert_int_equal(w.probes, 3);
	assert_int_equal(w.announcements, 2);
	assert_int_equal(w.pause_ns, 2 * S); /* RFC 5227, 2.3 */
	assert_int_equal(w.conflicts, 0);
	assert_int_equal(weft_acd_state(w.acd), WEFT_ACD_WATCHING);
	weft_acd_free(w.acd);
}

static void who_has_it_is_told_and_nothing_more_is_sent(void **state)
{
	const struct arp_hdr answer = { .op = ARP_OP_REPLY,
					.sender_mac = bob,
					.sender_ip = OURS,
					.target_mac = own };
	struct world w;
	(void)state;
	begin(&w, false);
	until(&w, S + 1);
	rx(&w, &answer);
	assert_int_equal(w.conflicts, 1);
	assert_int_equal(w.state, WEFT_ACD_PROBING);
	assert_memory_equal(w.rival.octet, bob.octet, 6);
	rx(&w, &answer);
	until(&w, 60 * S);
	assert_int_equal(w.conflicts, 1);
	assert_int_equal(w.probes, 1);
	assert_int_equal(w.announcements, 0);
	assert_int_equal(weft_acd_state(w.acd), WEFT_ACD_OVER);
	weft_acd_free(w.acd);
}

/* The kernel answers a probe for an address in use; there is nothing to complain of. */
static void who_probes_is_no_rival(void **state)
{
	const struct arp_hdr probe = { .op = ARP_OP_REQUEST,
				       .sender_mac = bob,
				       .target_ip = OURS };
	struct world w;
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&w, i == 0);
		until(&w, S + S / 4);
		assert_int_equal(w.probes, i);
		rx(&w, &probe);
		assert_int_equal(w.conflicts, 0);
		weft_acd_free(w.acd);
	}
}

/* Not set yet, it is nobody's: of two that ask for it at the same time, neither takes it. */
static void an_offered_address_is_asked_for_briefly(void **state)
{
	const struct arp_hdr probe = { .op = ARP_OP_REQUEST,
				       .sender_mac = bob,
				       .target_ip = OURS };
	struct world w;
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin_with(&w, (struct weft_acd_opts){ .is_offered = true });
		until(&w, S);
		assert_int_equal(w.probes, 1);
		until(&w, S + S / 4);
		assert_int_equal(w.probes, 2);
		if (i == 0)
			rx(&w, &probe);
		until(&w, S + S / 2);
		assert_int_equal(w.conflicts, i == 0);
		assert_int_equal(w.announcements, i);
		assert_int_equal(weft_acd_state(w.acd),
				 i == 0 ? WEFT_ACD_OVER : WEFT_ACD_ANNOUNCING);
		weft_acd_free(w.acd);
	}
}

/* Our machine answers probes for it, and who sent them gives way. */
static void an_address_in_use_is_asked_for_briefly(void **state)
{
	const struct arp_hdr probe = { .op = ARP_OP_REQUEST,
				       .sender_mac = bob,
				       .target_ip = OURS };
	struct world w;
	(void)state;
	begin_with(&w, (struct weft_acd_opts){ .is_used = true });
	until(&w, S + S / 4);
	assert_int_equal(w.probes, 2);
	rx(&w, &probe);
	until(&w, S + S / 2);
	assert_int_equal(w.conflicts, 0);
	assert_int_equal(w.announcements, 1);
	weft_acd_free(w.acd);
}

static void an_address_in_use_is_defended_now_and_again(void **state)
{
	const struct arp_hdr claim = { .op = ARP_OP_REQUEST,
				       .sender_mac = bob,
				       .sender_ip = OURS,
				       .target_ip = OURS };
	struct world w;
	(void)state;
	begin(&w, true);
	until(&w, 20 * S);
	for (unsigned i = 0; i < 9; i++) {
		rx(&w, &claim);
		until(&w, w.now + S);
	}
	assert_int_equal(w.conflicts, 1);
	assert_int_equal(w.state, WEFT_ACD_WATCHING);
	assert_int_equal(w.announcements, 3);
	until(&w, w.now + S);
	rx(&w, &claim);
	assert_int_equal(w.conflicts, 2);
	assert_int_equal(w.announcements, 4);
	weft_acd_free(w.acd);
}

static void what_concerns_others_is_passed_over(void **state)
{
	const struct arp_hdr frames[] = {
		{ .op = ARP_OP_REQUEST,
		  .sender_mac = bob,
		  .sender_ip = OURS + 1,
		  .target_ip = OURS },
		{ .op = ARP_OP_REQUEST, .sender_mac = bob, .target_ip = OURS + 1 },
		{ .op = ARP_OP_REQUEST, .sender_mac = own, .target_ip = OURS },
		{ .op = ARP_OP_REPLY, .sender_mac = own, .sender_ip = OURS },
	};
	uint8_t junk[64] = { 0 };
	struct world w;
	(void)state;
	begin(&w, false);
	until(&w, S + 1);
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		rx(&w, &frames[i]);
	for (uint32_t len = 0; len <= sizeof(junk); len++)
		weft_acd_input(w.acd, &(struct weft_frame){ .data = junk, .len = len });
	until(&w, 60 * S);
	assert_int_equal(w.conflicts, 0);
	weft_acd_free(w.acd);
}

static void only_ipv4_has_arp(void **state)
{
	const struct weft_acd_opts opts = { .mac = own,
					    .address = { .family = AF_INET6 },
					    .send = on_send,
					    .conflict = on_conflict };
	struct weft_acd *acd;
	(void)state;
	assert_int_equal(weft_acd_new(&opts, &acd), -EINVAL);
	weft_acd_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_is_free_is_announced),
		cmocka_unit_test(who_has_it_is_told_and_nothing_more_is_sent),
		cmocka_unit_test(who_probes_is_no_rival),
		cmocka_unit_test(an_offered_address_is_asked_for_briefly),
		cmocka_unit_test(an_address_in_use_is_asked_for_briefly),
		cmocka_unit_test(an_address_in_use_is_defended_now_and_again),
		cmocka_unit_test(what_concerns_others_is_passed_over),
		cmocka_unit_test(only_ipv4_has_arp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
