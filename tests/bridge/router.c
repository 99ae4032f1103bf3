/* SPDX-License-Identifier: MIT */
/*
 * The router on links: what is sent where and in how many calls, what is counted, and what
 * happens when ports and links go away in the middle of it. Port i has 10.0.0.i; port 0 is
 * the uplink. A packet is known by its length.
 */
#include "../unit.h"
#include "fake.h"

#include <weft/router.h>

#include <errno.h>
#include <string.h>

#define PORTS   4u
#define OUTSIDE 200u /* 10.0.0.200: nobody's. */
#define PACKET  64u  /* Bytes, and more for other packets. */
#define BATCH   8u

struct fixture {
	struct weft_router *router;
	struct fake_link links[PORTS];
	struct weft_router_port *ports[PORTS];
};

static struct weft_ip address(unsigned last)
{
	return (struct weft_ip){ .family = AF_INET,
				 .prefix = 32,
				 .octet = { 10, 0, 0, (uint8_t)last } };
}

static int set_up(void **state)
{
	static struct fixture f;
	const struct weft_router_opts opts = { .ports_max = PORTS, .networks_max = 8 };
	assert_int_equal(weft_router_new(&opts, &f.router), 0);
	for (unsigned i = 0; i < PORTS; i++) {
		const struct weft_router_port_opts port = { .uplink = i == 0,
							    .user = &f.links[i] };
		const struct weft_ip own = address(i);
		fake_init(&f.links[i], WEFT_LINK_IP | WEFT_LINK_CSUM | WEFT_LINK_TSO4);
		assert_int_equal(
			weft_router_add(f.router, &f.links[i].link, &port, &f.ports[i]),
			0);
		if (i > 0)
			assert_int_equal(
				weft_router_add_network(f.router, f.ports[i], &own), 0);
	}
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	weft_router_free(f->router);
	for (size_t i = 0; i < PORTS; i++)
		fake_fini(&f->links[i]);
	return 0;
}

static struct weft_frame packet(uint8_t bytes[128], unsigned src, unsigned dst,
				unsigned len)
{
	const uint8_t hdr[20] = { 0x45, 0,           0,  (uint8_t)len, 0,  0,
				  0,    0,           64, 253,          0,  0,
				  10,   0,           0,  (uint8_t)src, 10, 0,
				  0,    (uint8_t)dst };
	memset(bytes, 0, 128);
	memcpy(bytes, hdr, sizeof(hdr));
	return (struct weft_frame){ .data = bytes, .len = len };
}

static void receive_one(struct fixture *f, size_t port, unsigned src, unsigned dst)
{
	uint8_t bytes[128];
	const struct weft_frame frame = packet(bytes, src, dst, PACKET);
	link_deliver(&f->links[port].link, &frame, 1, 0);
}

/* Packets from 10.0.0.src to each of dst, with lengths that count up. */
static void receive_batch(struct fixture *f, size_t port, unsigned src,
			  const unsigned *dst, size_t n)
{
	uint8_t bytes[BATCH][128];
	struct weft_frame frames[BATCH];
	for (unsigned i = 0; i < n; i++)
		frames[i] = packet(bytes[i], src, dst[i], PACKET + i);
	link_deliver(&f->links[port].link, frames, n, 0);
}

static void receive_bytes(struct fixture *f, size_t port, const void *data, uint32_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, data, len);
	const struct weft_frame frame = { .data = copy, .len = len };
	link_deliver(&f->links[port].link, &frame, 1, 0);
	free(copy);
}

static uint64_t count(const struct fixture *f, size_t port,
		      enum weft_router_outcome outcome)
{
	return weft_router_count(f->router, f->ports[port], outcome);
}

static void assert_sent(const struct fixture *f, size_t a, size_t b, size_t c, size_t d)
{
	assert_int_equal(f->links[0].sent_n, a);
	assert_int_equal(f->links[1].sent_n, b);
	assert_int_equal(f->links[2].sent_n, c);
	assert_int_equal(f->links[3].sent_n, d);
}

/* ---- passing ----------------------------------------------------------------------------- */

static void packets_find_their_port(void **state)
{
	struct fixture *f = *state;
	receive_one(f, 0, OUTSIDE, 2);
	receive_one(f, 1, 1, 3);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 1, 0, 1, 1);
	assert_int_equal(count(f, 0, WEFT_ROUTER_FORWARDED), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_FORWARDED), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_UPLINK), 1);
	assert_int_equal(weft_router_count(f->router, NULL, WEFT_ROUTER_FORWARDED), 2);
}

