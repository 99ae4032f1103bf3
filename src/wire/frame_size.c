/* SPDX-License-Identifier: MIT */
/*
 * One function per header, each of which gets what is there of the payload and returns its
 * length, 0 for more bytes, or an error; in one table by EtherType.
 */
#include "wire/frame_size.h"

#include "base/array.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>
#include <stdbool.h>

#define TYPE_RARP     0x8035u
#define TYPE_DDP      0x809bu
#define TYPE_AARP     0x80f3u
#define TYPE_LOOPBACK 0x9000u

/* Between the longest 802.3 length and the first EtherType there is nothing. */
#define LENGTH_MAX 1500u

static int ip4_size(const uint8_t *p, size_t len)
{
	if (len < 4)
		return 0;
	unsigned header_len = (p[0] & 0x0fu) * 4u;
	uint16_t total = load_be16(p + 2);
	if (p[0] >> 4 != 4 || header_len < 20 || total < header_len)
		return -EBADMSG;
	return total;
}

/* A payload length of 0 with hop-by-hop options is a jumbogram (RFC 2675). */
static int ip6_size(const uint8_t *p, size_t len)
{
	if (len < 7)
		return 0;
	uint16_t payload = load_be16(p + 4);
	if (p[0] >> 4 != 6 || (payload == 0 && p[6] == 0))
		return -EBADMSG;
	return 40 + payload;
}

/* Also RARP, which only has other operations, and AARP. */
static int arp_size(const uint8_t *p, size_t len)
{
	if (len < 6)
		return 0;
	if (p[4] == 0 || p[5] == 0)
		return -EBADMSG;
	return 8 + 2 * (p[4] + p[5]);
}

static int ipx_size(const uint8_t *p, size_t len)
{
	if (len < 4)
		return 0;
	uint16_t length = load_be16(p + 2);
	return length < 30 ? -EBADMSG : length;
}

/*
 * EtherTalk Phase 1 has LAP's three bytes in front (destination node, source node, 1 for a
 * short or 2 for a long header); other writers leave them out and begin with a long header.
 */
static int ddp_size(const uint8_t *p, size_t len)
{
	if (len < 5)
		return 0;
	unsigned lap = p[2];
	unsigned behind_lap = load_be16(p + 3) & 0x3ffu;
	unsigned plain = load_be16(p) & 0x3ffu;
	if (lap == 1 && behind_lap >= 5)
		return (int)(3 + behind_lap);
	if (lap == 2 && behind_lap >= 13)
		return (int)(3 + behind_lap);
	return plain >= 13 ? (int)plain : -EBADMSG;
}

static int pppoe_size(const uint8_t *p, size_t len)
{
	if (len < 6)
		return 0;
	return p[0] == 0x11 ? 6 + load_be16(p + 4) : -EBADMSG;
}

/*
 * The Configuration Testing Protocol has no length: forward messages of 8 bytes, then a reply
 * with data up to the end of the frame. What is sent of it (loop detection) is a frame of the
 * least length with zeros for data, and only that is recognised.
 */
static int loopback_size(const uint8_t *p, size_t len)
{
	const size_t frame = FRAME_SIZE_MIN - ETHER_LEN;
	size_t off = 2;

	if (len < frame)
		return 0;
	off += load_le16(p);
	while (off + 8 <= frame && load_le16(p + off) == 2)
		off += 8;
	if (off + 4 > frame || load_le16(p + off) != 1)
		return -EPROTONOSUPPORT;
	for (off += 4; off < frame; off++) {
		if (p[off] != 0)
			return -EPROTONOSUPPORT;
	}
	return (int)frame;
}

static int payload_size(uint16_t type, const uint8_t *p, size_t len)
{
	static const struct {
		uint16_t type;
		int (*size)(const uint8_t *p, size_t len);
	} kinds[] = {
		{ ETHER_TYPE_IP4, ip4_size },
		{ ETHER_TYPE_IP6, ip6_size },
		{ ETHER_TYPE_ARP, arp_size },
		{ TYPE_RARP, arp_size },
		{ TYPE_AARP, arp_size },
		{ ETHER_TYPE_IPX, ipx_size },
		{ TYPE_DDP, ddp_size },
		{ ETHER_TYPE_PPPOE_DISCOVERY, pppoe_size },
		{ ETHER_TYPE_PPPOE_SESSION, pppoe_size },
		{ TYPE_LOOPBACK, loopback_size },
	};

	if (type < ETHER_TYPE_FIRST)
		return type < LLC_LEN || type > LENGTH_MAX ? -EBADMSG : type;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].type == type)
			return kinds[i].size(p, len);
	}
	return -EPROTONOSUPPORT;
}

int frame_size(const uint8_t *data, size_t len, uint16_t *ret_type)
{
	size_t off = ETHER_LEN;

	if (len < off)
		return 0;
	uint16_t type = load_be16(data + ETHER_OFF_TYPE);
	for (unsigned tags = 0; tags < ETHER_TAGS_MAX && ether_type_is_tag(type);
	     tags++) {
		if (len < off + ETHER_TAG_LEN)
			return 0;
		type = load_be16(data + off + 2);
		off += ETHER_TAG_LEN;
	}
	int size = payload_size(type, data + off, len - off);
	if (size < 0)
		*ret_type = type;
	return size > 0 ? (int)off + size : size;
}
