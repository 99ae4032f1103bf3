/* SPDX-License-Identifier: MIT */
/*
 * What is mounted inside. All of it lies on a tmpfs that has no place of its own: it is mounted
 * on /tmp, filled, and taken off again, while the mounts and descriptors that lead into it stay.
 * So nothing is written on any disk, and nothing can be left behind.
 */
#include "cmd/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define SCRATCH     "/tmp"
#define SMALL       "mode=0755,size=256k"

#define QUIET_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/*
 * Where those listen who look names up for others, in the network outside: nss-resolve, nscd,
 * and avahi. Without them the C library asks by itself, as /etc/resolv.conf says.
 */
static const char *const hidden[] = { "/run/systemd/resolve", "/run/nscd",
				      "/run/avahi-daemon" };

/* Where there is none, there is nothing to hide. */
static void hide_resolvers(const struct weft_log *log)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (mount("tmpfs", hidden[i], "tmpfs", QUIET_FLAGS, SMALL) < 0 &&
		    errno != ENOENT)
			weft_log_warning(log,
					 "names may be looked up outside: %s cannot be "
					 "hidden: %s",
					 hidden[i], strerror(errno));
}

/* Returns the descriptor of a file on the tmpfs, which stands in for resolv.conf. */
static int replace_resolv_conf(const char *target, const struct weft_log *log)
{
	const char *file = SCRATCH "/resolv.conf";
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* It was in what is hidden now. */
	int there =
		access(target, F_OK) < 0 ? open(target, O_CREAT | O_CLOEXEC, 0644) : -1;
	if (there >= 0)
		(void)close(there);
	if (mount(file, target, NULL, MS_BIND, NULL) < 0)
		weft_log_warning(log, "names are looked up as outside: %s: %s", target,
				 strerror(errno));
	return fd;
}

int keeper_mount(const struct weft_log *log, int *ret_directory)
{
	char target[PATH_MAX];
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	/* Inside of a container this may not be allowed; then /proc shows the outside. */
	if (mount("proc", "/proc", "proc", QUIET_FLAGS, NULL) < 0)
		weft_log_debug(log, "/proc is that of outside: %s", strerror(errno));
	if (!realpath(RESOLV_CONF, target))
		memcpy(target, RESOLV_CONF, sizeof(RESOLV_CONF));
	hide_resolvers(log);
	if (mount("tmpfs", SCRATCH, "tmpfs", QUIET_FLAGS, "mode=0700,size=256k") < 0)
		return -errno;
	int fd = replace_resolv_conf(target, log);
	int directory = open(SCRATCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? fd : directory < 0 ? -errno : fd;
	if (umount2(SCRATCH, MNT_DETACH) < 0 && r >= 0)
		r = -errno;
	*ret_directory = directory;
	return r;
}
