/* SPDX-License-Identifier: MIT */
/*
 * The transcript's words.
 */
#include "dialler.h"

#include "../wire/bytes.h"
#include "base/mac.h"
#include "service/dhcp_frame.h"
#include "service/dhcp_lease.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#include <netinet/in.h>
#include <stdio.h>

const struct weft_mac dialler_mac = { { 2, 0, 0, 0, 0, 7 } };

void dialler_forget(struct dialler *d)
{
	fmt_init(&d->log, d->text, sizeof(d->text));
}

/* ---- words for PPP ----------------------------------------------------------------------- */

static const char *protocol_name(uint16_t protocol)
{
	switch (protocol) {
	case PPP_LCP:
		return "LCP";
	case PPP_IPCP:
		return "IPCP";
	case PPP_PAP:
		return "PAP";
	default:
		return "?";
	}
}

static const char *code_name(uint16_t protocol, uint8_t code)
{
	static const char *const names[] = { "?",
					     "request",
					     "ack",
					     "nak",
					     "reject",
					     "term-request",
					     "term-ack",
					     "code-reject",
					     "protocol-reject",
					     "echo-request",
					     "echo-reply" };
	(void)protocol;
	return code < sizeof(names) / sizeof(names[0]) ? names[code] : "?";
}

/* Numbers in hex; a magic number, which is random, by its name. */
static void log_options(struct dialler *d, uint16_t protocol,
			const struct ppp_packet *packet)
{
	struct reader r = reader_of(packet->data, packet->len);
	struct ppp_option option;
	while (ppp_option_next(&r, &option) > 0) {
		fmt_add(&d->log, " %u", option.type);
		if (protocol == PPP_LCP && option.type == LCP_MAGIC) {
			fmt_add(&d->log, "=magic");
			continue;
		}
		for (unsigned i = 0; i < option.len; i++)
			fmt_add(&d->log, "%s%02x", i ? "" : "=", option.value[i]);
	}
}

static void log_control(struct dialler *d, uint16_t protocol, const uint8_t *data,
			size_t len)
{
	struct ppp_packet packet;
	assert_int_equal(ppp_packet_parse(data, len, &packet), len);
	fmt_add(&d->log, "ppp: %s %s %u", protocol_name(protocol),
		code_name(protocol, packet.code), packet.id);
	if (protocol != PPP_PAP && packet.code <= PPP_CONFIGURE_REJECT)
		log_options(d, protocol, &packet);
	fmt_add(&d->log, "\n");
	if (protocol == PPP_PAP || packet.code != PPP_CONFIGURE_REQUEST)
		return;
	assert_true(len <= sizeof(d->asked));
	d->asked_protocol = protocol;
	memcpy(d->asked, data, len);
	d->asked_len = len;
}

/* ---- words for IPv4 ---------------------------------------------------------------------- */

static const char *ip_text(uint32_t addr, char buf[WEFT_IP_TEXT])
{
	const struct weft_ip ip = dhcp_ip(addr, 32);
	return weft_ip_print(&ip, buf);
}

static void log_ip4(struct dialler *d, const uint8_t *data, size_t len)
{
	struct ip4_hdr ip;
	char src[WEFT_IP_TEXT], dst[WEFT_IP_TEXT];
	int off = ip4_hdr_parse(data, len, &ip);
	assert_true(off > 0);
	assert_true(checksum_is_right(0, data, (size_t)off));
	assert_int_equal(ip.total_len, len);
	fmt_add(&d->log, "%s > %s %u bytes", ip_text(ip.src, src), ip_text(ip.dst, dst),
		ip.total_len);
	if (ip4_is_fragment(&ip))
		fmt_add(&d->log, " from %u%s", ip.frag_off, ip.mf ? " on" : "");
	else if (ip.proto == IPPROTO_ICMP)
		fmt_add(&d->log, " icmp %u/%u", data[off], data[off + 1]);
	fmt_add(&d->log, "\n");
}

static void log_arp(struct dialler *d, const uint8_t *data, size_t len)
{
	struct arp_hdr arp;
	char sender[WEFT_IP_TEXT], target[WEFT_IP_TEXT];
	assert_int_equal(arp_hdr_parse(data, len, &arp), ARP_LEN);
	if (arp.op == ARP_OP_REPLY)
		fmt_add(&d->log, "%s is here, %s\n", ip_text(arp.sender_ip, sender),
			ip_text(arp.target_ip, target));
	else
		fmt_add(&d->log, "who has %s? %s\n", ip_text(arp.target_ip, target),
			ip_text(arp.sender_ip, sender));
}

/* ---- both sides -------------------------------------------------------------------------- */

struct modem {
	struct weft_link link;
	struct dialler *dialler;
};

