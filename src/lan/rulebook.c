/* SPDX-License-Identifier: MIT */
/*
 * A page for each of whom something was said: there are few, and they are looked through when
 * somebody comes, or is told of, and not for each frame.
 *
 * In a line the rule begins behind the last ':' before the '=', because MACs have some, too;
 * names of rooms and members have neither ':' nor '/'.
 */
#include "lan/rulebook.h"

#include "base/container.h"
#include "base/mac.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_HEX_LEN (2 * (size_t)PROOF_KEY_LEN)

/* "ROOM/KEY:" and its NUL. */
#define SCOPE_TEXT (WEFT_ROOM_NAME_MAX + KEY_HEX_LEN + 3)

struct page {
	struct list node;
	struct rule_scope scope;
	struct rules rules;
	uint32_t kept; /* 1 << rule of those that are saved */
};

void rulebook_init(struct rulebook *book)
{
	list_init(&book->pages);
	book->pages_n = 0;
}

static struct page *page_of(struct list *node)
{
	return container_of(node, struct page, node);
}

void rulebook_fini(struct rulebook *book)
{
	list_for_each (node, &book->pages) {
		list_remove(node);
		free(page_of(node));
	}
}

/* ---- lines ------------------------------------------------------------------------------- */

static bool read_pass_key(const char *text, uint8_t ret_key[PROOF_KEY_LEN])
{
	size_t len = 0;
	return strlen(text) == KEY_HEX_LEN &&
	       sodium_hex2bin(ret_key, PROOF_KEY_LEN, text, KEY_HEX_LEN, NULL, &len,
			      NULL) == 0 &&
	       len == PROOF_KEY_LEN;
}

static int read_member(const char *text, struct rule_scope *scope, struct weft_error *err)
{
	if (weft_mac_parse(text, &scope->mac) == 0) {
		scope->reach = REACH_MAC;
	} else if (read_pass_key(text, scope->pass_key)) {
		scope->reach = REACH_PASS;
	} else if (weft_room_name_is_valid(text)) {
		scope->reach = REACH_NAME;
		memcpy(scope->name, text, strlen(text));
	} else {
		return weft_error_set(err, -EINVAL,
				      "\"%.80s\" is no member: its name is, or its MAC, "
				      "or the key of its pass",
				      text);
	}
	return 0;
}

/* Reads "ROOM" or "ROOM/MEMBER". */
static int read_scope(char *text, struct rule_scope *scope, struct weft_error *err)
{
	char *slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	if (!weft_room_name_is_valid(text))
		return weft_error_set(err, -EINVAL, "\"%.80s\" is no name of a room",
				      text);
	scope->reach = REACH_ROOM;
	memcpy(scope->room, text, strlen(text));
	return slash ? read_member(slash + 1, scope, err) : 0;
}

/* Where the rule begins. */
static const char *find_rule(const char *text)
{
	const char *rule = text;
	for (const char *at = text; *at && *at != '='; at++)
		if (*at == ':')
			rule = at + 1;
	return rule;
}

int rule_line_parse(const char *text, struct rule_line *ret_line, struct weft_error *err)
{
	struct rule_line line = { .scope.reach = REACH_ALL };
	const char *rule = find_rule(text);
	char scope[SCOPE_TEXT];
	if (rule > text) {
		const size_t len = (size_t)(rule - text) - 1;
		if (len >= sizeof(scope))
			return weft_error_set(err, -EINVAL,
					      "\"%.80s\" is longer than the names of a "
					      "room and a member",
					      text);
		memcpy(scope, text, len);
		scope[len] = '\0';
		int r = read_scope(scope, &line.scope, err);
		if (r < 0)
			return r;
	}
	int r = rule_parse(rule, &line.value, &line.said, err);
	if (r < 0)
		return r;
	line.rule = (enum rule)r;
	if (rule_is_of_room(line.rule) && line.scope.reach > REACH_ROOM)
		return weft_error_set(err, -EINVAL,
				      "%.*s is a rule of whole rooms, not of a member",
				      (int)strcspn(rule, "="), rule);
	*ret_line = line;
	return 0;
}

