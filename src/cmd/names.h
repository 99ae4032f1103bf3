/* SPDX-License-Identifier: MIT */
/*
 * What a network says about names: its name servers, its domains, and who knows the names of a
 * room's members. Used by hosts that have no other network, and by those alone: a machine's own
 * names must not come out of a room.
 */
#ifndef CMD_NAMES_H
#define CMD_NAMES_H

#include "cli/options.h"

#include <weft/addr.h>
#include <weft/dhcpc.h>
#include <weft/error.h>
#include <weft/lan.h>
#include <weft/resolver.h>
#include <weft/stack.h>

#define NAMES_SERVERS_MAX WEFT_DNS_SERVERS_MAX
#define NAMES_DOMAINS_MAX WEFT_DNS_SEARCH_MAX

/** Zero: nothing is known. */
struct names {
	struct weft_ip servers[NAMES_SERVERS_MAX];
	unsigned servers_n;
	char domains[NAMES_DOMAINS_MAX][WEFT_DNS_DOMAIN_TEXT]; /**< To search. */
	unsigned domains_n;
	struct weft_ip room_server; /**< For room_domain alone; family 0: none. */
	char room_domain[WEFT_DHCPC_DOMAIN_MAX + 1];
};

/** Those of a lease. */
struct names names_of_lease(const struct weft_dhcpc_lease *lease);

/** Adds what else the network says, behind what is there and as far as there is room. */
void names_add(struct names *names, const struct weft_dns *dns);

/** Those of a room that has offered an address. */
struct names names_of_room(const struct weft_joined *joined, const char *room);

/**
 * Takes the servers that a person has given in place of the network's. Returns 0, or -EINVAL
 * with err for what is no address, or too many.
 */
int names_give(struct names *names, const struct option_list *given,
	       struct weft_error *err) __attribute__((warn_unused_result));

bool names_equal(const struct names *a, const struct names *b);

/** Has a resolver ask these servers, and no others. */
void names_use(const struct names *names, struct weft_resolver *resolver);

/** Makes the text of a resolv.conf(5), at most len bytes with its NUL. Returns buf. */
const char *names_print(const struct names *names, char *buf, size_t len);

#endif
