/* SPDX-License-Identifier: MIT */
/*
 * The rules in the order of their cost: the EtherType decides for most frames that no other
 * header is looked at. TCP, which is most of the bytes, is passed without a walk.
 *
 * An address is bound to the member that used it in ARP or Neighbour Discovery, as long as it
 * goes on using it, there or for traffic, at least once in its address_ns; one that was given out
 * is bound to whom it was given to. The gateway stands for its whole LAN, which no client can
 * keep from its addresses, however early it comes.
 * Somebody who asks with no address of its own (a probe, RFC 5227) claims nothing.
 */
#include "bridge/filter.h"

#include "base/mac.h"
#include "base/table.h"
#include "wire/arp.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/igmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/segment.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define DHCP_CLIENT  68u
#define DHCP6_CLIENT 546u

/* Of a neighbour message, behind type, code, checksum and 4 bytes (RFC 4861, 4.3 and 4.4). */
#define ND_OFF_TARGET  8u
#define ND_FLAG_ROUTER 0x80u

/* What a frame says of an address: who uses it, if that is who sends the frame. */
struct evidence {
	struct filter_address address;
	struct weft_mac mac;
	bool has_mac;
	bool is_advertised, is_router; /* of IPv6 */
};

struct claim {
	struct evidence last;
	struct filter_member *member;
	uint64_t seen_ns, until;
	uint64_t directed_ns; /* A question was sent to it alone; 0 for never. */
};

/* A packet in a frame that is judged. */
struct packet {
	const uint8_t *data;
	size_t len;
	struct weft_mac src; /* of the frame */
	uint64_t now;
};

struct filter {
	struct filter_opts opts;
	struct table *claims;    /* of struct filter_address */
	filter_gift_fn *gift_of; /* NULL: nobody gives addresses out */
	void *gift_user;
};

int filter_new(const struct filter_opts *opts, const uint8_t secret[HASH_SECRET_LEN],
	       struct filter **ret_filter)
{
	struct filter *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->opts = *opts;
	int r = table_new(sizeof(struct filter_address), FILTER_ADDRESSES_MAX, secret,
			  &f->claims);
	if (r < 0) {
		free(f);
		return r;
	}
	*ret_filter = f;
	return 0;
}

void filter_free(struct filter *f)
{
	struct table_iter it;
	const void *key;
	void *claim;
	if (!f)
		return;
	table_iter_init(&it, f->claims);
	while (table_iter_next(&it, &key, &claim))
		free(claim);
	table_free(f->claims);
	free(f);
}

void filter_set_gifts(struct filter *f, filter_gift_fn *gift_of, void *user)
{
	f->gift_of = gift_of;
	f->gift_user = user;
}

void filter_join(const struct filter *f, struct filter_member *member, bool is_gateway)
{
	*member = (struct filter_member){ .is_gateway = is_gateway };
	filter_change(member, &f->opts);
}

void filter_change(struct filter_member *member, const struct filter_opts *opts)
{
	member->opts = *opts;
	if (opts->address_ns == 0)
		member->opts.address_ns = FILTER_ADDRESS_NS;
	if (opts->addresses_max == 0)
		member->opts.addresses_max = FILTER_CLIENT_ADDRESSES_MAX;
	bucket_change(&member->group, opts->group.rate, opts->group.burst);
	bucket_change(&member->unknown, opts->unknown.rate, opts->unknown.burst);
	bucket_change(&member->bytes, opts->bytes.rate, opts->bytes.burst);
}

/* ---- addresses --------------------------------------------------------------------------- */

static void unclaim(struct filter *f, struct claim *claim)
{
	claim->member->addresses_n--;
	(void)table_remove(f->claims, &claim->last.address);
	free(claim);
}

/* Any claim of the member's; NULL for none. */
static struct claim *find_claim_of(const struct filter *f,
				   const struct filter_member *member)
{
	struct table_iter it;
	const void *key;
	void *claim;
	table_iter_init(&it, f->claims);
	while (table_iter_next(&it, &key, &claim))
		if (((struct claim *)claim)->member == member)
			return claim;
	return NULL;
}

