/* SPDX-License-Identifier: MIT */
/*
 * A change as JSON and as text. One row per kind holds how it is written, read and said:
 *
 *     {"change":"address","ifindex":7,"ifname":"weft0","address":"192.0.2.1/24"}
 *     {"change":"mtu","ifindex":7,"ifname":"weft0","before":1500,"after":1400}
 *     {"change":"bridge","ifindex":7,"ifname":"weft0","before":0,"after":9,"bridge":"br0"}
 *     {"change":"route","ifindex":7,"ifname":"weft0","dest":"198.51.100.0/24",
 *      "gateway":"192.0.2.254","metric":50,"table":0}
 *     {"change":"rule","family":4,"mark":1,"table":100,"priority":1000}
 *     {"change":"refusal","ifindex":7,"ifname":"weft0"}
 *
 * A journal may be damaged, so the reading side believes nothing: each member must be there,
 * of its type and in its range.
 */
#include "host/change.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* How one kind of change is written to a JSON object, read back (0 or -EBADMSG), and said. */
struct kind {
	const char *name;
	json_t *(*emit)(const struct change *change);
	int (*parse)(const json_t *object, struct change *ret_change);
	void (*print)(const struct change *change, struct fmt *f);
};

static int get_u32(const json_t *object, const char *key, uint32_t max,
		   uint32_t *ret_value)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_integer(value))
		return -EBADMSG;
	json_int_t n = json_integer_value(value);
	if (n < 0 || n > (json_int_t)max)
		return -EBADMSG;
	*ret_value = (uint32_t)n;
	return 0;
}

static int get_bool(const json_t *object, const char *key, bool *ret_value)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_boolean(value))
		return -EBADMSG;
	*ret_value = json_is_true(value);
	return 0;
}

static int get_ip(const json_t *object, const char *key, struct weft_ip *ret_ip)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && weft_ip_parse(text, ret_ip) == 0 ? 0 : -EBADMSG;
}

static int get_mac(const json_t *object, const char *key, struct weft_mac *ret_mac)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && weft_mac_parse(text, ret_mac) == 0 ? 0 : -EBADMSG;
}

/* Address */

static json_t *address_emit(const struct change *change)
{
	char text[WEFT_IP_TEXT];
	return json_pack("{s:s}", "address", weft_ip_print(&change->address, text));
}

static int address_parse(const json_t *object, struct change *ret_change)
{
	return get_ip(object, "address", &ret_change->address);
}

static void address_print(const struct change *change, struct fmt *f)
{
	char text[WEFT_IP_TEXT];
	fmt_add(f, "address %s on %s", weft_ip_print(&change->address, text),
		change->ifname);
}

/* MTU */

static json_t *mtu_emit(const struct change *change)
{
	return json_pack("{s:I, s:I}", "before", (json_int_t)change->mtu.before, "after",
			 (json_int_t)change->mtu.after);
}

static int mtu_parse(const json_t *object, struct change *ret_change)
{
	if (get_u32(object, "before", UINT32_MAX, &ret_change->mtu.before) < 0)
		return -EBADMSG;
	return get_u32(object, "after", UINT32_MAX, &ret_change->mtu.after);
}

static void mtu_print(const struct change *change, struct fmt *f)
{
	fmt_add(f, "MTU %u of %s", change->mtu.after, change->ifname);
}

/* MAC */

static json_t *mac_emit(const struct change *change)
{
	char before[WEFT_MAC_TEXT];
	char after[WEFT_MAC_TEXT];
	return json_pack("{s:s, s:s}", "before",
			 weft_mac_print(change->mac.before, before), "after",
			 weft_mac_print(change->mac.after, after));
}

static int mac_parse(const json_t *object, struct change *ret_change)
{
	if (get_mac(object, "before", &ret_change->mac.before) < 0)
		return -EBADMSG;
	return get_mac(object, "after", &ret_change->mac.after);
}

static void mac_print(const struct change *change, struct fmt *f)
{
	char text[WEFT_MAC_TEXT];
	fmt_add(f, "MAC %s of %s", weft_mac_print(change->mac.after, text),
		change->ifname);
}

/* Up */

static json_t *up_emit(const struct change *change)
{
	return json_pack("{s:b, s:b}", "before", change->up.before, "after",
			 change->up.after);
}

static int up_parse(const json_t *object, struct change *ret_change)
{
	if (get_bool(object, "before", &ret_change->up.before) < 0)
		return -EBADMSG;
	return get_bool(object, "after", &ret_change->up.after);
}

static void up_print(const struct change *change, struct fmt *f)
{
	fmt_add(f, "%s %s", change->ifname, change->up.after ? "up" : "down");
}

