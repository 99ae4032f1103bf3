/* SPDX-License-Identifier: MIT */
/*
 * The keeper: it has all rights in its namespaces, and none outside. What it sets, it sets by
 * the calls by which weft sets a TAP's addresses on a machine, with a journal that nobody will
 * need. The program that it starts loses those rights by execve(2), unless it is root's.
 */
#include "cmd/discovery.h"
#include "cmd/keeper.h"

#include <weft/host.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What env(1) and shells end with. */
#define STATUS_NOT_STARTED 126

struct keeper {
	const struct keeper_opts *opts;
	struct weft_host *host;
	int resolv_fd; /* the file behind /etc/resolv.conf */
	int signal_fd; /* SIGCHLD */
	pid_t program; /* 0: not started, or over */
	bool has_ended;
};

/* Sends a report, with a descriptor unless that is -1. Returns 0 or -Exxx. */
static int send_report(int fd, const struct report *report, int descriptor)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct report copy = *report;
	struct iovec iov = { .iov_base = &copy, .iov_len = sizeof(copy) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (descriptor >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		*cmsg = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS,
					  .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(cmsg), &descriptor, sizeof(descriptor));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- beginning --------------------------------------------------------------------------- */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, strlen(text));
	int r = n < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

/* The user inside is the user outside; other ids there are none (user_namespaces(7)). */
static int map_user(const struct keeper_opts *opts, struct weft_error *err)
{
	char uid[64], gid[64];
	(void)snprintf(uid, sizeof(uid), "%u %u 1\n", opts->uid, opts->uid);
	(void)snprintf(gid, sizeof(gid), "%u %u 1\n", opts->gid, opts->gid);
	int r = write_text("/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_text("/proc/self/uid_map", uid);
	if (r == 0)
		r = write_text("/proc/self/gid_map", gid);
	return r < 0 ? weft_error_set(
			       err, r,
			       "the user's namespace has no rights: %s; on Ubuntu: "
			       "`sudo sysctl "
			       "kernel.apparmor_restrict_unprivileged_userns=0`",
			       strerror(-r))
		     : 0;
}

/* In a network of its own, a program may ping and use all ports. */
static void allow_more(const struct keeper_opts *opts)
{
	char gids[64];
	(void)snprintf(gids, sizeof(gids), "%u %u\n", opts->gid, opts->gid);
	(void)!write_text("/proc/sys/net/ipv4/ping_group_range", gids);
	(void)!write_text("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n");
}

/* The journal's directory has no path but this. */
static int open_host(struct keeper *k, int directory, struct weft_error *err)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/host", directory);
	const struct weft_host_opts opts = { .state_dir = path };
	int r = weft_host_new(&opts, err, &k->host);
	return r < 0 ? r : weft_host_set_up(k->host, "lo", true, err);
}

static int prepare(struct keeper *k, struct weft_error *err)
{
	int directory = -1;
	int r = map_user(k->opts, err);
	if (r < 0)
		return r;
	allow_more(k->opts);
	r = keeper_mount(k->opts->log, &directory);
	if (r < 0)
		return weft_error_set(err, r, "cannot mount anything inside: %s",
				      strerror(-r));
	k->resolv_fd = r;
	r = open_host(k, directory, err);
	if (r < 0)
		return r;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return weft_error_set(
			err, -errno,
			"/dev/net/tun: %s: load the module (`sudo modprobe "
			"tun`), or give your user the device (`sudo setfacl "
			"-m u:$USER:rw /dev/net/tun`)",
			strerror(errno));
	return fd;
}

/* ---- orders ------------------------------------------------------------------------------ */

static int set_up(struct keeper *k, const struct order *order, struct weft_error *err)
{
	int r = weft_host_set_mtu(k->host, ENCLOSURE_DEVICE, order->mtu, err);
	return r < 0 ? r : weft_host_set_up(k->host, ENCLOSURE_DEVICE, true, err);
}

static struct weft_route default_route(const struct weft_ip *router)
{
	return (struct weft_route){ .dest = { .family = router->family },
				    .gateway = *router,
				    .ifname = ENCLOSURE_DEVICE };
}

