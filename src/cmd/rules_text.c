/* SPDX-License-Identifier: MIT */
/*
 * Lines are broken where a terminal of 80 columns ends.
 */
#include "cmd/rules_text.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 79

void rules_text_print(json_t *rules, const char *indent)
{
	int column = 0;
	const char *name;
	json_t *value;
	json_object_foreach(rules, name, value)
	{
		const char *word = json_is_string(value) ? json_string_value(value) : "?";
		const int len = (int)(strlen(name) + strlen(word) + strlen(" ="));
		if (column > 0 && column + len > COLUMNS) {
			(void)putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = printf("%s", indent);
		column += printf(" %s=%s", name, word);
	}
	if (column > 0)
		(void)putchar('\n');
}
