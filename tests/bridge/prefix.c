/* SPDX-License-Identifier: MIT */
/*
 * The table of networks against a list that is searched from end to end, and the corners by
 * hand: no bits at all, all of them, and what lies within what.
 */
#include "bridge/prefix.h"

#include "../unit.h"
#include "base/rng.h"

#include <errno.h>
#include <string.h>

#define MODEL_MAX 400u
#define STEPS     20000u
#define VALUES    7u
#define ROOM      300u

static struct prefix net(const char *text)
{
	struct weft_ip ip;
	struct prefix p;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	assert_int_equal(prefix_of(&ip, &p), 0);
	return p;
}

static void assert_text(const struct prefix *p, const char *text)
{
	char buf[WEFT_IP_TEXT];
	struct weft_ip ip = prefix_ip(p);
	assert_string_equal(weft_ip_print(&ip, buf), text);
}

static void host_bits_are_masked(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "10.1.2.3/8", "10.0.0.0/8" },
		{ "10.1.2.3/32", "10.1.2.3" },
		{ "255.255.255.255/0", "0.0.0.0/0" },
		{ "255.255.255.255/31", "255.255.255.254/31" },
		{ "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
		{ "2001:db8::ffff:1/64", "2001:db8::/64" },
		{ "2001:db8::ffff:1/65", "2001:db8::/65" },
		{ "2001:db8::8000:0:0:1/65", "2001:db8:0:0:8000::/65" },
		{ "::1/127", "::/127" },
		{ "ffff::1/0", "::/0" },
		{ "::1", "::1" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix p = net(cases[i][0]), same = net(cases[i][1]);
		assert_true(prefix_equal(&p, &same));
	}
	struct prefix p = net("10.1.2.3/8");
	assert_text(&p, "10.0.0.0/8");
	p = net("2001:db8::1/48");
	assert_text(&p, "2001:db8::/48");
}

static void what_lies_in_what(void **state)
{
	(void)state;
	static const struct {
		const char *outer, *inner;
		bool holds;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "10.0.0.0/8", true },
		{ "10.0.0.0/9", "10.0.0.0/8", false },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.2", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "10.1.2.3", false },
		{ "2001:db8::/65", "2001:db8::7fff:0:0:1", true },
		{ "2001:db8::/65", "2001:db8::8000:0:0:0", false },
		{ "2001:db8::/64", "2001:db8::8000:0:0:0", true },
		{ "2001:db8::/64", "2001:db8:0:1::", false },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "2001:db8::1", "2001:db8::", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct prefix outer = net(cases[i].outer),
				    inner = net(cases[i].inner);
		assert_int_equal(prefix_holds(&outer, &inner), cases[i].holds);
	}
}