static const char *print_scope(const struct rule_scope *scope, char buf[SCOPE_TEXT])
{
	char mac[WEFT_MAC_TEXT], key[KEY_HEX_LEN + 1];
	const char *member = scope->name;
	if (scope->reach == REACH_ALL)
		return "";
	if (scope->reach == REACH_MAC)
		member = weft_mac_print(scope->mac, mac);
	else if (scope->reach == REACH_PASS)
		member = sodium_bin2hex(key, sizeof(key), scope->pass_key, PROOF_KEY_LEN);
	(void)snprintf(buf, SCOPE_TEXT, "%s%s%s:", scope->room, member[0] ? "/" : "",
		       member);
	return buf;
}

/* ---- pages ------------------------------------------------------------------------------- */

static bool is_same(const struct rule_scope *a, const struct rule_scope *b)
{
	return a->reach == b->reach && strcmp(a->room, b->room) == 0 &&
	       strcmp(a->name, b->name) == 0 && mac_equal(a->mac, b->mac) &&
	       memcmp(a->pass_key, b->pass_key, sizeof(a->pass_key)) == 0;
}

static struct page *find_page(const struct rulebook *book, const struct rule_scope *scope)
{
	list_for_each (node, &book->pages)
		if (is_same(&page_of(node)->scope, scope))
			return page_of(node);
	return NULL;
}

static int make_page(struct rulebook *book, const struct rule_scope *scope,
		     struct page **ret_page)
{
	if (book->pages_n == RULEBOOK_MAX)
		return -ENOSPC;
	struct page *page = calloc(1, sizeof(*page));
	if (!page)
		return -ENOMEM;
	page->scope = *scope;
	list_push_back(&book->pages, &page->node);
	book->pages_n++;
	*ret_page = page;
	return 0;
}

int rulebook_take(struct rulebook *book, const struct rule_line *line, bool keep)
{
	struct page *page = find_page(book, &line->scope);
	const uint32_t bit = 1u << line->rule;
	if (!page && !line->said)
		return 0;
	int r = page ? 0 : make_page(book, &line->scope, &page);
	if (r < 0)
		return r;
	rules_set(&page->rules, line->rule, &line->value, line->said);
	page->kept &= ~bit;
	if (keep && line->said)
		page->kept |= bit;
	if (page->rules.said == 0) {
		list_remove(&page->node);
		free(page);
		book->pages_n--;
	}
	return 0;
}

static bool is_about(const struct rule_scope *scope, const struct rule_subject *subject)
{
	const struct weft_peer *peer = subject->peer;
	if (scope->reach == REACH_ALL)
		return true;
	if (strcmp(scope->room, subject->room) != 0)
		return false;
	switch (scope->reach) {
	case REACH_NAME:
		return peer && strcmp(scope->name, peer->name) == 0;
	case REACH_MAC:
		return peer && mac_equal(scope->mac, peer->mac);
	case REACH_PASS:
		return subject->pass_key && memcmp(scope->pass_key, subject->pass_key,
						   sizeof(scope->pass_key)) == 0;
	default:
		return true;
	}
}

struct rules rulebook_look(const struct rulebook *book,
			   const struct rule_subject *subject)
{
	struct rules rules = rules_defaults();
	for (unsigned reach = 0; reach < REACHES; reach++) {
		list_for_each (node, &book->pages) {
			const struct page *page = page_of(node);
			if (page->scope.reach == reach && is_about(&page->scope, subject))
				rules_lay(&rules, &page->rules);
		}
	}
	return rules;
}

json_t *rulebook_save(const struct rulebook *book)
{
	json_t *lines = json_array();
	list_for_each (node, &book->pages) {
		const struct page *page = page_of(node);
		char scope[SCOPE_TEXT], rule[RULE_TEXT];
		const char *whom = print_scope(&page->scope, scope);
		for (unsigned i = 0; i < RULES; i++)
			if (page->kept & 1u << i)
				(void)json_array_append_new(
					lines,
					json_sprintf("%s%s", whom,
						     rule_print(&page->rules,
								(enum rule)i, rule)));
	}
	return lines;
}
