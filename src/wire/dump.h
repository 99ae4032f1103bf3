/* SPDX-License-Identifier: MIT */
/*
 * The two halves of weft_dump_frame: below IP (the frame), and IP with all that it carries.
 */
#ifndef WIRE_DUMP_H
#define WIRE_DUMP_H

#include "base/fmt.h"

#include <weft/dump.h>

#include <stddef.h>
#include <stdint.h>

/** Appends what went wrong: len bytes were there where need were wanted. */
void dump_flaw(struct fmt *f, size_t len, size_t need);

/*
 * Append a packet of len bytes, link padding included. Each returns the bytes of the TCP or
 * UDP payload that are there, which is what a super-frame is cut into; 0 where there is none.
 */
size_t dump_ip4(struct fmt *f, const uint8_t *data, size_t len);
size_t dump_ip6(struct fmt *f, const uint8_t *data, size_t len);

#endif
