/* SPDX-License-Identifier: MIT */
/*
 * MADV_DONTNEED takes the pages at once; MADV_FREE would leave them until memory is short, and
 * so leave a process looking as large as its worst moment.
 */
#include "io/pages.h"

#include <sys/mman.h>

void pages_discard(void *pages, size_t len)
{
	(void)madvise(pages, len, MADV_DONTNEED);
}
