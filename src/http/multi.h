/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface, its sockets and its clock. curl says which sockets it waits for,
 * and each becomes a task in a poller; when it is ready, curl is told.
 *
 *     multi_fd --- poller ---+--- watch, fd 7 --> curl --> callbacks of the transfer
 *                            '--- watch, fd 9 --> curl --> callbacks of the transfer
 *
 * Which transfer a socket is of, curl says as well. A transfer may share it: who writes past curl
 * waits for room where curl waits for the response.
 */
#ifndef HTTP_MULTI_H
#define HTTP_MULTI_H

#include "base/list.h"

#include <weft/loop.h>

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct multi;

/** Who shares a socket with curl. It may leave with watch_leave at any time. */
struct sharer {
	/** Called when the socket is ready, and before curl is told; NULL: nobody shares it. */
	void (*ready)(void *user);
	/** curl has the socket no longer, so nobody shares it. */
	void (*gone)(void *user);
	void *user;
};

/** A socket of curl's. */
struct watch {
	struct weft_task task;
	struct list node;
	struct multi *multi;
	CURL *easy;      /**< Whose request it is of. */
	unsigned events; /**< Those that curl waits for. */
	bool is_blocked; /**< Its sharer waits for room. */
	struct sharer sharer;
};

/** Called when curl says what it waits for on a socket of a transfer: CURL_POLL_IN and so on. */
typedef void multi_wait_fn(CURL *easy, int what);

int multi_new(multi_wait_fn *fn, struct multi **ret_multi) WEFT_MUST_CHECK;

/** No transfer may be in it. NULL is allowed. */
void multi_free(struct multi *m);

/** For a task that runs multi_run when it can be read. */
int multi_fd(const struct multi *m);

/** Serves what is ready and what is due. */
void multi_run(struct multi *m, uint64_t now);

/** curl's own, of connecting and resolving, as of now; WEFT_NEVER for none. */
uint64_t multi_deadline(const struct multi *m, uint64_t now);

/** To be called once a run's work is done: from here on multi_fd tells of sockets. */
void multi_watch(struct multi *m);

/** A transfer comes, and goes; returns 0 or -ENOMEM. */
int multi_add(struct multi *m, CURL *easy) WEFT_MUST_CHECK;
void multi_remove(struct multi *m, CURL *easy);

/** A task of a transfer's own comes (as poller_add), and goes; it is run by multi_run. */
int multi_add_task(struct multi *m, struct weft_task *task) WEFT_MUST_CHECK;
void multi_remove_task(struct multi *m, struct weft_task *task);

/** The next transfer that curl has come to the end of, or NULL; how it ended is *ret_result. */
CURL *multi_next_done(struct multi *m, CURLcode *ret_result);

/** The only socket that curl has for a transfer; NULL for none or several. */
struct watch *multi_socket(const struct multi *m, const CURL *easy);

/** Whom the socket is shared with from here on. */
void watch_share(struct watch *w, const struct sharer *sharer);
void watch_leave(struct watch *w);

/** Whether its sharer waits for room. */
void watch_for_room(struct watch *w, bool is_blocked);

#endif
