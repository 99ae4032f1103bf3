/* SPDX-License-Identifier: MIT */
/*
 * Fragments of IP packets, put together (RFC 791 3.2, RFC 8200 4.5) within limits.
 *
 *     offset   0        8        16       24       32       40
 *     blocks   | have   | have   | -      | -      | have |        end is known: the last
 *                                 ^ the fragment that is missing   fragment has come
 *
 * A map of blocks of 8 bytes says what is there. A fragment that says again what is there is
 * ignored; one that overlaps anything else ends its packet, over IPv6 by RFC 5722 and over
 * IPv4 because nothing honest sends it. What is left of such a packet keeps its place until
 * its time is over, so that the fragments which follow do not begin a new one.
 *
 * Time is looked at when fragments come: what waits costs nothing but its bounded memory.
 */
#ifndef PORT_REASSEMBLY_H
#define PORT_REASSEMBLY_H

#include "base/list.h"
#include "base/pool.h"

#include <weft/protocol.h>

#include <stddef.h>
#include <stdint.h>

/** Free bytes before the payload of a packet: as many as an IPv6 header has. */
#define REASSEMBLY_FRONT 40u

struct reassembly {
	struct list packets; /**< Oldest first. */
	struct pool pool;    /**< What they are made of; their number has a limit. */
	uint64_t timeout_ns;
	struct weft_reassembly_stats stats;
};

/** One fragment, borrowed. */
struct fragment {
	const struct weft_ip_header *header; /**< With id, offset and more_fragments. */
	/** Fragments of two ports never belong together. */
	const struct weft_port *port;
	const uint8_t *data; /**< What the offset counts from, on. */
	size_t len;
	uint8_t next; /**< What the whole begins with; of the first fragment it counts. */
	uint16_t hdr_len; /**< Of what stands before it in the whole packet, in bytes. */
};

/** A packet that is whole. */
struct whole {
	struct weft_ip_header header; /**< Of its first fragment. */
	uint8_t next;
	uint16_t hdr_len;
	uint8_t *data; /**< Behind REASSEMBLY_FRONT bytes. */
	size_t len;
	void *memory; /**< For free(3). */
};

void reassembly_init(struct reassembly *r, const struct weft_ip_opts *opts);
void reassembly_fini(struct reassembly *r);

/**
 * Takes a fragment. Returns 1 with the whole packet, which is then the caller's, once none is
 * missing; 0 if the fragment was kept or known already; -EBADMSG for one that cannot be,
 * -EEXIST for one of a packet that was given up, or is by this; -ENOMEM.
 */
int reassembly_add(struct reassembly *r, const struct fragment *f, uint64_t now,
		   struct whole *ret_whole) WEFT_MUST_CHECK;

#endif
