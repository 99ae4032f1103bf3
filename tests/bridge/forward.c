/* SPDX-License-Identifier: MIT */
/*
 * The rules of forwarding as a table: one line per frame, on this bridge.
 *
 *      port:    a        b          shy1      shy2      locked    deaf
 *      flags:   -        -          isolated  isolated  locked    no_learning
 *      learned: 10       20         30        31        40        -
 *      bound:   -        21         -         -         41        -
 */
#include "bridge/forward.h"

#include "../unit.h"
#include "fake.h"

enum { A, B, SHY1, SHY2, LOCKED, DEAF, PORTS, NONE = -1 };

static const struct weft_bridge_port_opts port_opts[PORTS] = {
	[SHY1] = { .isolated = true },
	[SHY2] = { .isolated = true },
	[LOCKED] = { .locked = true },
	[DEAF] = { .no_learning = true },
};

static const struct {
	const char *what;
	int ingress;
	unsigned dst, src;
	enum weft_bridge_outcome outcome;
	int target;
	bool unknown, learn;
} rules[] = {
	/* The source: what may come in, and is learned. */
	{ "known to known", A, 20, 10, WEFT_BRIDGE_FORWARDED, B, false, true },
	{ "a new source is learned", A, 20, 99, WEFT_BRIDGE_FORWARDED, B, false, true },
	{ "a moved source is learned", A, 20, 30, WEFT_BRIDGE_FORWARDED, B, false, true },
	{ "group source", A, 20, MAC_BROADCAST, WEFT_BRIDGE_DROP_BAD_SOURCE, NONE, false,
	  false },
	{ "zero source", A, 20, MAC_ZERO, WEFT_BRIDGE_DROP_BAD_SOURCE, NONE, false,
	  false },
	{ "bound source, its port", B, 10, 21, WEFT_BRIDGE_FORWARDED, A, false, false },
	{ "bound source, other port", A, 20, 21, WEFT_BRIDGE_DROP_SPOOFED, NONE, false,
	  false },
	{ "bound source, locked port", LOCKED, 10, 41, WEFT_BRIDGE_FORWARDED, A, false,
	  false },
	{ "learned is not bound", LOCKED, 10, 40, WEFT_BRIDGE_DROP_SPOOFED, NONE, false,
	  false },
	{ "unknown on a locked port", LOCKED, 10, 99, WEFT_BRIDGE_DROP_SPOOFED, NONE,
	  false, false },
	{ "no_learning", DEAF, 10, 99, WEFT_BRIDGE_FORWARDED, A, false, false },
	{ "no_learning, bound elsewhere", DEAF, 10, 21, WEFT_BRIDGE_DROP_SPOOFED, NONE,
	  false, false },

	/* The destination: where it goes. */
	{ "to a bound address", A, 21, 10, WEFT_BRIDGE_FORWARDED, B, false, true },
	{ "to a locked port", A, 41, 10, WEFT_BRIDGE_FORWARDED, LOCKED, false, true },
	{ "unknown", A, 99, 10, WEFT_BRIDGE_FLOODED, NONE, true, true },
	{ "broadcast", A, MAC_BROADCAST, 10, WEFT_BRIDGE_FLOODED, NONE, false, true },
	{ "zero is an unknown address", A, MAC_ZERO, 10, WEFT_BRIDGE_FLOODED, NONE, true,
	  true },
	{ "reserved", A, MAC_RESERVED, 10, WEFT_BRIDGE_DROP_RESERVED, NONE, false, true },
	{ "spoofed and reserved", A, MAC_RESERVED, 21, WEFT_BRIDGE_DROP_SPOOFED, NONE,
	  false, false },
	{ "same port", B, 21, 20, WEFT_BRIDGE_DROP_SAME_PORT, NONE, false, true },
	{ "to itself", A, 10, 10, WEFT_BRIDGE_DROP_SAME_PORT, NONE, false, true },
	{ "to itself, not known yet", A, 99, 99, WEFT_BRIDGE_DROP_SAME_PORT, NONE, false,
	  true },
	{ "both isolated", SHY1, 31, 30, WEFT_BRIDGE_DROP_ISOLATED, NONE, false, true },
	{ "from isolated", SHY1, 10, 30, WEFT_BRIDGE_FORWARDED, A, false, true },
	{ "to isolated", A, 30, 10, WEFT_BRIDGE_FORWARDED, SHY1, false, true },
	{ "flood from isolated", SHY1, MAC_BROADCAST, 30, WEFT_BRIDGE_FLOODED, NONE,
	  false, true },
};

struct fixture {
	struct fdb fdb;
	struct forward_port ports[PORTS];
};

static void learn(struct fixture *f, unsigned mac, int port)
{
	assert_non_null(fdb_learn(&f->fdb, test_mac(mac), &f->ports[port].fdb, 0));
}

