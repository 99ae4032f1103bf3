/* SPDX-License-Identifier: MIT */
/*
 * The common part of the protocols that are weft's own: which protocols were added under
 * which number, and how each packet ended.
 *
 *     entries   | 0x0800 ip | 0x0800 log | 0x0806 arp | ...     by number, then as added
 *
 * A protocol of weft's begins with a struct demux. Its received parses its header and hands
 * on with demux_deliver, or counts what was wrong with demux_drop.
 */
#ifndef PORT_DEMUX_H
#define PORT_DEMUX_H

#include <weft/protocol.h>

#include <stddef.h>
#include <stdint.h>

/** What is the same for all protocols of one make. */
struct weft_protocol_kind {
	const char *name;
	const char *number; /**< What its numbers are: "EtherType". */
	int64_t number_max;
	int64_t number_first;  /**< 0, or the least that is one; 0 itself is taken too. */
	enum weft_layer layer; /**< What it takes. */
	enum weft_layer gives; /**< What those take that are added. */
	int (*received)(struct weft_protocol *protocol, const struct weft_packet *packet);
	void (*free)(struct weft_protocol *protocol);
};

struct demux_entry {
	uint16_t number;
	struct weft_protocol *protocol;
};

struct demux {
	struct weft_protocol protocol; /**< First, so that a pointer to it leads here. */
	struct demux_entry *entries;
	size_t n, room;
	uint64_t counts[WEFT_OUTCOMES];
};

/** Fills in an empty one. */
void demux_init(struct demux *demux, const struct weft_protocol_kind *kind);

/** Frees the table; not demux itself, nor what was added. */
void demux_fini(struct demux *demux);

/** Makes a protocol that is no more than its demux. Returns 0 or -ENOMEM. */
int demux_new(const struct weft_protocol_kind *kind,
	      struct weft_protocol **ret_protocol) WEFT_MUST_CHECK;

/** Frees what demux_new made. */
void demux_free(struct weft_protocol *protocol);

/** From the protocol to the demux that it is part of. */
static inline struct demux *demux_of(struct weft_protocol *protocol)
{
	return (struct demux *)(void *)protocol;
}

/** Hands the packet to all that were added under the number, and counts. Returns 0. */
int demux_deliver(struct demux *demux, uint16_t number, const struct weft_packet *packet);

/** Counts a packet that ends here. Returns 0, as a handler that has done its part. */
static inline int demux_drop(struct demux *demux, enum weft_outcome outcome)
{
	demux->counts[outcome]++;
	return 0;
}

#endif
