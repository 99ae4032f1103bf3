/* SPDX-License-Identifier: MIT */
/*
 * JSON with the place of every value; and what people write instead of JSON.
 */
#include "config/document.h"

#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_LEN 128u

/* ---- values ------------------------------------------------------------------------------ */

/* Parses a text that has nothing wrong. */
static struct node *parse(const char *text)
{
	struct faults faults = { 0 };
	struct node *root = NULL;
	assert_int_equal(document_parse(text, strlen(text), &faults, &root), 0);
	assert_int_equal(faults.n, 0);
	faults_fini(&faults);
	return root;
}

static void assert_place(struct place place, unsigned line, unsigned column)
{
	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
}

static void knows_where_values_stand(void **state)
{
	(void)state;
	struct node *root = parse(" [ {\n\t\"a\" : 1,\r\n  \"b\":[true, \"x\"] } ]\n");
	const struct node *object = root->first, *a = node_get(object, "a"),
			  *b = node_get(object, "b");
	char path[NODE_PATH_LEN];
	assert_place(root->at, 1, 2);
	assert_place(object->at, 1, 4);
	assert_place(a->key_at, 2, 2);
	assert_place(a->at, 2, 8);
	assert_place(b->key_at, 3, 3);
	assert_place(b->at, 3, 7);
	assert_place(b->first->at, 3, 8);
	assert_place(b->last->at, 3, 14);
	assert_int_equal(b->count, 2);
	assert_int_equal(b->first->type, JSON_TRUE);
	assert_int_equal(json_integer_value(a->scalar), 1);
	assert_string_equal(node_path(root, path), "");
	assert_string_equal(node_path(b->last, path), "[0].b[1]");
	assert_null(node_get(object, "c"));
	document_free(root);
}

/* A column is a character; a tab is one. */
static void counts_characters(void **state)
{
	(void)state;
	struct node *root = parse("[\t\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\", 2]");
	assert_place(root->first->at, 1, 3);
	assert_place(root->last->at, 1, 10);
	document_free(root);
}

/* What a text means is jansson's to say. */
static void decodes_texts(void **state)
{
	(void)state;
	struct node *root = parse("{\"\\u0061\\\"\\\\\": \"\\t\\u20ac\"}");
	const struct node *node = node_get(root, "a\"\\");
	assert_non_null(node);
	assert_string_equal(json_string_value(node->scalar), "\t\xe2\x82\xac");
	document_free(root);
}

static void quotes_what_can_be_shown(void **state)
{
	static const char text[] = "0123456789012345678901234567890123456789012\xc3\xa9"
				   "5";
	char quote[NODE_QUOTE_LEN];
	(void)state;
	assert_string_equal(node_quote("a\x1b[2J\n\x7f", 7, quote), "a?[2J??");
	/* No half characters. */
	assert_string_equal(node_quote(text, sizeof(text) - 1, quote),
			    "0123456789012345678901234567890123456789012...");
}

/* ---- faults ------------------------------------------------------------------------------ */

/* Parses a text whose faults are these, each "LINE:COLUMN PATH: part of the text". */
static void expect(const char *text, size_t len, int result, const char *const *wants)
{
	struct faults faults = { 0 };
	struct node *root = NULL;
	char head[HEAD_LEN];
	assert_int_equal(document_parse(text, len, &faults, &root), result);
	for (size_t i = 0; i < faults.n; i++) {
		const struct weft_tunnel_fault *fault = &faults.items[i];
		(void)snprintf(head, sizeof(head), "%u:%u %s: ", fault->line,
			       fault->column, fault->path);
		if (!wants[i])
			fail_msg("one too many: %s%s", head, fault->text);
		if (strncmp(wants[i], head, strlen(head)) != 0 ||
		    !strstr(fault->text, wants[i] + strlen(head)))
			fail_msg("want \"%s\", got \"%s%s\"", wants[i], head,
				 fault->text);
	}
	if (wants[faults.n])
		fail_msg("not told: \"%s\"", wants[faults.n]);
	faults_fini(&faults);
	document_free(root);
}

/* After the first kind the rest is still read, after the second it cannot be. */
#define PASSES(text, ...) \
	expect(text, sizeof(text) - 1, 0, (const char *const[]){ __VA_ARGS__, NULL })
#define ENDS(text, ...)                         \
	expect(text, sizeof(text) - 1, -EINVAL, \
	       (const char *const[]){ __VA_ARGS__, NULL })

static void passes_over_comments(void **state)
{
	(void)state;
	PASSES("[ // one\n 1, /* two\n */ 2 # three\n]", "1:3 : JSON has no comments");
	PASSES("# all\n[]", "1:1 : JSON has no comments");
	PASSES("[]// end", "1:3 : JSON has no comments");
	PASSES("[\"// none\", \"/*\", \"#\"] /* open", "1:24 : JSON has no comments");
}

static void passes_over_commas(void **state)
{
	(void)state;
	PASSES("[1,2,]", "1:5 : no comma stands behind the last");
	PASSES("{\"a\":1,\n}", "1:7 : no comma stands behind the last");
	PASSES("[1\n 2]", "2:2 : a comma is missing");
	PASSES("{\"a\":1 \"b\":2}", "1:8 : a comma is missing");
	ENDS("[1,,2]", "1:4 [1]: a value is missing in front of \",\"");
	ENDS("[,1]", "1:2 [0]: a value is missing");
}

