/* SPDX-License-Identifier: MIT */
/*
 * Neighbour Discovery messages. What is fixed in each of the four is read by a function of
 * its own; the options are the same for all and read by one loop, in which an option of
 * length 0 ends everything (it would never advance).
 */
#include "wire/nd.h"

#include <errno.h>

/* Flags of the fifth byte. */
#define NA_ROUTER    0x80u
#define NA_SOLICITED 0x40u
#define NA_OVERRIDE  0x20u
#define RA_MANAGED   0x80u
#define RA_OTHER     0x40u

/* Flags of a prefix information option. */
#define PREFIX_ON_LINK    0x80u
#define PREFIX_AUTONOMOUS 0x40u

enum nd_option_type {
	ND_OPT_SOURCE_MAC = 1,
	ND_OPT_TARGET_MAC = 2,
	ND_OPT_PREFIX = 3,
	ND_OPT_MTU = 5,
};

/* Lengths of options, in units of 8 bytes that count type and length as well. */
#define UNIT_LEN       8u
#define OPTION_HDR_LEN 2u
#define MAC_UNITS      1u
#define PREFIX_UNITS   4u
#define MTU_UNITS      1u

static struct ip6_addr read_addr(struct reader *r)
{
	struct ip6_addr addr;
	reader_copy(r, addr.octet, sizeof(addr.octet));
	return addr;
}

static struct weft_mac read_mac(struct reader *r)
{
	struct weft_mac mac;
	reader_copy(r, mac.octet, sizeof(mac.octet));
	return mac;
}

static void read_router_advert(struct reader *r, struct nd_msg *msg)
{
	msg->hop_limit = reader_u8(r);
	uint8_t flags = reader_u8(r);
	msg->managed = flags & RA_MANAGED;
	msg->other_config = flags & RA_OTHER;
	msg->lifetime_s = reader_u16(r);
	msg->reachable_ms = reader_u32(r);
	msg->retrans_ms = reader_u32(r);
}

static void read_neighbor(struct reader *r, struct nd_msg *msg)
{
	uint8_t flags = reader_u8(r);
	reader_skip(r, 3);
	msg->target = read_addr(r);
	if (msg->type != ICMP6_NEIGHBOR_ADVERT)
		return;
	msg->router = flags & NA_ROUTER;
	msg->solicited = flags & NA_SOLICITED;
	msg->override = flags & NA_OVERRIDE;
}

/* What stands between the checksum and the options. Returns 0 or -EPROTONOSUPPORT. */
static int read_fixed(struct reader *r, struct nd_msg *msg)
{
	switch (msg->type) {
	case ICMP6_ROUTER_SOLICIT:
		reader_skip(r, 4);
		return 0;
	case ICMP6_ROUTER_ADVERT:
		read_router_advert(r, msg);
		return 0;
	case ICMP6_NEIGHBOR_SOLICIT:
	case ICMP6_NEIGHBOR_ADVERT:
		read_neighbor(r, msg);
		return 0;
	default:
		return -EPROTONOSUPPORT;
	}
}

static void read_prefix(struct reader *body, struct nd_msg *msg)
{
	struct nd_prefix prefix = { .prefix_len = reader_u8(body) };
	uint8_t flags = reader_u8(body);
	prefix.on_link = flags & PREFIX_ON_LINK;
	prefix.autonomous = flags & PREFIX_AUTONOMOUS;
	prefix.valid_s = reader_u32(body);
	prefix.preferred_s = reader_u32(body);
	reader_skip(body, 4);
	prefix.prefix = read_addr(body);
	if (prefix.prefix_len <= 128 && msg->prefixes_n < ND_PREFIXES_MAX)
		msg->prefixes[msg->prefixes_n++] = prefix;
}

bool nd_option_next(struct reader *r, struct nd_option *ret_option)
{
	if (r->bad || reader_left(r) == 0)
		return false;
	ret_option->type = reader_u8(r);
	size_t units = reader_u8(r);
	if (units == 0) {
		r->bad = true;
		return false;
	}
	ret_option->value = reader_sub(r, units * UNIT_LEN - OPTION_HDR_LEN);
	return !r->bad;
}

static void read_option(struct nd_option *option, struct nd_msg *msg)
{
	struct reader *body = &option->value;
	const size_t units = (body->len + OPTION_HDR_LEN) / UNIT_LEN;
	const uint8_t type = option->type;
	if (type == ND_OPT_SOURCE_MAC && units == MAC_UNITS) {
		msg->has_source_mac = true;
		msg->source_mac = read_mac(body);
	} else if (type == ND_OPT_TARGET_MAC && units == MAC_UNITS) {
		msg->has_target_mac = true;
		msg->target_mac = read_mac(body);
	} else if (type == ND_OPT_PREFIX && units == PREFIX_UNITS) {
		read_prefix(body, msg);
	} else if (type == ND_OPT_MTU && units == MTU_UNITS) {
		reader_skip(body, 2);
		msg->mtu = reader_u32(body);
	}
}

