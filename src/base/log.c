/* SPDX-License-Identifier: MIT */
/*
 * Formats one line and hands it to the writer. The text is put together only when somebody
 * wants it, so that a debug line costs a comparison when the level is lower.
 */
#include <weft/log.h>

#include <stdarg.h>
#include <stdio.h>

/* Longest line in bytes with its NUL; a longer one is cut. */
#define LOG_LINE_LEN 1024

void weft_log(const struct weft_log *log, enum weft_log_level level, const char *fmt, ...)
{
	if (!log || !log->write || level > log->level)
		return;
	char line[LOG_LINE_LEN];
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len >= 0)
		log->write(log->user, level, line);
}
