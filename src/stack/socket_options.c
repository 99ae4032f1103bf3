/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a socket: its names, its options, and how it is. An option is kept for the
 * connection that will be made, and applied to the one that there is.
 */
#include "stack/socket.h"
#include "stack/tcp_conn.h"
#include "stack/udp.h"

#include <errno.h>

int weft_socket_name(const struct weft_sockets *set, int s,
		     union weft_sockaddr *ret_local)
{
	const struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	*ret_local = sock->udp   ? weft_udp_local(sock->udp)
		     : sock->tcp ? weft_tcp_local(sock->tcp)
				 : sock->local;
	return 0;
}

int weft_socket_peer(const struct weft_sockets *set, int s, union weft_sockaddr *ret_peer)
{
	const struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (!sock->is_connected)
		return -ENOTCONN;
	*ret_peer = sock->udp ? weft_udp_peer(sock->udp) : weft_tcp_peer(sock->tcp);
	return 0;
}

int weft_socket_poll(const struct weft_sockets *set, int s)
{
	const struct sock *sock = sock_find(set, s);
	return sock ? (int)sock->events : -EBADF;
}

static void apply_live(const struct sock *sock, enum weft_socket_option option, bool on,
		       uint64_t now)
{
	const struct weft_tcp_opts *opts = &sock->opts;
	switch (option) {
	case WEFT_SO_NODELAY:
		weft_tcp_set_nodelay(sock->tcp, on, now);
		break;
	case WEFT_SO_CORK:
		weft_tcp_set_cork(sock->tcp, on, now);
		break;
	case WEFT_SO_KEEPALIVE:
		weft_tcp_set_keepalive(sock->tcp, on, now);
		break;
	case WEFT_SO_KEEPIDLE:
	case WEFT_SO_KEEPINTVL:
	case WEFT_SO_KEEPCNT:
		weft_tcp_set_keep_times(sock->tcp, opts->keep_idle_s,
					opts->keep_interval_s, opts->keep_probes, now);
		break;
	case WEFT_SO_USER_TIMEOUT:
		weft_tcp_set_user_timeout(sock->tcp, opts->user_timeout_ms);
		break;
	case WEFT_SO_SNDBUF:
		weft_tcp_set_send_max(sock->tcp, opts->send_max, now);
		break;
	case WEFT_SO_V6ONLY:
	case WEFT_SO_BROADCAST:
	case WEFT_SO_RCVBUF:
		break; /* Refused before. */
	case WEFT_SO_TOS:
		weft_tcp_set_tos(sock->tcp, opts->tos);
		break;
	case WEFT_SO_TTL:
		weft_tcp_set_ttl(sock->tcp, opts->ttl);
		break;
	}
}

/* Of what it listens with; the rest is for the connections that are accepted. */
static void apply_listening(const struct sock *sock, enum weft_socket_option option)
{
	if (option == WEFT_SO_TOS)
		weft_tcp_listener_set_tos(sock->listener, sock->opts.tos);
	if (option == WEFT_SO_TTL)
		weft_tcp_listener_set_ttl(sock->listener, sock->opts.ttl);
}

static bool can_be(enum weft_socket_option option, int value)
{
	switch (option) {
	case WEFT_SO_KEEPIDLE:
	case WEFT_SO_KEEPINTVL:
		return value >= 0 && value <= UINT16_MAX;
	case WEFT_SO_KEEPCNT:
	case WEFT_SO_TOS:
	case WEFT_SO_TTL:
		return value >= 0 && value <= UINT8_MAX;
	case WEFT_SO_RCVBUF:
		return value > 0;
	default:
		return value >= 0;
	}
}

