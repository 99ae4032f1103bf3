/* SPDX-License-Identifier: MIT */
/*
 * The rules of a room as people write them: RULE=VALUE, by which each is on or off, or has a
 * number (docs/filters.md).
 *
 *     eapol=off    group=50    group=50/500    macs=0    bytes=default
 *
 * A rate is so many a second, and so many at once: twice as many unless that is said as well.
 * What was said of a room, or of one member, lies on top of what holds for everybody: a set of
 * rules knows which of them were said, and the others show through.
 */
#ifndef LAN_RULES_H
#define LAN_RULES_H

#include "bridge/bridge.h"
#include "bridge/filter.h"

#include <weft/error.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum rule {
	RULE_EAPOL,
	RULE_LLDP,
	RULE_SLOW,
	RULE_VLAN,
	RULE_DHCP,
	RULE_ROUTER,
	RULE_QUERY,
	RULE_ADDRESS,   /**< Seconds for which an address is who used it last's. */
	RULE_ADDRESSES, /**< Of a client, that are looked after. */
	RULE_GROUP,
	RULE_UNKNOWN,
	RULE_BYTES,
	RULE_MALFORMED, /**< Datagrams that make no sense; beyond, the member is closed. */
	RULE_MACS,      /**< Stations behind a client. */
	RULE_SNOOP,     /**< From here on of whole rooms. */
	RULE_STREAM,
	RULE_NEIGHBOUR,
	RULE_IPX,
	RULES
};

/** What was said of a rule. */
struct rule_value {
	uint32_t number; /**< 0 for off; of RULE_MACS it is a number. */
	uint32_t burst;  /**< Of a rate. */
};

struct rules {
	uint32_t said; /**< 1 << rule of those that have a value. */
	struct rule_value values[RULES];
};

/** Of one rule, "malformed=1000000000/1000000000" with its NUL. */
#define RULE_TEXT 40u

/** What holds where nothing was said: all of them. */
struct rules rules_defaults(void);

/** Lays one on top of another. */
void rules_lay(struct rules *rules, const struct rules *top);

/** Whether it is a rule of a whole room, and not of each member. */
bool rule_is_of_room(enum rule rule);

/**
 * Reads "RULE=VALUE". Returns the rule; ret_said is whether it has a value now, and "default"
 * was not. -EINVAL with err for what is no rule, or no value of it.
 */
int rule_parse(const char *text, struct rule_value *ret_value, bool *ret_said,
	       struct weft_error *err) WEFT_MUST_CHECK;

/** Sets a rule, or takes back what was said of it. */
void rules_set(struct rules *rules, enum rule rule, const struct rule_value *value,
	       bool said);

/** Writes the rule as rule_parse reads it. Returns buf. */
const char *rule_print(const struct rules *rules, enum rule rule, char buf[RULE_TEXT]);

/** {"eapol": "on", "group": "200/400"}: of those that were said. */
json_t *rules_json(const struct rules *rules);

/** What differs between two sets in which all rules have a value, with the values of a. */
struct rules rules_difference(const struct rules *a, const struct rules *b);

/** What they are for a filter, and for a bridge. All have a value. */
struct filter_opts rules_filter(const struct rules *rules);
struct bridge_help rules_help(const struct rules *rules);

#endif
