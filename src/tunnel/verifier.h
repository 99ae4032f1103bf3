/* SPDX-License-Identifier: MIT */
/*
 * Tries tokens against slow hashes on a thread (io/work.h), while all traffic goes on:
 *
 *     verifier_try --> [ ][ ][ ] --> thread: argon2id ... --> fn, in the loop
 *                      VERIFIER_QUEUE_MAX    one at a time: each takes the memory that its
 *                                            makers wanted it to
 *
 * What is tried lies here with the hashes of then, so that the configuration may change meanwhile.
 */
#ifndef TUNNEL_VERIFIER_H
#define TUNNEL_VERIFIER_H

#include <weft/loop.h>
#include <weft/tunnel.h>

#include <stdbool.h>
#include <stdint.h>

/** Tokens that can wait for their turn. */
#define VERIFIER_QUEUE_MAX 8u

/** What a token is known by: a digest of its. */
#define VERIFIER_ID_LEN 16u

struct verifier_result {
	uint8_t id[VERIFIER_ID_LEN];
	const char *hash; /**< That the token belongs to, borrowed; NULL for none. */
	bool is_stale;    /**< By hashes that have been others since (verifier_renew). */
};

/** NULL: one could not be tried after all, for want of memory or threads. */
typedef void verifier_fn(void *user, const struct verifier_result *result);

struct verifier;

/** Returns 0 or -ENOMEM. */
int verifier_new(struct weft_loop *loop, verifier_fn *fn, void *user,
		 struct verifier **ret_verifier) WEFT_MUST_CHECK;

/** Forgets what is tried; fn is not called. NULL is allowed. */
void verifier_free(struct verifier *v);

/** Whether a token is being tried, or waits for that. */
bool verifier_has(const struct verifier *v, const uint8_t id[VERIFIER_ID_LEN]);

/**
 * Tries a token against the slow hashes of a configuration; fn is called later. Returns 0, -EBUSY
 * where too many wait, -ENOMEM or -EAGAIN.
 */
int verifier_try(struct verifier *v, const uint8_t id[VERIFIER_ID_LEN], const char *token,
		 const struct weft_tunnel_interface *conf) WEFT_MUST_CHECK;

/** The configuration has changed: what is being tried is stale. */
void verifier_renew(struct verifier *v);

#endif
