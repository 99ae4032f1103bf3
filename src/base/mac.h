/* SPDX-License-Identifier: MIT */
/*
 * Questions about Ethernet addresses (IEEE 802-2014 8.2). Text forms are in <weft/addr.h>.
 *
 *     octet 0          xxxxxxLG    G: group (multicast, broadcast)   L: locally administered
 */
#ifndef BASE_MAC_H
#define BASE_MAC_H

#include <weft/addr.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** Bytes of an address on the wire. */
#define MAC_LEN 6u

static inline bool mac_equal(struct weft_mac a, struct weft_mac b)
{
	return memcmp(a.octet, b.octet, MAC_LEN) == 0;
}

/** Multicast or broadcast: may be a destination, never a source. */
static inline bool mac_is_group(struct weft_mac mac)
{
	return (mac.octet[0] & 0x01) != 0;
}

/** Chosen by software or an administrator and not by the maker of the device. */
static inline bool mac_is_local(struct weft_mac mac)
{
	return (mac.octet[0] & 0x02) != 0;
}

/** The six octets from the wire. */
static inline struct weft_mac mac_load(const uint8_t *bytes)
{
	struct weft_mac mac;
	memcpy(mac.octet, bytes, MAC_LEN);
	return mac;
}

static inline void mac_store(uint8_t *bytes, struct weft_mac mac)
{
	memcpy(bytes, mac.octet, MAC_LEN);
}

/** As an integer key, first octet highest: 02:00:00:00:00:01 is 0x020000000001. */
static inline uint64_t mac_to_u64(struct weft_mac mac)
{
	uint64_t value = 0;
	for (size_t i = 0; i < MAC_LEN; i++)
		value = value << 8 | mac.octet[i];
	return value;
}

/** Undoes mac_to_u64; the upper 16 bits are ignored. */
static inline struct weft_mac mac_from_u64(uint64_t value)
{
	struct weft_mac mac;
	for (size_t i = MAC_LEN; i-- > 0; value >>= 8)
		mac.octet[i] = (uint8_t)value;
	return mac;
}

static inline bool mac_is_zero(struct weft_mac mac)
{
	return mac_to_u64(mac) == 0;
}

static inline bool mac_is_broadcast(struct weft_mac mac)
{
	return mac_to_u64(mac) == 0xffffffffffffu;
}

#endif
