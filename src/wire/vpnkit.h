/* SPDX-License-Identifier: MIT */
/*
 * The handshake of VPNKit, by which HyperKit asks for an Ethernet port. Before the frames,
 * which have a little-endian length of 16 bits in front:
 *
 *     client                                              server
 *       | init, 49:    "VMN3T" | version u32 | commit[40]    |
 *       |--------------------------------------------------->|
 *       |<---------------------------------- the same, 49 ---|
 *       | command, 41: 1 | UUID as text[36] | 0 0 0 0        |
 *       |--------------------------------------------------->|
 *       |      258: 1 | MTU u16 | MTU + 14 u16 | MAC[6] | 0  |
 *       |<---------------------------------------------------|
 *       |      258: 2 | n u8 | text[n] | 0                   |   or this, for a refusal
 *
 * Numbers are little-endian. Command 8 also asks for an IPv4 address, in the last four bytes,
 * which we take for 1. Sources: moby/hyperkit pci_virtio_net_vpnkit.c, gvisor-tap-vsock
 * virtualnetwork/vpnkit.go.
 */
#ifndef WIRE_VPNKIT_H
#define WIRE_VPNKIT_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VPNKIT_INIT_LEN    49u
#define VPNKIT_COMMAND_LEN 41u
#define VPNKIT_REPLY_LEN   258u
#define VPNKIT_UUID_LEN    36u
#define VPNKIT_MAGIC_LEN   5u

/** True if data, which has len >= 1 bytes, begins as an init does (as far as it goes). */
bool vpnkit_is_init(const uint8_t *data, size_t len);

/** Writes a client's init. */
void vpnkit_init_emit(uint8_t buf[VPNKIT_INIT_LEN]);

/** Reads a command. Returns 0 and the UUID's text (without a NUL), or -EBADMSG. */
int vpnkit_command_parse(const uint8_t buf[VPNKIT_COMMAND_LEN],
			 uint8_t ret_uuid[VPNKIT_UUID_LEN]) WEFT_MUST_CHECK;

/** Writes a command that asks for an Ethernet port. uuid has VPNKIT_UUID_LEN characters. */
void vpnkit_command_emit(uint8_t buf[VPNKIT_COMMAND_LEN], const char *uuid);

struct vpnkit_reply {
	bool is_refused;
	char why[96]; /**< Of a refusal: printable, and cut if it is longer. */
	uint16_t mtu;
	struct weft_mac mac;
};

/** Reads a reply. Returns 0, or -EBADMSG. */
int vpnkit_reply_parse(const uint8_t buf[VPNKIT_REPLY_LEN],
		       struct vpnkit_reply *ret_reply) WEFT_MUST_CHECK;

/** Writes a reply; of a refusal only as much of why as there is. */
void vpnkit_reply_emit(uint8_t buf[VPNKIT_REPLY_LEN], const struct vpnkit_reply *reply);

/** The same address for the same machine at all times: from its UUID, locally administered. */
struct weft_mac vpnkit_mac_of(const uint8_t uuid[VPNKIT_UUID_LEN]);

#endif
