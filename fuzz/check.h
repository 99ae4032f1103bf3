/* SPDX-License-Identifier: MIT */
/* What must hold whatever comes: says what did not, and ends the process for the fuzzer. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			(void)fprintf(stderr, "%s:%d: false: %s\n", __FILE__, __LINE__, \
				      #condition);                                      \
			abort();                                                        \
		}                                                                       \
	} while (0)

#endif
