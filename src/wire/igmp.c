/* SPDX-License-Identifier: MIT */
/*
 * Nearly no frame is one of these, and that shows in its first bytes: IGMP by its protocol
 * number, MLD by the hop-by-hop header that all of its messages begin with (RFC 2710, 3).
 */
#include "wire/igmp.h"

#include "base/mac.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* Of an IGMP message (RFC 2236, 2; RFC 3376, 4.1 and 4.2). */
#define IGMP_OFF_TYPE    0u
#define IGMP_OFF_MAX     1u
#define IGMP_OFF_CSUM    2u
#define IGMP_OFF_GROUP   4u
#define IGMP_OFF_RECORDS 6u
#define IGMP_OFF_QQIC    9u
#define IGMP_QUERY3_LEN  12u

/* Of an MLD message (RFC 2710, 3; RFC 3810, 5.1 and 5.2). */
#define MLD_OFF_MAX     4u
#define MLD_OFF_RECORDS 6u
#define MLD_OFF_GROUP   8u
#define MLD_OFF_QQIC    25u
#define MLD_LEN         24u
#define MLD_QUERY3_LEN  28u

#define IP4_ALL_SYSTEMS 0xe0000001u

/* Router alert: of IPv4 (RFC 2113), and in a hop-by-hop header for MLD (RFC 2711). */
static const uint8_t alert4[] = { 0x94, 0x04, 0x00, 0x00 };
static const uint8_t alert6[] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };

/* ---- reading ----------------------------------------------------------------------------- */

static size_t group_len(uint8_t family)
{
	return family == AF_INET ? 4 : IP6_ADDR_LEN;
}

/* From bytes that are there. */
static struct weft_ip group_load(uint8_t family, const uint8_t *bytes)
{
	struct weft_ip group = { .family = family,
				 .prefix = (uint8_t)(8 * group_len(family)) };
	memcpy(group.octet, bytes, group_len(family));
	return group;
}

static bool is_multicast(const struct weft_ip *ip)
{
	return ip->family == AF_INET ? ip->octet[0] >> 4 == 0xe : ip->octet[0] == 0xff;
}

/* What all messages of versions 1 and 2 are: about one group, or, a query, about all. */
static void read_one_group(struct igmp_msg *msg, enum igmp_kind kind,
			   const uint8_t *group)
{
	const struct weft_ip ip = group_load(msg->family, group);
	msg->kind = kind;
	msg->is_general = kind == IGMP_QUERY && !is_multicast(&ip);
	msg->records_n = kind == IGMP_QUERY ? 0 : 1;
	msg->rest = reader_of(group, group_len(msg->family));
}

static void read_records(struct igmp_msg *msg, unsigned n, const uint8_t *records,
			 size_t len)
{
	msg->kind = IGMP_REPORT;
	msg->has_records = true;
	msg->records_n = n;
	msg->rest = reader_of(records, len);
}

static int read_igmp(const uint8_t *data, size_t len, struct igmp_msg *msg)
{
	if (len < IGMP_LEN || !checksum_is_right(0, data, len))
		return -EBADMSG;
	switch (data[IGMP_OFF_TYPE]) {
	case IGMP_TYPE_QUERY:
		read_one_group(msg, IGMP_QUERY, data + IGMP_OFF_GROUP);
		return 0;
	case IGMP_TYPE_REPORT1:
	case IGMP_TYPE_REPORT2:
		read_one_group(msg, IGMP_REPORT, data + IGMP_OFF_GROUP);
		return 0;
	case IGMP_TYPE_LEAVE:
		read_one_group(msg, IGMP_LEAVE, data + IGMP_OFF_GROUP);
		return 0;
	case IGMP_TYPE_REPORT3:
		read_records(msg, load_be16(data + IGMP_OFF_RECORDS), data + IGMP_LEN,
			     len - IGMP_LEN);
		return 0;
	default: /* DVMRP, PIM version 1 and others that speak to routers. */
		return -ENOMSG;
	}
}

static int read_mld(const uint8_t *data, size_t len, struct igmp_msg *msg)
{
	const uint8_t type = len > 0 ? data[0] : 0;
	if (type == ICMP6_MLD2_REPORT && len >= ICMP_LEN) {
		read_records(msg, load_be16(data + MLD_OFF_RECORDS), data + ICMP_LEN,
			     len - ICMP_LEN);
		return 0;
	}
	if (type < ICMP6_MLD_QUERY || type > ICMP6_MLD_DONE)
		return type == ICMP6_MLD2_REPORT ? -EBADMSG : -ENOMSG;
	if (len < MLD_LEN)
		return -EBADMSG;
	static const enum igmp_kind kinds[] = { IGMP_QUERY, IGMP_REPORT, IGMP_LEAVE };
	read_one_group(msg, kinds[type - ICMP6_MLD_QUERY], data + MLD_OFF_GROUP);
	return 0;
}

