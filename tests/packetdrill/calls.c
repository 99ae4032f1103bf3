/* SPDX-License-Identifier: MIT */
/*
 * The calls of scripts. Each attempt is made at once; what would block on a blocking socket is
 * tried again whenever something has happened, until it returns.
 */
#include "base/array.h"
#include "run.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DATA_MAX (1u << 20)

static const struct {
	const char *word;
	int value;
} symbols[] = {
	{ "AF_INET", AF_INET },
	{ "AF_INET6", AF_INET6 },
	{ "SOCK_STREAM", SOCK_STREAM },
	{ "SOCK_DGRAM", SOCK_DGRAM },
	{ "SOCK_NONBLOCK", SOCK_NONBLOCK },
	{ "IPPROTO_TCP", IPPROTO_TCP },
	{ "IPPROTO_UDP", IPPROTO_UDP },
	{ "IPPROTO_IPV6", IPPROTO_IPV6 },
	{ "IPPROTO_IP", IPPROTO_IP },
	{ "SOL_SOCKET", SOL_SOCKET },
	{ "SOL_TCP", IPPROTO_TCP },
	{ "SO_REUSEADDR", SO_REUSEADDR },
	{ "SO_KEEPALIVE", SO_KEEPALIVE },
	{ "SO_SNDBUF", SO_SNDBUF },
	{ "SO_ERROR", SO_ERROR },
	{ "TCP_NODELAY", TCP_NODELAY },
	{ "TCP_CORK", TCP_CORK },
	{ "TCP_KEEPIDLE", TCP_KEEPIDLE },
	{ "TCP_KEEPINTVL", TCP_KEEPINTVL },
	{ "TCP_KEEPCNT", TCP_KEEPCNT },
	{ "TCP_USER_TIMEOUT", TCP_USER_TIMEOUT },
	{ "IPV6_V6ONLY", IPV6_V6ONLY },
	{ "IP_TOS", IP_TOS },
	{ "IP_TTL", IP_TTL },
	{ "MSG_OOB", MSG_OOB },
	{ "SHUT_RD", SHUT_RD },
	{ "SHUT_WR", SHUT_WR },
	{ "SHUT_RDWR", SHUT_RDWR },
	{ "F_GETFL", F_GETFL },
	{ "F_SETFL", F_SETFL },
	{ "O_RDWR", O_RDWR },
	{ "O_NONBLOCK", O_NONBLOCK },
	{ "EAGAIN", EAGAIN },
	{ "EWOULDBLOCK", EAGAIN },
	{ "EINPROGRESS", EINPROGRESS },
	{ "EALREADY", EALREADY },
	{ "EISCONN", EISCONN },
	{ "ENOTCONN", ENOTCONN },
	{ "ECONNRESET", ECONNRESET },
	{ "ECONNREFUSED", ECONNREFUSED },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "EHOSTUNREACH", EHOSTUNREACH },
	{ "ENETUNREACH", ENETUNREACH },
	{ "EPIPE", EPIPE },
	{ "EINVAL", EINVAL },
	{ "EBADF", EBADF },
	{ "EMSGSIZE", EMSGSIZE },
	{ "EADDRINUSE", EADDRINUSE },
	{ "EDESTADDRREQ", EDESTADDRREQ },
	{ "ENOPROTOOPT", ENOPROTOOPT },
	{ "EOPNOTSUPP", EOPNOTSUPP },
};

/* ---- arguments --------------------------------------------------------------------------- */

/* A number, a name, or several with '|'; brackets around it do not matter. */
static bool value_of(const char *text, int *ret_value)
{
	int value = 0;
	while (*text) {
		char word[32];
		size_t len = strcspn(text, "|"), i = 0, n = 0;
		for (size_t at = 0; at < len && n + 1 < sizeof(word); at++) {
			if (!strchr("[] \t\n", text[at]))
				word[n++] = text[at];
		}
		word[n] = '\0';
		while (i < ARRAY_LEN(symbols) && strcmp(symbols[i].word, word) != 0)
			i++;
		char *end = word;
		value |= i < ARRAY_LEN(symbols) ? symbols[i].value
						: (int)strtol(word, &end, 0);
		if (i == ARRAY_LEN(symbols) && (end == word || *end))
			return false;
		text += len + (text[len] == '|');
	}
	*ret_value = value;
	return true;
}

