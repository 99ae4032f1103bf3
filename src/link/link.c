/* SPDX-License-Identifier: MIT */
/*
 * What all links have in common: the task, the counters, the way in and the way out.
 *
 * One run of a link first sends what its adapter holds (frames that arrived one by one
 * during this turn and were merged), then lets the driver read. The other order would make
 * what is held wait for the whole batch that is read; and a write to a TAP often has its
 * answer (an ACK) ready to be read in the same run.
 */
#include "link/link.h"

#include "base/container.h"
#include "link/adapter.h"
#include "link/pieces.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static void link_task_run(struct weft_task *task, uint64_t now)
{
	struct weft_link *link = container_of(task, struct weft_link, task);

	adapter_flush(link, now);
	if (link->ops->run)
		link->ops->run(link, now);
	if (link->inner)
		weft_task_run_inner(task, &link->inner->task, now);
}

static uint64_t link_task_deadline(const struct weft_task *task)
{
	const struct weft_link *link = container_of_const(task, struct weft_link, task);
	uint64_t own = WEFT_NEVER;
	uint64_t inner = WEFT_NEVER;

	if (adapter_is_pending(link))
		return 0;
	/* What was sent through it may have made the inner link wait for room. */
	if (link->inner && task->events != link->inner->task.events)
		return 0;
	if (link->ops->deadline)
		own = link->ops->deadline(link);
	if (link->inner)
		inner = link_task_deadline(&link->inner->task);
	return own < inner ? own : inner;
}

void link_init(struct weft_link *link, const struct link_ops *ops, const char *name,
	       int fd, struct weft_link_caps caps)
{
	*link = (struct weft_link){
		.ops = ops,
		.task = { .fd = fd,
			  .events = fd >= 0 ? WEFT_READABLE : 0,
			  .run = link_task_run,
			  .deadline = link_task_deadline },
		.caps = caps,
	};
	(void)snprintf(link->name, sizeof(link->name), "%s", name);
}

void link_init_wrapper(struct weft_link *link, const struct link_ops *ops,
		       struct weft_link *inner, weft_link_receiver *received)
{
	link_init(link, ops, inner->name, inner->task.fd, inner->caps);
	link->task.events = inner->task.events;
	link->inner = inner;
	link->mac = inner->mac;
	link->has_mac = inner->has_mac;
	weft_link_on_receive(inner, received, link);
}

void link_fini(struct weft_link *link)
{
	assert(!link->task.loop_state);
	adapter_free(link->adapter);
	weft_link_free(link->inner);
}

void link_deliver(struct weft_link *link, const struct weft_frame *frames, size_t n,
		  uint64_t now)
{
	if (n == 0)
		return;
	link->stats.rx_frames += n;
	for (size_t i = 0; i < n; i++)
		link->stats.rx_bytes += frames[i].len;
	if (link->watch)
		link->watch(link->watch_user, link, false, frames, n);
	if (link->receive)
		link->receive(link->receive_user, link, frames, n, now);
}

void link_transmit(struct weft_link *link, const struct weft_frame *frames, size_t n,
		   uint64_t now)
{
	while (n > 0) {
		size_t taken = link->is_down ? 0 : link->ops->send(link, frames, n, now);
		assert(taken <= n);
		link->stats.tx_frames += taken;
		for (size_t i = 0; i < taken; i++)
			link->stats.tx_bytes += frames[i].len;
		if (taken == n)
			return;
		link->stats.tx_dropped++;
		frames += taken + 1;
		n -= taken + 1;
	}
}

void link_set_down(struct weft_link *link)
{
	bool was_down = link->is_down;
	link->is_down = true;
	link->task.events = 0;
	if (!was_down && link->on_down)
		link->on_down(link->on_down_user, link);
}

void link_end(struct weft_link *link, const char *fmt, ...)
{
	va_list args;

	if (link->is_down)
		return;
	va_start(args, fmt);
	(void)vsnprintf(link->down_reason, sizeof(link->down_reason), fmt, args);
	va_end(args);
	link_set_down(link);
}

void weft_link_free(struct weft_link *link)
{
	if (link)
		link->ops->free(link);
}

void weft_link_on_receive(struct weft_link *link, weft_link_receiver *fn, void *user)
{
	link->receive = fn;
	link->receive_user = user;
}

void weft_link_on_pass(struct weft_link *link, weft_link_watcher *fn, void *user)
{
	link->watch = fn;
	link->watch_user = user;
}

void weft_link_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
		    uint64_t now)
{
	if (link->watch && n > 0)
		link->watch(link->watch_user, link, true, frames, n);
	adapter_send(link, frames, n, now);
}

bool link_takes_pieces(const struct weft_link *link)
{
	const unsigned needed = WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6;
	return link->ops->send_pieces && !link->watch &&
	       (link->caps.flags & needed) == needed;
}

/* What the adapter holds was sent before, and goes before. */
void link_send_pieces(struct weft_link *link, const struct weft_frame *frame,
		      const struct link_piece *pieces, size_t n, uint64_t now)
{
	uint64_t len = frame->len;
	assert(n <= LINK_PIECES_MAX);
	for (size_t i = 0; i < n; i++)
		len += pieces[i].len;
	adapter_flush(link, now);
	if (link->is_down || !link->ops->send_pieces(link, frame, pieces, n)) {
		link->stats.tx_dropped++;
		return;
	}
	link->stats.tx_frames++;
	link->stats.tx_bytes += len;
}

struct weft_task *weft_link_task(struct weft_link *link)
{
	return &link->task;
}

const char *weft_link_name(const struct weft_link *link)
{
	return link->name;
}

bool weft_link_mac(const struct weft_link *link, struct weft_mac *ret_mac)
{
	if (link->has_mac)
		*ret_mac = link->mac;
	return link->has_mac;
}

struct weft_link_caps weft_link_caps(const struct weft_link *link)
{
	return link->caps;
}

struct weft_link_stats weft_link_stats(const struct weft_link *link)
{
	struct weft_link_stats stats = link->stats;
	stats.merged = adapter_merged(link);
	return stats;
}

bool weft_link_is_down(const struct weft_link *link)
{
	return link->is_down || (link->inner && weft_link_is_down(link->inner));
}

const char *weft_link_down_reason(const struct weft_link *link)
{
	if (!link->is_down && link->inner)
		return weft_link_down_reason(link->inner);
	return link->down_reason;
}
