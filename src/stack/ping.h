/* SPDX-License-Identifier: MIT */
/*
 * Echo requests that this host sends (RFC 792, RFC 4443 4.1), and who gets the answers.
 */
#ifndef STACK_PING_H
#define STACK_PING_H

#include "stack/ip.h"

#include <stdint.h>

/** Takes an echo reply, its checksum checked. */
enum weft_stack_outcome ping_input(struct weft_stack *stack, const struct ip_rx *rx,
				   uint64_t now);

/** Takes an error about a request. */
bool ping_error(struct weft_stack *stack, const struct ip_error *error, uint64_t now);

/** Frees all that ping. */
void ping_fini(struct weft_stack *stack);

#endif
