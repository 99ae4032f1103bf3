/* SPDX-License-Identifier: MIT */
/*
 * What the programs on a stack have in common: `weft echo`, `weft nc`, `weft ping`, `weft http`.
 * Each is a host of its own on a link, without the kernel's TCP/IP.
 *
 *     --link SPEC --- weft_link --- weft_iface --- weft_stack --- the program's sockets
 *                         |            '-- --address IP/LEN or dhcp, --gateway, --mac, --mtu
 *                         '-- --trace: every frame, decoded
 *
 * A program puts struct onlink_args into its own, ONLINK_OPTIONS into its table, and runs so:
 *
 *     struct onlink on = { 0 };
 *     int status = onlink_start(&on, &command, &args.on, &args.output);
 *     if (status == STATUS_OK)
 *             status = onlink_run(&on, begin, me);       until onlink_stop or a signal
 *     onlink_end(&on);
 *
 * begin is called from the loop once the addresses can be used: an IPv6 address is not until
 * nobody has claimed it for a second, one by DHCP not until a server has given it. Where none is
 * asked for, it is waited some seconds for a router's word. A server, which can wait for its
 * addresses with its sockets open, needs no begin: NULL.
 */
#ifndef CMD_ONLINK_H
#define CMD_ONLINK_H

#include "cli/options.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/trace.h"
#include "cmd/naming.h"
#include "cmd/network_host.h"

#include <weft/addr.h>
#include <weft/dhcpc.h>
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/resolver.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stdint.h>

/** What the command line says about the host. */
struct onlink_args {
	char *link;
	const char *name;
	struct option_list addresses;
	const char *gateway;
	struct option_list dns;
	struct weft_mac mac;
	uint32_t mtu;
	bool trace;
};

/* clang-format off */
/** The rows for these options, for the table of a struct with the member on. */
#define ONLINK_OPTIONS(args)                                              \
	{ .name = "link",                                                 \
	  .type = OPTION_LINK,                                            \
	  .syntax = "LINK",                                               \
	  .offset = OFFSET(args, on.link),                                \
	  .help = "the link to be a host on, or weft://... or\n"          \
		  OPTION_INDENT "tunnel:CONFIG: a room, a tunnel; needed" },       \
	{ .name = "name",                                                 \
	  .type = OPTION_NAME,                                            \
	  .syntax = "NAME",                                               \
	  .offset = OFFSET(args, on.name),                                \
	  .help = "what others in a room see [this machine's name]" },    \
	{ .name = "address",                                              \
	  .letter = 'a',                                                  \
	  .type = OPTION_LIST,                                            \
	  .syntax = "dhcp|IP/LEN",                                        \
	  .offset = OFFSET(args, on.addresses),                           \
	  .help = "its address and network, or as a DHCP server\n"        \
		  OPTION_INDENT                                            \
		  "says; may be given again [as routers say]" },          \
	{ .name = "gateway",                                              \
	  .letter = 'g',                                                  \
	  .type = OPTION_TEXT,                                            \
	  .syntax = "IP",                                                 \
	  .offset = OFFSET(args, on.gateway),                             \
	  .help = "the router to all other networks" },                   \
	{ .name = "dns",                                                  \
	  .type = OPTION_LIST,                                            \
	  .syntax = "IP",                                                 \
	  .offset = OFFSET(args, on.dns),                                 \
	  .help = "asks this name server [as the network says]" },        \
	{ .name = "mac",                                                  \
	  .type = OPTION_MAC,                                             \
	  .syntax = "MAC",                                                \
	  .offset = OFFSET(args, on.mac),                                 \
	  .help = "its Ethernet address [one of its own]" },              \
	{ .name = "mtu",                                                  \
	  .type = OPTION_NUMBER,                                          \
	  .syntax = "N",                                                  \
	  .offset = OFFSET(args, on.mtu),                                 \
	  .min = 1280,                                                    \
	  .max = 65535,                                                   \
	  .help = "longest IP packet in bytes [the link's, 1500]" },      \
	{ .name = "trace",                                                \
	  .type = OPTION_FLAG,                                            \
	  .offset = OFFSET(args, on.trace),                               \
	  .help = "log every frame, header by header" }

/** The row for the host's own port, for the table of a struct with the member port. */
#define ONLINK_PORT(args, text)                                           \
	{ .name = "port",                                                 \
	  .letter = 'p',                                                  \
	  .type = OPTION_NUMBER,                                          \
	  .syntax = "N",                                                  \
	  .offset = OFFSET(args, port),                                   \
	  .max = 65535,                                                   \
	  .help = text }
/* clang-format on */

/**
 * A host on a link, or in a network that is entered first. The program reads what it needs;
 * onlink.c alone writes.
 */
struct onlink {
	const struct command *command;
	const struct onlink_args *args;
	struct output out;
	struct weft_loop *loop;
	struct weft_link *link;
	struct network network; /**< That the link is of; its link is NULL for none. */
	struct network_host host;
	struct weft_stack *stack;
	struct weft_iface *iface;
	struct trace trace;
	struct onlink_acd *acds;  /**< Of its IPv4 addresses: cmd/onlink_acd.h. */
	struct weft_dhcpc *dhcpc; /**< NULL unless an address is to come from there. */
	struct weft_ip leased;    /**< Family 0 for none. */
	struct weft_ip router;    /**< That came with it; family 0 for none. */
	struct weft_resolver *resolver;
	struct naming naming;
	uint64_t patience_until;     /**< What routers may still say is waited for. */
	const char *sought;          /**< Its name. */
	char unscoped[WEFT_IP_TEXT]; /**< Of "fe80::1%tap0", what is sought. */
	bool is_seeking;             /**< It waits for somebody to be asked. */
	void (*found)(void *user, const struct weft_ip *ip, uint64_t now);
	struct ticker watch; /**< Looks for the addresses, then for the link's end. */
	bool has_begun, has_told;
	void (*begin)(void *user, uint64_t now);
	void *user;
	int status;
};

/**
 * Opens the link, makes the host, gives up privileges. Returns STATUS_OK, or what the program
 * ends with: then the reason has been said. In both cases onlink_end follows.
 */
int onlink_start(struct onlink *on, const struct command *command,
		 const struct onlink_args *args, const struct output_opts *output)
	__attribute__((warn_unused_result));

/** Runs, and returns the exit status that onlink_stop has set, or STATUS_OK after a signal. */
int onlink_run(struct onlink *on, void (*begin)(void *user, uint64_t now), void *user)
	__attribute__((warn_unused_result));

/**
 * Finds the address of a host that is named, by the network's name servers, which may still have
 * to be heard of, and calls found with begin's user; one that has none ends onlink_run. One at a
 * time; name must stay as it is.
 */
void onlink_find(struct onlink *on, const char *name,
		 void (*found)(void *user, const struct weft_ip *ip, uint64_t now));

/** What people call the link. */
const char *onlink_title(const struct onlink *on);

/** Ends onlink_run, once what has been sent by now is on the link. */
void onlink_stop(struct onlink *on, int status);

/** Says "weft VERB: text" and ends onlink_run with STATUS_FAILED. */
void onlink_fail(struct onlink *on, const char *text);

/** Gives a lease back and frees everything, sockets included. */
void onlink_end(struct onlink *on);

#endif
