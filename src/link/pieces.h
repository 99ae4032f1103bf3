/* SPDX-License-Identifier: MIT */
/*
 * Frames that do not lie in one piece: headers that were made for the link, and a payload that
 * is somewhere else and would have to be copied behind them.
 *
 *      frame.data                 pieces[0]              pieces[1]
 *      | eth ip tcp |  ------>  | payload ...  |  ---->  | payload |
 *
 * Such frames never travel: no receiver, bridge or wrapper sees one. Who makes them asks the
 * link whether it can use them, and otherwise puts them together.
 */
#ifndef LINK_PIECES_H
#define LINK_PIECES_H

#include <weft/link.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most pieces of a frame. */
#define LINK_PIECES_MAX 64u

/** Bytes of a frame; borrowed. */
struct link_piece {
	const void *data;
	size_t len;
};

/**
 * Whether the link's driver takes frames in pieces, and TCP super-segments and checksums that
 * are not finished; and nobody wants to look at them.
 */
bool link_takes_pieces(const struct weft_link *link);

/**
 * As weft_link_send, for one frame that goes on with n pieces (LINK_PIECES_MAX at most). The
 * link takes them, and its caps have what the frame's offload asks for. All is borrowed.
 */
void link_send_pieces(struct weft_link *link, const struct weft_frame *frame,
		      const struct link_piece *pieces, size_t n, uint64_t now);

#endif
