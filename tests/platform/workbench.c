/* SPDX-License-Identifier: MIT */
/*
 * A small loop: what is due, then what is ready, until the test has seen what it waits for.
 */
#include "workbench.h"

#include "../unit.h"

#include <poll.h>
#include <stdio.h>

#define PATIENCE_NS 60000000000u
#define LINKS_MAX   4u

struct weft_link *open_link(const char *format, ...)
{
	struct weft_error err = { "" };
	struct weft_link *link = NULL;
	char spec[200];
	va_list args;
	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start. */
	(void)vsnprintf(spec, sizeof(spec), format, args);
	va_end(args);
	if (weft_link_open(spec, &err, &link) < 0)
		fail_msg("%s: %s", spec, err.text);
	return link;
}

uint64_t clock_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Runs the links that are due, and returns when the next one is. */
static uint64_t run_due(struct weft_link *const links[], size_t n)
{
	uint64_t earliest = WEFT_NEVER;
	for (size_t i = 0; i < n; i++) {
		struct weft_task *task = weft_link_task(links[i]);
		if (task->deadline(task) <= clock_now())
			task->run(task, clock_now());
		if (task->deadline(task) < earliest)
			earliest = task->deadline(task);
	}
	return earliest;
}

/* Waits for the links' descriptors, for a tenth of a second at most, and runs the ready. */
static void poll_links(struct weft_link *const links[], size_t n, uint64_t deadline)
{
	struct pollfd fds[LINKS_MAX];
	uint64_t now = clock_now();
	uint64_t wait_ns = deadline > now ? deadline - now : 0;
	if (wait_ns > 100000000u)
		wait_ns = 100000000u;
	for (size_t i = 0; i < n; i++) {
		const struct weft_task *task = weft_link_task(links[i]);
		fds[i] = (struct pollfd){ .fd = task->events ? task->fd : -1,
					  .events = POLLIN };
	}
	assert_true(poll(fds, n, (int)(wait_ns / 1000000u)) >= 0);
	for (size_t i = 0; i < n; i++) {
		struct weft_task *task = weft_link_task(links[i]);
		if (fds[i].revents)
			task->run(task, clock_now());
	}
}

bool run_links(struct weft_link *const links[], size_t n, bool (*done)(void *user),
	       void *user)
{
	uint64_t end = clock_now() + PATIENCE_NS;
	assert_true(n <= LINKS_MAX);
	while (!done(user)) {
		if (clock_now() > end)
			return false;
		poll_links(links, n, run_due(links, n));
	}
	return true;
}