void filter_leave(struct filter *f, struct filter_member *member)
{
	struct claim *claim;
	while (member->addresses_n > 0 && (claim = find_claim_of(f, member)))
		unclaim(f, claim);
}

/* The gateway's LAN may have many; a client with more than its share has taken them. */
static bool has_room(const struct filter_member *member)
{
	return member->is_gateway || member->addresses_n < member->opts.addresses_max;
}

static void claim_new(struct filter *f, struct filter_member *member,
		      const struct evidence *evidence, uint64_t now)
{
	struct claim *claim = has_room(member) ? calloc(1, sizeof(*claim)) : NULL;
	if (!claim)
		return;
	*claim = (struct claim){ .last = *evidence,
				 .member = member,
				 .seen_ns = now,
				 .until = now + member->opts.address_ns };
	if (table_set(f->claims, &evidence->address, claim) < 0) {
		free(claim);
		return;
	}
	member->addresses_n++;
}

static void claim_touch(struct claim *claim, uint64_t now)
{
	claim->seen_ns = now;
	claim->until = now + claim->member->opts.address_ns;
}

/* A solicitation does not say again what an advertisement of the same machine has said. */
static void claim_renew(struct claim *claim, const struct evidence *evidence,
			uint64_t now)
{
	const struct evidence before = claim->last;
	claim_touch(claim, now);
	claim->last = *evidence;
	if (evidence->is_advertised || !mac_equal(before.mac, evidence->mac))
		return;
	claim->last.is_advertised = before.is_advertised;
	claim->last.is_router = before.is_router;
}

static enum filter_gift gift_of(const struct filter *f,
				const struct filter_member *member,
				const struct filter_address *address, uint64_t now)
{
	if (!f->gift_of || address->family != 4)
		return FILTER_GIFT_NOBODYS;
	return f->gift_of(f->gift_user, member, load_be32(address->octet), now);
}

/* By who gives addresses out, else by who used it last. Any may be the LAN's. */
static bool is_anothers(const struct filter *f, const struct filter_member *member,
			const struct filter_address *address, uint64_t now)
{
	const struct claim *claim = table_get(f->claims, address);
	if (member->is_gateway)
		return false;
	switch (gift_of(f, member, address, now)) {
	case FILTER_GIFT_OWN:
		return false;
	case FILTER_GIFT_ANOTHERS:
		return true;
	case FILTER_GIFT_NOBODYS:
		break;
	}
	return claim && claim->member != member && now < claim->until;
}

/* One that has run out goes to who asks. */
static enum filter_outcome check_claim(struct filter *f, struct filter_member *member,
				       const struct evidence *evidence, uint64_t now)
{
	struct claim *claim = table_get(f->claims, &evidence->address);
	if (is_anothers(f, member, &evidence->address, now))
		return FILTER_DROP_ADDRESS;
	if (claim && claim->member != member) {
		unclaim(f, claim);
		claim = NULL;
	}
	if (claim)
		claim_renew(claim, evidence, now);
	else
		claim_new(f, member, evidence, now);
	return FILTER_PASS;
}

/*
 * Traffic shows that an address is in use still, and claims none. It is looked up once in a while
 * only, as long as packets from one address come behind each other.
 */
static void note_use(struct filter *f, struct filter_member *member,
		     const struct filter_address *source, const struct packet *packet)
{
	if (packet->now < member->used_ns + FILTER_USE_NS &&
	    memcmp(source, &member->used, sizeof(*source)) == 0)
		return;
	member->used = *source;
	member->used_ns = packet->now;
	struct claim *claim = table_get(f->claims, source);
	if (claim && claim->member == member && mac_equal(claim->last.mac, packet->src))
		claim_touch(claim, packet->now);
}

/* What cannot be read of a client's might be read by others. */
static enum filter_outcome check_arp(struct filter *f, struct filter_member *member,
				     const struct packet *packet)
{
	struct evidence evidence = { .address.family = 4, .mac = packet->src };
	struct arp_hdr arp;
	if (member->opts.off & FILTER_RULE_ADDRESS)
		return FILTER_PASS;
	if (arp_hdr_parse(packet->data, packet->len, &arp) < 0)
		return member->is_gateway ? FILTER_PASS : FILTER_DROP_HEADERS;
	if (arp.sender_ip == 0)
		return FILTER_PASS;
	store_be32(evidence.address.octet, arp.sender_ip);
	evidence.has_mac = mac_equal(arp.sender_mac, packet->src);
	return check_claim(f, member, &evidence, packet->now);
}

