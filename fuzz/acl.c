/* SPDX-License-Identifier: MIT */
/*
 * Packets and time, driven by the input, through the access list of two clients, and what must
 * hold whatever comes: no verdict but those there are, tables within their limits, a packet
 * judged twice at the same time is denied twice or passes twice, a client that may not begin
 * gets nothing through until it was spoken to, and everything is forgotten in the end.
 *
 *     input:  { what  [ length  bytes ] }
 */
#include "check.h"
#include "tunnel/flows.h"
#include "tunnel/selection.h"
#include "tunnel/tuple.h"
#include "wire/cursor.h"

#include <stdlib.h>
#include <string.h>

#define S         UINT64_C(1000000000)
#define FLOWS_MAX 8u

struct fuzz {
	struct reader in;
	struct acl *acl;
	struct flows *flows;
	uint64_t now;
	bool was_spoken_to; /* Client 1, which may not begin. */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Client 0 may begin to talk to client 1, by TCP and UDP to a few ports, and by ICMP. */
static void start(struct fuzz *f)
{
	static char a[] = "a", b[] = "b", *first[] = { a }, *second[] = { b };
	static char token[] = "";
	static struct weft_tunnel_client clients[] = { { .name = a, .token = token },
						       { .name = b, .token = token } };
	static struct weft_tunnel_ports ports[] = { { 0, 255 } };
	static struct weft_tunnel_acl_rule rules[] = {
		{ .from = { first, 1 },
		  .to = { second, 1 },
		  .ports = ports,
		  .ports_n = 1 },
		{ .from = { first, 1 }, .to = { second, 1 }, .protocol = 1 },
	};
	static const struct weft_tunnel_interface conf = {
		.clients = clients,
		.clients_n = 2,
		.acl = rules,
		.acl_n = 2,
		.has_acl = true,
	};
	static const uint8_t secret[16];
	CHECK(acl_new(&conf, &f->acl) == 0);
	CHECK(flows_new(FLOWS_MAX, secret, &f->flows) == 0);
}

/* Whatever is read lies in the packet. */
static void check_tuple(const uint8_t *data, uint32_t len)
{
	struct tuple t, quoted;
	if (tuple_read(data, len, &t) < 0)
		return;
	CHECK(t.src.is_ip6 == t.dst.is_ip6);
	CHECK(t.has_ports || t.sport == t.dport);
	if (!t.is_error)
		return;
	CHECK(t.quote_off <= len);
	(void)tuple_read_quoted(data + t.quote_off, len - t.quote_off, &quoted);
}

static void judge(struct fuzz *f, bool by_second)
{
	uint32_t len = reader_u8(&f->in);
	if (len > reader_left(&f->in))
		len = (uint32_t)reader_left(&f->in);
	const uint8_t *bytes = reader_bytes(&f->in, len);
	uint8_t *copy = malloc(len + !len);
	CHECK(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	const struct flows_packet packet = {
		.data = copy, .len = len, .from = by_second, .to = !by_second
	};
	check_tuple(copy, len);
	const enum flows_verdict first = flows_judge(f->flows, f->acl, &packet, f->now);
	const enum flows_verdict again = flows_judge(f->flows, f->acl, &packet, f->now);
	CHECK(first < FLOWS_VERDICTS && again < FLOWS_VERDICTS);
	CHECK(flows_passes(first) == flows_passes(again));
	CHECK(!by_second || !flows_passes(first) || f->was_spoken_to);
	f->was_spoken_to |= !by_second && flows_passes(first);
	free(copy);
}

static void operate(struct fuzz *f)
{
	const uint8_t what = reader_u8(&f->in);
	if (what % 8 < 5)
		judge(f, what % 8 < 2);
	else if (what % 8 == 5)
		f->now += what * S;
	else if (what % 8 == 6)
		flows_age(f->flows, f->now);
	else
		flows_rules_changed(f->flows);
	const struct flows_stats stats = flows_stats(f->flows);
	CHECK(stats.flows <= FLOWS_MAX && stats.datagrams <= FLOWS_DATAGRAMS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .in = reader_of(data, size) };
	start(&f);
	while (reader_left(&f.in) > 0)
		operate(&f);
	flows_age(f.flows, f.now + 8000 * S);
	const struct flows_stats stats = flows_stats(f.flows);
	CHECK(stats.flows == 0 && stats.datagrams == 0);
	flows_free(f.flows);
	acl_free(f.acl);
	return 0;
}
