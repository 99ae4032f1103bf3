/* SPDX-License-Identifier: MIT */
/*
 * Where a room's invitation is taken from: the text itself, a line of standard input, or a file.
 */
#ifndef CMD_INVITATION_H
#define CMD_INVITATION_H

#include <weft/lan.h>

/**
 * Takes it from an operand: the text, "-" for a line of standard input, or "@FILE" for the first
 * of a file. The secret of a text is blanked where it stands, so that ps does not show it.
 * Returns 0, or -Exxx with err; -EINVAL: what is there is no invitation.
 */
int invitation_read(char *operand, struct weft_error *err,
		    struct weft_invite *ret_invite) WEFT_MUST_CHECK;

#endif
