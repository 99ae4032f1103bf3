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
 * be malformed, and there the text ends. Sums are checked where all that they cover is there.
 */
#include "wire/dump_headers.h"

#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"

#include <weft/dump.h>

#include <netinet/in.h>
#include <string.h>

/* ---- lines ------------------------------------------------------------------------------- */

void headers_add_flaw(struct headers *h, const char *name)
{
	fmt_add(h->f, "%s: malformed, len=%zu\n", name, h->len);
}

void headers_add_mac(struct headers *h, const char *name, struct weft_mac mac)
{
	char text[WEFT_MAC_TEXT];
	fmt_add(h->f, HEADERS_FIELD "%s\n", name, weft_mac_print(mac, text));
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

void headers_add_ip4(struct headers *h, const char *name, uint32_t addr)
{
	char text[WEFT_IP_TEXT];
	fmt_add(h->f, HEADERS_FIELD "%s\n", name, ip4_text(addr, text));
}

void headers_add_ip6(struct headers *h, const char *name, const struct ip6_addr *addr)
{
	char text[WEFT_IP_TEXT];
	fmt_add(h->f, HEADERS_FIELD "%s\n", name, ip6_text(addr, text));
}

void headers_add_sum(struct headers *h, uint16_t sum, bool is_right)
{
	const char *verdict = is_right ? " (right)" : " (wrong)";
	if (h->is_left)
		verdict = " (left to the link)";
	else if (!h->is_whole)
		verdict = "";
	fmt_add(h->f, HEADERS_FIELD "0x%04x%s\n", "sum", sum, verdict);
}

uint32_t headers_pseudo(const struct headers *h, uint8_t proto, size_t len)
{
	return h->is_ip6 ? checksum_pseudo6(h->src, h->dst, proto, (uint32_t)len)
			 : checksum_pseudo4(h->src, h->dst, proto, (uint16_t)len);
}

/* Goes on behind a header of n bytes; what is behind the whole packet is padding. */
static struct headers headers_behind(const struct headers *h, size_t n, size_t whole_len)
{
	struct headers behind = *h;
	size_t len = whole_len < h->len ? whole_len : h->len;
	behind.data += n;
	behind.len = len - n;
	behind.is_whole = h->is_whole && whole_len <= h->len;
	return behind;
}

/* ---- IP ---------------------------------------------------------------------------------- */

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

static void print_upper(struct headers *h, uint8_t proto)
{
	switch (proto) {
	case IPPROTO_ICMP:
		headers_add_icmp4(h);
		break;
	case IPPROTO_ICMPV6:
		headers_add_icmp6(h);
		break;
	case IPPROTO_IGMP:
		headers_add_igmp(h);
		break;
	case IPPROTO_TCP:
		headers_add_tcp(h);
		break;
	case IPPROTO_UDP:
		headers_add_udp(h);
		break;
	default:
		break;
	}
}

static void print_ip4(struct headers *h)
{
	struct ip4_hdr hdr;
	char src[WEFT_IP_TEXT], dst[WEFT_IP_TEXT];
	int n = ip4_hdr_peek(h->data, h->len, &hdr);
	if (n < 0) {
		headers_add_flaw(h, "ip");
		return;
	}
	fmt_add(h->f, "ip: %s > %s, protocol=%s, len=%u\n", ip4_text(hdr.src, src),
		ip4_text(hdr.dst, dst), proto_name(hdr.proto), hdr.total_len);
	fmt_add(h->f, HEADERS_FIELD "0x4%x [v: 4, hl: %d (%d)]\n", "vhl", (unsigned)n / 4,
		n / 4, n);
	fmt_add(h->f, HEADERS_FIELD "0x%02x\n", "tos", hdr.tos);
	fmt_add(h->f, HEADERS_FIELD "%u (payload: %u)\n", "total", hdr.total_len,
		hdr.total_len - (unsigned)n);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "id", hdr.id);
	fmt_add(h->f, HEADERS_FIELD "%u [df=%d, mf=%d]\n", "offset", hdr.frag_off, hdr.df,
		hdr.mf);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "ttl", hdr.ttl);
	fmt_add(h->f, HEADERS_FIELD "%u (%s)\n", "protocol", hdr.proto,
		proto_name(hdr.proto));
	fmt_add(h->f, HEADERS_FIELD "0x%04x (%s)\n", "sum", hdr.csum,
		checksum_is_right(0, h->data, (size_t)n) ? "right" : "wrong");
	fmt_add(h->f, HEADERS_FIELD "%s\n", "src", src);
	fmt_add(h->f, HEADERS_FIELD "%s\n", "dst", dst);
	if (hdr.frag_off > 0)
		return;
	struct headers upper = headers_behind(h, (size_t)n, hdr.total_len);
	upper.src = h->data + IP4_OFF_SRC;
	upper.dst = h->data + IP4_OFF_DST;
	upper.is_whole &= !hdr.mf;
	print_upper(&upper, hdr.proto);
}

