/* SPDX-License-Identifier: MIT */
/*
 * The structure (brackets, commas, colons, keys) is read here by descent, which is bounded;
 * each text, number and word is cut out and given to jansson, so that what it means is what
 * everybody else's JSON means (RFC 8259). Without a fault, jansson takes the whole text, too,
 * and finds the same in it.
 */
#include "config/document.h"

#include "base/array.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct scanner {
	const char *text;
	size_t len, off;
	struct place at; /* Of off. */
	struct faults *faults;
	const struct node *node; /* What is being read, for its path. */
	unsigned depth;
	bool has_comment;
};

/* ---- characters -------------------------------------------------------------------------- */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static bool at_end(const struct scanner *s)
{
	return s->off == s->len;
}

/* The character that is next; NUL at the end. */
static char peek(const struct scanner *s)
{
	if (at_end(s))
		return '\0';
	return s->text[s->off];
}

static bool starts_with(const struct scanner *s, const char *what)
{
	size_t n = strlen(what);
	return s->len - s->off >= n && memcmp(s->text + s->off, what, n) == 0;
}

/* Whether c is in set; NUL is in none. */
static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void step(struct scanner *s)
{
	char c = s->text[s->off++];
	if (c == '\n')
		s->at = (struct place){ s->at.line + 1, 1 };
	else if (!is_continuation(c))
		s->at.column++;
}

static void step_over(struct scanner *s, size_t n)
{
	while (n-- > 0)
		step(s);
}

WEFT_PRINTF(3, 4)
static void complain(const struct scanner *s, struct place at, const char *format, ...)
{
	char path[NODE_PATH_LEN], text[sizeof(((struct weft_tunnel_fault *)0)->text)];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	faults_add(s->faults, at, SEVERITY_ERROR, node_path(s->node, path), "%s", text);
}

/* ---- between the values ------------------------------------------------------------------ */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool at_comment(const struct scanner *s)
{
	return starts_with(s, "//") || starts_with(s, "/*") || peek(s) == '#';
}

static void skip_comment(struct scanner *s)
{
	const bool is_block = starts_with(s, "/*");
	if (!s->has_comment)
		complain(s, s->at,
			 "JSON has no comments; take all of them out, or write each as a "
			 "member of an object, with a key that begins with two slashes: "
			 "\"//\": \"why this is so\"");
	s->has_comment = true;
	while (!at_end(s) && !(is_block ? starts_with(s, "*/") : peek(s) == '\n'))
		step(s);
	if (is_block && !at_end(s))
		step_over(s, 2);
}

static void skip_space(struct scanner *s)
{
	while (!at_end(s) && (is_space(peek(s)) || at_comment(s))) {
		if (is_space(peek(s)))
			step(s);
		else
			skip_comment(s);
	}
}

/* ---- texts and words --------------------------------------------------------------------- */

/* Bytes of what is neither space nor has a meaning in the structure. */
static size_t word_len(const struct scanner *s)
{
	struct scanner ahead = *s;
	while (!at_end(&ahead) && !is_space(peek(&ahead)) &&
	       !is_one_of(peek(&ahead), ",:[]{}\"") && !starts_with(&ahead, "//") &&
	       !starts_with(&ahead, "/*"))
		ahead.off++;
	return ahead.off - s->off;
}

/* Bytes of a text with its quotes; 0 if its line ends first. */
static size_t text_len(const struct scanner *s)
{
	const char quote = peek(s);
	for (size_t i = s->off + 1; i < s->len && s->text[i] != '\n'; i++) {
		if (s->text[i] == quote)
			return i + 1 - s->off;
		i += s->text[i] == '\\';
	}
	return 0;
}

static void explain_text(const struct scanner *s, struct place at,
			 const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_invalid_utf8:
		complain(s, at, "this text is not in UTF-8; save the file as UTF-8");
		break;
	case json_error_null_character:
		complain(s, at, "no text may hold the character NUL");
		break;
	default:
		complain(s, at,
			 "this text holds what JSON wants written otherwise: a backslash "
			 "as \\\\, a tab as \\t, other control characters as \\u00XX");
	}
}

static void explain_word(const struct scanner *s, struct place at, const char *word,
			 size_t len)
{
	static const char *const known[] = { "true", "false", "null" };
	char quote[NODE_QUOTE_LEN];
	(void)node_quote(word, len, quote);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(quote, known[i]) == 0) {
			complain(s, at, "found %s; in JSON it is %s, in small letters",
				 quote, known[i]);
			return;
		}
	}
	if (is_one_of(word[0], "+-.0123456789"))
		complain(s, at,
			 "%s is no number; a number has digits only (1500), no leading "
			 "zero, no plus sign and no unit; a text stands in double quotes",
			 quote);
	else
		complain(s, at, "%s is no value; a text stands in double quotes: \"%s\"",
			 quote, quote);
}

