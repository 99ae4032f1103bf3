/* SPDX-License-Identifier: MIT */
/*
 * A host with sockets on an Ethernet link, driven by the input: frames as they are, packets
 * whose headers and checksums are made right around the input's bytes (so that what is behind
 * them is reached), and time. What must hold whatever comes: each frame ends in exactly one
 * outcome, everything that has a limit stays within it, what is sent is well-formed, and the
 * host comes to rest.
 *
 *     input:      { operation }
 *     operation:  what  argument  [ length, 2 bytes  bytes ]
 */
#include "stack/stack.h"

#include "base/time.h"
#include "check.h"
#include "link/link.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <weft/stack.h>
#include <weft/tcp.h>
#include <weft/udp.h>

#include <stdlib.h>
#include <string.h>

#define FRAME_MAX      1514u
#define OPERATIONS_MAX 200u
#define TURNS_MAX      4000u
#define FRAGMENT_BYTES 20000u

struct fuzz {
	struct weft_link link;
	struct weft_stack *stack;
	struct weft_iface *iface;
	struct weft_udp *udp;
	struct reader in;
	uint64_t now;
	uint64_t received;
};

enum what { FRAME, IP4, IP6, OFFLOAD, PASS, SEND, KINDS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct weft_mac peer_mac = { { 2, 0, 0, 0, 0, 1 } };

/* ---- the wire ---------------------------------------------------------------------------- */

/* What is sent has lengths that are true, and a header checksum that is right. */
static void check_sent(const struct weft_frame *frame)
{
	struct layout at;
	CHECK(frame->len <= FRAME_MAX &&
	      layout_find(frame->data, frame->len, false, &at) == 0);
	if (at.version == 4)
		CHECK(checksum_is_right(0, frame->data + at.ip_off,
					(size_t)(frame->data[at.ip_off] & 0x0f) * 4));
}

static size_t wire_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	(void)link;
	(void)now;
	for (size_t i = 0; i < n; i++)
		check_sent(&frames[i]);
	return n;
}

static void wire_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops wire_ops = { .send = wire_send, .free = wire_free };

/* ---- what has to hold -------------------------------------------------------------------- */

static void check_limits(const struct fuzz *f)
{
	const struct weft_stack *s = f->stack;
	CHECK(s->fragments.bytes <= s->opts.fragment_bytes_max);
	CHECK(table_count(s->fragments.table) <= s->opts.fragments_max);
	CHECK(table_count(s->neighbours.table) <= s->opts.neighbours_max);
	CHECK(table_count(s->dests.table) <= s->opts.path_mtus_max);
	CHECK(s->neighbours.bytes <= s->opts.neighbour_bytes_max);
	CHECK(s->routes.n <= s->opts.routes_max);
	CHECK(f->iface->addrs_n <= s->opts.addresses_max);
	CHECK(f->iface->groups_n <= s->opts.groups_max);
}

static void check_outcomes(const struct fuzz *f)
{
	uint64_t ended = 0;
	for (unsigned i = 0; i < WEFT_STACK_OUTCOMES; i++)
		ended += weft_stack_count(f->stack, (enum weft_stack_outcome)i);
	CHECK(ended == f->received);
}

static void run(struct fuzz *f, uint64_t until)
{
	struct weft_task *task = weft_stack_task(f->stack);
	for (unsigned turns = 0; task->deadline(task) <= until; turns++) {
		CHECK(turns < TURNS_MAX);
		if (task->deadline(task) > f->now)
			f->now = task->deadline(task);
		task->run(task, f->now);
	}
	f->now = until;
}

/* ---- operations -------------------------------------------------------------------------- */

static void receive(struct fuzz *f, const uint8_t *bytes, size_t len,
		    const struct weft_offload *offload)
{
	/* A copy of exactly its length, so that a sanitizer sees what is read behind it. */
	uint8_t *copy = malloc(WEFT_HEADROOM + len);
	struct weft_frame frame = { .len = (uint32_t)len, .headroom = WEFT_HEADROOM };
	CHECK(copy);
	frame.data = copy + WEFT_HEADROOM;
	if (len > 0)
		memcpy(frame.data, bytes, len);
	if (offload)
		frame.offload = *offload;
	f->received++;
	link_deliver(&f->link, &frame, 1, f->now);
	free(copy);
	check_outcomes(f);
	check_limits(f);
}

/* The input's bytes with a length in front, as many as there are and as fit. */
static size_t take_bytes(struct fuzz *f, uint8_t *to, size_t room)
{
	size_t len = reader_u16(&f->in) % (room + 1);
	if (len > reader_left(&f->in))
		len = reader_left(&f->in);
	reader_copy(&f->in, to, len);
	return len;
}

