/* SPDX-License-Identifier: MIT */
/*
 * The link takes whole packets without any offload, so what is seen is what would be on a wire.
 * What the stack says for itself (multicast groups, routers) is not for transcripts.
 */
#include "host.h"

#include "base/array.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define START_NS (1000u * (uint64_t)1000000000u)

/* ---- packets ----------------------------------------------------------------------------- */

/* Whether transcripts speak of such packets. */
static bool is_for_scripts(const uint8_t *bytes, size_t len)
{
	struct ip4_hdr ip4;
	struct ip6_hdr ip6;
	if (ip4_hdr_parse(bytes, len, &ip4) >= 0)
		return ip4.proto == IPPROTO_TCP || ip4.proto == IPPROTO_UDP ||
		       ip4.proto == IPPROTO_ICMP;
	if (ip6_hdr_parse(bytes, len, &ip6) < 0)
		return false;
	if (ip6.next == IPPROTO_ICMPV6)
		return len > IP6_LEN && icmp6_is_error(bytes[IP6_LEN]);
	return ip6.next == IPPROTO_TCP || ip6.next == IPPROTO_UDP;
}

static size_t wire_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct host *h = container_of(link, struct host, link);
	for (size_t i = 0; i < n; i++) {
		if (!is_for_scripts(frames[i].data, frames[i].len))
			continue;
		struct host_packet *packet = malloc(sizeof(*packet));
		if (!packet || frames[i].len > sizeof(packet->bytes))
			abort();
		packet->at = now;
		packet->len = frames[i].len;
		memcpy(packet->bytes, frames[i].data, frames[i].len);
		list_push_back(&h->sent, &packet->of_sent);
	}
	return n;
}

static void wire_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops wire_ops = { .send = wire_send, .free = wire_free };

void host_packet_in(struct host *h, const uint8_t *bytes, size_t len)
{
	uint8_t room[WEFT_HEADROOM + HOST_PACKET_MAX];
	struct weft_frame frame = { .data = room + WEFT_HEADROOM,
				    .len = (uint32_t)len,
				    .headroom = WEFT_HEADROOM };
	if (len > HOST_PACKET_MAX)
		abort();
	memcpy(frame.data, bytes, len);
	link_deliver(&h->link, &frame, 1, h->now);
	host_run_until(h, h->now);
}

struct host_packet *host_packet_out(struct host *h)
{
	struct list *node = list_pop_front(&h->sent);
	return node ? container_of(node, struct host_packet, of_sent) : NULL;
}

bool host_has_packet(const struct host *h)
{
	return !list_is_empty(&h->sent);
}

/* ---- time -------------------------------------------------------------------------------- */

uint64_t host_next(const struct host *h)
{
	const struct weft_task *task = weft_stack_task(h->stack);
	return task->deadline(task);
}

