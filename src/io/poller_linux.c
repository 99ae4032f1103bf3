/* SPDX-License-Identifier: MIT */
/*
 * epoll(7), which can itself be waited for by another epoll. The tasks of a poller are few
 * (a listener and a peer, two pipes), so that a list of them is looked through as it is.
 *
 * Who is ready is found out first and run afterwards, from the front of a list of their own:
 * a task may take itself or any other out at any time, and is then on neither list.
 */
#include "base/container.h"
#include "base/list.h"
#include "io/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Found ready in one go; the others are found in the next. */
#define READY_MAX 16

struct poller_entry {
	struct list node;
	struct list ready; /* On the poller's ready list, or on none. */
	struct weft_task *task;
	struct poller *poller;
	unsigned watched;
	bool is_file; /* Always ready. */
};

struct poller {
	int fd;
	struct list entries;
	struct list ready;
};

static uint32_t epoll_events(unsigned events)
{
	return (events & WEFT_READABLE ? EPOLLIN : 0u) |
	       (events & WEFT_WRITABLE ? EPOLLOUT : 0u);
}

int poller_new(struct poller **ret_poller)
{
	struct poller *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	list_init(&p->entries);
	list_init(&p->ready);
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->fd < 0) {
		int error = errno;
		free(p);
		return -error;
	}
	*ret_poller = p;
	return 0;
}

/* Tells the kernel what a task waits for; nothing is said without a change. */
static void entry_watch(struct poller_entry *e)
{
	unsigned wanted = e->task->events;
	if (e->task->fd < 0 || e->is_file || wanted == e->watched)
		return;
	struct epoll_event event = { .events = epoll_events(wanted), .data.ptr = e };
	int op = !e->watched ? EPOLL_CTL_ADD : wanted ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	/*
	 * Fails for want of memory, and is tried again; or because the descriptor was closed,
	 * which is out of the set by itself.
	 */
	if (epoll_ctl(e->poller->fd, op, e->task->fd, &event) == 0 || !wanted)
		e->watched = wanted;
}

/* Whether the descriptor can be waited for: 0, -EPERM for a file, -EBADF ... */
static int fd_try(const struct poller *p, int fd)
{
	struct epoll_event event = { .events = 0 };
	if (epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	(void)epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, &event);
	return 0;
}

int poller_add(struct poller *poller, struct weft_task *task)
{
	if (task->loop_state)
		return -EEXIST;
	int r = task->fd >= 0 ? fd_try(poller, task->fd) : 0;
	if (r < 0 && r != -EPERM)
		return r;
	struct poller_entry *e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->task = task;
	e->poller = poller;
	e->is_file = r == -EPERM;
	list_init(&e->ready);
	list_push_back(&poller->entries, &e->node);
	task->loop_state = e;
	entry_watch(e);
	return 0;
}

static void entry_free(struct poller_entry *e)
{
	struct epoll_event event = { .events = 0 };
	if (e->watched)
		(void)epoll_ctl(e->poller->fd, EPOLL_CTL_DEL, e->task->fd, &event);
	list_remove(&e->node);
	list_remove(&e->ready);
	e->task->loop_state = NULL;
	free(e);
}

void poller_remove(struct poller *poller, struct weft_task *task)
{
	(void)poller;
	if (task->loop_state)
		entry_free(task->loop_state);
}

void poller_free(struct poller *poller)
{
	if (!poller)
		return;
	list_for_each (node, &poller->entries)
		entry_free(container_of(node, struct poller_entry, node));
	(void)close(poller->fd);
	free(poller);
}

int poller_fd(const struct poller *poller)
{
	return poller->fd;
}

void poller_watch(struct poller *poller)
{
	list_for_each (node, &poller->entries)
		entry_watch(container_of(node, struct poller_entry, node));
}

static uint64_t entry_deadline(const struct poller_entry *e)
{
	if (e->is_file && e->task->events)
		return 0;
	return e->task->deadline ? e->task->deadline(e->task) : WEFT_NEVER;
}

static void entry_is_ready(struct poller_entry *e)
{
	list_remove(&e->ready);
	list_push_back(&e->poller->ready, &e->ready);
}

void poller_run(struct poller *poller, uint64_t now)
{
	struct epoll_event events[READY_MAX];
	struct list *node;
	int n = epoll_wait(poller->fd, events, READY_MAX, 0);

	for (int i = 0; i < n; i++)
		entry_is_ready(events[i].data.ptr);
	list_for_each (due, &poller->entries) {
		struct poller_entry *e = container_of(due, struct poller_entry, node);
		if (entry_deadline(e) <= now)
			entry_is_ready(e);
	}
	while ((node = list_pop_front(&poller->ready))) {
		struct weft_task *task =
			container_of(node, struct poller_entry, ready)->task;
		task->run(task, now);
	}
	poller_watch(poller);
}

uint64_t poller_deadline(const struct poller *poller)
{
	uint64_t earliest = WEFT_NEVER;
	list_for_each (node, &poller->entries) {
		uint64_t deadline =
			entry_deadline(container_of(node, struct poller_entry, node));
		if (deadline < earliest)
			earliest = deadline;
	}
	return earliest;
}
