/* SPDX-License-Identifier: MIT */
/*
 * Pieces are no shorter than half of what a frame can have, so that they are few and the memory
 * is that of one frame and some headers.
 */
#include "tunnel/pieces.h"

#include "wire/segment.h"

#include <stdlib.h>

/* A frame, and for each of its pieces headers of their own. */
#define ARENA_LEN ((size_t)2 * WEFT_FRAME_LEN_MAX)

struct pieces_room {
	struct weft_frame frames[SEGMENT_PIECES_MAX];
	_Alignas(16) uint8_t arena[ARENA_LEN];
};

bool pieces_are_needed(const struct weft_frame *frame, size_t len_max)
{
	const bool is_tcp = frame->offload.gso == WEFT_GSO_TCP4 ||
			    frame->offload.gso == WEFT_GSO_TCP6;
	return is_tcp && frame->len > len_max + len_max / 2;
}

size_t pieces_make(struct pieces *p, const struct weft_frame *frame, bool is_ip,
		   size_t len_max, const struct weft_frame **ret_frames)
{
	int n = -1;
	if (!p->room)
		p->room = malloc(sizeof(*p->room));
	if (p->room)
		n = segment_split(frame, is_ip, len_max, p->room->arena, ARENA_LEN,
				  p->room->frames);
	*ret_frames = n > 0 ? p->room->frames : frame;
	return n > 0 ? (size_t)n : 1;
}

void pieces_trim(struct pieces *p)
{
	free(p->room);
	p->room = NULL;
}
