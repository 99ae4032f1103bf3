/* SPDX-License-Identifier: MIT */
/*
 * IPv6 as a host receives it (RFC 8200, RFC 8504).
 */
#ifndef STACK_IP6_H
#define STACK_IP6_H

#include "stack/iface.h"

#include <stdint.h>

/** Takes an IPv6 packet, or what claims to be one. */
enum weft_stack_outcome ip6_input(const struct iface_rx *rx, uint64_t now);

/**
 * Where in the packet the byte is that names the header at off, which the walk over the headers
 * has checked: the next header field of the one before it.
 */
size_t ip6_next_field(const uint8_t *packet, size_t off);

#endif
