/* SPDX-License-Identifier: MIT */
/*
 * A cable between two links, run by poll(2) and nothing else: no loop, no thread. Every task of
 * weft can be run so. It has a descriptor, the events that it waits for, and a deadline.
 *
 *     # ./by_hand tap:weft0 impair:loss=1%,delay=20ms:qemu:/run/vm.sock
 */
#include <weft/link.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
}

static uint64_t clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t deadline(const struct weft_task *task)
{
	return task->deadline ? task->deadline(task) : WEFT_NEVER;
}

/* Milliseconds for poll(2), rounded up so that it is not early. */
static int patience(struct weft_task *const tasks[2], uint64_t now)
{
	uint64_t first = deadline(tasks[0]), second = deadline(tasks[1]);
	uint64_t earliest = first < second ? first : second;
	if (earliest <= now)
		return 0;
	/* A signal may come just before poll(2), so that it should not last for ever. */
	uint64_t ms = (earliest - now) / 1000000u + 1;
	return ms < 100 ? (int)ms : 100;
}

/* A run may give work to the other task, whose deadline is 0 then: the next poll is short. */
static void run(struct weft_task *const tasks[2])
{
	while (!interrupted) {
		struct pollfd ready[2];
		for (size_t i = 0; i < 2; i++) {
			unsigned events = tasks[i]->events;
			ready[i] = (struct pollfd){ .fd = tasks[i]->fd };
			ready[i].events = (short)((events & WEFT_READABLE ? POLLIN : 0) |
						  (events & WEFT_WRITABLE ? POLLOUT : 0));
			if (!events)
				ready[i].fd = -1; /* not even a hang-up is of interest */
		}
		int n = poll(ready, 2, patience(tasks, clock_now()));
		uint64_t now = clock_now();
		for (size_t i = 0; i < 2; i++) {
			if ((n > 0 && ready[i].revents) || deadline(tasks[i]) <= now)
				tasks[i]->run(tasks[i], now);
		}
	}
}

static void pass_on(void *user, struct weft_link *from, const struct weft_frame *frames,
		    size_t n, uint64_t now)
{
	(void)from;
	weft_link_send(user, frames, n, now);
}

int main(int argc, char **argv)
{
	struct weft_link *links[2] = { NULL, NULL };
	struct weft_error err = { "usage: by_hand LINK LINK" };
	int r = argc == 3 ? 0 : -1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	for (size_t i = 0; i < 2 && r >= 0; i++)
		r = weft_link_open(argv[i + 1], &err, &links[i]);
	if (r >= 0) {
		weft_link_on_receive(links[0], pass_on, links[1]);
		weft_link_on_receive(links[1], pass_on, links[0]);
		printf("%s - %s\n", weft_link_name(links[0]), weft_link_name(links[1]));
		run((struct weft_task *[]){ weft_link_task(links[0]),
					    weft_link_task(links[1]) });
	} else {
		fprintf(stderr, "%s\n", err.text);
	}
	weft_link_free(links[0]);
	weft_link_free(links[1]);
	return r < 0;
}