static struct claim *find_claim(const struct filter *f, const struct weft_ip *ip)
{
	struct filter_address address = { .family = ip->family == AF_INET ? 4 : 6 };
	memcpy(address.octet, ip->octet, ip->family == AF_INET ? 4 : IP6_ADDR_LEN);
	return table_get(f->claims, &address);
}

bool filter_find(const struct filter *f, const struct weft_ip *address, uint64_t now,
		 struct filter_binding *ret_binding)
{
	const struct claim *claim = find_claim(f, address);
	if (!claim || !claim->last.has_mac)
		return false;
	*ret_binding = (struct filter_binding){
		.member = claim->member,
		.mac = claim->last.mac,
		.is_fresh = now < claim->until,
		.is_advertised = claim->last.is_advertised,
		.is_router = claim->last.is_router,
		.may_direct = claim->directed_ns <= claim->seen_ns ||
			      now >= claim->directed_ns + FILTER_DIRECT_NS,
	};
	return true;
}

void filter_note_directed(struct filter *f, const struct weft_ip *address, uint64_t now)
{
	struct claim *claim = find_claim(f, address);
	if (claim)
		claim->directed_ns = now;
}

/* What is behind IP, in a whole packet or a first fragment. */
struct upper {
	const uint8_t *data;
	size_t len;
	bool is_fragment;
};

/* An IPv6 packet, with what is behind its extension headers. */
struct packet6 {
	struct ip6_hdr ip;
	struct weft_mac src; /* of the frame */
	struct upper upper;
};

/* The sender of a solicitation, also for routers; the subject of an advertisement. */
static enum filter_outcome check_nd(struct filter *f, struct filter_member *member,
				    const struct packet6 *packet, uint64_t now)
{
	const uint8_t *icmp = packet->upper.data;
	static const struct ip6_addr none;
	struct evidence evidence = { .address.family = 6,
				     .mac = packet->src,
				     .has_mac = true };
	struct ip6_addr subject = packet->ip.src;
	if (member->opts.off & FILTER_RULE_ADDRESS)
		return FILTER_PASS;
	if (icmp[0] == ICMP6_NEIGHBOR_ADVERT) {
		if (packet->upper.len < ND_OFF_TARGET + IP6_ADDR_LEN)
			return FILTER_DROP_HEADERS;
		subject = ip6_addr_load(icmp + ND_OFF_TARGET);
		evidence.is_advertised = true;
		evidence.is_router = (icmp[ICMP_OFF_REST] & ND_FLAG_ROUTER) != 0;
	}
	if (ip6_addr_equal(&subject, &none))
		return FILTER_PASS;
	memcpy(evidence.address.octet, subject.octet, sizeof(evidence.address.octet));
	return check_claim(f, member, &evidence, now);
}

/* ---- guards ------------------------------------------------------------------------------ */

static bool guards(const struct filter_member *member, enum filter_rule rule)
{
	return !member->is_gateway && !(member->opts.off & (unsigned)rule);
}

/* Who asks gets answers from everybody, and the streams that they ask for. */
static enum filter_outcome check_igmp(const struct filter_member *member,
				      const uint8_t *data, size_t len)
{
	return len > 0 && data[0] == IGMP_TYPE_QUERY && guards(member, FILTER_RULE_QUERY)
		       ? FILTER_DROP_QUERY
		       : FILTER_PASS;
}

static enum filter_outcome check_icmp4(const struct filter_member *member,
				       const uint8_t *data, size_t len)
{
	const bool is_routers =
		len > 0 && (data[0] == ICMP4_REDIRECT || data[0] == ICMP4_ROUTER_ADVERT);
	return is_routers && guards(member, FILTER_RULE_ROUTER) ? FILTER_DROP_ROUTER
								: FILTER_PASS;
}