static void a_run_is_sent_with_one_call(void **state)
{
	struct fixture *f = *state;
	static const unsigned dst[BATCH] = { 2, 2, 2, 3, 2, OUTSIDE, OUTSIDE + 1, 2 };
	static const uint32_t order[] = { 0, 1, 2, 4, 7 };
	receive_batch(f, 1, 1, dst, BATCH);
	assert_sent(f, 2, 0, 5, 1);
	assert_int_equal(f->links[0].calls, 1);
	assert_int_equal(f->links[2].calls, 3);
	assert_int_equal(f->links[3].calls, 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(f->links[2].sent[i].len, PACKET + order[i]);
	assert_int_equal(count(f, 1, WEFT_ROUTER_FORWARDED), 6);
	assert_int_equal(count(f, 1, WEFT_ROUTER_UPLINK), 2);
}

static void super_frames_pass_whole(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[4000];
	struct weft_frame frame = packet(bytes, OUTSIDE, 2, 0);
	bytes[2] = 4000 >> 8;
	bytes[3] = 4000 & 0xff;
	frame.len = 4000;
	frame.offload = (struct weft_offload){ .flags = WEFT_OFFLOAD_NEEDS_CSUM,
					       .gso = WEFT_GSO_TCP4,
					       .gso_size = 1400,
					       .csum_start = 20,
					       .csum_offset = 16 };
	link_deliver(&f->links[0].link, &frame, 1, 0);
	assert_sent(f, 0, 0, 1, 0);
	assert_int_equal(f->links[2].sent[0].len, 4000);
	assert_memory_equal(&f->links[2].sent[0].offload, &frame.offload,
			    sizeof(frame.offload));
	assert_ptr_equal(f->links[2].sent[0].data, bytes);
	assert_int_equal(bytes[8], 64); /* The TTL. */
}

static void a_pin_sends_back_where_it_came_from(void **state)
{
	struct fixture *f = *state;
	const struct weft_ip own = address(1);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[1], &own), 0);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 0, 1, 0, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_PINNED), 1);
}

/* ---- dropping ---------------------------------------------------------------------------- */

static void what_is_not_ip_is_counted(void **state)
{
	struct fixture *f = *state;
	receive_bytes(f, 1, "", 0);
	receive_bytes(f, 1, "\x10pinged by a later version", 20);
	receive_bytes(f, 1, "\xf0", 1);
	assert_sent(f, 0, 0, 0, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NOT_IP), 3);
}

/* Every beginning of a packet, and headers that say more than there is. */
static void what_is_malformed_is_counted(void **state)
{
	struct fixture *f = *state;
	uint8_t ip4[128], ip6[60] = { 0x60, 0, 0, 0, 0, 20, 59, 64 };
	(void)packet(ip4, 1, 2, PACKET);
	for (uint32_t len = 1; len < PACKET; len++)
		receive_bytes(f, 1, ip4, len);
	for (uint32_t len = 1; len < 60; len++)
		receive_bytes(f, 1, ip6, len);
	ip4[0] = 0x44;
	receive_bytes(f, 1, ip4, PACKET);
	assert_sent(f, 0, 0, 0, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_MALFORMED), 63 + 59 + 1);
}

static void what_goes_nowhere_is_counted(void **state)
{
	struct fixture *f = *state;
	receive_one(f, 0, OUTSIDE, OUTSIDE);
	receive_one(f, 1, 2, 3);
	weft_router_remove(f->router, f->ports[0]);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 0, 0, 0, 0);
	assert_int_equal(weft_router_count(f->router, NULL, WEFT_ROUTER_DROP_NO_ROUTE),
			 2);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NO_ROUTE), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_SPOOFED), 1);
}

/* To the same port, or to none, in different ways. */
static void a_run_has_one_outcome(void **state)
{
	struct fixture *f = *state;
	const struct weft_ip own = address(1);
	uint8_t bytes[4][128];
	struct weft_frame frames[4] = {
		packet(bytes[0], 1, 2, PACKET),
		packet(bytes[1], 1, OUTSIDE, PACKET),
		packet(bytes[2], 3, 2, PACKET),
		packet(bytes[3], 1, 2, PACKET),
	};
	bytes[3][0] = 0;
	assert_int_equal(weft_router_add_pin(f->router, f->ports[2], &own), 0);
	link_deliver(&f->links[1].link, frames, 4, 0);
	assert_sent(f, 0, 0, 2, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_FORWARDED), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_PINNED), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_SPOOFED), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NOT_IP), 1);
}

