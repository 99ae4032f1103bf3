/* SPDX-License-Identifier: MIT */
/*
 * The arena is sized for the worst super-frame, so that cutting never lacks room. That is
 * address space; what a usual super-frame does not touch costs nothing.
 */
#include "link/cutter.h"

#include "wire/segment.h"

#include <errno.h>
#include <stdlib.h>

void cutter_fini(struct cutter *c)
{
	free(c->arena);
	free(c->frames);
	*c = (struct cutter){ 0 };
}

static int cutter_allocate(struct cutter *c)
{
	c->arena = malloc(SEGMENT_ARENA_LEN);
	c->frames = calloc(SEGMENTS_MAX, sizeof(*c->frames));
	if (c->arena && c->frames)
		return 0;
	cutter_fini(c);
	return -ENOMEM;
}

int cutter_cut(struct cutter *c, const struct weft_frame *frame, bool is_ip,
	       const struct weft_frame **ret_frames)
{
	if (!c->arena && cutter_allocate(c) < 0)
		return -ENOMEM;
	int n = segment_cut(frame, is_ip, c->arena, SEGMENT_ARENA_LEN, c->frames,
			    SEGMENTS_MAX);
	if (n >= 0)
		*ret_frames = c->frames;
	return n;
}
