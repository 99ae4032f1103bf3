/* SPDX-License-Identifier: MIT */
/*
 * The bridge against a naive model of it: arrays indexed by address and port, every frame by
 * itself, no cache, no batch. Both are given the same random frames, bindings, ports that come
 * and go, and time; each link must then have got the same frames in the same order, each
 * outcome the same count, and the database the same entries.
 */
#include "../unit.h"
#include "base/rng.h"
#include "fake.h"

#include <weft/bridge.h>

#include <errno.h>
#include <string.h>

#define PORTS     6u
#define MACS      16u /* Addresses 0..MACS-1 occur. */
#define FDB_MAX   10u
#define PORT_MAX  4u /* Of the first port. */
#define AGEING    100u
#define BATCH_MAX 12u
#define STEPS     4000u
#define NO_PORT   (-1)

struct model_entry {
	int port; /* NO_PORT: not known. */
	bool bound;
	uint64_t seen;
};

struct model {
	struct model_entry fdb[MACS];
	struct weft_bridge_port_opts opts[PORTS];
	bool has_port[PORTS];
	uint64_t counts[WEFT_BRIDGE_OUTCOMES];
	unsigned sent[PORTS][FAKE_SENT_MAX];
	size_t sent_n[PORTS];
};

struct both {
	struct rng rng;
	uint64_t now;
	unsigned serial;
	struct model model;
	struct weft_bridge *bridge;
	struct fake_link links[PORTS];
	struct weft_bridge_port *ports[PORTS];
	unsigned src[PORTS], dst[PORTS]; /* Of the port's last frame. */
};

/* ---- the model --------------------------------------------------------------------------- */

static size_t model_count(const struct model *m, bool bound, int port)
{
	size_t n = 0;
	for (size_t i = 0; i < MACS; i++)
		n += m->fdb[i].port != NO_PORT && m->fdb[i].bound == bound &&
		     (port == NO_PORT || m->fdb[i].port == port);
	return n;
}

static void model_learn(struct model *m, int port, unsigned src, uint64_t now)
{
	struct model_entry *entry = &m->fdb[src];
	bool is_new = entry->port == NO_PORT;
	bool comes = is_new || entry->port != port;
	uint32_t port_max = m->opts[port].fdb_max;
	if (is_new && model_count(m, false, NO_PORT) >= FDB_MAX)
		return;
	if (comes && port_max && model_count(m, false, port) >= port_max)
		return;
	*entry = (struct model_entry){ .port = port, .seen = now };
}

static bool model_send(struct model *m, int from, int to, unsigned serial)
{
	if (!m->has_port[to] || to == from ||
	    (m->opts[from].isolated && m->opts[to].isolated))
		return false;
	m->sent[to][m->sent_n[to]++] = serial;
	return true;
}

static enum weft_bridge_outcome model_flood(struct model *m, int from, bool unknown,
					    unsigned serial)
{
	bool any = false;
	for (int to = 0; to < (int)PORTS; to++)
		if (!(unknown && m->opts[to].no_flood))
			any |= model_send(m, from, to, serial);
	return any ? WEFT_BRIDGE_FLOODED : WEFT_BRIDGE_DROP_NO_TARGET;
}

static enum weft_bridge_outcome model_frame(struct model *m, int port, unsigned dst,
					    unsigned src, unsigned serial, uint64_t now)
{
	if (src >= MACS)
		return WEFT_BRIDGE_DROP_BAD_SOURCE;
	if (m->fdb[src].port != NO_PORT && m->fdb[src].bound) {
		if (m->fdb[src].port != port)
			return WEFT_BRIDGE_DROP_SPOOFED;
	} else if (m->opts[port].locked) {
		return WEFT_BRIDGE_DROP_SPOOFED;
	} else if (!m->opts[port].no_learning) {
		model_learn(m, port, src, now);
	}
	if (dst == MAC_RESERVED)
		return WEFT_BRIDGE_DROP_RESERVED;
	if (dst == src)
		return WEFT_BRIDGE_DROP_SAME_PORT;
	if (dst >= MACS)
		return model_flood(m, port, dst == MAC_ZERO, serial);
	int to = m->fdb[dst].port;
	if (to == NO_PORT)
		return model_flood(m, port, true, serial);
	if (to == port)
		return WEFT_BRIDGE_DROP_SAME_PORT;
	return model_send(m, port, to, serial) ? WEFT_BRIDGE_FORWARDED
					       : WEFT_BRIDGE_DROP_ISOLATED;
}

