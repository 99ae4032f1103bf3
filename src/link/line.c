/* SPDX-License-Identifier: MIT */
/*
 * Both lists are sorted by time, and equal times keep their order. A frame joins at the
 * tail, but for one with reorder set, which walks forward past those that it overtakes.
 */
#include "link/line.h"

#include "base/container.h"
#include "base/time.h"
#include "link/link.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct held {
	struct list node;
	uint64_t at;       /* When it leaves the list that it is on. */
	uint64_t delay_ns; /* Drawn when it came in. */
	bool overtakes;
	struct weft_frame frame;
	uint8_t buf[]; /* Headroom and the frame. */
};

static struct held *held_of(struct list *node)
{
	return container_of(node, struct held, node);
}

void line_init(struct line *l, const struct line_opts *opts)
{
	*l = (struct line){ .opts = *opts };
	rng_init(&l->rng, opts->seed);
	list_init(&l->queue);
	list_init(&l->line);
}

static void list_free(struct list *head)
{
	list_for_each (node, head)
		free(held_of(node));
	list_init(head);
}

void line_fini(struct line *l)
{
	list_free(&l->queue);
	list_free(&l->line);
}

static bool line_chance(struct line *l, double part)
{
	return part > 0 && rng_double(&l->rng) < part;
}

static uint64_t line_draw_delay(struct line *l)
{
	uint64_t jitter = l->opts.jitter_ns;
	uint64_t delay = l->opts.delay_ns;
	if (jitter == 0)
		return delay;
	uint64_t offset = delay + rng_below(&l->rng, 2 * jitter + 1);
	return offset > jitter ? offset - jitter : 0;
}

/* Time that the bottleneck needs for len bytes, rounded up. */
static uint64_t line_transmit_ns(const struct line *l, uint32_t len)
{
	uint64_t bits = (uint64_t)len * 8;
	return (bits * NS_PER_S + l->opts.rate_bps - 1) / l->opts.rate_bps;
}

static bool queue_has_room(const struct line *l, uint32_t len)
{
	if (l->opts.limit_frames && l->queue_frames >= l->opts.limit_frames)
		return false;
	return !l->opts.limit_bytes || l->queue_bytes + len <= l->opts.limit_bytes;
}

static struct held *held_new(const struct weft_frame *frame)
{
	struct held *h = malloc(sizeof(*h) + WEFT_HEADROOM + frame->len);
	if (!h)
		return NULL;
	list_init(&h->node);
	h->frame = *frame;
	h->frame.data = h->buf + WEFT_HEADROOM;
	h->frame.headroom = WEFT_HEADROOM;
	if (frame->len > 0)
		memcpy(h->frame.data, frame->data, frame->len);
	return h;
}

/* Puts a frame that passed the bottleneck at the given time on the line. */
static void line_enter(struct line *l, struct held *h, uint64_t departed)
{
	h->at = departed + (h->overtakes ? 0 : h->delay_ns);
	if (!h->overtakes && h->at < l->arrival)
		h->at = l->arrival;
	if (!h->overtakes)
		l->arrival = h->at;
	struct list *after = l->line.prev;
	while (after != &l->line && held_of(after)->at > h->at)
		after = after->prev;
	list_insert_before(after->next, &h->node);
}

/* Moves what has passed the bottleneck by now from the queue to the line. */
static void queue_advance(struct line *l, uint64_t now)
{
	struct list *node;
	while ((node = list_first(&l->queue)) && held_of(node)->at <= now) {
		struct held *h = held_of(node);
		list_remove(node);
		l->queue_frames--;
		l->queue_bytes -= h->frame.len;
		line_enter(l, h, h->at);
	}
}

static void queue_enter(struct line *l, struct held *h, uint64_t now)
{
	uint64_t start = l->idle_at > now ? l->idle_at : now;
	l->idle_at = start + line_transmit_ns(l, h->frame.len);
	h->at = l->idle_at;
	l->queue_frames++;
	l->queue_bytes += h->frame.len;
	list_push_back(&l->queue, &h->node);
}

/* True for a frame that would come out at once, behind nothing that is still held. */
static bool line_is_direct(const struct line *l, uint64_t delay_ns, bool overtakes,
			   uint64_t now)
{
	if (l->opts.rate_bps)
		return false;
	if (overtakes)
		return true;
	return delay_ns == 0 && list_is_empty(&l->line) && l->arrival <= now;
}

static int line_push_one(struct line *l, const struct weft_frame *frame, uint64_t now)
{
	uint64_t delay_ns = line_draw_delay(l);
	bool overtakes = line_chance(l, l->opts.reorder);

	if (line_is_direct(l, delay_ns, overtakes, now)) {
		l->opts.emit(l->opts.user, frame, 1, now);
		return 0;
	}
	if (l->opts.rate_bps && !queue_has_room(l, frame->len))
		return -ENOBUFS;
	if (l->held_bytes + frame->len > LINE_BYTES_MAX)
		return -ENOBUFS;
	struct held *h = held_new(frame);
	if (!h)
		return -ENOMEM;
	h->delay_ns = delay_ns;
	h->overtakes = overtakes;
	l->held_bytes += frame->len;
	if (l->opts.rate_bps)
		queue_enter(l, h, now);
	else
		line_enter(l, h, now);
	return 0;
}

int line_push(struct line *l, const struct weft_frame *frame, uint64_t now)
{
	queue_advance(l, now);
	if (line_chance(l, l->opts.loss))
		return -ENOBUFS;
	bool doubled = line_chance(l, l->opts.duplicate);
	int r = line_push_one(l, frame, now);
	if (r == 0 &&
	    doubled) /* There may be no room for the copy: then there is none. */
		(void)line_push_one(l, frame, now);
	return r;
}

void line_run(struct line *l, uint64_t now)
{
	struct weft_frame frames[LINK_BATCH];
	struct list due;
	struct list *node;
	size_t n = 0;

	list_init(&due);
	queue_advance(l, now);
	while (n < LINK_BATCH && (node = list_first(&l->line)) &&
	       held_of(node)->at <= now) {
		list_remove(node);
		list_push_back(&due, node);
		frames[n] = held_of(node)->frame;
		l->held_bytes -= frames[n].len;
		n++;
	}
	if (n > 0)
		l->opts.emit(l->opts.user, frames, n, now);
	list_free(&due);
}

/* What leaves the queue enters the line, so both ends matter. */
uint64_t line_deadline(const struct line *l)
{
	uint64_t deadline = WEFT_NEVER;
	if (!list_is_empty(&l->queue))
		deadline = held_of(l->queue.next)->at;
	if (!list_is_empty(&l->line) && held_of(l->line.next)->at < deadline)
		deadline = held_of(l->line.next)->at;
	return deadline;
}
