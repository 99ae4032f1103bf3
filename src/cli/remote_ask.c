/* SPDX-License-Identifier: MIT */
/*
 * Who asks may wait: nothing else is to be done meanwhile.
 */
#include "cli/remote.h"
#include "cli/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE_LEN 65536u

/* How long for an answer: a reload makes devices, and may try slow things. */
#define ANSWER_S 30

/* Others could have made a socket of that name, to be told what is meant for us. */
static bool is_trusted(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	return geteuid() == 0 ||
	       (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
		(who.uid == 0 || who.uid == geteuid()));
}

/* Returns a connected socket, or -Exxx. */
static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = ANSWER_S };
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	int error = 0;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		error = -errno;
	else if (!is_trusted(fd))
		error = -EPERM;
	if (error == 0)
		return fd;
	(void)close(fd);
	return error;
}

/* "office-812.control"; false for what is none. */
static bool read_name(const char *dir, const char *file, struct remote_place *ret_place)
{
	const size_t len = strlen(file), suffix = sizeof(REMOTE_SUFFIX) - 1;
	const char *dash = strrchr(file, '-');
	char *end;
	if (!dash || len < suffix || strcmp(file + len - suffix, REMOTE_SUFFIX) != 0 ||
	    (size_t)(dash - file) >= REMOTE_NAME_LEN)
		return false;
	ret_place->pid = strtol(dash + 1, &end, 10);
	(void)snprintf(ret_place->name, REMOTE_NAME_LEN, "%.*s", (int)(dash - file),
		       file);
	(void)snprintf(ret_place->path, sizeof(ret_place->path), "%s/%s", dir, file);
	return strcmp(end, REMOTE_SUFFIX) == 0 && ret_place->pid > 0;
}

static bool is_meant(const struct remote_place *place, const char *name)
{
	char pid[24];
	(void)snprintf(pid, sizeof(pid), "%ld", place->pid);
	return !name || strcmp(name, place->name) == 0 || strcmp(name, pid) == 0;
}

static bool listens(const struct remote_place *place)
{
	int fd = connect_to(place->path);
	if (fd == -ECONNREFUSED)
		(void)unlink(place->path); /* a crash has left it */
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

int remote_find(const char *dir, const char *name, struct remote_place *ret_places,
		size_t max, struct weft_error *err)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	int n = 0;
	if (!stream && errno == ENOENT)
		return 0; /* nothing has ever run */
	if (!stream)
		return weft_error_set(err, -errno, "cannot look into %s: %s%s", dir,
				      strerror(errno),
				      errno == EACCES ? " (run as root)" : "");
	while ((size_t)n < max && (entry = readdir(stream))) {
		struct remote_place *place = &ret_places[n];
		n += read_name(dir, entry->d_name, place) && is_meant(place, name) &&
		     listens(place);
	}
	(void)closedir(stream);
	return n;
}

/* The name of a service's own directory, beside root's: /run/weft-relay beside /run/weft. */
static bool is_beside(const struct dirent *entry, const char *own)
{
	const size_t len = strlen(own);
	return entry->d_type == DT_DIR && strncmp(entry->d_name, own, len) == 0 &&
	       entry->d_name[len] == '-';
}

/* What may not be looked into is passed over. */
static int find_beside(const char *dir, const char *name, struct remote_place *ret_places,
		       size_t max)
{
	const char *own = strrchr(dir, '/') + 1;
	char path[STATE_PATH_LEN + 256];
	(void)snprintf(path, sizeof(path), "%.*s", (int)(own - dir), dir);
	DIR *stream = opendir(path);
	const struct dirent *entry;
	int n = 0;
	while (stream && (entry = readdir(stream))) {
		struct weft_error err;
		if (!is_beside(entry, own))
			continue;
		(void)snprintf(path, sizeof(path), "%.*s%s", (int)(own - dir), dir,
			       entry->d_name);
		int found =
			remote_find(path, name, ret_places + n, max - (size_t)n, &err);
		n += found > 0 ? found : 0;
	}
	if (stream)
		(void)closedir(stream);
	return n;
}

int remote_find_here(const char *name, struct remote_place ret_places[REMOTE_PLACES_MAX],
		     struct weft_error *err)
{
	char runtime[STATE_PATH_LEN];
	const char *dir = state_runtime_dir(runtime);
	int n = remote_find(dir, name, ret_places, REMOTE_PLACES_MAX, err);
	return n < 0 ? n
		     : n + find_beside(dir, name, ret_places + n,
				       REMOTE_PLACES_MAX - (size_t)n);
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);
		if (put < 0 && errno != EINTR)
			return -errno;
		text += put > 0 ? put : 0;
		len -= put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* Makes the line longer by what has come. Returns how much, or -Exxx. */
static int receive_piece(int fd, char **line, size_t len)
{
	if (len > REMOTE_ANSWER_MAX)
		return -EMSGSIZE;
	char *larger = realloc(*line, len + PIECE_LEN);
	if (!larger)
		return -ENOMEM;
	*line = larger;
	ssize_t got = read(fd, larger + len, PIECE_LEN);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	return got == 0 ? -EPIPE : (int)got;
}

/* Returns the length of a whole line, or -Exxx. The caller frees it. */
static int receive_line(int fd, char **ret_line)
{
	char *line = NULL;
	size_t len = 0;
	while (len == 0 || line[len - 1] != '\n') {
		int got = receive_piece(fd, &line, len);
		if (got < 0) {
			free(line);
			return got;
		}
		len += (size_t)got;
	}
	*ret_line = line;
	return (int)len;
}

static int exchange(int fd, json_t *request, char **ret_line)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	if (!text)
		return -ENOMEM;
	int r = send_all(fd, text, strlen(text));
	free(text);
	if (r == 0)
		r = send_all(fd, "\n", 1);
	return r < 0 ? r : receive_line(fd, ret_line);
}

static int read_answer(const char *line, size_t len, struct weft_error *err,
		       json_t **ret_answer)
{
	json_t *answer = json_loadb(line, len, 0, NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));
	if (json_is_true(json_object_get(answer, "ok"))) {
		*ret_answer = answer;
		return 0;
	}
	int r = weft_error_set(err, -EREMOTEIO, "%s", error ? error : "no answer");
	json_decref(answer);
	return r;
}

int remote_ask(const struct remote_place *place, json_t *request, struct weft_error *err,
	       json_t **ret_answer)
{
	char *line = NULL;
	int fd = connect_to(place->path);
	int r = fd < 0 ? fd : exchange(fd, request, &line);
	json_decref(request);
	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		return weft_error_set(err, r, "%s (process %ld) does not answer: %s",
				      place->name, place->pid, strerror(-r));
	r = read_answer(line, (size_t)r, err, ret_answer);
	free(line);
	return r;
}

int remote_ask_status(const struct remote_place *place, struct weft_error *err,
		      json_t **ret_answer)
{
	return remote_ask(place, json_pack("{s:s}", "do", "status"), err, ret_answer);
}

uint64_t remote_number(const json_t *object, const char *key)
{
	const json_int_t number = json_integer_value(json_object_get(object, key));
	return number > 0 ? (uint64_t)number : 0;
}

const char *remote_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}
