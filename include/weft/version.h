/* SPDX-License-Identifier: MIT */
/*
 * Which weft this is: the header's version at compile time, the library's at run time.
 *
 *     printf("compiled with %s, runs with %s\n", WEFT_VERSION, weft_version());
 */
#ifndef WEFT_VERSION_H
#define WEFT_VERSION_H

#include <weft/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this header (https://semver.org). */
#define WEFT_VERSION "0.1.0"

/** Version of the library that is running, in the form of WEFT_VERSION. */
WEFT_API const char *weft_version(void);

#ifdef __cplusplus
}
#endif
#endif
