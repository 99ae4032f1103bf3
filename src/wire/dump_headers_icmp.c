/* SPDX-License-Identifier: MIT */
/*
 * ICMP (RFC 792), ICMPv6 (RFC 4443) with Neighbour Discovery (RFC 4861) and MLD (RFC 2710,
 * RFC 3810), and IGMP (RFC 2236, RFC 3376): the head, and what each type has behind it. Of a
 * report with a list of groups it is said how many there are.
 */
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/dump_headers.h"
#include "wire/icmp.h"
#include "wire/igmp.h"
#include "wire/nd.h"

#include <netinet/in.h>

#define GROUP6_OFF 8u /* Of the address in a message of MLD's first version. */

/* ---- ICMP -------------------------------------------------------------------------------- */

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
	case ICMP6_MLD_QUERY:
		return "MulticastListenerQuery";
	case ICMP6_MLD_REPORT:
	case ICMP6_MLD2_REPORT:
		return "MulticastListenerReport";
	case ICMP6_MLD_DONE:
		return "MulticastListenerDone";
	default:
		return "Unknown";
	}
}

static void add_head(struct headers *h, const struct icmp_hdr *hdr, const char *name,
		     bool is_right)
{
	fmt_add(h->f, "%s: type=%s, len=%zu\n", h->is_ip6 ? "icmp6" : "icmp", name,
		h->len);
	fmt_add(h->f, HEADERS_FIELD "%u (%s)\n", "type", hdr->type, name);
	fmt_add(h->f, HEADERS_FIELD "%u\n", "code", hdr->code);
	headers_add_sum(h, hdr->csum, is_right);
}

static void add_echo(struct headers *h, const struct icmp_hdr *hdr)
{
	fmt_add(h->f, HEADERS_FIELD "%u\n", "id", icmp_echo_id(hdr));
	fmt_add(h->f, HEADERS_FIELD "%u\n", "seq", icmp_echo_seq(hdr));
}

void headers_add_icmp4(struct headers *h)
{
	struct icmp_hdr hdr;
	if (icmp_hdr_parse(h->data, h->len, &hdr) < 0) {
		headers_add_flaw(h, "icmp");
		return;
	}
	add_head(h, &hdr, icmp4_name(hdr.type), checksum_is_right(0, h->data, h->len));
	if (hdr.type == ICMP4_ECHO || hdr.type == ICMP4_ECHO_REPLY) {
		add_echo(h, &hdr);
		return;
	}
	fmt_add(h->f, HEADERS_FIELD "0x%08x\n", "values", hdr.rest);
	if (hdr.type == ICMP4_REDIRECT)
		headers_add_ip4(h, "gateway", hdr.rest);
	else if (hdr.type == ICMP4_UNREACHABLE && hdr.code == ICMP4_CODE_FRAG_NEEDED)
		fmt_add(h->f, HEADERS_FIELD "%u\n", "mtu", hdr.rest & 0xffff);
}

/* ---- ICMPv6 ------------------------------------------------------------------------------ */

static void add_prefix(struct headers *h, const struct nd_prefix *prefix)
{
	headers_add_ip6(h, "prefix", &prefix->prefix);
	fmt_add(h->f, HEADERS_FIELD "%u [on link: %d, autonomous: %d]\n", "prefix len",
		prefix->prefix_len, prefix->on_link, prefix->autonomous);
	fmt_add(h->f, HEADERS_FIELD "%u s, preferred %u s\n", "valid", prefix->valid_s,
		prefix->preferred_s);
}

static void add_advert(struct headers *h, const struct nd_msg *msg)
{
	fmt_add(h->f, HEADERS_FIELD "%u\n", "hop limit", msg->hop_limit);
	fmt_add(h->f, HEADERS_FIELD "managed=%d, other=%d\n", "flg", msg->managed,
		msg->other_config);
	fmt_add(h->f, HEADERS_FIELD "%u s\n", "lifetime", msg->lifetime_s);
	fmt_add(h->f, HEADERS_FIELD "%u ms\n", "reachable", msg->reachable_ms);
	fmt_add(h->f, HEADERS_FIELD "%u ms\n", "retrans", msg->retrans_ms);
	if (msg->mtu)
		fmt_add(h->f, HEADERS_FIELD "%u\n", "mtu", msg->mtu);
	for (unsigned i = 0; i < msg->prefixes_n; i++)
		add_prefix(h, &msg->prefixes[i]);
}

