/* SPDX-License-Identifier: MIT */
/*
 * Frames through the whole stack of protocols on a port in memory, TAP or TUN, with handlers
 * that look at all they are given, answer, fail, and stop and start the port. What must hold
 * whatever comes: each packet ends in exactly one outcome; handlers are given bytes that are
 * there, and headers that agree with them; fragments wait within their limits; no descriptor
 * leaks.
 *
 *     input:  flags  { what  length (u16)  bytes }           a frame as it is
 *                    { what  shape  offset  length  bytes }  a fragment of a few packets
 */
#include "check.h"
#include "wire/checksum.h"
#include "wire/cursor.h"

#include <weft/port.h>

#include <string.h>

#define REASSEMBLY_MAX 4u
#define PACKET_MAX     1500u

struct fuzz {
	struct weft_device_memory *memory;
	struct weft_protocol *ethernet, *ip, *udp;
	struct weft_port *port;
	uint8_t flags;
	uint64_t handled; /* Packets that any handler was given. */
	uint64_t failed;
	unsigned sum; /* Of all bytes: so that each is read. */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ip(const struct weft_packet *packet)
{
	const struct weft_ip_header *ip = packet->ip;
	CHECK(ip->version == 4 || ip->version == 6);
	CHECK(ip->hdr_len >= (ip->version == 4 ? 20 : 40));
	CHECK(ip->total_len >= ip->hdr_len);
	CHECK(ip->fragment_offset % 8 == 0);
	CHECK(!ip->reassembled || (!ip->more_fragments && ip->fragment_offset == 0));
	if (packet->udp) {
		CHECK(packet->len + 8 == packet->udp->len);
		CHECK(!packet->partial && !ip->more_fragments && !ip->fragment_offset);
	} else if (packet->partial) {
		CHECK(packet->len < ip->total_len - ip->hdr_len);
	} else {
		CHECK(packet->len == ip->total_len - ip->hdr_len);
	}
}

static int on_packet(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	struct fuzz *f = protocol->user;
	uint8_t answer[64];
	f->handled++;
	for (size_t i = 0; i < packet->len; i++)
		f->sum += packet->data[i];
	if (packet->ip)
		check_ip(packet);
	struct weft_arp arp;
	if (protocol->layer == WEFT_LAYER_PACKET && weft_arp_parse(packet, &arp) == 0)
		f->sum += arp.op;
	if (weft_packet_is_intact(packet))
		CHECK(packet->ip && !packet->partial);
	memset(answer, 0, sizeof(answer));
	int r = packet->udp
			? weft_udp_reply(packet, answer, packet->len % 64)
			: weft_ip_reply(packet, answer, packet->len % 64, f->flags & 7);
	if (f->flags & 8 && packet->len % 5 == 0) {
		weft_port_stop(f->port);
		CHECK(weft_port_start(f->port, NULL) == 0);
	}
	return r < 0 ? r : 0;
}

static void on_failed(void *user, const char *protocol, const char *handler, int code)
{
	struct fuzz *f = user;
	CHECK(strcmp(protocol, "fuzz") == 0 && strcmp(handler, "received") == 0);
	CHECK(code < 0);
	f->failed++;
}

static uint64_t count_all(const struct weft_protocol *protocol)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < WEFT_OUTCOMES; i++)
		sum += weft_protocol_count(protocol, i);
	return sum;
}

static void check_counts(const struct fuzz *f)
{
	struct weft_port_stats stats = weft_port_stats(f->port);
	struct weft_reassembly_stats fragments = weft_protocol_reassembly(f->ip);
	const struct weft_protocol *top = f->flags & 16 ? f->ip : f->ethernet;
	CHECK(count_all(top) == stats.rx_packets);
	CHECK(fragments.waiting <= REASSEMBLY_MAX);
	CHECK(stats.failures == f->failed && f->failed <= f->handled);
	CHECK(weft_device_memory_open_count(f->memory) == 1);
}

/* Makes the sum of an IPv4 header right, which chance hardly ever does. */
static void mend(uint8_t *packet, size_t len)
{
	size_t hdr_len = len > 0 ? (size_t)(packet[0] & 15) * 4 : 0;
	if (hdr_len < 20 || hdr_len > len)
		return;
	store_be16(packet + 10, 0);
	store_be16(packet + 10, checksum(packet, hdr_len));
}

/* Takes the frame that the input has. Returns its length. */
static size_t take_frame(const struct fuzz *f, struct reader *in, uint8_t what,
			 uint8_t bytes[PACKET_MAX + 10])
{
	bool is_bare = what & 2 || f->flags & 16;
	size_t len = reader_u16(in) % (PACKET_MAX + 10);
	if (len > reader_left(in))
		len = reader_left(in);
	reader_copy(in, bytes, len);
	if (what & 4 && (is_bare || len > 14))
		mend(is_bare ? bytes : bytes + 14, is_bare ? len : len - 14);
	return len;
}

