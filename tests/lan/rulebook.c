/* SPDX-License-Identifier: MIT */
/*
 * Of whom something was said, and which of several rules holds.
 */
#include "lan/rulebook.h"

#include "../unit.h"
#include "base/array.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const uint8_t key[PROOF_KEY_LEN] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
	0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
	0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
};
static const struct weft_peer alice = { .name = "alice",
					.mac = { { 2, 0, 0, 0, 0, 1 } } };
static const struct weft_peer bob = { .name = "bob", .mac = { { 2, 0, 0, 0, 0, 2 } } };

static int take(struct rulebook *book, const char *text, bool keep)
{
	struct weft_error err = { "" };
	struct rule_line line;
	if (rule_line_parse(text, &line, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return rulebook_take(book, &line, keep);
}

static void say(struct rulebook *book, const char *text)
{
	assert_int_equal(take(book, text, true), 0);
}

static uint32_t group_of(const struct rulebook *book, const char *room,
			 const struct weft_peer *peer, const uint8_t *pass_key)
{
	const struct rule_subject subject = { .room = room,
					      .peer = peer,
					      .pass_key = pass_key };
	return rulebook_look(book, &subject).values[RULE_GROUP].number;
}

/* In whatever order they are said. */
static void fewer_go_before_more(void **state)
{
	static const char *const lines[] = {
		"friday/" KEY ":group=5",
		"friday/02:00:00:00:00:01:group=4",
		"friday/alice:group=3",
		"friday:group=2",
		"group=1",
	};
	(void)state;
	for (unsigned turned = 0; turned < 2; turned++) {
		struct rulebook book;
		rulebook_init(&book);
		for (size_t i = 0; i < ARRAY_LEN(lines); i++)
			say(&book, lines[turned ? ARRAY_LEN(lines) - 1 - i : i]);
		assert_int_equal(group_of(&book, "monday", &alice, key), 1);
		assert_int_equal(group_of(&book, "friday", NULL, NULL), 2);
		assert_int_equal(group_of(&book, "friday", &bob, NULL), 2);
		assert_int_equal(group_of(&book, "friday", &alice, NULL), 4);
		assert_int_equal(group_of(&book, "friday", &bob, key), 5);
		assert_int_equal(group_of(&book, "friday", &alice, key), 5);
		say(&book, "friday/02:00:00:00:00:01:group=default");
		assert_int_equal(group_of(&book, "friday", &alice, NULL), 3);
		rulebook_fini(&book);
	}
}

/* What one line does not speak of is left to the others. */
static void rules_of_several_lines_add_up(void **state)
{
	(void)state;
	struct rulebook book;
	const struct rule_subject subject = { .room = "friday", .peer = &alice };
	rulebook_init(&book);
	say(&book, "eapol=off");
	say(&book, "friday:bytes=1000");
	say(&book, "friday/alice:macs=2");
	say(&book, "friday/alice:lldp=off");
	const struct rules rules = rulebook_look(&book, &subject);
	assert_int_equal(rules.values[RULE_EAPOL].number, 0);
	assert_int_equal(rules.values[RULE_BYTES].number, 1000);
	assert_int_equal(rules.values[RULE_MACS].number, 2);
	assert_int_equal(rules.values[RULE_LLDP].number, 0);
	assert_int_equal(rules.values[RULE_SLOW].number, 1);
	rulebook_fini(&book);
}

/* What was said to be kept, as it can be read; what was said of the same later, instead. */
static void what_is_kept(void **state)
{
	(void)state;
	struct rulebook book;
	rulebook_init(&book);
	say(&book, "group=1");
	say(&book, "friday:ipx=off");
	say(&book, "friday/02:00:00:00:00:01:bytes=10/30");
	say(&book, "friday/" KEY ":macs=0");
	say(&book, "friday/alice:lldp=off");
	assert_int_equal(take(&book, "friday/alice:lldp=on", false), 0);
	say(&book, "monday:eapol=off");
	say(&book, "monday:eapol=default");
	json_t *lines = rulebook_save(&book);
	char *text = json_dumps(lines, JSON_COMPACT);
	assert_string_equal(text, "[\"group=1/2\",\"friday:ipx=off\","
				  "\"friday/02:00:00:00:00:01:bytes=10/30\","
				  "\"friday/" KEY ":macs=0\"]");
	free(text);
	json_decref(lines);
	rulebook_fini(&book);
}

static void it_has_an_end(void **state)
{
	(void)state;
	struct rulebook book;
	char text[64];
	rulebook_init(&book);
	for (unsigned i = 0; i < RULEBOOK_MAX; i++) {
		(void)snprintf(text, sizeof(text), "r%u:bytes=1", i);
		say(&book, text);
	}
	assert_int_equal(take(&book, "other:bytes=1", true), -ENOSPC);
	say(&book, "r7:bytes=2");
	say(&book, "other:bytes=default");
	say(&book, "r7:bytes=default");
	say(&book, "other:bytes=1");
	rulebook_fini(&book);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ ":group=1", "\"\" is no name of a room" },
		{ "a b:group=1", "\"a b\" is no name of a room" },
		{ "/alice:group=1", "no name of a room" },
		{ "friday/:group=1", "is no member" },
		{ "friday/al/ice:group=1", "\"al/ice\" is no member" },
		{ "friday/02:00:00:group=1", "\"02:00:00\" is no member" },
		{ "friday:", "there is no rule \"\"" },
		{ "friday/alice", "there is no rule" },
		{ "friday/alice:snoop=off", "snoop is a rule of whole rooms" },
		{ "friday/alice:stream=1", "stream is a rule of whole rooms" },
		{ "friday/alice:gruop=1", "did you mean \"group\"?" },
		{ KEY KEY KEY ":group=1", "longer than the names" },
		{ KEY ":group=1", "no name of a room" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct weft_error err = { "" };
		struct rule_line line;
		if (rule_line_parse(rows[i].text, &line, &err) != -EINVAL)
			fail_msg("\"%s\" is taken", rows[i].text);
		if (!strstr(err.text, rows[i].words))
			fail_msg("\"%s\": %s", rows[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fewer_go_before_more),
		cmocka_unit_test(rules_of_several_lines_add_up),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(it_has_an_end),
		cmocka_unit_test(what_is_wrong_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
