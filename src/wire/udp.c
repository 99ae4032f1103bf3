/* SPDX-License-Identifier: MIT */
/*
 * The UDP header: four numbers, of which only the length can lie.
 */
#include "wire/udp.h"

#include "wire/cursor.h"

#include <errno.h>

int udp_hdr_peek(const uint8_t *data, size_t len, struct udp_hdr *ret_hdr)
{
	if (len < UDP_LEN || load_be16(data + UDP_OFF_LEN) < UDP_LEN)
		return -EBADMSG;
	*ret_hdr = (struct udp_hdr){
		.sport = load_be16(data + UDP_OFF_SPORT),
		.dport = load_be16(data + UDP_OFF_DPORT),
		.len = load_be16(data + UDP_OFF_LEN),
		.csum = load_be16(data + UDP_OFF_CSUM),
	};
	return UDP_LEN;
}

int udp_hdr_parse(const uint8_t *data, size_t len, struct udp_hdr *ret_hdr)
{
	struct udp_hdr hdr;
	int hdr_len = udp_hdr_peek(data, len, &hdr);
	if (hdr_len < 0)
		return hdr_len;
	if (hdr.len > len)
		return -EBADMSG;
	*ret_hdr = hdr;
	return hdr_len;
}

int udp_hdr_emit(uint8_t *buf, size_t len, const struct udp_hdr *hdr)
{
	if (len < UDP_LEN)
		return -ENOBUFS;
	store_be16(buf + UDP_OFF_SPORT, hdr->sport);
	store_be16(buf + UDP_OFF_DPORT, hdr->dport);
	store_be16(buf + UDP_OFF_LEN, hdr->len);
	store_be16(buf + UDP_OFF_CSUM, hdr->csum);
	return UDP_LEN;
}