static void add_neighbour(struct headers *h)
{
	struct nd_msg msg;
	if (nd_msg_parse(h->data, h->len, &msg) < 0) {
		headers_add_flaw(h, "nd");
		return;
	}
	if (msg.type == ICMP6_NEIGHBOR_ADVERT)
		fmt_add(h->f, HEADERS_FIELD "router=%d, solicited=%d, override=%d\n",
			"flg", msg.router, msg.solicited, msg.override);
	if (msg.type == ICMP6_NEIGHBOR_SOLICIT || msg.type == ICMP6_NEIGHBOR_ADVERT)
		headers_add_ip6(h, "target", &msg.target);
	if (msg.type == ICMP6_ROUTER_ADVERT)
		add_advert(h, &msg);
	if (msg.has_source_mac)
		headers_add_mac(h, "source mac", msg.source_mac);
	if (msg.has_target_mac)
		headers_add_mac(h, "target mac", msg.target_mac);
}

static void add_group6(struct headers *h)
{
	if (h->len < GROUP6_OFF + IP6_ADDR_LEN) {
		headers_add_flaw(h, "mld");
		return;
	}
	struct ip6_addr group = ip6_addr_load(h->data + GROUP6_OFF);
	headers_add_ip6(h, "group", &group);
}

/* What is behind the head, by the type. */
static void add_icmp6_body(struct headers *h, const struct icmp_hdr *hdr)
{
	switch (hdr->type) {
	case ICMP6_ECHO:
	case ICMP6_ECHO_REPLY:
		add_echo(h, hdr);
		break;
	case ICMP6_PACKET_TOO_BIG:
		fmt_add(h->f, HEADERS_FIELD "%u\n", "mtu", hdr->rest);
		break;
	case ICMP6_ROUTER_SOLICIT:
	case ICMP6_ROUTER_ADVERT:
	case ICMP6_NEIGHBOR_SOLICIT:
	case ICMP6_NEIGHBOR_ADVERT:
		add_neighbour(h);
		break;
	case ICMP6_MLD2_REPORT:
		fmt_add(h->f, HEADERS_FIELD "%u\n", "records", hdr->rest & 0xffff);
		break;
	case ICMP6_MLD_QUERY:
	case ICMP6_MLD_REPORT:
	case ICMP6_MLD_DONE:
		add_group6(h);
		break;
	default:
		fmt_add(h->f, HEADERS_FIELD "0x%08x\n", "values", hdr->rest);
		break;
	}
}

void headers_add_icmp6(struct headers *h)
{
	struct icmp_hdr hdr;
	if (icmp_hdr_parse(h->data, h->len, &hdr) < 0) {
		headers_add_flaw(h, "icmp6");
		return;
	}
	uint32_t pseudo = headers_pseudo(h, IPPROTO_ICMPV6, h->len);
	add_head(h, &hdr, icmp6_name(hdr.type),
		 checksum_is_right(pseudo, h->data, h->len));
	add_icmp6_body(h, &hdr);
}

/* ---- IGMP -------------------------------------------------------------------------------- */

static const char *igmp_name(uint8_t type)
{
	switch (type) {
	case IGMP_TYPE_QUERY:
		return "Query";
	case IGMP_TYPE_REPORT1:
	case IGMP_TYPE_REPORT2:
	case IGMP_TYPE_REPORT3:
		return "Report";
	case IGMP_TYPE_LEAVE:
		return "Leave";
	default:
		return "Unknown";
	}
}

void headers_add_igmp(struct headers *h)
{
	if (h->len < IGMP_LEN) {
		headers_add_flaw(h, "igmp");
		return;
	}
	uint8_t type = h->data[0];
	fmt_add(h->f, "igmp: type=%s, len=%zu\n", igmp_name(type), h->len);
	fmt_add(h->f, HEADERS_FIELD "0x%02x (%s)\n", "type", type, igmp_name(type));
	headers_add_sum(h, load_be16(h->data + 2), checksum_is_right(0, h->data, h->len));
	if (type == IGMP_TYPE_REPORT3)
		fmt_add(h->f, HEADERS_FIELD "%u\n", "records", load_be16(h->data + 6));
	else
		headers_add_ip4(h, "group", load_be32(h->data + 4));
}
