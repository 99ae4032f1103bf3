/* SPDX-License-Identifier: MIT */
/*
 * The forwarding database (802.1Q 8.8): behind which port an address was last seen.
 *
 * An entry is learned or bound. A learned one moves when its address shows up behind another
 * port and is forgotten when that has not been heard for the ageing time; a bound one (802.1Q
 * calls it static) does neither. One database serves all VLANs: the key is the address alone
 * (shared VLAN learning, 802.1Q 8.8.8).
 *
 * Ageing is exact and lazy. Being heard only stores the time in the entry; the heap holds the
 * moment when the entry has to be looked at, which is never after it expires:
 *
 *     learned          heard                        looked at: heard since,   looked at: forget
 *        |---------------|-------- ageing time --------| put back      |          |
 *        |----------- ageing time ---------------------|-- ageing, since heard ---|
 *
 * So an address that talks costs one heap operation per ageing time and not one per frame.
 *
 * Whatever changes where a frame goes also changes the generation, so that answers may be
 * cached until it does.
 */
#ifndef BRIDGE_FDB_H
#define BRIDGE_FDB_H

#include "base/heap.h"
#include "base/list.h"
#include "base/table.h"

#include <weft/addr.h>
#include <weft/bridge.h>

#include <stdbool.h>
#include <stdint.h>

/** What the database keeps of a port. Embedded in the port that it belongs to. */
struct fdb_port {
	struct list entries;
	uint32_t learned;
	uint32_t learned_max; /**< 0 for no limit of its own. */
};

struct fdb_entry {
	struct heap_node look; /**< When to look whether it has expired; learned only. */
	struct list of_port;   /**< On its port's list. */
	struct fdb_port *port;
	uint64_t seen_ns; /**< When the address was last heard. */
	struct weft_mac mac;
	bool bound;
};

struct fdb {
	struct table *entries;
	struct heap looks;
	uint64_t ageing_ns;
	uint64_t generation;  /**< Grows with each change; never 0. */
	uint32_t entries_max; /**< Of learned ones, and as many again of bound ones. */
	struct weft_bridge_fdb_stats stats;
};

/** Begins an empty database with the limits of opts, whose zeros are filled in. 0 or -ENOMEM. */
int fdb_init(struct fdb *fdb, const struct weft_bridge_opts *opts) WEFT_MUST_CHECK;

/** Frees all entries. Their ports are not touched and may be gone. */
void fdb_fini(struct fdb *fdb);

/** Begins a port with no addresses behind it. */
void fdb_port_init(struct fdb_port *port, uint32_t learned_max);

/** Forgets every address behind the port, learned or bound. */
void fdb_port_fini(struct fdb *fdb, struct fdb_port *port);

/** The entry of an address, or NULL. */
struct fdb_entry *fdb_lookup(const struct fdb *fdb, struct weft_mac mac);

/**
 * Notes that a unicast address was heard behind a port: makes, moves or refreshes its entry,
 * which is returned. NULL where a limit forbids it (counted as refused); an address that
 * would have moved then stays where it was. The address is not bound to another port.
 */
struct fdb_entry *fdb_learn(struct fdb *fdb, struct weft_mac mac, struct fdb_port *port,
			    uint64_t now);

/**
 * Binds a unicast address to a port, also one that was learned anywhere. Returns 0, -EEXIST
 * when bound to another port, -ENOSPC, -ENOMEM.
 */
int fdb_bind(struct fdb *fdb, struct weft_mac mac, struct fdb_port *port) WEFT_MUST_CHECK;

/** Forgets an address if it is bound. */
void fdb_unbind(struct fdb *fdb, struct weft_mac mac);

/** Forgets what has expired, looking at no more than looks_max entries. */
void fdb_age(struct fdb *fdb, uint64_t now, unsigned looks_max);

/** When fdb_age is to be called next; WEFT_NEVER without learned entries. */
uint64_t fdb_deadline(const struct fdb *fdb);

#endif
