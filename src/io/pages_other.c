/* SPDX-License-Identifier: MIT */
/*
 * Where nothing better is known, memory stays with the process until it ends.
 */
#include "io/pages.h"

void pages_discard(void *pages, size_t len)
{
	(void)pages;
	(void)len;
}
