/* SPDX-License-Identifier: MIT */
/*
 * The listener is where the peer would be connected to from here: it knows us by that address.
 * Where the request names nobody (0.0.0.0 or ::), anybody may come, to any address of ours.
 * Ports are taken one behind the other, so that none is used again soon.
 */
#include "service/socks.h"

#include <errno.h>

/* Ports for no purpose (RFC 6335, 6). */
#define PORT_FIRST 49152u
#define PORTS      16384u
#define TRIES      64u

#define PORT_DISCARD 9u /* Any port will do to find the way. */

/* Takes what has come, if it is who was expected; else it is reset, and waited for on. */
static void on_acceptable(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct socks_bind *b = user;
	const struct weft_tcp_opts opts = pump_tcp_opts(b->pump);
	struct ip_addr addr;
	struct weft_tcp *tcp;
	uint16_t port;
	if (weft_tcp_accept(listener, &opts, now, &tcp) < 0)
		return;
	const union weft_sockaddr peer = weft_tcp_peer(tcp);
	if (addr_of_sockaddr(&peer, &addr, &port) &&
	    (addr_is_unspecified(&b->expected) || addr_equal(&addr, &b->expected)))
		b->came(b->user, tcp, now);
	else
		weft_tcp_abort(tcp, now);
}

/* The address that the peer is to connect to: from where we would connect to it. */
static int find_local(const struct socks_bind *b, const union weft_sockaddr *peer,
		      uint64_t now, struct ip_addr *ret_addr)
{
	struct weft_udp *udp;
	uint16_t port;
	int r = weft_udp_new(b->forwarder->opts.stack, NULL, &udp);
	if (r < 0)
		return r;
	r = weft_udp_connect(udp, peer, now);
	const union weft_sockaddr local = weft_udp_local(udp);
	if (r == 0 && !addr_of_sockaddr(&local, ret_addr, &port))
		r = -EADDRNOTAVAIL;
	weft_udp_free(udp);
	return r;
}

static int listen_at(struct socks_bind *b, const struct ip_addr *addr,
		     union weft_sockaddr *ret_local)
{
	struct weft_forwarder *f = b->forwarder;
	const struct weft_tcp_listen_opts opts = {
		.on_acceptable = on_acceptable, .user = b, .backlog = 1, .syn_max = 4
	};
	int r = -EADDRINUSE;
	for (unsigned i = 0; i < TRIES && r == -EADDRINUSE; i++) {
		uint16_t port = (uint16_t)(PORT_FIRST + f->bind_port++ % PORTS);
		*ret_local = addr_to_sockaddr(addr, port, 0);
		r = weft_tcp_listen(f->opts.stack, ret_local, &opts, &b->listener);
	}
	return r;
}

int socks_bind_begin(struct socks_bind *b, const union weft_sockaddr *peer, uint64_t now,
		     union weft_sockaddr *ret_local)
{
	uint16_t port;
	int r = addr_of_sockaddr(peer, &b->expected, &port) ? 0 : -EINVAL;
	struct ip_addr addr = b->expected;
	if (r == 0 && !addr_is_unspecified(&b->expected)) {
		const union weft_sockaddr there =
			addr_to_sockaddr(&b->expected, PORT_DISCARD, 1);
		r = find_local(b, &there, now, &addr);
	}
	return r == 0 ? listen_at(b, &addr, ret_local) : r;
}

void socks_bind_end(struct socks_bind *b, uint64_t now)
{
	weft_tcp_listener_close(b->listener, now);
	b->listener = NULL;
}
