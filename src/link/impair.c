/* SPDX-License-Identifier: MIT */
/*
 * Chance strikes wire-size frames, as on a wire: a super-frame that were lost whole would be
 * a burst of forty losses, and a rate would be served in steps of 64 KiB. So an impaired
 * direction takes no super-frames. On the way out the adapter cuts them, because caps do not
 * name them; on the way in they are cut here.
 *
 * The two directions draw from sequences of their own: what comes in changes nothing about
 * what goes out.
 */
#include "link/impair.h"

#include "base/time.h"
#include "link/cutter.h"
#include "link/drivers.h"

#include <errno.h>
#include <stdlib.h>

/* So far in the future that it is a typing error: one hour. */
#define DELAY_NS_MAX (3600 * NS_PER_S)

struct impair {
	struct weft_link link;
	struct line tx, rx;
	struct cutter cutter; /* Of the way in. */
	enum impair_dir dir;
};

static struct impair *impair_of(struct weft_link *link)
{
	return (struct impair *)(void *)link;
}

static void impair_emit_tx(void *user, const struct weft_frame *frames, size_t n,
			   uint64_t now)
{
	struct impair *imp = user;
	weft_link_send(imp->link.inner, frames, n, now);
}

static void impair_emit_rx(void *user, const struct weft_frame *frames, size_t n,
			   uint64_t now)
{
	struct impair *imp = user;
	link_deliver(&imp->link, frames, n, now);
}

static size_t impair_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct impair *imp = impair_of(link);
	if (imp->dir == IMPAIR_RX) {
		weft_link_send(link->inner, frames, n, now);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		if (line_push(&imp->tx, &frames[i], now) < 0)
			return i;
	}
	return n;
}

static void impair_receive_one(struct impair *imp, const struct weft_frame *frame,
			       uint64_t now)
{
	const struct weft_frame *segments = frame;
	int n = 1;

	if (frame->offload.gso != WEFT_GSO_NONE)
		n = cutter_cut(&imp->cutter, frame, imp->link.caps.flags & WEFT_LINK_IP,
			       &segments);
	if (n < 0)
		imp->link.stats.rx_errors++;
	for (int i = 0; i < n; i++) {
		/* Frames that are lost on the way in are meant to be. */
		(void)!line_push(&imp->rx, &segments[i], now);
	}
}

static void impair_received(void *user, struct weft_link *inner,
			    const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct impair *imp = user;
	(void)inner;
	if (imp->dir == IMPAIR_TX) {
		link_deliver(&imp->link, frames, n, now);
		return;
	}
	for (size_t i = 0; i < n; i++)
		impair_receive_one(imp, &frames[i], now);
}

static void impair_run(struct weft_link *link, uint64_t now)
{
	struct impair *imp = impair_of(link);
	line_run(&imp->tx, now);
	line_run(&imp->rx, now);
}

static uint64_t impair_deadline(const struct weft_link *link)
{
	const struct impair *imp = (const struct impair *)(const void *)link;
	uint64_t tx = line_deadline(&imp->tx);
	uint64_t rx = line_deadline(&imp->rx);
	return tx < rx ? tx : rx;
}

static void impair_free(struct weft_link *link)
{
	struct impair *imp = impair_of(link);
	link_fini(link);
	line_fini(&imp->tx);
	line_fini(&imp->rx);
	cutter_fini(&imp->cutter);
	free(imp);
}

static const struct link_ops impair_ops = {
	.run = impair_run,
	.deadline = impair_deadline,
	.send = impair_send,
	.free = impair_free,
};

int impair_new(const struct impair_opts *opts, struct weft_link *inner,
	       struct weft_link **ret_link)
{
	struct impair *imp = calloc(1, sizeof(*imp));
	if (!imp)
		return -ENOMEM;
	link_init_wrapper(&imp->link, &impair_ops, inner, impair_received);
	imp->dir = opts->dir;
	if (imp->dir != IMPAIR_RX)
		imp->link.caps.flags &= WEFT_LINK_CSUM | WEFT_LINK_IP | WEFT_LINK_PPP;

	struct line_opts line = opts->line;
	line.user = imp;
	line.emit = impair_emit_tx;
	line_init(&imp->tx, &line);
	line.emit = impair_emit_rx;
	line.seed = ~line.seed;
	line_init(&imp->rx, &line);
	*ret_link = &imp->link;
	return 0;
}

int impair_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link)
{
	const union spec_value *v = spec->values;
	const struct impair_opts opts = {
		.line = {
			.loss = v[IMPAIR_LOSS].fraction,
			.duplicate = v[IMPAIR_DUPLICATE].fraction,
			.reorder = v[IMPAIR_REORDER].fraction,
			.delay_ns = v[IMPAIR_DELAY].number,
			.jitter_ns = v[IMPAIR_JITTER].number,
			.rate_bps = v[IMPAIR_RATE].number,
			.limit_frames = v[IMPAIR_LIMIT].limit.frames,
			.limit_bytes = v[IMPAIR_LIMIT].limit.bytes,
			.seed = v[IMPAIR_SEED].number,
		},
		.dir = (enum impair_dir)v[IMPAIR_DIR].choice,
	};
	if (opts.line.delay_ns > DELAY_NS_MAX)
		return weft_error_set(err, -EINVAL, "impair: delay= is at most 1h");
	if (opts.line.reorder > 0 && opts.line.delay_ns == 0)
		return weft_error_set(
			err, -EINVAL,
			"impair: reorder= lets frames skip the delay, so it "
			"needs delay= as well");
	if (opts.line.jitter_ns > opts.line.delay_ns)
		return weft_error_set(
			err, -EINVAL,
			"impair: jitter= is a part of the delay: give delay= "
			"at least as much");
	return impair_new(&opts, inner, ret_link);
}
