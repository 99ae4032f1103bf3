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
#include "http/chunks.h"
#include "http/conduit.h"
#include "http/direct.h"
#include "http/due.h"
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
	struct list held;   /* those whose body waits behind its head, oldest first; */
	struct list paused; /* those that put out nothing before their time, likewise. */
	uint8_t *scratch;   /* What streams put out; NULL until it is needed. */
	uint64_t now;
	uint64_t deadline;   /* curl's own. */
	uint64_t prefers_at; /* Until then no family is tried before the other. */
	bool is_ending;      /* Nothing is opened any more. */
};

struct transfer {
	struct http_stream stream; /* First. */
	struct list node;
	struct list mark;
	struct due hold; /* Until then direct is not used, so that its head goes first. */
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct direct direct;     /* Of a PUT that curl has left to us; */
	struct due pause;         /* its path is full until then; */
	struct watch *watch;      /* direct's socket, or NULL. */
	struct conduit in;        /* Of a GET that curl has left to us; */
	struct weft_task in_task; /* no run: it has not. */
	struct chunks chunks;     /* Where a GET's body stands. */
	char error[CURL_ERROR_SIZE];
	size_t head_len;
	unsigned status; /* 0 before the response's head. */
	bool is_put;
	bool is_preferring;   /* One family is tried alone. */
	bool has_fallen_back; /* That was in vain. */
	bool is_open;         /* curl has it. */
	bool is_in_paused;    /* curl waits for is_reading; */
	bool is_out_paused;   /* for a wake. */
	bool is_woken;        /* Since output was asked last. */
	bool is_out_over;     /* output is not asked again. */
	bool is_lost;         /* The server has gone while curl was paused. */
	bool is_asked; /* What is put out has found its way: direct, or through curl; */
	bool is_in_asked; /* and so has what comes in. */
	bool is_chunked;  /* What comes in of a GET. */
	bool is_whole;  /* It has come to the body's end, of which curl knows nothing; */
	bool is_cut;    /* or its TLS has ended without a word. */
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

/** Whether it was accepted. */
bool transfer_is_accepted(const struct transfer *t);

/* ---- bodies that curl has left to us (transfer_direct.c) --------------------------------- */

/** What a PUT puts out finds its way: direct, where that can be, or else through curl. */
void transfer_take_output(struct transfer *t);

/** Whether what it puts out goes direct, now. */
bool transfer_is_direct(const struct transfer *t);

/** As http_stream_send, for one that is direct. */
bool transfer_send_direct(struct transfer *t, const struct socket_piece *pieces,
			  size_t n);

/** Asks a direct one for output and sends it. */
void transfer_put_out(struct transfer *t);

/** Whether what a GET brings may go past curl, and has not been tried to. */
bool transfer_can_take_input(const struct transfer *t);

/** Has it go past curl if it can. */
void transfer_take_input(struct transfer *t);

/** Hands on what has come of a body. Returns 1 at its end, 0 before it, or -Exxx. */
int transfer_take_apart(struct transfer *t, uint8_t *data, size_t len);

/** Reads once, where reading is ours. */
void transfer_read(struct transfer *t);

/** Its socket gets the congestion control that the client has now. */
void transfer_change_congestion(const struct transfer *t);

/** Whatever is ours is curl's again, or nobody's. */
void transfer_drop_direct(struct transfer *t);

/** For multi_new: what curl waits for tells of the connection's end. */
void transfer_on_wait(CURL *easy, int what);

#endif
