/* SPDX-License-Identifier: MIT */
/*
 * Local sockets: the address of a plug as text, and the descriptors that come of it.
 *
 *     /run/lan.sock  ./lan.sock      a UNIX path (it holds a "/")
 *     5059                           a TCP or UDP port of every address
 *     127.0.0.1:5059  [::1]:5059     one address; a host name is looked up
 *     fd:3                           a descriptor that was inherited, or a socketpair's end
 *     -                              standard input and output
 *
 * A UNIX path that is taken by a socket nobody listens on (a crash left it) is replaced; one
 * that is in use, or is no socket, is an error that says so.
 */
#ifndef LINK_LOCAL_H
#define LINK_LOCAL_H

#include "link/spec.h"

#include <weft/addr.h>
#include <weft/error.h>

#include <stdbool.h>
#include <sys/types.h>

/** Longest UNIX path with its NUL (sun_path). */
#define LOCAL_PATH_MAX 108u

#define LOCAL_TEXT 128u

enum local_kind { LOCAL_UNIX, LOCAL_INET, LOCAL_FD, LOCAL_STDIO };

struct local_address {
	enum local_kind kind;
	char path[LOCAL_PATH_MAX]; /**< Of LOCAL_UNIX. */
	dev_t dev;                 /**< Of the path that local_listen made: how */
	ino_t ino;                 /**< local_unlink knows it again; 0 for none. */
	union weft_sockaddr inet;  /**< Of LOCAL_INET. */
	int fd;                    /**< Of LOCAL_FD. */
};

/** What a stream is read from and written to: one socket twice, or the ends of two pipes. */
struct local_ends {
	int in, out;
};

/** What options a kind of plug has in common with the others; see LOCAL_OPTIONS. */
enum local_option {
	LOCAL_CONNECT,
	LOCAL_MODE,
	LOCAL_OWNER,
	LOCAL_QUEUE,
	LOCAL_OPTIONS_N
};

/** Rows for struct spec_driver's options, in the order of enum local_option. */
#define LOCAL_OPTIONS LOCAL_OPTIONS_WITH_QUEUE("1m")

/** The same, with another length of the queue where none is given. */
#define LOCAL_OPTIONS_WITH_QUEUE(standard)                                               \
	[LOCAL_CONNECT] = { "connect", SPEC_FLAG, NULL, "off",                           \
			    "connect to the peer instead of waiting for it" },           \
	[LOCAL_MODE] = { "mode", SPEC_TEXT, "OCTAL", "0600",                             \
			 "permissions of a UNIX path that is made" },                    \
	[LOCAL_OWNER] = { "owner", SPEC_TEXT, "USER[:GROUP]", NULL, "and whose it is" }, \
	[LOCAL_QUEUE] = { "queue", SPEC_SIZE, "SIZE", standard,                          \
			  "kept for a peer that is slow; more is dropped" }

struct local_opts {
	struct local_address address;
	bool connect;
	mode_t mode;
	uid_t uid; /**< (uid_t)-1: as it comes. */
	gid_t gid;
	size_t queue_len; /**< In bytes. */
};

/**
 * Parses an address; a name of a host is looked up, which may block. Returns 0 or -Exxx with
 * err saying which part is wrong and what can be written.
 */
int local_parse(const char *text, struct weft_error *err,
		struct local_address *ret_address) WEFT_MUST_CHECK;

/** The address and the common options of a spec. Returns 0 or -Exxx with err. */
int local_opts_of(const struct spec *spec, struct weft_error *err,
		  struct local_opts *ret_opts) WEFT_MUST_CHECK;

/**
 * The same for a dialect over UDP: a spec without a name gets that of its usual port, one with
 * a path is refused.
 */
int local_udp_opts_of(struct spec *spec, const char *port, struct weft_error *err,
		      struct local_opts *ret_opts) WEFT_MUST_CHECK;

/** Prints an address as local_parse takes it into buf and returns buf. */
const char *local_print(const struct local_address *address, char buf[LOCAL_TEXT]);

/**
 * Opens, binds and (for SOCK_STREAM and SOCK_SEQPACKET) listens: non-blocking, close-on-exec;
 * a UNIX path gets its mode and owner before it can be connected to. A LOCAL_FD has to be a
 * socket that listens already. Returns the descriptor, or -Exxx with err: -EADDRINUSE, -EACCES,
 * -ENOENT ...; ret_address has the port in use.
 */
int local_listen(const struct local_opts *opts, int socket_type, struct weft_error *err,
		 struct local_address *ret_address) WEFT_MUST_CHECK;

/**
 * Opens and connects, without waiting: a TCP connection may be under way when it returns; it
 * then becomes writable, and local_connect_result tells. For LOCAL_FD and for a LOCAL_STDIO
 * that is one socket checks the type. Returns the descriptor or -Exxx with err.
 */
int local_connect(const struct local_opts *opts, int socket_type,
		  struct weft_error *err) WEFT_MUST_CHECK;

/**
 * Opens a UNIX path that is a socket of that user, or anybody's for root. Returns a descriptor
 * that stands for this socket wherever its path is moved, and is good for local_connect_held
 * alone; or -EACCES, -ENOENT ...
 */
int local_hold(const char *path, uid_t uid) WEFT_MUST_CHECK;

/** Connects fd to a socket that is held. Returns 0 or -Exxx. */
int local_connect_held(int fd, int held) WEFT_MUST_CHECK;

/** Says in err why a connection to address failed with error, which it returns. */
int local_fail_connect(const struct local_address *address, int error,
		       struct weft_error *err);

/** 0 once fd is connected, -EAGAIN while that is under way, or why it failed. */
int local_connect_result(int fd) WEFT_MUST_CHECK;

/**
 * The next connection of a listening socket, set up as local_connect does. Returns its
 * descriptor, -EAGAIN when there is none, or -Exxx: -EMFILE and the like are worth a pause.
 */
int local_accept(int fd) WEFT_MUST_CHECK;

/**
 * Takes standard input and output for itself: nothing that is printed later gets between
 * the frames, as both become /dev/null, and SIGPIPE is ignored from here on. ret_ends is
 * one socket twice (a child of inetd, of socat) or two pipes or files. Returns 0, or -Exxx
 * with err, for a terminal in any case.
 */
int local_stdio(struct weft_error *err, struct local_ends *ret_ends) WEFT_MUST_CHECK;

/** Closes one or two descriptors. */
void local_ends_close(const struct local_ends *ends);

/** Has an inherited descriptor not block, nor be inherited again. Returns it or -Exxx. */
int local_adopt(int fd) WEFT_MUST_CHECK;

/** True for a LOCAL_FD that listens, such as one of a service manager. */
bool local_fd_listens(int fd);

/** Removes the UNIX path that local_listen made and described, if it still is that socket. */
void local_unlink(const struct local_address *address);

/** "uid 1000, pid 4711" of a UNIX peer, or its address; into buf, and returns buf. */
const char *local_peer_print(int fd, char buf[LOCAL_TEXT]);

#endif
