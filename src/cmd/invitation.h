/* SPDX-License-Identifier: MIT */
/*
 * Where a room's invitation is taken from: the text itself, a line of standard input, a file, the
 * environment, or a terminal that does not show it.
 */
#ifndef CMD_INVITATION_H
#define CMD_INVITATION_H

#include <weft/lan.h>

#include <stdint.h>

/**
 * Takes it from an operand: the text, "-" for a line of standard input, or "@FILE" for the first
 * of a file. The secret of a text is blanked where it stands, so that ps does not show it; but sudo
 * has it still. NULL or "weft:" takes it from $WEFT_INVITATION, which is wiped, or else from the
 * terminal. verb is for messages.
 * Returns 0, or -Exxx with err, whose text is empty where it has been said what is wrong; -EINVAL:
 * what is there is no invitation.
 */
int invitation_read(const char *verb, char *operand, struct weft_error *err,
		    struct weft_invite *ret_invite) WEFT_MUST_CHECK;

/**
 * The Unix time after so long, for a pass, or WEFT_PASS_NEVER for 0; -1 where that is too far away
 * to be said.
 */
int64_t invitation_expiry(uint64_t after_ns);

#endif
