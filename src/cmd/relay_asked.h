/* SPDX-License-Identifier: MIT */
/*
 * What a running relay is asked by `weft status`, `weft kick` and the like.
 */
#ifndef CMD_RELAY_ASKED_H
#define CMD_RELAY_ASKED_H

#include "cmd/relaying.h"

/** Listens, in its loop. Where that fails it is said, and the relay is one without it, too. */
void relay_asked_open(struct relaying *r);

#endif
