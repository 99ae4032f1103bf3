/* SPDX-License-Identifier: MIT */
/*
 * Every field of every header of a frame: a line for each header, which begins with the
 * protocol's name, and below it, indented, a line for each of its fields.
 *
 *     ether: 02:00:00:00:00:01 > 02:00:00:00:00:02, type=0x0800, len=98
 *             src: 02:00:00:00:00:01
 *             ...
 *     ip: 10.1.0.1 > 10.1.0.2, protocol=ICMP, len=84
 *             ...
 *
 * The headers are read by the parsers that everybody uses. What one of them refuses is said to
 * be malformed, and there the text ends.
 */
#include "base/fmt.h"
#include "wire/arp.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <weft/addr.h>
#include <weft/dump.h>

#include <netinet/in.h>
#include <string.h>

/* A line below a header's: the name ends in the same column. */
#define FIELD "%15s: "

/* What is left of the packet, and where it is to be described. */
struct rest {
	struct fmt *f;
	const uint8_t *data;
	size_t len;
};

static void print_mac(struct rest *r, const char *name, struct weft_mac mac)
{
	char text[WEFT_MAC_TEXT];
	fmt_add(r->f, FIELD "%s\n", name, weft_mac_print(mac, text));
}

static const char *ip4_text(uint32_t addr, char text[WEFT_IP_TEXT])
{
	struct weft_ip ip = {
		.family = AF_INET,
		.prefix = 32,
		.octet = { (uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
			   (uint8_t)(addr >> 8), (uint8_t)addr },
	};
	return weft_ip_print(&ip, text);
}

static const char *ip6_text(const struct ip6_addr *addr, char text[WEFT_IP_TEXT])
{
	struct weft_ip ip = { .family = AF_INET6, .prefix = 128 };
	memcpy(ip.octet, addr->octet, sizeof(addr->octet));
	return weft_ip_print(&ip, text);
}

static void print_flaw(struct rest *r, const char *name)
{
	fmt_add(r->f, "%s: malformed, len=%zu\n", name, r->len);
}

/* Goes on behind a header of n bytes; what is behind the whole packet is padding. */
static struct rest rest_behind(const struct rest *r, size_t n, size_t whole_len)
{
	size_t len = whole_len < r->len ? whole_len : r->len;
	return (struct rest){ .f = r->f, .data = r->data + n, .len = len - n };
}

/* ---- above IP ---------------------------------------------------------------------------- */

static const char *icmp4_name(uint8_t type)
{
	switch (type) {
	case ICMP4_ECHO_REPLY:
		return "EchoReply";
	case ICMP4_UNREACHABLE:
		return "DestinationUnreachable";
	case ICMP4_REDIRECT:
		return "Redirect";
	case ICMP4_ECHO:
		return "Echo";
	case ICMP4_TIME_EXCEEDED:
		return "TimeExceeded";
	case ICMP4_PARAM_PROBLEM:
		return "ParameterProblem";
	default:
		return "Unknown";
	}
}

static const char *icmp6_name(uint8_t type)
{
	switch (type) {
	case ICMP6_UNREACHABLE:
		return "DestinationUnreachable";
	case ICMP6_PACKET_TOO_BIG:
		return "PacketTooBig";
	case ICMP6_TIME_EXCEEDED:
		return "TimeExceeded";
	case ICMP6_PARAM_PROBLEM:
		return "ParameterProblem";
	case ICMP6_ECHO:
		return "EchoRequest";
	case ICMP6_ECHO_REPLY:
		return "EchoReply";
	case ICMP6_ROUTER_SOLICIT:
		return "RouterSolicitation";
	case ICMP6_ROUTER_ADVERT:
		return "RouterAdvertisement";
	case ICMP6_NEIGHBOR_SOLICIT:
		return "NeighborSolicitation";
	case ICMP6_NEIGHBOR_ADVERT:
		return "NeighborAdvertisement";
	case ICMP6_REDIRECT:
		return "Redirect";
	case ICMP6_MLD2_REPORT:
		return "MulticastListenerReport";
	default:
		return "Unknown";
	}
}

static void print_icmp(struct rest *r, bool is_ip6)
{
	const char *proto = is_ip6 ? "icmp6" : "icmp";
	struct icmp_hdr hdr;
	if (icmp_hdr_parse(r->data, r->len, &hdr) < 0) {
		print_flaw(r, proto);
		return;
	}
	const char *name = is_ip6 ? icmp6_name(hdr.type) : icmp4_name(hdr.type);
	bool is_echo = is_ip6 ? hdr.type == ICMP6_ECHO || hdr.type == ICMP6_ECHO_REPLY
			      : hdr.type == ICMP4_ECHO || hdr.type == ICMP4_ECHO_REPLY;
	fmt_add(r->f, "%s: type=%s, len=%zu\n", proto, name, r->len);
	fmt_add(r->f, FIELD "%u (%s)\n", "type", hdr.type, name);
	fmt_add(r->f, FIELD "%u\n", "code", hdr.code);
	fmt_add(r->f, FIELD "0x%04x\n", "sum", hdr.csum);
	if (is_echo) {
		fmt_add(r->f, FIELD "%u\n", "id", icmp_echo_id(&hdr));
		fmt_add(r->f, FIELD "%u\n", "seq", icmp_echo_seq(&hdr));
	} else {
		fmt_add(r->f, FIELD "0x%08x\n", "values", hdr.rest);
	}
}

static void print_udp(struct rest *r)
{
	struct udp_hdr hdr;
	if (udp_hdr_peek(r->data, r->len, &hdr) < 0) {
		print_flaw(r, "udp");
		return;
	}
	fmt_add(r->f, "udp: %u > %u, len=%u (payload=%u)\n", hdr.sport, hdr.dport,
		hdr.len, hdr.len - UDP_LEN);
	fmt_add(r->f, FIELD "%u\n", "src", hdr.sport);
	fmt_add(r->f, FIELD "%u\n", "dst", hdr.dport);
	fmt_add(r->f, FIELD "%u\n", "len", hdr.len);
	fmt_add(r->f, FIELD "0x%04x\n", "sum", hdr.csum);
}

/* Each control bit at its place, as "---A--S-": CWR ECE URG ACK PSH RST SYN FIN. */
static const char *tcp_flags_text(uint16_t flags, char text[9])
{
	static const char letters[] = "CEUAPRSF";
	for (unsigned i = 0; i < 8; i++)
		text[i] = (char)(flags & (0x80u >> i) ? letters[i] : '-');
	text[8] = '\0';
	return text;
}

static void print_tcp_options(struct rest *r, const struct tcp_hdr *hdr)
{
	struct tcp_opts opts;
	if (hdr->options_len == 0)
		return;
	if (tcp_opts_parse(hdr->options, hdr->options_len, &opts) < 0) {
		fmt_add(r->f, FIELD "malformed\n", "options");
		return;
	}
	if (opts.has_mss)
		fmt_add(r->f, FIELD "%u\n", "mss", opts.mss);
	if (opts.has_wscale)
		fmt_add(r->f, FIELD "%u\n", "wscale", opts.wscale);
	if (opts.sack_permitted)
		fmt_add(r->f, FIELD "permitted\n", "sack");
	if (opts.has_timestamps)
		fmt_add(r->f, FIELD "%u, echo %u\n", "timestamp", opts.ts_val,
			opts.ts_ecr);
	for (unsigned i = 0; i < opts.sacks_n; i++)
		fmt_add(r->f, FIELD "%u to %u\n", "sack", opts.sacks[i].left,
			opts.sacks[i].right);
}

static void print_tcp(struct rest *r)
{
	struct tcp_hdr hdr;
	char flags[9];
	int n = tcp_hdr_parse(r->data, r->len, &hdr);
	if (n < 0) {
		print_flaw(r, "tcp");
		return;
	}
	tcp_flags_text(hdr.flags, flags);
	fmt_add(r->f, "tcp: %u > %u, flags=%s, len=%zu (payload=%zu)\n", hdr.sport,
		hdr.dport, flags, r->len, r->len - (size_t)n);
	fmt_add(r->f, FIELD "%u\n", "src", hdr.sport);
	fmt_add(r->f, FIELD "%u\n", "dst", hdr.dport);
	fmt_add(r->f, FIELD "%u\n", "seq", hdr.seq);
	fmt_add(r->f, FIELD "%u\n", "ack", hdr.ack);
	fmt_add(r->f, FIELD "%d (%d)\n", "off", n / 4, n);
	fmt_add(r->f, FIELD "0x%02x (%s)\n", "flg", hdr.flags, flags);
	fmt_add(r->f, FIELD "%u\n", "wnd", hdr.window);
	fmt_add(r->f, FIELD "0x%04x\n", "sum", hdr.csum);
	fmt_add(r->f, FIELD "%u\n", "up", hdr.urgent);
	print_tcp_options(r, &hdr);
}

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_IGMP:
		return "IGMP";
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMPV6:
		return "ICMPv6";
	default:
		return "other";
	}
}

