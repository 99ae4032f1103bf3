/* SPDX-License-Identifier: MIT */
/*
 * Two claims of a peer's header never reach anybody. The length of the headers is a hint, and
 * one that the kernel copies by: it is made anew from the packet. That somebody has verified
 * the checksum is a matter between the peer and its kernel.
 */
#include "wire/tunnel.h"

#include "wire/cursor.h"
#include "wire/segment.h"

#include <errno.h>
#include <string.h>

/* The header of a control record: flags and a type of segmentation that nobody has. */
static const uint8_t control_virtio[VIRTIO_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						    0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Sets the frame's facts from its header; false if they are not true of it. */
static bool facts_take(const uint8_t *virtio, bool is_ip, struct weft_frame *frame)
{
	struct virtio_hdr hdr = virtio_hdr_load(virtio);

	hdr.hdr_len = 0;
	if (virtio_hdr_read(&hdr, frame->len, &frame->offload) < 0)
		return false;
	frame->offload.flags &= (uint8_t)~WEFT_OFFLOAD_CSUM_VALID;
	int hdr_len = segment_check(frame, is_ip);
	if (hdr_len < 0)
		return false;
	if (frame->offload.gso != WEFT_GSO_NONE)
		frame->offload.hdr_len = (uint16_t)hdr_len;
	return true;
}

static enum tunnel_outcome record_decode(uint8_t *data, uint16_t packet_len, bool is_ip,
					 struct tunnel_unit *unit)
{
	unit->frame = (struct weft_frame){ .data = data + TUNNEL_LEN,
					   .len = packet_len,
					   .headroom = TUNNEL_LEN };
	if (memcmp(data + 2, control_virtio, VIRTIO_LEN) == 0)
		return TUNNEL_CONTROL;
	if (facts_take(data + TUNNEL_LEN - VIRTIO_LEN, is_ip, &unit->frame))
		return TUNNEL_FRAME;
	unit->frame = (struct weft_frame){ 0 };
	return TUNNEL_BAD;
}

enum tunnel_outcome tunnel_decode(uint8_t *data, size_t len, bool is_ip,
				  struct tunnel_unit *ret_unit)
{
	*ret_unit = (struct tunnel_unit){ .len = TUNNEL_PING_LEN };
	if (len < TUNNEL_PING_LEN)
		return TUNNEL_MORE;
	uint16_t packet_len = load_le16(data);
	if (packet_len == 0)
		return TUNNEL_PING;
	if (packet_len < TUNNEL_PACKET_MIN) {
		ret_unit->len = packet_len;
		return TUNNEL_BROKEN;
	}
	ret_unit->len = TUNNEL_LEN + (size_t)packet_len;
	if (len < ret_unit->len)
		return TUNNEL_MORE;
	return record_decode(data, packet_len, is_ip, ret_unit);
}

static bool fits_record(const struct weft_frame *frame)
{
	return frame->len >= TUNNEL_PACKET_MIN && frame->len <= TUNNEL_PACKET_MAX;
}

/* Writes what stands before the packet. */
static void head_emit(uint8_t buf[TUNNEL_LEN], const struct weft_frame *frame)
{
	struct virtio_hdr hdr = virtio_hdr_of(&frame->offload);

	store_le16(buf, (uint16_t)frame->len);
	virtio_hdr_store(buf + 2, &hdr);
}

int tunnel_push(const struct weft_frame *frame, uint8_t **ret_record)
{
	if (!fits_record(frame))
		return -EMSGSIZE;
	if (frame->headroom < TUNNEL_LEN)
		return -ENOBUFS;
	uint8_t *record = frame->data - TUNNEL_LEN;
	head_emit(record, frame);
	*ret_record = record;
	return (int)(TUNNEL_LEN + frame->len);
}

int tunnel_emit(uint8_t *buf, size_t len, const struct weft_frame *frame)
{
	if (!fits_record(frame))
		return -EMSGSIZE;
	if (len < TUNNEL_LEN + (size_t)frame->len)
		return -ENOBUFS;
	head_emit(buf, frame);
	memcpy(buf + TUNNEL_LEN, frame->data, frame->len);
	return (int)(TUNNEL_LEN + frame->len);
}

size_t tunnel_control_len(size_t n)
{
	return TUNNEL_LEN + (n < TUNNEL_PACKET_MIN ? TUNNEL_PACKET_MIN : n);
}

int tunnel_control_emit(uint8_t *buf, size_t len, const char *text, size_t n)
{
	const size_t record_len = tunnel_control_len(n);
	if (n > TUNNEL_PACKET_MAX)
		return -EMSGSIZE;
	if (len < record_len)
		return -ENOBUFS;
	store_le16(buf, (uint16_t)(record_len - TUNNEL_LEN));
	memcpy(buf + 2, control_virtio, VIRTIO_LEN);
	memset(buf + TUNNEL_LEN, ' ', record_len - TUNNEL_LEN);
	memcpy(buf + TUNNEL_LEN, text, n);
	return (int)record_len;
}

void tunnel_ping_emit(uint8_t buf[TUNNEL_PING_LEN])
{
	store_le16(buf, 0);
}
