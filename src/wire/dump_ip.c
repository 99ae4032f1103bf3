/* SPDX-License-Identifier: MIT */
/*
 * The part of a dump line that IP and its passengers make:
 *
 *     IP 192.0.2.1.5000 > 192.0.2.2.7: UDP, length 5
 *
 * The IP layer fills in a struct upper; who prints the upper layer prints the addresses
 * too, because only there are ports known. A packet whose length goes past the frame is
 * printed as far as it is there, and marked.
 */
#include "wire/dhcp.h"
#include "wire/dump.h"
#include "wire/icmp.h"
#include "wire/igmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/nd.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <weft/addr.h>

#include <netinet/in.h>
#include <string.h>

/* What an IP packet carries, and between whom. */
struct upper {
	const char *ip; /* "IP" or "IP6". */
	char src[WEFT_IP_TEXT], dst[WEFT_IP_TEXT];
	uint8_t proto;
	const uint8_t *data;
	size_t len;       /* Bytes that are there. */
	size_t whole_len; /* Bytes that the IP header promises. */
	bool is_fragment, more;
	uint32_t id;
	size_t frag_off;
	bool is_marked; /* The line says already that something is wrong. */
};

static void print_ip4(char text[WEFT_IP_TEXT], uint32_t addr)
{
	struct weft_ip ip = {
		.family = AF_INET,
		.prefix = 32,
		.octet = { (uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
			   (uint8_t)(addr >> 8), (uint8_t)addr },
	};
	weft_ip_print(&ip, text);
}

static void print_ip6(char text[WEFT_IP_TEXT], const struct ip6_addr *addr)
{
	struct weft_ip ip = { .family = AF_INET6, .prefix = 128 };
	memcpy(ip.octet, addr->octet, sizeof(addr->octet));
	weft_ip_print(&ip, text);
}

/* Says once that the upper layer ends before need bytes, or is wrong in itself. */
static void add_flaw(struct fmt *f, struct upper *up, size_t need)
{
	dump_flaw(f, up->len, up->len < up->whole_len ? up->whole_len : need);
	up->is_marked = true;
}

static void add_addrs(struct fmt *f, const struct upper *up)
{
	fmt_add(f, "%s %s > %s: ", up->ip, up->src, up->dst);
}

static void add_fragment(struct fmt *f, const struct upper *up)
{
	if (up->is_fragment)
		fmt_add(f, "fragment id %u offset %zu%s, ", up->id, up->frag_off,
			up->more ? "+" : "");
}

static void add_ports(struct fmt *f, const struct upper *up, uint16_t sport,
		      uint16_t dport)
{
	fmt_add(f, "%s %s.%u > %s.%u: ", up->ip, up->src, sport, up->dst, dport);
	add_fragment(f, up);
}

/* ---- TCP --------------------------------------------------------------------------------- */

/* The flags as tcpdump has them: "." is ACK, and a segment without any is "none". */
static void add_tcp_flags(struct fmt *f, uint16_t flags)
{
	static const char letters[] = "FSRP.UEWe";
	fmt_add(f, "Flags [");
	for (unsigned i = 0; i < sizeof(letters) - 1; i++) {
		if (flags >> i & 1)
			fmt_add(f, "%c", letters[i]);
	}
	fmt_add(f, flags ? "]" : "none]");
}

/* What stands before an item of a list. */
static const char *separator(bool *is_first)
{
	const char *text = *is_first ? "" : ",";
	*is_first = false;
	return text;
}

static void add_tcp_options(struct fmt *f, const struct tcp_hdr *tcp)
{
	struct tcp_opts opts;
	bool first = true;
	int n = tcp_opts_parse(tcp->options, tcp->options_len, &opts);
	if (n < 0)
		fmt_add(f, ", options [malformed]");
	if (n <= 0)
		return;
	fmt_add(f, ", options [");
	if (opts.has_mss)
		fmt_add(f, "%smss %u", separator(&first), opts.mss);
	if (opts.sack_permitted)
		fmt_add(f, "%ssackOK", separator(&first));
	if (opts.has_timestamps)
		fmt_add(f, "%sTS val %u ecr %u", separator(&first), opts.ts_val,
			opts.ts_ecr);
	if (opts.has_wscale)
		fmt_add(f, "%swscale %u", separator(&first), opts.wscale);
	if (opts.sacks_n > 0)
		fmt_add(f, "%ssack %u ", separator(&first), opts.sacks_n);
	for (size_t i = 0; i < opts.sacks_n; i++)
		fmt_add(f, "{%u:%u}", opts.sacks[i].left, opts.sacks[i].right);
	fmt_add(f, "]");
}

static size_t dump_tcp(struct fmt *f, struct upper *up)
{
	struct tcp_hdr tcp;
	int hdr_len = tcp_hdr_parse(up->data, up->len, &tcp);
	if (hdr_len < 0) {
		add_addrs(f, up);
		fmt_add(f, "TCP ");
		add_flaw(f, up, TCP_LEN);
		return 0;
	}
	size_t len = up->whole_len - (size_t)hdr_len;
	add_ports(f, up, tcp.sport, tcp.dport);
	add_tcp_flags(f, tcp.flags);
	if (len > 0)
		fmt_add(f, ", seq %u:%u", tcp.seq, tcp.seq + (uint32_t)len);
	else if (tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST))
		fmt_add(f, ", seq %u", tcp.seq);
	if (tcp.flags & TCP_ACK)
		fmt_add(f, ", ack %u", tcp.ack);
	fmt_add(f, ", win %u", tcp.window);
	if (tcp.flags & TCP_URG)
		fmt_add(f, ", urg %u", tcp.urgent);
	add_tcp_options(f, &tcp);
	fmt_add(f, ", length %zu", len);
	return up->len - (size_t)hdr_len;
}

