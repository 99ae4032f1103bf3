/* SPDX-License-Identifier: MIT */
/*
 * Ethernet frames, handed on by their outermost type (IEEE 802.3 3.2.6).
 *
 *     | dst, 6 | src, 6 | type  | payload                   |   handed on as it is
 *     | dst, 6 | src, 6 | 8100  | TCI | type | payload      |   under 0x8100, from the TCI
 *     | dst, 6 | src, 6 | len   | LLC, payload  | padding   |   under 0, len bytes of it
 *
 * A tag is not looked behind: a frame of one VLAN is not to be taken for one of another.
 */
#include "port/demux.h"
#include "wire/ether.h"

/* The number under which all frames come that have a length. */
#define NUMBER_LLC 0u

static int ethernet_received(struct weft_protocol *protocol,
			     const struct weft_packet *packet)
{
	struct demux *demux = demux_of(protocol);
	struct ether_hdr hdr;
	if (ether_hdr_parse(packet->data, packet->len, &hdr) < 0)
		return demux_drop(demux, packet->partial ? WEFT_OUTCOME_DROP_CUT
							 : WEFT_OUTCOME_DROP_SHORT);
	const struct weft_ethernet_header header = {
		.dst = hdr.dst,
		.src = hdr.src,
		.type = hdr.tags_n > 0 ? hdr.tags[0].tpid : hdr.type,
	};
	struct weft_packet inner = *packet;
	inner.ethernet = &header;
	inner.data = packet->data + ETHER_LEN;
	inner.len = packet->len - ETHER_LEN;
	if (header.type >= ETHER_TYPE_FIRST)
		return demux_deliver(demux, header.type, &inner);
	if (header.type > inner.len && !inner.partial)
		return demux_drop(demux, WEFT_OUTCOME_DROP_MALFORMED);
	if (header.type <= inner.len) {
		inner.len = header.type;
		inner.partial = false;
	}
	return demux_deliver(demux, NUMBER_LLC, &inner);
}

int weft_protocol_new_ethernet(struct weft_protocol **ret_ethernet)
{
	static const struct weft_protocol_kind kind = {
		.name = "Ethernet",
		.number = "EtherType",
		.number_max = UINT16_MAX,
		.number_first = ETHER_TYPE_FIRST,
		.layer = WEFT_LAYER_ETHERNET,
		.gives = WEFT_LAYER_PACKET,
		.received = ethernet_received,
		.free = demux_free,
	};
	return demux_new(&kind, ret_ethernet);
}
