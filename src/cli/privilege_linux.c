/* SPDX-License-Identifier: MIT */
/*
 * Four locks, each of which would do much: capabilities(7) say what the kernel lets us do,
 * no_new_privs that exec cannot give it back, landlock(7) that files stay as they are, and
 * seccomp(2) that most of what leads out of a process is not there at all (syscalls.h). A
 * process that keeps CAP_NET_ADMIN stays uid 0, because its journal in /run is root's;
 * Landlock is then what keeps the rest of root's files out of its reach.
 */
#include "cli/privilege.h"
#include "cli/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534u

/* Everything of Landlock's first version that changes or runs a file. */
#define LOCKED_ACCESS                                                     \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |     \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Of its third version (Linux 6.2), younger than some headers: what makes a file shorter. */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)

/* All of it that this kernel knows. */
static uint64_t locked_access(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	return version < 3 ? LOCKED_ACCESS : LOCKED_ACCESS | ACCESS_TRUNCATE;
}

/* What is not there, or is not to be reached by who we are by now, needs no permission. */
static int allow_below(int ruleset, const char *dir)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = locked_access() & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE,
	};
	long r;

	rule.parent_fd = open(dir, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	r = r < 0 ? -errno : 0;
	(void)close(rule.parent_fd);
	return (int)r;
}

/* Kernels without Landlock (ENOSYS, EOPNOTSUPP) have the other locks. */
static int lock_files(const struct writable *writable)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs =
							    locked_access() };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int r = 0;

	if (ruleset < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	for (size_t i = 0; writable && i < writable->n && r == 0; i++)
		r = allow_below(ruleset, writable->dirs[i]);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	(void)close(ruleset);
	return r;
}

/* What exec could give back; needs CAP_SETPCAP, so it comes first. */
static void drop_bounding_set(void)
{
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_READ, cap) == 1)
			(void)prctl(PR_CAPBSET_DROP, cap); /* -EPERM: not ours to drop */
}

static int drop_capabilities(bool keep_net_admin)
{
	const cap_value_t kept[] = { CAP_NET_ADMIN };
	cap_flag_value_t has = CAP_CLEAR;
	cap_t now = cap_get_proc(), then = cap_init();
	int r = 0;

	if (!now || !then || cap_get_flag(now, CAP_NET_ADMIN, CAP_PERMITTED, &has) < 0)
		r = -ENOMEM;
	else if (keep_net_admin && has == CAP_SET &&
		 (cap_set_flag(then, CAP_PERMITTED, 1, kept, CAP_SET) < 0 ||
		  cap_set_flag(then, CAP_EFFECTIVE, 1, kept, CAP_SET) < 0))
		r = -errno;
	if (r == 0 && cap_set_proc(then) < 0)
		r = -errno;
	cap_free(now);
	cap_free(then);
	return r;
}

/* EINVAL: a user namespace that has no nobody (a rootless laboratory). */
static int become_nobody(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (setgid(NOBODY) < 0 && errno != EINVAL)
		return -errno;
	if (setuid(NOBODY) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

int privilege_drop(const struct privilege_opts *opts, struct weft_error *err)
{
	int r;

	drop_bounding_set();
	r = opts->keep_net_admin ? 0 : become_nobody();
	if (r == 0)
		r = drop_capabilities(opts->keep_net_admin);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = lock_files(opts->writable);
	if (r == 0)
		r = syscalls_restrict();
	if (r < 0)
		return weft_error_set(err, r, "cannot give up root's rights: %s",
				      strerror(-r));
	return 0;
}