/* ---- UDP and DHCP ------------------------------------------------------------------------ */

static bool is_dhcp_port(uint16_t port)
{
	return port == DHCP_SERVER_PORT || port == DHCP_CLIENT_PORT;
}

/* Returns false, and appends nothing, if the payload is no DHCP. */
static bool dump_dhcp(struct fmt *f, const uint8_t *data, size_t len)
{
	struct dhcp_msg msg;
	char text[WEFT_IP_TEXT];
	char mac[WEFT_MAC_TEXT];
	if (dhcp_msg_parse(data, len, &msg) < 0)
		return false;
	fmt_add(f, "%s %s %s", dhcp_type_name(msg.type),
		msg.op == DHCP_OP_REQUEST ? "from" : "to",
		weft_mac_print(msg.chaddr, mac));
	if (msg.requested_ip) {
		print_ip4(text, msg.requested_ip);
		fmt_add(f, ", requested-address %s", text);
	}
	if (msg.yiaddr) {
		print_ip4(text, msg.yiaddr);
		fmt_add(f, ", your-address %s", text);
	}
	fmt_add(f, ", length %zu", len);
	return true;
}

static size_t dump_udp(struct fmt *f, struct upper *up)
{
	struct udp_hdr udp;
	if (udp_hdr_peek(up->data, up->len, &udp) < 0) {
		add_addrs(f, up);
		fmt_add(f, "UDP ");
		add_flaw(f, up, UDP_LEN);
		return 0;
	}
	size_t len = udp.len < up->len ? udp.len : up->len;
	add_ports(f, up, udp.sport, udp.dport);
	if (is_dhcp_port(udp.sport) && is_dhcp_port(udp.dport) &&
	    dump_dhcp(f, up->data + UDP_LEN, len - UDP_LEN))
		return 0;
	fmt_add(f, "UDP, length %u", udp.len - UDP_LEN);
	if (udp.len > up->whole_len && !up->is_fragment)
		fmt_add(f, " [malformed]");
	return len - UDP_LEN;
}

/* ---- ICMP and IGMP ----------------------------------------------------------------------- */

static const char *icmp4_unreachable_name(uint8_t code)
{
	static const char *const names[256] = {
		[0] = "net unreachable",
		[1] = "host unreachable",
		[2] = "protocol unreachable",
		[3] = "port unreachable",
		[ICMP4_CODE_FRAG_NEEDED] = "need to frag",
		[5] = "source route failed",
		[9] = "net prohibited",
		[10] = "host prohibited",
		[13] = "admin prohibited",
	};
	return names[code] ? names[code] : "unreachable";
}

/* The name of a message; NULL where it has none. */
static const char *icmp4_name(const struct icmp_hdr *icmp)
{
	static const char *const names[256] = {
		[ICMP4_ECHO_REPLY] = "echo reply",
		[ICMP4_SOURCE_QUENCH] = "source quench",
		[ICMP4_REDIRECT] = "redirect",
		[ICMP4_ECHO] = "echo request",
		[ICMP4_ROUTER_ADVERT] = "router advertisement",
		[ICMP4_ROUTER_SOLICIT] = "router solicitation",
		[ICMP4_TIME_EXCEEDED] = "time exceeded",
		[ICMP4_PARAM_PROBLEM] = "parameter problem",
	};
	if (icmp->type == ICMP4_UNREACHABLE)
		return icmp4_unreachable_name(icmp->code);
	return names[icmp->type];
}