static void what_is_no_network(void **state)
{
	(void)state;
	static const struct weft_ip bad[] = {
		{ .family = 0 },
		{ .family = AF_INET, .prefix = 33 },
		{ .family = AF_INET6, .prefix = 129 },
	};
	struct prefix p = { .bits = 7 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(prefix_of(&bad[i], &p), -EINVAL);
	assert_int_equal(p.bits, 7);
}

static char values[VALUES];

static void add(struct prefix_table *t, const char *text, size_t value)
{
	struct prefix p = net(text);
	assert_int_equal(prefix_add(t, &p, &values[value]), 0);
}

/* The text of the network that the address is found in; "" for none. */
static void assert_found(const struct prefix_table *t, const char *addr,
			 const void *except, const char *expected)
{
	struct prefix p = net(addr), network;
	void *value = prefix_lookup(t, &p, except, &network);
	assert_int_equal(value != NULL, expected[0] != 0);
	if (value)
		assert_text(&network, expected);
}

static void the_longest_wins(void **state)
{
	(void)state;
	struct prefix_table t;
	prefix_table_init(&t, 100);
	assert_found(&t, "10.0.0.1", NULL, "");
	add(&t, "0.0.0.0/0", 0);
	add(&t, "10.1.0.0/16", 1);
	add(&t, "10.0.0.0/8", 2);
	add(&t, "10.1.2.3", 3);
	add(&t, "2001:db8::/32", 4);
	add(&t, "2001:db8::1", 5);
	assert_found(&t, "10.1.2.3", NULL, "10.1.2.3");
	assert_found(&t, "10.1.2.2", NULL, "10.1.0.0/16");
	assert_found(&t, "10.2.0.1", NULL, "10.0.0.0/8");
	assert_found(&t, "11.0.0.1", NULL, "0.0.0.0/0");
	assert_found(&t, "2001:db8::1", NULL, "2001:db8::1");
	assert_found(&t, "2001:db8::2", NULL, "2001:db8::/32");
	assert_found(&t, "2001:db9::1", NULL, "");
	prefix_table_fini(&t);
}

/* Somebody's own entries are as if they were not there, however long they are. */
static void one_value_can_be_left_out(void **state)
{
	(void)state;
	struct prefix_table t;
	prefix_table_init(&t, 100);
	add(&t, "10.0.0.0/8", 0);
	add(&t, "10.1.0.0/16", 1);
	add(&t, "10.1.2.0/24", 1);
	add(&t, "10.1.2.3", 2);
	assert_found(&t, "10.1.2.9", &values[1], "10.0.0.0/8");
	assert_found(&t, "10.1.2.3", &values[2], "10.1.2.0/24");
	assert_found(&t, "10.2.2.2", &values[0], "");
	prefix_table_fini(&t);
}

static void limits(void **state)
{
	(void)state;
	struct prefix_table t;
	prefix_table_init(&t, 2);
	struct prefix a = net("10.0.0.0/8"), b = net("11.0.0.0/8"), c = net("::/0");
	assert_int_equal(prefix_add(&t, &a, &values[0]), 0);
	assert_int_equal(prefix_add(&t, &a, &values[1]), -EEXIST);
	assert_ptr_equal(prefix_get(&t, &a), &values[0]);
	assert_int_equal(prefix_add(&t, &b, &values[1]), 0);
	assert_int_equal(prefix_add(&t, &c, &values[1]), -ENOSPC);
	assert_null(prefix_remove(&t, &c));
	assert_ptr_equal(prefix_remove(&t, &a), &values[0]);
	assert_null(prefix_remove(&t, &a));
	assert_int_equal(prefix_add(&t, &c, &values[1]), 0);
	assert_int_equal(t.count, 2);
	prefix_table_fini(&t);
}

/* A fork goes with the second last of what it held apart. */
static void nothing_is_left_behind(void **state)
{
	(void)state;
	struct prefix_table t;
	prefix_table_init(&t, 100);
	struct prefix a = net("10.0.0.0/8"), b = net("12.0.0.0/8"),
		      c = net("12.1.0.0/16");
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(prefix_add(&t, &a, &values[0]), 0);
		assert_int_equal(prefix_add(&t, &b, &values[1]), 0);
		assert_int_equal(prefix_add(&t, &c, &values[2]), 0);
		assert_ptr_equal(prefix_remove(&t, i % 2 ? &a : &b), &values[!(i % 2)]);
		assert_ptr_equal(prefix_remove(&t, i % 2 ? &b : &a), &values[i % 2]);
		assert_ptr_equal(prefix_remove(&t, &c), &values[2]);
		assert_int_equal(t.root[0], 0);
	}
	assert_true(t.nodes_n <= 5); /* Nobody, three networks, a fork. */
	prefix_table_fini(&t);
}

/* However networks come and go, no more of them than that take no memory. */
static void reserved_room_is_enough(void **state)
{
	struct prefix_table t;
	(void)state;
	prefix_table_init(&t, ROOM);
	assert_int_equal(prefix_reserve(&t, 0), 0);
	assert_null(t.nodes);
	assert_int_equal(prefix_reserve(&t, ROOM), 0);
	const struct prefix_node *nodes = t.nodes;
	const uint32_t len = t.nodes_len;
	for (uint32_t round = 0; round < 8; round++) {
		for (uint32_t i = 0; i < ROOM; i++) {
			const struct prefix p =
				prefix_of_ip4((i * 8 + round) * 0x9e3779b1u);
			assert_int_equal(prefix_add(&t, &p, &values[round % 2]), 0);
		}
		assert_int_equal(prefix_reserve(&t, ROOM / 2), 0);
		prefix_remove_all(&t, &values[round % 2]);
	}
	assert_ptr_equal(t.nodes, nodes);
	assert_int_equal(t.nodes_len, len);
	prefix_table_fini(&t);
}

/* ---- against the model ------------------------------------------------------------------- */

struct model {
	struct prefix networks[MODEL_MAX];
	void *values[MODEL_MAX];
	size_t n;
};

static bool covers(const struct prefix *network, const struct prefix *addr)
{
	const struct weft_ip n = prefix_ip(network), a = prefix_ip(addr);
	if (n.family != a.family)
		return false;
	for (unsigned i = 0; i < n.prefix; i++)
		if ((n.octet[i / 8] ^ a.octet[i / 8]) & (0x80u >> i % 8))
			return false;
	return true;
}

