/* SPDX-License-Identifier: MIT */
/*
 * Where roles and commands report. The library has no global log: whoever makes a relay or
 * a member hands in a struct weft_log, and it may be NULL for silence.
 *
 *     static void write_line(void *user, enum weft_log_level level, const char *text)
 *     {
 *             fprintf(user, "%d %s\n", level, text);
 *     }
 *     const struct weft_log log = { write_line, stderr, WEFT_LOG_INFO };
 *     weft_log_info(&log, "%u members", n);
 */
#ifndef WEFT_LOG_H
#define WEFT_LOG_H

#include <weft/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/** From what a person has to know to what only a developer wants. */
enum weft_log_level { WEFT_LOG_ERROR, WEFT_LOG_WARNING, WEFT_LOG_INFO, WEFT_LOG_DEBUG };

/** Where lines go, and which. */
struct weft_log {
	/** Called with one line without its newline. The text is borrowed for the call. */
	void (*write)(void *user, enum weft_log_level level, const char *text);
	void *user;
	enum weft_log_level level; /**< The most detailed level that is wanted. */
};

/** Writes one line if log is not NULL and the level is wanted. */
WEFT_API WEFT_PRINTF(3, 4) void weft_log(const struct weft_log *log,
					 enum weft_log_level level, const char *fmt, ...);

#define weft_log_error(log, ...)   weft_log(log, WEFT_LOG_ERROR, __VA_ARGS__)
#define weft_log_warning(log, ...) weft_log(log, WEFT_LOG_WARNING, __VA_ARGS__)
#define weft_log_info(log, ...)    weft_log(log, WEFT_LOG_INFO, __VA_ARGS__)
#define weft_log_debug(log, ...)   weft_log(log, WEFT_LOG_DEBUG, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
