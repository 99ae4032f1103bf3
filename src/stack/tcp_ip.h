/* SPDX-License-Identifier: MIT */
/*
 * TCP as a protocol of the stack: the other side of tcp_seam.h.
 */
#ifndef STACK_TCP_IP_H
#define STACK_TCP_IP_H

#include "stack/ip.h"
#include "stack/tcp.h"

/** The TCP of a stack. */
struct tcp *tcp_of_stack(struct weft_stack *stack);

#endif