static size_t modem_send(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	struct dialler *d = ((struct modem *)(void *)link)->dialler;
	assert_int_equal(now, d->now);
	for (size_t i = 0; i < n && !d->is_cut; i++) {
		const struct weft_frame *f = &frames[i];
		uint16_t protocol;
		int off = ppp_hdr_parse(f->data, f->len, &protocol);
		assert_int_equal(off, PPP_HDR_LEN);
		assert_true(f->headroom >= WEFT_HEADROOM);
		assert_true(f->len <= PPP_HDR_LEN + PPP_MRU);
		memcpy(d->last_ppp, f->data, f->len);
		d->last_ppp_len = f->len;
		if (protocol == PPP_IP4) {
			fmt_add(&d->log, "ppp: ");
			log_ip4(d, f->data + off, f->len - (size_t)off);
		} else {
			log_control(d, protocol, f->data + off, f->len - (size_t)off);
		}
	}
	return n;
}

static void modem_free(struct weft_link *link)
{
	link_fini(link);
	free(link);
}

static const struct link_ops modem_ops = { .send = modem_send, .free = modem_free };

static void log_mac(struct dialler *d, const uint8_t *mac)
{
	char text[WEFT_MAC_TEXT];
	fmt_add(&d->log, "eth: ");
	if (!mac_is_broadcast(mac_load(mac)))
		fmt_add(&d->log, "to %s ", weft_mac_print(mac_load(mac), text));
}

static void log_frame(struct dialler *d, const struct weft_frame *f, uint16_t type)
{
	const uint8_t *body = f->data + ETHER_LEN;
	struct udp_path path;
	log_mac(d, f->data);
	if (type == ETHER_TYPE_ARP)
		log_arp(d, body, f->len - ETHER_LEN);
	else if (dhcp_frame_parse(f, DHCP_SERVER_PORT, &path, &d->dhcp) == 0)
		fmt_add(&d->log, "%s\n", dhcp_type_name(d->dhcp.type));
	else
		log_ip4(d, body, f->len - ETHER_LEN);
}

static void on_ethernet(void *user, struct weft_link *link,
			const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct dialler *d = user;
	struct ether_hdr ether;
	struct weft_mac mac;
	assert_int_equal(now, d->now);
	assert_true(weft_link_mac(link, &mac));
	for (size_t i = 0; i < n; i++) {
		const struct weft_frame *f = &frames[i];
		int off = ether_hdr_parse(f->data, f->len, &ether);
		assert_int_equal(off, ETHER_LEN);
		assert_true(mac_equal(ether.src, mac));
		assert_true(f->headroom >= WEFT_HEADROOM);
		memcpy(d->last_ether, f->data, f->len);
		d->last_ether_len = f->len;
		log_frame(d, f, ether.type);
	}
}

static void on_told(void *user, struct weft_link *link, enum ppp_event event,
		    const char *text, uint64_t now)
{
	static const char *const words[] = { "logged in", "up", "down" };
	struct dialler *d = user;
	assert_ptr_equal(link, d->end);
	assert_int_equal(now, d->now);
	fmt_add(&d->log, "%s%s%s\n", words[event], *text ? ": " : "", text);
}

/* ---- the test's side --------------------------------------------------------------------- */

void dialler_start(struct dialler *d, struct ppp_opts opts)
{
	const struct weft_link_caps caps = { .flags = WEFT_LINK_PPP,
					     .frame_len_max = PPP_HDR_LEN + PPP_MRU };
	*d = (struct dialler){ .now = s(1000) };
	dialler_forget(d);
	struct modem *modem = calloc(1, sizeof(*modem));
	assert_non_null(modem);
	link_init(&modem->link, &modem_ops, "modem", -1, caps);
	modem->dialler = d;
	d->modem = &modem->link;
	opts.seed = test_seed();
	opts.told = on_told;
	opts.user = d;
	if (mac_is_zero(opts.mac))
		opts.mac = dialler_mac;
	assert_int_equal(ppp_new(&opts, d->modem, &d->end), 0);
	weft_link_on_receive(d->end, on_ethernet, d);
}

void dialler_stop(struct dialler *d)
{
	weft_link_free(d->end);
}

void dialler_pass(struct dialler *d, uint64_t span)
{
	struct weft_task *task = weft_link_task(d->end);
	uint64_t end = d->now + span;
	for (unsigned runs = 0; task->deadline(task) <= end; runs++) {
		assert_true(runs < 10000);
		uint64_t due = task->deadline(task);
		d->now = due > d->now ? due : d->now;
		task->run(task, d->now);
	}
	d->now = end;
}

