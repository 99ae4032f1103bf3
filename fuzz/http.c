/* SPDX-License-Identifier: MIT */
/*
 * What a client of `weft http` says. A request that is taken names a path that begins with a
 * slash and has no zero in it, and a range that can be; one that is refused gets a status that
 * says so.
 */
#include "../src/cmd/http_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                  \
	do {                                                         \
		if (!(what)) {                                       \
			(void)fprintf(stderr, "false: %s\n", #what); \
			abort();                                     \
		}                                                    \
	} while (0)

static void check_taken(const struct http_request *request)
{
	CHECK(request->path[0] == '/');
	CHECK(memchr(request->path, '\0', sizeof(request->path)));
	if (request->has_range && !request->is_suffix)
		CHECK(request->range_first <= request->range_last);
}

static void check_refused(unsigned status)
{
	static const unsigned all[] = { 400, 405, 414, 501, 505 };
	size_t i = 0;
	while (i < sizeof(all) / sizeof(all[0]) && all[i] != status)
		i++;
	CHECK(i < sizeof(all) / sizeof(all[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text ends where memory does, so that a read too far is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request request;
	char *text = malloc(size ? size : 1);
	CHECK(text);
	if (size > 0)
		memcpy(text, data, size);
	unsigned status = http_request_parse(text, size, &request);
	if (status == 0)
		check_taken(&request);
	else
		check_refused(status);
	free(text);
	return 0;
}
