/* SPDX-License-Identifier: MIT */
/*
 * Most frames are none of Neighbour Discovery, and are known by two fields of their headers.
 * A message with extension headers in front says nothing here: no machine sends such.
 */
#include "lan/duplicate.h"

#include "base/mac.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/nd.h"

#include <netinet/in.h>
#include <string.h>

/* What a message of Neighbour Discovery says of who sends it. */
struct evidence {
	struct ip6_addr address;
	struct weft_mac mac;
	bool is_probe; /* It only asks whether the address is free. */
};

static bool is_nd(const struct weft_frame *frame)
{
	return frame->len >= ETHER_LEN + IP6_LEN &&
	       load_be16(frame->data + ETHER_OFF_TYPE) == ETHER_TYPE_IP6 &&
	       frame->data[ETHER_LEN + IP6_OFF_NEXT] == IPPROTO_ICMPV6 &&
	       frame->data[ETHER_LEN + IP6_OFF_HOP_LIMIT] == ND_HOP_LIMIT;
}

/* The sender of a solicitation, the subject of an advertisement (RFC 4861, 4.3 and 4.4). */
static bool parse(const struct weft_frame *frame, struct evidence *ret_evidence)
{
	static const struct ip6_addr none;
	struct ip6_hdr ip;
	struct nd_msg nd;
	if (!is_nd(frame) ||
	    ip6_hdr_parse(frame->data + ETHER_LEN, frame->len - ETHER_LEN, &ip) < 0 ||
	    nd_msg_parse(frame->data + ETHER_LEN + IP6_LEN, ip.payload_len, &nd) < 0 ||
	    (nd.type != ICMP6_NEIGHBOR_SOLICIT && nd.type != ICMP6_NEIGHBOR_ADVERT))
		return false;
	const bool is_probe =
		nd.type == ICMP6_NEIGHBOR_SOLICIT && ip6_addr_equal(&ip.src, &none);
	const bool is_target = is_probe || nd.type == ICMP6_NEIGHBOR_ADVERT;
	*ret_evidence = (struct evidence){ .address = is_target ? nd.target : ip.src,
					   .mac = mac_load(frame->data + ETHER_OFF_SRC),
					   .is_probe = is_probe };
	return true;
}

static struct duplicate_own *find(struct duplicate *d, const struct ip6_addr *address)
{
	for (unsigned i = 0; i < d->n; i++)
		if (ip6_addr_equal(&d->own[i].address, address))
			return &d->own[i];
	return NULL;
}

/* A place for one more: a free one, or that of who was silent longest. */
static struct duplicate_own *place(struct duplicate *d)
{
	struct duplicate_own *oldest = &d->own[0];
	if (d->n < DUPLICATE_OWN_MAX)
		return &d->own[d->n++];
	for (unsigned i = 1; i < d->n; i++)
		if (d->own[i].seen_ns < oldest->seen_ns)
			oldest = &d->own[i];
	return oldest;
}

void duplicate_sent(struct duplicate *d, const struct weft_frame *frame, uint64_t now)
{
	struct evidence evidence;
	if (!parse(frame, &evidence))
		return;
	struct duplicate_own *own = find(d, &evidence.address);
	if (!own) {
		own = place(d);
		*own = (struct duplicate_own){ .address = evidence.address };
	}
	own->mac = evidence.mac;
	own->is_probed = evidence.is_probe;
	own->seen_ns = now;
}

bool duplicate_received(struct duplicate *d, const struct weft_frame *frame, uint64_t now,
			struct duplicate_found *ret_found)
{
	struct evidence evidence;
	if (d->n == 0 || !parse(frame, &evidence))
		return false;
	struct duplicate_own *own = find(d, &evidence.address);
	if (!own || mac_equal(own->mac, evidence.mac) ||
	    now >= own->seen_ns + DUPLICATE_OWN_NS || now < own->told_until ||
	    (evidence.is_probe && !own->is_probed))
		return false;
	own->told_until = now + DUPLICATE_TOLD_NS;
	*ret_found = (struct duplicate_found){ .address = { .family = AF_INET6,
							    .prefix = 128 },
					       .mac = evidence.mac,
					       .is_first = own->is_probed };
	memcpy(ret_found->address.octet, evidence.address.octet, IP6_ADDR_LEN);
	return true;
}
