/* SPDX-License-Identifier: MIT */
/*
 * A connection of the server's, and the request that it has.
 */
#ifndef HTTP_SERVED_H
#define HTTP_SERVED_H

#include "base/list.h"
#include "http/chunks.h"
#include "http/credentials.h"
#include "http/direct.h"
#include "http/due.h"
#include "http/stream.h"
#include "io/listener.h"

#include <microhttpd.h>

/* Zero: there are none. */
struct terms {
	char *cert_file, *key_file;      /* NULL: plain HTTP. */
	struct credentials *credentials; /* What is in these. */
	char *congestion;                /* NULL: the system's. */
};

struct http_server {
	struct weft_task task;
	struct poller *poller;
	struct weft_task mhd_task; /* MHD's epoll descriptor. */
	struct http_server_opts opts;
	struct terms terms,
		next_terms; /* Those that hold, and those that are prepared. */
	struct listener listener;
	struct MHD_Daemon *daemon;
	union weft_sockaddr addr;
	struct list heads;   /* Connections without a stream, oldest first; */
	struct list streams; /* and with one. */
	struct list marked;  /* Streams that are to be asked for output, */
	struct list paused;  /* and those that are not before their time. */
	uint8_t *scratch;    /* What they put out, or take in; NULL until it is needed. */
	const struct served *last_read; /* Past MHD; NULL for none. */
	uint64_t now;
	uint64_t deadline;
	uint64_t sweep_at; /* When silent streams are looked at again. */
	bool is_ready;     /* The daemon's descriptor is; */
	bool is_due;       /* or the daemon has something to do that it does not tell. */
	bool is_prepared;  /* next_terms are there. */
	bool is_ending;    /* Responses come to their end, and no others begin. */
};

/*
 * The connection is the stream, one after another:
 *
 *             accepted                 request() says yes             the answer has gone
 *     (none) ----------> waiting for ---------------------> streaming ----------.
 *                        a head  ^ |  ^                                         |
 *                                | '--' "later": asked again                    |
 *                                '----------------------------------------------'
 */
struct served {
	struct http_stream stream; /* First; its events are NULL while there is none. */
	struct list node;          /* On heads or streams. */
	uint64_t since;            /* When the last byte came or went. */
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct http_request waiting;     /* For its answer; no method: none is. */
	struct MHD_Response *response;   /* What a PUT gets at its end. */
	struct credentials *credentials; /* Which it was shown. */
	struct direct direct;            /* Of a GET that MHD has left to us, */
	struct weft_task out_task;       /* which waits until it can be written to, */
	struct list mark;
	struct due pause; /* its path being full, until then; */
	int out_end;      /* and what MHD's reader is to say at last: -EPIPE and so on. */
	/* Of a PUT that MHD has left to us; no run: it has not. */
	struct weft_task in_task;
	struct chunks chunks; /* Where its body stands. */
	bool is_suspended;
	bool is_woken; /* Since output was asked last. */
};

/** For a connection that MHD has accepted. NULL without memory. */
struct served *served_new(struct http_server *s, struct MHD_Connection *mhd);
void served_free(struct served *c); /**< NULL is allowed. */

/** NULL for one that there was no memory for. */
struct served *served_of_mhd(struct MHD_Connection *mhd);

/** Something moved: the connection is the youngest of its list. */
void served_touch(struct served *c);

/** MHD has it in sight again. */
void served_resume(struct served *c);

/** Ends the connection, whatever it is at. */
void served_break(struct served *c);

/** Whether the peer has gone without a word. */
bool served_is_lost(const struct served *c);

/** MHD looks at it no more until it is resumed. */
void served_suspend(struct served *c);

int served_fd(const struct served *c);

/** Of the request's head, in bytes; 0 while MHD does not know. */
size_t served_head_len(const struct served *c);

/** HTTP_OUTPUT_MAX bytes for what all connections put out, or take in; NULL without memory. */
uint8_t *server_scratch(struct http_server *s);

/* ---- bodies that MHD has left to us ------------------------------------------------------ */

/** Whether its bodies go in chunks. */
bool served_has_chunks(const struct served *c);

/** Output is left to us from here on until the stream's end. */
void served_take_output(struct served *c);
void served_drop_output(struct served *c);

/** Has the stream asked for output in the server's next run. */
void served_mark(struct served *c);

/** Asks the stream for output and sends it, if that has been left to us. */
void served_put_out(struct served *c);

/** Where a rest is kept, the socket is to tell of room for it. */
void served_watch_output(struct served *c);

/** The response comes to its regular end, unless a part of a chunk has yet to go. */
void served_finish(struct served *c);

/** Whether MHD has read nothing of the body, and it is one that can be left to us. */
bool served_can_take_input(const struct served *c);

/** MHD looks at the connection again only once it is broken. */
void served_take_input(struct served *c);
void served_drop_input(struct served *c);

/* ---- a request --------------------------------------------------------------------------- */

/* MHD's callbacks. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's. */
enum MHD_Result served_on_request(void *user, struct MHD_Connection *mhd,
				  const char *path, const char *method,
				  const char *version, const char *data, size_t *data_len,
				  void **context);
void served_on_completed(void *user, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode why);

#endif
