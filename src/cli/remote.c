/* SPDX-License-Identifier: MIT */
/*
 * A peer's line is kept until it is whole, then its answer until it has gone: never both.
 *
 * The socket is bound with all rights. To accept takes none, to unlink it takes the runtime
 * directory: that is root's, and a relay that root has begun is nobody by then. A directory of
 * nobody's own would let whatever else is nobody put another socket in its place; so that one
 * stays until somebody looks for relays again (remote_find) and finds that none listens there.
 */
#include "cli/remote.h"

#include "cli/state.h"
#include "cli/units.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* For a line to come whole, or an answer to be taken. */
#define PATIENCE_NS (10 * NS_PER_S)

#define PAUSE_NS  (NS_PER_S / 5) /* Where no descriptor is left to accept with. */
#define PIECE_LEN 65536u

/* Of a socket that does not listen yet; shorter than REMOTE_SUFFIX, so that it has room. */
#define MAKING_SUFFIX ".new"

struct remote_peer {
	struct weft_task task;
	struct remote *remote; /* NULL: the place is free */
	char *line;            /* what has come, or is to go */
	size_t len, off, room;
	bool is_answer;
	uint64_t until;
};

struct remote {
	struct weft_task task;
	struct weft_loop *loop;
	uint64_t resume_at;
	remote_fn *fn;
	void *user;
	uid_t owner;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct remote_peer peers[REMOTE_PEERS_MAX];
};

/* ---- a peer ------------------------------------------------------------------------------ */

static struct remote_peer *peer_of(struct weft_task *task)
{
	return (struct remote_peer *)(void *)task; /* its first member */
}

/* It may be a configuration, with tokens in it. */
static void forget_line(struct remote_peer *p)
{
	if (p->line)
		sodium_memzero(p->line, p->len);
	free(p->line);
	p->line = NULL;
	p->len = p->off = p->room = 0;
}

static void peer_drop(struct remote_peer *p)
{
	weft_loop_remove(p->remote->loop, &p->task);
	(void)close(p->task.fd);
	forget_line(p);
	*p = (struct remote_peer){ .remote = NULL };
}

static json_t *refusal(const char *text)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *answer_to(const struct remote *r, const char *line, size_t len)
{
	struct weft_error err = { .text = "it was refused" };
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *what = json_string_value(json_object_get(request, "do"));
	json_t *answer = what ? r->fn(r->user, what, request, &err) : NULL;
	json_decref(request);
	if (!what)
		return refusal("what is asked is no JSON object with \"do\"");
	if (!answer)
		return refusal(err.text);
	(void)json_object_set_new(answer, "ok", json_true());
	return answer;
}

/* The line has come: its place is taken by the answer. */
static void peer_answer(struct remote_peer *p, size_t len, uint64_t now)
{
	json_t *answer = answer_to(p->remote, p->line, len);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	forget_line(p);
	p->line = text;
	p->len = text ? strlen(text) + 1 : 0;
	if (text)
		text[p->len - 1] = '\n'; /* in the place of the NUL */
	p->is_answer = true;
	p->until = now + PATIENCE_NS;
	p->task.events = WEFT_WRITABLE;
}

/* Returns false when it is of no use any more. */
static bool peer_read(struct remote_peer *p, uint64_t now)
{
	if (p->room - p->len < PIECE_LEN) {
		char *larger = realloc(p->line, p->room + PIECE_LEN);
		if (!larger)
			return false;
		p->line = larger;
		p->room += PIECE_LEN;
	}
	ssize_t got = read(p->task.fd, p->line + p->len, PIECE_LEN);
	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	const char *end = memchr(p->line + p->len, '\n', (size_t)got);
	p->len += (size_t)got;
	if (!end)
		return p->len <= REMOTE_LINE_MAX;
	peer_answer(p, (size_t)(end - p->line), now);
	return true;
}

static bool peer_write(struct remote_peer *p, uint64_t now)
{
	ssize_t put = send(p->task.fd, p->line + p->off, p->len - p->off, MSG_NOSIGNAL);
	if (put < 0)
		return errno == EAGAIN || errno == EINTR;
	p->off += (size_t)put;
	if (p->off < p->len)
		return true;
	forget_line(p);
	p->is_answer = false;
	p->task.events = WEFT_READABLE;
	p->until = now + PATIENCE_NS;
	return true;
}

static void peer_run(struct weft_task *task, uint64_t now)
{
	struct remote_peer *p = peer_of(task);
	bool goes_on = now < p->until;
	if (goes_on && !p->is_answer)
		goes_on = peer_read(p, now);
	if (goes_on && p->is_answer)
		goes_on = p->line && peer_write(p, now);
	if (!goes_on)
		peer_drop(p);
}

static uint64_t peer_deadline(const struct weft_task *task)
{
	return ((const struct remote_peer *)(const void *)task)->until;
}

/* ---- listening --------------------------------------------------------------------------- */

static bool may_speak(const struct remote *r, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == 0 || who.uid == r->owner);
}

