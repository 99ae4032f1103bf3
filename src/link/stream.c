/* SPDX-License-Identifier: MIT */
/*
 * The link, and what comes in: bytes are read behind what is left of the last read, and
 * decoded where they lie. What stays is the beginning of one frame; it moves to the front only
 * when there is no room for a whole read behind it.
 *
 *     | headroom | decoded ... | rest (< one frame) | room for a read ...       |
 *                 ^ start                            ^ end                       RX_LEN
 *
 * What goes out has stream_out.h.
 */
#include "link/stream.h"

#include "base/container.h"
#include "io/poller.h"
#include "link/stream_out.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RX_LEN (WEFT_HEADROOM + LINK_RUN_BYTES + WEFT_FRAME_LEN_MAX + FRAMING_HDR_MAX)

static_assert(STREAM_FIRST_MAX < LINK_RUN_BYTES, "what comes first fits");

struct stream {
	struct weft_link link;
	struct framing framing;
	struct local_ends ends;
	struct stream_out out;
	/* In. */
	uint8_t *rx; /* RX_LEN bytes. */
	size_t start, end;
	size_t skip;    /* Of a frame that is too long, what is yet to come. */
	bool has_first; /* There are bytes in rx that nobody has looked at. */
	struct stream_greeting *greeting; /* NULL once frames may pass. */
	uint64_t patience_until;          /* 0 before the first run. */
	/* Two pipes are watched through a poller, as two tasks. NULL for a socket. */
	struct poller *poller;
	struct weft_task in_task, out_task;
};

static struct stream *stream_of(struct weft_link *link)
{
	return (struct stream *)(void *)link;
}

/* ---- out --------------------------------------------------------------------------------- */

/* Waits for room only while something waits for it. */
static void stream_watch_out(struct stream *s)
{
	bool waits = stream_out_waits(&s->out);
	if (s->poller) {
		s->out_task.events = waits ? WEFT_WRITABLE : 0;
		poller_watch(s->poller);
	} else if (!s->link.is_down) {
		s->link.task.events = WEFT_READABLE | (waits ? WEFT_WRITABLE : 0);
	}
}

/* How many frames come before one without a byte: its length would wedge Dolphin's reader. */
static size_t stream_sendable(const struct weft_frame *frames, size_t n)
{
	size_t i = 0;
	while (i < n && frames[i].len > 0)
		i++;
	return i;
}

static size_t stream_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct stream *s = stream_of(link);
	(void)now;

	if (s->greeting)
		return 0;
	int done = stream_out_send(&s->out, frames, stream_sendable(frames, n));
	if (done < 0)
		link_end(link, "out of memory in the middle of a frame");
	stream_watch_out(s);
	return done < 0 ? 0 : (size_t)done;
}

static void stream_flush(struct stream *s)
{
	stream_out_flush(&s->out);
	stream_watch_out(s);
}

void stream_link_say(struct weft_link *link, const uint8_t *bytes, size_t n)
{
	struct stream *s = stream_of(link);
	if (stream_out_say(&s->out, bytes, n) < 0)
		link_end(link, "out of memory");
	stream_flush(s);
}

/* ---- in ---------------------------------------------------------------------------------- */

/* Frames that are decoded, and not delivered yet. */
struct rx_batch {
	struct weft_frame frames[LINK_BATCH];
	size_t n;
};

static void rx_deliver(struct stream *s, struct rx_batch *batch, uint64_t now)
{
	link_deliver(&s->link, batch->frames, batch->n, now);
	batch->n = 0;
}

/* Passes over the next n bytes, of which some may not be here yet. */
static void rx_pass(struct stream *s, size_t n)
{
	size_t here = s->end - s->start;
	s->skip = n > here ? n - here : 0;
	s->start += n - s->skip;
}

