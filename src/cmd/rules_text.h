/* SPDX-License-Identifier: MIT */
/*
 * Rules of rooms and members as the facts of a relay have them, {"group": "200/400"}, for people:
 * as they are written to change them.
 */
#ifndef CMD_RULES_TEXT_H
#define CMD_RULES_TEXT_H

#include <jansson.h>

/** " group=200/400 bytes=off", in lines that begin with indent; nothing for none. */
void rules_text_print(json_t *rules, const char *indent);

#endif