/* ---- changes ----------------------------------------------------------------------------- */

/* The cache of a flow must not outlive what it was made from. */
static void a_cached_flow_sees_each_change(void **state)
{
	struct fixture *f = *state;
	const struct weft_ip new = address(OUTSIDE);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 1, 0, 0, 0);
	assert_int_equal(weft_router_add_network(f->router, f->ports[2], &new), 0);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 1, 0, 1, 0);
	weft_router_remove_network(f->router, &new);
	const struct weft_ip own = address(1);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[3], &own), 0);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 1, 0, 1, 1);
	assert_int_equal(weft_router_exempt(f->router, &new), 0);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 2, 0, 1, 1);
	weft_router_unexempt(f->router, &new);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 2, 0, 1, 2);
	weft_router_remove_pin(f->router, &own);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 3, 0, 1, 2);
	weft_router_remove_network(f->router, &own);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 3, 0, 1, 2);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_SPOOFED), 1);
}

static void a_cached_flow_sees_a_new_uplink(void **state)
{
	struct fixture *f = *state;
	const struct weft_router_port_opts uplink = { .uplink = true };
	weft_router_remove(f->router, f->ports[0]);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 0, 0, 0, 0);
	assert_int_equal(
		weft_router_add(f->router, &f->links[0].link, &uplink, &f->ports[0]), 0);
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 1, 0, 0, 0);
}

/* Nor serve another who sends to the same place. */
static void a_cached_flow_is_of_one_source(void **state)
{
	struct fixture *f = *state;
	receive_one(f, 1, 1, 3);
	receive_one(f, 1, 2, 3);
	assert_sent(f, 0, 0, 0, 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_SPOOFED), 1);
}

static void a_port_keeps_its_networks_without_a_link(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(weft_router_attach(f->ports[2], NULL), 0);
	assert_null(weft_router_port_link(f->ports[2]));
	receive_one(f, 1, 1, 2);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NO_LINK), 1);
	receive_one(f, 2, 2, 1); /* The router listens no more. */
	assert_sent(f, 0, 0, 0, 0);
	struct fake_link other;
	fake_init(&other, WEFT_LINK_IP);
	assert_int_equal(weft_router_attach(f->ports[2], &other.link), 0);
	receive_one(f, 1, 1, 2);
	assert_int_equal(other.sent_n, 1);
	fake_receive(&other, 0, 0, 0); /* No IP, but it is heard. */
	assert_int_equal(count(f, 2, WEFT_ROUTER_DROP_NOT_IP), 1);
	assert_int_equal(weft_router_attach(f->ports[2], &f->links[2].link), 0);
	fake_fini(&other);
}

static void a_removed_port_takes_its_networks_along(void **state)
{
	struct fixture *f = *state;
	const struct weft_ip third = address(3), second = address(2);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[3], &second), 0);
	weft_router_remove(f->router, f->ports[3]);
	receive_one(f, 1, 1, 3);
	receive_one(f, 2, 2, OUTSIDE);
	assert_sent(f, 2, 0, 0, 0);
	assert_int_equal(weft_router_add_network(f->router, f->ports[1], &third), 0);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[1], &second), 0);
}

struct removal {
	struct fixture *f;
	size_t port;
	bool detach;
};

static void on_send(void *user)
{
	struct removal *r = user;
	if (!r->f)
		return;
	if (r->detach)
		assert_int_equal(weft_router_attach(r->f->ports[r->port], NULL), 0);
	else
		weft_router_remove(r->f->router, r->f->ports[r->port]);
	r->f = NULL;
}

/* Removes or detaches a port while the first run of a batch from port 1 is sent to port 2. */
static void disturb(struct fixture *f, size_t port, bool detach)
{
	static const unsigned dst[5] = { 2, 2, 3, 2, OUTSIDE };
	struct removal r = { .f = f, .port = port, .detach = detach };
	f->links[2].on_send = on_send;
	f->links[2].on_send_user = &r;
	receive_batch(f, 1, 1, dst, 5);
	f->links[2].on_send = NULL;
	assert_null(r.f);
}

static void where_it_came_from_goes_away(void **state)
{
	struct fixture *f = *state;
	disturb(f, 1, false);
	assert_sent(f, 0, 0, 2, 0);
	assert_int_equal(weft_router_count(f->router, NULL, WEFT_ROUTER_FORWARDED), 2);
}

