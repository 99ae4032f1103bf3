/* SPDX-License-Identifier: MIT */
/*
 * A state directory for one test: made empty, gone with all that is in it afterwards.
 */
#ifndef TESTS_HOST_STATE_DIR_H
#define TESTS_HOST_STATE_DIR_H

#include <stddef.h>

struct state_dir {
	char path[64];
	int fd;
};

/* Makes an empty one; a cmocka set-up function, *state becomes a struct state_dir. */
int state_dir_make(void **state);

/* Removes it; the cmocka tear-down function. */
int state_dir_drop(void **state);

/* Number of files in it. */
unsigned state_dir_files(const struct state_dir *dir);

/* Writes a file of the given bytes, as a dead process would have left it. */
void state_dir_put(const struct state_dir *dir, const char *name, const void *bytes,
		   size_t len);

/* Reads the only file there is into buf, which it ends with NUL. Returns its length. */
size_t state_dir_read(const struct state_dir *dir, char *buf, size_t len);

#endif
