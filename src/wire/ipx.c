/* SPDX-License-Identifier: MIT */
/*
 * IPX headers and framings. The packet's own length counts, not the frame's: Ethernet pads to
 * 60 bytes, and old drivers to an even number.
 */
#include "wire/ipx.h"

#include "base/mac.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>

static struct ipx_addr addr_read(struct reader *r)
{
	struct ipx_addr addr = { .network = reader_u32(r) };

	reader_copy(r, addr.node.octet, MAC_LEN);
	addr.socket = reader_u16(r);
	return addr;
}

static void addr_write(struct writer *w, const struct ipx_addr *addr)
{
	writer_u32(w, addr->network);
	writer_bytes(w, addr->node.octet, MAC_LEN);
	writer_u16(w, addr->socket);
}

int ipx_hdr_parse(const uint8_t *data, size_t len, struct ipx_hdr *ret_hdr)
{
	struct reader r = reader_of(data, len);
	struct ipx_hdr hdr = { .checksum = reader_u16(&r) };

	hdr.len = reader_u16(&r);
	hdr.hops = reader_u8(&r);
	hdr.type = reader_u8(&r);
	hdr.dst = addr_read(&r);
	hdr.src = addr_read(&r);
	if (r.bad || hdr.len < IPX_LEN || hdr.len > len)
		return -EBADMSG;
	*ret_hdr = hdr;
	return IPX_LEN;
}

void ipx_hdr_emit(uint8_t buf[IPX_LEN], const struct ipx_hdr *hdr)
{
	struct writer w = writer_of(buf, IPX_LEN);

	writer_u16(&w, hdr->checksum);
	writer_u16(&w, hdr->len);
	writer_u8(&w, hdr->hops);
	writer_u8(&w, hdr->type);
	addr_write(&w, &hdr->dst);
	addr_write(&w, &hdr->src);
}

size_t ipx_frame_hdr_len(enum ipx_framing framing)
{
	switch (framing) {
	case IPX_8022:
		return ETHER_LEN + LLC_LEN;
	case IPX_SNAP:
		return ETHER_LEN + LLC_SNAP_LEN;
	default:
		return ETHER_LEN;
	}
}

/* The payload of an 802.3 frame: which framing, and how many bytes stand before IPX. */
static int llc_find(const uint8_t *data, size_t len, enum ipx_framing *ret_framing)
{
	struct llc_hdr llc;

	if (len >= 2 && load_be16(data) == IPX_NO_CHECKSUM) {
		*ret_framing = IPX_8023;
		return 0;
	}
	int n = llc_hdr_parse(data, len, &llc);
	if (n < 0 || llc.control != LLC_CONTROL_UI)
		return -EBADMSG;
	if (llc.is_snap && llc.oui == LLC_OUI_ETHER && llc.type == ETHER_TYPE_IPX)
		*ret_framing = IPX_SNAP;
	else if (llc.dsap == LLC_SAP_IPX && llc.ssap == LLC_SAP_IPX)
		*ret_framing = IPX_8022;
	else
		return -EBADMSG;
	return n;
}

int ipx_frame_parse(const uint8_t *data, size_t len, struct ipx_place *ret_place)
{
	struct ipx_place place = { .framing = IPX_ETHERNET2, .off = ETHER_LEN };

	if (len < ETHER_LEN)
		return -EBADMSG;
	uint16_t type = load_be16(data + ETHER_OFF_TYPE);
	size_t end = len;
	if (type < ETHER_TYPE_FIRST) {
		if (type > len - ETHER_LEN)
			return -EBADMSG;
		end = ETHER_LEN + (size_t)type;
		int n = llc_find(data + ETHER_LEN, type, &place.framing);
		if (n < 0)
			return n;
		place.off += (size_t)n;
	} else if (type != ETHER_TYPE_IPX) {
		return -EBADMSG;
	}
	if (ipx_hdr_parse(data + place.off, end - place.off, &place.hdr) < 0)
		return -EBADMSG;
	*ret_place = place;
	return 0;
}

static void llc_write(struct writer *w, enum ipx_framing framing)
{
	if (framing == IPX_8022) {
		writer_u8(w, LLC_SAP_IPX);
		writer_u8(w, LLC_SAP_IPX);
		writer_u8(w, LLC_CONTROL_UI);
	} else if (framing == IPX_SNAP) {
		writer_u8(w, LLC_SAP_SNAP);
		writer_u8(w, LLC_SAP_SNAP);
		writer_u8(w, LLC_CONTROL_UI);
		writer_u24(w, 0);
		writer_u16(w, ETHER_TYPE_IPX);
	}
}

void ipx_frame_emit(uint8_t *buf, enum ipx_framing framing, const struct ipx_hdr *hdr)
{
	size_t hdr_len = ipx_frame_hdr_len(framing);
	size_t payload_len = hdr_len - ETHER_LEN + hdr->len;
	struct writer w = writer_of(buf, hdr_len);

	writer_bytes(&w, hdr->dst.node.octet, MAC_LEN);
	writer_bytes(&w, hdr->src.node.octet, MAC_LEN);
	writer_u16(&w, framing == IPX_ETHERNET2 ? ETHER_TYPE_IPX : (uint16_t)payload_len);
	llc_write(&w, framing);
}