static size_t model_find(const struct model *m, const struct prefix *p)
{
	size_t i = 0;
	while (i < m->n && !prefix_equal(&m->networks[i], p))
		i++;
	return i;
}

static void *model_lookup(const struct model *m, const struct prefix *addr,
			  const void *except)
{
	int best = -1;
	for (size_t i = 0; i < m->n; i++)
		if (m->values[i] != except && covers(&m->networks[i], addr) &&
		    (best < 0 || m->networks[i].bits > m->networks[best].bits))
			best = (int)i;
	return best < 0 ? NULL : m->values[best];
}

static void model_drop(struct model *m, size_t i)
{
	m->n--;
	m->networks[i] = m->networks[m->n];
	m->values[i] = m->values[m->n];
}

/* Few different bits, so that networks lie within each other and addresses in them. */
static struct prefix random_prefix(struct rng *rng, bool is_addr)
{
	struct weft_ip ip = { .family = rng_below(rng, 2) ? AF_INET : AF_INET6 };
	const unsigned bits = ip.family == AF_INET ? 32 : 128;
	struct prefix p;
	for (unsigned i = 0; i < bits / 8; i++)
		ip.octet[i] =
			(uint8_t)(rng_below(rng, 3) ? 0 : 0x80 >> rng_below(rng, 8));
	ip.prefix = (uint8_t)(is_addr ? bits : rng_below(rng, bits + 1));
	assert_int_equal(prefix_of(&ip, &p), 0);
	return p;
}

static void step_add(struct prefix_table *t, struct model *m, struct rng *rng)
{
	struct prefix p = random_prefix(rng, false);
	void *value = &values[rng_below(rng, VALUES)];
	size_t i = model_find(m, &p);
	int expected = i < m->n ? -EEXIST : m->n >= MODEL_MAX ? -ENOSPC : 0;
	assert_int_equal(prefix_add(t, &p, value), expected);
	if (expected == 0) {
		m->networks[m->n] = p;
		m->values[m->n++] = value;
	}
}

static void step_remove(struct prefix_table *t, struct model *m, struct rng *rng)
{
	size_t i = m->n > 0 ? (size_t)rng_below(rng, m->n) : 0;
	struct prefix p = rng_below(rng, 2) && m->n > 0 ? m->networks[i]
							: random_prefix(rng, false);
	i = model_find(m, &p);
	assert_ptr_equal(prefix_remove(t, &p), i < m->n ? m->values[i] : NULL);
	if (i < m->n)
		model_drop(m, i);
}

static void step_remove_all(struct prefix_table *t, struct model *m, struct rng *rng)
{
	void *value = &values[rng_below(rng, VALUES)];
	prefix_remove_all(t, value);
	for (size_t i = m->n; i-- > 0;)
		if (m->values[i] == value)
			model_drop(m, i);
}

static void compare(const struct prefix_table *t, const struct model *m, struct rng *rng)
{
	struct prefix addr = random_prefix(rng, true);
	const void *except = rng_below(rng, 2) ? NULL : &values[rng_below(rng, VALUES)];
	assert_ptr_equal(prefix_lookup(t, &addr, except, NULL),
			 model_lookup(m, &addr, except));
	assert_int_equal(t->count, m->n);
}

static void table_and_model_agree(void **state)
{
	(void)state;
	static struct model m;
	struct prefix_table t;
	struct rng rng;
	rng_init(&rng, test_seed());
	prefix_table_init(&t, MODEL_MAX);
	for (size_t i = 0; i < STEPS; i++) {
		uint64_t what = rng_below(&rng, 1000);
		if (what < 600)
			step_add(&t, &m, &rng);
		else if (what < 995)
			step_remove(&t, &m, &rng);
		else
			step_remove_all(&t, &m, &rng);
		compare(&t, &m, &rng);
	}
	/* Nothing leaks: networks that are gone leave no nodes behind. */
	for (size_t i = 0; i < VALUES; i++)
		prefix_remove_all(&t, &values[i]);
	assert_int_equal(t.count, 0);
	assert_int_equal(t.root[0], 0);
	assert_int_equal(t.root[1], 0);
	assert_true(t.nodes_n <= 2 * MODEL_MAX + 2);
	prefix_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_bits_are_masked),
		cmocka_unit_test(what_lies_in_what),
		cmocka_unit_test(what_is_no_network),
		cmocka_unit_test(the_longest_wins),
		cmocka_unit_test(one_value_can_be_left_out),
		cmocka_unit_test(limits),
		cmocka_unit_test(nothing_is_left_behind),
		cmocka_unit_test(reserved_room_is_enough),
		cmocka_unit_test(table_and_model_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
