/* SPDX-License-Identifier: MIT */
/*
 * A tunnel's stream (tapotun's, both ways): IP packets in the body of a long HTTP request or
 * response, each behind the virtio-net header that came with it, so that a TCP super-frame
 * of 64 KiB crosses whole.
 *
 *     0        2                          14                      14 + L
 *     | L (LE) | virtio-net header (LE)   | IP packet of L bytes  |  a record, 20 <= L
 *     | L (LE) | ff ff ff ... twelve      | text of L bytes       |  a control record
 *     | 0    0 |                                                     a ping: two bytes
 *
 * The header is in the order of its sender's machine; all that have ever sent one were
 * little-endian. L counts the packet alone. A ping is sent after 55 s without a record and
 * asks for no answer. Any other L says that the stream is not one of these or has lost its
 * place, and ends it.
 *
 * Reading looks at the bytes at hand and says what stands first, as wire/framing.h does: it
 * copies nothing, keeps nothing and never waits, so a stream may be cut anywhere. What the
 * header claims is not believed (wire/segment.h checks it against the packet): a record with
 * false claims is passed over and counted, and the stream goes on behind it.
 *
 *     while ((r = tunnel_decode(data, len, true, &unit)) != TUNNEL_MORE) {
 *             if (r == TUNNEL_BROKEN)
 *                     return -EBADMSG;
 *             if (r == TUNNEL_FRAME)
 *                     batch[n++] = unit.frame;
 *             data += unit.len;
 *             len -= unit.len;
 *     }
 *
 * The records of an Ethernet tunnel are the same with a frame instead of the packet.
 *
 * A control record is what two ends that both know of it say to each other about the tunnel, as
 * JSON; spaces fill it up to 20 bytes. To an old peer, which is never sent one, its header would
 * be as untrue as can be.
 */
#ifndef WIRE_TUNNEL_H
#define WIRE_TUNNEL_H

#include "wire/virtio.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNNEL_LEN        (2u + VIRTIO_LEN) /**< In front of each packet, in bytes. */
#define TUNNEL_PING_LEN   2u
#define TUNNEL_PACKET_MIN 20u
#define TUNNEL_PACKET_MAX 65535u

/** Longest record: who has so many bytes at hand is never told TUNNEL_MORE. */
#define TUNNEL_RECORD_MAX (TUNNEL_LEN + TUNNEL_PACKET_MAX)

enum tunnel_outcome {
	TUNNEL_MORE,    /**< The record goes on behind what is at hand. */
	TUNNEL_FRAME,   /**< A whole record. */
	TUNNEL_PING,    /**< The peer is alive. */
	TUNNEL_CONTROL, /**< A whole control record. */
	TUNNEL_BAD,    /**< A whole record with a header that is not true: passed over. */
	TUNNEL_BROKEN, /**< A length that cannot be: nothing from here on is understood. */
};

/** What stands first in a stream. */
struct tunnel_unit {
	/**
	 * Length in bytes. Of TUNNEL_MORE: how many must be at hand before there is any use in
	 * asking again. Of TUNNEL_BROKEN: the L that cannot be, 1..19.
	 */
	size_t len;
	/**
	 * Of TUNNEL_FRAME: borrows the bytes of the record; its head is the headroom, so that
	 * tunnel_push can write the record anew in place. Of TUNNEL_CONTROL: its data are the
	 * text, which need not end with NUL.
	 */
	struct weft_frame frame;
};

/** What stands first in data[0..len); is_ip: packets, not Ethernet frames. */
enum tunnel_outcome tunnel_decode(uint8_t *data, size_t len, bool is_ip,
				  struct tunnel_unit *ret_unit);

/**
 * Writes the head of the frame's record into the frame's headroom and gives where the record
 * begins. Returns the record's length in bytes, -ENOBUFS when the headroom is shorter than
 * TUNNEL_LEN, or -EMSGSIZE for a frame that is too short or too long for a record.
 */
int tunnel_push(const struct weft_frame *frame, uint8_t **ret_record) WEFT_MUST_CHECK;

/** Writes the whole record to buf, for a queue. As above; -ENOBUFS when buf is too short. */
int tunnel_emit(uint8_t *buf, size_t len, const struct weft_frame *frame) WEFT_MUST_CHECK;

/**
 * Writes a control record of a text of n bytes. Returns its length in bytes, -EMSGSIZE where the
 * text is too long for a record, or -ENOBUFS when buf is too short.
 */
int tunnel_control_emit(uint8_t *buf, size_t len, const char *text,
			size_t n) WEFT_MUST_CHECK;

/** Length in bytes of the control record of a text of n bytes. */
size_t tunnel_control_len(size_t n);

/** Writes a ping. */
void tunnel_ping_emit(uint8_t buf[TUNNEL_PING_LEN]);

#endif
