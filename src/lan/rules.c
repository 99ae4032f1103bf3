/* SPDX-License-Identifier: MIT */
/*
 * A table has each rule with what it may be. What is wrong is answered with what would be right,
 * because few people read the manual of a filter before they write the first line of one.
 */
#include "lan/rules.h"

#include "base/time.h"
#include "lan/message.h"
#include "lan/visitor.h"

#include <weft/nearest.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_MAX 1000000000u
#define BURST_MAX  (2 * NUMBER_MAX)

enum kind {
	SWITCH, /* on or off */
	RATE,   /* N, N/M or off */
	TIME,   /* seconds, or off */
	COUNT,  /* a number; no off */
};

static const struct rule_kind {
	const char *name;
	enum kind kind;
	uint32_t min, max;
	struct rule_value otherwise;
	unsigned bit; /* FILTER_RULE_* of what can be off */
} kinds[] = {
	[RULE_EAPOL] = { "eapol", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_EAPOL },
	[RULE_LLDP] = { "lldp", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_LLDP },
	[RULE_SLOW] = { "slow", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_SLOW },
	[RULE_VLAN] = { "vlan", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_VLAN },
	[RULE_DHCP] = { "dhcp", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_DHCP },
	[RULE_ROUTER] = { "router", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_ROUTER },
	[RULE_QUERY] = { "query", SWITCH, 0, 1, { 1, 0 }, FILTER_RULE_QUERY },
	[RULE_ADDRESS] = { "address", TIME, 1, 86400, { 60, 0 }, FILTER_RULE_ADDRESS },
	[RULE_ADDRESSES] = { "addresses",
			     COUNT,
			     1,
			     FILTER_ADDRESSES_MAX,
			     { FILTER_CLIENT_ADDRESSES_MAX, 0 },
			     0 },
	[RULE_GROUP] = { "group", RATE, 1, NUMBER_MAX, { FILTER_RATE, FILTER_BURST }, 0 },
	[RULE_UNKNOWN] = { "unknown",
			   RATE,
			   1,
			   NUMBER_MAX,
			   { FILTER_RATE, FILTER_BURST },
			   0 },
	[RULE_BYTES] = { "bytes", RATE, 1, NUMBER_MAX, { 0, 0 }, 0 },
	[RULE_MALFORMED] = { "malformed",
			     RATE,
			     1,
			     NUMBER_MAX,
			     { VISITOR_MALFORMED_RATE, VISITOR_MALFORMED_BURST },
			     0 },
	[RULE_MACS] = { "macs", COUNT, 0, LAN_CLAIMS_MAX, { LAN_CLAIMS_MAX, 0 }, 0 },
	[RULE_SNOOP] = { "snoop", SWITCH, 0, 1, { 1, 0 }, 0 },
	[RULE_STREAM] = { "stream",
			  RATE,
			  1,
			  NUMBER_MAX,
			  { SNOOP_FREE_RATE, SNOOP_FREE_BURST },
			  0 },
	[RULE_NEIGHBOUR] = { "neighbour", SWITCH, 0, 1, { 1, 0 }, 0 },
	[RULE_IPX] = { "ipx", SWITCH, 0, 1, { 1, 0 }, 0 },
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == RULES, "each rule is in the table");

struct rules rules_defaults(void)
{
	struct rules rules = { .said = (1u << RULES) - 1 };
	for (unsigned i = 0; i < RULES; i++)
		rules.values[i] = kinds[i].otherwise;
	return rules;
}

void rules_lay(struct rules *rules, const struct rules *top)
{
	for (unsigned i = 0; i < RULES; i++)
		if (top->said & 1u << i)
			rules_set(rules, (enum rule)i, &top->values[i], true);
}

bool rule_is_of_room(enum rule rule)
{
	return rule >= RULE_SNOOP;
}

void rules_set(struct rules *rules, enum rule rule, const struct rule_value *value,
	       bool said)
{
	rules->values[rule] = *value;
	rules->said &= ~(1u << rule);
	if (said)
		rules->said |= 1u << rule;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int find_kind(const char *text, size_t len)
{
	for (int i = 0; i < RULES; i++)
		if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, text, len) == 0)
			return i;
	return -EINVAL;
}

static int unknown_rule(const char *text, size_t len, struct weft_error *err)
{
	struct weft_nearest nearest = { 0 };
	char name[RULE_TEXT];
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, text);
	for (unsigned i = 0; i < RULES; i++)
		weft_nearest_offer(&nearest, name, kinds[i].name);
	if (nearest.word)
		return weft_error_set(err, -EINVAL,
				      "there is no rule \"%s\"; did you mean \"%s\"?",
				      name, nearest.word);
	return weft_error_set(
		err, -EINVAL,
		"there is no rule \"%s\": eapol, lldp, slow, vlan, dhcp, router, query, "
		"address, addresses, group, unknown, bytes, malformed, macs, snoop, "
		"stream, neighbour and ipx are",
		name);
}