static int find4(const uint8_t *data, size_t len, struct igmp_msg *msg)
{
	struct ip4_hdr ip;
	if (len < IP4_LEN || data[IP4_OFF_PROTO] != IPPROTO_IGMP)
		return -ENOMSG;
	int off = ip4_hdr_parse(data, len, &ip);
	if (off < 0 || ip4_is_fragment(&ip))
		return -EBADMSG;
	msg->family = AF_INET;
	return read_igmp(data + off, ip.total_len - (size_t)off, msg);
}

static bool is_link_local_or_none(const struct ip6_addr *addr)
{
	static const struct ip6_addr none;
	return (addr->octet[0] == 0xfe && addr->octet[1] >> 6 == 2) ||
	       ip6_addr_equal(addr, &none);
}

static int find6(const uint8_t *data, size_t len, struct igmp_msg *msg)
{
	struct ip6_hdr ip;
	struct ip6_ext ext;
	if (len < IP6_LEN || data[IP6_OFF_NEXT] != IPPROTO_HOPOPTS)
		return -ENOMSG;
	if (ip6_hdr_parse(data, len, &ip) < 0)
		return -EBADMSG;
	len = IP6_LEN + (size_t)ip.payload_len;
	int off = ip6_ext_walk(data, len, ip.next, &ext);
	if (off < 0)
		return -EBADMSG;
	if (ext.proto != IPPROTO_ICMPV6 || ext.is_fragment)
		return -ENOMSG;
	msg->family = AF_INET6;
	int r = read_mld(data + off, len - (size_t)off, msg);
	if (r < 0)
		return r;
	const uint32_t upper_len = (uint32_t)(len - (size_t)off);
	const uint32_t pseudo =
		checksum_pseudo6(ip.src.octet, ip.dst.octet, IPPROTO_ICMPV6, upper_len);
	return ip.hop_limit == 1 && is_link_local_or_none(&ip.src) &&
			       checksum_is_right(pseudo, data + off, upper_len)
		       ? 0
		       : -EBADMSG;
}

int igmp_find(const struct weft_frame *frame, struct igmp_msg *ret_msg)
{
	struct igmp_msg msg = { .kind = IGMP_QUERY };
	if (frame->len < ETHER_LEN)
		return -ENOMSG;
	const uint8_t *data = frame->data + ETHER_LEN;
	const size_t len = frame->len - ETHER_LEN;
	const uint16_t type = load_be16(frame->data + ETHER_OFF_TYPE);
	int r = -ENOMSG;
	if (type == ETHER_TYPE_IP4)
		r = find4(data, len, &msg);
	else if (type == ETHER_TYPE_IP6)
		r = find6(data, len, &msg);
	if (r == 0)
		*ret_msg = msg;
	return r;
}

/* Leaving is to want to hear nobody; what is blocked changes no membership. */
static bool read_record(struct igmp_msg *msg, struct igmp_record *record)
{
	const size_t group_bytes = group_len(msg->family);
	const uint8_t type = reader_u8(&msg->rest);
	const uint8_t aux_words = reader_u8(&msg->rest);
	const uint16_t sources = reader_u16(&msg->rest);
	const uint8_t *group = reader_bytes(&msg->rest, group_bytes);
	reader_skip(&msg->rest, sources * group_bytes + (size_t)4 * aux_words);
	if (msg->rest.bad || !group)
		return false;
	record->group = group_load(msg->family, group);
	record->is_member = sources > 0 || type == IGMP_RECORD_IS_EXCLUDE ||
			    type == IGMP_RECORD_TO_EXCLUDE;
	return (type >= IGMP_RECORD_IS_INCLUDE && type <= IGMP_RECORD_TO_EXCLUDE) ||
	       (type == IGMP_RECORD_ALLOW && sources > 0);
}

static bool read_single(struct igmp_msg *msg, struct igmp_record *record)
{
	const uint8_t *group = reader_bytes(&msg->rest, group_len(msg->family));
	if (!group)
		return false;
	record->group = group_load(msg->family, group);
	record->is_member = msg->kind == IGMP_REPORT;
	return true;
}

bool igmp_next(struct igmp_msg *msg, struct igmp_record *ret_record)
{
	struct igmp_record record;
	while (msg->records_n > 0 && !msg->rest.bad) {
		msg->records_n--;
		bool is_useful = msg->has_records ? read_record(msg, &record)
						  : read_single(msg, &record);
		if (is_useful && is_multicast(&record.group)) {
			*ret_record = record;
			return true;
		}
	}
	return false;
}