static void fix_transport(uint8_t *p, size_t len, uint8_t protocol, uint32_t pseudo)
{
	size_t off = ICMP_OFF_CSUM;
	if (protocol == IPPROTO_UDP)
		off = UDP_OFF_CSUM;
	if (protocol == IPPROTO_TCP)
		off = TCP_OFF_CSUM;
	if (len < off + 2)
		return;
	store_be16(p + off, 0);
	store_be16(p + off, checksum_finish_udp(checksum_add(pseudo, p, len)));
}

static size_t put_ether(const struct fuzz *f, uint8_t *frame, uint16_t type)
{
	const struct ether_hdr eth = { .dst = f->iface->mac,
				       .src = peer_mac,
				       .type = type };
	CHECK(ether_hdr_emit(frame, FRAME_MAX, &eth) == ETHER_LEN);
	return ETHER_LEN;
}

static uint8_t protocol_of(uint8_t choice)
{
	static const uint8_t protocols[] = { IPPROTO_ICMP,    IPPROTO_IGMP,
					     IPPROTO_TCP,     IPPROTO_UDP,
					     IPPROTO_ICMPV6,  0,
					     IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					     IPPROTO_DSTOPTS, 200 };
	return protocols[choice % (sizeof(protocols))];
}

static size_t make_ip4(struct fuzz *f, uint8_t choice, uint8_t *frame)
{
	static const uint32_t dsts[] = { 0x0a010002, 0x0a0100ff, 0xe0000001, 0xffffffff };
	size_t at = put_ether(f, frame, ETHER_TYPE_IP4);
	uint16_t fragment = reader_u16(&f->in);
	struct ip4_hdr hdr = {
		.id = choice & 3u,
		.mf = (choice & 4) && (fragment & 1),
		.frag_off = choice & 4 ? (fragment & 0xfff8u) : 0,
		.ttl = reader_u8(&f->in),
		.proto = protocol_of(reader_u8(&f->in)),
		.src = 0x0a010001u + (choice >> 6),
		.dst = dsts[choice >> 4 & 3u],
	};
	uint8_t *payload = frame + at + IP4_LEN;
	size_t len = take_bytes(f, payload, FRAME_MAX - at - IP4_LEN);
	hdr.total_len = (uint16_t)(IP4_LEN + len);
	CHECK(ip4_hdr_emit(frame + at, IP4_LEN, &hdr) == IP4_LEN);
	if (hdr.dst != dsts[0])
		memset(frame, 0xff, 6);
	bool has_pseudo = hdr.proto == IPPROTO_TCP || hdr.proto == IPPROTO_UDP;
	uint32_t sum =
		checksum_pseudo4(frame + at + IP4_OFF_SRC, frame + at + IP4_OFF_DST,
				 hdr.proto, (uint16_t)len);
	fix_transport(payload, len, hdr.proto, has_pseudo ? sum : 0);
	return at + IP4_LEN + len;
}

static size_t make_ip6(struct fuzz *f, uint8_t choice, uint8_t *frame)
{
	static const struct ip6_addr addrs[] = {
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } },
		{ { 0xff, 0x02, [15] = 1 } },
		{ { 0xff, 0x02, [11] = 1, [12] = 0xff, [15] = 2 } },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
		{ { 0xfe, 0x80, [15] = 1 } },
		{ { 0 } },
	};
	size_t at = put_ether(f, frame, ETHER_TYPE_IP6);
	struct ip6_hdr hdr = {
		.hop_limit = choice & 1 ? 255 : reader_u8(&f->in),
		.next = protocol_of(reader_u8(&f->in)),
		.src = addrs[3 + (choice >> 1 & 7u) % 3],
		.dst = addrs[(choice >> 4) % 3],
	};
	uint8_t *payload = frame + at + IP6_LEN;
	struct ip6_ext ext;
	size_t len = take_bytes(f, payload, FRAME_MAX - at - IP6_LEN);
	hdr.payload_len = (uint16_t)len;
	CHECK(ip6_hdr_emit(frame + at, IP6_LEN, &hdr) == IP6_LEN);
	if (ip6_addr_is_multicast(&hdr.dst))
		memset(frame, 0x33, 6);
	int off = ip6_ext_walk(frame + at, IP6_LEN + len, hdr.next, &ext);
	if (off > 0 && !ext.is_fragment) {
		size_t left = IP6_LEN + len - (size_t)off;
		uint32_t sum = checksum_pseudo6(hdr.src.octet, hdr.dst.octet, ext.proto,
						(uint32_t)left);
		fix_transport(frame + at + off, left, ext.proto, sum);
	}
	return at + IP6_LEN + len;
}

