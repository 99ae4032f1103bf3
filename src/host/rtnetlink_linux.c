/* SPDX-License-Identifier: MIT */
/*
 * The socket, its errors, and addresses from and to libnl's.
 */
#include "host/rtnetlink_linux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

static int on_refusal(struct sockaddr_nl *from, struct nlmsgerr *message, void *user)
{
	struct rtnetlink *rt = user;
	(void)from;
	rt->refusal = message->error;
	return NL_STOP;
}

/* What a libnl call returned, as 0 or -errno. */
int rtnetlink_result(struct rtnetlink *rt, int nle)
{
	int refusal = rt->refusal;
	rt->refusal = 0;
	if (nle >= 0)
		return 0;
	if (refusal < 0)
		return refusal;
	switch (-nle) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:
		return -ENODEV;
	case NLE_INVAL:
		return -EINVAL;
	default:
		return -EIO;
	}
}

int rtnetlink_open(struct rtnetlink *rt)
{
	rt->sock = nl_socket_alloc();
	if (!rt->sock)
		return -ENOMEM;
	nl_socket_modify_err_cb(rt->sock, NL_CB_CUSTOM, on_refusal, rt);
	int r = rtnetlink_result(rt, nl_connect(rt->sock, NETLINK_ROUTE));
	if (r < 0)
		nl_socket_free(rt->sock);
	return r;
}

static size_t ip_len(const struct weft_ip *ip)
{
	return ip->family == AF_INET6 ? 16 : 4;
}

struct nl_addr *rtnetlink_addr(const struct weft_ip *ip)
{
	struct nl_addr *addr = nl_addr_build(ip->family, ip->octet, ip_len(ip));
	if (addr)
		nl_addr_set_prefixlen(addr, ip->prefix);
	return addr;
}

/* The default route's destination comes back from the kernel with no bytes at all. */
bool rtnetlink_addr_equals(const struct weft_ip *ip, const struct nl_addr *addr)
{
	if (!addr || nl_addr_get_prefixlen(addr) != ip->prefix)
		return false;
	if (ip->prefix == 0)
		return true;
	return nl_addr_get_family(addr) == ip->family &&
	       nl_addr_get_len(addr) == ip_len(ip) &&
	       memcmp(nl_addr_get_binary_addr(addr), ip->octet, ip_len(ip)) == 0;
}

struct weft_ip rtnetlink_ip(const struct nl_addr *addr)
{
	struct weft_ip ip = { .family = 0 };
	if (!addr || nl_addr_get_len(addr) > sizeof(ip.octet))
		return ip;
	ip.family = (uint8_t)nl_addr_get_family(addr);
	ip.prefix = (uint8_t)nl_addr_get_prefixlen(addr);
	memcpy(ip.octet, nl_addr_get_binary_addr(addr), nl_addr_get_len(addr));
	return ip;
}