static struct remote_peer *free_place(struct remote *r)
{
	for (size_t i = 0; i < REMOTE_PEERS_MAX; i++)
		if (!r->peers[i].remote)
			return &r->peers[i];
	return NULL;
}

static void admit(struct remote *r, int fd, uint64_t now)
{
	struct remote_peer *p = may_speak(r, fd) ? free_place(r) : NULL;
	if (p) {
		p->task = (struct weft_task){ .fd = fd,
					      .events = WEFT_READABLE,
					      .run = peer_run,
					      .deadline = peer_deadline };
		p->until = now + PATIENCE_NS;
		p->remote = r;
	}
	if (p && weft_loop_add(r->loop, &p->task) == 0)
		return;
	if (p)
		p->remote = NULL;
	(void)close(fd);
}

/* The socket is ready as long as somebody waits, also where nobody can be accepted. */
static void remote_run(struct weft_task *task, uint64_t now)
{
	struct remote *r = (struct remote *)(void *)task;
	int fd = accept4(r->task.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const bool is_short = fd < 0 && (errno == EMFILE || errno == ENFILE ||
					 errno == ENOBUFS || errno == ENOMEM);
	r->task.events = is_short ? 0 : WEFT_READABLE;
	r->resume_at = is_short ? now + PAUSE_NS : WEFT_NEVER;
	if (fd >= 0)
		admit(r, fd, now);
}

static uint64_t remote_deadline(const struct weft_task *task)
{
	return ((const struct remote *)(const void *)task)->resume_at;
}

/* What cannot stand in a file's name, or would hide where the process ID begins. */
static void clean(const char *name, char ret_name[REMOTE_NAME_LEN])
{
	(void)snprintf(ret_name, REMOTE_NAME_LEN, "%s", name[0] ? name : "weft");
	for (char *c = ret_name; *c; c++)
		if (*c == '/' || (unsigned char)*c <= ' ' || (c == ret_name && *c == '.'))
			*c = '_';
}

/* Whoever owns the directory, which may stand in /tmp, can put another socket in our place. */
static int check_owner(const char *dir)
{
	struct stat st;
	if (lstat(dir, &st) < 0)
		return -errno;
	return st.st_uid == 0 || st.st_uid == geteuid() ? 0 : -EPERM;
}

/* Returns a socket that listens at a path, or -Exxx. */
static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(addr.sun_path, path, strlen(path));
	(void)unlink(path); /* another process had our ID */
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path, 0600) < 0 || listen(fd, (int)REMOTE_PEERS_MAX) < 0) {
		int error = -errno;
		(void)close(fd);
		return error;
	}
	return fd;
}

/* It has no name that others look for before it listens: they would take it for a crash's. */
static int open_socket(const struct remote *r)
{
	char unnamed[sizeof(r->path)];
	(void)snprintf(unnamed, sizeof(unnamed), "%.*s" MAKING_SUFFIX,
		       (int)(strlen(r->path) - strlen(REMOTE_SUFFIX)), r->path);
	int fd = listen_at(unnamed);
	if (fd >= 0 && rename(unnamed, r->path) == 0)
		return fd;
	int error = fd < 0 ? fd : -errno;
	if (fd >= 0)
		(void)close(fd);
	(void)unlink(unnamed);
	return error;
}

static int open_at(struct remote *r, const char *dir, const char *name)
{
	char cleaned[REMOTE_NAME_LEN];
	clean(name, cleaned);
	int n = snprintf(r->path, sizeof(r->path), "%s/%s-%ld" REMOTE_SUFFIX, dir,
			 cleaned, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(r->path))
		return -ENAMETOOLONG;
	n = state_make_dir(dir);
	if (n == 0)
		n = check_owner(dir);
	return n < 0 ? n : open_socket(r);
}

int remote_new(struct weft_loop *loop, const struct remote_opts *opts,
	       struct weft_error *err, struct remote **ret_remote)
{
	struct remote *r = calloc(1, sizeof(*r));
	if (!r)
		return weft_error_set(err, -ENOMEM, "out of memory");
	r->loop = loop;
	r->fn = opts->fn;
	r->user = opts->user;
	r->owner = geteuid();
	r->resume_at = WEFT_NEVER;
	int fd = open_at(r, opts->dir, opts->name);
	r->task = (struct weft_task){ .fd = fd,
				      .events = WEFT_READABLE,
				      .run = remote_run,
				      .deadline = remote_deadline };
	int error = fd < 0 ? fd : weft_loop_add(loop, &r->task);
	if (error < 0) {
		remote_free(r);
		return weft_error_set(err, error, "cannot listen at a socket in %s: %s",
				      opts->dir, strerror(-error));
	}
	*ret_remote = r;
	return 0;
}

void remote_free(struct remote *remote)
{
	if (!remote)
		return;
	for (size_t i = 0; i < REMOTE_PEERS_MAX; i++)
		if (remote->peers[i].remote)
			peer_drop(&remote->peers[i]);
	if (remote->task.fd >= 0) {
		weft_loop_remove(remote->loop, &remote->task);
		(void)close(remote->task.fd);
		(void)unlink(remote->path);
	}
	free(remote);
}
