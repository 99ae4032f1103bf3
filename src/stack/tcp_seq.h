/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers (RFC 9293, 3.4). They count bytes modulo 2^32, so that "before" has no
 * meaning between any two of them, but has one between two that are less than 2^31 apart:
 *
 *              0                                  a - b, as a signed number, says how far
 *         .---------.                             a stands behind b on the circle:
 *       /    b   a    \
 *      |     '-->      |                          a - b = 3             seq_after(a, b)
 *       \             /                           b - a = -3            seq_before(b, a)
 *         '---------'
 *             2^31
 *
 * A connection never has more than 2^30 bytes under way (RFC 7323, 2.3), so all that it
 * compares is near enough. A plain `<` works until the circle closes, which is why this file
 * is the only one that compares sequence numbers.
 */
#ifndef STACK_TCP_SEQ_H
#define STACK_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/** How far a stands behind b; negative if it stands before it. */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return seq_diff(a, b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
	return seq_diff(a, b) > 0;
}

/** first <= x <= last. */
static inline bool seq_within(uint32_t x, uint32_t first, uint32_t last)
{
	return x - first <= last - first;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? b : a;
}

#endif
