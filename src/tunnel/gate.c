/* SPDX-License-Identifier: MIT */
/*
 * Memories are rings, looked through from one end to the other: that is nothing beside the
 * slow hash which it may spare.
 */
#include "tunnel/gate.h"

#include "base/net.h"
#include "config/token.h"
#include "tunnel/backoff.h"
#include "tunnel/verifier.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_LEN VERIFIER_ID_LEN

struct digest {
	uint8_t bytes[DIGEST_LEN];
};

/* A token that was tried, and the hash of the configuration that it belongs to, if any. */
struct tried {
	struct digest token, hash;
};

struct memory {
	struct tried tried[GATE_MEMORY];
	size_t n, next;
};

struct gate {
	struct backoff *backoff;
	struct verifier *verifier;
	void (*ready)(void *user);
	void *user;
	uint8_t key[16];
	struct memory right, wrong;
	unsigned spent; /* new tokens of late, less one for each GATE_EVERY_NS */
	uint64_t spent_at;
};

/* ---- what was tried ---------------------------------------------------------------------- */

static struct digest digest_of(const struct gate *g, const char *text)
{
	struct digest digest;
	(void)crypto_generichash(digest.bytes, sizeof(digest.bytes),
				 (const uint8_t *)text, strlen(text), g->key,
				 sizeof(g->key));
	return digest;
}

static bool is_same(const struct digest *a, const struct digest *b)
{
	return sodium_memcmp(a->bytes, b->bytes, DIGEST_LEN) == 0;
}

static const struct tried *recall(const struct memory *m, const struct digest *token)
{
	for (size_t i = 0; i < m->n; i++)
		if (is_same(&m->tried[i].token, token))
			return &m->tried[i];
	return NULL;
}

static void remember(struct memory *m, const struct tried *tried)
{
	m->tried[m->next] = *tried;
	m->next = (m->next + 1) % GATE_MEMORY;
	m->n += m->n < GATE_MEMORY;
}

void gate_forget_wrong(struct gate *gate)
{
	gate->wrong.n = gate->wrong.next = 0;
	verifier_renew(gate->verifier);
}

/* ---- the two kinds of hashes ------------------------------------------------------------- */

/* Looks at all of them, whichever it is: how long that takes says nothing. */
static bool find_fast(const struct weft_tunnel_interface *conf, const char *token,
		      size_t *ret_client)
{
	char sha1[TOKEN_SHA1_TEXT];
	bool found = false;
	if (token_sha1(token, sha1) < 0)
		return false;
	for (size_t i = 0; i < conf->clients_n; i++) {
		const char *hash = conf->clients[i].token;
		if (token_is_slow(hash) || !token_matches(hash, token, sha1))
			continue;
		*ret_client = i;
		found = true;
	}
	return found;
}

static bool has_slow(const struct weft_tunnel_interface *conf)
{
	for (size_t i = 0; i < conf->clients_n; i++)
		if (token_is_slow(conf->clients[i].token))
			return true;
	return false;
}

static bool find_remembered(const struct gate *g,
			    const struct weft_tunnel_interface *conf,
			    const struct digest *token, size_t *ret_client)
{
	const struct tried *tried = recall(&g->right, token);
	for (size_t i = 0; tried && i < conf->clients_n; i++) {
		const struct digest hash = digest_of(g, conf->clients[i].token);
		if (!is_same(&hash, &tried->hash))
			continue;
		*ret_client = i;
		return true;
	}
	return false;
}

static bool may_try(struct gate *g, uint64_t now)
{
	uint64_t regained = (now - g->spent_at) / GATE_EVERY_NS;
	if (regained >= g->spent) {
		g->spent = 0;
		g->spent_at = now;
	} else {
		g->spent -= (unsigned)regained;
		g->spent_at += regained * GATE_EVERY_NS;
	}
	if (g->spent == GATE_BURST)
		return false;
	g->spent++;
	return true;
}

static enum gate_verdict ask_slow(struct gate *g,
				  const struct weft_tunnel_interface *conf,
				  const char *token, uint64_t now, size_t *ret_client)
{
	const struct digest digest = digest_of(g, token);
	if (find_remembered(g, conf, &digest, ret_client))
		return GATE_KNOWN;
	if (recall(&g->wrong, &digest))
		return GATE_WRONG;
	if (verifier_has(g->verifier, digest.bytes))
		return GATE_LATER;
	if (!may_try(g, now))
		return GATE_BUSY;
	return verifier_try(g->verifier, digest.bytes, token, conf) < 0 ? GATE_BUSY
									: GATE_LATER;
}

/* What was wrong by hashes of before may be right by those of now. */
static void on_verified(void *user, const struct verifier_result *result)
{
	struct gate *g = user;
	struct tried tried = { .hash = { { 0 } } };
	if (result) {
		memcpy(tried.token.bytes, result->id, DIGEST_LEN);
		if (result->hash)
			tried.hash = digest_of(g, result->hash);
		if (result->hash || !result->is_stale)
			remember(result->hash ? &g->right : &g->wrong, &tried);
	}
	g->ready(g->user);
}

enum gate_verdict gate_ask(struct gate *gate, const struct weft_tunnel_interface *conf,
			   const char *token, const struct weft_ip *from, uint64_t now,
			   size_t *ret_client)
{
	enum gate_verdict verdict = GATE_WRONG;
	if (backoff_is_silent(gate->backoff, from, now))
		return GATE_SILENT;
	if (token && find_fast(conf, token, ret_client))
		verdict = GATE_KNOWN;
	else if (token && has_slow(conf))
		verdict = ask_slow(gate, conf, token, now, ret_client);
	if (verdict == GATE_KNOWN)
		backoff_right(gate->backoff, from);
	else if (verdict == GATE_WRONG)
		backoff_wrong(gate->backoff, from, now);
	return verdict;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int gate_new(const struct gate_opts *opts, struct gate **ret_gate)
{
	struct gate *g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	memcpy(g->key, opts->secret, sizeof(g->key));
	g->ready = opts->ready;
	g->user = opts->user;
	if (backoff_new(opts->secret, &g->backoff) < 0 ||
	    verifier_new(opts->loop, on_verified, g, &g->verifier) < 0) {
		gate_free(g);
		return -ENOMEM;
	}
	*ret_gate = g;
	return 0;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	verifier_free(gate->verifier);
	backoff_free(gate->backoff);
	sodium_memzero(gate, sizeof(*gate));
	free(gate);
}

/* ---- where it comes from ----------------------------------------------------------------- */

static bool is_loopback(const struct weft_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };
	return ip->family == AF_INET ? ip->octet[0] == 127
				     : memcmp(ip->octet, one, sizeof(one)) == 0;
}

/* The address that the nearest proxy has seen, which stands last. */
static bool forwarded_for(const struct http_stream *stream, struct weft_ip *ret_ip)
{
	const char *list = http_stream_header(stream, "x-forwarded-for");
	if (!list)
		return false;
	const char *comma = strrchr(list, ',');
	const char *last = comma ? comma + 1 : list;
	return weft_ip_parse(last + strspn(last, " "), ret_ip) == 0;
}

struct weft_ip gate_address(const struct http_stream *stream)
{
	struct weft_ip ip = net_address(http_stream_peer(stream)), forwarded;
	return is_loopback(&ip) && forwarded_for(stream, &forwarded) ? forwarded : ip;
}
