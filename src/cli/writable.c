/* SPDX-License-Identifier: MIT */
/*
 * A spec is looked at as text: fields divided by ":" and ",", each of which may hold a path.
 * A directory too many is a little more that stays writable, no mistake.
 */
#include "cli/writable.h"

#include <stdio.h>
#include <string.h>

#define DIVIDERS ":,="

void writable_add(struct writable *writable, const char *dir)
{
	if (writable->n == WRITABLE_MAX)
		return;
	(void)snprintf(writable->dirs[writable->n++], WRITABLE_DIR_LEN, "%s", dir);
}

/* The next field of a spec without its backslashes; false at the end. */
static bool next_field(const char **spec, char field[WRITABLE_DIR_LEN])
{
	const char *c = *spec;
	size_t len = 0;
	if (*c == '\0')
		return false;
	for (; *c && !strchr(DIVIDERS, *c); c++) {
		if (*c == '\\' && c[1])
			c++;
		if (len + 1 < WRITABLE_DIR_LEN)
			field[len++] = *c;
	}
	field[len] = '\0';
	*spec = *c ? c + 1 : c;
	return true;
}

/* Whether what a field names opens paths, or makes files, when it runs. */
static bool is_late(const char *field)
{
	static const char *const kinds[] = { "vde",        "vde-p2p", "vfkit",
					     "qemu-dgram", "connect", "capture" };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(field, kinds[i]) == 0)
			return true;
	return false;
}

bool writable_add_spec(struct writable *writable, const char *spec)
{
	char field[WRITABLE_DIR_LEN];
	bool has_late = false, has_path = false;
	while (next_field(&spec, field)) {
		char *slash = strrchr(field, '/');
		has_late |= is_late(field);
		has_path |= slash != NULL || strcmp(field, "capture") == 0;
		if (!slash)
			continue;
		slash[slash == field ? 1 : 0] = '\0';
		writable_add(writable, field);
	}
	return has_late && has_path;
}