static void where_it_came_from_is_detached(void **state)
{
	struct fixture *f = *state;
	disturb(f, 1, true);
	assert_sent(f, 0, 0, 2, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_FORWARDED), 2);
}

static void where_it_goes_goes_away(void **state)
{
	struct fixture *f = *state;
	disturb(f, 2, false);
	/* What was for 10.0.0.2 is for nobody now, and so for the uplink. */
	assert_sent(f, 2, 0, 2, 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_UPLINK), 2);
}

/* The run behind was decided before: its port is an empty place by then. */
static void the_next_on_the_way_goes_away(void **state)
{
	struct fixture *f = *state;
	disturb(f, 3, false);
	assert_sent(f, 1, 0, 3, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NO_LINK), 1);
}

static void where_it_goes_is_detached(void **state)
{
	struct fixture *f = *state;
	disturb(f, 2, true);
	assert_sent(f, 1, 0, 2, 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NO_LINK), 1);
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void refusals(void **state)
{
	struct fixture *f = *state;
	struct fake_link ethernet;
	struct weft_router_port *port = NULL;
	const struct weft_router_port_opts up = { .uplink = true };
	const struct weft_ip taken = address(1), none = { 0 };
	fake_init(&ethernet, 0);
	assert_int_equal(weft_router_add(f->router, &ethernet.link, NULL, &port),
			 -EINVAL);
	assert_int_equal(weft_router_attach(f->ports[1], &ethernet.link), -EINVAL);
	assert_ptr_equal(weft_router_port_link(f->ports[1]), &f->links[1].link);
	assert_int_equal(weft_router_add(f->router, NULL, &up, &port), -EEXIST);
	assert_int_equal(weft_router_add(f->router, NULL, NULL, &port), -ENOSPC);
	assert_null(port);
	assert_int_equal(weft_router_add_network(f->router, f->ports[2], &taken),
			 -EEXIST);
	assert_int_equal(weft_router_add_network(f->router, f->ports[2], &none), -EINVAL);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[0], &taken), -EINVAL);
	fake_fini(&ethernet);
}

static void limits(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 8; i++) {
		const struct weft_ip ip = address(100 + i);
		int expected = i < 8 - (PORTS - 1) ? 0 : -ENOSPC;
		assert_int_equal(weft_router_add_network(f->router, f->ports[1], &ip),
				 expected);
		assert_int_equal(weft_router_add_pin(f->router, f->ports[1], &ip), 0);
		assert_int_equal(weft_router_exempt(f->router, &ip), 0);
	}
	const struct weft_ip ip = address(150);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[1], &ip), -ENOSPC);
	assert_int_equal(weft_router_exempt(f->router, &ip), -ENOSPC);
	/* A port that is gone makes room. */
	struct weft_router_port *port;
	weft_router_remove(f->router, f->ports[1]);
	assert_int_equal(weft_router_add(f->router, NULL, NULL, &port), 0);
	assert_int_equal(weft_router_add_network(f->router, port, &ip), 0);
}

static void whose_a_network_or_a_pin_is(void **state)
{
	struct fixture *f = *state;
	const struct weft_ip own = address(2), none = address(OUTSIDE);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[3], &own), 0);
	assert_ptr_equal(weft_router_network_port(f->router, &own), f->ports[2]);
	assert_ptr_equal(weft_router_pin_port(f->router, &own), f->ports[3]);
	assert_null(weft_router_network_port(f->router, &none));
	assert_null(weft_router_pin_port(f->router, &none));
}

static void the_source_check_is_switched(void **state)
{
	struct fixture *f = *state;
	receive_one(f, 1, 3, 2);
	weft_router_set_source_check(f->ports[1], false);
	receive_one(f, 1, 3, 2);
	assert_sent(f, 0, 0, 1, 0);
	weft_router_set_source_check(f->ports[1], true);
	receive_one(f, 1, 3, 2);
	assert_sent(f, 0, 0, 1, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_SPOOFED), 2);
}

/* ---- hooks ------------------------------------------------------------------------------- */

/* What the hooks answer, and what they were asked. */
struct answers {
	struct weft_router_port *exit;
	int exit_is;
	bool may_pass, is_exit;
	unsigned asked_policy, asked_exit, asked_is_exit;
	struct weft_router_query last;
};

