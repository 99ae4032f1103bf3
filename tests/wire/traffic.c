/* SPDX-License-Identifier: MIT */
/*
 * Layer by layer from the front, with a writer; then the checksums, each where its field is.
 */
#include "traffic.h"

#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <netinet/in.h>
#include <string.h>

uint8_t traffic_byte(uint32_t at)
{
	at *= 2654435761u;
	return (uint8_t)(at >> 24 ^ at >> 11);
}

uint16_t traffic_sum(uint16_t sum, const uint8_t *data, size_t len)
{
	uint32_t wide = sum;

	for (size_t i = 0; i < len; i++) {
		wide += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		wide = (wide & 0xffff) + (wide >> 16);
	}
	return (uint16_t)wide;
}

static size_t ip_hdr_len(const struct traffic *t)
{
	return t->is_ip6 ? IP6_LEN + t->ext_len : IP4_LEN;
}

static size_t transport_hdr_len(const struct traffic *t)
{
	return t->is_udp ? UDP_LEN : TCP_LEN + t->options_len;
}

static uint8_t proto_of(const struct traffic *t)
{
	return t->is_udp ? IPPROTO_UDP : IPPROTO_TCP;
}

static void write_ether(struct writer *w, const struct traffic *t)
{
	writer_bytes(w, "\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a", 12);
	for (unsigned i = 0; i < t->tags_n; i++) {
		bool is_outer_of_two = i == 0 && t->tags_n == 2;
		writer_u16(w, is_outer_of_two ? ETHER_TYPE_QINQ : ETHER_TYPE_VLAN);
		writer_u16(w, (uint16_t)(0x2000 + 10 + i));
	}
	writer_u16(w, t->is_ip6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4);
}

static void write_ip4(struct writer *w, const struct traffic *t, size_t transport_len)
{
	size_t start = w->off;

	writer_u8(w, 0x45);
	writer_u8(w, t->tos);
	writer_u16(w, (uint16_t)(IP4_LEN + transport_len));
	writer_u16(w, t->id);
	writer_u16(w, t->df ? IP4_FRAG_DF : 0);
	writer_u8(w, t->ttl);
	writer_u8(w, proto_of(t));
	writer_u16(w, 0);
	writer_u32(w, 0x0a000000u + t->host);
	writer_u32(w, 0x0a0000feu);
	store_be16(w->data + start + IP4_OFF_CSUM,
		   (uint16_t)~traffic_sum(0, w->data + start, IP4_LEN));
}

