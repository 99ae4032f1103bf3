/* SPDX-License-Identifier: MIT */
/*
 * A UNIX path must never be open to others, not even for the moment between bind(2) and
 * chmod(2). Linux gives the new path the permissions of the socket's own inode
 * (unix_bind in net/unix/af_unix.c), so these are taken away first and given at the end:
 *
 *     fchmod(fd, 0) -> bind -> chown -> chmod(mode) -> listen
 */
#include "link/local.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Connections that wait to be accepted: more than come at once, less than a flood. */
#define LISTEN_BACKLOG 32

static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) == LOCAL_PATH_MAX,
	      "a path that parses fits");

static const char *type_name(int socket_type)
{
	switch (socket_type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "datagram";
	case SOCK_SEQPACKET:
		return "packet (SOCK_SEQPACKET)";
	default:
		return "other";
	}
}

static struct sockaddr_un unix_name(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return name;
}

static int unix_bind(int fd, const char *path)
{
	const struct sockaddr_un name = unix_name(path);
	const void *generic = &name;
	return bind(fd, generic, sizeof(name)) < 0 ? -errno : 0;
}

static int unix_connect(int fd, const char *path)
{
	const struct sockaddr_un name = unix_name(path);
	const void *generic = &name;
	return connect(fd, generic, sizeof(name)) < 0 ? -errno : 0;
}

/* ---- UNIX paths -------------------------------------------------------------------------- */

static int fail_taken(const char *path, const char *what, struct weft_error *err)
{
	return weft_error_set(err, -EADDRINUSE, "%s %s", path, what);
}

/*
 * Makes room for a path that is taken, if what is there is a socket that nobody serves. It is
 * asked for as a datagram socket: one that accepts then says EPROTOTYPE and never hears of it,
 * where a connection would be a client (and the only one, for who takes one).
 */
static int stale_remove(const char *path, struct weft_error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : weft_error_set(err, -errno, "%s: %s", path,
							strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail_taken(path, "exists and is no socket: give another path",
				  err);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return weft_error_set(err, -errno, "socket: %s", strerror(errno));
	int r = unix_connect(fd, path);
	(void)close(fd);
	if (r != -ECONNREFUSED)
		return fail_taken(
			path,
			"is in use by another program: end that, or give another "
			"path",
			err);
	if (unlink(path) < 0 && errno != ENOENT)
		return weft_error_set(err, -errno,
				      "%s is left over and cannot be removed: %s", path,
				      strerror(errno));
	return 0;
}

static int fail_bind(const char *path, int error, struct weft_error *err)
{
	if (error == ENOENT || error == ENOTDIR)
		return weft_error_set(err, -error, "%s: there is no such directory",
				      path);
	if (error == EACCES || error == EROFS)
		return weft_error_set(err, -error,
				      "%s: not allowed to make a socket there", path);
	return weft_error_set(err, -error, "%s: %s", path, strerror(error));
}

/* Who may connect, once the path is bound and before anybody could. */
static int path_open_up(const struct local_opts *opts, struct weft_error *err)
{
	const char *path = opts->address.path;

	if ((opts->uid != (uid_t)-1 || opts->gid != (gid_t)-1) &&
	    lchown(path, opts->uid, opts->gid) < 0)
		return weft_error_set(err, -errno, "%s: cannot change its owner: %s",
				      path, strerror(errno));
	if (chmod(path, opts->mode) < 0)
		return weft_error_set(err, -errno, "%s: cannot change its mode: %s", path,
				      strerror(errno));
	return 0;
}

static int unix_listen(int fd, const struct local_opts *opts, int socket_type,
		       struct weft_error *err, struct local_address *ret_address)
{
	struct local_address address = opts->address;
	struct stat st;

	if (fchmod(fd, 0) < 0)
		return weft_error_set(err, -errno, "fchmod: %s", strerror(errno));
	int r = unix_bind(fd, address.path);
	if (r == -EADDRINUSE) {
		r = stale_remove(address.path, err);
		if (r < 0)
			return r;
		r = unix_bind(fd, address.path);
	}
	if (r < 0)
		return fail_bind(address.path, -r, err);
	if (lstat(address.path, &st) == 0) {
		address.dev = st.st_dev;
		address.ino = st.st_ino;
	}
	r = path_open_up(opts, err);
	if (r == 0 && socket_type != SOCK_DGRAM && listen(fd, LISTEN_BACKLOG) < 0)
		r = weft_error_set(err, -errno, "%s: %s", address.path, strerror(errno));
	if (r < 0) {
		local_unlink(&address);
		return r;
	}
	*ret_address = address;
	return 0;
}

void local_unlink(const struct local_address *address)
{
	struct stat st;

	if (address->kind != LOCAL_UNIX || address->ino == 0)
		return;
	if (lstat(address->path, &st) == 0 && st.st_dev == address->dev &&
	    st.st_ino == address->ino)
		(void)unlink(address->path);
}

/* ---- ports ------------------------------------------------------------------------------- */

static bool is_every_address(const union weft_sockaddr *addr)
{
	return addr->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

static int fail_inet(const union weft_sockaddr *addr, struct weft_error *err)
{
	char text[WEFT_SOCKADDR_TEXT];
	int error = errno;
	return weft_error_set(
		err, -error, "cannot listen on %s: %s", weft_sockaddr_print(addr, text),
		error == EADDRINUSE ? "in use by another program: end that, or give "
				      "another port"
				    : strerror(error));
}

static int inet_listen(int fd, const struct local_opts *opts, int socket_type,
		       struct weft_error *err, struct local_address *ret_address)
{
	struct local_address address = opts->address;
	union weft_sockaddr *addr = &address.inet;
	socklen_t len = sizeof(*addr);
	const int on = 1, off = 0;

	if (socket_type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_every_address(addr))
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &addr->sa, weft_sockaddr_len(addr)) < 0)
		return fail_inet(addr, err);
	if (socket_type != SOCK_DGRAM && listen(fd, LISTEN_BACKLOG) < 0)
		return fail_inet(addr, err);
	if (getsockname(fd, &addr->sa, &len) < 0)
		return fail_inet(addr, err);
	*ret_address = address;
	return 0;
}

