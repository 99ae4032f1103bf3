/* SPDX-License-Identifier: MIT */
/*
 * What every unit test includes: cmocka with the headers that it wants before it, and seeds
 * for random tests: another one each run, printed, and repeatable by
 *
 *     TEST_SEED=1234 meson test ...
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>
#include <time.h>

static inline uint64_t test_seed(void)
{
	const char *text = getenv("TEST_SEED");
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t clock_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	uint64_t seed = text ? strtoull(text, NULL, 0) : clock_ns;
	print_message("# TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

#endif
