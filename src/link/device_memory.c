/* SPDX-License-Identifier: MIT */
/*
 * A system of devices in memory: paths that are special files, descriptors that are open on
 * them, and the permission to open and to configure.
 *
 *     path -> special, user        fd 8192, 8193, ... -> special, file
 *
 * A descriptor is never given twice, so that one which was closed stays bad. Both tables are
 * lists: a test has a handful of either.
 */
#include "base/list.h"
#include "link/device_tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEND_BUFFER_LEN_DEFAULT (1u << 20)

struct special_path {
	struct list node;
	char *path;
	const struct weft_device_special *special;
	void *user;
};

struct open_file {
	struct list node;
	int fd;
	const struct weft_device_special *special;
	void *file;
};

struct weft_device_memory {
	struct weft_device_system system;
	struct list paths; /* struct special_path.node */
	struct list files; /* struct open_file.node */
	unsigned permissions;
	int next_fd;
	size_t send_buffer_len; /* The tunnels' user. */
};

static struct special_path *find_path(const struct weft_device_memory *memory,
				      const char *path)
{
	list_for_each (node, &memory->paths) {
		struct special_path *s = container_of(node, struct special_path, node);
		if (strcmp(s->path, path) == 0)
			return s;
	}
	return NULL;
}

static struct open_file *find_file(const struct weft_device_memory *memory, int fd)
{
	list_for_each (node, &memory->files) {
		struct open_file *f = container_of(node, struct open_file, node);
		if (f->fd == fd)
			return f;
	}
	return NULL;
}

/* ---- the calls --------------------------------------------------------------------------- */

static int memory_open(void *user, const char *path, unsigned flags)
{
	struct weft_device_memory *memory = user;
	const struct special_path *s = find_path(memory, path);
	if (!(memory->permissions & WEFT_DEVICE_MAY_OPEN))
		return -EPERM;
	if (!s)
		return -ENOENT;
	struct open_file *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	int r = s->special->open ? s->special->open(s->user, flags, &f->file) : -EINVAL;
	if (r < 0) {
		free(f);
		return r;
	}
	f->special = s->special;
	f->fd = memory->next_fd++;
	list_push_back(&memory->files, &f->node);
	return f->fd;
}

static int memory_configure(void *user, int fd, unsigned request,
			    struct weft_device_config *config)
{
	const struct weft_device_memory *memory = user;
	const struct open_file *f = find_file(memory, fd);
	if (!(memory->permissions & WEFT_DEVICE_MAY_CONFIGURE))
		return -EPERM;
	if (!f)
		return -EBADF;
	return f->special->configure ? f->special->configure(f->file, request, config)
				     : -EINVAL;
}

static int memory_read(void *user, int fd, void *buf, size_t len)
{
	const struct open_file *f = find_file(user, fd);
	if (!f)
		return -EBADF;
	return f->special->read ? f->special->read(f->file, buf, len) : -EINVAL;
}

static int memory_write(void *user, int fd, const void *buf, size_t len)
{
	const struct open_file *f = find_file(user, fd);
	if (!f)
		return -EBADF;
	return f->special->write ? f->special->write(f->file, buf, len) : -EINVAL;
}

static void file_close(struct open_file *f)
{
	list_remove(&f->node);
	if (f->special->close)
		f->special->close(f->file);
	free(f);
}

static int memory_close(void *user, int fd)
{
	struct open_file *f = find_file(user, fd);
	if (!f)
		return -EBADF;
	file_close(f);
	return 0;
}

/* There is nothing that the kernel could poll. */
static int memory_poll_fd(void *user, int fd)
{
	(void)user;
	(void)fd;
	return -1;
}

static bool memory_is_readable(void *user, int fd)
{
	const struct open_file *f = find_file(user, fd);
	return f && f->special->is_readable && f->special->is_readable(f->file);
}

static const struct weft_device_ops memory_ops = {
	.open = memory_open,
	.configure = memory_configure,
	.read = memory_read,
	.write = memory_write,
	.close = memory_close,
	.poll_fd = memory_poll_fd,
	.is_readable = memory_is_readable,
};

/* ---- beginning and end ------------------------------------------------------------------- */

int weft_device_memory_new(const struct weft_device_memory_opts *opts,
			   struct weft_device_memory **ret_memory)
{
	struct weft_device_memory *memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	memory->system =
		(struct weft_device_system){ .ops = &memory_ops, .user = memory };
	list_init(&memory->paths);
	list_init(&memory->files);
	memory->permissions = WEFT_DEVICE_MAY_OPEN | WEFT_DEVICE_MAY_CONFIGURE;
	memory->next_fd = WEFT_DEVICE_MEMORY_FD;
	memory->send_buffer_len = opts && opts->send_buffer_len ? opts->send_buffer_len
								: SEND_BUFFER_LEN_DEFAULT;
	int r = weft_device_memory_register(memory, WEFT_DEVICE_PATH, tunnel_special(),
					    &memory->send_buffer_len);
	if (r < 0) {
		weft_device_memory_free(memory);
		return r;
	}
	*ret_memory = memory;
	return 0;
}

void weft_device_memory_free(struct weft_device_memory *memory)
{
	if (!memory)
		return;
	list_for_each (node, &memory->files)
		file_close(container_of(node, struct open_file, node));
	list_for_each (node, &memory->paths) {
		struct special_path *s = container_of(node, struct special_path, node);
		free(s->path);
		free(s);
	}
	free(memory);
}

const struct weft_device_system *weft_device_memory_system(
	const struct weft_device_memory *memory)
{
	return &memory->system;
}

void weft_device_memory_permit(struct weft_device_memory *memory, unsigned permissions)
{
	memory->permissions = permissions;
}

size_t weft_device_memory_open_count(const struct weft_device_memory *memory)
{
	size_t n = 0;
	list_for_each (node, &memory->files)
		n++;
	return n;
}

int weft_device_memory_register(struct weft_device_memory *memory, const char *path,
				const struct weft_device_special *special, void *user)
{
	struct special_path *s = find_path(memory, path);
	if (!s) {
		s = calloc(1, sizeof(*s));
		char *copy = strdup(path);
		if (!s || !copy) {
			free(s);
			free(copy);
			return -ENOMEM;
		}
		s->path = copy;
		list_push_back(&memory->paths, &s->node);
	}
	s->special = special;
	s->user = user;
	return 0;
}

struct weft_tunnel *weft_device_memory_tunnel(const struct weft_device_memory *memory,
					      int fd)
{
	const struct open_file *f = find_file(memory, fd);
	return f && f->special == tunnel_special() ? f->file : NULL;
}
