/* SPDX-License-Identifier: MIT */
/*
 * One direction of a bad path: frames go in at one time and come out later, or not at all.
 *
 *   push -> lost? doubled? -> [ queue ] ---- rate ----> [ line: delay +- jitter ] -> emit
 *                             limit                       reorder: past the line
 *
 * The queue is what waits for its turn at the bottleneck, and is bounded by limit. The line
 * is what is under way. Both times are computed from when a frame came in and never from
 * when the line is run, so that in virtual time the departures are exact to the nanosecond,
 * and the same seed gives the same run.
 */
#ifndef LINK_LINE_H
#define LINK_LINE_H

#include "base/list.h"
#include "base/rng.h"

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes of frames that a line holds, under way and waiting. */
#define LINE_BYTES_MAX (64u << 20)

/** All zero: a perfect path. */
struct line_opts {
	double loss;        /**< Part of the frames that is lost, 0..1. */
	double duplicate;   /**< Part that comes out twice. */
	double reorder;     /**< Part that skips the delay, and overtakes the rest. */
	uint64_t delay_ns;  /**< Time under way. */
	uint64_t jitter_ns; /**< The delay is uniform in delay +- jitter, in order. */
	uint64_t rate_bps;  /**< Bits per second of the bottleneck; 0: none. */
	/** Most that wait for the bottleneck; 0: no such bound. */
	uint64_t limit_frames;
	uint64_t limit_bytes; /**< The same in bytes; 0: no such bound. */
	uint64_t seed;
	/** Takes frames that have come through, borrowed for the call. */
	void (*emit)(void *user, const struct weft_frame *frames, size_t n, uint64_t now);
	void *user;
};

struct line {
	struct line_opts opts;
	struct rng rng;
	struct list queue;     /* Waiting for the bottleneck, in order of departure. */
	struct list line;      /* Under way, in order of arrival. */
	uint64_t queue_frames; /* What limit bounds. */
	uint64_t queue_bytes;
	uint64_t held_bytes; /* On both, what LINE_BYTES_MAX bounds. */
	uint64_t idle_at;    /* When the bottleneck has sent all that waits. */
	uint64_t arrival;    /* Latest on the line: frames with jitter do not pass it. */
};

void line_init(struct line *l, const struct line_opts *opts);

/** Frees what is still held. */
void line_fini(struct line *l);

/**
 * Puts in a copy of a frame; one that need not wait is emitted at once. Returns 0, or
 * -ENOBUFS for one that was lost, by chance or by a bound, or -ENOMEM.
 */
int line_push(struct line *l, const struct weft_frame *frame,
	      uint64_t now) WEFT_MUST_CHECK;

/** Emits what is due, at most LINK_BATCH frames. */
void line_run(struct line *l, uint64_t now);

/** When the next frame comes out, or WEFT_NEVER. */
uint64_t line_deadline(const struct line *l);

#endif
