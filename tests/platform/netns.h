/* SPDX-License-Identifier: MIT */
/*
 * Tests against the kernel itself run in network namespaces that belong to the test process:
 * they end with it, and nothing of the machine is touched. Where that is not permitted, or
 * a tool is missing, the program is skipped with the reason:
 *
 *     const char *lack = netns_lacks();
 *     return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
 */
#ifndef TESTS_PLATFORM_NETNS_H
#define TESTS_PLATFORM_NETNS_H

#include <weft/frame.h>

#include <stdbool.h>

/*
 * For main: says why these tests cannot run here (no namespaces, no ip(8)), or moves the
 * process into a namespace with its loopback up and gives NULL.
 */
const char *netns_lacks(void);

/* The same for tests that need /dev/net/tun as well. */
const char *netns_lacks_tun(void);

/* The whole program is skipped, in the words of the TAP protocol. Returns the exit status. */
int skip_all(const char *reason);

/* Moves the process into a new namespace with its loopback up. */
void netns_enter(void);

/*
 * Moves it into a new and empty one and says whether it could. Who is not root becomes that
 * in a user namespace first, where anybody may make network namespaces.
 */
bool netns_try_enter(void);

/* Runs a shell command made by printf, and says whether it succeeded. */
bool try_sh(const char *format, ...) WEFT_PRINTF(1, 2);

/* One that has to. */
#define sh(...) assert_true(try_sh(__VA_ARGS__))

#endif