bool igmp_group_of(const struct weft_frame *frame, struct weft_ip *ret_group)
{
	if (frame->len < ETHER_LEN)
		return false;
	const uint8_t *data = frame->data + ETHER_LEN;
	const size_t len = frame->len - ETHER_LEN;
	const uint16_t type = load_be16(frame->data + ETHER_OFF_TYPE);
	struct weft_ip group = { .family = 0 };
	if (type == ETHER_TYPE_IP4 && len >= IP4_LEN)
		group = group_load(AF_INET, data + IP4_OFF_DST);
	else if (type == ETHER_TYPE_IP6 && len >= IP6_LEN)
		group = group_load(AF_INET6, data + IP6_OFF_DST);
	if (group.family == 0 || !is_multicast(&group))
		return false;
	*ret_group = group;
	return true;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Ethernet in front of IP; the destination is made from the group (RFC 1112 6.4, 2464 7). */
static size_t emit_ether(uint8_t *buf, uint8_t family, struct weft_mac src)
{
	static const struct weft_mac all4 = { { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 } };
	static const struct weft_mac all6 = { { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 } };
	const bool is_4 = family == AF_INET;
	const struct ether_hdr hdr = { .dst = is_4 ? all4 : all6,
				       .src = src,
				       .type = is_4 ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6 };
	return (size_t)ether_hdr_emit(buf, ETHER_LEN, &hdr);
}

/* Codes below 128 say themselves: tenths of a second and seconds (RFC 3376, 4.1.1, 4.1.7). */
static size_t emit_igmp(uint8_t *buf, const struct igmp_querier *querier)
{
	const struct ip4_hdr ip = { .tos = 0xc0,
				    .total_len =
					    IP4_LEN + sizeof(alert4) + IGMP_QUERY3_LEN,
				    .df = true,
				    .ttl = 1,
				    .proto = IPPROTO_IGMP,
				    .src = querier->ip4,
				    .dst = IP4_ALL_SYSTEMS,
				    .options = alert4,
				    .options_len = sizeof(alert4) };
	int off = ip4_hdr_emit(buf, IP4_LEN + sizeof(alert4), &ip);
	if (off < 0)
		return 0;
	uint8_t *igmp = buf + off;
	memset(igmp, 0, IGMP_QUERY3_LEN);
	igmp[IGMP_OFF_TYPE] = IGMP_TYPE_QUERY;
	igmp[IGMP_OFF_MAX] = (uint8_t)(querier->answer_ms / 100);
	igmp[IGMP_OFF_QQIC] = (uint8_t)querier->interval_s;
	store_be16(igmp + IGMP_OFF_CSUM, checksum(igmp, IGMP_QUERY3_LEN));
	return (size_t)off + IGMP_QUERY3_LEN;
}

/* fe80:: and the MAC as an interface identifier (RFC 4291, appendix A). */
static struct ip6_addr link_local_of(struct weft_mac mac)
{
	struct ip6_addr addr = { .octet = { 0xfe, 0x80, [11] = 0xff, [12] = 0xfe } };
	memcpy(addr.octet + 8, mac.octet, 3);
	memcpy(addr.octet + 13, mac.octet + 3, 3);
	addr.octet[8] ^= 0x02;
	return addr;
}

static size_t emit_mld(uint8_t *buf, const struct igmp_querier *querier)
{
	const struct ip6_hdr ip = { .payload_len = sizeof(alert6) + MLD_QUERY3_LEN,
				    .next = IPPROTO_HOPOPTS,
				    .hop_limit = 1,
				    .src = link_local_of(querier->mac),
				    .dst = { .octet = { 0xff, 0x02, [15] = 1 } } };
	int off = ip6_hdr_emit(buf, IP6_LEN, &ip);
	if (off < 0)
		return 0;
	memcpy(buf + off, alert6, sizeof(alert6));
	uint8_t *mld = buf + off + sizeof(alert6);
	memset(mld, 0, MLD_QUERY3_LEN);
	mld[ICMP_OFF_TYPE] = ICMP6_MLD_QUERY;
	store_be16(mld + MLD_OFF_MAX, (uint16_t)querier->answer_ms);
	mld[MLD_OFF_QQIC] = (uint8_t)querier->interval_s;
	const uint32_t sum = checksum_pseudo6(ip.src.octet, ip.dst.octet, IPPROTO_ICMPV6,
					      MLD_QUERY3_LEN);
	store_be16(mld + ICMP_OFF_CSUM,
		   checksum_finish(checksum_add(sum, mld, MLD_QUERY3_LEN)));
	return (size_t)off + sizeof(alert6) + MLD_QUERY3_LEN;
}

size_t igmp_query_emit(uint8_t buf[IGMP_QUERY_FRAME_MAX], uint8_t family,
		       const struct igmp_querier *querier)
{
	size_t off = emit_ether(buf, family, querier->mac);
	return off + (family == AF_INET ? emit_igmp(buf + off, querier)
					: emit_mld(buf + off, querier));
}
