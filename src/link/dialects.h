/* SPDX-License-Identifier: MIT */
/*
 * The dialects that are nothing but a framing, for the kinds named after them and for auto,
 * which finds out.
 */
#ifndef LINK_DIALECTS_H
#define LINK_DIALECTS_H

#include "link/link.h"
#include "link/local.h"
#include "wire/framing.h"

#include <stddef.h>
#include <stdint.h>

struct dialect {
	const char *kind;
	const struct framing_ops *framing;
	/** Longest frame sent unless an option says otherwise. */
	uint32_t frame_len_max;
};

extern const struct dialect dialect_tapserver, dialect_bare, dialect_qemu,
	dialect_gvproxy, dialect_vde_stream;

struct dialect_peer {
	struct local_ends ends;
	uint32_t frame_len_max; /**< 0: the dialect's. */
	size_t queue_len;
	const uint8_t *first; /**< What it has said already. */
	size_t first_len;
};

/** Makes a link of a connection, which it takes over if it succeeds. Returns 0 or -Exxx. */
int dialect_link_new(const struct dialect *dialect, const struct dialect_peer *peer,
		     struct weft_link **ret_link) WEFT_MUST_CHECK;

#endif
