/* SPDX-License-Identifier: MIT */
/*
 * The header of an answer is written in front of its data in one buffer: a datagram goes to the
 * client by one call.
 */
#include "base/container.h"
#include "io/hostsock.h"
#include "io/socket.h"
#include "service/socks.h"
#include "stack/addr.h"
#include "wire/socks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX    64u
#define DATAGRAM_MAX 65536u
#define FIRST_IFACE  1u

struct socks_udp {
	struct weft_task task; /* of the client's side */
	struct weft_forwarder *forwarder;
	struct weft_udp *room[2]; /* IPv4, IPv6; NULL until wanted */
	struct ip_addr client;
	union weft_sockaddr client_at; /* family 0 until its first datagram */
	struct post post;              /* what waits for names */
};

/* ---- from the room ----------------------------------------------------------------------- */

static void from_room(void *user, struct weft_udp *udp,
		      const struct weft_udp_message *msg, uint64_t now)
{
	struct socks_udp *u = user;
	uint8_t buf[SOCKS_DATAGRAM_HEADER_MAX + DATAGRAM_MAX];
	(void)udp;
	(void)now;
	size_t header = socks_datagram_emit(buf, &msg->peer);
	if (u->client_at.sa.sa_family == 0 || msg->len > DATAGRAM_MAX)
		return;
	if (msg->len > 0)
		memcpy(buf + header, msg->data, msg->len);
	hostsock_send(u->task.fd, buf, header + msg->len, &u->client_at);
	forward_count(u->forwarder, WEFT_FORWARD_DATAGRAM);
}

/* ---- from the client --------------------------------------------------------------------- */

/* The first datagram from the client's address says which port it has. */
static bool is_client(struct socks_udp *u, const union weft_sockaddr *from)
{
	struct ip_addr addr;
	uint16_t port;
	if (u->client_at.sa.sa_family)
		return weft_sockaddr_equal(&u->client_at, from);
	if (!addr_of_sockaddr(from, &addr, &port) || !addr_equal(&addr, &u->client))
		return false;
	u->client_at = *from;
	return true;
}

static int socket_for(struct socks_udp *u, const union weft_sockaddr *peer,
		      struct weft_udp **ret_udp)
{
	const struct weft_udp_opts opts = { .on_receive = from_room,
					    .user = u,
					    .broadcast = true };
	struct weft_udp **udp = &u->room[peer->sa.sa_family == AF_INET6];
	int r = *udp ? 0 : weft_udp_new(u->forwarder->opts.stack, &opts, udp);
	if (r < 0)
		return r;
	*ret_udp = *udp;
	return 0;
}

static void to_room(void *user, const union weft_sockaddr *to, const void *data,
		    size_t len, uint64_t now)
{
	struct socks_udp *u = user;
	const struct weft_udp_message msg = {
		.peer = *to, .data = data, .len = len, .iface = FIRST_IFACE
	};
	enum weft_forward_outcome outcome = WEFT_FORWARD_DROP_FULL;
	struct weft_udp *udp;
	if (socket_for(u, to, &udp) == 0)
		outcome = weft_udp_send(udp, &msg, now) < 0 ? WEFT_FORWARD_DROP_TARGET
							    : WEFT_FORWARD_DATAGRAM;
	forward_count(u->forwarder, outcome);
}

static void pass_on(struct socks_udp *u, const uint8_t *data, size_t len, uint64_t now)
{
	struct socks_address to;
	char text[WEFT_IP_TEXT];
	int header = socks_datagram_parse(data, len, &to);
	if (header < 0) {
		forward_count(u->forwarder, WEFT_FORWARD_DROP_SOCKS);
		return;
	}
	const char *host = to.ip.family ? weft_ip_print(&to.ip, text) : to.name;
	post_datagram(&u->post, host, to.port, data + header, len - (size_t)header, now);
}

static void socks_udp_run(struct weft_task *task, uint64_t now)
{
	struct socks_udp *u = container_of(task, struct socks_udp, task);
	uint8_t buf[DATAGRAM_MAX];
	union weft_sockaddr from;
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		int n = hostsock_receive(task->fd, buf, sizeof(buf), &from);
		if (n == -EAGAIN)
			return;
		if (n >= 0 && is_client(u, &from))
			pass_on(u, buf, (size_t)n, now);
	}
}

/* ---- life -------------------------------------------------------------------------------- */

int socks_udp_new(struct weft_forwarder *f, const union weft_sockaddr *local,
		  const union weft_sockaddr *client, struct socks_udp **ret_udp,
		  union weft_sockaddr *ret_bound)
{
	struct ip_addr addr;
	uint16_t port;
	struct socks_udp *u = malloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	*u = (struct socks_udp){ .forwarder = f,
				 .post = { .forwarder = f, .send = to_room, .user = u } };
	post_init(&u->post);
	if (!addr_of_sockaddr(client, &u->client, &port) ||
	    !addr_of_sockaddr(local, &addr, &port)) {
		free(u);
		return -EINVAL;
	}
	const union weft_sockaddr any_port = addr_to_sockaddr(&addr, 0, 0);
	u->task = (struct weft_task){ .fd = hostsock_udp(&any_port),
				      .events = WEFT_READABLE,
				      .run = socks_udp_run };
	int r = u->task.fd < 0 ? u->task.fd : socket_addr(u->task.fd, ret_bound);
	if (r == 0)
		r = weft_loop_add(f->opts.loop, &u->task);
	if (r < 0)
		socks_udp_free(u);
	else
		*ret_udp = u;
	return r;
}

void socks_udp_free(struct socks_udp *udp)
{
	if (!udp)
		return;
	post_end(&udp->post, weft_loop_now(udp->forwarder->opts.loop));
	weft_loop_remove(udp->forwarder->opts.loop, &udp->task);
	if (udp->task.fd >= 0)
		hostsock_close(udp->task.fd);
	weft_udp_free(udp->room[0]);
	weft_udp_free(udp->room[1]);
	free(udp);
}