/* The bytes in front of a frame are its own header, and nobody's any more. */
static void rx_frame(struct stream *s, const struct framing_unit *unit,
		     struct rx_batch *batch)
{
	batch->frames[batch->n++] = (struct weft_frame){
		.data = s->rx + s->start + unit->frame_off,
		.len = unit->frame_len,
		.headroom = (uint32_t)unit->frame_off,
	};
	s->start += unit->len;
}

/* Takes one unit. Returns false when there is none. */
static bool rx_take(struct stream *s, struct rx_batch *batch)
{
	struct framing_unit unit;

	switch (framing_decode(&s->framing, s->rx + s->start, s->end - s->start, &unit)) {
	case FRAMING_MORE:
		return false;
	case FRAMING_FRAME:
		rx_frame(s, &unit, batch);
		return true;
	case FRAMING_BAD:
		s->link.stats.rx_errors++;
		rx_pass(s, unit.len);
		return true;
	case FRAMING_PAD:
		rx_pass(s, unit.len);
		return true;
	case FRAMING_BROKEN:
		break;
	}
	s->link.stats.rx_errors++;
	link_end(&s->link, "%s", s->framing.why);
	return false;
}

/* Lets the greeting have what it wants. Returns whether it is over. */
static bool rx_greet(struct stream *s)
{
	while (s->greeting && s->start < s->end && !s->link.is_down) {
		size_t taken = s->greeting->ops->input(
			s->greeting, &s->link, s->rx + s->start, s->end - s->start);
		if (taken == 0 && s->greeting)
			return false;
		s->start += taken;
	}
	return !s->greeting && !s->link.is_down;
}

static void rx_decode(struct stream *s, uint64_t now)
{
	struct rx_batch batch;
	batch.n = 0;

	if (s->skip > 0)
		rx_pass(s, s->skip);
	if (s->greeting && !rx_greet(s))
		return;
	while (s->start < s->end && rx_take(s, &batch)) {
		if (batch.n == LINK_BATCH)
			rx_deliver(s, &batch, now);
		if (s->link.is_down)
			return;
	}
	rx_deliver(s, &batch, now);
}

/* The end of the stream, when all that came before it has been delivered. */
static void rx_ended(struct stream *s, int error)
{
	if (error)
		link_end(&s->link, "the connection was lost: %s", strerror(error));
	else if (s->greeting)
		link_end(&s->link, "the peer went before it had said what it is");
	else if (s->start < s->end || s->skip > 0)
		link_end(&s->link, "the peer went in the middle of a frame");
	else
		link_end(&s->link, "the peer has gone");
}

/* What is left of the last read goes to the front when there is too little room behind it. */
static void rx_make_room(struct stream *s)
{
	size_t rest = s->end - s->start;
	if (rest > 0 && RX_LEN - s->end >= LINK_RUN_BYTES)
		return;
	memmove(s->rx + WEFT_HEADROOM, s->rx + s->start, rest);
	s->start = WEFT_HEADROOM;
	s->end = s->start + rest;
}

static void stream_read(struct stream *s, uint64_t now)
{
	ssize_t got;

	rx_make_room(s);
	do {
		got = read(s->ends.in, s->rx + s->end, LINK_RUN_BYTES);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		s->end += (size_t)got;
		rx_decode(s, now);
	} else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
		rx_ended(s, got == 0 ? 0 : errno);
	}
}

/* ---- the greeting ------------------------------------------------------------------------ */

void stream_link_greeted(struct weft_link *link, uint32_t frame_len_max)
{
	struct stream *s = stream_of(link);
	link->caps.frame_len_max = frame_len_max;
	s->greeting->ops->free(s->greeting);
	s->greeting = NULL;
}

static void stream_greet(struct stream *s, uint64_t now)
{
	if (s->patience_until == 0) {
		s->patience_until = now + s->greeting->patience_ns;
		if (s->greeting->ops->begin)
			s->greeting->ops->begin(s->greeting, &s->link);
	} else if (now >= s->patience_until) {
		link_end(&s->link, "the peer did not say what it is in time");
	}
}

