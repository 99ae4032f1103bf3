/* SPDX-License-Identifier: MIT */
/*
 * One step per layer, each of which moves the offsets on and lets the next one begin only
 * where its own lengths agree with the frame.
 */
#include "wire/layout.h"

#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>

/* Sets version from what the link says; IP itself checks that it is true. */
static int find_link(const uint8_t *data, size_t len, bool is_ip, struct layout *at)
{
	size_t off = ETHER_LEN;
	uint16_t type;

	if (is_ip) {
		at->version = len > 0 && data[0] >> 4 == 6 ? 6 : 4;
		return 0;
	}
	if (len < ETHER_LEN)
		return -EBADMSG;
	type = load_be16(data + ETHER_OFF_TYPE);
	for (unsigned i = 0; i < ETHER_TAGS_MAX && ether_type_is_tag(type); i++) {
		if (len - off < ETHER_TAG_LEN)
			return -EBADMSG;
		off += ETHER_TAG_LEN;
		type = load_be16(data + off - 2);
	}
	at->ip_off = (uint16_t)off;
	at->version = type == ETHER_TYPE_IP4 ? 4 : type == ETHER_TYPE_IP6 ? 6 : 0;
	return 0;
}

static int find_ip4(const uint8_t *data, size_t len, struct layout *at)
{
	struct ip4_hdr ip;
	int n = ip4_hdr_parse(data + at->ip_off, len - at->ip_off, &ip);

	if (n < 0)
		return n;
	at->proto = ip.proto;
	at->is_fragment = ip4_is_fragment(&ip);
	at->transport_off = (uint16_t)(at->ip_off + n);
	at->end = at->ip_off + (uint32_t)ip.total_len;
	return 0;
}

static int find_ip6(const uint8_t *data, size_t len, struct layout *at)
{
	struct ip6_hdr ip;
	struct ip6_ext ext;
	int n = ip6_hdr_parse(data + at->ip_off, len - at->ip_off, &ip);

	if (n < 0)
		return n;
	n = ip6_ext_walk(data + at->ip_off, IP6_LEN + ip.payload_len, ip.next, &ext);
	if (n < 0)
		return -EBADMSG;
	at->proto = ext.proto;
	at->is_fragment = ext.is_fragment;
	at->transport_off = (uint16_t)(at->ip_off + n);
	at->end = at->ip_off + IP6_LEN + (uint32_t)ip.payload_len;
	return 0;
}

static int find_transport(const uint8_t *data, struct layout *at)
{
	const uint8_t *transport = data + at->transport_off;
	size_t len = at->end - at->transport_off;
	int n = 0;

	if (at->proto == IPPROTO_TCP) {
		struct tcp_hdr tcp;
		n = tcp_hdr_parse(transport, len, &tcp);
	} else if (at->proto == IPPROTO_UDP) {
		struct udp_hdr udp;
		n = udp_hdr_parse(transport, len, &udp);
	}
	if (n < 0)
		return n;
	at->payload_off = (uint16_t)(at->transport_off + n);
	return 0;
}

int layout_find(const uint8_t *data, size_t len, bool is_ip, struct layout *ret_layout)
{
	struct layout at = { 0 };
	int rc = find_link(data, len, is_ip, &at);

	at.transport_off = at.payload_off = at.ip_off;
	at.end = (uint32_t)len;
	if (rc == 0 && at.version == 4)
		rc = find_ip4(data, len, &at);
	else if (rc == 0 && at.version == 6)
		rc = find_ip6(data, len, &at);
	if (rc < 0)
		return rc;
	at.payload_off = at.transport_off;
	if (at.version && !at.is_fragment)
		rc = find_transport(data, &at);
	if (rc == 0)
		*ret_layout = at;
	return rc;
}
