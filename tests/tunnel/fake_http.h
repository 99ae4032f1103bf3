/* SPDX-License-Identifier: MIT */
/*
 * The HTTP face as a test has it: streams that note what is done to them, and nothing else.
 */
#ifndef TESTS_TUNNEL_FAKE_HTTP_H
#define TESTS_TUNNEL_FAKE_HTTP_H

#include "http/http.h"

#include <stdbool.h>

struct http_stream {
	bool is_woken;
	bool is_aborted;
};

#endif