static const char *icmp6_name(uint8_t type)
{
	static const char *const names[256] = {
		[ICMP6_UNREACHABLE] = "unreachable",
		[ICMP6_PACKET_TOO_BIG] = "packet too big",
		[ICMP6_TIME_EXCEEDED] = "time exceeded",
		[ICMP6_PARAM_PROBLEM] = "parameter problem",
		[ICMP6_ECHO] = "echo request",
		[ICMP6_ECHO_REPLY] = "echo reply",
		[ICMP6_MLD_QUERY] = "multicast listener query",
		[ICMP6_MLD_REPORT] = "multicast listener report",
		[ICMP6_MLD_DONE] = "multicast listener done",
		[ICMP6_ROUTER_SOLICIT] = "router solicitation",
		[ICMP6_ROUTER_ADVERT] = "router advertisement",
		[ICMP6_NEIGHBOR_SOLICIT] = "neighbor solicitation",
		[ICMP6_NEIGHBOR_ADVERT] = "neighbor advertisement",
		[ICMP6_REDIRECT] = "redirect",
		[ICMP6_MLD2_REPORT] = "multicast listener report v2",
	};
	return names[type];
}

static void add_icmp_name(struct fmt *f, const char *name, const struct icmp_hdr *icmp)
{
	if (name)
		fmt_add(f, "%s", name);
	else
		fmt_add(f, "type %u code %u", icmp->type, icmp->code);
}

static void add_echo(struct fmt *f, const struct icmp_hdr *icmp)
{
	fmt_add(f, ", id %u, seq %u", icmp_echo_id(icmp), icmp_echo_seq(icmp));
}

static void dump_icmp4(struct fmt *f, struct upper *up)
{
	struct icmp_hdr icmp;
	fmt_add(f, "ICMP ");
	if (icmp_hdr_parse(up->data, up->len, &icmp) < 0) {
		add_flaw(f, up, ICMP_LEN);
		return;
	}
	add_icmp_name(f, icmp4_name(&icmp), &icmp);
	if (icmp.type == ICMP4_ECHO || icmp.type == ICMP4_ECHO_REPLY)
		add_echo(f, &icmp);
	else if (icmp.type == ICMP4_UNREACHABLE && icmp.code == ICMP4_CODE_FRAG_NEEDED)
		fmt_add(f, " (mtu %u)", icmp.rest & 0xffff);
	fmt_add(f, ", length %zu", up->whole_len);
}

static void add_neighbor(struct fmt *f, struct upper *up, const struct icmp_hdr *icmp)
{
	struct nd_msg msg;
	char text[WEFT_IP_TEXT];
	if (nd_msg_parse(up->data, up->len, &msg) < 0) {
		fmt_add(f, " ");
		add_flaw(f, up, 0);
		return;
	}
	print_ip6(text, &msg.target);
	fmt_add(f, icmp->type == ICMP6_NEIGHBOR_SOLICIT ? ", who has %s" : ", tgt is %s",
		text);
}

static void dump_icmp6(struct fmt *f, struct upper *up)
{
	struct icmp_hdr icmp;
	fmt_add(f, "ICMP6, ");
	if (icmp_hdr_parse(up->data, up->len, &icmp) < 0) {
		add_flaw(f, up, ICMP_LEN);
		return;
	}
	add_icmp_name(f, icmp6_name(icmp.type), &icmp);
	if (icmp.type == ICMP6_ECHO || icmp.type == ICMP6_ECHO_REPLY)
		add_echo(f, &icmp);
	else if (icmp.type == ICMP6_PACKET_TOO_BIG)
		fmt_add(f, " (mtu %u)", icmp.rest);
	else if (icmp.type == ICMP6_NEIGHBOR_SOLICIT ||
		 icmp.type == ICMP6_NEIGHBOR_ADVERT)
		add_neighbor(f, up, &icmp);
	fmt_add(f, ", length %zu", up->whole_len);
}

