/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text. What holds a "/" is a path, whatever else it holds, so that a path is
 * never taken for a host and a port: "./5059" is a file.
 */
#include "link/local.h"

#include "base/parse.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_MAX 256u

/* A user or group entry is a line of text; longer ones are not looked at. */
#define ENTRY_MAX 4096u

#define MODE_MAX 07777u

static int fail_address(const char *text, struct weft_error *err)
{
	return weft_error_set(
		err, -EINVAL,
		"\"%.100s\" is no address: give a path with a \"/\" in it, a "
		"port, HOST:PORT, [IPv6]:PORT, fd:NUMBER or - for standard "
		"input and output",
		text);
}

static int path_parse(const char *text, struct weft_error *err,
		      struct local_address *ret_address)
{
	struct local_address address = { .kind = LOCAL_UNIX };
	if (strlen(text) >= LOCAL_PATH_MAX)
		return weft_error_set(err, -ENAMETOOLONG,
				      "the path of a socket has at most %u characters: "
				      "\"%.120s\"",
				      LOCAL_PATH_MAX - 1, text);
	(void)snprintf(address.path, sizeof(address.path), "%s", text);
	*ret_address = address;
	return 0;
}

static int fd_parse(const char *text, struct weft_error *err,
		    struct local_address *ret_address)
{
	uint64_t fd;
	if (parse_u64(text, 0, INT32_MAX, &fd) < 0)
		return weft_error_set(
			err, -EINVAL,
			"fd:%.40s: give the number of an open descriptor, as "
			"in fd:3",
			text);
	*ret_address = (struct local_address){ .kind = LOCAL_FD, .fd = (int)fd };
	return 0;
}

/* The first address that the resolver gives, IPv4 before IPv6, as tapserver has it. */
static int host_resolve(const char *host, const char *port, struct weft_error *err,
			union weft_sockaddr *ret_addr)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICSERV };
	struct addrinfo *all = NULL;
	int r = getaddrinfo(host, port, &hints, &all);
	if (r != 0 || !all)
		return weft_error_set(err, -ENOENT, "cannot look up \"%.80s\": %s", host,
				      gai_strerror(r));
	const struct addrinfo *best = all;
	for (const struct addrinfo *a = all; a; a = a->ai_next) {
		if (a->ai_family == AF_INET && best->ai_family != AF_INET)
			best = a;
	}
	memcpy(ret_addr, best->ai_addr, best->ai_addrlen);
	freeaddrinfo(all);
	return 0;
}

/* Divides "host:port" or "[host]:port"; a bare port gives an empty host. */
static int hostport_split(const char *text, char host[HOST_MAX], const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	const char *end = colon ? colon : text;

	*ret_port = colon ? colon + 1 : text;
	if (colon && text[0] == '[') {
		if (end[-1] != ']')
			return -EINVAL;
		text++;
		end--;
	} else if (colon != strchr(text, ':')) {
		return -EINVAL; /* An IPv6 address without brackets. */
	}
	if ((size_t)(end - text) >= HOST_MAX || (colon && end == text))
		return -EINVAL;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	return 0;
}

static int inet_parse(const char *text, struct weft_error *err,
		      struct local_address *ret_address)
{
	char host[HOST_MAX];
	const char *port;
	uint64_t number;
	struct local_address address = { .kind = LOCAL_INET };

	if (hostport_split(text, host, &port) < 0 ||
	    parse_u64(port, 0, UINT16_MAX, &number) < 0)
		return fail_address(text, err);
	/* local_listen takes IPv4 by way of "::" as well; local_connect, this machine. */
	int r = host_resolve(host[0] ? host : "::", port, err, &address.inet);
	if (r == 0)
		*ret_address = address;
	return r;
}

int local_parse(const char *text, struct weft_error *err,
		struct local_address *ret_address)
{
	if (strcmp(text, "-") == 0) {
		*ret_address = (struct local_address){ .kind = LOCAL_STDIO };
		return 0;
	}
	if (strncmp(text, "fd:", 3) == 0)
		return fd_parse(text + 3, err, ret_address);
	if (strchr(text, '/'))
		return path_parse(text, err, ret_address);
	if (text[0] == '\0')
		return fail_address(text, err);
	return inet_parse(text, err, ret_address);
}