/* Bridge */

static json_t *bridge_emit(const struct change *change)
{
	return json_pack("{s:I, s:I, s:s}", "before", (json_int_t)change->bridge.before,
			 "after", (json_int_t)change->bridge.after, "bridge",
			 change->bridge.name);
}

static int bridge_parse(const json_t *object, struct change *ret_change)
{
	const char *name = json_string_value(json_object_get(object, "bridge"));
	if (!name || strlen(name) >= sizeof(ret_change->bridge.name))
		return -EBADMSG;
	memcpy(ret_change->bridge.name, name, strlen(name) + 1);
	if (get_u32(object, "before", INT32_MAX, &ret_change->bridge.before) < 0)
		return -EBADMSG;
	return get_u32(object, "after", INT32_MAX, &ret_change->bridge.after);
}

static void bridge_print(const struct change *change, struct fmt *f)
{
	fmt_add(f, "%s as a port of bridge %s", change->ifname, change->bridge.name);
}

/* Route */

static json_t *route_emit(const struct change *change)
{
	const struct weft_route *route = &change->route;
	char dest[WEFT_IP_TEXT];
	char gateway[WEFT_IP_TEXT];
	return json_pack(
		"{s:s, s:s, s:I, s:I}", "dest", weft_ip_print(&route->dest, dest),
		"gateway",
		route->gateway.family ? weft_ip_print(&route->gateway, gateway) : "",
		"metric", (json_int_t)route->metric, "table", (json_int_t)route->table);
}

static int route_parse(const json_t *object, struct change *ret_change)
{
	struct weft_route *route = &ret_change->route;
	const char *gateway = json_string_value(json_object_get(object, "gateway"));
	if (!gateway || get_ip(object, "dest", &route->dest) < 0)
		return -EBADMSG;
	if (gateway[0] && weft_ip_parse(gateway, &route->gateway) < 0)
		return -EBADMSG;
	if (route->gateway.family && route->gateway.family != route->dest.family)
		return -EBADMSG;
	if (get_u32(object, "metric", UINT32_MAX, &route->metric) < 0)
		return -EBADMSG;
	return get_u32(object, "table", UINT32_MAX, &route->table);
}

static void route_print(const struct change *change, struct fmt *f)
{
	const struct weft_route *route = &change->route;
	char text[WEFT_IP_TEXT];
	fmt_add(f, "route to %s", weft_ip_print(&route->dest, text));
	if (route->gateway.family)
		fmt_add(f, " by way of %s", weft_ip_print(&route->gateway, text));
	if (change->ifname[0])
		fmt_add(f, " on %s", change->ifname);
	if (route->metric)
		fmt_add(f, " metric %u", route->metric);
	if (route->table)
		fmt_add(f, " in table %u", route->table);
}

/* Rule: the family stands as 4 or 6, because AF_INET6 differs between systems. */

static json_t *rule_emit(const struct change *change)
{
	const struct weft_rule *rule = &change->rule;
	return json_pack("{s:i, s:I, s:I, s:I}", "family",
			 rule->family == AF_INET6 ? 6 : 4, "mark", (json_int_t)rule->mark,
			 "table", (json_int_t)rule->table, "priority",
			 (json_int_t)rule->priority);
}

static int rule_parse(const json_t *object, struct change *ret_change)
{
	struct weft_rule *rule = &ret_change->rule;
	uint32_t family;
	if (get_u32(object, "family", 6, &family) < 0 || (family != 4 && family != 6))
		return -EBADMSG;
	rule->family = family == 6 ? AF_INET6 : AF_INET;
	if (get_u32(object, "mark", UINT32_MAX, &rule->mark) < 0)
		return -EBADMSG;
	if (get_u32(object, "table", UINT32_MAX, &rule->table) < 0)
		return -EBADMSG;
	return get_u32(object, "priority", UINT32_MAX, &rule->priority);
}

static void rule_print(const struct change *change, struct fmt *f)
{
	const struct weft_rule *rule = &change->rule;
	fmt_add(f, "%s rule", rule->family == AF_INET6 ? "IPv6" : "IPv4");
	if (rule->priority)
		fmt_add(f, " %u", rule->priority);
	if (rule->mark)
		fmt_add(f, " for mark %#x", rule->mark);
	fmt_add(f, " into table %u", rule->table);
}

/* Refusal of default routes: the interface says all. */

static json_t *refusal_emit(const struct change *change)
{
	(void)change;
	return json_object();
}

static int refusal_parse(const json_t *object, struct change *ret_change)
{
	(void)object;
	(void)ret_change;
	return 0;
}

