/* SPDX-License-Identifier: MIT */
/*
 * A plug as a single link: it carries one peer at a time. While nobody is plugged in, what
 * is sent is dropped and counted; the next peer may come when the last has gone. Where no
 * next one can come (connect, fd:N, standard input), the link goes down with its peer.
 *
 *     link ops->send --> peer's ops->send          link->task.fd = poller --- plug's task
 *     receiver <-- link_deliver <-- peer's receiver                       '-- peer's task
 */
#ifndef LINK_SOLO_H
#define LINK_SOLO_H

#include "link/link.h"
#include "link/spec.h"

/**
 * Opens the plug of a spec, whose kind has one, and connects where the spec says so.
 * Returns 0, or -Exxx with err.
 */
int solo_open(const struct spec *spec, struct weft_error *err,
	      struct weft_link **ret_link) WEFT_MUST_CHECK;

#endif
