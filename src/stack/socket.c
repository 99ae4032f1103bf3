/* SPDX-License-Identifier: MIT */
/*
 * Sockets from open to close: how they come to be, what data they carry, and who is told that
 * something has happened to them. Their names and options are in socket_options.c.
 */
#include "stack/socket.h"

#include "stack/tcp_urgent.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define SOCKETS_DEFAULT 1024u

/* ---- what happens ------------------------------------------------------------------------ */

static void raise_event(struct sock *sock, unsigned events, uint64_t now)
{
	struct weft_sockets *set = sock->set;
	bool was_empty = list_is_empty(&set->ready);
	sock->events |= events;
	if (!list_is_empty(&sock->of_ready))
		return;
	list_push_back(&set->ready, &sock->of_ready);
	if (was_empty && set->opts.on_ready)
		set->opts.on_ready(set->opts.user, set, now);
}

static void on_connected(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct sock *sock = user;
	(void)tcp;
	sock->is_connected = true;
	raise_event(sock, WEFT_WRITABLE, now);
}

static void on_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	raise_event(user, WEFT_READABLE, now);
}

static void on_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	raise_event(user, WEFT_WRITABLE, now);
}

static void on_urgent(void *user, struct weft_tcp *tcp, uint64_t now)
{
	(void)tcp;
	raise_event(user, WEFT_URGENT, now);
}

static void on_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct sock *sock = user;
	(void)tcp;
	sock->error = error;
	raise_event(sock, WEFT_ENDED | WEFT_READABLE | WEFT_WRITABLE, now);
}

static const struct weft_tcp_events tcp_events = {
	.on_connected = on_connected,
	.on_readable = on_readable,
	.on_writable = on_writable,
	.on_closed = on_closed,
	.on_urgent = on_urgent,
};

static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	(void)listener;
	raise_event(user, WEFT_READABLE, now);
}

static void on_udp_ready(void *user, struct weft_udp *udp, uint64_t now)
{
	(void)udp;
	raise_event(user, WEFT_READABLE, now);
}

/* ---- the set ----------------------------------------------------------------------------- */

int weft_sockets_new(struct weft_stack *stack, const struct weft_sockets_opts *opts,
		     struct weft_sockets **ret_set)
{
	struct weft_sockets *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	if (opts)
		set->opts = *opts;
	if (set->opts.sockets_max == 0)
		set->opts.sockets_max = SOCKETS_DEFAULT;
	set->stack = stack;
	list_init(&set->ready);
	set->socks = calloc(set->opts.sockets_max, sizeof(struct sock *));
	if (!set->socks) {
		free(set);
		return -ENOMEM;
	}
	*ret_set = set;
	return 0;
}

void weft_sockets_free(struct weft_sockets *set, uint64_t now)
{
	if (!set)
		return;
	for (uint32_t i = 0; i < set->opts.sockets_max; i++)
		(void)weft_socket_close(set, (int)i, now);
	free(set->socks);
	free(set);
}

size_t weft_sockets_ready(struct weft_sockets *set, struct weft_ready *ret_ready,
			  size_t n)
{
	size_t count = 0;
	struct list *node;
	while (count < n && (node = list_pop_front(&set->ready)) != NULL) {
		const struct sock *sock = container_of(node, struct sock, of_ready);
		ret_ready[count++] = (struct weft_ready){
			.socket = sock->number,
			.events = sock->events,
			.user = sock->user,
		};
	}
	return count;
}

/* A new row; NULL without memory or room, which ret_error says. */
static struct sock *sock_new(struct weft_sockets *set, int family, int *ret_error)
{
	uint32_t number = 0;
	while (number < set->opts.sockets_max && set->socks[number])
		number++;
	*ret_error = number < set->opts.sockets_max ? -ENOMEM : -EMFILE;
	struct sock *sock =
		number < set->opts.sockets_max ? calloc(1, sizeof(*sock)) : NULL;
	if (!sock)
		return NULL;
	sock->set = set;
	sock->number = (int)number;
	sock->family = family;
	sock->opts.events = &tcp_events;
	sock->opts.user = sock;
	list_init(&sock->of_ready);
	set->socks[number] = sock;
	return sock;
}

static void sock_free(struct sock *sock)
{
	list_remove(&sock->of_ready);
	sock->set->socks[sock->number] = NULL;
	free(sock);
}

/* ---- making, naming, listening ----------------------------------------------------------- */

