/* SPDX-License-Identifier: MIT */
/*
 * What a packet costs on its way through a router with many clients, in one process and on
 * one core: nanoseconds for packets that all go on one flow, and for packets of which each is
 * of another flow, so that none finds its way in a cache; without hooks, with an access list
 * (as the tunnel's server has it), and with exits of which one is chosen for each packet. Best
 * and median of many short rounds: on a shared machine a mean tells of the neighbours.
 *
 *     bench-router
 */
#include "link/link.h"
#include "tunnel/policy.h"

#include <weft/router.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS    101u
#define PER_ROUND 20480u /* Packets. */
#define BATCH     64u
#define FLOWS     8192u
#define PACKET    64u

enum kind { PLAIN, ACL, EXITS };

static const char *const kinds[] = { "plain", "acl", "exits" };

struct bench {
	struct weft_router *router;
	struct policy *policy; /* NULL if plain. */
	struct policy_port *ports;
	struct weft_link uplink;
	struct weft_link sink; /* Of all clients. */
	struct weft_router_port **clients;
	unsigned clients_n;
	size_t sent;
};

static struct bench bench;
static uint8_t packets[FLOWS][PACKET];

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-router: %s\n", what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t swallow(struct weft_link *link, const struct weft_frame *frames, size_t n,
		      uint64_t now)
{
	(void)link, (void)frames, (void)now;
	bench.sent += n;
	return n;
}

static void no_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops ops = { .send = swallow, .free = no_free };

/* A small generator: the same networks in every run. */
static uint32_t random32(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 32);
}

