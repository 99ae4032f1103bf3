/* SPDX-License-Identifier: MIT */
/*
 * The loop that drives every active object (on libuv).
 *
 * An object that does work (link, bridge, endpoint, relay) is a *task*: it may have a file
 * descriptor that becomes ready and a deadline that comes. The loop calls run(task, now)
 * when either happens; run does a bounded amount of work and returns. Objects own no
 * thread and no clock: a test drives the same tasks in virtual time.
 *
 * In one turn the loop runs the tasks whose descriptors are ready, then those whose
 * deadline has come, until none is due or a bound is reached, and only then sleeps. A task
 * that has been given work by another (frames to send) says so with a deadline of 0 and is
 * run in the same turn: that is how batches are flushed without a timer.
 *
 *     struct weft_loop *loop;
 *     int r = weft_loop_new(NULL, &loop);
 *     if (r < 0)
 *             return r;
 *     weft_loop_add(loop, weft_link_task(tap));
 *     weft_loop_run(loop);
 *     weft_loop_free(loop);
 *
 * There are three ways to have tasks run. The loop runs them, as above. Or another loop does
 * (libuv, GLib, poll) that hosts this one: it watches weft_loop_fd and calls weft_loop_turn
 * whenever that is readable. Or nobody does, and a program runs them by hand:
 *
 *     1. poll(2) for the fd and events of each task, read anew, until the earliest deadline; a
 *        deadline that has passed (0: at once) means not to sleep.
 *     2. Run each task whose fd is ready or whose deadline is not after now, which is read
 *        anew from CLOCK_MONOTONIC. A run can make other tasks due. Begin again.
 *
 * A loop and everything in it belong to one thread. Nothing here blocks but weft_loop_run, and
 * weft_loop_free while programs have to be ended.
 */
#ifndef WEFT_LOOP_H
#define WEFT_LOOP_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** No deadline: the task waits for its descriptor alone. */
#define WEFT_NEVER UINT64_MAX

#define WEFT_READABLE 0x1u
#define WEFT_WRITABLE 0x2u

/** Something that the loop runs. Embedded in the object it belongs to. */
struct weft_task {
	int fd; /**< Watched descriptor, or -1. Fixed while the task is in a loop. */
	unsigned events; /**< WEFT_READABLE | WEFT_WRITABLE; may change at any time. */
	/**
	 * Set by the loop before each run: those events that have not come, as far as it knows.
	 * All of them when the deadline alone is the reason. So a run can spare itself a read
	 * that would find nothing; one that reads all the same does no harm. 0 where nobody
	 * knows.
	 */
	unsigned quiet;
	/** Does bounded work. now is CLOCK_MONOTONIC in ns. Must not free the task's loop. */
	void (*run)(struct weft_task *task, uint64_t now);
	/** When to be run next, in ns; 0 for at once, WEFT_NEVER for not. NULL means never. */
	uint64_t (*deadline)(const struct weft_task *task);
	void *loop_state; /**< The loop's own; NULL while in no loop. */
};

/**
 * Runs a task that is in no loop on behalf of one that is, and has it watched for what inner
 * waits for. Both have the same descriptor.
 */
static inline void weft_task_run_inner(struct weft_task *task, struct weft_task *inner,
				       uint64_t now)
{
	inner->quiet = task->quiet;
	inner->run(inner, now);
	inner->quiet = 0;
	task->events = inner->events;
}

struct weft_loop;

/** Zero is a loop that sleeps while there is nothing to do. */
struct weft_loop_opts {
	/**
	 * weft_loop_run never sleeps: it spins over the descriptors. Lowest latency, one core
	 * at 100 %.
	 */
	bool busy_poll;
};

/**
 * Makes a loop. opts may be NULL. Returns 0, -EMFILE (a loop has some descriptors of its own),
 * -ENOMEM or what libuv reports.
 */
WEFT_API WEFT_MUST_CHECK int weft_loop_new(const struct weft_loop_opts *opts,
					   struct weft_loop **ret_loop);

/**
 * Frees the loop; tasks still in it are taken out, not freed, and jobs are cancelled. Waits
 * for started programs to end, for a second at most. NULL is allowed; not from a run.
 */
WEFT_API void weft_loop_free(struct weft_loop *loop);

