/* SPDX-License-Identifier: MIT */
/*
 * A "*" first takes nothing. Where what follows it does not match, the last "*" takes one more;
 * those before it need not be tried again, as what they took can only be too little.
 */
#include "config/glob.h"

#include <stddef.h>
#include <string.h>

bool glob_is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?") != NULL;
}

bool glob_matches(const char *pattern, const char *text)
{
	const char *star = NULL,
		   *taken = NULL; /* The last "*", and the end of its share. */
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			taken = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++taken;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}