/* Reads what stands between here and len bytes on as a text or word. */
static int read_scalar(struct scanner *s, struct node *node, size_t len)
{
	const char *text = s->text + s->off;
	const struct place at = s->at;
	json_error_t error;
	node->scalar = json_loadb(text, len, JSON_DECODE_ANY, &error);
	step_over(s, len);
	if (node->scalar) {
		node->type = json_typeof(node->scalar);
		return 0;
	}
	if (json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	node->is_bad = true;
	if (json_error_code(&error) == json_error_numeric_overflow)
		complain(s, at, "this number is larger than any that can be meant");
	else if (text[0] == '"')
		explain_text(s, at, &error);
	else
		explain_word(s, at, text, len);
	return 0;
}

/* A text in quotes of either kind. Returns its length with them, or -EINVAL. */
static int find_text(const struct scanner *s)
{
	size_t len = text_len(s);
	if (len > 0)
		return (int)len;
	complain(s, s->at,
		 "the text that begins here has no end; a text ends on its own line, "
		 "with a double quote");
	return -EINVAL;
}

static int read_text(struct scanner *s, struct node *node)
{
	int len = find_text(s);
	if (len < 0)
		return len;
	if (peek(s) == '"')
		return read_scalar(s, node, (size_t)len);
	complain(s, s->at, "a text stands in double quotes, not in single ones");
	node->is_bad = true;
	step_over(s, (size_t)len);
	return 0;
}

static int read_word(struct scanner *s, struct node *node)
{
	size_t len = word_len(s);
	if (len > 0)
		return read_scalar(s, node, len);
	if (at_end(s))
		complain(s, s->at, "the file ends where a value is expected");
	else
		complain(s, s->at, "a value is missing in front of \"%c\"", peek(s));
	return -EINVAL;
}

/* ---- members ----------------------------------------------------------------------------- */

static int read_value(struct scanner *s, struct node *node);

static int set_key(struct node *node, const char *text, size_t len)
{
	node->key = strndup(text, len);
	return node->key ? 0 : -ENOMEM;
}

/* A key as it ought to be. */
static int read_key_text(struct scanner *s, struct node *node)
{
	int len = find_text(s);
	if (len < 0)
		return len;
	struct node key = { .type = JSON_NULL };
	const char *raw = s->text + s->off + 1;
	const bool is_single = raw[-1] == '\'';
	int r = read_text(s, &key);
	if (r == 0 && (is_single || key.is_bad))
		r = set_key(node, raw, (size_t)len - 2);
	else if (r == 0)
		r = set_key(node, json_string_value(key.scalar),
			    json_string_length(key.scalar));
	json_decref(key.scalar);
	node->is_bad = key.is_bad;
	return r;
}

static int read_key_word(struct scanner *s, struct node *node)
{
	char quote[NODE_QUOTE_LEN];
	size_t len = word_len(s);
	if (len == 0) {
		complain(s, s->at, "a key in double quotes is missing in front of \"%c\"",
			 peek(s));
		return -EINVAL;
	}
	const char *word = s->text + s->off;
	complain(s, s->at, "a key stands in double quotes: \"%s\"",
		 node_quote(word, len, quote));
	step_over(s, len);
	return set_key(node, word, len);
}

static int read_key(struct scanner *s, struct node *node)
{
	char quote[NODE_QUOTE_LEN];
	node->key_at = s->at;
	int r = peek(s) == '"' || peek(s) == '\'' ? read_key_text(s, node)
						  : read_key_word(s, node);
	if (r < 0)
		return r;
	s->node = node;
	const struct node *first = node_get(node->parent, node->key);
	if (first != node) {
		complain(s, node->key_at,
			 "\"%s\" stands here a second time, after line %u; only one of "
			 "them can hold",
			 node_quote(node->key, strlen(node->key), quote),
			 first->key_at.line);
		node->is_bad = true;
	}
	skip_space(s);
	if (peek(s) != ':') {
		complain(s, s->at,
			 "a colon is missing between the key \"%s\" and its value",
			 node_quote(node->key, strlen(node->key), quote));
		return -EINVAL;
	}
	step(s);
	skip_space(s);
	return 0;
}

static struct node *append_node(struct node *parent)
{
	struct node *node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->type = JSON_NULL;
	node->parent = parent;
	node->index = parent->count++;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	return node;
}

static int read_member(struct scanner *s, struct node *parent)
{
	int r = 0;
	if (parent->type == JSON_OBJECT && parent->count == DOCUMENT_KEYS_MAX) {
		complain(s, s->at, "an object has at most %u keys", DOCUMENT_KEYS_MAX);
		return -EINVAL;
	}
	struct node *node = append_node(parent);
	if (!node)
		return -ENOMEM;
	if (parent->type == JSON_OBJECT)
		r = read_key(s, node);
	s->node = node;
	if (r == 0)
		r = read_value(s, node);
	s->node = parent;
	return r;
}

/* Behind a member: a comma, unless it was the last. */
static void read_comma(struct scanner *s, char close)
{
	skip_space(s);
	const struct place at = s->at;
	if (peek(s) == ',') {
		step(s);
		skip_space(s);
		if (peek(s) == close)
			complain(s, at,
				 "no comma stands behind the last one; take it out");
	} else if (!at_end(s) && !is_one_of(peek(s), "]}:")) {
		complain(s, at, "a comma is missing in front of this");
	}
}

static int read_members(struct scanner *s, struct node *node)
{
	const char open = peek(s), close = open == '{' ? '}' : ']';
	int r = 0;
	node->type = open == '{' ? JSON_OBJECT : JSON_ARRAY;
	if (s->depth == DOCUMENT_DEPTH_MAX) {
		complain(s, s->at, "no configuration is nested so deeply");
		return -EINVAL;
	}
	s->depth++;
	step(s);
	skip_space(s);
	while (r == 0 && peek(s) != close) {
		if (at_end(s) || is_one_of(peek(s), "]}")) {
			complain(s, s->at,
				 "\"%c\" is missing here, which closes the \"%c\" of "
				 "line %u",
				 close, open, node->at.line);
			return -EINVAL;
		}
		r = read_member(s, node);
		if (r == 0)
			read_comma(s, close);
	}
	if (r == 0)
		step(s);
	s->depth--;
	return r;
}

static int read_value(struct scanner *s, struct node *node)
{
	node->at = s->at;
	switch (peek(s)) {
	case '{':
	case '[':
		return read_members(s, node);
	case '"':
	case '\'':
		return read_text(s, node);
	default:
		return read_word(s, node);
	}
}

/* ---- the document ------------------------------------------------------------------------ */

/* What editors put in front of a text. */
static int read_mark(struct scanner *s)
{
	if (starts_with(s, "\xff\xfe") || starts_with(s, "\xfe\xff")) {
		complain(s, s->at, "the file is in UTF-16; save it as UTF-8");
		return -EINVAL;
	}
	if (starts_with(s, "\xef\xbb\xbf")) {
		faults_add(s->faults, s->at, SEVERITY_WARNING, "",
			   "the file begins with a byte order mark, which other programs "
			   "refuse; save it as UTF-8 without one");
		s->off += 3;
	}
	return 0;
}

static int read_document(struct scanner *s, struct node *root)
{
	int r = read_mark(s);
	if (r < 0)
		return r;
	skip_space(s);
	if (at_end(s)) {
		complain(s, s->at,
			 "there is nothing in the file; a configuration is an "
			 "array of interfaces: [ { ... } ]");
		return -EINVAL;
	}
	r = read_value(s, root);
	if (r < 0)
		return r;
	skip_space(s);
	if (!at_end(s)) {
		s->node = root;
		complain(s, s->at,
			 "the configuration ended before this; several "
			 "interfaces stand in one array: [ { ... }, { ... } ]");
		return -EINVAL;
	}
	return 0;
}

int document_parse(const char *text, size_t len, struct faults *faults,
		   struct node **ret_root)
{
	struct scanner s = { .text = text, .len = len, .at = { 1, 1 }, .faults = faults };
	if (len > WEFT_TUNNEL_CONFIG_LEN_MAX) {
		complain(&s, s.at,
			 "the file has %zu bytes; a configuration has at most %u", len,
			 WEFT_TUNNEL_CONFIG_LEN_MAX);
		return -EINVAL;
	}
	struct node *root = calloc(1, sizeof(*root));
	if (!root)
		return -ENOMEM;
	root->type = JSON_NULL;
	int r = read_document(&s, root);
	if (r < 0) {
		document_free(root);
		return r;
	}
	*ret_root = root;
	return 0;
}
