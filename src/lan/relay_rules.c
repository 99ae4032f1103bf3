/* SPDX-License-Identifier: MIT */
/*
 * The rules of a relay's rooms and of their members: what was said of them (lan/rulebook.h), and
 * those whom it is about. They hold for who comes, and from the moment in which they are said
 * for who is there.
 */
#include "base/container.h"
#include "base/mac.h"
#include "base/table.h"
#include "lan/relay.h"
#include "lan/visitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rules relay_rules_of_room(const struct weft_relay *relay, const char *name)
{
	const struct rule_subject room = { .room = name };
	return rulebook_look(&relay->rules, &room);
}

struct rules relay_rules_of_member(const struct weft_relay *relay,
				   const struct room_member *member)
{
	const struct visitor *visitor = member->user;
	const struct rule_subject subject = {
		.room = member->room->name,
		.peer = &member->peer,
		.pass_key = visitor && visitor->hello.has_pass ? visitor->hello.pass.key
							       : NULL,
	};
	return rulebook_look(&relay->rules, &subject);
}

void relay_rule_member(const struct weft_relay *relay, struct room_member *member)
{
	const struct rules rules = relay_rules_of_member(relay, member);
	const struct rule_value *malformed = &rules.values[RULE_MALFORMED];
	struct visitor *visitor = member->user;
	room_rule_member(member, &rules);
	if (visitor)
		bucket_change(&visitor->malformed, malformed->number, malformed->burst);
}

static void rule_room(const struct weft_relay *relay, struct room *room)
{
	const struct rules rules = relay_rules_of_room(relay, room->name);
	room_rule(room, &rules);
	list_for_each (node, &room->members)
		relay_rule_member(relay, container_of(node, struct room_member, of_room));
}

static void rule_all(const struct weft_relay *relay)
{
	struct table_iter it;
	const void *key;
	void *room;
	table_iter_init(&it, relay->rooms);
	while (table_iter_next(&it, &key, &room))
		rule_room(relay, room);
}

/* ---- what is said ------------------------------------------------------------------------ */

/*
 * A name that nobody has, but that is the id of somebody, as `weft members` shows it: its MAC is
 * what is meant, because the next one to have that id is another.
 */
static void resolve_id(const struct weft_relay *relay, struct rule_scope *scope)
{
	const struct room *room = relay_find_room(relay, scope->room);
	const struct weft_peer *found = NULL;
	if (scope->reach != REACH_NAME || !room)
		return;
	list_for_each (node, &room->members) {
		const struct weft_peer *peer =
			&container_of(node, struct room_member, of_room)->peer;
		char id[8];
		(void)snprintf(id, sizeof(id), "%u", peer->id);
		if (strcmp(peer->name, scope->name) == 0)
			return;
		if (strcmp(id, scope->name) == 0 && !mac_is_zero(peer->mac))
			found = peer;
	}
	if (!found)
		return;
	scope->reach = REACH_MAC;
	scope->mac = found->mac;
	memset(scope->name, 0, sizeof(scope->name));
}

int weft_relay_rule(struct weft_relay *relay, const char *text, bool keep,
		    struct weft_error *err)
{
	struct rule_line line;
	int r = rule_line_parse(text, &line, err);
	if (r < 0)
		return r;
	resolve_id(relay, &line.scope);
	r = rulebook_take(&relay->rules, &line, keep);
	if (r == -ENOSPC)
		return weft_error_set(err, r,
				      "there are rules for %u rooms and members already; "
				      "take others back with RULE=default",
				      RULEBOOK_MAX);
	if (r < 0)
		return weft_error_set(err, r, "out of memory");
	rule_all(relay);
	return 0;
}

int weft_rule_check(const char *text, struct weft_error *err)
{
	struct rule_line line;
	return rule_line_parse(text, &line, err);
}
