/* SPDX-License-Identifier: MIT */
/*
 * A request of the client's, from its opening to its end.
 *
 * curl must not be called from within its own callbacks, and that is where most events come
 * from. So what a user wants of a stream (begin, go on, break off) is a mark on it, and the
 * stream is on the list of those that have one; the next run, which is due at once, does it.
 *
 * curl pauses a direction from within its callback only, by the callback's return value. What
 * it has read by then it keeps: one buffer with HTTP/1.1, up to its window with HTTP/2.
 */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "base/list.h"
#include "http/direct.h"
#include "http/multi.h"
#include "http/setup.h"
#include "http/stream.h"

#include <curl/curl.h>

struct http_client {
	struct weft_task task;
	struct setup *setup;
	struct multi *multi;
	struct list streams;
	struct list marked; /* Streams that want something of the next run; */
	struct list held;   /* those whose body waits behind its head, oldest first. */
	uint8_t *scratch;   /* What streams put out; NULL until it is needed. */
	uint64_t now;
	uint64_t deadline; /* curl's own. */
	bool is_ending;    /* Nothing is opened any more. */
};

struct transfer {
	struct http_stream stream; /* First. */
	struct list node;
	struct list mark, hold;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct direct direct; /* Of a PUT that curl has left to us, */
	uint64_t direct_at;   /* from then on; */
	struct watch *watch;  /* direct's socket, or NULL. */
	char error[CURL_ERROR_SIZE];
	size_t head_len;
	unsigned status; /* 0 before the response's head. */
	bool is_put;
	bool is_open;       /* curl has it. */
	bool is_in_paused;  /* curl waits for is_reading; */
	bool is_out_paused; /* for a wake. */
	bool is_woken;      /* Since output was asked last. */
	bool is_out_over;   /* output is not asked again. */
	bool is_lost;       /* The server has gone while curl was paused. */
	bool is_asked;  /* What is put out has found its way: direct, or through curl. */
	bool has_begun; /* output has been asked: a connection has been there. */
};

/** Begins with the client's next run. Returns 0, -EINVAL for the URL, or -ENOMEM. */
int transfer_new(struct http_client *client, const struct http_client_request *request,
		 struct transfer **ret_transfer) WEFT_MUST_CHECK;

/** Does what is wanted of a marked one, which may end it. */
void transfer_act(struct transfer *t);

/** The client's next run is to do what is wanted of it. */
void transfer_mark(struct transfer *t);

/** curl has come to its end: tells of that, and frees it. */
void transfer_done(struct transfer *t, CURLcode result);

/** For multi_new: what curl waits for tells of the connection's end. */
void transfer_on_wait(CURL *easy, int what);

#endif
