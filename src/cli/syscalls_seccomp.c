/* SPDX-License-Identifier: MIT */
/*
 * A seccomp filter (seccomp(2), by libseccomp) that names what is forbidden. To name what is
 * allowed instead would be the tighter lock, but weft does not know what it needs: names are
 * resolved by whatever modules nsswitch.conf(5) loads, and which calls the C library and
 * libuv make changes with each release of a distribution. A lock that breaks a LAN in the
 * field is one that people take off. What is named here are the calls that lead out of the
 * process or deep into the kernel, which no library has a reason to make for us:
 *
 *     into other processes    programs, mounts, namespaces    modules, bpf, perf, kexec
 *     the key rings           the clock, the host's name      rare address families
 *
 * A forbidden call fails with EPERM, as it does for who lacks the right: a library that tries
 * one out of habit goes on without. Other ABIs than the machine's own (i386, x32), by which the
 * filter could be gone around, are answered with SIGSYS.
 */
#include "cli/syscalls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* By name: what the library or this machine does not know is passed over. */
static const char *const forbidden[] = {
	/* Other processes. */
	"kcmp",
	"pidfd_getfd",
	"process_madvise",
	"process_mrelease",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	/* Other programs. */
	"execve",
	"execveat",
	"uselib",
	/* Another view of the file system, and ways around the one there is. */
	"chroot",
	"fanotify_init",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"mount",
	"mount_setattr",
	"move_mount",
	"name_to_handle_at",
	"open_by_handle_at",
	"open_tree",
	"pivot_root",
	"quotactl",
	"quotactl_fd",
	"swapoff",
	"swapon",
	"umount",
	"umount2",
	/* Other namespaces; clone is further down. */
	"setns",
	"unshare",
	/* The kernel itself, and what its bugs are most often reached by. */
	"acct",
	"bpf",
	"delete_module",
	"finit_module",
	"init_module",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kexec_file_load",
	"kexec_load",
	"lookup_dcookie",
	"modify_ldt",
	"nfsservctl",
	"perf_event_open",
	"personality",
	"reboot",
	"syslog",
	"userfaultfd",
	"vhangup",
	/* Keys that others have put into the kernel. */
	"add_key",
	"keyctl",
	"request_key",
	/* The machine's clock and name. */
	"adjtimex",
	"clock_adjtime",
	"clock_settime",
	"setdomainname",
	"sethostname",
	"settimeofday",
	"stime",
};

static int forbid_calls(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < LEN(forbidden) && r == 0; i++) {
		int call = seccomp_syscall_resolve_name(forbidden[i]);
		if (call != __NR_SCMP_ERROR)
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
	}
	return r;
}

/* Forbids a call where the argument of that number, so masked, is the value. */
static int forbid_where(scmp_filter_ctx filter, int call, unsigned number, uint32_t mask,
			uint32_t value)
{
	const struct scmp_arg_cmp argument = {
		.arg = number, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call, 1, &argument);
}

/* Kernel ABI: s390 has the stack first. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/*
 * Threads are made by clone, and so are namespaces. The flags of clone3 stand in memory,
 * where no filter looks: a C library to which it is unknown takes clone instead.
 */
static int forbid_namespaces(scmp_filter_ctx filter)
{
	static const unsigned flags[] = { CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
					  CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
					  CLONE_NEWNET };
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; i < LEN(flags) && r == 0; i++)
		r = forbid_where(filter, SCMP_SYS(clone), CLONE_FLAGS, flags[i],
				 flags[i]);
	return r;
}

/*
 * Typing on the terminal that weft was started from, as if its user had done so. The kernel
 * looks at 32 bits of the request, and so does the mask.
 */
static int forbid_typing(scmp_filter_ctx filter)
{
	static const unsigned requests[] = { TIOCSTI, TIOCLINUX };
	int r = 0;

	for (size_t i = 0; i < LEN(requests) && r == 0; i++)
		r = forbid_where(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, requests[i]);
	return r;
}

/* New sockets are of the Internet, netlink, or for a resolver on this machine. */
static int forbid_families(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp others = { .op = SCMP_CMP_GT, .datum_a = AF_NETLINK };
	int r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				       &others);

	for (unsigned family = 0; family < AF_NETLINK && r == 0; family++)
		if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
			r = forbid_where(filter, SCMP_SYS(socket), 0, UINT32_MAX, family);
	return r;
}

static int fill(scmp_filter_ctx filter)
{
	/* All threads at once, and the kernel's own error codes. */
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (r == 0)
		r = forbid_calls(filter);
	if (r == 0)
		r = forbid_namespaces(filter);
	if (r == 0)
		r = forbid_typing(filter);
	if (r == 0)
		r = forbid_families(filter);
	return r;
}

/* A kernel that was built without filters has the other locks. */
static int load(scmp_filter_ctx filter)
{
	int r = seccomp_load(filter);

	return r == -ENOSYS || r == -EINVAL ? 0 : r;
}

int syscalls_restrict(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!filter)
		return -ENOMEM;
	r = fill(filter);
	if (r == 0)
		r = load(filter);
	seccomp_release(filter);
	return r;
}

const char *syscalls_library(char buf[SYSCALLS_TEXT])
{
	const struct scmp_version *version = seccomp_version();

	(void)snprintf(buf, SYSCALLS_TEXT, "%u.%u.%u", version->major, version->minor,
		       version->micro);
	return buf;
}