static void model_age(struct model *m, uint64_t now)
{
	for (size_t i = 0; i < MACS; i++)
		if (!m->fdb[i].bound && m->fdb[i].seen + AGEING <= now)
			m->fdb[i].port = NO_PORT;
}

static void model_remove_port(struct model *m, int port)
{
	m->has_port[port] = false;
	for (size_t i = 0; i < MACS; i++)
		if (m->fdb[i].port == port)
			m->fdb[i] = (struct model_entry){ .port = NO_PORT };
}

static int model_bind(struct model *m, unsigned mac, int port)
{
	struct model_entry *entry = &m->fdb[mac];
	if (entry->port != NO_PORT && entry->bound)
		return entry->port == port ? 0 : -EEXIST;
	if (model_count(m, true, NO_PORT) >= FDB_MAX)
		return -ENOSPC;
	*entry = (struct model_entry){ .port = port, .bound = true };
	return 0;
}

/* ---- the same step on both --------------------------------------------------------------- */

static unsigned random_mac(struct both *b, bool is_dst)
{
	static const unsigned special[] = { MAC_BROADCAST, MAC_ZERO, MAC_RESERVED };
	if (rng_below(&b->rng, is_dst ? 6 : 40) == 0)
		return special[rng_below(&b->rng, 3)];
	return (unsigned)rng_below(&b->rng, MACS);
}

/* A batch with runs of the same flow in it, which often goes on from batch to batch. */
static void step_batch(struct both *b)
{
	uint8_t bytes[BATCH_MAX][FAKE_FRAME_LEN];
	struct weft_frame frames[BATCH_MAX];
	size_t n = 1 + (size_t)rng_below(&b->rng, BATCH_MAX);
	int port = (int)rng_below(&b->rng, PORTS);
	unsigned *src = &b->src[port], *dst = &b->dst[port];
	if (!b->model.has_port[port])
		return;
	for (size_t i = 0; i < n; i++) {
		if (rng_below(&b->rng, 3) == 0) {
			*src = random_mac(b, false);
			*dst = random_mac(b, true);
		}
		frames[i] = test_frame(bytes[i], *dst, *src, b->serial);
		enum weft_bridge_outcome outcome =
			model_frame(&b->model, port, *dst, *src, b->serial++, b->now);
		b->model.counts[outcome]++;
	}
	link_deliver(&b->links[port].link, frames, n, b->now);
}

static void step_port(struct both *b)
{
	int port = (int)rng_below(&b->rng, PORTS);
	if (b->model.has_port[port]) {
		model_remove_port(&b->model, port);
		weft_bridge_remove(b->bridge, b->ports[port]);
		return;
	}
	const struct weft_bridge_port_opts opts = {
		.no_learning = rng_below(&b->rng, 5) == 0,
		.no_flood = rng_below(&b->rng, 4) == 0,
		.isolated = rng_below(&b->rng, 3) == 0,
		.locked = rng_below(&b->rng, 5) == 0,
		.fdb_max = rng_below(&b->rng, 2) == 0 ? PORT_MAX : 0,
	};
	b->model.has_port[port] = true;
	b->model.opts[port] = opts;
	assert_int_equal(
		weft_bridge_add(b->bridge, &b->links[port].link, &opts, &b->ports[port]),
		0);
}