static void print_ip6_fragment(struct headers *h, const struct ip6_frag *frag)
{
	fmt_add(h->f, "ip6_fragment: next=%s, len=%u\n", proto_name(frag->next),
		IP6_FRAG_LEN);
	fmt_add(h->f, HEADERS_FIELD "%u (%s)\n", "next", frag->next,
		proto_name(frag->next));
	fmt_add(h->f, HEADERS_FIELD "%u [mf=%d]\n", "offset", frag->off, frag->more);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "id", frag->id);
}

static void print_ip6_upper(struct headers *h, const struct ip6_hdr *hdr)
{
	struct headers packet = headers_behind(h, 0, (size_t)IP6_LEN + hdr->payload_len);
	struct ip6_ext ext;
	int n = ip6_ext_walk(packet.data, packet.len, hdr->next, &ext);
	if (n < 0) {
		headers_add_flaw(&packet, "ip6_extension");
		return;
	}
	if (ext.is_fragment)
		print_ip6_fragment(h, &ext.frag);
	if (ext.is_fragment && ext.frag.off > 0)
		return;
	struct headers upper = headers_behind(&packet, (size_t)n, packet.len);
	upper.is_ip6 = true;
	upper.src = h->data + IP6_OFF_SRC;
	upper.dst = h->data + IP6_OFF_DST;
	upper.is_whole &= !ext.is_fragment || !ext.frag.more;
	print_upper(&upper, ext.proto);
}

static void print_ip6(struct headers *h)
{
	struct ip6_hdr hdr;
	char src[WEFT_IP_TEXT], dst[WEFT_IP_TEXT];
	if (ip6_hdr_peek(h->data, h->len, &hdr) < 0) {
		headers_add_flaw(h, "ip6");
		return;
	}
	fmt_add(h->f, "ip6: %s > %s, next=%s, len=%u\n", ip6_text(&hdr.src, src),
		ip6_text(&hdr.dst, dst), proto_name(hdr.next), IP6_LEN + hdr.payload_len);
	fmt_add(h->f, HEADERS_FIELD "0x%02x\n", "class", hdr.tclass);
	fmt_add(h->f, HEADERS_FIELD "0x%05x\n", "flow", hdr.flow);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "payload", hdr.payload_len);
	fmt_add(h->f, HEADERS_FIELD "%u (%s)\n", "next", hdr.next, proto_name(hdr.next));
	fmt_add(h->f, HEADERS_FIELD "%u\n", "hop limit", hdr.hop_limit);
	fmt_add(h->f, HEADERS_FIELD "%s\n", "src", src);
	fmt_add(h->f, HEADERS_FIELD "%s\n", "dst", dst);
	print_ip6_upper(h, &hdr);
}

static void print_arp(struct headers *h)
{
	struct arp_hdr arp;
	char sender[WEFT_IP_TEXT], target[WEFT_IP_TEXT];
	if (arp_hdr_parse(h->data, h->len, &arp) < 0) {
		headers_add_flaw(h, "arp");
		return;
	}
	const char *op = arp.op == ARP_OP_REQUEST ? "Request"
			 : arp.op == ARP_OP_REPLY ? "Reply"
						  : "Unknown";
	ip4_text(arp.sender_ip, sender);
	ip4_text(arp.target_ip, target);
	fmt_add(h->f, "arp: op=%s, %s > %s, len=%u\n", op, sender, target, ARP_LEN);
	fmt_add(h->f, HEADERS_FIELD "%u (%s)\n", "op", arp.op, op);
	headers_add_mac(h, "sha", arp.sender_mac);
	fmt_add(h->f, HEADERS_FIELD "%s\n", "spa", sender);
	headers_add_mac(h, "tha", arp.target_mac);
	fmt_add(h->f, HEADERS_FIELD "%s\n", "tpa", target);
}

/* ---- below IP ---------------------------------------------------------------------------- */

static void print_ether(struct headers *h)
{
	struct ether_hdr hdr;
	int n = ether_hdr_parse(h->data, h->len, &hdr);
	if (n < 0) {
		headers_add_flaw(h, "ether");
		return;
	}
	fmt_add(h->f, "ether: type=0x%04x, len=%zu\n", hdr.type, h->len);
	headers_add_mac(h, "src", hdr.src);
	headers_add_mac(h, "dst", hdr.dst);
	for (unsigned i = 0; i < hdr.tags_n; i++)
		fmt_add(h->f, HEADERS_FIELD "%u (priority: %u)\n", "vlan",
			hdr.tags[i].tci & ETHER_VID_MASK, hdr.tags[i].tci >> 13);
	fmt_add(h->f, HEADERS_FIELD "0x%04x\n", "type", hdr.type);
	struct headers payload = headers_behind(h, (size_t)n, h->len);
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
	struct headers h = {
		.f = &f,
		.data = frame->data,
		.len = frame->len,
		.is_whole = true,
		.is_left = frame->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM,
	};
	fmt_init(&f, buf, len);
	if (!is_ip)
		print_ether(&h);
	else if (h.len > 0 && h.data[0] >> 4 == 6)
		print_ip6(&h);
	else
		print_ip4(&h);
	return fmt_text(&f);
}
