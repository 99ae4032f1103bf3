/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses, by the name servers that a stack's network has: a stub resolver (RFC 1035,
 * RFC 1123, 6.1), for programs on a stack that are given names.
 *
 *     program --- weft_resolver_find ---> [ search list, cache, servers ] --- stack --- network
 *
 *     static void found(void *user, int error, const struct weft_ip *addresses, size_t n,
 *                       uint64_t now)
 *     {
 *             if (error == 0)
 *                     connect_to(&addresses[0]);                 the others if that fails
 *     }
 *     struct weft_resolver *resolver;
 *     struct weft_lookup *lookup;
 *     const struct weft_resolver_opts opts = { .stack = stack, .secret = secret };
 *     if (weft_resolver_new(&opts, &resolver) < 0 ||
 *         weft_resolver_add_server(resolver, &server, NULL) < 0)
 *             fail();
 *     weft_loop_add(loop, weft_resolver_task(resolver));
 *     const struct weft_query query = { .name = "alice", .found = found, .user = me };
 *     r = weft_resolver_find(resolver, &query, now, &lookup);
 *
 * A and AAAA are asked for at the same time, and IPv4 stands first among what is found. A name
 * without a dot is looked for in each domain of the search list, then as it is; another one
 * first as it is. Each server is asked twice, by UDP from a port and with an id that cannot be
 * guessed (RFC 5452), and by TCP where an answer is too long. Answers are kept for as long as
 * they say, for an hour at most, and the absence of a name for a minute.
 *
 * A server can be for the names of one domain alone (RFC 6731): then it is asked for these, and
 * nobody else is.
 */
#ifndef WEFT_RESOLVER_H
#define WEFT_RESOLVER_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/loop.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_resolver;
struct weft_lookup;

#define WEFT_RESOLVER_SERVERS_MAX   8u
#define WEFT_RESOLVER_SEARCH_MAX    6u
#define WEFT_RESOLVER_ADDRESSES_MAX 16u /**< Most that a lookup tells. */

/** stack and secret are needed; the rest may be zero. */
struct weft_resolver_opts {
	struct weft_stack *stack;
	const uint8_t *secret; /**< 16 random bytes, for ids. Copied. */
	uint32_t lookups_max;  /**< At a time; 0 for 64. */
	uint32_t cache_max;    /**< Answers that are kept; 0 for 128. */
};

/** Makes a resolver without servers. Returns 0, -EINVAL without a secret, or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_resolver_new(const struct weft_resolver_opts *opts,
					       struct weft_resolver **ret_resolver);

/** Frees it, before its stack; lookups end without a word. NULL is allowed; not from found. */
WEFT_API void weft_resolver_free(struct weft_resolver *resolver, uint64_t now);

/** Its timers, and the telling of what was found; for weft_loop_add. */
WEFT_API struct weft_task *weft_resolver_task(struct weft_resolver *resolver);

/**
 * Adds a server, with a port of 0 for 53, behind those that it has; for the names in a domain
 * alone unless that is NULL. Returns 0, -EEXIST, -EINVAL for what is no address or no domain,
 * or -ENOSPC at WEFT_RESOLVER_SERVERS_MAX.
 */
WEFT_API WEFT_MUST_CHECK int weft_resolver_add_server(struct weft_resolver *resolver,
						      const union weft_sockaddr *server,
						      const char *domain);

/** Adds a domain to the search list. Returns 0, -EEXIST, -EINVAL, or -ENOSPC. */
WEFT_API WEFT_MUST_CHECK int weft_resolver_add_search(struct weft_resolver *resolver,
						      const char *domain);

/** Forgets servers, search list and answers, as the network has changed. */
WEFT_API void weft_resolver_clear(struct weft_resolver *resolver);

/** Whether there is anybody to ask. */
WEFT_API bool weft_resolver_has_server(const struct weft_resolver *resolver);

/**
 * What was found: error is 0 and there are addresses, borrowed for the call; or -ENOENT: there
 * is no such name, or it has no address; -ETIMEDOUT: nobody answers; -EDESTADDRREQ: there is
 * nobody to ask; -EIO: the servers cannot say; -ENOMEM ... May begin and cancel lookups.
 */
typedef void weft_resolver_found(void *user, int error, const struct weft_ip *addresses,
				 size_t n, uint64_t now);

/** What is to be looked up, and who is to hear of it. */
struct weft_query {
	const char *name; /**< Not used after the call. */
	int family;       /**< AF_INET, AF_INET6; AF_UNSPEC (0) for both. */
	weft_resolver_found *found;
	void *user;
};

/**
 * Looks up a name; found is called once, from the task's run. An address as text is found as
 * well. Returns 0, -EINVAL for what is no name, -EAFNOSUPPORT, -ENOBUFS at lookups_max, or
 * -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_resolver_find(struct weft_resolver *resolver,
						const struct weft_query *query,
						uint64_t now,
						struct weft_lookup **ret_lookup);

/** Ends a lookup for which found has not been called yet. NULL is allowed. */
WEFT_API void weft_resolver_cancel(struct weft_lookup *lookup, uint64_t now);

/** What can happen to a question, or to what comes from a server. Each is counted. */
enum weft_resolver_outcome {
	WEFT_RESOLVER_ANSWERED,       /**< With addresses, or that there are none. */
	WEFT_RESOLVER_CACHED,         /**< Answered by what was kept. */
	WEFT_RESOLVER_TCP,            /**< The answer was too long: asked again by TCP. */
	WEFT_RESOLVER_TIMED_OUT,      /**< A server was silent. */
	WEFT_RESOLVER_REFUSED,        /**< A server could or would not say. */
	WEFT_RESOLVER_UNREACHABLE,    /**< A server was not to be reached. */
	WEFT_RESOLVER_DROP_MALFORMED, /**< No message, or aliases without end. */
	WEFT_RESOLVER_DROP_NOT_OURS,  /**< No answer to what was asked. */
	WEFT_RESOLVER_OUTCOMES
};

/** "timed-out" and the like. */
WEFT_API const char *weft_resolver_outcome_name(enum weft_resolver_outcome outcome);

/** How often that has happened. */
WEFT_API uint64_t weft_resolver_count(const struct weft_resolver *resolver,
				      enum weft_resolver_outcome outcome);

#ifdef __cplusplus
}
#endif
#endif
