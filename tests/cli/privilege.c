/* SPDX-License-Identifier: MIT */
/*
 * What is left to a program that has given up its rights, tried on the running kernel in a
 * child that gives them up. Each forbidden call is made in such a way that the kernel itself
 * would not answer EPERM to anybody: that answer is the filter's.
 */
#include "cli/privilege.h"

#include "../unit.h"
#include "cli/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *dir_of_test;
static struct writable writable;

/* Gives up everything in a child, and returns whether check is content with what is left. */
static bool holds_without_rights(bool (*check)(void))
{
	const struct privilege_opts opts = { .keep_net_admin = true,
					     .writable = &writable };
	struct weft_error err;
	int status = 0;
	(void)fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (privilege_drop(&opts, &err) < 0)
			_exit(2);
		_exit(check() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 2);
	return WEXITSTATUS(status) == 0;
}

/* ---- what is forbidden ------------------------------------------------------------------- */

static bool is_answered(const char *call, long r, int expected)
{
	if (r == -1 && errno == expected)
		return true;
	(void)fprintf(stderr, "# %s: %ld, %s\n", call, r, r < 0 ? strerror(errno) : "");
	return false;
}

/* Where the filter fails to hold it there are two of us now. */
static long clone_with(unsigned long flags)
{
	long r = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (r == 0)
		_exit(0);
	return r;
}

static bool what_leads_out_is_forbidden(void)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		{ "ptrace", SYS_ptrace },
		{ "process_vm_readv", SYS_process_vm_readv },
		{ "execve", SYS_execve },
		{ "setns", SYS_setns },
		{ "unshare", SYS_unshare },
		{ "open_tree", SYS_open_tree },
		{ "fsopen", SYS_fsopen },
		{ "keyctl", SYS_keyctl },
		{ "add_key", SYS_add_key },
		{ "personality", SYS_personality },
		{ "io_uring_setup", SYS_io_uring_setup },
		{ "name_to_handle_at", SYS_name_to_handle_at },
		{ "kcmp", SYS_kcmp },
	};
	bool ok = true;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		ok &= is_answered(calls[i].name,
				  syscall(calls[i].number, 0, 0, 0, 0, 0, 0), EPERM);
	ok &= is_answered("clone(NEWUSER)", clone_with(CLONE_NEWUSER), EPERM);
	ok &= is_answered("clone3", syscall(SYS_clone3, NULL, 0), ENOSYS);
	ok &= is_answered("TIOCSTI", ioctl(-1, TIOCSTI, ""), EPERM);
	ok &= is_answered("TIOCSTI with more bits",
			  syscall(SYS_ioctl, -1, TIOCSTI | ~(long)UINT32_MAX, ""), EPERM);
	ok &= is_answered("AF_VSOCK", socket(AF_VSOCK, SOCK_STREAM, 0), EPERM);
	ok &= is_answered("AF_ALG", socket(AF_ALG, SOCK_SEQPACKET, 0), EPERM);
	ok &= is_answered("AF_AX25", socket(AF_AX25, SOCK_STREAM, 0), EPERM);
	return ok;
}

static void test_what_leads_out_is_forbidden(void **state)
{
	(void)state;
	char version[SYSCALLS_TEXT];
	if (!syscalls_library(version) || prctl(PR_GET_SECCOMP) < 0) {
		print_message("# skipped: no seccomp\n");
		skip();
	}
	/* Nobody has forbidden it yet. */
	assert_int_equal(syscall(SYS_unshare, 0), 0);
	assert_true(syscall(SYS_personality, 0xffffffff) >= 0);
	assert_true(holds_without_rights(what_leads_out_is_forbidden));
}

/* ---- what goes on ------------------------------------------------------------------------ */

static void *resolve(void *ok)
{
	struct addrinfo *found = NULL;
	*(bool *)ok = getaddrinfo("localhost", "443", NULL, &found) == 0;
	if (found)
		freeaddrinfo(found);
	return NULL;
}

/* As libuv's threads do it. */
static bool can_resolve(void)
{
	pthread_t thread;
	bool ok = false;
	return pthread_create(&thread, NULL, resolve, &ok) == 0 &&
	       pthread_join(thread, NULL) == 0 && ok;
}

static bool can_open(int fd)
{
	return fd >= 0 && close(fd) == 0;
}

static bool can_fork(void)
{
	int status = 1;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool can_write_where_it_may(void)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/file", dir_of_test);
	return can_open(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) &&
	       rename(path, path) == 0 && unlink(path) == 0;
}

static bool what_is_needed_goes_on(void)
{
	return can_resolve() && can_fork() && can_write_where_it_may() &&
	       can_open(open("/etc/passwd", O_RDONLY | O_CLOEXEC)) &&
	       can_open(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) &&
	       can_open(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) &&
	       can_open(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) &&
	       can_open(epoll_create1(EPOLL_CLOEXEC)) &&
	       can_open(eventfd(0, EFD_CLOEXEC)) &&
	       can_open(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
}

static void test_what_is_needed_goes_on(void **state)
{
	(void)state;
	assert_true(holds_without_rights(what_is_needed_goes_on));
}

/* ---- files ------------------------------------------------------------------------------- */

static bool other_files_are_locked(void)
{
	int fd = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 && errno == EACCES;
}

static char path_of_other[] = "/tmp/weft-test-other-XXXXXX";

static bool other_files_keep_their_length(void)
{
	return truncate(path_of_other, 0) < 0 && errno == EACCES;
}

static bool can_shorten_where_it_may(void)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/file", dir_of_test);
	return can_open(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) &&
	       can_open(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)) &&
	       truncate(path, 0) == 0 && unlink(path) == 0;
}

/* Landlock's version, or less than 1 where the kernel has none. */
static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

static void test_other_files_are_locked(void **state)
{
	(void)state;
	if (landlock_version() < 1) {
		print_message("# skipped: no Landlock\n");
		skip();
	}
	assert_true(holds_without_rights(other_files_are_locked));
}

static void test_other_files_are_not_shortened(void **state)
{
	(void)state;
	if (landlock_version() < 3) {
		print_message("# skipped: this Landlock knows nothing of it\n");
		skip();
	}
	int fd = mkstemp(path_of_other);
	assert_true(fd >= 0);
	bool ok = holds_without_rights(other_files_keep_their_length);
	(void)close(fd);
	assert_int_equal(unlink(path_of_other), 0);
	assert_true(ok);
	assert_true(holds_without_rights(can_shorten_where_it_may));
}

int main(void)
{
	char dir[] = "/tmp/weft-test-privilege-XXXXXX";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_leads_out_is_forbidden),
		cmocka_unit_test(test_what_is_needed_goes_on),
		cmocka_unit_test(test_other_files_are_locked),
		cmocka_unit_test(test_other_files_are_not_shortened),
	};
	dir_of_test = mkdtemp(dir);
	writable_add(&writable, dir);
	int failed = dir_of_test ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	(void)rmdir(dir);
	return failed;
}