const char *local_print(const struct local_address *address, char buf[LOCAL_TEXT])
{
	char text[WEFT_SOCKADDR_TEXT];

	switch (address->kind) {
	case LOCAL_UNIX:
		(void)snprintf(buf, LOCAL_TEXT, "%s", address->path);
		break;
	case LOCAL_INET:
		(void)snprintf(buf, LOCAL_TEXT, "%s",
			       weft_sockaddr_print(&address->inet, text));
		break;
	case LOCAL_FD:
		(void)snprintf(buf, LOCAL_TEXT, "fd:%d", address->fd);
		break;
	case LOCAL_STDIO:
		(void)snprintf(buf, LOCAL_TEXT, "-");
		break;
	}
	return buf;
}

int local_fail_connect(const struct local_address *address, int error,
		       struct weft_error *err)
{
	char text[LOCAL_TEXT];
	const char *why = strerror(-error);
	if (error == -ENOENT)
		why = "there is no such socket: nobody listens yet";
	if (error == -ECONNREFUSED)
		why = "nobody listens there";
	if (error == -EPROTOTYPE)
		why = "it is a socket of another type, and speaks another dialect";
	return weft_error_set(err, error, "cannot connect to %s: %s",
			      local_print(address, text), why);
}

static int mode_parse(const char *text, struct weft_error *err, mode_t *ret_mode)
{
	char *end = NULL;
	unsigned long mode = strtoul(text, &end, 8);
	if (end == text || *end != '\0' || mode > MODE_MAX || text[0] == '-')
		return weft_error_set(
			err, -EINVAL,
			"mode=%.20s: give permissions in octal, such as 0660", text);
	*ret_mode = (mode_t)mode;
	return 0;
}

static int user_find(const char *name, uid_t *ret_uid)
{
	char buf[ENTRY_MAX];
	struct passwd entry, *found = NULL;
	uint64_t number;

	if (parse_u64(name, 0, UINT32_MAX - 1, &number) == 0) {
		*ret_uid = (uid_t)number;
		return 0;
	}
	if (getpwnam_r(name, &entry, buf, sizeof(buf), &found) != 0 || !found)
		return -ENOENT;
	*ret_uid = entry.pw_uid;
	return 0;
}

static int group_find(const char *name, gid_t *ret_gid)
{
	char buf[ENTRY_MAX];
	struct group entry, *found = NULL;
	uint64_t number;

	if (parse_u64(name, 0, UINT32_MAX - 1, &number) == 0) {
		*ret_gid = (gid_t)number;
		return 0;
	}
	if (getgrnam_r(name, &entry, buf, sizeof(buf), &found) != 0 || !found)
		return -ENOENT;
	*ret_gid = entry.gr_gid;
	return 0;
}

/* "user", "user:group" or ":group"; what is left out stays as it comes. */
static int owner_parse(const char *text, struct weft_error *err,
		       struct local_opts *ret_opts)
{
	char user[64];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len >= sizeof(user))
		return weft_error_set(err, -EINVAL, "owner=%.20s...: too long", text);
	memcpy(user, text, len);
	user[len] = '\0';
	if (len > 0 && user_find(user, &ret_opts->uid) < 0)
		return weft_error_set(err, -EINVAL, "owner=%s: there is no such user",
				      user);
	if (colon && group_find(colon + 1, &ret_opts->gid) < 0)
		return weft_error_set(err, -EINVAL, "owner=%.60s: there is no such group",
				      colon);
	return 0;
}

int local_opts_of(const struct spec *spec, struct weft_error *err,
		  struct local_opts *ret_opts)
{
	struct local_opts opts = {
		.connect = spec->values[LOCAL_CONNECT].flag,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.queue_len = spec->values[LOCAL_QUEUE].number,
	};
	int r = local_parse(spec->name, err, &opts.address);
	if (r < 0)
		return r;
	r = mode_parse(spec->values[LOCAL_MODE].text, err, &opts.mode);
	if (r < 0)
		return r;
	if (spec->given[LOCAL_OWNER])
		r = owner_parse(spec->values[LOCAL_OWNER].text, err, &opts);
	if (r < 0)
		return r;
	*ret_opts = opts;
	return 0;
}

int local_udp_opts_of(struct spec *spec, const char *port, struct weft_error *err,
		      struct local_opts *ret_opts)
{
	struct local_opts opts;
	if (!spec->name[0])
		spec->name = port;
	int r = local_opts_of(spec, err, &opts);
	if (r < 0)
		return r;
	if (opts.address.kind != LOCAL_INET)
		return weft_error_set(err, -EINVAL, "%s:%s: give a UDP port or HOST:PORT",
				      spec->driver->kind, spec->name);
	*ret_opts = opts;
	return 0;
}
