/* SPDX-License-Identifier: MIT */
/*
 * They come nearly in order, so each is put in its place when it comes.
 */
#include "config/faults.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int place_compare(struct place a, struct place b)
{
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return (a.column > b.column) - (a.column < b.column);
}

void faults_fini(struct faults *faults)
{
	free(faults->items);
	*faults = (struct faults){ 0 };
}

/* Takes out the last warning, so that there is room for an error. False if there is none. */
static bool drop_warning(struct faults *faults)
{
	size_t i = faults->n;
	while (i > 0 && !faults->items[i - 1].is_warning)
		i--;
	if (i == 0)
		return false;
	memmove(&faults->items[i - 1], &faults->items[i],
		(faults->n - i) * sizeof(faults->items[0]));
	faults->n--;
	return true;
}

/* Makes room for one more. False if there can be none. */
static bool grow(struct faults *faults, bool is_warning)
{
	if (faults->n == FAULTS_MAX) {
		faults->left_out++;
		return !is_warning && drop_warning(faults);
	}
	if (faults->n < faults->room)
		return true;
	size_t room = faults->room ? 2 * faults->room : 16;
	room = room < FAULTS_MAX ? room : FAULTS_MAX;
	struct weft_tunnel_fault *items = realloc(faults->items, room * sizeof(*items));
	if (!items) {
		faults->is_no_memory = true;
		return false;
	}
	faults->items = items;
	faults->room = room;
	return true;
}

/* Makes a gap where a fault at that place belongs. */
static struct weft_tunnel_fault *insert(struct faults *faults, struct place at)
{
	size_t i = faults->n;
	for (; i > 0; i--) {
		const struct weft_tunnel_fault *before = &faults->items[i - 1];
		const struct place place = { before->line, before->column };
		if (place_compare(place, at) <= 0)
			break;
	}
	memmove(&faults->items[i + 1], &faults->items[i],
		(faults->n - i) * sizeof(faults->items[0]));
	faults->n++;
	return &faults->items[i];
}

/* What was cut off or quoted may be no UTF-8, and that nobody could print. */
static void keep_utf8(char *text)
{
	json_t *string = json_string(text);
	for (; !string && *text; text++)
		if ((unsigned char)*text >= 0x80)
			*text = '?';
	json_decref(string);
}

void faults_add(struct faults *faults, struct place at, enum severity severity,
		const char *path, const char *format, ...)
{
	const bool is_warning = severity == SEVERITY_WARNING;
	va_list args;
	faults->errors += !is_warning;
	if (!grow(faults, is_warning))
		return;
	struct weft_tunnel_fault *fault = insert(faults, at);
	*fault = (struct weft_tunnel_fault){
		.is_warning = is_warning,
		.line = at.line,
		.column = at.column,
	};
	(void)snprintf(fault->path, sizeof(fault->path), "%s", path);
	va_start(args, format);
	(void)vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	keep_utf8(fault->path);
	keep_utf8(fault->text);
}

void faults_tell(const struct faults *faults, weft_tunnel_fault_fn *fn, void *user)
{
	for (size_t i = 0; i < faults->n; i++)
		fn(user, &faults->items[i]);
	if (faults->left_out == 0)
		return;
	struct weft_tunnel_fault rest = {
		.is_warning = true,
		.line = faults->items[faults->n - 1].line,
		.column = faults->items[faults->n - 1].column,
	};
	(void)snprintf(rest.text, sizeof(rest.text), "%zu more are not shown",
		       faults->left_out);
	fn(user, &rest);
}
