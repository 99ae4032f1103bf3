/* SPDX-License-Identifier: MIT */
/*
 * Plain POSIX files. Nothing here is secret from root; all of it is secret from everybody
 * else, so modes are given at creation and never loosened.
 */
#include "cli/state.h"

#include "cli/units.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The rooms of a relay that has as many as there can be are far from it. */
#define FILE_LEN_MAX (16u << 20)

int state_make_dir(const char *path)
{
	char part[STATE_PATH_LEN];

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* A service's own: the first, where systemd.exec(5) names several. Returns whether there is one. */
static bool service_directory(const char *name, char *buf, size_t len)
{
	const char *dirs = getenv(name);
	const size_t first_len = dirs ? strcspn(dirs, ":") : 0;

	if (first_len == 0 || dirs[0] != '/' || first_len >= len)
		return false;
	memcpy(buf, dirs, first_len);
	buf[first_len] = '\0';
	return true;
}

static int default_directory(char *buf, size_t len)
{
	const char *base = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (service_directory("STATE_DIRECTORY", buf, len))
		return 0;
	if (geteuid() == 0)
		n = snprintf(buf, len, "/var/lib/weft");
	else if (base && base[0] == '/')
		n = snprintf(buf, len, "%s/weft", base);
	else if (home && home[0] == '/')
		n = snprintf(buf, len, "%s/.local/state/weft", home);
	else
		return -ENOENT;
	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

int state_open(const char *dir, struct weft_error *err, struct state *ret_state)
{
	struct state state = { .dir = "" };
	int r = 0;

	if (dir && strlen(dir) >= sizeof(state.dir))
		return weft_error_set(err, -ENAMETOOLONG,
				      "--state: the path is too long");
	if (dir)
		memcpy(state.dir, dir, strlen(dir) + 1);
	else
		r = default_directory(state.dir, sizeof(state.dir));
	if (r < 0)
		return weft_error_set(
			err, r,
			"no place to keep keys: HOME is not set; give --state DIR");
	r = state_make_dir(state.dir);
	if (r == 0 && access(state.dir, R_OK | W_OK | X_OK) < 0)
		r = -errno;
	if (r < 0)
		return weft_error_set(err, r,
				      "cannot keep keys in %s: %s; give --state DIR",
				      state.dir, strerror(-r));
	*ret_state = state;
	return 0;
}

const char *state_runtime_dir(char buf[STATE_PATH_LEN])
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (service_directory("RUNTIME_DIRECTORY", buf, STATE_PATH_LEN))
		return buf;
	if (geteuid() == 0)
		(void)snprintf(buf, STATE_PATH_LEN, "/run/weft");
	else if (base && base[0] == '/' &&
		 strlen(base) < STATE_PATH_LEN - sizeof("/weft"))
		(void)snprintf(buf, STATE_PATH_LEN, "%s/weft", base);
	else
		(void)snprintf(buf, STATE_PATH_LEN, "/tmp/weft-%u", (unsigned)geteuid());
	return buf;
}

static int path_of(const struct state *state, const char *name, const char *suffix,
		   char *buf, size_t len)
{
	int n = snprintf(buf, len, "%s/%s%s", state->dir, name, suffix);

	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

static int read_whole(int fd, char **ret_bytes)
{
	struct stat st;
	char *bytes;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_LEN_MAX)
		return -EFBIG;
	bytes = calloc(1, (size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	got = read(fd, bytes, (size_t)st.st_size);
	if (got < 0) {
		const int r = -errno;
		free(bytes);
		return r;
	}
	bytes[got] = '\0';
	*ret_bytes = bytes;
	return (int)got;
}

int state_load(const struct state *state, const char *name, struct weft_error *err,
	       char **ret_bytes)
{
	char path[640];
	int fd, r;

	r = path_of(state, name, "", path, sizeof(path));
	if (r < 0)
		return weft_error_set(err, r, "%s/%s: the path is too long", state->dir,
				      name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	r = fd < 0 ? -errno : read_whole(fd, ret_bytes);
	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		return weft_error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	return r;
}

/* What root writes for a service of another user, as `weft kick` does, that one has to read. */
static int give_to_owner(int fd, const char *dir)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(dir, &st) < 0)
		return -errno;
	if (st.st_uid == 0 || fchown(fd, st.st_uid, st.st_gid) == 0)
		return 0;
	/* An owner whom this user namespace does not know. */
	return errno == EINVAL ? 0 : -errno;
}

static int write_whole(const char *dir, const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t put;
	int r = 0;

	if (fd < 0)
		return -errno;
	put = write(fd, bytes, len);
	if (put < 0)
		r = -errno;
	else if ((size_t)put != len)
		r = -ENOSPC;
	if (r == 0)
		r = give_to_owner(fd, dir);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int state_store(const struct state *state, const char *name, const void *bytes,
		size_t len, struct weft_error *err)
{
	char path[640], beside[640];
	int r = path_of(state, name, "", path, sizeof(path));

	if (r == 0)
		r = path_of(state, name, ".new", beside, sizeof(beside));
	if (r < 0)
		return weft_error_set(err, r, "%s/%s: the path is too long", state->dir,
				      name);
	r = write_whole(state->dir, beside, bytes, len);
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0)
		return weft_error_set(err, r,
				      "cannot write %s: %s; make it writable, or give "
				      "--state DIR",
				      path, strerror(-r));
	return 0;
}

int state_keep(const struct state *state, const char *name,
	       void (*fill)(uint8_t *, size_t), uint8_t *buf, size_t len,
	       struct weft_error *err)
{
	char *bytes = NULL, count[UNITS_COUNT_TEXT];
	int r = state_load(state, name, err, &bytes);

	if (r == -ENOENT) {
		fill(buf, len);
		return state_store(state, name, buf, len, err);
	}
	if (r < 0)
		return r;
	assert(bytes);
	if ((size_t)r == len)
		memcpy(buf, bytes, len);
	free(bytes);
	if ((size_t)r != len)
		return weft_error_set(
			err, -EBADMSG,
			"%s/%s is damaged (%s instead of %zu); remove it to "
			"have a new one made",
			state->dir, name,
			units_print_count((uint64_t)r, "byte", "bytes", count), len);
	return 0;
}