/* Argument i as a number; one that is none makes the call wrong. */
static int arg(struct call *call, unsigned i)
{
	int value = 0;
	if (i >= call->args_n || !value_of(call->args[i], &value))
		call->wrong = "an argument that is not understood";
	return value;
}

static bool is_left_open(const struct call *call, unsigned i)
{
	return i < call->args_n && strstr(call->args[i], "...") != NULL;
}

/* The socket that argument 0 names. */
static struct run_fd *fd_of(struct run *run, struct call *call)
{
	static struct run_fd none = { .live = -1 };
	int fd = arg(call, 0);
	bool is_known = fd >= 0 && fd < (int)RUN_FDS_MAX && run->fds[fd].is_open;
	return is_known ? &run->fds[fd] : &none;
}

/* A new socket gets the number that the script expects. */
static int name_fd(struct run *run, const struct call *call, int live, bool is_datagram)
{
	if (live < 0)
		return live;
	int fd = call->has_want && call->want >= 0 ? call->want : live;
	if (fd >= (int)RUN_FDS_MAX || run->fds[fd].is_open)
		return -EMFILE;
	run->fds[fd] = (struct run_fd){ .is_open = true,
					.is_datagram = is_datagram,
					.live = live };
	return fd;
}

static union weft_sockaddr end_of_flow(const struct weft_ip *ip, uint16_t port)
{
	union weft_sockaddr addr = { 0 };
	addr.sa.sa_family = ip->family;
	if (ip->family == AF_INET) {
		addr.in.sin_port = htons(port);
		memcpy(&addr.in.sin_addr, ip->octet, 4);
	} else {
		addr.in6.sin6_port = htons(port);
		memcpy(&addr.in6.sin6_addr, ip->octet, 16);
	}
	return addr;
}

/* ---- calls that never block -------------------------------------------------------------- */

static int call_socket(struct run *run, struct call *call)
{
	int family = run->is_ip6 ? AF_INET6 : AF_INET;
	if (!is_left_open(call, 0))
		family = arg(call, 0);
	int type = arg(call, 1);
	bool is_datagram = (type & ~SOCK_NONBLOCK) == SOCK_DGRAM;
	if (is_datagram) {
		run->flow.lport = 0;
		run->flow.rport = RUN_BOUND_PORT;
	}
	return name_fd(run, call, host_socket(&run->host, family, type), is_datagram);
}

static int call_bind(struct run *run, struct call *call)
{
	union weft_sockaddr local = end_of_flow(&run->flow.local, RUN_BOUND_PORT);
	run->flow.lport = RUN_BOUND_PORT;
	return host_bind(&run->host, fd_of(run, call)->live, &local);
}

static int call_listen(struct run *run, struct call *call)
{
	return host_listen(&run->host, fd_of(run, call)->live, arg(call, 1));
}

static int call_shutdown(struct run *run, struct call *call)
{
	return host_shutdown(&run->host, fd_of(run, call)->live, arg(call, 1));
}

static int call_close(struct run *run, struct call *call)
{
	struct run_fd *fd = fd_of(run, call);
	int r = host_close(&run->host, fd->live);
	fd->is_open = false;
	return r;
}

static int call_fcntl(struct run *run, struct call *call)
{
	int live = fd_of(run, call)->live;
	if (arg(call, 1) == F_GETFL)
		return host_getflags(&run->host, live);
	return host_setflags(&run->host, live, arg(call, 2));
}

static int call_setsockopt(struct run *run, struct call *call)
{
	int level = arg(call, 1), name = arg(call, 2), value = arg(call, 3);
	return host_setsockopt(&run->host, fd_of(run, call)->live, level, name, value);
}

static int call_getsockopt(struct run *run, struct call *call)
{
	int level = arg(call, 1), name = arg(call, 2), want = arg(call, 3), value = 0;
	int r = host_getsockopt(&run->host, fd_of(run, call)->live, level, name, &value);
	bool is_error = level == SOL_SOCKET && name == SO_ERROR;
	if (r == 0 && value != want)
		call->wrong = !is_error ? "another value"
			      : value   ? strerror(value)
					: "no error";
	return r;
}

static int call_sendto(struct run *run, struct call *call)
{
	static const uint8_t data[65536];
	union weft_sockaddr peer = end_of_flow(&run->flow.remote, RUN_BOUND_PORT);
	size_t len = (size_t)arg(call, 2);
	if (len > sizeof(data))
		return -EMSGSIZE;
	return host_sendto(&run->host, fd_of(run, call)->live, data, len, &peer);
}

