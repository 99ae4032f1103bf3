/* SPDX-License-Identifier: MIT */
/*
 * A table that is searched from its start: IPX is rare, and stations behind a port are few.
 */
#include "bridge/ipx_stations.h"

#include "base/mac.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <string.h>

bool ipx_is_possible(const struct weft_frame *frame)
{
	if (frame->len < ETHER_LEN + IPX_LEN)
		return false;
	const uint16_t type = load_be16(frame->data + ETHER_OFF_TYPE);
	return type == ETHER_TYPE_IPX || type < ETHER_TYPE_FIRST;
}

static bool is_recent(uint64_t used_ns, uint64_t now)
{
	return used_ns != 0 && now < used_ns + IPX_STATION_NS;
}

static enum ipx_framing latest_framing(const struct ipx_station *station)
{
	unsigned latest = 0;
	for (unsigned i = 1; i < IPX_FRAMINGS; i++)
		if (station->used_ns[i] > station->used_ns[latest])
			latest = i;
	return (enum ipx_framing)latest;
}

static uint64_t last_used(const struct ipx_station *station)
{
	return station->used_ns[latest_framing(station)];
}

static struct ipx_station *find(struct ipx_stations *stations, struct weft_mac mac)
{
	for (unsigned i = 0; i < stations->n; i++)
		if (mac_equal(stations->entries[i].mac, mac))
			return &stations->entries[i];
	return NULL;
}

/* A free place, or that of the one that has been silent longest. */
static struct ipx_station *make(struct ipx_stations *stations, struct weft_mac mac)
{
	struct ipx_station *place = &stations->entries[0];
	if (stations->n < IPX_STATIONS_MAX)
		place = &stations->entries[stations->n++];
	for (unsigned i = 1; i < IPX_STATIONS_MAX && stations->n == IPX_STATIONS_MAX; i++)
		if (last_used(&stations->entries[i]) < last_used(place))
			place = &stations->entries[i];
	*place = (struct ipx_station){ .mac = mac };
	return place;
}

void ipx_stations_learn(struct ipx_stations *stations, const struct weft_frame *frame,
			uint64_t now)
{
	struct ipx_place place;
	if (ipx_frame_parse(frame->data, frame->len, &place) < 0)
		return;
	const struct weft_mac mac = mac_load(frame->data + ETHER_OFF_SRC);
	struct ipx_station *station = find(stations, mac);
	if (!station)
		station = make(stations, mac);
	station->used_ns[place.framing] = now ? now : 1;
}

/* What one station needs; 0 if it has not spoken for long. */
static unsigned framing_for(const struct ipx_station *station, enum ipx_framing framing,
			    uint64_t now)
{
	if (is_recent(station->used_ns[framing], now))
		return 1u << framing;
	return is_recent(last_used(station), now) ? 1u << latest_framing(station) : 0;
}

/* In which framings a packet to dst, a station or a group, is to go there: at least one bit. */
static unsigned framings_to(const struct ipx_stations *stations, struct weft_mac dst,
			    enum ipx_framing framing, uint64_t now)
{
	const bool is_group = mac_is_group(dst);
	unsigned framings = 0;
	for (unsigned i = 0; i < stations->n; i++)
		if (is_group || mac_equal(stations->entries[i].mac, dst))
			framings |= framing_for(&stations->entries[i], framing, now);
	return framings ? framings : 1u << framing;
}

struct ipx_copies ipx_copies_of(const struct ipx_stations *stations,
				const struct weft_frame *frame, uint64_t now)
{
	struct ipx_copies copies = { .frame = frame, .framings = 1u << IPX_ETHERNET2 };
	if (!ipx_is_possible(frame) ||
	    ipx_frame_parse(frame->data, frame->len, &copies.place) < 0) {
		copies.place.framing = IPX_ETHERNET2;
		return copies;
	}
	copies.framings =
		framings_to(stations, mac_load(frame->data), copies.place.framing, now);
	return copies;
}

/* The Ethernet addresses stay, because that of a router is not the node's. */
static size_t translate(const struct ipx_copies *copies, enum ipx_framing framing,
			uint8_t buf[IPX_TRANSLATED_MAX])
{
	const struct ipx_place *place = &copies->place;
	const size_t hdr_len = ipx_frame_hdr_len(framing);
	if (hdr_len + place->hdr.len > IPX_TRANSLATED_MAX)
		return 0;
	ipx_frame_emit(buf, framing, &place->hdr);
	memcpy(buf, copies->frame->data, ETHER_OFF_TYPE);
	memcpy(buf + hdr_len, copies->frame->data + place->off, place->hdr.len);
	if (framing == IPX_8023)
		store_be16(buf + hdr_len + IPX_OFF_CHECKSUM, IPX_NO_CHECKSUM);
	return hdr_len + place->hdr.len;
}

bool ipx_copies_next(struct ipx_copies *copies, uint8_t buf[IPX_TRANSLATED_MAX],
		     struct weft_frame *ret_frame)
{
	for (unsigned i = 0; i < IPX_FRAMINGS; i++) {
		const enum ipx_framing framing = (enum ipx_framing)i;
		struct weft_frame copy = *copies->frame;
		if (!(copies->framings & 1u << i))
			continue;
		copies->framings &= ~(1u << i);
		if (framing != copies->place.framing)
			copy = (struct weft_frame){ .data = buf,
						    .len = (uint32_t)translate(
							    copies, framing, buf) };
		if (copy.len == 0)
			continue;
		*ret_frame = copy;
		return true;
	}
	return false;
}
