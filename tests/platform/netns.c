/* SPDX-License-Identifier: MIT */
/*
 * Namespaces that end with the test, and a small loop that runs links in real time.
 */
#include "netns.h"

#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS 5000000000u
#define LINKS_MAX   4u

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* Becomes root of a user namespace: without being root, programs lose what it permits. */
static bool unshare_user(void)
{
	char uid_map[40], gid_map[40];
	(void)snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned)geteuid());
	(void)snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER) == 0 &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", uid_map) &&
	       write_text("/proc/self/gid_map", gid_map);
}

/* In a user namespace of one's own anybody may make network namespaces. */
static bool unshare_net(void)
{
	return unshare(CLONE_NEWNET) == 0 ||
	       (unshare_user() && unshare(CLONE_NEWNET) == 0);
}

static bool can_open_tun(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

const char *platform_lacks(bool needs_tun)
{
	if (!unshare_net())
		return "network namespaces are not permitted";
	if (!try_sh("ip link set dev lo up 2>/dev/null"))
		return "there is no ip(8)";
	if (needs_tun && !can_open_tun())
		return "/dev/net/tun cannot be opened";
	return NULL;
}

int skip_all(const char *reason)
{
	(void)printf("1..0 # SKIP %s\n", reason);
	return 0;
}

void netns_enter(void)
{
	assert_true(unshare_net());
	sh("ip link set dev lo up");
}

bool try_sh(const char *format, ...)
{
	char command[300] = "PATH=$PATH:/usr/sbin:/sbin; ";
	size_t begin = strlen(command);
	size_t room = sizeof(command) - begin;
	va_list args;
	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start. */
	int len = vsnprintf(command + begin, room, format, args);
	va_end(args);
	assert_in_range(len, 1, room - 1);
	return system(command) == 0; /* NOLINT(cert-env33-c): the test's own text. */
}

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
