/* SPDX-License-Identifier: MIT */
/*
 * A list, searched from its start: news are rare, and rooms are small.
 */
#include "lan/roster.h"

#include "base/mac.h"

#include <errno.h>
#include <stdlib.h>

void roster_init(struct roster *roster)
{
	*roster = (struct roster){ .n = 0 };
	list_init(&roster->entries);
}

static void entry_free(struct roster *roster, struct roster_entry *entry)
{
	list_remove(&entry->node);
	roster->n--;
	roster->gateways_n -= entry->peer.role == WEFT_ROLE_GATEWAY;
	free(entry);
}

void roster_fini(struct roster *roster)
{
	list_for_each (node, &roster->entries)
		entry_free(roster, container_of(node, struct roster_entry, node));
	roster_init(roster);
}

static struct roster_entry *find(const struct roster *roster, uint16_t id)
{
	list_for_each (node, &roster->entries) {
		struct roster_entry *entry =
			container_of(node, struct roster_entry, node);
		if (entry->peer.id == id)
			return entry;
	}
	return NULL;
}

int roster_add(struct roster *roster, const struct weft_peer *peer)
{
	if (find(roster, peer->id))
		return -EPROTO;
	if (roster->n >= ROSTER_MAX)
		return -ENOSPC;
	struct roster_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->peer = *peer;
	list_push_back(&roster->entries, &entry->node);
	roster->n++;
	roster->gateways_n += peer->role == WEFT_ROLE_GATEWAY;
	return 0;
}

bool roster_remove(struct roster *roster, uint16_t id, struct roster_entry *ret_entry)
{
	struct roster_entry *entry = find(roster, id);
	if (!entry)
		return false;
	*ret_entry = *entry;
	entry_free(roster, entry);
	return true;
}

static size_t find_claim(const struct roster_entry *entry, struct weft_mac mac)
{
	size_t i = 0;
	while (i < entry->claims_n && !mac_equal(entry->claims[i], mac))
		i++;
	return i;
}

/* A gateway has none of its own, and none is nobody's. */
const struct weft_peer *roster_find_mac(const struct roster *roster, struct weft_mac mac)
{
	if (mac_is_zero(mac))
		return NULL;
	list_for_each (node, &roster->entries) {
		const struct roster_entry *entry =
			container_of(node, struct roster_entry, node);
		if (mac_equal(entry->peer.mac, mac) ||
		    find_claim(entry, mac) < entry->claims_n)
			return &entry->peer;
	}
	return NULL;
}

bool roster_claim(struct roster *roster, uint16_t id, struct weft_mac mac)
{
	struct roster_entry *entry = find(roster, id);
	if (!entry)
		return false;
	size_t i = find_claim(entry, mac);
	if (i == LAN_CLAIMS_MAX)
		return false;
	entry->claims[i] = mac;
	if (i == entry->claims_n)
		entry->claims_n++;
	return true;
}

bool roster_release(struct roster *roster, uint16_t id, struct weft_mac mac)
{
	struct roster_entry *entry = find(roster, id);
	size_t i = entry ? find_claim(entry, mac) : 0;
	if (!entry || i == entry->claims_n)
		return false;
	entry->claims[i] = entry->claims[--entry->claims_n];
	return true;
}
