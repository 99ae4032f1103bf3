/* SPDX-License-Identifier: MIT */
/*
 * A socket by which a running program is spoken to: by `weft status`, `weft reload` and whatever
 * else is to be said to it. It stands in the runtime directory (cli/state.h) under the program's
 * name and process ID:
 *
 *     /run/weft/office-812.control
 *
 *     {"do":"status"}                      one JSON object per line, and one in answer
 *     {"ok":true, "interfaces":[ ... ]}
 *     {"do":"reload","text":"[ ... ]"}
 *     {"ok":false,"error":"..."}
 *
 * Only root and the user that the program was started by are listened to (unix(7), SO_PEERCRED),
 * in a directory that belongs to one of them; and only what these listen at is asked.
 * A peer asks one thing at a time; lines, peers and their patience are bounded. What a crash has
 * left of a socket is removed by who finds that nobody listens.
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <weft/error.h>
#include <weft/loop.h>

#include <jansson.h>

#define REMOTE_SUFFIX    ".control"
#define REMOTE_NAME_LEN  64u
#define REMOTE_PEERS_MAX 8u

/** Longest request: a configuration of WEFT_TUNNEL_CONFIG_LEN_MAX in which much is escaped. */
#define REMOTE_LINE_MAX ((size_t)4 * 1024 * 1024)

/** Longest answer: a relay tells of all rooms and all their members. */
#define REMOTE_ANSWER_MAX ((size_t)64 * 1024 * 1024)

struct remote;

/**
 * Answers a request: gets what stands in "do" and the whole object, borrowed, and returns an
 * object with what is to be answered beside {"ok": true}, or, with err, NULL.
 */
typedef json_t *remote_fn(void *user, const char *what, const json_t *request,
			  struct weft_error *err);

struct remote_opts {
	const char *dir;  /**< The runtime directory; it is made if it is not there. */
	const char *name; /**< For people; what does not fit a file's name is replaced. */
	remote_fn *fn;
	void *user;
};

/** Listens, in the loop. Returns 0 or -Exxx with err. */
int remote_new(struct weft_loop *loop, const struct remote_opts *opts,
	       struct weft_error *err, struct remote **ret_remote) WEFT_MUST_CHECK;

/** Removes the socket. NULL is allowed. */
void remote_free(struct remote *remote);

/* ---- the other end (remote_ask.c) -------------------------------------------------------- */

/** A program that runs. */
struct remote_place {
	char name[REMOTE_NAME_LEN];
	long pid;
	char path[600];
};

/**
 * Finds those in the runtime directory that listen: of one name or process ID, or with NULL all
 * of them. Returns how many, at most max; or -Exxx with err.
 */
int remote_find(const char *dir, const char *name, struct remote_place *ret_places,
		size_t max, struct weft_error *err) WEFT_MUST_CHECK;

/** The most that remote_find_here tells of. */
#define REMOTE_PLACES_MAX 64u

/** The same in the runtime directory of this machine, or of the user, and in services' own. */
int remote_find_here(const char *name, struct remote_place ret_places[REMOTE_PLACES_MAX],
		     struct weft_error *err) WEFT_MUST_CHECK;

/**
 * Asks a program and waits for its answer. Takes the reference to request. Returns 0 and the
 * answer; or -Exxx with err, which also says what the program has refused.
 */
int remote_ask(const struct remote_place *place, json_t *request, struct weft_error *err,
	       json_t **ret_answer) WEFT_MUST_CHECK;

/** The same for what every program answers, {"do":"status"}: its "facts" among others. */
int remote_ask_status(const struct remote_place *place, struct weft_error *err,
		      json_t **ret_answer) WEFT_MUST_CHECK;

/** Of an object in an answer: a number, at least 0, and a text; without them 0 and "". */
uint64_t remote_number(const json_t *object, const char *key);
const char *remote_text(const json_t *object, const char *key);

#endif
