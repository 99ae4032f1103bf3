/* SPDX-License-Identifier: MIT */
/*
 * Stations that speak IPX in framings of the input's choice, and what must hold whatever comes:
 * each copy of a frame is the frame itself or the same packet in another framing, none comes
 * twice, and few stations are remembered.
 *
 *     input:  { what  seconds  length  bytes }
 */
#include "bridge/ipx_stations.h"
#include "check.h"
#include "wire/cursor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_copy(const struct ipx_copies *copies, const struct weft_frame *frame,
		       const struct weft_frame *copy)
{
	struct ipx_place place;
	if (copy->data == frame->data)
		return;
	CHECK(ipx_frame_parse(copy->data, copy->len, &place) == 0);
	CHECK(place.hdr.len == copies->place.hdr.len);
	CHECK(memcmp(copy->data, frame->data, 12) == 0);
	CHECK(memcmp(copy->data + place.off + 2, frame->data + copies->place.off + 2,
		     place.hdr.len - 2u) == 0);
}

static void send_to(const struct ipx_stations *stations, const struct weft_frame *frame,
		    uint64_t now)
{
	uint8_t buf[IPX_TRANSLATED_MAX];
	struct weft_frame copy;
	unsigned n = 0;
	struct ipx_copies copies = ipx_copies_of(stations, frame, now);
	while (ipx_copies_next(&copies, buf, &copy)) {
		CHECK(++n <= IPX_FRAMINGS);
		check_copy(&copies, frame, &copy);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	struct ipx_stations stations = { .n = 0 };
	uint64_t now = 0;
	while (reader_left(&in) > 0) {
		const uint8_t what = reader_u8(&in);
		now += (uint64_t)reader_u8(&in) * 10000000000u;
		const size_t len = reader_u8(&in);
		const uint8_t *bytes = reader_bytes(&in, len);
		uint8_t *own = malloc(len + 1);
		CHECK(own);
		memcpy(own, bytes ? bytes : data, bytes ? len : 0);
		const struct weft_frame frame = { .data = own,
						  .len = bytes ? (uint32_t)len : 0 };
		if (what & 1)
			ipx_stations_learn(&stations, &frame, now);
		send_to(&stations, &frame, now);
		CHECK(stations.n <= IPX_STATIONS_MAX);
		free(own);
	}
	return 0;
}
