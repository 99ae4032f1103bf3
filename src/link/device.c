/* SPDX-License-Identifier: MIT */
/*
 * The calls of a device system by name. Who uses them reads as if these were the system's
 * own, and only this file knows that there is a table.
 */
#include <weft/device.h>

int weft_device_open(const struct weft_device_system *system, const char *path,
		     unsigned flags)
{
	return system->ops->open(system->user, path, flags);
}

int weft_device_configure(const struct weft_device_system *system, int fd,
			  unsigned request, struct weft_device_config *config)
{
	return system->ops->configure(system->user, fd, request, config);
}

int weft_device_read(const struct weft_device_system *system, int fd, void *buf,
		     size_t len)
{
	return system->ops->read(system->user, fd, buf, len);
}

int weft_device_write(const struct weft_device_system *system, int fd, const void *buf,
		      size_t len)
{
	return system->ops->write(system->user, fd, buf, len);
}

int weft_device_close(const struct weft_device_system *system, int fd)
{
	return system->ops->close(system->user, fd);
}

int weft_device_poll_fd(const struct weft_device_system *system, int fd)
{
	return system->ops->poll_fd(system->user, fd);
}

bool weft_device_is_readable(const struct weft_device_system *system, int fd)
{
	return system->ops->is_readable && system->ops->is_readable(system->user, fd);
}
