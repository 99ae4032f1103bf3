/* SPDX-License-Identifier: MIT */
/*
 * A line is blanks of its full length first, so that the last one of a frame is as long as
 * the others.
 */
#include "cli/hexdump.h"

#include <stdio.h>
#include <string.h>

#define HEX_COLUMN  18u
#define TEXT_COLUMN (HEX_COLUMN + 3 * HEXDUMP_BYTES + 3)

const char *hexdump_line(const uint8_t *data, size_t len, size_t offset,
			 char buf[HEXDUMP_TEXT])
{
	static const char digits[] = "0123456789ABCDEF";
	char head[HEX_COLUMN + 1];
	memset(buf, ' ', HEXDUMP_TEXT - 1);
	buf[HEXDUMP_TEXT - 1] = '\0';
	(void)snprintf(head, sizeof(head), "%016zX |", offset);
	memcpy(buf, head, HEX_COLUMN);
	buf[TEXT_COLUMN - 2] = '|';
	for (size_t i = 0; i < HEXDUMP_BYTES && offset + i < len; i++) {
		uint8_t byte = data[offset + i];
		buf[HEX_COLUMN + 3 * i + 1] = digits[byte >> 4];
		buf[HEX_COLUMN + 3 * i + 2] = digits[byte & 15];
		if (byte >= 0x20 && byte < 0x7f)
			buf[TEXT_COLUMN + i] = (char)byte;
	}
	return buf;
}
