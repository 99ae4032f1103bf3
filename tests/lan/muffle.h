/* SPDX-License-Identifier: MIT */
/*
 * A socket around another one, which can be made deaf or mute without its owner's knowing, and
 * counts what passes.
 */
#ifndef LAN_MUFFLE_H
#define LAN_MUFFLE_H

#include "io/dgram.h"

struct muffle {
	struct dgram base;
	struct dgram *under;
	bool is_deaf;            /**< What comes is counted, and nobody hears it. */
	unsigned messages_left;  /**< To be sent; the rest is lost. */
	uint64_t sent, received; /**< Bytes of UDP payload. */
};

/** Around a socket that becomes its own. */
struct muffle *muffle_new(struct dgram *under);

#endif
