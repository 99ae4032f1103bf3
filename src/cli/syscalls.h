/* SPDX-License-Identifier: MIT */
/*
 * Which system calls are left to a program that carries other people's frames.
 */
#ifndef CLI_SYSCALLS_H
#define CLI_SYSCALLS_H

#include <weft/frame.h>

#define SYSCALLS_TEXT 32

/**
 * Forbids, for good and for every thread, the calls that weft never makes once it runs; they
 * fail with EPERM. Returns 0, also where the kernel has no such filter or weft was built
 * without one, or -Exxx.
 */
int syscalls_restrict(void) WEFT_MUST_CHECK;

/**
 * Prints the version of the library that does it into buf and returns buf; NULL where weft was
 * built without.
 */
const char *syscalls_library(char buf[SYSCALLS_TEXT]);

#endif