static int set_datagrams(struct weft_udp *udp, enum weft_socket_option option, int value)
{
	size_t bytes = (size_t)value;
	switch (option) {
	case WEFT_SO_BROADCAST:
		udp->opts.broadcast = value;
		return 0;
	case WEFT_SO_RCVBUF:
		udp->opts.queue_bytes_max =
			bytes > udp->queue_bytes ? bytes : udp->queue_bytes;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int set_stream(struct sock *sock, enum weft_socket_option option, int value)
{
	struct weft_tcp_opts *opts = &sock->opts;
	switch (option) {
	case WEFT_SO_NODELAY:
		opts->nodelay = value;
		return 0;
	case WEFT_SO_CORK:
		return sock->tcp ? 0 : -ENOTCONN;
	case WEFT_SO_KEEPALIVE:
		opts->keepalive = value;
		return 0;
	case WEFT_SO_KEEPIDLE:
		opts->keep_idle_s = (uint16_t)value;
		return 0;
	case WEFT_SO_KEEPINTVL:
		opts->keep_interval_s = (uint16_t)value;
		return 0;
	case WEFT_SO_KEEPCNT:
		opts->keep_probes = (uint8_t)value;
		return 0;
	case WEFT_SO_USER_TIMEOUT:
		opts->user_timeout_ms = (uint32_t)value;
		return 0;
	case WEFT_SO_SNDBUF:
		opts->send_max = (uint32_t)value;
		return 0;
	case WEFT_SO_V6ONLY:
		if (sock->tcp || sock->listener)
			return -EINVAL;
		sock->only_ip6 = value;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int set_one(struct sock *sock, enum weft_socket_option option, int value)
{
	switch (option) {
	case WEFT_SO_TOS:
		sock->opts.tos = (uint8_t)value;
		return 0;
	case WEFT_SO_TTL:
		sock->opts.ttl = (uint8_t)value;
		return 0;
	default:
		return sock->udp ? set_datagrams(sock->udp, option, value)
				 : set_stream(sock, option, value);
	}
}

int weft_socket_set(struct weft_sockets *set, int s, enum weft_socket_option option,
		    int value, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (!can_be(option, value))
		return -EINVAL;
	int r = set_one(sock, option, value);
	if (r == 0 && sock->tcp)
		apply_live(sock, option, value != 0, now);
	if (r == 0 && sock->listener)
		apply_listening(sock, option);
	return r;
}

static int get_datagrams(const struct weft_udp *udp, enum weft_socket_option option)
{
	switch (option) {
	case WEFT_SO_BROADCAST:
		return udp->opts.broadcast;
	case WEFT_SO_RCVBUF:
		return (int)udp->opts.queue_bytes_max;
	default:
		return -EOPNOTSUPP;
	}
}

static int get_stream(const struct sock *sock, enum weft_socket_option option)
{
	const struct weft_tcp_opts *opts = &sock->opts;
	switch (option) {
	case WEFT_SO_NODELAY:
		return opts->nodelay;
	case WEFT_SO_CORK:
		return sock->tcp && tcp_conn_of_const(sock->tcp)->cork;
	case WEFT_SO_KEEPALIVE:
		return opts->keepalive;
	case WEFT_SO_KEEPIDLE:
		return opts->keep_idle_s;
	case WEFT_SO_KEEPINTVL:
		return opts->keep_interval_s;
	case WEFT_SO_KEEPCNT:
		return opts->keep_probes;
	case WEFT_SO_USER_TIMEOUT:
		return (int)opts->user_timeout_ms;
	case WEFT_SO_SNDBUF:
		return (int)opts->send_max;
	case WEFT_SO_V6ONLY:
		return sock->only_ip6;
	default:
		return -EOPNOTSUPP;
	}
}

int weft_socket_get(const struct weft_sockets *set, int s, enum weft_socket_option option)
{
	const struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	switch (option) {
	case WEFT_SO_TOS:
		return sock->opts.tos;
	case WEFT_SO_TTL:
		return sock->opts.ttl;
	default:
		return sock->udp ? get_datagrams(sock->udp, option)
				 : get_stream(sock, option);
	}
}

int weft_socket_error(struct weft_sockets *set, int s)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	int error = sock->error;
	sock->error = 0;
	return error;
}

int weft_socket_info(const struct weft_sockets *set, int s,
		     struct weft_tcp_info *ret_info)
{
	const struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (!sock->tcp)
		return -ENOTCONN;
	weft_tcp_info(sock->tcp, ret_info);
	return 0;
}

int weft_socket_set_user(struct weft_sockets *set, int s, void *user)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	sock->user = user;
	return 0;
}
