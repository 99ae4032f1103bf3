/* SPDX-License-Identifier: MIT */
/*
 * The host in two directions: to the Ethernet a packet gets a header and needs a MAC for it,
 * to the peer it loses one and may need to be cut. Each packet is copied once, behind room
 * for what goes in front of it.
 */
#include "serve/iphost.h"

#include "base/array.h"
#include "base/mac.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#include <weft/loop.h>

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#define BROADCAST_IP UINT32_MAX

/* RFC 1812, 4.3.2.3: so much of a packet is quoted that the message is 576 bytes at most. */
#define QUOTE_MAX (576u - IP4_LEN - ICMP_LEN)
#define ICMP_TTL  64u

#define CODE_NET_UNREACHABLE 0u

static const struct weft_mac broadcast_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

const char *iphost_outcome_name(enum iphost_outcome outcome)
{
	static const char *const names[] = {
		[IPHOST_TO_ETHER] = "to-ether",
		[IPHOST_TO_PEER] = "to-peer",
		[IPHOST_FRAGMENTED] = "fragmented",
		[IPHOST_ARP] = "arp",
		[IPHOST_DROP_MALFORMED] = "drop-malformed",
		[IPHOST_DROP_OTHER] = "drop-other",
		[IPHOST_DROP_NOT_OURS] = "drop-not-ours",
		[IPHOST_DROP_SPOOFED] = "drop-spoofed",
		[IPHOST_DROP_NO_ADDRESS] = "drop-no-address",
		[IPHOST_DROP_NO_PEER] = "drop-no-peer",
		[IPHOST_DROP_NO_ROUTE] = "drop-no-route",
		[IPHOST_DROP_TOO_LONG] = "drop-too-long",
		[IPHOST_DROP_NEIGHBOUR] = "drop-neighbour",
	};
	static_assert(ARRAY_LEN(names) == IPHOST_OUTCOMES, "a name for each outcome");
	return names[outcome];
}

/* Addresses */

static uint32_t mask_of(const struct iphost *h)
{
	return h->place.prefix ? UINT32_MAX << (32 - h->place.prefix) : 0;
}

static bool is_on_network(const struct iphost *h, uint32_t ip)
{
	return ((ip ^ h->place.address) & mask_of(h)) == 0;
}

/* To all on this network; one of two addresses has none of its own (RFC 3021). */
static bool is_broadcast(const struct iphost *h, uint32_t ip)
{
	if (ip == BROADCAST_IP)
		return true;
	return h->place.prefix < 31 && is_on_network(h, ip) &&
	       (ip | mask_of(h)) == BROADCAST_IP;
}

/* RFC 1112, 6.4. */
static struct weft_mac multicast_mac(uint32_t ip)
{
	return mac_from_u64(UINT64_C(0x01005e000000) | (ip & 0x7fffff));
}

/* May be a sender: neither nobody nor many. */
static bool is_unicast(const struct iphost *h, uint32_t ip)
{
	return ip != 0 && !ip4_is_multicast(ip) && !is_broadcast(h, ip);
}

/* Ethernet */

static void emit_frame(struct iphost *h, struct weft_mac to, uint16_t type,
		       const uint8_t *body, size_t len, uint64_t now)
{
	uint8_t buf[WEFT_HEADROOM + ETHER_LEN + IPHOST_MTU];
	const struct ether_hdr ether = { .dst = to, .src = h->mac, .type = type };
	const struct weft_frame frame = { .data = buf + WEFT_HEADROOM,
					  .len = (uint32_t)(ETHER_LEN + len),
					  .headroom = WEFT_HEADROOM };
	assert(len <= IPHOST_MTU);
	int r = ether_hdr_emit(frame.data, ETHER_LEN, &ether);
	assert(r == ETHER_LEN);
	memcpy(frame.data + ETHER_LEN, body, len);
	h->events->emit_frame(h->user, &frame, now);
}

static void emit_arp(struct iphost *h, struct weft_mac to, const struct arp_hdr *arp,
		     uint64_t now)
{
	uint8_t body[ARP_LEN];
	int r = arp_hdr_emit(body, sizeof(body), arp);
	assert(r == ARP_LEN);
	emit_frame(h, to, ETHER_TYPE_ARP, body, sizeof(body), now);
}

static void ask_who_has(void *user, uint32_t ip, uint64_t now)
{
	struct iphost *h = user;
	const struct arp_hdr arp = { .op = ARP_OP_REQUEST,
				     .sender_mac = h->mac,
				     .sender_ip = h->place.address,
				     .target_ip = ip };
	emit_arp(h, broadcast_mac, &arp, now);
}