/**
 * Puts a task into the loop. The task stays the caller's and must be removed before it is
 * freed. Returns 0, -EEXIST if it is in a loop already, -EBADF, -EPERM (a regular file) or
 * -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_loop_add(struct weft_loop *loop,
					   struct weft_task *task);

/** Takes a task out. Allowed from within any run, also its own; no-op if it is not in. */
WEFT_API void weft_loop_remove(struct weft_loop *loop, struct weft_task *task);

/** Runs until weft_loop_stop. Returns 0. */
WEFT_API int weft_loop_run(struct weft_loop *loop);

/** Makes weft_loop_run return after the present turn. Means nothing to weft_loop_turn. */
WEFT_API void weft_loop_stop(struct weft_loop *loop);

/**
 * A descriptor that is readable while the loop has something to do: a task's descriptor is
 * ready, its deadline has come, a signal or the answer to a job has arrived. So any other loop
 * can host this one:
 *
 *     static void on_ready(uv_poll_t *poll, int status, int events)
 *     {
 *             weft_loop_turn(poll->data);
 *     }
 *     ...
 *     uv_poll_init(host, &poll, weft_loop_fd(loop));
 *     uv_poll_start(&poll, UV_READABLE, on_ready);
 *     weft_loop_turn(loop);
 *
 * It is level-triggered, and is now and then readable for nothing. To be watched and nothing
 * else: it is the loop's to read and to close. Returns -ENOTSUP on systems without epoll(7).
 */
WEFT_API int weft_loop_fd(const struct weft_loop *loop);

/**
 * Does one turn without sleeping: runs what is ready or due, and has weft_loop_fd become
 * readable for what is next. A host calls it
 * - when that descriptor is readable,
 * - at the beginning, and after it has called anything of weft outside of a turn: added a
 *   task, sent frames into a link, begun a job. Without it, the loop does not know of that.
 * Not from within a turn (a run, a receiver, fn of a job or of a signal).
 *
 * Returns when the next turn is due at the latest, for a host that knows when descriptors are
 * ready by other means: in ns of CLOCK_MONOTONIC, 0 for at once, WEFT_NEVER for no deadline.
 */
WEFT_API uint64_t weft_loop_turn(struct weft_loop *loop);

/** CLOCK_MONOTONIC in ns, read anew at the start of each turn. */
WEFT_API uint64_t weft_loop_now(const struct weft_loop *loop);

/**
 * Calls fn(user, signo) from the loop for each arrival of the signal, as long as the loop is
 * there. Arrivals that come faster than turns may be told once. Returns 0, -EINVAL for no
 * signal that can be caught, or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_loop_on_signal(struct weft_loop *loop, int signo,
						 void (*fn)(void *user, int signo),
						 void *user);

/** A handle on something that the loop does once; ended or cancelled exactly once. */
struct weft_job;

/**
 * Resolves a host name without blocking. fn is called once, later, from the loop with
 * status 0 and n >= 1 addresses (borrowed for the call, port filled in, in the resolver's
 * order), or with a negative status and n = 0.
 * Returns 0 or -Exxx; ret_job (may be NULL) can be cancelled, and fn is then not called.
 */
WEFT_API WEFT_MUST_CHECK int weft_loop_resolve(
	struct weft_loop *loop, const char *host, uint16_t port,
	void (*fn)(void *user, int status, const union weft_sockaddr *addrs, size_t n),
	void *user, struct weft_job **ret_job);

/**
 * Starts a program (argv[0] is searched in PATH; argv ends with NULL). Its standard input
 * is empty, output and error are this process's. env adds "NAME=value" strings to the
 * environment and may be NULL. fn (may be NULL) is called once when it ends, with its exit
 * status, or 128 + the signal that ended it.
 * Returns 0 or -Exxx (-ENOENT: no such program). Cancelling the job sends SIGTERM, and
 * SIGKILL after a second, and calls nothing.
 */
WEFT_API WEFT_MUST_CHECK int weft_loop_spawn(struct weft_loop *loop, char *const argv[],
					     char *const env[],
					     void (*fn)(void *user, int status),
					     void *user, struct weft_job **ret_job);

/** Cancels a job. NULL is allowed; a job that has called its fn must not be cancelled. */
WEFT_API void weft_job_cancel(struct weft_job *job);

#ifdef __cplusplus
}
#endif
#endif
