/* SPDX-License-Identifier: MIT */
/*
 * UDP (RFC 768), handed on by destination port.
 *
 *     | IP | UDP, 8 | payload, length - 8 | surplus, if IP says more than UDP |
 *
 * What is not whole cannot be summed and is dropped: the first fragment of a datagram, and
 * one that was cut at the port. Without an IP header (packets fed by hand) there is no pseudo
 * header, and the checksum is not looked at.
 */
#include "wire/udp.h"

#include "port/demux.h"

static bool is_fragment(const struct weft_ip_header *ip)
{
	return ip && (ip->fragment_offset > 0 || ip->more_fragments);
}

static int udp_received(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	struct demux *demux = demux_of(protocol);
	struct udp_hdr hdr;
	if (packet->partial)
		return demux_drop(demux, WEFT_OUTCOME_DROP_CUT);
	if (is_fragment(packet->ip))
		return demux_drop(demux, WEFT_OUTCOME_DROP_FRAGMENT);
	if (packet->len < UDP_LEN)
		return demux_drop(demux, WEFT_OUTCOME_DROP_SHORT);
	if (udp_hdr_parse(packet->data, packet->len, &hdr) < 0)
		return demux_drop(demux, WEFT_OUTCOME_DROP_MALFORMED);
	if (packet->ip && !weft_packet_is_intact(packet))
		return demux_drop(demux, WEFT_OUTCOME_DROP_CHECKSUM);
	const struct weft_udp_header header = {
		.src_port = hdr.sport,
		.dst_port = hdr.dport,
		.len = hdr.len,
		.has_checksum = hdr.csum != 0,
	};
	struct weft_packet inner = *packet;
	inner.udp = &header;
	inner.data = packet->data + UDP_LEN;
	inner.len = (size_t)hdr.len - UDP_LEN;
	return demux_deliver(demux, hdr.dport, &inner);
}

int weft_protocol_new_udp(struct weft_protocol **ret_udp)
{
	static const struct weft_protocol_kind kind = {
		.name = "UDP",
		.number = "port",
		.number_max = UINT16_MAX,
		.layer = WEFT_LAYER_TRANSPORT,
		.gives = WEFT_LAYER_DATAGRAM,
		.received = udp_received,
		.free = demux_free,
	};
	return demux_new(&kind, ret_udp);
}
