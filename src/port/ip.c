/* SPDX-License-Identifier: MIT */
/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200), handed on by protocol number.
 *
 *     | IPv4, 20 | options, 0..40      | payload ................ | padding of the link |
 *     | IPv6, 40 | extension headers   | payload ................ | padding of the link |
 *     '- hdr_len ----------------------'                          |
 *     '- total_len -----------------------------------------------'
 *
 * A packet is taken by its own lengths; what the link put behind it is not part of it. One
 * that says it is longer than what is there is no packet, unless it was cut at the port: then
 * its beginning is handed on, marked as partial. Fragments are put together first, or handed
 * on with their offset if the program wants them so.
 */
#include "port/demux.h"
#include "port/reassembly.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

struct ip {
	struct demux demux;
	bool deliver_fragments;
	struct reassembly reassembly;
};

/* What was found in a packet. */
struct parsed {
	struct weft_ip_header header;
	struct weft_packet inner;
	struct fragment fragment; /* With header.more_fragments, or an offset. */
};

static struct ip *ip_of(struct weft_protocol *protocol)
{
	return (struct ip *)(void *)protocol;
}

static struct weft_ip ip4_addr(uint32_t addr)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = 32 };
	store_be32(ip.octet, addr);
	return ip;
}

static struct weft_ip ip6_addr(const struct ip6_addr *addr)
{
	struct weft_ip ip = { .family = AF_INET6, .prefix = 128 };
	memcpy(ip.octet, addr->octet, sizeof(ip.octet));
	return ip;
}

static bool is_fragment(const struct weft_ip_header *header)
{
	return header->more_fragments || header->fragment_offset > 0;
}

/*
 * Makes inner what stands between the headers and total_len. Returns DELIVERED, or why that
 * cannot be.
 */
static enum weft_outcome take_payload(struct parsed *p, const struct weft_packet *packet)
{
	const struct weft_ip_header *header = &p->header;
	if (header->total_len > packet->len && !packet->partial)
		return WEFT_OUTCOME_DROP_MALFORMED;
	bool is_whole = header->total_len <= packet->len;
	size_t len = is_whole ? header->total_len : packet->len;
	p->inner = *packet;
	p->inner.ip = &p->header;
	p->inner.data = packet->data + header->hdr_len;
	p->inner.len = len - header->hdr_len;
	p->inner.partial = !is_whole;
	return WEFT_OUTCOME_DELIVERED;
}

/* What it means that a header could not be read. */
static enum weft_outcome bad_header(const struct weft_packet *packet, size_t len_min)
{
	if (packet->partial)
		return WEFT_OUTCOME_DROP_CUT;
	return packet->len < len_min ? WEFT_OUTCOME_DROP_SHORT
				     : WEFT_OUTCOME_DROP_MALFORMED;
}

static enum weft_outcome parse_ip4(const struct weft_packet *packet, struct parsed *p)
{
	struct ip4_hdr hdr;
	int n = ip4_hdr_peek(packet->data, packet->len, &hdr);
	if (n < 0)
		return bad_header(packet, IP4_LEN);
	if (!checksum_is_right(0, packet->data, (size_t)n))
		return WEFT_OUTCOME_DROP_CHECKSUM;
	p->header = (struct weft_ip_header){
		.src = ip4_addr(hdr.src),
		.dst = ip4_addr(hdr.dst),
		.version = 4,
		.proto = hdr.proto,
		.ttl = hdr.ttl,
		.tos = hdr.tos,
		.hdr_len = (uint16_t)n,
		.total_len = hdr.total_len,
		.id = hdr.id,
		.fragment_offset = hdr.frag_off,
		.dont_fragment = hdr.df,
		.more_fragments = hdr.mf,
	};
	enum weft_outcome outcome = take_payload(p, packet);
	if (outcome != WEFT_OUTCOME_DELIVERED)
		return outcome;
	p->fragment = (struct fragment){
		.header = &p->header,
		.port = packet->port,
		.data = p->inner.data,
		.len = p->inner.len,
		.next = hdr.proto,
		.hdr_len = (uint16_t)n,
	};
	return outcome;
}

/* The bytes behind the fragment header, where there is one. */
static void find_fragment6(struct parsed *p, const struct ip6_ext *ext,
			   const struct weft_packet *packet)
{
	size_t off = (size_t)ext->frag_hdr_off + IP6_FRAG_LEN;
	const uint8_t *end = p->inner.data + p->inner.len;
	p->header.id = ext->frag.id;
	p->header.fragment_offset = ext->frag.off;
	p->header.more_fragments = ext->frag.more;
	p->fragment = (struct fragment){
		.header = &p->header,
		.port = packet->port,
		.data = packet->data + off,
		.len = (size_t)(end - (packet->data + off)),
		.next = ext->frag.next,
		.hdr_len = ext->frag_hdr_off,
	};
}