void host_run_until(struct host *h, uint64_t until)
{
	struct weft_task *task = weft_stack_task(h->stack);
	uint64_t next;
	while ((next = host_next(h)) <= until) {
		h->now = next > h->now ? next : h->now;
		task->run(task, h->now);
	}
	h->now = until > h->now ? until : h->now;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int add_network(struct host *h, struct weft_iface *iface, const char *local,
		       const char *everything)
{
	struct weft_ip ip, all;
	if (weft_ip_parse(local, &ip) < 0 || weft_ip_parse(everything, &all) < 0)
		return -EINVAL;
	int r = weft_iface_add_address(iface, &ip, WEFT_ADDRESS_NO_DAD, h->now);
	return r < 0 ? r : weft_stack_add_route(h->stack, &all, NULL, iface);
}

static int add_interface(struct host *h, uint32_t mtu)
{
	struct weft_iface_opts opts = { .mtu = mtu, .no_slaac = true };
	struct weft_iface *iface;
	int r = weft_stack_add_interface(h->stack, &h->link, &opts, h->now, &iface);
	if (r >= 0)
		r = add_network(h, iface, HOST_LOCAL4, "0.0.0.0/0");
	if (r >= 0)
		r = add_network(h, iface, HOST_LOCAL6, "::/0");
	return r;
}

int host_init(struct host *h, uint32_t mtu)
{
	static const uint8_t secret[16] = "of transcripts";
	struct weft_stack_opts opts = { .secret = secret };
	struct weft_sockets_opts sockets_opts = { .sockets_max = HOST_SOCKETS_MAX };
	const struct weft_link_caps caps = { .flags = WEFT_LINK_IP,
					     .frame_len_max = mtu };
	*h = (struct host){ .now = START_NS };
	list_init(&h->sent);
	link_init(&h->link, &wire_ops, "wire", -1, caps);
	int r = weft_stack_new(&opts, h->now, &h->stack);
	if (r < 0)
		goto free_link;
	r = add_interface(h, mtu);
	if (r >= 0)
		r = weft_sockets_new(h->stack, &sockets_opts, &h->sockets);
	if (r >= 0)
		return 0;
	weft_stack_free(h->stack);
free_link:
	weft_link_free(&h->link);
	return r;
}

void host_fini(struct host *h)
{
	weft_sockets_free(h->sockets, h->now);
	weft_stack_free(h->stack);
	weft_link_free(&h->link);
	list_for_each (node, &h->sent)
		free(container_of(node, struct host_packet, of_sent));
}

/* ---- making, naming, connecting ---------------------------------------------------------- */

static bool is_ours(int s)
{
	return s >= 0 && (unsigned)s < HOST_SOCKETS_MAX;
}

/* What a call made due happens before it is over, as it would in a kernel. */
static int settled(struct host *h, int result)
{
	host_run_until(h, h->now);
	return result;
}

int host_socket(struct host *h, int domain, int type)
{
	int s = weft_socket_open(h->sockets, domain,
				 type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (s >= 0)
		h->is_nonblocking[s] = type & SOCK_NONBLOCK;
	return s;
}

int host_bind(struct host *h, int s, const union weft_sockaddr *local)
{
	return weft_socket_bind(h->sockets, s, local);
}

int host_listen(struct host *h, int s, int backlog)
{
	return weft_socket_listen(h->sockets, s, backlog);
}

int host_accept(struct host *h, int s)
{
	int r = weft_socket_accept(h->sockets, s, h->now);
	if (r >= 0)
		h->is_nonblocking[r] = false;
	return settled(h, r);
}

int host_connect(struct host *h, int s, const union weft_sockaddr *peer)
{
	return settled(h, weft_socket_connect(h->sockets, s, peer, h->now));
}

int host_connected(struct host *h, int s)
{
	int events = weft_socket_poll(h->sockets, s);
	if (events < 0)
		return events;
	if ((unsigned)events & WEFT_ENDED)
		return weft_socket_error(h->sockets, s);
	return (unsigned)events & WEFT_WRITABLE ? 0 : -EINPROGRESS;
}

int host_shutdown(struct host *h, int s, int how)
{
	return settled(h, weft_socket_shutdown(h->sockets, s, how, h->now));
}

int host_close(struct host *h, int s)
{
	return settled(h, weft_socket_close(h->sockets, s, h->now));
}

/* ---- data -------------------------------------------------------------------------------- */

int host_read(struct host *h, int s, void *buf, size_t len)
{
	return settled(h, weft_socket_recv(h->sockets, s, buf, len, h->now));
}

int host_write(struct host *h, int s, const void *data, size_t len, int flags)
{
	return settled(h,
		       flags & MSG_OOB
			       ? weft_socket_send_urgent(h->sockets, s, data, len, h->now)
			       : weft_socket_send(h->sockets, s, data, len, h->now));
}

int host_sendto(struct host *h, int s, const void *data, size_t len,
		const union weft_sockaddr *peer)
{
	return settled(h, weft_socket_sendto(h->sockets, s, data, len, peer, h->now));
}

int host_recvfrom(struct host *h, int s, void *buf, size_t len,
		  union weft_sockaddr *ret_peer)
{
	return weft_socket_recvfrom(h->sockets, s, buf, len, ret_peer);
}

/* ---- flags, options, readiness ----------------------------------------------------------- */

int host_getflags(const struct host *h, int s)
{
	if (!is_ours(s) || weft_socket_poll(h->sockets, s) < 0)
		return -EBADF;
	return O_RDWR | (h->is_nonblocking[s] ? O_NONBLOCK : 0);
}

int host_setflags(struct host *h, int s, int flags)
{
	if (host_getflags(h, s) < 0)
		return -EBADF;
	h->is_nonblocking[s] = flags & O_NONBLOCK;
	return 0;
}

bool host_is_blocking(const struct host *h, int s)
{
	return is_ours(s) && !h->is_nonblocking[s];
}

/* What the name of an option stands for; -ENOPROTOOPT if it has no meaning here. */
static int option_of(int level, int name)
{
	static const struct {
		int level, name;
		enum weft_socket_option option;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, WEFT_SO_KEEPALIVE },
		{ SOL_SOCKET, SO_SNDBUF, WEFT_SO_SNDBUF },
		{ IPPROTO_TCP, TCP_NODELAY, WEFT_SO_NODELAY },
		{ IPPROTO_TCP, TCP_CORK, WEFT_SO_CORK },
		{ IPPROTO_TCP, TCP_KEEPIDLE, WEFT_SO_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL, WEFT_SO_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT, WEFT_SO_KEEPCNT },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, WEFT_SO_USER_TIMEOUT },
		{ IPPROTO_IPV6, IPV6_V6ONLY, WEFT_SO_V6ONLY },
		{ IPPROTO_IP, IP_TOS, WEFT_SO_TOS },
		{ IPPROTO_IP, IP_TTL, WEFT_SO_TTL },
		{ IPPROTO_IPV6, IPV6_TCLASS, WEFT_SO_TOS },
		{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, WEFT_SO_TTL },
	};
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i].level == level && options[i].name == name)
			return (int)options[i].option;
	}
	return -ENOPROTOOPT;
}

