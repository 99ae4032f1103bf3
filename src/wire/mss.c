/* SPDX-License-Identifier: MIT */
/*
 * Nearly every frame is no SYN, and that shows in its first bytes: the others are looked at
 * in full. The checksum of a frame that still wants one is left to whoever fills it in: what
 * stands there is the pseudo header's sum, in which the MSS has no part.
 */
#include "wire/mss.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/tcp.h"

#include <netinet/in.h>
#include <stdbool.h>

#define MSS_LEN 4u

/* Offset of the MSS in the options; 0 for none (an option's first byte is its kind). */
static size_t find_option(const uint8_t *options, size_t len)
{
	struct reader r = reader_of(options, len);
	while (reader_left(&r) > 0) {
		size_t start = r.off;
		uint8_t kind = reader_u8(&r);
		if (kind == TCP_OPT_END)
			return 0;
		if (kind == TCP_OPT_NOP)
			continue;
		uint8_t option_len = reader_u8(&r);
		if (option_len < 2)
			return 0;
		reader_skip(&r, option_len - 2u);
		if (r.bad)
			return 0;
		if (kind == TCP_OPT_MSS && option_len == MSS_LEN)
			return start + 2;
	}
	return 0;
}

/* What a segment may hold: the headers without options (RFC 6691). */
static uint16_t mss_of(const struct weft_frame *frame, unsigned mtu)
{
	struct layout at;
	if (layout_find(frame->data, frame->len, false, &at) < 0)
		return UINT16_MAX;
	return (uint16_t)(mtu - TCP_LEN - (at.version == 6 ? IP6_LEN : IP4_LEN));
}

size_t mss_find(const struct weft_frame *frame, unsigned mtu)
{
	struct layout at;
	struct tcp_hdr tcp;
	if (layout_find(frame->data, frame->len, false, &at) < 0 || at.version == 0 ||
	    at.proto != IPPROTO_TCP || at.is_fragment)
		return 0;
	const uint8_t *header = frame->data + at.transport_off;
	if (tcp_hdr_parse(header, at.end - at.transport_off, &tcp) < 0 ||
	    !(tcp.flags & TCP_SYN))
		return 0;
	size_t off = find_option(header + TCP_LEN, tcp.options_len);
	if (off == 0)
		return 0;
	off += at.transport_off + TCP_LEN;
	return load_be16(frame->data + off) > mss_of(frame, mtu) ? off : 0;
}

/* The sum counts words from the start of the TCP header: a word at an odd offset is two. */
static uint16_t update(uint16_t check, bool is_odd, uint16_t from, uint16_t to)
{
	if (!is_odd)
		return checksum_update(check, from, to);
	return checksum_update(check, (uint16_t)(from << 8 | from >> 8),
			       (uint16_t)(to << 8 | to >> 8));
}

void mss_clamp(struct weft_frame *frame, size_t mss_off, unsigned mtu)
{
	struct layout at;
	if (layout_find(frame->data, frame->len, false, &at) < 0)
		return;
	uint8_t *mss = frame->data + mss_off;
	uint8_t *csum = frame->data + at.transport_off + TCP_OFF_CSUM;
	uint16_t from = load_be16(mss), to = mss_of(frame, mtu);
	store_be16(mss, to);
	if (!(frame->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM))
		store_be16(csum, update(load_be16(csum),
					(mss_off - at.transport_off) % 2 != 0, from, to));
}
