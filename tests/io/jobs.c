/* SPDX-License-Identifier: MIT */
/*
 * Signals, look-ups and child programs on a loop. No name server is asked: the names are
 * literals, or of a form that no server is asked about.
 */
#include "../unit.h"

#include <weft/loop.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct weft_loop *loop;
	unsigned calls;
	int status;
	size_t n;
	union weft_sockaddr addr;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ 0 };
	*state = &f;
	return weft_loop_new(NULL, &f.loop);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	weft_loop_free(f->loop);
	return 0;
}

static void on_signal(void *user, int signo)
{
	struct fixture *f = user;
	f->calls++;
	f->status = signo;
	weft_loop_stop(f->loop);
}

static void signals_arrive(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(weft_loop_on_signal(f->loop, SIGUSR1, on_signal, f), 0);
	assert_int_equal(weft_loop_on_signal(f->loop, SIGUSR2, on_signal, f), 0);
	assert_int_equal(raise(SIGUSR2), 0);
	weft_loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->status, SIGUSR2);
	assert_int_equal(raise(SIGUSR1), 0);
	weft_loop_run(f->loop);
	assert_int_equal(f->status, SIGUSR1);
	assert_int_equal(weft_loop_on_signal(f->loop, 0, on_signal, f), -EINVAL);
}

static void on_answer(void *user, int status, const union weft_sockaddr *addrs, size_t n)
{
	struct fixture *f = user;
	f->calls++;
	f->status = status;
	f->n = n;
	if (n > 0)
		f->addr = addrs[0];
	weft_loop_stop(f->loop);
}

static void literals_resolve(void **state)
{
	struct fixture *f = *state;
	char text[WEFT_SOCKADDR_TEXT];
	assert_int_equal(weft_loop_resolve(f->loop, "192.0.2.1", 443, on_answer, f, NULL),
			 0);
	assert_int_equal(f->calls, 0);
	weft_loop_run(f->loop);
	assert_int_equal(f->status, 0);
	assert_int_equal(f->n, 1);
	assert_string_equal(weft_sockaddr_print(&f->addr, text), "192.0.2.1:443");
	assert_int_equal(
		weft_loop_resolve(f->loop, "2001:db8::1", 65535, on_answer, f, NULL), 0);
	weft_loop_run(f->loop);
	assert_string_equal(weft_sockaddr_print(&f->addr, text), "[2001:db8::1]:65535");
	assert_int_equal(f->calls, 2);
}

static void nonsense_does_not_resolve(void **state)
{
	struct fixture *f = *state;
	struct weft_job *job;
	assert_int_equal(
		weft_loop_resolve(f->loop, "1.2.3.4.5..", 443, on_answer, f, &job), 0);
	weft_loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_true(f->status < 0);
	assert_int_equal(f->n, 0);
}

static void cancelled_lookups_stay_silent(void **state)
{
	struct fixture *f = *state;
	struct fixture other = { .loop = f->loop };
	struct weft_job *job;
	assert_int_equal(
		weft_loop_resolve(f->loop, "192.0.2.1", 1, on_answer, &other, &job), 0);
	weft_job_cancel(job);
	weft_job_cancel(NULL);
	assert_int_equal(weft_loop_resolve(f->loop, "192.0.2.2", 2, on_answer, f, NULL),
			 0);
	weft_loop_run(f->loop);
	weft_loop_free(f->loop);
	f->loop = NULL;
	assert_int_equal(f->calls, 1);
	assert_int_equal(other.calls, 0);
}

static void on_end(void *user, int status)
{
	struct fixture *f = user;
	f->calls++;
	f->status = status;
	weft_loop_stop(f->loop);
}

static int run_shell(struct fixture *f, const char *script, char *const env[])
{
	char text[200], sh[] = "sh", c[] = "-c";
	snprintf(text, sizeof(text), "%s", script);
	char *argv[] = { sh, c, text, NULL };
	int r = weft_loop_spawn(f->loop, argv, env, on_end, f, NULL);
	if (r == 0)
		weft_loop_run(f->loop);
	return r;
}

static void programs_report_how_they_end(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(run_shell(f, "exit 7", NULL), 0);
	assert_int_equal(f->status, 7);
	assert_int_equal(run_shell(f, "kill -KILL $$", NULL), 0);
	assert_int_equal(f->status, 128 + SIGKILL);
	assert_int_equal(run_shell(f, "read line", NULL), 0);
	assert_int_equal(f->status, 1); /* Standard input is empty. */
	assert_int_equal(f->calls, 3);
}

static void programs_get_their_environment(void **state)
{
	struct fixture *f = *state;
	char add[] = "WEFT_TEST_NEW=1", change[] = "WEFT_TEST_OLD=after";
	char *env[] = { add, change, NULL };
	static const char script[] =
		"test \"$WEFT_TEST_NEW $WEFT_TEST_OLD $WEFT_TEST_OLDER\" = '1 after "
		"kept' && "
		"test 1 = $(tr '\\0' '\\n' </proc/$$/environ | grep -c ^WEFT_TEST_OLD=)";
	assert_int_equal(setenv("WEFT_TEST_OLD", "before", 1), 0);
	assert_int_equal(setenv("WEFT_TEST_OLDER", "kept", 1), 0);
	assert_int_equal(run_shell(f, script, env), 0);
	assert_int_equal(f->status, 0);
}

static void missing_programs_are_told(void **state)
{
	struct fixture *f = *state;
	char name[] = "weft-no-such-program";
	char *argv[] = { name, NULL };
	struct weft_job *job = NULL;
	assert_int_equal(weft_loop_spawn(f->loop, argv, NULL, on_end, f, &job), -ENOENT);
	assert_null(job);
	assert_int_equal(f->calls, 0);
}

/* One that ends at SIGTERM, and one that will not. Freeing the loop waits for both. */
static void cancelled_programs_end(void **state)
{
	struct fixture *f = *state;
	char sh[] = "sh", c[] = "-c", meek[] = "exec sleep 100";
	char stubborn[] = "trap '' TERM; kill -USR1 $PPID; while :; do sleep 0.1; done";
	char *meek_argv[] = { sh, c, meek, NULL },
	     *stubborn_argv[] = { sh, c, stubborn, NULL };
	struct weft_job *job;
	assert_int_equal(weft_loop_on_signal(f->loop, SIGUSR1, on_signal, f), 0);
	assert_int_equal(weft_loop_spawn(f->loop, stubborn_argv, NULL, on_end, f, NULL),
			 0);
	weft_loop_run(f->loop); /* Until it has told us that it ignores SIGTERM. */
	assert_int_equal(f->status, SIGUSR1);
	assert_int_equal(weft_loop_spawn(f->loop, meek_argv, NULL, on_end, f, &job), 0);
	weft_job_cancel(job);
	weft_loop_free(f->loop);
	f->loop = NULL;
	assert_int_equal(f->calls, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signals_arrive),
		TEST(literals_resolve),
		TEST(nonsense_does_not_resolve),
		TEST(cancelled_lookups_stay_silent),
		TEST(programs_report_how_they_end),
		TEST(programs_get_their_environment),
		TEST(missing_programs_are_told),
		TEST(cancelled_programs_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
