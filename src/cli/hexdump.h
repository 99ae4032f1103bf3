/* SPDX-License-Identifier: MIT */
/*
 * Frames byte by byte, for people, in the columns that tapserver prints them in.
 */
#ifndef CLI_HEXDUMP_H
#define CLI_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>

/** Bytes that one line shows. */
#define HEXDUMP_BYTES 16u

/** An offset of 16 digits, " |", three columns for each byte, " | ", the letters, and NUL. */
#define HEXDUMP_TEXT (16 + 2 + 3 * HEXDUMP_BYTES + 3 + HEXDUMP_BYTES + 1)

/**
 * Prints the line of the len bytes at data that begins at offset, which is a multiple of
 * HEXDUMP_BYTES and less than len:
 *
 *     0000000000000010 | 00 01 08 00 06 04 00 01 02 00 00 00 00 02 AC 1E |
 *
 * What is no printable ASCII is a space in the last column. Returns buf.
 */
const char *hexdump_line(const uint8_t *data, size_t len, size_t offset,
			 char buf[HEXDUMP_TEXT]);

#endif
