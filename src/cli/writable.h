/* SPDX-License-Identifier: MIT */
/*
 * What must stay possible in the file system after rights are given up: sockets are removed
 * at the end, some dialects make one for each peer, and a capture around a plug is written
 * from the first peer on.
 */
#ifndef CLI_WRITABLE_H
#define CLI_WRITABLE_H

#include <stdbool.h>
#include <stddef.h>

#define WRITABLE_MAX     16u
#define WRITABLE_DIR_LEN 512u

/** Directories; zero is none. */
struct writable {
	size_t n;
	char dirs[WRITABLE_MAX][WRITABLE_DIR_LEN];
};

/** One more; beyond WRITABLE_MAX it is forgotten, and writing there fails later. */
void writable_add(struct writable *writable, const char *dir);

/**
 * The directories of all paths in a link's spec, wrappers included. Returns true if the link
 * makes files, or sends to sockets that its peers have made, when it runs, or connects to one
 * whenever it is there: the process should then stay the user that it is. (A stream's peers
 * connect, and then nobody asks.)
 */
bool writable_add_spec(struct writable *writable, const char *spec);

#endif
