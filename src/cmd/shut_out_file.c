/* SPDX-License-Identifier: MIT */
/*
 * A line that is none is an error: a relay that passes over it may let somebody in who was to
 * stay out.
 */
#include "cmd/shut_out_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "shut-out"

/* With a space and an end. */
#define LINE_TEXT (WEFT_SHUT_OUT_TEXT + WEFT_MEMBER_NAME_MAX + 2u)

void shut_out_lines_fini(struct shut_out_lines *lines)
{
	free(lines->items);
	*lines = (struct shut_out_lines){ 0 };
}

static int append(struct shut_out_lines *lines, const struct shut_out_line *line)
{
	struct shut_out_line *items =
		realloc(lines->items, (lines->n + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	items[lines->n++] = *line;
	lines->items = items;
	return 0;
}

const char *shut_out_line_what(const struct shut_out_line *line)
{
	const char *slash = strchr(line->who, '/');
	return slash ? slash + 1 : line->who;
}

bool shut_out_line_is_address(const struct shut_out_line *line)
{
	return strpbrk(shut_out_line_what(line), ".:") != NULL;
}

/* ---- reading and writing ----------------------------------------------------------------- */

static int parse_line(const char *text, size_t len, struct weft_error *err,
		      struct shut_out_line *ret_line)
{
	char line[LINE_TEXT];
	if (len >= sizeof(line) || memchr(text, '\0', len))
		return weft_error_set(err, -EBADMSG,
				      "it is no line of text, or too long");
	memcpy(line, text, len);
	line[len] = '\0';
	char *space = strchr(line, ' ');
	const char *name = space ? space + 1 : "";
	if (space)
		*space = '\0';
	if (space &&
	    (strlen(name) > WEFT_MEMBER_NAME_MAX || !weft_room_name_is_valid(name)))
		return weft_error_set(err, -EBADMSG, "\"%.40s\" is nobody's name", name);
	(void)snprintf(ret_line->name, sizeof(ret_line->name), "%s", name);
	return weft_shut_out_check(line, err, ret_line->who);
}

static int parse(const char *text, size_t text_len, const struct state *state,
		 struct weft_error *err, struct shut_out_lines *lines)
{
	unsigned number = 1;
	for (size_t at = 0, len; at < text_len; at += len + 1, number++) {
		const char *end = memchr(text + at, '\n', text_len - at);
		struct weft_error why;
		struct shut_out_line line;
		len = end ? (size_t)(end - text) - at : text_len - at;
		int r = parse_line(text + at, len, &why, &line);
		if (r < 0)
			return weft_error_set(err, -EBADMSG,
					      "%s/" FILE_NAME
					      ":%u: %s; take the line out",
					      state->dir, number, why.text);
		r = append(lines, &line);
		if (r < 0)
			return weft_error_set(err, r, "out of memory");
	}
	return 0;
}

int shut_out_file_read(const struct state *state, struct weft_error *err,
		       struct shut_out_lines *ret_lines)
{
	struct shut_out_lines lines = { 0 };
	char *text = NULL;
	int r = state_load(state, FILE_NAME, err, &text);
	if (r < 0 && r != -ENOENT)
		return r;
	r = parse(text ? text : "", r < 0 ? 0 : (size_t)r, state, err, &lines);
	free(text);
	if (r < 0)
		shut_out_lines_fini(&lines);
	else
		*ret_lines = lines;
	return r;
}

static int write_all(const struct state *state, const struct shut_out_lines *lines,
		     struct weft_error *err)
{
	char *text = malloc(lines->n * LINE_TEXT + 1);
	size_t len = 0;
	if (!text)
		return weft_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < lines->n; i++) {
		const struct shut_out_line *line = &lines->items[i];
		len += (size_t)snprintf(text + len, LINE_TEXT + 1, "%s%s%s\n", line->who,
					line->name[0] ? " " : "", line->name);
	}
	int r = state_store(state, FILE_NAME, text, len, err);
	free(text);
	return r;
}

/* ---- what is done with it ---------------------------------------------------------------- */

int shut_out_file_load(const struct state *state, struct weft_relay *relay,
		       struct weft_error *err)
{
	struct shut_out_lines lines = { 0 };
	struct weft_error why;
	int r = shut_out_file_read(state, err, &lines);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lines.n && r == 0; i++)
		r = weft_relay_shut_out(relay, lines.items[i].who, &why);
	shut_out_lines_fini(&lines);
	return r < 0 ? weft_error_set(err, r, "%s/" FILE_NAME ": %s", state->dir,
				      why.text)
		     : 0;
}

static bool has(const struct shut_out_lines *lines, const struct shut_out_line *line)
{
	for (size_t i = 0; i < lines->n; i++)
		if (strcmp(lines->items[i].who, line->who) == 0)
			return true;
	return false;
}

int shut_out_file_add(const struct state *state, const char *who, const char *name,
		      struct weft_error *err)
{
	struct shut_out_lines lines = { 0 };
	struct shut_out_line line;
	int r = weft_shut_out_check(who, err, line.who);
	if (r == 0)
		r = shut_out_file_read(state, err, &lines);
	if (r < 0)
		return r;
	(void)snprintf(line.name, sizeof(line.name), "%s", name);
	if (!has(&lines, &line)) {
		r = append(&lines, &line);
		r = r < 0 ? weft_error_set(err, r, "out of memory")
			  : write_all(state, &lines, err);
	}
	shut_out_lines_fini(&lines);
	return r;
}

/* An address in any form is that of the line; so is a key. */
static bool is_meant(const struct shut_out_line *line, const struct shut_out_query *query)
{
	const int room_len = (int)(shut_out_line_what(line) - line->who);
	char whole[WEFT_SHUT_OUT_TEXT], other[WEFT_SHUT_OUT_TEXT];
	struct weft_error ignored;
	if (query->room && room_len > 0 &&
	    (strncmp(line->who, query->room, (size_t)room_len - 1) != 0 ||
	     query->room[room_len - 1] != '\0'))
		return false;
	if ((line->name[0] && strcmp(line->name, query->text) == 0) ||
	    strcmp(line->who, query->text) == 0)
		return true;
	(void)snprintf(whole, sizeof(whole), "%.*s%s", room_len, line->who, query->text);
	return weft_shut_out_check(whole, &ignored, other) == 0 &&
	       strcmp(line->who, other) == 0;
}

int shut_out_file_remove(const struct state *state, const struct shut_out_query *query,
			 struct weft_error *err, struct shut_out_lines *ret_removed)
{
	struct shut_out_lines all = { 0 }, rest = { 0 }, removed = { 0 };
	int r = shut_out_file_read(state, err, &all);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n && r == 0; i++)
		r = append(is_meant(&all.items[i], query) ? &removed : &rest,
			   &all.items[i]);
	if (r < 0)
		(void)weft_error_set(err, r, "out of memory");
	else if (removed.n > 0)
		r = write_all(state, &rest, err);
	shut_out_lines_fini(&all);
	shut_out_lines_fini(&rest);
	if (r < 0)
		shut_out_lines_fini(&removed);
	else
		*ret_removed = removed;
	return r;
}
