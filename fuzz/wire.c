/* SPDX-License-Identifier: MIT */
/*
 * Every parser of wire, and dump, on the same kind of input: the first byte chooses which,
 * the rest is what a peer sent. Beyond not reading outside, what a parser took must come
 * out of its emitter as something that it takes again with the same meaning.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Iinclude -Isrc fuzz/wire.c ...
 */
#include "wire/arp.h"
#include "wire/dhcp.h"
#include "wire/dhcp6.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/nd.h"
#include "wire/nd_names.h"
#include "wire/overlay.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <weft/dump.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The n bytes that emit wrote are those that parse had read. */
static void same_bytes(const uint8_t *out, int written, const uint8_t *data, int read)
{
	assert(written == read);
	assert(memcmp(out, data, (size_t)read) == 0);
}

static void fuzz_ether(const uint8_t *data, size_t size)
{
	struct ether_hdr hdr;
	uint8_t out[32];
	int n = ether_hdr_parse(data, size, &hdr);
	if (n < 0)
		return;
	assert((size_t)n <= size);
	same_bytes(out, ether_hdr_emit(out, sizeof(out), &hdr), data, n);
}

static void fuzz_llc(const uint8_t *data, size_t size)
{
	struct llc_hdr hdr;
	uint8_t out[LLC_SNAP_LEN];
	int n = llc_hdr_parse(data, size, &hdr);
	if (n >= 0)
		same_bytes(out, llc_hdr_emit(out, sizeof(out), &hdr), data, n);
}

/* Which of two hardware types it was is not kept. */
static void fuzz_arp(const uint8_t *data, size_t size)
{
	struct arp_hdr arp;
	uint8_t out[ARP_LEN];
	int n = arp_hdr_parse(data, size, &arp);
	if (n < 0)
		return;
	assert(arp_hdr_emit(out, sizeof(out), &arp) == n);
	assert(memcmp(out + ARP_OFF_PTYPE, data + ARP_OFF_PTYPE,
		      (size_t)n - ARP_OFF_PTYPE) == 0);
}

static void fuzz_ip4(const uint8_t *data, size_t size)
{
	struct ip4_hdr ip;
	struct ip4_hdr peeked;
	int n = ip4_hdr_parse(data, size, &ip);
	int peek = ip4_hdr_peek(data, size, &peeked);
	if (n < 0)
		return;
	assert(n == peek && (size_t)n <= ip.total_len && ip.total_len <= size);
	/* The reserved flag and the checksum are not kept: compare by meaning. */
	uint8_t out[IP4_LEN + IP4_OPTIONS_MAX];
	assert(ip4_hdr_emit(out, sizeof(out), &ip) == n);
	assert(ip4_hdr_peek(out, (size_t)n, &peeked) == n);
	assert(peeked.frag_off == ip.frag_off && peeked.total_len == ip.total_len);
	assert(memcmp(out + IP4_OFF_SRC, data + IP4_OFF_SRC, (size_t)n - IP4_OFF_SRC) ==
	       0);
}

static void fuzz_ip6(const uint8_t *data, size_t size)
{
	struct ip6_hdr ip;
	struct ip6_ext ext;
	uint8_t out[IP6_LEN];
	int n = ip6_hdr_parse(data, size, &ip);
	if (n < 0)
		return;
	same_bytes(out, ip6_hdr_emit(out, sizeof(out), &ip), data, n);
	size_t len = IP6_LEN + (size_t)ip.payload_len;
	int off = ip6_ext_walk(data, len, ip.next, &ext);
	if (off < 0)
		return;
	assert((size_t)off <= len && off <= (int)(IP6_LEN + IP6_EXT_LEN_MAX));
	assert(ext.count <= IP6_EXT_COUNT_MAX);
	if (ext.is_fragment)
		assert((size_t)ext.frag_hdr_off + IP6_FRAG_LEN <= (size_t)off);
}

static void fuzz_icmp(const uint8_t *data, size_t size)
{
	struct icmp_hdr icmp;
	uint8_t out[ICMP_LEN];
	int n = icmp_hdr_parse(data, size, &icmp);
	if (n >= 0)
		same_bytes(out, icmp_hdr_emit(out, sizeof(out), &icmp), data, n);
}

static void fuzz_nd(const uint8_t *data, size_t size)
{
	static uint8_t once[512];
	static uint8_t twice[512];
	struct nd_msg msg;
	if (nd_msg_parse(data, size, &msg) < 0)
		return;
	int n = nd_msg_emit(once, sizeof(once), &msg);
	assert(n > 0);
	assert(nd_msg_parse(once, (size_t)n, &msg) == 0);
	same_bytes(twice, nd_msg_emit(twice, sizeof(twice), &msg), once, n);
}

static void fuzz_udp(const uint8_t *data, size_t size)
{
	struct udp_hdr udp;
	uint8_t out[UDP_LEN];
	int n = udp_hdr_parse(data, size, &udp);
	if (n < 0)
		return;
	assert(udp.len >= UDP_LEN && udp.len <= size);
	same_bytes(out, udp_hdr_emit(out, sizeof(out), &udp), data, n);
}