static int set_address(struct keeper *k, const struct order *order,
		       struct weft_error *err)
{
	const struct weft_route route = default_route(&order->router);
	int r = weft_host_add_address(k->host, ENCLOSURE_DEVICE, &order->address, err);
	if (r == 0 && route.gateway.family)
		r = weft_host_add_route(k->host, &route, err);
	if (r == 0)
		discovery_begin(k->host, ENCLOSURE_DEVICE, k->opts->log);
	return r;
}

/* The kernel takes the routes of an address off with it. */
static int clear_address(struct keeper *k, const struct order *order,
			 struct weft_error *err)
{
	discovery_end(k->host, ENCLOSURE_DEVICE, k->opts->log);
	return weft_host_remove_address(k->host, ENCLOSURE_DEVICE, &order->address, err);
}

static int use_names(struct keeper *k, const struct order *order)
{
	size_t len = strnlen(order->names, sizeof(order->names));
	if (ftruncate(k->resolv_fd, 0) < 0 ||
	    pwrite(k->resolv_fd, order->names, len, 0) != (ssize_t)len)
		return -errno;
	return 0;
}

static void become_program(const struct keeper *k)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	execvp(k->opts->argv[0], k->opts->argv);
	int error = errno;
	(void)fprintf(stderr, "weft run: %s: %s\n", k->opts->argv[0], strerror(error));
	_exit(error == ENOENT ? ENCLOSURE_NOT_FOUND : STATUS_NOT_STARTED);
}

static int start(struct keeper *k)
{
	k->program = fork();
	if (k->program == 0)
		become_program(k);
	return k->program < 0 ? -errno : 0;
}

static int obey(struct keeper *k, const struct order *order, struct weft_error *err)
{
	switch (order->kind) {
	case ORDER_UP:
		return set_up(k, order, err);
	case ORDER_SET:
		return set_address(k, order, err);
	case ORDER_CLEAR:
		return clear_address(k, order, err);
	case ORDER_NAMES:
		return use_names(k, order);
	case ORDER_START:
		return start(k);
	case ORDER_SIGNAL:
		return k->program > 0 ? kill(k->program, order->signo) : 0;
	}
	return -EINVAL;
}

/* Returns false when weft is gone. */
static bool take_order(struct keeper *k)
{
	struct report report = { .is_end = false };
	struct order order;
	ssize_t n = recv(k->opts->fd, &order, sizeof(order), 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n != (ssize_t)sizeof(order))
		return false;
	report.result = obey(k, &order, &report.err);
	if (report.result < 0 && !report.err.text[0])
		weft_error_set(&report.err, report.result, "%s",
			       strerror(-report.result));
	return send_report(k->opts->fd, &report, -1) == 0;
}

/* ---- the program's end ------------------------------------------------------------------- */

/* All that have lost their parent are the keeper's to wait for. */
static void wait_for_all(struct keeper *k)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;
	(void)!read(k->signal_fd, &info, sizeof(info));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		const struct report report = {
			.is_end = true,
			.result = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						      : WEXITSTATUS(status),
		};
		if (pid != k->program)
			continue;
		k->has_ended = true;
		(void)!send_report(k->opts->fd, &report, -1);
	}
}

static void serve(struct keeper *k)
{
	struct pollfd fds[] = { { .fd = k->opts->fd, .events = POLLIN },
				{ .fd = k->signal_fd, .events = POLLIN } };
	while (!k->has_ended) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			wait_for_all(k);
		if (fds[0].revents && !take_order(k))
			return;
	}
}

static int watch_children(struct keeper *k)
{
	sigset_t children;
	(void)sigemptyset(&children);
	(void)sigaddset(&children, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &children, NULL) < 0)
		return -errno;
	k->signal_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signal_fd < 0 ? -errno : 0;
}

/* When it ends, the kernel ends all others inside (pid_namespaces(7)). */
int keeper_main(void *opts)
{
	struct keeper k = { .opts = opts };
	struct report report = { .is_end = false };
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)close(k.opts->parent);
	int r = watch_children(&k);
	int fd = r < 0 ? weft_error_set(&report.err, r, "signals: %s", strerror(-r))
		       : prepare(&k, &report.err);
	/* The program is the same user, and is not to look into who has more rights. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	report.result = fd < 0 ? fd : 0;
	if (send_report(k.opts->fd, &report, fd) < 0 || fd < 0)
		return STATUS_NOT_STARTED;
	(void)close(fd);
	serve(&k);
	return 0;
}
