/* SPDX-License-Identifier: MIT */
/*
 * Addresses of local sockets, and the paths that are made of them.
 */
#include "link/local.h"

#include "../unit.h"
#include "link/drivers.h"
#include "outlet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct weft_error err;
static struct local_address address, bound;
static char text[LOCAL_TEXT];

static void assert_parses(const char *from, enum local_kind kind, const char *printed)
{
	if (local_parse(from, &err, &address) < 0)
		fail_msg("%s: %s", from, err.text);
	assert_int_equal(address.kind, kind);
	assert_string_equal(local_print(&address, text), printed);
}

static void assert_refused(const char *from, const char *says)
{
	assert_true(local_parse(from, &err, &address) < 0);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void every_form_of_an_address(void **state)
{
	(void)state;
	assert_parses("/run/lan.sock", LOCAL_UNIX, "/run/lan.sock");
	assert_parses("./5059", LOCAL_UNIX, "./5059");
	assert_parses("/tmp/a:b", LOCAL_UNIX, "/tmp/a:b");
	assert_parses("5059", LOCAL_INET, "[::]:5059");
	assert_parses("127.0.0.1:5059", LOCAL_INET, "127.0.0.1:5059");
	assert_parses("0.0.0.0:1", LOCAL_INET, "0.0.0.0:1");
	assert_parses("[::1]:5059", LOCAL_INET, "[::1]:5059");
	assert_parses("127.0.0.1:0", LOCAL_INET, "127.0.0.1:0");
	assert_parses("fd:3", LOCAL_FD, "fd:3");
	assert_parses("-", LOCAL_STDIO, "-");
}

static void what_is_no_address(void **state)
{
	char path[LOCAL_PATH_MAX + 2];
	(void)state;
	assert_refused("", "is no address");
	assert_refused("lan.sock", "give a path with a \"/\" in it");
	assert_refused("65536", "is no address");
	assert_refused("127.0.0.1:", "is no address");
	assert_refused(":5059", "is no address");
	assert_refused("::1:5059", "[IPv6]:PORT");
	assert_refused("[::1:5059", "is no address");
	assert_refused("127.0.0.1:5059x", "is no address");
	assert_refused("fd:x", "as in fd:3");
	assert_refused("fd:-1", "as in fd:3");
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_refused(path, "at most 107 characters");
	path[LOCAL_PATH_MAX - 1] = '\0';
	assert_int_equal(local_parse(path, &err, &address), 0);
}

/* The options of a spec, by the rows of the program. */
static int opts_of(const char *name, const char *options, struct local_opts *ret_opts)
{
	char whole[300], copy[300];
	struct spec spec;
	(void)snprintf(whole, sizeof(whole), "qemu:%s%s", name, options);
	(void)snprintf(copy, sizeof(copy), "%s", whole);
	const struct spec_source source = { .drivers = link_drivers,
					    .whole = whole,
					    .text = copy };
	assert_int_equal(spec_parse(&source, 0, &err, &spec), 0);
	return local_opts_of(&spec, &err, ret_opts);
}

static void options_and_their_defaults(void **state)
{
	struct local_opts opts;
	(void)state;
	assert_int_equal(opts_of("/x", "", &opts), 0);
	assert_int_equal(opts.mode, 0600);
	assert_int_equal(opts.queue_len, 1 << 20);
	assert_false(opts.connect);
	assert_int_equal(opts.uid, (uid_t)-1);
	assert_int_equal(opts.gid, (gid_t)-1);
	assert_int_equal(opts_of("/x", ",connect,mode=666,queue=64k,owner=root:0", &opts),
			 0);
	assert_int_equal(opts.mode, 0666);
	assert_int_equal(opts.queue_len, 65536);
	assert_true(opts.connect);
	assert_int_equal(opts.uid, 0);
	assert_int_equal(opts.gid, 0);
	assert_int_equal(opts_of("/x", ",owner=:12", &opts), 0);
	assert_int_equal(opts.uid, (uid_t)-1);
	assert_int_equal(opts.gid, 12);
	assert_int_equal(opts_of("/x", ",mode=0888", &opts), -EINVAL);
	assert_non_null(strstr(err.text, "octal"));
	assert_int_equal(opts_of("/x", ",mode=10000", &opts), -EINVAL);
	assert_int_equal(opts_of("/x", ",owner=no-such-user", &opts), -EINVAL);
	assert_non_null(strstr(err.text, "owner=no-such-user: there is no such user"));
	assert_int_equal(opts_of("/x", ",owner=root:no-such-group", &opts), -EINVAL);
	assert_non_null(strstr(err.text, "owner=:no-such-group: there is no such group"));
}

static int listen_on(const char *name, const char *options, int type)
{
	struct local_opts opts;
	assert_int_equal(opts_of(test_path(name), options, &opts), 0);
	return local_listen(&opts, type, &err, &bound);
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(lstat(test_path(name), &st), 0);
	return st.st_mode & 07777;
}

static void a_path_has_its_mode_whatever_the_umask(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	(void)state;
	mode_t old = umask(077);
	for (size_t i = 0; i < 3; i++) {
		int fd = listen_on("s", ",mode=0664", types[i]);
		assert_true(fd >= 0);
		assert_int_equal(mode_of("s"), 0664);
		local_unlink(&bound);
		(void)close(fd);
		assert_false(test_path_exists("s"));
	}
	(void)umask(0);
	int fd = listen_on("s", "", SOCK_STREAM);
	assert_int_equal(mode_of("s"), 0600);
	local_unlink(&bound);
	(void)close(fd);
	(void)umask(old);
}

static void a_stale_path_is_replaced(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int crashed = listen_on("s", "", types[i]);
		(void)close(crashed); /* And never unlinked. */
		assert_true(test_path_exists("s"));
		int fd = listen_on("s", "", types[(i + 1) % 3]);
		assert_true(fd >= 0);
		local_unlink(&bound);
		(void)close(fd);
	}
}

