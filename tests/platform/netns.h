/* SPDX-License-Identifier: MIT */
/*
 * Tests against the kernel itself run in network namespaces that belong to the test process:
 * they end with it, and nothing of the machine is touched. Where that is not permitted, or
 * a tool is missing, the program is skipped with the reason.
 */
#ifndef TESTS_PLATFORM_NETNS_H
#define TESTS_PLATFORM_NETNS_H

#include "link/link.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * For main: says why these tests cannot run here (no namespaces, no ip(8), with needs_tun no
 * /dev/net/tun), or gives NULL.
 */
const char *platform_lacks(bool needs_tun);

/* The whole program is skipped, in the words of the TAP protocol. Returns the exit status. */
int skip_all(const char *reason);

/* Moves the process into a new namespace with its loopback up. */
void netns_enter(void);

/* Runs a shell command made by printf, and says whether it succeeded. */
bool try_sh(const char *format, ...) WEFT_PRINTF(1, 2);

/* One that has to. */
#define sh(...) assert_true(try_sh(__VA_ARGS__))

/* Opens a link that has to open. */
struct weft_link *open_link(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* CLOCK_MONOTONIC in ns. */
uint64_t clock_now(void);

/*
 * Runs links as a loop would until done(user) or for five seconds. Returns whether it is
 * done.
 */
bool run_links(struct weft_link *const links[], size_t n, bool (*done)(void *user),
	       void *user);

#endif
