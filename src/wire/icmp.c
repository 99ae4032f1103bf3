/* SPDX-License-Identifier: MIT */
/*
 * The header that ICMP and ICMPv6 share. The checksum is over the whole message, and for
 * ICMPv6 over a pseudo header too, so that it is made where the message is complete.
 */
#include "wire/icmp.h"

#include "wire/cursor.h"

#include <errno.h>

int icmp_hdr_parse(const uint8_t *data, size_t len, struct icmp_hdr *ret_hdr)
{
	if (len < ICMP_LEN)
		return -EBADMSG;
	*ret_hdr = (struct icmp_hdr){
		.type = data[ICMP_OFF_TYPE],
		.code = data[ICMP_OFF_CODE],
		.csum = load_be16(data + ICMP_OFF_CSUM),
		.rest = load_be32(data + ICMP_OFF_REST),
	};
	return ICMP_LEN;
}

int icmp_hdr_emit(uint8_t *buf, size_t len, const struct icmp_hdr *hdr)
{
	if (len < ICMP_LEN)
		return -ENOBUFS;
	buf[ICMP_OFF_TYPE] = hdr->type;
	buf[ICMP_OFF_CODE] = hdr->code;
	store_be16(buf + ICMP_OFF_CSUM, hdr->csum);
	store_be32(buf + ICMP_OFF_REST, hdr->rest);
	return ICMP_LEN;
}
