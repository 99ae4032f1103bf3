/* SPDX-License-Identifier: MIT */
/*
 * Fills struct weft_error. A sentence that is too long is cut at the end of the buffer: the
 * beginning, which says what is wrong, is the part that must arrive.
 */
#include <weft/error.h>

#include <stdarg.h>
#include <stdio.h>

int weft_error_set(struct weft_error *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;
	va_list args;
	va_start(args, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, args) < 0)
		err->text[0] = '\0';
	va_end(args);
	return code;
}
