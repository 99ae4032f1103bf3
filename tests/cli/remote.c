/* SPDX-License-Identifier: MIT */
/*
 * What a running program is asked by its socket: long answers, others' directories and
 * sockets, and no descriptor left. What needs another user only root can try.
 */
#include "cli/remote.h"

#include "../unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY     65533u
#define SOMEBODYELSE 65534u

struct scene {
	char dir[64];
	struct weft_loop *loop;
	struct remote *remote;
	size_t answer_len;
	bool ends_when_asked;
	unsigned asked_n;
};

static json_t *on_asked(void *user, const char *what, const json_t *request,
			struct weft_error *err)
{
	struct scene *s = user;
	(void)request;
	(void)err;
	assert_string_equal(what, "status");
	s->asked_n++;
	if (s->ends_when_asked)
		weft_loop_stop(s->loop);
	char *text = malloc(s->answer_len + 1);
	assert_non_null(text);
	memset(text, 'x', s->answer_len);
	json_t *answer = json_pack("{s:s%}", "text", text, s->answer_len);
	free(text);
	return answer;
}

static int listen_here(struct scene *s)
{
	const struct remote_opts opts = {
		.dir = s->dir, .name = "test", .fn = on_asked, .user = s
	};
	struct weft_error err;
	return remote_new(s->loop, &opts, &err, &s->remote);
}

static void begin(struct scene *s)
{
	*s = (struct scene){ .dir = "/tmp/weft-remote-XXXXXX", .answer_len = 1 };
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(weft_loop_new(NULL, &s->loop), 0);
}

static void end(struct scene *s)
{
	remote_free(s->remote);
	weft_loop_free(s->loop);
	assert_int_equal(rmdir(s->dir), 0);
}

static struct remote_place place_in(const struct scene *s)
{
	struct remote_place place;
	struct weft_error err;
	assert_int_equal(remote_find(s->dir, "test", &place, 1, &err), 1);
	return place;
}

static bool is_answered(const struct remote_place *place, size_t len)
{
	struct weft_error err = { "" };
	json_t *answer;
	if (remote_ask_status(place, &err, &answer) < 0) {
		(void)fprintf(stderr, "# %s\n", err.text);
		return false;
	}
	return strlen(remote_text(answer, "text")) == len;
}

/* The linker puts this in the place of the other; it is where whoever looks comes too early. */
int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

static const char *looked_into;

int __wrap_listen(int fd, int backlog)
{
	struct remote_place place;
	struct weft_error err;
	if (looked_into)
		assert_int_equal(remote_find(looked_into, NULL, &place, 1, &err), 0);
	return __real_listen(fd, backlog);
}

/* A crash leaves sockets that nobody listens at; one that is just being made is none of those. */
static void who_looks_early_removes_nothing(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	looked_into = s.dir;
	assert_int_equal(listen_here(&s), 0);
	looked_into = NULL;
	assert_int_equal(place_in(&s).pid, getpid());
	end(&s);
}

static void on_child(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

/* A relay has many rooms, and all of them many members. */
static void a_long_answer_arrives(void **state)
{
	struct scene s;
	int status = -1;
	(void)state;
	begin(&s);
	s.answer_len = 2 * REMOTE_LINE_MAX;
	assert_int_equal(listen_here(&s), 0);
	const struct remote_place place = place_in(&s);
	assert_int_equal(weft_loop_on_signal(s.loop, SIGCHLD, on_child, s.loop), 0);
	(void)fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(is_answered(&place, s.answer_len) ? 0 : 1);
	assert_int_equal(weft_loop_run(s.loop), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(s.asked_n, 1);
	end(&s);
}

/* Who owns the directory could put another socket in the place of this one. */
static void nothing_stands_in_anothers_directory(void **state)
{
	struct scene s;
	(void)state;
	if (geteuid() != 0)
		skip();
	begin(&s);
	assert_int_equal(chown(s.dir, SOMEBODY, (gid_t)-1), 0);
	assert_int_equal(listen_here(&s), -EPERM);
	assert_int_equal(chown(s.dir, 0, (gid_t)-1), 0);
	assert_int_equal(listen_here(&s), 0);
	end(&s);
}

static int found_by(uid_t uid, const char *dir)
{
	struct remote_place place;
	struct weft_error err;
	assert_int_equal(seteuid(uid), 0);
	int n = remote_find(dir, NULL, &place, 1, &err);
	assert_int_equal(seteuid(0), 0);
	return n;
}

/* A socket of somebody else's is none to send tokens to. */
static void nobody_elses_socket_is_asked(void **state)
{
	struct scene s;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	(void)state;
	if (geteuid() != 0)
		skip();
	begin(&s);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/fake-1" REMOTE_SUFFIX,
		       s.dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(chmod(addr.sun_path, 0777), 0);
	assert_int_equal(chmod(s.dir, 0755), 0);
	assert_int_equal(seteuid(SOMEBODY), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(found_by(SOMEBODYELSE, s.dir), 0);
	assert_int_equal(found_by(SOMEBODY, s.dir), 1);
	assert_int_equal(found_by(0, s.dir), 1);
	(void)close(fd);
	assert_int_equal(unlink(addr.sun_path), 0);
	end(&s);
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s",
		       (int)sizeof(addr.sun_path) - 1, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Where no descriptor is left, whoever waits makes nobody spin, and is served later. */
static void without_descriptors_it_waits(void **state)
{
	static const char request[] = "{\"do\":\"status\"}\n";
	struct scene s;
	struct rlimit usual;
	(void)state;
	begin(&s);
	assert_int_equal(listen_here(&s), 0);
	const struct remote_place place = place_in(&s);
	weft_loop_turn(s.loop); /* who has only looked whether it listens */
	weft_loop_turn(s.loop);
	int fd = connect_to(place.path);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	const struct rlimit none = { .rlim_cur = 3, .rlim_max = usual.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	weft_loop_turn(s.loop);
	struct pollfd more = { .fd = weft_loop_fd(s.loop), .events = POLLIN };
	int busy = poll(&more, 1, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(busy, 0);
	s.ends_when_asked = true;
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	assert_int_equal(weft_loop_run(s.loop), 0);
	assert_int_equal(s.asked_n, 1);
	(void)close(fd);
	end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_looks_early_removes_nothing),
		cmocka_unit_test(a_long_answer_arrives),
		cmocka_unit_test(nothing_stands_in_anothers_directory),
		cmocka_unit_test(nobody_elses_socket_is_asked),
		cmocka_unit_test(without_descriptors_it_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
