/* SPDX-License-Identifier: MIT */
/*
 * A bridge of three to five ports, driven by the input, and what must hold whatever comes:
 * no frame goes back where it came from, between isolated ports, out of a port that is gone,
 * or in from a locked port under a name that is not its own; each frame ends in exactly one
 * outcome, sent just if the outcome says so, with its bytes unchanged; limits hold.
 *
 *     input:  ports  flags of each port  { operation }
 *     operation:  what  port  argument  [ length  bytes ]
 */
#include "check.h"
#include "link/link.h"
#include "wire/cursor.h"

#include <weft/bridge.h>

#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 5u
#define FDB_MAX   8u
#define PORT_MAX  3u
#define AGEING    100u
#define BATCH_MAX 4u

struct fuzz;

struct port {
	struct weft_link link;
	struct fuzz *fuzz;
	struct weft_bridge_port *on_bridge; /* NULL while off the bridge. */
	struct weft_bridge_port_opts opts;
};

struct fuzz {
	struct reader in;
	uint64_t now;
	struct weft_bridge *bridge;
	struct port ports[PORTS_MAX];
	size_t ports_n;
	const struct port *ingress; /* Of the batch under way. */
	struct weft_mac bound;      /* The one address that is bound, and to whom. */
	const struct port *bound_to;
	const uint8_t *expected; /* What the frames of the batch look like. */
	size_t expected_len;
	size_t sent;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sent(const struct port *egress, const struct weft_frame *frame)
{
	const struct fuzz *f = egress->fuzz;
	const struct weft_mac *bound = &f->bound;
	bool is_bound = f->bound_to && memcmp(frame->data + 6, bound, 6) == 0;
	CHECK(f->ingress && egress != f->ingress);
	CHECK(egress->on_bridge);
	CHECK(!(egress->opts.isolated && f->ingress->opts.isolated));
	CHECK(!is_bound || f->bound_to == f->ingress);
	CHECK(!f->ingress->opts.locked || is_bound);
	CHECK(frame->len >= 14 && frame->len == f->expected_len);
	CHECK(memcmp(frame->data, f->expected, frame->len) == 0);
}

static size_t port_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	const struct port *egress = (const struct port *)(const void *)link;
	(void)now;
	for (size_t i = 0; i < n; i++)
		check_sent(egress, &frames[i]);
	egress->fuzz->sent += n;
	return n;
}

static void port_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops port_ops = { .send = port_send, .free = port_free };

static void port_add(struct port *port)
{
	CHECK(weft_bridge_add(port->fuzz->bridge, &port->link, &port->opts,
			      &port->on_bridge) == 0);
}

static void port_remove(struct port *port)
{
	struct fuzz *f = port->fuzz;
	weft_bridge_remove(f->bridge, port->on_bridge);
	port->on_bridge = NULL;
	if (f->bound_to == port)
		f->bound_to = NULL;
}

static uint64_t count_all(const struct fuzz *f, unsigned first, unsigned last)
{
	uint64_t sum = 0;
	for (unsigned i = first; i <= last; i++)
		sum += weft_bridge_count(f->bridge, NULL, i);
	return sum;
}

/* The same frame once or several times in one batch. */
static void receive(struct fuzz *f, struct port *ingress, size_t n)
{
	struct weft_frame frames[BATCH_MAX];
	uint64_t ended = count_all(f, 0, WEFT_BRIDGE_OUTCOMES - 1);
	uint64_t passed = count_all(f, WEFT_BRIDGE_FORWARDED, WEFT_BRIDGE_FLOODED);
	uint8_t *bytes;
	f->expected_len = reader_u8(&f->in);
	if (f->expected_len > reader_left(&f->in))
		f->expected_len = reader_left(&f->in);
	f->expected = reader_bytes(&f->in, f->expected_len);
	bytes = malloc(f->expected_len + 1);
	CHECK(bytes);
	memcpy(bytes, f->expected, f->expected_len);
	for (size_t i = 0; i < n; i++)
		frames[i] = (struct weft_frame){ .data = bytes,
						 .len = (uint32_t)f->expected_len };
	f->ingress = ingress;
	f->sent = 0;
	link_deliver(&ingress->link, frames, n, f->now);
	f->ingress = NULL;
	free(bytes);
	ended = count_all(f, 0, WEFT_BRIDGE_OUTCOMES - 1) - ended;
	passed = count_all(f, WEFT_BRIDGE_FORWARDED, WEFT_BRIDGE_FLOODED) - passed;
	CHECK(ended == (ingress->on_bridge ? n : 0));
	CHECK((passed > 0) == (f->sent > 0) && f->sent >= passed);
}

static void rebind(struct fuzz *f, struct port *port)
{
	const uint8_t *octets = reader_bytes(&f->in, 6);
	if (f->bound_to)
		weft_bridge_unbind(f->bridge, f->bound);
	f->bound_to = NULL;
	if (!octets || !port->on_bridge)
		return;
	memcpy(f->bound.octet, octets, 6);
	if (weft_bridge_bind(f->bridge, f->bound, port->on_bridge) == 0)
		f->bound_to = port;
}

static void operate(struct fuzz *f)
{
	struct weft_task *task = weft_bridge_task(f->bridge);
	uint8_t what = reader_u8(&f->in);
	struct port *port = &f->ports[reader_u8(&f->in) % f->ports_n];
	switch (what % 8) {
	case 0:
		f->now += reader_u8(&f->in);
		while (task->deadline(task) <= f->now)
			task->run(task, f->now);
		break;
	case 1:
		rebind(f, port);
		break;
	case 2:
		if (port->on_bridge)
			port_remove(port);
		else
			port_add(port);
		break;
	default:
		receive(f, port, 1 + what / 8 % BATCH_MAX);
	}
}

static void start(struct fuzz *f)
{
	const struct weft_bridge_opts opts = { .fdb_max = FDB_MAX, .ageing_ns = AGEING };
	const struct weft_link_caps caps = { .frame_len_max = 1514 };
	CHECK(weft_bridge_new(&opts, &f->bridge) == 0);
	f->ports_n = 3 + reader_u8(&f->in) % 3;
	for (size_t i = 0; i < f->ports_n; i++) {
		uint8_t flags = reader_u8(&f->in);
		f->ports[i].fuzz = f;
		f->ports[i].opts = (struct weft_bridge_port_opts){
			.no_learning = flags & 1,
			.no_flood = flags & 2,
			.isolated = flags & 4,
			.locked = flags & 8,
			.fdb_max = flags & 16 ? PORT_MAX : 0,
		};
		link_init(&f->ports[i].link, &port_ops, "fuzz", -1, caps);
		port_add(&f->ports[i]);
	}
}

static void stop(struct fuzz *f)
{
	weft_bridge_free(f->bridge);
	for (size_t i = 0; i < f->ports_n; i++)
		weft_link_free(&f->ports[i].link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	f = (struct fuzz){ .in = reader_of(data, size) };
	start(&f);
	while (reader_left(&f.in) > 0) {
		operate(&f);
		struct weft_bridge_fdb_stats stats = weft_bridge_fdb_stats(f.bridge);
		CHECK(stats.learned <= FDB_MAX);
		CHECK(stats.bound == (f.bound_to ? 1 : 0));
	}
	stop(&f);
	return 0;
}
