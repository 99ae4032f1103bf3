/* SPDX-License-Identifier: MIT */
/*
 * VDE: our switch and our plug with each other, and each with a peer that does what it likes.
 */
#include "link/vde.h"

#include "../unit.h"
#include "outlet.h"
#include "wire/vde.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE (5u * (uint64_t)SECOND)

static struct outlet sw, plug;

static const char *spec_of(const char *options)
{
	static char spec[200];
	(void)snprintf(spec, sizeof(spec), "vde:%s%s", test_path("sw"), options);
	return spec;
}

static int ctl_connect(void)
{
	struct local_opts opts = { .address = { .kind = LOCAL_UNIX } };
	(void)snprintf(opts.address.path, sizeof(opts.address.path), "%s",
		       test_path("sw/ctl"));
	int fd = local_connect(&opts, SOCK_STREAM, NULL);
	assert_true(fd >= 0);
	return fd;
}

static void ask(int ctl, const char *path)
{
	uint8_t buf[VDE_REQUEST_LEN_MAX];
	struct vde_request request = { .description = "test" };
	(void)snprintf(request.path, sizeof(request.path), "%s", path);
	size_t len = vde_request_emit(buf, &request);
	assert_int_equal(send(ctl, buf, len, 0), len);
}

/* True if the switch has closed the control connection. */
static bool is_closed(int ctl)
{
	char byte;
	return recv(ctl, &byte, 1, MSG_DONTWAIT) == 0;
}

static void a_plug_in_a_switch(void **state)
{
	(void)state;
	outlet_open(&sw, spec_of(""));
	assert_string_equal(weft_plug_address(sw.plug), test_path("sw/ctl"));
	outlet_run(&sw);
	outlet_open(&plug, spec_of(",connect,port=3"));
	outlet_run(&plug);
	assert_int_equal(plug.links_n, 0);
	outlet_run(&sw);
	outlet_run(&plug);
	assert_int_equal(sw.links_n, 1);
	assert_int_equal(plug.links_n, 1);
	assert_non_null(strstr(sw.links[0]->peer, "weft"));
	assert_true(test_path_exists("sw/003.0"));
	outlet_send(&sw, 0, 60, 1);
	outlet_send(&plug, 0, 70, 2);
	outlet_run(&sw);
	outlet_run(&plug);
	assert_int_equal(sw.links[0]->inbox.n, 1);
	assert_int_equal(plug.links[0]->inbox.n, 1);

	/* It goes, without a word on its data socket. */
	outlet_close(&plug);
	outlet_run(&sw);
	assert_null(sw.links[0]->link);
	assert_string_equal(sw.links[0]->reason, "unplugged");
	assert_false(test_path_exists("sw/003.0"));
	outlet_close(&sw);
	assert_false(test_path_exists("sw"));
}

static void a_switch_that_goes_and_comes_back(void **state)
{
	(void)state;
	outlet_open(&plug, spec_of(",connect"));
	outlet_pass(&plug, 3 * (uint64_t)SECOND);
	assert_int_equal(plug.troubles, 1);
	assert_non_null(strstr(plug.trouble, test_path("sw/ctl")));
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	outlet_pass(&plug, SECOND);
	outlet_run(&sw);
	outlet_run(&plug);
	assert_int_equal(plug.links_n, 1);
	outlet_close(&sw);
	outlet_run(&plug);
	assert_null(plug.links[0]->link);
	assert_non_null(strstr(plug.links[0]->reason, "switch"));
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	outlet_pass(&plug, SECOND);
	outlet_run(&sw);
	outlet_run(&plug);
	assert_int_equal(plug.links_n, 2);
	outlet_close(&plug);
	outlet_close(&sw);
	/* The second switch found the directory there, where the plug's socket had kept it. */
	assert_int_equal(rmdir(test_path("sw")), 0);
}

static void what_is_no_request_is_hung_up_on(void **state)
{
	uint8_t zeros[VDE_REQUEST_LEN] = { 0 };
	(void)state;
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	int ctl = ctl_connect();
	outlet_run(&sw);
	assert_int_equal(send(ctl, zeros, sizeof(zeros), 0), sizeof(zeros));
	outlet_run(&sw);
	assert_true(is_closed(ctl));
	assert_int_equal(sw.troubles, 1);
	assert_int_equal(sw.links_n, 0);
	(void)close(ctl);
	outlet_close(&sw);
}

/* A path that is a file, that is nobody's, that is missing. */
static void a_path_has_to_be_a_socket(void **state)
{
	static const char *const paths[] = { "/etc/passwd", "/dev/null", "/nosuch/socket",
					     "/" };
	(void)state;
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int ctl = ctl_connect();
		ask(ctl, paths[i]);
		outlet_run(&sw);
		assert_true(is_closed(ctl));
		assert_non_null(strstr(sw.trouble, paths[i]));
		(void)close(ctl);
	}
	assert_int_equal(sw.troubles, 4);
	assert_int_equal(sw.links_n, 0);
	outlet_close(&sw);
}

