/* SPDX-License-Identifier: MIT */
/*
 * What has ports: TCP (RFC 9293) with its options, UDP (RFC 768), and DHCP (RFC 2131) where the
 * ports are its own. Of DHCP's options those that the parser knows and that are there.
 */
#include "wire/checksum.h"
#include "wire/dhcp.h"
#include "wire/dump_headers.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <netinet/in.h>

/*
 * A capture does not keep that a sum is left to the link, but then the field has the pseudo
 * header's in it and nothing of the data.
 */
static void add_sum(struct headers *h, uint16_t sum, uint32_t pseudo, bool is_right)
{
	struct headers sums = *h;
	if (!is_right && sum == checksum_fold(pseudo))
		sums.is_left = true;
	headers_add_sum(&sums, sum, is_right);
}

/* ---- TCP --------------------------------------------------------------------------------- */

/* Each control bit at its place, as "---A--S-": CWR ECE URG ACK PSH RST SYN FIN. */
static const char *tcp_flags_text(uint16_t flags, char text[9])
{
	static const char letters[] = "CEUAPRSF";
	for (unsigned i = 0; i < 8; i++)
		text[i] = (char)(flags & (0x80u >> i) ? letters[i] : '-');
	text[8] = '\0';
	return text;
}

static void add_tcp_options(struct headers *h, const struct tcp_hdr *hdr)
{
	struct tcp_opts opts;
	if (hdr->options_len == 0)
		return;
	if (tcp_opts_parse(hdr->options, hdr->options_len, &opts) < 0) {
		fmt_add(h->f, HEADERS_FIELD "malformed\n", "options");
		return;
	}
	if (opts.has_mss)
		fmt_add(h->f, HEADERS_FIELD "%u\n", "mss", opts.mss);
	if (opts.has_wscale)
		fmt_add(h->f, HEADERS_FIELD "%u\n", "wscale", opts.wscale);
	if (opts.sack_permitted)
		fmt_add(h->f, HEADERS_FIELD "permitted\n", "sack");
	if (opts.has_timestamps)
		fmt_add(h->f, HEADERS_FIELD "%u, echo %u\n", "timestamp", opts.ts_val,
			opts.ts_ecr);
	for (unsigned i = 0; i < opts.sacks_n; i++)
		fmt_add(h->f, HEADERS_FIELD "%u to %u\n", "sack", opts.sacks[i].left,
			opts.sacks[i].right);
}

void headers_add_tcp(struct headers *h)
{
	struct tcp_hdr hdr;
	char flags[9];
	int n = tcp_hdr_parse(h->data, h->len, &hdr);
	if (n < 0) {
		headers_add_flaw(h, "tcp");
		return;
	}
	tcp_flags_text(hdr.flags, flags);
	fmt_add(h->f, "tcp: %u > %u, flags=%s, len=%zu (payload=%zu)\n", hdr.sport,
		hdr.dport, flags, h->len, h->len - (size_t)n);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "src", hdr.sport);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "dst", hdr.dport);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "seq", hdr.seq);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "ack", hdr.ack);
	fmt_add(h->f, HEADERS_FIELD "%d (%d)\n", "off", n / 4, n);
	fmt_add(h->f, HEADERS_FIELD "0x%02x (%s)\n", "flg", hdr.flags, flags);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "wnd", hdr.window);
	uint32_t pseudo = headers_pseudo(h, IPPROTO_TCP, h->len);
	add_sum(h, hdr.csum, pseudo, checksum_is_right(pseudo, h->data, h->len));
	fmt_add(h->f, HEADERS_FIELD "%u\n", "up", hdr.urgent);
	add_tcp_options(h, &hdr);
}

/* ---- DHCP -------------------------------------------------------------------------------- */

static bool is_dhcp(const struct udp_hdr *udp)
{
	return (udp->sport == DHCP_SERVER_PORT || udp->sport == DHCP_CLIENT_PORT) &&
	       (udp->dport == DHCP_SERVER_PORT || udp->dport == DHCP_CLIENT_PORT);
}