static struct weft_ip ip4(uint32_t addr, uint8_t prefix)
{
	return (struct weft_ip){ .family = AF_INET,
				 .prefix = prefix,
				 .octet = { (uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
					    (uint8_t)(addr >> 8), (uint8_t)addr } };
}

/* A TCP segment from outside to addr. */
static void packet_fill(uint8_t *packet, uint32_t addr)
{
	const uint8_t head[16] = { 0x45, 0, 0, PACKET, 0,   0, 0, 0,
				   64,   6, 0, 0,      203, 0, 0, 1 };
	const struct weft_ip dst = ip4(addr, 32);

	memset(packet, 0, PACKET);
	memcpy(packet, head, sizeof(head));
	memcpy(packet + 16, dst.octet, 4);
	packet[32] = 0x50; /* Length of TCP's header, and its ACK. */
	packet[33] = 0x10;
}

/* Networks of 16 to 28 bits in 10/8, and destinations in them; or, if there are exits, in no
   network at all. Returns how long it took. */
static uint64_t fill(enum kind kind, unsigned routes_n)
{
	uint64_t start = now_ns();

	for (unsigned i = 0, n = 0; n < routes_n; i++) {
		uint32_t addr = 0x0a000000u | (random32() & 0x00ffffffu);
		uint8_t prefix = (uint8_t)(16 + random32() % 13);
		const struct weft_ip ip = ip4(addr, prefix);
		if (weft_router_add_network(bench.router,
					    bench.clients[i % bench.clients_n], &ip) < 0)
			continue; /* It is there. */
		packet_fill(packets[n++ % FLOWS],
			    kind == EXITS ? addr | 0x80000000u : addr);
	}
	return now_ns() - start;
}

/*
 * The rules of an office, of which the tenth allows everything from the server's side; or one
 * exit, by way of ten clients.
 */
static void set_policy(enum kind kind)
{
	static char self[] = WEFT_TUNNEL_SELF, name[] = "client", none[] = "192.0.2.0/24";
	static char all[] = "0.0.0.0/0", *from_self[] = { self }, *to_all[] = { all };
	static char *from_none[] = { none }, *via[] = { name };
	static struct weft_tunnel_client clients[10];
	static struct weft_tunnel_acl_rule rules[10];
	static struct weft_tunnel_exit exit = { .via = { via, 1 }, .balance = true };
	static struct weft_tunnel_interface conf;
	static const uint8_t secret[16];
	const struct exit_member health = { .is_connected = true };

	for (unsigned i = 0; i < 10; i++) {
		clients[i].name = name;
		rules[i].from = (struct weft_tunnel_selectors){ from_none, 1 };
		rules[i].to = (struct weft_tunnel_selectors){ to_all, 1 };
	}
	rules[9].from.items = from_self;
	conf = (struct weft_tunnel_interface){ .clients = clients, .clients_n = 10 };
	conf.acl = rules;
	conf.acl_n = 10;
	conf.has_acl = kind == ACL;
	conf.exits = &exit;
	conf.exits_n = kind == EXITS;
	if (policy_new(&conf, secret, &bench.policy) < 0)
		die("out of memory");
	for (uint32_t i = 0; i < 10; i++) {
		bench.ports[i].on_router = bench.clients[i];
		policy_join(bench.policy, &bench.ports[i], i);
		policy_set_health(bench.policy, &bench.ports[i], &health, 0);
	}
	policy_tick(bench.policy, 0);
	const struct weft_router_hooks hooks = policy_hooks(bench.policy);
	weft_router_set_hooks(bench.router, &hooks);
}

static void begin(enum kind kind, unsigned clients_n)
{
	const struct weft_link_caps caps = { .flags = WEFT_LINK_IP,
					     .frame_len_max = 1500 };
	const struct weft_router_port_opts up = { .uplink = true };
	struct weft_router_port *uplink;

	bench = (struct bench){ .clients_n = clients_n };
	bench.clients = calloc(clients_n, sizeof(struct weft_router_port *));
	bench.ports = calloc(clients_n, sizeof(*bench.ports));
	link_init(&bench.uplink, &ops, "uplink", -1, caps);
	link_init(&bench.sink, &ops, "sink", -1, caps);
	if (!bench.clients || !bench.ports || weft_router_new(NULL, &bench.router) < 0 ||
	    weft_router_add(bench.router, &bench.uplink, &up, &uplink) < 0)
		die("out of memory");
	for (unsigned i = 0; i < clients_n; i++) {
		const struct weft_ip own = ip4(0x0b000000u + i, 32);
		const struct weft_router_port_opts opts = { .user = &bench.ports[i] };
		if (weft_router_add(bench.router, &bench.sink, &opts, &bench.clients[i]) <
			    0 ||
		    weft_router_add_network(bench.router, bench.clients[i], &own) < 0)
			die("out of memory");
	}
	if (kind != PLAIN)
		set_policy(kind);
}

static void end(void)
{
	weft_router_free(bench.router);
	policy_free(bench.policy);
	free(bench.ports);
	link_fini(&bench.uplink);
	link_fini(&bench.sink);
	free(bench.clients);
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Passes one round of packets, each of which is flows behind the one before. */
static void pass(unsigned flows)
{
	struct weft_frame batch[BATCH];

	for (unsigned n = 0; n < PER_ROUND; n += BATCH) {
		for (unsigned i = 0; i < BATCH; i++)
			batch[i] = (struct weft_frame){
				.data = packets[(n + i) * 2654435761u % flows],
				.len = PACKET,
			};
		link_deliver(&bench.uplink, batch, BATCH, 0);
	}
}

static void measure(enum kind kind, unsigned clients_n, unsigned routes_n, unsigned flows)
{
	static double ns[ROUNDS];

	begin(kind, clients_n);
	uint64_t took = fill(kind, routes_n);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns();
		pass(flows);
		ns[i] = (double)(now_ns() - start) / PER_ROUND;
	}
	if (bench.sent != (size_t)ROUNDS * PER_ROUND)
		die("packets were lost");
	end();
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	printf("%-6s %8u %8u %6u %10.1f %12.1f %16.0f\n", kinds[kind], clients_n,
	       routes_n, flows, ns[0], ns[ROUNDS / 2], (double)took / routes_n);
}

int main(void)
{
	printf("hooks   clients   routes  flows  ns (best)  ns (median)  ns to add a "
	       "route\n");
	for (enum kind kind = PLAIN; kind <= EXITS; kind++) {
		measure(kind, 10, 100, 1);
		measure(kind, 10, 100, 100);
		measure(kind, 1000, 10000, 1);
		measure(kind, 1000, 10000, FLOWS);
	}
	return 0;
}
