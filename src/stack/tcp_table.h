/* SPDX-License-Identifier: MIT */
/*
 * Who a segment belongs to. Three kinds of things own a flow (the four numbers that name a
 * connection), and they stand in one table, so that a segment is looked up once:
 *
 *      connection      the whole protocol                        tcp_conn.h, some 500 bytes
 *      SYN entry       SYN-RECEIVED of a passive open            tcp_syn.h, some 100 bytes
 *      TIME-WAIT       after an orderly end                      tcp_timewait.h, likewise
 *
 * The hash is keyed (SipHash), so that nobody outside can choose ports that collide. Chains are
 * linked through the entries themselves: a slot costs one pointer, and nothing is allocated
 * when an entry comes. The table doubles when there are as many entries as slots.
 *
 * Who was found last is asked first: segments come in trains.
 */
#ifndef STACK_TCP_TABLE_H
#define STACK_TCP_TABLE_H

#include "base/hash.h"
#include "stack/tcp_seam.h"

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

enum tcp_kind { TCP_KIND_CONN = 1, TCP_KIND_SYN, TCP_KIND_TIME_WAIT };

/** Embedded in each entry. */
struct tcp_node {
	struct tcp_node *next; /**< In the slot's chain. */
	uint32_t hash;
	uint8_t kind; /**< enum tcp_kind; 0 while it is not in the table. */
	struct tcp_flow flow;
};

struct tcp_table {
	struct tcp_node **slots;
	size_t slots_n; /**< A power of two. */
	size_t count;
	struct tcp_node *last; /**< Found last, and still in the table; or NULL. */
	uint8_t secret[HASH_SECRET_LEN];
};

/** Makes an empty table. Returns 0 or -ENOMEM. */
int tcp_table_init(struct tcp_table *t,
		   const uint8_t secret[HASH_SECRET_LEN]) WEFT_MUST_CHECK;

/** Frees the table, not its entries. */
void tcp_table_fini(struct tcp_table *t);

/** The entry that owns the flow, or NULL. */
struct tcp_node *tcp_table_find(struct tcp_table *t, const struct tcp_flow *flow);

/** Puts in an entry whose flow is set and is not in the table. */
void tcp_table_add(struct tcp_table *t, struct tcp_node *node, enum tcp_kind kind);

/** Takes an entry out; harmless if it is not in. */
void tcp_table_remove(struct tcp_table *t, struct tcp_node *node);

#endif
