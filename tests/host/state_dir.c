/* SPDX-License-Identifier: MIT */
/*
 * Temporary state directories.
 */
#include "state_dir.h"

#include "../unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int state_dir_make(void **state)
{
	struct state_dir *dir = calloc(1, sizeof(*dir));
	assert_non_null(dir);
	const char *tmp = getenv("TMPDIR");
	int n = snprintf(dir->path, sizeof(dir->path), "%s/weft-test-XXXXXX",
			 tmp ? tmp : "/tmp");
	assert_true(n > 0 && n < (int)sizeof(dir->path));
	assert_non_null(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir->fd >= 0);
	*state = dir;
	return 0;
}

/* Calls fn for each file. */
static void each(const struct state_dir *dir,
		 void (*fn)(int fd, const char *name, void *user), void *user)
{
	DIR *listing = opendir(dir->path);
	assert_non_null(listing);
	const struct dirent *entry;
	while ((entry = readdir(listing)))
		if (entry->d_name[0] != '.')
			fn(dir->fd, entry->d_name, user);
	closedir(listing);
}

static void remove_one(int fd, const char *name, void *user)
{
	(void)user;
	unlinkat(fd, name, 0);
}

int state_dir_drop(void **state)
{
	struct state_dir *dir = *state;
	each(dir, remove_one, NULL);
	close(dir->fd);
	rmdir(dir->path);
	free(dir);
	return 0;
}

static void count_one(int fd, const char *name, void *user)
{
	(void)fd;
	(void)name;
	++*(unsigned *)user;
}

unsigned state_dir_files(const struct state_dir *dir)
{
	unsigned n = 0;
	each(dir, count_one, &n);
	return n;
}

void state_dir_put(const struct state_dir *dir, const char *name, const void *bytes,
		   size_t len)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void open_one(int fd, const char *name, void *user)
{
	*(int *)user = openat(fd, name, O_RDONLY | O_CLOEXEC);
}

size_t state_dir_read(const struct state_dir *dir, char *buf, size_t len)
{
	int fd = -1;
	assert_int_equal(state_dir_files(dir), 1);
	each(dir, open_one, &fd);
	ssize_t n = read(fd, buf, len - 1);
	assert_true(n >= 0);
	close(fd);
	buf[n] = '\0';
	return (size_t)n;
}
