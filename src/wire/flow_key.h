/* SPDX-License-Identifier: MIT */
/*
 * What all packets of one flow have in common, as bytes to be hashed: addresses, protocol and
 * ports of a packet of TCP or UDP; addresses and protocol of any other, and of fragments, of
 * which only the first has ports; the Ethernet header of a frame that is no IP.
 */
#ifndef WIRE_FLOW_KEY_H
#define WIRE_FLOW_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_KEY_MAX 37u

/** Writes the key and returns its length, of whatever bytes: never fails. */
size_t flow_key(const uint8_t *data, size_t len, bool is_ip, uint8_t key[FLOW_KEY_MAX]);

#endif
