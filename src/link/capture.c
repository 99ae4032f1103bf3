/* SPDX-License-Identifier: MIT */
/*
 * The file is flushed soon after something was recorded, so that `tail -f` and a crash find
 * nearly all of it, and not once per frame, because that would cost a system call for each. A
 * disk that is full ends the recording, never the link.
 */
#include "link/capture.h"

#include "base/time.h"
#include "link/drivers.h"
#include "link/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define FLUSH_NS     (200 * NS_PER_MS)
#define SNAP_LEN_MAX 262144u /* What libpcap itself reads at most. */
#define SNAP_LEN_MIN 64u

struct capture {
	struct weft_link link;
	struct recording *file; /* NULL once it cannot be written any more. */
	int64_t epoch_ns;
	uint64_t flush_at; /* WEFT_NEVER: everything is written. */
};

static struct capture *capture_of(struct weft_link *link)
{
	return (struct capture *)(void *)link;
}

static void capture_close(struct capture *c)
{
	recording_free(c->file);
	c->file = NULL;
	c->flush_at = WEFT_NEVER;
}

static void capture_record(struct capture *c, const struct weft_frame *frames, size_t n,
			   bool is_outbound, uint64_t now)
{
	if (!c->file)
		return;
	for (size_t i = 0; i < n; i++)
		recording_add(c->file, &frames[i], (int64_t)now + c->epoch_ns,
			      is_outbound);
	if (n > 0 && c->flush_at == WEFT_NEVER)
		c->flush_at = now + FLUSH_NS;
}

static void capture_received(void *user, struct weft_link *inner,
			     const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct capture *c = user;
	(void)inner;
	capture_record(c, frames, n, false, now);
	link_deliver(&c->link, frames, n, now);
}

static size_t capture_send(struct weft_link *link, const struct weft_frame *frames,
			   size_t n, uint64_t now)
{
	capture_record(capture_of(link), frames, n, true, now);
	weft_link_send(link->inner, frames, n, now);
	return n;
}

static void capture_run(struct weft_link *link, uint64_t now)
{
	struct capture *c = capture_of(link);
	if (now < c->flush_at)
		return;
	c->flush_at = WEFT_NEVER;
	if (!recording_flush(c->file))
		capture_close(c);
}

static uint64_t capture_deadline(const struct weft_link *link)
{
	return ((const struct capture *)(const void *)link)->flush_at;
}

static void capture_free(struct weft_link *link)
{
	struct capture *c = capture_of(link);
	link_fini(link);
	capture_close(c);
	free(c);
}

static const struct link_ops capture_ops = {
	.run = capture_run,
	.deadline = capture_deadline,
	.send = capture_send,
	.free = capture_free,
};

int capture_new(const struct capture_opts *opts, struct weft_link *inner,
		struct weft_error *err, struct weft_link **ret_link)
{
	struct capture *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	const struct recording_opts recording = {
		.path = opts->path,
		.name = weft_link_name(inner),
		.flags = inner->caps.flags,
		.snap_len = opts->snap_len ? opts->snap_len : SNAP_LEN_MAX,
	};
	int r = recording_new(&recording, err, &c->file);
	if (r < 0) {
		free(c);
		return r;
	}
	c->epoch_ns = opts->epoch_ns;
	c->flush_at = WEFT_NEVER;
	link_init_wrapper(&c->link, &capture_ops, inner, capture_received);
	*ret_link = &c->link;
	return 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t = { 0 };
	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * (int64_t)NS_PER_S + t.tv_nsec;
}

int capture_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		 struct weft_link **ret_link)
{
	uint64_t snap_len = spec->values[CAPTURE_SNAP].number;
	if (snap_len < SNAP_LEN_MIN || snap_len > SNAP_LEN_MAX)
		return weft_error_set(err, -EINVAL, "capture: snap= is %u to %u bytes",
				      SNAP_LEN_MIN, SNAP_LEN_MAX);
	const struct capture_opts opts = {
		.path = spec->name,
		.snap_len = (uint32_t)snap_len,
		.epoch_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC),
	};
	return capture_new(&opts, inner, err, ret_link);
}
