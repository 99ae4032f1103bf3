/* SPDX-License-Identifier: MIT */
/*
 * The kernel's devices where weft has no driver for them yet: none can be opened.
 */
#include <weft/device.h>

#include <errno.h>

static int real_open(void *user, const char *path, unsigned flags)
{
	(void)user;
	(void)path;
	(void)flags;
	return -ENOTSUP;
}

static int real_configure(void *user, int fd, unsigned request,
			  struct weft_device_config *config)
{
	(void)user;
	(void)fd;
	(void)request;
	(void)config;
	return -EBADF;
}

static int real_read(void *user, int fd, void *buf, size_t len)
{
	(void)user;
	(void)fd;
	(void)buf;
	(void)len;
	return -EBADF;
}

static int real_write(void *user, int fd, const void *buf, size_t len)
{
	(void)user;
	(void)fd;
	(void)buf;
	(void)len;
	return -EBADF;
}

static int real_close(void *user, int fd)
{
	(void)user;
	(void)fd;
	return -EBADF;
}

static int real_poll_fd(void *user, int fd)
{
	(void)user;
	(void)fd;
	return -1;
}

const struct weft_device_system *weft_device_real(void)
{
	static const struct weft_device_ops ops = {
		.open = real_open,
		.configure = real_configure,
		.read = real_read,
		.write = real_write,
		.close = real_close,
		.poll_fd = real_poll_fd,
	};
	static const struct weft_device_system real = { .ops = &ops };
	return &real;
}