static void step_binding(struct both *b)
{
	unsigned mac = (unsigned)rng_below(&b->rng, MACS);
	int port = (int)rng_below(&b->rng, PORTS);
	if (rng_below(&b->rng, 2) == 0) {
		if (b->model.fdb[mac].bound)
			b->model.fdb[mac] = (struct model_entry){ .port = NO_PORT };
		weft_bridge_unbind(b->bridge, test_mac(mac));
	} else if (b->model.has_port[port]) {
		assert_int_equal(
			weft_bridge_bind(b->bridge, test_mac(mac), b->ports[port]),
			model_bind(&b->model, mac, port));
	}
}

static void step_time(struct both *b)
{
	struct weft_task *task = weft_bridge_task(b->bridge);
	b->now += rng_below(&b->rng, AGEING / 2);
	model_age(&b->model, b->now);
	while (task->deadline(task) <= b->now)
		task->run(task, b->now);
}

/* ---- what must be equal ------------------------------------------------------------------ */

static void see_entry(void *user, struct weft_mac mac,
		      const struct weft_bridge_port *port, bool bound, uint64_t age_ns)
{
	struct both *b = user;
	const struct model_entry *entry = &b->model.fdb[mac.octet[5]];
	assert_int_not_equal(entry->port, NO_PORT);
	assert_ptr_equal(port, b->ports[entry->port]);
	assert_int_equal(bound, entry->bound);
	assert_int_equal(age_ns, bound ? 0 : b->now - entry->seen);
}

static void assert_same(struct both *b)
{
	struct weft_bridge_fdb_stats stats = weft_bridge_fdb_stats(b->bridge);
	assert_int_equal(stats.learned, model_count(&b->model, false, NO_PORT));
	assert_int_equal(stats.bound, model_count(&b->model, true, NO_PORT));
	weft_bridge_each(b->bridge, b->now, see_entry, b);
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++)
		assert_int_equal(weft_bridge_count(b->bridge, NULL, i),
				 b->model.counts[i]);
	for (size_t i = 0; i < PORTS; i++) {
		assert_int_equal(b->links[i].sent_n, b->model.sent_n[i]);
		assert_memory_equal(b->links[i].serials, b->model.sent[i],
				    b->model.sent_n[i] * sizeof(unsigned));
		fake_clear(&b->links[i]);
		b->model.sent_n[i] = 0;
	}
}

static void step(struct both *b)
{
	uint64_t what = rng_below(&b->rng, 20);
	if (what < 14)
		step_batch(b);
	else if (what < 15)
		step_port(b);
	else if (what < 17)
		step_binding(b);
	else
		step_time(b);
	assert_same(b);
}

static void bridge_and_model_agree(void **state)
{
	(void)state;
	static struct both b;
	rng_init(&b.rng, test_seed());
	const struct weft_bridge_opts opts = { .fdb_max = FDB_MAX, .ageing_ns = AGEING };
	assert_int_equal(weft_bridge_new(&opts, &b.bridge), 0);
	for (size_t i = 0; i < MACS; i++)
		b.model.fdb[i].port = NO_PORT;
	for (size_t i = 0; i < PORTS; i++)
		fake_init(&b.links[i], 0);
	for (size_t i = 0; i < STEPS; i++)
		step(&b);
	for (unsigned i = 0; i < WEFT_BRIDGE_OUTCOMES; i++)
		assert_true(i == WEFT_BRIDGE_DROP_RUNT || b.model.counts[i] > 0);
	assert_true(weft_bridge_fdb_stats(b.bridge).refused > 0);
	assert_true(weft_bridge_fdb_stats(b.bridge).moved > 0);
	assert_true(weft_bridge_fdb_stats(b.bridge).aged > 0);
	weft_bridge_free(b.bridge);
	for (size_t i = 0; i < PORTS; i++)
		fake_fini(&b.links[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bridge_and_model_agree) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