static void print_upper(struct rest *r, uint8_t proto)
{
	switch (proto) {
	case IPPROTO_ICMP:
		print_icmp(r, false);
		break;
	case IPPROTO_ICMPV6:
		print_icmp(r, true);
		break;
	case IPPROTO_TCP:
		print_tcp(r);
		break;
	case IPPROTO_UDP:
		print_udp(r);
		break;
	default:
		break;
	}
}

/* ---- IP ---------------------------------------------------------------------------------- */

static void print_ip4(struct rest *r)
{
	struct ip4_hdr hdr;
	char src[WEFT_IP_TEXT], dst[WEFT_IP_TEXT];
	int n = ip4_hdr_peek(r->data, r->len, &hdr);
	if (n < 0) {
		print_flaw(r, "ip");
		return;
	}
	fmt_add(r->f, "ip: %s > %s, protocol=%s, len=%u\n", ip4_text(hdr.src, src),
		ip4_text(hdr.dst, dst), proto_name(hdr.proto), hdr.total_len);
	fmt_add(r->f, FIELD "0x4%x [v: 4, hl: %d (%d)]\n", "vhl", (unsigned)n / 4, n / 4,
		n);
	fmt_add(r->f, FIELD "0x%02x\n", "tos", hdr.tos);
	fmt_add(r->f, FIELD "%u (payload: %u)\n", "total", hdr.total_len,
		hdr.total_len - (unsigned)n);
	fmt_add(r->f, FIELD "%u\n", "id", hdr.id);
	fmt_add(r->f, FIELD "%u [df=%d, mf=%d]\n", "offset", hdr.frag_off, hdr.df,
		hdr.mf);
	fmt_add(r->f, FIELD "%u\n", "ttl", hdr.ttl);
	fmt_add(r->f, FIELD "%u (%s)\n", "protocol", hdr.proto, proto_name(hdr.proto));
	fmt_add(r->f, FIELD "0x%04x\n", "sum", hdr.csum);
	fmt_add(r->f, FIELD "%s\n", "src", src);
	fmt_add(r->f, FIELD "%s\n", "dst", dst);
	if (hdr.frag_off > 0)
		return;
	struct rest upper = rest_behind(r, (size_t)n, hdr.total_len);
	print_upper(&upper, hdr.proto);
}

