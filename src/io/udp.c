/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets with what QUIC wants to know of each datagram: where it was sent to
 * (IP_PKTINFO, RFC 3542 6.2), its ECN bits (RFC 9000 13.4), and that routers never fragment
 * it (IP_PMTUDISC_PROBE: DF set, while the kernel's idea of the path MTU stays out of the
 * sender's own search, RFC 8899).
 *
 * On a dual-stack socket the kernel reports IPv4 datagrams with a mapped address in
 * IPV6_PKTINFO but with ECN in IP_TOS, and takes IPv4 control messages for mapped peers.
 */
#include "io/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_LEN (4 * 1024 * 1024)

#define ECN_MASK 0x03u

/* ---- the socket -------------------------------------------------------------------------- */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* As root the limits of net.core.{r,w}mem_max can be passed; else what they allow is used. */
static void set_buffers(int fd)
{
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_LEN) < 0)
		(void)set_int(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_LEN);
	if (set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_LEN) < 0)
		(void)set_int(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_LEN);
}

/* The IPv4 options also matter on an IPv6 socket, for its IPv4 peers. */
static int set_options(int fd, int family)
{
	int r = set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	if (r >= 0)
		r = set_int(fd, IPPROTO_IP, IP_RECVTOS, 1);
	if (r >= 0 && family == AF_INET)
		r = set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (r >= 0 && family == AF_INET6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (r >= 0 && family == AF_INET6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	if (r >= 0 && family == AF_INET6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	if (r >= 0 && family == AF_INET6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set_buffers(fd);
	return r;
}

static int open_bound(const union weft_sockaddr *addr, int *ret_fd,
		      union weft_sockaddr *ret_bound)
{
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = set_options(fd, addr->sa.sa_family);
	if (r < 0)
		goto close_fd;
	union weft_sockaddr bound = { 0 };
	socklen_t len = sizeof(bound);
	if (bind(fd, &addr->sa, weft_sockaddr_len(addr)) < 0 ||
	    getsockname(fd, &bound.sa, &len) < 0) {
		r = -errno;
		goto close_fd;
	}
	*ret_fd = fd;
	*ret_bound = bound;
	return 0;

close_fd:
	(void)close(fd);
	return r;
}

static int explain(struct weft_error *err, int code, const union weft_sockaddr *addr)
{
	char text[WEFT_SOCKADDR_TEXT];
	weft_sockaddr_print(addr, text);
	switch (code) {
	case -EADDRINUSE:
		return weft_error_set(
			err, code,
			"UDP port %s is in use by another program; end it or "
			"choose another port",
			text);
	case -EACCES:
		return weft_error_set(
			err, code,
			"no permission for UDP port %s: ports below 1024 need "
			"root or CAP_NET_BIND_SERVICE",
			text);
	case -EADDRNOTAVAIL:
		return weft_error_set(
			err, code,
			"cannot use UDP port %s: this machine does not have "
			"that address",
			text);
	default:
		return weft_error_set(err, code, "cannot use UDP port %s: %s", text,
				      strerror(-code));
	}
}

/* Opens and binds a socket. Where [::] was asked for on a host without IPv6, it is 0.0.0.0. */
static int udp_open(const union weft_sockaddr *addr, struct weft_error *err, int *ret_fd,
		    union weft_sockaddr *ret_bound)
{
	int r = open_bound(addr, ret_fd, ret_bound);
	bool any6 = addr->sa.sa_family == AF_INET6 &&
		    IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
	if (any6 && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)) {
		const union weft_sockaddr any4 = {
			.in = { .sin_family = AF_INET, .sin_port = addr->in6.sin6_port }
		};
		r = open_bound(&any4, ret_fd, ret_bound);
	}
	return r < 0 ? explain(err, r, addr) : 0;
}

bool udp_is_peer_error(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH || err == ENETUNREACH ||
	       err == EHOSTDOWN || err == ENETDOWN || err == EPROTO ||
	       err == ENOPROTOOPT || err == EOPNOTSUPP || err == EMSGSIZE;
}

/* ---- mapped addresses -------------------------------------------------------------------- */

static void unmap(union weft_sockaddr *addr)
{
	if (addr->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return;
	union weft_sockaddr v4 = { .in = { .sin_family = AF_INET,
					   .sin_port = addr->in6.sin6_port } };
	memcpy(&v4.in.sin_addr, &addr->in6.sin6_addr.s6_addr[12], 4);
	*addr = v4;
}

static union weft_sockaddr map(const union weft_sockaddr *addr)
{
	union weft_sockaddr v6 = { .in6 = { .sin6_family = AF_INET6,
					    .sin6_port = addr->in.sin_port } };
	v6.in6.sin6_addr.s6_addr[10] = 0xff;
	v6.in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&v6.in6.sin6_addr.s6_addr[12], &addr->in.sin_addr, 4);
	return v6;
}

/* ---- in ---------------------------------------------------------------------------------- */

void udp_prepare_recv(struct msghdr *hdr, struct udp_slot *slot)
{
	*hdr = (struct msghdr){
		.msg_name = &slot->name,
		.msg_namelen = sizeof(slot->name),
		.msg_iov = &slot->iov,
		.msg_iovlen = 1,
		.msg_control = slot->control,
		.msg_controllen = sizeof(slot->control),
	};
}

static void read_local4(const struct cmsghdr *c, const union weft_sockaddr *bound,
			union weft_sockaddr *local)
{
	struct in_pktinfo info;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	*local = (union weft_sockaddr){ .in = { .sin_family = AF_INET,
						.sin_port = bound->in.sin_port,
						.sin_addr = info.ipi_addr } };
}

static void read_local6(const struct cmsghdr *c, const union weft_sockaddr *bound,
			union weft_sockaddr *local)
{
	struct in6_pktinfo info;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	*local = (union weft_sockaddr){ .in6 = { .sin6_family = AF_INET6,
						 .sin6_port = bound->in6.sin6_port,
						 .sin6_addr = info.ipi6_addr } };
	if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		local->in6.sin6_scope_id = info.ipi6_ifindex;
	unmap(local);
}

/* Integers come as int, but for IP_TOS, which is one byte. */
static int read_int(const struct cmsghdr *c)
{
	int value = 0;
	if (c->cmsg_len < CMSG_LEN(sizeof(value)))
		return *CMSG_DATA(c);
	memcpy(&value, CMSG_DATA(c), sizeof(value));
	return value;
}

static void read_cmsg(const struct cmsghdr *c, const union weft_sockaddr *bound,
		      struct dgram_msg *msg)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
		read_local4(c, bound, &msg->local);
	else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
		read_local6(c, bound, &msg->local);
	else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
		 (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
		msg->ecn = (uint8_t)read_int(c) & ECN_MASK;
	else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
		msg->segment_len = (size_t)read_int(c);
}

bool udp_read_msg(struct msghdr *hdr, size_t len, const union weft_sockaddr *bound,
		  struct dgram_msg *ret_msg)
{
	if (hdr->msg_flags & MSG_TRUNC)
		return false;
	struct dgram_msg msg = { .data = hdr->msg_iov->iov_base, .len = len };
	memcpy(&msg.peer, hdr->msg_name, sizeof(msg.peer));
	if (weft_sockaddr_len(&msg.peer) == 0)
		return false;
	unmap(&msg.peer);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c))
		read_cmsg(c, bound, &msg);
	*ret_msg = msg;
	return true;
}

/* ---- out --------------------------------------------------------------------------------- */

void udp_put_cmsg(struct msghdr *hdr, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (void *)((uint8_t *)hdr->msg_control + hdr->msg_controllen);
	*c = (struct cmsghdr){ .cmsg_level = level,
			       .cmsg_type = type,
			       .cmsg_len = CMSG_LEN(len) };
	memcpy(CMSG_DATA(c), data, len);
	hdr->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *hdr, const union weft_sockaddr *local)
{
	if (local->sa.sa_family == AF_INET) {
		const struct in_pktinfo info = { .ipi_spec_dst = local->in.sin_addr };
		udp_put_cmsg(hdr, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else if (local->sa.sa_family == AF_INET6) {
		const struct in6_pktinfo info = { .ipi6_addr = local->in6.sin6_addr,
						  .ipi6_ifindex =
							  local->in6.sin6_scope_id };
		udp_put_cmsg(hdr, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static void put_ecn(struct msghdr *hdr, int peer_family, uint8_t ecn)
{
	const int value = (int)(ecn & ECN_MASK);
	if (value == 0)
		return;
	if (peer_family == AF_INET)
		udp_put_cmsg(hdr, IPPROTO_IP, IP_TOS, &value, sizeof(value));
	else
		udp_put_cmsg(hdr, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
}

void udp_prepare_send(struct msghdr *hdr, struct udp_slot *slot,
		      const struct dgram_msg *msg, int family)
{
	int peer_family = msg->peer.sa.sa_family;
	slot->name = peer_family == AF_INET && family == AF_INET6 ? map(&msg->peer)
								  : msg->peer;
	*hdr = (struct msghdr){
		.msg_name = &slot->name,
		.msg_namelen = weft_sockaddr_len(&slot->name),
		.msg_iov = &slot->iov,
		.msg_iovlen = 1,
		.msg_control = slot->control,
	};
	put_source(hdr, &msg->local);
	put_ecn(hdr, peer_family, msg->ecn);
	if (hdr->msg_controllen == 0)
		hdr->msg_control = NULL;
}

/* Returns 1 if sent, 0 if the socket is full, -Exxx if refused. */
static int send_one(int fd, const struct msghdr *hdr)
{
	for (;;) {
		if (sendmsg(fd, hdr, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 1;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int udp_send_singly(int fd, int family, const struct dgram_msg *msg, bool *ret_accepted)
{
	size_t step = msg->segment_len > 0 ? msg->segment_len : msg->len;
	bool accepted = false;
	size_t off = 0;
	do {
		size_t len = msg->len - off < step ? msg->len - off : step;
		struct msghdr hdr;
		struct udp_slot slot = { .iov = { .iov_base = msg->data + off,
						  .iov_len = len } };
		udp_prepare_send(&hdr, &slot, msg, family);
		int r = send_one(fd, &hdr);
		if (r == 0 && off == 0)
			return 0;
		if (off == 0)
			accepted = r > 0;
		off += len;
	} while (off < msg->len);
	if (ret_accepted)
		*ret_accepted = accepted;
	return 1;
}

int dgram_udp_new(const struct dgram_udp_opts *opts, struct weft_error *err,
		  struct dgram **ret_dgram)
{
	int fd = -1;
	union weft_sockaddr bound = { 0 };
	int r = udp_open(&opts->bind, err, &fd, &bound);
	if (r < 0)
		return r;
	r = opts->plain ? dgram_plain_new(fd, &bound, ret_dgram)
			: dgram_batched_new(fd, &bound, ret_dgram);
	if (r < 0)
		return weft_error_set(err, r, "out of memory");
	return 0;
}
