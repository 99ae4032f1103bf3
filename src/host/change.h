/* SPDX-License-Identifier: MIT */
/*
 * One change of the machine as a value: what the journal writes down before it is made,
 * what the kernel is asked for, and what is taken back at the end.
 *
 * Address, route, rule and refusal are *things*: there or not there. MTU, MAC, up and the
 * bridge that it is a port of are *settings*: they hold the value before and the value after,
 * so that undoing is setting the former one. An interface is meant by index and name
 * together, because either alone may by then belong to another device.
 */
#ifndef HOST_CHANGE_H
#define HOST_CHANGE_H

#include "base/fmt.h"

#include <weft/host.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum change_kind {
	CHANGE_ADDRESS,
	CHANGE_MTU,
	CHANGE_MAC,
	CHANGE_UP,
	CHANGE_BRIDGE,
	CHANGE_ROUTE,
	CHANGE_RULE,
	CHANGE_REFUSAL, /**< Of default routes by router advertisements; has no facts. */
	CHANGE_KINDS
};

struct change {
	enum change_kind kind;
	/** 0 for a rule, and for a route whose interface is not named. */
	uint32_t ifindex;
	char ifname[16];    /**< Empty where ifindex is 0. */
	bool without_route; /**< Of an address: no route to its network. Not on record. */
	union {
		struct weft_ip address;
		struct {
			uint32_t before, after;
		} mtu;
		struct {
			struct weft_mac before, after;
		} mac;
		struct {
			bool before, after;
		} up;
		struct {
			uint32_t before, after; /**< Interface indexes; 0 for none. */
			char name[16];          /**< Of after. */
		} bridge;
		struct weft_route route; /**< Its ifname is not used. */
		struct weft_rule rule;
	};
};

/** Longest line that change_emit writes, in bytes. */
#define CHANGE_LINE_MAX 400u

/**
 * Writes the change as one line of JSON without newline or NUL.
 * Returns its length in bytes, -EMSGSIZE where it would be longer than len, or -ENOMEM (also
 * for an interface name that JSON cannot hold because it is not UTF-8).
 */
int change_emit(const struct change *change, char *ret_line, size_t len) WEFT_MUST_CHECK;

/**
 * Reads what change_emit wrote. Returns 0, or -EBADMSG for anything else; the line may hold
 * any bytes.
 */
int change_parse(const char *line, size_t len, struct change *ret_change) WEFT_MUST_CHECK;

/**
 * Whether both are the same address, route or rule, or both a place on a bridge. Of an interface
 * the name counts: who asks does not know the index.
 */
bool change_is_same_thing(const struct change *a, const struct change *b);

/** Appends the change for people: "address 192.0.2.1/24 on weft0", "MTU 1400 of weft0". */
void change_print(const struct change *change, struct fmt *f);

#endif