static void print_ip6_upper(struct rest *r, const struct ip6_hdr *hdr)
{
	struct rest packet = rest_behind(r, 0, (size_t)IP6_LEN + hdr->payload_len);
	struct ip6_ext ext;
	int n = ip6_ext_walk(packet.data, packet.len, hdr->next, &ext);
	if (n < 0) {
		print_flaw(&packet, "ip6_extension");
		return;
	}
	struct rest upper = rest_behind(&packet, (size_t)n, packet.len);
	if (!ext.is_fragment || ext.frag.off == 0)
		print_upper(&upper, ext.proto);
}

static void print_ip6(struct rest *r)
{
	struct ip6_hdr hdr;
	char src[WEFT_IP_TEXT], dst[WEFT_IP_TEXT];
	if (ip6_hdr_peek(r->data, r->len, &hdr) < 0) {
		print_flaw(r, "ip6");
		return;
	}
	fmt_add(r->f, "ip6: %s > %s, next=%s, len=%u\n", ip6_text(&hdr.src, src),
		ip6_text(&hdr.dst, dst), proto_name(hdr.next), IP6_LEN + hdr.payload_len);
	fmt_add(r->f, FIELD "0x%02x\n", "class", hdr.tclass);
	fmt_add(r->f, FIELD "0x%05x\n", "flow", hdr.flow);
	fmt_add(r->f, FIELD "%u\n", "payload", hdr.payload_len);
	fmt_add(r->f, FIELD "%u (%s)\n", "next", hdr.next, proto_name(hdr.next));
	fmt_add(r->f, FIELD "%u\n", "hop limit", hdr.hop_limit);
	fmt_add(r->f, FIELD "%s\n", "src", src);
	fmt_add(r->f, FIELD "%s\n", "dst", dst);
	print_ip6_upper(r, &hdr);
}