/* RFC 5227, 2.3: a request for our own address. */
static void announce(struct iphost *h, uint64_t now)
{
	ask_who_has(h, h->place.address, now);
}

static void emit_to(void *user, struct weft_mac to, const uint8_t *packet, size_t len,
		    uint64_t now)
{
	emit_frame(user, to, ETHER_TYPE_IP4, packet, len, now);
}

/* ICMP */

/* RFC 1122, 3.2.2: never about an error, a later fragment, or what went to many. */
static bool may_complain(const struct iphost *h, const struct ip4_hdr *ip,
			 const uint8_t *packet, int hdr_len)
{
	if (ip->frag_off > 0 || !is_unicast(h, ip->src) || !is_unicast(h, ip->dst))
		return false;
	if (ip->proto != IPPROTO_ICMP)
		return true;
	return ip->total_len > hdr_len && !icmp4_is_error(packet[hdr_len]);
}

/* "Unreachable" about a packet, from our address to its sender. Returns its length. */
static size_t write_unreachable(struct iphost *h, const struct ip4_hdr *about,
				const uint8_t *packet, const struct icmp_hdr *icmp,
				uint8_t buf[IP4_LEN + ICMP_LEN + QUOTE_MAX])
{
	size_t quote = about->total_len < QUOTE_MAX ? about->total_len : QUOTE_MAX;
	size_t icmp_len = ICMP_LEN + quote;
	const struct ip4_hdr ip = { .total_len = (uint16_t)(IP4_LEN + icmp_len),
				    .id = h->icmp_id++,
				    .ttl = ICMP_TTL,
				    .proto = IPPROTO_ICMP,
				    .src = h->place.address,
				    .dst = about->src };
	int r = ip4_hdr_emit(buf, IP4_LEN, &ip);
	assert(r == IP4_LEN);
	r = icmp_hdr_emit(buf + IP4_LEN, ICMP_LEN, icmp);
	assert(r == ICMP_LEN);
	memcpy(buf + IP4_LEN + ICMP_LEN, packet, quote);
	store_be16(buf + IP4_LEN + ICMP_OFF_CSUM, checksum(buf + IP4_LEN, icmp_len));
	return IP4_LEN + icmp_len;
}

static void tell_peer_no_route(struct iphost *h, const struct ip4_hdr *ip,
			       const uint8_t *packet, uint64_t now)
{
	const struct icmp_hdr icmp = { .type = ICMP4_UNREACHABLE,
				       .code = CODE_NET_UNREACHABLE };
	uint8_t buf[IP4_LEN + ICMP_LEN + QUOTE_MAX];
	size_t len = write_unreachable(h, ip, packet, &icmp, buf);
	h->events->emit_packet(h->user, buf, len, now);
}

/* Back the way that it came, whoever the sender is. */
static void tell_too_long(struct iphost *h, struct weft_mac to, const struct ip4_hdr *ip,
			  const uint8_t *packet, uint64_t now)
{
	const struct icmp_hdr icmp = { .type = ICMP4_UNREACHABLE,
				       .code = ICMP4_CODE_FRAG_NEEDED,
				       .rest = h->mru };
	uint8_t buf[IP4_LEN + ICMP_LEN + QUOTE_MAX];
	size_t len = write_unreachable(h, ip, packet, &icmp, buf);
	emit_frame(h, to, ETHER_TYPE_IP4, buf, len, now);
}

/* To the Ethernet */

static enum iphost_outcome route(struct iphost *h, const struct ip4_hdr *ip,
				 const uint8_t *packet, int hdr_len, uint64_t now)
{
	if (is_broadcast(h, ip->dst)) {
		emit_to(h, broadcast_mac, packet, ip->total_len, now);
		return IPHOST_TO_ETHER;
	}
	if (ip4_is_multicast(ip->dst)) {
		emit_to(h, multicast_mac(ip->dst), packet, ip->total_len, now);
		return IPHOST_TO_ETHER;
	}
	uint32_t hop = is_on_network(h, ip->dst) ? ip->dst : h->place.router;
	if (hop == 0 || hop == h->place.address) {
		if (may_complain(h, ip, packet, hdr_len))
			tell_peer_no_route(h, ip, packet, now);
		return IPHOST_DROP_NO_ROUTE;
	}
	if (!neighbours_send(&h->neighbours, hop, packet, ip->total_len, now))
		return IPHOST_DROP_NEIGHBOUR;
	return IPHOST_TO_ETHER;
}

