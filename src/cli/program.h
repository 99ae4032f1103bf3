/* SPDX-License-Identifier: MIT */
/*
 * A program that is started with one end of a socket pair, of which the other is ours:
 *
 *     weft serve -- qemu-system-x86_64 -netdev stream,id=n0,addr.type=fd,addr.str={} ...
 *
 * It finds the number of its descriptor in the place of "{}" and "{fd}" in its arguments and
 * in the environment as WEFT_FD. Terminal, input and output are this process's own.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <weft/error.h>
#include <weft/loop.h>

struct program {
	int pid;    /**< 0: none runs. */
	int status; /**< As a shell gives it: 128 + the signal that ended it. */
	void (*ended)(void *user, int status);
	void *user;
};

/**
 * Makes a socket pair of this type (SOCK_STREAM ...). Returns our end, or -Exxx with err; the
 * program's is in ret_theirs and is inherited by whatever is started.
 */
int program_sockets(int type, struct weft_error *err, int *ret_theirs)
	__attribute__((warn_unused_result));

/**
 * Starts argv (searched in PATH) with theirs, which is closed here. ended is called once from
 * the loop. Returns 0, or -Exxx with err (-ENOENT: no such program).
 */
int program_start(struct program *program, char *const argv[], int theirs,
		  struct weft_loop *loop, struct weft_error *err)
	__attribute__((warn_unused_result));

/**
 * Asks a program that still runs to end (SIGTERM), and ends it (SIGKILL) if it has not done
 * so within a second.
 */
void program_stop(struct program *program);

#endif
