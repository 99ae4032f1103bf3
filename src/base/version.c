/* SPDX-License-Identifier: MIT */
/*
 * The version that the library was compiled as: a program built against other headers than
 * the library it runs with can tell, by comparing with WEFT_VERSION.
 */
#include <weft/version.h>

const char *weft_version(void)
{
	return WEFT_VERSION;
}
