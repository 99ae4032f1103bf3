/* SPDX-License-Identifier: MIT */
/*
 * All stations are looked through when one may be due: a thousand at most, once a minute or
 * when somebody comes. In between a frame of a member costs one look into the table.
 */
#include "lan/refresh.h"

#include "base/mac.h"
#include "base/table.h"
#include "wire/arp.h"
#include "wire/ether.h"

#include <weft/loop.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RARP_TYPE       0x8035u
#define RARP_OP_REQUEST 3u /* "Who am I": RFC 903. */

struct station {
	uint64_t seen_ns; /* 0: not yet */
};

void refresh_init(struct refresh *refresh, const uint8_t secret[16])
{
	*refresh = (struct refresh){ .due_at = WEFT_NEVER };
	memcpy(refresh->secret, secret, sizeof(refresh->secret));
}

void refresh_fini(struct refresh *refresh)
{
	struct table_iter it;
	const void *key;
	void *station;
	if (!refresh->stations)
		return;
	table_iter_init(&it, refresh->stations);
	while (table_iter_next(&it, &key, &station))
		free(station);
	table_free(refresh->stations);
	refresh->stations = NULL;
	refresh->due_at = WEFT_NEVER;
}

static int make_table(struct refresh *refresh)
{
	return refresh->stations ? 0
				 : table_new(MAC_LEN, REFRESH_MAX, refresh->secret,
					     &refresh->stations);
}

int refresh_add(struct refresh *refresh, struct weft_mac mac, uint64_t now)
{
	int r = make_table(refresh);
	if (r < 0)
		return r;
	struct station *station = table_get(refresh->stations, mac.octet);
	if (!station) {
		station = calloc(1, sizeof(*station));
		r = station ? table_set(refresh->stations, mac.octet, station) : -ENOMEM;
		if (r < 0) {
			free(station);
			return r;
		}
	}
	station->seen_ns = 0;
	if (now < refresh->due_at)
		refresh->due_at = now;
	return 0;
}

void refresh_remove(struct refresh *refresh, struct weft_mac mac)
{
	if (refresh->stations)
		free(table_remove(refresh->stations, mac.octet));
}

void refresh_saw(struct refresh *refresh, struct weft_mac mac, uint64_t now)
{
	struct station *station =
		refresh->stations ? table_get(refresh->stations, mac.octet) : NULL;
	if (station)
		station->seen_ns = now;
}

static uint64_t due_of(const struct station *station)
{
	return station->seen_ns == 0 ? 0 : station->seen_ns + REFRESH_SILENT_NS;
}

/* True if one is due now; if not, due_at says when the first will be. */
static bool find_due(struct refresh *refresh, uint64_t now, struct weft_mac *ret_mac)
{
	struct table_iter it;
	const void *key;
	void *value;
	refresh->due_at = WEFT_NEVER;
	table_iter_init(&it, refresh->stations);
	while (table_iter_next(&it, &key, &value)) {
		struct station *station = value;
		const uint64_t due = due_of(station);
		if (due <= now) {
			station->seen_ns = now;
			*ret_mac = mac_load(key);
			return true;
		}
		if (due < refresh->due_at)
			refresh->due_at = due;
	}
	return false;
}

bool refresh_next(struct refresh *refresh, uint64_t now, struct weft_mac *ret_mac)
{
	if (now < refresh->due_at || !refresh->stations)
		return false;
	if (refresh->burst == REFRESH_BURST) {
		refresh->burst = 0;
		refresh->due_at = now + REFRESH_PAUSE_NS;
		return false;
	}
	if (!find_due(refresh, now, ret_mac)) {
		refresh->burst = 0;
		return false;
	}
	refresh->due_at = now; /* There may be more. */
	refresh->burst++;
	refresh->sent++;
	return true;
}

uint64_t refresh_deadline(const struct refresh *refresh)
{
	return refresh->due_at;
}

void refresh_frame(struct weft_mac mac, uint8_t ret_frame[REFRESH_FRAME_LEN])
{
	const struct ether_hdr head = { .dst = { { 255, 255, 255, 255, 255, 255 } },
					.src = mac,
					.type = RARP_TYPE };
	const struct arp_hdr body = { .op = RARP_OP_REQUEST,
				      .sender_mac = mac,
				      .target_mac = mac };
	memset(ret_frame, 0, REFRESH_FRAME_LEN);
	int off = ether_hdr_emit(ret_frame, ETHER_LEN, &head);
	int len = arp_hdr_emit(ret_frame + ETHER_LEN, ARP_LEN, &body);
	assert(off == (int)ETHER_LEN && len == (int)ARP_LEN);
	(void)off, (void)len;
}