int host_setsockopt(struct host *h, int s, int level, int name, int value)
{
	int option = option_of(level, name);
	if (level == SOL_SOCKET && name == SO_REUSEADDR)
		return 0; /* As it always is here: TIME-WAIT never stops a listener. */
	if (option < 0)
		return option;
	return settled(h, weft_socket_set(h->sockets, s, (enum weft_socket_option)option,
					  value, h->now));
}

static int get_error(struct host *h, int s, int *ret_value)
{
	int error = weft_socket_error(h->sockets, s);
	if (error == -EBADF)
		return error;
	*ret_value = -error;
	return 0;
}

int host_getsockopt(struct host *h, int s, int level, int name, int *ret_value)
{
	if (level == SOL_SOCKET && name == SO_ERROR)
		return get_error(h, s, ret_value);
	int option = option_of(level, name);
	if (option < 0)
		return option;
	int value = weft_socket_get(h->sockets, s, (enum weft_socket_option)option);
	if (value < 0)
		return value;
	*ret_value = value;
	return 0;
}

int host_poll(const struct host *h, int s)
{
	int events = weft_socket_poll(h->sockets, s), revents = 0;
	if (events < 0)
		return POLLNVAL;
	if ((unsigned)events & WEFT_READABLE)
		revents |= POLLIN;
	if ((unsigned)events & WEFT_WRITABLE)
		revents |= POLLOUT;
	if ((unsigned)events & WEFT_ENDED)
		revents |= POLLHUP;
	if ((unsigned)events & WEFT_URGENT)
		revents |= POLLPRI;
	return revents;
}
