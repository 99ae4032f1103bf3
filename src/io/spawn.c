/* SPDX-License-Identifier: MIT */
/*
 * Child programs. Cancelling asks the program to end (SIGTERM), and ends it (SIGKILL) when
 * it has not done so within a second. Either way the job waits for it, so that no zombie is
 * left behind.
 *
 *     running --(it ends)--------------------------> closing --> freed
 *        |                                              ^
 *        '--(cancel: SIGTERM)--> cancelled --(it ends)--'
 *                                    |  ^
 *                                    '--' after a second: SIGKILL
 */
#include "base/array.h"
#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 1000u

struct spawn {
	struct weft_job job;
	struct weft_loop *loop;
	uv_process_t process;
	uv_timer_t killer;
	unsigned open_handles; /* The memory is freed when both are closed. */
	bool cancelled;
	void (*fn)(void *user, int status);
	void *user;
};

static void on_closed(uv_handle_t *handle)
{
	struct spawn *s = handle->data;
	if (--s->open_handles == 0)
		free(s);
}

static void close_handles(struct spawn *s)
{
	uv_close((uv_handle_t *)&s->process, on_closed);
	uv_close((uv_handle_t *)&s->killer, on_closed);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signo)
{
	struct spawn *s = process->data;
	if (!s->cancelled) {
		list_remove(&s->job.node);
		loop_refresh(s->loop);
		if (s->fn)
			s->fn(s->user, signo ? 128 + signo : (int)status);
	}
	close_handles(s);
}

static void on_patience_end(uv_timer_t *timer)
{
	struct spawn *s = timer->data;
	/* Fails only if it has ended, which on_exit_status then hears of. */
	(void)uv_process_kill(&s->process, SIGKILL);
}

static void cancel(struct weft_job *job)
{
	struct spawn *s = container_of(job, struct spawn, job);
	s->cancelled = true;
	(void)uv_process_kill(&s->process, SIGTERM);
	uv_update_time(&s->loop->uv);
	(void)uv_timer_start(&s->killer, on_patience_end, PATIENCE_MS, 0);
}

static size_t count_strings(char *const list[])
{
	size_t n = 0;
	while (list && list[n])
		n++;
	return n;
}

/* Whether both are settings of the same variable. */
static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");
	return strncmp(a, b, len) == 0 && b[len] == '=';
}

/* This process's environment with extra on top; the strings themselves are not copied. */
static char **merge_env(char *const extra[])
{
	size_t extras = count_strings(extra), n = 0;
	char **merged = calloc(count_strings(environ) + extras + 1, sizeof(char *));
	if (!merged)
		return NULL;
	for (char **old = environ; old && *old; old++) {
		size_t i = 0;
		while (i < extras && !same_name(extra[i], *old))
			i++;
		if (i == extras)
			merged[n++] = *old;
	}
	for (size_t i = 0; i < extras; i++)
		merged[n++] = extra[i];
	return merged;
}

/* Leaves both handles to be closed, whether it succeeds or not. */
static int start(struct spawn *s, char *const argv[], char *env[])
{
	uv_stdio_container_t stdio[] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
	};
	/* libuv's struct lacks a const: argv is not changed (execvp(3)). */
	union {
		char *const *given;
		char **wanted;
	} args = { .given = argv };
	const uv_process_options_t options = {
		.exit_cb = on_exit_status,
		.file = argv[0],
		.args = args.wanted,
		.env = env,
		.stdio = stdio,
		.stdio_count = ARRAY_LEN(stdio),
	};
	s->process.data = s;
	s->killer.data = s;
	s->open_handles = 2;
	(void)uv_timer_init(&s->loop->uv, &s->killer);
	return uv_spawn(&s->loop->uv, &s->process, &options);
}

int weft_loop_spawn(struct weft_loop *loop, char *const argv[], char *const env[],
		    void (*fn)(void *user, int status), void *user,
		    struct weft_job **ret_job)
{
	struct spawn *s = calloc(1, sizeof(*s));
	char **merged = merge_env(env);
	if (!s || !merged) {
		free(merged);
		free(s);
		return -ENOMEM;
	}
	*s = (struct spawn){ .job.cancel = cancel, .loop = loop, .fn = fn, .user = user };
	int r = start(s, argv, merged);
	free(merged);
	if (r < 0) {
		close_handles(s);
		return r;
	}
	list_push_back(&loop->jobs, &s->job.node);
	if (ret_job)
		*ret_job = &s->job;
	return 0;
}
