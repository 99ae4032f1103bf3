/* SPDX-License-Identifier: MIT */
/*
 * --filter RULE=N|off: what the rooms of a relay let through, as words (docs/filters.md).
 */
#ifndef CMD_RELAY_RULES_H
#define CMD_RELAY_RULES_H

#include "cli/options.h"

#include <weft/lan.h>

/** What is wrong with the words; NULL if nothing is. */
const char *relay_rules_check(const struct option_list *texts);

/** The rules that they stand for, once relay_rules_check has found nothing wrong. */
struct weft_room_rules relay_rules_of(const struct option_list *texts);

#endif