/* Returns the header's length, or -1. */
static int parse_packet(const uint8_t *packet, size_t len, struct ip4_hdr *ret_ip)
{
	int hdr_len = ip4_hdr_parse(packet, len, ret_ip);
	if (hdr_len < 0 || !checksum_is_right(0, packet, (size_t)hdr_len))
		return -1;
	return hdr_len;
}

static enum iphost_outcome from_peer(struct iphost *h, const uint8_t *packet, size_t len,
				     uint64_t now)
{
	struct ip4_hdr ip;
	int hdr_len = parse_packet(packet, len, &ip);
	if (hdr_len < 0)
		return IPHOST_DROP_MALFORMED;
	if (h->place.address == 0)
		return IPHOST_DROP_NO_ADDRESS;
	if (ip.src != h->place.address)
		return IPHOST_DROP_SPOOFED;
	if (ip.total_len > IPHOST_MTU)
		return IPHOST_DROP_TOO_LONG;
	return route(h, &ip, packet, hdr_len, now);
}

void iphost_from_peer(struct iphost *h, const uint8_t *packet, size_t len, uint64_t now)
{
	h->counts[from_peer(h, packet, len, now)]++;
}

/* From the Ethernet: ARP */

/* Another says that it has our address. It is told, if not too often, that we have it. */
static void defend(struct iphost *h, uint64_t now)
{
	h->conflicts++;
	if (h->conflicts > 1 && now - h->defended < IPHOST_DEFEND_NS)
		return;
	h->defended = now;
	announce(h, now);
}

static enum iphost_outcome on_arp(struct iphost *h, const uint8_t *data, size_t len,
				  uint64_t now)
{
	struct arp_hdr arp;
	if (arp_hdr_parse(data, len, &arp) < 0)
		return IPHOST_DROP_MALFORMED;
	if (mac_is_group(arp.sender_mac) || mac_is_zero(arp.sender_mac))
		return IPHOST_DROP_SPOOFED;
	if (arp.sender_ip == h->place.address) {
		defend(h, now);
		return IPHOST_ARP;
	}
	bool is_for_us = arp.target_ip == h->place.address;
	bool is_request = arp.op == ARP_OP_REQUEST;
	if (is_unicast(h, arp.sender_ip) && is_on_network(h, arp.sender_ip))
		neighbours_learn(&h->neighbours, arp.sender_ip, arp.sender_mac,
				 is_for_us && is_request, now);
	if (!is_for_us || !is_request)
		return IPHOST_ARP;
	const struct arp_hdr reply = { .op = ARP_OP_REPLY,
				       .sender_mac = h->mac,
				       .sender_ip = h->place.address,
				       .target_mac = arp.sender_mac,
				       .target_ip = arp.sender_ip };
	emit_arp(h, arp.sender_mac, &reply, now);
	return IPHOST_ARP;
}

/* From the Ethernet: IPv4 */

/* A piece of a packet: len bytes of the payload from off on, all but the last by eights. */
static void emit_fragment(struct iphost *h, const struct ip4_hdr *whole,
			  const uint8_t *payload, size_t off, size_t len, uint64_t now)
{
	uint8_t buf[IPHOST_MTU];
	struct ip4_hdr ip = *whole;
	bool is_last = IP4_LEN + off + len == whole->total_len;
	ip.total_len = (uint16_t)(IP4_LEN + len);
	ip.frag_off = (uint16_t)(whole->frag_off + off);
	ip.mf = whole->mf || !is_last;
	int r = ip4_hdr_emit(buf, sizeof(buf), &ip);
	assert(r == IP4_LEN);
	memcpy(buf + IP4_LEN, payload + off, len);
	h->events->emit_packet(h->user, buf, IP4_LEN + len, now);
}

