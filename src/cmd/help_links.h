/* SPDX-License-Identifier: MIT */
/*
 * `weft help links [KIND]`: how links are named.
 */
#ifndef CMD_HELP_LINKS_H
#define CMD_HELP_LINKS_H

/** Prints what there is to say of one kind, such as "tap", or of all (NULL). Returns the status. */
int help_links(const char *kind);

#endif
