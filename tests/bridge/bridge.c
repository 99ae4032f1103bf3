/* SPDX-License-Identifier: MIT */
/*
 * The bridge on links: what is sent where and in how many calls, what is counted, and what
 * happens when ports go away in the middle of it.
 */
#include "../unit.h"
#include "fake.h"

#include <weft/bridge.h>

#include <errno.h>
#include <string.h>

#define PORTS 4u

struct fixture {
	struct weft_bridge *bridge;
	struct fake_link links[PORTS];
	struct weft_bridge_port *ports[PORTS];
};

static int set_up(void **state)
{
	static struct fixture f;
	const struct weft_bridge_opts opts = { .ports_max = PORTS, .ageing_ns = 1000 };
	assert_int_equal(weft_bridge_new(&opts, &f.bridge), 0);
	for (size_t i = 0; i < PORTS; i++) {
		fake_init(&f.links[i], 0);
		assert_int_equal(
			weft_bridge_add(f.bridge, &f.links[i].link, NULL, &f.ports[i]),
			0);
	}
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	weft_bridge_free(f->bridge);
	for (size_t i = 0; i < PORTS; i++)
		fake_fini(&f->links[i]);
	return 0;
}

static void receive(struct fixture *f, size_t port, unsigned dst, unsigned src)
{
	fake_receive(&f->links[port], dst, src, 0);
}

static uint64_t count(const struct fixture *f, size_t port,
		      enum weft_bridge_outcome outcome)
{
	return weft_bridge_count(f->bridge, f->ports[port], outcome);
}

/* Learns address i + 1 behind each port i, and forgets what was sent for it. */
static void learn_all(struct fixture *f)
{
	for (unsigned i = 0; i < PORTS; i++)
		receive(f, i, MAC_BROADCAST, i + 1);
	for (size_t i = 0; i < PORTS; i++)
		fake_clear(&f->links[i]);
}

static void assert_sent(const struct fixture *f, size_t a, size_t b, size_t c, size_t d)
{
	assert_int_equal(f->links[0].sent_n, a);
	assert_int_equal(f->links[1].sent_n, b);
	assert_int_equal(f->links[2].sent_n, c);
	assert_int_equal(f->links[3].sent_n, d);
}

static void floods_then_forwards(void **state)
{
	struct fixture *f = *state;
	receive(f, 0, 2, 1);
	assert_sent(f, 0, 1, 1, 1);
	receive(f, 1, 1, 2);
	assert_sent(f, 1, 1, 1, 1);
	receive(f, 0, 2, 1);
	assert_sent(f, 1, 2, 1, 1);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_FLOODED), 1);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_FORWARDED), 1);
	assert_int_equal(count(f, 1, WEFT_BRIDGE_FORWARDED), 1);
	assert_int_equal(weft_bridge_count(f->bridge, NULL, WEFT_BRIDGE_FORWARDED), 2);
}

/* The cache of a flow must not outlive what it was made from. */
static void a_cached_flow_follows_a_move(void **state)
{
	struct fixture *f = *state;
	learn_all(f);
	receive(f, 0, 2, 1);
	receive(f, 0, 2, 1);
	assert_sent(f, 0, 2, 0, 0);
	receive(f, 3, MAC_RESERVED, 2);
	receive(f, 0, 2, 1);
	assert_sent(f, 0, 2, 0, 1);
}

static void a_cached_flow_sees_a_binding(void **state)
{
	struct fixture *f = *state;
	learn_all(f);
	receive(f, 0, 2, 1);
	assert_int_equal(weft_bridge_bind(f->bridge, test_mac(1), f->ports[2]), 0);
	receive(f, 0, 2, 1);
	assert_sent(f, 0, 1, 0, 0);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_DROP_SPOOFED), 1);
	weft_bridge_unbind(f->bridge, test_mac(1));
	receive(f, 0, 2, 1);
	assert_sent(f, 0, 2, 0, 0);
}

/* A flow that lives in the cache alone still counts as heard. */
static void a_cached_flow_keeps_its_source_alive(void **state)
{
	struct fixture *f = *state;
	struct weft_task *task = weft_bridge_task(f->bridge);
	learn_all(f);
	fake_receive(&f->links[0], 2, 1, 10);
	fake_receive(&f->links[0], 2, 1, 900);
	for (uint64_t now = task->deadline(task); now <= 1899; now = task->deadline(task))
		task->run(task, now);
	assert_int_equal(weft_bridge_fdb_stats(f->bridge).learned, 1);
	assert_int_equal(weft_bridge_fdb_stats(f->bridge).aged, 3);
	assert_int_equal(task->deadline(task), 1900);
	task->run(task, 1900);
	assert_int_equal(weft_bridge_fdb_stats(f->bridge).learned, 0);
}

