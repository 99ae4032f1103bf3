/* SPDX-License-Identifier: MIT */
/*
 * How long an Ethernet frame is that nothing but its own headers tell of: in a stream of
 * bare frames, where one begins behind the last byte of the other.
 *
 *     | dst | src | type | header with a length ... |      14 + what the header says
 *
 *     type             length                                        source
 *     0x0800 IPv4      total length                                  RFC 791
 *     0x86dd IPv6      40 + payload length                           RFC 8200
 *     0x0806, 0x8035,  8 + 2 * (hardware + protocol address)         RFC 826, 903; AARP:
 *       0x80f3                                                       Inside AppleTalk
 *     0x8100, 0x88a8,  4 + of what is tagged, twice at most          802.1Q
 *       0x9100
 *     3..1500          that many bytes (LLC, SNAP, raw IPX)          802.3
 *     0x8137 IPX       length field                                  Novell IPX
 *     0x809b DDP       10 bits of length, behind LAP or without it   Inside AppleTalk
 *     0x8863, 0x8864   6 + length                                    RFC 2516
 *     0x9000 loopback  60, if zeros pad it so                        Ethernet V2, chapter 8
 *
 * Everything else has no length that could be found. A header that contradicts itself (an
 * IPv4 total length of 0, or one below its header's) ends the stream as well: no guess at
 * where the next frame begins would be better than another.
 */
#ifndef WIRE_FRAME_SIZE_H
#define WIRE_FRAME_SIZE_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

/** Frames on a cable are padded to so many bytes (802.3 4.2.3.3: 64 with the FCS). */
#define FRAME_SIZE_MIN 60u

/**
 * The length of the frame that begins at data, of which len bytes are there.
 * Returns it (>= 17, and possibly more than len or WEFT_FRAME_LEN_MAX); 0 when more bytes are
 * needed to tell, never more than FRAME_SIZE_MIN + 8 altogether; -EPROTONOSUPPORT for a type
 * whose length cannot be told; -EBADMSG for a header that cannot be.
 * ret_type is written in these two cases: the type in question, behind the tags.
 */
int frame_size(const uint8_t *data, size_t len, uint16_t *ret_type) WEFT_MUST_CHECK;

#endif
