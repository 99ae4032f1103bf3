/* SPDX-License-Identifier: MIT */
/*
 * A server and a client in one process, joined by loopback TCP, with a hand that turns them
 * and ends that put out and check bytes.
 *
 *     world_start(&w, &(struct world_opts){ 0 });
 *     struct end *get = world_get(&w, "/");             // the client's end of a stream
 *     struct end *served = world_served(&w, 0);         // the server's end
 *     world_until(&w, get->in_len == 1000);
 *     world_stop(&w);
 *
 * Byte i of every stream is pattern(i), so that a byte that is lost, doubled or moved is seen.
 * The clock is the machine's, for libcurl has no other; world_skip moves ours ahead.
 */
#ifndef TESTS_HTTP_WORLD_H
#define TESTS_HTTP_WORLD_H

#include "../unit.h"
#include "http/http.h"

#include <stdbool.h>

#define WORLD_ENDS_MAX 512u

/* What an end does when its stream is over: HTTP_ENDED and so on, or this before it. */
#define END_OPEN (-1)

struct end {
	struct world *world;
	struct http_stream *stream; /* NULL once closed. */
	/* What it is to do. */
	uint64_t out_total; /* Bytes to put out, and end the body after them; */
	uint64_t out_ready; /* those of them that are there now. */
	size_t out_max;     /* Most at a time; 0 for no limit. */
	uint64_t abort_at;  /* Breaks off once so much has come or gone; 0 for never. */
	bool is_wild;       /* Puts out for ever: out_total is not an end. */
	/* What happened to it. */
	unsigned status;
	unsigned responses, closings;
	char why[16]; /* A header of the response. */
	uint64_t in_len, out_len;
	uint64_t in_pieces, asked;
	char answer[64]; /* What a PUT was answered with, */
	size_t answer_len;
	bool is_wrong; /* A byte was not the one that it had to be. */
	int end;
	struct weft_error err;
};

struct world_opts {
	struct http_server_opts server;
	struct http_client_opts client;
	bool no_client;
	uint64_t out_total; /* What each served end is to put out. */
	uint64_t out_ready;
	size_t out_max;
	uint64_t served_abort_at;
	bool is_wild;
	bool abort_in_request;
};

struct world {
	struct world_opts opts;
	struct http_server *server;
	struct http_client *client;
	uint64_t skew;
	struct end served[WORLD_ENDS_MAX], opened[WORLD_ENDS_MAX];
	unsigned served_n, opened_n, refused_n;
	char last_token[64]; /* Of the request that came last. */
	char last_method[16];
	char last_path[256];
	unsigned peer_port; /* of that request */
	/* Requests to /later wait until may_answer; then they are accepted, or refused. */
	struct http_stream *waiting; /* The last one. */
	bool may_answer, refuses_late;
	unsigned later_n, given_up_n;
};

void world_start(struct world *w, const struct world_opts *opts);
void world_stop(struct world *w);

/** URL of the server with path. Valid until the next call. */
const char *world_url(const struct world *w, const char *path);

/** Opens a stream to path and returns the client's end of it. */
struct end *world_get(struct world *w, const char *path);
struct end *world_put(struct world *w, const char *path, uint64_t out_total);

/** The same to any URL. */
struct end *world_open(struct world *w, const char *url, bool is_put, uint64_t out_total);

/** One turn: runs who is due or ready; sleeps for 20 ms at most. */
void world_turn(struct world *w);

/** Lets time pass for the server's own time-outs. */
void world_skip(struct world *w, uint64_t ns);

/** More bytes of an end's are there. */
void end_more(struct end *end, uint64_t len);

/** Turns until the condition holds; a minute without it fails. */
#define world_until(w, condition)                                 \
	do {                                                      \
		uint64_t until_ = world_clock() + 60000000000ull; \
		while (!(condition))                              \
			world_turn_before(w, until_, #condition); \
	} while (0)

/** One turn, unless it is too late. */
void world_turn_before(struct world *w, uint64_t until, const char *condition);

/** Turns for a while in which nothing is to happen. */
void world_settle(struct world *w);

/**
 * Turns until nothing has been asked of any end, nor come to it, for half a second; a minute
 * without that fails. With ends that put out for ever it is back-pressure that brings this
 * about. It takes its time: a sender whose peer's window is less than a segment waits 200 ms
 * (TCP's smallest time-out) before it fills that, and then there is room behind it.
 */
void world_until_still(struct world *w);

uint64_t world_clock(void);
uint8_t pattern(uint64_t i);

#endif
