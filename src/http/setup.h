/* SPDX-License-Identifier: MIT */
/*
 * The client's options, made into those of libcurl, and what libcurl says of failures made
 * into sentences.
 */
#ifndef HTTP_SETUP_H
#define HTTP_SETUP_H

#include "http/http.h"

#include <curl/curl.h>
#include <gnutls/gnutls.h>

struct setup;

/** Copies and checks the options. Returns 0, or -Exxx with err. */
int setup_new(const struct http_client_opts *opts, struct weft_error *err,
	      struct setup **ret_setup) WEFT_MUST_CHECK;

/** NULL is allowed. No handle that it was applied to may be in use. */
void setup_free(struct setup *setup);

/** Sets all but callbacks and headers. Returns 0, -EINVAL for the URL, or -ENOMEM. */
int setup_apply(const struct setup *setup, const struct http_client_request *request,
		CURL *easy) WEFT_MUST_CHECK;

/** Another congestion control, for sockets to come; NULL for the system's. */
void setup_set_congestion(struct setup *setup, const char *congestion);

/** The one there is; NULL for the system's. */
const char *setup_congestion(const struct setup *setup);

/** Whether one family of addresses is to be tried before the other. */
bool setup_has_preference(const struct setup *setup);

/** Has a request that is not under way try the preferred family alone, for 2 s, or both. */
void setup_set_preference(const struct setup *setup, CURL *easy, bool is_alone);

/** Whether a request that tried one family alone may be made with both, having ended so. */
bool setup_may_fall_back(CURLcode result);

/**
 * Whether chunks may go past curl through the socket of a request that is under way, and what
 * encrypts them there: NULL for nothing.
 */
bool setup_way_past(const struct setup *setup, CURL *easy, gnutls_session_t *ret_session);

/** How a request ended. */
struct setup_end {
	const char *url;
	CURLcode result;
	const char *text;     /**< What curl says beyond that. */
	unsigned status;      /**< 0 without a response. */
	const char *location; /**< Where a response leads to, or NULL. */
	bool is_head_too_long;
};

/** Says what went wrong and what can be done about it. */
void setup_explain(const struct setup *setup, const struct setup_end *end,
		   struct weft_error *ret_error);

#endif