void dialler_say_bytes(struct dialler *d, const uint8_t *data, size_t len)
{
	uint8_t *copy = bytes_exactly(data, len);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)len };
	link_deliver(d->modem, &frame, 1, d->now);
	free(copy);
	dialler_pass(d, 0);
}

void dialler_say(struct dialler *d, const char *hex)
{
	struct bytes b = bytes_of(hex);
	dialler_say_bytes(d, b.data, b.len);
}

void dialler_answer(struct dialler *d, uint8_t code, const char *hex)
{
	struct bytes options = bytes_of(hex);
	const struct ppp_packet packet = { code, d->asked[1], options.data, options.len };
	uint8_t buf[128];
	assert_int_equal(ppp_hdr_emit(buf, 2, d->asked_protocol), 2);
	int len = ppp_packet_emit(buf + 2, sizeof(buf) - 2, &packet);
	assert_true(len > 0);
	dialler_say_bytes(d, buf, 2 + (size_t)len);
}

void dialler_agree(struct dialler *d)
{
	uint8_t buf[sizeof(d->asked) + PPP_HDR_LEN];
	assert_int_equal(ppp_hdr_emit(buf, 2, d->asked_protocol), 2);
	memcpy(buf + 2, d->asked, d->asked_len);
	buf[2] = PPP_CONFIGURE_ACK;
	dialler_say_bytes(d, buf, 2 + d->asked_len);
}

void dialler_ethernet_bytes(struct dialler *d, const uint8_t *data, size_t len)
{
	uint8_t *copy = bytes_exactly(data, len);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)len };
	weft_link_send(d->end, &frame, 1, d->now);
	free(copy);
	dialler_pass(d, 0);
}

void dialler_ethernet(struct dialler *d, const char *hex)
{
	struct bytes b = bytes_of(hex);
	dialler_ethernet_bytes(d, b.data, b.len);
}

void dialler_log_in(struct dialler *d)
{
	dialler_say(d, "c021 01 01 0004");
	dialler_agree(d);
	dialler_say(d, "c023 01 01 0006 00 00");
	dialler_forget(d);
}

void dialler_connect(struct dialler *d)
{
	char hex[64];
	dialler_log_in(d);
	dialler_agree(d);
	(void)snprintf(hex, sizeof(hex), "8021 01 02 000a 0306 %08x",
		       ppp_host(d->end)->place.address);
	dialler_say(d, hex);
	assert_true(ppp_host(d->end)->peer_is_up);
	dialler_pass(d, s(5)); /* The announcements of the address. */
	dialler_forget(d);
}

void dialler_dhcp(struct dialler *d, enum dhcp_type type)
{
	const struct udp_path path = {
		.src_mac = { { 2, 0, 0, 0, 0, 1 } },
		.dst_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.src = 0x0a000001,
		.dst = UINT32_MAX,
		.sport = DHCP_SERVER_PORT,
		.dport = DHCP_CLIENT_PORT,
	};
	struct dhcp_msg msg = {
		.op = DHCP_OP_REPLY,
		.type = (uint8_t)type,
		.xid = d->dhcp.xid,
		.chaddr = d->dhcp.chaddr,
		.server_id = 0x0a000001,
	};
	if (type != DHCP_NAK) {
		msg.yiaddr = 0x0a00002c;
		msg.subnet_mask = 0xffffff00;
		msg.lease_s = 3600;
		msg.routers_n = 1;
		msg.routers[0] = 0x0a0000fe;
		msg.dns_n = 1;
		msg.dns[0] = 0x0a000035;
	}
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	int len = dhcp_frame_emit(buf, sizeof(buf), &path, &msg);
	assert_true(len > 0);
	dialler_ethernet_bytes(d, buf, (size_t)len);
}

size_t dialler_echo(uint8_t *buf, size_t buf_len, const struct echo *echo)
{
	const struct ip4_hdr ip = { .total_len = echo->len,
				    .id = 0x1234,
				    .df = echo->df,
				    .ttl = 64,
				    .proto = IPPROTO_ICMP,
				    .src = echo->src,
				    .dst = echo->dst };
	const struct icmp_hdr icmp = { .type = ICMP4_ECHO };
	assert_true(echo->len <= buf_len && echo->len >= IP4_LEN + ICMP_LEN);
	memset(buf, 0x5a, echo->len);
	assert_int_equal(ip4_hdr_emit(buf, buf_len, &ip), IP4_LEN);
	assert_int_equal(icmp_hdr_emit(buf + IP4_LEN, ICMP_LEN, &icmp), ICMP_LEN);
	store_be16(buf + IP4_LEN + ICMP_OFF_CSUM,
		   checksum(buf + IP4_LEN, echo->len - IP4_LEN));
	return echo->len;
}
