/* SPDX-License-Identifier: MIT */
/*
 * Networks as sets of addresses: which holds which, and what an address may be used for.
 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <weft/addr.h>

#include <stdbool.h>

/** The network that an address with a prefix lies in: its host bits are zero. */
struct weft_ip net_of(const struct weft_ip *ip);

/** Whether the bits behind the prefix are all zero. */
bool net_is_network(const struct weft_ip *ip);

/** Whether they are all ones, in a network of IPv4 that has a broadcast address. */
bool net_is_broadcast(const struct weft_ip *ip);

/** Whether all of inner's addresses are outer's, too. Host bits do not matter. */
bool net_contains(const struct weft_ip *outer, const struct weft_ip *inner);

/** Whether they are one network, or one address with one prefix. */
bool net_is_same(const struct weft_ip *a, const struct weft_ip *b);

/** The address without its prefix. */
struct weft_ip net_host(const struct weft_ip *ip);

/** A socket's address, as IPv4 where it is that in IPv6's clothes; family 0 for none. */
struct weft_ip net_address(const union weft_sockaddr *addr);

/** Bits of an address of the family. */
unsigned net_bits(unsigned family);

/** Whether a machine can have the address: no multicast, loopback or "this network". */
bool net_is_usable(const struct weft_ip *ip);

#endif
