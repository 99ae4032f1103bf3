/* SPDX-License-Identifier: MIT */
/*
 * setuid(2) from root takes all capabilities away, unless PR_SET_KEEPCAPS leaves those that
 * are permitted; they have to be made effective again then.
 */
#include "cli/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Makes a capability permitted and effective in then if it is permitted now. */
static int keep(cap_t now, cap_t then, cap_value_t cap)
{
	cap_flag_value_t has = CAP_CLEAR;
	if (cap_get_flag(now, cap, CAP_PERMITTED, &has) < 0)
		return -errno;
	if (has == CAP_CLEAR)
		return 0;
	if (cap_set_flag(then, CAP_PERMITTED, 1, &cap, CAP_SET) < 0 ||
	    cap_set_flag(then, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0)
		return -errno;
	return 0;
}

/* Leaves those of the n capabilities that are permitted, and no other. */
static int keep_only(const cap_value_t caps[], int n)
{
	cap_t now = cap_get_proc(), then = cap_init();
	int r = now && then ? 0 : -ENOMEM;
	for (int i = 0; i < n && r == 0; i++)
		r = keep(now, then, caps[i]);
	if (r == 0 && cap_set_proc(then) < 0)
		r = -errno;
	cap_free(now);
	cap_free(then);
	return r;
}

int user_wait(struct weft_error *err)
{
	static const cap_value_t caps[] = { CAP_NET_ADMIN, CAP_SETUID, CAP_SETGID,
					    CAP_SETPCAP };
	int r = keep_only(caps, (int)(sizeof(caps) / sizeof(caps[0])));
	return r < 0 ? weft_error_set(err, r, "cannot give up root's rights: %s",
				      strerror(-r))
		     : 0;
}

static int change_ids(const char *name, const struct passwd *user)
{
	if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
	    setuid(user->pw_uid) < 0)
		return -errno;
	return 0;
}

int user_become(const char *name, bool keep_net_admin, struct weft_error *err)
{
	static const cap_value_t caps[] = { CAP_NET_ADMIN };
	const struct passwd *user = getpwnam(name);
	int r = 0;
	if (!user)
		return weft_error_set(err, -ENOENT, "--user: there is no user \"%s\"",
				      name);
	if (geteuid() != user->pw_uid) {
		if (prctl(PR_SET_KEEPCAPS, keep_net_admin, 0, 0, 0) < 0)
			r = -errno;
		if (r == 0)
			r = change_ids(name, user);
	}
	if (r == 0)
		r = keep_only(caps, keep_net_admin ? 1 : 0);
	if (r < 0)
		return weft_error_set(err, r, "--user: cannot become %s: %s%s", name,
				      strerror(-r),
				      r == -EPERM ? "; only root can do that" : "");
	return 0;
}
