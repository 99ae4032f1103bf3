/* SPDX-License-Identifier: MIT */
/*
 * What all protocols have in common: who was added under which number, handing a packet to
 * one with its failure contained, and handing it to all of a number.
 *
 * A handler may add protocols while a packet is handed around, which may move the table. So
 * the walk holds no pointer into it, only the number and how many of it have had the packet;
 * new ones come behind those.
 */
#include "base/array.h"
#include "port/demux.h"
#include "port/port.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_FIRST 4u

const char *weft_layer_name(enum weft_layer layer)
{
	switch (layer) {
	case WEFT_LAYER_ETHERNET:
		return "Ethernet frames";
	case WEFT_LAYER_PACKET:
		return "packets";
	case WEFT_LAYER_TRANSPORT:
		return "what IP carries";
	case WEFT_LAYER_DATAGRAM:
		return "what UDP carries";
	default:
		return "nothing that is known";
	}
}

const char *weft_outcome_name(enum weft_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_OUTCOME_DELIVERED] = "delivered",
		[WEFT_OUTCOME_HELD] = "held",
		[WEFT_OUTCOME_DROP_SHORT] = "drop-short",
		[WEFT_OUTCOME_DROP_MALFORMED] = "drop-malformed",
		[WEFT_OUTCOME_DROP_CHECKSUM] = "drop-checksum",
		[WEFT_OUTCOME_DROP_CUT] = "drop-cut",
		[WEFT_OUTCOME_DROP_FRAGMENT] = "drop-fragment",
		[WEFT_OUTCOME_DROP_UNKNOWN] = "drop-unknown",
	};
	static_assert(ARRAY_LEN(names) == WEFT_OUTCOMES, "each outcome has a name");
	return outcome < WEFT_OUTCOMES ? names[outcome] : "unknown";
}

/* ---- the table --------------------------------------------------------------------------- */

void demux_init(struct demux *demux, const struct weft_protocol_kind *kind)
{
	*demux = (struct demux){
		.protocol = { .layer = kind->layer,
			      .name = kind->name,
			      .received = kind->received,
			      .kind = kind },
	};
}

void demux_fini(struct demux *demux)
{
	free(demux->entries);
}

int demux_new(const struct weft_protocol_kind *kind, struct weft_protocol **ret_protocol)
{
	struct demux *demux = malloc(sizeof(*demux));
	if (!demux)
		return -ENOMEM;
	demux_init(demux, kind);
	*ret_protocol = &demux->protocol;
	return 0;
}

void demux_free(struct weft_protocol *protocol)
{
	demux_fini(demux_of(protocol));
	free(demux_of(protocol));
}

/* The first entry whose number is not below the given one; n if there is none. */
static size_t lower_bound(const struct demux *demux, uint32_t number)
{
	size_t low = 0;
	size_t high = demux->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (demux->entries[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct demux *demux)
{
	if (demux->n < demux->room)
		return 0;
	size_t room = demux->room ? 2 * demux->room : ENTRIES_FIRST;
	struct demux_entry *entries = realloc(demux->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	demux->entries = entries;
	demux->room = room;
	return 0;
}

static int check_number(const struct weft_protocol_kind *kind, int64_t number,
			struct weft_error *err)
{
	if (number < 0)
		return weft_error_set(err, -EINVAL,
				      "%" PRId64 ": the %s must be positive or zero",
				      number, kind->number);
	if (number > kind->number_max)
		return weft_error_set(err, -ERANGE,
				      "%" PRId64 ": the %s must be at most %" PRId64,
				      number, kind->number, kind->number_max);
	if (number > 0 && number < kind->number_first)
		return weft_error_set(err, -EINVAL,
				      "%" PRId64 ": a number below %" PRId64
				      " is a length and no %s; "
				      "0 stands for all of them",
				      number, kind->number_first, kind->number);
	return 0;
}

int weft_protocol_add(struct weft_protocol *parent, int64_t number,
		      struct weft_protocol *child, struct weft_error *err)
{
	const struct weft_protocol_kind *kind = parent->kind;
	if (!kind)
		return weft_error_set(err, -EINVAL, "%s takes no other protocols",
				      parent->name);
	if (child->layer != kind->gives)
		return weft_error_set(
			err, -EINVAL,
			"%s takes %s, and cannot be added to %s, which gives "
			"%s",
			child->name, weft_layer_name(child->layer), parent->name,
			weft_layer_name(kind->gives));
	int r = check_number(kind, number, err);
	if (r < 0)
		return r;
	struct demux *demux = demux_of(parent);
	if (make_room(demux) < 0)
		return weft_error_set(err, -ENOMEM, "out of memory");
	size_t at = lower_bound(demux, (uint32_t)number + 1);
	struct demux_entry *entry = demux->entries + at;
	memmove(entry + 1, entry, (demux->n - at) * sizeof(*entry));
	*entry = (struct demux_entry){ .number = (uint16_t)number, .protocol = child };
	demux->n++;
	return 0;
}

void weft_protocol_free(struct weft_protocol *protocol)
{
	if (!protocol)
		return;
	assert(protocol->kind && !protocol->port);
	protocol->kind->free(protocol);
}

uint64_t weft_protocol_count(const struct weft_protocol *protocol,
			     enum weft_outcome outcome)
{
	assert(protocol->kind && outcome < WEFT_OUTCOMES);
	const struct demux *demux = (const struct demux *)(const void *)protocol;
	return demux->counts[outcome];
}

/* ---- handing on -------------------------------------------------------------------------- */

int weft_protocol_receive(struct weft_protocol *protocol,
			  const struct weft_packet *packet)
{
	int r = protocol->received(protocol, packet);
	if (r < 0 && packet->port)
		port_report(packet->port, protocol, "received", r);
	return r;
}

/* The i-th protocol that was added under the number, or NULL. */
static struct weft_protocol *find(const struct demux *demux, uint16_t number, size_t i)
{
	size_t at = lower_bound(demux, number) + i;
	if (at >= demux->n || demux->entries[at].number != number)
		return NULL;
	return demux->entries[at].protocol;
}

int demux_deliver(struct demux *demux, uint16_t number, const struct weft_packet *packet)
{
	struct weft_protocol *protocol = find(demux, number, 0);
	if (!protocol)
		return demux_drop(demux, WEFT_OUTCOME_DROP_UNKNOWN);
	demux->counts[WEFT_OUTCOME_DELIVERED]++;
	for (size_t i = 1; protocol; i++) {
		(void)weft_protocol_receive(protocol, packet);
		protocol = find(demux, number, i);
	}
	return 0;
}
