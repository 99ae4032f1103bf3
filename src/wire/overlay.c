/* SPDX-License-Identifier: MIT */
/*
 * The overlay header. Whether the ids are those of the session is for the relay to judge:
 * here only the form is checked.
 */
#include "wire/overlay.h"

#include "wire/cursor.h"

#include <errno.h>

int overlay_hdr_parse(const uint8_t *data, size_t len, struct overlay_hdr *ret_hdr)
{
	if (len < OVERLAY_LEN || data[OVERLAY_OFF_MAGIC] != OVERLAY_MAGIC)
		return -EBADMSG;
	uint8_t version = data[OVERLAY_OFF_VERSION] >> 4;
	uint8_t type = data[OVERLAY_OFF_VERSION] & 0x0f;
	uint16_t number = load_be16(data + OVERLAY_OFF_NUMBER);
	if (version != OVERLAY_VERSION || type < OVERLAY_ETHERNET || type > OVERLAY_LAST)
		return -EBADMSG;
	if (type == OVERLAY_ETHERNET && number != 0)
		return -EBADMSG;
	*ret_hdr = (struct overlay_hdr){
		.type = type,
		.number = number,
		.room = load_be16(data + OVERLAY_OFF_ROOM),
		.peer = load_be16(data + OVERLAY_OFF_PEER),
	};
	return OVERLAY_LEN;
}

void overlay_hdr_emit(uint8_t buf[OVERLAY_LEN], const struct overlay_hdr *hdr)
{
	buf[OVERLAY_OFF_MAGIC] = OVERLAY_MAGIC;
	buf[OVERLAY_OFF_VERSION] = (uint8_t)(OVERLAY_VERSION << 4 | (hdr->type & 0x0fu));
	store_be16(buf + OVERLAY_OFF_NUMBER, hdr->number);
	store_be16(buf + OVERLAY_OFF_ROOM, hdr->room);
	store_be16(buf + OVERLAY_OFF_PEER, hdr->peer);
}