int weft_socket_open(struct weft_sockets *set, int family, int type)
{
	int error;
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return -EPROTOTYPE;
	struct sock *sock = sock_new(set, family, &error);
	if (!sock)
		return error;
	if (type == SOCK_DGRAM) {
		struct weft_udp_opts opts = { .on_ready = on_udp_ready, .user = sock };
		int r = weft_udp_new(set->stack, &opts, &sock->udp);
		if (r < 0) {
			sock_free(sock);
			return r;
		}
		sock->events = WEFT_WRITABLE;
	}
	return sock->number;
}

int weft_socket_close(struct weft_sockets *set, int s, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (sock->tcp)
		weft_tcp_close(sock->tcp, now);
	weft_tcp_listener_close(sock->listener, now);
	weft_udp_free(sock->udp);
	sock_free(sock);
	return 0;
}

int weft_socket_bind(struct weft_sockets *set, int s, const union weft_sockaddr *local)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (local->sa.sa_family != sock->family)
		return -EAFNOSUPPORT;
	if (sock->udp)
		return weft_udp_bind(sock->udp, local);
	if (sock->local.sa.sa_family != AF_UNSPEC || sock->tcp || sock->listener)
		return -EINVAL;
	sock->local = *local;
	return 0;
}

int weft_socket_listen(struct weft_sockets *set, int s, int backlog)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (sock->udp)
		return -EOPNOTSUPP;
	if (sock->local.sa.sa_family == AF_UNSPEC || sock->tcp || sock->listener)
		return -EINVAL;
	struct weft_tcp_listen_opts opts = {
		.on_acceptable = on_acceptable,
		.user = sock,
		.backlog = backlog > 0 ? (uint32_t)backlog : 0,
		.only_ip6 = sock->only_ip6,
		.tos = sock->opts.tos,
		.ttl = sock->opts.ttl,
	};
	sock->events = 0;
	return weft_tcp_listen(set->stack, &sock->local, &opts, &sock->listener);
}

int weft_socket_accept(struct weft_sockets *set, int s, uint64_t now)
{
	struct sock *listening = sock_find(set, s);
	int r;
	if (!listening)
		return -EBADF;
	if (!listening->listener)
		return listening->udp ? -EOPNOTSUPP : -EINVAL;
	struct sock *sock = sock_new(set, listening->family, &r);
	if (!sock)
		return r;
	sock->opts = listening->opts;
	sock->opts.user = sock;
	r = weft_tcp_accept(listening->listener, &sock->opts, now, &sock->tcp);
	if (r < 0) {
		sock_free(sock);
		listening->events &= ~WEFT_READABLE;
		return r;
	}
	sock->is_connected = true;
	sock->events |= WEFT_WRITABLE;
	return sock->number;
}

int weft_socket_connect(struct weft_sockets *set, int s, const union weft_sockaddr *peer,
			uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (peer->sa.sa_family != sock->family)
		return -EAFNOSUPPORT;
	if (sock->udp) {
		int r = weft_udp_connect(sock->udp, peer, now);
		sock->is_connected |= r == 0;
		return r;
	}
	if (sock->listener)
		return -EOPNOTSUPP;
	if (sock->tcp)
		return sock->is_connected ? -EISCONN : -EALREADY;
	sock->opts.local = sock->local;
	int r = weft_tcp_connect(set->stack, peer, &sock->opts, now, &sock->tcp);
	return r < 0 ? r : -EINPROGRESS;
}

/* ---- data -------------------------------------------------------------------------------- */

/* The result of a call; one that would have blocked says so, and takes the event back. */
static int settle(struct sock *sock, int result, unsigned event)
{
	if (result == -EAGAIN)
		sock->events &= ~event;
	return result;
}

static int udp_send(struct sock *sock, const void *data, size_t len,
		    const union weft_sockaddr *peer, uint64_t now)
{
	struct weft_udp_message msg = {
		.data = data,
		.len = len,
		.tos = sock->opts.tos,
		.ttl = sock->opts.ttl,
	};
	if (sock->send_shut)
		return -EPIPE;
	if (len > INT_MAX)
		return -EMSGSIZE;
	if (peer)
		msg.peer = *peer;
	int r = weft_udp_send(sock->udp, &msg, now);
	return r < 0 ? r : (int)len;
}

/* 0 if a stream's data can be handed on. */
static int may_send(struct sock *sock)
{
	if (!sock->tcp)
		return -ENOTCONN;
	if (!sock->is_connected && !(sock->events & WEFT_ENDED))
		return settle(sock, -EAGAIN, WEFT_WRITABLE);
	return 0;
}

/* The result of a call that has been offered len bytes. */
static int settle_send(struct sock *sock, int n, size_t len)
{
	if (n >= 0 && (size_t)n < len)
		sock->events &= ~WEFT_WRITABLE;
	return n == 0 && len > 0 ? -EAGAIN : n;
}

