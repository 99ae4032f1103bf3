/* SPDX-License-Identifier: MIT */
/*
 * The kernel's tun and tap devices (Documentation/networking/tuntap.rst): each call is the
 * system call of its name, with errno turned into -Exxx.
 *
 * One thing is translated: a device that has been deleted under an open descriptor answers
 * EBADFD (it is attached to nothing any more), or EIO to a read while it is being deleted.
 * Both are -ENODEV here. EIO to a write stays: that is a device which is not up.
 */
#include <weft/device.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static_assert(WEFT_DEVICE_NAME_LEN == IFNAMSIZ, "names are copied as they are");
static_assert(WEFT_DEVICE_TUN == IFF_TUN && WEFT_DEVICE_TAP == IFF_TAP &&
		      WEFT_DEVICE_MULTI_QUEUE == IFF_MULTI_QUEUE &&
		      WEFT_DEVICE_NO_PI == IFF_NO_PI &&
		      WEFT_DEVICE_VNET_HDR == IFF_VNET_HDR &&
		      WEFT_DEVICE_EXCL == IFF_TUN_EXCL,
	      "flags are handed on as they are");

static int real_open(void *user, const char *path, unsigned flags)
{
	(void)user;
	int mode = flags & WEFT_DEVICE_RDWR ? O_RDWR : O_RDONLY;
	if (flags & WEFT_DEVICE_NONBLOCK)
		mode |= O_NONBLOCK;
	if (flags & WEFT_DEVICE_CLOEXEC)
		mode |= O_CLOEXEC;
	int fd = open(path, mode);
	return fd < 0 ? -errno : fd;
}

static int real_configure(void *user, int fd, unsigned request,
			  struct weft_device_config *config)
{
	(void)user;
	struct ifreq ifr = { .ifr_flags = (short)config->flags };
	if (request != WEFT_DEVICE_SETIFF)
		return -EINVAL;
	memcpy(ifr.ifr_name, config->name, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	memcpy(config->name, ifr.ifr_name, IFNAMSIZ);
	return 0;
}

static int real_read(void *user, int fd, void *buf, size_t len)
{
	(void)user;
	ssize_t got = read(fd, buf, len);
	if (got < 0)
		return errno == EBADFD || errno == EIO ? -ENODEV : -errno;
	return (int)got;
}

static int real_write(void *user, int fd, const void *buf, size_t len)
{
	(void)user;
	ssize_t sent = write(fd, buf, len);
	if (sent < 0)
		return errno == EBADFD ? -ENODEV : -errno;
	return (int)sent;
}

static int real_close(void *user, int fd)
{
	(void)user;
	return close(fd) < 0 ? -errno : 0;
}

static int real_poll_fd(void *user, int fd)
{
	(void)user;
	return fd;
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
