/* SPDX-License-Identifier: MIT */
/*
 * Where a service keeps what: systemd names its directories in the environment, and weft takes
 * the first of each.
 */
#include "cli/state.h"

#include "../unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof(base), "/tmp/weft-state-%ld", (long)getpid());
	return mkdir(base, 0700);
}

static int tear_down(void **state)
{
	char path[128];
	static const char *const names[] = { "/own/key", "/own/key.new", "/own", "" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", base, names[i]);
		(void)remove(path);
	}
	return unsetenv("STATE_DIRECTORY") + unsetenv("RUNTIME_DIRECTORY");
}

static const char *own(void)
{
	static char path[96];
	(void)snprintf(path, sizeof(path), "%s/own", base);
	return path;
}

static void set_env(const char *name, const char *more)
{
	char value[200];
	(void)snprintf(value, sizeof(value), "%s%s", own(), more);
	assert_int_equal(setenv(name, value, 1), 0);
}

static void a_service_has_its_own_state(void **state)
{
	struct state found;
	struct weft_error err;
	(void)state;
	set_env("STATE_DIRECTORY", "");
	assert_int_equal(state_open(NULL, &err, &found), 0);
	assert_string_equal(found.dir, own());
	assert_int_equal(access(own(), R_OK | W_OK | X_OK), 0);
	set_env("STATE_DIRECTORY", ":/var/lib/other");
	assert_int_equal(state_open(NULL, &err, &found), 0);
	assert_string_equal(found.dir, own());
	/* What is said is what counts. */
	assert_int_equal(state_open(base, &err, &found), 0);
	assert_string_equal(found.dir, base);
}

static void a_service_has_its_own_runtime_directory(void **state)
{
	char found[STATE_PATH_LEN], usual[STATE_PATH_LEN];
	(void)state;
	assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
	(void)state_runtime_dir(usual);
	set_env("RUNTIME_DIRECTORY", "");
	assert_string_equal(state_runtime_dir(found), own());
	set_env("RUNTIME_DIRECTORY", ":/run/other");
	assert_string_equal(state_runtime_dir(found), own());
	/* No path of a directory. */
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "weft", 1), 0);
	assert_string_equal(state_runtime_dir(found), usual);
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "", 1), 0);
	assert_string_equal(state_runtime_dir(found), usual);
}

/* Only root can give files away, and only root has to. */
static void a_file_belongs_to_the_directorys_owner(void **state)
{
	struct state kept;
	struct weft_error err;
	struct stat st;
	char path[128];
	uid_t owner = 65534;
	(void)state;
	assert_int_equal(state_open(own(), &err, &kept), 0);
	if (chown(own(), owner, (gid_t)-1) < 0)
		owner = geteuid();
	assert_int_equal(state_store(&kept, "key", "k", 1, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/key", own());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, owner);
	assert_int_equal(st.st_mode & 07777, 0600);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_service_has_its_own_state),
		TEST(a_service_has_its_own_runtime_directory),
		TEST(a_file_belongs_to_the_directorys_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