static int set_up(void **state)
{
	static struct fixture f;
	assert_int_equal(fdb_init(&f.fdb, &(struct weft_bridge_opts){ 0 }), 0);
	for (int i = 0; i < PORTS; i++) {
		f.ports[i].opts = port_opts[i];
		fdb_port_init(&f.ports[i].fdb, 0);
	}
	learn(&f, 10, A);
	learn(&f, 20, B);
	learn(&f, 30, SHY1);
	learn(&f, 31, SHY2);
	learn(&f, 40, LOCKED);
	assert_int_equal(fdb_bind(&f.fdb, test_mac(21), &f.ports[B].fdb), 0);
	assert_int_equal(fdb_bind(&f.fdb, test_mac(41), &f.ports[LOCKED].fdb), 0);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	fdb_fini(&f->fdb);
	return 0;
}

static void every_rule_holds(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[FAKE_FRAME_LEN];
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		print_message("# %s\n", rules[i].what);
		struct weft_frame frame =
			test_frame(bytes, rules[i].dst, rules[i].src, 0);
		struct forward way =
			forward_decide(&f->fdb, &f->ports[rules[i].ingress], &frame);
		assert_string_equal(weft_bridge_outcome_name(way.outcome),
				    weft_bridge_outcome_name(rules[i].outcome));
		assert_ptr_equal(way.target, rules[i].target == NONE
						     ? NULL
						     : &f->ports[rules[i].target]);
		assert_int_equal(way.unknown, rules[i].unknown);
		const struct fdb_entry *source =
			fdb_lookup(&f->fdb, test_mac(rules[i].src));
		bool here = source && source->port == &f->ports[rules[i].ingress].fdb;
		assert_int_equal(way.learn, rules[i].learn && !here);
		assert_ptr_equal(way.source, rules[i].learn && here ? source : NULL);
	}
}

static void deciding_changes_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[FAKE_FRAME_LEN];
	struct weft_frame frame = test_frame(bytes, 20, 99, 0);
	uint64_t generation = f->fdb.generation;
	assert_true(forward_decide(&f->fdb, &f->ports[A], &frame).learn);
	assert_null(fdb_lookup(&f->fdb, test_mac(99)));
	assert_true(f->fdb.generation == generation);
}

static void a_runt_is_shorter_than_a_header(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[FAKE_FRAME_LEN];
	struct weft_frame frame = test_frame(bytes, 20, 10, 0);
	frame.len = 13;
	assert_int_equal(forward_decide(&f->fdb, &f->ports[A], &frame).outcome,
			 WEFT_BRIDGE_DROP_RUNT);
	frame.len = 14;
	assert_int_equal(forward_decide(&f->fdb, &f->ports[A], &frame).outcome,
			 WEFT_BRIDGE_FORWARDED);
	frame = (struct weft_frame){ 0 };
	assert_int_equal(forward_decide(&f->fdb, &f->ports[A], &frame).outcome,
			 WEFT_BRIDGE_DROP_RUNT);
}

/* 01:80:C2:00:00:00 to 0F are reserved, their neighbours are groups like any other. */
static void the_reserved_block_has_sixteen_addresses(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[FAKE_FRAME_LEN];
	struct weft_frame frame = test_frame(bytes, MAC_RESERVED, 10, 0);
	for (unsigned last = 0; last <= 0xff; last++) {
		bytes[5] = (uint8_t)last;
		assert_int_equal(forward_decide(&f->fdb, &f->ports[A], &frame).outcome,
				 last <= 0x0f ? WEFT_BRIDGE_DROP_RESERVED
					      : WEFT_BRIDGE_FLOODED);
	}
	bytes[4] = 1;
	bytes[5] = 0;
	assert_int_equal(forward_decide(&f->fdb, &f->ports[A], &frame).outcome,
			 WEFT_BRIDGE_FLOODED);
}

static void floods_go_where_they_may(void **state)
{
	struct fixture *f = *state;
	const struct forward group = { .outcome = WEFT_BRIDGE_FLOODED };
	const struct forward unknown = { .outcome = WEFT_BRIDGE_FLOODED,
					 .unknown = true };
	const struct forward_port *p = f->ports;
	f->ports[B].opts.no_flood = true;
	assert_true(forward_floods_to(&group, &p[A], &p[B]));
	assert_false(forward_floods_to(&unknown, &p[A], &p[B]));
	assert_true(forward_floods_to(&unknown, &p[B], &p[A]));
	assert_false(forward_floods_to(&group, &p[A], &p[A]));
	assert_true(forward_floods_to(&group, &p[SHY1], &p[A]));
	assert_true(forward_floods_to(&group, &p[A], &p[SHY1]));
	assert_false(forward_floods_to(&group, &p[SHY1], &p[SHY2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_rule_holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deciding_changes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_runt_is_shorter_than_a_header, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_reserved_block_has_sixteen_addresses,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(floods_go_where_they_may, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