/* A machine without IPv6 has no "::"; there it is 0.0.0.0 that means every address. */
static int inet_socket(int socket_type, union weft_sockaddr *addr)
{
	const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(addr->sa.sa_family, socket_type | flags, 0);
	if (fd >= 0 || errno != EAFNOSUPPORT || !is_every_address(addr))
		return fd;
	const in_port_t port = addr->in6.sin6_port;
	*addr = (union weft_sockaddr){ .in = { .sin_family = AF_INET,
					       .sin_port = port } };
	return socket(AF_INET, socket_type | flags, 0);
}

/* ---- inherited descriptors --------------------------------------------------------------- */

int local_adopt(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return fd;
}

static int fd_check(int fd, int socket_type, struct weft_error *err)
{
	int type = 0;
	socklen_t len = sizeof(type);

	if (fcntl(fd, F_GETFD) < 0)
		return weft_error_set(
			err, -EBADF,
			"fd:%d is not open: the program that starts weft has "
			"to hand it over",
			fd);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return weft_error_set(err, -ENOTSOCK, "fd:%d is no socket", fd);
	if (type != socket_type)
		return weft_error_set(err, -EPROTOTYPE,
				      "fd:%d is a %s socket, and a %s socket is needed",
				      fd, type_name(type), type_name(socket_type));
	int r = local_adopt(fd);
	return r < 0 ? weft_error_set(err, r, "fd:%d: %s", fd, strerror(-r)) : r;
}