/* A rule without a value, or with one that it cannot have. */
static int wrong_value(const struct rule_kind *kind, struct weft_error *err)
{
	switch (kind->kind) {
	case SWITCH:
		return weft_error_set(err, -EINVAL, "%s is on, off or default",
				      kind->name);
	case RATE:
		return weft_error_set(err, -EINVAL,
				      "%s is N a second, N/M with M at once (1 to %u), "
				      "off or default",
				      kind->name, kind->max);
	case TIME:
		return weft_error_set(err, -EINVAL,
				      "%s is %u to %u seconds, off or default",
				      kind->name, kind->min, kind->max);
	case COUNT:
		break;
	}
	return weft_error_set(err, -EINVAL, "%s is a number from %u to %u, or default",
			      kind->name, kind->min, kind->max);
}

/* A number from min to max. Returns what stands behind it; NULL if there is none. */
static const char *read_number(const char *text, uint32_t min, uint32_t max,
			       uint32_t *ret_number)
{
	const size_t len = strspn(text, "0123456789");
	uint64_t number = 0;
	if (len == 0 || len > 10)
		return NULL;
	for (size_t i = 0; i < len; i++)
		number = 10 * number + (uint64_t)(text[i] - '0');
	if (number < min || number > max)
		return NULL;
	*ret_number = (uint32_t)number;
	return text + len;
}

/* A number with what may stand behind it; false for what is none. */
static bool read_numbers(const char *text, const struct rule_kind *kind,
			 struct rule_value *value)
{
	const char *rest = read_number(text, kind->min, kind->max, &value->number);
	if (!rest || kind->kind == SWITCH)
		return false;
	if (kind->kind != RATE)
		return !*rest;
	value->burst = 2 * value->number;
	if (*rest == '/')
		rest = read_number(rest + 1, 1, BURST_MAX, &value->burst);
	return rest && !*rest;
}

static bool read_value(const char *text, const struct rule_kind *kind,
		       struct rule_value *value)
{
	if (strcmp(text, "off") == 0)
		return kind->kind != COUNT;
	if (kind->kind == SWITCH && strcmp(text, "on") == 0) {
		value->number = 1;
		return true;
	}
	return read_numbers(text, kind, value);
}

int rule_parse(const char *text, struct rule_value *ret_value, bool *ret_said,
	       struct weft_error *err)
{
	const size_t len = strcspn(text, "=");
	const int rule = find_kind(text, len);
	struct rule_value value = { .number = 0 };
	if (rule < 0)
		return unknown_rule(text, len, err);
	if (text[len] != '=')
		return wrong_value(&kinds[rule], err);
	const char *word = text + len + 1;
	const bool said = strcmp(word, "default") != 0;
	if (said && !read_value(word, &kinds[rule], &value))
		return wrong_value(&kinds[rule], err);
	*ret_value = value;
	*ret_said = said;
	return rule;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void print_value(const struct rule_kind *kind, const struct rule_value *value,
			char *buf, size_t len)
{
	if (kind->kind == SWITCH)
		(void)snprintf(buf, len, "%s", value->number ? "on" : "off");
	else if (kind->kind != COUNT && value->number == 0)
		(void)snprintf(buf, len, "off");
	else if (kind->kind == RATE)
		(void)snprintf(buf, len, "%u/%u", value->number, value->burst);
	else
		(void)snprintf(buf, len, "%u", value->number);
}

const char *rule_print(const struct rules *rules, enum rule rule, char buf[RULE_TEXT])
{
	int n = snprintf(buf, RULE_TEXT, "%s=", kinds[rule].name);
	print_value(&kinds[rule], &rules->values[rule], buf + n, RULE_TEXT - (size_t)n);
	return buf;
}

json_t *rules_json(const struct rules *rules)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < RULES; i++) {
		char text[RULE_TEXT];
		print_value(&kinds[i], &rules->values[i], text, sizeof(text));
		if (rules->said & 1u << i)
			(void)json_object_set_new(object, kinds[i].name,
						  json_string(text));
	}
	return object;
}

struct rules rules_difference(const struct rules *a, const struct rules *b)
{
	struct rules rest = *a;
	for (unsigned i = 0; i < RULES; i++)
		if (a->values[i].number == b->values[i].number &&
		    a->values[i].burst == b->values[i].burst)
			rest.said &= ~(1u << i);
	return rest;
}

/* ---- what they are for ------------------------------------------------------------------- */

static struct filter_rate rate_of(const struct rules *rules, enum rule rule)
{
	return (struct filter_rate){ .rate = rules->values[rule].number,
				     .burst = rules->values[rule].burst };
}

struct filter_opts rules_filter(const struct rules *rules)
{
	struct filter_opts opts = {
		.group = rate_of(rules, RULE_GROUP),
		.unknown = rate_of(rules, RULE_UNKNOWN),
		.bytes = rate_of(rules, RULE_BYTES),
		.address_ns = rules->values[RULE_ADDRESS].number * NS_PER_S,
		.addresses_max = (uint16_t)rules->values[RULE_ADDRESSES].number,
	};
	for (unsigned i = 0; i < RULES; i++)
		if (rules->values[i].number == 0)
			opts.off |= kinds[i].bit;
	return opts;
}

struct bridge_help rules_help(const struct rules *rules)
{
	const struct rule_value *stream = &rules->values[RULE_STREAM];
	return (struct bridge_help){
		.snooping = rules->values[RULE_SNOOP].number != 0,
		.ipx = rules->values[RULE_IPX].number != 0,
		.free = { .rate = stream->number, .burst = stream->burst },
	};
}