/* Options that are addresses or times: 0 says that there is none. */
static void add_dhcp_options(struct headers *h, const struct dhcp_msg *msg)
{
	const struct {
		const char *name;
		uint32_t addr;
	} addrs[] = {
		{ "requested", msg->requested_ip },
		{ "server", msg->server_id },
		{ "mask", msg->subnet_mask },
		{ "broadcast", msg->broadcast_addr },
	};
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		if (addrs[i].addr)
			headers_add_ip4(h, addrs[i].name, addrs[i].addr);
	}
	for (unsigned i = 0; i < msg->routers_n; i++)
		headers_add_ip4(h, "router", msg->routers[i]);
	for (unsigned i = 0; i < msg->dns_n; i++)
		headers_add_ip4(h, "dns", msg->dns[i]);
	if (msg->lease_s)
		fmt_add(h->f, HEADERS_FIELD "%u s\n", "lease", msg->lease_s);
	if (msg->mtu)
		fmt_add(h->f, HEADERS_FIELD "%u\n", "mtu", msg->mtu);
}

static void add_dhcp(struct headers *h)
{
	struct dhcp_msg msg;
	if (dhcp_msg_parse(h->data, h->len, &msg) < 0) {
		headers_add_flaw(h, "dhcp");
		return;
	}
	fmt_add(h->f, "dhcp: type=%s, len=%zu\n", dhcp_type_name(msg.type), h->len);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "op", msg.op);
	fmt_add(h->f, HEADERS_FIELD "%u (%s)\n", "type", msg.type,
		dhcp_type_name(msg.type));
	fmt_add(h->f, HEADERS_FIELD "%u\n", "hops", msg.hops);
	fmt_add(h->f, HEADERS_FIELD "0x%08x\n", "xid", msg.xid);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "secs", msg.secs);
	fmt_add(h->f, HEADERS_FIELD "broadcast=%d\n", "flg", msg.broadcast);
	headers_add_ip4(h, "ciaddr", msg.ciaddr);
	headers_add_ip4(h, "yiaddr", msg.yiaddr);
	headers_add_ip4(h, "siaddr", msg.siaddr);
	headers_add_ip4(h, "giaddr", msg.giaddr);
	headers_add_mac(h, "chaddr", msg.chaddr);
	add_dhcp_options(h, &msg);
}

/* ---- UDP --------------------------------------------------------------------------------- */

static void add_udp_sum(struct headers *h, const struct udp_hdr *hdr)
{
	uint32_t pseudo = headers_pseudo(h, IPPROTO_UDP, hdr->len);
	bool is_right = hdr->len <= h->len &&
			checksum_udp_is_right(pseudo, h->data, hdr->len, h->is_ip6);
	if (hdr->csum == 0 && !h->is_ip6)
		fmt_add(h->f, HEADERS_FIELD "0x0000 (none)\n", "sum");
	else
		add_sum(h, hdr->csum, pseudo, is_right);
}

void headers_add_udp(struct headers *h)
{
	struct udp_hdr hdr;
	if (udp_hdr_peek(h->data, h->len, &hdr) < 0) {
		headers_add_flaw(h, "udp");
		return;
	}
	fmt_add(h->f, "udp: %u > %u, len=%u (payload=%u)\n", hdr.sport, hdr.dport,
		hdr.len, hdr.len - UDP_LEN);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "src", hdr.sport);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "dst", hdr.dport);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "len", hdr.len);
	add_udp_sum(h, &hdr);
	if (!is_dhcp(&hdr) || !h->is_whole)
		return;
	struct headers dhcp = *h;
	dhcp.data += UDP_LEN;
	dhcp.len = (hdr.len < h->len ? hdr.len : h->len) - UDP_LEN;
	add_dhcp(&dhcp);
}
