/* SPDX-License-Identifier: MIT */
/*
 * The cache is an array that is walked: sixty-four entries are looked through faster than a
 * modem's frame is unescaped.
 */
#include "serve/neighbour.h"

#include <weft/loop.h>

#include <stdlib.h>
#include <string.h>

static void drop_waiting(struct neighbours *ns, struct neighbour *nb)
{
	for (unsigned i = 0; i < nb->waiting_n; i++)
		free(nb->waiting[i].data);
	ns->dropped += nb->waiting_n;
	nb->waiting_n = 0;
}

static void forget(struct neighbours *ns, struct neighbour *nb)
{
	drop_waiting(ns, nb);
	nb->state = NEIGHBOUR_FREE;
}

void neighbours_clear(struct neighbours *ns)
{
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++)
		forget(ns, &ns->entries[i]);
}

static struct neighbour *find(struct neighbours *ns, uint32_t ip)
{
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		struct neighbour *nb = &ns->entries[i];
		if (nb->state != NEIGHBOUR_FREE && nb->ip == ip)
			return nb;
	}
	return NULL;
}

/* A free entry, or else the one that was used longest ago. */
static struct neighbour *make_room(struct neighbours *ns)
{
	struct neighbour *oldest = &ns->entries[0];
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		struct neighbour *nb = &ns->entries[i];
		if (nb->state == NEIGHBOUR_FREE)
			return nb;
		if (nb->used < oldest->used)
			oldest = nb;
	}
	forget(ns, oldest);
	return oldest;
}

static struct neighbour *add(struct neighbours *ns, uint32_t ip, uint64_t now)
{
	struct neighbour *nb = make_room(ns);
	*nb = (struct neighbour){ .state = NEIGHBOUR_ASKING, .ip = ip, .used = now };
	return nb;
}

static void ask(struct neighbours *ns, struct neighbour *nb, uint64_t now)
{
	nb->tries++;
	nb->due = now + NEIGHBOUR_RETRY_NS;
	ns->ask(ns->user, nb->ip, now);
}

/* RFC 1122, 2.3.2.2: the latest packet is to be kept, so the first that waited goes. */
static bool wait_for(struct neighbours *ns, struct neighbour *nb, const uint8_t *packet,
		     size_t len)
{
	uint8_t *copy = malloc(len);
	if (!copy) {
		ns->dropped++;
		return false;
	}
	if (nb->waiting_n == NEIGHBOUR_QUEUE_MAX) {
		free(nb->waiting[0].data);
		ns->dropped++;
		nb->waiting_n--;
		memmove(nb->waiting, nb->waiting + 1,
			nb->waiting_n * sizeof(nb->waiting[0]));
	}
	memcpy(copy, packet, len);
	nb->waiting[nb->waiting_n++] = (struct neighbour_packet){ copy, len };
	return true;
}

bool neighbours_send(struct neighbours *ns, uint32_t ip, const uint8_t *packet,
		     size_t len, uint64_t now)
{
	struct neighbour *nb = find(ns, ip);
	if (!nb) {
		nb = add(ns, ip, now);
		ask(ns, nb, now);
	}
	nb->used = now;
	if (nb->state == NEIGHBOUR_ASKING)
		return wait_for(ns, nb, packet, len);
	ns->emit(ns->user, nb->mac, packet, len, now);
	return true;
}

void neighbours_learn(struct neighbours *ns, uint32_t ip, struct weft_mac mac,
		      bool is_new, uint64_t now)
{
	struct neighbour *nb = find(ns, ip);
	if (!nb && is_new)
		nb = add(ns, ip, now);
	if (!nb)
		return;
	nb->state = NEIGHBOUR_KNOWN;
	nb->mac = mac;
	nb->due = now + NEIGHBOUR_LIFETIME_NS;
	for (unsigned i = 0; i < nb->waiting_n; i++) {
		ns->emit(ns->user, mac, nb->waiting[i].data, nb->waiting[i].len, now);
		free(nb->waiting[i].data);
	}
	nb->waiting_n = 0;
}

void neighbours_run(struct neighbours *ns, uint64_t now)
{
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		struct neighbour *nb = &ns->entries[i];
		if (nb->state == NEIGHBOUR_FREE || now < nb->due)
			continue;
		if (nb->state == NEIGHBOUR_ASKING && nb->tries < NEIGHBOUR_TRIES_MAX)
			ask(ns, nb, now);
		else
			forget(ns, nb);
	}
}

uint64_t neighbours_deadline(const struct neighbours *ns)
{
	uint64_t first = WEFT_NEVER;
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		const struct neighbour *nb = &ns->entries[i];
		if (nb->state != NEIGHBOUR_FREE && nb->due < first)
			first = nb->due;
	}
	return first;
}