/* Makes a fragment of one of eight packets out of a few bytes of input. */
static size_t take_fragment(struct reader *in, uint8_t bytes[PACKET_MAX + 10])
{
	uint8_t shape = reader_u8(in);
	uint16_t off = reader_u8(in) % 16 * 8;
	size_t len = reader_u8(in) % 64;
	bool more = shape & 2;
	if (more && !(shape & 32))
		len -= len % 8;
	memset(bytes, 0, PACKET_MAX);
	if (shape & 1) {
		bytes[0] = 0x60;
		store_be16(bytes + 4, (uint16_t)(8 + len));
		bytes[6] = 44; /* then the fragment header */
		bytes[40] = shape & 16 ? 60 : 17;
		store_be16(bytes + 42, (uint16_t)(off | more));
		bytes[47] = shape >> 2 & 3;
		reader_copy(in, bytes + 48, len);
		return 48 + len;
	}
	bytes[0] = 0x45;
	store_be16(bytes + 2, (uint16_t)(20 + len));
	bytes[5] = shape >> 2 & 3;
	store_be16(bytes + 6, (uint16_t)(off / 8 | (more ? 0x2000 : 0)));
	bytes[9] = 17;
	mend(bytes, 20);
	reader_copy(in, bytes + 20, len);
	return 20 + len;
}

/* Something goes in, as it is or behind a header, at a time that jumps now and then. */
static void operate(struct fuzz *f, struct reader *in, uint64_t *now)
{
	uint8_t bytes[PACKET_MAX + 10];
	uint8_t what = reader_u8(in);
	bool is_fragment = what & 8;
	size_t len =
		is_fragment ? take_fragment(in, bytes) : take_frame(f, in, what, bytes);
	struct weft_tunnel *wire =
		weft_device_memory_tunnel(f->memory, weft_port_fd(f->port));
	CHECK(wire);
	*now += what & 1 ? UINT64_C(10000000000) : 1;
	if (len == 0)
		return;
	CHECK((is_fragment || what & 2 ? weft_tunnel_put_packet(wire, bytes, len)
				       : weft_tunnel_put(wire, bytes, len)) == 0);
	CHECK(weft_port_read(f->port, *now) >= 0);
	check_counts(f);
}

static void start(struct fuzz *f, struct weft_protocol handlers[3])
{
	static const int64_t types[] = { 0, 0x0800, 0x0806, 0x8100 };
	const struct weft_ip_opts limits = { .deliver_fragments = f->flags & 32,
					     .reassembly_max = REASSEMBLY_MAX };
	for (unsigned i = 0; i < 3; i++)
		handlers[i] = (struct weft_protocol){ .layer = WEFT_LAYER_PACKET + i,
						      .name = "fuzz",
						      .received = on_packet,
						      .user = f };
	CHECK(weft_device_memory_new(NULL, &f->memory) == 0);
	CHECK(weft_protocol_new_ethernet(&f->ethernet) == 0);
	CHECK(weft_protocol_new_ip(&limits, &f->ip) == 0);
	CHECK(weft_protocol_new_udp(&f->udp) == 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK(weft_protocol_add(f->ethernet, types[i], &handlers[0], NULL) == 0);
	CHECK(weft_protocol_add(f->ethernet, 0x0800, f->ip, NULL) == 0);
	CHECK(weft_protocol_add(f->ethernet, 0x86dd, f->ip, NULL) == 0);
	CHECK(weft_protocol_add(f->ip, 17, f->udp, NULL) == 0);
	for (unsigned i = 0; i < 64; i++) {
		CHECK(weft_protocol_add(f->ip, i, &handlers[1], NULL) == 0);
		CHECK(weft_protocol_add(f->udp, i, &handlers[2], NULL) == 0);
	}
	const struct weft_port_opts opts = {
		.protocol = f->flags & 16 ? f->ip : f->ethernet,
		.system = weft_device_memory_system(f->memory),
		.packet_len_max = PACKET_MAX,
		.events = { .failed = on_failed },
		.user = f,
	};
	CHECK(weft_port_new(&opts, NULL, &f->port) == 0);
	CHECK(weft_port_start(f->port, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	struct fuzz f = { .flags = reader_u8(&in) };
	struct weft_protocol handlers[3];
	uint64_t now = 1;
	start(&f, handlers);
	while (reader_left(&in) > 0)
		operate(&f, &in, &now);
	weft_port_free(f.port);
	CHECK(weft_device_memory_open_count(f.memory) == 0);
	weft_protocol_free(f.ethernet);
	weft_protocol_free(f.ip);
	weft_protocol_free(f.udp);
	weft_device_memory_free(f.memory);
	return 0;
}
