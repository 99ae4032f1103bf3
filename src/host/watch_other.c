/* SPDX-License-Identifier: MIT */
/*
 * Systems whose changes weft cannot watch yet.
 */
#include <weft/host.h>

#include <errno.h>
#include <stddef.h>

int weft_host_watch_new(void (*fn)(void *user, uint64_t now), void *user,
			struct weft_error *err, struct weft_host_watch **ret_watch)
{
	(void)fn, (void)user, (void)ret_watch;
	return weft_error_set(err, -ENOTSUP,
			      "this system's routes cannot be watched yet");
}

void weft_host_watch_free(struct weft_host_watch *watch)
{
	(void)watch;
}

struct weft_task *weft_host_watch_task(struct weft_host_watch *watch)
{
	(void)watch;
	return NULL;
}
