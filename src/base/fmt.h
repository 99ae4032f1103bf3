/* SPDX-License-Identifier: MIT */
/*
 * Text put together in a buffer of the caller's: never overruns, never allocates, and says
 * so where something did not fit ("...").
 *
 *     char buf[80];
 *     struct fmt f;
 *     fmt_init(&f, buf, sizeof(buf));
 *     fmt_add(&f, "%u members, ", n);
 *     fmt_duration(&f, ns);
 *     puts(fmt_text(&f));                       // "3 members, 2.1 s"
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fmt {
	char *buf;
	size_t len; /**< Of buf, in bytes. */
	size_t off; /**< Where the NUL is. */
	bool truncated;
};

/** Begins an empty text in buf of len bytes (>= 1). */
void fmt_init(struct fmt *f, char *buf, size_t len);

/**
 * Appends. What does not fit is cut and the text ended with "..."; nothing is appended
 * after that.
 */
void fmt_add(struct fmt *f, const char *format, ...) WEFT_PRINTF(2, 3);

/** The text so far, with its NUL. Lives in the caller's buffer. */
const char *fmt_text(const struct fmt *f);

/** Appends a time span: "153 us", "2.1 s", "3 min 20 s", "2 h 5 min", "4 d 6 h". */
void fmt_duration(struct fmt *f, uint64_t ns);

#endif
