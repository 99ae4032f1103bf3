/* SPDX-License-Identifier: MIT */
/*
 * Who may come in: tells a server's clients by the tokens that they show.
 *
 *     silenced address? --yes--> SILENT                      (tunnel/backoff.h)
 *           | no
 *     SHA-1 of a client's? --yes--> KNOWN                    all of them are looked at
 *           | no
 *     tried before against the slow hashes? --yes--> KNOWN or WRONG, as it was then
 *           | no
 *     too many new ones of late? --yes--> BUSY               come back in a moment
 *           | no
 *     argon2id of a client's? --> LATER                      ask again when ready is called
 *
 * A slow hash takes a tenth of a second and more, as its makers wanted it to; a thread computes it
 * (tunnel/verifier.h), while all traffic goes on. A token costs that once, however often its client
 * comes back, and GATE_BURST new ones are tried in a row and then one each GATE_EVERY_NS, whoever
 * shows them. What was tried is remembered by a keyed hash: tokens themselves are kept nowhere once
 * they have been.
 */
#ifndef TUNNEL_GATE_H
#define TUNNEL_GATE_H

#include "base/time.h"
#include "http/http.h"

#include <weft/tunnel.h>

/** New tokens that are tried against slow hashes in a row. */
#define GATE_BURST    8u
#define GATE_EVERY_NS NS_PER_S

/** Right tokens that are remembered, and as many wrong ones; the oldest gives way. */
#define GATE_MEMORY 1024u

enum gate_verdict {
	GATE_KNOWN,
	GATE_WRONG,
	GATE_SILENT, /**< The address has shown too many wrong ones. */
	GATE_BUSY,   /**< Nothing was tried. */
	GATE_LATER,  /**< It is being tried. */
};

struct gate;

struct gate_opts {
	const uint8_t *secret; /**< 16 random bytes; copied. */
	struct weft_loop *loop;
	/** Whoever was told to come later may ask again. */
	void (*ready)(void *user);
	void *user;
};

/** Returns 0 or -ENOMEM. */
int gate_new(const struct gate_opts *opts, struct gate **ret_gate) WEFT_MUST_CHECK;

/** NULL is allowed. */
void gate_free(struct gate *gate);

/**
 * Which client of a server shows this token (NULL: none is shown). ret_client is its number,
 * and only written for GATE_KNOWN.
 */
enum gate_verdict gate_ask(struct gate *gate, const struct weft_tunnel_interface *conf,
			   const char *token, const struct weft_ip *from, uint64_t now,
			   size_t *ret_client);

/** Wrong tokens may be right ones now: there is a new configuration. */
void gate_forget_wrong(struct gate *gate);

/**
 * From where a request comes: its socket's address, or for a proxy on this machine the last
 * one of X-Forwarded-For, which that proxy has seen itself.
 */
struct weft_ip gate_address(const struct http_stream *stream);

#endif
