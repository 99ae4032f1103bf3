/* SPDX-License-Identifier: MIT */
/*
 * Frames pass in order. Those that the driver takes as they are go on in runs, without a
 * copy; one that has to be cut ends the run. On a link that merges, each frame (cut or not)
 * goes through the coalescer, which knows what may overtake what.
 */
#include "link/adapter.h"

#include "link/cutter.h"
#include "wire/coalesce.h"
#include "wire/segment.h"

#include <stdlib.h>

struct link_adapter {
	struct weft_link *link;
	struct cutter cutter;
	struct coalesce *coalesce; /* NULL unless the link wants it. */
	uint64_t now;              /* Of the call in progress, for what coalesce emits. */
};

static void adapter_emit(void *user, const struct weft_frame *frames, size_t n)
{
	struct link_adapter *a = user;
	link_transmit(a->link, frames, n, a->now);
}

static bool link_is_ip(const struct weft_link *link)
{
	return (link->caps.flags & WEFT_LINK_IP) != 0;
}

/* A link without memory for merging works all the same: segments go out one by one. */
static struct link_adapter *adapter_new(struct weft_link *link)
{
	struct link_adapter *a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->link = link;
	const struct coalesce_opts opts = {
		.link_flags = link->caps.flags,
		.is_ip = link_is_ip(link),
		.emit = adapter_emit,
		.user = a,
	};
	if (link->wants_merge && coalesce_new(&opts, &a->coalesce) < 0)
		a->coalesce = NULL;
	return a;
}

void adapter_free(struct link_adapter *adapter)
{
	if (!adapter)
		return;
	cutter_fini(&adapter->cutter);
	coalesce_free(adapter->coalesce);
	free(adapter);
}

static bool adapter_ensure(struct weft_link *link, uint64_t now)
{
	if (!link->adapter)
		link->adapter = adapter_new(link);
	if (!link->adapter)
		return false;
	link->adapter->now = now;
	return true;
}

static bool is_too_long(const struct weft_link *link, const struct weft_frame *frame)
{
	return frame->offload.gso == WEFT_GSO_NONE &&
	       frame->len > link->caps.frame_len_max;
}

/* Whether some of the frames might be merged with others: with unfinished ones nothing is. */
static bool may_merge(const struct weft_link *link, const struct weft_frame *frames,
		      size_t n)
{
	bool is_complete = adapter_is_pending(link);
	for (size_t i = 0; i < n && !is_complete; i++)
		is_complete = frames[i].offload.gso == WEFT_GSO_NONE &&
			      !(frames[i].offload.flags & WEFT_OFFLOAD_NEEDS_CSUM);
	return link->wants_merge && is_complete;
}

/* Complete frames, or such as the driver completes: on to the coalescer or the driver. */
static void adapter_pass(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	if (!may_merge(link, frames, n) || !adapter_ensure(link, now) ||
	    !link->adapter->coalesce) {
		link_transmit(link, frames, n, now);
		return;
	}
	for (size_t i = 0; i < n; i++)
		coalesce_push(link->adapter->coalesce, &frames[i]);
}

/* One frame that the driver cannot take as it is. */
static void adapter_cut(struct weft_link *link, const struct weft_frame *frame,
			uint64_t now)
{
	const struct weft_frame *segments = NULL;
	int n = -1;
	if (adapter_ensure(link, now))
		n = cutter_cut(&link->adapter->cutter, frame, link_is_ip(link),
			       &segments);
	if (n < 0) {
		link->stats.tx_dropped++;
		return;
	}
	if (frame->offload.gso != WEFT_GSO_NONE)
		link->stats.cut++;
	/* All but the last segment are equally long. */
	if (segments[0].len > link->caps.frame_len_max) {
		link->stats.tx_too_long += (uint64_t)n;
		return;
	}
	adapter_pass(link, segments, (size_t)n, now);
}

void adapter_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
		  uint64_t now)
{
	size_t start = 0; /* Of the run that is yet to be passed on. */

	for (size_t i = 0; i < n; i++) {
		bool too_long = is_too_long(link, &frames[i]);
		if (!too_long && !segment_is_needed(&frames[i], link->caps.flags))
			continue;
		adapter_pass(link, frames + start, i - start, now);
		start = i + 1;
		if (too_long)
			link->stats.tx_too_long++;
		else
			adapter_cut(link, &frames[i], now);
	}
	adapter_pass(link, frames + start, n - start, now);
}

void adapter_flush(struct weft_link *link, uint64_t now)
{
	if (!adapter_is_pending(link))
		return;
	link->adapter->now = now;
	coalesce_flush(link->adapter->coalesce);
}

bool adapter_is_pending(const struct weft_link *link)
{
	return link->adapter && link->adapter->coalesce &&
	       coalesce_is_pending(link->adapter->coalesce);
}

uint64_t adapter_merged(const struct weft_link *link)
{
	if (!link->adapter || !link->adapter->coalesce)
		return 0;
	return coalesce_merged(link->adapter->coalesce);
}