static enum weft_outcome parse_ip6(const struct weft_packet *packet, struct parsed *p)
{
	struct ip6_hdr hdr;
	struct ip6_ext ext;
	int n = ip6_hdr_peek(packet->data, packet->len, &hdr);
	if (n < 0)
		return bad_header(packet, IP6_LEN);
	size_t total_len = IP6_LEN + (size_t)hdr.payload_len;
	size_t len = packet->len < total_len ? packet->len : total_len;
	n = ip6_ext_walk(packet->data, len, hdr.next, &ext);
	if (n < 0)
		return bad_header(packet, IP6_LEN);
	p->header = (struct weft_ip_header){
		.src = ip6_addr(&hdr.src),
		.dst = ip6_addr(&hdr.dst),
		.version = 6,
		.proto = ext.proto,
		.ttl = hdr.hop_limit,
		.tos = hdr.tclass,
		.hdr_len = (uint16_t)n,
		.total_len = (uint32_t)total_len,
		.flow_label = hdr.flow,
	};
	enum weft_outcome outcome = take_payload(p, packet);
	if (outcome == WEFT_OUTCOME_DELIVERED && ext.is_fragment)
		find_fragment6(p, &ext, packet);
	return outcome;
}

/* ---- fragments --------------------------------------------------------------------------- */

/*
 * Extension headers may stand behind the fragment header, and only the whole shows them. The
 * walk begins 40 bytes in front of the payload, which it does not read.
 */
static bool find_upper6(struct whole *whole)
{
	struct ip6_ext ext;
	int n = ip6_ext_walk(whole->data - IP6_LEN, IP6_LEN + whole->len, whole->next,
			     &ext);
	if (n < 0 || ext.is_fragment)
		return false;
	size_t skip = (size_t)n - IP6_LEN;
	whole->data += skip;
	whole->len -= skip;
	whole->next = ext.proto;
	whole->hdr_len = (uint16_t)(whole->hdr_len + skip);
	return true;
}

static int deliver_whole(struct ip *ip, struct whole *whole,
			 const struct weft_packet *packet)
{
	bool is_ip6 = whole->header.version == 6;
	if (is_ip6 && !find_upper6(whole))
		return demux_drop(&ip->demux, WEFT_OUTCOME_DROP_MALFORMED);
	size_t total_len = whole->hdr_len + whole->len;
	if (total_len > UINT16_MAX + (is_ip6 ? (size_t)IP6_LEN : 0))
		return demux_drop(&ip->demux, WEFT_OUTCOME_DROP_FRAGMENT);
	struct weft_ip_header header = whole->header;
	header.proto = whole->next;
	header.hdr_len = whole->hdr_len;
	header.total_len = (uint32_t)total_len;
	header.fragment_offset = 0;
	header.more_fragments = false;
	header.reassembled = true;
	struct weft_packet inner = *packet;
	inner.ip = &header;
	inner.data = whole->data;
	inner.len = whole->len;
	return demux_deliver(&ip->demux, header.proto, &inner);
}

static int reassemble(struct ip *ip, const struct parsed *p)
{
	struct whole whole;
	if (p->inner.partial)
		return demux_drop(&ip->demux, WEFT_OUTCOME_DROP_CUT);
	int r = reassembly_add(&ip->reassembly, &p->fragment, p->inner.now, &whole);
	if (r == -EBADMSG)
		return demux_drop(&ip->demux, WEFT_OUTCOME_DROP_MALFORMED);
	if (r < 0)
		return demux_drop(&ip->demux, WEFT_OUTCOME_DROP_FRAGMENT);
	if (r == 0)
		return demux_drop(&ip->demux, WEFT_OUTCOME_HELD);
	r = deliver_whole(ip, &whole, &p->inner);
	free(whole.memory);
	return r;
}

/* ---- the protocol ------------------------------------------------------------------------ */

static int ip_received(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	struct ip *ip = ip_of(protocol);
	struct parsed p;
	if (packet->len == 0)
		return demux_drop(&ip->demux, WEFT_OUTCOME_DROP_SHORT);
	bool is_ip6 = packet->data[0] >> 4 == 6;
	enum weft_outcome outcome =
		is_ip6 ? parse_ip6(packet, &p) : parse_ip4(packet, &p);
	if (outcome != WEFT_OUTCOME_DELIVERED)
		return demux_drop(&ip->demux, outcome);
	if (is_fragment(&p.header) && !ip->deliver_fragments)
		return reassemble(ip, &p);
	return demux_deliver(&ip->demux, p.header.proto, &p.inner);
}

static void ip_free(struct weft_protocol *protocol)
{
	struct ip *ip = ip_of(protocol);
	reassembly_fini(&ip->reassembly);
	demux_fini(&ip->demux);
	free(ip);
}

int weft_protocol_new_ip(const struct weft_ip_opts *opts, struct weft_protocol **ret_ip)
{
	static const struct weft_ip_opts defaults;
	static const struct weft_protocol_kind kind = {
		.name = "IP",
		.number = "protocol number",
		.number_max = UINT8_MAX,
		.layer = WEFT_LAYER_PACKET,
		.gives = WEFT_LAYER_TRANSPORT,
		.received = ip_received,
		.free = ip_free,
	};
	if (!opts)
		opts = &defaults;
	struct ip *ip = malloc(sizeof(*ip));
	if (!ip)
		return -ENOMEM;
	demux_init(&ip->demux, &kind);
	ip->deliver_fragments = opts->deliver_fragments;
	reassembly_init(&ip->reassembly, opts);
	*ret_ip = &ip->demux.protocol;
	return 0;
}

struct weft_reassembly_stats weft_protocol_reassembly(const struct weft_protocol *ip)
{
	return ((const struct ip *)(const void *)ip)->reassembly.stats;
}