/* A request may come in pieces; who says nothing is not waited for. */
static void slow_and_silent_plugs(void **state)
{
	uint8_t buf[VDE_REQUEST_LEN_MAX];
	struct vde_request request = { .description = "slow" };
	(void)state;
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	int data = peer_bound("data");
	int ctl = ctl_connect(), silent = ctl_connect();
	(void)snprintf(request.path, sizeof(request.path), "%s", test_path("data"));
	size_t len = vde_request_emit(buf, &request);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(send(ctl, buf + i, 1, 0), 1);
		outlet_run(&sw);
	}
	assert_int_equal(sw.links_n, 1);
	outlet_pass(&sw, PATIENCE);
	assert_true(is_closed(silent));
	assert_non_null(sw.links[0]->link);
	assert_true(outlet_deadline(&sw) == WEFT_NEVER);
	(void)close(ctl);
	outlet_run(&sw);
	assert_null(sw.links[0]->link);
	(void)close(silent);
	(void)close(data);
	(void)unlink(test_path("data"));
	outlet_close(&sw);
}

static void connections_that_wait_have_a_bound(void **state)
{
	int fds[24];
	unsigned open = 0;
	(void)state;
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	for (size_t i = 0; i < 24; i++) {
		fds[i] = ctl_connect();
		outlet_run(&sw);
	}
	for (size_t i = 0; i < 24; i++)
		open += !is_closed(fds[i]);
	assert_int_equal(open, 16);
	outlet_pass(&sw, PATIENCE);
	for (size_t i = 0; i < 24; i++) {
		assert_true(is_closed(fds[i]));
		(void)close(fds[i]);
	}
	outlet_close(&sw);
}

static void no_more_plugs_than_agreed(void **state)
{
	(void)state;
	outlet_open(&sw, spec_of(""));
	sw.plug->links_max = 1;
	outlet_run(&sw);
	int data = peer_bound("data");
	int a = ctl_connect(), b = ctl_connect();
	ask(a, test_path("data"));
	outlet_run(&sw);
	ask(b, test_path("data"));
	outlet_run(&sw);
	assert_int_equal(sw.links_n, 1);
	assert_true(is_closed(b));
	assert_non_null(strstr(sw.trouble, "refused"));
	/* A dropped plug sees its control connection end. */
	weft_plug_drop(sw.plug, sw.links[0]->link, "out");
	outlet_run(&sw);
	uint8_t answer[VDE_ADDRESS_LEN];
	assert_int_equal(recv(a, answer, sizeof(answer), 0), sizeof(answer));
	assert_true(is_closed(a));
	(void)close(a);
	(void)close(b);
	(void)close(data);
	(void)unlink(test_path("data"));
	outlet_close(&sw);
}

/* A switch that does not answer is given up; one that answers nonsense, too. */
/* It would be woken for who waits in the backlog again and again. */
static void without_descriptors_it_pauses(void **state)
{
	struct rlimit limit, few;
	(void)state;
	outlet_open(&sw, spec_of(""));
	outlet_run(&sw);
	int ctl = ctl_connect();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = (struct rlimit){ (rlim_t)ctl + 1, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	outlet_run(&sw);
	assert_int_equal(sw.troubles, 1);
	assert_non_null(strstr(sw.trouble, "cannot accept a peer"));
	assert_int_equal(outlet_deadline(&sw), sw.now + SECOND);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ask(ctl, "/nowhere");
	outlet_pass(&sw, SECOND);
	assert_true(is_closed(ctl)); /* its request has been read */
	(void)close(ctl);
	outlet_close(&sw);
}

static void a_switch_that_is_none(void **state)
{
	uint8_t buf[VDE_REQUEST_LEN_MAX];
	struct local_opts opts = { .address = { .kind = LOCAL_UNIX },
				   .mode = 0600,
				   .uid = (uid_t)-1,
				   .gid = (gid_t)-1 };
	struct local_address bound;
	(void)state;
	assert_int_equal(mkdir(test_path("sw"), 0700), 0);
	(void)snprintf(opts.address.path, sizeof(opts.address.path), "%s",
		       test_path("sw/ctl"));
	int listener = local_listen(&opts, SOCK_STREAM, NULL, &bound);
	assert_true(listener >= 0);
	outlet_open(&plug, spec_of(",connect"));
	outlet_run(&plug);
	outlet_pass(&plug, PATIENCE);
	assert_int_equal(plug.troubles, 1);
	assert_non_null(strstr(plug.trouble, "does not answer"));
	(void)close(local_accept(listener));

	outlet_pass(&plug, SECOND);
	int ctl = local_accept(listener);
	assert_true(ctl >= 0);
	assert_true(recv(ctl, buf, sizeof(buf), 0) > (ssize_t)VDE_REQUEST_LEN);
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(send(ctl, buf, VDE_ADDRESS_LEN, 0), VDE_ADDRESS_LEN);
	outlet_run(&plug);
	assert_int_equal(plug.troubles, 2);
	assert_int_equal(plug.links_n, 0);
	outlet_close(&plug);
	(void)close(ctl);
	(void)close(listener);
	local_unlink(&bound);
	assert_int_equal(rmdir(test_path("sw")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plug_in_a_switch),
		cmocka_unit_test(a_switch_that_goes_and_comes_back),
		cmocka_unit_test(what_is_no_request_is_hung_up_on),
		cmocka_unit_test(a_path_has_to_be_a_socket),
		cmocka_unit_test(slow_and_silent_plugs),
		cmocka_unit_test(connections_that_wait_have_a_bound),
		cmocka_unit_test(no_more_plugs_than_agreed),
		cmocka_unit_test(without_descriptors_it_pauses),
		cmocka_unit_test(a_switch_that_is_none),
	};
	return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
