/* SPDX-License-Identifier: MIT */
/*
 * Local sockets where weft has no driver for them yet.
 */
#include "link/local.h"

#include <errno.h>
#include <stdio.h>

static int fail(struct weft_error *err)
{
	return weft_error_set(err, -ENOTSUP,
			      "local sockets are not available on this system");
}

int local_listen(const struct local_opts *opts, int socket_type, struct weft_error *err,
		 struct local_address *ret_address)
{
	(void)opts;
	(void)socket_type;
	(void)ret_address;
	return fail(err);
}

int local_connect(const struct local_opts *opts, int socket_type, struct weft_error *err)
{
	(void)opts;
	(void)socket_type;
	return fail(err);
}

int local_hold(const char *path, uid_t uid)
{
	(void)path;
	(void)uid;
	return -ENOTSUP;
}

int local_connect_held(int fd, int held)
{
	(void)fd;
	(void)held;
	return -ENOTSUP;
}

int local_connect_result(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

int local_accept(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

int local_stdio(struct weft_error *err, struct local_ends *ret_ends)
{
	(void)ret_ends;
	return fail(err);
}

void local_ends_close(const struct local_ends *ends)
{
	(void)ends;
}

bool local_fd_listens(int fd)
{
	(void)fd;
	return false;
}

void local_unlink(const struct local_address *address)
{
	(void)address;
}

const char *local_peer_print(int fd, char buf[LOCAL_TEXT])
{
	(void)snprintf(buf, LOCAL_TEXT, "fd %d", fd);
	return buf;
}