static void a_path_in_use_is_left_alone(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	(void)state;
	for (size_t i = 0; i < 9; i++) {
		int fd = listen_on("s", "", types[i % 3]);
		const struct local_address first = bound;
		assert_true(fd >= 0);
		assert_int_equal(listen_on("s", "", types[i / 3]), -EADDRINUSE);
		assert_non_null(strstr(err.text, "in use by another program"));
		/* Whoever serves there was not bothered by our looking. */
		if (types[i % 3] != SOCK_DGRAM)
			assert_int_equal(local_accept(fd), -EAGAIN);
		local_unlink(&first);
		(void)close(fd);
	}
}

static void a_file_is_left_alone(void **state)
{
	(void)state;
	FILE *f = fopen(test_path("s"), "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(listen_on("s", "", SOCK_STREAM), -EADDRINUSE);
	assert_non_null(strstr(err.text, "is no socket"));
	assert_true(test_path_exists("s"));
	(void)unlink(test_path("s"));
	assert_int_equal(listen_on("missing/s", "", SOCK_STREAM), -ENOENT);
	assert_non_null(strstr(err.text, "no such directory"));
}

/* What another has made in the same place since is not ours to remove. */
static void only_our_own_path_is_removed(void **state)
{
	(void)state;
	int old = listen_on("s", "", SOCK_STREAM);
	const struct local_address ours = bound;
	assert_int_equal(rename(test_path("s"), test_path("t")), 0);
	int new = listen_on("s", "", SOCK_STREAM);
	local_unlink(&ours);
	assert_true(test_path_exists("s"));
	local_unlink(&bound);
	assert_false(test_path_exists("s"));
	(void)unlink(test_path("t"));
	(void)close(old);
	(void)close(new);
}

static void ports_say_which_they_are(void **state)
{
	struct local_opts opts = { .queue_len = 1 };
	(void)state;
	assert_int_equal(local_parse("127.0.0.1:0", &err, &opts.address), 0);
	int fd = local_listen(&opts, SOCK_STREAM, &err, &bound);
	assert_true(fd >= 0);
	assert_true(weft_sockaddr_port(&bound.inet) > 0);
	opts.address = bound;
	assert_int_equal(local_listen(&opts, SOCK_STREAM, &err, &bound), -EADDRINUSE);
	assert_non_null(strstr(err.text, "in use by another program"));

	/* A bare port is every address to listen on, and this machine to connect to. */
	(void)snprintf(text, sizeof(text), "%u", weft_sockaddr_port(&opts.address.inet));
	assert_int_equal(local_parse(text, &err, &opts.address), 0);
	int client = local_connect(&opts, SOCK_STREAM, &err);
	assert_true(client >= 0);
	int peer = local_accept(fd);
	assert_true(peer >= 0);
	assert_int_equal(local_connect_result(client), 0);
	assert_non_null(strstr(local_peer_print(peer, text), "127.0.0.1:"));
	(void)close(peer);
	(void)close(client);
	(void)close(fd);
}

/* Somebody puts another socket in its place between the look at whose it is and its use. */
static void a_held_socket_is_the_one_that_was_looked_at(void **state)
{
	char byte;
	(void)state;
	int theirs = peer_bound("s"), other = peer_bound("t"), own = peer_bound("");
	int held = local_hold(test_path("s"), getuid());
	assert_true(held >= 0);
	assert_int_equal(rename(test_path("t"), test_path("s")), 0);
	assert_int_equal(local_connect_held(own, held), 0);
	assert_int_equal(send(own, "x", 1, 0), 1);
	assert_int_equal(recv(other, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(theirs, &byte, 1, MSG_DONTWAIT), 1);
	(void)close(held);
	(void)close(own);
	(void)close(other);
	(void)close(theirs);
	(void)unlink(test_path("s"));
}

static void only_a_socket_of_that_user_is_held(void **state)
{
	(void)state;
	int theirs = peer_bound("s");
	assert_int_equal(symlink(test_path("s"), test_path("t")), 0);
	assert_int_equal(local_hold(test_path("t"), getuid()), -EACCES);
	assert_int_equal(local_hold(test_path("s"), getuid() + 1), -EACCES);
	assert_int_equal(local_hold(test_path("u"), getuid()), -ENOENT);
	assert_int_equal(local_hold("/", getuid()), -EACCES);
	int held = local_hold(test_path("s"), 0);
	assert_true(held >= 0);
	(void)close(held);
	(void)close(theirs);
	(void)unlink(test_path("t"));
	(void)unlink(test_path("s"));
}

static void a_unix_peer_is_known(void **state)
{
	char expected[64];
	struct local_opts opts;
	(void)state;
	int fd = listen_on("s", "", SOCK_STREAM);
	assert_int_equal(opts_of(test_path("s"), ",connect", &opts), 0);
	int client = local_connect(&opts, SOCK_STREAM, &err);
	int peer = local_accept(fd);
	assert_true(client >= 0 && peer >= 0);
	(void)snprintf(expected, sizeof(expected), "uid %u, pid %d", (unsigned)getuid(),
		       (int)getpid());
	assert_string_equal(local_peer_print(peer, text), expected);
	assert_int_equal(local_connect(&opts, SOCK_SEQPACKET, &err), -EPROTOTYPE);
	assert_non_null(strstr(err.text, "another type"));
	local_unlink(&bound);
	(void)close(peer);
	(void)close(client);
	(void)close(fd);
}

/* In a child, as it takes the standard descriptors away. */
static int stdio_child(int in, int out)
{
	struct local_ends ends;
	struct stat null, now;
	char byte = 0;
	(void)dup2(in, 0);
	(void)dup2(out, 1);
	if (local_stdio(&err, &ends) < 0)
		return 1;
	if ((ends.in == ends.out) != (in == out) || ends.in < 3 || ends.out < 3)
		return 2;
	/* What is printed now goes nowhere. */
	if (fstat(1, &now) < 0 || stat("/dev/null", &null) < 0 ||
	    now.st_rdev != null.st_rdev)
		return 3;
	if (read(ends.in, &byte, 1) != 1 || byte != 'i' || write(ends.out, "o", 1) != 1)
		return 4;
	local_ends_close(&ends);
	return 0;
}

static void run_stdio(int in, int out)
{
	int status = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(stdio_child(in, out));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void standard_input_and_output(void **state)
{
	int in[2], out[2];
	char byte = 0;
	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(write(in[1], "i", 1), 1);
	run_stdio(in[0], out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	assert_int_equal(byte, 'o');
	for (unsigned i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(out[i]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, in), 0);
	assert_int_equal(write(in[1], "i", 1), 1);
	run_stdio(in[0], in[0]);
	assert_int_equal(read(in[1], &byte, 1), 1);
	assert_int_equal(byte, 'o');
	(void)close(in[0]);
	(void)close(in[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_dir_make, test_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_an_address),
		cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(options_and_their_defaults),
		TEST(a_path_has_its_mode_whatever_the_umask),
		TEST(a_stale_path_is_replaced),
		TEST(a_path_in_use_is_left_alone),
		TEST(a_file_is_left_alone),
		TEST(only_our_own_path_is_removed),
		TEST(ports_say_which_they_are),
		TEST(a_held_socket_is_the_one_that_was_looked_at),
		TEST(only_a_socket_of_that_user_is_held),
		TEST(a_unix_peer_is_known),
		cmocka_unit_test(standard_input_and_output),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