/* ---- calls that can ---------------------------------------------------------------------- */

static bool is_waiting(const struct run *run, const struct run_fd *fd, int result)
{
	return (result == -EAGAIN || result == -EINPROGRESS) &&
	       host_is_blocking(&run->host, fd->live);
}

static int call_accept(struct run *run, struct call *call)
{
	struct run_fd *fd = fd_of(run, call);
	int r = host_accept(&run->host, fd->live);
	return is_waiting(run, fd, r) ? CALL_WOULD_BLOCK : name_fd(run, call, r, false);
}

static int call_connect(struct run *run, struct call *call)
{
	struct run_fd *fd = fd_of(run, call);
	union weft_sockaddr peer = end_of_flow(&run->flow.remote, RUN_BOUND_PORT);
	run->flow.rport = RUN_BOUND_PORT;
	int r = call->has_begun ? host_connected(&run->host, fd->live)
				: host_connect(&run->host, fd->live, &peer);
	call->has_begun = true;
	return is_waiting(run, fd, r) ? CALL_WOULD_BLOCK : r;
}

static int read_into(struct run *run, struct call *call, struct run_fd *fd, int n)
{
	static uint8_t data[DATA_MAX];
	n = n < 0 ? 0 : n;
	int r = fd->is_datagram ? host_recvfrom(&run->host, fd->live, data, (size_t)n,
						&(union weft_sockaddr){ 0 })
				: host_read(&run->host, fd->live, data, (size_t)n);
	uint32_t from = fd->is_datagram ? 0 : run->first_in + fd->read;
	for (int i = 0; i < r; i++) {
		if (data[i] != segment_byte(from + (uint32_t)i))
			call->wrong = "the data is not what came in";
	}
	fd->read += r > 0 ? (uint32_t)r : 0;
	return r;
}

static int call_read(struct run *run, struct call *call)
{
	struct run_fd *fd = fd_of(run, call);
	int n = arg(call, 2);
	int r = read_into(run, call, fd, n < (int)DATA_MAX ? n : (int)DATA_MAX);
	return is_waiting(run, fd, r) ? CALL_WOULD_BLOCK : r;
}

/* Bytes of the stream: the first that is written has number 1. */
static int write_some(struct run *run, struct run_fd *fd, size_t len, int flags)
{
	static uint8_t data[DATA_MAX];
	for (size_t i = 0; i < len; i++)
		data[i] = segment_byte(1 + fd->written + (uint32_t)i);
	int r = host_write(&run->host, fd->live, data, len, flags);
	fd->written += r > 0 ? (uint32_t)r : 0;
	return r;
}

static int write_with(struct run *run, struct call *call, int flags)
{
	struct run_fd *fd = fd_of(run, call);
	int len = arg(call, 2);
	if (len < 0 || len > (int)DATA_MAX)
		return -EINVAL;
	int r = write_some(run, fd, (size_t)len - call->done, flags);
	if (r < 0)
		return is_waiting(run, fd, r) ? CALL_WOULD_BLOCK : r;
	call->done += (size_t)r;
	bool is_all = call->done == (size_t)len;
	return !is_all && host_is_blocking(&run->host, fd->live) ? CALL_WOULD_BLOCK
								 : (int)call->done;
}

static int call_write(struct run *run, struct call *call)
{
	return write_with(run, call, 0);
}

static int call_send(struct run *run, struct call *call)
{
	return write_with(run, call, arg(call, 3));
}

/* ---- the language ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	call_fn *fn;
} functions[] = {
	{ "socket", call_socket },
	{ "bind", call_bind },
	{ "listen", call_listen },
	{ "accept", call_accept },
	{ "connect", call_connect },
	{ "read", call_read },
	{ "recv", call_read },
	{ "recvfrom", call_read },
	{ "write", call_write },
	{ "send", call_send },
	{ "sendto", call_sendto },
	{ "shutdown", call_shutdown },
	{ "close", call_close },
	{ "fcntl", call_fcntl },
	{ "setsockopt", call_setsockopt },
	{ "getsockopt", call_getsockopt },
};

/* Divides "a, [b, c], d" at its own commas; ends at the bracket that closes it. */
static char *split_args(char *at, struct call *call)
{
	int depth = 0;
	call->args[call->args_n++] = at;
	for (; *at && (depth > 0 || *at != ')'); at++) {
		depth += strchr("([{", *at) != NULL;
		depth -= strchr(")]}", *at) != NULL;
		if (*at != ',' || depth > 0 || call->args_n == CALL_ARGS_MAX)
			continue;
		*at = '\0';
		call->args[call->args_n++] = at + 1;
	}
	if (*at)
		*at++ = '\0';
	return at;
}

