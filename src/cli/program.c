/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn(3), because the program is to have our standard input and whatever descriptor
 * it is told of. SIGCHLD comes in by the loop; the program is the only child there is.
 */
#include "cli/program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a program has to end, in looks and the time between two. */
#define PATIENCE_LOOKS 100
#define LOOK_NS        10000000

int program_sockets(int type, struct weft_error *err, int *ret_theirs)
{
	int ends[2];
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
		return weft_error_set(err, -errno, "cannot make a socket pair: %s",
				      strerror(errno));
	*ret_theirs = ends[1];
	return ends[0];
}

/* ---- arguments --------------------------------------------------------------------------- */

/* Where the next placeholder begins, or NULL, and its length. */
static const char *find_placeholder(const char *text, size_t *ret_len)
{
	for (; (text = strchr(text, '{')); text++) {
		*ret_len = strncmp(text, "{}", 2) == 0 ? 2 : 4;
		if (*ret_len == 2 || strncmp(text, "{fd}", 4) == 0)
			return text;
	}
	return NULL;
}

/* A copy of text with number in the place of each placeholder. */
static char *fill_in(const char *text, const char *number)
{
	size_t len, n = 0;
	for (const char *at = text; (at = find_placeholder(at, &len)); at += len)
		n++;
	char *filled = malloc(strlen(text) + n * strlen(number) + 1);
	char *out = filled;
	for (const char *at; filled && (at = find_placeholder(text, &len));) {
		memcpy(out, text, (size_t)(at - text));
		out = stpcpy(out + (at - text), number);
		text = at + len;
	}
	if (filled)
		memcpy(out, text, strlen(text) + 1);
	return filled;
}

static void free_arguments(char **filled)
{
	for (size_t i = 0; filled && filled[i]; i++)
		free(filled[i]);
	free(filled);
}

static char **fill_arguments(char *const argv[], const char *number)
{
	size_t n = 0;
	while (argv[n])
		n++;
	char **filled = n > 0 ? calloc(n + 1, sizeof(*filled)) : NULL;
	for (size_t i = 0; filled && i < n; i++) {
		filled[i] = fill_in(argv[i], number);
		if (!filled[i]) {
			free_arguments(filled);
			return NULL;
		}
	}
	return filled;
}

/* ---- life -------------------------------------------------------------------------------- */

/* True once it has ended. */
static bool look(struct program *program)
{
	int status;
	if (waitpid(program->pid, &status, WNOHANG) != program->pid)
		return false;
	program->pid = 0;
	program->status =
		WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

static void on_child(void *user, int signo)
{
	struct program *program = user;
	(void)signo;
	if (program->pid && look(program))
		program->ended(program->user, program->status);
}

/* The copy of the descriptor that the program gets has the same number and stays open. */
static int spawn(struct program *program, char *const argv[], int theirs)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	pid_t pid;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGPIPE); /* Which is ignored here. */
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	int r = posix_spawnattr_init(&attributes);
	if (r != 0)
		goto destroy_actions;
	r = posix_spawn_file_actions_adddup2(&actions, theirs, theirs);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&attributes, &signals);
	if (r == 0)
		r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
	if (r == 0)
		program->pid = pid;
	(void)posix_spawnattr_destroy(&attributes);
destroy_actions:
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int program_start(struct program *program, char *const argv[], int theirs,
		  struct weft_loop *loop, struct weft_error *err)
{
	char number[16];
	(void)snprintf(number, sizeof(number), "%d", theirs);
	char **filled = fill_arguments(argv, number);
	int r = filled ? weft_loop_on_signal(loop, SIGCHLD, on_child, program) : -ENOMEM;
	if (r == 0 && setenv("WEFT_FD", number, 1) < 0)
		r = -errno;
	if (r == 0)
		r = spawn(program, filled, theirs);
	free_arguments(filled);
	(void)close(theirs);
	return r < 0 ? weft_error_set(err, r, "cannot start %s: %s", argv[0],
				      strerror(-r))
		     : 0;
}

void program_stop(struct program *program)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	if (!program->pid)
		return;
	(void)kill(program->pid, SIGTERM);
	for (unsigned i = 0; i < PATIENCE_LOOKS; i++) {
		if (look(program))
			return;
		(void)nanosleep(&pause, NULL);
	}
	(void)kill(program->pid, SIGKILL);
	(void)waitpid(program->pid, NULL, 0);
	program->pid = 0;
}