static bool answer_policy(void *user, const struct weft_router_query *query)
{
	struct answers *a = user;
	a->asked_policy++;
	a->last = *query;
	return a->may_pass;
}

static int answer_exit(void *user, const struct weft_router_query *query,
		       struct weft_router_port **ret_port)
{
	struct answers *a = user;
	a->asked_exit++;
	a->last = *query;
	assert_null(query->egress);
	*ret_port = a->exit;
	return a->exit_is;
}

static bool answer_is_exit(void *user, const struct weft_router_query *query)
{
	struct answers *a = user;
	a->asked_is_exit++;
	a->last = *query;
	return a->is_exit;
}

static void set_hooks(struct fixture *f, struct answers *a)
{
	const struct weft_router_hooks hooks = { .policy = answer_policy,
						 .exit = answer_exit,
						 .is_exit = answer_is_exit,
						 .user = a };
	weft_router_set_hooks(f->router, &hooks);
}

static void the_policy_is_asked_about_each_packet(void **state)
{
	struct fixture *f = *state;
	struct answers a = { .may_pass = true };
	set_hooks(f, &a);
	receive_one(f, 1, 1, 2);
	receive_one(f, 1, 1, 2);
	assert_int_equal(a.asked_policy, 2);
	assert_ptr_equal(a.last.ingress, f->ports[1]);
	assert_ptr_equal(a.last.egress, f->ports[2]);
	assert_int_equal(a.last.src.octet[3], 1);
	assert_int_equal(a.last.dst.octet[3], 2);
	assert_non_null(a.last.frame);
	assert_sent(f, 0, 0, 2, 0);
	a.may_pass = false;
	receive_one(f, 1, 1, 2);
	assert_sent(f, 0, 0, 2, 0);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_DENIED), 1);
	/* What ends before is not its business. */
	receive_one(f, 1, 3, 2);
	assert_int_equal(a.asked_policy, 3);
	weft_router_set_hooks(f->router, NULL);
	receive_one(f, 1, 1, 2);
	assert_sent(f, 0, 0, 3, 0);
	assert_int_equal(a.asked_policy, 3);
}

static void an_exit_takes_what_is_for_no_network(void **state)
{
	struct fixture *f = *state;
	struct answers a = { .may_pass = true, .exit = f->ports[3], .exit_is = 1 };
	const struct weft_ip exempt = address(OUTSIDE + 1), pinned = address(2);
	set_hooks(f, &a);
	assert_int_equal(weft_router_exempt(f->router, &exempt), 0);
	assert_int_equal(weft_router_add_pin(f->router, f->ports[1], &pinned), 0);
	receive_one(f, 1, 1, OUTSIDE);
	assert_ptr_equal(a.last.egress, f->ports[3]); /* as the policy sees it */
	assert_sent(f, 0, 0, 0, 1);
	receive_one(f, 0, OUTSIDE, OUTSIDE + 2);
	assert_sent(f, 0, 0, 0, 2);
	assert_int_equal(a.asked_exit, 2);
	assert_int_equal(weft_router_count(f->router, NULL, WEFT_ROUTER_EXIT), 2);
	receive_one(f, 1, 1, 2);
	receive_one(f, 2, 2, OUTSIDE);
	receive_one(f, 1, 1, OUTSIDE + 1);
	receive_one(f, 0, OUTSIDE, OUTSIDE + 1);
	assert_sent(f, 1, 1, 1, 2);
	assert_int_equal(a.asked_exit, 2);
	assert_int_equal(count(f, 0, WEFT_ROUTER_DROP_NO_ROUTE), 1);
}

/* Each packet of a flow is asked about: another exit may be the better one by now. */
static void an_exit_may_change_or_fail(void **state)
{
	struct fixture *f = *state;
	struct answers a = { .may_pass = true, .exit = f->ports[3], .exit_is = 1 };
	set_hooks(f, &a);
	receive_one(f, 1, 1, OUTSIDE);
	a.exit = f->ports[2];
	receive_one(f, 1, 1, OUTSIDE);
	a.exit_is = 0;
	receive_one(f, 1, 1, OUTSIDE);
	a.exit_is = -ENOLINK;
	receive_one(f, 1, 1, OUTSIDE);
	assert_sent(f, 1, 0, 1, 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_EXIT), 2);
	assert_int_equal(count(f, 1, WEFT_ROUTER_UPLINK), 1);
	assert_int_equal(count(f, 1, WEFT_ROUTER_DROP_NO_LINK), 1);
}