/* "= 3", "= -1 EAGAIN (Resource temporarily unavailable)", "= 0x2 (flags O_RDWR)", "= *" */
static bool parse_want(char *at, struct call *call)
{
	at += strspn(at, " \t");
	if (*at++ != '=')
		return false;
	at += strspn(at, " \t");
	call->has_want = *at != '*';
	if (!call->has_want)
		return true;
	char *end, *word;
	call->want = (int)strtol(at, &end, 0);
	if (end == at)
		return false;
	word = end + strspn(end, " \t");
	if (call->want != -1 || !isupper((unsigned char)*word))
		return true;
	word[strcspn(word, " \t")] = '\0';
	int error = 0;
	bool is_known = value_of(word, &error);
	call->want = -error;
	return is_known;
}

static bool parse_call(const struct event *event, struct call *ret_call)
{
	struct call call = { .event = *event, .text = strdup(event->text) };
	size_t len = strcspn(call.text, " (");
	*ret_call = call;
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (strlen(functions[i].name) == len &&
		    strncmp(functions[i].name, call.text, len) == 0)
			call.fn = functions[i].fn;
	}
	char *bracket = strchr(call.text, '(');
	if (!call.fn || !bracket)
		return false;
	char *rest = split_args(bracket + 1, &call);
	bool is_understood = parse_want(rest, &call);
	*ret_call = call;
	return is_understood;
}

void call_free(struct call *call)
{
	free(call->text);
	call->text = NULL;
}

/* ---- making them ------------------------------------------------------------------------- */

static const char *print_result(int result, char text[64])
{
	size_t i = 0;
	while (i < ARRAY_LEN(symbols) &&
	       (symbols[i].word[0] != 'E' || symbols[i].value != -result))
		i++;
	if (result >= 0)
		(void)snprintf(text, 64, "%d", result);
	else
		(void)snprintf(text, 64, "-1 %s (%s)",
			       i < ARRAY_LEN(symbols) ? symbols[i].word : "?",
			       strerror(-result));
	return text;
}

static bool is_as_expected(const struct run *run, const struct call *call, int result)
{
	char want[64], got[64];
	if (call->wrong)
		return run_fail(run, &call->event, "%s: %s", call->event.text,
				call->wrong);
	if (call->has_want && call->want != result)
		return run_fail(run, &call->event, "expected: %s\n   returned: %s",
				print_result(call->want, want),
				print_result(result, got));
	return true;
}

static bool is_at_its_end(const struct run *run, const struct call *call)
{
	const struct event *event = &call->event;
	uint64_t now = (run->host.now - run->begin) / 1000;
	uint64_t slack = run->script->tolerance_us;
	if (!event->has_end ||
	    (now + slack >= event->end_us && now <= event->end_us + slack))
		return true;
	return run_fail(run, event, "expected to return at %.6f, returned at %.6f",
			(double)event->end_us / 1e6, (double)now / 1e6);
}

bool run_call(struct run *run, const struct event *event)
{
	struct call call;
	if (run->has_pending)
		return run_fail(run, event, "the call of line %u has not returned",
				run->pending.event.line);
	if (!parse_call(event, &call)) {
		call_free(&call);
		return run_fail(run, event, "not understood: %s", event->text);
	}
	int result = call.fn(run, &call);
	if (result == CALL_WOULD_BLOCK && event->has_end) {
		run->pending = call;
		run->has_pending = true;
		return true;
	}
	bool is_right =
		result == CALL_WOULD_BLOCK
			? run_fail(run, event, "%s blocks", event->text)
			: is_as_expected(run, &call, result) && is_at_its_end(run, &call);
	call_free(&call);
	return is_right;
}

bool run_pending(struct run *run)
{
	if (!run->has_pending)
		return true;
	struct call *call = &run->pending;
	int result = call->fn(run, call);
	if (result == CALL_WOULD_BLOCK)
		return true;
	bool is_right = is_as_expected(run, call, result) && is_at_its_end(run, call);
	run->has_pending = false;
	call_free(call);
	return is_right;
}
