/* SPDX-License-Identifier: MIT */
/*
 * What was said of the rules of a relay's rooms, and of whom:
 *
 *     RULE=VALUE                 of every room
 *     ROOM:RULE=VALUE            of one
 *     ROOM/MEMBER:RULE=VALUE     of one member in it, by its name, its MAC, or the key of the
 *                                pass that it came with
 *
 * Each lies on top of those before it in this order, and of members what is harder to borrow on
 * top: a name is what a member calls itself, a MAC is free to anyone while its owner is away, a
 * pass has to be proved. It says nothing of who is there: rooms and members are looked up when
 * they come.
 */
#ifndef LAN_RULEBOOK_H
#define LAN_RULEBOOK_H

#include "base/list.h"
#include "lan/proof.h"
#include "lan/rules.h"

#include <weft/addr.h>
#include <weft/lan.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** Rooms and members that something was said of. */
#define RULEBOOK_MAX 1024u

/** Whom rules are of, from below to the top. */
enum rule_reach { REACH_ALL, REACH_ROOM, REACH_NAME, REACH_MAC, REACH_PASS, REACHES };

/** Of whom; what reach does not need is zero. */
struct rule_scope {
	enum rule_reach reach;
	char room[WEFT_ROOM_NAME_MAX + 1];
	char name[WEFT_MEMBER_NAME_MAX + 1];
	struct weft_mac mac;
	uint8_t pass_key[PROOF_KEY_LEN];
};

/** A line of the book, as it was read. */
struct rule_line {
	struct rule_scope scope;
	enum rule rule;
	struct rule_value value;
	bool said; /**< Not "default". */
};

struct rulebook {
	struct list pages;
	unsigned pages_n;
};

/** Whose rules are asked for. */
struct rule_subject {
	const char *room;
	const struct weft_peer *peer; /**< NULL: the room's own. */
	const uint8_t *pass_key;      /**< NULL for none. */
};

/** Begins with no rules. */
void rulebook_init(struct rulebook *book);

void rulebook_fini(struct rulebook *book);

/** Reads "[ROOM[/MEMBER]:]RULE=VALUE". Returns 0, or -EINVAL with err. */
int rule_line_parse(const char *text, struct rule_line *ret_line,
		    struct weft_error *err) WEFT_MUST_CHECK;

/**
 * Takes a line; keep: it is one of those that rulebook_save writes. Returns 0, -ENOSPC beyond
 * RULEBOOK_MAX or -ENOMEM.
 */
int rulebook_take(struct rulebook *book, const struct rule_line *line,
		  bool keep) WEFT_MUST_CHECK;

/** All rules that hold for somebody. */
struct rules rulebook_look(const struct rulebook *book,
			   const struct rule_subject *subject);

/** Those lines that are to be kept, as rule_line_parse reads them: a JSON array. */
json_t *rulebook_save(const struct rulebook *book);

#endif