static void refusal_print(const struct change *change, struct fmt *f)
{
	fmt_add(f, "refusal of default routes by routers on %s", change->ifname);
}

static const struct kind kinds[CHANGE_KINDS] = {
	[CHANGE_ADDRESS] = { "address", address_emit, address_parse, address_print },
	[CHANGE_MTU] = { "mtu", mtu_emit, mtu_parse, mtu_print },
	[CHANGE_MAC] = { "mac", mac_emit, mac_parse, mac_print },
	[CHANGE_UP] = { "up", up_emit, up_parse, up_print },
	[CHANGE_BRIDGE] = { "bridge", bridge_emit, bridge_parse, bridge_print },
	[CHANGE_ROUTE] = { "route", route_emit, route_parse, route_print },
	[CHANGE_RULE] = { "rule", rule_emit, rule_parse, rule_print },
	[CHANGE_REFUSAL] = { "refusal", refusal_emit, refusal_parse, refusal_print },
};

static int emit_object(const struct change *change, json_t **ret_object)
{
	const struct kind *kind = &kinds[change->kind];
	json_t *object = json_pack("{s:s, s:I, s:s}", "change", kind->name, "ifindex",
				   (json_int_t)change->ifindex, "ifname", change->ifname);
	json_t *facts = kind->emit(change);
	int failed = json_object_update(object, facts);
	json_decref(facts);
	if (failed) {
		json_decref(object);
		return -ENOMEM;
	}
	*ret_object = object;
	return 0;
}

int change_emit(const struct change *change, char *ret_line, size_t len)
{
	json_t *object;
	int r = emit_object(change, &object);
	if (r < 0)
		return r;
	size_t need = json_dumpb(object, ret_line, len, JSON_COMPACT);
	json_decref(object);
	if (need == 0)
		return -ENOMEM;
	return need > len ? -EMSGSIZE : (int)need;
}

static int parse_kind(const json_t *object, enum change_kind *ret_kind)
{
	const char *name = json_string_value(json_object_get(object, "change"));
	for (enum change_kind kind = 0; name && kind < CHANGE_KINDS; kind++) {
		if (strcmp(name, kinds[kind].name) == 0) {
			*ret_kind = kind;
			return 0;
		}
	}
	return -EBADMSG;
}

/* A rule has no interface and a route may do without; the rest must name one. */
static int parse_interface(const json_t *object, struct change *change)
{
	const char *ifname = json_string_value(json_object_get(object, "ifname"));
	if (!ifname || strlen(ifname) >= sizeof(change->ifname))
		return -EBADMSG;
	memcpy(change->ifname, ifname, strlen(ifname) + 1);
	if (get_u32(object, "ifindex", INT32_MAX, &change->ifindex) < 0)
		return -EBADMSG;
	if ((change->ifindex == 0) != (ifname[0] == '\0'))
		return -EBADMSG;
	bool is_needed = change->kind != CHANGE_ROUTE && change->kind != CHANGE_RULE;
	return is_needed && change->ifindex == 0 ? -EBADMSG : 0;
}

static int parse_object(const json_t *object, struct change *ret_change)
{
	struct change change = { 0 };
	if (parse_kind(object, &change.kind) < 0 || parse_interface(object, &change) < 0)
		return -EBADMSG;
	if (kinds[change.kind].parse(object, &change) < 0)
		return -EBADMSG;
	*ret_change = change;
	return 0;
}

int change_parse(const char *line, size_t len, struct change *ret_change)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	int r = parse_object(object, ret_change);
	json_decref(object);
	return r;
}

void change_print(const struct change *change, struct fmt *f)
{
	kinds[change->kind].print(change, f);
}

static bool is_same_ip(const struct weft_ip *a, const struct weft_ip *b)
{
	size_t len = a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->octet, b->octet, len) == 0;
}

bool change_is_same_thing(const struct change *a, const struct change *b)
{
	if (a->kind != b->kind || strcmp(a->ifname, b->ifname) != 0)
		return false;
	switch (a->kind) {
	case CHANGE_ADDRESS:
		return is_same_ip(&a->address, &b->address);
	case CHANGE_ROUTE:
		return is_same_ip(&a->route.dest, &b->route.dest) &&
		       is_same_ip(&a->route.gateway, &b->route.gateway) &&
		       a->route.metric == b->route.metric &&
		       a->route.table == b->route.table;
	case CHANGE_RULE:
		return a->rule.family == b->rule.family && a->rule.mark == b->rule.mark &&
		       a->rule.table == b->rule.table &&
		       a->rule.priority == b->rule.priority;
	case CHANGE_BRIDGE:
		return true;
	default:
		return false;
	}
}