static void send_udp(struct fuzz *f, uint8_t choice)
{
	static const uint8_t data[3000];
	union weft_sockaddr peer = { .in = { .sin_family = AF_INET } };
	/* Not to ourselves: that would come in as a packet, too. */
	const uint8_t host[4] = { 10, 1, 0, choice == 2 ? 3 : choice };
	memcpy(&peer.in.sin_addr, host, sizeof(host));
	store_be16((uint8_t *)&peer.in.sin_port, 9);
	const struct weft_udp_message msg = {
		.peer = peer,
		.data = data,
		.len = reader_u16(&f->in) % sizeof(data),
	};
	(void)!weft_udp_send(f->udp, &msg, f->now);
}

static struct weft_offload take_offload(struct fuzz *f)
{
	return (struct weft_offload){
		.flags = reader_u8(&f->in),
		.gso = reader_u8(&f->in),
		.hdr_len = reader_u8(&f->in),
		.gso_size = reader_u16(&f->in),
		.csum_start = reader_u8(&f->in),
		.csum_offset = reader_u8(&f->in),
	};
}

static void operate(struct fuzz *f)
{
	uint8_t frame[FRAME_MAX];
	uint8_t what = reader_u8(&f->in) % KINDS;
	uint8_t choice = reader_u8(&f->in);
	struct weft_offload offload;
	switch (what) {
	case FRAME:
		receive(f, frame, take_bytes(f, frame, sizeof(frame)), NULL);
		break;
	case IP4:
		receive(f, frame, make_ip4(f, choice, frame), NULL);
		break;
	case IP6:
		receive(f, frame, make_ip6(f, choice, frame), NULL);
		break;
	case OFFLOAD:
		offload = take_offload(f);
		receive(f, frame,
			choice & 8 ? make_ip6(f, choice, frame)
				   : make_ip4(f, choice, frame),
			&offload);
		break;
	case PASS:
		run(f, f->now + ((uint64_t)choice << (choice & 15u)) * NS_PER_MS);
		break;
	default:
		send_udp(f, choice);
		break;
	}
	run(f, f->now);
}

/* ---- the host ---------------------------------------------------------------------------- */

static void add_address(struct fuzz *f, const char *text)
{
	struct weft_ip ip;
	CHECK(weft_ip_parse(text, &ip) == 0);
	CHECK(weft_iface_add_address(f->iface, &ip, WEFT_ADDRESS_NO_DAD, f->now) == 0);
}

static void open_sockets(struct fuzz *f)
{
	union weft_sockaddr any4, any6;
	struct weft_udp *udp;
	struct weft_tcp_listener *listener;
	CHECK(weft_listen_parse("0.0.0.0:7", &any4) == 0);
	CHECK(weft_listen_parse("[::]:7", &any6) == 0);
	CHECK(weft_udp_new(f->stack, NULL, &f->udp) == 0);
	CHECK(weft_udp_bind(f->udp, &any4) == 0);
	CHECK(weft_udp_new(f->stack, NULL, &udp) == 0);
	CHECK(weft_udp_bind(udp, &any6) == 0);
	CHECK(weft_tcp_listen(f->stack, &any6, NULL, &listener) == 0);
}

static void begin(struct fuzz *f, const uint8_t *data, size_t size)
{
	static const uint8_t secret[16] = "fuzz";
	const struct weft_stack_opts opts = {
		.secret = secret,
		.neighbours_max = 8,
		.fragments_max = 4,
		.fragment_bytes_max = FRAGMENT_BYTES,
		.path_mtus_max = 4,
		.routes_max = 24,
	};
	const struct weft_link_caps caps = { .frame_len_max = FRAME_MAX };
	*f = (struct fuzz){ .in = reader_of(data, size), .now = 1000 * NS_PER_S };
	link_init(&f->link, &wire_ops, "wire", -1, caps);
	CHECK(weft_stack_new(&opts, f->now, &f->stack) == 0);
	CHECK(weft_stack_add_interface(f->stack, &f->link, NULL, f->now, &f->iface) == 0);
	add_address(f, "10.1.0.2/24");
	add_address(f, "2001:db8::2/64");
	open_sockets(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f;
	begin(&f, data, size);
	for (unsigned i = 0; i < OPERATIONS_MAX && reader_left(&f.in) > 0; i++)
		operate(&f);
	run(&f, f.now + 200 * NS_PER_S);
	check_limits(&f);
	weft_stack_free(f.stack);
	weft_link_free(&f.link);
	return 0;
}