static void read_options(struct reader *r, struct nd_msg *msg)
{
	struct nd_option option;
	while (nd_option_next(r, &option))
		read_option(&option, msg);
}

int nd_msg_parse(const uint8_t *data, size_t len, struct nd_msg *ret_msg)
{
	struct reader r = reader_of(data, len);
	struct nd_msg msg = { .type = reader_u8(&r) };
	uint8_t code = reader_u8(&r);
	reader_skip(&r, 2);
	int error = read_fixed(&r, &msg);
	if (r.bad || code != 0)
		return -EBADMSG;
	if (error < 0)
		return error;
	read_options(&r, &msg);
	if (r.bad || ip6_addr_is_multicast(&msg.target))
		return -EBADMSG;
	*ret_msg = msg;
	return 0;
}

static void write_router_advert(struct writer *w, const struct nd_msg *msg)
{
	writer_u8(w, msg->hop_limit);
	writer_u8(w,
		  (msg->managed ? RA_MANAGED : 0) | (msg->other_config ? RA_OTHER : 0));
	writer_u16(w, msg->lifetime_s);
	writer_u32(w, msg->reachable_ms);
	writer_u32(w, msg->retrans_ms);
}

static void write_neighbor(struct writer *w, const struct nd_msg *msg)
{
	unsigned flags = 0;
	if (msg->type == ICMP6_NEIGHBOR_ADVERT)
		flags = (msg->router ? NA_ROUTER : 0) |
			(msg->solicited ? NA_SOLICITED : 0) |
			(msg->override ? NA_OVERRIDE : 0);
	writer_u8(w, (uint8_t)flags);
	writer_fill(w, 0, 3);
	writer_bytes(w, msg->target.octet, sizeof(msg->target.octet));
}

static int write_fixed(struct writer *w, const struct nd_msg *msg)
{
	switch (msg->type) {
	case ICMP6_ROUTER_SOLICIT:
		writer_fill(w, 0, 4);
		return 0;
	case ICMP6_ROUTER_ADVERT:
		write_router_advert(w, msg);
		return 0;
	case ICMP6_NEIGHBOR_SOLICIT:
	case ICMP6_NEIGHBOR_ADVERT:
		write_neighbor(w, msg);
		return 0;
	default:
		return -EINVAL;
	}
}

static void write_mac(struct writer *w, uint8_t type, const struct weft_mac *mac)
{
	writer_u8(w, type);
	writer_u8(w, MAC_UNITS);
	writer_bytes(w, mac->octet, sizeof(mac->octet));
}

static void write_prefix(struct writer *w, const struct nd_prefix *prefix)
{
	writer_u8(w, ND_OPT_PREFIX);
	writer_u8(w, PREFIX_UNITS);
	writer_u8(w, prefix->prefix_len);
	writer_u8(w, (prefix->on_link ? PREFIX_ON_LINK : 0) |
			     (prefix->autonomous ? PREFIX_AUTONOMOUS : 0));
	writer_u32(w, prefix->valid_s);
	writer_u32(w, prefix->preferred_s);
	writer_fill(w, 0, 4);
	writer_bytes(w, prefix->prefix.octet, sizeof(prefix->prefix.octet));
}

static void write_options(struct writer *w, const struct nd_msg *msg)
{
	if (msg->has_source_mac)
		write_mac(w, ND_OPT_SOURCE_MAC, &msg->source_mac);
	if (msg->has_target_mac)
		write_mac(w, ND_OPT_TARGET_MAC, &msg->target_mac);
	if (msg->mtu > 0) {
		writer_u8(w, ND_OPT_MTU);
		writer_u8(w, MTU_UNITS);
		writer_u16(w, 0);
		writer_u32(w, msg->mtu);
	}
	for (size_t i = 0; i < msg->prefixes_n; i++)
		write_prefix(w, &msg->prefixes[i]);
}

int nd_msg_emit(uint8_t *buf, size_t len, const struct nd_msg *msg)
{
	struct writer w = writer_of(buf, len);
	writer_u8(&w, msg->type);
	writer_fill(&w, 0, 3);
	if (msg->prefixes_n > ND_PREFIXES_MAX || write_fixed(&w, msg) < 0)
		return -EINVAL;
	write_options(&w, msg);
	return w.bad ? -ENOBUFS : (int)w.off;
}
