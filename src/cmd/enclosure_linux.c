/* SPDX-License-Identifier: MIT */
/*
 * The outside. Orders wait for their report, which takes a millisecond; the program's end may
 * come first, and is told by the loop then.
 */
#include "cmd/enclosure.h"
#include "cmd/keeper.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_LEN  ((size_t)256 << 10)
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID)

/* Receives a report, and the descriptor that came with it. Returns 0, -EAGAIN or -EPIPE. */
static int receive(struct enclosure *e, int flags, struct report *ret_report, int *ret_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = ret_report, .iov_len = sizeof(*ret_report) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;
	do
		n = recvmsg(e->task.fd, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n != (ssize_t)sizeof(*ret_report))
		return -EPIPE;
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(*ret_fd));
	return 0;
}

static void note_end(struct enclosure *e, int status)
{
	e->has_ended = true;
	e->status = status;
}

/* ---- orders ------------------------------------------------------------------------------ */

static int command(struct enclosure *e, const struct order *order, struct weft_error *err)
{
	struct report report;
	int none = -1;
	if (e->task.fd < 0 || e->has_ended)
		return weft_error_set(err, -ESRCH, "the program has ended");
	if (send(e->task.fd, order, sizeof(*order), MSG_NOSIGNAL) < 0)
		return weft_error_set(err, -errno, "the keeper is gone: %s",
				      strerror(errno));
	do {
		int r = receive(e, 0, &report, &none);
		if (r < 0)
			return weft_error_set(err, r, "the keeper is gone");
		if (report.is_end)
			note_end(e, report.result);
	} while (report.is_end);
	if (report.result < 0)
		*err = report.err;
	return report.result;
}

int enclosure_set_up(struct enclosure *e, unsigned mtu, struct weft_error *err)
{
	const struct order order = { .kind = ORDER_UP, .mtu = mtu };
	return command(e, &order, err);
}

int enclosure_set_address(struct enclosure *e, const struct weft_ip *address,
			  const struct weft_ip *router, struct weft_error *err)
{
	const struct order order = { .kind = ORDER_SET,
				     .address = *address,
				     .router = *router };
	return command(e, &order, err);
}

void enclosure_clear_address(struct enclosure *e, const struct weft_ip *address)
{
	const struct order order = { .kind = ORDER_CLEAR, .address = *address };
	struct weft_error err;
	(void)!command(e, &order, &err);
}

void enclosure_use_names(struct enclosure *e, const char *text)
{
	struct order order = { .kind = ORDER_NAMES };
	struct weft_error err;
	(void)snprintf(order.names, sizeof(order.names), "%s", text);
	(void)!command(e, &order, &err);
}

int enclosure_start(struct enclosure *e, struct weft_error *err)
{
	const struct order order = { .kind = ORDER_START };
	int r = e->is_started ? 0 : command(e, &order, err);
	e->is_started = true;
	return r;
}

void enclosure_signal(struct enclosure *e, int signo)
{
	const struct order order = { .kind = ORDER_SIGNAL, .signo = signo };
	struct weft_error err;
	if (!e->is_started && !e->has_ended)
		note_end(e, 128 + signo);
	else
		(void)!command(e, &order, &err);
}

/* ---- life -------------------------------------------------------------------------------- */

static void enclosure_run(struct weft_task *task, uint64_t now)
{
	struct enclosure *e = (struct enclosure *)(void *)task; /* its first member */
	struct report report;
	int none = -1;
	(void)now;
	int r = e->has_ended ? -EAGAIN : receive(e, MSG_DONTWAIT, &report, &none);
	if (r == -EPIPE)
		note_end(e, 128 + SIGKILL);
	else if (r == 0 && report.is_end)
		note_end(e, report.result);
	if (!e->has_ended)
		return;
	task->events = 0;
	if (e->ended)
		e->ended(e->user, e->status);
	e->ended = NULL;
}

/* An end that came while a report was awaited is told at once. */
static uint64_t enclosure_deadline(const struct weft_task *task)
{
	const struct enclosure *e = (const struct enclosure *)(const void *)task;
	return e->has_ended && e->ended ? 0 : WEFT_NEVER;
}

static int explain_clone(int error, struct weft_error *err)
{
	const char *why = "is it a kernel without them?";
	if (error == EPERM)
		why = "users may not make them: `sudo sysctl "
		      "kernel.unprivileged_userns_clone=1`, or, in a container, its "
		      "seccomp profile";
	if (error == ENOSPC || error == EUSERS)
		why = "there may be no more of them: `sysctl user.max_user_namespaces`";
	return weft_error_set(err, -error, "no namespaces for the program (%s): %s",
			      strerror(error), why);
}

/* The new process runs on a copy of that stack. */
static int clone_keeper(struct keeper_opts *opts)
{
	char *stack = malloc(STACK_LEN);
	if (!stack)
		return -ENOMEM;
	int pid = clone(keeper_main, stack + STACK_LEN, NAMESPACES | SIGCHLD, opts);
	int error = errno;
	free(stack);
	return pid < 0 ? -error : pid;
}

int enclosure_open(struct enclosure *e, char *const argv[], const struct weft_log *log,
		   struct weft_error *err)
{
	struct report report;
	int ends[2], fd = -1;
	e->task = (struct weft_task){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return weft_error_set(err, -errno, "a socket pair: %s", strerror(errno));
	struct keeper_opts opts = { .fd = ends[1],
				    .parent = ends[0],
				    .uid = geteuid(),
				    .gid = getegid(),
				    .argv = argv,
				    .log = log };
	int pid = clone_keeper(&opts);
	(void)close(ends[1]);
	e->task = (struct weft_task){ .fd = ends[0],
				      .events = WEFT_READABLE,
				      .run = enclosure_run,
				      .deadline = enclosure_deadline };
	if (pid < 0)
		return explain_clone(-pid, err);
	e->pid = pid;
	int r = receive(e, 0, &report, &fd);
	if (r < 0)
		return weft_error_set(err, r, "the keeper has ended");
	if (report.result == 0 && fd >= 0)
		return fd;
	*err = report.err;
	return report.result < 0 ? report.result : -EPROTO;
}

void enclosure_close(struct enclosure *e)
{
	if (e->task.fd >= 0)
		(void)close(e->task.fd);
	e->task.fd = -1;
	if (e->pid > 0) {
		(void)kill(e->pid, SIGKILL);
		(void)waitpid(e->pid, NULL, 0);
	}
	e->pid = 0;
}