static void a_run_is_sent_with_one_call(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[7][FAKE_FRAME_LEN];
	static const unsigned to[7] = { 2, 2, 2, 3, 2, MAC_BROADCAST, MAC_BROADCAST };
	struct weft_frame frames[7];
	learn_all(f);
	for (unsigned i = 0; i < 7; i++)
		frames[i] = test_frame(bytes[i], to[i], i < 2 ? 1 : 9, i);
	link_deliver(&f->links[0].link, frames, 7, 0);
	assert_sent(f, 0, 6, 3, 2);
	assert_int_equal(f->links[1].calls, 3);
	assert_int_equal(f->links[2].calls, 2);
	assert_int_equal(f->links[3].calls, 1);
	static const unsigned order[6] = { 0, 1, 2, 4, 5, 6 };
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(f->links[1].serials[i], order[i]);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_FORWARDED), 5);
}

static void nobody_to_flood_to(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 1; i < PORTS; i++)
		weft_bridge_remove(f->bridge, f->ports[i]);
	receive(f, 0, MAC_BROADCAST, 1);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_DROP_NO_TARGET), 1);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_FLOODED), 0);
}

static void flags_of_a_port(void **state)
{
	struct fixture *f = *state;
	const struct weft_bridge_port_opts isolated = { .isolated = true };
	const struct weft_bridge_port_opts quiet = { .no_flood = true, .fdb_max = 1 };
	for (size_t i = 1; i < PORTS; i++) {
		weft_bridge_remove(f->bridge, f->ports[i]);
		assert_int_equal(weft_bridge_add(f->bridge, &f->links[i].link,
						 i < 3 ? &isolated : &quiet,
						 &f->ports[i]),
				 0);
	}
	learn_all(f);
	receive(f, 1, 3, 2);  /* isolated to isolated */
	receive(f, 1, 99, 2); /* isolated to unknown: port 0 only */
	assert_sent(f, 1, 0, 0, 0);
	receive(f, 1, MAC_BROADCAST, 2); /* ... and the quiet port takes broadcasts */
	assert_sent(f, 2, 0, 0, 1);
	assert_int_equal(count(f, 1, WEFT_BRIDGE_DROP_ISOLATED), 1);
	receive(f, 3, 1, 77); /* one address too many for the quiet port */
	assert_sent(f, 3, 0, 0, 1);
	assert_int_equal(weft_bridge_fdb_stats(f->bridge).refused, 1);
}

/* ---- super-frames ------------------------------------------------------------------------ */

#define SEGMENT     1000u
#define SUPER_PARTS 4u
#define SUPER_LEN   (54u + SUPER_PARTS * SEGMENT)

/* A TCP/IPv4 super-frame of SUPER_PARTS segments; its checksum is still to be filled in. */
static struct weft_frame super_frame(uint8_t bytes[SUPER_LEN], unsigned dst, unsigned src)
{
	static const uint8_t headers[] = { 0x08,
					   0x00,
					   0x45,
					   0,
					   (SUPER_LEN - 14) >> 8,
					   (SUPER_LEN - 14) & 0xff,
					   0,
					   1,
					   0x40,
					   0,
					   64,
					   6,
					   0,
					   0,
					   10,
					   0,
					   0,
					   1,
					   10,
					   0,
					   0,
					   2, /* IPv4 */
					   0x10,
					   0,
					   0x20,
					   0,
					   0,
					   0,
					   0,
					   1,
					   0,
					   0,
					   0,
					   1,
					   0x50,
					   0x10,
					   0xff,
					   0xff,
					   0,
					   0,
					   0,
					   0 };
	struct weft_mac d = test_mac(dst), s = test_mac(src);
	memset(bytes, 0x5a, SUPER_LEN);
	memcpy(bytes, d.octet, 6);
	memcpy(bytes + 6, s.octet, 6);
	memcpy(bytes + 12, headers, sizeof(headers));
	return (struct weft_frame){
		.data = bytes,
		.len = SUPER_LEN,
		.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM,
			     .gso = WEFT_GSO_TCP4,
			     .hdr_len = 54,
			     .gso_size = SEGMENT,
			     .csum_start = 34,
			     .csum_offset = 16 },
	};
}

static void super_frames_stay_whole_where_they_can(void **state)
{
	struct fixture *f = *state;
	const unsigned offloads = WEFT_LINK_CSUM | WEFT_LINK_TSO4;
	uint8_t bytes[SUPER_LEN];
	f->links[2].link.caps.flags = offloads;
	struct weft_frame frame = super_frame(bytes, MAC_BROADCAST, 1);
	link_deliver(&f->links[0].link, &frame, 1, 0);

	assert_int_equal(f->links[2].sent_n, 1);
	assert_int_equal(f->links[2].sent[0].len, SUPER_LEN);
	assert_int_equal(f->links[2].sent[0].offload.gso, WEFT_GSO_TCP4);
	assert_ptr_equal(f->links[2].sent[0].data, bytes);

	assert_int_equal(f->links[1].sent_n, SUPER_PARTS);
	for (size_t i = 0; i < SUPER_PARTS; i++) {
		assert_int_equal(f->links[1].sent[i].len, 54 + SEGMENT);
		assert_int_equal(f->links[1].sent[i].offload.gso, WEFT_GSO_NONE);
	}
}

