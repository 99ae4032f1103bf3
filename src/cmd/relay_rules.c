/* SPDX-License-Identifier: MIT */
/*
 * A table of the rules, by their names and their places in struct weft_room_rules.
 */
#include "cmd/relay_rules.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Of a rule, per second. */
#define RATE_MAX 1000000000u

/* The rules of the filter: those that are on or off, and those that are a rate. */
static const struct rule {
	const char *name;
	unsigned bit; /* 0 for a rate */
	size_t offset;
} rules[] = {
	{ "eapol", WEFT_ALLOW_EAPOL, 0 },
	{ "lldp", WEFT_ALLOW_LLDP, 0 },
	{ "slow", WEFT_ALLOW_SLOW, 0 },
	{ "vlan", WEFT_ALLOW_VLAN, 0 },
	{ "dhcp", WEFT_ALLOW_DHCP, 0 },
	{ "router", WEFT_ALLOW_ROUTER, 0 },
	{ "address", WEFT_ALLOW_ADDRESS, 0 },
	{ "query", WEFT_ALLOW_QUERY, 0 },
	{ "snoop", WEFT_ROOM_SNOOP, offsetof(struct weft_room_rules, off) },
	{ "ipx", WEFT_ROOM_IPX, offsetof(struct weft_room_rules, off) },
	{ "neighbour", WEFT_ROOM_NEIGHBOUR, offsetof(struct weft_room_rules, off) },
	{ "group", 0, offsetof(struct weft_room_rules, group_rate) },
	{ "unknown", 0, offsetof(struct weft_room_rules, unknown_rate) },
	{ "bytes", 0, offsetof(struct weft_room_rules, byte_rate) },
};

static const struct rule *find_rule(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strlen(rules[i].name) == len &&
		    strncmp(rules[i].name, text, len) == 0)
			return &rules[i];
	return NULL;
}

static int read_rate(const char *text, uint32_t *ret_rate)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value == 0 ||
	    value > RATE_MAX)
		return -EINVAL;
	*ret_rate = (uint32_t)value;
	return 0;
}

/* Takes "RULE=off" or "RULE=N". False for what is neither. */
static bool take_rule(const char *text, struct weft_room_rules *taken)
{
	const size_t len = strcspn(text, "=");
	const struct rule *rule = find_rule(text, len);
	if (!rule || text[len] != '=')
		return false;
	const char *value = text + len + 1;
	const bool is_off = strcmp(value, "off") == 0;
	if (rule->bit != 0) {
		unsigned bits;
		memcpy(&bits, (char *)taken + rule->offset, sizeof(bits));
		bits |= rule->bit;
		memcpy((char *)taken + rule->offset, &bits, sizeof(bits));
		return is_off;
	}
	uint32_t rate = WEFT_RATE_UNLIMITED;
	if (!is_off && read_rate(value, &rate) < 0)
		return false;
	memcpy((char *)taken + rule->offset, &rate, sizeof(rate));
	return true;
}

const char *relay_rules_check(const struct option_list *texts)
{
	struct weft_room_rules taken = { .allow = 0 };
	for (size_t i = 0; i < texts->n; i++)
		if (!take_rule(texts->items[i], &taken))
			return "--filter takes RULE=off of eapol, lldp, slow, vlan, "
			       "dhcp, router, "
			       "address, query,\nsnoop, ipx and neighbour, and group=N, "
			       "unknown=N and bytes=N per second, or off";
	return NULL;
}

struct weft_room_rules relay_rules_of(const struct option_list *texts)
{
	struct weft_room_rules taken = { .allow = 0 };
	for (size_t i = 0; i < texts->n; i++)
		(void)take_rule(texts->items[i], &taken);
	return taken;
}
