/* SPDX-License-Identifier: MIT */
/*
 * Our narrow face on libmicrohttpd (server) and libcurl (client): long-lived streams of bytes
 * in the bodies of HTTP requests and responses, with back-pressure both ways.
 *
 *     client                                   server
 *     http_client_open(GET)  ---- head --->    request(stream) -> 0
 *     response(200)          <--- head ----
 *     input(bytes)           <--- body ----    output(buf) -> bytes, or 0 until http_stream_wake
 *     closed
 *
 *     http_client_open(PUT)  ---- head --->    request(stream) -> 0
 *     output(buf) -> bytes   ---- body --->    input(bytes)
 *     closed                 <--- 200 -----    at the end of the body
 *
 * A stream is one request, on either side. Each side is a task, with one descriptor and one
 * deadline; nothing here has a thread (but libcurl's while it resolves a name). Bytes are
 * borrowed for the call.
 *
 * Events come from the side's run, and from its free, which closes what is left. From within
 * any of them all functions of streams may be called and new requests be opened; a side must
 * not be freed.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/list.h"
#include "io/socket.h"

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Largest number of bytes that output is asked for at once. */
#define HTTP_OUTPUT_MAX 262144u

/** Most pieces that go at once. */
#define HTTP_PIECES_MAX 64u

/** Most bytes of a request's or response's head; a longer one is refused. */
#define HTTP_HEAD_MAX 16384u

struct http_stream;

enum http_end {
	HTTP_ENDED,   /**< The body came, or went, to its regular end. */
	HTTP_ABORTED, /**< The connection was lost, or the peer broke off. */
	HTTP_FAILED,  /**< Never came about: refused, no address, TLS; err says why. */
};

/** Most bytes of what a PUT is answered with. */
#define HTTP_ANSWER_TEXT 2048u

/** What a stream tells. user is the stream's, from the answer or the request. */
struct http_stream_events {
	/**
	 * Client: the response's head has come. May be NULL. A status outside of 200 to 299 is
	 * a failure: no input follows, and closed says HTTP_FAILED.
	 */
	void (*response)(void *user, struct http_stream *stream, unsigned status,
			 uint64_t now);
	/**
	 * Bytes of the body that comes from the peer: of the request (server) or the response
	 * (client), of a PUT as well. They may be written over. NULL: they are passed over.
	 */
	void (*input)(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		      uint64_t now);
	/**
	 * Room for len bytes of the body that goes to the peer: fills buf. Returns how many; 0
	 * for none now, and is not asked again before http_stream_wake; -EPIPE to end the body;
	 * any other error to break the stream off. NULL: the body is empty.
	 */
	int (*output)(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		      uint64_t now);
	/**
	 * Server: all of a PUT's body has come. Fills buf with the text of the answer and returns
	 * its length, at most len. NULL: the answer is "OK".
	 */
	size_t (*finish)(void *user, struct http_stream *stream, char *buf, size_t len,
			 uint64_t now);
	/**
	 * The stream is over and gone after this returns; called exactly once. err says why
	 * after HTTP_FAILED, may say it after HTTP_ABORTED, and is empty after HTTP_ENDED.
	 */
	void (*closed)(void *user, struct http_stream *stream, enum http_end end,
		       const struct weft_error *err, uint64_t now);
};

/** There are bytes to put out, or the end: output will be asked again. */
void http_stream_wake(struct http_stream *stream);

/**
 * Puts bytes out at once and without a copy, instead of being asked for them. Returns whether
 * they have gone; if not, nothing of them has: not every stream can do this, and none while its
 * socket takes no more. Then, http_stream_wake. At most HTTP_PIECES_MAX pieces.
 */
bool http_stream_send(struct http_stream *stream, const struct socket_piece *pieces,
		      size_t n);

/**
 * Stops (false) or goes on (true) reading the peer's body: back-pressure. From within input it may
 * be that more comes of what has been read already.
 */
void http_stream_read(struct http_stream *stream, bool on);

/**
 * Server: has request called again, in the server's next run, for a stream that waits for its
 * answer (is_later).
 */
void http_stream_ask(struct http_stream *stream);

/** Breaks the stream off; closed is called, with HTTP_ABORTED, in the next run of the side. */
void http_stream_abort(struct http_stream *stream);

/**
 * A header of the request (server) or the response (client), or NULL. Of several lines of one
 * name the last, which is the nearest proxy's where that adds one. Borrowed.
 */
const char *http_stream_header(const struct http_stream *stream, const char *name);

/** Ten times HTTP's version, 11 for HTTP/1.1: of the request (server), of the response (client;
 *  0 before it). */
unsigned http_stream_version(const struct http_stream *stream);

/** The peer's address as the socket has it; the client's has no family before response. */
const union weft_sockaddr *http_stream_peer(const struct http_stream *stream);

/**
 * Whether sockets can have that congestion control; NULL, the system's, they can. Returns 0, or
 * -Exxx with err: -ENOENT where there is no such one, -EPERM where it is not for everybody.
 */
int http_check_congestion(const char *congestion, struct weft_error *err) WEFT_MUST_CHECK;

/* ---- server ------------------------------------------------------------------------------ */

struct http_request {
	const char *method; /**< "GET", "PUT" ... */
	const char *path;
};

/** Most headers that an answer has of its own. */
#define HTTP_ANSWER_HEADERS 4u