static void an_exit_answers_for_the_world(void **state)
{
	struct fixture *f = *state;
	struct answers a = { .may_pass = true };
	const struct weft_ip exempt = address(OUTSIDE + 1);
	set_hooks(f, &a);
	assert_int_equal(weft_router_exempt(f->router, &exempt), 0);
	receive_one(f, 3, OUTSIDE, 1);
	assert_int_equal(count(f, 3, WEFT_ROUTER_DROP_SPOOFED), 1);
	assert_int_equal(a.asked_is_exit, 1);
	assert_ptr_equal(a.last.ingress, f->ports[3]);
	assert_ptr_equal(a.last.egress, f->ports[1]);
	a.is_exit = true;
	set_hooks(f, &a); /* to forget the answer */
	receive_one(f, 3, OUTSIDE, 1);
	assert_sent(f, 0, 1, 0, 0);
	/* But not for what is somebody's, or on the server's side. */
	receive_one(f, 3, 2, 1);
	receive_one(f, 3, OUTSIDE + 1, 1);
	assert_int_equal(count(f, 3, WEFT_ROUTER_DROP_SPOOFED), 3);
}

static void a_verdict_asks_the_hooks(void **state)
{
	struct fixture *f = *state;
	struct answers a = { .may_pass = true, .exit = f->ports[3], .exit_is = 1 };
	const struct weft_ip src = address(1), dst = address(OUTSIDE);
	struct weft_router_verdict v;
	set_hooks(f, &a);
	assert_int_equal(weft_router_explain(f->router, NULL, &src, &dst, &v), 0);
	assert_int_equal(v.outcome, WEFT_ROUTER_EXIT);
	assert_ptr_equal(v.egress, f->ports[3]);
	assert_null(a.last.frame);
	a.may_pass = false;
	assert_int_equal(weft_router_explain(f->router, NULL, &src, &dst, &v), 0);
	assert_int_equal(v.outcome, WEFT_ROUTER_DROP_DENIED);
	assert_ptr_equal(v.egress, f->ports[3]);
	a.exit_is = -ENOLINK;
	assert_int_equal(weft_router_explain(f->router, NULL, &src, &dst, &v), 0);
	assert_int_equal(v.outcome, WEFT_ROUTER_DROP_NO_LINK);
	assert_null(v.egress);
	assert_sent(f, 0, 0, 0, 0);
}

static void names_and_users(void **state)
{
	struct fixture *f = *state;
	assert_ptr_equal(weft_router_port_user(f->ports[2]), &f->links[2]);
	assert_string_equal(weft_router_outcome_name(WEFT_ROUTER_DROP_SPOOFED),
			    "drop-spoofed");
	for (unsigned i = 0; i < WEFT_ROUTER_OUTCOMES; i++)
		assert_true(strlen(weft_router_outcome_name(i)) > 0);
	assert_string_equal(weft_router_outcome_name(WEFT_ROUTER_OUTCOMES), "unknown");
	weft_router_free(NULL);
}

#define with_router(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_router(packets_find_their_port),
		with_router(a_run_is_sent_with_one_call),
		with_router(super_frames_pass_whole),
		with_router(a_pin_sends_back_where_it_came_from),
		with_router(what_is_not_ip_is_counted),
		with_router(what_is_malformed_is_counted),
		with_router(what_goes_nowhere_is_counted),
		with_router(a_run_has_one_outcome),
		with_router(a_cached_flow_sees_each_change),
		with_router(a_cached_flow_sees_a_new_uplink),
		with_router(a_cached_flow_is_of_one_source),
		with_router(a_port_keeps_its_networks_without_a_link),
		with_router(a_removed_port_takes_its_networks_along),
		with_router(where_it_came_from_goes_away),
		with_router(where_it_came_from_is_detached),
		with_router(where_it_goes_goes_away),
		with_router(the_next_on_the_way_goes_away),
		with_router(where_it_goes_is_detached),
		with_router(refusals),
		with_router(limits),
		with_router(whose_a_network_or_a_pin_is),
		with_router(the_source_check_is_switched),
		with_router(the_policy_is_asked_about_each_packet),
		with_router(an_exit_takes_what_is_for_no_network),
		with_router(an_exit_may_change_or_fail),
		with_router(an_exit_answers_for_the_world),
		with_router(a_verdict_asks_the_hooks),
		with_router(names_and_users),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