static void fuzz_tcp(const uint8_t *data, size_t size)
{
	struct tcp_hdr tcp;
	struct tcp_opts opts;
	uint8_t out[TCP_LEN + TCP_OPTIONS_MAX];
	int n = tcp_hdr_parse(data, size, &tcp);
	if (n < 0)
		return;
	assert((size_t)n <= size);
	same_bytes(out, tcp_hdr_emit(out, sizeof(out), &tcp), data, n);
	if (tcp_opts_parse(tcp.options, tcp.options_len, &opts) < 0)
		return;
	assert(opts.sacks_n <= TCP_SACKS_MAX && opts.wscale <= TCP_WSCALE_MAX);
	uint8_t once[TCP_OPTIONS_MAX];
	uint8_t twice[TCP_OPTIONS_MAX];
	int len = tcp_opts_emit(once, &opts);
	if (len < 0) /* With emit's padding they do not fit. */
		return;
	assert(tcp_opts_parse(once, (size_t)len, &opts) >= 0);
	same_bytes(twice, tcp_opts_emit(twice, &opts), once, len);
}

/* Options alone may be longer here than any header makes them. */
static void fuzz_tcp_options(const uint8_t *data, size_t size)
{
	struct tcp_opts opts;
	if (tcp_opts_parse(data, size, &opts) >= 0)
		assert(opts.sacks_n <= TCP_SACKS_MAX);
}

static void fuzz_dhcp(const uint8_t *data, size_t size)
{
	static uint8_t once[DHCP_LEN_MAX];
	static uint8_t twice[DHCP_LEN_MAX];
	struct dhcp_msg msg;
	if (dhcp_msg_parse(data, size, &msg) < 0)
		return;
	assert(msg.routers_n <= DHCP_ADDRS_MAX && msg.dns_n <= DHCP_ADDRS_MAX);
	assert(strlen(msg.domain) < DHCP_TEXT_LEN);
	int n = dhcp_msg_emit(once, sizeof(once), &msg);
	assert(n > 0);
	assert(dhcp_msg_parse(once, (size_t)n, &msg) == 0);
	same_bytes(twice, dhcp_msg_emit(twice, sizeof(twice), &msg), once, n);
}

static void fuzz_dhcp6(const uint8_t *data, size_t size)
{
	static uint8_t once[4096];
	static uint8_t twice[4096];
	struct dhcp6_msg msg;
	if (dhcp6_msg_parse(data, size, &msg) < 0)
		return;
	int n = dhcp6_msg_emit(once, sizeof(once), &msg);
	assert(n > 0);
	assert(dhcp6_msg_parse(once, (size_t)n, &msg) == 0);
	same_bytes(twice, dhcp6_msg_emit(twice, sizeof(twice), &msg), once, n);
}

/* The options of a whole advertisement, which emit writes without what stands in front. */
static void fuzz_nd_names(const uint8_t *data, size_t size)
{
	static uint8_t once[4096] = { ICMP6_ROUTER_ADVERT };
	static uint8_t twice[4096];
	struct nd_names names;
	struct nd_msg msg;
	int whole = nd_msg_parse(data, size, &msg);
	if (nd_names_parse(data, size, &names) < 0) {
		assert(whole < 0 || msg.type != ICMP6_ROUTER_ADVERT);
		return;
	}
	int n = nd_names_emit(once + 16, sizeof(once) - 16, &names);
	assert(n >= 0);
	assert(nd_names_parse(once, (size_t)n + 16, &names) == 0);
	same_bytes(twice, nd_names_emit(twice, sizeof(twice), &names), once + 16, n);
}

static void fuzz_overlay(const uint8_t *data, size_t size)
{
	struct overlay_hdr hdr;
	uint8_t out[OVERLAY_LEN];
	int n = overlay_hdr_parse(data, size, &hdr);
	if (n < 0)
		return;
	overlay_hdr_emit(out, &hdr);
	same_bytes(out, OVERLAY_LEN, data, n);
}

static void fuzz_dump(const uint8_t *data, size_t size, bool is_ip)
{
	char text[WEFT_DUMP_LEN];
	uint8_t *copy = malloc(size ? size : 1);
	assert(copy);
	if (size > 0)
		memcpy(copy, data, size);
	struct weft_frame frame = {
		.data = copy,
		.len = (uint32_t)size,
		.offload = { .gso = size & 1, .gso_size = (uint16_t)size },
	};
	assert(weft_dump_frame(&frame, is_ip, text, sizeof(text)) == text);
	/* Plain text that fits, whatever came in. */
	for (const char *p = text; *p; p++)
		assert(*p >= ' ' && *p <= '~');
	assert(!strstr(text, "..."));
	free(copy);
}

static void fuzz_dump_ether(const uint8_t *data, size_t size)
{
	fuzz_dump(data, size, false);
}

static void fuzz_dump_ip(const uint8_t *data, size_t size)
{
	fuzz_dump(data, size, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const uint8_t *, size_t) = {
		fuzz_dump_ether,  fuzz_dump_ip, fuzz_ether, fuzz_llc,
		fuzz_arp,         fuzz_ip4,     fuzz_ip6,   fuzz_icmp,
		fuzz_nd,          fuzz_udp,     fuzz_tcp,   fuzz_dhcp,
		fuzz_tcp_options, fuzz_overlay, fuzz_dhcp6, fuzz_nd_names,
	};
	if (size > 0)
		targets[data[0] % (sizeof(targets) / sizeof(targets[0]))](data + 1,
									  size - 1);
	return 0;
}
