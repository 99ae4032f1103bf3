/* SPDX-License-Identifier: MIT */
/*
 * A script that is being run: the host, the other side's view of it, and the sockets under the
 * numbers that the script has for them.
 */
#ifndef TESTS_PACKETDRILL_RUN_H
#define TESTS_PACKETDRILL_RUN_H

#include "host.h"
#include "script.h"
#include "segment.h"

#define RUN_FDS_MAX      64u
#define RUN_BOUND_PORT   8080u  /**< What bind and connect mean by "...". */
#define RUN_REMOTE_PORT  40000u /**< Where from others connect to us. */
#define CALL_ARGS_MAX    12u
#define CALL_WOULD_BLOCK INT_MIN /**< To be tried again. */

/** A socket, by the script's number. */
struct run_fd {
	bool is_open, is_datagram;
	int live;
	uint32_t written, read; /**< Bytes so far. */
};

struct run;
struct call;

/** One attempt. Returns what the call returns (-Exxx for -1), or CALL_WOULD_BLOCK. */
typedef int call_fn(struct run *run, struct call *call);

/** A call as the script has it. */
struct call {
	struct event event;
	char *text; /**< Cut into pieces, that the others point into. */
	call_fn *fn;
	char *args[CALL_ARGS_MAX];
	unsigned args_n;
	bool has_want;
	int want;
	bool has_begun;    /**< connect: it has been tried before. */
	size_t done;       /**< write: bytes that were taken. */
	const char *wrong; /**< More that is wrong than the result. */
};

struct run {
	const struct script *script;
	struct host host;
	struct flow flow;
	bool is_ip6;
	bool knows_first_in;
	uint32_t first_in; /**< Sequence number of the first byte that comes in. */
	uint64_t begin;    /**< In ns of the host. */
	uint64_t last_us;  /**< Time of the event before, since the beginning. */
	struct run_fd fds[RUN_FDS_MAX];
	struct call pending; /**< A call that has not returned yet. */
	bool has_pending;
};

/** Says what is wrong with the event, on stderr. Returns false. */
__attribute__((format(printf, 3, 4))) bool run_fail(const struct run *run,
						    const struct event *event,
						    const char *fmt, ...);

/** Makes a call; one that blocks becomes run->pending. False: it was not as expected. */
bool run_call(struct run *run, const struct event *event);
/** Tries again what is pending. False: it has ended otherwise than expected. */
bool run_pending(struct run *run);
void call_free(struct call *call);

#endif
