/* SPDX-License-Identifier: MIT */
/*
 * The inside of a resolver, for the files that together make it: names and domains
 * (resolver.c), one question and its servers (ask.c), and what is kept (name_cache.c).
 *
 *     lookup of "alice" --- candidate alice.friday.weft --- ask A    --- server 1, 2, 1, 2
 *                       |                               '-- ask AAAA --- server 1, 2, 1, 2
 *                       '-- candidate alice ...
 *
 * Whatever comes from the network only notes what has come and makes the resolver due: lookups
 * go on, and those who wait for them are called, from its run alone.
 */
#ifndef SERVICE_RESOLVER_H
#define SERVICE_RESOLVER_H

#include "base/hash.h"
#include "base/list.h"
#include "wire/dns.h"

#include <weft/resolver.h>
#include <weft/tcp.h>
#include <weft/udp.h>

#include <stdbool.h>
#include <stdint.h>

/** What is known about a question: addresses, or an error of weft_resolver_found. */
struct name_facts {
	int error;
	unsigned n;
	struct weft_ip addresses[DNS_ADDRESSES_MAX];
};

struct name_server {
	union weft_sockaddr addr;
	struct dns_name domain; /**< len 0: for all names. */
};

struct weft_resolver {
	struct weft_resolver_opts opts;
	struct weft_task task;
	uint8_t secret[HASH_SECRET_LEN];
	uint64_t ids; /**< That have been made. */
	struct name_server servers[WEFT_RESOLVER_SERVERS_MAX];
	unsigned servers_n;
	unsigned first; /**< The server that answered last: asked first. */
	struct dns_name search[WEFT_RESOLVER_SEARCH_MAX];
	unsigned search_n;
	struct list lookups;
	uint32_t lookups_n;
	struct list cache; /**< The one used last stands first. */
	uint32_t cache_n;
	uint64_t counts[WEFT_RESOLVER_OUTCOMES];
};

static inline void resolver_count(struct weft_resolver *r,
				  enum weft_resolver_outcome outcome)
{
	r->counts[outcome]++;
}

/* ---- one question ------------------------------------------------------------------------ */

/** A message by TCP: its length in two bytes, then itself. */
struct ask_stream {
	struct weft_tcp *tcp;
	uint8_t head[2];
	uint8_t *data; /**< NULL while the length is not whole. */
	size_t len, got;
};

struct ask {
	struct weft_resolver *resolver;
	struct dns_question question; /**< As it is asked now: behind aliases. */
	struct dns_name name;         /**< As it was asked first. */
	struct weft_udp *udp;
	struct ask_stream stream;
	union weft_sockaddr server; /**< Who is asked. */
	unsigned server_index;
	uint16_t id;
	bool has_edns, wants_tcp, is_done;
	unsigned attempts, aliases_n;
	uint64_t due;            /**< When ask_run has something to do. */
	struct name_facts facts; /**< Once it is done. */
};

/** Begins to ask for addresses (DNS_A or DNS_AAAA) of a name. */
void ask_begin(struct ask *ask, struct weft_resolver *resolver,
	       const struct dns_name *name, uint16_t type, uint64_t now);

/** Makes one that has nothing to ask: done, and without addresses. */
void ask_nothing(struct ask *ask);

/** Does what is due: asks the next server, or gives up. */
void ask_run(struct ask *ask, uint64_t now);

/** Closes what is open. Not from a callback of the stack. */
void ask_end(struct ask *ask, uint64_t now);

/* ---- what is kept ------------------------------------------------------------------------ */

/** What is known; false for nothing, or no more. */
bool name_cache_get(struct weft_resolver *r, const struct dns_name *name, uint16_t type,
		    uint64_t now, struct name_facts *ret_facts);

/** Keeps an answer for ttl_s, within limits, in place of the one not used for longest. */
void name_cache_put(struct weft_resolver *r, const struct dns_name *name, uint16_t type,
		    const struct name_facts *facts, uint32_t ttl_s, uint64_t now);

void name_cache_clear(struct weft_resolver *r);

#endif
