/* SPDX-License-Identifier: MIT */
/*
 * Errors that a user must read.
 *
 * Functions of weft return >= 0 for success and -Exxx for failure. Where the reason is
 * something that a person has to mend (a command line, a file, a permission), the function
 * also takes a struct weft_error and fills it with one sentence: what is wrong, where, and
 * what to do about it.
 *
 *     struct weft_error err;
 *     int r = weft_link_open("tap:weft0", &err, &link);
 *     if (r < 0)
 *             fprintf(stderr, "%s\n", err.text);
 */
#ifndef WEFT_ERROR_H
#define WEFT_ERROR_H

#include <weft/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One sentence for a person; empty when nothing failed. */
struct weft_error {
	char text[400];
};

/**
 * Fills err (which may be NULL) with a printf-formatted sentence.
 * Returns code unchanged, so that `return weft_error_set(err, -EINVAL, "...")` reads well.
 */
WEFT_API WEFT_PRINTF(3, 4) int weft_error_set(struct weft_error *err, int code,
					      const char *fmt, ...);

#ifdef __cplusplus
}
#endif
#endif
