/* SPDX-License-Identifier: MIT */
/*
 * curl must not be called from within its own callbacks, so what they tell is only noted here,
 * and what is to be done about it is left to the next run.
 */
#include "http/multi.h"

#include "base/container.h"
#include "base/time.h"
#include "io/poller.h"

#include <errno.h>
#include <stdlib.h>

struct multi {
	CURLM *curl;
	struct poller *poller;
	struct list watches;
	multi_wait_fn *fn;
};

/* ---- sockets ----------------------------------------------------------------------------- */

static void watch_run(struct weft_task *task, uint64_t now)
{
	struct watch *w = container_of(task, struct watch, task);
	int running;
	(void)now;
	if (w->sharer.ready)
		w->sharer.ready(w->sharer.user);
	/* 0: curl finds out itself what the socket is ready for. */
	(void)curl_multi_socket_action(w->multi->curl, task->fd, 0, &running);
}

static void watch_free(struct watch *w)
{
	if (w->sharer.gone)
		w->sharer.gone(w->sharer.user);
	poller_remove(w->multi->poller, &w->task);
	list_remove(&w->node);
	free(w);
}

static struct watch *watch_new(struct multi *m, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->task = (struct weft_task){ .fd = fd, .run = watch_run };
	w->multi = m;
	list_push_back(&m->watches, &w->node);
	if (poller_add(m->poller, &w->task) < 0) {
		watch_free(w);
		return NULL;
	}
	return w;
}

void watch_for_room(struct watch *w, bool is_blocked)
{
	w->is_blocked = is_blocked;
	w->task.events = w->events | (is_blocked ? WEFT_WRITABLE : 0u);
}

void watch_share(struct watch *w, const struct sharer *sharer)
{
	w->sharer = *sharer;
}

void watch_leave(struct watch *w)
{
	w->sharer = (struct sharer){ .user = NULL };
	watch_for_room(w, false);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket)
{
	struct multi *m = user;
	struct watch *w = of_socket;
	m->fn(easy, what);
	if (what == CURL_POLL_REMOVE) {
		if (w)
			watch_free(w);
		return 0;
	}
	if (!w)
		w = watch_new(m, fd);
	if (!w)
		return -1;
	w->easy = easy;
	w->events = (what & CURL_POLL_IN ? WEFT_READABLE : 0u) |
		    (what & CURL_POLL_OUT ? WEFT_WRITABLE : 0u);
	watch_for_room(w, w->is_blocked);
	(void)curl_multi_assign(m->curl, fd, w);
	return 0;
}

struct watch *multi_socket(const struct multi *m, const CURL *easy)
{
	struct watch *found = NULL;
	list_for_each (node, &m->watches) {
		struct watch *w = container_of(node, struct watch, node);
		if (w->easy != easy)
			continue;
		if (found)
			return NULL;
		found = w;
	}
	return found;
}

/* ---- the clock --------------------------------------------------------------------------- */

/*
 * Asked rather than told (CURLMOPT_TIMERFUNCTION): curl tells a time-out once only, and not
 * again to one who comes too early by its own clock.
 */
uint64_t multi_deadline(const struct multi *m, uint64_t now)
{
	long wait_ms = -1;
	(void)curl_multi_timeout(m->curl, &wait_ms);
	if (wait_ms < 0)
		return WEFT_NEVER;
	return wait_ms == 0 ? 0 : now + (uint64_t)wait_ms * NS_PER_MS;
}

int multi_fd(const struct multi *m)
{
	return poller_fd(m->poller);
}

void multi_run(struct multi *m, uint64_t now)
{
	int running;
	poller_run(m->poller, now);
	if (multi_deadline(m, now) <= now)
		(void)curl_multi_socket_action(m->curl, CURL_SOCKET_TIMEOUT, 0, &running);
}

void multi_watch(struct multi *m)
{
	poller_watch(m->poller);
}

/* ---- transfers --------------------------------------------------------------------------- */

int multi_add(struct multi *m, CURL *easy)
{
	return curl_multi_add_handle(m->curl, easy) == CURLM_OK ? 0 : -ENOMEM;
}

void multi_remove(struct multi *m, CURL *easy)
{
	(void)curl_multi_remove_handle(m->curl, easy);
}

int multi_add_task(struct multi *m, struct weft_task *task)
{
	return poller_add(m->poller, task);
}

void multi_remove_task(struct multi *m, struct weft_task *task)
{
	poller_remove(m->poller, task);
}

CURL *multi_next_done(struct multi *m, CURLcode *ret_result)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(m->curl, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*ret_result = message->data.result;
		return message->easy_handle;
	}
	return NULL;
}

/* ---- made and freed ---------------------------------------------------------------------- */

int multi_new(multi_wait_fn *fn, struct multi **ret_multi)
{
	struct multi *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	list_init(&m->watches);
	m->fn = fn;
	int r = poller_new(&m->poller);
	m->curl = r < 0 ? NULL : curl_multi_init();
	if (!m->curl) {
		multi_free(m);
		return r < 0 ? r : -ENOMEM;
	}
	(void)curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	*ret_multi = m;
	return 0;
}

void multi_free(struct multi *m)
{
	if (!m)
		return;
	if (m->curl)
		(void)curl_multi_cleanup(m->curl);
	list_for_each (node, &m->watches)
		watch_free(container_of(node, struct watch, node));
	poller_free(m->poller);
	free(m);
}