/** name NULL: none. Both are borrowed until the next request. */
struct http_header {
	const char *name, *value;
};

/** What a request gets. Zero status: it becomes a stream. */
struct http_answer {
	unsigned status;  /**< Refuses: 403 and the like, with text as the whole body. */
	const char *text; /**< Static. */
	/**
	 * Nobody knows yet: http_stream_ask has the question come again. Of the events closed alone
	 * is called until then, when the connection is lost or the head's time is over.
	 */
	bool is_later;
	struct http_header headers[HTTP_ANSWER_HEADERS];
	const struct http_stream_events *events; /**< Of an accepted stream, */
	void *user;                              /**< and their user. */
};

/** What another can take the place of while a server runs. Copied. */
struct http_server_terms {
	/** TLS: PEM files, read again by http_server_reload; NULL for plain HTTP. */
	const char *cert_file, *key_file;
	/** Congestion control of what is sent, "bbr" and the like; NULL: the system's. */
	const char *congestion;
};

struct http_server_opts {
	union weft_sockaddr listen;
	/** Those of the process, one of which can come after another; NULL: there are none. */
	struct list *listeners; /**< struct listener */
	struct http_server_terms terms;
	/** A request's head is here: says what becomes of it. */
	void (*request)(void *user, struct http_stream *stream,
			const struct http_request *request,
			struct http_answer *ret_answer, uint64_t now);
	void *user;
	uint64_t idle_timeout_ns; /**< Of a stream without bytes; 0 for 91 minutes. */
	uint64_t head_timeout_ns; /**< For all of a request's head to come; 0 for 30 s. */
	unsigned conns_max;       /**< 0 for 4,096. */
	unsigned conns_per_address_max; /**< 0 for 256. */
};

struct http_server;

/** Listens. Returns 0, or -Exxx with err (-EADDRINUSE, -EACCES, -EINVAL for a certificate,
 *  -ENOENT for a congestion control that is not there ...). */
int http_server_new(const struct http_server_opts *opts, struct weft_error *err,
		    struct http_server **ret_server) WEFT_MUST_CHECK;
/**
 * Closes each stream that is left, and frees: a response comes to its regular end where its socket
 * takes that at once (HTTP_ENDED), all else is broken off (HTTP_ABORTED). NULL is allowed.
 */
void http_server_free(struct http_server *server);
struct weft_task *http_server_task(struct http_server *server);
/** Where it listens, with the port in use. */
union weft_sockaddr http_server_addr(const struct http_server *server);
/** Reads the certificate anew. Returns 0, or -Exxx with err and goes on with the old one. */
int http_server_reload(struct http_server *server,
		       struct weft_error *err) WEFT_MUST_CHECK;
/**
 * Other terms, in two steps, of which the first does all that can fail and changes nothing that a
 * peer is shown. Whether there is TLS stays as it is. Returns as http_server_new.
 */
int http_server_prepare(struct http_server *server, const struct http_server_terms *terms,
			struct weft_error *err) WEFT_MUST_CHECK;
/** The second: what was prepared, if anything was, holds from here on. Streams go on; */
void http_server_commit(struct http_server *server);
/** or it is forgotten. */
void http_server_cancel(struct http_server *server);
/** Accepts nobody any more: to be called when another server takes the address over. */
void http_server_retire(struct http_server *server);
/** Whether there is no connection. */
bool http_server_is_idle(const struct http_server *server);

/* ---- client ------------------------------------------------------------------------------ */

struct http_client_opts {
	/** A URL that begins as one of proxy_schemes (base/proxy.h); NULL for none. */
	const char *proxy;
	const char *ca_file; /**< PEM; NULL for the system's. */
	/** 32 bytes: SHA-256 of the server's public key, in place of a CA; NULL for none. */
	const uint8_t *pin;
	/** Congestion control of what is sent, "bbr" and the like; NULL: the system's. */
	const char *congestion;
	unsigned family; /**< AF_INET or AF_INET6 only; 0 for both. */
	/**
	 * Of both: AF_INET or AF_INET6 is tried first, and the other with it where that has not
	 * brought about a connection within 2 s; 0 for the order that the resolver gives.
	 */
	unsigned first_family;
	bool http2; /**< HTTP/2 with https:// servers that speak it. Else HTTP/1.1. */
};

struct http_client;

/** Makes a client; opts are copied. Returns 0, or -Exxx with err (-EINVAL, -ENOENT, -ENOMEM). */
int http_client_new(const struct http_client_opts *opts, struct weft_error *err,
		    struct http_client **ret_client) WEFT_MUST_CHECK;
/** Closes each stream that is left (HTTP_ABORTED), frees. NULL is allowed. */
void http_client_free(struct http_client *client);
struct weft_task *http_client_task(struct http_client *client);
/** Gives streams, and those to come, another congestion control, which http_check_congestion has
 *  found good. */
void http_client_set_congestion(struct http_client *client, const char *congestion);

struct http_client_request {
	const char *url;
	bool is_put;                /**< Else GET. */
	const char *const *headers; /**< "name: value", ends with NULL; copied. */
	const struct http_stream_events *events;
	void *user;
};

/**
 * Begins a request; what happens is told by its events, from the client's runs. Returns 0,
 * -ENOMEM, or -ESHUTDOWN while the client is being freed.
 */
int http_client_open(struct http_client *client,
		     const struct http_client_request *request,
		     struct http_stream **ret_stream) WEFT_MUST_CHECK;

#endif