bool local_fd_listens(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

static bool is_one_socket(void)
{
	struct stat in, out;
	return fstat(STDIN_FILENO, &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	       S_ISSOCK(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

/* Moves a descriptor out of the way of what prints, and puts /dev/null in its place. */
static int fd_move(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (moved < 0)
		return -errno;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, fd);
		(void)close(null);
	}
	return local_adopt(moved);
}

static int fail_stdio(int error, struct weft_error *err)
{
	return weft_error_set(err, error, "standard input and output: %s",
			      strerror(-error));
}

int local_stdio(struct weft_error *err, struct local_ends *ret_ends)
{
	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
		return weft_error_set(err, -ENOTTY,
				      "standard input or output is a terminal: \"-\" is "
				      "for a program that speaks frames at the other end "
				      "of pipes or a socket");
	/* Who reads our output may end first: that is an error of write(2) then. */
	(void)signal(SIGPIPE, SIG_IGN);
	bool is_one = is_one_socket();
	int in = fd_move(STDIN_FILENO);
	if (in < 0)
		return fail_stdio(in, err);
	int out = fd_move(STDOUT_FILENO);
	if (out < 0) {
		(void)close(in);
		return fail_stdio(out, err);
	}
	if (is_one)
		(void)close(out);
	*ret_ends = (struct local_ends){ .in = in, .out = is_one ? in : out };
	return 0;
}

void local_ends_close(const struct local_ends *ends)
{
	(void)close(ends->in);
	if (ends->out != ends->in)
		(void)close(ends->out);
}

static int stdio_socket(int socket_type, struct weft_error *err)
{
	struct local_ends ends = { -1, -1 };
	if (!is_one_socket())
		return weft_error_set(
			err, -ENOTSOCK,
			"standard input and output are not one socket, which "
			"this dialect needs");
	int r = local_stdio(err, &ends);
	if (r < 0)
		return r;
	r = fd_check(ends.in, socket_type, err);
	if (r < 0)
		(void)close(ends.in);
	return r;
}

/* ---- listening and connecting ------------------------------------------------------------ */

static int fail_form(const struct local_address *address, struct weft_error *err)
{
	char text[LOCAL_TEXT];
	return weft_error_set(err, -EINVAL, "%s cannot be listened on",
			      local_print(address, text));
}

int local_listen(const struct local_opts *opts, int socket_type, struct weft_error *err,
		 struct local_address *ret_address)
{
	struct local_opts own = *opts;
	int fd;

	if (own.address.kind == LOCAL_FD && local_fd_listens(own.address.fd)) {
		*ret_address = own.address;
		return fd_check(own.address.fd, socket_type, err);
	}
	if (own.address.kind == LOCAL_FD || own.address.kind == LOCAL_STDIO)
		return fail_form(&own.address, err);
	if (own.address.kind == LOCAL_UNIX)
		fd = socket(AF_UNIX, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	else
		fd = inet_socket(socket_type, &own.address.inet);
	if (fd < 0)
		return weft_error_set(err, -errno, "socket: %s", strerror(errno));
	int r = own.address.kind == LOCAL_UNIX
			? unix_listen(fd, &own, socket_type, err, ret_address)
			: inet_listen(fd, &own, socket_type, err, ret_address);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* Frames are sent as they come: waiting for more would only delay them. */
static void set_nodelay(int fd)
{
	const int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* A bare port is every address of this machine: to connect to, its loopback address. */
static union weft_sockaddr connect_target(const struct local_address *address)
{
	union weft_sockaddr addr = address->inet;
	if (address->kind != LOCAL_INET || !is_every_address(&addr))
		return addr;
	const in_port_t port = addr.in6.sin6_port;
	addr = (union weft_sockaddr){ .in = { .sin_family = AF_INET, .sin_port = port } };
	(void)inet_pton(AF_INET, "127.0.0.1", &addr.in.sin_addr);
	return addr;
}

static int inet_connect(int fd, const union weft_sockaddr *addr)
{
	if (connect(fd, &addr->sa, weft_sockaddr_len(addr)) == 0 || errno == EINPROGRESS)
		return 0;
	return -errno;
}

int local_connect(const struct local_opts *opts, int socket_type, struct weft_error *err)
{
	const struct local_address *address = &opts->address;
	union weft_sockaddr inet = connect_target(address);
	int fd;

	if (address->kind == LOCAL_FD)
		return fd_check(address->fd, socket_type, err);
	if (address->kind == LOCAL_STDIO)
		return stdio_socket(socket_type, err);
	if (address->kind == LOCAL_UNIX)
		fd = socket(AF_UNIX, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	else
		fd = inet_socket(socket_type, &inet);
	if (fd < 0)
		return weft_error_set(err, -errno, "socket: %s", strerror(errno));
	if (address->kind == LOCAL_INET && socket_type == SOCK_STREAM)
		set_nodelay(fd);
	int r = address->kind == LOCAL_UNIX ? unix_connect(fd, address->path)
					    : inet_connect(fd, &inet);
	if (r < 0) {
		(void)close(fd);
		return local_fail_connect(address, r, err);
	}
	return fd;
}

int local_hold(const char *path, uid_t uid)
{
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && (uid == 0 || st.st_uid == uid))
		return fd;
	(void)close(fd);
	return -EACCES;
}

/* The name in /proc leads to what is open, and nowhere else (proc(5)). */
int local_connect_held(int fd, int held)
{
	char path[sizeof("/proc/self/fd/") + 10];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	return unix_connect(fd, path);
}

int local_connect_result(int fd)
{
	union weft_sockaddr peer;
	socklen_t peer_len = sizeof(peer), error_len = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0)
		return -errno;
	if (error != 0)
		return -error;
	if (getpeername(fd, &peer.sa, &peer_len) < 0)
		return errno == ENOTCONN ? -EAGAIN : -errno;
	return 0;
}

int local_accept(int fd)
{
	union weft_sockaddr peer = { .sa = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(peer);
	int peer_fd = accept4(fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer_fd < 0)
		return -errno;
	if (peer.sa.sa_family == AF_INET || peer.sa.sa_family == AF_INET6)
		set_nodelay(peer_fd);
	return peer_fd;
}

const char *local_peer_print(int fd, char buf[LOCAL_TEXT])
{
	union weft_sockaddr peer = { .sa = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(peer);
	struct ucred cred;
	socklen_t cred_len = sizeof(cred);
	char text[WEFT_SOCKADDR_TEXT];

	if (getpeername(fd, &peer.sa, &len) == 0 && weft_sockaddr_len(&peer) > 0)
		(void)snprintf(buf, LOCAL_TEXT, "%s", weft_sockaddr_print(&peer, text));
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) == 0 &&
		 cred.pid > 0)
		(void)snprintf(buf, LOCAL_TEXT, "uid %u, pid %d", (unsigned)cred.uid,
			       (int)cred.pid);
	else
		(void)snprintf(buf, LOCAL_TEXT, "fd %d", fd);
	return buf;
}
