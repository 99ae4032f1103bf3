/* SPDX-License-Identifier: MIT */
/*
 * The IPv4 header. Its two lengths are the classic lies of a hostile packet: IHL is checked
 * against the bytes that are there, then the total length against both.
 */
#include "wire/ip4.h"

#include "wire/checksum.h"
#include "wire/cursor.h"

#include <errno.h>
#include <string.h>

int ip4_hdr_peek(const uint8_t *data, size_t len, struct ip4_hdr *ret_hdr)
{
	if (len < IP4_LEN || data[IP4_OFF_VERSION] >> 4 != 4)
		return -EBADMSG;
	size_t hdr_len = (size_t)(data[IP4_OFF_VERSION] & 0x0f) * 4;
	uint16_t total_len = load_be16(data + IP4_OFF_TOTAL_LEN);
	if (hdr_len < IP4_LEN || hdr_len > len || total_len < hdr_len)
		return -EBADMSG;
	uint16_t frag = load_be16(data + IP4_OFF_FRAG);
	*ret_hdr = (struct ip4_hdr){
		.tos = data[IP4_OFF_TOS],
		.total_len = total_len,
		.id = load_be16(data + IP4_OFF_ID),
		.df = frag & IP4_FRAG_DF,
		.mf = frag & IP4_FRAG_MF,
		.frag_off = (uint16_t)((frag & IP4_FRAG_OFF_MASK) * 8),
		.ttl = data[IP4_OFF_TTL],
		.proto = data[IP4_OFF_PROTO],
		.csum = load_be16(data + IP4_OFF_CSUM),
		.src = load_be32(data + IP4_OFF_SRC),
		.dst = load_be32(data + IP4_OFF_DST),
		.options = data + IP4_LEN,
		.options_len = (uint8_t)(hdr_len - IP4_LEN),
	};
	return (int)hdr_len;
}

int ip4_hdr_parse(const uint8_t *data, size_t len, struct ip4_hdr *ret_hdr)
{
	struct ip4_hdr hdr;
	int hdr_len = ip4_hdr_peek(data, len, &hdr);
	if (hdr_len < 0)
		return hdr_len;
	if (hdr.total_len > len)
		return -EBADMSG;
	*ret_hdr = hdr;
	return hdr_len;
}

/* Flags and fragment offset as one field. */
static uint16_t frag_field(const struct ip4_hdr *hdr)
{
	unsigned flags = (hdr->df ? IP4_FRAG_DF : 0) | (hdr->mf ? IP4_FRAG_MF : 0);
	return (uint16_t)(flags | hdr->frag_off / 8u);
}

int ip4_hdr_emit(uint8_t *buf, size_t len, const struct ip4_hdr *hdr)
{
	if (hdr->options_len > IP4_OPTIONS_MAX || hdr->options_len % 4 ||
	    hdr->frag_off % 8)
		return -EINVAL;
	size_t hdr_len = IP4_LEN + hdr->options_len;
	if (len < hdr_len)
		return -ENOBUFS;
	buf[IP4_OFF_VERSION] = (uint8_t)(4u << 4 | hdr_len / 4);
	buf[IP4_OFF_TOS] = hdr->tos;
	store_be16(buf + IP4_OFF_TOTAL_LEN, hdr->total_len);
	store_be16(buf + IP4_OFF_ID, hdr->id);
	store_be16(buf + IP4_OFF_FRAG, frag_field(hdr));
	buf[IP4_OFF_TTL] = hdr->ttl;
	buf[IP4_OFF_PROTO] = hdr->proto;
	store_be16(buf + IP4_OFF_CSUM, 0);
	store_be32(buf + IP4_OFF_SRC, hdr->src);
	store_be32(buf + IP4_OFF_DST, hdr->dst);
	if (hdr->options_len > 0)
		memcpy(buf + IP4_LEN, hdr->options, hdr->options_len);
	store_be16(buf + IP4_OFF_CSUM, checksum(buf, hdr_len));
	return (int)hdr_len;
}
