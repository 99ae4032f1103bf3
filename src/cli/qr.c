/* SPDX-License-Identifier: MIT */
/*
 * Each character is two modules, one above the other: Unicode's half blocks. The margin of
 * four modules is part of the code (ISO/IEC 18004, 9.1).
 */
#include "cli/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>

#define MARGIN 4

#define BLACK_ON_WHITE "\033[30;47m"
#define AS_BEFORE      "\033[0m"

static bool is_black(const QRcode *code, int x, int y)
{
	x -= MARGIN;
	y -= MARGIN;
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
	       (code->data[y * code->width + x] & 1);
}

static void print_line(FILE *stream, const QRcode *code, int y)
{
	static const char *const blocks[2][2] = { { " ", "\u2584" },
						  { "\u2580", "\u2588" } };
	(void)fputs(BLACK_ON_WHITE, stream);
	for (int x = 0; x < code->width + 2 * MARGIN; x++)
		(void)fputs(blocks[is_black(code, x, y)][is_black(code, x, y + 1)],
			    stream);
	(void)fputs(AS_BEFORE "\n", stream);
}

int qr_print(FILE *stream, const char *text)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (!code)
		return errno == ERANGE ? -EMSGSIZE : -ENOMEM;
	for (int y = 0; y < code->width + 2 * MARGIN; y += 2)
		print_line(stream, code, y);
	QRcode_free(code);
	return ferror(stream) ? -EIO : 0;
}