/* ---- ports that come and go -------------------------------------------------------------- */

static void adding_and_removing(void **state)
{
	struct fixture *f = *state;
	struct fake_link extra;
	struct weft_bridge_port *port;
	fake_init(&extra, 0);
	assert_int_equal(weft_bridge_add(f->bridge, &extra.link, NULL, &port), -ENOSPC);
	learn_all(f);
	weft_bridge_remove(f->bridge, f->ports[1]);
	assert_null(f->links[1].link.receive);
	assert_int_equal(weft_bridge_fdb_stats(f->bridge).learned, PORTS - 1);
	receive(f, 0, 2, 1);
	assert_sent(f, 0, 0, 1, 1);
	assert_int_equal(weft_bridge_add(f->bridge, &extra.link, NULL, &port), 0);
	assert_ptr_equal(weft_bridge_port_link(port), &extra.link);
	weft_bridge_remove(f->bridge, port);
	extra.link.caps.flags = WEFT_LINK_IP;
	assert_int_equal(weft_bridge_add(f->bridge, &extra.link, NULL, &port), -EINVAL);
	extra.link.caps.flags = WEFT_LINK_PPP;
	assert_int_equal(weft_bridge_add(f->bridge, &extra.link, NULL, &port), -EINVAL);
	fake_fini(&extra);
}

static void binding_wants_a_unicast_address(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
		weft_bridge_bind(f->bridge, test_mac(MAC_BROADCAST), f->ports[0]),
		-EINVAL);
	assert_int_equal(weft_bridge_bind(f->bridge, test_mac(MAC_ZERO), f->ports[0]),
			 -EINVAL);
	assert_int_equal(weft_bridge_bind(f->bridge, test_mac(1), f->ports[0]), 0);
	assert_int_equal(weft_bridge_bind(f->bridge, test_mac(1), f->ports[1]), -EEXIST);
}

/* What a link's send takes off the bridge while a batch is under way. */
struct removal {
	struct fixture *f;
	size_t port;
};

static void remove_port(void *user)
{
	struct removal *removal = user;
	struct fixture *f = removal->f;
	if (!f->ports[removal->port])
		return;
	weft_bridge_remove(f->bridge, f->ports[removal->port]);
	f->ports[removal->port] = NULL;
}

static void removing_on_send(struct fixture *f, size_t link, struct removal *removal)
{
	f->links[link].on_send = remove_port;
	f->links[link].on_send_user = removal;
}

static void a_flood_passes_over_a_port_that_is_removed(void **state)
{
	struct fixture *f = *state;
	struct removal removal = { f, 2 };
	removing_on_send(f, 1, &removal);
	receive(f, 0, MAC_BROADCAST, 1);
	assert_sent(f, 0, 1, 0, 1);
	receive(f, 0, MAC_BROADCAST, 1);
	assert_sent(f, 0, 2, 0, 2);
}

static void a_port_may_remove_itself_in_a_flood(void **state)
{
	struct fixture *f = *state;
	struct removal removal = { f, 1 };
	removing_on_send(f, 1, &removal);
	receive(f, 0, MAC_BROADCAST, 1);
	receive(f, 0, MAC_BROADCAST, 1);
	assert_sent(f, 0, 1, 2, 2);
}

static void a_batch_ends_when_its_own_port_is_removed(void **state)
{
	struct fixture *f = *state;
	struct removal removal = { f, 0 };
	uint8_t bytes[3][FAKE_FRAME_LEN];
	struct weft_frame frames[3];
	learn_all(f);
	removing_on_send(f, 2, &removal);
	for (unsigned i = 0; i < 3; i++)
		frames[i] = test_frame(bytes[i], i < 2 ? i + 2 : MAC_BROADCAST, 1, i);
	link_deliver(&f->links[0].link, frames, 3, 0);
	assert_sent(f, 0, 1, 1, 0);
	assert_int_equal(weft_bridge_fdb_stats(f->bridge).learned, PORTS - 1);
}

static void a_flood_ends_when_its_own_port_is_removed(void **state)
{
	struct fixture *f = *state;
	struct removal removal = { f, 0 };
	removing_on_send(f, 1, &removal);
	receive(f, 0, MAC_BROADCAST, 1);
	assert_sent(f, 0, 1, 0, 0);
}

