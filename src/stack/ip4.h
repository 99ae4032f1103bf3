/* SPDX-License-Identifier: MIT */
/*
 * IPv4 as a host receives it (RFC 791, RFC 1122 3.2).
 */
#ifndef STACK_IP4_H
#define STACK_IP4_H

#include "stack/iface.h"

#include <stdint.h>

/** Takes an IPv4 packet, or what claims to be one. */
enum weft_stack_outcome ip4_input(const struct iface_rx *rx, uint64_t now);

#endif
