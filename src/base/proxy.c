/* SPDX-License-Identifier: MIT */
/*
 * Those of libcurl, but for what it takes for HTTP because it does not know it.
 */
#include "base/proxy.h"

#include <stddef.h>

const char *const proxy_schemes[] = { "http://",    "https://",  "socks4://",
				      "socks4a://", "socks5://", "socks5h://",
				      NULL };
