/* SPDX-License-Identifier: MIT */
/*
 * A host of its own in this process, in a room (`weft join --user`) or at the end of a tunnel
 * (`weft tunnel --user`). Nothing of this machine's network is touched, so it needs no rights at
 * all. Programs get there, and are reached, by sockets of this machine:
 *
 *     program --- SOCKS, --forward, --expose --- stack --- pair in memory --- member --- relay
 *                                                                        '--- tunnel --- server
 */
#ifndef CMD_ROOTLESS_H
#define CMD_ROOTLESS_H

#include "cli/options.h"
#include "cli/output.h"
#include "cmd/names.h"
#include "cmd/naming.h"

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/forward.h>
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/resolver.h>
#include <weft/stack.h>

#include <stdbool.h>

/** What is to be had of the command line; each may be zero. */
struct rootless_args {
	bool is_user;
	const char *socks;      /**< "1080", "127.0.0.1:1080" */
	const char *socks_user; /**< A file with one line, NAME:PASSWORD. */
	struct option_list forwards, exposes;
	struct option_list dns; /**< Name servers, in place of the network's. */
};

/* clang-format off */
/** The rows for these options, for the table of a struct with the member rootless. */
#define ROOTLESS_OPTIONS(args)                                            \
	{ .name = "user",                                                 \
	  .type = OPTION_FLAG,                                            \
	  .offset = OFFSET(args, rootless.is_user),                       \
	  .help = "a host in this process takes part: no root; with" },   \
	{ .name = "socks",                                                \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "[ADDR:]PORT",                                        \
	  .offset = OFFSET(args, rootless.socks),                         \
	  .help = "a SOCKS5 proxy of this machine into it," },            \
	{ .name = "socks-user",                                           \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "FILE",                                               \
	  .offset = OFFSET(args, rootless.socks_user),                    \
	  .help = "for those who know its line NAME:PASSWORD," },         \
	{ .name = "forward",                                              \
	  .type = OPTION_LIST,                                            \
	  .syntax = "HERE=FAR",                                         \
	  .offset = OFFSET(args, rootless.forwards),                      \
	  .help = "such as tcp:8080=10.0.0.5:80, a port of this machine" }, \
	{ .name = "expose",                                               \
	  .type = OPTION_LIST,                                            \
	  .syntax = "FAR=HERE",                                         \
	  .offset = OFFSET(args, rootless.exposes),                       \
	  .help = "such as udp:27015=127.0.0.1:27015, a port in there" }, \
	{ .name = "dns",                                                  \
	  .type = OPTION_LIST,                                            \
	  .syntax = "IP",                                                 \
	  .offset = OFFSET(args, rootless.dns),                           \
	  .help = "with --user: asks this name server [the network's]" }
/* clang-format on */

struct rootless {
	const struct output *output;
	bool is_ip; /* its network is one of IP packets, without Ethernet */
	struct weft_loop *loop;
	struct weft_link *inside; /* of the pair */
	struct weft_stack *stack;
	struct weft_iface *iface; /* NULL before the network's MTU is known */
	struct weft_resolver *resolver;
	struct naming naming;
	struct weft_forwarder *forwarder;
	struct weft_ip gateway; /* family 0: none */
};

/** What of the options cannot be had together, for options_fail; NULL for nothing. */
const char *rootless_contradiction(const struct rootless_args *args);

/**
 * Makes the host, and listens for programs; output and is_ip are set. ret_link is the network's
 * end, which is the caller's. Returns 0, or -Exxx with err (-EINVAL: the command line is wrong);
 * also then, rootless_close is to be called.
 */
int rootless_open(struct rootless *rootless, const struct rootless_args *args,
		  struct weft_loop *loop, struct weft_error *err,
		  struct weft_link **ret_link) WEFT_MUST_CHECK;

/**
 * The network is there: the host gets its interface, the first time. In one of IP packets it
 * sends there whatever it sends; mac has no meaning then.
 */
void rootless_joined(struct rootless *rootless, struct weft_mac mac, unsigned mtu);

/**
 * Gives it an address (flags: WEFT_ADDRESS_*), and the network's router, which may be NULL.
 * Returns 0 or -Exxx.
 */
int rootless_add_address(struct rootless *rootless, const struct weft_ip *address,
			 unsigned flags, const struct weft_ip *router) WEFT_MUST_CHECK;

void rootless_remove_address(struct rootless *rootless, const struct weft_ip *address);

/** Has names looked up as the network says, or as the command line does. */
void rootless_use_names(struct rootless *rootless, const struct names *names);

/** Ends all connections; what says so to the others is sent in the loop's next turn. */
void rootless_end(struct rootless *rootless);

/** Frees; no-op for what is zero. */
void rootless_close(struct rootless *rootless);

#endif
