/* SPDX-License-Identifier: MIT */
/*
 * A router of an uplink and four clients, driven by the input, and what must hold whatever
 * comes: each packet ends in exactly one outcome, is sent once just if the outcome says so,
 * with its bytes unchanged, to a port that has a link, never between isolated ports, and to
 * where weft_router_explain said before.
 *
 *     input:  flags of each client  { operation }
 *     operation:  what  port  argument  [ length  bytes ]
 */
#include "check.h"
#include "link/link.h"
#include "wire/cursor.h"
#include "wire/ip4.h"

#include <weft/router.h>

#include <stdlib.h>
#include <string.h>

#define PORTS        5u
#define NETWORKS_MAX 8u
#define BATCH_MAX    4u

struct fuzz;

struct port {
	struct weft_link link;
	struct fuzz *fuzz;
	struct weft_router_port *on_router; /* NULL while off the router. */
	struct weft_router_port_opts opts;
};

struct fuzz {
	struct reader in;
	struct weft_router *router;
	struct port ports[PORTS];
	const struct port *ingress; /* Of the batch under way. */
	const uint8_t *expected;    /* What the packets of the batch look like. */
	size_t expected_len;
	struct weft_router_verdict verdict; /* Of an IPv4 packet, */
	bool has_verdict;                   /* if it is one. */
	size_t sent;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sent(const struct port *egress, const struct weft_frame *frame)
{
	const struct fuzz *f = egress->fuzz;
	CHECK(f->ingress && egress->on_router);
	CHECK(weft_router_port_link(egress->on_router) == &egress->link);
	CHECK(egress == f->ingress ||
	      !(egress->opts.isolated && f->ingress->opts.isolated));
	CHECK(frame->len >= 20 && frame->len == f->expected_len);
	CHECK(memcmp(frame->data, f->expected, frame->len) == 0);
	CHECK(!f->has_verdict || f->verdict.egress == egress->on_router);
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
	CHECK(weft_router_add(port->fuzz->router, &port->link, &port->opts,
			      &port->on_router) == 0);
}

static void port_toggle(struct port *port)
{
	if (!port->on_router) {
		port_add(port);
		return;
	}
	weft_router_remove(port->fuzz->router, port->on_router);
	port->on_router = NULL;
}

static uint64_t count_all(const struct fuzz *f, unsigned first, unsigned last)
{
	uint64_t sum = 0;
	for (unsigned i = first; i <= last; i++)
		sum += weft_router_count(f->router, NULL, i);
	return sum;
}

static struct weft_ip ip4_of(uint32_t addr)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = 32 };
	store_be32(ip.octet, addr);
	return ip;
}

/* What the router says of the packet, if it is of IPv4 and the port is on it. */
static void ask(struct fuzz *f, const struct port *ingress)
{
	struct ip4_hdr hdr;
	f->has_verdict = ingress->on_router &&
			 ip4_hdr_parse(f->expected, f->expected_len, &hdr) >= 0;
	if (!f->has_verdict)
		return;
	const struct weft_ip src = ip4_of(hdr.src), dst = ip4_of(hdr.dst);
	CHECK(weft_router_explain(f->router, ingress->on_router, &src, &dst,
				  &f->verdict) == 0);
}

/* A packet counts as what the verdict says, if who gets it has a link. */
static void check_counts(const struct fuzz *f, const struct port *ingress,
			 uint64_t before, size_t n)
{
	bool passed = f->verdict.outcome <= WEFT_ROUTER_UPLINK;
	if (!f->has_verdict)
		return;
	uint64_t counted =
		weft_router_count(f->router, ingress->on_router, f->verdict.outcome);
	if (passed && !weft_router_port_link(f->verdict.egress))
		CHECK(counted == before && f->sent == 0);
	else
		CHECK(counted == before + n && f->sent == (passed ? n : 0));
}

