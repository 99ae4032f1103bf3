/* SPDX-License-Identifier: MIT */
/*
 * Two whole stacks and a link in memory between them, in virtual time.
 *
 *     [ 0: 10.1.0.1, 2001:db8::1 ] --- pair --- [ 1: 10.1.0.2, 2001:db8::2 ]
 */
#ifndef TESTS_STACK_TCP_NET_H
#define TESTS_STACK_TCP_NET_H

#include "../unit.h"

#include <weft/link.h>
#include <weft/stack.h>

#include <stdint.h>

#define MS(n) ((uint64_t)(n)*1000000u)
#define S(n)  ((uint64_t)(n)*1000000000u)

struct net {
	struct weft_link *link[2];
	struct weft_stack *stack[2];
	struct weft_iface *iface[2];
	uint64_t now;
	/** Called after whatever happens, with user. NULL: nobody. */
	void (*on_event)(void *user);
	void *user;
};

void net_init(struct net *n);
/* The same over links of the test's, which become the net's. */
void net_init_links(struct net *n, struct weft_link *a, struct weft_link *b);
void net_fini(struct net *n);

/** Runs what is due; then time moves to what is due next, at most until the given time. */
void net_run(struct net *n, uint64_t until);

/** "10.1.0.2:80" and the like; a port alone is any address. */
union weft_sockaddr addr(const char *text);

#endif