/* The second run was already decided on when the first one's sending removed its port. */
static void a_run_to_a_removed_port_has_no_target(void **state)
{
	struct fixture *f = *state;
	struct removal removal = { f, 2 };
	uint8_t bytes[2][FAKE_FRAME_LEN];
	struct weft_frame frames[2];
	learn_all(f);
	removing_on_send(f, 1, &removal);
	for (unsigned i = 0; i < 2; i++)
		frames[i] = test_frame(bytes[i], i + 2, 1, i);
	link_deliver(&f->links[0].link, frames, 2, 0);
	assert_sent(f, 0, 1, 0, 0);
	assert_int_equal(count(f, 0, WEFT_BRIDGE_DROP_NO_TARGET), 1);
	receive(f, 0, 3, 1);
	assert_sent(f, 0, 2, 0, 1);
}

/* ---- real links, and facts --------------------------------------------------------------- */

static void remember_len(void *user, struct weft_link *link,
			 const struct weft_frame *frames, size_t n, uint64_t now)
{
	(void)link;
	(void)now;
	for (size_t i = 0; i < n; i++)
		*(uint32_t *)user += frames[i].len;
}

static void run(struct weft_link *link)
{
	struct weft_task *task = weft_link_task(link);
	while (task->deadline(task) == 0)
		task->run(task, 0);
}

static void joins_two_pairs(void **state)
{
	(void)state;
	struct weft_link *outer[2], *inner[2];
	struct weft_bridge *bridge;
	struct weft_bridge_port *port;
	uint8_t bytes[SUPER_LEN];
	uint32_t len = 0;
	assert_int_equal(weft_bridge_new(NULL, &bridge), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(weft_link_pair(8, &outer[i], &inner[i]), 0);
		assert_int_equal(weft_bridge_add(bridge, inner[i], NULL, &port), 0);
	}
	weft_link_on_receive(outer[1], remember_len, &len);
	struct weft_frame frame = super_frame(bytes, 2, 1);
	weft_link_send(outer[0], &frame, 1, 0);
	run(inner[0]);
	run(outer[1]);
	assert_int_equal(len, SUPER_LEN);
	weft_bridge_free(bridge);
	for (size_t i = 0; i < 2; i++) {
		weft_link_free(outer[i]);
		weft_link_free(inner[i]);
	}
}

struct seen {
	const struct weft_bridge_port *port[4];
	uint64_t age_ns[4];
	bool bound[4];
};

static void see(void *user, struct weft_mac mac, const struct weft_bridge_port *port,
		bool bound, uint64_t age_ns)
{
	struct seen *seen = user;
	size_t i = mac.octet[5];
	assert_in_range(i, 1, 3);
	assert_null(seen->port[i]);
	seen->port[i] = port;
	seen->age_ns[i] = age_ns;
	seen->bound[i] = bound;
}

static void lists_what_it_knows(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { 0 };
	fake_receive(&f->links[0], MAC_BROADCAST, 1, 100);
	fake_receive(&f->links[2], MAC_BROADCAST, 2, 130);
	assert_int_equal(weft_bridge_bind(f->bridge, test_mac(3), f->ports[1]), 0);
	weft_bridge_each(f->bridge, 150, see, &seen);
	assert_ptr_equal(seen.port[1], f->ports[0]);
	assert_ptr_equal(seen.port[2], f->ports[2]);
	assert_ptr_equal(seen.port[3], f->ports[1]);
	assert_int_equal(seen.age_ns[1], 50);
	assert_int_equal(seen.age_ns[2], 20);
	assert_int_equal(seen.age_ns[3], 0);
	assert_true(seen.bound[3] && !seen.bound[1] && !seen.bound[2]);
}

static void outcomes_have_names_of_their_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= WEFT_BRIDGE_OUTCOMES; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(weft_bridge_outcome_name(i),
						weft_bridge_outcome_name(j));
	for (unsigned i = 0; i <= WEFT_BRIDGE_EVENTS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(weft_bridge_event_name(i),
						weft_bridge_event_name(j));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(floods_then_forwards),
		TEST(a_cached_flow_follows_a_move),
		TEST(a_cached_flow_sees_a_binding),
		TEST(a_cached_flow_keeps_its_source_alive),
		TEST(a_run_is_sent_with_one_call),
		TEST(nobody_to_flood_to),
		TEST(flags_of_a_port),
		TEST(super_frames_stay_whole_where_they_can),
		TEST(adding_and_removing),
		TEST(binding_wants_a_unicast_address),
		TEST(a_flood_passes_over_a_port_that_is_removed),
		TEST(a_port_may_remove_itself_in_a_flood),
		TEST(a_batch_ends_when_its_own_port_is_removed),
		TEST(a_flood_ends_when_its_own_port_is_removed),
		TEST(a_run_to_a_removed_port_has_no_target),
		cmocka_unit_test(joins_two_pairs),
		TEST(lists_what_it_knows),
		cmocka_unit_test(outcomes_have_names_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
