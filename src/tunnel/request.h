/* SPDX-License-Identifier: MIT */
/*
 * One of the two requests of a client's lane, and when it is made again:
 *
 *     it has come to its regular end   at once, unless that was within a second
 *     so has one of late               after half a second to one: the server is likely to be
 *                                      back soon
 *     else                             after 3 to 10 s
 *
 * By chance within these, so that a server that comes back is not met by all at once.
 */
#ifndef TUNNEL_REQUEST_H
#define TUNNEL_REQUEST_H

#include "base/rng.h"
#include "base/time.h"
#include "http/http.h"

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_RETRY_MIN_NS (3 * NS_PER_S)
#define REQUEST_RETRY_MAX_NS (10 * NS_PER_S)

/** What ends regularly after less than this is not begun again at once. */
#define REQUEST_LIFE_MIN_NS NS_PER_S

/** After a regular end it is tried more often for so long, each time after once to twice SOON. */
#define REQUEST_GOODBYE_NS (10 * NS_PER_S)
#define REQUEST_SOON_NS    (500 * NS_PER_MS)

struct client;

struct request {
	struct client *client;
	bool is_put;
	unsigned lane;
	struct http_stream *stream; /**< NULL while it is not under way. */
	bool is_accepted;           /**< By the server, and has not ended since. */
	unsigned status;            /**< Of the answer; 0 for none. */
	uint64_t due;               /**< When to make it; WEFT_NEVER for not at all. */
	uint64_t since;             /**< When it was made. */
};

/** What all requests of a client share. */
struct retry {
	struct rng rng;
	uint64_t goodbye; /**< When one came to its regular end last; 0: never. */
};

/** When one that has ended like this is to be made again. */
uint64_t request_retry(const struct request *request, struct retry *retry,
		       enum http_end end, uint64_t now);

/** A sentence on why it has ended. err may be empty. */
const char *request_reason(const struct request *request, enum http_end end,
			   const struct weft_error *err);

#endif
