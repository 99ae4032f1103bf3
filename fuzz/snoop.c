/* SPDX-License-Identifier: MIT */
/*
 * Snooping on three ports and a router's, driven by the input, and what must hold whatever
 * comes: a router gets everything, and so does who has never answered; what is remembered has
 * its limits; a query that is due is not due again at once.
 *
 *     input:  { what  port  argument (2)  [ length  bytes ] }
 */
#include "bridge/snoop.h"

#include "base/table.h"
#include "check.h"
#include "wire/checksum.h"
#include "wire/cursor.h"

#include <weft/loop.h>

#include <stdlib.h>
#include <string.h>

#define PORTS    4u
#define ROUTER   3u
#define REPORT   54u /* Ethernet, IPv4 with router alert, one record */
#define IGMP_OFF 38u
#define IGMP_LEN 16u
#define DATA     42u

struct fuzz {
	struct reader in;
	struct snoop snoop;
	struct snoop_port ports[PORTS];
	uint64_t events[WEFT_BRIDGE_EVENTS];
	uint64_t now;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decide(struct fuzz *f, unsigned from, const struct weft_frame *frame)
{
	const struct snoop_way way =
		snoop_decide(&f->snoop, &f->ports[from], frame, f->now);
	CHECK(way.reach <= SNOOP_TO_MEMBERS);
	CHECK(snoop_reaches(&f->snoop, &way, &f->ports[ROUTER], f->now));
	for (unsigned i = 0; i < PORTS; i++) {
		const struct snoop_port *port = &f->ports[i];
		const bool reaches = snoop_reaches(&f->snoop, &way, port, f->now);
		const bool is_mute = port->voices[0].answered_ns == 0 &&
				     port->voices[1].answered_ns == 0;
		CHECK(reaches || way.reach != SNOOP_TO_ALL);
		CHECK(reaches || way.reach == SNOOP_TO_ROUTERS || !is_mute);
		CHECK(port->memberships_n <= SNOOP_PORT_GROUPS_MAX);
	}
	CHECK(table_count(f->snoop.flows) <= SNOOP_FLOWS_MAX);
}

/* Bytes of the input in memory of their own, so that a byte too many is noticed. */
static void raw(struct fuzz *f, unsigned from)
{
	size_t len = reader_u8(&f->in);
	const uint8_t *bytes = reader_bytes(&f->in, len);
	if (!bytes)
		return;
	uint8_t *copy = malloc(len + 1);
	CHECK(copy);
	memcpy(copy, bytes, len);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)len };
	decide(f, from, &frame);
	free(copy);
}

/* A report about 239.x.y.z of version 3 that is right. */
static void report(struct fuzz *f, unsigned from, uint16_t group, uint8_t type)
{
	uint8_t buf[REPORT] = {
		0x01, 0x00, 0x5e, 0, 0,   22, 2, 0,  0,    0, 0, 1, 0x08,
		0,    0x46, 0,    0, 40,  0,  0, 0,  0,    1, 2, 0, 0,
		10,   0,    0,    1, 224, 0,  0, 22, 0x94, 4, 0, 0, 0x22
	};
	uint8_t *igmp = buf + IGMP_OFF;
	igmp[7] = 1;
	igmp[8] = type;
	igmp[12] = 239;
	store_be16(igmp + 14, group);
	store_be16(igmp + 2, checksum(igmp, IGMP_LEN));
	const struct weft_frame frame = { .data = buf, .len = sizeof(buf) };
	decide(f, from, &frame);
}

static void data_to(struct fuzz *f, unsigned from, uint16_t group, unsigned n)
{
	uint8_t buf[DATA] = { 0x01, 0x00, 0x5e, 0,    0,  0, 2,  0, 0,  0, 0,
			      1,    0x08, 0,    0x45, 0,  0, 28, 0, 0,  0, 0,
			      1,    17,   0,    0,    10, 0, 0,  1, 239 };
	store_be16(buf + 32, group);
	const struct weft_frame frame = { .data = buf, .len = sizeof(buf) };
	for (unsigned i = 0; i < n; i++)
		decide(f, from, &frame);
}

static void let_pass(struct fuzz *f, uint16_t seconds)
{
	unsigned families, asked = 0;
	f->now += (uint64_t)seconds * 100000000u;
	while (snoop_due(&f->snoop, f->now, &families)) {
		CHECK(families > 0 && families <= 3);
		CHECK(++asked <= PORTS);
	}
	CHECK(snoop_deadline(&f->snoop) > f->now);
}

static void operate(struct fuzz *f)
{
	uint8_t what = reader_u8(&f->in);
	unsigned port = reader_u8(&f->in) % PORTS;
	uint16_t argument = reader_u16(&f->in);
	switch (what % 6) {
	case 0:
		let_pass(f, argument);
		break;
	case 1:
		report(f, port, argument, what / 6 % 8);
		break;
	case 2:
		data_to(f, port, argument, 1 + what);
		break;
	case 3:
		for (uint16_t i = 0; i < what; i++)
			report(f, port, (uint16_t)(argument + i), 4);
		break;
	case 4:
		snoop_port_fini(&f->snoop, &f->ports[port]);
		CHECK(snoop_port_init(&f->snoop, &f->ports[port], port == ROUTER) == 0);
		break;
	default:
		raw(f, port);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[HASH_SECRET_LEN] = { 1 };
	static struct fuzz f;
	f = (struct fuzz){ .in = reader_of(data, size), .now = 1 };
	CHECK(snoop_init(&f.snoop, PORTS, secret, f.events) == 0);
	for (unsigned i = 0; i < PORTS; i++)
		CHECK(snoop_port_init(&f.snoop, &f.ports[i], i == ROUTER) == 0);
	while (reader_left(&f.in) > 0)
		operate(&f);
	for (unsigned i = 0; i < PORTS; i++)
		snoop_port_fini(&f.snoop, &f.ports[i]);
	snoop_fini(&f.snoop);
	return 0;
}
