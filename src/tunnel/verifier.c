/* SPDX-License-Identifier: MIT */
/*
 * The thread reads an attempt's token and hashes and writes what it has found; all else of it is
 * the loop's. While it works the attempt belongs to the work, which wipes and frees it.
 */
#include "tunnel/verifier.h"

#include "base/container.h"
#include "base/list.h"
#include "config/token.h"
#include "io/work.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct attempt {
	struct list node;
	struct verifier *verifier;
	uint8_t id[VERIFIER_ID_LEN];
	bool is_stale;
	char *token;
	char (*hashes)[crypto_pwhash_STRBYTES];
	size_t hashes_n;
	size_t found; /* hashes_n: none */
};

struct verifier {
	struct weft_loop *loop;
	verifier_fn *fn;
	void *user;
	struct list queue; /* struct attempt */
	unsigned queue_n;
	struct attempt *running; /* NULL for none */
	struct weft_job *job;    /* of that one */
};

/* ---- attempts ---------------------------------------------------------------------------- */

static void attempt_free(void *data)
{
	struct attempt *a = data;
	if (!a)
		return;
	if (a->token)
		sodium_memzero(a->token, strlen(a->token));
	free(a->token);
	free(a->hashes);
	free(a);
}

/* As many as there are slow ones; those that are too long to be any match nothing. */
static void copy_hashes(struct attempt *a, const struct weft_tunnel_interface *conf)
{
	for (size_t i = 0; i < conf->clients_n; i++) {
		const char *hash = conf->clients[i].token;
		const size_t len = strlen(hash);
		if (token_is_slow(hash) && len < sizeof(a->hashes[0]))
			memcpy(a->hashes[a->hashes_n++], hash, len + 1);
	}
}

static struct attempt *attempt_new(const char *token,
				   const struct weft_tunnel_interface *conf)
{
	struct attempt *a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->token = strdup(token);
	a->hashes = calloc(conf->clients_n + 1, sizeof(*a->hashes));
	if (!a->token || !a->hashes) {
		attempt_free(a);
		return NULL;
	}
	copy_hashes(a, conf);
	a->found = a->hashes_n;
	return a;
}

/* On the thread. */
static void attempt_run(void *data)
{
	static const char no_sha1[TOKEN_SHA1_TEXT];
	struct attempt *a = data;
	for (size_t i = 0; i < a->hashes_n && a->found == a->hashes_n; i++)
		if (token_matches(a->hashes[i], a->token, no_sha1))
			a->found = i;
}

/* ---- one after the other ----------------------------------------------------------------- */

static void attempt_done(void *data);

/* Returns 0, or -Exxx where the next one could not be begun, and is gone. */
static int run_next(struct verifier *v)
{
	static const struct work_ops ops = { attempt_run, attempt_done, attempt_free };
	struct list *node = v->running ? NULL : list_pop_front(&v->queue);
	if (!node)
		return 0;
	struct attempt *a = container_of(node, struct attempt, node);
	v->queue_n--;
	int r = work_start(v->loop, &ops, a, &v->job);
	v->running = r < 0 ? NULL : a;
	return r;
}

static void attempt_done(void *data)
{
	const struct attempt *a = data;
	struct verifier *v = a->verifier;
	struct verifier_result result = {
		.hash = a->found < a->hashes_n ? a->hashes[a->found] : NULL,
		.is_stale = a->is_stale,
	};
	memcpy(result.id, a->id, sizeof(result.id));
	v->running = NULL;
	v->job = NULL;
	v->fn(v->user, &result);
	if (run_next(v) < 0)
		v->fn(v->user, NULL);
}

static bool is_of(const struct attempt *a, const uint8_t id[VERIFIER_ID_LEN])
{
	return sodium_memcmp(a->id, id, VERIFIER_ID_LEN) == 0;
}

bool verifier_has(const struct verifier *v, const uint8_t id[VERIFIER_ID_LEN])
{
	if (v->running && is_of(v->running, id))
		return true;
	list_for_each (node, &v->queue)
		if (is_of(container_of(node, struct attempt, node), id))
			return true;
	return false;
}

int verifier_try(struct verifier *v, const uint8_t id[VERIFIER_ID_LEN], const char *token,
		 const struct weft_tunnel_interface *conf)
{
	if (v->queue_n == VERIFIER_QUEUE_MAX)
		return -EBUSY;
	struct attempt *a = attempt_new(token, conf);
	if (!a)
		return -ENOMEM;
	a->verifier = v;
	memcpy(a->id, id, sizeof(a->id));
	list_push_back(&v->queue, &a->node);
	v->queue_n++;
	return run_next(v);
}

void verifier_renew(struct verifier *v)
{
	if (v->running)
		v->running->is_stale = true;
	list_for_each (node, &v->queue)
		container_of(node, struct attempt, node)->is_stale = true;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int verifier_new(struct weft_loop *loop, verifier_fn *fn, void *user,
		 struct verifier **ret_verifier)
{
	struct verifier *v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->loop = loop;
	v->fn = fn;
	v->user = user;
	list_init(&v->queue);
	*ret_verifier = v;
	return 0;
}

void verifier_free(struct verifier *v)
{
	if (!v)
		return;
	weft_job_cancel(v->job);
	list_for_each (node, &v->queue) {
		list_remove(node);
		attempt_free(container_of(node, struct attempt, node));
	}
	free(v);
}
