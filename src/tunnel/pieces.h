/* SPDX-License-Identifier: MIT */
/*
 * Super-frames in pieces. A record that has begun to go out goes on first, whatever else waits;
 * on a slow path that is long: 64 KiB take 2.6 ms at 200 Mbit/s, and as much again where the
 * socket has taken it but not sent it. So there a TCP super-frame becomes several, of the same
 * segments, and others have a turn between them (tunnel/outbox.h).
 */
#ifndef TUNNEL_PIECES_H
#define TUNNEL_PIECES_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>

/** Zero has no memory yet. */
struct pieces {
	struct pieces_room *room;
};

/** Whether a frame is so much longer than what is given at once that it goes in pieces. */
bool pieces_are_needed(const struct weft_frame *frame, size_t len_max);

/**
 * Such a frame in pieces of about len_max bytes, which are valid until the next call; the frame
 * itself where it cannot be cut, or memory is short. Returns how many they are.
 */
size_t pieces_make(struct pieces *p, const struct weft_frame *frame, bool is_ip,
		   size_t len_max, const struct weft_frame **ret_frames);

/** Gives memory back. */
void pieces_trim(struct pieces *p);

#endif
