/* SPDX-License-Identifier: MIT */
/*
 * Which dialect a peer speaks on a stream, by the first bytes that it sends.
 *
 *     VMN3T                          VPNKit
 *     fe ed fa ce, ce fa ed fe       the control socket of a VDE switch
 *     7e, or u16 7e                  PPP of a modem
 *     00 00 0x xx | frame            u32 big-endian: QEMU
 *     xx 0x | frame                  u16 little-endian: tapserver
 *     0x xx | frame                  u16 big-endian: vde_plug
 *     frame                          bare
 *
 * A length alone says little: what stands behind it has to be a frame. That it is one is sure
 * where its own headers have the length that was announced (wire/frame_size.h), or less by as
 * much as padding explains; it is likely where its type is not one that can be sized; it is
 * not one where a header contradicts itself, or the sender's address is a group's. Sure goes
 * before likely, and among equals the order above.
 */
#ifndef WIRE_DETECT_H
#define WIRE_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** With so many bytes at hand the answer is never DETECT_MORE. */
#define DETECT_LEN 96u

enum detect_result {
	DETECT_MORE, /**< Too early to tell. */
	DETECT_UNKNOWN,
	DETECT_VPNKIT,
	DETECT_VDE_CTL,
	DETECT_PPP,
	DETECT_U32_BE,
	DETECT_U16_LE,
	DETECT_U16_BE,
	DETECT_BARE,
};

/** What the peer speaks that has sent data[0..len); is_final: no more is to be waited for. */
enum detect_result detect(const uint8_t *data, size_t len, bool is_final);

#endif
