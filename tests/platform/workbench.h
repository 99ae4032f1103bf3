/* SPDX-License-Identifier: MIT */
/*
 * A workbench for links on the running kernel: opens them, and runs them in real time as a
 * loop would.
 */
#ifndef TESTS_PLATFORM_WORKBENCH_H
#define TESTS_PLATFORM_WORKBENCH_H

#include "link/link.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens a link that has to open. */
struct weft_link *open_link(const char *format, ...) WEFT_PRINTF(1, 2);

/* CLOCK_MONOTONIC in ns. */
uint64_t clock_now(void);

/*
 * Runs links as a loop would until done(user) or for five seconds. Returns whether it is
 * done.
 */
bool run_links(struct weft_link *const links[], size_t n, bool (*done)(void *user),
	       void *user);

#endif