int weft_socket_send(struct weft_sockets *set, int s, const void *data, size_t len,
		     uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (sock->udp)
		return udp_send(sock, data, len, NULL, now);
	int r = may_send(sock);
	return r < 0 ? r
		     : settle_send(sock, weft_tcp_send(sock->tcp, data, len, now), len);
}

int weft_socket_send_urgent(struct weft_sockets *set, int s, const void *data, size_t len,
			    uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (sock->udp)
		return -EOPNOTSUPP;
	int r = may_send(sock);
	if (r < 0)
		return r;
	return settle_send(sock, weft_tcp_send_urgent(sock->tcp, data, len, now), len);
}

static int udp_recv(struct sock *sock, void *buf, size_t len,
		    union weft_sockaddr *ret_peer)
{
	struct weft_udp_message msg;
	int n = weft_udp_receive(sock->udp, buf, len, &msg);
	if (n == -EAGAIN && sock->recv_shut)
		return 0;
	if (n < 0)
		return settle(sock, n, WEFT_READABLE);
	if (ret_peer)
		*ret_peer = msg.peer;
	return (size_t)n < len ? n : (int)len;
}

/* Not past the mark, so that a program can see that it is there. */
static int recv_urgent(struct sock *sock, void *buf, size_t len, uint64_t now)
{
	const struct tcp_conn *conn = tcp_conn_of_const(sock->tcp);
	uint32_t left = tcp_urgent_left(conn);
	if (left > 1 && len >= left)
		len = left - 1;
	int n = weft_tcp_receive(sock->tcp, buf, len, now);
	if (tcp_urgent_left(conn) == 0)
		sock->events &= ~WEFT_URGENT;
	return n;
}

int weft_socket_recv(struct weft_sockets *set, int s, void *buf, size_t len, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (sock->udp)
		return udp_recv(sock, buf, len, NULL);
	if (!sock->tcp)
		return -ENOTCONN;
	int n = sock->events & WEFT_URGENT ? recv_urgent(sock, buf, len, now)
					   : weft_tcp_receive(sock->tcp, buf, len, now);
	return settle(sock, n, WEFT_READABLE);
}

int weft_socket_at_mark(const struct weft_sockets *set, int s)
{
	const struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (sock->udp)
		return -EOPNOTSUPP;
	return sock->tcp ? tcp_urgent_left(tcp_conn_of_const(sock->tcp)) == 1 : -ENOTCONN;
}

int weft_socket_sendto(struct weft_sockets *set, int s, const void *data, size_t len,
		       const union weft_sockaddr *peer, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	return sock->udp ? udp_send(sock, data, len, peer, now) : -EOPNOTSUPP;
}

int weft_socket_recvfrom(struct weft_sockets *set, int s, void *buf, size_t len,
			 union weft_sockaddr *ret_peer)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	return sock->udp ? udp_recv(sock, buf, len, ret_peer) : -EOPNOTSUPP;
}

int weft_socket_join(struct weft_sockets *set, int s, const struct weft_ip *group,
		     struct weft_iface *iface, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	return sock->udp ? weft_udp_join(sock->udp, group, iface, now) : -EOPNOTSUPP;
}

int weft_socket_leave(struct weft_sockets *set, int s, const struct weft_ip *group,
		      struct weft_iface *iface, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (!sock->udp)
		return -EOPNOTSUPP;
	weft_udp_leave(sock->udp, group, iface, now);
	return 0;
}

/* ---- shutdown ---------------------------------------------------------------------------- */

static int shut_listener(struct sock *sock, int how, uint64_t now)
{
	if (how == SHUT_WR)
		return 0;
	weft_tcp_listener_close(sock->listener, now);
	sock->listener = NULL;
	raise_event(sock, WEFT_ENDED, now);
	return 0;
}

static int shut_datagrams(struct sock *sock, int how)
{
	if (!sock->is_connected)
		return -ENOTCONN;
	sock->recv_shut |= how != SHUT_WR;
	sock->send_shut |= how != SHUT_RD;
	return 0;
}

int weft_socket_shutdown(struct weft_sockets *set, int s, int how, uint64_t now)
{
	struct sock *sock = sock_find(set, s);
	if (!sock)
		return -EBADF;
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (sock->listener)
		return shut_listener(sock, how, now);
	if (!sock->udp && !sock->tcp)
		return -ENOTCONN;
	int r = sock->udp ? shut_datagrams(sock, how)
			  : weft_tcp_shutdown(sock->tcp, how, now);
	if (r < 0)
		return r;
	/* No call of a direction that is over would wait. */
	if (how != SHUT_WR)
		raise_event(sock, WEFT_READABLE, now);
	if (how != SHUT_RD)
		raise_event(sock, WEFT_WRITABLE, now);
	return 0;
}
