/* SPDX-License-Identifier: MIT */
/*
 * Globs over the tags and names of clients: "*" stands for any characters, also none, and "?"
 * for any one byte. Nothing else is special, so a tag that is written out matches itself.
 */
#ifndef CONFIG_GLOB_H
#define CONFIG_GLOB_H

#include <stdbool.h>

/** Whether there is a "*" or "?" in it. */
bool glob_is_glob(const char *pattern);

/** Whether all of text is what the pattern describes. Takes |pattern| * |text| at most. */
bool glob_matches(const char *pattern, const char *text);

#endif