/* The same packet once or several times in one batch. */
static void receive(struct fuzz *f, struct port *ingress, size_t n)
{
	struct weft_frame frames[BATCH_MAX];
	uint64_t ended = count_all(f, 0, WEFT_ROUTER_OUTCOMES - 1);
	uint64_t passed = count_all(f, 0, WEFT_ROUTER_UPLINK);
	f->expected_len = reader_u8(&f->in);
	if (f->expected_len > reader_left(&f->in))
		f->expected_len = reader_left(&f->in);
	f->expected = reader_bytes(&f->in, f->expected_len);
	uint8_t *bytes = malloc(f->expected_len + !f->expected_len);
	CHECK(bytes);
	memcpy(bytes, f->expected, f->expected_len);
	for (size_t i = 0; i < n; i++)
		frames[i] = (struct weft_frame){ .data = bytes,
						 .len = (uint32_t)f->expected_len };
	ask(f, ingress);
	bool is_heard = ingress->on_router && weft_router_port_link(ingress->on_router);
	uint64_t before = f->has_verdict
				  ? weft_router_count(f->router, ingress->on_router,
						      f->verdict.outcome)
				  : 0;
	f->ingress = ingress;
	f->sent = 0;
	link_deliver(&ingress->link, frames, n, 0);
	f->ingress = NULL;
	free(bytes);
	CHECK(count_all(f, 0, WEFT_ROUTER_OUTCOMES - 1) - ended == (is_heard ? n : 0));
	CHECK(count_all(f, 0, WEFT_ROUTER_UPLINK) - passed == f->sent);
	if (is_heard)
		check_counts(f, ingress, before, n);
}

static struct weft_ip read_ip(struct fuzz *f)
{
	struct weft_ip ip = { .family = reader_u8(&f->in) % 4 ? AF_INET : AF_INET6 };
	ip.prefix = reader_u8(&f->in);
	reader_copy(&f->in, ip.octet, ip.family == AF_INET ? 4 : 16);
	return ip;
}

/* Adds or removes a network, a pin or an exemption. */
static void change(struct fuzz *f, struct port *port, unsigned what)
{
	const struct weft_ip ip = read_ip(f);
	int rc = 0;
	if (what == 0)
		weft_router_remove_network(f->router, &ip);
	else if (what == 1)
		weft_router_remove_pin(f->router, &ip);
	else if (what == 2)
		weft_router_unexempt(f->router, &ip);
	else if (what == 3)
		rc = weft_router_exempt(f->router, &ip);
	else if (port->on_router && what == 4)
		rc = weft_router_add_pin(f->router, port->on_router, &ip);
	else if (port->on_router)
		rc = weft_router_add_network(f->router, port->on_router, &ip);
	CHECK(rc <= 0);
}

static void operate(struct fuzz *f)
{
	uint8_t what = reader_u8(&f->in);
	struct port *port = &f->ports[reader_u8(&f->in) % PORTS];
	switch (what % 8) {
	case 0:
		port_toggle(port);
		break;
	case 1:
		if (port->on_router)
			CHECK(weft_router_attach(port->on_router,
						 what & 8 ? &port->link : NULL) == 0);
		break;
	case 2:
	case 3:
	case 4:
		change(f, port, what / 8 % 8);
		break;
	default:
		receive(f, port, 1 + what / 8 % BATCH_MAX);
	}
}

static void start(struct fuzz *f)
{
	const struct weft_router_opts opts = { .networks_max = NETWORKS_MAX };
	const struct weft_link_caps caps = { .flags = WEFT_LINK_IP,
					     .frame_len_max = 1500 };
	CHECK(weft_router_new(&opts, &f->router) == 0);
	for (size_t i = 0; i < PORTS; i++) {
		uint8_t flags = reader_u8(&f->in);
		f->ports[i].fuzz = f;
		f->ports[i].opts = (struct weft_router_port_opts){
			.uplink = i == 0,
			.no_source_check = flags & 1,
			.isolated = flags & 2,
		};
		link_init(&f->ports[i].link, &port_ops, "fuzz", -1, caps);
		port_add(&f->ports[i]);
	}
}

static void stop(struct fuzz *f)
{
	weft_router_free(f->router);
	for (size_t i = 0; i < PORTS; i++)
		weft_link_free(&f->ports[i].link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	f = (struct fuzz){ .in = reader_of(data, size) };
	start(&f);
	while (reader_left(&f.in) > 0)
		operate(&f);
	stop(&f);
	return 0;
}
