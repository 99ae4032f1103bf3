/* SPDX-License-Identifier: MIT */
/*
 * The IPv6 header and the walk over what may stand between it and the upper layer.
 *
 * All extension headers but two say their length in the same way (RFC 6564): next header,
 * then the number of 8-byte units after the first. The fragment header has a fixed length,
 * and the authentication header counts in units of 4 (RFC 4302, 2.2).
 */
#include "wire/ip6.h"

#include "wire/cursor.h"

#include <errno.h>
#include <netinet/in.h>

#define IP6_PROTO_HIP   139u /* Host Identity Protocol, RFC 7401. */
#define IP6_PROTO_SHIM6 140u /* RFC 5533. */

int ip6_hdr_peek(const uint8_t *data, size_t len, struct ip6_hdr *ret_hdr)
{
	if (len < IP6_LEN || data[IP6_OFF_FLOW] >> 4 != 6)
		return -EBADMSG;
	uint32_t flow = load_be32(data + IP6_OFF_FLOW);
	*ret_hdr = (struct ip6_hdr){
		.tclass = (uint8_t)(flow >> 20),
		.flow = flow & 0xfffff,
		.payload_len = load_be16(data + IP6_OFF_PAYLOAD_LEN),
		.next = data[IP6_OFF_NEXT],
		.hop_limit = data[IP6_OFF_HOP_LIMIT],
		.src = ip6_addr_load(data + IP6_OFF_SRC),
		.dst = ip6_addr_load(data + IP6_OFF_DST),
	};
	return IP6_LEN;
}

int ip6_hdr_parse(const uint8_t *data, size_t len, struct ip6_hdr *ret_hdr)
{
	struct ip6_hdr hdr;
	int hdr_len = ip6_hdr_peek(data, len, &hdr);
	if (hdr_len < 0)
		return hdr_len;
	if (hdr.payload_len > len - IP6_LEN)
		return -EBADMSG;
	*ret_hdr = hdr;
	return hdr_len;
}

int ip6_hdr_emit(uint8_t *buf, size_t len, const struct ip6_hdr *hdr)
{
	if (len < IP6_LEN)
		return -ENOBUFS;
	store_be32(buf + IP6_OFF_FLOW,
		   6u << 28 | (uint32_t)hdr->tclass << 20 | (hdr->flow & 0xfffff));
	store_be16(buf + IP6_OFF_PAYLOAD_LEN, hdr->payload_len);
	buf[IP6_OFF_NEXT] = hdr->next;
	buf[IP6_OFF_HOP_LIMIT] = hdr->hop_limit;
	memcpy(buf + IP6_OFF_SRC, hdr->src.octet, IP6_ADDR_LEN);
	memcpy(buf + IP6_OFF_DST, hdr->dst.octet, IP6_ADDR_LEN);
	return IP6_LEN;
}

/*
 *     +---------------+---------------+-------------------------+---+-+
 *     |  next header  |    reserved   |   fragment offset / 8   |Res|M|
 *     |                        identification                         |
 *     +---------------------------------------------------------------+
 */
int ip6_frag_parse(const uint8_t *data, size_t len, struct ip6_frag *ret_frag)
{
	if (len < IP6_FRAG_LEN)
		return -EBADMSG;
	uint16_t field = load_be16(data + 2);
	*ret_frag = (struct ip6_frag){
		.next = data[0],
		.off = field & 0xfff8u,
		.more = field & 1,
		.id = load_be32(data + 4),
	};
	return IP6_FRAG_LEN;
}

int ip6_frag_emit(uint8_t *buf, size_t len, const struct ip6_frag *frag)
{
	if (frag->off % 8)
		return -EINVAL;
	if (len < IP6_FRAG_LEN)
		return -ENOBUFS;
	buf[0] = frag->next;
	buf[1] = 0;
	store_be16(buf + 2, frag->off | (frag->more ? 1 : 0));
	store_be32(buf + 4, frag->id);
	return IP6_FRAG_LEN;
}

/* ESP is not among them: what follows it cannot be read. */
static bool is_ext(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case IP6_PROTO_HIP:
	case IP6_PROTO_SHIM6:
		return true;
	default:
		return false;
	}
}

/* Length in bytes of the extension header p, of which two bytes are there. */
static size_t ext_len(uint8_t proto, const uint8_t *p)
{
	if (proto == IPPROTO_FRAGMENT)
		return IP6_FRAG_LEN;
	if (proto == IPPROTO_AH)
		return ((size_t)p[1] + 2) * 4;
	return ((size_t)p[1] + 1) * 8;
}

/* Notes what the header p of n bytes (8 at least) says. Returns 0 or -EBADMSG. */
static int ext_note(struct ip6_ext *ext, const uint8_t *p, size_t n, size_t off)
{
	switch (ext->proto) {
	case IPPROTO_HOPOPTS:
		return ext->count == 0 ? 0 : -EBADMSG;
	case IPPROTO_ROUTING:
		ext->has_routing = true;
		ext->routing_type = p[2];
		ext->segments_left = p[3];
		return 0;
	case IPPROTO_FRAGMENT:
		if (ext->is_fragment)
			return -EBADMSG;
		ext->is_fragment = true;
		ext->frag_hdr_off = (uint16_t)off;
		return ip6_frag_parse(p, n, &ext->frag) < 0 ? -EBADMSG : 0;
	default:
		return 0;
	}
}

int ip6_ext_walk(const uint8_t *data, size_t len, uint8_t next, struct ip6_ext *ret_ext)
{
	struct reader r = reader_of(data, len);
	struct ip6_ext ext = { .proto = next };
	reader_skip(&r, IP6_LEN);
	while (is_ext(ext.proto) && ext.frag.off == 0) {
		if (reader_left(&r) < 8)
			return -EBADMSG;
		size_t off = r.off;
		size_t n = ext_len(ext.proto, data + off);
		if (ext.count == IP6_EXT_COUNT_MAX || off + n > IP6_LEN + IP6_EXT_LEN_MAX)
			return -E2BIG;
		const uint8_t *p = reader_bytes(&r, n);
		if (!p || ext_note(&ext, p, n, off) < 0)
			return -EBADMSG;
		ext.proto = p[0];
		ext.count++;
	}
	if (r.bad)
		return -EBADMSG;
	*ret_ext = ext;
	return (int)r.off;
}
