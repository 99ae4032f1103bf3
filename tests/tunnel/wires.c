/* SPDX-License-Identifier: MIT */
/*
 * Headers are written by wire/; checksums of what is behind IP are left out, since nobody
 * between two links looks at them.
 */
#include "wires.h"

#include "../unit.h"
#include "wire/cursor.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <weft/addr.h>

#include <string.h>

static size_t wire_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct wire *w = (struct wire *)(void *)link;
	(void)now;
	w->sent_n += n;
	w->sent_len = frames[n - 1].len;
	if (w->sent_len <= WIRE_PACKET_MAX)
		memcpy(w->sent, frames[n - 1].data, w->sent_len);
	return n;
}

static void wire_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops wire_ops = { .send = wire_send, .free = wire_free };

void wire_init(struct wire *w, unsigned flags)
{
	const struct weft_link_caps caps = { .flags = flags, .frame_len_max = 1500 };
	memset(w, 0, sizeof(*w));
	link_init(&w->link, &wire_ops, "wire", -1, caps);
}

void wire_fini(struct wire *w)
{
	weft_link_free(&w->link);
}

size_t wire_take(struct wire *w)
{
	size_t n = w->sent_n;
	w->sent_n = 0;
	return n;
}

/* ---- packets ----------------------------------------------------------------------------- */

static uint8_t protocol_of(const struct packet *p)
{
	return p->protocol ? p->protocol : IPPROTO_UDP;
}

static void put_transport(struct writer *w, const struct packet *p)
{
	const struct tcp_hdr tcp = { .sport = p->sport,
				     .dport = p->dport,
				     .flags = p->flags };
	const struct udp_hdr udp = { .sport = p->sport,
				     .dport = p->dport,
				     .len = (uint16_t)(UDP_LEN + p->payload_len) };
	const struct icmp_hdr icmp = { .type = p->type,
				       .rest = (uint32_t)p->sport << 16 };
	uint8_t buf[TCP_LEN];
	int len = 0;
	if (p->frag_off > 0)
		writer_fill(w, 0xee, 32);
	else if (protocol_of(p) == IPPROTO_TCP)
		len = tcp_hdr_emit(buf, sizeof(buf), &tcp);
	else if (protocol_of(p) == IPPROTO_UDP)
		len = udp_hdr_emit(buf, sizeof(buf), &udp);
	else if (protocol_of(p) == IPPROTO_ICMP || protocol_of(p) == IPPROTO_ICMPV6)
		len = icmp_hdr_emit(buf, sizeof(buf), &icmp);
	assert_true(len >= 0);
	writer_bytes(w, buf, (size_t)len);
	writer_bytes(w, p->payload, p->payload_len);
}

static void put_ip4(struct writer *w, const struct weft_ip *src,
		    const struct weft_ip *dst, const struct packet *p)
{
	uint8_t *hdr = writer_reserve(w, IP4_LEN);
	put_transport(w, p);
	const struct ip4_hdr ip = { .total_len = (uint16_t)w->off,
				    .id = (uint16_t)p->id,
				    .mf = p->frag_more,
				    .frag_off = p->frag_off,
				    .ttl = 64,
				    .proto = protocol_of(p),
				    .src = load_be32(src->octet),
				    .dst = load_be32(dst->octet) };
	assert_int_equal(ip4_hdr_emit(hdr, IP4_LEN, &ip), IP4_LEN);
}

/* Destination options, then a fragment header if it is a fragment. */
static uint8_t put_extensions(struct writer *w, const struct packet *p)
{
	bool is_fragment = p->frag_off > 0 || p->frag_more;
	uint8_t first = protocol_of(p);
	const struct ip6_frag frag = {
		.next = first, .off = p->frag_off, .more = p->frag_more, .id = p->id
	};
	if (is_fragment)
		first = IPPROTO_FRAGMENT;
	for (unsigned i = 0; i < p->options; i++) {
		writer_u8(w, i + 1 < p->options ? IPPROTO_DSTOPTS : first);
		writer_u8(w, 0);
		writer_u16(w, 0x0104); /* PadN of six bytes. */
		writer_u32(w, 0);
	}
	if (is_fragment)
		assert_int_equal(ip6_frag_emit(writer_reserve(w, IP6_FRAG_LEN),
					       IP6_FRAG_LEN, &frag),
				 IP6_FRAG_LEN);
	return p->options > 0 ? IPPROTO_DSTOPTS : first;
}

static void put_ip6(struct writer *w, const struct weft_ip *src,
		    const struct weft_ip *dst, const struct packet *p)
{
	uint8_t *hdr = writer_reserve(w, IP6_LEN);
	struct ip6_hdr ip = { .hop_limit = 64 };
	ip.next = put_extensions(w, p);
	put_transport(w, p);
	ip.payload_len = (uint16_t)(w->off - IP6_LEN);
	ip.src = ip6_addr_load(src->octet);
	ip.dst = ip6_addr_load(dst->octet);
	assert_int_equal(ip6_hdr_emit(hdr, IP6_LEN, &ip), IP6_LEN);
}

uint32_t packet_build(const struct packet *p, uint8_t out[WIRE_PACKET_MAX])
{
	struct writer w = writer_of(out, WIRE_PACKET_MAX);
	struct weft_ip src, dst;
	assert_int_equal(weft_ip_parse(p->src, &src), 0);
	assert_int_equal(weft_ip_parse(p->dst, &dst), 0);
	assert_int_equal(src.family, dst.family);
	if (src.family == AF_INET)
		put_ip4(&w, &src, &dst, p);
	else
		put_ip6(&w, &src, &dst, p);
	assert_false(w.bad);
	return (uint32_t)w.off;
}

void wire_deliver(struct wire *w, const struct packet *p)
{
	uint8_t bytes[WIRE_PACKET_MAX];
	const struct weft_frame frame = { .data = bytes, .len = packet_build(p, bytes) };
	link_deliver(&w->link, &frame, 1, p->now);
}
