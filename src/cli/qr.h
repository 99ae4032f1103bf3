/* SPDX-License-Identifier: MIT */
/*
 * A text as a QR code (ISO/IEC 18004) on a terminal, for whoever would have to type it: a
 * telephone's camera reads an invitation faster than anybody says it.
 */
#ifndef CLI_QR_H
#define CLI_QR_H

#include <weft/frame.h>

#include <stdio.h>

/**
 * Prints the code of a text, two rows of it in each line, in black on white whatever the
 * terminal's colours are. Returns 0, -EMSGSIZE for a text that is too long, -ENOMEM or -EIO.
 */
int qr_print(FILE *stream, const char *text) WEFT_MUST_CHECK;

#endif
