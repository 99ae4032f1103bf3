/* SPDX-License-Identifier: MIT */
/*
 * The network's header first, then whatever the protocol has. Of a quote, eight bytes behind
 * the network's header are all that one may hope for (RFC 792).
 */
#include "tunnel/tuple.h"

#include "wire/cursor.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

#include <errno.h>
#include <netinet/in.h>

/* The bytes behind the network's header. */
struct rest {
	const uint8_t *data;
	size_t len;
	uint32_t off; /* From the packet's start. */
	bool is_quoted;
};

static enum tuple_part part_of(uint16_t off, bool more)
{
	if (off > 0)
		return TUPLE_LATER;
	return more ? TUPLE_FIRST : TUPLE_WHOLE;
}

static int read_ip4(const uint8_t *data, uint32_t len, struct rest *rest, struct tuple *t)
{
	struct ip4_hdr ip;
	int hdr_len = rest->is_quoted ? ip4_hdr_peek(data, len, &ip)
				      : ip4_hdr_parse(data, len, &ip);
	if (hdr_len < 0)
		return -EBADMSG;
	uint32_t end = ip.total_len < len ? ip.total_len : len;
	t->src = prefix_of_ip4(ip.src);
	t->dst = prefix_of_ip4(ip.dst);
	t->protocol = ip.proto;
	t->part = part_of(ip.frag_off, ip.mf);
	t->frag_id = ip.id;
	rest->off = (uint32_t)hdr_len;
	rest->data = data + hdr_len;
	rest->len = end - (uint32_t)hdr_len;
	/* A second one could write over flags that have been looked at (RFC 3128). */
	return ip.proto == IPPROTO_TCP && ip.frag_off > 0 && ip.frag_off < TCP_LEN
		       ? -EBADMSG
		       : 0;
}

static int read_ip6(const uint8_t *data, uint32_t len, struct rest *rest, struct tuple *t)
{
	struct ip6_hdr ip;
	struct ip6_ext ext;
	int r = rest->is_quoted ? ip6_hdr_peek(data, len, &ip)
				: ip6_hdr_parse(data, len, &ip);
	if (r < 0)
		return -EBADMSG;
	uint32_t end = ip.payload_len < len - IP6_LEN ? IP6_LEN + ip.payload_len : len;
	r = ip6_ext_walk(data, end, ip.next, &ext);
	if (r < 0 || (ext.has_routing && ext.segments_left > 0))
		return -EBADMSG;
	t->src = prefix_of_ip6(ip.src.octet);
	t->dst = prefix_of_ip6(ip.dst.octet);
	t->part = ext.is_fragment ? part_of(ext.frag.off, ext.frag.more) : TUPLE_WHOLE;
	t->protocol = t->part == TUPLE_LATER ? 0 : ext.proto;
	t->frag_id = ext.frag.id;
	rest->off = (uint32_t)r;
	rest->data = data + r;
	rest->len = end - (uint32_t)r;
	return t->part == TUPLE_LATER && ext.proto == IPPROTO_TCP &&
			       ext.frag.off < TCP_LEN
		       ? -EBADMSG
		       : 0;
}

/* All that have them have them in the same place. */
static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_UDPLITE;
}

static int read_ports(const struct rest *rest, struct tuple *t)
{
	if (rest->len < 4)
		return -EBADMSG;
	t->has_ports = true;
	t->sport = load_be16(rest->data);
	t->dport = load_be16(rest->data + 2);
	return 0;
}

static int read_tcp(const struct rest *rest, struct tuple *t)
{
	struct tcp_hdr tcp;
	if (rest->is_quoted)
		return read_ports(rest, t);
	if (tcp_hdr_parse(rest->data, rest->len, &tcp) < 0)
		return -EBADMSG;
	t->is_opening = (tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	t->is_fin = tcp.flags & TCP_FIN;
	t->is_rst = tcp.flags & TCP_RST;
	return read_ports(rest, t);
}

static int read_icmp(const struct rest *rest, struct tuple *t)
{
	struct icmp_hdr icmp;
	bool is_ip6 = t->protocol == IPPROTO_ICMPV6;
	if (icmp_hdr_parse(rest->data, rest->len, &icmp) < 0)
		return -EBADMSG;
	bool is_request = icmp.type == icmp_echo_type(is_ip6);
	bool is_reply = icmp.type == icmp_echo_reply_type(is_ip6);
	if (is_request || is_reply)
		t->sport = t->dport = icmp_echo_id(&icmp);
	t->is_opening = is_request;
	/* A redirect quotes a packet, too, but is nothing that its sender waits for. */
	t->is_error = is_ip6 ? icmp6_is_error(icmp.type)
			     : icmp4_is_error(icmp.type) && icmp.type != ICMP4_REDIRECT;
	t->quote_off = rest->off + ICMP_LEN;
	return 0;
}

static int read_transport(const struct rest *rest, struct tuple *t)
{
	if (t->part == TUPLE_LATER)
		return 0;
	if (t->protocol == IPPROTO_TCP)
		return read_tcp(rest, t);
	if (has_ports(t->protocol))
		return read_ports(rest, t);
	if (t->protocol == (t->src.is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return read_icmp(rest, t);
	return 0;
}

static int read_packet(const uint8_t *data, uint32_t len, bool is_quoted,
		       struct tuple *ret_tuple)
{
	struct rest rest = { .is_quoted = is_quoted };
	struct tuple t = { .part = TUPLE_WHOLE };
	if (len == 0)
		return -EBADMSG;
	int r = data[0] >> 4 == 6 ? read_ip6(data, len, &rest, &t)
				  : read_ip4(data, len, &rest, &t);
	if (r == 0)
		r = read_transport(&rest, &t);
	if (r == 0)
		*ret_tuple = t;
	return r;
}

int tuple_read(const uint8_t *data, uint32_t len, struct tuple *ret_tuple)
{
	return read_packet(data, len, false, ret_tuple);
}

int tuple_read_quoted(const uint8_t *data, uint32_t len, struct tuple *ret_tuple)
{
	return read_packet(data, len, true, ret_tuple);
}