/* RFC 791, 3.2. Packets with options are rare, and are not cut. */
static enum iphost_outcome shorten(struct iphost *h, struct weft_mac from,
				   const struct ip4_hdr *ip, const uint8_t *packet,
				   uint64_t now)
{
	int hdr_len = (int)(IP4_LEN + ip->options_len);
	if (ip->df || ip->options_len > 0) {
		if (may_complain(h, ip, packet, hdr_len))
			tell_too_long(h, from, ip, packet, now);
		return IPHOST_DROP_TOO_LONG;
	}
	size_t left = ip->total_len - IP4_LEN;
	if (ip->frag_off + left > UINT16_MAX - IP4_LEN)
		return IPHOST_DROP_MALFORMED; /* Its pieces would begin from 0 again. */
	size_t step = (h->mru - IP4_LEN) & ~(size_t)7;
	for (size_t off = 0, n; left > 0; off += n, left -= n) {
		n = left < step ? left : step;
		emit_fragment(h, ip, packet + IP4_LEN, off, n, now);
	}
	return IPHOST_FRAGMENTED;
}

static enum iphost_outcome on_packet(struct iphost *h, struct weft_mac from,
				     const uint8_t *packet, size_t len, uint64_t now)
{
	struct ip4_hdr ip;
	if (parse_packet(packet, len, &ip) < 0)
		return IPHOST_DROP_MALFORMED;
	if (ip.dst != h->place.address && !is_broadcast(h, ip.dst) &&
	    !ip4_is_multicast(ip.dst))
		return IPHOST_DROP_NOT_OURS;
	if (ip.src == h->place.address)
		return IPHOST_DROP_SPOOFED;
	if (!h->peer_is_up)
		return IPHOST_DROP_NO_PEER;
	if (ip.total_len > IPHOST_MTU)
		return IPHOST_DROP_TOO_LONG;
	if (ip.total_len > h->mru)
		return shorten(h, from, &ip, packet, now);
	h->events->emit_packet(h->user, packet, ip.total_len, now);
	return IPHOST_TO_PEER;
}

static enum iphost_outcome from_ether(struct iphost *h, const struct weft_frame *frame,
				      uint64_t now)
{
	struct ether_hdr ether;
	int off = ether_hdr_parse(frame->data, frame->len, &ether);
	if (off < 0)
		return IPHOST_DROP_MALFORMED;
	if (!mac_equal(ether.dst, h->mac) && !mac_is_group(ether.dst))
		return IPHOST_DROP_NOT_OURS;
	if (mac_equal(ether.src, h->mac))
		return IPHOST_DROP_SPOOFED;
	if (ether.tags_n > 0)
		return IPHOST_DROP_OTHER;
	if (h->place.address == 0)
		return IPHOST_DROP_NO_ADDRESS;
	const uint8_t *body = frame->data + off;
	size_t len = frame->len - (size_t)off;
	if (ether.type == ETHER_TYPE_ARP)
		return on_arp(h, body, len, now);
	if (ether.type == ETHER_TYPE_IP4)
		return on_packet(h, ether.src, body, len, now);
	return IPHOST_DROP_OTHER;
}

void iphost_from_ether(struct iphost *h, const struct weft_frame *frame, uint64_t now)
{
	h->counts[from_ether(h, frame, now)]++;
}

/* Life */

void iphost_init(struct iphost *h, const struct iphost_events *events, void *user,
		 struct weft_mac mac)
{
	*h = (struct iphost){
		.events = events,
		.user = user,
		.mac = mac,
		.mru = IPHOST_MTU,
		.due = WEFT_NEVER,
		.neighbours = { .ask = ask_who_has, .emit = emit_to, .user = h },
	};
}

void iphost_fini(struct iphost *h)
{
	neighbours_clear(&h->neighbours);
}

void iphost_set_place(struct iphost *h, const struct iphost_place *place, uint64_t now)
{
	bool is_new =
		h->place.address != place->address || h->place.prefix != place->prefix;
	h->place = *place;
	if (!is_new)
		return;
	neighbours_clear(&h->neighbours);
	h->announced = 0;
	h->conflicts = 0;
	h->due = place->address ? now : WEFT_NEVER;
}

void iphost_set_peer(struct iphost *h, uint16_t mru)
{
	h->peer_is_up = mru > 0;
	if (mru > 0)
		h->mru = mru < IPHOST_MTU ? mru : IPHOST_MTU;
}

void iphost_run(struct iphost *h, uint64_t now)
{
	neighbours_run(&h->neighbours, now);
	if (now < h->due)
		return;
	announce(h, now);
	h->announced++;
	h->due = h->announced < IPHOST_ANNOUNCE_MAX ? now + IPHOST_ANNOUNCE_NS
						    : WEFT_NEVER;
}

uint64_t iphost_deadline(const struct iphost *h)
{
	uint64_t due = neighbours_deadline(&h->neighbours);
	return due < h->due ? due : h->due;
}
