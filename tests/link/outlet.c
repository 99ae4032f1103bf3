/* SPDX-License-Identifier: MIT */
/*
 * The runner is the poll(2) of a loop without its waiting.
 */
#include "outlet.h"

#include "../unit.h"
#include "base/container.h"
#include "link/drivers.h"
#include "link/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More rounds than any test needs: what never comes to rest is a busy loop. */
#define ROUNDS_MAX 10000u

/* ---- the plug ---------------------------------------------------------------------------- */

static int runner_add(void *user, struct weft_task *task)
{
	struct outlet *o = user;
	assert_in_range(o->tasks_n, 0, OUTLET_TASKS - 1);
	assert_null(task->loop_state);
	task->loop_state = o;
	o->tasks[o->tasks_n++] = task;
	return 0;
}

static void runner_remove(void *user, struct weft_task *task)
{
	struct outlet *o = user;
	for (size_t i = 0; i < o->tasks_n; i++) {
		if (o->tasks[i] == task) {
			o->tasks[i] = o->tasks[--o->tasks_n];
			task->loop_state = NULL;
			return;
		}
	}
}

static void on_plugged(void *user, struct weft_link *link, const char *peer, uint64_t now)
{
	struct outlet *o = user;
	assert_true(now == o->now);
	assert_in_range(o->links_n, 0, OUTLET_LINKS - 1);
	struct outlet_link *l = calloc(1, sizeof(*l));
	assert_non_null(l);
	l->link = link;
	(void)snprintf(l->peer, sizeof(l->peer), "%s", peer);
	weft_link_on_receive(link, inbox_receive, &l->inbox);
	o->links[o->links_n++] = l;
	if (o->closes)
		weft_plug_close(o->plug);
}

static void on_unplugged(void *user, struct weft_link *link, uint64_t now)
{
	struct outlet *o = user;
	assert_true(now == o->now);
	for (size_t i = 0; i < o->links_n; i++) {
		if (o->links[i]->link != link)
			continue;
		(void)snprintf(o->links[i]->reason, sizeof(o->links[i]->reason), "%s",
			       weft_link_down_reason(link));
		o->links[i]->link = NULL;
		return;
	}
	fail_msg("a link was unplugged that was never plugged in");
}

static void on_trouble(void *user, const char *text, uint64_t now)
{
	struct outlet *o = user;
	assert_true(now == o->now);
	(void)snprintf(o->trouble, sizeof(o->trouble), "%s", text);
	o->troubles++;
}

static const struct weft_plug_events events = {
	.plugged = on_plugged,
	.unplugged = on_unplugged,
	.trouble = on_trouble,
};

int outlet_try(struct outlet *o, const char *spec, struct weft_error *err)
{
	*o = (struct outlet){ .now = START };
	int r = drivers_open_plug(spec, err, &o->plug);
	if (r < 0)
		return r;
	o->plug->runner = (struct plug_runner){ runner_add, runner_remove, o };
	o->plug->events = &events;
	o->plug->user = o;
	return runner_add(o, &o->plug->task);
}

void outlet_open(struct outlet *o, const char *spec)
{
	struct weft_error err = { "" };
	if (outlet_try(o, spec, &err) < 0)
		fail_msg("%s: %s", spec, err.text);
}

void outlet_close(struct outlet *o)
{
	weft_plug_free(o->plug);
	assert_int_equal(o->tasks_n, 0);
	for (size_t i = 0; i < o->links_n; i++) {
		inbox_clear(&o->links[i]->inbox);
		free(o->links[i]);
	}
}

static bool task_is_ready(const struct weft_task *task)
{
	struct pollfd p = { .fd = task->fd };
	if (task->fd < 0 || task->events == 0)
		return false;
	p.events = (short)((task->events & WEFT_READABLE ? POLLIN : 0) |
			   (task->events & WEFT_WRITABLE ? POLLOUT : 0));
	return poll(&p, 1, 0) > 0;
}

static uint64_t deadline_of(const struct weft_task *task)
{
	return task->deadline ? task->deadline(task) : WEFT_NEVER;
}

/* Runs the first task that wants to be; false if none does. */
static bool run_one(struct outlet *o, size_t *next)
{
	for (size_t i = 0; i < o->tasks_n; i++) {
		struct weft_task *task = o->tasks[(*next + i) % o->tasks_n];
		if (deadline_of(task) <= o->now || task_is_ready(task)) {
			*next += i + 1;
			task->run(task, o->now);
			return true;
		}
	}
	return false;
}

void outlet_run(struct outlet *o)
{
	unsigned rounds = 0;
	size_t next = 0;
	while (run_one(o, &next)) {
		if (++rounds > ROUNDS_MAX)
			fail_msg("does not come to rest");
	}
}

