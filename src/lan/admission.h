/* SPDX-License-Identifier: MIT */
/*
 * Who gets into a room: from a hello to a welcome or a reject.
 *
 *   1. a version in common, and a proof that belongs to key and connection
 *   2. the path measured at both ends
 *   3. the room found, or opened for its first member
 *   4. the room lets it in: key, gateway, MAC, number of clients, path
 *   5. registered; the others told; welcome, with the list of who is here
 *
 * A client is made known to the others before its welcome, so that the gateway knows its MAC
 * before the first frame can come; a gateway gets its welcome first, so that it knows all
 * clients before they know of it.
 */
#ifndef LAN_ADMISSION_H
#define LAN_ADMISSION_H

#include "lan/visitor.h"

/** A hello has come in state GREETING. */
void admission_on_hello(struct visitor *visitor, const struct hello *hello, uint64_t now);

/** Admits in state MEASURING if the path is known or has been waited for long enough. */
void admission_measure(struct visitor *visitor, uint64_t now);

/** Tells a visitor in state GREETING or MEASURING that it may not come in. */
void admission_refuse(struct visitor *visitor, const struct reject *reject, uint64_t now);

#endif
