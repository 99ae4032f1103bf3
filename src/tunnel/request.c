/* SPDX-License-Identifier: MIT */
/*
 * What a status means is said in the words of a tunnel, not of HTTP.
 */
#include "tunnel/request.h"

#include "tunnel/netif.h"

uint64_t request_retry(const struct request *request, struct retry *retry,
		       enum http_end end, uint64_t now)
{
	const uint64_t spread = REQUEST_RETRY_MAX_NS - REQUEST_RETRY_MIN_NS;
	if (end == HTTP_ENDED && now - request->since >= REQUEST_LIFE_MIN_NS) {
		retry->goodbye = now;
		return now;
	}
	if (retry->goodbye && now - retry->goodbye < REQUEST_GOODBYE_NS)
		return now + REQUEST_SOON_NS + rng_below(&retry->rng, REQUEST_SOON_NS);
	return now + REQUEST_RETRY_MIN_NS + rng_below(&retry->rng, spread);
}

const char *request_reason(const struct request *request, enum http_end end,
			   const struct weft_error *err)
{
	switch (request->status) {
	case 401:
	case 403:
		return "the server does not know this token";
	case 409:
		return "the server's interface has another \"mode\" than this one";
	case 503:
		return "the server, or a proxy, is busy";
	default:
		return netif_reason(end, err);
	}
}
