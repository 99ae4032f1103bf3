/* SPDX-License-Identifier: MIT */
/*
 * Both directions of a conversation have different keys: nobody here needs them to be one.
 */
#include "wire/flow_key.h"

#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"

#include <netinet/in.h>
#include <string.h>

#define PORTS_LEN 4u

/* Bytes of both addresses, which stand one behind the other, and where. */
static size_t addresses(uint8_t version, size_t *ret_off)
{
	*ret_off = version == 4 ? IP4_OFF_SRC : IP6_OFF_SRC;
	return version == 4 ? 8 : 32;
}

static bool has_ports(const struct layout *at)
{
	return (at->proto == IPPROTO_TCP || at->proto == IPPROTO_UDP) && !at->is_fragment;
}

size_t flow_key(const uint8_t *data, size_t len, bool is_ip, uint8_t key[FLOW_KEY_MAX])
{
	struct layout at;
	size_t off;
	if (layout_find(data, len, is_ip, &at) < 0 || at.version == 0) {
		size_t n = len < ETHER_LEN ? len : ETHER_LEN;
		memcpy(key, data, n);
		return n;
	}
	size_t n = addresses(at.version, &off);
	memcpy(key, data + at.ip_off + off, n);
	key[n++] = at.proto;
	if (has_ports(&at) && at.end - at.transport_off >= PORTS_LEN) {
		memcpy(key + n, data + at.transport_off, PORTS_LEN);
		n += PORTS_LEN;
	}
	return n;
}