uint64_t outlet_deadline(const struct outlet *o)
{
	uint64_t first = WEFT_NEVER;
	for (size_t i = 0; i < o->tasks_n; i++) {
		uint64_t at = deadline_of(o->tasks[i]);
		first = at < first ? at : first;
	}
	return first;
}

void outlet_pass(struct outlet *o, uint64_t ns)
{
	uint64_t end = o->now + ns;
	outlet_run(o);
	for (uint64_t at; (at = outlet_deadline(o)) <= end;) {
		o->now = at;
		outlet_run(o);
	}
	o->now = end;
	outlet_run(o);
}

void outlet_send(struct outlet *o, size_t i, uint32_t len, uint32_t number)
{
	static uint8_t buf[WEFT_FRAME_LEN_MAX];
	struct weft_frame frame = numbered_frame(buf, len, number);
	assert_true(i < o->links_n && o->links[i]->link);
	weft_link_send(o->links[i]->link, &frame, 1, o->now);
}

/* ---- the directory ----------------------------------------------------------------------- */

static char dir[64];

int test_dir_make(void **state)
{
	const char *base = getenv("TMPDIR");
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.40s/weft-link-XXXXXX", base ? base : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

/* Fails if a socket was left in it: plugs remove what they make. */
int test_dir_remove(void **state)
{
	(void)state;
	return rmdir(dir);
}

const char *test_path(const char *name)
{
	static char paths[8][LOCAL_PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];
	(void)snprintf(path, LOCAL_PATH_MAX, "%s/%s", dir, name);
	return path;
}

bool test_path_exists(const char *name)
{
	struct stat st;
	return lstat(test_path(name), &st) == 0;
}

/* ---- peers ------------------------------------------------------------------------------- */

static struct sockaddr_un unix_addr(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", test_path(name));
	return addr;
}

int peer_bound(const char *name)
{
	const struct sockaddr_un addr = unix_addr(name);
	const void *generic = &addr;
	int fd = datagram_socket(AF_UNIX);
	assert_true(fd >= 0);
	if (name[0])
		assert_int_equal(bind(fd, generic, sizeof(addr)), 0);
	return fd;
}

int peer_connected(const char *own, const char *other)
{
	const struct sockaddr_un addr = unix_addr(other);
	const void *generic = &addr;
	int fd = peer_bound(own);
	assert_int_equal(connect(fd, generic, sizeof(addr)), 0);
	return fd;
}

int peer_udp(uint16_t port)
{
	union weft_sockaddr addr = {
		.in = { .sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
	};
	int fd = datagram_socket(AF_INET);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &addr.sa, sizeof(addr.in)), 0);
	return fd;
}

void peer_send_to(int fd, const char *name, const void *data, size_t len)
{
	const struct sockaddr_un addr = unix_addr(name);
	const void *generic = &addr;
	assert_int_equal(sendto(fd, data, len, 0, generic, sizeof(addr)), len);
}

void peer_send_udp(int fd, const struct outlet *o, const void *data, size_t len)
{
	char host[64];
	uint16_t port;
	assert_int_equal(weft_hostport_parse(weft_plug_address(o->plug), 0, host,
					     sizeof(host), &port),
			 0);
	union weft_sockaddr addr = {
		.in = { .sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
	};
	assert_int_equal(sendto(fd, data, len, 0, &addr.sa, sizeof(addr.in)), len);
}

int peer_send_frame(int fd, uint32_t len, uint32_t number)
{
	static uint8_t buf[WEFT_FRAME_LEN_MAX];
	struct weft_frame frame = numbered_frame(buf, len, number);
	return send(fd, frame.data, frame.len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int peer_recv(int fd, uint8_t *buf, size_t len)
{
	return (int)recv(fd, buf, len, 0);
}

void peer_expect_frame(int fd, uint32_t len, uint32_t number)
{
	static uint8_t buf[WEFT_FRAME_LEN_MAX];
	int got = peer_recv(fd, buf, sizeof(buf));
	assert_int_equal(got, len);
	const struct weft_frame frame = { .data = buf, .len = len };
	assert_int_equal(frame_number(&frame), number);
}

void peer_expect_text(int fd, const char *text)
{
	uint8_t buf[512];
	int got = peer_recv(fd, buf, sizeof(buf) - 1);
	assert_true(got >= 0);
	buf[got] = '\0';
	assert_string_equal((const char *)buf, text);
}

void peer_expect_nothing(int fd)
{
	uint8_t buf[512];
	assert_int_equal(peer_recv(fd, buf, sizeof(buf)), -1);
	assert_true(errno == EAGAIN || errno == ECONNREFUSED);
}