/* What is to a client of DHCP is a server's, whatever port it comes from: clients do not ask. */
static enum filter_outcome check_udp(const struct filter_member *member,
				     const struct upper *upper, uint16_t client,
				     enum filter_outcome outcome)
{
	struct udp_hdr udp;
	if (!guards(member, FILTER_RULE_DHCP))
		return FILTER_PASS;
	if (udp_hdr_peek(upper->data, upper->len, &udp) < 0)
		return upper->is_fragment ? FILTER_DROP_FRAGMENT : FILTER_DROP_HEADERS;
	return udp.dport == client ? outcome : FILTER_PASS;
}

/* A later fragment says nothing, and is nothing without the first. */
static enum filter_outcome check_ip4(struct filter *f, struct filter_member *member,
				     const struct packet *packet)
{
	struct filter_address source = { .family = 4 };
	struct ip4_hdr ip;
	int off = ip4_hdr_parse(packet->data, packet->len, &ip);
	if (off < 0)
		return FILTER_DROP_HEADERS;
	const struct upper upper = { .data = packet->data + off,
				     .len = packet->len - (size_t)off,
				     .is_fragment = ip4_is_fragment(&ip) };
	store_be32(source.octet, ip.src);
	note_use(f, member, &source, packet);
	if (ip.frag_off > 0)
		return FILTER_PASS;
	switch (ip.proto) {
	case IPPROTO_IGMP:
		return check_igmp(member, upper.data, upper.len);
	case IPPROTO_ICMP:
		return check_icmp4(member, upper.data, upper.len);
	case IPPROTO_UDP:
		return check_udp(member, &upper, DHCP_CLIENT, FILTER_DROP_DHCP_SERVER);
	default:
		return FILTER_PASS;
	}
}

static bool is_discovery(uint8_t type)
{
	return type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT;
}

/* Neighbour Discovery in fragments is nobody's need (RFC 6980). */
static enum filter_outcome check_icmp6(struct filter *f, struct filter_member *member,
				       const struct packet6 *packet, uint64_t now)
{
	const bool is_fragment = packet->upper.is_fragment;
	if (packet->upper.len == 0)
		return is_fragment ? FILTER_DROP_FRAGMENT : FILTER_DROP_HEADERS;
	const uint8_t type = packet->upper.data[0];
	if (type == ICMP6_MLD_QUERY && guards(member, FILTER_RULE_QUERY))
		return FILTER_DROP_QUERY;
	if (!is_discovery(type))
		return FILTER_PASS;
	if (is_fragment && guards(member, FILTER_RULE_ROUTER))
		return FILTER_DROP_FRAGMENT;
	if (type == ICMP6_ROUTER_ADVERT || type == ICMP6_REDIRECT)
		return guards(member, FILTER_RULE_ROUTER) ? FILTER_DROP_ROUTER
							  : FILTER_PASS;
	return check_nd(f, member, packet, now);
}

static enum filter_outcome check_ip6(struct filter *f, struct filter_member *member,
				     const struct packet *whole)
{
	struct filter_address source = { .family = 6 };
	struct packet6 packet = { .src = whole->src };
	struct ip6_ext ext;
	const uint8_t *data = whole->data;
	size_t len = whole->len;
	if (ip6_hdr_parse(data, len, &packet.ip) < 0)
		return FILTER_DROP_HEADERS;
	memcpy(source.octet, packet.ip.src.octet, sizeof(source.octet));
	note_use(f, member, &source, whole);
	if (packet.ip.next == IPPROTO_TCP)
		return FILTER_PASS;
	len = IP6_LEN + (size_t)packet.ip.payload_len;
	int off = ip6_ext_walk(data, len, packet.ip.next, &ext);
	if (off < 0)
		return FILTER_DROP_HEADERS;
	if (ext.is_fragment && ext.frag.off > 0)
		return FILTER_PASS;
	packet.upper = (struct upper){ .data = data + off,
				       .len = len - (size_t)off,
				       .is_fragment = ext.is_fragment };
	if (ext.proto == IPPROTO_ICMPV6)
		return check_icmp6(f, member, &packet, whole->now);
	if (ext.is_fragment && packet.upper.len < UDP_LEN &&
	    guards(member, FILTER_RULE_DHCP))
		return FILTER_DROP_FRAGMENT;
	return ext.proto == IPPROTO_UDP ? check_udp(member, &packet.upper, DHCP6_CLIENT,
						    FILTER_DROP_DHCP6_SERVER)
					: FILTER_PASS;
}

