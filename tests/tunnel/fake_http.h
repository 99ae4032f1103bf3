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
	bool takes_at_once; /* http_stream_send is possible: */
	uint8_t sent[65536];
	size_t sent_len;
	unsigned sends;
	union weft_sockaddr peer;
	const char *forwarded_for; /* its header x-forwarded-for, or NULL */
};

#endif
