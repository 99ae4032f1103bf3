/* SPDX-License-Identifier: MIT */
/*
 * A link without a descriptor of its own: what the plug's link receives comes in as calls.
 */
#include "serve/watch.h"

#include "link/link.h"

#include <errno.h>
#include <stdlib.h>

struct watch {
	struct weft_link link;
	struct watch_opts opts;
};

static struct watch *watch_of(struct weft_link *link)
{
	return (struct watch *)(void *)link;
}

static void see_all(const struct watch *watch, bool from_link,
		    const struct weft_frame *frames, size_t n, uint64_t now)
{
	for (size_t i = 0; watch->opts.see && i < n; i++)
		watch->opts.see(watch->opts.user, from_link, &frames[i], now);
}

static void received(void *user, struct weft_link *link, const struct weft_frame *frames,
		     size_t n, uint64_t now)
{
	struct watch *watch = user;
	(void)link;
	see_all(watch, true, frames, n, now);
	link_deliver(&watch->link, frames, n, now);
}

static size_t watch_send(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	const struct watch *watch = watch_of(link);
	see_all(watch, false, frames, n, now);
	weft_link_send(watch->opts.link, frames, n, now);
	return n;
}

static void watch_free(struct weft_link *link)
{
	struct watch *watch = watch_of(link);
	weft_link_on_receive(watch->opts.link, NULL, NULL);
	link_fini(link);
	free(watch);
}

static const struct link_ops watch_ops = {
	.send = watch_send,
	.free = watch_free,
};

int watch_new(const struct watch_opts *opts, struct weft_link **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct weft_link_caps caps = weft_link_caps(opts->link);
	if (!watch)
		return -ENOMEM;
	if (opts->see)
		caps.frame_len_max = WEFT_FRAME_LEN_MAX;
	link_init(&watch->link, &watch_ops, weft_link_name(opts->link), -1, caps);
	watch->opts = *opts;
	weft_link_on_receive(opts->link, received, watch);
	*ret_watch = &watch->link;
	return 0;
}