/* ---- a frame ----------------------------------------------------------------------------- */

static enum filter_outcome drop_if(const struct filter_member *member,
				   enum filter_rule rule, enum filter_outcome outcome)
{
	return member->opts.off & (unsigned)rule ? FILTER_PASS : outcome;
}

/*
 * Reads what is in front of a packet. LLC and SNAP that have an EtherType are taken off, as
 * stations and access points do, many of them whatever the length is that stands before it.
 */
static int headers_parse(const struct weft_frame *frame, struct ether_hdr *ret_ether)
{
	struct llc_hdr llc;
	int off = ether_hdr_parse(frame->data, frame->len, ret_ether);
	if (off < 0 || ret_ether->type >= ETHER_TYPE_FIRST)
		return off;
	int llc_len = llc_hdr_parse(frame->data + off, frame->len - (size_t)off, &llc);
	if (llc_len < 0 || !llc.is_snap ||
	    (llc.oui != LLC_OUI_ETHER && llc.oui != LLC_OUI_BRIDGE))
		return off;
	ret_ether->type = llc.type;
	return off + llc_len;
}

static enum filter_outcome check_type(struct filter *f, struct filter_member *member,
				      const struct weft_frame *frame, uint64_t now)
{
	struct ether_hdr ether;
	int off = headers_parse(frame, &ether);
	if (off < 0)
		return FILTER_DROP_HEADERS;
	const bool is_tag_left = ether_type_is_tag(ether.type);
	if ((ether.tags_n > 0 || is_tag_left) && guards(member, FILTER_RULE_VLAN))
		return FILTER_DROP_VLAN;
	if (is_tag_left)
		return FILTER_DROP_HEADERS;
	const struct packet packet = { .data = frame->data + off,
				       .len = frame->len - (size_t)off,
				       .src = ether.src,
				       .now = now };
	switch (ether.type) {
	case ETHER_TYPE_IP4:
		return check_ip4(f, member, &packet);
	case ETHER_TYPE_IP6:
		return check_ip6(f, member, &packet);
	case ETHER_TYPE_ARP:
		return check_arp(f, member, &packet);
	case ETHER_TYPE_EAPOL:
		return drop_if(member, FILTER_RULE_EAPOL, FILTER_DROP_EAPOL);
	case ETHER_TYPE_LLDP:
		return drop_if(member, FILTER_RULE_LLDP, FILTER_DROP_LLDP);
	case ETHER_TYPE_SLOW:
		return drop_if(member, FILTER_RULE_SLOW, FILTER_DROP_SLOW);
	default:
		return FILTER_PASS;
	}
}

static enum filter_outcome check_rates(struct filter_member *member,
				       const struct weft_frame *frame, bool is_known,
				       uint64_t now)
{
	if (!bucket_take(&member->bytes, frame->len, now))
		return FILTER_DROP_BYTE_RATE;
	const uint32_t n = segment_count(frame);
	if (mac_is_group(mac_load(frame->data)))
		return bucket_take(&member->group, n, now) ? FILTER_PASS
							   : FILTER_DROP_GROUP_RATE;
	if (!is_known)
		return bucket_take(&member->unknown, n, now) ? FILTER_PASS
							     : FILTER_DROP_UNKNOWN_RATE;
	return FILTER_PASS;
}

enum filter_outcome filter_decide(struct filter *f, struct filter_member *member,
				  const struct weft_frame *frame, bool is_known,
				  uint64_t now)
{
	enum filter_outcome outcome = check_type(f, member, frame, now);
	if (outcome == FILTER_PASS && !member->is_gateway)
		outcome = check_rates(member, frame, is_known, now);
	member->counts[outcome]++;
	return outcome;
}
