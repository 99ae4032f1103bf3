/* SPDX-License-Identifier: MIT */
/*
 * Ethernet headers: the twelve address bytes, then type fields for as long as they are tags.
 */
#include "wire/ether.h"

#include "base/mac.h"
#include "wire/cursor.h"

#include <errno.h>

int ether_hdr_parse(const uint8_t *data, size_t len, struct ether_hdr *ret_hdr)
{
	if (len < ETHER_LEN)
		return -EBADMSG;
	struct ether_hdr hdr = {
		.dst = mac_load(data + ETHER_OFF_DST),
		.src = mac_load(data + ETHER_OFF_SRC),
		.type = load_be16(data + ETHER_OFF_TYPE),
	};
	size_t off = ETHER_LEN;
	while (ether_type_is_tag(hdr.type) && hdr.tags_n < ETHER_TAGS_MAX) {
		if (len - off < ETHER_TAG_LEN)
			return -EBADMSG;
		hdr.tags[hdr.tags_n++] = (struct ether_tag){
			.tpid = hdr.type,
			.tci = load_be16(data + off),
		};
		hdr.type = load_be16(data + off + 2);
		off += ETHER_TAG_LEN;
	}
	*ret_hdr = hdr;
	return (int)off;
}

int ether_hdr_emit(uint8_t *buf, size_t len, const struct ether_hdr *hdr)
{
	size_t tags_n = hdr->tags_n < ETHER_TAGS_MAX ? hdr->tags_n : ETHER_TAGS_MAX;
	size_t hdr_len = ETHER_LEN + tags_n * ETHER_TAG_LEN;
	uint8_t *type = buf + ETHER_OFF_TYPE;
	if (len < hdr_len)
		return -ENOBUFS;
	mac_store(buf + ETHER_OFF_DST, hdr->dst);
	mac_store(buf + ETHER_OFF_SRC, hdr->src);
	for (size_t i = 0; i < tags_n; i++, type += ETHER_TAG_LEN) {
		store_be16(type, hdr->tags[i].tpid);
		store_be16(type + 2, hdr->tags[i].tci);
	}
	store_be16(type, hdr->type);
	return (int)hdr_len;
}

int llc_hdr_parse(const uint8_t *data, size_t len, struct llc_hdr *ret_hdr)
{
	struct reader r = reader_of(data, len);
	struct llc_hdr hdr = { .dsap = reader_u8(&r) };
	hdr.ssap = reader_u8(&r);
	hdr.control = reader_u8(&r);
	hdr.is_snap = hdr.dsap == LLC_SAP_SNAP && hdr.ssap == LLC_SAP_SNAP &&
		      hdr.control == LLC_CONTROL_UI;
	if (hdr.is_snap) {
		hdr.oui = reader_u24(&r);
		hdr.type = reader_u16(&r);
	}
	if (r.bad)
		return -EBADMSG;
	*ret_hdr = hdr;
	return (int)r.off;
}

int llc_hdr_emit(uint8_t *buf, size_t len, const struct llc_hdr *hdr)
{
	struct writer w = writer_of(buf, len);
	writer_u8(&w, hdr->dsap);
	writer_u8(&w, hdr->ssap);
	writer_u8(&w, hdr->control);
	if (hdr->is_snap) {
		writer_u24(&w, hdr->oui);
		writer_u16(&w, hdr->type);
	}
	return w.bad ? -ENOBUFS : (int)w.off;
}