static void print_arp(struct rest *r)
{
	struct arp_hdr arp;
	char sender[WEFT_IP_TEXT], target[WEFT_IP_TEXT];
	if (arp_hdr_parse(r->data, r->len, &arp) < 0) {
		print_flaw(r, "arp");
		return;
	}
	const char *op = arp.op == ARP_OP_REQUEST ? "Request"
			 : arp.op == ARP_OP_REPLY ? "Reply"
						  : "Unknown";
	ip4_text(arp.sender_ip, sender);
	ip4_text(arp.target_ip, target);
	fmt_add(r->f, "arp: op=%s, %s > %s, len=%u\n", op, sender, target, ARP_LEN);
	fmt_add(r->f, FIELD "%u (%s)\n", "op", arp.op, op);
	print_mac(r, "sha", arp.sender_mac);
	fmt_add(r->f, FIELD "%s\n", "spa", sender);
	print_mac(r, "tha", arp.target_mac);
	fmt_add(r->f, FIELD "%s\n", "tpa", target);
}

/* ---- below IP ---------------------------------------------------------------------------- */

static void print_ether(struct rest *r)
{
	struct ether_hdr hdr;
	int n = ether_hdr_parse(r->data, r->len, &hdr);
	if (n < 0) {
		print_flaw(r, "ether");
		return;
	}
	fmt_add(r->f, "ether: type=0x%04x, len=%zu\n", hdr.type, r->len);
	print_mac(r, "src", hdr.src);
	print_mac(r, "dst", hdr.dst);
	for (unsigned i = 0; i < hdr.tags_n; i++)
		fmt_add(r->f, FIELD "%u (priority: %u)\n", "vlan",
			hdr.tags[i].tci & ETHER_VID_MASK, hdr.tags[i].tci >> 13);
	fmt_add(r->f, FIELD "0x%04x\n", "type", hdr.type);
	struct rest payload = rest_behind(r, (size_t)n, r->len);
	if (hdr.type == ETHER_TYPE_ARP)
		print_arp(&payload);
	else if (hdr.type == ETHER_TYPE_IP4)
		print_ip4(&payload);
	else if (hdr.type == ETHER_TYPE_IP6)
		print_ip6(&payload);
}

const char *weft_dump_headers(const struct weft_frame *frame, bool is_ip, char *buf,
			      size_t len)
{
	struct fmt f;
	struct rest r = { .f = &f, .data = frame->data, .len = frame->len };
	fmt_init(&f, buf, len);
	if (!is_ip)
		print_ether(&r);
	else if (r.len > 0 && r.data[0] >> 4 == 6)
		print_ip6(&r);
	else
		print_ip4(&r);
	return fmt_text(&f);
}