static void passes_over_words(void **state)
{
	(void)state;
	PASSES("[True, nul]", "1:2 [0]: found True; in JSON it is true",
	       "1:8 [1]: nul is no value; a text stands in double quotes: \"nul\"");
	PASSES("[01, +1, .5, 0x1f]", "1:2 [0]: 01 is no number", "1:6 [1]: +1 is no",
	       "1:10 [2]: .5 is", "1:14 [3]: 0x1f is no number");
	PASSES("[99999999999999999999]", "1:2 [0]: larger than any");
	PASSES("['it', 1]", "1:2 [0]: not in single ones");
	PASSES("{a: 1, 'b': 2}", "1:2 : a key stands in double quotes: \"a\"",
	       "1:8 : not in single ones");
}

static void passes_over_texts(void **state)
{
	(void)state;
	PASSES("[\"a\\qb\"]", "1:2 [0]: a backslash as");
	PASSES("[\"a\tb\"]", "1:2 [0]: a tab as");
	PASSES("[\"\xff\"]", "1:2 [0]: not in UTF-8");
	PASSES("[\"\\u0000\"]", "1:2 [0]: the character NUL");
	ENDS("[\"open\n]", "1:2 [0]: has no end");
	ENDS("[\"open", "1:2 [0]: has no end");
	ENDS("[\"open\\", "1:2 [0]: has no end");
}

static void tells_a_key_that_comes_again(void **state)
{
	(void)state;
	PASSES("{\"a\":1,\n\"b\":2,\n \"\\u0061\":3}",
	       "3:2 .a: \"a\" stands here a second time, after line 1");
	PASSES("[{\"a\":1},{\"a\":{\"a\":2}}]", NULL);
}

static void tells_brackets_that_do_not_match(void **state)
{
	(void)state;
	ENDS("[{\"a\":1]",
	     "1:8 [0]: \"}\" is missing here, which closes the \"{\" of line 1");
	ENDS("[\n1", "2:2 : \"]\" is missing here, which closes the \"[\" of line 1");
	ENDS("[]]", "1:3 : ended before this");
	ENDS("{}, {}", "1:3 : several interfaces stand in one array");
	ENDS("{\"a\" 1}", "1:6 .a: a colon is missing");
	ENDS("{\"a\":}", "1:6 .a: a value is missing");
	ENDS("{\"a\":", "1:6 .a: the file ends");
	ENDS("{:1}", "1:2 : a key in double quotes is missing");
}

static void tells_what_is_no_text_at_all(void **state)
{
	(void)state;
	ENDS("", "1:1 : there is nothing in the file");
	ENDS(" \n\t", "2:2 : there is nothing in the file");
	ENDS("\xff\xfe[\0]\0", "1:1 : UTF-16");
	PASSES("\xef\xbb\xbf[]", "1:1 : byte order mark");
	PASSES("[\0]", "1:2 [0]: is no value");
}

static void has_limits(void **state)
{
	char text[2 * DOCUMENT_DEPTH_MAX + 3], keys[16 * (DOCUMENT_KEYS_MAX + 1)];
	const size_t depth = DOCUMENT_DEPTH_MAX;
	static const char *const deep[] = {
		"1:33 [0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
		"[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
		"[0][0...: nested so deeply",
		NULL
	};
	static const char *const none[] = { NULL };
	size_t len = 1;
	(void)state;
	memset(text, '[', depth + 1);
	memset(text + depth + 1, ']', depth + 1);
	expect(text + 1, 2 * depth, 0, none);
	expect(text, 2 * depth + 2, -EINVAL, deep);
	keys[0] = '{';
	for (unsigned i = 0; i <= DOCUMENT_KEYS_MAX; i++)
		len += (size_t)snprintf(keys + len, sizeof(keys) - len, "%s\n\"%u\":0",
					i > 0 ? "," : "", i);
	keys[len] = '}';
	expect(keys, len + 1, -EINVAL,
	       (const char *const[]){ "258:1 : at most 256 keys", NULL });
}

/* A text that is cut anywhere ends, and says why. */
static void bears_any_cut(void **state)
{
	static const char text[] = "[{\"a\":[1,\"\\u20ac\"],\"b\":{\"c\":null}}, -1.5e3]";
	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct faults faults = { 0 };
		struct node *root = NULL;
		char *copy = malloc(len + 1); /* So that a byte too far is noticed. */
		assert_non_null(copy);
		char *end = copy + 1;
		memcpy(end, text, len);
		assert_int_equal(document_parse(end, len, &faults, &root), -EINVAL);
		assert_true(faults.errors > 0);
		faults_fini(&faults);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_where_values_stand),
		cmocka_unit_test(counts_characters),
		cmocka_unit_test(decodes_texts),
		cmocka_unit_test(quotes_what_can_be_shown),
		cmocka_unit_test(passes_over_comments),
		cmocka_unit_test(passes_over_commas),
		cmocka_unit_test(passes_over_words),
		cmocka_unit_test(passes_over_texts),
		cmocka_unit_test(tells_a_key_that_comes_again),
		cmocka_unit_test(tells_brackets_that_do_not_match),
		cmocka_unit_test(tells_what_is_no_text_at_all),
		cmocka_unit_test(has_limits),
		cmocka_unit_test(bears_any_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