/* RFC 2236, 2; RFC 3376, 4. */
static void dump_igmp(struct fmt *f, struct upper *up)
{
	static const char *const names[256] = {
		[IGMP_TYPE_QUERY] = "query",       [IGMP_TYPE_REPORT1] = "v1 report",
		[IGMP_TYPE_REPORT2] = "v2 report", [IGMP_TYPE_LEAVE] = "leave",
		[IGMP_TYPE_REPORT3] = "v3 report",
	};
	fmt_add(f, "IGMP ");
	if (up->len < IGMP_LEN) {
		add_flaw(f, up, IGMP_LEN);
		return;
	}
	uint8_t type = up->data[0];
	if (names[type])
		fmt_add(f, "%s", names[type]);
	else
		fmt_add(f, "type 0x%02x", type);
	if (type !=
	    IGMP_TYPE_REPORT3) /* It has a list where the others have one group. */
		fmt_add(f, " %u.%u.%u.%u", up->data[4], up->data[5], up->data[6],
			up->data[7]);
	fmt_add(f, ", length %zu", up->whole_len);
}

/* ---- IP ---------------------------------------------------------------------------------- */

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_ICMPV6:
		return "ICMP6";
	case IPPROTO_GRE:
		return "GRE";
	case IPPROTO_ESP:
		return "ESP";
	default:
		return NULL;
	}
}

static void add_proto(struct fmt *f, const struct upper *up)
{
	const char *name = proto_name(up->proto);
	if (name)
		fmt_add(f, "%s, length %zu", name, up->whole_len);
	else
		fmt_add(f, "protocol %u, length %zu", up->proto, up->whole_len);
}

/* Protocols without ports, and what stands in a later fragment. */
static void dump_portless(struct fmt *f, struct upper *up)
{
	add_addrs(f, up);
	add_fragment(f, up);
	bool is_start = up->frag_off == 0;
	if (is_start && up->proto == IPPROTO_ICMP)
		dump_icmp4(f, up);
	else if (is_start && up->proto == IPPROTO_ICMPV6)
		dump_icmp6(f, up);
	else if (is_start && up->proto == IPPROTO_IGMP)
		dump_igmp(f, up);
	else
		add_proto(f, up);
}

static size_t dump_upper(struct fmt *f, struct upper *up)
{
	size_t payload_len = 0;
	if (up->frag_off == 0 && up->proto == IPPROTO_TCP)
		payload_len = dump_tcp(f, up);
	else if (up->frag_off == 0 && up->proto == IPPROTO_UDP)
		payload_len = dump_udp(f, up);
	else
		dump_portless(f, up);
	if (up->len < up->whole_len && !up->is_marked)
		fmt_add(f, " [truncated]");
	return payload_len;
}

size_t dump_ip4(struct fmt *f, const uint8_t *data, size_t len)
{
	struct ip4_hdr ip;
	int r = ip4_hdr_peek(data, len, &ip);
	if (r < 0) {
		size_t need = len >= IP4_LEN ? (size_t)(data[IP4_OFF_VERSION] & 0x0f) * 4
					     : IP4_LEN;
		fmt_add(f, "IP ");
		dump_flaw(f, len, need);
		return 0;
	}
	size_t hdr_len = (size_t)r;
	struct upper up = {
		.ip = "IP",
		.proto = ip.proto,
		.data = data + hdr_len,
		.len = (len < ip.total_len ? len : ip.total_len) - hdr_len,
		.whole_len = ip.total_len - hdr_len,
		.is_fragment = ip4_is_fragment(&ip),
		.more = ip.mf,
		.id = ip.id,
		.frag_off = ip.frag_off,
	};
	print_ip4(up.src, ip.src);
	print_ip4(up.dst, ip.dst);
	return dump_upper(f, &up);
}

size_t dump_ip6(struct fmt *f, const uint8_t *data, size_t len)
{
	struct ip6_hdr ip;
	if (ip6_hdr_peek(data, len, &ip) < 0) {
		fmt_add(f, "IP6 ");
		dump_flaw(f, len, IP6_LEN);
		return 0;
	}
	size_t whole_len = IP6_LEN + (size_t)ip.payload_len;
	size_t there = len < whole_len ? len : whole_len;
	struct upper up = { .ip = "IP6" };
	print_ip6(up.src, &ip.src);
	print_ip6(up.dst, &ip.dst);
	struct ip6_ext ext;
	int r = ip6_ext_walk(data, there, ip.next, &ext);
	if (r < 0) {
		add_addrs(f, &up);
		fmt_add(f, "extension headers ");
		dump_flaw(f, there, whole_len);
		return 0;
	}
	up.proto = ext.proto;
	up.data = data + r;
	up.len = there - (size_t)r;
	up.whole_len = whole_len - (size_t)r;
	up.is_fragment = ext.is_fragment;
	up.more = ext.frag.more;
	up.id = ext.frag.id;
	up.frag_off = ext.frag.off;
	return dump_upper(f, &up);
}
