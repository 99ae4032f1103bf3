/* SPDX-License-Identifier: MIT */
/*
 * Memory in whole pages, as the system gives it out and takes it back.
 */
#ifndef IO_PAGES_H
#define IO_PAGES_H

#include <stddef.h>

/**
 * Gives back what lies under a range of pages; the addresses stay the caller's, and what they
 * hold is unknown until it is written again. Both must be multiples of the page size. It may
 * do nothing.
 */
void pages_discard(void *pages, size_t len);

#endif