/* ---- the link ---------------------------------------------------------------------------- */

static void stream_run(struct weft_link *link, uint64_t now)
{
	struct stream *s = stream_of(link);

	if (link->is_down)
		return;
	if (s->greeting)
		stream_greet(s, now);
	if (s->has_first && !link->is_down) {
		s->has_first = false;
		rx_decode(s, now);
	}
	if (s->poller) {
		poller_run(s->poller, now);
		return;
	}
	if (stream_out_has_rest(&s->out))
		stream_flush(s);
	if (!link->is_down)
		stream_read(s, now);
}

static void in_task_run(struct weft_task *task, uint64_t now)
{
	struct stream *s = container_of(task, struct stream, in_task);
	if (!s->link.is_down)
		stream_read(s, now);
	if (s->link.is_down)
		task->events = 0;
}

static void out_task_run(struct weft_task *task, uint64_t now)
{
	struct stream *s = container_of(task, struct stream, out_task);
	(void)now;
	stream_flush(s);
}

static uint64_t stream_deadline(const struct weft_link *link)
{
	const struct stream *s = (const struct stream *)(const void *)link;

	if (link->is_down)
		return WEFT_NEVER;
	if (s->has_first)
		return 0;
	uint64_t deadline = s->poller ? poller_deadline(s->poller) : WEFT_NEVER;
	if (s->greeting && s->patience_until < deadline)
		return s->patience_until;
	return deadline;
}

static void stream_free(struct weft_link *link)
{
	struct stream *s = stream_of(link);
	link_fini(link);
	poller_free(s->poller);
	local_ends_close(&s->ends);
	stream_out_fini(&s->out);
	if (s->greeting)
		s->greeting->ops->free(s->greeting);
	free(s->rx);
	free(s);
}

static const struct link_ops stream_ops = {
	.run = stream_run,
	.deadline = stream_deadline,
	.send = stream_send,
	.free = stream_free,
};

static int stream_watch_ends(struct stream *s)
{
	int r = poller_new(&s->poller);
	if (r < 0)
		return r;
	s->in_task = (struct weft_task){ .fd = s->ends.in,
					 .events = WEFT_READABLE,
					 .run = in_task_run };
	s->out_task = (struct weft_task){ .fd = s->ends.out, .run = out_task_run };
	r = poller_add(s->poller, &s->in_task);
	if (r == 0)
		r = poller_add(s->poller, &s->out_task);
	if (r < 0)
		poller_free(s->poller);
	return r;
}

static int stream_init(struct stream *s, const struct stream_opts *opts,
		       const struct local_ends *ends)
{
	s->rx = malloc(RX_LEN);
	if (!s->rx)
		return -ENOMEM;
	s->ends = *ends;
	s->framing = opts->framing;
	s->start = WEFT_HEADROOM;
	s->end = s->start + opts->first_len;
	s->has_first = opts->first_len > 0;
	if (opts->first_len > 0)
		memcpy(s->rx + s->start, opts->first, opts->first_len);
	return ends->in == ends->out ? 0 : stream_watch_ends(s);
}

int stream_link_new(const struct stream_opts *opts, const struct local_ends *ends,
		    struct weft_link **ret_link)
{
	const struct weft_link_caps caps = { .frame_len_max = opts->frame_len_max };
	/* One frame must find room: the one that a full socket took in part. */
	const size_t queue_min = 2 * ((size_t)opts->frame_len_max + STREAM_FIRST_MAX);
	struct stream *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int r = stream_init(s, opts, ends);
	if (r < 0) {
		free(s->rx);
		free(s);
		return r;
	}
	link_init(&s->link, &stream_ops, opts->kind,
		  s->poller ? poller_fd(s->poller) : ends->in, caps);
	s->greeting = opts->greeting;
	stream_out_init(&s->out, ends->out, opts->framing.ops,
			opts->queue_len > queue_min ? opts->queue_len : queue_min);
	*ret_link = &s->link;
	return 0;
}
