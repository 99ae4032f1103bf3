/* SPDX-License-Identifier: MIT */
/*
 * Look-ups with a resolver of the tests' own in the place of getaddrinfo(3): it answers what a
 * test has told it to, and a name that begins with "slow" only when the test lets it.
 */
#include "../unit.h"

#include <weft/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct weft_loop *loop;
	unsigned calls;
	int status;
	size_t n;
	union weft_sockaddr addrs[16];
};

/* What getaddrinfo answers, and two pipes between it and the test. */
static struct {
	int status;
	size_t n;
	int has_begun[2]; /* It writes a byte when a slow look-up begins, */
	int may_end[2];   /* and waits for one. */
} resolver;

/* ---- the resolver ------------------------------------------------------------------------ */

static struct addrinfo *make_answer(size_t i, struct addrinfo *next)
{
	static _Thread_local struct sockaddr_in addrs[32];
	static _Thread_local struct addrinfo infos[32];
	addrs[i] =
		(struct sockaddr_in){ .sin_family = AF_INET, .sin_port = (in_port_t)i };
	infos[i] = (struct addrinfo){ .ai_family = AF_INET,
				      .ai_addr = (struct sockaddr *)&addrs[i],
				      .ai_addrlen = sizeof(addrs[i]),
				      .ai_next = next };
	return &infos[i];
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): netdb.h's are reserved. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_info)
{
	(void)hints;
	char byte = 'x';
	if (strncmp(host, "slow", 4) == 0 &&
	    (write(resolver.has_begun[1], &byte, 1) != 1 ||
	     read(resolver.may_end[0], &byte, 1) != 1))
		return EAI_SYSTEM;
	if (strcmp(service, "443") != 0)
		return EAI_SERVICE;
	if (resolver.status != 0)
		return resolver.status;
	struct addrinfo *info = NULL;
	for (size_t i = resolver.n; i > 0; i--)
		info = make_answer(i - 1, info);
	*ret_info = info;
	return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the same. */
void freeaddrinfo(struct addrinfo *info)
{
	(void)info;
}

static void await_slow(void)
{
	char byte;
	assert_int_equal(read(resolver.has_begun[0], &byte, 1), 1);
}

static void let_slow_end(void)
{
	assert_int_equal(write(resolver.may_end[1], "x", 1), 1);
}

/* ---- the tests --------------------------------------------------------------------------- */

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ 0 };
	*state = &f;
	resolver.status = 0;
	resolver.n = 1;
	return weft_loop_new(NULL, &f.loop) | pipe2(resolver.has_begun, O_CLOEXEC) |
	       pipe2(resolver.may_end, O_CLOEXEC);
}

/* The pipes stay open: a look-up that was left to itself may still read from them. */
static int tear_down(void **state)
{
	struct fixture *f = *state;
	weft_loop_free(f->loop);
	return 0;
}

static void on_answer(void *user, int status, const union weft_sockaddr *addrs, size_t n)
{
	struct fixture *f = user;
	f->calls++;
	f->status = status;
	f->n = n;
	assert_true(n <= 16);
	if (n > 0)
		memcpy(f->addrs, addrs, n * sizeof(*addrs));
	weft_loop_stop(f->loop);
}

static void look_up(struct fixture *f, const char *host, struct weft_job **ret_job)
{
	assert_int_equal(weft_loop_resolve(f->loop, host, 443, on_answer, f, ret_job), 0);
}

static void answers_come_in_order(void **state)
{
	struct fixture *f = *state;
	resolver.n = 3;
	look_up(f, "host.example", NULL);
	assert_int_equal(f->calls, 0);
	weft_loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->status, 0);
	assert_int_equal(f->n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(f->addrs[i].in.sin_port, i);
}

static void answers_are_limited(void **state)
{
	struct fixture *f = *state;
	resolver.n = 32;
	look_up(f, "host.example", NULL);
	weft_loop_run(f->loop);
	assert_int_equal(f->n, 16);
}

static void failures_are_told(void **state)
{
	static const int cases[][2] = {
		{ EAI_NONAME, -ENOENT },
		{ EAI_AGAIN, -EAGAIN },
		{ EAI_MEMORY, -ENOMEM },
		{ EAI_FAIL, -EHOSTUNREACH },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		resolver.status = cases[i][0];
		look_up(f, "host.example", NULL);
		weft_loop_run(f->loop);
		assert_int_equal(f->status, cases[i][1]);
		assert_int_equal(f->n, 0);
	}
}

static void no_address_is_no_name(void **state)
{
	struct fixture *f = *state;
	resolver.n = 0;
	look_up(f, "host.example", NULL);
	weft_loop_run(f->loop);
	assert_int_equal(f->status, -ENOENT);
}

/* A slow look-up holds up no other one. */
static void lookups_run_side_by_side(void **state)
{
	struct fixture *f = *state;
	look_up(f, "slow.example", NULL);
	await_slow();
	resolver.n = 2;
	look_up(f, "host.example", NULL);
	weft_loop_run(f->loop);
	assert_int_equal(f->n, 2);
	resolver.n = 1;
	let_slow_end();
	weft_loop_run(f->loop);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->calls, 2);
}

static void cancelled_lookups_stay_silent(void **state)
{
	struct fixture *f = *state;
	struct weft_job *job;
	look_up(f, "slow.example", &job);
	await_slow();
	weft_job_cancel(job);
	let_slow_end();
	look_up(f, "host.example", NULL);
	weft_loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

/* Were it awaited, this would never end: the look-up ends only afterwards. */
static void freeing_the_loop_waits_for_none(void **state)
{
	struct fixture *f = *state;
	look_up(f, "slow.example", NULL);
	await_slow();
	weft_loop_free(f->loop);
	f->loop = NULL;
	let_slow_end();
	assert_int_equal(f->calls, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_come_in_order),
		TEST(answers_are_limited),
		TEST(failures_are_told),
		TEST(no_address_is_no_name),
		TEST(lookups_run_side_by_side),
		TEST(cancelled_lookups_stay_silent),
		TEST(freeing_the_loop_waits_for_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