static void write_ip6(struct writer *w, const struct traffic *t, size_t transport_len)
{
	writer_u32(w, 6u << 28 | (uint32_t)t->tos << 20 | (t->flow_label & 0xfffff));
	writer_u16(w, (uint16_t)(t->ext_len + transport_len));
	writer_u8(w, t->ext_len ? IPPROTO_DSTOPTS : proto_of(t));
	writer_u8(w, t->ttl);
	writer_bytes(w, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	writer_u8(w, t->host);
	writer_bytes(w, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xfe", 16);
	if (t->ext_len > 0) {
		writer_u8(w, proto_of(t));
		writer_u8(w, (uint8_t)(t->ext_len / 8 - 1));
		writer_fill(w, 0, t->ext_len - 2u); /* Pad1 */
	}
}

static void write_tcp(struct writer *w, const struct traffic *t)
{
	writer_u16(w, t->sport);
	writer_u16(w, 443);
	writer_u32(w, t->seq);
	writer_u32(w, t->ack);
	writer_u16(w, (uint16_t)(transport_hdr_len(t) / 4 << 12 | t->flags));
	writer_u16(w, t->window);
	writer_u16(w, 0);
	writer_u16(w, t->urgent);
	writer_fill(w, t->options_fill, t->options_len);
}

static void write_udp(struct writer *w, const struct traffic *t)
{
	writer_u16(w, t->sport);
	writer_u16(w, 443);
	writer_u16(w, (uint16_t)(UDP_LEN + t->payload_len));
	writer_u16(w, 0);
}

/* Sum of the pseudo header; the addresses stand behind each other in both versions. */
static uint16_t pseudo_sum(const struct traffic *t, const uint8_t *ip,
			   size_t transport_len)
{
	uint8_t rest[4] = { 0, proto_of(t) };

	store_be16(rest + 2, (uint16_t)transport_len);
	return traffic_sum(t->is_ip6 ? traffic_sum(0, ip + IP6_OFF_SRC, 32)
				     : traffic_sum(0, ip + IP4_OFF_SRC, 8),
			   rest, sizeof(rest));
}

/* Fills the checksum in, or what a super-frame has in its place. */
static void put_csum(const struct traffic *t, uint8_t *ip, size_t transport_len)
{
	uint8_t *transport = ip + ip_hdr_len(t);
	uint8_t *field = transport + (t->is_udp ? UDP_OFF_CSUM : TCP_OFF_CSUM);
	uint16_t pseudo = pseudo_sum(t, ip, transport_len);
	uint16_t check = (uint16_t)~traffic_sum(pseudo, transport, transport_len);

	if (t->gso_size)
		check = pseudo;
	else if (t->is_udp && check == 0)
		check = 0xffff;
	store_be16(field, check);
}

static struct weft_offload offload_of(const struct traffic *t, size_t ip_off)
{
	size_t transport_off = ip_off + ip_hdr_len(t);
	uint8_t tcp = t->is_ip6 ? WEFT_GSO_TCP6 : WEFT_GSO_TCP4;
	bool has_cwr = !t->is_udp && (t->flags & TCP_CWR);

	if (!t->gso_size)
		return (struct weft_offload){ 0 };
	return (struct weft_offload){
		.flags = WEFT_OFFLOAD_NEEDS_CSUM | (has_cwr ? WEFT_OFFLOAD_ECN : 0),
		.gso = t->is_udp ? WEFT_GSO_UDP : tcp,
		.hdr_len = (uint16_t)(transport_off + transport_hdr_len(t)),
		.gso_size = t->gso_size,
		.csum_start = (uint16_t)transport_off,
		.csum_offset = t->is_udp ? UDP_OFF_CSUM : TCP_OFF_CSUM,
	};
}

struct weft_frame traffic_frame(const struct traffic *t, uint8_t buf[TRAFFIC_BUF_LEN])
{
	uint8_t *data = buf + WEFT_HEADROOM;
	struct writer w = writer_of(data, TRAFFIC_BUF_LEN - WEFT_HEADROOM);
	size_t transport_len = transport_hdr_len(t) + t->payload_len;

	memset(buf, 0xee, WEFT_HEADROOM);
	if (!t->is_ip)
		write_ether(&w, t);
	size_t ip_off = w.off;
	(t->is_ip6 ? write_ip6 : write_ip4)(&w, t, transport_len);
	(t->is_udp ? write_udp : write_tcp)(&w, t);
	for (uint32_t i = 0; i < t->payload_len; i++)
		writer_u8(&w, traffic_byte(t->payload_at + i));
	put_csum(t, data + ip_off, transport_len);
	return (struct weft_frame){
		.data = data,
		.len = (uint32_t)w.off,
		.headroom = WEFT_HEADROOM,
		.offload = offload_of(t, ip_off),
	};
}

uint32_t traffic_segments(const struct traffic *t)
{
	return (t->payload_len + t->gso_size - 1) / t->gso_size;
}

struct traffic traffic_segment(const struct traffic *t, uint32_t i)
{
	struct traffic s = *t;
	uint32_t from = i * t->gso_size;
	uint32_t left = t->payload_len - from;
	bool is_last = left <= t->gso_size;

	s.gso_size = 0;
	s.payload_at += from;
	s.payload_len = is_last ? left : t->gso_size;
	s.id = (uint16_t)(t->id + i);
	if (t->is_udp)
		return s;
	s.seq += from;
	if (i > 0)
		s.flags &= (uint16_t)~TCP_CWR;
	if (!is_last)
		s.flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
	return s;
}

/* splitmix64. */
static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t traffic_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(next(seed) % n);
}

struct traffic traffic_random(uint64_t *seed)
{
	struct traffic t = {
		.is_ip = traffic_below(seed, 4) == 0,
		.is_udp = traffic_below(seed, 2),
		.is_ip6 = traffic_below(seed, 2),
		.tos = (uint8_t)next(seed),
		.ttl = (uint8_t)(1 + traffic_below(seed, 255)),
		.id = (uint16_t)next(seed),
		.df = traffic_below(seed, 2),
		.flow_label = (uint32_t)next(seed) & 0xfffff,
		.host = (uint8_t)next(seed),
		.sport = (uint16_t)next(seed),
		.seq = (uint32_t)next(seed),
		.ack = (uint32_t)next(seed),
		.window = (uint16_t)next(seed),
		.flags = TCP_ACK,
		.options_len = (uint8_t)(4 * traffic_below(seed, 11)),
		.options_fill = 1,
		.payload_at = (uint32_t)next(seed),
		.gso_size = (uint16_t)(1 + traffic_below(seed, 2000)),
	};
	const uint16_t flags[] = { TCP_FIN, TCP_PSH, TCP_ECE, TCP_CWR, TCP_AE };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		t.flags |= traffic_below(seed, 4) ? 0 : flags[i];
	t.tags_n = t.is_ip ? 0 : traffic_below(seed, 3);
	t.ext_len = (uint8_t)(t.is_ip6 ? 8 * traffic_below(seed, 3) : 0);

	uint32_t most = 65535u - 100 - t.ext_len;
	uint32_t segments = 1 + traffic_below(seed, 80);
	t.payload_len = t.gso_size * segments;
	if (segments > 1)
		t.payload_len -= traffic_below(seed, t.gso_size);
	if (t.payload_len > most)
		t.payload_len = most;
	return t;
}
