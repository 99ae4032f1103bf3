/* SPDX-License-Identifier: MIT */
/*
 * The relay tells its parent through a pipe where it listens and by which pin it is known, and
 * is ended with its parent.
 */
#include "relay_alone.h"

#include <weft/loop.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void die(const char *what, int r)
{
	fprintf(stderr, "bench-rooms: %s: %s\n", what, strerror(-r));
	exit(1);
}

/* ---- its own side ------------------------------------------------------------------------ */

static int run(const struct weft_relay_opts *base, int to_parent)
{
	static const uint8_t secret[32] = { 1 };
	struct weft_relay_opts opts = *base;
	struct relay_alone alone = { .pid = getpid() };
	char *cert, *key;
	struct weft_relay *relay;
	struct weft_loop *loop;
	struct weft_error err = { "" };
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	int r = weft_relay_make_identity(&cert, &key);
	if (r < 0)
		die("identity", r);
	opts.secret = secret;
	opts.cert_pem = cert;
	opts.key_pem = key;
	r = weft_relay_new(&opts, &err, &relay);
	if (r < 0)
		die(err.text, r);
	alone.addr = weft_relay_addr(relay);
	weft_relay_pin(relay, alone.pin);
	if (weft_loop_new(NULL, &loop) < 0 ||
	    weft_loop_add(loop, weft_relay_task(relay)) < 0)
		die("loop", -ENOMEM);
	if (write(to_parent, &alone, sizeof(alone)) != sizeof(alone))
		return 1;
	return weft_loop_run(loop);
}

/* ---- its parent's ------------------------------------------------------------------------ */

void relay_alone_start(const struct weft_relay_opts *opts, struct relay_alone *ret_relay)
{
	int pipe_fds[2];
	if (pipe(pipe_fds) < 0)
		die("pipe", -errno);
	pid_t pid = fork();
	if (pid < 0)
		die("fork", -errno);
	if (pid == 0)
		_exit(run(opts, pipe_fds[1]));
	(void)close(pipe_fds[1]);
	if (read(pipe_fds[0], ret_relay, sizeof(*ret_relay)) !=
	    (ssize_t)sizeof(*ret_relay))
		die("the relay did not start", -EPIPE);
	(void)close(pipe_fds[0]);
}

void relay_alone_end(const struct relay_alone *relay)
{
	(void)kill(relay->pid, SIGTERM);
	(void)waitpid(relay->pid, NULL, 0);
}

double relay_alone_cpu_s(const struct relay_alone *relay)
{
	struct timespec ts;
	clockid_t clock;
	if (clock_getcpuclockid(relay->pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		die("the relay's clock", -ESRCH);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double relay_alone_kib(const struct relay_alone *relay)
{
	static const char key[] = "VmRSS:";
	char path[64], line[256];
	double kib = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)relay->pid);
	FILE *file = fopen(path, "r");
	if (!file)
		die(path, -errno);
	while (kib == 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtod(line + strlen(key), NULL);
	(void)fclose(file);
	return kib;
}
